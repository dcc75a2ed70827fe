import { type AnyObject, formatKey, keyOf, type ObjectKey } from '../../kube/plain/index.ts';

/** One change of one object. */
export interface StoredEvent {
  readonly version: number;
  /** `deployments.apps`: which collection. */
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: AnyObject;
  /** The object before. */
  readonly previous: AnyObject | undefined;
}

type Listener = (event: StoredEvent) => void;

/** How many events are kept for watches that start in the past. */
const HISTORY = 10_000;

/**
 * The objects of one cluster, with one counter of versions for all of them, and the events that led there. Objects are frozen: everybody may
 * hold on to them.
 */
export class Storage {
  #version = 1;
  #oldest = 1;
  readonly #collections = new Map<string, Map<string, AnyObject>>();
  readonly #listeners = new Set<Listener>();
  #events: StoredEvent[] = [];

  /** The newest version. */
  get version(): number {
    return this.#version;
  }

  /** Versions before this one are forgotten: a watch can't start there. */
  get oldest(): number {
    return this.#oldest;
  }

  get(collection: string, key: ObjectKey): AnyObject | undefined {
    return this.#collections.get(collection)?.get(formatKey(key));
  }

  /** The objects of a collection, in no order. */
  list(collection: string): Iterable<AnyObject> {
    return this.#collections.get(collection)?.values() ?? [];
  }

  collections(): Iterable<string> {
    return this.#collections.keys();
  }

  /** Stores an object under its key and gives it the next version. */
  put(collection: string, object: AnyObject): AnyObject {
    const key = formatKey(keyOf(object));
    const objects = this.#collections.get(collection) ?? new Map<string, AnyObject>();
    this.#collections.set(collection, objects);
    const previous = objects.get(key);
    const stored = freeze(this.#versioned(object));
    objects.set(key, stored);
    this.#emit({
      version: this.#version,
      collection,
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      object: stored,
      previous,
    });
    return stored;
  }

  /** Removes an object; its last state gets a version of its own. */
  remove(collection: string, key: ObjectKey): AnyObject | undefined {
    const previous = this.get(collection, key);
    if (previous === undefined) return undefined;
    const last = freeze(this.#versioned(previous));
    this.#collections.get(collection)?.delete(formatKey(key));
    this.#emit({ version: this.#version, collection, type: 'DELETED', object: last, previous });
    return last;
  }

  /** Events after a version, or nothing where they are forgotten. */
  since(version: number): readonly StoredEvent[] | undefined {
    return version < this.#oldest - 1 ? undefined : this.#events.filter((event) => event.version > version);
  }

  /** Forgets all events, as a compaction does. */
  compact(): void {
    this.#events = [];
    this.#oldest = this.#version + 1;
  }

  /**
   * Holds these objects from now on, as they are, and nothing else; the version is set, and the history is empty. Who listens hears that all
   * objects went, and then that these came: whatever was known of those before is of no use.
   */
  reset(contents: ReadonlyMap<string, readonly AnyObject[]>, version: number): void {
    const gone = [...this.#collections].map(([collection, objects]) => [collection, [...objects.values()]] as const);
    this.#collections.clear();
    for (const [collection, objects] of contents) {
      this.#collections.set(collection, new Map(objects.map((object) => [formatKey(keyOf(object)), freeze(object)])));
    }
    this.#version = version;
    this.#events = [];
    this.#oldest = version + 1;
    const tell = (type: 'ADDED' | 'DELETED', collection: string, object: AnyObject): void => {
      const previous = type === 'DELETED' ? object : undefined;
      for (const listener of this.#listeners) listener({ version, collection, type, object, previous });
    };
    for (const [collection, objects] of gone) for (const object of objects) tell('DELETED', collection, object);
    for (const [collection, objects] of contents) {
      for (const { metadata } of objects) {
        const object = this.get(collection, metadata);
        if (object !== undefined) tell('ADDED', collection, object);
      }
    }
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #versioned(object: AnyObject): AnyObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #emit(event: StoredEvent): void {
    this.#events.push(event);
    if (this.#events.length > 2 * HISTORY) {
      this.#events = this.#events.slice(-HISTORY);
      this.#oldest = this.#events[0]?.version ?? this.#version;
    }
    for (const listener of this.#listeners) listener(event);
  }
}

/** Freezes all that isn't frozen yet: parts that objects share were frozen with the first of them. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
