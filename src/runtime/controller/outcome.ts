import { type ErrorCode, isClustersetError } from '../../kube/plain/index.ts';

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
