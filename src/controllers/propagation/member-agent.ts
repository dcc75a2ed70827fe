import { type ClusterDecision, type FederatedType, isOwned, MANAGED_LABEL, planStep, type Step } from '../../federation/index.ts';
import {
  type AnyObject,
  apiVersionOf,
  type Cluster,
  ClustersetError,
  hasCode,
  isNotServed,
  keyOf,
  type ObjectKey,
  parseApiVersion,
} from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import {
  type Clock,
  type Member,
  ObjectCache,
  type ReconcileResult,
  type ReflectorState,
  reflect,
  runWorkers,
  WorkQueue,
} from '../../runtime/index.ts';
import { Blindness } from './blindness.ts';
import { type Executed, executeStep } from './execute.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';
import { Repairs } from './repairs.ts';
import { getInAnyVersion } from './served-version.ts';
import type { Settled, Verdict } from './verdict.ts';

/** What an agent needs of its controller. */
export interface AgentContext {
  readonly types: readonly FederatedType[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly fieldManager: string;
  readonly workers: number;
  /** How long one object may take in this member before its place is given to the next. */
  readonly stepTimeoutMs: number;
  /** The member as the set sees it now. */
  readonly member: () => Member<ClusterEntry> | undefined;
  readonly verdictOf: (id: ObjectId) => Verdict | undefined;
  readonly onSettled: (id: ObjectId, settled: Settled | undefined, verdict: Verdict) => void;
  /** The member's objects of a type are known now, or it is known why not. */
  readonly onKnown: (typeIndex: number) => void;
  readonly onError: (id: ObjectId, error: unknown) => void;
}

/** What the member has, and whether it was asked just now. */
type Look =
  | { readonly reachable: true; readonly live: AnyObject | undefined; readonly isFresh: boolean }
  | { readonly reachable: false; readonly message: string; readonly error?: unknown };

/** A foreign object may go away unseen: it has no label of ours. */
const LOOK_AGAIN_MS = 30_000;

/**
 * Makes one member what was decided for it. It has its own queue, its own workers and its own view of the member, so that it waits for nobody,
 * and nobody waits for it.
 */
export class MemberAgent {
  readonly #name: string;
  readonly #context: AgentContext;
  readonly #queue: WorkQueue;
  readonly #caches: readonly ObjectCache[];
  readonly #states: (ReflectorState | undefined)[];
  readonly #tolerated = new Map<ObjectId, string>();
  /** What is in the way of something here, or not known yet. */
  readonly #failing = new Set<ObjectId>();
  /** Objects of somebody else, or without our label, which the watch doesn't see. */
  readonly #unseen = new Set<ObjectId>();
  readonly #repairs: Repairs;
  /** What is put into a cache just now, after our own write: that is no news. */
  #remembering: ObjectId | undefined;
  readonly #blindness: Blindness;
  #patientUntil = Number.POSITIVE_INFINITY;
  #isFollowing = false;

  constructor(name: string, context: AgentContext) {
    this.#name = name;
    this.#context = context;
    this.#queue = new WorkQueue({ clock: context.clock, retryBaseMs: 100, retryMaxMs: 60_000 });
    this.#caches = context.types.map(() => new ObjectCache());
    this.#states = context.types.map(() => undefined);
    this.#repairs = new Repairs(context.clock);
    this.#blindness = new Blindness(context.clock);
  }

  get busy(): number {
    return this.#queue.busy;
  }

  /** Works until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    await runWorkers({
      queue: this.#queue,
      workers: this.#context.workers,
      signal,
      reconcile: async (key) => this.#reconcile(key as ObjectId, signal),
      onError: (key, error) => this.#context.onError(key as ObjectId, error),
    });
  }

  /** Follows the member's objects until the signal fires; a second call does nothing. */
  async follow(cluster: Cluster, signal: AbortSignal): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    const { clock, random, types, stepTimeoutMs } = this.#context;
    // A member that answers, but not with a list, is not waited for any longer.
    this.#patientUntil = clock.monotonic() + stepTimeoutMs;
    const cancel = clock.after(stepTimeoutMs, () => {
      for (const index of types.keys()) this.#context.onKnown(index);
    });
    signal.addEventListener('abort', cancel, { once: true });
    const reflectors = types.map((type, index) => {
      const cache = this.#caches[index] ?? new ObjectCache();
      cache.listen((event) => {
        const id = this.#idOf(index, keyOf(event.type === 'removed' ? event.previous : event.object));
        if (id !== this.#remembering) this.add(id);
      });
      return reflect({
        cluster,
        type: type.target,
        cache,
        clock,
        random,
        signal,
        labelSelector: `${MANAGED_LABEL}=true`,
        onState: (state) => this.#become(index, state),
      });
    });
    await Promise.all(reflectors);
  }

  /** Looks at an object as soon as there is time. */
  add(id: ObjectId): void {
    this.#queue.add(id);
  }

  /** What the member has of an object, as last seen. */
  live(id: ObjectId): AnyObject | undefined {
    const { index, key } = readObjectId(id);
    return this.#caches[index]?.get(this.#targetKey(index, key));
  }

  /** Whether the member's objects of a type have been seen, it is known why they can't be, or it has taken too long. */
  knows(typeIndex: number): boolean {
    const isPatienceOver = this.#context.clock.monotonic() >= this.#patientUntil;
    return this.#caches[typeIndex]?.synced === true || this.#states[typeIndex] !== undefined || isPatienceOver;
  }

  forget(id: ObjectId): void {
    this.#queue.remove(id);
    this.#tolerated.delete(id);
    this.#failing.delete(id);
    this.#unseen.delete(id);
    this.#repairs.forget(id);
  }

  #become(index: number, state: ReflectorState): void {
    const before = this.#states[index];
    this.#states[index] = state;
    const wasBlind = this.#blindness.isBlind(index);
    if (state.synced) this.#blindness.sees(index);
    else if (this.#answers()) this.#blindness.fails(index);
    if (wasBlind !== this.#blindness.isBlind(index)) this.#lookAtAll(index);
    if (before?.synced === state.synced) return;
    this.#lookAtFailing(index);
    this.#context.onKnown(index);
  }

  #answers(): boolean {
    const state = this.#context.member()?.state;
    return state === 'ready' || state === 'degraded';
  }

  #lookAtAll(index: number): void {
    for (const object of this.#caches[index]?.values() ?? []) this.add(this.#idOf(index, keyOf(object)));
  }

  /** What failed may work now: a type is served. */
  #lookAtFailing(index: number): void {
    for (const id of this.#failing) if (readObjectId(id).index === index) this.add(id);
  }

  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const verdict = this.#context.verdictOf(id);
    const own = verdict?.clusters.get(this.#name);
    if (verdict === undefined || own === undefined || verdict.decision.issues.length > 0) return undefined;
    // Another verdict follows when it has answered, or hasn't in time.
    if (verdict.unasked.has(this.#name)) return undefined;
    const look = await this.#look(id, own, verdict, signal);
    if (look === undefined) return undefined;
    if (!look.reachable && own.want === 'absent' && !verdict.record.has(this.#name)) {
      this.#context.onSettled(id, undefined, verdict);
      return undefined;
    }
    const step = this.#plan(id, own, verdict, look);
    const wish = `${verdict.decision.prepared.object.metadata.generation}/${own.want}/${own.share?.replicas}`;
    const waitMs = isWrite(step) ? this.#repairs.waitMs(id, wish) : 0;
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const { executed, look: last } = await this.#executeOrLookAgain(id, own, verdict, { step, look }, signal);
    // What was under way at the end is an error of nobody; the record knows that something may be there.
    if (signal.aborted && hasCode(executed.error, 'Aborted')) return undefined;
    if (isWrite(executed.step) && executed.error === undefined) this.#repairs.made(id, wish);
    const isGone = own.want === 'absent' && leavesNothing(executed.step, last);
    return this.#conclude(id, executed, verdict, { look: last, isGone });
  }

  #plan(id: ObjectId, own: ClusterDecision, { decision, record }: Verdict, observed: Look): Step {
    const { fieldManager } = this.#context;
    const member = this.#context.member();
    // A degraded member gets nothing new, but what it may have is looked after: what the set has found is no reason to leave it alone then.
    const goesOn = member?.state === 'degraded' && own.want !== 'untouched' && record.has(this.#name);
    const step = { prepared: decision.prepared, observed, fieldManager, tolerated: this.#tolerated.get(id) };
    return planStep({ ...step, decision: goesOn ? { ...own, cluster: member.entry } : own });
  }

  /** What is there unexpectedly may be ours: the watch doesn't see an object that has lost its label. */
  async #executeOrLookAgain(
    id: ObjectId,
    own: ClusterDecision,
    verdict: Verdict,
    { step, look }: { readonly step: Step; readonly look: Look },
    signal: AbortSignal,
  ): Promise<{ readonly executed: Executed; readonly look: Look }> {
    const executed = await this.#execute(step, signal);
    const isSurprise = step.op === 'create' ? hasCode(executed.error, 'AlreadyExists') : hasCode(executed.error, 'Conflict');
    if (!isSurprise) return { executed, look };
    const again = await this.#ask(id, own, signal);
    if (!again.reachable || (step.op === 'create' && again.live === undefined)) return { executed, look };
    return { executed: await this.#execute(this.#plan(id, own, verdict, again), signal), look: again };
  }

  async #execute(step: Step, signal: AbortSignal): Promise<Executed> {
    const cluster = this.#context.member()?.cluster;
    if (cluster === undefined || step.op === 'none' || step.op === 'blocked') {
      return { step, ...('live' in step && step.live !== undefined ? { live: step.live } : {}) };
    }
    const { fieldManager } = this.#context;
    const executed = await this.#patiently(signal, (patience) =>
      executeStep(cluster, step, { fieldManager, signal: patience, isExact: true }),
    );
    const isOverdue = hasCode(executed.error, 'Aborted') && !signal.aborted;
    return isOverdue ? { ...executed, error: this.#timeout() } : executed;
  }

  /** Gives a call only so much time. */
  async #patiently<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, stepTimeoutMs } = this.#context;
    const patience = new AbortController();
    const cancel = clock.after(stepTimeoutMs, () => patience.abort());
    try {
      return await call(AbortSignal.any([signal, patience.signal]));
    } finally {
      cancel();
    }
  }

  #timeout(): ClustersetError {
    const message = `no answer within ${this.#context.stepTimeoutMs} ms`;
    return new ClustersetError({ code: 'Timeout', message, cluster: this.#name });
  }

  #conclude(
    id: ObjectId,
    executed: Executed,
    verdict: Verdict,
    { look, isGone }: { readonly look: Look; readonly isGone: boolean },
  ): ReconcileResult | undefined {
    const { step, error } = executed;
    this.#remember(id, executed);
    const { generation } = verdict.decision.prepared.object.metadata;
    this.#context.onSettled(id, { ...executed, isAbsent: error === undefined && isGone, generation }, verdict);
    if (error !== undefined) return this.#fail(id, error);
    if (step.op === 'blocked') {
      this.#failing.add(id);
      if (!look.reachable && look.error !== undefined) return { retry: true };
      return this.#unseen.has(id) ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
    }
    this.#failing.delete(id);
    // A namespace or a definition is what others may have waited for.
    if (step.op !== 'none') this.#openDoors(step);
    // What isn't watched, because it is served in another version here, is looked at now and then.
    const isWatched = this.#states[readObjectId(id).index]?.synced !== false;
    return isWatched || step.op === 'delete' ? undefined : { requeueAfterMs: LOOK_AGAIN_MS };
  }

  /** Looks again at what has waited for a namespace, or for a definition. */
  #openDoors({ type, key }: Step): void {
    if (type.kind !== 'Namespace' && type.kind !== 'CustomResourceDefinition') return;
    for (const id of this.#failing) {
      const { index, key: waiting } = readObjectId(id);
      const { plural, group } = this.#context.types[index]?.target ?? {};
      if (type.kind === 'Namespace' ? waiting.namespace === key.name : key.name === `${plural}.${group}`) this.add(id);
    }
  }

  /** Whatever it is, it may be put right without our being told. */
  #fail(id: ObjectId, error: ClustersetError): ReconcileResult {
    this.#failing.add(id);
    this.#context.onError(id, error);
    return { retry: true };
  }

  /** Takes in what a write has answered. */
  #remember(id: ObjectId, { step, error, live, tolerated }: Executed): void {
    if (tolerated !== undefined) this.#tolerated.set(id, tolerated);
    if (live === undefined || error !== undefined || (step.op !== 'create' && step.op !== 'update')) return;
    this.#remembering = id;
    this.#caches[readObjectId(id).index]?.put(live);
    this.#remembering = undefined;
    this.#unseen.delete(id);
  }

  /** What the member has; `undefined` where that isn't known yet, and a look will follow. */
  async #look(id: ObjectId, own: ClusterDecision, verdict: Verdict, signal: AbortSignal): Promise<Look | undefined> {
    const { index } = readObjectId(id);
    const { record } = verdict;
    const { prepared } = verdict.decision;
    const member = this.#context.member();
    const state = this.#states[index];
    if (member?.state === 'unreachable') return { reachable: false, message: member.reason };
    if (state?.synced === false) {
      if (isNotServed(state.error)) return this.#lookBeyondVersion(id, own, verdict, signal);
      if (this.#blindness.isBlind(index)) return { reachable: false, message: messageOf(state.error) };
    }
    if (this.#caches[index]?.synced) {
      const live = this.live(id);
      const isOurs = live !== undefined && isOwned(live, prepared.owner, this.#context.fieldManager);
      // That nothing of ours is left must be certain before the record forgets the member.
      const mustBeCertain = !isOurs && own.want === 'absent' && record.has(this.#name);
      const mayBeThere = live === undefined && this.#unseen.has(id);
      return mustBeCertain || mayBeThere ? this.#ask(id, own, signal) : { reachable: true, live, isFresh: false };
    }
    this.#failing.add(id);
    if (state === undefined || state.synced) return undefined;
    return { reachable: false, message: messageOf(state.error) };
  }

  /** The version that is watched isn't served here, but another may be. */
  async #lookBeyondVersion(id: ObjectId, own: ClusterDecision, verdict: Verdict, signal: AbortSignal): Promise<Look> {
    const { target } = verdict.decision.prepared.type;
    const isOverridden = own.want === 'present' && own.desired.apiVersion !== apiVersionOf(target);
    const isLeft = own.want === 'absent' && verdict.record.has(this.#name);
    return isOverridden || isLeft ? this.#ask(id, own, signal) : { reachable: true, live: undefined, isFresh: false };
  }

  /** Asks the member itself, and not the cache. */
  async #ask(id: ObjectId, own: ClusterDecision, signal: AbortSignal): Promise<Look> {
    const { index, key } = readObjectId(id);
    const type = this.#context.types[index]?.target;
    const cluster = this.#context.member()?.cluster;
    if (type === undefined || cluster === undefined) return { reachable: false, message: 'there is no connection' };
    try {
      const target = this.#targetKey(index, key);
      const versions = { ...type, ...(own.desired === undefined ? {} : parseApiVersion(own.desired.apiVersion)) };
      const live = await this.#patiently(signal, (patience) => getInAnyVersion(cluster, versions, target, patience));
      if (live === undefined) this.#unseen.delete(id);
      else this.#unseen.add(id);
      return { reachable: true, live, isFresh: true };
    } catch (error) {
      const failed = hasCode(error, 'Aborted') && !signal.aborted ? this.#timeout() : error;
      return { reachable: false, message: messageOf(failed), error: failed };
    }
  }

  /** The federated object behind a member object. That of a namespace lives in the namespace itself. */
  #idOf(index: number, { namespace, name }: ObjectKey): ObjectId {
    const isInside = this.#context.types[index]?.federated.scope === 'Namespaced';
    return objectId(index, isInside ? { namespace: namespace ?? name, name } : { name });
  }

  #targetKey(index: number, key: ObjectKey): ObjectKey {
    return this.#context.types[index]?.target.scope === 'Cluster' ? { name: key.name } : key;
  }
}

/** Whether a step leaves nothing of ours, for certain: a cache that has nothing may be behind. */
function leavesNothing({ op }: Step, look: Look): boolean {
  return op === 'delete' || op === 'release' || (op === 'none' && look.reachable && look.isFresh);
}

const isWrite = ({ op }: Step): boolean => op === 'create' || op === 'update' || op === 'delete';

const messageOf = (error: unknown): string => (error instanceof ClustersetError ? error.detail : String(error));
