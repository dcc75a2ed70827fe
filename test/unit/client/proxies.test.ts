import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';
import type { KubeObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { fixedAccess } from '../../../src/client/access.ts';
import { RealCluster } from '../../../src/client/real-cluster.ts';
import { CONFIG_MAPS } from '../runtime/fixtures.ts';
import { bench } from './bench.ts';
import { answer, beginStream, sendEvent } from './server.ts';

const test = bench();

/** A proxy that passes on what it can not read. */
async function startProxy() {
  let tunnels = 0;
  const sockets = new Set<{ destroy(): void }>();
  const proxy = createServer().on('connect', ({ url = '' }, client) => {
    const [host = '', port] = url.split(':');
    tunnels += 1;
    const server = connectTo(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(server).pipe(client);
    });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  test.afterwards(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels: () => tunnels };
}

describe('behind a proxy', () => {
  it('everything goes over HTTP/1.1, also to a server that knows HTTP/2: with a body over that, Node may never come back', async () => {
    const server = await test.serve((request, response) => {
      if (!request.path.includes('watch=true')) return answer(response, 200, request.body ?? { gitVersion: 'v1.36.3' });
      beginStream(response);
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '7' } });
    });
    const proxy = await startProxy();
    const access = fixedAccess({ tls: { ca: test.signed.ca }, headers: {} });
    const cluster = new RealCluster({ cluster: 'eu-1', server: server.url, proxy: proxy.url, access });
    test.afterwards(() => cluster.close());
    const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'web' } };
    await cluster.version();
    await cluster.update(CONFIG_MAPS, object);
    const watch = cluster.watch(CONFIG_MAPS)[Symbol.asyncIterator]();
    await watch.next();
    expect(server.received.map(({ method, httpVersion }) => `${method} ${httpVersion}`)).toEqual([
      'GET 1.1',
      'PUT 1.1',
      'GET 1.1',
    ]);
    expect(proxy.tunnels()).toBeGreaterThan(0);
    await watch.return?.();
  });
});
