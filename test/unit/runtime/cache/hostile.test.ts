import { getEventListeners } from 'node:events';
import type { AnyObject, ObjectList } from 'clusterset/kube';
import { ObjectCache, reflect, SharedCaches } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { versionOrder } from '../../../../src/runtime/cache/version.ts';
import { CONFIG_MAPS, configMap, failed, forever, handMade } from '../fixtures.ts';
import { added, bookmark, contents, endAll, event, listed, page, play } from './script.ts';

afterEach(endAll);

const oops = (): never => {
  throw new Error('oops');
};

describe('what is called back may throw', () => {
  it('and the reflector goes on: who is told of its state', async () => {
    const played = play([listed('5', configMap('a', 4)), { watch: [failed('Unreachable')] }, { watch: [added('b', 6)] }], {
      onState: oops,
    });
    await played.clock.advance('5s');
    expect(played.asked).toEqual(['0 list 0', '0 watch 5', '800 watch 5']);
    expect(contents(played.cache)).toEqual(['a@4', 'b@6']);
  });

  it('and the cache is whole: a listener, an index and a projection, and whoever is told of that', () => {
    const cache = new ObjectCache({ onError: oops, shape: oops, indexes: { odd: oops } });
    cache.listen(oops);
    cache.replace([configMap('a', 4)], '5');
    cache.put(configMap('b', 6));
    expect(cache.synced).toBe(true);
    expect(contents(cache)).toEqual(['a@4', 'b@6']);
    expect(cache.byNamespace('default')).toHaveLength(2);
  });

  it('and shared caches go on: a user, and whoever is told of that', async () => {
    const clock = new VirtualClock();
    const shared = new SharedCaches({ clock, onError: oops, reflector: { watchList: false } });
    const cluster = handMade({
      list: async () => ({ items: [configMap('a', 4)], resourceVersion: '5' }),
      // biome-ignore lint/correctness/useYield: nothing comes.
      watch: async function* ({ signal }) {
        await forever(signal as AbortSignal);
      },
    });
    const opened = shared.open(cluster, CONFIG_MAPS, {}, new AbortController().signal);
    opened.onState(oops);
    await clock.settle();
    expect(opened.state).toEqual({ synced: true });
    await shared.close();
  });
});

describe('an index', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'web'],
    ['an object', { length: 1 }],
  ])('that gives %s finds nothing, and everything is there all the same', (_, given) => {
    const errors: unknown[] = [];
    const cache = new ObjectCache({ onError: (error) => errors.push(error), indexes: { odd: () => given as string[] } });
    cache.replace([configMap('a', 4)], '5');
    cache.put(configMap('b', 6));
    cache.remove(configMap('a', 4));
    expect(contents(cache)).toEqual(['b@6']);
    expect(cache.byIndex('odd', 'web')).toEqual([]);
    expect(errors[0]).toBeInstanceOf(TypeError);
  });

  it.each(['__proto__', 'constructor', 'toString', ''])('finds what is called %j, and nothing where there is none', (name) => {
    const cache = new ObjectCache({ indexes: { name: (each) => [each.metadata.name, each.metadata.labels?.app ?? ''] } });
    expect(cache.byIndex('name', name)).toEqual([]);
    expect(cache.byNamespace(name)).toEqual([]);
    const { metadata, ...rest } = configMap(name, 4);
    const object = { ...rest, metadata: { ...metadata, namespace: name, labels: { app: name } } };
    cache.put(object);
    expect(cache.byIndex('name', name)).toEqual([object]);
    expect(cache.byNamespace(name)).toEqual([object]);
    cache.remove(object);
    expect(cache.byIndex('name', name)).toEqual([]);
  });
});

describe('objects', () => {
  const bare = (value: string): AnyObject => ({
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { namespace: 'default', name: 'web' },
    data: { value },
  });
  const valueIn = (cache: ObjectCache): unknown => (cache.get({ namespace: 'default', name: 'web' }) as { data?: unknown })?.data;

  it('without a version are as they were said to be last, in a list and in a watch', () => {
    const cache = new ObjectCache();
    cache.replace([bare('1')]);
    cache.replace([bare('2')]);
    expect(valueIn(cache)).toEqual({ value: '2' });
    cache.put(bare('3'));
    expect(valueIn(cache)).toEqual({ value: '3' });
  });

  it('deeper than any stack are frozen like others', () => {
    let deep: AnyObject = configMap('a', 1);
    for (let level = 0; level < 50_000; level += 1) deep = { ...configMap('a', 1), deep } as unknown as AnyObject;
    const errors: unknown[] = [];
    const cache = new ObjectCache({ freeze: true, onError: (error) => errors.push(error) });
    cache.put(deep);
    expect(Object.isFrozen((cache.get({ namespace: 'default', name: 'a' }) as unknown as { deep: object }).deep)).toBe(true);
  });

  it('without metadata end the watch that brought them, and everything is taken anew after a pause', async () => {
    const played = play([
      listed('5', configMap('a', 4)),
      { watch: [event('ADDED', {} as AnyObject)] },
      listed('6', configMap('b', 6)),
    ]);
    await played.clock.advance('2s');
    expect(played.asked.slice(0, 3)).toEqual(['0 list 0', '0 watch 5', '800 list 5 NotOlderThan']);
    expect(contents(played.cache)).toEqual(['b@6']);
  });
});

describe('versions', () => {
  it.each(['-5', '1e3', '0x10', ' 5 ', 'Infinity', '1_000', '٣', '5.5'])(
    'are decimal digits: %j can not be waited for',
    async (version) => {
      const cache = new ObjectCache();
      cache.replace([], '4');
      await expect(cache.waitForVersion(version)).rejects.toThrow(RangeError);
      expect(versionOrder(version, '4')).toBeNaN();
    },
  );

  it('that are digests can not go back', async () => {
    const digest = (version: string): AnyObject => {
      const { metadata, ...rest } = configMap('a', 1);
      return { ...rest, metadata: { ...metadata, resourceVersion: version } };
    };
    const played = play([listed('9e9', digest('9e9')), { watch: [event('MODIFIED', digest('1e1'))] }]);
    await played.clock.advance('1s');
    expect(contents(played.cache)).toEqual(['a@1e1']);
    expect(played.asked).toHaveLength(2);
  });
});

describe('a server that is broken or means harm', () => {
  it('and whose pages go round in circles is left, and asked again after a pause', async () => {
    const circle = [
      page('two', '9', configMap('a', 1)),
      page('three', '9', configMap('b', 2)),
      page('two', '9', configMap('c', 3)),
    ];
    const played = play([
      listed('x'),
      { watch: [failed('Expired')] },
      failed('Expired') && { list: failed('Expired') },
      ...circle,
      listed('9'),
    ]);
    await played.clock.advance('3s');
    expect(played.asked.slice(2)).toEqual([
      '0 list x NotOlderThan',
      '0 list newest by 500',
      '0 list behind two by 500',
      '0 list behind three by 500',
      '800 list newest by 500',
      '800 watch 9',
    ]);
  });

  it('and asks to be left alone for a year is asked again after five minutes', async () => {
    const year = 365 * 24 * 3_600_000;
    const played = play([{ list: failed('TooManyRequests', 'no', { retryAfterMs: year }) }, listed('5')]);
    await played.clock.advance('299s');
    expect(played.asked).toHaveLength(1);
    await played.clock.advance('2s');
    expect(played.cache.synced).toBe(true);
  });

  it('and whose bookmarks go back, or say nothing, is listed anew', async () => {
    const played = play([
      listed('5'),
      { watch: [bookmark('4')] },
      listed('4'),
      { watch: [bookmark(''), 2000, 'end'] },
      listed('6'),
    ]);
    await played.clock.advance('3s');
    expect(played.asked).toEqual(['0 list 0', '0 watch 5', '0 list newest by 500', '0 watch 4', '2000 list 0', '2000 watch 6']);
  });
});

describe('a long time', () => {
  const MANY = 2000;

  it('leaves nothing behind: neither listeners at signals nor timers, after many watches', async () => {
    const clock = new VirtualClock();
    const stopping = new AbortController();
    let watches = 0;
    const left: AbortSignal[] = [];
    const cluster = handMade({
      list: async (): Promise<ObjectList<AnyObject>> => ({ items: [], resourceVersion: '5' }),
      watch: async function* ({ signal }) {
        watches += 1;
        if (left.length < 10) left.push(signal as AbortSignal);
        if (watches > MANY) await forever(signal as AbortSignal);
        yield bookmark(String(watches + 5));
        if (watches % 3 === 0) throw failed('Unreachable');
      },
    });
    const cache = new ObjectCache();
    const done = reflect({ cluster, type: CONFIG_MAPS, cache, clock, random: () => 0, signal: stopping.signal });
    while (watches <= MANY) await clock.advance('10m');
    expect(getEventListeners(stopping.signal, 'abort').length).toBeLessThanOrEqual(2);
    for (const signal of left) expect(getEventListeners(signal, 'abort')).toEqual([]);
    stopping.abort();
    await done;
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });
});

describe('a shared cache', () => {
  it('that is opened in the moment in which it ends is another one, and fills', async () => {
    const clock = new VirtualClock();
    const shared = new SharedCaches({ clock, lingerMs: 10, reflector: { watchList: false } });
    const cluster = handMade({
      list: async () => ({ items: [configMap('a', 4)], resourceVersion: '5' }),
      watch: async function* ({ signal }) {
        (signal as AbortSignal).addEventListener('abort', () => next());
        await forever(signal as AbortSignal);
      },
    });
    let reopened: ObjectCache | undefined;
    const next = (): void => {
      reopened ??= shared.open(cluster, CONFIG_MAPS, {}, new AbortController().signal).cache;
    };
    const first = new AbortController();
    shared.open(cluster, CONFIG_MAPS, {}, first.signal);
    await clock.settle();
    first.abort();
    await clock.advance(20);
    expect(reopened?.synced).toBe(true);
    expect(shared.size).toBe(1);
    reopened = new ObjectCache();
    await shared.close();
  });
});
