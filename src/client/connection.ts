import type { Dispatcher } from 'undici';
import { ClustersetError, errorOfStatus, isClustersetError, isStatus } from '../kube/index.ts';
import { type Clock, type Observe, sleep, systemClock, told, unlessAborted } from '../runtime/index.ts';
import type { Access, AccessProvider } from './access.ts';
import { beginCall, type Call } from './call.ts';
import { Dispatchers, fingerprintOf } from './dispatchers.ts';
import { BrokenOffError, EndlessLineError, jsonLines } from './json-lines.ts';
import { unreachable, wasNeverSent } from './network-errors.ts';
import { pathTemplate } from './path-template.ts';

/** One address of an API server. */
export interface ServerEndpoint {
  /** URL of the API server. */
  readonly server: string;
  readonly proxy?: string | undefined;
  /** How this server is checked; goes before what the credentials say. */
  readonly tls?: Partial<Access['tls']> | undefined;
}

/** Where a cluster is and how to get in. */
export interface ConnectionOptions extends ServerEndpoint {
  /** How errors call the cluster. */
  readonly cluster: string;
  /** Where to go when no connection to the server can be made: the next one is tried, and stayed with. */
  readonly others?: readonly ServerEndpoint[] | undefined;
  readonly access: AccessProvider;
  /** How long one call may take, retries included. Default 30 s. Watches aren't concerned. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock;
  /** Is told of each request, once its answer begins or it has failed. */
  readonly observe?: Observe | undefined;
}

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default: JSON. An answer of another type is an error, unless this is a wildcard. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A successful answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_RETRIES = 10;

/** An endpoint, read. */
interface Server extends ServerEndpoint {
  readonly origin: string;
  readonly host: string;
  readonly basePath: string;
}

/** The connections that are in use. */
interface Agents {
  readonly access: Access;
  readonly server: Server;
  readonly dispatchers: Dispatchers;
  readonly fingerprint: string;
}

/**
 * The HTTP connection to one cluster. An answer of 429 or 503 with `Retry-After` is waited for within the call's time; one of 401 is tried once
 * more with new credentials. Where no connection can be made, the cluster's other addresses are tried.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #observe: Observe | undefined;
  readonly #servers: readonly Server[];
  /** Which of the servers is used: the last that could be connected to. */
  #at = 0;
  readonly #closing = new AbortController();
  /** Ends all sockets, also those that are still being connected: undici lets them go on until its timeout, which holds a process. */
  readonly #sockets = new AbortController();
  #agent: Agents | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#observe = options.observe === undefined ? undefined : told(options.observe);
    this.#servers = [options, ...(options.others ?? [])].map((endpoint) => serverOf(endpoint, options.cluster));
  }

  /** Sends a request and reads its answer as JSON. @throws ClustersetError for every answer but a good one. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const call = this.#begin(request);
    try {
      for (;;) {
        const response = await this.#dispatch(call, call.deadline);
        const body = await this.#read(response, call);
        if (response.statusCode < 300) return { status: response.statusCode, body: this.#json(response, body, request) };
        await this.#retryOrThrow(response, body, call);
      }
    } finally {
      call.finish();
    }
  }

  /** Opens a stream of JSON lines. It stays open until the server ends it, the signal fires, or the reader leaves. */
  async stream(request: HttpRequest): Promise<AsyncIterable<unknown>> {
    const call = this.#begin(request);
    try {
      for (;;) {
        const response = await this.#dispatch(call);
        if (response.statusCode < 300) {
          call.begun();
          return this.#lines(response, call);
        }
        const body = await this.#read(response, call);
        if (response.statusCode !== 401) throw this.#failure(response, body);
        await this.#retryOrThrow(response, body, call);
      }
    } catch (error) {
      call.finish();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new ClustersetError({ code: 'Aborted', message: 'the connection was closed', cluster: this.#options.cluster }),
    );
    const agent = this.#agent;
    this.#agent = undefined;
    const destroyed = agent?.dispatchers.destroy();
    // Not before: a dispatcher that isn't destroyed yet would connect again.
    this.#sockets.abort();
    await Promise.all([destroyed, this.#options.access.close?.()]);
  }

  #begin(request: HttpRequest): Call {
    return beginCall(request, this.#closing.signal, this.#clock, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  /**
   * Sends a request until its answer begins. Neither credentials nor a request that still waits for its connection mind a signal, so they are
   * left to themselves when it fires; `whole` also ends the answer.
   */
  async #dispatch(call: Call, whole?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { ended, deadline } = call;
    const left = new AbortController();
    const signal = AbortSignal.any([ended, left.signal, ...(whole === undefined ? [] : [whole])]);
    const send = async (): Promise<Dispatcher.ResponseData> => {
      call.access = await this.#options.access.current();
      return this.#sendSomewhere(call, call.access, signal);
    };
    try {
      const response = await unlessAborted(send, AbortSignal.any([ended, deadline]), (late) => late.body.destroy());
      this.#tell(call, response.statusCode);
      return response;
    } catch (error) {
      left.abort();
      const failure = this.#translate(error, call);
      this.#tell(call, isClustersetError(failure) ? failure.code : 'Unreachable');
      throw failure;
    }
  }

  /** Tells of the request that was sent last; where none was, as the credentials could not be had, there is nothing to tell. */
  #tell(call: Call, code: number | string): void {
    const { request, sent } = call;
    call.sent = undefined;
    if (this.#observe === undefined || sent === undefined) return;
    const durationMs = this.#clock.monotonic() - sent.at;
    const { method, path } = request;
    const { cluster } = this.#options;
    this.#observe({ fact: 'request', cluster, method, host: sent.host, path: pathTemplate(path), code, durationMs });
  }

  /** Sends a request to the server in use, or the next that can be connected to: what was not sent can be sent again. */
  async #sendSomewhere(call: Call, access: Access, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { request } = call;
    for (let tried = 1; ; tried += 1) {
      signal.throwIfAborted();
      // A signal may know that it is over before it has fired, as that of a fence: it is asked at the last moment.
      if (request.signal?.aborted) throw request.signal.reason;
      const at = this.#at;
      const server = this.#servers[at] as Server;
      call.sent = { host: server.host, at: this.#clock.monotonic() };
      try {
        return await this.#dispatchers(access, server)
          .of(request)
          .request({
            origin: server.origin,
            path: `${server.basePath}${request.path}`,
            method: request.method,
            signal,
            headers: this.#headers(request, access),
            body: request.body === undefined ? null : JSON.stringify(request.body),
            bodyTimeout: 0,
            headersTimeout: this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
          });
      } catch (error) {
        if (tried >= this.#servers.length || !wasNeverSent(error)) throw error;
        this.#tell(call, 'Unreachable');
        // Another call may have gone on already.
        if (this.#at === at) this.#at = (at + 1) % this.#servers.length;
      }
    }
  }

  #headers(request: HttpRequest, access: Access): Record<string, string> {
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent ?? 'clusterset',
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      ...access.headers,
    };
  }

  #dispatchers(access: Access, server: Server): Dispatchers {
    const before = this.#agent;
    // Most requests have the very credentials of the one before.
    if (before?.access === access && before.server === server) return before.dispatchers;
    const own = server.tls === undefined ? access : { ...access, tls: { ...access.tls, ...server.tls } };
    const fingerprint = fingerprintOf(own);
    const isSame = before?.fingerprint === fingerprint && before.server === server;
    const dispatchers = isSame ? before.dispatchers : new Dispatchers(own, server.proxy, this.#sockets.signal);
    this.#agent = { access, server, fingerprint, dispatchers };
    // Calls under way may finish on the old connections.
    if (!isSame) void before?.dispatchers.close().catch(() => undefined);
    return dispatchers;
  }

  async #read(response: Dispatcher.ResponseData, call: Call): Promise<unknown> {
    try {
      const text = await unlessAborted(() => response.body.text(), AbortSignal.any([call.ended, call.deadline]));
      return String(response.headers['content-type'] ?? '').includes('json') ? JSON.parse(text) : text;
    } catch (error) {
      response.body.destroy();
      throw error instanceof SyntaxError ? this.#brokenJson() : this.#translate(error, call);
    }
  }

  #origin(): string {
    return this.#servers[this.#at]?.origin ?? '';
  }

  /** Login pages of proxies are answers, too, but not from the cluster. */
  #json(response: Dispatcher.ResponseData, body: unknown, { accept = '' }: HttpRequest): unknown {
    if (typeof body !== 'string' || accept === '*/*') return body;
    const type = String(response.headers['content-type'] ?? 'no content type').split(';')[0];
    throw new ClustersetError({
      code: 'InternalError',
      message: `the answer is no JSON (${type})`,
      cluster: this.#options.cluster,
      mend: `check that ${this.#origin()} is an API server, and that no proxy answers in its place`,
    });
  }

  #brokenJson(): ClustersetError {
    return new ClustersetError({ code: 'InternalError', message: 'the server sent broken JSON', cluster: this.#options.cluster });
  }

  async *#lines(response: Dispatcher.ResponseData, call: Call): AsyncGenerator<unknown> {
    try {
      yield* jsonLines(response.body as AsyncIterable<Uint8Array>);
    } catch (error) {
      throw this.#brokenStream(error, call);
    } finally {
      response.body.destroy();
      call.finish();
    }
  }

  #brokenStream(error: unknown, call: Call): unknown {
    const { cluster } = this.#options;
    if (error instanceof SyntaxError) return this.#brokenJson();
    if (error instanceof EndlessLineError)
      return new ClustersetError({ code: 'InternalError', message: `the watch sent ${error.message}`, cluster });
    if (error instanceof BrokenOffError)
      return new ClustersetError({ code: 'Unreachable', message: 'the watch broke off in the middle of an event', cluster });
    return this.#translate(error, call, false);
  }

  /** Gets ready for another attempt, where one makes sense. */
  async #retryOrThrow(response: Dispatcher.ResponseData, body: unknown, call: Call): Promise<void> {
    const error = this.#failure(response, body);
    if (response.statusCode === 401 && call.refused === undefined && call.access !== undefined) {
      call.refused = call.access;
      this.#options.access.refresh(call.refused);
      return;
    }
    const wantsRetry = response.statusCode === 429 || response.statusCode === 503;
    if (!wantsRetry || response.headers['retry-after'] === undefined || call.waits === MOST_RETRIES) throw error;
    call.waits += 1;
    const { request, deadline, ended } = call;
    try {
      await sleep(this.#clock, error.retryAfterMs ?? 1000, AbortSignal.any([ended, deadline]));
    } catch (reason) {
      // What the server has said says more than that time is up.
      throw deadline.aborted && !request.signal?.aborted ? error : this.#translate(reason, call);
    }
  }

  #failure(response: Dispatcher.ResponseData, body: unknown): ClustersetError {
    const { cluster } = this.#options;
    const status = response.statusCode;
    const retryAfterMs = retryAfter(response.headers['retry-after']);
    if (isStatus(body)) return errorOfStatus(body, status, { cluster, retryAfterMs });
    if (status === 404) {
      return new ClustersetError({
        code: 'NotServed',
        message: 'it does not serve this resource',
        cluster,
        status,
        mend: 'install its CRD there, or choose a version that is served',
      });
    }
    const code = status === 429 ? 'TooManyRequests' : undefined;
    const said = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `the server answered ${status}`,
      code: status,
    } as const;
    return errorOfStatus(code === undefined ? said : { ...said, reason: code }, status, { cluster, retryAfterMs });
  }

  #translate(error: unknown, { request, deadline }: Call, hasDeadline = true): unknown {
    const { cluster, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    if (this.#closing.signal.aborted) return this.#closing.signal.reason;
    if (request.signal?.aborted)
      return new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster, cause: request.signal.reason });
    if (error instanceof ClustersetError) return error;
    if (hasDeadline && deadline.aborted)
      return new ClustersetError({ code: 'Timeout', message: `no answer within ${timeoutMs} ms`, cluster });
    return unreachable(error, cluster, this.#origin());
  }
}

function serverOf(endpoint: ServerEndpoint, cluster: string): Server {
  const { server, proxy, tls } = checkedServer(endpoint, cluster);
  const url = new URL(server);
  const { origin, host, pathname } = url;
  return { server, proxy: proxy === '' ? undefined : proxy, tls, origin, host, basePath: pathname.replace(/\/$/, '') };
}

/** The same endpoint. @throws ClustersetError `Invalid` where it is none that can be connected to; a user in it isn't quoted. */
export function checkedServer(endpoint: ServerEndpoint, cluster: string): ServerEndpoint {
  const { server, proxy } = endpoint;
  if (!hasScheme(server, SERVERS)) {
    throw new ClustersetError({
      code: 'Invalid',
      message: `${quoted(server)} is no address of an API server`,
      cluster,
      mend: 'write it as in "https://host:6443"',
    });
  }
  if (proxy !== undefined && proxy !== '' && !hasScheme(proxy, PROXIES)) {
    throw new ClustersetError({
      code: 'Invalid',
      message: 'its proxy has no address that can be read',
      cluster,
      mend: 'write it as in "http://proxy:3128", a password with "%2F" for "/"',
    });
  }
  return endpoint;
}

const SERVERS: ReadonlySet<string> = new Set(['https:', 'http:']);
const PROXIES: ReadonlySet<string> = new Set(['https:', 'http:', 'socks5:', 'socks:']);

function hasScheme(url: string, schemes: ReadonlySet<string>): boolean {
  return URL.canParse(url) && schemes.has(new URL(url).protocol);
}

/** What is no URL may still hold the user and password of one. */
function quoted(address: string): string {
  return address.includes('@') ? 'what is given' : JSON.stringify(address);
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) && header !== undefined ? seconds * 1000 : undefined;
}
