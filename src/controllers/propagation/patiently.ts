import { ClustersetError } from '../../kube/index.ts';
import { type Clock, unlessAborted } from '../../runtime/index.ts';

/** What {@link patiently} takes. */
export interface PatienceOptions {
  readonly clock: Clock;
  readonly ms: number;
  /** Ends the call. */
  readonly signal: AbortSignal;
  /** Who is asked: for the error. */
  readonly cluster: string;
}

/**
 * Gives a call so much time and no more, and leaves it to itself where it doesn't mind its signal.
 *
 * @throws ClustersetError `Timeout` when the time is over, `Aborted` when the signal has fired.
 */
export async function patiently<T>(
  { clock, ms, signal, cluster }: PatienceOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const end = (): void => {
    const message = 'the call was ended';
    own.abort(new ClustersetError({ code: 'Aborted', message, cluster, cause: signal.reason }));
  };
  const cancel = clock.after(ms, () => {
    own.abort(new ClustersetError({ code: 'Timeout', message: `no answer within ${ms} ms`, cluster }));
  });
  // Not AbortSignal.any: the signal lives long, and would remember all calls.
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await unlessAborted(() => call(own.signal), own.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
  }
}
