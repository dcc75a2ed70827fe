import { isClustersetError } from '../kube/index.ts';

/** What a command ends with. Scripts can rely on them. */
export const EXIT = {
  /** Done, or nothing to do. */
  ok: 0,
  /** Something went wrong; standard error says what. */
  failed: 1,
  /** There are changes to make (`plan`), or something isn't rolled out (`status`). */
  pending: 2,
} as const;

/** What a command ends with that a signal has ended: 128 + SIGINT, as shells have it. */
export const INTERRUPTED = 130;

/** A failure that is the user's to mend: its lines are printed as they are, without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** What the machine has refused: a file, a port. Its message says which; where in the program it happened is of no use to anybody. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Why a call of the machine has failed, in a few words. */
export function reasonOf(error: unknown): string {
  return isSystemError(error) ? error.message.replace(/^[A-Z]+: /, '').replace(/, \w+(?: '.*')?$/s, '') : String(error);
}

/** The lines that tell a person about an error. */
export function linesOf(error: unknown): readonly string[] {
  if (error instanceof CommandFailure) return error.lines;
  if (isClustersetError(error)) return [error.message];
  if (isSystemError(error)) return [error.message];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
