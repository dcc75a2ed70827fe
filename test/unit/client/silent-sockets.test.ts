import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Dispatchers } from '../../../src/client/dispatchers.ts';
import { bench } from './bench.ts';
import { answer } from './server.ts';

const PING_MS = 200;
const test = bench();

/** Passes on what a client and a server say, until it loses the connections: then nothing comes any more, and nobody is told. */
async function forgetfulNetwork(to: number) {
  const sockets: Socket[] = [];
  let lose: (() => void)[] = [];
  const network = createServer((client) => {
    const server = connect(to, '127.0.0.1');
    sockets.push(client, server);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server).pipe(client);
    lose.push(() => {
      client.unpipe(server).resume();
      server.unpipe(client).resume();
    });
  });
  network.listen(0, '127.0.0.1');
  await once(network, 'listening');
  test.afterwards(() => {
    for (const socket of sockets) socket.destroy();
    network.close();
  });
  return {
    url: `https://localhost:${(network.address() as AddressInfo).port}`,
    connections: () => sockets.length / 2,
    lose() {
      for (const each of lose) each();
      lose = [];
    },
  };
}

async function dispatching(pingMs: number) {
  const server = await test.serve((_, response) => answer(response, 200, {}));
  const network = await forgetfulNetwork(server.port);
  const access = { tls: { ca: test.signed.ca }, headers: {} };
  const dispatchers = new Dispatchers(access, undefined, new AbortController().signal, pingMs);
  test.afterwards(() => dispatchers.destroy());
  const ask = async (path = '/'): Promise<number> => {
    const response = await dispatchers.of({}).request({ origin: network.url, path, method: 'GET', headersTimeout: 0 });
    await response.body.dump();
    return response.statusCode;
  };
  return { server, network, ask };
}

describe('an HTTP/2 connection', () => {
  it('is given up when the network has lost it, and the next request has a new one', async () => {
    const { network, ask } = await dispatching(PING_MS);
    expect(await ask()).toBe(200);
    network.lose();
    await expect(ask()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(await ask()).toBe(200);
    expect(network.connections()).toBe(2);
  });

  it('stays while the server answers pings, however long it is silent otherwise', async () => {
    const { server, network, ask } = await dispatching(2 * PING_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.handler = async ({ path }, response) => {
      if (path === '/slow') await promise;
      answer(response, 200, {});
    };
    const slow = ask('/slow');
    setTimeout(resolve, PING_MS * 8);
    expect(await slow).toBe(200);
    expect(await ask()).toBe(200);
    expect(network.connections()).toBe(1);
  });
});
