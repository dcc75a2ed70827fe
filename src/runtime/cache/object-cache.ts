import { type AnyObject, formatKey, keyOf, type ObjectKey } from '../../kube/plain/index.ts';

/** A change that a cache has seen. */
export type CacheEvent =
  | { readonly type: 'added'; readonly object: AnyObject }
  | { readonly type: 'changed'; readonly object: AnyObject; readonly previous: AnyObject }
  | { readonly type: 'removed'; readonly previous: AnyObject };

/** Is told of changes, after the cache has them. */
export type CacheListener = (event: CacheEvent) => void;

/**
 * The objects of one type in one cluster, as last seen. A reflector keeps it up to date; whoever writes an object may put the answer in, so
 * that the next look sees its own write. Older versions of an object never replace newer ones. Objects are shared: nobody may change them.
 * `onError` is told of listeners that throw.
 */
export class ObjectCache {
  readonly #objects = new Map<string, AnyObject>();
  readonly #listeners = new Set<CacheListener>();
  #synced = false;
  readonly #onError: (error: unknown) => void;
  /** Everything up to this version has been seen. */
  #seen = '';

  constructor({ onError = () => undefined }: { readonly onError?: (error: unknown) => void } = {}) {
    this.#onError = onError;
  }

  /** Whether the cache has been filled once. */
  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** An object; what is returned is shared. */
  get(key: ObjectKey): AnyObject | undefined {
    return this.#objects.get(formatKey(key));
  }

  /** All objects, in no order that means anything. */
  values(): IterableIterator<AnyObject> {
    return this.#objects.values();
  }

  /** Calls back on every change from now on. */
  listen(listener: CacheListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes an object in, unless a newer version of it is there, or has been: what a watch has passed by already is old, and the object may be
   * gone since.
   */
  put(object: AnyObject): void {
    const key = formatKey(keyOf(object));
    const previous = this.#objects.get(key);
    if (Number(object.metadata.resourceVersion) <= Number(this.#seen || 'NaN')) return;
    if (previous !== undefined && !isNewer(object, previous)) return;
    this.#objects.set(key, object);
    this.#tell(previous === undefined ? { type: 'added', object } : { type: 'changed', object, previous });
  }

  /** Takes an object out, unless there is another of the same name by now. */
  remove(object: AnyObject): void {
    const key = formatKey(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous === undefined || previous.metadata.uid !== object.metadata.uid) return;
    this.#objects.delete(key);
    this.#tell({ type: 'removed', previous });
  }

  /** Says that everything up to a version of the collection has been put in or taken out. */
  advance(version: string): void {
    this.#seen = version;
  }

  /** Takes in everything that there is, as of one version of the collection: what isn't in it is gone. */
  replace(objects: readonly AnyObject[], version = ''): void {
    const keys = new Set(objects.map((object) => formatKey(keyOf(object))));
    this.#synced = true;
    this.#seen = version;
    for (const [key, previous] of [...this.#objects]) {
      if (keys.has(key)) continue;
      this.#objects.delete(key);
      this.#tell({ type: 'removed', previous });
    }
    for (const object of objects) this.#replaceOne(object);
  }

  /** A list is the truth, also where it is older than what is here: the server may have been restored. */
  #replaceOne(object: AnyObject): void {
    const key = formatKey(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion && previous?.metadata.uid === object.metadata.uid)
      return;
    this.#objects.set(key, object);
    this.#tell(previous === undefined ? { type: 'added', object } : { type: 'changed', object, previous });
  }

  /** One listener that fails keeps nobody else from hearing. */
  #tell(event: CacheEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Versions of one object can be compared (KEP-5504); another uid is another object. */
function isNewer(object: AnyObject, previous: AnyObject): boolean {
  if (object.metadata.uid !== previous.metadata.uid) return true;
  return Number(object.metadata.resourceVersion) > Number(previous.metadata.resourceVersion);
}
