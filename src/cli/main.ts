#!/usr/bin/env node
import { runCommand } from './command.ts';
import { processTerminal } from './terminal.ts';

const stop = new AbortController();
let asked = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    asked += 1;
    // Who asks twice doesn't want to wait for a tidy end.
    if (asked > 1) process.exit(130);
    stop.abort();
  });
}
process.exitCode = await runCommand(process.argv.slice(2), { terminal: processTerminal(), signal: stop.signal });
