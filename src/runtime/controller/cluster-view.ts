import {
  type AnyObject,
  type Cluster,
  ClustersetError,
  formatKey,
  isSameResource,
  type KubeObject,
  qualifiedPlural,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { CacheEvent } from '../cache/cache-listeners.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { LOW_PRIORITY } from '../queue/lane.ts';
import type { Target, Watch } from './describe.ts';
import type { Environment } from './environment.ts';
import type { Change } from './predicates.ts';
import type { Cached } from './run.ts';

/** Why the objects of a cluster aren't worked on for now. */
export type ParkReason = 'unsynced' | 'unreachable';

/** What a {@link ClusterView} is made with. */
export interface ClusterViewOptions {
  readonly name: string;
  readonly cluster: Cluster;
  readonly watches: readonly Watch[];
  readonly environment: Environment;
  /** The controller's name, for log lines. */
  readonly controller: string;
  readonly syncPatienceMs?: number | undefined;
  readonly add: (target: Target, priority: number) => void;
  readonly onParked?: (isParked: boolean) => void;
}

const SYNC_PATIENCE_MS = 120_000;

/** What a controller sees of one cluster: a cache for each type that it watches there. */
export class ClusterView {
  readonly name: string;
  readonly cluster: Cluster;
  readonly #options: ClusterViewOptions;
  readonly #caches = new Map<Watch, ObjectCache>();
  readonly #parked = new Set<ParkReason>();
  readonly #working = new Set<Promise<unknown>>();

  constructor(options: ClusterViewOptions) {
    this.name = options.name;
    this.cluster = options.cluster;
    this.#options = options;
  }

  get isParked(): boolean {
    return this.#parked.size > 0;
  }

  /** The controller's own objects. */
  get own(): ObjectCache {
    const [cache] = this.#caches.values();
    if (cache === undefined) throw new TypeError(`nothing is watched in ${this.name}`);
    return cache;
  }

  /**
   * What is seen of a type.
   *
   * @throws TypeError where the controller doesn't watch it here.
   * @throws ClustersetError `Unreachable` where it hasn't been seen yet: what isn't known isn't gone.
   */
  cached<T extends KubeObject>(type: ResourceType<T>): Cached<T> {
    for (const [watch, cache] of this.#caches) {
      if (!isSameResource(watch.type, type)) continue;
      if (cache.synced) return cache as unknown as Cached<T>;
      const message = `its ${qualifiedPlural(type)} have not been listed yet`;
      throw new ClustersetError({ code: 'Unreachable', message, cluster: this.name });
    }
    const { controller } = this.#options;
    throw new TypeError(
      `the controller ${controller} does not watch ${qualifiedPlural(type)} in ${this.name}: say so with owns or watches`,
    );
  }

  park(reason: ParkReason, isParked: boolean): void {
    const before = this.isParked;
    if (isParked) this.#parked.add(reason);
    else this.#parked.delete(reason);
    if (before !== this.isParked) this.#options.onParked?.(this.isParked);
  }

  /** Watches until the signal fires. Objects are parked until everything has been seen once. */
  async follow(signal: AbortSignal): Promise<void> {
    const { watches } = this.#options;
    this.park('unsynced', true);
    const stops = watches.map((watch) => this.#watch(watch, signal));
    try {
      await this.#untilSynced(signal);
      this.park('unsynced', false);
      await whenAborted(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** Names everything that is seen once more: whom it concerns has changed. */
  repeat(add = this.#options.add): void {
    for (const [{ options, targets }, cache] of this.#caches) {
      for (const object of cache.values()) {
        if (options.when?.({ cluster: this.name, object, isInitial: true }) === false) continue;
        for (const target of targets(object, this.name)) add(target, LOW_PRIORITY);
      }
    }
  }

  /** A call that works on an object of this cluster. */
  track(work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  /** Resolves when no call is under way. */
  async finished(): Promise<void> {
    await Promise.all(this.#working);
  }

  #watch(watch: Watch, signal: AbortSignal): () => void {
    const { shape = 'stripped', namespace, labelSelector, indexes } = watch.options;
    const { caches } = this.#options.environment;
    const { cache } = caches.open(this.cluster, watch.type, { shape, namespace, labelSelector, indexes }, signal);
    this.#caches.set(watch, cache);
    return cache.listen((event) => this.#hear(watch, event), { replay: true });
  }

  #hear({ options, targets }: Watch, event: CacheEvent): void {
    const { add } = this.#options;
    const change = changeOf(event, this.name);
    if (options.when?.(change) === false) return;
    // What was there already is less urgent than what happens (controller-runtime).
    const priority = change.isInitial ? LOW_PRIORITY : 0;
    const named = new Set<string>();
    for (const object of seenIn(change)) {
      for (const target of targets(object, this.name)) {
        // As it is and as it was, an object mostly concerns the same.
        const id = `${target.cluster ?? ''} ${formatKey(target)}`;
        if (!named.has(id)) add(target, priority);
        named.add(id);
      }
    }
  }

  async #untilSynced(signal: AbortSignal): Promise<void> {
    const { environment, syncPatienceMs = SYNC_PATIENCE_MS, controller } = this.#options;
    const cancel = environment.clock.after(syncPatienceMs, () => {
      const missing = [...this.#caches].filter(([, { synced }]) => !synced).map(([{ type }]) => qualifiedPlural(type));
      environment.log.log('warn', `${missing.join(', ')} could not be listed yet; the cluster's objects wait`, {
        controller,
        cluster: this.name,
      });
    });
    try {
      await Promise.all([...this.#caches.values()].map((cache) => cache.whenSynced(signal)));
    } finally {
      cancel();
    }
  }
}

function changeOf(event: CacheEvent, cluster: string): Change {
  switch (event.type) {
    case 'added':
      return { cluster, object: event.object, isInitial: event.isInitial === true };
    case 'changed':
      return { cluster, object: event.object, previous: event.previous, isInitial: false };
    default:
      return { cluster, previous: event.previous, isInitial: false };
  }
}

function seenIn({ object, previous }: Change): readonly AnyObject[] {
  return [previous, object].filter((each) => each !== undefined);
}

/** Resolves when a signal has fired. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
