import {
  type ClusterDecision,
  type Decision,
  decide,
  type FederatedObject,
  type FederatedType,
  FINALIZER,
  formatRecord,
  isOwned,
  type Prepared,
  prepare,
  type ReplaceMissing,
  readStatus,
  recordedClusters,
  replicasOf,
  statusOf,
} from '../../federation/index.ts';
import { type AnyObject, type Cluster, formatKey, isConflict } from '../../kube/index.ts';
import { type ClusterEntry, isReady } from '../../registry/index.ts';
import {
  type Clock,
  type ClusterSet,
  type ReconcileResult,
  runWorkers,
  type SetEvent,
  systemClock,
  timestamp,
  WorkQueue,
} from '../../runtime/index.ts';
import { HostView } from './host-view.ts';
import { HostWriter } from './host-writer.ts';
import { MemberAgent } from './member-agent.ts';
import { type ObjectId, readObjectId } from './object-id.ts';
import { asksTheSame, type Settled, type Verdict } from './verdict.ts';

/** What a {@link PropagationController} is made with. */
export interface PropagationOptions {
  /** Where federated objects are written. */
  readonly host: Cluster;
  readonly members: ClusterSet<ClusterEntry>;
  /** What is federated. Their CRDs must be on the host: see `installTypes`. */
  readonly types: readonly FederatedType[];
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads retries. Default: always 0.5. */
  readonly random?: () => number;
  /** Name of the control plane: field manager and mark of ownership. Default `clusterset`. */
  readonly fieldManager?: string;
  /** What a `replace` in an override does where there is nothing to replace. Default: `error`. */
  readonly replaceMissing?: ReplaceMissing;
  /** How many objects are worked on at the same time in each member, and on the host. Default 20. */
  readonly workers?: number;
  /** How long a change waits for others before it is written into a status, in milliseconds. Default 500. */
  readonly statusDelayMs?: number;
  /** How long one object may take in one member, in milliseconds. Default 30,000. */
  readonly stepTimeoutMs?: number;
  /** Is told of failures, all of which are also in a status and tried again. `cluster` is the host's name for those of the host. */
  readonly onError?: (cluster: string, object: string, error: unknown) => void;
}

const DEFAULTS = {
  clock: systemClock,
  random: () => 0.5,
  fieldManager: 'clusterset',
  replaceMissing: 'error',
  workers: 20,
  statusDelayMs: 500,
  stepTimeoutMs: 30_000,
  onError: () => undefined,
} satisfies Partial<PropagationOptions>;

/**
 * Makes member clusters what federated objects on the host say, and says on the host how far it has come: placement, overrides and division of
 * replicas decide, server-side apply writes, and only what differs. Each member is worked on by itself; one that is down, or hangs, or lacks a
 * type, holds up no other.
 */
export class PropagationController {
  readonly #options: Required<PropagationOptions>;
  readonly #host: HostView;
  readonly #writer: HostWriter;
  readonly #hostQueue: WorkQueue;
  readonly #statusQueue: WorkQueue;
  readonly #agents = new Map<string, { readonly agent: MemberAgent; readonly stop: AbortController }>();
  readonly #verdicts = new Map<ObjectId, Verdict>();
  /** Objects whose verdict is being replaced. */
  readonly #paused = new Set<ObjectId>();
  readonly #results = new Map<ObjectId, Map<string, Settled>>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PropagationOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { host, fieldManager, clock } = this.#options;
    this.#host = new HostView(this.#options);
    this.#writer = new HostWriter(host, fieldManager);
    this.#hostQueue = new WorkQueue({ clock });
    this.#statusQueue = new WorkQueue({ clock, retryBaseMs: 50 });
  }

  /** Works until the signal fires, which also ends the calls that are under way. Starts the set of members, if nobody has. */
  async run(signal: AbortSignal): Promise<void> {
    const { members, workers, host, onError } = this.#options;
    // Before the first membership is known, it would look as if there were no members.
    await Promise.race([members.start(), whenAborted(signal)]);
    const stopListening = members.listen((event) => this.#follow(event, signal));
    const working = {
      workers,
      signal,
      // Rights and webhooks are mended without our being told.
      retry: () => !signal.aborted,
      onError: (id: string, error: unknown) => onError(host.name, this.#describe(id as ObjectId), error),
    };
    await Promise.all([
      this.#host.run(signal, {
        onChange: (id) => this.#hostQueue.add(id),
        onStatus: (id) => this.#statusQueue.add(id, this.#options.statusDelayMs),
      }),
      runWorkers({ ...working, queue: this.#hostQueue, reconcile: (id) => this.#reconcile(id as ObjectId, signal) }),
      runWorkers({ ...working, queue: this.#statusQueue, reconcile: (id) => this.#writeStatus(id as ObjectId, signal) }),
    ]);
    stopListening();
    await Promise.allSettled(this.#running);
  }

  /** Whether nothing is ready to be worked on. What waits for its time, such as a retry, doesn't count, but for a status to be written. */
  get idle(): boolean {
    const areIdle = [...this.#agents.values()].every(({ agent }) => agent.busy === 0);
    return areIdle && this.#hostQueue.busy === 0 && this.#statusQueue.busy === 0 && this.#statusQueue.delayed === 0;
  }

  #follow({ type, member }: SetEvent<ClusterEntry>, signal: AbortSignal): void {
    const { name, cluster, state } = member;
    if (type === 'left' || state === 'leaving') {
      this.#agents.get(name)?.stop.abort();
      this.#agents.delete(name);
      for (const results of this.#results.values()) results.delete(name);
    } else if (!signal.aborted) {
      const { agent, stop } = this.#agents.get(name) ?? this.#startAgent(name, signal);
      if (cluster !== undefined) this.#track(agent.follow(cluster, AbortSignal.any([signal, stop.signal])));
    }
    for (const id of this.#host.ids()) this.#hostQueue.add(id);
  }

  #startAgent(name: string, signal: AbortSignal): { readonly agent: MemberAgent; readonly stop: AbortController } {
    const started = { agent: this.#newAgent(name), stop: new AbortController() };
    this.#agents.set(name, started);
    this.#track(started.agent.run(AbortSignal.any([signal, started.stop.signal])));
    return started;
  }

  #track(work: Promise<void>): void {
    const running: Promise<void> = work.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #newAgent(name: string): MemberAgent {
    const { members, onError } = this.#options;
    const agent = new MemberAgent(name, {
      ...this.#options,
      member: () => members.get(name),
      verdictOf: (id) => (this.#paused.has(id) ? undefined : this.#verdicts.get(id)),
      onSettled: (id, settled, verdict) => {
        // A member that has left, and another that has its name now, are two.
        if (this.#agents.get(name)?.agent === agent) this.#collect(id, name, settled, verdict);
      },
      onKnown: (index) => {
        for (const id of this.#host.idsOf(index)) this.#hostQueue.add(id);
      },
      onError: (id, error) => onError(name, this.#describe(id), error),
    });
    return agent;
  }

  #describe(id: ObjectId): string {
    const { index, key } = readObjectId(id);
    return `${this.#options.types[index]?.federated.kind ?? ''} ${formatKey(key)}`;
  }

  #collect(id: ObjectId, cluster: string, settled: Settled | undefined, verdict: Verdict): void {
    // What was done by an older decision will be done again by the newest, unless that asks the same.
    const newest = this.#verdicts.get(id);
    if (newest === undefined || !asksTheSame(cluster, verdict, newest)) return;
    const results = this.#resultsOf(id);
    if (isSameResult(results.get(cluster), settled)) return;
    if (settled === undefined) results.delete(cluster);
    else results.set(cluster, settled);
    const { statusDelayMs } = this.#options;
    const isDeleted = newest.decision.prepared.object.metadata.deletionTimestamp !== undefined;
    if (isDeleted && this.#isGoneEverywhere(id, newest.decision, newest.record)) this.#hostQueue.add(id);
    // Others will follow; one change of the record does for all of them.
    else if (settled?.isAbsent === true && newest.record.has(cluster)) this.#hostQueue.add(id, statusDelayMs);
    this.#statusQueue.add(id, statusDelayMs);
  }

  #resultsOf(id: ObjectId): Map<string, Settled> {
    const results = this.#results.get(id) ?? new Map<string, Settled>();
    this.#results.set(id, results);
    return results;
  }

  /** Decides one object and has the members look at it. */
  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<undefined> {
    const object = this.#host.object(id);
    if (object === undefined) {
      this.#forget(id);
      return;
    }
    if (!this.#host.knowsEnough(id)) return;
    const { types, fieldManager, replaceMissing, statusDelayMs } = this.#options;
    const prepared = prepare(object as unknown as AnyObject, { types, fieldManager, replaceMissing });
    const isDeleted = object.metadata.deletionTimestamp !== undefined;
    if (isDeleted && !object.metadata.finalizers?.includes(FINALIZER)) return;
    const members = [...this.#options.members.members.values()];
    const unasked = new Set(members.filter(({ state }) => state === 'joining').map(({ name }) => name));
    const decision = this.#decide(id, prepared);
    if (decision === undefined) return;
    const record = isDeleted ? this.#recordOf(id, object) : await this.#keepRecord(id, object, decision, signal);
    if (record === undefined) return;
    if (isDeleted && this.#isGoneEverywhere(id, decision, record)) {
      await this.#writer.letGo(prepared.type, object, signal);
      return;
    }
    // Results from before a deletion speak of something else.
    if (isDeleted && !this.#isDeletionDecided(id)) this.#results.delete(id);
    this.#pronounce(id, { decision, record, unasked, clusters: byName(decision) });
    this.#statusQueue.add(id, statusDelayMs);
  }

  /** Puts a verdict into force: members look at it for which it says something new. */
  #pronounce(id: ObjectId, verdict: Verdict): void {
    const before = this.#paused.delete(id) ? undefined : this.#verdicts.get(id);
    const results = this.#results.get(id);
    this.#verdicts.set(id, verdict);
    for (const [name, { agent }] of this.#agents) {
      const isKnown = before !== undefined && results?.has(name) === true && asksTheSame(name, before, verdict);
      if (!isKnown) agent.add(id);
    }
  }

  /**
   * Writes down which clusters may have something of the object, before anything is written there, and takes out those that have said that
   * nothing is left. Returns the record; `undefined` where it could not be written because the object is gone.
   */
  async #keepRecord(
    id: ObjectId,
    object: FederatedObject,
    decision: Decision,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string> | undefined> {
    const before = this.#recordOf(id, object);
    if (decision.issues.length > 0) return before;
    const record = this.#nextRecord(id, decision, before);
    const isHeld = object.metadata.finalizers?.includes(FINALIZER) ?? false;
    if (isHeld && formatRecord(record) === formatRecord(recordedClusters(object))) return record;
    // Nobody goes on with an older verdict while this one is being written down.
    this.#paused.add(id);
    const held = await this.#writer.hold(decision.prepared.type, object, record, signal);
    if (held === undefined) return undefined;
    this.#host.put(id, held);
    return record;
  }

  /** The record as it is written, with what somebody has taken out of it meanwhile: that is still true. */
  #recordOf(id: ObjectId, object: FederatedObject): ReadonlySet<string> {
    const last = this.#verdicts.get(id);
    const isSame = last?.decision.prepared.object.metadata.uid === object.metadata.uid;
    return new Set([...recordedClusters(object), ...(isSame ? (last?.record ?? []) : [])]);
  }

  #nextRecord(id: ObjectId, { clusters }: Decision, before: ReadonlySet<string>): ReadonlySet<string> {
    const results = this.#resultsOf(id);
    const record = new Set(before);
    for (const { cluster, want } of clusters) {
      const settled = results.get(cluster.name);
      if (want === 'present' && isReady(cluster)) {
        record.add(cluster.name);
        // From now on something may be there again.
        if (settled?.isAbsent) results.set(cluster.name, { ...settled, isAbsent: false });
      } else if (want === 'absent' && settled?.isAbsent) record.delete(cluster.name);
    }
    return record;
  }

  /** `undefined` where replicas are to be divided and it isn't known yet what runs where: they would be moved for a moment. */
  #decide(id: ObjectId, prepared: Prepared): Decision | undefined {
    const preference = this.#host.preferenceFor(prepared);
    const isDeleted = prepared.object.metadata.deletionTimestamp !== undefined;
    if (preference !== undefined && !isDeleted && !this.#canDivide(id)) return undefined;
    const { fieldManager } = this.#options;
    const running = new Map<string, number>();
    for (const [name, { agent }] of this.#agents) {
      const live = agent.live(id);
      const replicas = live !== undefined && isOwned(live, prepared.owner, fieldManager) ? replicasOf(live) : undefined;
      if (replicas !== undefined) running.set(name, replicas);
    }
    return decide({ prepared, clusters: this.#clusters(), running, preference, ...this.#host.namespaceOption(prepared) });
  }

  /** Whether every member has been asked how it is, and those that answer what they have. */
  #canDivide(id: ObjectId): boolean {
    const { index } = readObjectId(id);
    return [...this.#options.members.members.values()].every(({ name, state }) => {
      // One that answers and isn't ready gets no share, as one that doesn't answer.
      if (state !== 'ready') return state !== 'joining';
      return this.#agents.get(name)?.agent.knows(index) === true;
    });
  }

  /** The members as a fleet, with the health that the set has found. */
  #clusters(): readonly ClusterEntry[] {
    return [...this.#options.members.members.values()].map(({ entry, state, reason }) => {
      if (state === 'ready') return entry;
      const unready = { type: 'Ready', status: state === 'joining' ? 'Unknown' : 'False', message: reason };
      return { ...entry, conditions: [...(entry.conditions ?? []).filter(({ type }) => type !== 'Ready'), unready] };
    });
  }

  /** Whether every member has said, since the deletion was decided, that it has nothing of ours. */
  #isGoneEverywhere(id: ObjectId, { clusters }: Decision, record: ReadonlySet<string>): boolean {
    if (!this.#isDeletionDecided(id)) return false;
    const results = this.#results.get(id);
    return clusters.every(({ cluster: { name } }) => {
      const settled = results?.get(name);
      if (record.has(name)) return settled?.isAbsent === true;
      if (settled === undefined) return this.#options.members.get(name)?.state !== 'ready';
      // An object that is there and left alone isn't ours.
      return settled.error === undefined && settled.step.op !== 'blocked';
    });
  }

  #isDeletionDecided(id: ObjectId): boolean {
    return this.#verdicts.get(id)?.decision.prepared.object.metadata.deletionTimestamp !== undefined;
  }

  #forget(id: ObjectId): void {
    this.#verdicts.delete(id);
    this.#paused.delete(id);
    this.#results.delete(id);
    this.#statusQueue.remove(id);
    for (const { agent } of this.#agents.values()) agent.forget(id);
  }

  async #writeStatus(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const object = this.#host.object(id);
    const decision = this.#verdicts.get(id)?.decision;
    if (object === undefined || decision === undefined) return undefined;
    const results = this.#resultsOf(id);
    const previous = readStatus(object.status);
    const status = statusOf({ decision, results, previous, now: timestamp(this.#options.clock.now()) });
    if (status === previous) return undefined;
    try {
      const written = await this.#writer.writeStatus(decision.prepared.type, object, status, signal);
      if (written !== undefined) this.#host.put(id, written);
      return undefined;
    } catch (error) {
      // The object is newer than what is known here; the host will tell.
      if (isConflict(error)) return { retry: true };
      throw error;
    }
  }
}

function byName({ clusters }: Decision): ReadonlyMap<string, ClusterDecision> {
  return new Map(clusters.map((each) => [each.cluster.name, each]));
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether a result says nothing new. */
function isSameResult(a: Settled | undefined, b: Settled | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const facts = ({ step, error, live, isAbsent, generation }: Settled): string =>
    JSON.stringify([
      step.op,
      step.reason,
      error?.message,
      live?.metadata.uid,
      live?.metadata.resourceVersion,
      isAbsent,
      generation,
    ]);
  return facts(a) === facts(b);
}
