/**
 * Runs one program and ends it for certain: when it is told to, and when the process that started this one is gone, however that died. The
 * line between them is standard input: it closes with its owner.
 */
import { spawn } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), 3000).unref();
}

process.stdin.resume();
process.stdin.on('end', end);
process.stdin.on('close', end);
process.stdin.on('data', (data) => (String(data).includes('kill') ? child.kill('SIGKILL') : end()));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end);
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === null ? 0 : 1));
});
child.on('error', (error) => {
  process.stderr.write(`${program}: ${error.message}\n`);
  process.exit(1);
});
