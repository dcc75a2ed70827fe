import { deepEqual, type Json, type KubeObject, type ResourceType, resourceType } from '../../kube/plain/index.ts';

/** Says who does a piece of work, and until when (API: coordination.k8s.io/v1 Lease). */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** API: coordination.k8s.io/v1 LeaseSpec. */
interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** MicroTime: RFC 3339 with six digits of a second. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
  readonly [field: string]: unknown;
}

/** Leases of the API group `coordination.k8s.io`. */
export const LEASES: ResourceType<Lease> = resourceType<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');

/** What candidates say to each other through a lease; a field that is missing reads as nothing. */
export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often the holder has changed. */
  readonly leaseTransitions: number;
}

/** A record, and since when it has stood there as far as this process knows. */
export interface Observed {
  readonly record: LeaseRecord;
  /** Monotonic time of the look that first met it. */
  readonly at: number;
}

/** What {@link decideLease} decides from. */
export interface LeaseFacts {
  /** `undefined`: nobody has looked yet; `null`: there is no lease. */
  readonly record: LeaseRecord | null | undefined;
  /** What stood there before, and since when. */
  readonly observed: Observed | undefined;
  readonly identity: string;
  /** Monotonic, in milliseconds. */
  readonly now: number;
  /** The time that is written down, in milliseconds since 1970; nobody reckons with it. */
  readonly wallNow: number;
  readonly leaseDurationSeconds: number;
}

/**
 * What is to be done about a lease: `look` at it first; `create` it; `acquire` it from another holder or from nobody; `renew` what is one's own;
 * or `wait` for whoever holds it.
 */
export type LeaseDecision =
  | { readonly action: 'look' }
  | { readonly action: 'create' | 'acquire' | 'renew'; readonly record: LeaseRecord }
  | { readonly action: 'wait'; readonly holder: string };

/** RFC 3339 with six digits: `2026-01-01T00:00:00.000000Z` (API: meta/v1 MicroTime). Times finer than a millisecond are nobody's concern. */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

/** What a lease says, however much of it is missing or of another type. */
export function readRecord({ spec = {} }: Lease): LeaseRecord {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
  return {
    holderIdentity: text(spec.holderIdentity),
    leaseDurationSeconds: count(spec.leaseDurationSeconds),
    acquireTime: text(spec.acquireTime),
    renewTime: text(spec.renewTime),
    leaseTransitions: count(spec.leaseTransitions),
  };
}

/** A lease that says what the record says; what else it holds stays. */
export function withRecord<T extends Lease>(lease: T, record: LeaseRecord): T {
  return { ...lease, spec: { ...lease.spec, ...record } };
}

/** The record that gives a lease away: nobody holds it, for one second, and the number of changes stays (client-go). */
export function releasedRecord(record: LeaseRecord, wallNow: number): LeaseRecord {
  const time = microTime(wallNow);
  return { ...record, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}

/** Remembers when a record was first met: a record that says the same as before is as old as before. */
export function observe(before: Observed | undefined, record: LeaseRecord, now: number): Observed {
  return before !== undefined && deepEqual(before.record as unknown as Json, record as unknown as Json)
    ? before
    : { record, at: now };
}

/** Whether a record still counts. Only the time counts for which this process has seen it unchanged: other clocks may be wrong. */
export function isCurrent({ record, at }: Observed, now: number): boolean {
  return at + record.leaseDurationSeconds * 1000 > now;
}

/**
 * client-go's `tryAcquireOrRenew`, one step of it: who holds the lease as far as is known renews it without a look; everybody else looks first,
 * and takes a lease that is nobody's, or that hasn't changed for as long as it was given for.
 */
export function decideLease(facts: LeaseFacts): LeaseDecision {
  const { record, identity, now, wallNow, leaseDurationSeconds } = facts;
  const time = microTime(wallNow);
  const mine = { holderIdentity: identity, leaseDurationSeconds, acquireTime: time, renewTime: time, leaseTransitions: 0 };
  if (record === undefined) {
    const { observed } = facts;
    const mayRenew = observed?.record.holderIdentity === identity && isCurrent(observed, now);
    return mayRenew ? { action: 'renew', record: { ...mine, ...kept(observed.record) } } : { action: 'look' };
  }
  if (record === null) return { action: 'create', record: mine };
  const { holderIdentity } = record;
  if (holderIdentity === identity) return { action: 'renew', record: { ...mine, ...kept(record) } };
  if (holderIdentity !== '' && isCurrent(observe(facts.observed, record, now), now))
    return { action: 'wait', holder: holderIdentity };
  return { action: 'acquire', record: { ...mine, leaseTransitions: record.leaseTransitions + 1 } };
}

function kept({ acquireTime, leaseTransitions }: LeaseRecord): Pick<LeaseRecord, 'acquireTime' | 'leaseTransitions'> {
  return { acquireTime, leaseTransitions };
}
