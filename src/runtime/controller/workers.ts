import { isAborted, isRetryable } from '../../kube/plain/index.ts';
import type { WorkQueue } from '../queue/work-queue.ts';

/** What a reconcile may ask for: to be called again after a time, or as after a failure, later with every one in a row. */
export type ReconcileResult = { readonly requeueAfterMs: number } | { readonly retry: true };

/** Brings one key up to date. Throws to be called again, later with every failure; an error that can't be mended by waiting isn't retried. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;

/** What {@link runWorkers} takes. */
export interface WorkerOptions {
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** How many keys are worked on at the same time. Default 1. */
  readonly workers?: number;
  readonly signal: AbortSignal;
  /** Which failures are tried again. Default: those that may pass by themselves. */
  readonly retry?: (error: unknown) => boolean;
  /** Is told of every failure; those that may pass are tried again anyway. */
  readonly onError?: (key: string, error: unknown) => void;
}

/** Keys that are in hand already take no time to wait for: after so many, timers and answers get their turn. */
const IN_A_ROW = 16;

/** Works on the keys of a queue until the signal fires; what is under way then is let finish. */
export async function runWorkers({
  queue,
  reconcile,
  workers = 1,
  signal,
  onError,
  retry = isRetryable,
}: WorkerOptions): Promise<void> {
  const close = (): void => queue.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  let done = 0;
  const work = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await reconcileOne(key, { queue, reconcile, signal, retry, ...(onError === undefined ? {} : { onError }) });
      done += 1;
      if (done % IN_A_ROW === 0) await queue.clock.turn();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  signal.removeEventListener('abort', close);
}

async function reconcileOne(
  key: string,
  { queue, reconcile, signal, onError, retry = isRetryable }: WorkerOptions,
): Promise<void> {
  try {
    const result = await reconcile(key, signal);
    if (result !== undefined && 'retry' in result) {
      queue.retry(key);
      return;
    }
    queue.forget(key);
    if (result !== undefined) queue.add(key, result.requeueAfterMs);
  } catch (error) {
    const isOurDoing = isAborted(error) || (signal.aborted && error === signal.reason);
    if (!isOurDoing) tell(onError, key, error);
    if (retry(error)) queue.retry(key);
  } finally {
    queue.done(key);
  }
}

/** Whoever listens to errors may fail, too; the work goes on. */
function tell(onError: WorkerOptions['onError'], key: string, error: unknown): void {
  try {
    onError?.(key, error);
  } catch {
    // There is nobody left to tell.
  }
}
