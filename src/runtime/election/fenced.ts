import {
  type AnyObject,
  type Applied,
  type ApplyOptions,
  type Cluster,
  ClustersetError,
  type DeleteOptions,
  type DeleteOutcome,
  type Draft,
  hasCode,
  type KubeObject,
  type ListOptions,
  type ObjectKey,
  type ObjectList,
  type Patch,
  type RequestOptions,
  type ResourceAddress,
  type ResourceType,
  type ServedResource,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '../../kube/plain/index.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { type Fence, watchful } from './fence.ts';

/**
 * A cluster that may be written to only behind a fence. Writes are refused with `Fenced` once it isn't valid; those that are under way are broken
 * off when it ends, which is the fence's safety margin before others may take over. Reads and watches pass.
 *
 * What no client can exclude: a request that has left this process and lies in the network, or in a server's queue, for longer than the safety
 * margin is carried out although another acts by then. Against that helps only what the server itself checks: `metadata.resourceVersion` in
 * updates and patches, `metadata.uid` and field managers in server-side apply, preconditions in deletions. Write with these.
 */
export function fenced(cluster: Cluster, fence: Fence): Cluster {
  return new FencedCluster(cluster, fence);
}

class FencedCluster implements Cluster {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #fence: Fence;

  constructor(cluster: Cluster, fence: Fence) {
    this.name = cluster.name;
    this.#cluster = cluster;
    this.#fence = fence;
  }

  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options?: RequestOptions): Promise<T | undefined> {
    return this.#cluster.get(type, key, options);
  }

  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ObjectList<T>> {
    return this.#cluster.list(type, options);
  }

  watch<T extends KubeObject>(type: ResourceType<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return this.#cluster.watch(type, options);
  }

  resources(options?: RequestOptions): Promise<readonly ServedResource[]> {
    return this.#cluster.resources(options);
  }

  version(options?: RequestOptions): Promise<string> {
    return this.#cluster.version(options);
  }

  ready(options?: RequestOptions): Promise<boolean> {
    return this.#cluster.ready(options);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    return this.#write(options, (signal) => this.#cluster.create(type, object, { ...options, signal }));
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write(options, (signal) => this.#cluster.update(type, object, { ...options, signal }));
  }

  patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options: WriteOptions = {}): Promise<T> {
    return this.#write(options, (signal) => this.#cluster.patch(type, key, patch, { ...options, signal }));
  }

  apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>> {
    return this.#write(options, (signal) => this.#cluster.apply(type, object, { ...options, signal }));
  }

  delete(type: ResourceAddress, key: ObjectKey, options: DeleteOptions = {}): Promise<DeleteOutcome> {
    return this.#write(options, (signal) => this.#cluster.delete(type, key, { ...options, signal }));
  }

  /** The signal that a write gets looks at the clock whenever it is asked: an adapter that waits and sends again asks it before. */
  async #write<R>(options: RequestOptions, call: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const fence = this.#fence;
    const given = options.signal as AbortSignal | undefined;
    if (!fence.isValid()) throw this.#refused(fence.signal.reason);
    const either = new AbortController();
    const onFence = (): void => either.abort(fence.signal.reason);
    const onGiven = (): void => either.abort(given?.reason);
    const signal = watchful(either.signal, () => void fence.isValid());
    // Not AbortSignal.any: the fence lives long, and would remember the signals of all its writes.
    fence.signal.addEventListener('abort', onFence, { once: true });
    given?.addEventListener('abort', onGiven, { once: true });
    if (given?.aborted) onGiven();
    try {
      return await unlessAborted(() => call(signal), signal);
    } catch (error) {
      if (!given?.aborted && !fence.isValid() && (error === signal.reason || hasCode(error, 'Aborted')))
        throw this.#refused(error);
      throw error === given?.reason ? this.#aborted(error) : error;
    } finally {
      fence.signal.removeEventListener('abort', onFence);
      given?.removeEventListener('abort', onGiven);
    }
  }

  #refused(cause: unknown): ClustersetError {
    return new ClustersetError({
      code: 'Fenced',
      message: 'this process may not write here any more: the lease is no longer its own',
      mend: 'leave it to whoever holds the lease now',
      cluster: this.name,
      cause,
    });
  }

  #aborted(cause: unknown): ClustersetError {
    return new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster: this.name, cause });
  }
}
