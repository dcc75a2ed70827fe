import type { Terminal } from './terminal.ts';

/** What a command runs with. */
export interface Session {
  readonly terminal: Terminal;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Sets what the process ends with. */
  exit(code: number): void;
}
