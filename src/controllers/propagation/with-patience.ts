import { ClustersetError } from '../../kube/index.ts';
import { type Clock, patiently } from '../../runtime/index.ts';

/** What {@link withPatience} takes. */
export interface CallOptions {
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
export async function withPatience<T>(
  { clock, ms, signal, cluster }: CallOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const overdue = (): ClustersetError => new ClustersetError({ code: 'Timeout', message: `no answer within ${ms} ms`, cluster });
  try {
    return await patiently(call, { clock, ms, signals: [signal], overdue });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    throw new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster, cause: error });
  }
}
