import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { connectServer, type ServerOptions } from 'clusterset/client';
import { type AnyObject, type Cluster, type ClustersetError, resourceType, type WatchEvent } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedAccess } from '../../../src/client/access.ts';
import { Connection, type ConnectionOptions } from '../../../src/client/connection.ts';
import { bench, failureOf, inTurn, soon } from './bench.ts';
import {
  answer,
  answerFailure,
  answerText,
  beginStream,
  freePort,
  type Handler,
  sendEvent,
  type TestServerOptions,
  writeTo,
} from './server.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const TOKEN = 'planted-token-nobody-may-see';
const VERSION = { gitVersion: 'v1.36.3' };

const tools = bench();
const { serve, connect, both } = tools;

const fine: Handler = (_, response) => answer(response, 200, VERSION);
const never: Handler = () => undefined;
describe('the certificate of a server', () => {
  it('is accepted where the given authority has signed it', async () => {
    const { cluster } = await both(fine);
    expect(await cluster.version()).toBe('v1.36.3');
  });

  it.each<[string, () => { readonly server?: TestServerOptions; readonly client?: Partial<ServerOptions> }, string]>([
    ['no authority is given', () => ({ client: { ca: undefined } as never }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'another authority has signed it',
      () => ({ client: { ca: tools.signed.elsewhere.cert } }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['it is for another name', () => ({ server: { certificate: tools.signed.elsewhere } }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['it has expired', () => ({ server: { certificate: tools.signed.expired } }), 'CERT_HAS_EXPIRED'],
  ])('is refused where %s', async (_, options, code) => {
    const { server: serverOptions, client } = options();
    const server = await serve(fine, serverOptions ?? { certificate: tools.signed.server });
    const error = await failureOf(connect(server.url, client).version());
    expect(error.code).toBe('Unreachable');
    expect(error.message).toBe(`cluster eu-1: its certificate was not accepted (${code}) at ${server.url}`);
    expect(server.received).toEqual([]);
  });

  it('goes both ways: a client shows its own', async () => {
    const server = await serve(fine, { certificate: tools.signed.server, clientCa: tools.signed.ca });
    await connect(server.url, { cert: tools.signed.client.cert, key: tools.signed.client.key }).version();
    expect(server.received.map(({ client }) => client)).toEqual(['admin']);
    expect((await failureOf(connect(server.url).version())).code).toBe('Unreachable');
  });
});

describe('a request', () => {
  it('says who asks, and what it takes for an answer', async () => {
    const { server, cluster } = await both(fine, { token: TOKEN, userAgent: 'clusterset-test/1' });
    await cluster.version();
    expect(server.received[0]?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      accept: 'application/json',
      'user-agent': 'clusterset-test/1',
    });
  });

  it('says nothing of a token where there is none', async () => {
    const { server, cluster } = await both(fine);
    await cluster.version();
    expect(server.received[0]?.headers).not.toHaveProperty('authorization');
    expect(server.received[0]?.headers['user-agent']).toBe('clusterset');
  });

  it.each(['/k8s/clusters/c-1', '/k8s/clusters/c-1/'])('keeps the path %s of its server', async (path) => {
    const server = await serve(fine);
    await connect(`${server.url}${path}`).version();
    expect(server.received[0]?.path).toBe('/k8s/clusters/c-1/version');
  });

  it.each(['', 'eu-1', 'eu-1:6443', 'ftp://eu-1', 'https://'])('can not be sent to %j', (server) => {
    expect(() => connectServer({ name: 'eu-1', server })).toThrowError(
      expect.objectContaining({
        code: 'Invalid',
        message: `cluster eu-1: ${JSON.stringify(server)} is no address of an API server; write it as in "https://host:6443"`,
      }),
    );
  });

  it('goes over plain HTTP where the address says so', async () => {
    const server = await serve(fine, {});
    expect(await connect(server.url).version()).toBe('v1.36.3');
  });
});

describe('many requests', () => {
  it('share a few connections, with watches open beside them', async () => {
    const { server, cluster } = await both((request, response) => {
      if (!request.path.includes('watch=true')) return answer(response, 200, VERSION);
      beginStream(response);
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
    });
    const watches = Array.from({ length: 60 }, () => cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]());
    await Promise.all(watches.map((watch) => watch.next()));
    const versions = await Promise.all(Array.from({ length: 200 }, () => cluster.version()));
    expect(new Set(versions)).toEqual(new Set(['v1.36.3']));
    expect(server.received).toHaveLength(260);
    expect(server.connections).toBeLessThanOrEqual(4);
    await Promise.all(watches.map((watch) => watch.return?.()));
  });

  it('share no connection where they write: with a body over HTTP/2, Node may never come back', async () => {
    const { server, cluster } = await both((request, response) => answer(response, 200, request.body ?? VERSION));
    const configMap = (index: number) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'shop', name: `web-${index}` },
    });
    await Promise.all(Array.from({ length: 200 }, (_, index) => cluster.update(CONFIG_MAPS, configMap(index))));
    await cluster.version();
    const versions = server.received.map(({ method, httpVersion }) => `${method} ${httpVersion}`);
    expect(new Set(versions)).toEqual(new Set(['PUT 1.1', 'GET 2.0']));
    expect(server.connections).toBeLessThanOrEqual(36);
  });

  it('use one connection one after the other', async () => {
    const { server, cluster } = await both(fine);
    for (let call = 0; call < 20; call += 1) await cluster.version();
    expect(server.connections).toBe(1);
  });

  it('come through however many watches are open, and end when they have waited long enough', async () => {
    const { cluster } = await both(
      (request, response) => {
        if (!request.path.includes('watch=true')) return answer(response, 200, VERSION);
        beginStream(response);
        sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
      },
      { timeoutMs: 300 },
    );
    const watches = Array.from({ length: 410 }, () => cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]().next());
    // Those that find no place are left when the connection is closed after the test.
    for (const watch of watches) watch.catch(() => undefined);
    await Promise.all(watches.slice(0, 390));
    const version = cluster.version();
    version.catch(() => undefined);
    expect(await soon(Promise.allSettled([version]))).toBeDefined();
    expect(await version).toBe('v1.36.3');
    await Promise.all(watches);
  });

  it.each<[string, () => TestServerOptions]>([
    ['plain HTTP/1.1', () => ({})],
    ['HTTP/1.1 over TLS', () => ({ certificate: tools.signed.server, http2: false })],
  ])('do not wait for open watches where the server speaks %s', async (_, options) => {
    const server = await serve((request, response) => {
      if (!request.path.includes('watch=true')) return answer(response, 200, VERSION);
      beginStream(response);
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
    }, options());
    const cluster = connect(server.url, { timeoutMs: 200 });
    const open = (): Promise<unknown> => cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]().next();
    const ask = (): Promise<string[]> => Promise.all(Array.from({ length: 4 }, () => cluster.version()));
    await open();
    expect(new Set(await ask())).toEqual(new Set(['v1.36.3']));
    await Promise.all(Array.from({ length: 8 }, open));
    expect(new Set(await ask())).toEqual(new Set(['v1.36.3']));
  });
});

describe('an answer of 401', () => {
  it('is tried once more', async () => {
    const { server, cluster } = await both(
      inTurn((_, response) => answerFailure(response, 'Unauthorized'), fine),
      { token: TOKEN },
    );
    expect(await cluster.version()).toBe('v1.36.3');
    expect(server.received).toHaveLength(2);
  });

  it('is believed the second time', async () => {
    const { server, cluster } = await both((_, response) => answerFailure(response, 'Unauthorized'), { token: TOKEN });
    const error = await failureOf(cluster.version());
    expect(error).toMatchObject({ code: 'Unauthorized', cluster: 'eu-1', status: 401 });
    expect(server.received).toHaveLength(2);
  });

  it('is tried once more also after a wait', async () => {
    const { cluster } = await both(
      inTurn(
        (_, response) => answerFailure(response, 'TooManyRequests', {}, { 'retry-after': '0' }),
        (_, response) => answerFailure(response, 'Unauthorized'),
        fine,
      ),
    );
    expect(await cluster.version()).toBe('v1.36.3');
  });
});

describe.each([
  ['TooManyRequests', 429],
  ['ServiceUnavailable', 503],
] as const)('an answer of %s', (code, status) => {
  it('is waited for as long as the server asks', async () => {
    const busy: Handler = (_, response) => answerFailure(response, code, {}, { 'retry-after': '0' });
    const { server, cluster } = await both(inTurn(busy, busy, busy, fine));
    expect(await cluster.version()).toBe('v1.36.3');
    expect(server.received).toHaveLength(4);
  });

  it('is waited for also where it is no Status, and the request is sent again as it was', async () => {
    const { server, cluster } = await both(
      inTurn(
        (_, response) => answer(response, status, 'later', { 'retry-after': '0' }),
        (_, response) => answer(response, 201, { metadata: { name: 'a' } }),
      ),
    );
    const draft = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'välue' } };
    await cluster.create(CONFIG_MAPS, draft);
    expect(server.received.map(({ method, body }) => [method, body])).toEqual([
      ['POST', draft],
      ['POST', draft],
    ]);
  });

  it.each([
    ['without a word on when', {}],
    ['with a word in its body alone', { retryAfterSeconds: 1 }],
  ])('is an error at once %s', async (_, details) => {
    const { server, cluster } = await both((_request, response) => answerFailure(response, code, details));
    expect(await failureOf(cluster.version())).toMatchObject({ code, status, cluster: 'eu-1' });
    expect(server.received).toHaveLength(1);
  });

  it('is an error where it comes again and again', async () => {
    const { server, cluster } = await both((_, response) => answerFailure(response, code, {}, { 'retry-after': '0' }));
    expect(await failureOf(cluster.version())).toMatchObject({ code, retryAfterMs: 0 });
    expect(server.received).toHaveLength(11);
  });

  it('is an error where it asks for more time than the call has', async () => {
    const { server, cluster } = await both((_, response) => answerFailure(response, code, {}, { 'retry-after': '3600' }), {
      timeoutMs: 50,
    });
    expect(await failureOf(cluster.version())).toMatchObject({ code, retryAfterMs: 3_600_000 });
    expect(server.received).toHaveLength(1);
  });

  it('is an error of a watch, which says when to come again', async () => {
    const { server, cluster } = await both((_, response) => answerFailure(response, code, {}, { 'retry-after': '1' }));
    expect(await failureOf(cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]().next())).toMatchObject({
      code,
      retryAfterMs: 1000,
    });
    expect(server.received).toHaveLength(1);
  });
});

describe('a call that waits for its turn', () => {
  const busy = async (): Promise<{ readonly cluster: Cluster; readonly asked: Promise<void> }> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { cluster } = await both((_, response) => {
      answerFailure(response, 'TooManyRequests', {}, { 'retry-after': '3600' });
      response.on('close', () => setTimeout(resolve, 20));
    });
    return { cluster, asked: promise };
  };

  it('ends with Aborted when its signal fires', async () => {
    const { cluster, asked } = await busy();
    const controller = new AbortController();
    const call = failureOf(cluster.version({ signal: controller.signal }));
    await asked;
    controller.abort();
    expect((await call).code).toBe('Aborted');
  });

  it('ends with Aborted when the connection is closed', async () => {
    const { cluster, asked } = await busy();
    const call = failureOf(cluster.version());
    await asked;
    await cluster.close();
    expect((await call).code).toBe('Aborted');
  });
});

describe('a server that does not answer', () => {
  it.each<[string, Handler]>([
    ['at all', never],
    [
      'to the end',
      (_, response) => {
        response.setHeader('content-type', 'application/json');
        writeTo(response, '{"gitVersion":');
      },
    ],
  ])('%s has as much time as the call has', async (_, handler) => {
    const { cluster } = await both(handler, { timeoutMs: 100 });
    const error = await failureOf(cluster.version());
    expect(error).toMatchObject({ code: 'Timeout', message: 'cluster eu-1: no answer within 100 ms' });
  });

  it('to a watch has as much time to begin as a call has', async () => {
    const { cluster } = await both(never, { timeoutMs: 100 });
    const error = await failureOf(cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]().next());
    expect(['Unreachable', 'Timeout']).toContain(error.code);
    expect(error.message).toMatch(/^cluster eu-1: no answer/);
  });

  it('is left when the signal of the call fires', async () => {
    const { server, cluster } = await both(never);
    const controller = new AbortController();
    const call = failureOf(cluster.version({ signal: controller.signal }));
    await expect.poll(() => server.received.length).toBe(1);
    controller.abort(new Error('enough'));
    expect(await call).toMatchObject({ code: 'Aborted', message: 'cluster eu-1: the call was ended' });
    await server.received[0]?.closed;
  });

  it('is not even asked where the signal has fired already', async () => {
    const { server, cluster } = await both(fine);
    expect((await failureOf(cluster.version({ signal: AbortSignal.abort() }))).code).toBe('Aborted');
    expect(server.received).toEqual([]);
  });

  it('is left when the connection is closed, which may be done twice', async () => {
    const { server, cluster } = await both(never);
    const call = failureOf(cluster.version());
    await expect.poll(() => server.received.length).toBe(1);
    await cluster.close();
    await cluster.close();
    expect(await call).toMatchObject({ code: 'Aborted', message: 'cluster eu-1: the connection was closed' });
    expect((await failureOf(cluster.version())).code).toBe('Aborted');
  });
});

describe('a server that takes connections and says nothing', () => {
  /** Not even TLS. */
  async function silent(onSocket: (socket: Socket) => void = () => undefined): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      onSocket(socket);
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    tools.afterwards(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('has as much time as the call has', async () => {
    const cluster = connect(await silent(), { timeoutMs: 50 });
    expect(await soon(failureOf(cluster.version()))).toMatchObject({ code: 'Timeout' });
  });

  it('has as much time as the call has also where a watch is asked for', async () => {
    const cluster = connect(await silent(), { timeoutMs: 50 });
    const first = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]().next();
    expect(await soon(failureOf(first))).toMatchObject({ cluster: 'eu-1' });
  });

  it('is left when the signal of the call fires', async () => {
    const cluster = connect(await silent());
    expect(await soon(failureOf(cluster.version({ signal: AbortSignal.timeout(50) })))).toMatchObject({ code: 'Aborted' });
  });

  it('is left when the connection is closed', async () => {
    const cluster = connect(await silent());
    const call = failureOf(cluster.version());
    setTimeout(() => void cluster.close(), 50);
    expect(await soon(call)).toMatchObject({ code: 'Aborted' });
  });

  /** A silent server, and the end of each of its connections. undici alone would keep them for longer than a test may take. */
  async function observed(): Promise<{ readonly url: string; readonly ends: Promise<unknown>[] }> {
    const ends: Promise<unknown>[] = [];
    // Only who reads sees the end.
    const url = await silent((socket) => ends.push(once(socket.resume(), 'close')));
    return { url, ends };
  }

  it.each<[string, (host: string) => Pick<ConnectionOptions, 'server' | 'proxy'>]>([
    ['itself', (host) => ({ server: `https://${host}` })],
    ['as a proxy', (host) => ({ server: 'https://eu-1:6443', proxy: `http://${host}` })],
    ['as a proxy with TLS', (host) => ({ server: 'https://eu-1:6443', proxy: `https://${host}` })],
    ['as a SOCKS proxy', (host) => ({ server: 'https://eu-1:6443', proxy: `socks5://${host}` })],
  ])('is left by sockets that are still being connected when the connection is closed: %s', async (_, addresses) => {
    const { url, ends } = await observed();
    const access = fixedAccess({ tls: {}, headers: {} });
    const connection = new Connection({ cluster: 'eu-1', ...addresses(new URL(url).host), access });
    const call = failureOf(connection.send({ method: 'GET', path: '/version' }));
    await expect.poll(() => ends.length).toBe(1);
    await connection.close();
    await Promise.all(ends);
    expect(await call).toMatchObject({ code: 'Aborted' });
  });

  it('is left also by those of earlier credentials', async () => {
    const { url, ends } = await observed();
    let servername = 'one.example.com';
    const access = { current: () => Promise.resolve({ tls: { servername }, headers: {} }), refresh: () => undefined };
    const connection = new Connection({ cluster: 'eu-1', server: url, access });
    const ask = (): Promise<ClustersetError> => failureOf(connection.send({ method: 'GET', path: '/version' }));
    const calls = [ask()];
    await expect.poll(() => ends.length).toBe(1);
    servername = 'two.example.com';
    calls.push(ask());
    await expect.poll(() => ends.length).toBe(2);
    await connection.close();
    await Promise.all(ends);
    expect(await Promise.all(calls)).toMatchObject([{ code: 'Aborted' }, { code: 'Aborted' }]);
  });
});

describe('a cluster that can not be reached', () => {
  it('refuses the connection', async () => {
    const url = `https://127.0.0.1:${await freePort()}`;
    const error = await failureOf(connect(url).version());
    expect(error).toMatchObject({ code: 'Unreachable', message: `cluster eu-1: the connection was refused at ${url}` });
  });

  it('refuses the connection on every address of its name', async () => {
    const url = `https://localhost:${await freePort()}`;
    const error = await failureOf(connect(url).version());
    expect(error).toMatchObject({ code: 'Unreachable', message: `cluster eu-1: the connection was refused at ${url}` });
  });

  it('has a name that does not resolve', async () => {
    // Resolvers refuse an empty label without asking anybody.
    const url = 'https://localhost..:6443';
    const error = await failureOf(connect(url).version());
    expect(error).toMatchObject({ code: 'Unreachable', message: `cluster eu-1: its name does not resolve at ${url}` });
  });

  it('resets the connection before it has said a word', async () => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await failureOf(connect(url).version());
    server.close();
    expect(error).toMatchObject({ code: 'Unreachable', message: `cluster eu-1: the connection was reset at ${url}` });
  });

  it.each<[string, () => TestServerOptions]>([
    ['HTTP/2', () => ({ certificate: tools.signed.server })],
    ['HTTP/1.1 over TLS', () => ({ certificate: tools.signed.server, http2: false })],
    ['plain HTTP', () => ({})],
  ])('breaks the connection in the middle of an answer over %s, and is reached again afterwards', async (_, options) => {
    const server = await serve((_request, response) => {
      response.setHeader('content-type', 'application/json');
      writeTo(response, '{"gitVersion":');
      setTimeout(() => server.drop(), 10);
    }, options());
    const cluster = connect(server.url);
    const error = await failureOf(cluster.version());
    expect(error.code).toBe('Unreachable');
    expect(error.message).toMatch(/^cluster eu-1: the connection (was (reset|closed)|failed \(\w+\)) at http/);
    server.handler = fine;
    expect(await cluster.version()).toBe('v1.36.3');
  });

  it('speaks no TLS where it should', async () => {
    const server = await serve(fine, {});
    const error = await failureOf(connect(server.url.replace('http:', 'https:')).version());
    expect(error.code).toBe('Unreachable');
    expect(error.message).toMatch(/^cluster eu-1: .*(SSL|TLS)/);
  });
});

describe('an answer', () => {
  it('that is broken JSON is an error that does not show it', async () => {
    const { cluster } = await both((_, response) => answerText(response, 200, '{"gitVersion": "secret', 'application/json'));
    const error = await failureOf(cluster.version());
    expect(error).toMatchObject({ code: 'InternalError', message: 'cluster eu-1: the server sent broken JSON' });
  });

  it('of "404 page not found" means that the type is not served', async () => {
    const { cluster } = await both((_, response) => answerText(response, 404, '404 page not found\n'));
    const error = await failureOf(cluster.get(CONFIG_MAPS, { namespace: 'default', name: 'a' }));
    expect(error).toMatchObject({ code: 'NotServed', status: 404 });
    expect(error.message).toBe(
      'cluster eu-1: it does not serve v1 ConfigMap; install its CRD there, or choose a version that is served',
    );
  });

  it.each([
    [301, 'BadRequest'],
    [403, 'Forbidden'],
    [418, 'BadRequest'],
    [502, 'InternalError'],
    [504, 'Timeout'],
  ] as const)('of %i from something in between is told by its number alone', async (status, code) => {
    const { cluster } = await both((_, response) => answerText(response, status, `<h1>secret</h1>`, 'text/html'));
    const error = await failureOf(cluster.version());
    expect(error).toMatchObject({ code, status, message: `cluster eu-1: the server answered ${status}` });
  });

  it.each([
    ['BadRequest', 400],
    ['Unauthorized', 401],
    ['Forbidden', 403],
    ['MethodNotAllowed', 405],
    ['Conflict', 409],
    ['AlreadyExists', 409],
    ['Expired', 410],
    ['RequestEntityTooLarge', 413],
    ['UnsupportedMediaType', 415],
    ['Invalid', 422],
    ['InternalError', 500],
    ['ServerTimeout', 500],
    ['Timeout', 504],
  ] as const)('of a Status says %s', async (code, status) => {
    const { cluster } = await both((_, response) => answerFailure(response, code));
    const error = await failureOf(cluster.list(CONFIG_MAPS));
    expect(error).toMatchObject({ code, status, reason: code, cluster: 'eu-1', message: `cluster eu-1: it is ${code}` });
  });

  it.each(['get', 'list', 'version'] as const)(
    'of something in between that is no JSON is an error of ours for %s',
    async (verb) => {
      const { cluster } = await both((_, response) => answerText(response, 200, '<h1>Please log in</h1>', 'text/html'));
      const calls = {
        get: () => cluster.get(CONFIG_MAPS, { namespace: 'default', name: 'a' }),
        list: () => cluster.list(CONFIG_MAPS),
        version: () => cluster.version(),
      };
      expect((await failureOf(calls[verb]())).cluster).toBe('eu-1');
    },
  );
});

describe('the token', () => {
  it('is in no error, whatever goes wrong', async () => {
    const handlers: readonly Handler[] = [
      (_, response) => answerFailure(response, 'Unauthorized'),
      (_, response) => answerFailure(response, 'Forbidden'),
      (_, response) => answerFailure(response, 'TooManyRequests'),
      (_, response) => answerText(response, 200, '{', 'application/json'),
      (_, response) => answerText(response, 404, 'not found'),
      (_, response) => response.destroy(),
      never,
    ];
    const errors: ClustersetError[] = [];
    for (const handler of handlers) {
      const { cluster } = await both(handler, { token: TOKEN, timeoutMs: 60 });
      errors.push(await failureOf(cluster.version()));
      errors.push(await failureOf(cluster.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })));
      errors.push(
        await failureOf(
          cluster
            .watch(CONFIG_MAPS, { signal: AbortSignal.timeout(120) })
            [Symbol.asyncIterator]()
            .next(),
        ),
      );
    }
    const refused = connect(`https://127.0.0.1:${await freePort()}`, { token: TOKEN });
    errors.push(await failureOf(refused.version()));
    const unknown = await serve(fine, { certificate: tools.signed.expired });
    errors.push(await failureOf(connect(unknown.url, { token: TOKEN }).version()));
    for (const error of errors) {
      expect(error.message).toContain('eu-1');
      expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(TOKEN);
    }
    expect(errors).toHaveLength(handlers.length * 3 + 2);
  });
});

describe('a watch', () => {
  const object = (name: string, version: string): AnyObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, resourceVersion: version },
    data: { text: 'zażółć gęślą jaźń – 東京 – 👩‍🚀\n' },
  });

  async function collect(cluster: Cluster): Promise<{ readonly events: WatchEvent<AnyObject>[]; readonly error: unknown }> {
    const events: WatchEvent<AnyObject>[] = [];
    try {
      for await (const event of cluster.watch(CONFIG_MAPS)) events.push(event);
      return { events, error: undefined };
    } catch (error) {
      return { events, error };
    }
  }

  it('gives events as they come, and ends when the server ends it', async () => {
    const { cluster } = await both((_, response) => {
      beginStream(response);
      sendEvent(response, 'ADDED', object('a', '5'));
      sendEvent(response, 'MODIFIED', object('a', '6'));
      sendEvent(response, 'DELETED', object('a', '7'));
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '8' } });
      sendEvent(response, 'BOOKMARK', {
        metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } },
      });
      response.end();
    });
    expect(await collect(cluster)).toEqual({
      error: undefined,
      events: [
        { type: 'ADDED', object: object('a', '5') },
        { type: 'MODIFIED', object: object('a', '6') },
        { type: 'DELETED', object: object('a', '7') },
        { type: 'BOOKMARK', resourceVersion: '8', initialEventsEnd: false },
        { type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true },
      ],
    });
  });

  it('puts lines together, wherever the network cut them, also within a character', async () => {
    const events = [object('a', '1'), object('ü', '2'), object('🚀', '3')];
    const bytes = Buffer.from(events.map((each) => `${JSON.stringify({ type: 'ADDED', object: each })}\n`).join(''));
    let chunks: readonly Uint8Array[] = [];
    const { cluster } = await both(async (_, response) => {
      beginStream(response);
      for (const chunk of chunks) {
        writeTo(response, chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), async (cuts) => {
        const borders = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
        expect(await collect(cluster)).toEqual({
          error: undefined,
          events: events.map((each) => ({ type: 'ADDED', object: each })),
        });
      }),
      { numRuns: 25 },
    );
    chunks = [...bytes].map((byte) => Uint8Array.of(byte));
    expect((await collect(cluster)).events).toHaveLength(3);
  });

  it('takes an event of some megabytes', async () => {
    const large = { ...object('a', '1'), data: { text: 'ä'.repeat(1_000_000) } };
    const { cluster } = await both((_, response) => {
      beginStream(response);
      sendEvent(response, 'ADDED', large);
      response.end();
    });
    expect((await collect(cluster)).events).toEqual([{ type: 'ADDED', object: large }]);
  });

  it('fails when it breaks off in the middle of an event, after what was whole', async () => {
    const { cluster } = await both((_, response) => {
      beginStream(response);
      sendEvent(response, 'ADDED', object('a', '5'));
      writeTo(response, '{"type":"MODIFIED","object":{"metadata":');
      response.end();
    });
    const { events, error } = await collect(cluster);
    expect(events).toHaveLength(1);
    expect(error).toMatchObject({ code: 'Unreachable', message: 'cluster eu-1: the watch broke off in the middle of an event' });
  });

  it('fails when the connection breaks', async () => {
    const server = await serve((_, response) => {
      beginStream(response);
      sendEvent(response, 'ADDED', object('a', '5'));
      setTimeout(() => server.drop(), 10);
    });
    const { events, error } = await collect(connect(server.url));
    expect(events).toHaveLength(1);
    expect(error).toMatchObject({ code: 'Unreachable', cluster: 'eu-1' });
  });

  it('says that the server sent broken JSON, as other calls do', async () => {
    const { cluster } = await both((_, response) => {
      beginStream(response);
      writeTo(response, '{"type":"ADDED","object":secret}\n');
      response.end();
    });
    expect((await collect(cluster)).error).toMatchObject({ message: 'cluster eu-1: the server sent broken JSON' });
  });

  it.each([
    ['Expired', 410, 'Expired'],
    ['Gone', 410, 'Expired'],
    ['InternalError', 500, 'InternalError'],
    ['TooManyRequests', 429, 'TooManyRequests'],
  ])('fails with what the server says in the stream: %s', async (reason, status, code) => {
    const { cluster } = await both((_, response) => {
      beginStream(response);
      sendEvent(response, 'ADDED', object('a', '5'));
      const said = {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'no more',
        reason,
        code: status,
      };
      sendEvent(response, 'ERROR', said);
      sendEvent(response, 'ADDED', object('b', '6'));
    });
    const { events, error } = await collect(cluster);
    expect(events).toHaveLength(1);
    expect(error).toMatchObject({ code, status, message: 'cluster eu-1: no more' });
  });

  it('fails on an event that nobody knows', async () => {
    const { cluster } = await both((_, response) => {
      beginStream(response);
      sendEvent(response, 'RENAMED', object('a', '5'));
    });
    expect((await collect(cluster)).error).toMatchObject({
      code: 'InternalError',
      message: 'cluster eu-1: the watch sent an event of type RENAMED',
    });
  });

  it.each([
    [410, 'Expired', 'Expired'],
    [403, 'Forbidden', 'Forbidden'],
    [500, 'InternalError', 'InternalError'],
  ])('fails when it is answered with %i', async (_, reason, code) => {
    const { cluster } = await both((_request, response) => answerFailure(response, reason));
    expect((await collect(cluster)).error).toMatchObject({ code, message: `cluster eu-1: it is ${reason}` });
  });

  it('says that the type is not served where the path is unknown', async () => {
    const { cluster } = await both((_, response) => answerText(response, 404, '404 page not found\n'));
    expect((await collect(cluster)).error).toMatchObject({ code: 'NotServed', message: expect.stringContaining('v1 ConfigMap') });
  });

  it('gets other credentials once where it is refused', async () => {
    const { server, cluster } = await both(
      inTurn(
        (_, response) => answerFailure(response, 'Unauthorized'),
        (_, response) => {
          beginStream(response);
          response.end();
        },
      ),
    );
    expect(await collect(cluster)).toEqual({ events: [], error: undefined });
    expect(server.received).toHaveLength(2);
    server.handler = (_, response) => answerFailure(response, 'Unauthorized');
    expect((await collect(cluster)).error).toMatchObject({ code: 'Unauthorized' });
    expect(server.received).toHaveLength(4);
  });

  const endless: Handler = (_, response) => {
    beginStream(response);
    sendEvent(response, 'ADDED', object('a', '5'));
    sendEvent(response, 'ADDED', object('b', '6'));
  };

  it('is closed on the server when its reader leaves the loop', async () => {
    const { server, cluster } = await both(endless);
    for await (const event of cluster.watch(CONFIG_MAPS)) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await server.received[0]?.closed;
    server.handler = fine;
    expect(await cluster.version()).toBe('v1.36.3');
    expect(server.connections).toBe(1);
  });

  it('is closed on the server when its reader throws', async () => {
    const { server, cluster } = await both(endless);
    const reading = async (): Promise<void> => {
      for await (const event of cluster.watch(CONFIG_MAPS)) throw new Error(event.type);
    };
    await expect(reading()).rejects.toThrowError('ADDED');
    await server.received[0]?.closed;
  });

  it.each<[string, (cluster: Cluster, controller: AbortController) => unknown, string]>([
    ['its signal fires', (_, controller) => controller.abort(), 'the call was ended'],
    ['the connection is closed', (cluster) => cluster.close(), 'the connection was closed'],
  ])('fails with Aborted, and is closed on the server, when %s', async (_, end, message) => {
    const { server, cluster } = await both(endless);
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const event of cluster.watch(CONFIG_MAPS, { signal: controller.signal })) {
        seen.push(event.type);
        if (seen.length === 2) setTimeout(() => end(cluster, controller), 10);
      }
    };
    expect(await failureOf(reading())).toMatchObject({ code: 'Aborted', message: `cluster eu-1: ${message}` });
    await server.received[0]?.closed;
  });

  it('outlives the time that other calls have', async () => {
    const { server, cluster } = await both(endless, { timeoutMs: 50 });
    const watch = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]();
    await watch.next();
    await watch.next();
    const third = watch.next();
    server.handler = never;
    expect((await failureOf(cluster.version())).code).toBe('Timeout');
    expect((await failureOf(cluster.version())).code).toBe('Timeout');
    let isOver = false;
    third
      .finally(() => {
        isOver = true;
      })
      .catch(() => undefined);
    expect(isOver).toBe(false);
    await cluster.close();
    await expect(third).rejects.toMatchObject({ code: 'Aborted' });
  });
});
