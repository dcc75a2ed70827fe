import {
  type AnyObject,
  type Applied,
  type ApplyOptions,
  apiVersionOf,
  type Cluster,
  ClustersetError,
  checkedKey,
  type DeleteOptions,
  type DeleteOutcome,
  type Draft,
  errorOfStatus,
  hasCode,
  ifAbsentError,
  isClustersetError,
  isRecord,
  isStatus,
  type KubeObject,
  keyOf,
  type ListOptions,
  NEVER_VERSION,
  type ObjectKey,
  type ObjectList,
  type Patch,
  type RequestOptions,
  type ResourceAddress,
  type ResourceType,
  resourcePath,
  resourceType,
  type SelectOptions,
  type ServedResource,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '../kube/index.ts';
import { Connection, type ConnectionOptions, type HttpRequest } from './connection.ts';
import { AGGREGATED, readAggregated } from './discovery.ts';

const SERVICE_ACCOUNTS = resourceType('v1', 'ServiceAccount', 'serviceaccounts');

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** A real cluster behind the port. */
export class RealCluster implements Cluster {
  readonly name: string;
  readonly #connection: Connection;

  constructor(options: ConnectionOptions) {
    this.name = options.cluster;
    this.#connection = new Connection(options);
  }

  async get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options: RequestOptions = {}): Promise<T | undefined> {
    const where = checkedKey(type, key, this.name);
    try {
      const body = await this.#send(type, where, { method: 'GET', path: resourcePath(type, where), signal: options.signal });
      if (!isObject(body)) throw this.#odd('the answer is no object');
      return body as T;
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { limit, resourceVersion, resourceVersionMatch } = options;
    const query = queryOf({ ...selection(options), limit, continue: options.continue, resourceVersion, resourceVersionMatch });
    const path = `${resourcePath(type, { namespace: options.namespace })}${query}`;
    const list = this.#listIn<T>(await this.#send(type, undefined, { method: 'GET', path, signal: options.signal }));
    const { resourceVersion: version = '', continue: more, remainingItemCount } = list.metadata;
    return {
      items: (list.items ?? []).map((item) => ({
        ...item,
        apiVersion: item.apiVersion ?? apiVersionOf(type),
        kind: item.kind ?? type.kind,
      })),
      resourceVersion: version,
      ...(more === undefined || more === '' ? {} : { continue: more }),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    };
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const path = `${resourcePath(type, { namespace: namespaceOf(type, object) })}${writeQuery(options)}`;
    const { name = '' } = object.metadata;
    return (await this.#send(type, { name }, { method: 'POST', path, body: object, signal: options.signal })) as T;
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = checkedKey(type, keyOf(object), this.name);
    const path = `${resourcePath(type, { ...key, subresource: options.subresource })}${writeQuery(options)}`;
    return (await this.#send(type, key, { method: 'PUT', path, body: object, signal: options.signal })) as T;
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const where = checkedKey(type, key, this.name);
    const path = `${resourcePath(type, { ...where, subresource: options.subresource })}${writeQuery(options)}`;
    const body = patch.type === 'json' ? patch.operations : patch.body;
    const request: HttpRequest = { method: 'PATCH', path, body, contentType: PATCH_TYPES[patch.type], signal: options.signal };
    return (await this.#send(type, where, request)) as T;
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>> {
    const key = checkedKey(type, keyOf(object), this.name);
    const query = writeQuery(options, { force: options.force ? 'true' : undefined });
    const path = `${resourcePath(type, { ...key, subresource: options.subresource })}${query}`;
    const body = options.ifAbsent ? withNeverVersion(object) : object;
    const request: HttpRequest = {
      method: 'PATCH',
      path,
      body,
      contentType: 'application/apply-patch+yaml',
      signal: options.signal,
    };
    try {
      const answer = await this.#answer(type, key, request);
      return { object: answer.body as T, created: answer.status === 201 };
    } catch (error) {
      throw options.ifAbsent ? ifAbsentError(error) : error;
    }
  }

  /** A short-lived token of a service account (API: authentication.k8s.io/v1 TokenRequest). */
  async requestToken(
    account: { readonly namespace: string; readonly name: string },
    spec: { readonly audiences?: readonly string[]; readonly expirationSeconds: number },
  ): Promise<{ readonly token: string; readonly expirationTimestamp: string }> {
    const key = checkedKey(SERVICE_ACCOUNTS, account, this.name);
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const path = `${resourcePath(SERVICE_ACCOUNTS, key)}/token`;
    const { status } = (await this.#send(SERVICE_ACCOUNTS, key, { method: 'POST', path, body })) as TokenRequest;
    return status;
  }

  async delete(type: ResourceAddress, key: ObjectKey, options: DeleteOptions = {}): Promise<DeleteOutcome> {
    const where = checkedKey(type, key, this.name);
    const { propagationPolicy, gracePeriodSeconds, preconditions, dryRun } = options;
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(preconditions === undefined ? {} : { preconditions }),
      ...(dryRun ? { dryRun: ['All'] } : {}),
    };
    try {
      const answer = await this.#send(type, where, {
        method: 'DELETE',
        path: resourcePath(type, where),
        body,
        signal: options.signal,
      });
      return !isStatus(answer) && isObject(answer) && isStillThere(answer) ? 'terminating' : 'gone';
    } catch (error) {
      if (hasCode(error, 'NotFound')) return 'absent';
      throw error;
    }
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { resourceVersion, resourceVersionMatch, sendInitialEvents, allowWatchBookmarks, timeoutSeconds } = options;
    const query = queryOf({
      watch: 'true',
      ...selection(options),
      resourceVersion,
      resourceVersionMatch,
      sendInitialEvents,
      allowWatchBookmarks,
      timeoutSeconds,
    });
    const request: HttpRequest = {
      method: 'GET',
      path: `${resourcePath(type, { namespace: options.namespace })}${query}`,
      signal: options.signal,
    };
    try {
      for await (const line of await this.#connection.stream(request)) yield this.#event<T>(line);
    } catch (error) {
      throw this.#located(error, type, undefined);
    }
  }

  async resources(options: RequestOptions = {}): Promise<readonly ServedResource[]> {
    const ask = (path: string): Promise<unknown> =>
      this.#connection.send({ method: 'GET', path, accept: AGGREGATED, signal: options.signal }).then(({ body }) => body);
    const [core, groups] = await Promise.all([ask('/api'), ask('/apis')]);
    return [core, groups].flatMap((document) => readAggregated(document, this.name));
  }

  async version(options: RequestOptions = {}): Promise<string> {
    const { body } = await this.#connection.send({ method: 'GET', path: '/version', signal: options.signal });
    return String((body as { gitVersion?: unknown }).gitVersion ?? '');
  }

  async ready(options: RequestOptions = {}): Promise<boolean> {
    try {
      await this.#connection.send({ method: 'GET', path: '/readyz', accept: '*/*', signal: options.signal });
      return true;
    } catch (error) {
      if (hasCode(error, 'InternalError', 'ServiceUnavailable')) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #send(type: ResourceAddress, key: ObjectKey | undefined, request: HttpRequest): Promise<unknown> {
    return (await this.#answer(type, key, request)).body;
  }

  async #answer(type: ResourceAddress, key: ObjectKey | undefined, request: HttpRequest): ReturnType<Connection['send']> {
    try {
      return await this.#connection.send(request);
    } catch (error) {
      throw this.#located(error, type, key);
    }
  }

  #located(error: unknown, type: ResourceAddress, key: ObjectKey | undefined): unknown {
    if (!isClustersetError(error)) return error;
    if (error.code === 'NotServed') {
      return new ClustersetError({
        code: 'NotServed',
        message: `it does not serve ${apiVersionOf(type)} ${type.kind}`,
        cluster: this.name,
        status: error.status,
        mend: error.mend,
      });
    }
    return key === undefined ? error : error.with({ object: { kind: type.kind, ...key } });
  }

  /** What answers with something else is no API server, or a broken one. */
  #listIn<T extends KubeObject>(body: unknown): ServerList<T> {
    const { metadata, items } = isRecord(body) ? body : {};
    const isList =
      isRecord(metadata) && (items === undefined || items === null || (Array.isArray(items) && items.every(isObject)));
    if (isList) return body as unknown as ServerList<T>;
    throw this.#odd('the answer is no list of objects');
  }

  #odd(message: string): ClustersetError {
    return new ClustersetError({ code: 'InternalError', message, cluster: this.name });
  }

  #event<T>(line: unknown): WatchEvent<T> {
    const { type, object } = isRecord(line) ? line : {};
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        if (!isObject(object)) throw this.#odd(`the watch sent an event of type ${type} without an object`);
        return { type, object: object as T };
      case 'BOOKMARK': {
        if (!isObject(object)) throw this.#odd('the watch sent a bookmark without an object');
        const { resourceVersion = '', annotations } = object.metadata;
        return { type, resourceVersion, initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true' };
      }
      default: {
        if (isStatus(object)) throw errorOfStatus(object, object.code ?? 500, { cluster: this.name });
        throw this.#odd(`the watch sent an event of type ${String(type)}`);
      }
    }
  }
}

interface ServerList<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number };
  /** Go writes an empty list as `null`. */
  readonly items: readonly T[] | null;
}

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

function withNeverVersion(object: AnyObject): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: NEVER_VERSION } };
}

/** Whether it has metadata; what else there is to it is its reader's concern. */
function isObject(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value.metadata);
}

function namespaceOf<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>): string | undefined {
  return type.scope === 'Namespaced' ? (object.metadata.namespace ?? 'default') : undefined;
}

function selection({ labelSelector, fieldSelector }: SelectOptions): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}

function writeQuery(
  { fieldManager, dryRun, fieldValidation }: WriteOptions,
  more: Record<string, string | undefined> = {},
): string {
  return queryOf({ fieldManager, dryRun: dryRun ? 'All' : undefined, fieldValidation, ...more });
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given))}`;
}

/** Whether something holds an object that was deleted. Some kinds answer with the object also where it is gone: with no time left, and nobody to wait for. */
function isStillThere({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && (deletionGracePeriodSeconds !== 0 || finalizers.length > 0);
}
