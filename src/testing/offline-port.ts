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
  ifAbsentError,
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
} from '../kube/index.ts';
import type { ApiServer } from './api/api-server.ts';
import type { Served } from './api/catalogue.ts';
import { StatusError } from './api/failures.ts';
import type { WriteContext } from './api/write.ts';
import type { Network } from './network.ts';
import { RECORDED_VERSION } from './schema/built-in.ts';

/** An offline cluster behind the port, without HTTP in between. What it returns is frozen and shared; what it is given is copied. */
export class OfflinePort implements Cluster {
  readonly name: string;
  readonly #server: ApiServer;
  readonly #network: Network;
  readonly #fieldManager: string;
  readonly #closing = new AbortController();

  constructor(name: string, server: ApiServer, network: Network, fieldManager: string) {
    this.name = name;
    this.#server = server;
    this.#network = network;
    this.#fieldManager = fieldManager;
  }

  async get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options: RequestOptions = {}): Promise<T | undefined> {
    const where = checkedKey(type, key, this.name);
    const served = await this.#reach(type, options);
    try {
      return this.#server.get(served, where) as unknown as T;
    } catch (error) {
      if (error instanceof StatusError && error.status.reason === 'NotFound') return undefined;
      throw this.#translate(error, type, where);
    }
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const served = await this.#reach(type, options);
    return this.#answer(type, undefined, () => this.#server.list(served, options) as unknown as ObjectList<T>);
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const served = await this.#reach(type, options);
    const { namespace = 'default', name = '' } = object.metadata;
    const where = type.scope === 'Namespaced' ? namespace : undefined;
    return this.#answer(type, { name }, () => this.#server.create(served, where, object, this.#context(options)) as unknown as T);
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = checkedKey(type, keyOf(object), this.name);
    const served = await this.#reach(type, options, options.subresource);
    return this.#answer(type, key, () => this.#server.update(served, key, object, this.#context(options)) as unknown as T);
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const where = checkedKey(type, key, this.name);
    const served = await this.#reach(type, options, options.subresource);
    if (patch.type === 'strategic' && served.custom !== undefined) throw this.#unsupported(type, where);
    return this.#answer(type, where, () => this.#server.patch(served, where, patch, this.#context(options)) as unknown as T);
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: AnyObject, options: ApplyOptions): Promise<Applied<T>> {
    const key = checkedKey(type, keyOf(object), this.name);
    const served = await this.#reach(type, options, options.subresource);
    const context = { ...this.#context(options), force: options.force ?? false };
    const body = options.ifAbsent ? { ...object, metadata: { ...object.metadata, resourceVersion: NEVER_VERSION } } : object;
    try {
      return this.#answer(type, key, () => this.#server.apply(served, key, body, context) as unknown as Applied<T>);
    } catch (error) {
      throw options.ifAbsent ? ifAbsentError(error) : error;
    }
  }

  async delete(type: ResourceAddress, key: ObjectKey, options: DeleteOptions = {}): Promise<DeleteOutcome> {
    const where = checkedKey(type, key, this.name);
    const served = await this.#reach(type, options);
    try {
      return this.#server.delete(served, where, options).gone ? 'gone' : 'terminating';
    } catch (error) {
      if (error instanceof StatusError && error.status.reason === 'NotFound') return 'absent';
      throw this.#translate(error, type, where);
    }
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const served = await this.#reach(type, options);
    const subscription = this.#answer(type, undefined, () => this.#server.watch(served, options));
    let broken: ClustersetError | undefined;
    const breakOff = (reason: ClustersetError): void => {
      broken = reason;
      subscription.end();
    };
    const signal = AbortSignal.any([
      this.#closing.signal,
      ...(options.signal === undefined ? [] : [options.signal as AbortSignal]),
    ]);
    const onAbort = (): void => breakOff(this.#aborted(signal.reason));
    const stopListening = this.#network.onCut(() => breakOff(this.#network.error(this.name)));
    signal.addEventListener('abort', onAbort, { once: true });
    // Both may have happened while the watch was being opened.
    if (signal.aborted) onAbort();
    else if (this.#network.isCut) breakOff(this.#network.error(this.name));
    try {
      for (let event = await subscription.next(); event !== undefined; event = await subscription.next()) {
        if (event.type === 'ERROR') throw errorOfStatus(event.object, event.object.code ?? 500, { cluster: this.name });
        yield event as WatchEvent<AnyObject> as unknown as WatchEvent<T>;
        if (broken !== undefined) break;
      }
      if (broken !== undefined) throw broken;
    } finally {
      stopListening();
      signal.removeEventListener('abort', onAbort);
      subscription.end();
    }
  }

  async resources(options: RequestOptions = {}): Promise<readonly ServedResource[]> {
    await this.#enter(options);
    return this.#server.resources();
  }

  async version(options: RequestOptions = {}): Promise<string> {
    await this.#enter(options);
    return RECORDED_VERSION;
  }

  async ready(options: RequestOptions = {}): Promise<boolean> {
    await this.#enter(options);
    return true;
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** Gets through to the server, as far as the network and the caller let it. */
  async #enter({ signal }: RequestOptions): Promise<void> {
    if (signal?.aborted || this.#closing.signal.aborted) throw this.#aborted(signal?.reason);
    const given = signal === undefined ? [] : [signal as AbortSignal];
    await this.#network.pass(this.name, AbortSignal.any([this.#closing.signal, ...given]));
  }

  async #reach(type: ResourceAddress, options: RequestOptions, subresource?: string): Promise<Served> {
    await this.#enter(options);
    const served = this.#server.served(type);
    if (served !== undefined && (subresource === undefined || served.subresources.has(subresource))) return served;
    const part = subresource === undefined ? '' : `/${subresource}`;
    throw new ClustersetError({
      code: 'NotServed',
      message: `it does not serve ${apiVersionOf(type)} ${type.kind}${part}`,
      cluster: this.name,
      status: 404,
      mend: 'install its CRD there, or choose a version that is served',
    });
  }

  #context(options: WriteOptions): WriteContext {
    return {
      fieldManager: options.fieldManager ?? this.#fieldManager,
      dryRun: options.dryRun ?? false,
      fieldValidation: options.fieldValidation ?? 'Warn',
      subresource: options.subresource,
      warnings: [],
    };
  }

  #answer<R>(type: ResourceAddress, key: ObjectKey | undefined, act: () => R): R {
    try {
      return act();
    } catch (error) {
      throw this.#translate(error, type, key);
    }
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
