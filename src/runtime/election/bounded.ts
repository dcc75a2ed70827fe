import { ClustersetError } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';

/** A call that takes so long at most, whether or not it minds its signal. @throws ClustersetError `Timeout`. */
export function bounded<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<T> {
  const overdue = (): ClustersetError => new ClustersetError({ code: 'Timeout', message: `it did not answer within ${ms} ms` });
  return patiently(call, { clock, ms, signals: [signal], overdue });
}
