import { afterEach, describe, expect, it } from 'vitest';
import { configMap, failed } from '../fixtures.ts';
import { type Answer, added, bookmark, contents, endAll, event, listed, page, play, reasonsOf } from './script.ts';

afterEach(endAll);

const a = (version: number) => configMap('a', version);
const tooLarge = () => failed('Timeout', 'Timeout: Too large resource version: 900, current: 5', { retryAfterMs: 1000 });
const SECOND = 1000;

describe('what a reflector asks for when a watch has ended', () => {
  it.each<[string, readonly Answer[], readonly string[], readonly string[], readonly string[]]>([
    [
      'at its time: it watches on at once, at the last version',
      [listed('5'), { watch: [added('a', 7), 140 * SECOND, 'end'] }],
      ['0 list 0', '0 watch 5', '140000 watch 7'],
      ['time'],
      ['first'],
    ],
    [
      'at its time after bookmarks: at the version of the last of them',
      [listed('5'), { watch: [60 * SECOND, bookmark('70'), 60 * SECOND, bookmark('80'), 'end'] }],
      ['0 list 0', '0 watch 5', '120000 watch 80'],
      ['time'],
      ['first'],
    ],
    [
      'within a second with nothing: after a pause, at the same version',
      [listed('5'), { watch: [999, 'end'] }],
      ['0 list 0', '0 watch 5', '1799 watch 5'],
      ['short'],
      ['first'],
    ],
    [
      'within a second with nothing, and again: it takes everything anew',
      [listed('5'), { watch: ['end'] }, { watch: ['end'] }, listed('5')],
      ['0 list 0', '0 watch 5', '800 watch 5', '2400 list 5 NotOlderThan', '2400 watch 5'],
      ['short', 'short'],
      ['first', 'broken'],
    ],
    [
      'after a second with nothing: at once',
      [listed('5'), { watch: [1000, 'end'] }],
      ['0 list 0', '0 watch 5', '1000 watch 5'],
      ['time'],
      ['first'],
    ],
    [
      'within a second with something: at once',
      [listed('5'), { watch: [added('a', 7), 'end'] }],
      ['0 list 0', '0 watch 5', '0 watch 7'],
      ['time'],
      ['first'],
    ],
    [
      'because its connection was refused: after a pause, at the same version',
      [listed('5'), { watch: [failed('Unreachable')] }, { watch: [failed('Unreachable')] }],
      ['0 list 0', '0 watch 5', '800 watch 5', '2400 watch 5'],
      ['failed', 'failed'],
      ['first'],
    ],
    [
      'because there were too many: when the server wants it, at the same version',
      [listed('5'), { watch: [failed('TooManyRequests', 'slow down', { retryAfterMs: 7000 })] }],
      ['0 list 0', '0 watch 5', '7000 watch 5'],
      ['failed'],
      ['first'],
    ],
    [
      'because there were too many, in the stream: at the last version',
      [listed('5'), { watch: [added('a', 7), failed('TooManyRequests')] }],
      ['0 list 0', '0 watch 5', '800 watch 7'],
      ['failed'],
      ['first'],
    ],
    [
      'because its version is too old: it lists at once, not older than that',
      [listed('5'), { watch: [added('a', 7), failed('Expired')] }, listed('9')],
      ['0 list 0', '0 watch 5', '0 list 7 NotOlderThan', '0 watch 9'],
      ['expired'],
      ['first', 'expired'],
    ],
    [
      'because its version is too old, and so is the list: it lists the newest, in pages',
      [listed('5'), { watch: [failed('Expired')] }, { list: failed('Expired') }, listed('9')],
      ['0 list 0', '0 watch 5', '0 list 5 NotOlderThan', '0 list newest by 500', '0 watch 9'],
      ['expired'],
      ['first', 'expired'],
    ],
    [
      'because its version is too old, and the list wants one that the server has not: it lists the newest',
      [listed('5'), { watch: [failed('Expired')] }, { list: tooLarge() }, listed('4')],
      ['0 list 0', '0 watch 5', '0 list 5 NotOlderThan', '0 list newest by 500', '0 watch 4'],
      ['expired'],
      ['first', 'restored'],
    ],
    [
      'because its version is too old, time after time: with pauses from the third time on',
      [listed('5'), ...[1, 2, 3, 4].flatMap((): Answer[] => [{ watch: [failed('Expired')] }, listed('5')])],
      [
        '0 list 0',
        '0 watch 5',
        '0 list 5 NotOlderThan',
        '0 watch 5',
        '0 list newest by 500',
        '0 watch 5',
        '800 list newest by 500',
        '800 watch 5',
        '2400 list newest by 500',
        '2400 watch 5',
      ],
      ['expired', 'expired', 'expired', 'expired'],
      ['first', 'expired', 'expired', 'expired', 'expired'],
    ],
    [
      'because its version is too old, after a watch that was of use: each time as if it were the first',
      [
        listed('5'),
        ...[7, 9, 11].flatMap((version): Answer[] => [
          { watch: [added('a', version), 1000, failed('Expired')] },
          listed(String(version + 1)),
        ]),
      ],
      [
        '0 list 0',
        '0 watch 5',
        '1000 list 7 NotOlderThan',
        '1000 watch 8',
        '2000 list 9 NotOlderThan',
        '2000 watch 10',
        '3000 list 11 NotOlderThan',
        '3000 watch 12',
      ],
      ['expired', 'expired', 'expired'],
      ['first', 'expired', 'expired', 'expired'],
    ],
    [
      'because its version is too old, each time after one event: it does not list without a pause',
      [
        listed('5'),
        ...[7, 9, 11, 13].flatMap((version): Answer[] => [
          { watch: [added('a', version), failed('Expired')] },
          listed(String(version + 1)),
        ]),
      ],
      [
        '0 list 0',
        '0 watch 5',
        '0 list 7 NotOlderThan',
        '0 watch 8',
        '0 list newest by 500',
        '0 watch 10',
        '800 list newest by 500',
        '800 watch 12',
        '2400 list newest by 500',
        '2400 watch 14',
      ],
      ['expired', 'expired', 'expired', 'expired'],
      ['first', 'expired', 'expired', 'expired', 'expired'],
    ],
    [
      'after its first event, again and again: it watches on once in a second',
      [listed('5'), ...[6, 7, 8, 9, 10].map((version): Answer => ({ watch: [added('a', version), 'end'] }))],
      ['0 list 0', '0 watch 5', '0 watch 6', '0 watch 7', '1000 watch 8', '2000 watch 9', '3000 watch 10'],
      ['time', 'time', 'time', 'time', 'time'],
      ['first'],
    ],
    [
      'because the server is younger than its version: it lists the newest at once',
      [listed('900'), { watch: [tooLarge()] }, listed('5')],
      ['0 list 0', '0 watch 900', '0 list newest by 500', '0 watch 5'],
      ['expired'],
      ['first', 'restored'],
    ],
    [
      'because a bookmark goes back: it lists the newest at once',
      [listed('900'), { watch: [bookmark('5')] }, listed('5')],
      ['0 list 0', '0 watch 900', '0 list newest by 500', '0 watch 5'],
      ['expired'],
      ['first', 'restored'],
    ],
    [
      'because an event goes back: it lists the newest at once',
      [listed('900', a(800)), { watch: [event('DELETED', a(6))] }, listed('5', a(4))],
      ['0 list 0', '0 watch 900', '0 list newest by 500', '0 watch 5'],
      ['expired'],
      ['first', 'restored'],
    ],
    [
      'because the server has failed within: it lists after a pause',
      [listed('5'), { watch: [added('a', 7), failed('InternalError')] }, listed('9')],
      ['0 list 0', '0 watch 5', '800 list 7 NotOlderThan', '800 watch 9'],
      ['failed'],
      ['first', 'broken'],
    ],
    [
      'for a reason that nobody has thought of: it lists after a pause',
      [listed('5'), { watch: [new TypeError('a slip')] }, listed('9')],
      ['0 list 0', '0 watch 5', '800 list 5 NotOlderThan', '800 watch 9'],
      ['failed'],
      ['first', 'broken'],
    ],
  ])('%s', async (_, answers, asked, ends, lists) => {
    const played = play(answers);
    // Sooner than a watch is given up for its silence.
    await played.clock.advance(149 * SECOND);
    expect(played.asked).toEqual(asked);
    expect(reasonsOf(played.facts, 'watch-ended')).toEqual(ends);
    expect(reasonsOf(played.facts, 'listed')).toEqual(lists);
  });

  it('does not apply what comes after versions went back', async () => {
    const played = play([listed('900', a(800)), { watch: [event('DELETED', a(6)), added('lost', 7)] }, { list: 'hang' }]);
    await played.clock.settle();
    expect(contents(played.cache)).toEqual(['a@800']);
  });
});

describe('pages of a list', () => {
  const toNewest: readonly Answer[] = [listed('900'), { watch: [tooLarge()] }];

  it.each<[string, readonly Answer[], readonly string[], readonly string[]]>([
    [
      'are followed to the last, and the version is that of the first',
      [page('x', '5', configMap('a', 1)), page('y', '5', configMap('b', 2)), listed('5', configMap('c', 3))],
      ['0 list newest by 500', '0 list behind x by 500', '0 list behind y by 500', '0 watch 5'],
      ['a@1', 'b@2', 'c@3'],
    ],
    [
      'give way to one list in one piece where their history is gone',
      [page('x', '5', configMap('a', 1), configMap('gone', 2)), { list: failed('Expired') }, listed('8', configMap('a', 7))],
      ['0 list newest by 500', '0 list behind x by 500', '0 list newest', '0 watch 8'],
      ['a@7'],
    ],
    [
      'are begun anew where one of them fails for another reason, and nobody sees the first half',
      [page('x', '5', configMap('a', 1)), { list: failed('Unreachable') }, listed('8', configMap('b', 7))],
      ['0 list newest by 500', '0 list behind x by 500', '800 list newest by 500', '800 watch 8'],
      ['b@7'],
    ],
  ])('%s', async (_, answers, asked, has) => {
    const played = play([...toNewest, ...answers]);
    await played.clock.advance('10s');
    expect(played.asked.slice(2)).toEqual(asked);
    expect(contents(played.cache)).toEqual(has);
  });

  it('are followed also where a server sends them for what it remembers', async () => {
    const played = play([page('x', '5', configMap('a', 1)), listed('5', configMap('b', 2))]);
    await played.clock.settle();
    expect(played.asked).toEqual(['0 list 0', '0 list behind x', '0 watch 5']);
    expect(contents(played.cache)).toEqual(['a@1', 'b@2']);
  });

  it('have the size that was asked for', async () => {
    const played = play([...toNewest, listed('5')], { pageSize: 20 });
    await played.clock.settle();
    expect(played.asked[2]).toBe('0 list newest by 20');
  });

  it('let others have their turn between them', async () => {
    const played = play([...toNewest, page('x', '5'), page('y', '5'), listed('5')]);
    let turns = 0;
    const turn = played.clock.turn.bind(played.clock);
    played.clock.turn = () => {
      turns += 1;
      return turn();
    };
    await played.clock.settle();
    expect(played.asked.at(-1)).toBe('0 watch 5');
    expect(turns).toBe(2);
  });
});

describe('a reflector whose connection is half open', () => {
  it('asks for a list again after a minute without an answer', async () => {
    const played = play([{ list: 'hang' }, { list: 'hang' }, listed('5')]);
    await played.clock.advance('3m');
    expect(played.asked.slice(0, 4)).toEqual(['0 list 0', '60800 list 0', '122400 list 0', '122400 watch 5']);
    expect(played.states.map(({ synced }) => synced)).toEqual([false, false, true]);
  });

  it('waits for each page as long', async () => {
    const pages = [page('x', '5'), { list: 'hang' } as const];
    const played = play([listed('900'), { watch: [tooLarge()] }, ...pages], { listTimeoutMs: 5000 });
    await played.clock.advance('7s');
    expect(played.asked.slice(2)).toEqual(['0 list newest by 500', '0 list behind x by 500', '5800 list newest by 500']);
  });

  it('begins a watch anew on which nothing has come for two and a half minutes, at its last version and without a list', async () => {
    const played = play([listed('5'), { watch: [60_000, bookmark('6'), 60_000, added('a', 7)], isDeaf: true }]);
    await played.clock.advance('5m');
    expect(played.asked).toEqual(['0 list 0', '0 watch 5', '270000 watch 7']);
    expect(reasonsOf(played.facts, 'watch-ended')).toEqual(['silent']);
    expect(reasonsOf(played.facts, 'listed')).toEqual(['first']);
  });

  it('says that it is blind then where the server is one that sends bookmarks, until it hears of it again', async () => {
    const played = play([listed('5'), { watch: [60_000, bookmark('6')], isDeaf: true }, { watch: [60_000, bookmark('6')] }]);
    await played.clock.advance('211s');
    expect(played.states.at(-1)).toEqual({ synced: false, error: expect.objectContaining({ code: 'Unreachable' }) });
    await played.clock.advance('60s');
    expect(played.states.at(-1)).toEqual({ synced: true });
  });

  it('says nothing where the server never sends bookmarks: a quiet type is silent, too', async () => {
    const played = play([listed('5'), { watch: [], isDeaf: true }]);
    await played.clock.advance('10m');
    expect(played.states).toEqual([{ synced: true }]);
    expect(played.asked).toHaveLength(6);
  });

  it('has one timer for its watch, however many events come', async () => {
    const events = Array.from({ length: 50 }, (_, index) => [added('a', 10 + index), 100]).flat();
    const played = play([listed('5'), { watch: events }]);
    await played.clock.advance('10s');
    expect(contents(played.cache)).toEqual(['a@59']);
    expect(played.clock.waiting).toBe(1);
  });

  it('goes on where a watch can not even be left', async () => {
    const stuck = { next: () => new Promise<never>(() => undefined), return: () => new Promise<never>(() => undefined) };
    const first = added('a', 4);
    let watches = 0;
    const { handMade } = await import('../fixtures.ts');
    const cluster = handMade({
      list: async () => ({ items: [], resourceVersion: '5' }),
      watch() {
        watches += 1;
        // The first event has a version that goes back, which ends the watch from our side.
        let isFirst = true;
        const next = (): Promise<IteratorResult<typeof first>> => {
          if (!isFirst) return stuck.next();
          isFirst = false;
          return Promise.resolve({ done: false, value: first });
        };
        return { [Symbol.asyncIterator]: () => ({ ...stuck, next }) };
      },
    });
    const played = play([], { cluster });
    await played.clock.advance('1m');
    expect(watches).toBeGreaterThan(3);
    played.stopping.abort();
    await played.done;
  });
});

describe('facts of a reflector', () => {
  it('say what was listed and watched, how long it took, and why it ended', async () => {
    const played = play([listed('5', a(3)), { watch: [added('b', 6), 1500, failed('Unreachable')] }]);
    await played.clock.advance('2s');
    played.stopping.abort();
    await played.done;
    const name = { cluster: 'eu-1', resource: 'configmaps' };
    expect(played.facts).toEqual([
      { fact: 'listed', ...name, reason: 'first', objects: 1, durationMs: 0 },
      { fact: 'watch-began', ...name },
      { fact: 'watch-ended', ...name, reason: 'failed', events: 1, error: expect.objectContaining({ code: 'Unreachable' }) },
    ]);
  });

  it('say that a watch was stopped, and a listener that throws does no harm', async () => {
    const ends: string[] = [];
    const played = play([listed('5')], {
      observe: (fact) => {
        if (fact.fact === 'watch-ended') ends.push(fact.reason);
        throw new Error('boom in an observer');
      },
    });
    await played.clock.settle();
    played.stopping.abort();
    await played.done;
    expect(ends).toEqual(['stopped']);
  });
});

describe('a server that gives no versions', () => {
  it('is listed anew after each watch, for it can not say what happened in between', async () => {
    const played = play([listed(''), { watch: [added('b', 3), added('a', 2), 2000, 'end'] }, listed('', a(2))]);
    await played.clock.advance('3s');
    expect(played.asked.map((line) => line.split(' ')[1])).toEqual(['list', 'watch', 'list', 'watch']);
    expect(contents(played.cache)).toEqual(['a@2']);
  });

  it('sends what is there in any order, and then events in theirs', async () => {
    const watch = [added('b', 30), added('a', 20), event('MODIFIED', configMap('a', 40)), 2000, 'end'] as const;
    const played = play([listed('0'), { watch }]);
    await played.clock.advance('3s');
    expect(played.asked).toEqual(['0 list 0', '0 watch 0', '2000 watch 40']);
    expect(contents(played.cache)).toEqual(['a@40', 'b@30']);
  });
});
