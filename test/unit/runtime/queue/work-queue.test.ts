import { LOW_PRIORITY, WorkQueue } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Bench {
  readonly clock: VirtualClock;
  readonly queue: WorkQueue;
  /** What was handed out, in order. */
  readonly handed: (string | undefined)[];
  /** Asks for so many keys, and goes on. */
  take(count?: number): Promise<void>;
}

/** Lets promises that are resolved have their turn; no timer fires. */
async function flush(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

function bench(options: { readonly retryBaseMs?: number; readonly retryMaxMs?: number } = {}): Bench {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock, ...options });
  const handed: (string | undefined)[] = [];
  return {
    clock,
    queue,
    handed,
    async take(count = 1) {
      for (let each = 0; each < count; each += 1) void queue.take().then((key) => handed.push(key));
      await flush();
    },
  };
}

describe('keys in a work queue', () => {
  it('are handed out in the order in which they were first added', async () => {
    const { queue, handed, take } = bench();
    for (const key of ['b', 'a', 'c', 'a', 'b']) queue.add(key);
    await take(3);
    expect(handed).toEqual(['b', 'a', 'c']);
  });

  it('come once, however often they were added before they were taken', async () => {
    const { queue, handed, take } = bench();
    for (let time = 0; time < 10; time += 1) queue.add('a');
    expect(queue.busy).toBe(1);
    await take(2);
    expect(handed).toEqual(['a']);
  });

  it('are never handed to two workers at once', async () => {
    const { queue, handed, take } = bench();
    queue.add('a');
    await take();
    queue.add('a');
    await take();
    expect(handed).toEqual(['a']);
    queue.done('a');
    await flush();
    expect(handed).toEqual(['a', 'a']);
  });

  it('come exactly once more when they are added during work, however often', async () => {
    const { queue, handed, take } = bench();
    queue.add('a');
    await take();
    for (let time = 0; time < 10; time += 1) queue.add('a');
    queue.done('a');
    await take();
    queue.done('a');
    await take();
    expect(handed).toEqual(['a', 'a']);
    expect(queue.busy).toBe(0);
  });

  it('go to the end of the line when they were added during work', async () => {
    const { queue, handed, take } = bench();
    queue.add('a');
    await take();
    queue.add('a');
    queue.add('b');
    queue.done('a');
    await take(2);
    expect(handed).toEqual(['a', 'b', 'a']);
  });

  it('go to the worker that has waited longest', async () => {
    const { queue } = bench();
    const order: string[] = [];
    for (const worker of ['first', 'second']) void queue.take().then((key) => order.push(`${worker} ${key}`));
    queue.add('a');
    queue.add('b');
    await flush();
    expect(order).toEqual(['first a', 'second b']);
  });

  it('do not mind a done for a key that nobody has', async () => {
    const { queue, handed, take } = bench();
    queue.add('a');
    queue.done('a');
    queue.done('b');
    await take();
    expect(handed).toEqual(['a']);
  });
});

describe('delays in a work queue', () => {
  it('hold a key back until its time has come', async () => {
    const { clock, queue, handed, take } = bench();
    await take();
    queue.add('a', 100);
    expect([queue.delayed, queue.busy]).toEqual([1, 0]);
    await clock.advance(99);
    expect(handed).toEqual([]);
    await clock.advance(1);
    expect(handed).toEqual(['a']);
    expect([queue.delayed, queue.busy]).toEqual([0, 1]);
  });

  it.each([
    ['the first is earlier', [100, 200], 100],
    ['the second is earlier', [200, 100], 100],
    ['they are the same', [100, 100], 100],
    ['there is none at all', [100, 0], 0],
    ['one is in the past', [100, -1], 0],
    ['there are many', [300, 200, 400, 150, 500], 150],
  ])('count from the earlier where %s', async (_, delays, expected) => {
    const { clock, queue } = bench();
    for (const delay of delays) queue.add('a', delay);
    if (expected > 0) {
      await clock.advance(expected - 1);
      expect(queue.busy).toBe(0);
      await clock.advance(1);
    }
    expect(queue.busy).toBe(1);
    expect(queue.delayed).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  it('count from when each was asked for', async () => {
    const { clock, queue } = bench();
    queue.add('a', 100);
    await clock.advance(50);
    queue.add('a', 60);
    await clock.advance(50);
    expect(queue.busy).toBe(1);
  });

  it('mean nothing for a key that is ready', async () => {
    const { clock, queue, handed, take } = bench();
    queue.add('a');
    queue.add('a', 100);
    await take(2);
    queue.done('a');
    await clock.advance(1000);
    expect(handed).toEqual(['a']);
  });

  it('run on while a key is worked on, and give one more run', async () => {
    const { clock, queue, handed, take } = bench();
    queue.add('a');
    await take(2);
    queue.add('a', 100);
    await clock.advance(1000);
    expect(handed).toEqual(['a']);
    queue.done('a');
    await flush();
    expect(handed).toEqual(['a', 'a']);
  });

  it('mean nothing for a key that is worked on and will come again anyway', async () => {
    const { clock, queue, handed, take } = bench();
    queue.add('a');
    await take(3);
    queue.add('a');
    queue.add('a', 100);
    queue.done('a');
    await flush();
    queue.done('a');
    await clock.advance(1000);
    expect(handed).toEqual(['a', 'a']);
  });
});

describe('retries in a work queue', () => {
  it('wait twice as long after each failure in a row, up to a maximum', async () => {
    const { clock, queue, take } = bench();
    const delays = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 60_000, 60_000];
    for (const delay of delays) {
      queue.retry('a');
      await clock.advance(delay - 1);
      expect(queue.busy, `before ${delay} ms`).toBe(0);
      await clock.advance(1);
      expect(queue.busy, `after ${delay} ms`).toBe(1);
      await take();
      queue.done('a');
    }
  });

  it('start over when the failures are forgotten, and each key has its own', async () => {
    const { clock, queue } = bench({ retryBaseMs: 100 });
    queue.retry('a');
    await clock.advance(100);
    queue.forget('a');
    queue.forget('b');
    queue.remove('a');
    queue.retry('a');
    queue.retry('b');
    await clock.advance(100);
    expect(queue.busy).toBe(2);
  });

  it('take first delay and maximum from their options', async () => {
    const { clock, queue } = bench({ retryBaseMs: 1000, retryMaxMs: 1500 });
    queue.retry('a');
    await clock.advance(1000);
    expect(queue.busy).toBe(1);
    queue.done(String(await queue.take()));
    queue.retry('a');
    await clock.advance(1499);
    expect(queue.busy).toBe(0);
    await clock.advance(1);
    expect(queue.busy).toBe(1);
  });

  it('never wait longer than the maximum, also after thousands of failures', async () => {
    const { clock, queue, take } = bench();
    for (let failure = 0; failure < 5000; failure += 1) queue.retry('a');
    await clock.advance(5);
    await take();
    queue.done('a');
    queue.retry('a');
    await clock.advance('59999ms');
    expect(queue.busy).toBe(0);
    await clock.advance(1);
    expect(queue.busy).toBe(1);
  });
});

describe('priorities in a work queue', () => {
  it('come before the order of arrival, and go along with delays and retries', async () => {
    const { clock, queue, handed, take } = bench();
    queue.add('first');
    queue.add('low', 0, { priority: LOW_PRIORITY });
    queue.add('later', 10, { priority: 5 });
    queue.retry('failed', { priority: 7 });
    await clock.advance(10);
    await take(4);
    expect(handed).toEqual(['failed', 'later', 'first', 'low']);
  });
});

describe('leaving a work queue', () => {
  it('removes a key in every way but the work on it', async () => {
    const { clock, queue, handed, take } = bench({ retryBaseMs: 100 });
    queue.add('ready');
    queue.add('later', 100);
    queue.retry('failed');
    for (const key of ['ready', 'later', 'failed', 'unknown']) queue.remove(key);
    expect([queue.busy, queue.delayed, clock.waiting]).toEqual([0, 0, 0]);
    queue.add('a');
    await take(2);
    queue.add('a');
    queue.remove('a');
    expect(queue.busy).toBe(1);
    queue.done('a');
    await clock.advance(1000);
    expect(handed).toEqual(['a']);
    queue.add('a');
    await flush();
    expect(handed).toEqual(['a', 'a']);
  });

  it('tells when nothing is ready or worked on; what waits for its time does not count', async () => {
    const { queue, take } = bench();
    await queue.idle();
    queue.add('later', 100);
    await queue.idle();
    queue.add('a');
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    await take();
    queue.add('a');
    queue.done('a');
    await take();
    expect(isIdle).toBe(false);
    queue.done('a');
    await flush();
    expect(isIdle).toBe(true);
  });

  it('tells that nothing is left also when the last key was removed', async () => {
    const { queue } = bench();
    queue.add('a');
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    queue.remove('a');
    await flush();
    expect(queue.busy).toBe(0);
    expect(isIdle).toBe(true);
  });

  it('gives nothing to anybody once it is closed, and leaves no timer', async () => {
    const { clock, queue, handed, take } = bench();
    await take(2);
    queue.add('a');
    await flush();
    queue.add('a');
    queue.add('later', 100);
    queue.retry('failed');
    queue.close();
    queue.close();
    expect(clock.waiting).toBe(0);
    await take();
    expect(handed).toEqual(['a', undefined, undefined]);
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    for (const key of ['a', 'b']) queue.add(key);
    queue.add('c', 10);
    queue.retry('d');
    await flush();
    expect([queue.busy, queue.delayed, isIdle]).toEqual([1, 0, false]);
    queue.done('a');
    await take();
    expect([queue.busy, queue.delayed, isIdle]).toEqual([0, 0, true]);
    expect(handed).toEqual(['a', undefined, undefined, undefined]);
  });

  it('drops what is ready when it is closed', async () => {
    const { queue, handed, take } = bench();
    queue.add('a');
    const idle = queue.idle();
    queue.close();
    await idle;
    await take();
    expect(handed).toEqual([undefined]);
  });
});

/** The queue as one would write it with no thought of speed: lists, and a look at each of them. */
class NaiveQueue {
  readonly ready: string[] = [];
  readonly working: string[] = [];
  readonly again: string[] = [];
  waiting: { readonly key: string; readonly due: number; readonly order: number }[] = [];
  readonly failures: Record<string, number> = {};
  readonly handed: (string | undefined)[] = [];
  takers = 0;
  now = 0;
  order = 0;
  closed = false;

  add(key: string, afterMs: number): void {
    if (this.closed) return;
    const due = this.now + Math.max(0, afterMs);
    const others = this.waiting.filter((each) => each.key !== key);
    const known = this.waiting.find((each) => each.key === key);
    if (due > this.now) {
      if (this.ready.includes(key) || (known !== undefined && known.due <= due)) return;
      this.order += 1;
      this.waiting = [...others, { key, due, order: this.order }];
      return;
    }
    this.waiting = others;
    if (this.working.includes(key)) {
      if (!this.again.includes(key)) this.again.push(key);
      return;
    }
    if (!this.ready.includes(key)) this.ready.push(key);
    this.hand();
  }

  retry(key: string): void {
    this.failures[key] = (this.failures[key] ?? 0) + 1;
    let delay = BASE_MS;
    for (let failure = 1; failure < (this.failures[key] ?? 0); failure += 1) delay *= 2;
    this.add(key, Math.min(delay, MAX_MS));
  }

  take(): void {
    if (this.closed) this.handed.push(undefined);
    else this.takers += 1;
    this.hand();
  }

  done(key: string): void {
    drop(this.working, key);
    if (!drop(this.again, key) || this.closed) return;
    this.ready.push(key);
    this.hand();
  }

  forget(key: string): void {
    this.failures[key] = 0;
  }

  remove(key: string): void {
    drop(this.ready, key);
    drop(this.again, key);
    this.failures[key] = 0;
    this.waiting = this.waiting.filter((each) => each.key !== key);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.waiting.filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due || a.order - b.order);
      if (next === undefined) break;
      this.now = next.due;
      this.waiting = this.waiting.filter((each) => each !== next);
      this.add(next.key, 0);
    }
    this.now = end;
  }

  close(): void {
    this.closed = true;
    this.ready.length = 0;
    this.again.length = 0;
    this.waiting = [];
    for (; this.takers > 0; this.takers -= 1) this.handed.push(undefined);
  }

  hand(): void {
    while (this.takers > 0) {
      const key = this.ready.shift();
      if (key === undefined) return;
      this.takers -= 1;
      this.working.push(key);
      this.handed.push(key);
    }
  }
}

const BASE_MS = 5;
const MAX_MS = 100;

function drop(list: string[], key: string): boolean {
  const index = list.indexOf(key);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}

/** One step, on the real queue and on the naive one. */
class Step implements fc.AsyncCommand<NaiveQueue, Bench> {
  readonly #name: string;
  readonly #isPossible: (model: NaiveQueue) => boolean;
  readonly #act: (queue: NaiveQueue | WorkQueue) => void;
  readonly #advance: number;

  constructor(
    name: string,
    act: (queue: NaiveQueue | WorkQueue) => void,
    isPossible: (model: NaiveQueue) => boolean = () => true,
    advance = 0,
  ) {
    this.#name = name;
    this.#act = act;
    this.#isPossible = isPossible;
    this.#advance = advance;
  }

  check(model: Readonly<NaiveQueue>): boolean {
    return this.#isPossible(model);
  }

  async run(model: NaiveQueue, real: Bench): Promise<void> {
    if (this.#advance > 0) {
      model.advance(this.#advance);
      await real.clock.advance(this.#advance);
    } else if (this.#name === 'take') {
      model.take();
      await real.take();
    } else {
      this.#act(model);
      this.#act(real.queue);
      await flush();
    }
    expect(real.handed).toEqual(model.handed);
    expect(real.queue.busy).toBe(model.ready.length + model.working.length);
    expect(real.queue.delayed).toBe(model.waiting.length);
    // However many keys wait, one timer is enough.
    expect(real.clock.waiting).toBe(Math.min(1, model.waiting.length));
    expect(new Set(model.working).size).toBe(model.working.length);
  }

  toString(): string {
    return this.#name;
  }
}

describe('a work queue', () => {
  it('behaves as a naive one does, whatever is asked of it', { timeout: 60_000 }, async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const isNotComingAgain = (each: string) => (model: NaiveQueue) => !model.again.includes(each);
    const steps = [
      key.map((each) => new Step(`add ${each}`, (queue) => queue.add(each, 0))),
      fc
        .tuple(key, fc.integer({ min: 1, max: 50 }))
        .map(([each, ms]) => new Step(`add ${each} in ${ms}`, (queue) => queue.add(each, ms), isNotComingAgain(each))),
      key.map((each) => new Step(`retry ${each}`, (queue) => queue.retry(each), isNotComingAgain(each))),
      fc.constant(new Step('take', () => undefined)),
      key.map(
        (each) =>
          new Step(
            `done ${each}`,
            (queue) => queue.done(each),
            (model) => model.working.includes(each),
          ),
      ),
      key.map((each) => new Step(`forget ${each}`, (queue) => queue.forget(each))),
      key.map((each) => new Step(`remove ${each}`, (queue) => queue.remove(each))),
      fc.integer({ min: 1, max: 60 }).map(
        (ms) =>
          new Step(
            `advance ${ms}`,
            () => undefined,
            () => true,
            ms,
          ),
      ),
    ];
    const rarely = [fc.constant(new Step('close', (queue) => queue.close()))];
    const commands = fc.commands([...steps, ...steps, ...steps, ...rarely], { maxCommands: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        await fc.asyncModelRun(
          () => ({ model: new NaiveQueue(), real: bench({ retryBaseMs: BASE_MS, retryMaxMs: MAX_MS }) }),
          sequence,
        );
      }),
      { numRuns: 300 },
    );
  });
});
