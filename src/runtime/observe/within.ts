import { ClustersetError } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';

/** Waits for something at most so long by the clock, and no longer than a signal lets it. What is waited for hears of both by its signal. */
export function within<T>(
  clock: Clock,
  ms: number,
  run: (signal: AbortSignal) => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const overdue = (): ClustersetError => new ClustersetError({ code: 'Timeout', message: `it took longer than ${ms} ms` });
  return patiently(run, { clock, ms, signals: signal === undefined ? [] : [signal], overdue });
}
