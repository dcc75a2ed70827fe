import { Gate, ObjectCache, WatchListRefusals } from 'clusterset/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { configMap, failed } from '../fixtures.ts';
import { type Answer, added, bookmark, contents, endAll, event, listed, play, reasonsOf } from './script.ts';

afterEach(endAll);

const END = (version: string) => bookmark(version, true);
const tooLarge = () => failed('Timeout', 'Timeout: Too large resource version: 900, current: 5', { retryAfterMs: 1000 });

describe('a list that is streamed', () => {
  it('is seen in one go at its end, and its stream is the watch', async () => {
    const watch = [added('b', 2), added('a', 4), 100, END('9'), 100, event('MODIFIED', configMap('b', 10))];
    const played = play([{ watch }], { watchList: true });
    const sizes: number[] = [];
    played.cache.listen(() => sizes.push(played.cache.size));
    await played.clock.advance(99);
    expect([played.cache.size, played.cache.synced]).toEqual([0, false]);
    await played.clock.advance(1);
    expect(sizes).toEqual([2, 2]);
    expect(played.cache.freshness()).toEqual({ version: '9', ageMs: 0, synced: true });
    await played.clock.advance(100);
    expect(contents(played.cache)).toEqual(['a@4', 'b@10']);
    expect(played.asked).toEqual(['0 stream newest NotOlderThan']);
    expect(reasonsOf(played.facts, 'listed')).toEqual(['first']);
  });

  it('takes in what happens before its end', async () => {
    const early = [added('a', 1), added('b', 2), event('MODIFIED', configMap('a', 3)), event('DELETED', configMap('b', 4))];
    const played = play([{ watch: [...early, END('4')] }], { watchList: true });
    await played.clock.settle();
    expect(contents(played.cache)).toEqual(['a@3']);
  });

  it.each<[string, readonly Answer[], readonly string[]]>([
    [
      'is asked for again after a pause where there are too many',
      [{ watch: [failed('TooManyRequests', 'no', { retryAfterMs: 3000 })] }, { watch: [END('5')] }],
      ['0 stream newest NotOlderThan', '3000 stream newest NotOlderThan'],
    ],
    [
      'is asked for again after a pause where nothing answers',
      [{ watch: [failed('Unreachable')] }, { watch: [failed('Unreachable')] }, { watch: [END('5')] }],
      ['0 stream newest NotOlderThan', '800 stream newest NotOlderThan', '2400 stream newest NotOlderThan'],
    ],
    [
      'is asked for again after a pause where the type is not served: a list would be told so, too',
      [{ watch: [failed('NotServed')] }, { watch: [failed('NotServed')] }, { watch: [END('5')] }],
      ['0 stream newest NotOlderThan', '250 stream newest NotOlderThan', '750 stream newest NotOlderThan'],
    ],
    [
      'gives way to a list where the server has failed',
      [{ watch: [failed('InternalError')] }, listed('5')],
      ['0 stream newest NotOlderThan', '0 list 0', '0 watch 5'],
    ],
    [
      'gives way to a list where the connection breaks in the middle',
      [{ watch: [added('a', 1), failed('Unreachable')] }, listed('5')],
      ['0 stream newest NotOlderThan', '0 list 0', '0 watch 5'],
    ],
    [
      'gives way to a list where it ends in the middle',
      [{ watch: [added('a', 1), 'end'] }, listed('5')],
      ['0 stream newest NotOlderThan', '0 list 0', '0 watch 5'],
    ],
    [
      'gives way to a list where nothing comes for a minute, and waits longer where something does',
      [{ watch: [50_000, added('a', 1)], isDeaf: true }, listed('5')],
      ['0 stream newest NotOlderThan', '110000 list 0', '110000 watch 5'],
    ],
    [
      'is asked for not older than what was seen where the history is gone',
      [{ watch: [END('5'), added('a', 7), failed('Expired')] }, { watch: [END('9')] }],
      ['0 stream newest NotOlderThan', '0 stream 7 NotOlderThan'],
    ],
    [
      'is the newest at once where its version is too large',
      [{ watch: [END('900'), failed('Expired')] }, { watch: [tooLarge()] }, { watch: [END('5')] }],
      ['0 stream newest NotOlderThan', '0 stream 900 NotOlderThan', '0 stream newest NotOlderThan'],
    ],
    [
      'is the newest at once where it ends at a version from before: its stream would leave out what is older than was asked for',
      [{ watch: [END('900'), failed('Expired')] }, { watch: [added('a', 3), END('5')] }, { watch: [END('5')] }],
      ['0 stream newest NotOlderThan', '0 stream 900 NotOlderThan', '0 stream newest NotOlderThan'],
    ],
    [
      'goes on as a watch at its last version after a break',
      [{ watch: [END('5'), added('a', 7), failed('Unreachable')] }],
      ['0 stream newest NotOlderThan', '800 watch 7'],
    ],
  ])('%s', async (_, answers, asked) => {
    const played = play(answers, { watchList: true });
    await played.clock.advance('2m');
    expect(played.asked).toEqual(asked);
    expect(played.cache.synced).toBe(true);
  });

  it('leaves nothing behind of a stream that broke', async () => {
    const played = play([{ watch: [added('ghost', 1), 'end'] }, listed('5', configMap('a', 3))], { watchList: true });
    await played.clock.settle();
    expect(contents(played.cache)).toEqual(['a@3']);
    expect(reasonsOf(played.facts, 'listed')).toEqual(['fallback']);
  });

  it.each<[string, Answer, readonly string[]]>([
    ['refuses it', { watch: [failed('Invalid', 'sendInitialEvents is forbidden')] }, ['list', 'watch', 'list', 'watch']],
    ['does not know it', { watch: [added('a', 1), bookmark('5')] }, ['list', 'watch', 'list', 'watch']],
    ['can not do it just now', { watch: [failed('InternalError')] }, ['list', 'watch', 'stream']],
  ])('is not asked for again from a server that %s, and else it is', async (_, first, verbs) => {
    const expired: Answer = { watch: [added('a', 6), failed('Expired')] };
    const played = play([first, listed('5'), expired, listed('7')], { watchList: true });
    await played.clock.settle();
    expect(played.asked.map((line) => line.split(' ')[1]).slice(0, verbs.length + 1)).toEqual(['stream', ...verbs]);
  });

  it('is not asked for by another reflector of the connection either, and is for another type', async () => {
    const refusals = new WatchListRefusals();
    const first = play([{ watch: [failed('BadRequest')] }, listed('5')], { watchList: true, refusals });
    await first.clock.settle();
    const { CONFIG_MAPS, typeOf, handMade } = await import('../fixtures.ts');
    const cluster = handMade({});
    refusals.add(cluster, CONFIG_MAPS);
    expect(refusals.has(cluster, CONFIG_MAPS)).toBe(true);
    expect(refusals.has(cluster, typeOf('', 'Secret'))).toBe(false);
    expect(refusals.has(handMade({}), CONFIG_MAPS)).toBe(false);
    const verbs: string[] = [];
    const counted = handMade({
      list: async () => {
        verbs.push('list');
        return { items: [], resourceVersion: '5' };
      },
      watch({ sendInitialEvents, signal }) {
        verbs.push(sendInitialEvents ? 'stream' : 'watch');
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<never>((__, reject) => signal?.addEventListener('abort', reject)),
          }),
        };
      },
    });
    refusals.add(counted, CONFIG_MAPS);
    const second = play([], { cluster: counted, watchList: true, refusals });
    await second.clock.settle();
    expect(verbs).toEqual(['list', 'watch']);
  });

  it('waits for its place when the server has begun to answer, and not before', async () => {
    const cache = new ObjectCache();
    const played = play([{ watch: [1000, added('a', 1), END('5')] }], { watchList: true, cache });
    played.stopping.abort();
    await played.done;
    const { clock } = played;
    const gate = new Gate({ clock, places: 1, patienceMs: 10_000 });
    const { scripted } = await import('./script.ts');
    const asked: string[] = [];
    const slow = play([], {
      watchList: true,
      clock,
      gate,
      cluster: scripted(clock, [{ watch: [5000, added('a', 1), END('5')] }], asked),
    });
    await clock.advance(1000);
    // The first of the two has said nothing yet, so the place is free.
    const leave = await gate.enter('other', new AbortController().signal);
    await clock.advance(4500);
    expect(slow.cache.synced).toBe(false);
    leave();
    await clock.settle();
    expect(slow.cache.synced).toBe(true);
    await expect(gate.enter('third', new AbortController().signal)).resolves.toBeTypeOf('function');
  });
});
