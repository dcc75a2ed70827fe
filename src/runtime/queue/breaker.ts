import type { Agenda, Due } from './agenda.ts';

/** `closed`: all is well. `open`: nothing goes out. `half-open`: one probe goes out. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** When a breaker opens, and for how long. */
export interface BreakerOptions {
  /** Failures in a row that open it. Default 5. */
  readonly failures?: number;
  /** How long it stays open at first, in milliseconds; twice as long after each probe that fails. Default 1,000. */
  readonly firstMs?: number;
  /** The longest it stays open, in milliseconds. Default 30,000: the longest that client-go's reflector waits before it tries again. */
  readonly longestMs?: number;
}

/** A breaker of one cluster. It knows of outcomes and of time only; who is held back meanwhile is up to its owner. */
export class Breaker implements Due {
  readonly #agenda: Agenda;
  readonly #options: Required<BreakerOptions>;
  readonly #random: () => number;
  readonly #onChange: (state: BreakerState) => void;
  at = -1;
  due = 0;
  order = 0;
  #state: BreakerState = 'closed';
  #failures = 0;
  /** How often in a row it was opened. */
  #openings = 0;

  constructor(agenda: Agenda, options: Required<BreakerOptions>, random: () => number, onChange: (state: BreakerState) => void) {
    this.#agenda = agenda;
    this.#options = options;
    this.#random = random;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The cluster has answered, whoever asked it: what failed before is over. */
  succeeded(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#agenda.drop(this);
    this.#become('closed');
  }

  /** The cluster didn't answer. While it is open, that is a run which began before, and nothing new. */
  failed(): void {
    if (this.#state === 'open') return;
    this.#failures += 1;
    // A probe comes on top of the failures that opened it: those are forgotten only when the cluster answers.
    if (this.#failures < this.#options.failures) return;
    const { firstMs, longestMs } = this.#options;
    const longest = Math.min(longestMs, firstMs * 2 ** this.#openings);
    this.#openings += 1;
    this.#agenda.put(this, this.#agenda.now() + longest * (0.5 + 0.5 * this.#random()));
    this.#become('open');
  }

  /** Lets a probe out before the time has come. */
  tryNow(): void {
    if (this.#state !== 'open') return;
    this.#agenda.drop(this);
    this.#become('half-open');
  }

  /** The time has come. */
  come(): void {
    this.#become('half-open');
  }

  #become(state: BreakerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onChange(state);
  }
}
