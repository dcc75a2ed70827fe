import {
  CLUSTERS_ANNOTATION,
  type FederatedObject,
  type FederatedStatus,
  type FederatedType,
  FINALIZER,
  formatRecord,
} from '../../federation/index.ts';
import { type AnyObject, type ClusterWriter, isNotFound, type Json, keyOf, untyped } from '../../kube/index.ts';

/** What the controller writes on the host: the finalizer and the status of federated objects. Answers are `undefined` where one is gone. */
export class HostWriter {
  readonly #host: ClusterWriter;
  readonly #fieldManager: string;

  constructor(host: ClusterWriter, fieldManager: string) {
    this.#host = host;
    this.#fieldManager = fieldManager;
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
    options: { readonly signal: AbortSignal; readonly subresource?: 'status' },
  ): Promise<AnyObject | undefined> {
    try {
      const resource = untyped(type.federated);
      return await this.#host.patch(
        resource,
        keyOf(object),
        { type: 'merge', body },
        { fieldManager: this.#fieldManager, ...options },
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
