import type { Clock } from './clock.ts';
import { unlessAborted } from './unless-aborted.ts';

/** How long one waits for some work, and who else may end it. */
export interface PatienceOptions<T> {
  readonly clock: Clock;
  readonly ms: number;
  /** End the wait too; the first that fires gives the reason. */
  readonly signals?: readonly AbortSignal[];
  /** What the wait fails with when the time is up. */
  readonly overdue: () => unknown;
  /** Is given what comes after nobody waits any longer, so that it can be closed. */
  readonly onLate?: (late: T) => void;
}

/**
 * Gives work only so much time, whether it minds its signal or not: rejects when the time is up, or one of the signals fires, and fires the
 * work's own signal then. Leaves no timer and no listener behind: signals may live much longer than the work.
 */
export async function patiently<T>(work: (signal: AbortSignal) => T | Promise<T>, options: PatienceOptions<T>): Promise<T> {
  const { clock, ms, signals = [], overdue, onLate } = options;
  const ending = new AbortController();
  const forwards = signals.map((signal) => {
    const forward = (): void => ending.abort(signal.reason);
    if (signal.aborted) forward();
    else signal.addEventListener('abort', forward, { once: true });
    return () => signal.removeEventListener('abort', forward);
  });
  const cancel = clock.after(ms, () => ending.abort(overdue()));
  try {
    return await unlessAborted(() => work(ending.signal), ending.signal, onLate);
  } finally {
    cancel();
    for (const forget of forwards) forget();
  }
}
