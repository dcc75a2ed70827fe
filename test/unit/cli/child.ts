import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const MAIN = `${import.meta.dirname}/../../../src/cli/main.ts`;

/** A command line in a process of its own, which ends with the test that has started it. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe', env: { ...process.env, FORCE_COLOR: undefined } });
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk;
    });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    this.process.stdin?.on('error', () => undefined);
    this.#ended = once(this.process, 'close');
  }

  /** Waits until the process has printed a text, to either output. */
  async until(text: string): Promise<void> {
    while (!`${this.stdout}${this.stderr}`.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`it has ended without ${JSON.stringify(text)}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What it has ended with: an exit code, or the signal that has killed it. */
  async ended(): Promise<number | string | null> {
    await this.#ended;
    return this.process.exitCode ?? this.process.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
  }
}
