import { getEventListeners } from 'node:events';
import type { KubeObject } from 'clusterset/kube';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixedAccess } from '../../../src/client/access.ts';
import { Connection } from '../../../src/client/connection.ts';
import { CONFIG_MAPS } from '../runtime/fixtures.ts';
import { bench, failureOf, soon } from './bench.ts';
import { answer, answerText, beginStream, writeTo } from './server.ts';

const test = bench();

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an answer that no API server gives', () => {
  it.each([
    'null',
    '5',
    '[]',
    '{}',
    '{"metadata":null,"items":[]}',
    '{"metadata":{},"items":{}}',
    '{"metadata":{},"items":[null]}',
    '{"metadata":{},"items":[{"kind":"ConfigMap"}]}',
  ])('to a list is an error of ours: %s', async (text) => {
    const { cluster } = await test.both((_, response) => answerText(response, 200, text, 'application/json'));
    expect(await failureOf(cluster.list(CONFIG_MAPS))).toMatchObject({ code: 'InternalError', cluster: 'eu-1' });
  });

  it.each(['null', '5', '[]', '{}'])('to a get is an error of ours: %s', async (text) => {
    const { cluster } = await test.both((_, response) => answerText(response, 200, text, 'application/json'));
    expect(await failureOf(cluster.get(CONFIG_MAPS, { namespace: 'shop', name: 'web' }))).toMatchObject({
      code: 'InternalError',
      cluster: 'eu-1',
    });
  });

  it.each([
    'null',
    '5',
    '{"type":"ADDED"}',
    '{"type":"MODIFIED","object":{}}',
    '{"type":"BOOKMARK","object":{"metadata":null}}',
    '{"type":"ERROR"}',
    '{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1"}}',
    '{"type":{},"object":{}}',
  ])('within a watch is an error of ours: %s', async (line) => {
    const { cluster } = await test.both((_, response) => {
      beginStream(response);
      writeTo(response, `${line}\n`);
    });
    const watch = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]();
    expect(await failureOf(watch.next())).toMatchObject({ code: 'InternalError', cluster: 'eu-1' });
  });

  it('is an event that has no end', async () => {
    const { cluster } = await test.both((_, response) => {
      beginStream(response);
      const piece = 'x'.repeat(1024 * 1024);
      for (let left = 66; left > 0; left -= 1) writeTo(response, piece);
    });
    const watch = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]();
    expect(await failureOf(watch.next())).toMatchObject({ code: 'InternalError', detail: expect.stringContaining('67108864') });
  });

  it('to a watch, and that has no end, is waited for as long as any other', async () => {
    const { cluster } = await test.both(
      (_, response) => {
        response.statusCode = 500;
        writeTo(response, 'I am ');
      },
      { timeoutMs: 100 },
    );
    const watch = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]();
    expect(await soon(failureOf(watch.next()))).toMatchObject({ code: 'Timeout' });
  });
});

describe('the signal of many calls', () => {
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'web' } };

  it('is left as it was by each of them, whatever became of it', async () => {
    const { server, cluster } = await test.both((request, response) => answer(response, 200, request.body ?? object));
    const { signal } = new AbortController();
    const any = vi.spyOn(AbortSignal, 'any');
    const addTo = vi.spyOn(signal, 'addEventListener');
    await cluster.get(CONFIG_MAPS, object.metadata, { signal });
    await cluster.update(CONFIG_MAPS, object, { signal });
    server.handler = (_, response) => answer(response, 500, {});
    await failureOf(cluster.update(CONFIG_MAPS, object, { signal }));
    server.handler = (_, response) => {
      beginStream(response);
      response.end();
    };
    for await (const _ of cluster.watch(CONFIG_MAPS, { signal }));
    expect(addTo).toHaveBeenCalled();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    // It would remember what was made of it.
    expect(any.mock.calls.flatMap(([signals]) => [...signals])).not.toContain(signal);
  });

  it('is asked when credentials have come, for it may know more than its timers', async () => {
    const server = await test.serve((_, response) => answer(response, 200, {}));
    const { signal } = new AbortController();
    let isOver = false;
    Object.defineProperty(signal, 'aborted', { get: () => isOver });
    const access = fixedAccess({ tls: { ca: test.signed.ca }, headers: {} });
    const current = async () => {
      isOver = true;
      return access.current();
    };
    const connection = new Connection({ cluster: 'eu-1', server: server.url, access: { ...access, current } });
    test.afterwards(() => connection.close());
    await expect(connection.send({ method: 'POST', path: '/', body: {}, signal })).rejects.toMatchObject({ code: 'Aborted' });
    expect(server.received).toEqual([]);
  });
});
