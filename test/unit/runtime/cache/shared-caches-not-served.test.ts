import { type AnyObject, type Cluster, ClustersetError } from 'clusterset/kube';
import { type CacheEvent, type OpenOptions, SharedCaches } from 'clusterset/runtime';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { CONFIG_MAPS } from '../fixtures.ts';

const started: { stop(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop();
});

/** A cache of a type that is served at first, then not for a while, and then again. */
async function comesAndGoes(options: OpenOptions) {
  const clock = new VirtualClock();
  const cluster = new OfflineCluster({ name: 'eu-1', clock, rollouts: false });
  const port = cluster.connect();
  let isServed = true;
  const behindProxy: Cluster = Object.assign(Object.create(port) as Cluster, {
    async *watch(...asked: Parameters<Cluster['watch']>) {
      if (isServed) yield* port.watch(...asked);
      else throw new ClustersetError({ code: 'NotServed', message: 'it does not serve it', cluster: 'eu-1', status: 404 });
    },
  });
  const shared = new SharedCaches({ clock, random: () => 0 });
  started.push({ stop: () => shared.close() }, cluster);
  await port.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'a' } });
  const opened = shared.open(behindProxy, CONFIG_MAPS, options, new AbortController().signal);
  const events: CacheEvent['type'][] = [];
  opened.cache.listen(({ type }) => events.push(type));
  await clock.settle();
  isServed = false;
  const cut = cluster.network.cut();
  await clock.advance('1s');
  cut[Symbol.dispose]();
  await clock.advance('1m');
  const seen = (): readonly string[] => [...opened.cache.values()].map(({ metadata }: AnyObject) => metadata.name);
  const away = { seen: seen(), state: opened.state };
  isServed = true;
  await clock.advance('1m');
  return { away, back: { seen: seen(), state: opened.state }, events };
}

describe('a type that is not served for a while', () => {
  it('keeps its objects in shared caches, and the state says that nobody knows of them', async () => {
    const { away, back, events } = await comesAndGoes({});
    expect(away.seen).toEqual(['a']);
    expect(away.state).toMatchObject({ synced: false, error: { code: 'NotServed' } });
    expect(back).toEqual({ seen: ['a'], state: { synced: true } });
    expect(events).toEqual(['added']);
  });

  it('has none for who says so, and gets them back', async () => {
    const { away, back, events } = await comesAndGoes({ emptyWhenNotServed: true });
    expect(away.seen).toEqual([]);
    expect(back).toEqual({ seen: ['a'], state: { synced: true } });
    expect(events).toEqual(['added', 'removed', 'added']);
  });

  it('is watched twice for two who see it differently', () => {
    const clock = new VirtualClock();
    const cluster = new OfflineCluster({ name: 'eu-1', clock, rollouts: false });
    const shared = new SharedCaches({ clock, random: () => 0 });
    started.push({ stop: () => shared.close() }, cluster);
    const port = cluster.connect();
    const { signal } = new AbortController();
    const safe = shared.open(port, CONFIG_MAPS, {}, signal).cache;
    expect(shared.open(port, CONFIG_MAPS, { emptyWhenNotServed: false }, signal).cache).toBe(safe);
    expect(shared.open(port, CONFIG_MAPS, { emptyWhenNotServed: true }, signal).cache).not.toBe(safe);
  });
});
