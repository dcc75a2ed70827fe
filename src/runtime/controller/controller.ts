import type { AnyObject, KubeObject, ResourceType } from '../../kube/plain/index.ts';
import type { GaugeReading } from '../observe/gauges.ts';
import type { BreakerOptions } from '../queue/breaker.ts';
import { type Clusters, itself, ownersOf, type SourceOptions, type Target, type Watch } from './describe.ts';
import type { Environment, Runnable } from './environment.ts';
import type { ReconcileInput } from './input.ts';
import type { Answer } from './outcome.ts';
import { ControllerRun } from './run.ts';

/**
 * Brings one object up to date. It is never called twice at the same time for one object, and is called again whenever something has changed
 * meanwhile. What it throws is tried again, later with every failure in a row, unless it is `terminal`.
 */
export type ReconcileObject<T extends KubeObject = AnyObject> = (
  input: ReconcileInput<T>,
) => Promise<Answer | undefined> | Promise<void>;

/** How a controller works. */
export interface ControllerOptions {
  /** Unique in a process: names its queue, metrics and log lines. Default: the kind in lower case. */
  readonly name?: string;
  /** How many objects of one cluster are worked on at the same time. Default 10: a cluster that hangs holds up so many of its own. */
  readonly inFlightPerCluster?: number;
  /** How many objects are worked on at the same time in all. Default: as many as the clusters allow. */
  readonly inFlight?: number;
  /**
   * How long one call may take; then its signal fires and it counts as failed. Default 60,000. The object isn't handed out again before the
   * call has really ended.
   */
  readonly timeoutMs?: number;
  /** First delay after a failure, doubled with every one in a row. Default 5 (client-go). */
  readonly retryBaseMs?: number;
  /** Longest delay. Default 1,000,000 (client-go). */
  readonly retryMaxMs?: number;
  /** When a cluster counts as out of order, so that its objects are parked. */
  readonly breaker?: BreakerOptions;
  /** After how long a type of a cluster that can't be listed is told of. Default 120,000. */
  readonly syncPatienceMs?: number;
}

/** A controller that is being described: which types it watches, and where. Each method gives a new description. */
export class ControllerBuilder<T extends KubeObject> {
  readonly #type: ResourceType<T>;
  readonly #watches: readonly Watch[];
  readonly #clusters: Clusters | undefined;

  constructor(type: ResourceType<T>, watches: readonly Watch[], clusters: Clusters | undefined) {
    this.#type = type;
    this.#watches = watches;
    this.#clusters = clusters;
  }

  /**
   * Watches objects that the controller makes, and calls it for their owner. `anyOwner`: for all owners of its type, not only for the one that
   * manages them.
   */
  owns<U extends KubeObject>(
    type: ResourceType<U>,
    { anyOwner = false, ...options }: SourceOptions<U> & { readonly anyOwner?: boolean } = {},
  ): ControllerBuilder<T> {
    return this.#with({ type, options: options as unknown as SourceOptions, targets: ownersOf(this.#type, anyOwner) });
  }

  /**
   * Watches other objects, and calls the controller for whatever `map` names: it is asked with an object as it is and as it was. `on` watches
   * them in other clusters, such as the host: a target that names no `cluster` is then in every cluster where the controller works.
   */
  watches<U extends KubeObject>(
    type: ResourceType<U>,
    map: (object: U, cluster: string) => Iterable<Target>,
    { on, ...options }: SourceOptions<U> & { readonly on?: Clusters } = {},
  ): ControllerBuilder<T> {
    const targets = map as unknown as Watch['targets'];
    return this.#with({ type, options: options as unknown as SourceOptions, targets, ...(on === undefined ? {} : { on }) });
  }

  /** Where its objects are: in the clusters of a set, or in one with `oneCluster`. */
  on(clusters: Clusters): ControllerBuilder<T> {
    return new ControllerBuilder(this.#type, this.#watches, clusters);
  }

  /**
   * The controller.
   *
   * @throws TypeError where {@link ControllerBuilder.on} hasn't said where it works.
   */
  reconcile(reconcile: ReconcileObject<T>, options: ControllerOptions = {}): Controller {
    if (this.#clusters === undefined) throw new TypeError(`say where the controller of ${this.#type.kind} works: .on(clusters)`);
    return new Controller({
      name: options.name ?? this.#type.kind.toLowerCase(),
      watches: this.#watches,
      clusters: this.#clusters,
      reconcile: reconcile as unknown as ReconcileObject,
      options,
    });
  }

  #with(watch: unknown): ControllerBuilder<T> {
    return new ControllerBuilder(this.#type, [...this.#watches, watch as Watch], this.#clusters);
  }
}

/** A controller as it was described. */
export interface ControllerSpec {
  readonly name: string;
  /** The first is that of its own objects. */
  readonly watches: readonly Watch[];
  readonly clusters: Clusters;
  readonly reconcile: ReconcileObject;
  readonly options: ControllerOptions;
}

/** Starts the description of a controller: of which type its own objects are. */
export function controller<T extends KubeObject>(type: ResourceType<T>, options: SourceOptions<T> = {}): ControllerBuilder<T> {
  const own = { type, options, targets: itself } as unknown as Watch;
  return new ControllerBuilder(type, [own], undefined);
}

/**
 * Keeps objects of one type up to date in many clusters: each has its own caches and its own share of the queue, and is worked on as soon as
 * its own caches are filled. None waits for another. Made with {@link controller}; runs by itself or in a `Manager`.
 */
export class Controller implements Runnable {
  readonly name: string;
  readonly #spec: ControllerSpec;
  #run: ControllerRun | undefined;

  constructor(spec: ControllerSpec) {
    this.name = spec.name;
    this.#spec = spec;
  }

  /** Whether nothing is ready to be worked on; what waits for its time, or is parked, doesn't count. */
  get idle(): boolean {
    return this.#run?.idle ?? true;
  }

  /** Numbers of this moment, for metrics. */
  gauges(): Iterable<GaugeReading> {
    return this.#run?.gauges() ?? [];
  }

  /**
   * Calls the controller for an object, although nothing has changed: something outside of all clusters has, for one. Nothing happens while it
   * doesn't run, or isn't in the cluster: it is called for everything that is there when it comes.
   */
  enqueue(
    request: Target & { readonly cluster: string },
    options: { readonly afterMs?: number; readonly priority?: number } = {},
  ): void {
    this.#run?.enqueue(request, options);
  }

  /** Works until the signal fires, then finishes what is under way. One run at a time. */
  async run(environment: Environment, signal: AbortSignal): Promise<void> {
    if (this.#run !== undefined) throw new TypeError(`the controller ${this.name} runs already`);
    const run = new ControllerRun(this.#spec, environment);
    this.#run = run;
    try {
      await run.work(signal);
    } finally {
      this.#run = undefined;
    }
  }
}
