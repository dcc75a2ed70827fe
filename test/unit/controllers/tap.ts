import {
  type AnyObject,
  type Applied,
  type ApplyOptions,
  type Cluster,
  ClustersetError,
  type DeleteOptions,
  type DeleteOutcome,
  type Draft,
  formatKey,
  isClustersetError,
  type KubeObject,
  keyOf,
  type ListOptions,
  type ObjectKey,
  type ObjectList,
  type Patch,
  qualifiedPlural,
  type RequestOptions,
  type ResourceAddress,
  type ResourceType,
  type ServedResource,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from 'clusterset/kube';
import type { OfflineCluster } from 'clusterset/testing';

/** One call of a controller. */
export interface Call {
  readonly cluster: string;
  readonly verb:
    | 'get'
    | 'list'
    | 'create'
    | 'update'
    | 'patch'
    | 'apply'
    | 'delete'
    | 'watch'
    | 'resources'
    | 'version'
    | 'ready';
  readonly kind: string;
  /** `shop/web`, or empty for a call without an object. */
  readonly key: string;
  readonly subresource: string;
  /** What was sent. */
  readonly body: unknown;
  /** The object before the call. */
  readonly before: AnyObject | undefined;
  /** `pending`, `ok`, or the code of the error. */
  outcome: string;
  /** Whether the call changed what the cluster has. */
  changed: boolean;
}

/** Stands between a controller and a cluster. */
export interface Tamper {
  /** Goes around every call but watches. A list that is streamed at the beginning of a watch is a call, too: it answers as a list does. */
  call?<R>(call: Call, go: () => Promise<R>): Promise<R>;
  /** Is waited for before an event is handed on. */
  event?(call: Call, event: WatchEvent<KubeObject>): Promise<void> | undefined;
  /** Whether a watch ends as soon as it has begun. */
  endsWatch?(call: Call): Promise<boolean>;
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'apply', 'delete']);

export function isWrite({ verb }: Call): boolean {
  return WRITES.has(verb);
}

/** `apply Deployment shop/web`, and ` status` behind it for a subresource. */
export function describeCall({ verb, kind, key, subresource }: Call): string {
  return `${verb} ${kind} ${key}${subresource === '' ? '' : ` ${subresource}`}`;
}

/** A cluster that keeps a record of what it is asked, and can be tampered with. */
export class Tap implements Cluster {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #offline: OfflineCluster;
  readonly #calls: Call[];
  readonly #tamper: () => Tamper;

  constructor(cluster: Cluster, offline: OfflineCluster, calls: Call[], tamper: () => Tamper) {
    this.name = cluster.name;
    this.#cluster = cluster;
    this.#offline = offline;
    this.#calls = calls;
    this.#tamper = tamper;
  }

  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options?: RequestOptions): Promise<T | undefined> {
    return this.#call('get', type, key, undefined, undefined, () => this.#cluster.get(type, key, options));
  }

  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ObjectList<T>> {
    return this.#call('list', type, undefined, options, undefined, () => this.#cluster.list(type, options));
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: WriteOptions): Promise<T> {
    const { name = '', namespace = '' } = object.metadata;
    const key = keyOf({ metadata: { name, namespace } });
    return this.#call('create', type, key, object, options?.subresource, () => this.#cluster.create(type, object, options));
  }

  update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    const go = (): Promise<T> => this.#cluster.update(type, object, options);
    return this.#call('update', type, keyOf(object), object, options?.subresource, go);
  }

  patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T> {
    const go = (): Promise<T> => this.#cluster.patch(type, key, patch, options);
    return this.#call('patch', type, key, patch, options?.subresource, go);
  }

  apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>> {
    const go = (): Promise<Applied<T>> => this.#cluster.apply(type, object, options);
    return this.#call('apply', type, keyOf(object), object, options.subresource, go);
  }

  delete(type: ResourceAddress, key: ObjectKey, options?: DeleteOptions): Promise<DeleteOutcome> {
    return this.#call('delete', type, key, options, undefined, () => this.#cluster.delete(type, key, options));
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options?: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const call = this.#record('watch', type, undefined, options, '');
    if (await this.#tamper().endsWatch?.(call)) return;
    const events = this.#cluster.watch(type, options)[Symbol.asyncIterator]();
    try {
      if (options?.sendInitialEvents === true) yield* this.#streamedList(type, options, events);
      for (let next = await events.next(); next.done !== true; next = await events.next()) {
        await this.#tamper().event?.(call, next.value);
        yield next.value;
      }
    } finally {
      await events.return?.();
    }
  }

  /** The list at the beginning of a watch. */
  async *#streamedList<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
    events: AsyncIterator<WatchEvent<T>>,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { items, resourceVersion } = await this.#call('list', type, undefined, options, undefined, () => collected(events));
    for (const object of items) yield { type: 'ADDED', object };
    yield { type: 'BOOKMARK', resourceVersion, initialEventsEnd: true };
  }

  resources(options?: RequestOptions): Promise<readonly ServedResource[]> {
    return this.#call('resources', undefined, undefined, undefined, undefined, () => this.#cluster.resources(options));
  }

  version(options?: RequestOptions): Promise<string> {
    return this.#call('version', undefined, undefined, undefined, undefined, () => this.#cluster.version(options));
  }

  ready(options?: RequestOptions): Promise<boolean> {
    return this.#call('ready', undefined, undefined, undefined, undefined, () => this.#cluster.ready(options));
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  #record(
    verb: Call['verb'],
    type: ResourceAddress | undefined,
    key: ObjectKey | undefined,
    body: unknown,
    subresource: string,
  ): Call {
    const call: Call = {
      cluster: this.name,
      verb,
      kind: type?.kind ?? '',
      key: key === undefined ? '' : formatKey(key),
      subresource,
      body,
      before: this.#stored(type, key),
      outcome: 'pending',
      changed: false,
    };
    this.#calls.push(call);
    return call;
  }

  #stored(type: ResourceAddress | undefined, key: ObjectKey | undefined): AnyObject | undefined {
    if (type === undefined || key === undefined) return undefined;
    return this.#offline.server.state.storage.get(qualifiedPlural(type), key);
  }

  async #call<R>(
    verb: Call['verb'],
    type: ResourceAddress | undefined,
    key: ObjectKey | undefined,
    body: unknown,
    subresource: string | undefined,
    go: () => Promise<R>,
  ): Promise<R> {
    const call = this.#record(verb, type, key, body, subresource ?? '');
    const observed = async (): Promise<R> => {
      const before = this.#stored(type, key)?.metadata.resourceVersion;
      const answer = await go();
      call.changed = this.#stored(type, key)?.metadata.resourceVersion !== before;
      return answer;
    };
    const tamper = this.#tamper();
    try {
      const answer = await (tamper.call === undefined ? observed() : tamper.call(call, observed));
      call.outcome = 'ok';
      return answer;
    } catch (error) {
      call.outcome = isClustersetError(error) ? error.code : 'thrown';
      throw error;
    }
  }
}

/** What comes before the bookmark that ends the list. */
async function collected<T extends KubeObject>(events: AsyncIterator<WatchEvent<T>>): Promise<ObjectList<T>> {
  const items = new Map<string, T>();
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const event = next.value;
    if (event.type === 'BOOKMARK') {
      if (event.initialEventsEnd) return { items: [...items.values()], resourceVersion: event.resourceVersion };
    } else if (event.type === 'DELETED') items.delete(formatKey(keyOf(event.object)));
    else items.set(formatKey(keyOf(event.object)), event.object);
  }
  throw new ClustersetError({ code: 'Unreachable', message: 'the stream ended before the list did' });
}
