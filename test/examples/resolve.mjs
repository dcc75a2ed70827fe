// The package's name leads to its sources: examples import it as users do, and run here without a build.
import { registerHooks } from 'node:module';
import process from 'node:process';

registerHooks({
  resolve(specifier, context, next) {
    const named = /^clusterset(?:\/(.+))?$/.exec(specifier);
    if (named === null) return next(specifier, context);
    const file = named[1] === undefined ? 'index.ts' : `${named[1]}/index.ts`;
    return next(new URL(`../../src/${file}`, import.meta.url).href, context);
  },
});

// Whoever started it holds the other end of its standard input: when that is gone, so is the program, however it went.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();
process.stdin.unref();
