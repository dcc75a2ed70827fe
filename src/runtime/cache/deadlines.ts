import type { Clock } from '../clock.ts';

/**
 * Calls back once nothing has been heard for a while. Each watch has one timer, which looks at the time of the last sign when it fires: a sign
 * costs no more than to note the time.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #ms: number;
  #last: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ms: number, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#ms = ms;
    this.#last = clock.monotonic();
    this.#arm(ms);
  }

  /** Something was heard. */
  sign(): void {
    this.#last = this.#clock.monotonic();
  }

  /** From now on it lasts so long; for ever where that is infinite. */
  lasts(ms: number): void {
    this.stop();
    this.#ms = ms;
    this.sign();
    this.#arm(ms);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    if (!Number.isFinite(ms)) return;
    this.#cancel = this.#clock.after(ms, () => {
      const left = this.#last + this.#ms - this.#clock.monotonic();
      if (left > 0) this.#arm(left);
      else this.#onOver();
    });
  }
}
