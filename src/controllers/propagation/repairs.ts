import type { Clock } from '../../runtime/index.ts';
import type { ObjectId } from './object-id.ts';

/** So many times in a row a change by somebody else is put right at once; then somebody else means it. */
const AT_ONCE = 5;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

interface Series {
  /** What was wished for: another wish begins anew. */
  readonly wish: string;
  readonly times: number;
  readonly at: number;
}

/** Keeps two that want different things from writing over each other without end: repairs of the same thing come later and later. */
export class Repairs {
  readonly #clock: Clock;
  readonly #series = new Map<ObjectId, Series>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the next repair has to wait. */
  waitMs(id: ObjectId, wish: string): number {
    const series = this.#series.get(id);
    if (series === undefined || series.wish !== wish || series.times < AT_ONCE) return 0;
    return Math.max(0, series.at + delayAfter(series.times) - this.#clock.monotonic());
  }

  /** Takes a repair down. A quiet time ends the series. */
  made(id: ObjectId, wish: string): void {
    const at = this.#clock.monotonic();
    const series = this.#series.get(id);
    const goesOn = series?.wish === wish && at - series.at < 2 * Math.max(LONGEST_DELAY_MS, delayAfter(series.times));
    this.#series.set(id, { wish, times: goesOn ? series.times + 1 : 1, at });
  }

  forget(id: ObjectId): void {
    this.#series.delete(id);
  }
}

function delayAfter(times: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, times - AT_ONCE));
}
