import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A program that runs until it is stopped, or until the process that started it is gone. */
export interface Program {
  readonly name: string;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
  /** Ends it without a word, as a crash would. */
  kill(): Promise<void>;
  /** Rejects when the program ends by itself. */
  readonly ended: Promise<never>;
  readonly isRunning: boolean;
}

/** Starts a program; what it prints goes to a log file. */
export function startProgram(name: string, program: string, args: readonly string[], log: string): Program {
  const output = openSync(log, 'a');
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'keeper.mjs'), program, ...args], {
    stdio: ['pipe', output, output],
  });
  closeSync(output);
  let wanted = false;
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const ended = exited.then((): never => {
    throw new Error(wanted ? `${name} was stopped` : `${name} ended by itself: see ${log}`);
  });
  ended.catch(() => undefined);
  const tell = (word: string): Promise<void> => {
    wanted = true;
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(word);
    return exited;
  };
  return {
    name,
    ended,
    stop: () => tell('stop'),
    kill: () => tell('kill'),
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
  };
}

/** A port of the loopback interface that nobody uses. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
