import { connect as connectPlain, type Socket } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const MOST_TRIES = 200;

describe('a served cluster', () => {
  let cluster: OfflineCluster;
  let served: ServedClusters;
  let port: number;
  const sockets: Socket[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  beforeAll(() => {
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
  });

  afterAll(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });

  beforeEach(async () => {
    cluster = new OfflineCluster({ name: 'offline' });
    served = await serve([cluster]);
    port = Number(new URL(served.clusters[0]?.server ?? '').port);
  });

  afterEach(async () => {
    await served.close();
    cluster.stop();
    for (const socket of sockets.splice(0)) socket.destroy();
    // Whatever was left without somebody to handle it is heard of now.
    await setTimeout(1);
    expect(unhandled.splice(0)).toEqual([]);
  });

  function plain(): Socket {
    const socket = connectPlain({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  function secure(protocol = 'http/1.1'): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const socket = connect({ host: '127.0.0.1', port, ca: served.ca, ALPNProtocols: [protocol] }, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
    sockets.push(socket);
    return promise;
  }

  const head = (method: string, path: string, ...more: readonly string[]): string =>
    [`${method} ${path} HTTP/1.1`, `host: 127.0.0.1:${port}`, `authorization: Bearer ${served.token}`, ...more, '', ''].join(
      '\r\n',
    );

  /** What a connection says until it ends. */
  function untilEnd(socket: Socket): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
    socket.on('end', () => socket.end());
    return promise;
  }

  async function isUp(): Promise<void> {
    const socket = await secure();
    const answer = untilEnd(socket);
    socket.write(head('GET', CONFIG_MAPS, 'connection: close'));
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*"kind":"ConfigMapList"/);
  }

  async function until(holds: () => boolean): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES && !holds(); tries += 1) await setTimeout(10);
    expect(holds()).toBe(true);
  }

  it('answers others while connections stand open that say nothing, or little', async () => {
    const slow = Array.from({ length: 50 }, plain);
    for (const socket of slow.slice(0, 25)) socket.write(Buffer.from([0x16, 0x03]));
    const begun = await Promise.all(Array.from({ length: 20 }, () => secure()));
    for (const [index, socket] of begun.entries()) {
      socket.write(
        index % 2 === 0 ? 'GET /api/v1/na' : head('POST', CONFIG_MAPS, 'content-type: application/json', 'content-length: 100'),
      );
    }
    for (const socket of begun) socket.write('a');
    await isUp();
    expect(cluster.violations()).toEqual([]);
  });

  it('takes its leave while such connections, watches and requests that hang stand open', async () => {
    const open = [plain(), await secure(), await secure('h2'), await secure(), await secure()];
    open[0]?.write('x');
    open[3]?.write(head('GET', `${CONFIG_MAPS}?watch=1`));
    cluster.network.hang({ verbs: ['list'] });
    open[4]?.write(head('GET', CONFIG_MAPS));
    const ends = open.map(untilEnd);
    await served.close();
    await Promise.all(ends);
    await expect(secure()).rejects.toThrow(/ECONNREFUSED/);
  });

  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['nothing but zeros', Buffer.alloc(5000)],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 73 + 41) % 256))],
    ['a hello that breaks off', Buffer.from('160301020001000200030300', 'hex')],
    ['a length that is too large', Buffer.from('1603010001ffffffff', 'hex')],
    ['an alert', Buffer.from('15030300020228', 'hex')],
  ])('outlives %s in place of TLS', async (_, bytes) => {
    const socket = plain();
    const ended = untilEnd(socket);
    socket.end(bytes);
    await ended;
    await isUp();
  });

  it.each([
    ['noise', 'abc\r\n\r\n'],
    ['HTTP/2 without having said so', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that there is not', 'FOO / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['a header with a zero byte', 'GET / HTTP/1.1\r\nhost: a\r\na: \0\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['a length and chunks', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a negative length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n'],
    ['chunks that are none', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ])('refuses %s with 400, and goes on', async (_, text) => {
    const socket = await secure();
    const answer = untilEnd(socket);
    socket.write(Buffer.from(text, 'latin1'));
    expect(await answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    await isUp();
  });

  it('refuses more headers than it reads', async () => {
    const socket = await secure();
    const answer = untilEnd(socket);
    socket.write(head('GET', CONFIG_MAPS, ...Array.from({ length: 10_000 }, (_, index) => `x-${index}: ${index}`)));
    expect(await answer).toMatch(/^HTTP\/1\.1 431 /);
    await isUp();
  });

  it('writes nothing of a body that breaks off', async () => {
    for (const leave of ['end', 'destroy'] as const) {
      const socket = await secure();
      const ended = untilEnd(socket);
      const body = '{"metadata":{"name":"half"}}';
      socket.write(
        `${head('POST', CONFIG_MAPS, 'content-type: application/json', `content-length: ${body.length + 10}`)}${body}`,
      );
      socket[leave]();
      await ended;
    }
    await isUp();
    const names = cluster.snapshot().objects.map(({ metadata }) => metadata.name);
    expect(names).not.toContain('half');
    expect(cluster.requests.all().filter(({ verb }) => verb === 'create')).toEqual([]);
  });

  it.each(['TRACE', 'OPTIONS', 'PROPFIND'])('answers %s with 405', async (method) => {
    const socket = await secure();
    const answer = untilEnd(socket);
    socket.write(head(method, CONFIG_MAPS, 'connection: close'));
    expect(await answer).toMatch(/^HTTP\/1\.1 405 [\s\S]*"reason":"MethodNotAllowed"/);
  });

  it('makes no tunnels, and takes no other host from a target', async () => {
    const tunnel = await secure();
    const ended = untilEnd(tunnel);
    tunnel.write(head('CONNECT', 'example.com:443'));
    expect(await ended).not.toMatch(/^HTTP\/1\.1 2/);
    const socket = await secure();
    const answer = untilEnd(socket);
    socket.write(head('GET', `//example.com${CONFIG_MAPS}`, 'connection: close'));
    expect(await answer).toMatch(/^HTTP\/1\.1 404 /);
    await isUp();
  });

  it('outlives HTTP/2 that is none', async () => {
    for (const text of ['abc', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(100)}`]) {
      const socket = await secure('h2');
      const ended = untilEnd(socket);
      socket.end(Buffer.from(text, 'latin1'));
      await ended;
    }
    await isUp();
  });

  it('ends the watch of a client that goes without a word', async () => {
    // Each watch has a time at which it ends at the latest.
    const clock = new VirtualClock();
    const watched = new OfflineCluster({ name: 'watched', clock });
    await using other = await serve([watched]);
    port = Number(new URL(other.clusters[0]?.server ?? '').port);
    const before = clock.waiting;
    const socket = connect({ host: '127.0.0.1', port, ca: other.ca });
    socket.on('error', () => undefined);
    sockets.push(socket);
    socket.write(head('GET', `${CONFIG_MAPS}?watch=1`).replace(served.token, other.token));
    await until(() => clock.waiting > before);
    socket.destroy();
    await until(() => clock.waiting === before);
    watched.stop();
  });
});
