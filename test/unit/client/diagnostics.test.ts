import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connectServer, diagnosticsObserver } from 'clusterset/client';
import { type Cluster, resourceType } from 'clusterset/kube';
import { type Fact, systemClock } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { fixedAccess } from '../../../src/client/access.ts';
import { Connection } from '../../../src/client/connection.ts';
import { pathTemplate } from '../../../src/client/path-template.ts';
import { bench, failureOf, inTurn } from './bench.ts';
import { answer, answerFailure, beginStream, freePort, type Handler, sendEvent } from './server.ts';

const TOKEN = 'planted-token-nobody-may-see';
const SECRETS = resourceType('v1', 'Secret', 'secrets');
const VERSION = { gitVersion: 'v1.36.3' };
const tools = bench();

type RequestFact = Extract<Fact, { readonly fact: 'request' }>;

/** A server, and what is told of the requests that it gets. */
async function observed(handler: Handler, timeoutMs?: number) {
  const facts: RequestFact[] = [];
  const observe = (fact: Fact): void => {
    if (fact.fact === 'request') facts.push(fact);
  };
  const { server, cluster } = await tools.both(handler, { token: TOKEN, observe, timeoutMs });
  return { server, cluster, facts, host: new URL(server.url).host };
}
const told = (facts: readonly RequestFact[]) => facts.map(({ method, path, code }) => `${method} ${path} ${code}`);

describe('the channels of diagnostics', () => {
  it('carry each fact under its name, to whoever has subscribed', () => {
    const observe = diagnosticsObserver();
    const heard: unknown[] = [];
    const listen = (message: unknown, name: string | symbol): void => void heard.push([name, message]);
    const fact: Fact = { fact: 'event-dropped', cluster: 'eu-1', reason: 'full' };
    observe(fact);
    subscribe('clusterset:event-dropped', listen);
    observe(fact);
    observe({ fact: 'watch-began', cluster: 'eu-1', resource: 'pods' });
    unsubscribe('clusterset:event-dropped', listen);
    observe(fact);
    expect(heard).toEqual([['clusterset:event-dropped', fact]]);
  });

  it('carry the requests of a connection', async () => {
    const heard: unknown[] = [];
    const listen = (message: unknown): void => void heard.push(message);
    subscribe('clusterset:request', listen);
    const { cluster } = await tools.both((_, response) => answer(response, 200, VERSION), { observe: diagnosticsObserver() });
    await cluster.version();
    unsubscribe('clusterset:request', listen);
    expect(heard).toMatchObject([{ fact: 'request', cluster: 'eu-1', method: 'GET', path: '/version', code: 200 }]);
  });
});

describe('what is told of a request', () => {
  it.each<[string, (cluster: Cluster) => Promise<unknown>, Handler, string]>([
    ['its status', (cluster) => cluster.version(), (_, response) => answer(response, 200, VERSION), 'GET /version 200'],
    [
      'a refusal',
      (cluster) => failureOf(cluster.get(SECRETS, { namespace: 'shop', name: 'web' })),
      (_, response) => answerFailure(response, 'Forbidden'),
      'GET /api/v1/namespaces/{namespace}/secrets/{name} 403',
    ],
    [
      'a write',
      (cluster) => cluster.delete(SECRETS, { namespace: 'shop', name: 'web' }),
      (_, response) => answer(response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }),
      'DELETE /api/v1/namespaces/{namespace}/secrets/{name} 200',
    ],
    [
      'a broken answer',
      (cluster) => failureOf(cluster.version()),
      (_, response) => void (response as { destroy(): void }).destroy(),
      'GET /version Unreachable',
    ],
  ])('is %s', async (_, call, handler, expected) => {
    const { cluster, facts, host } = await observed(handler);
    await call(cluster);
    expect(told(facts)).toEqual([expected]);
    expect(facts[0]).toMatchObject({ fact: 'request', cluster: 'eu-1', host, durationMs: expect.any(Number) });
    expect(facts[0]?.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('holds no token, name, query or body', async () => {
    const { cluster, facts } = await observed((request, response) => answer(response, 200, request.body ?? { metadata: {} }));
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'n-shop', name: 'n-web' },
      stringData: { p: 'hunter2' },
    };
    await cluster.create(SECRETS, object, { fieldManager: 'm-tests' });
    await cluster.get(SECRETS, { namespace: 'n-shop', name: 'n-web' });
    const text = JSON.stringify(facts);
    expect(facts).toHaveLength(2);
    for (const secret of [TOKEN, 'n-shop', 'n-web', 'hunter2', 'm-tests', '?']) expect(text).not.toContain(secret);
  });

  it('is every attempt of a call', async () => {
    const { cluster, facts } = await observed(
      inTurn(
        (_, response) => answerFailure(response, 'TooManyRequests', {}, { 'retry-after': '0' }),
        (_, response) => answerFailure(response, 'Unauthorized'),
        (_, response) => answer(response, 200, VERSION),
      ),
    );
    await cluster.version();
    expect(facts.map(({ code }) => code)).toEqual([429, 401, 200]);
  });

  it('is that there was no answer in time', async () => {
    const { cluster, facts } = await observed(() => undefined, 50);
    expect((await failureOf(cluster.version())).code).toBe('Timeout');
    expect(told(facts)).toEqual(['GET /version Timeout']);
  });

  it('is that whoever asked has left', async () => {
    const leave = new AbortController();
    const { cluster, facts } = await observed(() => leave.abort());
    await failureOf(cluster.version({ signal: leave.signal }));
    expect(told(facts)).toEqual(['GET /version Aborted']);
  });

  it('of a watch is told when it begins', async () => {
    const { cluster, facts } = await observed((_, response) => {
      beginStream(response);
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
    });
    const watch = cluster.watch(SECRETS, { namespace: 'shop' })[Symbol.asyncIterator]();
    await watch.next();
    expect(told(facts)).toEqual(['GET /api/v1/namespaces/{namespace}/secrets 200']);
    await watch.return?.();
    expect(facts).toHaveLength(1);
  });

  it('is each server that could not be reached, by its own address', async () => {
    const { server, facts, host } = await observed((_, response) => answer(response, 200, VERSION));
    const dead = `http://127.0.0.1:${await freePort()}`;
    const connection = new Connection({
      cluster: 'eu-1',
      server: dead,
      others: [{ server: server.url }],
      access: fixedAccess({ tls: { ca: tools.signed.ca }, headers: {} }),
      observe: (fact) => fact.fact === 'request' && facts.push(fact),
    });
    tools.afterwards(() => connection.close());
    await connection.send({ method: 'GET', path: '/version' });
    expect(facts.map(({ host: at, code }) => [at, code])).toEqual([
      [new URL(dead).host, 'Unreachable'],
      [host, 200],
    ]);
  });

  it('is nothing where no request was sent, as there were no credentials', async () => {
    const facts: Fact[] = [];
    const server = await tools.serve((_, response) => answer(response, 200, VERSION));
    const connection = new Connection({
      cluster: 'eu-1',
      server: server.url,
      access: { current: () => Promise.reject(new Error('no credentials')), refresh: () => undefined },
      observe: (fact) => facts.push(fact),
    });
    tools.afterwards(() => connection.close());
    await failureOf(connection.send({ method: 'GET', path: '/version' }));
    expect(facts).toEqual([]);
  });

  it('harms no request where whoever is told fails', async () => {
    const server = await tools.serve((_, response) => answer(response, 200, VERSION));
    const observe = (): never => {
      throw new Error('broken');
    };
    const cluster = connectServer({ name: 'eu-1', server: server.url, ca: tools.signed.ca, observe });
    tools.afterwards(() => cluster.close());
    expect(await cluster.version()).toBe('v1.36.3');
  });

  it('is measured from when it was sent, not from when credentials were asked for', async () => {
    const facts: RequestFact[] = [];
    let now = 0;
    const server = await tools.serve((_, response) => {
      now += 7;
      answer(response, 200, VERSION);
    });
    const access = fixedAccess({ tls: { ca: tools.signed.ca }, headers: {} });
    const connection = new Connection({
      cluster: 'eu-1',
      server: server.url,
      access: {
        ...access,
        current: () => {
          now += 1000;
          return access.current();
        },
        refresh: () => undefined,
      },
      clock: { ...systemClock, monotonic: () => now },
      observe: (fact) => fact.fact === 'request' && facts.push(fact),
    });
    tools.afterwards(() => connection.close());
    await connection.send({ method: 'GET', path: '/version' });
    expect(facts.map(({ durationMs }) => durationMs)).toEqual([7]);
  });
});

describe('a path with no names in it', () => {
  it.each([
    ['/version', '/version'],
    ['/readyz?verbose', '/readyz'],
    ['/readyz/etcd', '/readyz/{path}'],
    ['/openapi/v3/apis/apps/v1?hash=AB', '/openapi/{path}'],
    ['/api', '/api'],
    ['/apis/apps/v1', '/apis/apps/v1'],
    ['/api/v1/namespaces', '/api/v1/namespaces'],
    ['/api/v1/namespaces/shop', '/api/v1/namespaces/{name}'],
    ['/api/v1/namespaces/shop/status', '/api/v1/namespaces/{name}/status'],
    ['/api/v1/namespaces/shop/finalize', '/api/v1/namespaces/{name}/finalize'],
    ['/api/v1/pods?watch=true', '/api/v1/pods'],
    ['/api/v1/nodes/n1', '/api/v1/nodes/{name}'],
    ['/api/v1/nodes/n1/status', '/api/v1/nodes/{name}/status'],
    ['/api/v1/namespaces/shop/pods/web/log', '/api/v1/namespaces/{namespace}/pods/{name}/log'],
    ['/api/v1/namespaces/shop/services/web/proxy/secret/path', '/api/v1/namespaces/{namespace}/services/{name}/proxy/{path}'],
    ['/apis/apps/v1/namespaces/shop/deployments?limit=5', '/apis/apps/v1/namespaces/{namespace}/deployments'],
    ['/apis/apps/v1/namespaces/shop/deployments/a%2Fb/scale', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'],
    ['/what/ever', '/{path}'],
    ['/', '/{path}'],
  ])('is of %s: %s', (path, expected) => {
    expect(pathTemplate(path)).toBe(expected);
  });
});
