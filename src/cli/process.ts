import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { runCommand } from './command.ts';
import { EXIT, INTERRUPTED } from './failure.ts';
import { terminalOn } from './terminal.ts';

const stop = new AbortController();
let by: NodeJS.Signals | undefined;
const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

// The end of a terminal is a signal to end only to what hangs on one: nohup takes it off.
const hangUp = [0, 1, 2].some(isatty) ? (['SIGHUP'] as const) : [];
for (const name of ['SIGINT', 'SIGTERM', ...hangUp] as const) {
  process.on(name, () => {
    // Who asks twice doesn't want to wait for a tidy end.
    if (by !== undefined) process.exit(exitCodeOf(name));
    by = name;
    stop.abort();
  });
}

const terminal = terminalOn();
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (by !== undefined) return;
  by = 'SIGPIPE';
  // Who reads has had enough, as with `| head -1`: that ends a command, as it ends any other, and is no mistake.
  if (error.code !== 'EPIPE') terminal.complain(`standard output: ${error.message}`);
  process.exitCode = error.code === 'EPIPE' ? exitCodeOf(by) : EXIT.failed;
  stop.abort();
});
process.stderr.on('error', () => undefined);

const code = await runCommand(process.argv.slice(2), { terminal, signal: stop.signal });
if (by === undefined) process.exitCode = code;
else {
  if (by !== 'SIGPIPE') process.exitCode = code === INTERRUPTED ? exitCodeOf(by) : code;
  // A plugin for credentials that hangs would hold the process for as long as it likes: nothing here can end it.
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit();
}
