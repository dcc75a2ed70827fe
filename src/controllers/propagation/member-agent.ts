import { type ClusterDecision, type FederatedType, isOwned, planStep, type Step } from '../../federation/index.ts';
import {
  type AnyObject,
  apiVersionOf,
  type Cluster,
  ClustersetError,
  hasCode,
  isClustersetError,
  isNotServed,
  parseApiVersion,
} from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { Environment, GaugeReading, Member } from '../../runtime/index.ts';
import { type Executed, executeStep } from './execute.ts';
import { MemberView } from './member-view.ts';
import { type ObjectId, readObjectId } from './object-id.ts';
import { type Looked, ObjectWork } from './object-work.ts';
import { Repairs } from './repairs.ts';
import { getInAnyVersion } from './served-version.ts';
import type { Settled, Verdict } from './verdict.ts';
import { withPatience } from './with-patience.ts';

/** What an agent needs of its controller. */
export interface AgentContext {
  readonly types: readonly FederatedType[];
  readonly environment: Environment;
  /** The controller's name. */
  readonly controller: string;
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
  readonly #work: ObjectWork;
  readonly #view: MemberView;
  readonly #tolerated = new Map<ObjectId, string>();
  /** What is in the way of something here, or not known yet. */
  readonly #failing = new Set<ObjectId>();
  /** Objects of somebody else, or without our label, which the watch doesn't see. */
  readonly #unseen = new Set<ObjectId>();
  readonly #repairs: Repairs;
  readonly #finishing = new AbortController();
  readonly #ending = new AbortController();
  readonly #watching = new AbortController();

  constructor(name: string, context: AgentContext) {
    const { environment, controller, types, workers, stepTimeoutMs, onError } = context;
    this.#name = name;
    this.#context = context;
    this.#repairs = new Repairs(environment.clock);
    this.#work = new ObjectWork({
      environment,
      controller,
      cluster: name,
      workers,
      retryBaseMs: 100,
      reconcile: (id, signal) => this.#reconcile(id, signal),
      onError,
    });
    this.#view = new MemberView({
      types,
      environment,
      controller,
      patienceMs: stepTimeoutMs,
      answers: () => this.#answers(),
      onChange: (id) => this.add(id),
      onKnown: (index) => {
        this.#lookAtFailing(index);
        context.onKnown(index);
      },
    });
  }

  get busy(): number {
    return this.#work.busy;
  }

  gauges(): Iterable<GaugeReading> {
    return this.#work.gauges();
  }

  /** Works until it is told to finish or to end, and what is under way is over. */
  async run(): Promise<void> {
    await this.#work.run(this.#finishing.signal, this.#ending.signal);
    this.#watching.abort();
  }

  /** Begins nothing new. */
  finish(): void {
    this.#finishing.abort();
  }

  /** Ends what is under way, too. */
  end(reason: unknown): void {
    this.#finishing.abort();
    this.#ending.abort(reason);
  }

  /** Follows the member's objects as long as it works; a second call does nothing. */
  follow(cluster: Cluster): void {
    this.#view.follow(cluster, this.#watching.signal);
  }

  /** Looks at an object as soon as there is time. */
  add(id: ObjectId): void {
    this.#work.add(id);
  }

  /** What the member has of an object, as last seen. */
  live(id: ObjectId): AnyObject | undefined {
    return this.#view.live(id);
  }

  /** Whether the member's objects of a type have been seen, it is known why they can't be, or it has taken too long. */
  knows(typeIndex: number): boolean {
    return this.#view.knows(typeIndex);
  }

  forget(id: ObjectId): void {
    this.#work.remove(id);
    this.#tolerated.delete(id);
    this.#failing.delete(id);
    this.#unseen.delete(id);
    this.#repairs.forget(id);
  }

  #answers(): boolean {
    const state = this.#context.member()?.state;
    return state === 'ready' || state === 'degraded';
  }

  /** What failed may work now: a type is served. */
  #lookAtFailing(index: number): void {
    for (const id of this.#failing) if (readObjectId(id).index === index) this.add(id);
  }

  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<Looked | undefined> {
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
    // What was ended by us is an error of nobody; the record knows that something may be there.
    if (signal.aborted && executed.error !== undefined) return undefined;
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
    try {
      return await this.#patiently(signal, (patience) =>
        executeStep(cluster, step, { fieldManager, signal: patience, isExact: true }),
      );
    } catch (error) {
      if (!isClustersetError(error)) throw error;
      return { step, error, ...('live' in step ? { live: step.live } : {}) };
    }
  }

  #patiently<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { environment, stepTimeoutMs: ms } = this.#context;
    return withPatience({ clock: environment.clock, ms, signal, cluster: this.#name }, call);
  }

  #conclude(
    id: ObjectId,
    executed: Executed,
    verdict: Verdict,
    { look, isGone }: { readonly look: Look; readonly isGone: boolean },
  ): Looked | undefined {
    const { step, error } = executed;
    this.#remember(id, executed);
    const { generation } = verdict.decision.prepared.object.metadata;
    this.#context.onSettled(id, { ...executed, isAbsent: error === undefined && isGone, generation }, verdict);
    if (error !== undefined) return this.#fail(id, error);
    if (step.op === 'blocked') {
      this.#failing.add(id);
      if (!look.reachable && look.error !== undefined) return { retry: true, error: look.error };
      return this.#unseen.has(id) ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
    }
    this.#failing.delete(id);
    // A namespace or a definition is what others may have waited for.
    if (step.op !== 'none') this.#openDoors(step);
    // What isn't watched, because it is served in another version here, is looked at now and then.
    const isWatched = this.#view.state(readObjectId(id).index)?.synced !== false;
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
  #fail(id: ObjectId, error: ClustersetError): Looked {
    this.#failing.add(id);
    this.#context.onError(id, error);
    return { retry: true, error };
  }

  /** Takes in what a write has answered. */
  #remember(id: ObjectId, { step, error, live, tolerated }: Executed): void {
    if (tolerated !== undefined) this.#tolerated.set(id, tolerated);
    if (live === undefined || error !== undefined || (step.op !== 'create' && step.op !== 'update')) return;
    this.#view.remember(id, live);
    this.#unseen.delete(id);
  }

  /** What the member has; `undefined` where that isn't known yet, and a look will follow. */
  async #look(id: ObjectId, own: ClusterDecision, verdict: Verdict, signal: AbortSignal): Promise<Look | undefined> {
    const { index } = readObjectId(id);
    const member = this.#context.member();
    const state = this.#view.state(index);
    const live = this.live(id);
    const isBlind = this.#view.isBlind(index);
    if (member?.state === 'unreachable') return { reachable: false, message: member.reason };
    if (state?.synced === false && isNotServed(state.error)) {
      // An object that was never seen to go isn't gone because its type isn't served for a moment, as behind a proxy.
      if (isBlind || live === undefined) return this.#lookBeyondVersion(id, own, verdict, signal);
    } else if (state?.synced === false && isBlind) return { reachable: false, message: messageOf(state.error) };
    if (this.#view.isFilled(index)) {
      return this.#mustAsk(id, own, verdict, live) ? this.#ask(id, own, signal) : { reachable: true, live, isFresh: false };
    }
    this.#failing.add(id);
    if (state === undefined || state.synced) return undefined;
    return { reachable: false, message: messageOf(state.error) };
  }

  /** Whether what was seen last won't do. */
  #mustAsk(id: ObjectId, own: ClusterDecision, { decision, record }: Verdict, live: AnyObject | undefined): boolean {
    const isOurs = live !== undefined && isOwned(live, decision.prepared.owner, this.#context.fieldManager);
    // That nothing of ours is left must be certain before the record forgets the member.
    const mustBeCertain = !isOurs && own.want === 'absent' && record.has(this.#name);
    return mustBeCertain || (live === undefined && this.#unseen.has(id));
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
      const target = this.#view.targetKey(index, key);
      const versions = { ...type, ...(own.desired === undefined ? {} : parseApiVersion(own.desired.apiVersion)) };
      const live = await this.#patiently(signal, (patience) => getInAnyVersion(cluster, versions, target, patience));
      if (live === undefined) this.#unseen.delete(id);
      else this.#unseen.add(id);
      return { reachable: true, live, isFresh: true };
    } catch (error) {
      return { reachable: false, message: messageOf(error), error };
    }
  }
}

/** Whether a step leaves nothing of ours, for certain: a cache that has nothing may be behind. */
function leavesNothing({ op }: Step, look: Look): boolean {
  return op === 'delete' || op === 'release' || (op === 'none' && look.reachable && look.isFresh);
}

const isWrite = ({ op }: Step): boolean => op === 'create' || op === 'update' || op === 'delete';

const messageOf = (error: unknown): string => (error instanceof ClustersetError ? error.detail : String(error));
