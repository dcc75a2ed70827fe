import {
  type AnyObject,
  type Cluster,
  controllerOf,
  isReferenceTo,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type ResourceAddress,
  type ResourceType,
} from '../../kube/plain/index.ts';
import type { ObjectCacheOptions } from '../cache/object-cache.ts';
import type { ClusterSet } from '../set/cluster-set.ts';
import type { ConnectedMember } from '../set/member.ts';
import type { Predicate } from './predicates.ts';

/** Clusters that a controller can be set on: a `ClusterSet`, or {@link oneCluster}. */
export type Clusters = Pick<ClusterSet<{ readonly name: string }>, 'engage' | 'listen' | 'get'>;

/** An object that a reconcile is called for. */
export interface Request extends ObjectKey {
  readonly cluster: string;
}

/**
 * Where a mapping points: into the cluster that it names. Without a name: where the object was seen; of one that was seen where the controller
 * doesn't work, into every cluster in which it does.
 */
export interface Target extends ObjectKey {
  readonly cluster?: string;
}

/** Which objects are watched, and what is kept of them. */
export interface SourceOptions<T extends KubeObject = AnyObject> {
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string;
  /** Text form, as for `kubectl -l`. */
  readonly labelSelector?: string;
  /** Which changes count. Default: all. */
  readonly when?: Predicate<T>;
  /** How much of an object is kept. Default `stripped`: everything but `managedFields`. */
  readonly shape?: ObjectCacheOptions['shape'];
  /** Look-ups by other things than the key. */
  readonly indexes?: ObjectCacheOptions['indexes'];
}

/** A type that a controller watches, and whom to call when an object of it changes. */
export interface Watch {
  readonly type: ResourceType;
  readonly options: SourceOptions;
  /** Whom an object concerns. */
  readonly targets: (object: AnyObject, cluster: string) => Iterable<Target>;
  /** Where it is watched; absent: where the controller is. */
  readonly on?: Clusters;
}

/** The object itself. */
export function itself(object: AnyObject): Iterable<Target> {
  return [keyOf(object)];
}

/**
 * The owner of an object, where it is of the type (controller-runtime's EnqueueRequestForOwner): only the one that manages it, unless `anyOwner`.
 */
export function ownersOf(type: ResourceAddress, anyOwner: boolean): Watch['targets'] {
  return (object) => {
    const controller = controllerOf(object);
    const managing = controller === undefined ? [] : [controller];
    const references = anyOwner ? (object.metadata.ownerReferences ?? []) : managing;
    const { namespace } = object.metadata;
    return references
      .filter((reference) => isReferenceTo(reference, type))
      .map(({ name }) => (type.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name }));
  };
}

/** One cluster that is always there, such as the host, as something that a controller can be set on. */
export function oneCluster(cluster: Cluster): Clusters {
  const memberUntil = (signal: AbortSignal): ConnectedMember<{ readonly name: string }> => ({
    name: cluster.name,
    cluster,
    entry: { name: cluster.name },
    state: 'ready',
    reason: '',
    since: 0,
    lastSeen: undefined,
    signal,
  });
  const member = memberUntil(new AbortController().signal);
  return {
    engage(handler) {
      const leaving = new AbortController();
      void Promise.resolve(handler(memberUntil(leaving.signal), leaving.signal));
      return () => leaving.abort();
    },
    listen(listener) {
      listener({ type: 'joined', member });
      return () => undefined;
    },
    get: (name) => (name === cluster.name ? member : undefined),
  };
}
