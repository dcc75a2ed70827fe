import { LOW_PRIORITY } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from '../../../../src/runtime/queue/agenda.ts';
import { BACKOFF, backoff, Lane } from '../../../../src/runtime/queue/lane.ts';
import { NaiveLane, type NaiveTime } from './naive-lane.ts';

function bench(delays = BACKOFF): { readonly clock: VirtualClock; readonly lane: Lane } {
  const clock = new VirtualClock();
  return { clock, lane: new Lane(new Agenda(clock, () => undefined), delays) };
}

function addAll(lane: Lane, ...keys: readonly string[]): void {
  for (const key of keys) lane.add(key);
}

/** Takes all keys that can be taken, without any being done. */
function takeAll(lane: Lane): string[] {
  return Array.from({ length: lane.ready }, () => String(lane.take()?.key));
}

describe('the delays of a key that fails', () => {
  it.each(
    [
      5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 81_920, 163_840, 327_680, 655_360, 1_000_000,
      1_000_000,
    ].map((delay, failures) => [failures, delay]),
  )("are client-go's: after %i failures %i ms", (failures, delay) => {
    expect(backoff(BACKOFF, failures)).toBe(delay);
  });

  it.each([
    ['a number too large to be one', { baseMs: 5, maxMs: 1000 }, 1_000_000, 1000],
    ['a first delay above the longest', { baseMs: 50, maxMs: 10 }, 0, 10],
    ['no delay at all, however often', { baseMs: 0, maxMs: 1000 }, 1_000_000, 0],
  ])('are bounded for %s', (_, delays, failures, expected) => {
    expect(backoff(delays, failures)).toBe(expected);
  });

  it('are over at once when all is forgiven, and start over; what waits for another reason goes on waiting', async () => {
    const { clock, lane } = bench();
    addAll(lane, 'a', 'b', 'c');
    takeAll(lane);
    for (let failures = 0; failures < 15; failures += 1) lane.retry('a');
    lane.add('b', { afterMs: 60_000 });
    for (const key of ['a', 'b', 'c']) lane.done(key);
    lane.retry('c');
    lane.take();
    lane.forgive();
    expect([takeAll(lane), lane.waiting]).toEqual([['a', 'c'], 1]);
    lane.retry('a');
    lane.done('a');
    await clock.advance(5);
    expect(takeAll(lane)).toEqual(['a']);
  });

  it('start over when they are forgotten, which takes the key out of nothing', async () => {
    const { clock, lane } = bench();
    for (let failure = 0; failure < 4; failure += 1) lane.retry('a');
    await clock.advance(5);
    lane.forget('a');
    expect([lane.ready, lane.take()?.failures]).toEqual([1, 0]);
    lane.retry('a');
    lane.forget('a');
    lane.forget('unknown');
    expect(lane.waiting).toBe(1);
    lane.done('a');
    await clock.advance(5);
    expect(lane.ready).toBe(1);
  });
});

describe('the order in a lane', () => {
  it.each<readonly [string, (lane: Lane) => void, string]>([
    ['is that of arrival', (lane) => addAll(lane, 'c', 'a', 'b'), 'cab'],
    ['does not change for a key that is added again', (lane) => addAll(lane, 'c', 'a', 'c'), 'ca'],
    [
      'is by priority first, and by arrival within one',
      (lane) => {
        lane.add('l', { priority: LOW_PRIORITY });
        for (const key of ['a', 'b']) lane.add(key);
        for (const key of ['x', 'y']) lane.add(key, { priority: 10 });
      },
      'xyabl',
    ],
    [
      'puts a key whose priority is raised behind those that have that priority',
      (lane) => {
        lane.add('l', { priority: LOW_PRIORITY });
        for (const key of ['a', 'b']) lane.add(key);
        lane.add('l');
      },
      'abl',
    ],
    [
      'does not mind a lower priority',
      (lane) => {
        for (const key of ['a', 'b']) lane.add(key);
        lane.add('a', { priority: LOW_PRIORITY });
      },
      'ab',
    ],
    [
      'keeps the priority of a key that waited when it is added at once',
      (lane) => {
        lane.add('a');
        lane.add('w', { afterMs: 10, priority: 5 });
        lane.add('w', { priority: LOW_PRIORITY });
      },
      'wa',
    ],
    [
      'raises a key that is ready for the priority of one that would have come later',
      (lane) => {
        for (const key of ['a', 'b']) lane.add(key);
        lane.add('b', { afterMs: 10, priority: 5 });
      },
      'ba',
    ],
  ])('%s', (_, act, expected) => {
    const { lane } = bench();
    act(lane);
    expect(takeAll(lane).join('')).toBe(expected);
  });

  it('puts keys whose time has come behind those that were ready before', async () => {
    const { clock, lane } = bench();
    lane.add('w', { afterMs: 10 });
    lane.add('v', { afterMs: 5 });
    await clock.advance(4);
    lane.add('a');
    await clock.advance(6);
    expect(takeAll(lane).join('')).toBe('avw');
  });

  it('of keys whose time comes at once is that in which they were put down, but for their priority', async () => {
    const { clock, lane } = bench();
    for (const key of ['c', 'a', 'b']) lane.add(key, { afterMs: 10, priority: key === 'b' ? 1 : 0 });
    await clock.advance(10);
    expect(takeAll(lane).join('')).toBe('bca');
  });

  it('puts a key that was added while it was worked on behind those that came before it was done', () => {
    const { lane } = bench();
    lane.add('a', { priority: 3 });
    expect(lane.take()?.key).toBe('a');
    lane.add('a');
    lane.add('b');
    lane.add('c', { priority: -1 });
    lane.done('a');
    expect(takeAll(lane).join('')).toBe('bac');
  });

  it('starts with a new priority after a run', () => {
    const { lane } = bench();
    lane.add('a', { priority: 100, cost: 9 });
    expect(lane.take()).toMatchObject({ priority: 100, cost: 9 });
    lane.done('a');
    lane.add('b');
    lane.add('a', { priority: LOW_PRIORITY });
    expect(lane.take()?.key).toBe('b');
    expect(lane.take()).toMatchObject({ key: 'a', priority: LOW_PRIORITY, cost: 1 });
  });
});

describe('a lane', () => {
  it('says of each key whether it had no run ahead of it', () => {
    const { lane } = bench();
    expect([lane.add('a'), lane.add('a'), lane.add('a', { afterMs: 5 })]).toEqual([true, false, false]);
    expect([lane.add('b', { afterMs: 5 }), lane.add('b'), lane.retry('b')]).toEqual([true, false, false]);
    expect(lane.take()?.key).toBe('a');
    expect([lane.retry('a'), lane.add('a')]).toEqual([true, false]);
  });

  it('counts from when a key became ready, whatever is added to it later', async () => {
    const { clock, lane } = bench();
    lane.add('a', { afterMs: 10 });
    await clock.advance(15);
    lane.add('a', { priority: 4 });
    await clock.advance(5);
    const item = lane.take();
    expect(item?.since).toBe(10);
    lane.add('a');
    await clock.advance(7);
    lane.done('a');
    expect(lane.take()?.since).toBe(27);
  });

  it('lets go of what is worked on only when it is done, also when all is forgotten', () => {
    const { clock, lane } = bench();
    for (const key of ['a', 'b', 'c']) lane.add(key);
    expect(lane.take()?.key).toBe('a');
    lane.add('a');
    lane.retry('b');
    lane.add('later', { afterMs: 10 });
    lane.clear();
    expect([lane.ready, lane.waiting, lane.working, clock.waiting]).toEqual([0, 0, 1, 0]);
    lane.add('a');
    expect(lane.ready).toBe(0);
    lane.done('a');
    lane.done('a');
    expect([lane.ready, lane.working]).toEqual([1, 0]);
  });
});

type Real = ReturnType<typeof bench>;

interface Model {
  readonly lane: NaiveLane;
  readonly time: NaiveTime;
}

/** One step, on the real lane and on the naive one. */
class Step implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #act: (model: Model, real: Real) => unknown;

  constructor(name: string, act: (model: Model, real: Real) => unknown) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.#act(model, real);
    const { clock, lane } = real;
    expect([lane.ready, lane.waiting, lane.working]).toEqual([
      model.lane.ready.length,
      model.lane.waiting.length,
      model.lane.working.length,
    ]);
    expect(clock.waiting).toBe(Math.min(1, lane.waiting));
    expect(new Set(model.lane.working).size).toBe(model.lane.working.length);
  }

  toString(): string {
    return this.#name;
  }
}

function elapse({ lane, time }: Model, ms: number): void {
  const end = time.now + ms;
  const next = () =>
    lane.waiting.filter(({ due = 0 }) => due <= end).toSorted((a, b) => (a.due ?? 0) - (b.due ?? 0) || a.place - b.place)[0];
  for (let first = next(); first?.due !== undefined; first = next()) {
    time.now = first.due;
    lane.come(first);
  }
  time.now = end;
}

describe('a lane beside a naive one', () => {
  it('hands out the same keys with the same priority and failures, whatever is asked of it', { timeout: 60_000 }, async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const priority = fc.constantFrom(LOW_PRIORITY, 0, 0, 1);
    const adds = fc.tuple(key, priority, fc.constantFrom(0, 0, 1, 5, 12), fc.constantFrom(1, 1, 3)).map(
      ([each, rank, afterMs, cost]) =>
        new Step(`add ${each} in ${afterMs} with ${rank}`, ({ lane }, real) => {
          const isNew = !lane.pending.some((pending) => pending.key === each);
          lane.add(each, afterMs, rank, cost);
          expect(real.lane.add(each, { afterMs, priority: rank, cost })).toBe(isNew);
        }),
    );
    const retries = fc.tuple(key, priority).map(
      ([each, rank]) =>
        new Step(`retry ${each} with ${rank}`, ({ lane }, real) => {
          lane.retry(each, rank);
          real.lane.retry(each, { priority: rank });
        }),
    );
    const takes = fc.constant(
      new Step('take', ({ lane }, real) => {
        const expected = lane.take();
        const item = real.lane.take();
        expect(item && [item.key, item.priority, item.cost, item.since, item.failures]).toEqual(
          expected && [expected.key, expected.priority, expected.cost, expected.since, lane.failures[expected.key] ?? 0],
        );
      }),
    );
    const named = (name: 'done' | 'forget' | 'remove') =>
      key.map(
        (each) =>
          new Step(`${name} ${each}`, ({ lane }, real) => {
            if (name === 'forget') lane.failures[each] = 0;
            else lane[name](each);
            real.lane[name](each);
          }),
      );
    const times = fc.integer({ min: 1, max: 12 }).map(
      (ms) =>
        new Step(`advance ${ms}`, (model, real) => {
          elapse(model, ms);
          return real.clock.advance(ms);
        }),
    );
    const clears = fc.constant(
      new Step('clear', ({ lane }, real) => {
        lane.clear();
        real.lane.clear();
      }),
    );
    const common = [adds, adds, adds, retries, takes, takes, named('done'), named('done'), times];
    const steps = [...common, ...common, named('forget'), named('remove'), clears];
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { maxCommands: 60, size: 'max' }), async (sequence) => {
        await fc.asyncModelRun(() => {
          const time = { now: 0, places: 0 };
          return { model: { time, lane: new NaiveLane(time, 5, 100) }, real: bench({ baseMs: 5, maxMs: 100 }) };
        }, sequence);
      }),
      { numRuns: 300 },
    );
  });
});
