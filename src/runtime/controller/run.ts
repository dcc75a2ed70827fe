import { type Cluster, ClustersetError, formatKey, isClustersetError, parseKey } from '../../kube/plain/index.ts';
import { type Observe, type ReconcileOutcome, told } from '../observe/facts.ts';
import { GAUGES, type GaugeReading } from '../observe/gauges.ts';
import { FairQueue, type Taken } from '../queue/fair-queue.ts';
import { LOW_PRIORITY } from '../queue/lane.ts';
import type { EngageHandler } from '../set/engagement.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { ClusterView } from './cluster-view.ts';
import type { ControllerSpec } from './controller.ts';
import type { Request, Target, Watch } from './describe.ts';
import type { Environment } from './environment.ts';
import { type Answer, checkedAnswer, isTerminal, verdictOn } from './outcome.ts';
import { Views } from './views.ts';

const TIMEOUT_MS = 60_000;
/** What is in hand already takes no time to wait for: after so many, timers and answers get their turn. */
const IN_A_ROW = 16;

/** A controller at work: one queue for all clusters, a view of each. */
export class ControllerRun {
  readonly #spec: ControllerSpec;
  readonly #environment: Environment;
  readonly #queue: FairQueue;
  readonly #views = new Views();
  readonly #observe: Observe;
  /** What is under way, and how to end it. */
  readonly #calls = new Map<AbortController, { readonly view: ClusterView; readonly since: number }>();
  /** Reasons of ours for calls that took too long. */
  readonly #overdues = new WeakSet<object>();
  #waitsForRoom: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(spec: ControllerSpec, environment: Environment) {
    this.#spec = spec;
    this.#environment = environment;
    this.#observe = told(environment.observe);
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
    for (const [cluster, view] of this.#views.own) {
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
    if (this.#views.own.has(cluster)) this.#queue.add(cluster, formatKey(key), options);
  }

  /**
   * Works until the signal fires; then what is under way is let finish, or ended by the environment. A call that doesn't mind being ended is waited
   * for all the same: it may still write, and whoever comes next must not work on the same object at the same time.
   */
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
      await this.#queue.idle();
      if (this.#failure !== undefined) throw this.#failure.error;
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
      place === clusters ? this.#engageOwn(there) : this.#engageOther(place, there, signal),
    );
    return () => {
      for (const leave of leaves) leave();
    };
  }

  /** A cluster in which the controller can't even begin to watch has nothing to do with it: the description of its watches is at fault. */
  #shielded<Entry>(handler: EngageHandler<Entry>): EngageHandler<Entry> {
    return async (member, leaving) => {
      try {
        await handler(member, leaving);
      } catch (error) {
        if (leaving.aborted) return;
        this.#failure ??= { error };
        this.#queue.close();
      }
    };
  }

  /** Where the controller's own objects are. They are watched as long as somebody works on them, so that who finishes sees what he does. */
  #engageOwn(watches: readonly Watch[]): () => void {
    const { clusters } = this.#spec;
    const { own, others } = this.#views;
    const handler: EngageHandler<unknown> = async (member, leaving) => {
      const { name } = member;
      const view = this.#view(name, member.cluster, watches, true);
      // A cluster that had this name before may still be finishing.
      this.#queue.remove(name);
      own.set(name, view);
      // Before anything is named there: what hasn't been listed looks as if it were gone.
      view.park('unsynced', true);
      view.park('unreachable', clusters.get(name)?.state === 'unreachable');
      // What is seen elsewhere may concern this cluster, too.
      for (const other of others) {
        other.repeat((target, priority) => this.#addTarget({ in: name, isOwn: true }, target, priority));
      }
      await view.follow(leaving);
      if (own.get(name) === view) {
        own.delete(name);
        this.#queue.remove(name);
      }
      this.#endCalls((each) => each === view, leaving.reason);
      await view.finished();
    };
    const leave = clusters.engage(this.#shielded(handler));
    const ignore = clusters.listen(({ member: { name }, previous }) => {
      const state = clusters.get(name)?.state;
      // One that leaves, or joins anew under its name, must not let out the keys of its former self.
      if (state !== undefined && state !== 'joining') own.get(name)?.park('unreachable', state === 'unreachable');
      if (state === 'ready' && previous !== undefined && previous.state !== 'ready') this.#queue.forgive(name);
    });
    return () => {
      leave();
      ignore();
    };
  }

  /** Where other objects are that concern the controller's own. */
  #engageOther(place: ControllerSpec['clusters'], watches: readonly Watch[], signal: AbortSignal): () => void {
    const { others } = this.#views;
    const handler: EngageHandler<unknown> = async (member, leaving) => {
      const view = this.#view(member.name, member.cluster, watches, false);
      others.add(view);
      view.park('unsynced', true);
      await view.follow(leaving);
      others.delete(view);
      // What was seen there isn't known any more.
      if (!signal.aborted) view.repeat();
    };
    return place.engage(this.#shielded(handler));
  }

  #view(name: string, cluster: Cluster, watches: readonly Watch[], isOwn: boolean): ClusterView {
    return new ClusterView({
      name,
      cluster,
      watches,
      environment: this.#environment,
      controller: this.#spec.name,
      syncPatienceMs: this.#spec.options.syncPatienceMs,
      add: (target, priority) => this.#addTarget({ in: name, isOwn }, target, priority),
      onParked: (isParked) => {
        if (isOwn && isParked) this.#queue.park(name);
        else if (isOwn) this.#queue.unpark(name);
        if (!isParked) this.#remind(name);
      },
    });
  }

  /** Something is known of a cluster now: whoever has failed for want of it needn't wait for his time. */
  #remind(name: string): void {
    for (const [cluster, view] of this.#views.own) {
      for (const key of view.takeMissed(name)) this.#queue.add(cluster, key, { priority: LOW_PRIORITY });
    }
  }

  /** A target without a cluster is where the object was seen; of one seen elsewhere, it is in every cluster that the controller works in. */
  #addTarget(seen: { readonly in: string; readonly isOwn: boolean }, { cluster, ...key }: Target, priority: number): void {
    const text = formatKey(key);
    if (cluster === undefined && !seen.isOwn) {
      for (const name of this.#views.own.keys()) this.#queue.add(name, text, { priority });
      return;
    }
    const where = cluster ?? seen.in;
    if (this.#views.own.has(where)) this.#queue.add(where, text, { priority });
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
    const view = this.#views.own.get(taken.cluster);
    // The cluster may have left between the moment that the key was handed out and this one, and may have come back.
    if (view === undefined || !this.#queue.isCurrent(taken)) {
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
      cached: (type, where) => this.#views.cached(view, type, where),
      signal,
      log: log.with({ controller: this.#spec.name, cluster: name, object: key }),
      attempt,
    });
    return checkedAnswer(answer);
  }

  async #judge(taken: Taken, work: Promise<Answer | undefined>, call: AbortController): Promise<void> {
    const { clock } = this.#environment;
    const { timeoutMs = TIMEOUT_MS } = this.#spec.options;
    const began = clock.monotonic();
    const cancel = clock.after(timeoutMs, () => call.abort(this.#overdue(taken, timeoutMs)));
    try {
      const answer = await unlessAborted(() => work, call.signal);
      this.#succeed(taken, answer, clock.monotonic() - began);
    } catch (error) {
      const isOverdue = this.#overdues.has(call.signal.reason);
      // What was ended by us is nobody's failure: the cluster has left, or everything ends.
      if (call.signal.aborted && !isOverdue) return;
      this.#fail(taken, error, clock.monotonic() - began, isOverdue);
    } finally {
      cancel();
    }
  }

  #overdue({ cluster, key }: Taken, timeoutMs: number): ClustersetError {
    const message = `its reconcile took longer than ${timeoutMs} ms`;
    const object = { kind: this.#spec.name, ...parseKey(key) };
    const error = new ClustersetError({ code: 'Timeout', message, cluster, object });
    this.#overdues.add(error);
    return error;
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

  #fail(taken: Taken, error: unknown, durationMs: number, isOverdue: boolean): void {
    if (!this.#queue.isCurrent(taken)) return;
    const { cluster, key, priority } = taken;
    const verdict = verdictOn(cluster, error);
    if (verdict === 'down') this.#queue.failed(cluster);
    else if (verdict === 'up') this.#queue.succeeded(cluster);
    if (isTerminal(error)) this.#queue.forget(cluster, key);
    else this.#queue.retry(cluster, key, { priority });
    const unseen = isClustersetError(error) && error.code === 'Unreachable' ? error.cluster : undefined;
    if (unseen !== undefined && unseen !== cluster) this.#views.own.get(cluster)?.miss(unseen, key);
    this.#tell(taken, outcomeOf(error, isOverdue), durationMs, error);
  }

  #tell({ cluster, key, attempt }: Taken, outcome: ReconcileOutcome, durationMs: number, error?: unknown): void {
    const fact = { fact: 'reconciled', controller: this.#spec.name, cluster, key, attempt, outcome, durationMs } as const;
    this.#observe(error === undefined ? fact : { ...fact, error });
  }
}

function outcomeOf(error: unknown, isOverdue: boolean): ReconcileOutcome {
  if (isOverdue) return 'timeout';
  return isTerminal(error) ? 'terminal' : 'error';
}
