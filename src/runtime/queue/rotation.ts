/** Whoever takes turns in a {@link Rotation}. Only the rotation writes its fields. */
export interface Seat<T> {
  /** What its next turn costs, above 0. */
  readonly cost: number;
  /** What it has saved up for that. */
  credit: number;
  before: T | undefined;
  after: T | undefined;
}

/**
 * Deficit round-robin (Shreedhar and Varghese, 1996): whoever is at turn gets a quantum of credit, and spends it as long as it lasts; what is
 * left is kept as long as it stays. Whoever comes stands at the end of the round, and whoever leaves forfeits its credit. Nothing here depends on
 * how many there are that don't take part.
 */
export class Rotation<T extends Seat<T>> {
  readonly #quantum: number;
  #current: T | undefined;
  #size = 0;
  /** Whether the current seat has got its quantum. */
  #isServed = false;

  constructor(quantum: number) {
    this.#quantum = quantum;
  }

  has(seat: T): boolean {
    return seat.after !== undefined;
  }

  join(seat: T): void {
    if (this.has(seat)) return;
    const after = this.#current ?? seat;
    const before = after.before ?? seat;
    seat.after = after;
    seat.before = before;
    before.after = seat;
    after.before = seat;
    this.#current = after;
    this.#size += 1;
  }

  leave(seat: T): void {
    const { before, after } = seat;
    if (before === undefined || after === undefined) return;
    if (this.#current === seat) {
      this.#current = after === seat ? undefined : after;
      this.#isServed = false;
    }
    before.after = after;
    after.before = before;
    seat.before = undefined;
    seat.after = undefined;
    seat.credit = 0;
    this.#size -= 1;
  }

  /** Who is at turn, and pays for it; `undefined` where nobody takes part. */
  pick(): T | undefined {
    let passed = 0;
    for (let seat = this.#current; seat !== undefined; seat = this.#current) {
      if (!this.#isServed) seat.credit += this.#quantum;
      this.#isServed = true;
      if (seat.credit >= seat.cost) {
        seat.credit -= seat.cost;
        return seat;
      }
      this.#current = seat.after;
      this.#isServed = false;
      passed += 1;
      if (passed % this.#size === 0) this.#skipRounds(seat);
    }
    return undefined;
  }

  /** Nobody can pay: the rounds in which everybody only saves are added up instead of gone through. */
  #skipRounds(last: T): void {
    let rounds = Number.POSITIVE_INFINITY;
    this.#each(last, ({ cost, credit }) => {
      rounds = Math.min(rounds, Math.ceil((cost - credit) / this.#quantum) - 1);
    });
    if (rounds <= 0) return;
    this.#each(last, (seat) => {
      seat.credit += rounds * this.#quantum;
    });
  }

  #each(last: T, call: (seat: T) => void): void {
    let seat: T | undefined = last;
    do {
      call(seat);
      seat = seat.after;
    } while (seat !== undefined && seat !== last);
  }
}
