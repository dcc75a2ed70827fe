import type { AnyObject, Cluster, KubeObject, ObjectKey, ResourceType } from '../../kube/plain/index.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import type { Logger } from '../observe/log.ts';
import type { Request } from './describe.ts';

/** What a cache tells of objects of one type: `ObjectCache` as its readers see it. */
export interface Cached<T extends KubeObject = AnyObject>
  extends Pick<ObjectCache, 'synced' | 'size' | 'put' | 'freshness' | 'waitForVersion'> {
  /** An object, as last seen. It is shared: nobody may change it. */
  get(key: ObjectKey): T | undefined;
  /** All objects, in no order that means anything. They are shared. */
  values(): IterableIterator<T>;
  /** Objects by an index that the controller has declared. */
  byIndex(name: string, value: string): readonly T[];
}

/** Which watch of a type is meant, where there are several. */
export interface CachedWhere {
  /** Default: the cluster of the object that is worked on. */
  readonly cluster?: string;
  /** The namespace of the watch, as it was given to `controller`, `owns` or `watches`; empty: the one of all namespaces. */
  readonly namespace?: string;
  /** The selector of the watch, letter for letter; empty: the one without. */
  readonly labelSelector?: string;
}

/** What a reconcile is given. */
export interface ReconcileInput<T extends KubeObject = AnyObject> {
  /** The object's cluster. */
  readonly cluster: Cluster;
  readonly request: Request;
  /** The object as last seen; `undefined` where it is gone. It is shared: nobody may change it. */
  readonly object: T | undefined;
  /**
   * What is seen of a type that the controller watches: in this cluster, or in another that is named, such as the host. Where a type is watched
   * there both by `on` and as one of the controller's own clusters, a name means the former, and no name the latter.
   *
   * @throws ClustersetError `Unreachable` where it hasn't been seen there yet, so that nobody takes it for gone; the call is tried again, at the
   * latest when it has been seen.
   * @throws TypeError where it isn't watched there, or with several selectors and it isn't said which is meant.
   */
  readonly cached: <U extends KubeObject>(type: ResourceType<U>, where?: string | CachedWhere) => Cached<U>;
  /** Fires when the time is over, the cluster leaves, or everything ends: hand it on to every call. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** 1 for the first try, one more for every failure in a row before it. */
  readonly attempt: number;
}
