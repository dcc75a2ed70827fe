import type { Clock } from '../../runtime/index.ts';

/** After failing for so long, what was seen last counts no more. */
const TOO_LONG_MS = 60_000;
/** A type that isn't served for so long wasn't taken away by a proxy for a moment. */
const NOT_SERVED_TOO_LONG_MS = 15_000;
/** A reflector tries again within a minute. Where nothing has failed for longer, its watch is open and quiet. */
const QUIET_MS = 75_000;

interface Failing {
  readonly first: number;
  readonly last: number;
  readonly tooLongMs: number;
}

/** Which types a member lets nobody read, though it answers: nobody knows what has become of their objects. */
export class Blindness {
  readonly #clock: Clock;
  readonly #failures = new Map<number, Failing>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The objects of a type could not be read. */
  fails(index: number, why: 'not-served' | 'other'): void {
    const now = this.#clock.monotonic();
    const tooLongMs = why === 'not-served' ? NOT_SERVED_TOO_LONG_MS : TOO_LONG_MS;
    const before = this.#failures.get(index);
    const goesOn = before?.tooLongMs === tooLongMs && now - before.last < QUIET_MS;
    this.#failures.set(index, { first: goesOn ? before.first : now, last: now, tooLongMs });
  }

  sees(index: number): void {
    this.#failures.delete(index);
  }

  isBlind(index: number): boolean {
    const failing = this.#failures.get(index);
    if (failing === undefined) return false;
    return failing.last - failing.first >= failing.tooLongMs && this.#clock.monotonic() - failing.last < QUIET_MS;
  }
}
