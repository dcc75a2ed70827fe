import {
  type AnyObject,
  type Cluster,
  ClustersetError,
  formatKey,
  isAborted,
  type KubeObject,
  type ObjectKey,
  parseKey,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import type { ReconcileOutcome } from '../observe/facts.ts';
import { GAUGES, type GaugeReading } from '../observe/gauges.ts';
import type { Logger } from '../observe/log.ts';
import { FairQueue, type Taken } from '../queue/fair-queue.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { ClusterView, whenAborted } from './cluster-view.ts';
import type { Answer, ControllerSpec } from './controller.ts';
import type { Request, Target, Watch } from './describe.ts';
import type { Environment } from './environment.ts';
import { isTerminal, verdictOn } from './outcome.ts';

/** What a cache tells of objects of one type: `ObjectCache` as its readers see it. */
export interface Cached<T extends KubeObject = AnyObject>
  extends Pick<ObjectCache, 'synced' | 'size' | 'put' | 'freshness' | 'waitForVersion'> {
  /** An object, as last seen. It is shared: nobody may change it. */
  get(key: ObjectKey): T | undefined;
  values(): IterableIterator<T>;
  /** Objects by an index that the controller has declared. */
  byIndex(name: string, value: string): readonly T[];
}

/** What a reconcile is given. */
export interface ReconcileInput<T extends KubeObject = AnyObject> {
  /** The object's cluster. */
  readonly cluster: Cluster;
  readonly request: Request;
  /** The object as last seen; `undefined` where it is gone. It is shared: nobody may change it. */
  readonly object: T | undefined;
  /**
   * What is seen of a type that the controller watches: in this cluster, or in another that is named, such as the host.
   *
   * @throws ClustersetError `Unreachable` where it hasn't been seen there yet, so that nobody takes it for gone; the call is tried again.
   * @throws TypeError where it isn't watched there.
   */
  readonly cached: <U extends KubeObject>(type: ResourceType<U>, cluster?: string) => Cached<U>;
  /** Fires when the time is over, the cluster leaves, or everything ends: hand it on to every call. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** 1 for the first try, one more for every failure in a row before it. */
  readonly attempt: number;
}

const TIMEOUT_MS = 60_000;
/** What is in hand already takes no time to wait for: after so many, timers and answers get their turn. */
const IN_A_ROW = 16;

/** A controller at work: one queue for all clusters, a view of each. */
export class ControllerRun {
  readonly #spec: ControllerSpec;
  readonly #environment: Environment;
  readonly #queue: FairQueue;
  readonly #views = new Map<string, ClusterView>();
  /** Where objects are watched that only concern the controller's own. */
  readonly #others = new Map<string, ClusterView>();
  /** What is under way, and how to end it. */
  readonly #calls = new Map<AbortController, { readonly view: ClusterView; readonly since: number }>();
  #waitsForRoom: (() => void) | undefined;

  constructor(spec: ControllerSpec, environment: Environment) {
    this.#spec = spec;
    this.#environment = environment;
    const { inFlightPerCluster = 10, retryBaseMs, retryMaxMs, breaker } = spec.options;
    this.#queue = new FairQueue({
      name: spec.name,
      clock: environment.clock,
      random: environment.random,
      observe: environment.observe,
      inFlightPerCluster,
      ...(retryBaseMs === undefined ? {} : { retryBaseMs }),
      ...(retryMaxMs === undefined ? {} : { retryMaxMs }),
      ...(breaker === undefined ? {} : { breaker }),
    });
  }

  get idle(): boolean {
    return this.#queue.busy === 0;
  }

  *gauges(): Iterable<GaugeReading> {
    const { name, options } = this.#spec;
    const { inFlight = Number.POSITIVE_INFINITY } = options;
    yield { gauge: GAUGES.maxConcurrent, labels: { controller: name }, value: inFlight };
    const running = this.#running();
    for (const [cluster, view] of this.#views) {
      const own = { name, controller: name, cluster };
      const depth = this.#queue.depth(cluster);
      const { calls = 0, sumMs = 0, longestMs = 0 } = running.get(view) ?? {};
      yield { gauge: GAUGES.depth, labels: { ...own, priority: '' }, value: depth };
      yield { gauge: GAUGES.parked, labels: own, value: view.isParked ? depth : 0 };
      yield { gauge: GAUGES.activeWorkers, labels: { controller: name, cluster }, value: calls };
      yield { gauge: GAUGES.unfinishedWork, labels: own, value: sumMs / 1000 };
      yield { gauge: GAUGES.longestRunning, labels: own, value: longestMs / 1000 };
    }
  }

  #running(): ReadonlyMap<ClusterView, { readonly calls: number; readonly sumMs: number; readonly longestMs: number }> {
    const now = this.#environment.clock.monotonic();
    const running = new Map<ClusterView, { readonly calls: number; readonly sumMs: number; readonly longestMs: number }>();
    for (const { view, since } of this.#calls.values()) {
      const { calls = 0, sumMs = 0, longestMs = 0 } = running.get(view) ?? {};
      const ms = now - since;
      running.set(view, { calls: calls + 1, sumMs: sumMs + ms, longestMs: Math.max(longestMs, ms) });
    }
    return running;
  }

  enqueue({ cluster, ...key }: Request, options: { readonly afterMs?: number; readonly priority?: number }): void {
    if (this.#views.has(cluster)) this.#queue.add(cluster, formatKey(key), options);
  }

  /** Works until the signal fires; then what is under way is let finish, or ended by the environment. */
  async work(signal: AbortSignal): Promise<void> {
    const { hard } = this.#environment;
    const stop = (): void => this.#queue.close();
    const end = (): void => {
      stop();
      this.#endCalls(() => true, hard.reason);
    };
    hard.addEventListener('abort', end, { once: true });
    const leave = this.#engageAll(signal);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    if (hard.aborted) end();
    try {
      await this.#takeAll();
      // Whoever doesn't mind being ended isn't waited for.
      await Promise.race([this.#queue.idle(), whenAborted(hard)]);
    } finally {
      signal.removeEventListener('abort', stop);
      hard.removeEventListener('abort', end);
      leave();
    }
  }

  #engageAll(signal: AbortSignal): () => void {
    const { clusters, watches } = this.#spec;
    const places = new Map<typeof clusters, Watch[]>([[clusters, []]]);
    for (const watch of watches) {
      const place = watch.on ?? clusters;
      places.set(place, [...(places.get(place) ?? []), watch]);
    }
    const leaves = [...places].map(([place, there]) =>
      place === clusters ? this.#engageOwn(there, signal) : this.#engageOther(place, there, signal),
    );
    return () => {
      for (const leave of leaves) leave();
    };
  }

  /** Where the controller's own objects are. */
  #engageOwn(watches: readonly Watch[], signal: AbortSignal): () => void {
    const { clusters } = this.#spec;
    const leave = clusters.engage(async (member, leaving) => {
      const view = this.#view(member.name, member.cluster, watches, {
        onParked: (isParked) => this.#park(member.name, isParked),
      });
      // A cluster that had this name before may still be finishing.
      this.#queue.remove(member.name);
      this.#views.set(member.name, view);
      view.park('unreachable', clusters.get(member.name)?.state === 'unreachable');
      // What is seen elsewhere may concern this cluster, too.
      for (const other of this.#others.values()) {
        other.repeat((target, priority) => this.#addTarget({ in: member.name, isOwn: true }, target, priority));
      }
      await view.follow(AbortSignal.any([leaving, signal]));
      if (!leaving.aborted) return;
      if (this.#views.get(member.name) === view) {
        this.#views.delete(member.name);
        this.#queue.remove(member.name);
      }
      this.#endCalls((own) => own === view, leaving.reason);
      await view.finished();
    });
    const ignore = clusters.listen(({ member }) => {
      this.#views.get(member.name)?.park('unreachable', clusters.get(member.name)?.state === 'unreachable');
    });
    return () => {
      leave();
      ignore();
    };
  }

  /** Where other objects are that concern the controller's own. */
  #engageOther(place: ControllerSpec['clusters'], watches: readonly Watch[], signal: AbortSignal): () => void {
    return place.engage(async (member, leaving) => {
      const view = this.#view(member.name, member.cluster, watches);
      this.#others.set(member.name, view);
      await view.follow(AbortSignal.any([leaving, signal]));
      if (this.#others.get(member.name) === view) this.#others.delete(member.name);
      // What was seen there isn't known any more.
      if (leaving.aborted && !signal.aborted) view.repeat();
    });
  }

  #view(
    name: string,
    cluster: Cluster,
    watches: readonly Watch[],
    own?: { readonly onParked: (isParked: boolean) => void },
  ): ClusterView {
    return new ClusterView({
      name,
      cluster,
      watches,
      environment: this.#environment,
      controller: this.#spec.name,
      syncPatienceMs: this.#spec.options.syncPatienceMs,
      add: (target, priority) => this.#addTarget({ in: name, isOwn: own !== undefined }, target, priority),
      ...own,
    });
  }

  #park(name: string, isParked: boolean): void {
    if (isParked) this.#queue.park(name);
    else this.#queue.unpark(name);
  }

  /** A target without a cluster is where the object was seen; of one seen elsewhere, it is in every cluster that the controller works in. */
  #addTarget(seen: { readonly in: string; readonly isOwn: boolean }, { cluster, ...key }: Target, priority: number): void {
    const text = formatKey(key);
    if (cluster === undefined && !seen.isOwn) {
      for (const name of this.#views.keys()) this.#queue.add(name, text, { priority });
      return;
    }
    const where = cluster ?? seen.in;
    if (this.#views.has(where)) this.#queue.add(where, text, { priority });
  }

  async #takeAll(): Promise<void> {
    const { clock } = this.#environment;
    for (let count = 1; ; count += 1) {
      await this.#room();
      const taken = await this.#queue.take();
      if (taken === undefined) return;
      void this.#call(taken);
      if (count % IN_A_ROW === 0) await clock.turn();
    }
  }

  async #room(): Promise<void> {
    const { inFlight = Number.POSITIVE_INFINITY } = this.#spec.options;
    while (this.#calls.size >= inFlight) {
      await new Promise<void>((resolve) => {
        this.#waitsForRoom = resolve;
      });
    }
  }

  #endCalls(which: (view: ClusterView) => boolean, reason: unknown): void {
    for (const [call, { view }] of this.#calls) if (which(view)) call.abort(reason);
  }

  /** One call, from the moment that its key is handed out to the moment that it is given back. */
  async #call(taken: Taken): Promise<void> {
    const view = this.#views.get(taken.cluster);
    if (view === undefined) {
      this.#queue.done(taken);
      return;
    }
    const call = new AbortController();
    this.#calls.set(call, { view, since: this.#environment.clock.monotonic() });
    if (this.#environment.hard.aborted) call.abort(this.#environment.hard.reason);
    const work = this.#reconcile(taken, view, call.signal);
    view.track(work);
    await this.#judge(taken, work, call);
    this.#calls.delete(call);
    this.#waitsForRoom?.();
    // Nobody else gets the object before the call has really ended, also where nobody waits for it any more.
    await work.catch(() => undefined);
    this.#queue.done(taken);
  }

  async #reconcile({ cluster: name, key, attempt }: Taken, view: ClusterView, signal: AbortSignal): Promise<Answer | undefined> {
    const place = parseKey(key);
    const { log } = this.#environment;
    const answer = await this.#spec.reconcile({
      cluster: view.cluster,
      request: { cluster: name, ...place },
      object: view.own.get(place),
      cached: (type, where = name) => this.#viewOf(where, view).cached(type),
      signal,
      log: log.with({ controller: this.#spec.name, cluster: name, object: key }),
      attempt,
    });
    return answer ?? undefined;
  }

  #viewOf(name: string, own: ClusterView): ClusterView {
    const view = name === own.name ? own : (this.#others.get(name) ?? this.#views.get(name));
    if (view !== undefined) return view;
    const message = 'nothing is watched there now';
    throw new ClustersetError({
      code: 'Unreachable',
      message,
      cluster: name,
      mend: 'check the name, and that the cluster is connected',
    });
  }

  async #judge(taken: Taken, work: Promise<Answer | undefined>, call: AbortController): Promise<void> {
    const { clock } = this.#environment;
    const { timeoutMs = TIMEOUT_MS } = this.#spec.options;
    const timeout = new ClustersetError({
      code: 'Timeout',
      message: `its reconcile took longer than ${timeoutMs} ms`,
      cluster: taken.cluster,
      object: { kind: this.#spec.name, ...parseKey(taken.key) },
    });
    const began = clock.monotonic();
    const cancel = clock.after(timeoutMs, () => call.abort(timeout));
    try {
      const answer = await unlessAborted(() => work, call.signal);
      this.#succeed(taken, answer, clock.monotonic() - began);
    } catch (error) {
      const isOverdue = call.signal.reason === timeout;
      // What was ended by us is nobody's failure: the cluster has left, or everything ends.
      if (call.signal.aborted && !isOverdue) return;
      this.#fail(taken, isOverdue && isAborted(error) ? timeout : error, clock.monotonic() - began);
    } finally {
      cancel();
    }
  }

  #succeed(taken: Taken, answer: Answer | undefined, durationMs: number): void {
    // A cluster that has left must not come back into the queue by a late answer.
    if (!this.#queue.isCurrent(taken)) return;
    const { cluster, key, priority } = taken;
    this.#queue.succeeded(cluster);
    if (answer !== undefined && 'retry' in answer) {
      this.#queue.retry(cluster, key, { priority: answer.priority ?? priority });
      this.#tell(taken, 'requeue', durationMs);
      return;
    }
    this.#queue.forget(cluster, key);
    if (answer !== undefined) {
      this.#queue.add(cluster, key, { afterMs: answer.requeueAfterMs, priority: answer.priority ?? priority });
    }
    this.#tell(taken, answer === undefined ? 'success' : 'requeue_after', durationMs);
  }

  #fail(taken: Taken, error: unknown, durationMs: number): void {
    if (!this.#queue.isCurrent(taken)) return;
    const { cluster, key, priority } = taken;
    const verdict = verdictOn(cluster, error);
    if (verdict === 'down') this.#queue.failed(cluster);
    else if (verdict === 'up') this.#queue.succeeded(cluster);
    if (isTerminal(error)) this.#queue.forget(cluster, key);
    else this.#queue.retry(cluster, key, { priority });
    this.#tell(taken, outcomeOf(error), durationMs, error);
  }

  #tell({ cluster, key, attempt }: Taken, outcome: ReconcileOutcome, durationMs: number, error?: unknown): void {
    const told = { fact: 'reconciled', controller: this.#spec.name, cluster, key, attempt, outcome, durationMs } as const;
    this.#environment.observe(error === undefined ? told : { ...told, error });
  }
}

function outcomeOf(error: unknown): ReconcileOutcome {
  if (isTerminal(error)) return 'terminal';
  return error instanceof ClustersetError && error.code === 'Timeout' && error.message.includes('reconcile')
    ? 'timeout'
    : 'error';
}
