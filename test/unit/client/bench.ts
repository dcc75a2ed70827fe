import { inspect } from 'node:util';
import { connectServer, type ServerOptions } from 'clusterset/client';
import { type Cluster, ClustersetError } from 'clusterset/kube';
import { afterEach, beforeAll } from 'vitest';
import { type Certificates, certificates } from './certificates.ts';
import { type Handler, startServer, type TestServer, type TestServerOptions } from './server.ts';

/** Makes servers, and connections to them; all are closed after each test. */
export interface Bench {
  readonly signed: Certificates;
  /** A server with a certificate, unless the options say otherwise. */
  serve(handler: Handler, options?: TestServerOptions): Promise<TestServer>;
  /** A connection called `eu-1`, which trusts the authority of the servers. */
  connect(server: string, options?: Partial<ServerOptions>): Cluster;
  /** A server and a connection to it. */
  both(handler: Handler, options?: Partial<ServerOptions>): Promise<{ readonly server: TestServer; readonly cluster: Cluster }>;
  /** Closes something else after the test, before the servers. */
  afterwards(close: () => unknown): void;
}

/** The bench of a test file. */
export function bench(): Bench {
  let signed: Certificates | undefined;
  const closers: (() => unknown)[] = [];
  beforeAll(async () => {
    signed = await certificates();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const self: Bench = {
    get signed() {
      if (signed === undefined) throw new TypeError('there are no certificates before the first test');
      return signed;
    },
    async serve(handler, options = { certificate: self.signed.server }) {
      const server = await startServer(handler, options);
      closers.push(() => server[Symbol.asyncDispose]());
      return server;
    },
    connect(server, options = {}) {
      const cluster = connectServer({ name: 'eu-1', server, ca: self.signed.ca, ...options });
      closers.push(() => cluster.close());
      return cluster;
    },
    async both(handler, options = {}) {
      const server = await self.serve(handler);
      return { server, cluster: self.connect(server.url, options) };
    },
    afterwards(close) {
      closers.push(close);
    },
  };
  return self;
}

/** What a call fails with; it must be one of our errors. */
export async function failureOf(call: Promise<unknown>): Promise<ClustersetError> {
  const error: unknown = await call.then(
    () => new TypeError('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof ClustersetError) return error;
  throw new TypeError(`it is no error of ours: ${inspect(error)}`);
}

/** The result of a call, or `undefined` where there is none for a while that is far too long. */
export async function soon<T>(call: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), 300);
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** One handler after the other; the last stays. */
export function inTurn(...handlers: readonly Handler[]): Handler {
  let next = 0;
  return (request, response) => {
    const handler = handlers[Math.min(next, handlers.length - 1)];
    next += 1;
    return handler?.(request, response);
  };
}
