import { type Cluster, ClustersetError, type ResourceType } from '../../kube/plain/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Observe } from '../observe/facts.ts';
import { Gate } from './gate.ts';
import type { IndexValues } from './index-of-objects.ts';
import { ObjectCache } from './object-cache.ts';
import { type ReflectorSettings, type ReflectorState, reflect } from './reflector.ts';
import type { CacheShape } from './shape.ts';
import { shielded } from './shielded.ts';
import { WatchListRefusals } from './watch-list-refusals.ts';

/** What {@link SharedCaches} are made with. */
export interface SharedCachesOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 up to 1, which spread retries. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Is told of lists and watches. */
  readonly observe?: Observe | undefined;
  /** Is told of listeners, projections and indexes that throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** How many caches are filled at a time. Default 4. A cluster that doesn't answer keeps no place for longer than a second. */
  readonly concurrency?: number | undefined;
  /** How all of them reflect. Default of `watchList` here: true. */
  readonly reflector?: ReflectorSettings | undefined;
  /** Whether what is kept is frozen: see `ObjectCacheOptions`. Default false. */
  readonly freeze?: boolean | undefined;
  /** How long a watch goes on when its last user has gone: one that is restarted finds it filled. Default 5 s. */
  readonly lingerMs?: number | undefined;
}

/** Which objects, and what of them. */
export interface OpenOptions {
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string | undefined;
  /** Text form, as for `kubectl -l`. */
  readonly labelSelector?: string | undefined;
  /** Default `full`. Projections are told apart by identity: give the same function for the same watch. */
  readonly shape?: CacheShape | undefined;
  /** Made on what is there already, and dropped when the last user that asked for it has gone. */
  readonly indexes?: Readonly<Record<string, IndexValues>> | undefined;
  /**
   * Whether a type that isn't served any more has no objects any more. Default false: not to know isn't the same as to know of none, and a type may
   * be away for a moment only, as behind a proxy. Objects that go with their definition are deleted before it, which a watch tells of; the state
   * says that the type isn't served.
   */
  readonly emptyWhenNotServed?: boolean | undefined;
}

/** A cache that several may use. */
export interface SharedCache {
  readonly cache: ObjectCache;
  /** How far the reflector is; `undefined` before its first word. */
  readonly state: ReflectorState | undefined;
  /** Calls back whenever the state is told, until the user's signal fires or what is returned is called. */
  onState(listener: (state: ReflectorState) => void): () => void;
}

interface Shared {
  readonly cache: ObjectCache;
  readonly stopping: AbortController;
  readonly listeners: Set<(state: ReflectorState) => void>;
  /** How many users have asked for an index. */
  readonly indexUsers: Map<string, number>;
  users: number;
  state: ReflectorState | undefined;
  /** Keeps it from ending. */
  stay: (() => void) | undefined;
  done: Promise<void>;
}

const LINGER_MS = 5000;

/**
 * One watch per cluster connection, type, namespace, label selector and shape, however many look at it. It ends a little after its last user has gone.
 *
 * ```ts
 * const { cache } = shared.open(cluster, DEPLOYMENTS, { shape: 'stripped' }, signal);
 * await cache.whenSynced(signal);
 * ```
 */
export class SharedCaches implements AsyncDisposable {
  readonly #options: SharedCachesOptions;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #refusals = new WatchListRefusals();
  readonly #shared = new Map<Cluster, Map<string, Shared>>();
  /** Projections have no names. */
  readonly #projections = new WeakMap<object, number>();
  #projectionCount = 0;
  #isClosed = false;

  constructor(options: SharedCachesOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#gate = new Gate({ clock: this.#clock, places: options.concurrency });
  }

  /** How many watches there are, with those that linger. */
  get size(): number {
    let size = 0;
    for (const shared of this.#shared.values()) size += shared.size;
    return size;
  }

  /**
   * A cache of these objects, for as long as the signal hasn't fired. It fills in the background.
   *
   * @throws the signal's reason where it has fired; RangeError where another user has another index of the same name; ClustersetError `Aborted`
   * after {@link SharedCaches.close}.
   */
  open(cluster: Cluster, type: ResourceType, options: OpenOptions, signal: AbortSignal): SharedCache {
    signal.throwIfAborted();
    if (this.#isClosed) {
      throw new ClustersetError({ code: 'Aborted', message: 'its caches were closed', cluster: cluster.name });
    }
    const own = this.#shared.get(cluster) ?? new Map<string, Shared>();
    this.#shared.set(cluster, own);
    const key = this.#keyOf(type, options);
    const known = own.get(key);
    // One that is about to end fills no more.
    const isThere = known !== undefined && !known.stopping.signal.aborted;
    const shared: Shared = isThere ? known : this.#begin(cluster, type, options, () => this.#forget(cluster, key, shared));
    if (!isThere) own.set(key, shared);
    this.#use(shared, options.indexes ?? {}, signal);
    const { cache, listeners } = shared;
    return {
      cache,
      get state() {
        return shared.state;
      },
      onState(listener) {
        // One listener may be told twice as well as two.
        const each = (state: ReflectorState): void => listener(state);
        const stop = (): void => {
          listeners.delete(each);
          signal.removeEventListener('abort', stop);
        };
        if (signal.aborted) return stop;
        listeners.add(each);
        signal.addEventListener('abort', stop, { once: true });
        return stop;
      },
    };
  }

  /** Ends all watches at once, also for those who still use them, and waits until they have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#shared.values()].flatMap((own) => [...own.values()]);
    for (const shared of all) this.#end(shared);
    await Promise.all(all.map(({ done }) => done));
  }

  /** {@link SharedCaches.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(cluster: Cluster, type: ResourceType, options: OpenOptions, onEnd: () => void): Shared {
    const { random = Math.random, observe, onError, freeze, reflector } = this.#options;
    const { shape, namespace, labelSelector, emptyWhenNotServed = false } = options;
    const shared: Shared = {
      cache: new ObjectCache({ clock: this.#clock, onError, freeze, shape }),
      stopping: new AbortController(),
      listeners: new Set(),
      indexUsers: new Map(),
      users: 0,
      state: undefined,
      stay: undefined,
      done: Promise.resolve(),
    };
    const { cache, stopping } = shared;
    const onState = (state: ReflectorState): void => this.#become(shared, state);
    const which = { cluster, type, namespace, labelSelector, emptyWhenNotServed, cache, clock: this.#clock, random, observe };
    const how = { signal: stopping.signal, gate: this.#gate, refusals: this.#refusals, onState };
    shared.done = reflect({ watchList: true, ...reflector, ...which, ...how }).then(() => {
      onEnd();
      if (stopping.signal.aborted) return;
      shared.stay?.();
      // Whoever opens it again begins anew, and may have another connection.
      onState({
        synced: false,
        error: new ClustersetError({ code: 'Aborted', message: 'the connection was closed', cluster: cluster.name }),
      });
    });
    return shared;
  }

  #become(shared: Shared, state: ReflectorState): void {
    shared.state = state;
    for (const listener of shared.listeners) {
      try {
        listener(state);
      } catch (error) {
        shielded(this.#options.onError)(error);
      }
    }
  }

  #use(shared: Shared, indexes: Readonly<Record<string, IndexValues>>, signal: AbortSignal): void {
    const { cache, indexUsers } = shared;
    const taken: string[] = [];
    shared.users += 1;
    shared.stay?.();
    shared.stay = undefined;
    const leave = (): void => {
      for (const name of taken) {
        const left = (indexUsers.get(name) ?? 0) - 1;
        indexUsers.set(name, left);
        if (left === 0) cache.removeIndex(name);
      }
      shared.users -= 1;
      if (shared.users > 0 || shared.stopping.signal.aborted) return;
      shared.stay = this.#clock.after(this.#options.lingerMs ?? LINGER_MS, () => this.#end(shared));
    };
    try {
      for (const [name, valuesOf] of Object.entries(indexes)) {
        cache.addIndex(name, valuesOf);
        taken.push(name);
        indexUsers.set(name, (indexUsers.get(name) ?? 0) + 1);
      }
    } catch (error) {
      leave();
      throw error;
    }
    signal.addEventListener('abort', leave, { once: true });
  }

  #end(shared: Shared): void {
    shared.stay?.();
    shared.stay = undefined;
    shared.stopping.abort();
  }

  #forget(cluster: Cluster, key: string, shared: Shared): void {
    const own = this.#shared.get(cluster);
    // There may be another by now.
    if (own?.get(key) !== shared) return;
    own.delete(key);
    if (own?.size === 0) this.#shared.delete(cluster);
  }

  #keyOf({ group, version, plural }: ResourceType, options: OpenOptions): string {
    const { namespace = '', labelSelector = '', shape = 'full', emptyWhenNotServed = false } = options;
    return JSON.stringify([
      group,
      version,
      plural,
      namespace,
      labelSelector,
      typeof shape === 'string' ? shape : this.#nameOf(shape),
      emptyWhenNotServed,
    ]);
  }

  #nameOf(projection: object): number {
    const known = this.#projections.get(projection);
    if (known !== undefined) return known;
    this.#projectionCount += 1;
    this.#projections.set(projection, this.#projectionCount);
    return this.#projectionCount;
  }
}
