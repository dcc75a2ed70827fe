import {
  type AnyObject,
  type Cluster,
  defineResource,
  type ErrorCode,
  keyOf,
  type ListOptions,
  type ObjectList,
  type ResourceType,
  type WatchEvent,
  type WatchOptions,
} from 'clusterset/kube';
import { ObjectCache, type ReflectOptions, type ReflectorState, reflect, sleep } from 'clusterset/runtime';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CONFIG_MAPS, configMap, failed, failing, forever, handMade, silence, typeOf } from '../fixtures.ts';

/** One request of a reflector. */
interface Asked {
  readonly verb: 'list' | 'watch';
  readonly at: number;
  readonly version: string | undefined;
}

interface Running {
  readonly clock: VirtualClock;
  readonly cache: ObjectCache;
  readonly asked: readonly Asked[];
  readonly states: readonly ReflectorState[];
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

const running: Running[] = [];
const clusters: OfflineCluster[] = [];

/** So many requests are more than any test needs: what asks on is caught in a loop, and is held so that the test can say so. */
const TOO_MANY = 100;

function counted(cluster: Cluster, clock: VirtualClock, asked: Asked[]): Cluster {
  const note = (verb: Asked['verb'], version: string | undefined): boolean => {
    asked.push({ verb, at: clock.monotonic(), version });
    return asked.length > TOO_MANY;
  };
  return handMade({
    async list(options, type) {
      if (note('list', options.resourceVersion)) await forever(options.signal as AbortSignal);
      return cluster.list(type, options);
    },
    async *watch(options, type) {
      if (note('watch', options.resourceVersion)) await forever(options.signal as AbortSignal);
      yield* cluster.watch(type, options);
    },
  });
}

function start(clock: VirtualClock, cluster: Cluster, options: Partial<ReflectOptions> = {}): Running {
  const cache = options.cache ?? new ObjectCache();
  const states: ReflectorState[] = [];
  const asked: Asked[] = [];
  const stopping = new AbortController();
  const done = reflect({
    cluster: counted(cluster, clock, asked),
    type: CONFIG_MAPS,
    clock,
    random: () => 0,
    signal: stopping.signal,
    onState: (state) => states.push(state),
    ...options,
    cache,
  });
  const self = { clock, cache, asked, states, stopping, done };
  running.push(self);
  return self;
}

afterEach(async () => {
  for (const { stopping, done } of running.splice(0)) {
    stopping.abort();
    await done;
  }
  for (const cluster of clusters.splice(0)) cluster.stop();
});

function offline(): { readonly clock: VirtualClock; readonly cluster: OfflineCluster; readonly port: Cluster } {
  const clock = new VirtualClock();
  const cluster = new OfflineCluster({ name: 'eu-1', clock, rollouts: false });
  clusters.push(cluster);
  return { clock, cluster, port: cluster.connect() };
}

const draft = (name: string, value = ''): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
  data: { value },
});

const change = (port: Cluster, name: string, value: string): Promise<AnyObject> =>
  port.patch(CONFIG_MAPS, { namespace: 'default', name }, { type: 'merge', body: { data: { value } } });

const remove = (port: Cluster, name: string): Promise<unknown> => port.delete(CONFIG_MAPS, { namespace: 'default', name });

/** Whether the cache has what the cluster has, to the version. */
async function expectEqual(cache: ObjectCache, port: Cluster, type: ResourceType = CONFIG_MAPS): Promise<void> {
  const { items } = await port.list(type);
  const sorted = (objects: Iterable<AnyObject>): AnyObject[] =>
    [...objects].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  expect(sorted(cache.values())).toEqual(sorted(items));
}

const requests = (asked: readonly Asked[]): string[] => asked.map(({ verb, version }) => `${verb} ${version ?? 'newest'}`);
const times = (asked: readonly Asked[]): number[] => asked.map(({ at }) => at);

/** A cluster whose answers are written down: each watch takes the next of the scripts, and the last of them stays open. */
function scripted(
  clock: VirtualClock,
  lists: readonly (ObjectList<AnyObject> | Error)[],
  watches: readonly (readonly (WatchEvent<AnyObject> | Error | 'end' | number)[])[],
): Cluster {
  const nextList = lists[Symbol.iterator]();
  const nextWatch = watches[Symbol.iterator]();
  let list: ObjectList<AnyObject> | Error = { items: [], resourceVersion: '1' };
  return handMade({
    async list() {
      list = nextList.next().value ?? list;
      if (list instanceof Error) throw list;
      return list;
    },
    async *watch({ signal }) {
      for (const step of nextWatch.next().value ?? []) {
        if (step instanceof Error) throw step;
        if (step === 'end') return;
        if (typeof step === 'number') await Promise.race([sleep(clock, step), forever(signal as AbortSignal)]);
        else yield step;
      }
      await forever(signal as AbortSignal);
    },
  });
}

const listed = (resourceVersion: string, ...items: AnyObject[]): ObjectList<AnyObject> => ({ items, resourceVersion });
const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: AnyObject): WatchEvent<AnyObject> => ({ type, object });
const bookmark = (resourceVersion: string): WatchEvent<AnyObject> => ({
  type: 'BOOKMARK',
  resourceVersion,
  initialEventsEnd: false,
});

describe('a reflector', () => {
  it('fills its cache with one list, and follows with one watch', async () => {
    const { clock, port } = offline();
    await port.create(CONFIG_MAPS, draft('a'));
    await port.create(CONFIG_MAPS, draft('b'));
    const { cache, asked, states } = start(clock, port);
    await clock.settle();
    await expectEqual(cache, port);
    expect(states).toEqual([{ synced: true }]);
    await port.create(CONFIG_MAPS, draft('c'));
    await change(port, 'a', 'changed');
    await remove(port, 'b');
    await clock.settle();
    await expectEqual(cache, port);
    const names = [...cache.values()].map(({ metadata }) => metadata.name);
    expect(names).toEqual(['a', 'c']);
    expect(asked.map(({ verb }) => verb)).toEqual(['list', 'watch']);
  });

  it('is content with what the server remembers for the first list, and says how its watches are to be', async () => {
    const clock = new VirtualClock();
    const seen: (ListOptions | WatchOptions)[] = [];
    const cluster = handMade({
      async list(options) {
        seen.push(options);
        return listed('7');
      },
      watch(options) {
        seen.push(options);
        return silence(options);
      },
    });
    start(clock, cluster, { labelSelector: 'app=web' });
    await clock.settle();
    expect(seen).toEqual([
      expect.objectContaining({ resourceVersion: '0', labelSelector: 'app=web' }),
      expect.objectContaining({ resourceVersion: '7', labelSelector: 'app=web', allowWatchBookmarks: true, timeoutSeconds: 300 }),
    ]);
  });

  it('asks for watches of five to ten minutes, each as long as chance says', async () => {
    const seen: (number | undefined)[] = [];
    for (const chance of [0, 0.25, 0.999]) {
      const clock = new VirtualClock();
      const cluster = handMade({
        list: async () => listed('7'),
        watch(options) {
          seen.push(options.timeoutSeconds);
          return silence(options);
        },
      });
      start(clock, cluster, { random: () => chance });
      await clock.settle();
    }
    expect(seen).toEqual([300, 375, 600]);
  });

  it('drops what does not match its selector any more, and takes in what matches by now', async () => {
    const { clock, port } = offline();
    const labelled = (name: string, app: string): AnyObject => ({
      ...draft(name),
      metadata: { ...draft(name).metadata, labels: { app } },
    });
    await port.create(CONFIG_MAPS, labelled('a', 'web'));
    await port.create(CONFIG_MAPS, labelled('b', 'db'));
    const { cache } = start(clock, port, { labelSelector: 'app=web' });
    await clock.settle();
    expect([...cache.values()].map(({ metadata }) => metadata.name)).toEqual(['a']);
    const label = (name: string, app: string): Promise<unknown> =>
      port.patch(CONFIG_MAPS, { namespace: 'default', name }, { type: 'merge', body: { metadata: { labels: { app } } } });
    await label('a', 'db');
    await label('b', 'web');
    await clock.settle();
    expect([...cache.values()].map(({ metadata }) => metadata.name)).toEqual(['b']);
  });

  it('stops when its signal fires, whatever it is doing, and leaves no timer', async () => {
    const { clock, cluster, port } = offline();
    const watching = start(clock, port);
    await clock.settle();
    const cut = cluster.network.cut();
    const waiting = start(clock, port);
    await clock.settle();
    cut[Symbol.dispose]();
    cluster.network.hang();
    const listing = start(clock, port);
    await clock.settle();
    for (const { stopping, done } of [watching, waiting, listing]) {
      stopping.abort();
      await done;
    }
    expect(clock.waiting).toBe(0);
  });

  it('does not begin where its signal has fired already', async () => {
    const clock = new VirtualClock();
    await reflect({
      cluster: handMade({}),
      type: CONFIG_MAPS,
      cache: new ObjectCache(),
      clock,
      random: () => 0,
      signal: AbortSignal.abort(),
    });
  });

  it('ends when its connection is closed, for that can never answer again', async () => {
    const { clock, port } = offline();
    const { done } = start(clock, port);
    await clock.settle();
    await port.close();
    await done;
  });
});

describe('a reflector whose watch ends', () => {
  it('watches on where it was when the server ends it, and lists nothing again', async () => {
    const { clock, port } = offline();
    await port.create(CONFIG_MAPS, draft('a'));
    const { cache, asked, states } = start(clock, port);
    for (let minute = 0; minute < 30; minute += 5) {
      await clock.advance('5m');
      await change(port, 'a', `at ${minute}`);
    }
    await clock.settle();
    await expectEqual(cache, port);
    expect(asked.map(({ verb }) => verb)).toEqual(['list', ...asked.slice(1).map(() => 'watch')]);
    expect(times(asked)).toEqual([0, 0, 300_000, 600_000, 900_000, 1_200_000, 1_500_000, 1_800_000]);
    expect(states).toEqual([{ synced: true }]);
  });

  it('goes on at its last event, so that nothing comes twice', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('5', configMap('a', 3))],
      [[event('MODIFIED', configMap('a', 8)), event('DELETED', configMap('a', 9)), 60_000, 'end']],
    );
    const { asked } = start(clock, cluster);
    await clock.advance('2m');
    expect(requests(asked)).toEqual(['list 0', 'watch 5', 'watch 9']);
  });

  it('goes on at its last bookmark, which moves the version and nothing else', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [listed('5', configMap('a', 3))], [[bookmark('70'), 60_000, 'end']]);
    const { asked, cache } = start(clock, cluster);
    await clock.advance('2m');
    expect(requests(asked)).toEqual(['list 0', 'watch 5', 'watch 70']);
    expect([...cache.values()]).toEqual([configMap('a', 3)]);
  });

  it('needs no list for a quiet type while the history of the cluster moves on', async () => {
    const { clock, cluster, port } = offline();
    await port.create(CONFIG_MAPS, draft('quiet'));
    const { cache, asked } = start(clock, port);
    await clock.settle();
    for (let number = 0; number < 50; number += 1) {
      await port.create(typeOf('', 'Secret'), { ...draft(`secret-${number}`), kind: 'Secret', data: {} });
    }
    await clock.advance('4m');
    cluster.compact();
    await clock.advance('20m');
    expect(asked.filter(({ verb }) => verb === 'list')).toHaveLength(1);
    await change(port, 'quiet', 'not any more');
    await clock.settle();
    await expectEqual(cache, port);
  });

  it('does not ask without a pause where each watch ends at once', async () => {
    const clock = new VirtualClock();
    const cluster = handMade({ list: async () => listed('5'), async *watch() {} });
    const { asked } = start(clock, cluster);
    await clock.advance('1m');
    expect(asked.length).toBeLessThan(50);
  });
});

describe('a reflector whose history is gone', () => {
  it.each<[string, string, Error]>([
    ['not older than before', 'list 900', failed('Expired', 'too old resource version: 5 (100)')],
    ['the newest', 'list newest', failed('Timeout', 'Timeout: Too large resource version: 900, current: 5')],
  ])('lists %s at once where the watch fails because of its version', async (_, relist, error) => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('900', configMap('a', 800), configMap('b', 700)), listed('6', configMap('a', 4), configMap('c', 5))],
      [[error], [event('MODIFIED', configMap('a', 7))]],
    );
    const { asked, cache, states } = start(clock, cluster);
    await clock.advance(0);
    expect(requests(asked)).toEqual(['list 0', 'watch 900', relist, 'watch 6']);
    expect([...cache.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)).toEqual(['a@7', 'c@5']);
    expect(states).toEqual([{ synced: true }, { synced: true }]);
  });

  it('misses nothing of what happened while it could not watch', async () => {
    const { clock, cluster, port } = offline();
    for (const name of ['stays', 'changes', 'goes', 'is-made-anew']) await port.create(CONFIG_MAPS, draft(name));
    const { cache, asked } = start(clock, port);
    await clock.settle();
    const side = new OfflineSide(cluster);
    const cut = cluster.network.cut();
    await clock.settle();
    side.change('changes');
    side.remove('goes');
    side.remove('is-made-anew');
    side.create('is-made-anew');
    side.create('comes');
    cluster.compact();
    cut[Symbol.dispose]();
    await clock.advance('2s');
    await expectEqual(cache, port);
    expect(asked.map(({ verb }) => verb)).toEqual(['list', 'watch', 'watch', 'list', 'watch']);
  });

  it('tries again where the list that was to help fails', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('5'), failed('InternalError'), failed('Unreachable'), listed('9')],
      [[failed('Expired')]],
    );
    const { asked } = start(clock, cluster);
    await clock.advance('10s');
    expect(requests(asked)).toEqual(['list 0', 'watch 5', 'list 5', 'list 5', 'list 5', 'watch 9']);
    expect(times(asked)).toEqual([0, 0, 0, 800, 2400, 2400]);
  });

  it('does not list without a pause where each watch says that its version is too old', async () => {
    const clock = new VirtualClock();
    const cluster = handMade({ list: async () => listed('5'), watch: () => failing(failed('Expired')) });
    const { asked } = start(clock, cluster);
    await clock.advance('1m');
    expect(asked.length).toBeLessThan(50);
  });

  it('notices that the cluster was restored when versions go back within a watch', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('900', configMap('a', 800, { value: 'lost' })), listed('6', configMap('a', 4, { value: 'restored' }))],
      [[bookmark('5')]],
    );
    const { cache } = start(clock, cluster);
    await clock.advance('1h');
    expect(cache.get({ namespace: 'default', name: 'a' })?.data).toEqual({ value: 'restored' });
  });

  it('ends up like a cluster that was restored to an earlier state behind its back', async () => {
    const { clock, cluster: before, port } = offline();
    const restored = new OfflineCluster({ name: 'eu-1', clock, rollouts: false });
    clusters.push(restored);
    for (let version = 0; version < 20; version += 1) await port.create(CONFIG_MAPS, draft(`lost-${version}`));
    await restored.connect().create(CONFIG_MAPS, draft('restored'));
    let now = port;
    const { cache } = start(
      clock,
      handMade({
        list: (options) => now.list(CONFIG_MAPS, options),
        watch: (options) => now.watch(CONFIG_MAPS, options),
      }),
    );
    await clock.settle();
    now = restored.connect();
    before.network.cut();
    await clock.advance('20m');
    await expectEqual(cache, now);
  });
});

/** Writes to a cluster whose network is cut, as its own controllers do. */
class OfflineSide {
  readonly #cluster: OfflineCluster;

  constructor(cluster: OfflineCluster) {
    this.#cluster = cluster;
  }

  create(name: string): void {
    const { served, server } = this.#server();
    server.create(served, 'default', draft(name), WRITER);
  }

  change(name: string): void {
    const { served, server } = this.#server();
    const object = server.get(served, { namespace: 'default', name });
    server.update(served, keyOf(object), { ...object, data: { value: 'changed' } }, WRITER);
  }

  remove(name: string): void {
    const { served, server } = this.#server();
    server.delete(served, { namespace: 'default', name }, {});
  }

  #server() {
    const { server } = this.#cluster;
    const served = server.served(CONFIG_MAPS);
    if (served === undefined) throw new TypeError('ConfigMaps are always served');
    return { server, served };
  }
}

const WRITER: Parameters<OfflineCluster['server']['create']>[3] = {
  fieldManager: 'test',
  dryRun: false,
  fieldValidation: 'Ignore',
  subresource: undefined,
  warnings: [],
};

describe('a reflector that gets no answer', () => {
  it('asks again after delays that double, up to 30 seconds', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [failed('Unreachable')], []);
    const { asked } = start(clock, cluster);
    await clock.advance('2m');
    expect(times(asked)).toEqual([0, 800, 2400, 5600, 12_000, 24_800, 50_400, 80_400, 110_400]);
  });

  it('spreads its delays by chance, up to twice as long', async () => {
    const clock = new VirtualClock();
    const chances = [0.5, 0, 0.75][Symbol.iterator]();
    const cluster = scripted(clock, [failed('Unreachable')], []);
    const { asked } = start(clock, cluster, { random: () => chances.next().value ?? 0 });
    await clock.advance('10s');
    expect(times(asked).slice(0, 4)).toEqual([0, 1200, 2800, 2800 + 3200 * 1.75]);
  });

  it('forgets its failures after two minutes without one', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('5')],
      [[failed('Unreachable')], [failed('Unreachable')], [120_000, failed('Unreachable')], [121_000, failed('Unreachable')]],
    );
    const { asked } = start(clock, cluster);
    await clock.advance('5m');
    expect(times(asked)).toEqual([0, 0, 800, 2400, 2400 + 120_000 + 800, 2400 + 120_000 + 800 + 121_000 + 800]);
  });

  it.each<ErrorCode>([
    'TooManyRequests',
    'Unreachable',
    'ServiceUnavailable',
    'ServerTimeout',
    'Forbidden',
    'Unauthorized',
    'Timeout',
  ])('watches on where it was after %s, with a pause and without a list', async (code) => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('5')],
      [[event('ADDED', configMap('a', 6)), failed(code)], [event('MODIFIED', configMap('a', 7))]],
    );
    const { asked, cache, states } = start(clock, cluster);
    await clock.advance('5s');
    expect(requests(asked)).toEqual(['list 0', 'watch 5', 'watch 6']);
    expect(times(asked)).toEqual([0, 0, 800]);
    expect(cache.get({ namespace: 'default', name: 'a' })?.metadata.resourceVersion).toBe('7');
    expect(states.slice(0, 2)).toEqual([{ synced: true }, { synced: false, error: expect.objectContaining({ code }) }]);
  });

  it.each<ErrorCode>(['TooManyRequests', 'InternalError', 'Unreachable', 'ServiceUnavailable', 'Forbidden'])(
    'lists until it is answered after %s',
    async (code) => {
      const clock = new VirtualClock();
      const cluster = scripted(clock, [failed(code), failed(code), listed('5', configMap('a', 3))], []);
      const { asked, cache, states } = start(clock, cluster);
      await clock.advance('5s');
      expect(requests(asked)).toEqual(['list 0', 'list 0', 'list 0', 'watch 5']);
      expect(cache.synced).toBe(true);
      expect(states.map(({ synced }) => synced)).toEqual([false, false, true]);
    },
  );

  it('bears with an error that is not ours', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [new TypeError('a slip'), listed('5', configMap('a', 3))], [[new TypeError('another slip')]]);
    const { asked, cache } = start(clock, cluster);
    await clock.advance('5s');
    expect(requests(asked)).toEqual(['list 0', 'list 0', 'watch 5', 'list 5', 'watch 5']);
    expect(cache.size).toBe(1);
  });

  it('goes on after a cut of the network as if nothing had been, and asks little meanwhile', async () => {
    const { clock, cluster, port } = offline();
    await port.create(CONFIG_MAPS, draft('a'));
    const { cache, asked } = start(clock, port);
    await clock.settle();
    const cut = cluster.network.cut();
    await clock.advance('10m');
    expect(asked.length).toBeLessThan(30);
    const side = new OfflineSide(cluster);
    side.change('a');
    side.create('b');
    cut[Symbol.dispose]();
    await clock.advance('1m');
    await expectEqual(cache, port);
    expect(asked.filter(({ verb }) => verb === 'list')).toHaveLength(1);
  });

  it('says that it is in step again after a break, when it sees that it is', async () => {
    const { clock, cluster, port } = offline();
    const { states } = start(clock, port);
    await clock.settle();
    const cut = cluster.network.cut();
    await clock.settle();
    expect(states.at(-1)?.synced).toBe(false);
    cut[Symbol.dispose]();
    await clock.advance('10s');
    await port.create(CONFIG_MAPS, draft('a'));
    await clock.advance('2m');
    expect(states.at(-1)).toEqual({ synced: true });
  });

  it('waits at least as long as the server asks', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [listed('5')], [[failed('TooManyRequests', 'slow down', { retryAfterMs: 10_000 })]]);
    const { asked } = start(clock, cluster);
    await clock.advance('1m');
    expect(times(asked)).toEqual([0, 0, expect.toSatisfy((at: number) => at >= 10_000)]);
  });
});

describe('a reflector of a type that is not served', () => {
  const Fleet = defineResource({
    group: 'example.com',
    version: 'v1',
    kind: 'Fleet',
    plural: 'fleets',
    scope: 'Namespaced',
    spec: z.object({ size: z.int() }),
  });
  const crds = typeOf('apiextensions.k8s.io', 'CustomResourceDefinition');

  it('asks again soon, less and less often, up to every ten seconds', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [failed('NotServed')], []);
    const { asked, states } = start(clock, cluster);
    await clock.advance('40s');
    expect(times(asked)).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 25_750, 35_750]);
    expect(states.every((state) => !state.synced && (state.error as { code?: string }).code === 'NotServed')).toBe(true);
  });

  it('follows it as soon as it is served', async () => {
    const { clock, port } = offline();
    const { cache, states } = start(clock, port, { type: Fleet });
    await clock.advance('1m');
    expect(cache.synced).toBe(false);
    await port.apply(crds, Fleet.crd() as unknown as AnyObject, { fieldManager: 'test' });
    await clock.advance('11s');
    expect(cache.synced).toBe(true);
    expect(states.at(-1)).toEqual({ synced: true });
    const fleet = {
      apiVersion: 'example.com/v1',
      kind: 'Fleet',
      metadata: { namespace: 'default', name: 'a' },
      spec: { size: 1 },
    };
    await port.create(Fleet as ResourceType, fleet);
    await clock.settle();
    await expectEqual(cache, port, Fleet as ResourceType);
  });

  it('has no objects of it', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [listed('5', configMap('a', 3)), failed('NotServed')], [[failed('NotServed')]]);
    const { cache } = start(clock, cluster);
    await clock.settle();
    expect(cache.size).toBe(0);
  });

  it('lists it anew when it is served again after a while', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(
      clock,
      [listed('5', configMap('a', 3)), failed('NotServed'), listed('9', configMap('b', 8))],
      [[failed('NotServed')]],
    );
    const { asked, cache } = start(clock, cluster);
    await clock.advance('5s');
    expect(requests(asked)).toEqual(['list 0', 'watch 5', 'list newest', 'list newest', 'watch 9']);
    expect([...cache.values()].map(({ metadata }) => metadata.name)).toEqual(['b']);
  });
});

describe('a reflector and its cache', () => {
  it('keeps an object when another of the same name is said to be gone', async () => {
    const clock = new VirtualClock();
    const second = configMap('a', 8, { uid: 'a-2' });
    const cluster = scripted(
      clock,
      [listed('5')],
      [[event('ADDED', second), event('DELETED', configMap('a', 9, { uid: 'a-1' }))]],
    );
    const { cache } = start(clock, cluster);
    await clock.settle();
    expect([...cache.values()]).toEqual([second]);
  });

  it('does not let an event that was under way undo the answer to a later write', async () => {
    const clock = new VirtualClock();
    const cluster = scripted(clock, [listed('5', configMap('a', 3))], [[10, event('MODIFIED', configMap('a', 6)), 10]]);
    const { cache } = start(clock, cluster);
    await clock.settle();
    cache.put(configMap('a', 9, { value: 'mine' }));
    await clock.advance(10);
    expect(cache.get({ namespace: 'default', name: 'a' })?.data).toEqual({ value: 'mine' });
  });

  it('does not let the answer to a write come back that the cluster has gone past', async () => {
    const { clock, port } = offline();
    const { cache } = start(clock, port);
    await clock.settle();
    const answer = await port.create(CONFIG_MAPS, draft('a'));
    await remove(port, 'a');
    await clock.settle();
    cache.put(answer);
    await expectEqual(cache, port);
  });

  it('gets every event to every listener, also where one of them throws', async () => {
    const clock = new VirtualClock();
    const cache = new ObjectCache();
    const seen: string[] = [];
    cache.listen(() => {
      throw new Error('boom in a listener');
    });
    cache.listen((each) => seen.push(each.type));
    const cluster = scripted(
      clock,
      [listed('5')],
      [
        [event('ADDED', configMap('a', 6)), event('MODIFIED', configMap('a', 7))],
        [event('ADDED', configMap('a', 6)), event('MODIFIED', configMap('a', 7))],
      ],
    );
    start(clock, cluster, { cache });
    await clock.advance('1m');
    expect(seen).toEqual(['added', 'changed']);
  });

  it('ends up like the cluster, whatever happens to the cluster, its network and its history', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('write' as const, 'remove' as const), name }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 900, 5000, 61_000, 400_000) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'mend' as const, 'compact' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        const { clock, cluster, port } = offline();
        const side = new OfflineSide(cluster);
        const { cache, asked, stopping, done } = start(clock, port);
        const known = new Set<string>();
        let cut: Disposable | undefined;
        for (const each of steps) {
          if (each.kind === 'write' && known.has(each.name)) side.change(each.name);
          if (each.kind === 'write' && !known.has(each.name)) side.create(each.name);
          if (each.kind === 'write') known.add(each.name);
          if (each.kind === 'remove' && known.delete(each.name)) side.remove(each.name);
          if (each.kind === 'cut') cut ??= cluster.network.cut();
          if (each.kind === 'mend') {
            cut?.[Symbol.dispose]();
            cut = undefined;
          }
          if (each.kind === 'compact') cluster.compact();
          if (each.kind === 'wait') await clock.advance(each.ms);
        }
        cut?.[Symbol.dispose]();
        await clock.advance('31s');
        await expectEqual(cache, port);
        expect(asked.length).toBeLessThan(TOO_MANY);
        stopping.abort();
        await done;
        cluster.stop();
      }),
      { numRuns: 15 },
    );
  });
});
