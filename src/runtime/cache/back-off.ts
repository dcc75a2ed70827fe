import type { Clock } from '../clock.ts';

/** Delays after failures (client-go's reflector): 800 ms, doubled up to 30 s, each up to twice as long by chance; forgotten after 2 min. */
const FIRST_DELAY_MS = 800;
const LONGEST_DELAY_MS = 30_000;
const FORGET_AFTER_MS = 120_000;
/** A type that isn't served yet is often about to be: its CRD was just applied. */
const NOT_SERVED_DELAY_MS = 250;
const NOT_SERVED_LONGEST_MS = 10_000;

/** How long to wait after a failure. */
export class BackOff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #lastFailure = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  next(kind: 'back-off' | 'not-served'): number {
    const now = this.#clock.monotonic();
    if (now - this.#lastFailure > FORGET_AFTER_MS) this.#failures = 0;
    this.#lastFailure = now;
    const isMissing = kind === 'not-served';
    const [first, longest] = isMissing ? [NOT_SERVED_DELAY_MS, NOT_SERVED_LONGEST_MS] : [FIRST_DELAY_MS, LONGEST_DELAY_MS];
    const delay = Math.min(longest, first * 2 ** this.#failures);
    this.#failures += 1;
    return delay * (1 + this.#random());
  }
}
