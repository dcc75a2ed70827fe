import type { Cancel, Clock } from '../clock.ts';
import type { GaugeDefinition, GaugeReading, GaugeSource } from './gauges.ts';
import type { HealthCheck } from './health.ts';

/** What {@link LoopLag} is made with. */
export interface LoopLagOptions {
  readonly clock: Clock;
  /** How often it looks, in milliseconds: what holds the loop up for less may not be seen. Default 100. */
  readonly everyMs?: number;
}

/** What became late, in milliseconds, over the last minute. */
export interface Lag {
  readonly maxMs: number;
  readonly averageMs: number;
}

/** What was seen in one second. */
interface Second {
  /** Which second, counted from the clock's beginning. */
  at: number;
  max: number;
  sum: number;
  count: number;
}

const SECONDS = 60;
const LAG = {
  max: {
    name: 'clusterset_event_loop_lag_max_seconds',
    help: 'How late the latest timer of the last minute was.',
    labelNames: [],
    together: 'max',
  },
  average: {
    name: 'clusterset_event_loop_lag_average_seconds',
    help: 'How late timers of the last minute were on average.',
    labelNames: [],
    together: 'max',
  },
} as const satisfies Record<string, GaugeDefinition>;

/**
 * How far the event loop lags behind: how late timers fire, over the last minute. A program that computes for seconds on end renews no lease
 * and answers no probe meanwhile; this is where it can be seen. Give it to `collectGauges`, and its {@link LoopLag.check} to `readyz`.
 */
export class LoopLag implements GaugeSource {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #ring: Second[] = Array.from({ length: SECONDS }, () => ({ at: Number.NEGATIVE_INFINITY, max: 0, sum: 0, count: 0 }));
  /** When the next timer should fire; nothing while it doesn't look. */
  #due: number | undefined;

  constructor({ clock, everyMs = 100 }: LoopLagOptions) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Looks until the signal fires. Starting it twice has no effect. */
  start(signal: AbortSignal): void {
    if (this.#due !== undefined || signal.aborted) return;
    let cancel: Cancel;
    const look = (): void => {
      const now = this.#clock.monotonic();
      this.#saw(now, Math.max(0, now - (this.#due ?? now)));
      wait();
    };
    const wait = (): void => {
      this.#due = this.#clock.monotonic() + this.#everyMs;
      cancel = this.#clock.after(this.#everyMs, look);
    };
    wait();
    signal.addEventListener(
      'abort',
      () => {
        cancel();
        this.#due = undefined;
      },
      { once: true },
    );
  }

  /** The lag of the last minute. A timer that should have fired by now counts, too: who asks may come before it. */
  lag(): Lag {
    const now = this.#clock.monotonic();
    const oldest = Math.floor(now / 1000) - SECONDS;
    const late = this.#due === undefined ? 0 : Math.max(0, now - this.#due);
    let [max, sum, count] = late > 0 ? [late, late, 1] : [0, 0, 0];
    for (const second of this.#ring) {
      if (second.at <= oldest) continue;
      max = Math.max(max, second.max);
      sum += second.sum;
      count += second.count;
    }
    return { maxMs: max, averageMs: count === 0 ? 0 : sum / count };
  }

  /**
   * Fails where the lag of the last minute was longer than so many milliseconds on average. One long pause, as for a large list, doesn't make a
   * program unready.
   */
  check(thresholdMs: number): HealthCheck {
    return () => {
      const { averageMs } = this.lag();
      if (averageMs <= thresholdMs) return;
      throw new Error(`the event loop lags ${Math.round(averageMs)} ms behind, more than ${thresholdMs} ms`);
    };
  }

  /** The longest lag of the last minute, and the average. */
  *gauges(): Iterable<GaugeReading> {
    const { maxMs, averageMs } = this.lag();
    yield { gauge: LAG.max, labels: {}, value: maxMs / 1000 };
    yield { gauge: LAG.average, labels: {}, value: averageMs / 1000 };
  }

  #saw(now: number, lateMs: number): void {
    const at = Math.floor(now / 1000);
    const second = this.#ring[at % SECONDS];
    if (second === undefined) return;
    if (second.at !== at) Object.assign(second, { at, max: 0, sum: 0, count: 0 });
    second.max = Math.max(second.max, lateMs);
    second.sum += lateMs;
    second.count += 1;
  }
}
