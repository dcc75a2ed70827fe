import { type FederatedObject, type FederatedType, FINALIZER, type Prepared } from '../../federation/index.ts';
import { type AnyObject, type Cluster, deepEqual, isNotServed, keyOf, type ResourceType, untyped } from '../../kube/index.ts';
import type { CacheEvent, Environment, ObjectCache, ReflectorState } from '../../runtime/index.ts';
import { ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { type ObjectId, objectId, readObjectId } from './object-id.ts';
import { warnOfType } from './warn-of-type.ts';

/** What {@link HostView} is made with. */
export interface HostViewOptions {
  readonly host: Cluster;
  readonly types: readonly FederatedType[];
  readonly environment: Environment;
  /** The controller's name. */
  readonly controller: string;
}

/** Who follows the host. */
export interface HostListener {
  readonly onChange: (id: ObjectId) => void;
  readonly onStatus: (id: ObjectId) => void;
}

/** A type as it is seen on the host. */
interface Watched {
  readonly cache: ObjectCache;
  state: ReflectorState | undefined;
}

/** The host as the controller sees it: federated objects, the namespaces that are federated, the preferences for replicas. */
export class HostView {
  readonly #options: HostViewOptions;
  readonly #types: Watched[] = [];
  #preferences: Watched | undefined;
  readonly #namespaceType: number;
  #isPutting = false;

  constructor(options: HostViewOptions) {
    this.#options = options;
    this.#namespaceType = options.types.findIndex(({ target }) => target.kind === 'Namespace' && target.group === '');
  }

  /** Follows the host until the signal fires, and tells which objects have to be decided anew, and whose status somebody has changed. */
  follow({ onChange, onStatus }: HostListener, signal: AbortSignal): void {
    const listen = (watched: Watched, listener: (event: CacheEvent) => void): void => {
      watched.cache.listen(listener, { replay: true, signal });
    };
    for (const { federated } of this.#options.types) this.#types.push(this.#open(untyped(federated), signal, onChange));
    this.#preferences = this.#open(untyped(ReplicaSchedulingPreference), signal, onChange);
    listen(this.#preferences, (event) => {
      const key = keyOf(objectOf(event));
      for (const [index, { cache }] of this.#types.entries()) if (cache.get(key) !== undefined) onChange(objectId(index, key));
    });
    for (const [index, watched] of this.#types.entries()) {
      listen(watched, (event) => {
        if (this.#isPutting) return;
        for (const id of this.#concerned(index, event)) onChange(id);
        if (event.type === 'changed' && !deepEqual(event.object.status, event.previous.status)) {
          onStatus(objectId(index, keyOf(event.object)));
        }
      });
    }
  }

  /** What was federated a moment ago is not withdrawn because the host says 404 once: a shared cache keeps what it has. */
  #open(type: ResourceType, signal: AbortSignal, onChange: (id: ObjectId) => void): Watched {
    const { host, environment, controller } = this.#options;
    const { cache, state, onState } = environment.caches.open(host, type, { shape: 'stripped' }, signal);
    const watched: Watched = { cache, state };
    onState((next) => {
      const before = watched.state;
      watched.state = next;
      warnOfType(environment, { controller, cluster: host.name, type }, before, next);
      if (before?.synced === next.synced) return;
      for (const id of this.ids()) onChange(id);
    });
    return watched;
  }

  /** A change of a FederatedNamespace concerns everything in the namespace. */
  *#concerned(index: number, event: CacheEvent): Iterable<ObjectId> {
    if (event.type === 'changed' && !isRelevant(event.object, event.previous)) return;
    const { metadata } = objectOf(event);
    yield objectId(index, keyOf({ metadata }));
    if (index === this.#namespaceType) yield* this.#inNamespace(metadata.namespace ?? '');
  }

  /** What is in a namespace, without the FederatedNamespace itself. */
  *#inNamespace(namespace: string): Iterable<ObjectId> {
    for (const [index, { cache }] of this.#types.entries()) {
      if (index === this.#namespaceType) continue;
      for (const object of cache.byNamespace(namespace)) yield objectId(index, keyOf(object));
    }
  }

  /** All federated objects. */
  *ids(): Iterable<ObjectId> {
    for (const index of this.#types.keys()) yield* this.idsOf(index);
  }

  /** The federated objects of a type. */
  *idsOf(index: number): Iterable<ObjectId> {
    for (const object of this.#types[index]?.cache.values() ?? []) yield objectId(index, keyOf(object));
  }

  object(id: ObjectId): FederatedObject | undefined {
    const { index, key } = readObjectId(id);
    return this.#types[index]?.cache.get(key) as FederatedObject | undefined;
  }

  /** Takes in what the host answered to a write of ours, so that the next look sees it. It is no news. */
  put(id: ObjectId, object: AnyObject): void {
    this.#isPutting = true;
    this.#types[readObjectId(id).index]?.cache.put(object);
    this.#isPutting = false;
  }

  /** Whether namespaces and preferences are known: without them an object would be decided wrongly for a moment. */
  knowsEnough(id: ObjectId): boolean {
    const namespaces = this.#types[this.#namespaceType];
    const isSynced = this.#types[readObjectId(id).index]?.cache.synced ?? false;
    const preferences = this.#preferences;
    return isSynced && (namespaces === undefined || isKnown(namespaces)) && preferences !== undefined && isKnown(preferences);
  }

  /** The preference for an object's replicas, where there is one of its name and for its kind. */
  preferenceFor({ object, type }: Prepared): ReplicaSchedulingPreference | undefined {
    const found = this.#preferences?.cache.get(keyOf(object)) as ReplicaSchedulingPreference | undefined;
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

/** Filled, or certain to be empty because the host has never served the type. One that it served a moment ago isn't known for now. */
function isKnown({ cache, state }: Watched): boolean {
  const isServed = state === undefined || state.synced || !isNotServed(state.error);
  return isServed ? cache.synced : !cache.synced;
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
    !deepEqual(now.annotations, before.annotations)
  );
}
