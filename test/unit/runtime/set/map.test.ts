import { ClustersetError, hasCode } from 'clusterset/kube';
import { type ClusterResult, ClusterResults } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed, forever } from '../fixtures.ts';
import { Fake, held, named, start } from './start.ts';

/** What came of each cluster, in short. */
function inShort(results: ReadonlyMap<string, ClusterResult<unknown>>): Record<string, unknown> {
  const text = (result: ClusterResult<unknown>): unknown =>
    result.ok
      ? result.value
      : `${result.state}: ${hasCode(result.error, 'Timeout', 'Unreachable') ? result.error.code : 'other'}: ${String(result.error)}`;
  return Object.fromEntries([...results].map(([name, result]) => [name, text(result)]));
}

/** Runs something to its end under a clock, and says when that was. */
async function timed<T>(
  clock: VirtualClock,
  work: Promise<T>,
  most = '2m',
): Promise<{ readonly value: T; readonly afterMs: number }> {
  const began = clock.monotonic();
  let end: number | undefined;
  const ended = work.finally(() => {
    end = clock.monotonic();
  });
  ended.catch(() => undefined);
  await clock.advance(most);
  if (end === undefined) throw new Error(`it has not come to its end after ${most}`);
  return { value: await ended, afterMs: end - began };
}

const thousand = named(...Array.from({ length: 1000 }, (_, index) => `c-${index}`));

describe('asking all members', () => {
  it('says what came of each, in the order of the set', async () => {
    const { set, clock, fake } = await start(named('a', 'b', 'c'));
    const { value } = await timed(
      clock,
      set.map(async ({ name, cluster }) => {
        expect(cluster).toBe(fake(name).cluster);
        if (name === 'a') await new Promise<void>((resolve) => clock.after(500, resolve));
        if (name === 'b') throw failed('Forbidden', 'it may not');
        return name.toUpperCase();
      }),
    );
    expect([...value.results.keys()]).toEqual(['a', 'b', 'c']);
    expect(value.results.get('a')).toEqual({ cluster: 'a', ok: true, value: 'A' });
    expect(value.results.get('b')).toMatchObject({ cluster: 'b', ok: false, state: 'ready', error: { code: 'Forbidden' } });
    expect([...value.values()]).toEqual([
      ['a', 'A'],
      ['c', 'C'],
    ]);
    expect([...value.failures().keys()]).toEqual(['b']);
  });

  it('takes what is no promise, and what throws at once', async () => {
    const { set, clock } = await start(named('a', 'b'));
    const { value } = await timed(
      clock,
      set.map(({ name }) => {
        if (name === 'b') throw new TypeError('boom');
        return 1;
      }),
    );
    expect(inShort(value.results)).toEqual({ a: 1, b: 'ready: other: TypeError: boom' });
  });

  it('fails at once for members that there is no connection to, with their reason', async () => {
    const clock = new VirtualClock();
    const { set } = await start(named('a', 'b', 'c'), {
      clock,
      connect: (entry) => {
        if (entry.name === 'b') throw new Error('no such kubeconfig');
        return entry.name === 'c' ? held<never>(undefined as never).promise : new Fake(entry, clock).cluster;
      },
    });
    const { value, afterMs } = await timed(
      clock,
      set.map(() => 1),
    );
    expect(inShort(value.results)).toEqual({
      a: 1,
      b: 'unreachable: Unreachable: ClustersetError: cluster b: no such kubeconfig',
      c: 'joining: Unreachable: ClustersetError: cluster c: it has not been asked yet',
    });
    expect(afterMs).toBe(0);
  });

  it('asks members in the given states only, and all that are connected without', async () => {
    const { set, clock, fake } = await start(named('a', 'b', 'c'), { probe: { failures: 1 } });
    fake('b').answer = 'bad';
    fake('c').answer = 'refused';
    await clock.advance('10s');
    const names = async (...states: readonly ('ready' | 'degraded' | 'unreachable')[]): Promise<string[]> => {
      const { value } = await timed(
        clock,
        set.map(() => 1, states.length === 0 ? {} : { states }),
        '0s',
      );
      return [...value.values().keys()];
    };
    expect(await names()).toEqual(['a', 'b', 'c']);
    expect(await names('ready')).toEqual(['a']);
    expect(await names('degraded', 'unreachable')).toEqual(['b', 'c']);
  });

  it('gives up on one that takes too long, and fires its signal', async () => {
    const { set, clock } = await start(named('a', 'b'));
    const signals: AbortSignal[] = [];
    const work = set.map(
      ({ name }, signal) => {
        signals.push(signal);
        return name === 'a' ? held<string>('late').promise : name;
      },
      { timeoutMs: 2_000 },
    );
    const { value, afterMs } = await timed(clock, work);
    expect(inShort(value.results)).toEqual({ a: 'ready: Timeout: ClustersetError: cluster a: no answer within 2000 ms', b: 'b' });
    expect(afterMs).toBe(2_000);
    expect(signals[0]?.aborted).toBe(true);
  });

  it('gives up after 30 s unless it is told otherwise', async () => {
    const { set, clock } = await start(named('a'));
    const { afterMs } = await timed(
      clock,
      set.map(() => held().promise),
    );
    expect(afterMs).toBe(30_000);
  });

  it('fails for a member that leaves meanwhile, and for one that has left before its turn', async () => {
    const { set, clock, source } = await start(named('a', 'b', 'c'));
    const asked: string[] = [];
    const work = set.map(
      async ({ name }, signal) => {
        asked.push(name);
        return forever(signal);
      },
      { concurrency: 1, timeoutMs: 6_000 },
    );
    await clock.advance('1s');
    source.say(...named('c'));
    const { value } = await timed(clock, work);
    expect(asked).toEqual(['a', 'c']);
    expect(inShort(value.results)).toEqual({
      a: 'leaving: Unreachable: ClustersetError: cluster a: it has left the set: the source does not name it any more',
      b: 'leaving: Unreachable: ClustersetError: cluster b: it has left the set',
      c: 'ready: Timeout: ClustersetError: cluster c: no answer within 6000 ms',
    });
  });

  it('ends with the set', async () => {
    const { set } = await start(named('a', 'b'));
    const work = set.map((_, signal) => forever(signal));
    await set.stop();
    expect((await work).failures().size).toBe(2);
  });

  it.each(['before', 'meanwhile'])('rejects where the caller’s signal fires %s', async (when) => {
    const { set, clock } = await start(named('a', 'b'));
    const calling = new AbortController();
    if (when === 'before') calling.abort();
    let asked = 0;
    const work = set.map(
      (_, signal) => {
        asked += 1;
        return forever(signal);
      },
      { signal: calling.signal },
    );
    work.catch(() => undefined);
    await clock.settle();
    calling.abort(new Error('enough'));
    await expect(work).rejects.toMatchObject({ code: 'Aborted' });
    expect(asked).toBe(when === 'before' ? 0 : 2);
  });

  it('asks no more members at the same time than it may', async () => {
    const { set, clock } = await start(thousand.slice(0, 100));
    let running = 0;
    let most = 0;
    const work = set.map(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => clock.after(50, resolve));
      running -= 1;
    });
    const { afterMs } = await timed(clock, work);
    expect([most, afterMs]).toEqual([16, 350]);
  });

  it.each([
    [100, 3_100],
    [1000, 30_000],
  ])('lets %i that hang of 1,000 hold up the others by %i ms at the most', async (hanging, most) => {
    const { set, clock } = await start(thousand);
    const began = clock.monotonic();
    const ends: number[] = [];
    const hang = held();
    const work = set.map(async ({ name }) => {
      // Those that hang come first, where they do most harm.
      if (Number(name.slice(2)) < hanging) return hang.promise;
      await new Promise<void>((resolve) => clock.after(10, resolve));
      ends.push(clock.monotonic() - began);
    });
    const { value, afterMs } = await timed(clock, work);
    expect([value.values().size, value.failures().size]).toEqual([1000 - hanging, hanging]);
    expect(ends).toHaveLength(1000 - hanging);
    expect(Math.max(0, ...ends)).toBeLessThanOrEqual(most + 1000);
    expect(afterMs).toBeLessThanOrEqual(60_000);
  });

  it('never takes longer than two time-outs, whatever the clusters do', async () => {
    const plan = fc.record({
      takes: fc.array(fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constant(Number.POSITIVE_INFINITY)), {
        minLength: 1,
        maxLength: 40,
      }),
      concurrency: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ takes, concurrency }) => {
        const { set, clock } = await start(thousand.slice(0, takes.length));
        const timeoutMs = 1_000;
        const work = set.map(
          ({ name }, signal) => {
            const ms = takes[Number(name.slice(2))] ?? 0;
            return Number.isFinite(ms) ? new Promise<void>((resolve) => clock.after(ms, resolve)) : forever(signal);
          },
          { concurrency, timeoutMs },
        );
        const { value, afterMs } = await timed(clock, work, '10s');
        expect(value.results.size).toBe(takes.length);
        expect(value.values().size).toBe(takes.filter((ms) => ms < timeoutMs).length);
        expect(afterMs).toBeLessThanOrEqual(2 * timeoutMs);
        await set.stop();
      }),
      { numRuns: 30 },
    );
  });
});

describe('results as they come', () => {
  it('come in the order in which they are there', async () => {
    const { set, clock } = await start(named('slow', 'quick', 'broken'));
    const seen: string[] = [];
    const reading = (async () => {
      const results = set.stream(async ({ name }) => {
        if (name === 'slow') await new Promise<void>((resolve) => clock.after(1_000, resolve));
        if (name === 'broken') throw new Error('boom');
      });
      for await (const { cluster, ok } of results) seen.push(`${cluster} ${ok}`);
    })();
    await clock.advance('500ms');
    expect(seen.toSorted()).toEqual(['broken false', 'quick true']);
    await clock.advance('1s');
    await reading;
    expect(seen.at(-1)).toBe('slow true');
  });

  it('end what is under way where the reader leaves, and nothing is begun any more', async () => {
    const { set, clock } = await start(thousand.slice(0, 40));
    const signals: AbortSignal[] = [];
    for await (const { cluster } of set.stream(({ name }, signal) => {
      signals.push(signal);
      return name === 'c-0' ? 1 : forever(signal);
    })) {
      expect(cluster).toBe('c-0');
      break;
    }
    await clock.settle();
    expect(signals.length).toBeLessThan(40);
    expect(signals.slice(1).every(({ aborted }) => aborted)).toBe(true);
    await clock.advance('2m');
    expect(signals.length).toBeLessThan(40);
  });

  it('are those of nobody where there is nobody', async () => {
    const { set } = await start([]);
    for await (const result of set.stream(() => 1)) expect.unreachable(result.cluster);
    expect((await set.map(() => 1)).orThrow().size).toBe(0);
  });
});

describe('results that must be good', () => {
  const success = (cluster: string): ClusterResult<number> => ({ cluster, ok: true, value: 1 });
  const failure = (cluster: string, error: unknown): ClusterResult<number> => ({ cluster, ok: false, error, state: 'ready' });
  const of = (...results: readonly ClusterResult<number>[]) =>
    new ClusterResults(new Map(results.map((each) => [each.cluster, each])));
  const timeOut = (cluster: string) => new ClustersetError({ code: 'Timeout', message: 'no answer', cluster });

  it('are the values where nothing failed, and where enough did not', () => {
    expect([...of(success('a'), success('b')).orThrow().keys()]).toEqual(['a', 'b']);
    expect([
      ...of(success('a'), failure('b', timeOut('b')))
        .orThrow({ min: 1 })
        .keys(),
    ]).toEqual(['a']);
  });

  it.each([
    [
      'one failed',
      of(success('a'), failure('b', timeOut('b'))),
      undefined,
      'Timeout',
      'cluster b: 1 of 2 clusters failed: b (no answer)',
    ],
    [
      'there are too few',
      of(success('a'), failure('b', timeOut('b')), failure('c', new Error('boom'))),
      2,
      'Unreachable',
      '2 of 3 clusters failed where 2 must succeed: b (no answer), c (boom)',
    ],
    [
      'many failed',
      of(...['a', 'b', 'c', 'd', 'e'].map((name) => failure(name, timeOut(name)))),
      undefined,
      'Timeout',
      '5 of 5 clusters failed: a (no answer), b (no answer), c (no answer), d, e',
    ],
    ['there are fewer than wanted', of(success('a')), 2, 'Unreachable', '0 of 1 clusters failed where 2 must succeed'],
  ])('are an error that names the clusters and quotes the first reasons, where %s', (_, results, min, code, message) => {
    let thrown: unknown;
    try {
      results.orThrow(min === undefined ? {} : { min });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ClustersetError);
    expect(thrown).toMatchObject({
      code,
      message,
      cause: { errors: [...results.failures().values()].map(({ error }) => error) },
    });
  });
});
