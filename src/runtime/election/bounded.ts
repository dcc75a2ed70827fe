import { ClustersetError } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** A call that takes so long at most, whether or not it minds its signal. @throws ClustersetError `Timeout`. */
export async function bounded<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<T> {
  const patience = new AbortController();
  const cancel = clock.after(ms, () => {
    patience.abort(new ClustersetError({ code: 'Timeout', message: `it did not answer within ${ms} ms` }));
  });
  const onAbort = (): void => patience.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await unlessAborted(() => call(patience.signal), patience.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
