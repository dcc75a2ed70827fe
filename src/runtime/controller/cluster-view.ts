import {
  type AnyObject,
  type Cluster,
  ClustersetError,
  formatKey,
  isSameResource,
  type KubeObject,
  keyOf,
  qualifiedPlural,
  type ResourceAddress,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { CacheEvent } from '../cache/cache-listeners.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { LOW_PRIORITY } from '../queue/lane.ts';
import { whenAborted } from '../when-aborted.ts';
import type { Target, Watch } from './describe.ts';
import type { Environment } from './environment.ts';
import type { Cached, CachedWhere } from './input.ts';
import type { Change } from './predicates.ts';

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
  /** Keys of its objects that failed because nothing was known of another cluster, by the name of that. */
  readonly #missed = new Map<string, Set<string>>();

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

  /** The controller's name. */
  get controller(): string {
    return this.#options.controller;
  }

  /**
   * What is seen of a type; `undefined` where it isn't watched here like that. Of several shapes the first counts.
   *
   * @throws ClustersetError `Unreachable` where it hasn't been seen yet: what isn't known isn't gone.
   * @throws TypeError where it is watched with several selectors, and more than one may be meant: what the other one sees would be taken for gone.
   */
  cached<T extends KubeObject>(type: ResourceType<T>, { namespace, labelSelector }: CachedWhere = {}): Cached<T> | undefined {
    let found: { readonly options: Watch['options']; readonly cache: ObjectCache } | undefined;
    for (const [{ type: watched, options }, cache] of this.#caches) {
      const isMeant =
        isSameResource(watched, type) &&
        (namespace === undefined || namespace === (options.namespace ?? '')) &&
        (labelSelector === undefined || labelSelector === (options.labelSelector ?? ''));
      if (!isMeant) continue;
      if (found !== undefined && !isSelectedAlike(found.options, options)) throw this.#ambiguous(type);
      found ??= { options, cache };
    }
    if (found === undefined || found.cache.synced) return found?.cache as Cached<T> | undefined;
    const message = `its ${qualifiedPlural(type)} have not been listed yet`;
    throw new ClustersetError({ code: 'Unreachable', message, cluster: this.name });
  }

  #ambiguous(type: ResourceAddress): TypeError {
    const plural = qualifiedPlural(type);
    return new TypeError(
      `the controller ${this.controller} watches ${plural} in ${this.name} with several selectors: say which is meant, as in cached(type, { labelSelector })`,
    );
  }

  /** A key failed because nothing is known of another cluster. */
  miss(cluster: string, key: string): void {
    const missed = this.#missed.get(cluster) ?? new Set();
    this.#missed.set(cluster, missed.add(key));
  }

  /** The keys that failed because nothing was known of a cluster, and forgets them. */
  takeMissed(cluster: string): Iterable<string> {
    const missed = this.#missed.get(cluster) ?? [];
    this.#missed.delete(cluster);
    return missed;
  }

  park(reason: ParkReason, isParked: boolean): void {
    const before = this.isParked;
    if (isParked) this.#parked.add(reason);
    else this.#parked.delete(reason);
    if (before !== this.isParked) this.#options.onParked?.(this.isParked);
  }

  /** Watches until the signal fires. Objects are parked, by whoever made this, until everything has been seen once. */
  async follow(signal: AbortSignal): Promise<void> {
    const stops: (() => void)[] = [];
    try {
      for (const watch of this.#options.watches) stops.push(this.#watch(watch, signal));
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
    for (const [watch, cache] of this.#caches) {
      for (const object of cache.values()) this.#pass(watch, { cluster: this.name, object, isInitial: true }, add);
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
    return cache.listen((event) => this.#pass(watch, changeOf(event, this.name), this.#options.add), { replay: true });
  }

  /** Names whom a change concerns. */
  #pass(watch: Watch, change: Change, add: ClusterViewOptions['add']): void {
    if (!this.#counts(watch, change)) return;
    // What was there already is less urgent than what happens (controller-runtime).
    const priority = change.isInitial ? LOW_PRIORITY : 0;
    const { object, previous } = change;
    if (object === undefined || previous === undefined) {
      for (const target of this.#targets(watch, object ?? previous)) add(target, priority);
      return;
    }
    const named = new Set<string>();
    for (const target of [...this.#targets(watch, previous), ...this.#targets(watch, object)]) {
      // As it is and as it was, an object mostly concerns the same.
      const id = `${target.cluster ?? ''} ${formatKey(target)}`;
      if (!named.has(id)) add(target, priority);
      named.add(id);
    }
  }

  /** A predicate that fails lets pass: one call too many does no harm. */
  #counts({ options }: Watch, change: Change): boolean {
    try {
      return options.when?.(change) !== false;
    } catch (error) {
      this.#complain('a predicate has failed', change.object ?? change.previous, error);
      return true;
    }
  }

  /** Whom an object concerns. One for which that can't be told must not keep anybody from hearing of the others. */
  #targets({ targets }: Watch, object: AnyObject | undefined): readonly Target[] {
    if (object === undefined) return [];
    try {
      return [...targets(object, this.name)];
    } catch (error) {
      this.#complain('it could not be told whom an object concerns', object, error);
      return [];
    }
  }

  #complain(what: string, object: AnyObject | undefined, error: unknown): void {
    this.#options.environment.log.log('error', `${what}: ${error instanceof Error ? error.message : String(error)}`, {
      controller: this.controller,
      cluster: this.name,
      kind: object?.kind,
      object: object === undefined ? undefined : formatKey(keyOf(object)),
    });
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

function isSelectedAlike(a: Watch['options'], b: Watch['options']): boolean {
  return (a.namespace ?? '') === (b.namespace ?? '') && (a.labelSelector ?? '') === (b.labelSelector ?? '');
}
