import {
  CLUSTERS_ANNOTATION,
  type FederatedObject,
  type FederatedType,
  FINALIZER,
  type Prepared,
} from '../../federation/index.ts';
import { type AnyObject, type Cluster, deepEqual, isNotServed, keyOf, type ResourceType } from '../../kube/index.ts';
import { type CacheEvent, type Clock, ObjectCache, type ReflectorState, reflect } from '../../runtime/index.ts';
import { ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';

/** What {@link HostView} is made with. */
export interface HostViewOptions {
  readonly host: Cluster;
  readonly types: readonly FederatedType[];
  readonly clock: Clock;
  readonly random: () => number;
}

/** A type as it is seen on the host. */
interface Watched {
  readonly cache: ObjectCache;
  state: ReflectorState | undefined;
}

/** The host as the controller sees it: federated objects, the namespaces that are federated, the preferences for replicas. */
export class HostView {
  readonly #options: HostViewOptions;
  readonly #types: readonly Watched[];
  readonly #preferences: Watched = { cache: new ObjectCache(), state: undefined };
  readonly #namespaceType: number;

  constructor(options: HostViewOptions) {
    this.#options = options;
    this.#types = options.types.map(() => ({ cache: new ObjectCache(), state: undefined }));
    this.#namespaceType = options.types.findIndex(({ target }) => target.kind === 'Namespace' && target.group === '');
  }

  /** Follows the host until the signal fires, and tells which objects have to be decided anew. */
  async run(signal: AbortSignal, onChange: (id: ObjectId) => void): Promise<void> {
    this.#preferences.cache.listen((event) => {
      const key = keyOf(objectOf(event));
      for (const [index, { cache }] of this.#types.entries()) if (cache.get(key) !== undefined) onChange(objectId(index, key));
    });
    for (const [index, { cache }] of this.#types.entries()) {
      cache.listen((event) => {
        for (const id of this.#concerned(index, event)) onChange(id);
      });
    }
    const types = this.#types.map((watched, index) =>
      this.#follow(watched, this.#options.types[index]?.federated, signal, onChange),
    );
    await Promise.all([...types, this.#follow(this.#preferences, ReplicaSchedulingPreference, signal, onChange)]);
  }

  #follow(watched: Watched, type: unknown, signal: AbortSignal, onChange: (id: ObjectId) => void): Promise<void> {
    const { host, clock, random } = this.#options;
    const onState = (state: ReflectorState): void => {
      const isNews = watched.state?.synced !== state.synced;
      watched.state = state;
      if (isNews) for (const id of this.ids()) onChange(id);
    };
    return reflect({ cluster: host, type: type as ResourceType, cache: watched.cache, clock, random, signal, onState });
  }

  /** A change of a FederatedNamespace concerns everything in the namespace. */
  *#concerned(index: number, event: CacheEvent): Iterable<ObjectId> {
    if (event.type === 'changed' && !isRelevant(event.object, event.previous)) return;
    const { metadata } = objectOf(event);
    yield objectId(index, keyOf({ metadata }));
    if (index !== this.#namespaceType) return;
    for (const id of this.ids()) {
      const { index: other, key } = readObjectId(id);
      if (other !== index && key.namespace === metadata.namespace) yield id;
    }
  }

  /** All federated objects. */
  *ids(): Iterable<ObjectId> {
    for (const [index, { cache }] of this.#types.entries()) {
      for (const object of cache.values()) yield objectId(index, keyOf(object));
    }
  }

  object(id: ObjectId): FederatedObject | undefined {
    const { index, key } = readObjectId(id);
    return this.#types[index]?.cache.get(key) as FederatedObject | undefined;
  }

  /** Takes in what the host answered to a write, so that the next look sees it. */
  put(id: ObjectId, object: AnyObject): void {
    this.#types[readObjectId(id).index]?.cache.put(object);
  }

  /** Whether namespaces and preferences are known: without them an object would be decided wrongly for a moment. */
  knowsEnough(id: ObjectId): boolean {
    const namespaces = this.#types[this.#namespaceType];
    const isSynced = this.#types[readObjectId(id).index]?.cache.synced ?? false;
    return isSynced && (namespaces === undefined || isKnown(namespaces)) && isKnown(this.#preferences);
  }

  /** The preference for an object's replicas, where there is one of its name and for its kind. */
  preferenceFor({ object, type }: Prepared): ReplicaSchedulingPreference | undefined {
    const found = this.#preferences.cache.get(keyOf(object)) as ReplicaSchedulingPreference | undefined;
    return found?.spec.targetKind === type.federated.kind ? found : undefined;
  }

  /** The FederatedNamespace of an object, as an option for placement: left out where namespaces play no part. */
  namespaceOption({ object, type }: Prepared): { readonly namespace?: FederatedObject | undefined } {
    const namespaces = this.#types[this.#namespaceType];
    if (namespaces === undefined || type.target.scope === 'Cluster') return {};
    const { namespace = '' } = object.metadata;
    return { namespace: namespaces.cache.get({ namespace, name: namespace }) as FederatedObject | undefined };
  }
}

function objectOf(event: CacheEvent): AnyObject {
  return event.type === 'removed' ? event.previous : event.object;
}

/** Filled, or certain to be empty because the host doesn't serve the type. */
function isKnown({ cache, state }: Watched): boolean {
  return cache.synced || (state !== undefined && !state.synced && isNotServed(state.error));
}

/** Whether a change of a federated object can change what is decided. Its status can't, nor can our own finalizer. */
function isRelevant(object: AnyObject, previous: AnyObject): boolean {
  const [now, before] = [object.metadata, previous.metadata];
  const isReleased = (before.finalizers?.includes(FINALIZER) ?? false) && !(now.finalizers?.includes(FINALIZER) ?? false);
  return (
    isReleased ||
    now.uid !== before.uid ||
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    !deepEqual(withoutRecord(now), withoutRecord(before))
  );
}

/** Our own record of clusters says nothing new to us. */
function withoutRecord({ annotations = {} }: AnyObject['metadata']): Readonly<Record<string, string>> {
  const { [CLUSTERS_ANNOTATION]: _record, ...rest } = annotations;
  return rest;
}
