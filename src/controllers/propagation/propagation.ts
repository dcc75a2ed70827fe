import {
  type Decision,
  decide,
  type FederatedType,
  FINALIZER,
  type Prepared,
  prepare,
  type ReplaceMissing,
  replicasOf,
  type StepResult,
  statusOf,
} from '../../federation/index.ts';
import { type AnyObject, type Cluster, formatKey } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import {
  type Clock,
  type ClusterSet,
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
  readonly #decisions = new Map<ObjectId, Decision>();
  readonly #results = new Map<ObjectId, Map<string, StepResult>>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PropagationOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { host, fieldManager, clock } = this.#options;
    this.#host = new HostView(this.#options);
    this.#writer = new HostWriter(host, fieldManager);
    this.#hostQueue = new WorkQueue({ clock });
    this.#statusQueue = new WorkQueue({ clock, retryBaseMs: 50 });
  }

  /** Works until the signal fires, then lets what is under way finish. */
  async run(signal: AbortSignal): Promise<void> {
    const { members, workers, host, onError } = this.#options;
    const stopListening = members.listen((event) => this.#follow(event, signal));
    const working = {
      workers,
      signal,
      onError: (id: string, error: unknown) => onError(host.name, this.#describe(id as ObjectId), error),
    };
    await Promise.all([
      this.#host.run(signal, (id) => this.#hostQueue.add(id)),
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
    for (const id of this.#host.ids()) this.#hostQueue.add(id);
  }

  #newAgent(name: string): MemberAgent {
    const { members, onError } = this.#options;
    return new MemberAgent(name, {
      ...this.#options,
      member: () => members.get(name),
      decisionOf: (id) => this.#decisions.get(id),
      isListed: (id) => this.#isListed(id, name),
      onResult: (id, result, decision) => this.#collect(id, name, result, decision),
      onError: (id, error) => onError(name, this.#describe(id), error),
    });
  }

  /** Whether the status says that a cluster has the object, or had it when it was last seen. */
  #isListed(id: ObjectId, cluster: string): boolean {
    return this.#host.object(id)?.status?.clusters?.some(({ name }) => name === cluster) ?? false;
  }

  #describe(id: ObjectId): string {
    const { index, key } = readObjectId(id);
    return `${this.#options.types[index]?.federated.kind ?? ''} ${formatKey(key)}`;
  }

  #collect(id: ObjectId, cluster: string, result: StepResult | undefined, decision: Decision): void {
    // What was done by an older decision will be done again by the newest.
    if (this.#decisions.get(id) !== decision) return;
    const results = this.#results.get(id) ?? new Map<string, StepResult>();
    this.#results.set(id, results);
    if (isSameResult(results.get(cluster), result)) return;
    if (result === undefined) results.delete(cluster);
    else results.set(cluster, result);
    if (decision.prepared.object.metadata.deletionTimestamp !== undefined) this.#hostQueue.add(id);
    this.#statusQueue.add(id, this.#options.statusDelayMs);
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
    const decision = this.#decide(id, prepared);
    const isDeleted = object.metadata.deletionTimestamp !== undefined;
    const isHeld = object.metadata.finalizers?.includes(FINALIZER) ?? false;
    if (isDeleted && !isHeld) return;
    if (!isHeld && decision.issues.length === 0) {
      const held = await this.#writer.addFinalizer(prepared.type, object, signal);
      if (held === undefined) return;
      this.#host.put(id, held);
    }
    if (isDeleted && this.#isGoneEverywhere(id, decision)) {
      await this.#writer.removeFinalizer(prepared.type, object, signal);
      return;
    }
    // Results from before a deletion speak of something else.
    if (isDeleted && !this.#isDeletionDecided(id)) this.#results.delete(id);
    this.#decisions.set(id, decision);
    for (const { agent } of this.#agents.values()) agent.add(id);
    this.#statusQueue.add(id, statusDelayMs);
  }

  #decide(id: ObjectId, prepared: Prepared): Decision {
    const running = new Map<string, number>();
    for (const [name, { agent }] of this.#agents) {
      const replicas = replicasOf(agent.live(id));
      if (replicas !== undefined) running.set(name, replicas);
    }
    const preference = this.#host.preferenceFor(prepared);
    return decide({ prepared, clusters: this.#clusters(), running, preference, ...this.#host.namespaceOption(prepared) });
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
  #isGoneEverywhere(id: ObjectId, { clusters }: Decision): boolean {
    if (!this.#isDeletionDecided(id)) return false;
    const results = this.#results.get(id);
    return clusters.every(({ cluster }) => {
      const result = results?.get(cluster.name);
      if (result === undefined)
        return this.#options.members.get(cluster.name)?.state === 'unreachable' && !this.#isListed(id, cluster.name);
      const { step, error } = result;
      if (error !== undefined) return false;
      // An object that is there and left alone isn't ours.
      return step.op === 'delete' || step.op === 'release' || step.op === 'none';
    });
  }

  #isDeletionDecided(id: ObjectId): boolean {
    return this.#decisions.get(id)?.prepared.object.metadata.deletionTimestamp !== undefined;
  }

  #forget(id: ObjectId): void {
    this.#decisions.delete(id);
    this.#results.delete(id);
    this.#statusQueue.remove(id);
    for (const { agent } of this.#agents.values()) agent.forget(id);
  }

  async #writeStatus(id: ObjectId, signal: AbortSignal): Promise<undefined> {
    const object = this.#host.object(id);
    const decision = this.#decisions.get(id);
    if (object === undefined || decision === undefined) return;
    const results = this.#results.get(id) ?? new Map<string, StepResult>();
    const status = statusOf({ decision, results, previous: object.status, now: timestamp(this.#options.clock.now()) });
    if (status === object.status) return;
    const written = await this.#writer.writeStatus(decision.prepared.type, object, status, signal);
    if (written !== undefined) this.#host.put(id, written);
  }
}

/** Whether a result says nothing new. */
function isSameResult(a: StepResult | undefined, b: StepResult | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const facts = ({ step, error, live }: StepResult): string =>
    JSON.stringify([step.op, step.reason, error?.message, live?.metadata.uid, live?.metadata.resourceVersion]);
  return facts(a) === facts(b);
}
