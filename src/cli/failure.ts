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

/** A failure that is the user's to mend: its lines are printed as they are, without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** The lines that tell a person about an error. */
export function linesOf(error: unknown): readonly string[] {
  if (error instanceof CommandFailure) return error.lines;
  if (isClustersetError(error)) return [error.message];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
