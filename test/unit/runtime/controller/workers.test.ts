import { ClustersetError, type ErrorCode } from 'clusterset/kube';
import { type Reconcile, runWorkers, sleep, systemClock, WorkQueue } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

interface Running {
  readonly clock: VirtualClock;
  readonly queue: WorkQueue;
  /** When which key was worked on. */
  readonly runs: [number, string][];
  readonly errors: [string, unknown][];
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

const running: Running[] = [];

function start(
  reconcile: Reconcile,
  options: { readonly workers?: number; readonly onError?: (key: string) => void } = {},
): Running {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock, retryBaseMs: 100, retryMaxMs: 10_000 });
  const stopping = new AbortController();
  const runs: Running['runs'] = [];
  const errors: Running['errors'] = [];
  const done = runWorkers({
    queue,
    signal: stopping.signal,
    workers: options.workers ?? 1,
    reconcile: (key, signal) => {
      runs.push([clock.monotonic(), key]);
      return reconcile(key, signal);
    },
    onError: (key, error) => {
      errors.push([key, error]);
      options.onError?.(key);
    },
  });
  // Whoever awaits it sees the failure; whoever doesn't must not be ended by it.
  done.catch(() => undefined);
  const self = { clock, queue, runs, errors, stopping, done };
  running.push(self);
  return self;
}

afterEach(async () => {
  for (const { stopping, done, clock } of running.splice(0)) {
    stopping.abort();
    await done.catch(() => undefined);
    expect(clock.waiting).toBe(0);
  }
});

const failing =
  (code: ErrorCode): Reconcile =>
  () =>
    Promise.reject(new ClustersetError({ code, message: 'no' }));

describe('what a reconcile says', () => {
  it('is nothing where there is nothing left to do', async () => {
    const { clock, queue, runs, errors } = start(async () => undefined);
    queue.add('a');
    await clock.advance('1h');
    expect(runs).toEqual([[0, 'a']]);
    expect(errors).toEqual([]);
  });

  it.each([
    ['a time after which it is called again', async () => ({ requeueAfterMs: 250 }) as const, [0, 250, 500, 750, 1000]],
    ['that it wants to be called later with every time', async () => ({ retry: true }) as const, [0, 100, 300, 700]],
  ])('may be %s', async (_, reconcile, times) => {
    const { clock, queue, runs, errors } = start(reconcile);
    queue.add('a');
    await clock.advance(1000);
    expect(runs.map(([at]) => at)).toEqual(times);
    expect(errors).toEqual([]);
  });

  it('may be that it wants to be called at once', async () => {
    let left = 3;
    const { clock, queue, runs } = start(async () => {
      left -= 1;
      return left > 0 ? { requeueAfterMs: 0 } : undefined;
    });
    queue.add('a');
    await clock.settle();
    expect(runs.map(([at]) => at)).toEqual([0, 0, 0]);
  });

  it.each<ErrorCode>(['Conflict', 'Unreachable', 'Timeout', 'TooManyRequests', 'InternalError', 'ServiceUnavailable', 'Expired'])(
    'is told, and tried again later with every failure, where it fails with %s',
    async (code) => {
      const { clock, queue, runs, errors } = start(failing(code));
      queue.add('a');
      await clock.advance(1000);
      expect(runs.map(([at]) => at)).toEqual([0, 100, 300, 700]);
      expect(errors.map(([key, error]) => [key, (error as ClustersetError).code])).toEqual(runs.map(() => ['a', code]));
    },
  );

  it.each<ErrorCode>(['Invalid', 'Forbidden', 'BadRequest', 'NotImplemented'])(
    'is told, but not tried again, where waiting does not mend %s',
    async (code) => {
      const { clock, queue, runs, errors } = start(failing(code));
      queue.add('a');
      await clock.advance('1h');
      expect(runs).toHaveLength(1);
      expect(errors).toHaveLength(1);
    },
  );

  it('is taken for a passing failure where the error is not ours', async () => {
    const { clock, queue, runs, errors } = start(() => Promise.reject(new TypeError('a slip')));
    queue.add('a');
    await clock.advance(300);
    expect(runs.map(([at]) => at)).toEqual([0, 100, 300]);
    expect(errors[0]?.[1]).toBeInstanceOf(TypeError);
  });

  it('is taken for a failure also where it throws before it gives a promise', async () => {
    const { clock, queue, runs, errors } = start(() => {
      throw new TypeError('a slip');
    });
    queue.add('a');
    await clock.advance(100);
    expect(runs).toHaveLength(2);
    expect(errors).toHaveLength(2);
  });

  it('is neither told nor tried again where the call was ended', async () => {
    const { clock, queue, runs, errors } = start(failing('Aborted'));
    queue.add('a');
    await clock.advance('1h');
    expect(runs).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it.each([
    ['success', undefined],
    ['a wish for another time', { requeueAfterMs: 50_000 }],
  ] as const)('lets failures be forgotten once it is %s', async (_, answer) => {
    let failures = 3;
    const { clock, queue, runs } = start(async () => {
      failures -= 1;
      if (failures === 0) return answer;
      throw new TypeError('a slip');
    });
    queue.add('a');
    await clock.advance(1000);
    queue.add('a');
    await clock.advance(100);
    expect(runs.map(([at]) => at)).toEqual([0, 100, 300, 1000, 1100]);
  });

  it('brings a key once more that was added meanwhile', async () => {
    const { clock, queue, runs } = start(async () => {
      await sleep(clock, 100);
      return undefined;
    });
    queue.add('a');
    await clock.advance(50);
    for (let time = 0; time < 5; time += 1) queue.add('a');
    await clock.advance(1000);
    expect(runs).toEqual([
      [0, 'a'],
      [100, 'a'],
    ]);
  });

  it('is worth the same where nobody can hear of its errors: other keys are worked on, and it is tried again', async () => {
    const { clock, queue, runs } = start(
      (key) => (key === 'a' ? Promise.reject(new TypeError('a slip')) : Promise.resolve(undefined)),
      {
        onError: () => {
          throw new Error('the log is full');
        },
      },
    );
    queue.add('a');
    queue.add('b');
    await clock.advance(100);
    expect(runs.map(([, key]) => key)).toEqual(['a', 'b', 'a']);
  });
});

describe('workers with much in hand', () => {
  it('let timers and answers have their turn', async () => {
    const queue = new WorkQueue({ clock: systemClock });
    const stopping = new AbortController();
    const working = runWorkers({ queue, workers: 4, signal: stopping.signal, reconcile: async () => undefined });
    for (let key = 0; key < 1000; key += 1) queue.add(String(key));
    let turns = 0;
    for (; queue.busy > 0; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(turns).toBeGreaterThan(10);
    stopping.abort();
    await working;
  });
});

describe('workers', () => {
  it('work on as many keys at once as there are workers', async () => {
    let now = 0;
    let most = 0;
    const { clock, queue, runs } = start(
      async () => {
        now += 1;
        most = Math.max(most, now);
        await sleep(clock, 100);
        now -= 1;
        return undefined;
      },
      { workers: 3 },
    );
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) queue.add(key);
    await clock.advance(1000);
    expect(most).toBe(3);
    expect(runs.map(([at]) => at)).toEqual([0, 0, 0, 100, 100, 100, 200]);
  });

  it('let what is under way finish when the signal fires, and start nothing new', async () => {
    const finished: string[] = [];
    const seen: boolean[] = [];
    const { clock, queue, runs, stopping, done } = start(async (key, signal) => {
      await sleep(clock, 100);
      seen.push(signal.aborted);
      finished.push(key);
      return { retry: true };
    });
    queue.add('a');
    queue.add('b');
    await clock.advance(50);
    stopping.abort();
    let isOver = false;
    void done.then(() => {
      isOver = true;
    });
    await clock.settle();
    expect(isOver).toBe(false);
    await clock.advance(50);
    expect(isOver).toBe(true);
    expect([finished, seen]).toEqual([['a'], [true]]);
    await clock.advance('1h');
    expect(runs).toHaveLength(1);
  });

  it('do not begin where the signal has fired already', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue({ clock });
    queue.add('a');
    const runs: string[] = [];
    await runWorkers({
      queue,
      signal: AbortSignal.abort(),
      reconcile: async (key) => {
        runs.push(key);
        return undefined;
      },
    });
    expect(runs).toEqual([]);
  });

  it('do not take for an error that the signal ended a reconcile', async () => {
    const { clock, queue, errors, stopping, done } = start(async (_, signal) => {
      await sleep(clock, 1000, signal);
      return undefined;
    });
    queue.add('a');
    await clock.settle();
    stopping.abort();
    await done;
    expect(errors).toEqual([]);
  });

  it('never work on one key side by side, and look at each after its last change, whatever the interleaving', async () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.integer({ min: 0, max: 30 }) });
    const durations = fc.infiniteStream(fc.integer({ min: 0, max: 40 }));
    const outcomes = fc.infiniteStream(fc.constantFrom('fine', 'fine', 'fails', 'again'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        durations,
        outcomes,
        async (steps, workers, duration, outcome) => {
          const now = new Set<string>();
          const violations: string[] = [];
          const lastRun = new Map<string, number>();
          const lastChange = new Map<string, number>();
          let isCalm = false;
          const { clock, queue } = start(
            async (key) => {
              if (now.has(key)) violations.push(`${key} is worked on twice`);
              now.add(key);
              if (now.size > workers) violations.push(`${now.size} keys are worked on`);
              lastRun.set(key, clock.monotonic());
              await sleep(clock, duration.next().value ?? 0);
              now.delete(key);
              const next = isCalm ? 'fine' : outcome.next().value;
              if (next === 'fails') throw new TypeError('a slip');
              return next === 'again' ? { requeueAfterMs: 10 } : undefined;
            },
            { workers },
          );
          for (const { key, afterMs } of steps) {
            await clock.advance(afterMs);
            lastChange.set(key, clock.monotonic());
            queue.add(key);
          }
          isCalm = true;
          await clock.advance('15s');
          expect(violations).toEqual([]);
          expect([queue.busy, queue.delayed]).toEqual([0, 0]);
          for (const [key, at] of lastChange) expect(lastRun.get(key)).toBeGreaterThanOrEqual(at);
        },
      ),
      { numRuns: 12 },
    );
  });
});
