import { type AnyObject, ClustersetError, formatKey, keyOf, type ObjectKey } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { type CacheEvent, type CacheListener, CacheListeners, type ListenOptions } from './cache-listeners.ts';
import { IndexOfObjects, type IndexValues } from './index-of-objects.ts';
import { type CacheShape, deepFreeze, shaping } from './shape.ts';
import { shielded } from './shielded.ts';
import { versionOrder } from './version.ts';
import { Waiters } from './waiters.ts';

/** What an {@link ObjectCache} is made with. */
export interface ObjectCacheOptions {
  /** Is told of listeners, projections and indexes that throw. Default: nobody is. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** What is kept of an object. Default `full`. */
  readonly shape?: CacheShape | undefined;
  /** Under which values objects are found with {@link ObjectCache.byIndex}. */
  readonly indexes?: Readonly<Record<string, IndexValues>> | undefined;
  /**
   * Whether everything that is kept is frozen, to the last field: then whoever changes what is shared is told by a `TypeError`. For development and
   * tests: it costs a walk over each object. An answer that is put in is frozen, too. Default false.
   */
  readonly freeze?: boolean | undefined;
  /** For the age in {@link ObjectCache.freshness}. */
  readonly clock?: Pick<Clock, 'monotonic'> | undefined;
}

/** How far a cache is behind its cluster, at most. */
export interface Freshness {
  /** Everything up to this version has been seen; empty before the first fill, and while the type isn't served. */
  readonly version: string;
  /** How long ago the server gave its last sign of life: a list, an event, a bookmark. Infinite before the first, and without a clock. */
  readonly ageMs: number;
  readonly synced: boolean;
}

/** What a list brings, piece by piece: nobody sees any of it before {@link CacheFilling.finish}. */
export interface CacheFilling {
  /** How many objects have been brought. */
  readonly size: number;
  /** Takes an object in. */
  add(object: AnyObject): void;
  /** Takes an object out again. */
  remove(object: AnyObject): void;
  /** Begins from the start. */
  clear(): void;
  /** Makes this all that there is, as of a version of the collection. */
  finish(version: string): void;
}

/**
 * The objects of one type in one cluster, as last seen. A reflector keeps it up to date; whoever writes an object may put the answer in, so
 * that the next look sees its own write. Older versions of an object never replace newer ones. Objects are shared: nobody may change them.
 *
 * A cache that hasn't been filled has nothing but what was put in: `synced` tells, and {@link ObjectCache.whenSynced} waits.
 */
export class ObjectCache {
  #objects = new Map<string, AnyObject>();
  #synced = false;
  /** Everything up to this version has been seen. */
  #seen = '';
  #lastSign: number | undefined;
  readonly #indexes = new Map<string, IndexOfObjects>();
  /** Made when it is asked for first. */
  #byNamespace: IndexOfObjects | undefined;
  readonly #listeners: CacheListeners;
  readonly #versionWaiters = new Waiters();
  readonly #syncWaiters = new Waiters();
  readonly #onError: (error: unknown) => void;
  readonly #kept: (object: AnyObject) => AnyObject;
  readonly #clock: Pick<Clock, 'monotonic'> | undefined;

  constructor(options: ObjectCacheOptions = {}) {
    const { shape = 'full', indexes = {}, freeze = false, clock } = options;
    const onError = shielded(options.onError);
    this.#onError = onError;
    this.#clock = clock;
    this.#listeners = new CacheListeners(onError);
    const shaped = shaping(shape, onError);
    this.#kept = freeze ? (object) => deepFreeze(shaped(object)) : shaped;
    for (const [name, valuesOf] of Object.entries(indexes)) this.addIndex(name, valuesOf);
  }

  /** Whether the cache has been filled once. */
  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** An object, as it is kept; what is returned is shared. */
  get(key: ObjectKey): AnyObject | undefined {
    return this.#objects.get(formatKey(key));
  }

  /** All objects, in no order that means anything. */
  values(): IterableIterator<AnyObject> {
    return this.#objects.values();
  }

  /** The objects of one namespace; those that are in none for the empty name. */
  byNamespace(namespace: string): readonly AnyObject[] {
    this.#byNamespace ??= new IndexOfObjects(({ metadata }) => [metadata.namespace ?? ''], this.#objects, this.#onError);
    return this.#found(this.#byNamespace, namespace);
  }

  /** The objects for which an index says this value. @throws RangeError for an index that there isn't. */
  byIndex(name: string, value: string): readonly AnyObject[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`there is no index ${JSON.stringify(name)}`);
    return this.#found(index, value);
  }

  /** Adds an index, over what is there and what comes. @throws RangeError where another function has the name. */
  addIndex(name: string, valuesOf: IndexValues): void {
    const known = this.#indexes.get(name);
    if (known?.valuesOf === valuesOf) return;
    if (known !== undefined) throw new RangeError(`there is another index ${JSON.stringify(name)}: give this one another name`);
    this.#indexes.set(name, new IndexOfObjects(valuesOf, this.#objects, this.#onError));
  }

  /** Drops an index. */
  removeIndex(name: string): void {
    this.#indexes.delete(name);
  }

  /** Calls back on every change from now on, in order. The listener may write to the cache: what that sets off is told afterwards. */
  listen(listener: CacheListener, { replay = false, signal }: ListenOptions = {}): () => void {
    return this.#listeners.add(listener, replay ? [...this.#objects.values()] : [], signal);
  }

  /** How far the cache is behind its cluster, at most. */
  freshness(): Freshness {
    const now = this.#clock?.monotonic();
    const isKnown = now !== undefined && this.#lastSign !== undefined;
    return {
      version: this.#seen,
      ageMs: isKnown ? now - (this.#lastSign ?? now) : Number.POSITIVE_INFINITY,
      synced: this.#synced,
    };
  }

  /** Resolves when the cache has been filled; rejects with the signal's reason. */
  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.#synced ? Promise.resolve() : this.#syncWaiters.wait('', signal);
  }

  /**
   * Resolves when everything up to a version has been seen, in an event, a list or a bookmark (which comes every minute): then whoever wrote that
   * version reads its own write, and everything before it.
   *
   * Rejects with the signal's reason; and with `Expired` where versions go back while it waits, for the cluster was restored or the type is no longer
   * served, and the version may never come. Who comes after that with a version from before waits until the versions get there: give a signal.
   *
   * @throws RangeError for what is no version that can be compared.
   */
  async waitForVersion(version: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (Number.isNaN(versionOrder(version, '1'))) throw new RangeError(`${JSON.stringify(version)} is no resource version`);
    if (versionOrder(this.#seen, version) >= 0) return;
    await this.#versionWaiters.wait(version, signal);
  }

  /**
   * Takes an object in, unless a newer version of it is there, or has been: what a watch has passed by already is old, and the object may be
   * gone since.
   */
  put(object: AnyObject): void {
    const { resourceVersion = '' } = object.metadata;
    if (versionOrder(resourceVersion, this.#seen) <= 0) return;
    const key = formatKey(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous !== undefined && !isNewer(object, previous)) return;
    const kept = this.#kept(object);
    this.#objects.set(key, kept);
    this.#index(key, previous, kept);
    const event: CacheEvent =
      previous === undefined ? { type: 'added', object: kept } : { type: 'changed', object: kept, previous };
    this.#listeners.tell([event]);
  }

  /** Takes an object out, unless there is another of the same name by now. */
  remove(object: AnyObject): void {
    const key = formatKey(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous === undefined || previous.metadata.uid !== object.metadata.uid) return;
    this.#objects.delete(key);
    this.#index(key, previous, undefined);
    this.#listeners.tell([{ type: 'removed', previous }]);
  }

  /** Says that everything up to a version of the collection has been put in or taken out. */
  advance(version: string): void {
    const isBack = this.#seen !== '' && !(versionOrder(version, this.#seen) >= 0);
    this.#seen = version;
    this.#lastSign = this.#clock?.monotonic();
    if (version !== '') this.#versionWaiters.reach(version);
    if (isBack) this.#versionWaiters.fail(goneBack);
  }

  /** Takes in everything that there is, as of one version of the collection: what isn't in it is gone. */
  replace(objects: readonly AnyObject[], version = ''): void {
    const filling = this.filling();
    for (const object of objects) filling.add(object);
    filling.finish(version);
  }

  /** Begins to collect everything that there is, so that it can replace what is here in one go. Each object gets its shape as it comes. */
  filling(): CacheFilling {
    const objects = new Map<string, AnyObject>();
    return {
      get size() {
        return objects.size;
      },
      add: (object) => {
        const key = formatKey(keyOf(object));
        const known = this.#objects.get(key);
        objects.set(key, known !== undefined && isSame(known, object) ? known : this.#kept(object));
      },
      remove: (object) => {
        objects.delete(formatKey(keyOf(object)));
      },
      clear: () => objects.clear(),
      finish: (version) => this.#become(objects, version),
    };
  }

  /** A list is the truth, also where it is older than what is here: the server may have been restored. */
  #become(objects: Map<string, AnyObject>, version: string): void {
    const before = this.#objects;
    const isFirst = !this.#synced;
    const events: CacheEvent[] = [];
    for (const [key, previous] of before) {
      if (objects.has(key)) continue;
      this.#index(key, previous, undefined);
      events.push({ type: 'removed', previous });
    }
    for (const [key, object] of objects) {
      const previous = before.get(key);
      if (previous !== undefined && isSame(previous, object)) {
        objects.set(key, previous);
        continue;
      }
      this.#index(key, previous, object);
      if (previous !== undefined) events.push({ type: 'changed', object, previous });
      else events.push(isFirst ? { type: 'added', object, isInitial: true } : { type: 'added', object });
    }
    this.#objects = objects;
    this.#synced = true;
    this.advance(version);
    if (isFirst) this.#syncWaiters.reach('');
    this.#listeners.tell(events);
  }

  #index(key: string, previous: AnyObject | undefined, object: AnyObject | undefined): void {
    this.#byNamespace?.change(key, previous, object);
    for (const index of this.#indexes.values()) index.change(key, previous, object);
  }

  #found(index: IndexOfObjects, value: string): readonly AnyObject[] {
    const found: AnyObject[] = [];
    for (const key of index.keys(value)) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }
}

function goneBack(): ClustersetError {
  return new ClustersetError({
    code: 'Expired',
    message:
      'versions have gone back while a later one was waited for: the cluster was restored, or does not serve the type any more',
  });
}

/** What has no version may have changed whenever it comes. */
function isSame({ metadata: a }: AnyObject, { metadata: b }: AnyObject): boolean {
  return hasVersion(a) && a.resourceVersion === b.resourceVersion && a.uid === b.uid;
}

function hasVersion({ resourceVersion }: AnyObject['metadata']): boolean {
  return resourceVersion !== undefined && resourceVersion !== '';
}

/** Versions of one object can be compared (KEP-5504), and where they can't, the server's order counts; another uid is another object. */
function isNewer(object: AnyObject, previous: AnyObject): boolean {
  const [now, before] = [object.metadata, previous.metadata];
  if (now.uid !== before.uid) return true;
  const order = versionOrder(now.resourceVersion ?? '', before.resourceVersion ?? '');
  return Number.isNaN(order) ? !hasVersion(now) || now.resourceVersion !== before.resourceVersion : order > 0;
}
