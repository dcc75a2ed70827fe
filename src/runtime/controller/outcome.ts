import { type ErrorCode, isClustersetError } from '../../kube/plain/index.ts';

/** What a reconcile may ask for: to be called again after a time, or as after a failure, later with every one in a row. */
export type Answer =
  | { readonly requeueAfterMs: number; readonly priority?: number }
  | { readonly retry: true; readonly priority?: number };

/**
 * The answer of a reconcile, if it is one. A time that is not a number would mean at once, again and again.
 *
 * @throws TypeError for whatever else was answered.
 */
export function checkedAnswer(answer: unknown): Answer | undefined {
  if (answer === undefined || answer === null) return undefined;
  const {
    retry,
    requeueAfterMs,
    priority = 0,
  } = answer as { readonly [Name in 'retry' | 'requeueAfterMs' | 'priority']?: unknown };
  const isTimed = isNumber(requeueAfterMs) && !('retry' in Object(answer));
  if (isNumber(priority) && (isTimed || retry === true)) return answer as Answer;
  throw new TypeError(
    `a reconcile may answer nothing, { requeueAfterMs } or { retry: true }, and not requeueAfterMs ${String(requeueAfterMs)}, retry ${String(retry)}, priority ${String(priority)}`,
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

const TERMINAL = Symbol.for('clusterset.terminal');

/**
 * An error that waiting can't mend: a reconcile that throws it isn't called again before something changes (controller-runtime's TerminalError).
 * What it wraps is its `cause`, and its message.
 */
export function terminal(cause: unknown): Error {
  const error = new Error(cause instanceof Error ? cause.message : String(cause), { cause });
  Object.defineProperty(error, TERMINAL, { value: true });
  return error;
}

/** Whether an error was made by {@link terminal}, also by another copy of this package. */
export function isTerminal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && TERMINAL in error;
}

const DOWN: ReadonlySet<ErrorCode> = new Set([
  'Unreachable',
  'ServiceUnavailable',
  'TooManyRequests',
  'Timeout',
  'ServerTimeout',
]);

/**
 * What an error of a reconcile says about its cluster. `down`: it didn't answer, or it is overloaded, and other keys would fare no better; `up`:
 * it has answered, whatever it said. `undefined`: nothing, such as an error of our own code or one about another cluster.
 */
export function verdictOn(cluster: string, error: unknown): 'up' | 'down' | undefined {
  if (!isClustersetError(error) || (error.cluster !== undefined && error.cluster !== cluster)) return undefined;
  if (DOWN.has(error.code)) return 'down';
  return error.status === undefined ? undefined : 'up';
}
