import type { JsonPatchOperation } from './json-patch.ts';
import type { AnyObject, Draft, Json, KubeObject, ObjectKey } from './object.ts';
import type { ResourceAddress, ResourceType, Subresource } from './resource.ts';

/**
 * The port: everything of ours that touches an API server goes through it. Real clusters (`clusterset/client`) and offline clusters
 * (`clusterset/testing`) implement it, and one behaviour suite holds both. It is split by power, so that a function can ask for the least.
 *
 * All methods reject with `ClustersetError` and nothing else. None retries by itself, except that an answer of 429 or 503 with a
 * `Retry-After` is waited for within the call's own time-out.
 */
export interface Cluster extends ClusterReader, ClusterWriter, ClusterWatcher, ClusterDiscovery {
  /** Ends connections; calls under way reject with `Aborted`. May be called twice. */
  close(): Promise<void>;
}

/** What every call takes. */
export interface RequestOptions {
  /** Ends the call with `Aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** Which objects of a type are meant. */
export interface SelectOptions {
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string | undefined;
  /** Text form, as for `kubectl -l`. */
  readonly labelSelector?: string | undefined;
  /** Text form: `metadata.name=web`. */
  readonly fieldSelector?: string | undefined;
}

/** Options of {@link ClusterReader.list}. */
export interface ListOptions extends RequestOptions, SelectOptions {
  /** At most so many objects; the rest is behind `continue`. */
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

/** One page of objects. */
export interface ObjectList<T> {
  readonly items: readonly T[];
  /** Where a watch goes on without a gap. */
  readonly resourceVersion: string;
  /** Leads to the next page; absent on the last. */
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Reads objects. */
export interface ClusterReader {
  /** How the cluster is called here; errors carry it. */
  readonly name: string;
  /**
   * One object, or `undefined` where there is none of that name.
   *
   * @throws ClustersetError `NotServed` where the cluster doesn't know the type.
   */
  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options?: RequestOptions): Promise<T | undefined>;
  /** Objects in the order of their keys. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ObjectList<T>>;
}

/** What every write takes. */
export interface WriteOptions extends RequestOptions {
  /** Who writes, for `managedFields`. */
  readonly fieldManager?: string | undefined;
  /** The server does everything but store the result. */
  readonly dryRun?: boolean | undefined;
  /** What to do about unknown and repeated fields. Kubernetes' default is `Warn`. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
  /** Writes the status or the scale in place of the rest. */
  readonly subresource?: Subresource | undefined;
}

/** Options of {@link ClusterWriter.apply}. */
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields from other managers in place of failing with `ApplyConflict`. */
  readonly force?: boolean | undefined;
  /**
   * Creates or does nothing: where an object of the name exists, the call rejects with `AlreadyExists` and not one field is touched. The check
   * is the server's own, in one step with the write: the request names a `resourceVersion` that no object ever has.
   */
  readonly ifAbsent?: boolean | undefined;
}

/**
 * The version that a request names to be refused where an object exists (API: optimistic locking of server-side apply). Servers count from
 * the first write on, so no object has it; where there is no object, a version means nothing, and the object is created.
 */
export const NEVER_VERSION = '1';

/** What {@link ClusterWriter.apply} did. */
export interface Applied<T> {
  readonly object: T;
  /** Whether the object is new. */
  readonly created: boolean;
}

/** A change to an object that is there. */
export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: Json }
  | { readonly type: 'strategic'; readonly body: Json };

/** Options of {@link ClusterWriter.delete} (API: meta/v1 DeleteOptions). */
export interface DeleteOptions extends RequestOptions {
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  /** Nothing is deleted, and the call rejects with `Conflict`, where these don't hold. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What {@link ClusterWriter.delete} found: nothing; an object that is gone now; or one that a finalizer or a grace period holds. */
export type DeleteOutcome = 'absent' | 'gone' | 'terminating';

/** Writes objects. */
export interface ClusterWriter {
  readonly name: string;
  /** @throws ClustersetError `AlreadyExists`, `Invalid`, `NotFound` where the namespace is missing. */
  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the whole object. @throws ClustersetError `Conflict` where `metadata.resourceVersion` is given and not the newest. */
  update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** @throws ClustersetError `NotFound`, `Invalid`, `UnsupportedMediaType` for a strategic patch on a custom resource. */
  patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  /**
   * Server-side apply. The object holds the fields that the manager wants to set, and no more; it is created where it is absent.
   *
   * @throws ClustersetError `ApplyConflict`, with an issue per field, where another manager has a field and `force` is off;
   * `AlreadyExists` with `ifAbsent`.
   */
  apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>>;
  /** Deletes one object. Finalizers and grace periods may hold it for a while. */
  delete(type: ResourceAddress, key: ObjectKey, options?: DeleteOptions): Promise<DeleteOutcome>;
}

/** One event of a watch. A bookmark says that everything up to its version was sent. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** Options of {@link ClusterWatcher.watch}. */
export interface WatchOptions extends RequestOptions, SelectOptions {
  /** Events after this version; without it the present objects come first, as ADDED. */
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'NotOlderThan' | undefined;
  /** Present objects first, then a bookmark with `initialEventsEnd`. */
  readonly sendInitialEvents?: boolean | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  /** When the server ends the watch, in seconds. */
  readonly timeoutSeconds?: number | undefined;
}

/** Watches objects. */
export interface ClusterWatcher {
  readonly name: string;
  /**
   * Events as they come. The iteration ends when the server ends the watch, and throws where it says why (`Expired`: list again) or the
   * connection breaks (`Unreachable`). Leaving the loop releases the stream.
   */
  watch<T extends KubeObject>(type: ResourceType<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

/** One resource that a cluster serves. */
export interface ServedResource extends ResourceAddress {
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  readonly shortNames: readonly string[];
}

/** Asks a cluster about itself. */
export interface ClusterDiscovery {
  readonly name: string;
  /** All resources in all served versions; of one resource, the version that the server prefers comes first. */
  resources(options?: RequestOptions): Promise<readonly ServedResource[]>;
  /** The server's `gitVersion`: `v1.36.3`. */
  version(options?: RequestOptions): Promise<string>;
  /** Whether `/readyz` says ok. @throws ClustersetError `Unreachable` where nothing answers. */
  ready(options?: RequestOptions): Promise<boolean>;
}

/**
 * Where clusters come from. Entries are plain data with a name; connecting to one is an adapter's job. Each value is the whole membership,
 * so that a reader that missed one is right after the next; names are unique in it.
 */
export interface ClusterSource<Entry extends { readonly name: string }> {
  /** The membership now, and again whenever it changes. Ends when the signal fires. */
  watch(signal: AbortSignal): AsyncIterable<readonly Entry[]>;
}
