import { type Clock, collectGauges, LoopLag, Metrics } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { sampleOf } from './prometheus-text.ts';

/** A loop that can be held up: the next timer fires so much later. */
function heldUp() {
  const clock = new VirtualClock();
  let late = 0;
  const slow: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) => {
      const by = late;
      late = 0;
      return clock.after(ms + by, callback);
    },
    turn: () => clock.turn(),
  };
  const end = new AbortController();
  const lag = new LoopLag({ clock: slow });
  lag.start(end.signal);
  return {
    clock,
    lag,
    end,
    /** Holds the loop up once, and lets that be over. */
    async hold(ms: number) {
      late = ms;
      // The timer that is running already comes first.
      await clock.advance(100 + 100 + ms);
    },
  };
}

/** A clock whose timers nobody lets fire. */
function stopped(clock: Clock): Clock {
  return { now: () => clock.now(), monotonic: () => clock.monotonic(), after: () => () => undefined, turn: () => clock.turn() };
}

describe('the lag of the event loop', () => {
  it('is none where timers are on time', async () => {
    const { clock, lag, end } = heldUp();
    await clock.advance('2m');
    expect(lag.lag()).toEqual({ maxMs: 0, averageMs: 0 });
    end.abort();
  });

  it('is how late they are, at most and on average', async () => {
    const { clock, lag, end, hold } = heldUp();
    await clock.advance(700);
    await hold(400);
    // Seven on time, the one that was running, and the late one.
    expect(lag.lag()).toEqual({ maxMs: 400, averageMs: 400 / 9 });
    end.abort();
  });

  it('is forgotten after a minute', async () => {
    const { clock, lag, end, hold } = heldUp();
    await hold(400);
    await clock.advance('59s');
    expect(lag.lag().maxMs).toBe(400);
    await clock.advance('1s');
    expect(lag.lag()).toEqual({ maxMs: 0, averageMs: 0 });
    end.abort();
  });

  it('counts while it lasts, for whoever comes before the timer', async () => {
    const { clock, lag, end, hold } = heldUp();
    await hold(3000);
    expect(lag.lag()).toEqual({ maxMs: 3000, averageMs: 1500 });
    end.abort();
    // The clock may stand where the timer should have fired long ago: whoever asks then has come before it.
    const other = new AbortController();
    let late = 0;
    const early = new LoopLag({ clock: { ...stopped(clock), monotonic: () => clock.monotonic() + late } });
    early.start(other.signal);
    late = 1100;
    expect(early.lag()).toEqual({ maxMs: 1000, averageMs: 1000 });
    expect(() => early.check(999)(other.signal)).toThrow('the event loop lags 1000 ms behind, more than 999 ms');
    expect(() => early.check(1000)(other.signal)).not.toThrow();
    other.abort();
  });

  it('is looked for once, however often it is started, and no longer than the signal says', async () => {
    const { clock, lag, end } = heldUp();
    lag.start(end.signal);
    expect(clock.waiting).toBe(1);
    end.abort();
    expect(clock.waiting).toBe(0);
    await clock.advance('5s');
    expect(lag.lag()).toEqual({ maxMs: 0, averageMs: 0 });
    lag.start(end.signal);
    expect(clock.waiting).toBe(0);
  });

  it('is a gauge, in seconds', async () => {
    const { lag, end, hold } = heldUp();
    await hold(400);
    const metrics = new Metrics();
    collectGauges({ metrics, sources: () => [lag] });
    expect(sampleOf(metrics.text(), 'clusterset_event_loop_lag_max_seconds')).toBe(0.4);
    expect(sampleOf(metrics.text(), 'clusterset_event_loop_lag_average_seconds')).toBe(0.2);
    end.abort();
  });
});
