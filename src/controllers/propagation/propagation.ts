import {
  type Decision,
  decide,
  type FederatedObject,
  type FederatedStatus,
  type FederatedType,
  FINALIZER,
  type Prepared,
  prepare,
  type ReplaceMissing,
  replicasOf,
  type StepResult,
  statusOf,
} from '../../federation/index.ts';
import {
  type AnyObject,
  type Cluster,
  deepEqual,
  formatKey,
  hasCode,
  isClustersetError,
  isNotServed,
  type Json,
  keyOf,
  type ObjectKey,
  shapeError,
} from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import {
  type CacheEvent,
  type Clock,
  type ClusterSet,
  ObjectCache,
  type ReconcileResult,
  type ReflectorState,
  reflect,
  runWorkers,
  type SetEvent,
  systemClock,
  timestamp,
  WorkQueue,
} from '../../runtime/index.ts';
import { ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { MemberAgent } from './member-agent.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';

/** What a {@link PropagationController} is made with. */
export interface PropagationOptions {
  /** Where federated objects are written. */
  readonly host: Cluster;
  readonly members: ClusterSet<ClusterEntry>;
  /** What is federated. Their CRDs must be on the host; see `installTypes`. */
  readonly types: readonly FederatedType[];
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads retries. */
  readonly random?: () => number;
  /** Name of the control plane: field manager and mark of ownership. Default `clusterset`. */
  readonly fieldManager?: string;
  readonly replaceMissing?: ReplaceMissing;
  /** How many objects are worked on at the same time in each member, and on the host. Default 20. */
  readonly workers?: number;
  /** How long a change waits for others before it is written into a status, in milliseconds. Default 500. */
  readonly statusDelayMs?: number;
  /** How long one object may take in one member. Default 30 s. */
  readonly stepTimeoutMs?: number;
  /** Is told of failures, all of which are also in a status and tried again. `cluster` is the host's name for those of the host. */
  readonly onError?: (cluster: string, object: string, error: unknown) => void;
}

const HALF = (): number => 0.5;

/**
 * Makes member clusters what federated objects on the host say, and says on the host how far it has come: placement, overrides and division of
 * replicas decide, server-side apply writes, and only what differs. Each member is worked on by itself; one that is down, or hangs, or lacks a
 * type, holds up no other.
 */
export class PropagationController {
  readonly #options: Required<Omit<PropagationOptions, 'replaceMissing' | 'onError'>> &
    Pick<PropagationOptions, 'replaceMissing' | 'onError'>;
  readonly #hostQueue: WorkQueue;
  readonly #statusQueue: WorkQueue;
  readonly #caches: readonly ObjectCache[];
  readonly #states: (ReflectorState | undefined)[];
  readonly #preferences = new ObjectCache();
  #preferencesState: ReflectorState | undefined;
  readonly #namespaceType: number;
  readonly #agents = new Map<string, { readonly agent: MemberAgent; readonly stop: AbortController }>();
  readonly #decisions = new Map<ObjectId, Decision>();
  readonly #results = new Map<ObjectId, Map<string, StepResult>>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PropagationOptions) {
    const { clock = systemClock } = options;
    this.#options = {
      clock,
      random: HALF,
      fieldManager: 'clusterset',
      workers: 20,
      statusDelayMs: 500,
      stepTimeoutMs: 30_000,
      ...options,
    };
    this.#hostQueue = new WorkQueue({ clock });
    this.#statusQueue = new WorkQueue({ clock, retryBaseMs: 50 });
    this.#caches = options.types.map(() => new ObjectCache());
    this.#states = options.types.map(() => undefined);
    this.#namespaceType = options.types.findIndex(({ target }) => target.kind === 'Namespace' && target.group === '');
  }

  /** Works until the signal fires, then lets what is under way finish. */
  async run(signal: AbortSignal): Promise<void> {
    const { members, workers } = this.#options;
    const onError = (key: string, error: unknown): void => this.#options.onError?.(this.#options.host.name, key, error);
    const stopListening = members.listen((event) => this.#follow(event, signal));
    await Promise.all([
      ...this.#options.types.map((_, index) => this.#reflectType(index, signal)),
      this.#reflectPreferences(signal),
      runWorkers({
        queue: this.#hostQueue,
        workers,
        signal,
        onError,
        reconcile: (key) => this.#reconcile(key as ObjectId, signal),
      }),
      runWorkers({
        queue: this.#statusQueue,
        workers,
        signal,
        onError,
        reconcile: (key) => this.#writeStatus(key as ObjectId, signal),
      }),
    ]);
    stopListening();
    await Promise.allSettled(this.#running);
  }

  /** Whether nothing is ready to be worked on. Things that wait for their time, such as a retry, don't count. */
  get idle(): boolean {
    const agents = [...this.#agents.values()].every(({ agent }) => agent.busy === 0);
    return agents && this.#hostQueue.busy === 0 && this.#statusQueue.busy === 0 && this.#statusQueue.delayed === 0;
  }

  // What is watched on the host

  #reflectType(index: number, signal: AbortSignal): Promise<void> {
    const { host, clock, random, types } = this.#options;
    const cache = this.#caches[index];
    const type = types[index];
    if (cache === undefined || type === undefined) return Promise.resolve();
    cache.listen((event) => this.#hostChanged(index, event));
    const onState = (state: ReflectorState): void => {
      const isNews = this.#states[index]?.synced !== state.synced;
      this.#states[index] = state;
      if (isNews) this.#addAll();
    };
    return reflect({ cluster: host, type: type.federated as never, cache, clock, random, signal, onState });
  }

  #reflectPreferences(signal: AbortSignal): Promise<void> {
    const { host, clock, random } = this.#options;
    this.#preferences.listen((event) => {
      const { metadata } = event.type === 'removed' ? event.previous : event.object;
      for (const [index] of this.#options.types.entries()) this.#addIfThere(index, keyOf({ metadata }));
    });
    const onState = (state: ReflectorState): void => {
      const isNews = this.#preferencesState === undefined || this.#preferencesState.synced !== state.synced;
      this.#preferencesState = state;
      if (isNews) this.#addAll();
    };
    return reflect({
      cluster: host,
      type: ReplicaSchedulingPreference as never,
      cache: this.#preferences,
      clock,
      random,
      signal,
      onState,
    });
  }

  #hostChanged(index: number, event: CacheEvent): void {
    if (event.type === 'changed' && !isRelevant(event.object, event.previous)) return;
    const { metadata } = event.type === 'removed' ? event.previous : event.object;
    this.#hostQueue.add(objectId(index, keyOf({ metadata })));
    if (index === this.#namespaceType) this.#addNamespace(metadata.namespace ?? '');
  }

  #addNamespace(namespace: string): void {
    for (const [index, cache] of this.#caches.entries()) {
      if (index === this.#namespaceType) continue;
      for (const { metadata } of cache.values())
        if (metadata.namespace === namespace) this.#hostQueue.add(objectId(index, keyOf({ metadata })));
    }
  }

  #addIfThere(index: number, key: ObjectKey): void {
    if (this.#caches[index]?.get(key) !== undefined) this.#hostQueue.add(objectId(index, key));
  }

  #addAll(): void {
    for (const [index, cache] of this.#caches.entries()) {
      for (const object of cache.values()) this.#hostQueue.add(objectId(index, keyOf(object)));
    }
  }

  // Members come and go

  #follow({ type, member }: SetEvent<ClusterEntry>, signal: AbortSignal): void {
    const { name } = member;
    if (type === 'left') {
      this.#agents.get(name)?.stop.abort();
      this.#agents.delete(name);
      for (const results of this.#results.values()) results.delete(name);
    } else if (!this.#agents.has(name) && !signal.aborted) {
      const stop = new AbortController();
      const agent = this.#newAgent(name);
      this.#agents.set(name, { agent, stop });
      const running = agent.run(member, AbortSignal.any([signal, stop.signal])).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    this.#addAll();
  }

  #newAgent(name: string): MemberAgent {
    const { types, clock, random, fieldManager, workers, stepTimeoutMs, members } = this.#options;
    return new MemberAgent(name, {
      types,
      clock,
      random,
      fieldManager,
      workers,
      stepTimeoutMs,
      member: () => members.get(name),
      decisionOf: (id) => this.#decisions.get(id),
      isListed: (id) => this.#object(id)?.status?.clusters?.some((entry) => entry.name === name) ?? false,
      onResult: (id, result) => this.#collect(id, name, result),
      onError: (cluster, id, error) => this.#options.onError?.(cluster, this.#describe(id as ObjectId), error),
    });
  }

  #describe(id: ObjectId): string {
    const { index, key } = readObjectId(id);
    return `${this.#options.types[index]?.federated.kind ?? '?'} ${formatKey(key)}`;
  }

  #collect(id: ObjectId, cluster: string, result: StepResult | undefined): void {
    const results = this.#results.get(id) ?? new Map<string, StepResult>();
    this.#results.set(id, results);
    if (result === undefined) results.delete(cluster);
    else results.set(cluster, result);
    const object = this.#object(id);
    if (object === undefined) return;
    if (object.metadata.deletionTimestamp !== undefined) this.#hostQueue.add(id);
    this.#statusQueue.add(id, this.#options.statusDelayMs);
  }

  // What is decided

  #object(id: ObjectId): FederatedObject | undefined {
    const { index, key } = readObjectId(id);
    return this.#caches[index]?.get(key) as FederatedObject | undefined;
  }

  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const object = this.#object(id);
    if (object === undefined) {
      this.#forget(id);
      return undefined;
    }
    if (!this.#knowsEnough(id)) return undefined;
    const prepared = this.#prepare(object);
    const isDeleted = object.metadata.deletionTimestamp !== undefined;
    const decision = this.#decide(id, prepared);
    const isHeld = object.metadata.finalizers?.includes(FINALIZER) ?? false;
    if (isDeleted && !isHeld) return undefined;
    if (!isDeleted && !isHeld && decision.issues.length === 0) await this.#addFinalizer(id, object, signal);
    this.#decisions.set(id, decision);
    for (const { agent } of this.#agents.values()) agent.add(id);
    this.#statusQueue.add(id, this.#options.statusDelayMs);
    if (isDeleted && this.#isGoneEverywhere(id, decision)) await this.#removeFinalizer(object, signal);
    return undefined;
  }

  /** Whether namespaces and preferences are known: without them an object would be decided wrongly for a moment. */
  #knowsEnough(id: ObjectId): boolean {
    const { index } = readObjectId(id);
    const isKnown = (cache: ObjectCache | undefined, state: ReflectorState | undefined): boolean =>
      (cache?.synced ?? true) || (state !== undefined && !state.synced && isNotServed(state.error));
    const namespaces = this.#namespaceType < 0 || isKnown(this.#caches[this.#namespaceType], this.#states[this.#namespaceType]);
    return (this.#caches[index]?.synced ?? false) && namespaces && isKnown(this.#preferences, this.#preferencesState);
  }

  #prepare(object: FederatedObject): Prepared {
    const { types, fieldManager, replaceMissing } = this.#options;
    return prepare(object as AnyObject, { types, fieldManager, ...(replaceMissing === undefined ? {} : { replaceMissing }) });
  }

  #decide(id: ObjectId, prepared: Prepared): Decision {
    const running = new Map<string, number>();
    for (const [name, { agent }] of this.#agents) {
      const replicas = replicasOf(agent.live(id));
      if (replicas !== undefined) running.set(name, replicas);
    }
    return decide({
      prepared,
      clusters: this.#clusters(),
      running,
      preference: this.#preferenceFor(prepared),
      ...this.#namespaceOf(prepared),
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

  #preferenceFor({ object, type }: Prepared): ReplicaSchedulingPreference | undefined {
    const found = this.#preferences.get(keyOf(object)) as ReplicaSchedulingPreference | undefined;
    return found?.spec.targetKind === type.federated.kind ? found : undefined;
  }

  #namespaceOf({ object, type }: Prepared): { readonly namespace?: FederatedObject | undefined } {
    if (this.#namespaceType < 0 || type.target.scope === 'Cluster') return {};
    const { namespace = '' } = object.metadata;
    const found = this.#caches[this.#namespaceType]?.get({ namespace, name: namespace }) as FederatedObject | undefined;
    return { namespace: found };
  }

  #isGoneEverywhere(id: ObjectId, { clusters, issues, prepared }: Decision): boolean {
    if (issues.length > 0) return false;
    const listed = new Set(prepared.object.status?.clusters?.map(({ name }) => name));
    return clusters.every(({ cluster }) => {
      const result = this.#results.get(id)?.get(cluster.name);
      const isUnreachable = this.#options.members.get(cluster.name)?.state === 'unreachable';
      if (result === undefined) return isUnreachable && !listed.has(cluster.name);
      if (result.error !== undefined) return false;
      // A result from before the deletion speaks of something else.
      const isGone = result.step.op === 'delete' || result.step.op === 'release';
      return isGone || (result.step.op === 'none' && (result.live === undefined || result.step.reason.includes('not ours')));
    });
  }

  #forget(id: ObjectId): void {
    this.#decisions.delete(id);
    this.#results.delete(id);
    this.#statusQueue.remove(id);
    for (const { agent } of this.#agents.values()) agent.forget(id);
  }

  // What is written on the host

  async #addFinalizer(id: ObjectId, object: FederatedObject, signal: AbortSignal): Promise<void> {
    const finalizers = [...(object.metadata.finalizers ?? []), FINALIZER];
    const patched = await this.#patchFinalizers(object, finalizers, signal);
    if (patched !== undefined) this.#caches[readObjectId(id).index]?.put(patched);
  }

  async #removeFinalizer(object: FederatedObject, signal: AbortSignal): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    await this.#patchFinalizers(object, finalizers, signal);
  }

  async #patchFinalizers(
    object: FederatedObject,
    finalizers: readonly string[],
    signal: AbortSignal,
  ): Promise<AnyObject | undefined> {
    const { host, fieldManager } = this.#options;
    const { uid = '', resourceVersion = '' } = object.metadata;
    const body: Json = { metadata: { uid, resourceVersion, finalizers: finalizers.length === 0 ? null : finalizers } };
    try {
      return await host.patch<AnyObject>(
        this.#typeOf(object).federated as never,
        keyOf(object),
        { type: 'merge', body },
        { fieldManager, signal },
      );
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #typeOf(object: FederatedObject): FederatedType {
    const type = this.#options.types.find(({ federated }) => federated.kind === object.kind);
    if (type !== undefined) return type;
    throw shapeError(object.kind, object, [{ field: 'kind', message: 'is no type of this controller' }]);
  }

  async #writeStatus(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const object = this.#object(id);
    const decision = this.#decisions.get(id);
    if (object === undefined || decision === undefined) return undefined;
    const { clock, host, fieldManager } = this.#options;
    const previous: FederatedStatus | undefined = object.status;
    const results = this.#results.get(id) ?? new Map<string, StepResult>();
    const status = statusOf({ decision, results, previous, now: timestamp(clock.now()) });
    if (status === previous) return undefined;
    const body = { status: { ...nulls(previous), ...status } } as unknown as Json;
    try {
      const options = { fieldManager, signal, subresource: 'status' as const };
      const written = await host.patch<AnyObject>(
        this.#typeOf(object).federated as never,
        keyOf(object),
        { type: 'merge', body },
        options,
      );
      this.#caches[readObjectId(id).index]?.put(written);
    } catch (error) {
      if (!hasCode(error, 'NotFound'))
        throw isClustersetError(error) ? error : new Error('the status could not be written', { cause: error });
    }
    return undefined;
  }
}

/** Takes away what is in the old status: a merge patch keeps what it doesn't name. */
function nulls(previous: FederatedStatus | undefined): Record<string, null> {
  return Object.fromEntries(Object.keys(previous ?? {}).map((name) => [name, null]));
}

/** Whether a change of a federated object can change what is decided. Its status can't, nor can our own finalizer. */
function isRelevant(object: AnyObject, previous: AnyObject): boolean {
  const [now, before] = [object.metadata, previous.metadata];
  const hadFinalizer = before.finalizers?.includes(FINALIZER) ?? false;
  const hasFinalizer = now.finalizers?.includes(FINALIZER) ?? false;
  return (
    now.uid !== before.uid ||
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    (hadFinalizer && !hasFinalizer) ||
    !deepEqual(now.annotations, before.annotations)
  );
}
