import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { failure } from 'clusterset/kube';
import type { Pair } from './certificates.ts';

type Incoming = IncomingMessage | Http2ServerRequest;
export type Outgoing = ServerResponse | Http2ServerResponse;

/** What came in. */
export interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Incoming['headers'];
  /** `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** As JSON; nothing where there was no body. */
  readonly body: unknown;
  /** Common name in the client's certificate. */
  readonly client: string | undefined;
  /** Resolves when the exchange is over, on whoever's side. */
  readonly closed: Promise<void>;
}

/** Answers one request. */
export type Handler = (request: Received, response: Outgoing) => void | Promise<void>;

export interface TestServerOptions {
  /** Without it the server speaks plain HTTP/1.1. */
  readonly certificate?: Pair;
  /** Whether it speaks HTTP/2. Default: where it has a certificate. */
  readonly http2?: boolean;
  /** Authority of the certificates that clients must show. */
  readonly clientCa?: string;
}

/** An API server of a few lines, on the loopback interface. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly received: readonly Received[];
  /** How many connections were opened. */
  readonly connections: number;
  /** Who answers from now on. */
  handler: Handler;
  /** Breaks all connections. */
  drop(): void;
}

/** Starts a server that answers everything as `handler` says. */
export async function startServer(handler: Handler, options: TestServerOptions = {}): Promise<TestServer> {
  const { certificate, http2 = certificate !== undefined, clientCa } = options;
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  let connections = 0;
  const listener = async (incoming: Incoming, response: Outgoing): Promise<void> => {
    const request = await read(incoming, response);
    received.push(request);
    await self.handler(request, response);
  };
  const onRequest = (incoming: Incoming, response: Outgoing): void => {
    response.on('error', () => undefined);
    // A client that leaves in the middle of its request is no failure of the test.
    listener(incoming, response).catch(() => response.destroy());
  };
  const tls = {
    ...certificate,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  let server: Server;
  if (certificate === undefined) server = createHttpServer(onRequest);
  else if (http2) {
    server = createSecureServer({ ...tls, allowHTTP1: true }, onRequest).on('session', (session) => {
      sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => sessions.delete(session));
    });
  } else server = createHttpsServer(tls, onRequest);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const drop = (): void => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  };
  const self: TestServer = {
    port,
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    received,
    get connections() {
      return connections;
    },
    handler,
    drop,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      drop();
      await closed;
    },
  };
  return self;
}

async function read(incoming: Incoming, response: Outgoing): Promise<Received> {
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    response.on('close', () => resolve());
  });
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const socket = incoming.socket as { getPeerCertificate?: () => { readonly subject?: { readonly CN?: string } } };
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    httpVersion: incoming.httpVersion,
    body: text === '' ? undefined : JSON.parse(text),
    client: socket.getPeerCertificate?.()?.subject?.CN,
    closed,
  };
}

/** Sends a JSON answer. */
export function answer(response: Outgoing, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...headers })) response.setHeader(name, value);
  response.end(JSON.stringify(body));
}

/** Sends an answer that is no JSON. */
export function answerText(response: Outgoing, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.end(text);
}

/** Sends a Status, as API servers say that something failed. */
export function answerFailure(
  response: Outgoing,
  reason: string,
  details: NonNullable<Parameters<typeof failure>[2]> = {},
  headers: Readonly<Record<string, string>> = {},
): void {
  const status = failure(reason, `it is ${reason}`, details);
  answer(response, status.code ?? 500, status, headers);
}

/** Begins a stream of JSON lines; the headers are on their way at once. */
export function beginStream(response: Outgoing): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  // An empty line is no event.
  writeTo(response, '\n');
}

/** Writes to either kind of response. */
export function writeTo(response: Outgoing, chunk: string | Uint8Array): void {
  (response as ServerResponse).write(chunk);
}

/** Writes one event of a watch. */
export function sendEvent(response: Outgoing, type: string, object: unknown): void {
  writeTo(response, `${JSON.stringify({ type, object })}\n`);
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createHttpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
