import { sleep } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

describe('a virtual clock', () => {
  it('starts in 2026 unless told otherwise, and measures from there', async () => {
    const clock = new VirtualClock();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(clock.monotonic()).toBe(0);
    const other = new VirtualClock(1000);
    await other.advance(500);
    expect([other.now(), other.monotonic()]).toEqual([1500, 500]);
  });

  it('stands still until it is told to go on', async () => {
    const clock = new VirtualClock();
    const callback = vi.fn();
    clock.after(1, callback);
    await clock.settle();
    expect(clock.monotonic()).toBe(0);
    expect(callback).not.toHaveBeenCalled();
  });

  it.each<[number | string, number]>([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
    ['1m30s500ms', 90_500],
    ['1.5s', 1500],
  ])('goes on by %j', async (duration, ms) => {
    const clock = new VirtualClock();
    await clock.advance(duration);
    expect(clock.monotonic()).toBe(ms);
  });

  it.each(['', '5', '-5s', '5 s', '5d', 's', '1h-5m', 'soon', '1e3ms'])('does not understand %j', async (duration) => {
    const clock = new VirtualClock();
    await expect(clock.advance(duration)).rejects.toThrowError(
      new RangeError(`${JSON.stringify(duration)} is no duration: write it as in "90s" or "1h30m"`),
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('does not go on by %d', async (duration) => {
    const clock = new VirtualClock();
    await expect(clock.advance(duration)).rejects.toThrowError(RangeError);
    expect(clock.monotonic()).toBe(0);
  });

  it('never goes back when it is told to go on twice at the same time', async () => {
    const clock = new VirtualClock();
    clock.after(5, () => undefined);
    await Promise.all([clock.advance(10), clock.advance(100)]);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(100);
  });
});

describe('timers of a virtual clock', () => {
  it('fire in the order of their times, and those of one time in the order in which they were started', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    for (const [name, ms] of [
      ['c', 20],
      ['a', 10],
      ['d', 20],
      ['b', 10],
    ] as const)
      clock.after(ms, () => fired.push(name));
    await clock.advance(20);
    expect(fired).toEqual(['a', 'b', 'c', 'd']);
  });

  it('see their own time', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (const ms of [30, 10, 20]) clock.after(ms, () => seen.push(clock.monotonic()));
    await clock.advance(100);
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.monotonic()).toBe(100);
  });

  it('fire once, up to and including the end, and not behind it', async () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    for (const ms of [99, 100, 101]) clock.after(ms, () => fired.push(ms));
    expect(clock.waiting).toBe(3);
    await clock.advance(100);
    expect(fired).toEqual([99, 100]);
    expect(clock.waiting).toBe(1);
    await clock.advance(0);
    await clock.advance(1);
    expect(fired).toEqual([99, 100, 101]);
    expect(clock.waiting).toBe(0);
  });

  it('may start others, which fire within the same stretch of time', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const tick = (): void => {
      seen.push(clock.monotonic());
      clock.after(10, tick);
    };
    tick();
    await clock.advance(35);
    expect(seen).toEqual([0, 10, 20, 30]);
  });

  it('may be ended, also by one another, and more than once', async () => {
    const clock = new VirtualClock();
    const callback = vi.fn();
    const cancel = clock.after(20, callback);
    clock.after(10, () => cancel());
    clock.after(20, callback)();
    await clock.advance(100);
    cancel();
    expect(callback).not.toHaveBeenCalled();
    expect(clock.waiting).toBe(0);
  });

  it('wait for what the one before set off', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.after(10, () => {
      void (async () => {
        for (let step = 0; step < 50; step += 1) await Promise.resolve();
        order.push('set off by the first');
      })();
    });
    clock.after(10, () => order.push('the second'));
    await clock.advance(10);
    expect(order).toEqual(['set off by the first', 'the second']);
  });

  it('fire when no time at all is let pass, where they are due', async () => {
    const clock = new VirtualClock();
    const callback = vi.fn();
    clock.after(0, callback);
    clock.after(-100, callback);
    await clock.advance(0);
    expect(callback).toHaveBeenCalledTimes(2);
    expect(clock.monotonic()).toBe(0);
  });

  it('fire also when the clock is only let settle, where they are due: they need no time', async () => {
    const clock = new VirtualClock();
    const callback = vi.fn();
    clock.after(0, callback);
    await clock.settle();
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('let whoever lets time pass know that they threw, and leave the others where they were', async () => {
    const clock = new VirtualClock();
    const callback = vi.fn();
    clock.after(10, () => {
      throw new Error('boom in a timer');
    });
    clock.after(20, callback);
    await expect(clock.advance(100)).rejects.toThrowError('boom in a timer');
    expect(clock.monotonic()).toBe(10);
    await clock.advance(10);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('wake many sleepers, each at its own time, however they lie', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 0, max: 60 }), async (sleeps, end) => {
        const clock = new VirtualClock();
        const woken: [number, number][] = [];
        for (const [index, ms] of sleeps.entries()) void sleep(clock, ms).then(() => woken.push([clock.monotonic(), index]));
        await clock.advance(end);
        const expected = [...sleeps.entries()].filter(([, ms]) => ms <= end).toSorted(([a, x], [b, y]) => x - y || a - b);
        expect(woken).toEqual(expected.map(([index, ms]) => [ms, index]));
        expect(clock.waiting).toBe(sleeps.length - expected.length);
        expect(clock.monotonic()).toBe(end);
      }),
      { numRuns: 15 },
    );
  });
});
