import type { ClusterReader, ClusterWriter } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { bounded } from './bounded.ts';
import { LEASES, type Lease, microTime, readRecord, releasedRecord, withRecord } from './lease.ts';
import { formatState, GROUP_LABEL, NO_VIEW, type ShardState, STATE_ANNOTATION } from './shard-state.ts';

/** What {@link GroupLeases} is made with. */
export interface GroupLeasesOptions {
  readonly cluster: ClusterReader & ClusterWriter;
  readonly namespace: string;
  readonly group: string;
  readonly identity: string;
  readonly clock: Clock;
  readonly leaseDurationMs: number;
  readonly callTimeoutMs: number;
}

/** Monotonic times before a request left, and after its answer was there. */
export interface CallTimes {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** The leases of a group of replicas, and the one among them that is ours. Every call is bounded. */
export class GroupLeases {
  readonly #options: GroupLeasesOptions;
  /** The name of our lease. */
  readonly own: string;
  /** Our lease as it was last seen or written: its version is what the next write is for. */
  lease: Lease | undefined;

  constructor(options: GroupLeasesOptions) {
    this.#options = options;
    this.own = `${options.group}-${options.identity}`;
  }

  /** All leases of the group. No version is named, so that the answer holds whatever was stored before it was asked (a quorum read). */
  async list(signal: AbortSignal): Promise<CallTimes & { readonly leases: readonly Lease[] }> {
    const { cluster, namespace, group } = this.#options;
    const labelSelector = `${GROUP_LABEL}=${group}`;
    const { result, ...times } = await this.#timed(
      (each) => cluster.list(LEASES, { namespace, labelSelector, signal: each }),
      signal,
    );
    this.lease = result.items.find(({ metadata }) => metadata.name === this.own);
    return { leases: result.items, ...times };
  }

  /**
   * Writes our lease: that we live, and what we divide by. It must be as it was last seen; `isNew` says that it changes hands, if only from an
   * earlier run to this one. Returns the number of changes of hands beside the times.
   */
  async write(state: ShardState, isNew: boolean, signal: AbortSignal): Promise<CallTimes & { readonly epoch: number }> {
    const { cluster, namespace, group, identity, clock, leaseDurationMs } = this.#options;
    const seen = this.lease;
    const time = microTime(clock.now());
    const before = seen === undefined ? undefined : readRecord(seen);
    const record = {
      holderIdentity: identity,
      leaseDurationSeconds: leaseDurationMs / 1000,
      acquireTime: isNew ? time : (before?.acquireTime ?? time),
      renewTime: time,
      leaseTransitions: before === undefined ? 0 : before.leaseTransitions + (isNew ? 1 : 0),
    };
    const metadata = {
      ...seen?.metadata,
      namespace,
      name: this.own,
      labels: { ...seen?.metadata.labels, [GROUP_LABEL]: group },
      annotations: { ...seen?.metadata.annotations, [STATE_ANNOTATION]: formatState(state) },
    };
    const lease = withRecord({ ...(seen ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }), metadata }, record);
    const { result, ...times } = await this.#timed(
      (each) =>
        seen === undefined ? cluster.create(LEASES, lease, { signal: each }) : cluster.update(LEASES, lease, { signal: each }),
      signal,
    );
    this.lease = result;
    return { epoch: record.leaseTransitions, ...times };
  }

  /** Gives our lease back, so that the others needn't wait until it has run out. */
  async release(state: ShardState, signal: AbortSignal): Promise<void> {
    const { cluster, clock } = this.#options;
    const { lease } = this;
    if (lease === undefined) return;
    const annotations = { ...lease.metadata.annotations, [STATE_ANNOTATION]: formatState({ ...state, view: NO_VIEW }) };
    const released = withRecord(
      { ...lease, metadata: { ...lease.metadata, annotations } },
      releasedRecord(readRecord(lease), clock.now()),
    );
    await this.#timed((each) => cluster.update(LEASES, released, { signal: each }), signal);
  }

  /** Removes a lease, if it is still as it was seen. */
  async remove({ metadata }: Lease, signal: AbortSignal): Promise<void> {
    const { cluster, namespace } = this.#options;
    const { uid, resourceVersion } = metadata;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const key = { namespace, name: metadata.name };
    await this.#timed((each) => cluster.delete(LEASES, key, { preconditions, signal: each }), signal);
  }

  async #timed<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<CallTimes & { readonly result: T }> {
    const { clock, callTimeoutMs } = this.#options;
    const sentAt = clock.monotonic();
    const result = await bounded(call, { clock, ms: callTimeoutMs, signal });
    return { result, sentAt, answeredAt: clock.monotonic() };
  }
}
