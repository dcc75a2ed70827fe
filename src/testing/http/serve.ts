import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { OfflineCluster } from '../offline-cluster.ts';
import { textOf } from '../web/answer.ts';
import { Handler } from '../web/handler.ts';
import { loopbackCertificate } from './certificate.ts';

/** What {@link serve} takes beside the clusters. */
export interface ServeOptions {
  /** First port; the clusters after the first get the next ones. Default: any free ports. */
  readonly port?: number;
  /** Bearer token of every client. Default: a random one. */
  readonly token?: string;
}

/** One cluster on the network. */
export interface ServedCluster {
  readonly name: string;
  /** `https://127.0.0.1:…` */
  readonly server: string;
}

/** Offline clusters on the network, until they are closed. */
export interface ServedClusters extends AsyncDisposable {
  readonly clusters: readonly ServedCluster[];
  readonly token: string;
  /** PEM of the authority behind the servers' certificate. */
  readonly ca: string;
  /** A kubeconfig with a context for each cluster, of its name. It holds the token: write it for its owner's eyes only. */
  kubeconfig(): Kubeconfig;
  /** Closes the servers and all their connections. */
  close(): Promise<void>;
}

/** API: v1 Config */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, string>> }[];
  readonly contexts: readonly { readonly name: string; readonly context: Readonly<Record<string, string>> }[];
  readonly 'current-context': string;
}

const USER = 'clusterset-offline';

/**
 * Serves offline clusters over HTTPS, each on a port of the loopback interface, for kubectl and any other client: HTTP/2 and HTTP/1.1, behind
 * a token. A partition of a cluster (`network.cut()`) breaks its connections and refuses new ones.
 */
export async function serve(
  clusters: readonly OfflineCluster[],
  { port, token = randomBytes(24).toString('hex') }: ServeOptions = {},
): Promise<ServedClusters> {
  const { key, cert } = await loopbackCertificate();
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    for (const [index, cluster] of clusters.entries()) {
      const listener = new Listener(cluster, createSecureServer({ key, cert, allowHTTP1: true }), token);
      listeners.push(listener);
      await listener.listen(port === undefined ? 0 : port + index);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const served = listeners.map(({ name, server }) => ({ name, server }));
  return {
    clusters: served,
    token,
    ca: cert,
    kubeconfig: () => kubeconfigOf(served, token, cert),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function kubeconfigOf(served: readonly ServedCluster[], token: string, ca: string): Kubeconfig {
  const data = Buffer.from(ca).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: served.map(({ name, server }) => ({ name, cluster: { server, 'certificate-authority-data': data } })),
    users: [{ name: USER, user: { token } }],
    contexts: served.map(({ name }) => ({ name, context: { cluster: name, user: USER } })),
    'current-context': served[0]?.name ?? '',
  };
}

type ServerRequest = IncomingMessage | Http2ServerRequest;
type Answer = ServerResponse | Http2ServerResponse;

/** One cluster behind one port. */
class Listener {
  readonly name: string;
  readonly #cluster: OfflineCluster;
  readonly #server: Http2SecureServer;
  readonly #handler: Handler;
  readonly #sockets = new Set<Socket>();
  readonly #stopListening: () => void;

  constructor(cluster: OfflineCluster, server: Http2SecureServer, token: string) {
    this.name = cluster.name;
    this.#cluster = cluster;
    this.#server = server;
    this.#handler = new Handler({ server: cluster.server, door: cluster.door, access: cluster.access, token });
    this.#stopListening = cluster.network.onCut(() => this.#dropAll());
    server.on('connection', (socket: Socket) => this.#accept(socket));
    server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => void this.#serve(request, response));
    // A client that goes away, or speaks no TLS, is its own affair.
    server.on('sessionError', () => undefined);
    server.on('clientError', refuse);
    server.on('tlsClientError', () => undefined);
  }

  get server(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#stopListening();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#dropAll();
    });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#cluster.network.isCut) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(request: ServerRequest, response: Answer): Promise<void> {
    const gone = new AbortController();
    // Whether the answer was sent can't be asked: HTTP/2 says of a stream that broke off, too, that it was finished.
    response.once('close', () => gone.abort(GONE));
    try {
      const answer = await this.#handler.handle(toRequest(request, await readBody(request), gone.signal));
      await send(answer, response, gone.signal);
    } catch {
      // Cut off, or the client has gone.
      request.socket?.destroy();
    }
  }
}

/** What is no HTTP is told so, as far as there is anybody to tell. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const head = `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n`;
  socket.end(`${head}${status}`, () => socket.destroy());
}

/** Methods that a Request can't have. No path knows them, nor the one that is asked for in their place. */
const UNASKABLE: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** Why requests end whose client has gone: one for all, for it tells nothing more. */
const GONE = new Error('the client has gone');

/** What a body may have at most; the handler refuses what is larger, and looks at no more of it. */
const MOST_BYTES = 3 * 1024 * 1024 + 1;

/** The body, or as much of it as is looked at. The rest is thrown away. */
async function readBody(request: ServerRequest): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (size < MOST_BYTES) chunks.push(chunk);
    size += chunk.length;
  }
  return size === 0 ? undefined : Buffer.concat(chunks);
}

function toRequest(request: ServerRequest, body: Uint8Array<ArrayBuffer> | undefined, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) headers.append(name, each);
  }
  const { method: asked = 'GET', url: target = '/' } = request;
  const method = UNASKABLE.has(asked) ? 'UNKNOWN' : asked;
  // A target that starts with two slashes names no host.
  const url = new URL(target.startsWith('/') ? `https://127.0.0.1${target}` : target, 'https://127.0.0.1');
  return new Request(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
}

async function send(answer: Response, response: Answer, signal: AbortSignal): Promise<void> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of answer.headers) {
    // Several warnings are several headers.
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  (response as ServerResponse).writeHead(answer.status, headers);
  const text = textOf(answer);
  if (text !== undefined || answer.body === null) {
    response.end(text ?? '');
    return;
  }
  const reader = answer.body.getReader();
  signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true });
  // The head goes out now: a watch may have nothing to say for long.
  (response as ServerResponse).flushHeaders?.();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    if (!(response as ServerResponse).write(chunk.value)) await drained(response, signal);
  }
  response.end();
}

function drained(response: Answer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve();
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
