import type { AnyObject } from 'clusterset/kube';
import { type CacheShape, ObjectCache } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { configMap } from '../fixtures.ts';

const key = (name: string) => ({ namespace: 'default', name });

function rich(version: number): AnyObject {
  const { metadata, ...rest } = configMap('a', version);
  return {
    ...rest,
    metadata: {
      ...metadata,
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web' },
      annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{"long":true}' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'o-1' }],
      finalizers: ['example.com/hold'],
      deletionTimestamp: '2026-01-02T00:00:00Z',
      managedFields: [{ manager: 'test', operation: 'Update', apiVersion: 'v1' }],
    },
    spec: { replicas: 2 },
  } as AnyObject;
}

describe('the shape of a cache', () => {
  const identity = { name: 'a', namespace: 'default', uid: 'a-1', resourceVersion: '5' };
  const { managedFields: _, ...unmanaged } = rich(5).metadata;

  it.each<[string, CacheShape, unknown]>([
    ['full keeps everything', 'full', rich(5)],
    ['stripped keeps all but managedFields', 'stripped', { ...rich(5), metadata: unmanaged }],
    [
      'metadata keeps what finds and relates objects',
      'metadata',
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          ...identity,
          generation: 3,
          labels: { app: 'web' },
          annotations: { note: 'x' },
          ownerReferences: rich(5).metadata.ownerReferences,
          finalizers: ['example.com/hold'],
          deletionTimestamp: '2026-01-02T00:00:00Z',
        },
      },
    ],
    [
      'a projection keeps what it returns, and what the object is',
      ({ apiVersion, kind, spec }) => ({ apiVersion, kind, metadata: { name: 'other', labels: {} }, spec }),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...identity, labels: {} }, spec: { replicas: 2 } },
    ],
    [
      'a projection that drops the metadata keeps what the object is',
      ({ apiVersion, kind }) => ({ apiVersion, kind }) as AnyObject,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: identity },
    ],
  ])('%s', (_name, shape, expected) => {
    const before = structuredClone(rich(5));
    const object = rich(5);
    for (const fill of [(cache: ObjectCache) => cache.put(object), (cache: ObjectCache) => cache.replace([object])]) {
      const cache = new ObjectCache({ shape });
      const told: unknown[] = [];
      cache.listen((event) => told.push('object' in event ? event.object : undefined));
      fill(cache);
      expect(cache.get(key('a'))).toEqual(expected);
      expect(told).toEqual([expected]);
    }
    expect(object).toEqual(before);
  });

  it('of metadata has no empty annotations where there was only what kubectl keeps', () => {
    const { metadata, ...rest } = rich(5);
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const cache = new ObjectCache({ shape: 'metadata' });
    cache.put({ ...rest, metadata: { ...metadata, annotations } } as AnyObject);
    expect(cache.get(key('a'))?.metadata).not.toHaveProperty('annotations');
  });

  it('of a projection that throws is that of metadata, and somebody is told', () => {
    const errors: unknown[] = [];
    const cache = new ObjectCache({
      shape: () => {
        throw new Error('boom in a projection');
      },
      onError: (error) => errors.push(error),
    });
    cache.replace([rich(5)]);
    expect(cache.get(key('a'))).not.toHaveProperty('spec');
    expect(cache.get(key('a'))?.metadata.labels).toEqual({ app: 'web' });
    expect(errors).toEqual([expect.objectContaining({ message: 'boom in a projection' })]);
  });

  it('is not made again for an object that has not changed', () => {
    let times = 0;
    const cache = new ObjectCache({
      shape: (object) => {
        times += 1;
        return object;
      },
    });
    cache.replace([rich(5)]);
    const kept = cache.get(key('a'));
    cache.replace([rich(5)]);
    expect(times).toBe(1);
    expect(cache.get(key('a'))).toBe(kept);
  });

  it('is frozen to the last field where that is asked for, and else it is not', () => {
    const frozen = new ObjectCache({ freeze: true });
    const loose = new ObjectCache();
    for (const cache of [frozen, loose]) cache.put(rich(5));
    const rename = (cache: ObjectCache) => () => {
      (cache.get(key('a'))?.metadata.labels as Record<string, string>).app = 'db';
    };
    expect(rename(frozen)).toThrow(TypeError);
    expect(rename(loose)).not.toThrow();
  });
});

describe('an index of a cache', () => {
  const byValue = ({ data }: AnyObject): readonly string[] => String((data as { value?: string }).value).split(',');
  const found = (cache: ObjectCache, value: string): string[] =>
    cache.byIndex('value', value).map(({ metadata }) => metadata.name);

  it('finds objects by each of their values, as they come, change and go', () => {
    const cache = new ObjectCache({ indexes: { value: byValue } });
    cache.replace([configMap('a', 1, { value: 'x,y' }), configMap('b', 2, { value: 'y' })]);
    expect([found(cache, 'x'), found(cache, 'y'), found(cache, 'z')]).toEqual([['a'], ['a', 'b'], []]);
    cache.put(configMap('a', 3, { value: 'z' }));
    expect([found(cache, 'x'), found(cache, 'y'), found(cache, 'z')]).toEqual([[], ['b'], ['a']]);
    cache.remove(configMap('b', 4));
    expect(found(cache, 'y')).toEqual([]);
    cache.replace([configMap('c', 9, { value: 'z' })]);
    expect(found(cache, 'z')).toEqual(['c']);
  });

  it('is right before anybody is told of a change', () => {
    const cache = new ObjectCache({ indexes: { value: byValue } });
    const seen: string[][] = [];
    cache.listen(() =>
      seen.push([...found(cache, 'x'), '|', ...cache.byNamespace('default').map(({ metadata }) => metadata.name)]),
    );
    cache.replace([configMap('a', 1, { value: 'x' }), configMap('b', 2, { value: 'x' })]);
    cache.remove(configMap('a', 3));
    expect(seen).toEqual([
      ['a', 'b', '|', 'a', 'b'],
      ['a', 'b', '|', 'a', 'b'],
      ['b', '|', 'b'],
    ]);
  });

  it('is made of what is there where it comes late, and can be dropped', () => {
    const cache = new ObjectCache();
    cache.put(configMap('a', 1, { value: 'x' }));
    expect(() => found(cache, 'x')).toThrow(RangeError);
    cache.addIndex('value', byValue);
    cache.addIndex('value', byValue);
    expect(found(cache, 'x')).toEqual(['a']);
    expect(() => cache.addIndex('value', () => [])).toThrow('another name');
    cache.removeIndex('value');
    expect(() => found(cache, 'x')).toThrow(RangeError);
  });

  it('leaves out an object that it can not read, which is there all the same', () => {
    const errors: unknown[] = [];
    const unreadable = (object: AnyObject): readonly string[] => {
      if (object.metadata.name === 'b') throw new Error('boom in an index');
      return ['x'];
    };
    const cache = new ObjectCache({ indexes: { value: unreadable }, onError: (error) => errors.push(error) });
    cache.put(configMap('a', 1));
    cache.put(configMap('b', 2));
    cache.remove(configMap('b', 3));
    expect(found(cache, 'x')).toEqual(['a']);
    expect(cache.size).toBe(1);
    expect(errors).toHaveLength(2);
  });

  it('by namespace is always there, also for objects that are in none', () => {
    const cache = new ObjectCache();
    const { metadata, ...rest } = configMap('cluster-wide', 1);
    const { namespace: _, ...none } = metadata;
    cache.put({ ...rest, metadata: none } as AnyObject);
    cache.put(configMap('a', 2));
    const names = (namespace: string) => cache.byNamespace(namespace).map((object) => object.metadata.name);
    expect([names('default'), names(''), names('other')]).toEqual([['a'], ['cluster-wide'], []]);
    cache.put(configMap('b', 3));
    cache.remove(configMap('a', 4));
    expect(names('default')).toEqual(['b']);
  });
});

describe('how fresh a cache is', () => {
  it('is told by its version, and by the time since its last sign of life', async () => {
    const clock = new VirtualClock();
    const cache = new ObjectCache({ clock });
    expect(cache.freshness()).toEqual({ version: '', ageMs: Number.POSITIVE_INFINITY, synced: false });
    cache.put(configMap('own-write', 3));
    expect(cache.freshness().ageMs).toBe(Number.POSITIVE_INFINITY);
    cache.replace([], '5');
    await clock.advance(400);
    expect(cache.freshness()).toEqual({ version: '5', ageMs: 400, synced: true });
    cache.advance('6');
    expect(cache.freshness()).toEqual({ version: '6', ageMs: 0, synced: true });
  });

  it('has no age without a clock', () => {
    const cache = new ObjectCache();
    cache.replace([], '5');
    expect(cache.freshness()).toEqual({ version: '5', ageMs: Number.POSITIVE_INFINITY, synced: true });
  });
});
