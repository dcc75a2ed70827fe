import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type AnyObject, failure, type Status } from 'clusterset/kube';
import { answer, type Handler, type Outgoing, type Received, sendEvent, writeTo } from '../../test/unit/client/server.ts';
import type { Change, Told } from './messages.ts';
import { configMap } from './objects.ts';
import type { Relay } from './relay.ts';

const INITIAL = 60;
/** As kube-apiserver does. */
const BOOKMARK_MS = 60_000;

interface StoredEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: AnyObject;
}

interface OpenWatch {
  readonly response: Outgoing;
  readonly stop: () => void;
}

/** An API server of ConfigMaps, of which a story can be told: it changes its objects, and misbehaves. */
export class StoryServer {
  readonly #relay: Relay;
  readonly #objects = new Map<string, AnyObject>();
  readonly #events: StoredEvent[] = [];
  readonly #watches = new Set<OpenWatch>();
  readonly #changes: Change[] = [];
  readonly #asked = Promise.withResolvers<void>();
  readonly #watched = Promise.withResolvers<void>();
  readonly #counts = { lists: 0, streams: 0, watches: 0 };
  #version = 0;
  #made = 0;
  #compacted = 0;
  /** When what is made now could be heard of at the earliest; `undefined` for at once. */
  #heldBack: Change[] | undefined;
  #isLagging = false;
  /** Answers of requests in place of what was asked for. */
  #refusal: { readonly code: number; readonly of: 'list' | 'watch' } | undefined;
  /** What watches end with as soon as they have begun. */
  #inStream: Status | undefined;

  constructor(relay: Relay) {
    this.#relay = relay;
    for (let index = 0; index < INITIAL; index += 1) this.#put('ADDED', index);
  }

  /** Resolves with the first request. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Resolves with the first watch that goes on. */
  get watched(): Promise<void> {
    return this.#watched.promise;
  }

  told(): Told {
    return {
      changes: this.#changes,
      objects: Object.fromEntries([...this.#objects].map(([name, object]) => [name, Number(object.metadata.resourceVersion)])),
      ...this.#counts,
    };
  }

  readonly handler: Handler = (request, response) => {
    const { pathname, searchParams } = new URL(request.path, 'https://server');
    if (pathname !== '/api/v1/configmaps') return answer(response, 200, { gitVersion: 'v1.36.0', major: '1', minor: '36' });
    this.#asked.resolve();
    const isWatch = searchParams.get('watch') === 'true';
    const isStream = searchParams.get('sendInitialEvents') === 'true';
    const kind = isWatch ? 'watches' : 'lists';
    this.#counts[isStream ? 'streams' : kind] += 1;
    if (this.#refusal?.of === (isWatch && !isStream ? 'watch' : 'list')) return refuse(response, this.#refusal.code);
    return isWatch ? this.#watch(request, response, searchParams, isStream) : this.#list(response);
  };

  /** Makes changes, each to another object. */
  async change(count: number, everyMs = 150, { deletes = true } = {}): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      this.#changeNext(deletes);
      await wait(everyMs);
    }
  }

  /** Answers lists or watches with a failure; `undefined` for no more. */
  refuse(refusal: { readonly code: number; readonly of: 'list' | 'watch' } | undefined): void {
    this.#refusal = refusal;
    this.#holdBack(refusal !== undefined);
  }

  /** Ends all watches. With a status they are told, and so is each that comes until there is none any more. */
  endWatches(status?: Status): void {
    this.#inStream = status;
    this.#holdBack(status !== undefined);
    for (const { response, stop } of this.#watches) {
      if (status !== undefined) sendEvent(response, 'ERROR', status);
      stop();
      response.end();
    }
  }

  /** Watches are allowed again. */
  letWatch(): void {
    this.#inStream = undefined;
    this.#holdBack(false);
  }

  /** Changes, of which watches aren't told and which are forgotten; then the watches are ended. */
  async forget(count: number): Promise<void> {
    this.#isLagging = true;
    this.#holdBack(true);
    await this.change(count);
    this.#compacted = this.#version;
    this.#isLagging = false;
    this.endWatches(tooOld(1));
    this.letWatch();
  }

  /** A change breaks off in the middle of its event, and with it all connections. */
  async breakOff(): Promise<void> {
    this.#isLagging = true;
    this.#changeNext(true);
    this.#isLagging = false;
    const { type, object } = this.#events.at(-1) as StoredEvent;
    const text = JSON.stringify({ type, object });
    for (const { response, stop } of this.#watches) {
      writeTo(response, text.slice(0, text.length / 2));
      stop();
    }
    // Both halves of the connection are given time to pass it on.
    await wait(50);
    this.#relay.reset();
  }

  /** Nothing comes through while changes are made; in the end new connections are possible. */
  async silence(count: number, everyMs: number): Promise<void> {
    this.#relay.silence();
    this.#holdBack(true);
    await this.change(count, everyMs);
    this.#relay.heal();
    this.#holdBack(false);
  }

  #holdBack(isHeld: boolean): void {
    const at = Date.now();
    if (isHeld) {
      this.#heldBack ??= [];
      return;
    }
    for (const change of this.#heldBack ?? []) this.#changes.push({ ...change, at });
    this.#heldBack = undefined;
  }

  #changeNext(deletes: boolean): void {
    const number = this.#made;
    this.#made += 1;
    const kind = number % 3;
    if (kind === 0) this.#put('ADDED', INITIAL + number);
    else if (kind === 1 || !deletes) this.#put('MODIFIED', number);
    else this.#put('DELETED', number);
    const { object, version, type } = this.#events.at(-1) as StoredEvent;
    const change = { name: object.metadata.name, version, isDelete: type === 'DELETED', at: Date.now() };
    (this.#heldBack ?? this.#changes).push(change);
  }

  #put(type: StoredEvent['type'], index: number): void {
    this.#version += 1;
    const object = configMap(index, this.#version);
    if (type === 'DELETED') this.#objects.delete(object.metadata.name);
    else this.#objects.set(object.metadata.name, object);
    const event = { version: this.#version, type, object };
    this.#events.push(event);
    if (this.#isLagging) return;
    for (const { response } of this.#watches) sendEvent(response, type, object);
  }

  #list(response: Outgoing): void {
    const items = [...this.#objects.values()].map(({ apiVersion: _, kind: __, ...item }) => item);
    const metadata = { resourceVersion: String(this.#version) };
    answer(response, 200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata, items });
  }

  #watch({ closed }: Received, response: Outgoing, query: URLSearchParams, isStream: boolean): void {
    begin(response);
    const asked = Number(query.get('resourceVersion') ?? 0);
    const isGone = !isStream && asked > 0 && asked < this.#compacted;
    const end = this.#inStream ?? (isGone ? tooOld(asked) : undefined);
    if (end !== undefined) {
      sendEvent(response, 'ERROR', end);
      response.end();
      return;
    }
    if (isStream || asked === 0) this.#sendAll(response, isStream);
    else for (const { version, type, object } of this.#events) if (version > asked) sendEvent(response, type, object);
    const wantsBookmarks = query.get('allowWatchBookmarks') === 'true';
    const timer = wantsBookmarks ? setInterval(() => this.#bookmark(response), BOOKMARK_MS) : undefined;
    const watch: OpenWatch = {
      response,
      stop: () => {
        clearInterval(timer);
        this.#watches.delete(watch);
      },
    };
    this.#watches.add(watch);
    this.#watched.resolve();
    void closed.then(watch.stop);
  }

  #sendAll(response: Outgoing, isStream: boolean): void {
    for (const object of this.#objects.values()) sendEvent(response, 'ADDED', object);
    if (isStream) this.#bookmark(response, { 'k8s.io/initial-events-end': 'true' });
  }

  #bookmark(response: Outgoing, annotations?: Readonly<Record<string, string>>): void {
    const metadata = { resourceVersion: String(this.#version), ...(annotations === undefined ? {} : { annotations }) };
    sendEvent(response, 'BOOKMARK', { kind: 'ConfigMap', apiVersion: 'v1', metadata });
  }
}

function tooOld(version: number): Status {
  return failure('Expired', `too old resource version: ${version}`, {}, 410);
}

/** The head of a stream goes out before there is an event. */
function begin(response: Outgoing): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  (response as ServerResponse).flushHeaders();
}

function refuse(response: Outgoing, code: number): void {
  const reason = code === 500 ? 'InternalError' : 'ServiceUnavailable';
  const status = code === 429 ? failure('TooManyRequests', 'try again later') : failure(reason, 'the server does not feel well');
  answer(response, code, status, code === 500 ? {} : { 'retry-after': '1' });
}
