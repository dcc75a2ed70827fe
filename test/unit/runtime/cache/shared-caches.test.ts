import { type AnyObject, type Cluster, ClustersetError } from 'clusterset/kube';
import { type Fact, type ReflectorState, SharedCaches, type SharedCachesOptions } from 'clusterset/runtime';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { CONFIG_MAPS, typeOf } from '../fixtures.ts';

const started: { stop(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop();
});

function offline(clock: VirtualClock, name = 'eu-1'): { readonly cluster: OfflineCluster; readonly port: Cluster } {
  const cluster = new OfflineCluster({ name, clock, rollouts: false });
  started.push(cluster);
  return { cluster, port: cluster.connect() };
}

function start(options: Partial<SharedCachesOptions> = {}) {
  const clock = new VirtualClock();
  const facts: Fact[] = [];
  const shared = new SharedCaches({ clock, random: () => 0, observe: (fact) => facts.push(fact), ...options });
  const { cluster, port } = offline(clock);
  started.push({ stop: () => shared.close() });
  return { clock, shared, cluster, port, facts };
}

const draft = (name: string, value = ''): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels: { app: value } },
  data: { value },
});
const byValue = ({ data }: AnyObject): readonly string[] => [(data as { value: string }).value];
const project = ({ apiVersion, kind, metadata }: AnyObject): AnyObject => ({ apiVersion, kind, metadata });
const user = (): AbortController => new AbortController();

describe('shared caches', () => {
  it('watch once for many users, who see the same', async () => {
    const { clock, shared, cluster, port } = start();
    await port.create(CONFIG_MAPS, draft('a'));
    const caches = [1, 2, 3].map(() => shared.open(port, CONFIG_MAPS, {}, user().signal).cache);
    await clock.settle();
    const late = shared.open(port, CONFIG_MAPS, { namespace: undefined, shape: 'full' }, user().signal);
    expect(new Set([...caches, late.cache]).size).toBe(1);
    expect(late.cache.synced).toBe(true);
    expect(late.state).toEqual({ synced: true });
    expect(cluster.requests.all({ verbs: ['watch', 'list'] }).map(({ verb }) => verb)).toEqual(['watch']);
    expect(shared.size).toBe(1);
  });

  it('watch anew for another type, namespace, selector, shape, projection or connection', async () => {
    const { clock, shared, cluster, port } = start();
    const open = (port_: Cluster, type = CONFIG_MAPS, options = {}) => shared.open(port_, type, options, user().signal).cache;
    const caches = [
      open(port),
      open(port, typeOf('', 'Secret')),
      open(port, CONFIG_MAPS, { namespace: 'default' }),
      open(port, CONFIG_MAPS, { labelSelector: 'app=web' }),
      open(port, CONFIG_MAPS, { shape: 'metadata' }),
      open(port, CONFIG_MAPS, { shape: project }),
      open(port, CONFIG_MAPS, { shape: (object: AnyObject) => object }),
      open(cluster.connect()),
    ];
    expect(open(port, CONFIG_MAPS, { shape: project })).toBe(caches[5]);
    await clock.settle();
    expect(new Set(caches).size).toBe(caches.length);
    expect(caches.every(({ synced }) => synced)).toBe(true);
    expect(cluster.requests.all({ verbs: ['watch'] })).toHaveLength(caches.length);
  });

  it('end a little after the last user has gone, and go on for one who comes back in time', async () => {
    const { clock, shared, cluster, port } = start();
    const [first, second] = [user(), user()];
    const { cache } = shared.open(port, CONFIG_MAPS, {}, first.signal);
    shared.open(port, CONFIG_MAPS, {}, second.signal);
    await clock.settle();
    first.abort();
    await clock.advance('1m');
    expect(shared.size).toBe(1);
    second.abort();
    await clock.advance(4999);
    const third = user();
    expect(shared.open(port, CONFIG_MAPS, {}, third.signal).cache).toBe(cache);
    await clock.advance('1m');
    expect(shared.size).toBe(1);
    expect(cluster.requests.all({ verbs: ['watch'] })).toHaveLength(1);
    third.abort();
    await clock.advance(5000);
    expect(shared.size).toBe(0);
    expect(clock.waiting).toBe(0);
    const again = shared.open(port, CONFIG_MAPS, {}, user().signal);
    expect(again.cache).not.toBe(cache);
    await clock.settle();
    expect(cluster.requests.all({ verbs: ['watch'] })).toHaveLength(2);
  });

  it('have the indexes of all users, made on what is there, until their users have gone', async () => {
    const { clock, shared, port } = start();
    await port.create(CONFIG_MAPS, draft('a', 'x'));
    const [first, second, third] = [user(), user(), user()];
    const { cache } = shared.open(port, CONFIG_MAPS, {}, first.signal);
    await clock.settle();
    shared.open(port, CONFIG_MAPS, { indexes: { value: byValue } }, second.signal);
    shared.open(port, CONFIG_MAPS, { indexes: { value: byValue } }, third.signal);
    expect(cache.byIndex('value', 'x')).toHaveLength(1);
    expect(() => shared.open(port, CONFIG_MAPS, { indexes: { value: () => [] } }, user().signal)).toThrow(RangeError);
    second.abort();
    expect(cache.byIndex('value', 'x')).toHaveLength(1);
    third.abort();
    expect(() => cache.byIndex('value', 'x')).toThrow(RangeError);
    // Whoever is restarted may bring its function anew.
    shared.open(port, CONFIG_MAPS, { indexes: { value: () => ['all'] } }, user().signal);
    expect(cache.byIndex('value', 'all')).toHaveLength(1);
  });

  it('do not count a user whose index was refused', async () => {
    const { clock, shared, port } = start();
    const first = user();
    shared.open(port, CONFIG_MAPS, { indexes: { value: byValue } }, first.signal);
    expect(() => shared.open(port, CONFIG_MAPS, { indexes: { more: byValue, value: () => [] } }, user().signal)).toThrow(
      RangeError,
    );
    first.abort();
    await clock.advance('5s');
    expect(shared.size).toBe(0);
  });

  it('tell each user of the state, until it has gone', async () => {
    const { clock, shared, cluster, port } = start();
    const [first, second] = [user(), user()];
    const [told, others]: [ReflectorState[], ReflectorState[]] = [[], []];
    shared.open(port, CONFIG_MAPS, {}, first.signal).onState((state) => told.push(state));
    const handle = shared.open(port, CONFIG_MAPS, {}, second.signal);
    handle.onState(() => {
      throw new Error('boom in a listener');
    });
    const stop = handle.onState((state) => others.push(state));
    await clock.settle();
    first.abort();
    const cut = cluster.network.cut();
    await clock.settle();
    expect(told).toEqual([{ synced: true }]);
    expect(others.map(({ synced }) => synced)).toEqual([true, false]);
    expect(handle.state?.synced).toBe(false);
    stop();
    cut[Symbol.dispose]();
    await clock.advance('2m');
    expect(handle.state).toEqual({ synced: true });
    expect(others).toHaveLength(2);
  });

  it('say so when their connection was closed, and are open to another', async () => {
    const { clock, shared, cluster, port } = start();
    const handle = shared.open(port, CONFIG_MAPS, {}, user().signal);
    await clock.settle();
    await port.close();
    await clock.settle();
    expect(handle.state).toEqual({ synced: false, error: expect.objectContaining({ code: 'Aborted' }) });
    expect(shared.size).toBe(0);
    const again = shared.open(cluster.connect(), CONFIG_MAPS, {}, user().signal);
    await clock.settle();
    expect(again.state).toEqual({ synced: true });
  });

  it('refuse who has gone already, and everybody when they are closed', async () => {
    const { clock, shared, port } = start();
    shared.open(port, CONFIG_MAPS, {}, user().signal);
    await clock.settle();
    expect(() => shared.open(port, CONFIG_MAPS, {}, AbortSignal.abort(new Error('gone')))).toThrow('gone');
    await shared.close();
    expect(shared.size).toBe(0);
    expect(() => shared.open(port, CONFIG_MAPS, {}, user().signal)).toThrow(ClustersetError);
  });

  it('freeze what they keep where that is asked for', async () => {
    const { clock, shared, port } = start({ freeze: true });
    await port.create(CONFIG_MAPS, draft('a'));
    const { cache } = shared.open(port, CONFIG_MAPS, { shape: 'metadata' }, user().signal);
    await clock.settle();
    expect(Object.isFrozen([...cache.values()][0]?.metadata)).toBe(true);
  });

  it.each([
    ['streamed', true],
    ['asked for', false],
  ])('of 100 clusters are filled at once though another 100 hang, where lists are %s', async (_, watchList) => {
    const clock = new VirtualClock();
    const shared = new SharedCaches({ clock, random: () => 0, reflector: { watchList } });
    started.push({ stop: () => shared.close() });
    const all = Array.from({ length: 200 }, (__, index) => offline(clock, `c-${index}`));
    for (const [index, { cluster }] of all.entries()) if (index % 2 === 0) cluster.network.hang();
    const handles = all.map(({ port }) => shared.open(port, CONFIG_MAPS, {}, user().signal));
    await clock.advance(watchList ? 0 : '26s');
    expect(handles.map(({ cache }) => cache.synced)).toEqual(handles.map((__, index) => index % 2 === 1));
  });
});
