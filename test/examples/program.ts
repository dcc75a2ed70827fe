import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';

const RESOLVE = join(import.meta.dirname, 'resolve.mjs');

/** A program that runs by itself, as a user would start it. */
export class Program {
  readonly #child: ChildProcess;
  #output = '';
  #errors = '';

  constructor(file: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const options = ['--import', RESOLVE, file, ...args];
    this.#child = spawn(process.execPath, options, {
      // It ends with whoever started it: its standard input ends then (resolve.mjs).
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString('utf8');
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString('utf8');
    });
  }

  get output(): string {
    return this.#output;
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits until it has ended by itself. Returns its exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  /** Presses Ctrl-C. */
  interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.ended();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
