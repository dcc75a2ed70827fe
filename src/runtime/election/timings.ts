import { ClustersetError } from '../../kube/plain/index.ts';

/** How long one call may take (controller-runtime): half of the time that there is, and a second at least. */
export function callTimeout(deadlineMs: number): number {
  return Math.max(1000, deadlineMs / 2);
}

/** How much a wait for a lease is spread by chance (client-go). */
export const JITTER_FACTOR = 1.2;

/** Times that a lease is held by, in milliseconds. */
export interface LeaseTimings {
  /** How long others wait, after the last sign of a holder, before they take its place. Whole seconds. Default 15,000. */
  readonly leaseDurationMs?: number;
  /** How long a holder tries to renew before it gives up. Default 10,000. */
  readonly renewDeadlineMs?: number;
  /** How long to wait between two tries. Default 2,000. */
  readonly retryPeriodMs?: number;
  /**
   * How long before others may take over the holder's fence ends. This is what a write on its way has left to arrive, and what clocks may differ
   * in speed. Default 2,000, or half of what lies between renewDeadlineMs and leaseDurationMs where that is less.
   */
  readonly safetyMarginMs?: number;
}

/** All times, and they fit together. */
export type CheckedTimings = Required<LeaseTimings>;

/** @throws ClustersetError `Invalid` that names the field and the mend. */
export function checkedTimings(timings: LeaseTimings): CheckedTimings {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = timings;
  const safetyMarginMs = timings.safetyMarginMs ?? Math.min(2_000, (leaseDurationMs - renewDeadlineMs) / 2);
  checkSeconds('leaseDurationMs', leaseDurationMs);
  checkPositive('renewDeadlineMs', renewDeadlineMs);
  checkPositive('retryPeriodMs', retryPeriodMs);
  if (leaseDurationMs <= renewDeadlineMs)
    refuse('leaseDurationMs', `${leaseDurationMs} is not more than renewDeadlineMs (${renewDeadlineMs})`, 'make it longer');
  if (renewDeadlineMs <= JITTER_FACTOR * retryPeriodMs)
    refuse(
      'renewDeadlineMs',
      `${renewDeadlineMs} is not more than ${JITTER_FACTOR} times retryPeriodMs (${retryPeriodMs})`,
      'make it longer, or retryPeriodMs shorter',
    );
  if (!(safetyMarginMs >= 0 && safetyMarginMs < leaseDurationMs - retryPeriodMs))
    refuse(
      'safetyMarginMs',
      `${safetyMarginMs} leaves no time to renew in`,
      `make it 0 or more, and less than leaseDurationMs - retryPeriodMs (${leaseDurationMs - retryPeriodMs})`,
    );
  return { leaseDurationMs, renewDeadlineMs, retryPeriodMs, safetyMarginMs };
}

/** A lease says its duration in seconds: anything else would be cut off, and others would take over too early. */
export function checkSeconds(field: string, ms: number): void {
  if (Number.isInteger(ms / 1000) && ms > 0) return;
  refuse(field, `${ms} is no whole number of seconds`, 'give a multiple of 1000, and more than 0');
}

export function checkPositive(field: string, ms: number): void {
  if (Number.isFinite(ms) && ms > 0) return;
  refuse(field, `${ms} is no time to wait`, 'give a number of milliseconds that is more than 0');
}

export function checkIdentity(identity: string): void {
  if (identity !== '') return;
  refuse('identity', 'it is empty', 'give each process a name of its own, such as <hostname>_<uuid>');
}

export function refuse(field: string, message: string, mend: string): never {
  throw new ClustersetError({ code: 'Invalid', message, field, mend });
}
