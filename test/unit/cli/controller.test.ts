import { connect } from 'node:net';
import { BUILT_IN_FEDERATED_TYPES } from 'clusterset/federation';
import { type AnyObject, type Cluster, type ResourceType, resourceType } from 'clusterset/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, readAddress } from '../../../src/cli/listen.ts';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { folder, type Ran, run } from './run.ts';

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const LEASES = resourceType('coordination.k8s.io/v1', 'Lease', 'leases');
const FEDERATED = BUILT_IN_FEDERATED_TYPES.find(({ target }) => target.kind === 'Namespace')
  ?.federated as unknown as ResourceType;
const PATIENCE = { timeout: 20_000 };

describe('clusterset controller', { timeout: 60_000 }, () => {
  let world: OfflineWorld;
  let stopping: AbortController;
  let running: Promise<Ran>[];
  let host: Cluster;

  beforeEach(async () => {
    world = await startOffline(['host', 'eu-1', 'us-1']);
    host = world.cluster('host').connect();
    stopping = new AbortController();
    running = [];
  });
  afterEach(async () => {
    stopping.abort();
    await Promise.all(running);
    await world[Symbol.asyncDispose]();
  });

  const begin = (args: readonly string[], signal = stopping.signal): Promise<Ran> => {
    const ran = run(['controller', '--host', 'host', '--kubeconfig', world.kubeconfig, ...args], signal);
    running.push(ran);
    return ran;
  };

  async function federate(name: string): Promise<void> {
    await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const spec = { template: {}, placement: { clusterSelector: {} } };
    const object = {
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedNamespace',
      metadata: { namespace: name, name },
      spec,
    };
    await vi.waitFor(() => host.create(FEDERATED, object as unknown as AnyObject), PATIENCE);
  }

  const isIn = (cluster: string, name: string): Promise<unknown> =>
    vi.waitUntil(() => world.cluster(cluster).connect().get(NAMESPACES, { name }), PATIENCE);

  const holder = async (): Promise<string> =>
    ((await host.get(LEASES, { namespace: 'default', name: 'clusterset-controller' }))?.spec as { holderIdentity?: string })
      ?.holderIdentity ?? '';

  it('makes members what the host says, and gives the lease back when it is told to end', async () => {
    const ran = begin(['--contexts', 'eu-1,us-1', '--install-types', '--log-format', 'json']);
    await federate('shop');
    for (const member of ['eu-1', 'us-1']) await isIn(member, 'shop');
    expect(await holder()).not.toBe('');
    stopping.abort();
    const { code, stdout, stderr } = await ran;
    expect([code, stdout]).toEqual([0, '']);
    const lines = stderr.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['following eu-1, us-1', 'became the leader', 'the member is ready', 'stopped leading']),
    );
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    expect(await holder()).toBe('');
  });

  it('takes members from a fleet file, and lets another replica go on when one ends', async () => {
    const place = folder({ 'fleet.yaml': '- name: eu-1\n- name: us-1\n' });
    const args = ['--fleet', `${place}/fleet.yaml`, '--install-types', '--lease', 'kube-system/federation'];
    const first = new AbortController();
    const ran = begin(args, first.signal);
    await federate('shop');
    await isIn('us-1', 'shop');
    void begin(args);
    first.abort();
    expect((await ran).code).toBe(0);
    await federate('more');
    await isIn('eu-1', 'more');
    expect(await host.get(LEASES, { namespace: 'kube-system', name: 'federation' })).toBeDefined();
  });

  it('works without an election where it is told to', async () => {
    void begin(['--contexts', 'eu-1', '--install-types', '--no-election']);
    await federate('shop');
    await isIn('eu-1', 'shop');
    expect(await holder()).toBe('');
  });

  it.each([
    ['no host', [], /say where the federated objects are/],
    ['two places for members', ['--host', 'host', '--contexts', 'a', '--fleet', 'b'], /not both/],
    ['no federated types', ['--host', 'host', '--contexts', 'eu-1'], /host serves no federated types: --install-types/],
    ['an address that is none', ['--host', 'host', '--listen', 'here'], /127\.0\.0\.1:8080/],
    ['a lease that is none', ['--host', 'host', '--lease', 'federation'], /kube-system\/federation/],
    [
      'an address that is not ours',
      ['--host', 'host', '--contexts', 'eu-1', '--install-types', '--listen', '203.0.113.1:80'],
      /--listen/,
    ],
  ])('is refused with %s', async (_, args, message) => {
    const { code, stderr } = await run(['controller', '--kubeconfig', world.kubeconfig, ...args]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    [':9090', { host: '::', port: 9090 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['8080', undefined],
    ['a:b', undefined],
    ['a:70000', undefined],
    ['::1:80', undefined],
  ])('%s', (text, address) => {
    expect(readAddress(text)).toEqual(address);
  });

  it('answers what it is asked, and nothing but reading', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 }, async ({ url, method }) => new Response(`${method} ${url}`));
    const at = `http://127.0.0.1:${server.port}`;
    expect(await (await fetch(`${at}/metrics?a=b`)).text()).toBe('GET http://localhost/metrics?a=b');
    expect((await fetch(at, { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await raw(server.port, 'GET http://[ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    await server.close();
    await expect(fetch(at)).rejects.toThrow();
  });

  it('breaks off where the answer fails', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 }, () => Promise.reject(new Error('no')));
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
    await server.close();
  });
});

/** Sends bytes and reads all that comes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
