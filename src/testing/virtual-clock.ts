import { type Cancel, type Clock, milliseconds, nextTurn } from '../runtime/time/index.ts';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** 2026-01-01T00:00:00Z: where time starts unless told otherwise. */
const EPOCH = Date.UTC(2026, 0, 1);
/** Turns of the event loop after which whatever was set off by a timer has run as far as it can. */
const TURNS = 3;

/** In a healthy program few timers fire in one moment, even where thousands of objects are worked on. */
const MOST_AT_ONCE = 100_000;

/** A clock that stands still until it is told to go on. Everything that takes a {@link Clock} can be driven by it. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #start: number;
  #order = 0;
  readonly #timers = new Set<Timer>();
  /** How many wait for their next turn. */
  #resting = 0;

  constructor(start = EPOCH) {
    this.#now = start;
    this.#start = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(ms: number, callback: () => void): Cancel {
    this.#order += 1;
    const timer = { due: this.#now + Math.max(0, ms), order: this.#order, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass: timers fire in order, and what they set off runs before the next. */
  async advance(duration: number | string): Promise<void> {
    const end = this.#now + milliseconds(duration);
    await this.#turn();
    await this.#fire(end);
    this.#now = Math.max(this.#now, end);
  }

  /** Lets everything run that needs no time to pass. */
  async settle(): Promise<void> {
    await this.#turn();
    await this.#fire(this.#now);
  }

  async #fire(end: number): Promise<void> {
    let atOnce = 0;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      atOnce = timer.due > this.#now ? 0 : atOnce + 1;
      if (atOnce > MOST_AT_ONCE)
        throw new Error(`more than ${MOST_AT_ONCE} timers fired in one moment: something goes in circles`);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
      await this.#turn();
    }
  }

  async turn(): Promise<void> {
    this.#resting += 1;
    await nextTurn();
    this.#resting -= 1;
  }

  /** Goes on as long as somebody works, and only lets others have their turn. */
  async #turn(): Promise<void> {
    let taken = 0;
    for (let quiet = 0; quiet < TURNS; quiet = this.#resting > 0 ? 0 : quiet + 1) {
      await nextTurn();
      taken += 1;
      if (taken > MOST_AT_ONCE)
        throw new Error(`nothing has come to rest after ${MOST_AT_ONCE} turns: something goes in circles`);
    }
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer;
    }
    return first;
  }
}
