import { type ClusterDecision, type FederatedType, isOwned, MANAGED_LABEL, planStep, type Step } from '../../federation/index.ts';
import { type AnyObject, type Cluster, ClustersetError, hasCode, isNotServed, keyOf, type ObjectKey } from '../../kube/index.ts';
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
import { type Executed, executeStep } from './execute.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';
import { Repairs } from './repairs.ts';
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
  #isFollowing = false;

  constructor(name: string, context: AgentContext) {
    this.#name = name;
    this.#context = context;
    this.#queue = new WorkQueue({ clock: context.clock, retryBaseMs: 100, retryMaxMs: 60_000 });
    this.#caches = context.types.map(() => new ObjectCache());
    this.#states = context.types.map(() => undefined);
    this.#repairs = new Repairs(context.clock);
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
    const { clock, random, types } = this.#context;
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

  /** Whether the member's objects of a type have been seen, or it is known why they can't be. */
  knows(typeIndex: number): boolean {
    return this.#caches[typeIndex]?.synced === true || this.#states[typeIndex] !== undefined;
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
    if (before?.synced === state.synced) return;
    this.#lookAtFailing(index);
    this.#context.onKnown(index);
  }

  /** What failed may work now: a type is served, a namespace is there. */
  #lookAtFailing(index?: number): void {
    for (const id of this.#failing) if (index === undefined || readObjectId(id).index === index) this.add(id);
  }

  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const verdict = this.#context.verdictOf(id);
    const own = verdict?.decision.clusters.find(({ cluster }) => cluster.name === this.#name);
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
    const wish = `${verdict.decision.prepared.object.metadata.generation}/${own.share?.replicas}`;
    const waitMs = step.op === 'update' ? this.#repairs.waitMs(id, wish) : 0;
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const executed = await this.#executeOrLookAgain(id, own, verdict, step, signal);
    // What was under way at the end is an error of nobody; the record knows that something may be there.
    if (signal.aborted && hasCode(executed.error, 'Aborted')) return undefined;
    if (executed.step.op === 'update' && executed.error === undefined) this.#repairs.made(id, wish);
    const isGone = own.want === 'absent' && leavesNothing(executed.step, look);
    return this.#conclude(id, executed, verdict, { look, isGone });
  }

  #plan(id: ObjectId, own: ClusterDecision, { decision }: Verdict, observed: Look): Step {
    const { fieldManager } = this.#context;
    return planStep({ prepared: decision.prepared, decision: own, observed, fieldManager, tolerated: this.#tolerated.get(id) });
  }

  /** What is there unexpectedly may be ours: the watch doesn't see an object that has lost its label. */
  async #executeOrLookAgain(
    id: ObjectId,
    own: ClusterDecision,
    verdict: Verdict,
    step: Step,
    signal: AbortSignal,
  ): Promise<Executed> {
    const executed = await this.#execute(step, signal);
    if (step.op !== 'create' || !hasCode(executed.error, 'AlreadyExists')) return executed;
    const look = await this.#ask(id, signal);
    if (!look.reachable || look.live === undefined) return executed;
    return this.#execute(this.#plan(id, own, verdict, look), signal);
  }

  async #execute(step: Step, signal: AbortSignal): Promise<Executed> {
    const cluster = this.#context.member()?.cluster;
    if (cluster === undefined || step.op === 'none' || step.op === 'blocked') {
      return { step, ...('live' in step && step.live !== undefined ? { live: step.live } : {}) };
    }
    const { fieldManager } = this.#context;
    const executed = await this.#patiently(signal, (patience) => executeStep(cluster, step, { fieldManager, signal: patience }));
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
    this.#context.onSettled(id, { ...executed, isAbsent: error === undefined && isGone }, verdict);
    if (error !== undefined) return this.#fail(id, error);
    if (step.op === 'blocked') {
      this.#failing.add(id);
      if (!look.reachable && look.error !== undefined) return { retry: true };
      return this.#unseen.has(id) ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
    }
    this.#failing.delete(id);
    // A namespace or a definition is what others may have waited for.
    const opensDoors = step.op !== 'none' && (step.type.kind === 'Namespace' || step.type.kind === 'CustomResourceDefinition');
    if (opensDoors) this.#lookAtFailing();
    return undefined;
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
    // Without the type there are no objects of it; a write will say so.
    if (state?.synced === false && isNotServed(state.error)) return { reachable: true, live: undefined, isFresh: true };
    if (this.#caches[index]?.synced) {
      const live = this.live(id);
      const isOurs = live !== undefined && isOwned(live, prepared.owner, this.#context.fieldManager);
      // That nothing of ours is left must be certain before the record forgets the member.
      const mustBeCertain = !isOurs && own.want === 'absent' && record.has(this.#name);
      const mayBeThere = live === undefined && this.#unseen.has(id);
      return mustBeCertain || mayBeThere ? this.#ask(id, signal) : { reachable: true, live, isFresh: false };
    }
    this.#failing.add(id);
    if (state === undefined || state.synced) return undefined;
    return { reachable: false, message: state.error instanceof Error ? state.error.message : 'its objects can not be read' };
  }

  /** Asks the member itself, and not the cache. */
  async #ask(id: ObjectId, signal: AbortSignal): Promise<Look> {
    const { index, key } = readObjectId(id);
    const type = this.#context.types[index]?.target;
    const cluster = this.#context.member()?.cluster;
    if (type === undefined || cluster === undefined) return { reachable: false, message: 'there is no connection' };
    try {
      const target = this.#targetKey(index, key);
      const live = await this.#patiently(signal, (patience) => cluster.get<AnyObject>(type, target, { signal: patience }));
      if (live === undefined) this.#unseen.delete(id);
      else this.#unseen.add(id);
      return { reachable: true, live, isFresh: true };
    } catch (error) {
      if (isNotServed(error)) return { reachable: true, live: undefined, isFresh: true };
      const failed = hasCode(error, 'Aborted') && !signal.aborted ? this.#timeout() : error;
      return { reachable: false, message: failed instanceof ClustersetError ? failed.detail : String(failed), error: failed };
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
