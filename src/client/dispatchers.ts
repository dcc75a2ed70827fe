import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Access } from './access.ts';
import { destroyWhenSilent } from './silent-sockets.ts';

/** Fewer streams than servers allow on one connection (kube-apiserver: 250), so that watches never wait for a place. */
const STREAMS = 100;
/** Connections for writes. Whoever finds none that is free waits for one. */
const WRITING = 32;
const CONNECT_TIMEOUT_MS = 10_000;
/** How often HTTP/2 connections are pinged; after half as long again they are given up (client-go: pings after 30 s, and waits for 15 s). */
const PING_MS = 30_000;

/**
 * The connections to one cluster. Reads and watches share a few over HTTP/2. Writes have HTTP/1.1: with many requests with a body, Node
 * (24.21) was seen to loop in native code, where nothing can stop it (docs/decisions/0004). Behind a proxy there is HTTP/1.1 for everything.
 */
export class Dispatchers {
  readonly #reading: Dispatcher;
  readonly #writing: Dispatcher;

  /** The signal ends what is still being connected. */
  constructor(access: Access, proxy: string | undefined, signal: AbortSignal, pingMs = PING_MS) {
    this.#reading = proxy === undefined ? reading(access, signal, pingMs) : through(proxy, access, signal);
    this.#writing = proxy === undefined ? writing(access, signal) : this.#reading;
  }

  /** The dispatcher that a request goes through. */
  of({ body }: { readonly body?: unknown }): Dispatcher {
    return body === undefined ? this.#reading : this.#writing;
  }

  async close(): Promise<void> {
    await Promise.all([this.#reading.close(), this.#writing.close()]);
  }

  async destroy(): Promise<void> {
    await Promise.all([this.#reading.destroy(), this.#writing.destroy()]);
  }
}

/** As many connections as it takes where the server knows no HTTP/2, because a watch has a connection to itself there. */
function reading(access: Access, signal: AbortSignal, pingMs: number): Dispatcher {
  const connector = buildConnector({ ...connecting(access, signal), allowH2: true } as never);
  const connect: buildConnector.connector = (options, callback) =>
    connector(options, (...outcome) => {
      const [, socket] = outcome;
      if ((socket as Partial<TLSSocket> | null)?.alpnProtocol === 'h2') destroyWhenSilent(socket as TLSSocket, pingMs);
      callback(...outcome);
    });
  const h2Options = { maxConcurrentStreams: STREAMS, pingInterval: pingMs };
  return new Agent({ connect, allowH2: true, connections: null, pipelining: 1, h2Options } as never);
}

function writing(access: Access, signal: AbortSignal): Dispatcher {
  return new Agent({ connect: connecting(access, signal), allowH2: false, connections: WRITING, pipelining: 1 } as never);
}

function connecting(access: Access, signal: AbortSignal): Record<string, unknown> {
  return { ...tlsOf(access), signal, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: CONNECT_TIMEOUT_MS };
}

function through(proxy: string, access: Access, signal: AbortSignal): Dispatcher {
  // undici would offer HTTP/2 to the server behind a proxy, over a connection that nobody pings.
  const requestTls = { ...tlsOf(access), signal, allowH2: false };
  if (!proxy.startsWith('socks')) return new ProxyAgent({ uri: proxy, requestTls, proxyTls: { signal } } as never);
  // With `proxyTls` it would speak TLS to the proxy.
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, signal } as never);
  return new Socks5ProxyAgent(proxy, { requestTls, connect } as never);
}

function tlsOf({ tls }: Access): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

/** Changes with everything that a TLS connection depends on; tokens travel with each request and don't count. */
export function fingerprintOf({ tls }: Access): string {
  const hash = createHash('sha256');
  const checks = `${tls.rejectUnauthorized} ${tls.checkServerIdentity === undefined}`;
  for (const part of [tls.ca, tls.cert, tls.key, tls.servername, checks]) hash.update(part ?? '').update('\0');
  return hash.digest('hex');
}
