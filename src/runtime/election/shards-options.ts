import { type ClusterReader, type ClusterWriter, checkDnsLabel, checkDnsSubdomain } from '../../kube/plain/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Observe } from '../observe/facts.ts';
import { checkPositive, checkSeconds, JITTER_FACTOR, refuse } from './timings.ts';

/** What `Shards` is made with. Times are in milliseconds. */
export interface ShardsOptions {
  /** Where the leases of the replicas are: the host. */
  readonly cluster: ClusterReader & ClusterWriter;
  /** Who shares what: a DNS label. All replicas of a group divide the same clusters. */
  readonly group: string;
  /** Of the leases. */
  readonly namespace: string;
  /** Who this replica is, as it can stand in the name of an object: the name of its pod, for one. No two that run may have the same. */
  readonly identity: string;
  /** Of twice the weight, twice the clusters. Default 1. */
  readonly weight?: number;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: tells runs from each other, and spreads tries. */
  readonly random: () => number;
  readonly observe?: Observe;
  /** Is told of calls that fail; they are tried again. */
  readonly onError?: (error: unknown) => void;
  /** How long others wait, after the last sign of a replica, before they take its clusters. Whole seconds. Default 15,000. */
  readonly leaseDurationMs?: number;
  /** How often each replica renews its lease and looks at those of the others. Default 2,000. */
  readonly renewPeriodMs?: number;
  /**
   * How long before others may take its clusters a replica stops, and how long it waits, after it has told work to stop, before it hands clusters
   * over. This is what a write on its way has left to arrive, and what clocks may differ in speed. Default 2,000.
   */
  readonly safetyMarginMs?: number;
  /** How long after its time has passed the lease of a replica is removed by another. Default 600,000. */
  readonly forgetAfterMs?: number;
}

const DEFAULTS = { leaseDurationMs: 15_000, renewPeriodMs: 2_000, safetyMarginMs: 2_000, forgetAfterMs: 600_000, weight: 1 };
/** Options with all their defaults. */
export type CheckedShardsOptions = ShardsOptions & typeof DEFAULTS & { readonly clock: Clock };

/** @throws ClustersetError `Invalid` that names the field and the mend. */
export function checkedShardsOptions(given: ShardsOptions): CheckedShardsOptions {
  const options = { ...DEFAULTS, ...withoutAbsent(given), clock: given.clock ?? systemClock };
  check(options);
  return options;
}

/**
 * Is told that the division has changed; `ended` are clusters for which this replica acts no more. A promise says when work for them has ended:
 * they are handed over only then, or after the duration of a lease.
 */
export type ShardListener = (change: { readonly ended: readonly string[] }) => void | Promise<void>;

/** An option that is given as `undefined` isn't given. */
function withoutAbsent<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function check(options: CheckedShardsOptions): void {
  const { group, identity, weight, leaseDurationMs, renewPeriodMs, safetyMarginMs, forgetAfterMs } = options;
  const [badGroup] = checkDnsLabel(group);
  if (badGroup !== undefined) refuse('group', badGroup, 'give a short name such as "propagation"');
  const [badIdentity] = identity === '' ? ['it is empty'] : checkDnsSubdomain(`${group}-${identity}`);
  if (badIdentity !== undefined) refuse('identity', badIdentity, 'give the name of the pod, or <hostname>-<uuid> in lower case');
  if (!(Number.isFinite(weight) && weight > 0)) refuse('weight', `${weight} is no weight`, 'give a number that is more than 0');
  checkSeconds('leaseDurationMs', leaseDurationMs);
  checkPositive('renewPeriodMs', renewPeriodMs);
  if (!(safetyMarginMs >= 0 && leaseDurationMs - safetyMarginMs > JITTER_FACTOR * renewPeriodMs))
    refuse('safetyMarginMs', `${safetyMarginMs} leaves no time to renew in`, 'make it less, or leaseDurationMs longer');
  if (!(forgetAfterMs >= 0)) refuse('forgetAfterMs', `${forgetAfterMs} is no time to wait`, 'give 0 or more milliseconds');
}
