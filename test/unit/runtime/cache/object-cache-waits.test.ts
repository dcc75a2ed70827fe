import { type CacheEvent, ObjectCache } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { configMap } from '../fixtures.ts';

/** `pending`, `resolved`, or the message that it was rejected with. */
async function outcomeOf(promise: Promise<void>): Promise<string> {
  let outcome = 'pending';
  promise.then(
    () => {
      outcome = 'resolved';
    },
    (error: unknown) => {
      outcome = (error as { code?: string; message: string }).code ?? (error as Error).message;
    },
  );
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return outcome;
}

describe('waiting for a version', () => {
  it.each<[string, (cache: ObjectCache) => void, string]>([
    ['an event or a bookmark of this version', (cache) => cache.advance('10'), 'resolved'],
    ['an event or a bookmark of a later version', (cache) => cache.advance('100'), 'resolved'],
    ['an event or a bookmark of an earlier version', (cache) => cache.advance('9'), 'pending'],
    ['a list of a later version', (cache) => cache.replace([], '11'), 'resolved'],
    ['a list of an earlier version', (cache) => cache.replace([], '9'), 'pending'],
    ['an own write: what was before it may still be under way', (cache) => cache.put(configMap('a', 10)), 'pending'],
    ['a list of a version from before: the cluster was restored', (cache) => cache.replace([], '4'), 'Expired'],
    ['a list without a version: the type is not served any more', (cache) => cache.replace([]), 'Expired'],
    ['versions that go back in a watch', (cache) => cache.advance('4'), 'Expired'],
  ])('ends with %s, or not', async (_, act, outcome) => {
    const cache = new ObjectCache();
    cache.replace([], '5');
    const waiting = cache.waitForVersion('10');
    act(cache);
    expect(await outcomeOf(waiting)).toBe(outcome);
  });

  it('is over at once where the version has been seen, and waits before the first fill', async () => {
    const cache = new ObjectCache();
    const early = cache.waitForVersion('5');
    expect(await outcomeOf(early)).toBe('pending');
    cache.replace([], '5');
    expect(await outcomeOf(early)).toBe('resolved');
    expect(await outcomeOf(cache.waitForVersion('5'))).toBe('resolved');
  });

  it('ends with the reason of the signal', async () => {
    const cache = new ObjectCache();
    const stopping = new AbortController();
    const waiting = cache.waitForVersion('10', { signal: stopping.signal });
    stopping.abort(new Error('enough'));
    expect(await outcomeOf(waiting)).toBe('enough');
    expect(await outcomeOf(cache.waitForVersion('10', { signal: stopping.signal }))).toBe('enough');
  });

  it('wakes each when its own version is there', async () => {
    const cache = new ObjectCache();
    cache.replace([], '1');
    const woken: string[] = [];
    for (const version of ['9', '30', '10', '200']) void cache.waitForVersion(version).then(() => woken.push(version));
    for (const version of ['8', '9', '11', '100', '300']) {
      cache.advance(version);
      await outcomeOf(Promise.resolve());
      woken.push(`at ${version}`);
    }
    expect(woken).toEqual(['at 8', '9', 'at 9', '10', 'at 11', '30', 'at 100', '200', 'at 300']);
  });

  it('after a restore begins with the versions of the restored cluster', async () => {
    const cache = new ObjectCache();
    cache.replace([], '900');
    cache.replace([], '5');
    const waiting = cache.waitForVersion('7');
    expect(await outcomeOf(waiting)).toBe('pending');
    cache.advance('7');
    expect(await outcomeOf(waiting)).toBe('resolved');
  });

  it('finds the written object there when it is over', async () => {
    const cache = new ObjectCache();
    cache.replace([], '5');
    const seen = cache.waitForVersion('6').then(() => cache.get({ namespace: 'default', name: 'a' })?.metadata.resourceVersion);
    cache.put(configMap('a', 6));
    cache.advance('6');
    await expect(seen).resolves.toBe('6');
  });

  it.each(['', 'abc'])('is refused for %j, which is no version that can be compared', async (version) => {
    await expect(new ObjectCache().waitForVersion(version)).rejects.toThrow(RangeError);
  });

  it('compares versions that are longer than numbers are exact', async () => {
    const cache = new ObjectCache();
    cache.replace([], '18446744073709551614');
    expect(await outcomeOf(cache.waitForVersion('18446744073709551615'))).toBe('pending');
    expect(await outcomeOf(cache.waitForVersion('18446744073709551614'))).toBe('resolved');
    expect(await outcomeOf(cache.waitForVersion('9999999999999999999'))).toBe('resolved');
  });
});

describe('waiting for the first fill', () => {
  it('ends with it, or with the reason of the signal', async () => {
    const cache = new ObjectCache();
    const stopping = new AbortController();
    const [first, second] = [cache.whenSynced(), cache.whenSynced(stopping.signal)];
    cache.put(configMap('a', 1));
    stopping.abort(new Error('enough'));
    expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['pending', 'enough']);
    cache.replace([]);
    expect([await outcomeOf(first), await outcomeOf(cache.whenSynced())]).toEqual(['resolved', 'resolved']);
  });
});

describe('listening', () => {
  const short = (event: CacheEvent): string => {
    const object = event.type === 'removed' ? event.previous : event.object;
    const initial = event.type === 'added' && event.isInitial ? ' initial' : '';
    return `${event.type} ${object.metadata.name}@${object.metadata.resourceVersion}${initial}`;
  };

  it('marks what the first fill adds, and nothing later', () => {
    const cache = new ObjectCache();
    const told: string[] = [];
    cache.put(configMap('own', 1));
    cache.listen((event) => told.push(short(event)));
    cache.replace([configMap('own', 2), configMap('a', 3)]);
    cache.put(configMap('b', 4));
    cache.replace([configMap('c', 5)]);
    expect(told).toEqual([
      'changed own@2',
      'added a@3 initial',
      'added b@4',
      'removed own@2',
      'removed a@3',
      'removed b@4',
      'added c@5',
    ]);
  });

  it('late begins with everything that is there where that is asked for', () => {
    const cache = new ObjectCache();
    cache.replace([configMap('a', 1), configMap('b', 2)]);
    const [replayed, plain]: [string[], string[]] = [[], []];
    cache.listen((event) => replayed.push(short(event)), { replay: true });
    cache.listen((event) => plain.push(short(event)));
    cache.remove(configMap('a', 3));
    expect(replayed).toEqual(['added a@1 initial', 'added b@2 initial', 'removed a@1']);
    expect(plain).toEqual(['removed a@1']);
  });

  it('ends with its signal', () => {
    const cache = new ObjectCache();
    const stopping = new AbortController();
    const told: string[] = [];
    cache.listen((event) => told.push(short(event)), { signal: stopping.signal });
    cache.put(configMap('a', 1));
    stopping.abort();
    cache.listen((event) => told.push(short(event)), { signal: stopping.signal, replay: true });
    cache.put(configMap('b', 2));
    expect(told).toEqual(['added a@1']);
  });

  it('gets everything in order, also what listeners set off, and whoever comes in between has no gap and no repetition', () => {
    const cache = new ObjectCache();
    const [first, last, late]: [string[], string[], string[]] = [[], [], []];
    cache.listen((event) => {
      first.push(short(event));
      if (event.type === 'added' && event.object.metadata.name === 'a') {
        cache.put(configMap('a', 2));
        cache.listen((each) => late.push(short(each)), { replay: true });
        cache.put(configMap('b', 3));
      }
    });
    cache.listen((event) => last.push(short(event)));
    cache.put(configMap('a', 1));
    expect(first).toEqual(['added a@1', 'changed a@2', 'added b@3']);
    expect(last).toEqual(first);
    expect(late).toEqual(['added a@2 initial', 'added b@3']);
  });

  it('gets what its own replay sets off after the replay', () => {
    const cache = new ObjectCache();
    cache.replace([configMap('a', 1), configMap('b', 2)]);
    const told: string[] = [];
    cache.listen(
      (event) => {
        told.push(short(event));
        if (short(event) === 'added a@1 initial') cache.put(configMap('b', 3));
      },
      { replay: true },
    );
    expect(told).toEqual(['added a@1 initial', 'added b@2 initial', 'changed b@3']);
  });

  it('sees a list as a whole: everything is there before the first word of it', () => {
    const cache = new ObjectCache();
    cache.replace([configMap('a', 1)]);
    const sizes: number[] = [];
    cache.listen(() => sizes.push(cache.size));
    cache.replace([configMap('b', 2), configMap('c', 3), configMap('d', 4)]);
    expect(sizes).toEqual([3, 3, 3, 3]);
  });

  it('says of an object that was made anew behind its back that it has changed, with another uid', () => {
    const cache = new ObjectCache();
    cache.replace([configMap('a', 1)]);
    const events: CacheEvent[] = [];
    cache.listen((event) => events.push(event));
    cache.replace([configMap('a', 9, { uid: 'a-2' })]);
    expect(events).toEqual([{ type: 'changed', previous: configMap('a', 1), object: configMap('a', 9, { uid: 'a-2' }) }]);
  });
});
