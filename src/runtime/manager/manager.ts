import { ClustersetError } from '../../kube/plain/index.ts';
import { SharedCaches, type SharedCachesOptions } from '../cache/shared-caches.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Environment, Runnable } from '../controller/environment.ts';
import { Elector, type ElectorOptions } from '../election/elector.ts';
import type { Fence } from '../election/fence.ts';
import { handlers } from '../observe/answers.ts';
import { type Observe, observers } from '../observe/facts.ts';
import { collectGauges, type GaugeSource } from '../observe/gauges.ts';
import { type HealthOptions, healthHandler } from '../observe/health.ts';
import { type Logger, silent } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { runtimeMetrics } from '../observe/runtime-metrics.ts';
import { whenAborted } from '../when-aborted.ts';
import { Group } from './group.ts';
import { StandingFence } from './standing-fence.ts';

/** What has to be there before others, and until after them: a `ClusterSet`, for one. */
export interface Resource {
  /** Begins. What it returns isn't waited for: no cluster holds up another. Where it throws or rejects, everything ends. */
  start?(): unknown;
  /** Ends; is waited for, for a while. */
  stop(): Promise<void>;
}

/** What a {@link Manager} is made with. */
export interface ManagerOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads what would otherwise happen all at once. */
  readonly random: () => number;
  readonly observe?: Observe;
  /** Default: says nothing. */
  readonly log?: Logger;
  /** Of the caches that all share. */
  readonly caches?: Omit<SharedCachesOptions, 'clock' | 'random' | 'observe'>;
  /**
   * Where replicas of this process choose one of them that leads. What is added leads unless it says otherwise. Who loses the lease ends the work
   * at once, and waits for its turn again.
   */
  readonly election?: Omit<ElectorOptions, 'clock' | 'random' | 'observe' | 'onStarted' | 'onStopped'>;
  /** Where numbers are counted: controller-runtime's, with the cluster. Served by {@link Manager.handle}. Default: nobody counts. */
  readonly metrics?: Metrics;
  /** Who is asked whether all is well, beside the manager itself: served by {@link Manager.handle}. */
  readonly checks?: HealthOptions['checks'];
  /** How long what is under way has to finish in the end. Default 30,000 (controller-runtime). */
  readonly graceMs?: number;
}

/** Options of {@link Manager.add}. */
export interface AddOptions {
  /** Whether only the replica that leads runs it. Default: where there is an election. */
  readonly leads?: boolean;
}

const GRACE_MS = 30_000;
/** What doesn't mind being ended by force isn't waited for any longer. */
const FORCE_MS = 1_000;

/**
 * Starts controllers and what they need, and stops them in order: first what leads, then the rest, then the lease is given back, then clusters are
 * let go. What fails ends everything: a process that does half of its work looks well and isn't. A manager runs once.
 *
 * ```ts
 * const manager = new Manager({ random: Math.random, election: { cluster: host, namespace: 'fleet', name: 'mirror', identity } });
 * manager.use(members).add(mirror);
 * await manager.run(signal);
 * ```
 */
export class Manager implements AsyncDisposable {
  readonly #options: ManagerOptions & { readonly clock: Clock };
  readonly #environment: Omit<Environment, 'hard'>;
  readonly #resources: Resource[] = [];
  readonly #everywhere: Runnable[] = [];
  readonly #leading: Runnable[] = [];
  readonly #fence = new StandingFence();
  readonly #stopping = new AbortController();
  #elector: Elector | undefined;
  #failure: { readonly error: unknown } | undefined;
  #running: Promise<void> | undefined;

  /** @throws ClustersetError `Invalid` where the times of the election don't fit together. */
  constructor(options: ManagerOptions) {
    const { clock = systemClock, random, log = silent } = options;
    const { metrics } = options;
    const counted = metrics === undefined ? [] : [runtimeMetrics({ metrics })];
    const observe = observers(...(options.observe === undefined ? [] : [options.observe]), ...counted);
    this.#options = { ...options, clock };
    if (metrics !== undefined) collectGauges({ metrics, sources: () => this.runnables.filter(hasGauges) });
    // What nobody is told of looks like work that waits: a lease that may not be read, for one.
    const complain = (what: string) => (error: unknown) => log.log('warn', `${what}: ${messageOf(error)}`);
    const onCacheError = complain('an index, a shape or a listener of a cache has failed');
    const caches = new SharedCaches({ onError: onCacheError, ...options.caches, clock, random, observe });
    this.#environment = { clock, random, observe, log, caches };
    if (options.election !== undefined) {
      const onStarted = (fence: Fence): Promise<void> => {
        this.#ended = this.#lead(fence);
        return this.#ended;
      };
      this.#elector = new Elector({
        onError: complain('the lease could not be read or written'),
        ...options.election,
        clock,
        random,
        observe,
        onStarted,
      });
    }
  }

  /** Where facts go: hand it to what tells of some, such as a `ClusterSet`, connections, `Shards`. Metrics are counted of all that come here. */
  get observe(): Observe {
    return this.#environment.observe;
  }

  /** One watch per cluster and type, for all that runs here. */
  get caches(): SharedCaches {
    return this.#environment.caches;
  }

  /**
   * The right to write, for `fenced`: valid while this process leads. Without an election nobody needs it.
   *
   * @throws TypeError where there is no election.
   */
  get fence(): Fence {
    if (this.#elector === undefined)
      throw new TypeError('without an election there is no fence: give the manager one, or write without');
    return this.#fence;
  }

  /** Who leads, as was last seen; empty where nobody is known to, or there is no election. */
  get leader(): string {
    return this.#elector?.leader ?? '';
  }

  /** Starts something before, and stops it after what is {@link Manager.add}ed; the last one first. */
  use(resource: Resource): this {
    this.#refuseLate();
    this.#resources.push(resource);
    return this;
  }

  /** Runs something. @throws TypeError for a name that is taken, and once the manager runs. */
  add(runnable: Runnable, { leads = this.#elector !== undefined }: AddOptions = {}): this {
    this.#refuseLate();
    if (this.runnables.some(({ name }) => name === runnable.name))
      throw new TypeError(`there are two of the name ${runnable.name}`);
    (leads ? this.#leading : this.#everywhere).push(runnable);
    return this;
  }

  /** All that was added. */
  get runnables(): readonly Runnable[] {
    return [...this.#everywhere, ...this.#leading];
  }

  /**
   * Answers `/metrics`, `/healthz`, `/livez` and `/readyz`, for whatever serves HTTP. A replica that only waits for the lease is well and ready.
   */
  get handle(): (request: Request) => Promise<Response> {
    const { clock, checks = {}, metrics } = this.#options;
    const healthz = { ...checks.healthz, 'leader-election': () => this.#checkLease() };
    const health = healthHandler({ clock, checks: { ...checks, healthz } });
    return metrics === undefined ? handlers(health) : handlers((request) => metrics.handle(request), health);
  }

  /** Work that goes on although the lease is lost. */
  #checkLease(): void {
    if (this.#term !== undefined && !this.#fence.isValid()) throw overdue();
  }

  /** Begins in the background; {@link Manager.stop} tells of failures. */
  start(): void {
    void this.run(new AbortController().signal).catch(() => undefined);
  }

  /**
   * Runs until the signal fires, {@link Manager.stop} is called, or something fails.
   *
   * @throws whatever a runnable threw, after everything else was stopped in order.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#stopping.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#running ??= this.#runAll();
    try {
      await this.#running;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Stops everything in order. @throws what has failed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** {@link Manager.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #refuseLate(): void {
    if (this.#running !== undefined) throw new TypeError('the manager runs already: add everything before');
  }

  async #runAll(): Promise<void> {
    const { signal } = this.#stopping;
    for (const resource of this.#resources) if (!signal.aborted) this.#begin(resource);
    if (!signal.aborted) await this.#work(signal);
    // Watches go on for a while without users, and would keep a process from ending.
    await this.#patiently(this.caches.close(), FORCE_MS);
    for (const resource of this.#resources.toReversed()) await this.#end(resource);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Starts all that runs, and stops it in order when the signal fires. */
  async #work(signal: AbortSignal): Promise<void> {
    const groups = [this.#start(this.#everywhere)];
    const campaigning = new AbortController();
    const campaign = this.#elector === undefined ? undefined : this.#campaign(this.#elector, campaigning.signal);
    if (campaign === undefined) groups.push(this.#start(this.#leading));
    await whenAborted(signal);
    await this.#finish([...(this.#term === undefined ? [] : [this.#term]), ...groups.reverse()]);
    // Not before the work is over: another takes up the lease at once.
    campaigning.abort();
    await campaign;
  }

  /** What can't begin ends everything, now or when it says so. */
  #begin(resource: Resource): void {
    void (async () => resource.start?.())().catch((error: unknown) => this.#fail('the start of a resource', error));
  }

  /** One that can't stop must not keep the others from it. */
  async #end(resource: Resource): Promise<void> {
    const stopped = (async () => resource.stop())().catch((error: unknown) => this.#fail('the stop of a resource', error));
    await this.#patiently(stopped, this.#grace);
  }

  /** What runs while this process leads. */
  #term: Group | undefined;
  /** Resolves when the last term has ended, and all its work with it. */
  #ended: Promise<void> = Promise.resolve();

  get #grace(): number {
    return this.#options.graceMs ?? GRACE_MS;
  }

  #start(runnables: readonly Runnable[]): Group {
    return new Group(runnables, this.#environment, (runnable, error) => this.#fail(runnable.name, error));
  }

  #fail(name: string, error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort();
    try {
      this.#environment.log.log('error', `${name} has failed`, { error: messageOf(error) });
    } catch {
      // Who runs this is told in any case.
    }
  }

  /** Waits for the lease, and for the next when it is lost. */
  async #campaign(elector: Elector, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#stopping.signal.aborted) {
      try {
        await elector.run(signal);
        // The elector doesn't wait for ever, and the next term must not begin beside this one.
        await this.#ended;
      } catch (error) {
        this.#fail('leader election', error);
        return;
      }
    }
  }

  /** One term: its work ends with its fence at the latest, by force; and its fence holds although there is no work, or no more. */
  async #lead(fence: Fence): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#fence.term = fence;
    const group = this.#start(this.#leading);
    this.#term = group;
    await whenAborted(fence.signal);
    group.kill(fence.signal.reason);
    // What still writes is refused by the fence; but two terms must not work at the same time in one process.
    if (!(await this.#patiently(group.done, this.#grace))) this.#fail('leader election', overdue());
    this.#fence.term = undefined;
    this.#term = undefined;
  }

  /** Stops groups one after the other, in all within the time of grace. */
  async #finish(groups: readonly Group[]): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonic() + this.#grace;
    for (const group of groups) {
      group.stop();
      if (await this.#patiently(group.done, Math.max(0, until - clock.monotonic()))) continue;
      group.kill(new ClustersetError({ code: 'Aborted', message: `it did not finish within ${this.#grace} ms` }));
      await this.#patiently(group.done, FORCE_MS);
    }
  }

  /** Waits for something for a while. Whether it has ended. */
  #patiently(work: Promise<unknown>, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, () => resolve(false));
      const end = (): void => {
        cancel();
        resolve(true);
      };
      work.then(end, end);
    });
  }
}

function hasGauges(runnable: Runnable): runnable is Runnable & GaugeSource {
  return runnable.gauges !== undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function overdue(): ClustersetError {
  return new ClustersetError({
    code: 'Timeout',
    message: 'the lease was lost, and the work did not end',
    mend: 'hand the signal of a reconcile on to everything that it waits for',
  });
}
