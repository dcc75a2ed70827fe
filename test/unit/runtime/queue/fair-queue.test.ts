import { FairQueue, LOW_PRIORITY, type Taken } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FairBench, fairBench, flush, nameOf } from './fair-bench.ts';

/** Adds keys written as `cluster/key`. */
function addAll(queue: FairQueue, names: string): void {
  for (const name of names.split(' ')) {
    const [cluster = '', key = ''] = name.split('/');
    queue.add(cluster, key);
  }
}

describe('keys of one cluster in a fair queue', () => {
  it('come once however often they were added, the highest priority first, and in the order of arrival within one', async () => {
    const { queue, take } = fairBench();
    queue.add('eu', 'low', { priority: LOW_PRIORITY });
    for (const key of ['b', 'a', 'b']) queue.add('eu', key);
    queue.add('eu', 'high', { priority: 10 });
    expect(await take(5)).toBe('eu/high eu/b eu/a eu/low');
  });

  it('come exactly once more when they were added during work, and to nobody else before', async () => {
    const { queue, take, receipt } = fairBench();
    queue.add('eu', 'a');
    expect(await take(4)).toBe('eu/a');
    for (let time = 0; time < 5; time += 1) queue.add('eu', 'a');
    expect(await take()).toBe('');
    queue.done(receipt('eu/a'));
    expect(await take()).toBe('eu/a');
    queue.done(receipt('eu/a'));
    expect([await take(), queue.busy]).toEqual(['', 0]);
  });

  it('have nothing to do with the same keys of another cluster', async () => {
    const { queue, take, receipt } = fairBench();
    addAll(queue, 'eu/a us/a');
    expect(await take(3)).toBe('eu/a us/a');
    queue.done(receipt('eu/a'));
    addAll(queue, 'eu/a us/a');
    expect(await take()).toBe('eu/a');
  });

  it('tell their priority, which try it is, and how long they were ready', async () => {
    const { clock, queue, take, handed, receipt } = fairBench();
    queue.add('eu', 'a', { afterMs: 100, priority: 7 });
    await clock.advance(130);
    await take(1);
    expect(handed.at(-1)).toEqual({ cluster: 'eu', key: 'a', priority: 7, attempt: 1, waitedMs: 30 });
    queue.retry('eu', 'a', { priority: 7 });
    queue.done(receipt('eu/a'));
    await clock.advance(5);
    await take(1);
    expect(handed.at(-1)).toEqual({ cluster: 'eu', key: 'a', priority: 7, attempt: 2, waitedMs: 0 });
    queue.forget('eu', 'a');
    queue.add('eu', 'a');
    queue.done(receipt('eu/a'));
    await take(1);
    expect(handed.at(-1)).toEqual({ cluster: 'eu', key: 'a', priority: 0, attempt: 1, waitedMs: 0 });
  });

  it('are held back after failures for as long as client-go holds them back', async () => {
    const { clock, queue, take, receipt } = fairBench();
    queue.add('eu', 'a');
    await take(1);
    for (const delay of [5, 10, 20, 40, 80, 160, 320, 640, 1280]) {
      queue.retry('eu', 'a');
      queue.done(receipt('eu/a'));
      await take(1);
      await clock.advance(delay - 1);
      expect(await take(), `before ${delay} ms`).toBe('');
      await clock.advance(1);
      expect(await take(), `after ${delay} ms`).toBe('eu/a');
    }
    expect(clock.waiting).toBe(0);
  });

  it('take first and longest delay from their options', async () => {
    const { clock, queue, take, receipt } = fairBench({ retryBaseMs: 100, retryMaxMs: 150 });
    queue.add('eu', 'a');
    await take(1);
    for (const delay of [100, 150, 150]) {
      queue.retry('eu', 'a');
      queue.done(receipt('eu/a'));
      await take(1);
      await clock.advance(delay - 1);
      expect(await take()).toBe('');
      await clock.advance(1);
      expect(await take()).toBe('eu/a');
    }
  });
});

describe('between clusters a fair queue', () => {
  it('hands out one key of each in turn', async () => {
    const { queue, take } = fairBench();
    addAll(queue, 'a/1 a/2 a/3 b/1 b/2 c/1');
    expect(await take(6)).toBe('a/1 b/1 c/1 a/2 b/2 a/3');
  });

  it('lets the only key of one come before the second of another that has 100,000', { timeout: 60_000 }, async () => {
    const { queue, take, receipt } = fairBench();
    for (let key = 0; key < 100_000; key += 1) queue.add('big', String(key), { priority: 1000 });
    expect(await take(1)).toBe('big/0');
    queue.add('small', 'x', { priority: LOW_PRIORITY });
    queue.done(receipt('big/0'));
    expect(await take(2)).toBe('small/x big/1');
  });

  it('counts what a key costs', async () => {
    const { queue, take } = fairBench({ quantum: 2 });
    for (const key of ['1', '2']) queue.add('a', key, { cost: 4 });
    for (let key = 1; key <= 6; key += 1) queue.add('b', String(key));
    expect(await take(8)).toBe('b/1 b/2 a/1 b/3 b/4 b/5 b/6 a/2');
  });

  it.each([
    // Clusters, quantum, c, and the least of each among any K·c keys in a row.
    [3, 1, 1, 1],
    [3, 1, 7, 7],
    [5, 2, 4, 4],
    [5, 2, 3, 2],
    [5, 4, 3, 0],
    [2, 4, 3, 2],
    [2, 3, 5, 4],
    [1, 3, 5, 5],
  ])(
    'with %i clusters and a quantum of %i gives each, of any K·%i keys, %i at least',
    { timeout: 60_000 },
    async (clusters, quantum, c, least) => {
      expect(quantum * Math.floor(c / quantum) + Math.max(0, clusters * (c % quantum) - (clusters - 1) * quantum)).toBe(least);
      const order = await ordered(clusters, quantum, clusters * c * 4);
      expect(fewest(order, clusters, clusters * c)).toBe(least);
    },
  );

  it('keeps to its bound for any number of clusters, any quantum and any window', { timeout: 60_000 }, async () => {
    const some = (max: number) => fc.integer({ min: 1, max });
    await fc.assert(
      fc.asyncProperty(some(6), some(5), some(6), async (clusters, quantum, c) => {
        const bound = quantum * Math.floor(c / quantum) + Math.max(0, clusters * (c % quantum) - (clusters - 1) * quantum);
        const order = await ordered(clusters, quantum, clusters * c * 2 + clusters * quantum);
        expect(fewest(order, clusters, clusters * c)).toBeGreaterThanOrEqual(bound);
      }),
      { numRuns: 100 },
    );
  });

  it('lets a cluster whose first key has come wait for one round at most', { timeout: 60_000 }, async () => {
    const some = (max: number) => fc.integer({ min: 1, max });
    await fc.assert(
      fc.asyncProperty(some(6), some(4), fc.nat(30), async (clusters, quantum, before) => {
        const { queue } = fairBench({ quantum, inFlightPerCluster: 1000 });
        for (let cluster = 0; cluster < clusters; cluster += 1) {
          for (let key = 0; key < 100; key += 1) queue.add(String(cluster), String(key));
        }
        for (let time = 0; time < before; time += 1) await queue.take();
        queue.add('late', 'x');
        let waited = 0;
        while ((await queue.take())?.cluster !== 'late') waited += 1;
        expect(waited).toBeLessThanOrEqual(clusters * quantum);
      }),
      { numRuns: 100 },
    );
  });
});

/** Of which clusters keys are handed out while all of them have enough. */
async function ordered(clusters: number, quantum: number, count: number): Promise<string[]> {
  const { queue } = fairBench({ quantum });
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    for (let key = 0; key < count; key += 1) queue.add(String(cluster), String(key));
  }
  const order: string[] = [];
  for (let time = 0; time < count; time += 1) {
    const taken = await queue.take();
    if (taken === undefined) break;
    order.push(taken.cluster);
    queue.done(taken);
  }
  return order;
}

/** How many keys the worst-off cluster has in the window where that is fewest. */
function fewest(order: readonly string[], clusters: number, window: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start + window <= order.length; start += 1) {
    const seen = order.slice(start, start + window);
    for (let cluster = 0; cluster < clusters; cluster += 1) {
      least = Math.min(least, seen.filter((each) => each === String(cluster)).length);
    }
  }
  return least;
}

describe('keys under way', () => {
  it('are so many of one cluster at most, and leave the other workers to others', async () => {
    const { queue, take, receipt } = fairBench({ inFlightPerCluster: 2 });
    addAll(queue, 'a/1 a/2 a/3 a/4');
    expect(await take(5)).toBe('a/1 a/2');
    addAll(queue, 'b/1 b/2');
    expect(await take()).toBe('b/1 b/2');
    expect([queue.inFlight('a'), queue.inFlight('b'), queue.inFlight(), queue.inFlight('c')]).toEqual([2, 2, 4, 0]);
    expect([queue.depth('a'), queue.depth('b'), queue.depth(), queue.depth('c')]).toEqual([2, 0, 2, 0]);
    queue.done(receipt('a/2'));
    expect(await take()).toBe('a/3');
    expect(queue.inFlight('a')).toBe(2);
  });

  it('are 10 of one cluster unless told otherwise', async () => {
    const { queue, handed, take } = fairBench();
    for (let key = 0; key < 20; key += 1) queue.add('a', String(key));
    await take(20);
    expect(handed.length).toBe(10);
  });

  it('are over when their own receipt says so, and only once', async () => {
    const { queue, take, receipt } = fairBench({ inFlightPerCluster: 1 });
    addAll(queue, 'a/1 a/2 a/3');
    expect(await take(3)).toBe('a/1');
    const first = receipt('a/1');
    queue.done({ ...first });
    expect(await take()).toBe('');
    queue.done(first);
    queue.done(first);
    expect(await take()).toBe('a/2');
    expect(queue.inFlight('a')).toBe(1);
  });
});

/** Takes one key and fails it as a cluster that can't be reached makes it fail. */
async function failOnce({ queue, take, handed }: FairBench): Promise<void> {
  await take(1);
  const taken = handed.at(-1) as Taken;
  queue.failed(taken.cluster);
  queue.retry(taken.cluster, taken.key);
  queue.done(taken);
}

/** A cluster `a` with ten keys whose breaker has just opened; `b` is well. */
async function opened(options: Parameters<typeof fairBench>[0] = {}): Promise<FairBench> {
  const bench = fairBench(options);
  for (let key = 0; key < 10; key += 1) bench.queue.add('a', String(key));
  for (let time = 0; time < 5; time += 1) await failOnce(bench);
  await bench.take();
  bench.facts.length = 0;
  return bench;
}

function states({ facts }: FairBench): unknown[] {
  return facts.flatMap((fact) => (fact.fact === 'breaker' ? [fact.state] : []));
}

describe('the breaker of a cluster', () => {
  it('opens after five failures in a row, and is nobody else’s business', async () => {
    const bench = fairBench();
    const { queue, take, facts } = bench;
    for (let key = 0; key < 10; key += 1) queue.add('a', String(key));
    for (let time = 0; time < 4; time += 1) await failOnce(bench);
    queue.succeeded('a');
    for (let time = 0; time < 4; time += 1) await failOnce(bench);
    expect(states(bench)).toEqual([]);
    await failOnce(bench);
    expect(facts.filter(({ fact }) => fact === 'breaker')).toEqual([
      { fact: 'breaker', queue: 'web', cluster: 'a', state: 'open' },
    ]);
    await take();
    queue.add('b', '1');
    queue.add('a', 'more');
    expect(await take(5)).toBe('b/1');
  });

  it.each([
    [1, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
    [0.5, [750, 1500, 3000, 6000, 12_000, 22_500, 22_500]],
    [0, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]],
  ])('stays open twice as long after each probe that fails, with a random number of %f for %j ms', async (number, delays) => {
    const bench = await opened({ random: () => number });
    const { clock, take, queue, handed } = bench;
    await take(1);
    for (const delay of delays) {
      await clock.advance(delay - 1);
      expect(await take(), `before ${delay} ms`).toBe('');
      await clock.advance(1);
      expect((await take()).split(' '), `after ${delay} ms`).toHaveLength(1);
      expect(queue.inFlight('a')).toBe(1);
      const probe = handed.at(-1) as Taken;
      queue.failed('a');
      queue.retry('a', probe.key);
      queue.done(probe);
      await take(1);
    }
    expect(states(bench)).toEqual(delays.flatMap(() => ['half-open', 'open']));
  });

  it('takes failures and times from its options', async () => {
    const bench = fairBench({ breaker: { failures: 1, firstMs: 10, longestMs: 15 } });
    const { clock, queue, take } = bench;
    for (const key of ['1', '2']) queue.add('a', key);
    for (const delay of [10, 15, 15]) {
      await failOnce(bench);
      await take();
      await clock.advance(delay - 1);
      expect(states(bench).at(-1)).toBe('open');
      await clock.advance(1);
      expect(states(bench).at(-1)).toBe('half-open');
    }
  });

  it('lets out one probe only, however many workers and keys there are', async () => {
    const { clock, queue, take, handed } = await opened();
    await take(20);
    await clock.advance(1000);
    expect((await take()).split(' ')).toHaveLength(1);
    queue.add('a', 'new', { priority: 100 });
    await clock.advance(100_000);
    expect([await take(), queue.inFlight('a')]).toEqual(['', 1]);
    queue.done(handed.at(-1) as Taken);
    // Nobody has judged it: the next is the probe.
    expect([await take(), queue.inFlight('a')]).toEqual(['a/new', 1]);
  });

  it('lets out the next probe in its time also when the last one hangs', async () => {
    const { clock, queue, take } = await opened();
    await take(20);
    await clock.advance(1000);
    expect((await take()).split(' ')).toHaveLength(1);
    queue.failed('a');
    await clock.advance(1999);
    expect(await take()).toBe('');
    await clock.advance(1);
    expect((await take()).split(' ')).toHaveLength(1);
    expect(queue.inFlight('a')).toBe(2);
  });

  it('closes when the probe succeeds: all keys are ready at once, with the failures that they had', async () => {
    const bench = await opened();
    const { clock, queue, take, handed } = bench;
    await take(20);
    await clock.advance(1000);
    await take();
    const probe = handed.at(-1) as Taken;
    queue.succeeded('a');
    queue.done(probe);
    const rest = (await take()).split(' ');
    expect([...rest, nameOf(probe)].toSorted()).toEqual(Array.from({ length: 10 }, (_, key) => `a/${key}`));
    // The first four have failed before the breaker opened; the fifth opened it, which is not its fault.
    const attempts = new Map(handed.slice(5).map((taken) => [taken?.key, taken?.attempt]));
    expect(['0', '1', '2', '3', '4', '5'].map((key) => attempts.get(key))).toEqual([2, 2, 2, 2, 1, 1]);
    expect(states(bench)).toEqual(['half-open', 'closed']);
  });

  it('starts over with its shortest time once it was closed', async () => {
    const bench = await opened();
    const { clock, queue, take } = bench;
    await clock.advance(1000);
    await failOnce(bench);
    await clock.advance(2000);
    queue.succeeded('a');
    for (let time = 0; time < 5; time += 1) await failOnce(bench);
    await take();
    bench.facts.length = 0;
    await clock.advance(999);
    expect(states(bench)).toEqual([]);
    await clock.advance(1);
    expect(states(bench)).toEqual(['half-open']);
  });

  it('does not burn the delays of keys that fail while it is open', async () => {
    const bench = fairBench();
    const { clock, queue, take, handed } = bench;
    for (let key = 0; key < 10; key += 1) queue.add('a', String(key));
    await take(10);
    for (const [index, taken] of (handed as Taken[]).entries()) {
      queue.failed('a');
      for (let time = 0; time < (index < 4 ? 1 : 20); time += 1) queue.retry('a', taken.key);
      queue.done(taken);
    }
    // Four failed before it opened, and wait for their time.
    expect([queue.depth('a'), queue.delayed]).toEqual([6, 4]);
    await clock.advance(1000);
    queue.succeeded('a');
    await take(10);
    expect(handed.slice(10).map((taken) => taken?.attempt)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it('minds failures that come late neither twice nor as a reason to wait longer', async () => {
    const bench = await opened();
    await bench.clock.advance(500);
    for (let time = 0; time < 10; time += 1) bench.queue.failed('a');
    await bench.clock.advance(500);
    expect(states(bench)).toEqual(['half-open']);
  });

  it('closes for any answer, also for one to what was asked before it opened', async () => {
    const bench = await opened();
    bench.queue.succeeded('a');
    expect(states(bench)).toEqual(['closed']);
    await bench.clock.advance(5);
    expect((await bench.take(10)).split(' ')).toHaveLength(10);
    expect(bench.clock.waiting).toBe(0);
  });

  it('needs one timer for all clusters and keys together', async () => {
    const { clock, queue } = fairBench({ breaker: { failures: 1 } });
    for (let cluster = 0; cluster < 50; cluster += 1) {
      for (let key = 0; key < 20; key += 1) queue.add(String(cluster), String(key), { afterMs: key * 100 });
      queue.failed(String(cluster));
    }
    expect(clock.waiting).toBe(1);
    for (let cluster = 0; cluster < 50; cluster += 1) queue.remove(String(cluster));
    expect(clock.waiting).toBe(0);
  });

  it('says nothing of clusters that nobody knows', () => {
    const { queue, facts } = fairBench({ breaker: { failures: 1 } });
    queue.failed('a');
    queue.succeeded('a');
    queue.retry('a', '1');
    queue.forget('a', '1');
    queue.unpark('a');
    queue.remove('a');
    expect([facts, queue.depth(), queue.delayed]).toEqual([[], 0, 0]);
  });
});

describe('parked clusters', () => {
  it('keep their keys, those that are added and those whose time comes, and lose none', async () => {
    const { clock, queue, take } = fairBench();
    addAll(queue, 'a/1 a/2 b/1');
    queue.add('a', 'later', { afterMs: 100 });
    queue.park('a');
    queue.park('a');
    queue.add('a', '3');
    expect(await take(10)).toBe('b/1');
    await clock.advance(1000);
    expect([await take(), queue.depth('a'), queue.depth()]).toEqual(['', 4, 4]);
    queue.unpark('a');
    expect(await take()).toBe('a/1 a/2 a/3 a/later');
  });

  it('do not burn the delays of keys that fail meanwhile', async () => {
    const { queue, take, handed, receipt } = fairBench();
    queue.add('a', '1');
    await take(2);
    queue.park('a');
    for (let time = 0; time < 10; time += 1) queue.retry('a', '1');
    queue.done(receipt('a/1'));
    expect([queue.delayed, queue.depth('a')]).toEqual([0, 1]);
    queue.unpark('a');
    expect(await take()).toBe('a/1');
    expect(handed.at(-1)?.attempt).toBe(1);
  });

  it('can be parked before they have a key', async () => {
    const { queue, take } = fairBench();
    queue.park('a');
    queue.add('a', '1');
    expect(await take(1)).toBe('');
    queue.unpark('a');
    expect(await take()).toBe('a/1');
  });

  it('let a probe out at once where their breaker is open', async () => {
    const bench = await opened();
    const { queue, take } = bench;
    await bench.clock.advance(5);
    queue.park('a');
    expect(await take(5)).toBe('');
    queue.unpark('a');
    queue.unpark('a');
    expect((await take()).split(' ')).toHaveLength(1);
    expect(states(bench)).toEqual(['half-open']);
    expect([queue.inFlight('a'), bench.clock.waiting]).toEqual([1, 0]);
    queue.failed('a');
    await bench.clock.advance(1999);
    expect(states(bench)).toEqual(['half-open', 'open']);
    await bench.clock.advance(1);
    expect(states(bench)).toEqual(['half-open', 'open', 'half-open']);
  });

  it('cost nobody a turn, and stay out of what counts as busy', async () => {
    const { queue, take } = fairBench();
    addAll(queue, 'a/1 b/1 b/2 c/1');
    for (const cluster of ['a', 'c']) queue.park(cluster);
    expect(queue.busy).toBe(2);
    expect(await take(3)).toBe('b/1 b/2');
  });
});

describe('clusters that are removed', () => {
  it('lose their keys in every way, their failures, their breaker and their parking', async () => {
    const bench = await opened();
    const { clock, queue, take, handed } = bench;
    queue.add('a', 'later', { afterMs: 10_000 });
    queue.park('a');
    queue.remove('a');
    expect([queue.depth(), queue.depth('a'), queue.delayed, queue.busy, clock.waiting]).toEqual([0, 0, 0, 0, 0]);
    expect(states(bench)).toEqual(['closed']);
    queue.add('a', '0');
    expect(await take(2)).toBe('a/0');
    expect(handed.at(-1)?.attempt).toBe(1);
    await clock.advance(100_000);
    expect(await take()).toBe('');
  });

  it('let go on what is under way, whose end changes nothing', async () => {
    const { queue, take, receipt } = fairBench({ inFlightPerCluster: 1 });
    addAll(queue, 'a/1 b/1');
    await take(3);
    const old = receipt('a/1');
    queue.add('a', '1');
    expect(queue.isCurrent(old)).toBe(true);
    queue.remove('a');
    expect([queue.inFlight(), queue.inFlight('a'), queue.isCurrent(old), queue.busy]).toEqual([2, 0, false, 2]);
    queue.retry('a', '1');
    queue.done(old);
    queue.done(old);
    expect([await take(), queue.inFlight(), queue.isCurrent(receipt('b/1'))]).toEqual(['', 1, true]);
  });

  it('can come back under their name: what was under way holds its key, and no room', async () => {
    const { queue, take, receipt } = fairBench({ inFlightPerCluster: 1 });
    queue.add('a', '1');
    await take(5);
    const old = receipt('a/1');
    queue.remove('a');
    addAll(queue, 'a/1 a/2');
    expect([await take(), queue.inFlight('a'), queue.inFlight()]).toEqual(['a/2', 1, 2]);
    queue.done(old);
    expect([await take(), queue.inFlight('a')]).toEqual(['', 1]);
    queue.done(receipt('a/2'));
    expect([await take(), queue.inFlight('a')]).toEqual(['a/1', 1]);
  });

  it('do not end the probe of who comes after them under their name', async () => {
    const { clock, queue, take, receipt } = fairBench({ breaker: { failures: 1, firstMs: 10 } });
    queue.add('a', '1');
    queue.failed('a');
    await clock.advance(10);
    expect(await take(5)).toBe('a/1');
    const old = receipt('a/1');
    queue.remove('a');
    queue.add('a', '2', { afterMs: 10 });
    queue.failed('a');
    await clock.advance(10);
    expect(await take()).toBe('a/2');
    queue.add('a', '3');
    queue.done(old);
    expect(await take()).toBe('');
  });
});

describe('the end of a fair queue', () => {
  it('gives nothing to anybody once it is closed, and leaves no timer', async () => {
    const bench = await opened();
    const { clock, queue, take } = bench;
    queue.add('b', 'later', { afterMs: 100 });
    await take(1);
    queue.close();
    queue.close();
    queue.add('b', '1');
    queue.park('b');
    queue.retry('b', '2');
    queue.unpark('b');
    expect(await take(1)).toBe('- -');
    expect([clock.waiting, queue.depth(), queue.delayed, queue.busy]).toEqual([0, 0, 0, 0]);
    await queue.idle();
  });

  it('waits, when it is drained, for what is under way and hands out nothing new', async () => {
    const { queue, take, receipt } = fairBench({ inFlightPerCluster: 1 });
    addAll(queue, 'a/1 a/2 b/1');
    expect(await take(3)).toBe('a/1 b/1');
    queue.add('a', '1');
    let isDrained = false;
    const drained = queue.drain().then(() => {
      isDrained = true;
    });
    queue.done(receipt('a/1'));
    expect([await take(2), isDrained, queue.busy]).toEqual(['- - -', false, 1]);
    queue.done(receipt('b/1'));
    await drained;
    expect(queue.busy).toBe(0);
  });

  it('tells when nothing is ready or under way; what is held back does not count', async () => {
    const { queue, take, receipt } = fairBench();
    await queue.idle();
    addAll(queue, 'a/1 b/1');
    queue.add('a', 'later', { afterMs: 100 });
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    expect(await take(1)).toBe('a/1');
    queue.done(receipt('a/1'));
    await flush();
    expect(isIdle).toBe(false);
    queue.park('b');
    await flush();
    expect(isIdle).toBe(true);
    queue.unpark('b');
    expect(queue.busy).toBe(1);
  });
});

describe('nothing to do', () => {
  it.each<readonly [string, (queue: FairQueue) => void]>([
    ['parked', (queue) => queue.park('a')],
    ['held back by its breaker', (queue) => queue.failed('a')],
    ['removed', (queue) => queue.remove('a')],
    ['dropped at the end', (queue) => queue.close()],
  ])('is what is left, and told, when the last key was %s', async (_, act) => {
    const { queue } = fairBench({ breaker: { failures: 1 } });
    queue.add('a', '1');
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    await flush();
    expect([isIdle, queue.busy]).toEqual([false, 1]);
    act(queue);
    await flush();
    expect([isIdle, queue.busy]).toEqual([true, 0]);
  });
});

describe('a fair queue', () => {
  it('tells of what is put in and handed out', async () => {
    const { clock, queue, take, facts } = fairBench();
    queue.add('eu', 'a', { priority: 3 });
    queue.add('eu', 'a');
    queue.add('eu', 'b', { afterMs: 5 });
    await clock.advance(8);
    await take(2);
    queue.retry('eu', 'a', { priority: 3 });
    const key = { queue: 'web', cluster: 'eu' };
    expect(facts).toEqual([
      { fact: 'queued', ...key, priority: 3, isRetry: false },
      { fact: 'queued', ...key, priority: 0, isRetry: false },
      { fact: 'taken', ...key, waitedMs: 8 },
      { fact: 'taken', ...key, waitedMs: 3 },
      { fact: 'queued', ...key, priority: 3, isRetry: true },
    ]);
  });

  it('does not mind who listens and throws', async () => {
    const { queue, take } = fairBench({
      observe: () => {
        throw new Error('no');
      },
    });
    queue.add('eu', 'a');
    expect(await take(1)).toBe('eu/a');
  });

  it.each([
    ['a quantum of 0', { quantum: 0 }],
    ['a quantum without end', { quantum: Number.POSITIVE_INFINITY }],
    ['no room in flight', { inFlightPerCluster: 0 }],
    ['a number that is none', { inFlightPerCluster: Number.NaN }],
  ])('refuses %s', (_, options) => {
    expect(() => new FairQueue({ name: 'web', clock: new VirtualClock(), ...options })).toThrow(RangeError);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a key that costs %f', (cost) => {
    const { queue } = fairBench();
    queue.add('a', '1');
    expect(() => queue.add('a', '1', { cost })).toThrow(RangeError);
    expect(() => queue.retry('a', '1', { cost })).toThrow(RangeError);
  });
});
