import { createHash } from 'node:crypto';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import { ClustersetError, errorOfStatus, isStatus } from '../kube/index.ts';
import { type Clock, sleep, systemClock } from '../runtime/index.ts';
import type { Access, AccessProvider } from './access.ts';

/** Where a cluster is and how to get in. */
export interface ConnectionOptions {
  /** How errors call the cluster. */
  readonly cluster: string;
  /** URL of the API server. */
  readonly server: string;
  readonly proxy?: string | undefined;
  readonly access: AccessProvider;
  /** How long one call may take, retries included. Default 30 s. Watches aren't concerned. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock;
}

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
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
/** Fewer streams than servers allow on one connection (kube-apiserver: 250), so that watches never wait for a place. */
const STREAMS = 100;

/**
 * The HTTP connection to one cluster: one agent with HTTP/2, so that any number of calls and watches share a few connections. An answer of
 * 429 or 503 with `Retry-After` is waited for within the call's time; one of 401 is tried once more with new credentials.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #closing = new AbortController();
  #agent: { readonly dispatcher: Dispatcher; readonly fingerprint: string } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const url = parseServer(options.server, options.cluster);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
  }

  /** Sends a request and reads its answer as JSON. @throws ClustersetError for every answer but a good one. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const deadline = AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#dispatch(request, deadline);
      const body = await this.#read(response, request, deadline);
      if (response.statusCode < 300) return { status: response.statusCode, body };
      const error = this.#failure(response, body);
      if (!(await this.#mayRetry(response, error, attempt, request, deadline))) throw error;
    }
  }

  /** Opens a stream of JSON lines. It stays open until the server ends it, the signal fires, or the reader leaves. */
  async stream(request: HttpRequest): Promise<AsyncIterable<unknown>> {
    const opening = AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#dispatch(request);
      if (response.statusCode < 300) return this.#lines(response, request);
      const error = this.#failure(response, await this.#read(response, request, opening));
      if (response.statusCode !== 401 || !(await this.#mayRetry(response, error, attempt, request, opening))) throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new ClustersetError({ code: 'Aborted', message: 'the connection was closed', cluster: this.#options.cluster }),
    );
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.dispatcher.destroy();
  }

  async #dispatch(request: HttpRequest, deadline?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const signal = AbortSignal.any([this.#closing.signal, request.signal, deadline].filter((each) => each !== undefined));
    try {
      signal.throwIfAborted();
      const access = await this.#options.access.current();
      return await this.#dispatcher(access).request({
        origin: this.#origin,
        path: `${this.#basePath}${request.path}`,
        method: request.method,
        signal,
        headers: this.#headers(request, access),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        bodyTimeout: 0,
        headersTimeout: this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      });
    } catch (error) {
      throw this.#translate(error, request, deadline);
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

  #dispatcher(access: Access): Dispatcher {
    const fingerprint = fingerprintOf(access);
    if (this.#agent?.fingerprint !== fingerprint) {
      const old = this.#agent?.dispatcher;
      this.#agent = { fingerprint, dispatcher: newDispatcher(access, this.#options.proxy) };
      // Calls under way may finish on the old connections.
      void old?.close().catch(() => undefined);
    }
    return this.#agent.dispatcher;
  }

  async #read(response: Dispatcher.ResponseData, request: HttpRequest, deadline: AbortSignal): Promise<unknown> {
    try {
      const text = await response.body.text();
      return String(response.headers['content-type'] ?? '').includes('json') ? JSON.parse(text) : text;
    } catch (error) {
      if (error instanceof SyntaxError) {
        throw new ClustersetError({
          code: 'InternalError',
          message: 'the server sent broken JSON',
          cluster: this.#options.cluster,
        });
      }
      throw this.#translate(error, request, deadline);
    }
  }

  async *#lines(response: Dispatcher.ResponseData, request: HttpRequest): AsyncGenerator<unknown> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') yield JSON.parse(line);
      }
    } catch (error) {
      throw this.#translate(error, request);
    } finally {
      response.body.destroy();
    }
    if (rest.trim() !== '') {
      throw new ClustersetError({
        code: 'Unreachable',
        message: 'the watch broke off in the middle of an event',
        cluster: this.#options.cluster,
      });
    }
  }

  async #mayRetry(
    response: Dispatcher.ResponseData,
    error: ClustersetError,
    attempt: number,
    request: HttpRequest,
    deadline: AbortSignal,
  ): Promise<boolean> {
    if (response.statusCode === 401 && attempt === 1) {
      this.#options.access.refresh();
      return true;
    }
    const wantsRetry = response.statusCode === 429 || response.statusCode === 503;
    if (!wantsRetry || response.headers['retry-after'] === undefined || attempt > MOST_RETRIES) return false;
    const signal = AbortSignal.any([this.#closing.signal, deadline, ...(request.signal === undefined ? [] : [request.signal])]);
    return sleep(this.#clock, error.retryAfterMs ?? 1000, signal).then(
      () => true,
      () => false,
    );
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

  #translate(error: unknown, request: HttpRequest, deadline?: AbortSignal): unknown {
    if (error instanceof ClustersetError) return error;
    const { cluster, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    if (this.#closing.signal.aborted) return this.#closing.signal.reason;
    if (request.signal?.aborted)
      return new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster, cause: request.signal.reason });
    if (deadline?.aborted) return new ClustersetError({ code: 'Timeout', message: `no answer within ${timeoutMs} ms`, cluster });
    return unreachable(error, cluster, this.#origin);
  }
}

function parseServer(server: string, cluster: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(server)} is no address of an API server`,
    cluster,
    mend: 'write it as in "https://host:6443"',
  });
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) && header !== undefined ? seconds * 1000 : undefined;
}

/** Changes with everything that a TLS connection depends on; tokens travel with each request and don't count. */
function fingerprintOf({ tls }: Access): string {
  const hash = createHash('sha256');
  for (const part of [tls.ca, tls.cert, tls.key, tls.servername, String(tls.rejectUnauthorized)])
    hash.update(part ?? '').update('\0');
  return hash.digest('hex');
}

function newDispatcher({ tls }: Access, proxy: string | undefined): Dispatcher {
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  const connect = { ...given, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: 10_000 };
  if (proxy?.startsWith('socks')) return new Socks5ProxyAgent(proxy, { requestTls: given } as never);
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, requestTls: given });
  return new Agent({
    connect,
    allowH2: true,
    connections: 4,
    pipelining: STREAMS,
    h2Options: { maxConcurrentStreams: STREAMS },
  } as never);
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name does not resolve',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'the connection was closed',
};

function unreachable(error: unknown, cluster: string, origin: string): ClustersetError {
  const cause = error as { code?: string; cause?: { code?: string } };
  const code = cause.code ?? cause.cause?.code ?? '';
  const isTls = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|SSL/.test(code);
  const why = isTls
    ? `its certificate was not accepted (${code})`
    : (NETWORK[code] ?? `the connection failed${code === '' ? '' : ` (${code})`}`);
  return new ClustersetError({ code: 'Unreachable', message: `${why} at ${origin}`, cluster, cause: error });
}
