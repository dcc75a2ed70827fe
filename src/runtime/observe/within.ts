import { ClustersetError } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** Waits for something at most so long by the clock, and no longer than a signal lets it. What is waited for hears of both by its signal. */
export async function within<T>(
  clock: Clock,
  ms: number,
  run: (signal: AbortSignal) => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const cancel = clock.after(ms, () => {
    limit.abort(new ClustersetError({ code: 'Timeout', message: `it took longer than ${ms} ms` }));
  });
  // Not AbortSignal.any: a signal that lives long would remember what was made of it.
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await unlessAborted(() => run(limit.signal), limit.signal);
  } finally {
    cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
