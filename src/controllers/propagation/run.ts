import {
  type ClusterDecision,
  type Decision,
  decide,
  type FederatedObject,
  FINALIZER,
  formatRecord,
  isOwned,
  type Prepared,
  prepare,
  readStatus,
  recordedClusters,
  replicasOf,
  statusOf,
} from '../../federation/index.ts';
import { type AnyObject, formatKey, isConflict } from '../../kube/index.ts';
import { type ClusterEntry, isReady } from '../../registry/index.ts';
import { type Environment, GAUGES, type GaugeReading, type SetEvent, timestamp, whenAborted } from '../../runtime/index.ts';
import { HostView } from './host-view.ts';
import { HostWriter } from './host-writer.ts';
import { MemberAgent } from './member-agent.ts';
import { type ObjectId, readObjectId } from './object-id.ts';
import { type Looked, ObjectWork } from './object-work.ts';
import type { PropagationOptions } from './propagation.ts';
import { asksTheSame, type Settled, type Verdict } from './verdict.ts';

/** The controller at work, from beginning to end: what it remembers is of this run. */
export class PropagationRun {
  readonly #options: Required<PropagationOptions>;
  readonly #environment: Environment;
  readonly #host: HostView;
  readonly #writer: HostWriter;
  readonly #hostQueue: ObjectWork;
  readonly #statusQueue: ObjectWork;
  readonly #agents = new Map<string, MemberAgent>();
  readonly #verdicts = new Map<ObjectId, Verdict>();
  /** Objects whose verdict is being replaced. */
  readonly #paused = new Set<ObjectId>();
  readonly #results = new Map<ObjectId, Map<string, Settled>>();
  readonly #running = new Set<Promise<unknown>>();
  #isStopping = false;

  constructor(options: Required<PropagationOptions>, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    const { host, types, name, fieldManager, stepTimeoutMs, workers, onError } = options;
    this.#host = new HostView({ host, types, environment, controller: name });
    this.#writer = new HostWriter({ host, fieldManager, clock: environment.clock, timeoutMs: stepTimeoutMs });
    const work = {
      environment,
      controller: name,
      cluster: host.name,
      workers,
      // Rights and webhooks are mended without our being told.
      retry: () => true,
      onError: (id: ObjectId, error: unknown) => onError(host.name, this.#describe(id), error),
    };
    this.#hostQueue = new ObjectWork({ ...work, reconcile: (id, signal) => this.#reconcile(id, signal) });
    this.#statusQueue = new ObjectWork({ ...work, retryBaseMs: 50, reconcile: (id, signal) => this.#writeStatus(id, signal) });
  }

  /** Works until the signal fires; then what is under way is finished, or ended by the environment. Starts the set of members, if nobody has. */
  async work(signal: AbortSignal): Promise<void> {
    const { members, statusDelayMs } = this.#options;
    const { hard } = this.#environment;
    // Before the first membership is known, it would look as if there were no members.
    await Promise.race([members.start(), whenAborted(signal), whenAborted(hard)]);
    // Who is ended begins nothing new, either.
    const stopping = new AbortController();
    const stop = (): void => {
      this.#isStopping = true;
      stopping.abort();
      for (const agent of this.#agents.values()) agent.finish();
    };
    const end = (): void => {
      stop();
      for (const agent of this.#agents.values()) agent.end(hard.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    hard.addEventListener('abort', end, { once: true });
    if (signal.aborted) stop();
    if (hard.aborted) end();
    const watching = new AbortController();
    const stopListening = members.listen((event) => this.#follow(event));
    try {
      this.#host.follow(
        { onChange: (id) => this.#hostQueue.add(id), onStatus: (id) => this.#statusQueue.add(id, statusDelayMs) },
        watching.signal,
      );
      await Promise.all([this.#hostQueue.run(stopping.signal, hard), this.#statusQueue.run(stopping.signal, hard)]);
      await Promise.allSettled(this.#running);
    } finally {
      stopListening();
      watching.abort();
      signal.removeEventListener('abort', stop);
      hard.removeEventListener('abort', end);
    }
  }

  /** Whether nothing is ready to be worked on. */
  get idle(): boolean {
    const areIdle = [...this.#agents.values()].every(({ busy }) => busy === 0);
    return areIdle && this.#hostQueue.busy === 0 && this.#statusQueue.busy === 0 && this.#statusQueue.delayed === 0;
  }

  *gauges(): Iterable<GaugeReading> {
    const { name, workers } = this.#options;
    yield { gauge: GAUGES.maxConcurrent, labels: { controller: name }, value: workers };
    yield* this.#hostQueue.gauges();
    yield* this.#statusQueue.gauges();
    for (const agent of this.#agents.values()) yield* agent.gauges();
  }

  #follow({ type, member }: SetEvent<ClusterEntry>): void {
    const { name, cluster, state } = member;
    if (type === 'left' || state === 'leaving') {
      this.#agents.get(name)?.end(new Error('the member has left'));
      this.#agents.delete(name);
      for (const results of this.#results.values()) results.delete(name);
    } else if (!this.#isStopping) {
      const agent = this.#agents.get(name) ?? this.#startAgent(name);
      if (cluster !== undefined) agent.follow(cluster);
    }
    for (const id of this.#host.ids()) this.#hostQueue.add(id);
  }

  #startAgent(name: string): MemberAgent {
    const agent = this.#newAgent(name);
    this.#agents.set(name, agent);
    const running: Promise<void> = agent.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return agent;
  }

  #newAgent(name: string): MemberAgent {
    const { members, onError } = this.#options;
    const agent = new MemberAgent(name, {
      ...this.#options,
      environment: this.#environment,
      controller: this.#options.name,
      member: () => members.get(name),
      verdictOf: (id) => (this.#paused.has(id) ? undefined : this.#verdicts.get(id)),
      onSettled: (id, settled, verdict) => {
        // A member that has left, and another that has its name now, are two.
        if (this.#agents.get(name) === agent) this.#collect(id, name, settled, verdict);
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
    for (const [name, agent] of this.#agents) {
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
    for (const [name, agent] of this.#agents) {
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
      return this.#agents.get(name)?.knows(index) === true;
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
    for (const agent of this.#agents.values()) agent.forget(id);
  }

  async #writeStatus(id: ObjectId, signal: AbortSignal): Promise<Looked | undefined> {
    const object = this.#host.object(id);
    const decision = this.#verdicts.get(id)?.decision;
    if (object === undefined || decision === undefined) return undefined;
    const results = this.#resultsOf(id);
    const previous = readStatus(object.status);
    const status = statusOf({ decision, results, previous, now: timestamp(this.#environment.clock.now()) });
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
