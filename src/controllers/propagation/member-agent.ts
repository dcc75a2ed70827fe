import {
  type Decision,
  type FederatedType,
  MANAGED_LABEL,
  type Observed,
  planStep,
  type StepResult,
} from '../../federation/index.ts';
import { type AnyObject, ClustersetError, hasCode, isNotServed, isRetryable, keyOf, type ObjectKey } from '../../kube/index.ts';
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
import { executeStep } from './execute.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';

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
  readonly decisionOf: (id: ObjectId) => Decision | undefined;
  /** Whether the status of the object says that the member has it. */
  readonly isListed: (id: ObjectId) => boolean;
  readonly onResult: (id: ObjectId, result: StepResult | undefined, decision: Decision) => void;
  readonly onError: (id: ObjectId, error: unknown) => void;
}

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
  readonly #failing = new Set<ObjectId>();

  constructor(name: string, context: AgentContext) {
    this.#name = name;
    this.#context = context;
    this.#queue = new WorkQueue({ clock: context.clock, retryBaseMs: 100, retryMaxMs: 60_000 });
    this.#caches = context.types.map(() => new ObjectCache());
    this.#states = context.types.map(() => undefined);
  }

  get busy(): number {
    return this.#queue.busy;
  }

  /** Works until the signal fires. */
  async run(member: Member<ClusterEntry>, signal: AbortSignal): Promise<void> {
    const { clock, random, workers, types } = this.#context;
    const reflectors = types.map((type, index) => {
      const cache = this.#caches[index] ?? new ObjectCache();
      cache.listen((event) => this.add(this.#idOf(index, keyOf(event.type === 'removed' ? event.previous : event.object))));
      return reflect({
        cluster: member.cluster,
        type: type.target,
        cache,
        clock,
        random,
        signal,
        labelSelector: `${MANAGED_LABEL}=true`,
        onState: (state) => this.#become(index, state),
      });
    });
    const working = runWorkers({
      queue: this.#queue,
      workers,
      signal,
      reconcile: async (key) => this.#reconcile(key as ObjectId, signal),
      onError: (key, error) => this.#context.onError(key as ObjectId, error),
    });
    await Promise.all([...reflectors, working]);
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

  forget(id: ObjectId): void {
    this.#queue.remove(id);
    this.#tolerated.delete(id);
    this.#failing.delete(id);
  }

  #become(index: number, state: ReflectorState): void {
    const isNews = this.#states[index]?.synced !== state.synced;
    this.#states[index] = state;
    if (isNews) this.#lookAtFailing(index);
  }

  /** What failed may work now: a type is served, a namespace is there. */
  #lookAtFailing(index?: number): void {
    for (const id of this.#failing) if (index === undefined || readObjectId(id).index === index) this.add(id);
  }

  async #reconcile(id: ObjectId, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { index } = readObjectId(id);
    const decision = this.#context.decisionOf(id);
    const own = decision?.clusters.find(({ cluster }) => cluster.name === this.#name);
    if (decision === undefined || own === undefined || decision.issues.length > 0) return undefined;
    const observed = this.#observe(id, index);
    if (observed === undefined) return undefined;
    if (!observed.reachable && own.want !== 'present' && !this.#context.isListed(id)) {
      this.#context.onResult(id, undefined, decision);
      return undefined;
    }
    const { fieldManager } = this.#context;
    const step = planStep({
      prepared: decision.prepared,
      decision: own,
      observed,
      fieldManager,
      tolerated: this.#tolerated.get(id),
    });
    const executed = await this.#execute(step, signal);
    if (executed.tolerated !== undefined) this.#tolerated.set(id, executed.tolerated);
    if (executed.live !== undefined && executed.error === undefined && step.op !== 'none')
      this.#caches[index]?.put(executed.live);
    return this.#conclude(id, executed, decision);
  }

  async #execute(step: Parameters<typeof executeStep>[1], signal: AbortSignal): ReturnType<typeof executeStep> {
    const { fieldManager, clock, stepTimeoutMs } = this.#context;
    const cluster = this.#context.member()?.cluster;
    if (cluster === undefined || step.op === 'none' || step.op === 'blocked') {
      return { step, ...('live' in step && step.live !== undefined ? { live: step.live } : {}) };
    }
    const patience = new AbortController();
    const timeout = new ClustersetError({
      code: 'Timeout',
      message: `no answer within ${stepTimeoutMs} ms`,
      cluster: this.#name,
    });
    const cancel = clock.after(stepTimeoutMs, () => patience.abort(timeout));
    try {
      const executed = await executeStep(cluster, step, { fieldManager, signal: AbortSignal.any([signal, patience.signal]) });
      const isOverdue = executed.error?.code === 'Aborted' && patience.signal.aborted;
      return isOverdue ? { ...executed, error: timeout } : executed;
    } finally {
      cancel();
    }
  }

  #conclude(id: ObjectId, executed: StepResult, decision: Decision): ReconcileResult | undefined {
    const { step, error } = executed;
    this.#context.onResult(id, executed, decision);
    const isBlocked = step.op === 'blocked';
    if (error === undefined && !isBlocked) {
      this.#failing.delete(id);
      // A namespace or a definition is what others may have waited for.
      const opensDoors = step.op !== 'none' && (step.type.kind === 'Namespace' || step.type.kind === 'CustomResourceDefinition');
      if (opensDoors) this.#lookAtFailing();
      return undefined;
    }
    this.#failing.add(id);
    const isForeign = hasCode(error, 'AlreadyExists') || (isBlocked && step.code === 'AlreadyExists');
    if (isForeign) return { requeueAfterMs: LOOK_AGAIN_MS };
    if (error !== undefined && (isRetryable(error) || hasCode(error, 'NotFound', 'NotServed', 'Forbidden'))) {
      this.#context.onError(id, error);
      return { retry: true };
    }
    return undefined;
  }

  /** What the member has; `undefined` where that isn't known yet, and a look will follow. */
  #observe(id: ObjectId, index: number): Observed | undefined {
    const member = this.#context.member();
    if (member?.state === 'unreachable') return { reachable: false, message: member.reason };
    const cache = this.#caches[index];
    if (cache?.synced) return { reachable: true, live: this.live(id) };
    const state = this.#states[index];
    this.#failing.add(id);
    if (state === undefined || state.synced) return undefined;
    // Without the type there are no objects of it; the write will say so.
    if (isNotServed(state.error)) return { reachable: true, live: undefined };
    return { reachable: false, message: state.error instanceof Error ? state.error.message : 'its objects can not be read' };
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
