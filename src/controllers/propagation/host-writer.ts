import {
  CLUSTERS_ANNOTATION,
  type FederatedObject,
  type FederatedStatus,
  type FederatedType,
  FINALIZER,
  formatRecord,
} from '../../federation/index.ts';
import { type AnyObject, type Cluster, isNotFound, type Json, keyOf, untyped } from '../../kube/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { withPatience } from './with-patience.ts';

/** What {@link HostWriter} is made with. */
export interface HostWriterOptions {
  readonly host: Cluster;
  readonly fieldManager: string;
  readonly clock: Clock;
  /** How long one write may take. */
  readonly timeoutMs: number;
}

/** What the controller writes on the host: the finalizer and the status of federated objects. Answers are `undefined` where one is gone. */
export class HostWriter {
  readonly #options: HostWriterOptions;

  constructor(options: HostWriterOptions) {
    this.#options = options;
  }

  /** Holds the object until its member objects are gone, and records which clusters may have one. */
  hold(
    type: FederatedType,
    object: FederatedObject,
    clusters: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<AnyObject | undefined> {
    const { uid = '', resourceVersion = '', finalizers = [] } = object.metadata;
    const annotations = { [CLUSTERS_ANNOTATION]: formatRecord(clusters) };
    const held = finalizers.includes(FINALIZER) ? {} : { finalizers: [...finalizers, FINALIZER] };
    return this.#patch(type, object, { metadata: { uid, resourceVersion, annotations, ...held } }, { signal });
  }

  /** Lets the object go. For the version that was read only: the list must not lose what somebody else has put in. */
  letGo(type: FederatedType, object: FederatedObject, signal: AbortSignal): Promise<AnyObject | undefined> {
    const { uid = '', resourceVersion = '' } = object.metadata;
    const left = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const finalizers = left.length === 0 ? null : left;
    return this.#patch(type, object, { metadata: { uid, resourceVersion, finalizers } }, { signal });
  }

  /** Writes a status in the place of another. */
  writeStatus(
    type: FederatedType,
    object: FederatedObject,
    status: FederatedStatus,
    signal: AbortSignal,
  ): Promise<AnyObject | undefined> {
    // A merge patch keeps what it doesn't name.
    const gone = Object.fromEntries(Object.keys(object.status ?? {}).map((name) => [name, null]));
    // Of the version that was judged: an object of the same name, or a newer one, has a status of its own.
    const { uid = '', resourceVersion = '' } = object.metadata;
    const body = { metadata: { uid, resourceVersion }, status: { ...gone, ...status } } as unknown as Json;
    return this.#patch(type, object, body, { subresource: 'status', signal });
  }

  async #patch(
    type: FederatedType,
    object: FederatedObject,
    body: Json,
    { signal, ...options }: { readonly signal: AbortSignal; readonly subresource?: 'status' },
  ): Promise<AnyObject | undefined> {
    const { host, fieldManager, clock, timeoutMs } = this.#options;
    const resource = untyped(type.federated);
    const patch = { type: 'merge', body } as const;
    try {
      return await withPatience({ clock, ms: timeoutMs, signal, cluster: host.name }, (patience) =>
        host.patch(resource, keyOf(object), patch, { fieldManager, ...options, signal: patience }),
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
