import { getEventListeners } from 'node:events';
import { nextTurn, sleep, systemClock, timestamp } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const DAY_MS = 24 * 3600 * 1000;

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells the time of the machine, and measures on when the machine is set back', () => {
    vi.setSystemTime(DAY_MS);
    const before = systemClock.monotonic();
    expect(systemClock.now()).toBe(DAY_MS);
    vi.setSystemTime(0);
    expect(systemClock.now()).toBe(0);
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  it.each([
    ['a millisecond', 1],
    ['an hour', 3600 * 1000],
    ['the longest timer of JavaScript', 2 ** 31 - 1],
    ['one millisecond more than that', 2 ** 31],
    ['100 days', 100 * DAY_MS],
  ])('calls back once after %s, and not before', (_, ms) => {
    const callback = vi.fn();
    systemClock.after(ms, callback);
    vi.advanceTimersByTime(ms - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it.each([0, -5])('calls back soon, but never from within the call, after %i ms', (ms) => {
    const callback = vi.fn();
    systemClock.after(ms, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('does not call back for a timer that was ended, also not one that is cut into pieces', () => {
    const callback = vi.fn();
    systemClock.after(10, callback)();
    const cancel = systemClock.after(100 * DAY_MS, callback);
    vi.advanceTimersByTime(60 * DAY_MS);
    cancel();
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('sleep', () => {
  it('resolves when its time has come, and leaves neither a timer nor a listener', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const done = vi.fn();
    const sleeping = sleep(clock, 100, controller.signal).then(done);
    await clock.advance(99);
    expect(done).not.toHaveBeenCalled();
    await clock.advance(1);
    await sleeping;
    expect(clock.waiting).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of its signal when that fires first', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = sleep(clock, 100, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.waiting).toBe(0);
  });

  it('does not start where its signal has fired already', async () => {
    const clock = new VirtualClock();
    const reason = new Error('enough');
    await expect(sleep(clock, 100, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(clock.waiting).toBe(0);
  });

  it('does without a signal', async () => {
    const clock = new VirtualClock();
    const sleeping = sleep(clock, 0);
    await clock.advance(0);
    await expect(sleeping).resolves.toBeUndefined();
  });
});

describe('nextTurn', () => {
  it('comes after everything that is ready, however long the chain', async () => {
    const order: string[] = [];
    const chain = async (): Promise<void> => {
      for (let step = 0; step < 100; step += 1) await Promise.resolve();
      order.push('chain');
    };
    const turn = nextTurn().then(() => order.push('turn'));
    await Promise.all([chain(), turn]);
    expect(order).toEqual(['chain', 'turn']);
  });
});

describe('timestamp', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [999, '1970-01-01T00:00:00Z'],
    [Date.UTC(2026, 10, 21, 15, 47, 34, 512), '2026-11-21T15:47:34Z'],
    [Date.UTC(2028, 1, 29), '2028-02-29T00:00:00Z'],
  ])('writes %i as %s', (ms, text) => {
    expect(timestamp(ms)).toBe(text);
  });

  it('can be read back to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
        expect(Date.parse(timestamp(ms))).toBe(ms - (ms % 1000));
      }),
    );
  });
});
