import type { Cancel, Clock } from '../../runtime/time/index.ts';

/** A clock that shows another time than the one behind it, and ticks with it. */
export class SkewedClock implements Clock {
  readonly #clock: Clock;
  #offset = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts the clock forward by so many milliseconds, or back, until the result is disposed of. Several add up. */
  skew(ms: number): Disposable {
    this.#offset += ms;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (!isOver) this.#offset -= ms;
        isOver = true;
      },
    };
  }

  now(): number {
    return this.#clock.now() + this.#offset;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(ms: number, callback: () => void): Cancel {
    return this.#clock.after(ms, callback);
  }

  turn(): Promise<void> {
    return this.#clock.turn();
  }
}
