import type { Clock } from '../../runtime/index.ts';

/** After failing for so long, what was seen last counts no more. */
const TOO_LONG_MS = 60_000;
/** A reflector tries again within a minute. Where nothing has failed for longer, its watch is open and quiet. */
const QUIET_MS = 75_000;

/** Which types a member lets nobody read, though it answers: nobody knows what has become of their objects. */
export class Blindness {
  readonly #clock: Clock;
  readonly #failures = new Map<number, { readonly first: number; readonly last: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The objects of a type could not be read. */
  fails(index: number): void {
    const now = this.#clock.monotonic();
    const before = this.#failures.get(index);
    const goesOn = before !== undefined && now - before.last < QUIET_MS;
    this.#failures.set(index, { first: goesOn ? before.first : now, last: now });
  }

  sees(index: number): void {
    this.#failures.delete(index);
  }

  isBlind(index: number): boolean {
    const failing = this.#failures.get(index);
    if (failing === undefined) return false;
    return failing.last - failing.first >= TOO_LONG_MS && this.#clock.monotonic() - failing.last < QUIET_MS;
  }
}
