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
  type ServedResource,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '../kube/plain/index.ts';
import { sleep } from '../runtime/time/index.ts';
import type { ApiServer } from './api/api-server.ts';
import type { Served } from './api/catalogue.ts';
import { StatusError } from './api/failures.ts';
import type { WriteContext } from './api/write.ts';
import type { Door, Visit } from './front/door.ts';
import { type ClientRequest, type Credentials, nameSelected, type Verb } from './front/request.ts';
import { RECORDED_VERSION } from './schema/built-in.ts';

/** What a port is made of. */
export interface PortParts {
  readonly name: string;
  readonly server: ApiServer;
  readonly door: Door;
  readonly fieldManager: string;
  readonly credentials: Credentials;
}

/** How often `Retry-After` is waited for, and how long in all. */
const MOST_RETRIES = 10;
const LONGEST_WAIT_MS = 30_000;

/** The part of a request that a verb and an object don't say. */
interface Target {
  readonly verb: Verb;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  /** The one object that is asked for by a field selector. */
  readonly selected?: string | undefined;
}

/** An offline cluster behind the port, without HTTP in between. What it returns is frozen and shared; what it is given is copied. */
export class OfflinePort implements Cluster {
  readonly name: string;
  readonly #server: ApiServer;
  readonly #door: Door;
  readonly #fieldManager: string;
  readonly #credentials: Credentials;
  readonly #closing = new AbortController();

  constructor({ name, server, door, fieldManager, credentials }: PortParts) {
    this.name = name;
    this.#server = server;
    this.#door = door;
    this.#fieldManager = fieldManager;
    this.#credentials = credentials;
  }

  async get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options: RequestOptions = {}): Promise<T | undefined> {
    const where = checkedKey(type, key, this.name);
    try {
      return await this.#call(
        type,
        { verb: 'get', ...where },
        options,
        (served) => this.#server.get(served, where) as unknown as T,
      );
    } catch (error) {
      if (isClustersetError(error) && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const selected = nameSelected(options.fieldSelector);
    const target: Target = { verb: 'list', namespace: options.namespace, selected };
    return this.#call(type, target, options, (served) => this.#server.list(served, options) as unknown as ObjectList<T>);
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace = 'default', name } = object.metadata;
    const where = type.scope === 'Namespaced' ? namespace : undefined;
    const target: Target = { verb: 'create', namespace: where, name };
    return this.#call(
      type,
      target,
      options,
      (served, visit) => this.#server.create(served, where, object, this.#context(options, visit)) as unknown as T,
    );
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = checkedKey(type, keyOf(object), this.name);
    const target: Target = { verb: 'update', ...key, subresource: options.subresource };
    return this.#call(
      type,
      target,
      options,
      (served, visit) => this.#server.update(served, key, object, this.#context(options, visit)) as unknown as T,
    );
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const where = checkedKey(type, key, this.name);
    const target: Target = { verb: 'patch', ...where, subresource: options.subresource };
    return this.#call(type, target, options, (served, visit) => {
      if (patch.type === 'strategic' && served.custom !== undefined) throw this.#unsupported(type, where);
      return this.#server.patch(served, where, patch, this.#context(options, visit)) as unknown as T;
    });
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>> {
    const key = checkedKey(type, keyOf(object), this.name);
    const target: Target = { verb: 'patch', ...key, subresource: options.subresource };
    const body = options.ifAbsent ? { ...object, metadata: { ...object.metadata, resourceVersion: NEVER_VERSION } } : object;
    try {
      return await this.#call(type, target, options, (served, visit) => {
        const context = { ...this.#context(options, visit), force: options.force ?? false };
        return this.#server.apply(served, key, body, context) as unknown as Applied<T>;
      });
    } catch (error) {
      throw options.ifAbsent ? ifAbsentError(error) : error;
    }
  }

  async delete(type: ResourceAddress, key: ObjectKey, options: DeleteOptions = {}): Promise<DeleteOutcome> {
    const where = checkedKey(type, key, this.name);
    try {
      return await this.#call(type, { verb: 'delete', ...where }, options, (served, visit) =>
        this.#server.delete(served, where, { ...options, user: visit.user }).gone ? 'gone' : 'terminating',
      );
    } catch (error) {
      if (isClustersetError(error) && error.code === 'NotFound') return 'absent';
      throw error;
    }
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const selected = nameSelected(options.fieldSelector);
    const target: Target = { verb: 'watch', namespace: options.namespace, selected };
    const { subscription, visit } = await this.#call(
      type,
      target,
      options,
      (served, each) => ({ subscription: this.#server.watch(served, options), visit: each }),
      (lost) => lost.subscription.end(),
    );
    let broken: ClustersetError | undefined;
    const breakOff = (reason: ClustersetError): void => {
      broken = reason;
      subscription.end();
    };
    const signal = AbortSignal.any([
      this.#closing.signal,
      ...(options.signal === undefined ? [] : [options.signal as AbortSignal]),
    ]);
    const { network } = this.#door;
    const onAbort = (): void => breakOff(this.#aborted(signal.reason));
    const stopListening = network.onCut(() => breakOff(network.refused(this.name)));
    signal.addEventListener('abort', onAbort, { once: true });
    // Both may have happened while the watch was being opened.
    if (signal.aborted) onAbort();
    else if (network.isCut) breakOff(network.refused(this.name));
    try {
      for (let event = await subscription.next(); event !== undefined; event = await subscription.next()) {
        await network.deliver(this.name, visit, subscription, signal);
        if (event.type === 'ERROR') throw errorOfStatus(event.object, event.object.code ?? 500, { cluster: this.name });
        yield event as WatchEvent<AnyObject> as unknown as WatchEvent<T>;
        if (broken !== undefined) break;
      }
      if (broken !== undefined) throw broken;
      await network.deliverEnd(this.name, visit, signal);
    } finally {
      stopListening();
      signal.removeEventListener('abort', onAbort);
      subscription.end();
    }
  }

  async resources(options: RequestOptions = {}): Promise<readonly ServedResource[]> {
    return this.#ask('/apis', options, () => this.#server.resources());
  }

  async version(options: RequestOptions = {}): Promise<string> {
    return this.#ask('/version', options, () => RECORDED_VERSION);
  }

  async ready(options: RequestOptions = {}): Promise<boolean> {
    try {
      return await this.#ask('/readyz', options, () => true);
    } catch (error) {
      if (hasCode(error, 'InternalError', 'ServiceUnavailable')) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** A request that is about no resource. */
  #ask<R>(path: string, { signal }: RequestOptions, act: () => R): Promise<R> {
    const request: ClientRequest = { verb: 'get', path, client: this.#fieldManager };
    return this.#patiently(signal, async () => {
      try {
        return await this.#enter(request, signal, (visit) => visit.act(act));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        throw errorOfStatus(error.status, error.status.code ?? 500, { cluster: this.name });
      }
    });
  }

  /** A request that is about a resource. */
  #call<R>(
    type: ResourceAddress,
    { verb, namespace, name, subresource, selected }: Target,
    options: RequestOptions & { readonly fieldManager?: string | undefined },
    act: (served: Served, visit: Visit) => R,
    undo?: (result: R) => void,
  ): Promise<R> {
    const { group, version, plural } = type;
    const client = options.fieldManager ?? this.#fieldManager;
    // What is in no namespace isn't asked for in one, whatever the caller takes it for: other rules would allow it.
    const within = this.#server.served(type)?.type.scope === 'Cluster' ? undefined : namespace;
    const what = { verb, group, version, resource: plural, subresource };
    const request: ClientRequest = { ...what, namespace: within, name: name ?? selected, client };
    const key = name === undefined ? undefined : { name, ...(namespace === undefined ? {} : { namespace }) };
    return this.#patiently(options.signal, async () => {
      try {
        return await this.#enter(request, options.signal, (visit) => {
          const served = this.#server.served(type);
          if (served === undefined || (subresource !== undefined && !served.subresources.has(subresource))) {
            throw this.#notServed(visit, type, subresource);
          }
          return visit.act(() => act(served, visit), verb === 'create' ? 201 : 200, undo);
        });
      } catch (error) {
        throw this.#translate(error, type, key);
      }
    });
  }

  /** Gets through to the server, as far as the network, the server and the caller let it. */
  async #enter<R>(request: ClientRequest, given: RequestOptions['signal'], act: (visit: Visit) => R): Promise<R> {
    if (given?.aborted || this.#closing.signal.aborted) throw this.#aborted(given?.reason);
    const signal = given === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, given as AbortSignal]);
    return act(await this.#door.enter(request, this.#credentials, signal));
  }

  /** Waits, as every adapter does, where a server asks for it by `Retry-After`. */
  async #patiently<R>(given: RequestOptions['signal'], call: () => Promise<R>): Promise<R> {
    const { clock } = this.#server.state;
    const end = clock.monotonic() + LONGEST_WAIT_MS;
    for (let retries = 0; ; retries += 1) {
      try {
        return await call();
      } catch (error) {
        if (!isClustersetError(error)) throw error;
        const { status, retryAfterMs } = error;
        const isWanted = (status === 429 || status === 503) && retryAfterMs !== undefined && retries < MOST_RETRIES;
        if (!isWanted || clock.monotonic() + retryAfterMs > end) throw error;
        await this.#pause(retryAfterMs, given);
      }
    }
  }

  async #pause(ms: number, given: RequestOptions['signal']): Promise<void> {
    const { closing } = this.#door.network;
    const signals = [this.#closing.signal, closing, ...(given === undefined ? [] : [given as AbortSignal])];
    try {
      await sleep(this.#server.state.clock, ms, AbortSignal.any(signals));
    } catch (reason) {
      throw this.#aborted(reason);
    }
  }

  #notServed(visit: Visit, type: ResourceAddress, subresource: string | undefined): ClustersetError {
    const part = subresource === undefined ? '' : `/${subresource}`;
    visit.note(404);
    return new ClustersetError({
      code: 'NotServed',
      message: `it does not serve ${apiVersionOf(type)} ${type.kind}${part}`,
      cluster: this.name,
      status: 404,
      mend: 'install its CRD there, or choose a version that is served',
    });
  }

  #context(options: WriteOptions, { user }: Visit): WriteContext {
    return {
      fieldManager: options.fieldManager ?? this.#fieldManager,
      dryRun: options.dryRun ?? false,
      fieldValidation: options.fieldValidation ?? 'Warn',
      subresource: options.subresource,
      warnings: [],
      user,
    };
  }

  #translate(error: unknown, type: ResourceAddress, key: ObjectKey | undefined): unknown {
    if (!(error instanceof StatusError)) return error;
    const { status } = error;
    const translated = errorOfStatus(status, status.code ?? 500, { cluster: this.name });
    return key === undefined ? translated : translated.with({ object: { kind: type.kind, ...key } });
  }

  #unsupported(type: ResourceAddress, key: ObjectKey): ClustersetError {
    const accepted = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
    return new ClustersetError({
      code: 'UnsupportedMediaType',
      message: `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
      cluster: this.name,
      object: { kind: type.kind, ...key },
      status: 415,
      reason: 'UnsupportedMediaType',
    });
  }

  #aborted(cause: unknown): ClustersetError {
    return new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster: this.name, cause });
  }
}
