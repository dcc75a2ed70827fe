import { type AnyObject, formatKey, keyOf } from 'clusterset/kube';
import { type CacheEvent, ObjectCache } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

function object(name: string, version: number | string, uid = `${name}-1`, namespace = 'shop'): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...(namespace === '' ? {} : { namespace }), name, uid, resourceVersion: String(version) },
  };
}

/** What happened, in short: `changed a@1 → a@2`. */
function told(cache: ObjectCache): string[] {
  const events: string[] = [];
  const short = ({ metadata }: AnyObject): string => `${metadata.name}@${metadata.resourceVersion}`;
  cache.listen((event) => {
    const parts = ['previous' in event ? short(event.previous) : '', 'object' in event ? short(event.object) : ''];
    events.push(`${event.type} ${parts.filter((part) => part !== '').join(' → ')}`);
  });
  return events;
}

describe('an object cache', () => {
  it('gives objects back by their key, with or without a namespace', () => {
    const cache = new ObjectCache();
    const inside = object('a', 1);
    const outside = object('a', 2, 'a-2', '');
    cache.put(inside);
    cache.put(outside);
    expect(cache.get({ namespace: 'shop', name: 'a' })).toBe(inside);
    expect(cache.get({ name: 'a' })).toBe(outside);
    expect(cache.get({ namespace: 'other', name: 'a' })).toBeUndefined();
    expect([...cache.values()]).toEqual([inside, outside]);
    expect(cache.size).toBe(2);
  });

  it('is synced once it was filled, also with nothing', () => {
    const cache = new ObjectCache();
    cache.put(object('a', 1));
    expect(cache.synced).toBe(false);
    cache.replace([]);
    expect(cache.synced).toBe(true);
    expect(cache.size).toBe(0);
  });

  it('is synced by the time it tells what it was filled with', () => {
    const cache = new ObjectCache();
    const seen: boolean[] = [];
    cache.listen(() => seen.push(cache.synced));
    cache.replace([object('a', 1)]);
    expect(seen).toEqual([true]);
  });

  it.each<[string, AnyObject, AnyObject, string[]]>([
    ['takes a newer version', object('a', 9), object('a', 10), ['changed a@9 → a@10']],
    ['does not take an older version', object('a', 10), object('a', 9), []],
    ['does not take the same version again', object('a', 10), object('a', 10), []],
    ['takes another object of the same name', object('a', 10), object('a', 11, 'a-2'), ['changed a@10 → a@11']],
    ['takes another object beside it', object('a', 10), object('b', 9), ['added b@9']],
  ])('%s', (_, first, second, events) => {
    const cache = new ObjectCache();
    cache.put(first);
    const all = told(cache);
    cache.put(second);
    expect(all).toEqual(events);
    expect(cache.get(keyOf(second))).toBe(events.length === 0 ? first : second);
  });

  it.each([
    ['was made anew', (cache: ObjectCache) => cache.put(object('a', 8, 'a-2')), 'a-2'],
    ['is gone', () => undefined, undefined],
  ])('does not bring back an object that %s when the answer to an earlier write comes late', (_, then, uid) => {
    const cache = new ObjectCache();
    cache.replace([object('a', 5)], '5');
    cache.remove(object('a', 7));
    then(cache);
    cache.advance('8');
    const events = told(cache);
    cache.put(object('a', 6));
    expect(cache.get({ namespace: 'shop', name: 'a' })?.metadata.uid).toBe(uid);
    expect(events).toEqual([]);
  });

  it.each<[string, (cache: ObjectCache) => void]>([
    ['a list', (cache) => cache.replace([], '8')],
    ['a watch', (cache) => cache.advance('8')],
  ])('takes the answer to a write that %s has not come to yet, and no other', (_, pass) => {
    const cache = new ObjectCache();
    pass(cache);
    const events = told(cache);
    cache.put(object('old', 7));
    cache.put(object('same', 8));
    cache.put(object('new', 9));
    expect(events).toEqual(['added new@9']);
  });

  it('begins again with the versions of a list that is older than what it has seen', () => {
    const cache = new ObjectCache();
    cache.replace([object('a', 900)], '900');
    cache.replace([object('a', 4)], '5');
    const events = told(cache);
    cache.put(object('a', 6));
    expect(events).toEqual(['changed a@4 → a@6']);
  });

  it('removes an object, also where it knows an older version of it', () => {
    const cache = new ObjectCache();
    cache.put(object('a', 10));
    const events = told(cache);
    cache.remove(object('a', 12));
    cache.remove(object('a', 12));
    expect(events).toEqual(['removed a@10']);
    expect(cache.size).toBe(0);
  });

  it('keeps an object when another of the same name is said to be gone', () => {
    const cache = new ObjectCache();
    const second = object('a', 12, 'a-2');
    cache.put(second);
    const events = told(cache);
    cache.remove(object('a', 11, 'a-1'));
    expect(events).toEqual([]);
    expect(cache.get({ namespace: 'shop', name: 'a' })).toBe(second);
  });

  it('takes a list for the truth: what is not in it is gone, what is in it is so, also where it is older', () => {
    const cache = new ObjectCache();
    for (const each of [object('gone', 5), object('same', 6), object('newer', 7), object('older', 80), object('other', 9)])
      cache.put(each);
    const events = told(cache);
    cache.replace([object('same', 6), object('newer', 17), object('older', 8), object('other', 9, 'other-2'), object('new', 18)]);
    expect(events).toEqual([
      'removed gone@5',
      'changed newer@7 → newer@17',
      'changed older@80 → older@8',
      'changed other@9 → other@9',
      'added new@18',
    ]);
    expect(cache.size).toBe(5);
  });

  it('has a change before it tells of it', () => {
    const cache = new ObjectCache();
    const seen: (string | undefined)[] = [];
    cache.listen(() => seen.push(cache.get({ namespace: 'shop', name: 'a' })?.metadata.resourceVersion));
    cache.put(object('a', 1));
    cache.put(object('a', 2));
    cache.remove(object('a', 3));
    cache.replace([object('a', 4)]);
    expect(seen).toEqual(['1', '2', undefined, '4']);
  });

  it('tells every listener until it has had enough', () => {
    const cache = new ObjectCache();
    const [first, second] = [vi.fn(), vi.fn()];
    const stop = cache.listen(first);
    cache.listen(second);
    cache.put(object('a', 1));
    stop();
    stop();
    cache.put(object('a', 2));
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(2);
  });

  it('can be written to by a listener', () => {
    const cache = new ObjectCache();
    const events = told(cache);
    cache.listen((event) => {
      if (event.type === 'added' && event.object.metadata.name === 'a') cache.put(object('b', 2));
    });
    cache.put(object('a', 1));
    expect(events).toEqual(['added a@1', 'added b@2']);
  });

  it('tells the others when a listener throws, and takes in the rest of a list', () => {
    const cache = new ObjectCache();
    cache.listen(() => {
      throw new Error('boom in a listener');
    });
    const events = told(cache);
    try {
      cache.replace([object('a', 1), object('b', 2)]);
    } catch {
      // Whether the caller hears of it is another question.
    }
    expect(events).toEqual(['added a@1', 'added b@2']);
  });

  it('ends with the newest version of everything, in whatever order versions come', () => {
    const versions = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(versions, (order) => {
        const cache = new ObjectCache();
        for (const version of order) cache.put(object('a', version));
        expect(cache.get({ namespace: 'shop', name: 'a' })?.metadata.resourceVersion).toBe(String(Math.max(...order)));
      }),
    );
  });

  it('tells enough to keep a copy, whatever happens to it', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const each = fc
      .tuple(name, fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 2 }))
      .map(([called, version, life]) => object(called, version, `${called}-${life}`));
    const list = fc.uniqueArray(each, { selector: ({ metadata }) => metadata.name });
    const step = fc.oneof(
      each.map((put) => (cache: ObjectCache) => cache.put(put)),
      each.map((put) => (cache: ObjectCache) => cache.put(put)),
      each.map((gone) => (cache: ObjectCache) => cache.remove(gone)),
      list.map((all) => (cache: ObjectCache) => {
        cache.replace(all);
        expect([...cache.values()].map(({ metadata }) => metadata.uid).toSorted()).toEqual(
          all.map(({ metadata }) => metadata.uid).toSorted(),
        );
      }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const cache = new ObjectCache();
        const copy = new Map<string, AnyObject>();
        cache.listen((event: CacheEvent) => {
          const known = copy.get(formatKey(keyOf('object' in event ? event.object : event.previous)));
          expect('previous' in event ? event.previous : undefined).toBe(known);
          if ('object' in event) copy.set(formatKey(keyOf(event.object)), event.object);
          else copy.delete(formatKey(keyOf(event.previous)));
        });
        for (const act of steps) act(cache);
        expect(new Set(cache.values())).toEqual(new Set(copy.values()));
        expect(cache.size).toBe(copy.size);
      }),
    );
  });
});
