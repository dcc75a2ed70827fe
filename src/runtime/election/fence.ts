import type { Clock } from '../clock.ts';

/**
 * The right to act, for as long as it lasts. It ends once and for all: whoever gets the right again gets another fence.
 *
 * It is judged by the time at which the last renewal that succeeded was *sent*: others reckon from when they see that renewal, which is later.
 * So it is over before anybody may take over, however slow the answers are and however late the timers.
 */
export interface Fence {
  /** Grows whenever the lease behind it changes hands (`leaseTransitions`). */
  readonly epoch: number;
  /** When it ends unless it is renewed: monotonic time of the clock, in milliseconds. */
  readonly expiresAt: number;
  /**
   * Fires when it is over. A timer may be late, as after a stall; so whoever reads `aborted` looks at the clock, as with {@link Fence.isValid}.
   */
  readonly signal: AbortSignal;
  /** Whether one may act at this moment. Every call looks at the clock. */
  isValid(): boolean;
}

const readAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get;

/** Makes a signal look before it says whether it has fired: adapters ask it before they send, also when all timers are late. */
export function watchful(signal: AbortSignal, look: () => void): AbortSignal {
  Object.defineProperty(signal, 'aborted', {
    configurable: true,
    get: () => {
      look();
      return readAborted?.call(signal) as boolean;
    },
  });
  return signal;
}

/** What a {@link Term} is made with. */
export interface TermOptions {
  readonly clock: Clock;
  readonly epoch: number;
  readonly expiresAt: number;
  /** Is called once, when it is over, after the signal has fired. */
  readonly onEnd?: () => void;
}

/** A fence that its maker can extend and end. */
export class Term implements Fence {
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #onEnd: (() => void) | undefined;
  #expiresAt: number;
  #isOver = false;
  #cancel = (): void => undefined;

  constructor({ clock, epoch, expiresAt, onEnd }: TermOptions) {
    this.epoch = epoch;
    this.#clock = clock;
    this.#expiresAt = expiresAt;
    this.#onEnd = onEnd;
    this.signal = watchful(this.#controller.signal, () => void this.isValid());
    this.#wait();
  }

  get expiresAt(): number {
    return this.#expiresAt;
  }

  isValid(): boolean {
    if (this.#isOver) return false;
    if (this.#clock.monotonic() < this.#expiresAt) return true;
    this.end('the lease was not renewed in time');
    return false;
  }

  /** Goes on until then; what is over stays over, and the result is false. */
  extend(expiresAt: number): boolean {
    if (!this.isValid()) return false;
    this.#expiresAt = Math.max(this.#expiresAt, expiresAt);
    return true;
  }

  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#controller.abort(new Error(reason));
    this.#onEnd?.();
  }

  /** One timer does for all renewals: when it fires too early, it waits for the rest. */
  #wait(): void {
    const rest = this.#expiresAt - this.#clock.monotonic();
    this.#cancel = this.#clock.after(Math.max(0, rest), () => {
      if (this.isValid()) this.#wait();
    });
  }
}
