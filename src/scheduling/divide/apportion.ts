import { compareText } from '../../kube/index.ts';

/** Somebody who gets seats between two bounds. */
export interface Bidder {
  readonly name: string;
  /** Not negative. Whoever weighs nothing gets no more than the least. */
  readonly weight: number;
  /** `0 ≤ least ≤ most`; `most` may be `Infinity`. */
  readonly least: number;
  readonly most: number;
  /** What it has now: of seats with equal claims those are given first that stay where they are. */
  readonly held: number;
}

/**
 * Divides seats by weight after Webster (Sainte-Laguë) between the bounds of each bidder.
 *
 * Every seat has a claim, `weight / (2 × seats before it + 1)`, and the seats with the largest claims are given; of equal claims first those
 * that somebody holds already, then by weight, then by name. As claims of one bidder fall from seat to seat, the result is the one with the least
 * distance to the quotas (`Σ (seats − quota)² / weight`), and whoever divides one seat more, from that result on, takes from nobody.
 *
 * The time doesn't grow with the number of seats. Exact as long as `weight × (2 × seats + 1)` stays below 2^52.
 *
 * @returns seats in the order of the bidders: together `total`, or less where nobody may take more. All of `least` is given in any case.
 */
export function apportion(total: number, bidders: readonly Bidder[]): number[] {
  // A hair above the level, so that none of the seats is given whose claims are equal to it: their order is the queue's business.
  const level = waterLevel(total, bidders) * (1 + 1e-12);
  const seats = bidders.map(({ weight, least, most }) =>
    clip(Math.ceil((weight / level - 1) / 2), least, weight > 0 ? most : least),
  );
  let rest = total - seats.reduce((sum, each) => sum + each, 0);
  if (rest > 0) {
    const queue = new Queue(bidders, seats, 1);
    for (; rest > 0 && queue.step(); rest -= 1);
  } else if (rest < 0) {
    const queue = new Queue(bidders, seats, -1);
    for (; rest < 0 && queue.step(); rest += 1);
  }
  return seats;
}

function clip(value: number, least: number, most: number): number {
  // Not Math.max: what can't be counted, since nobody weighs anything, is the least.
  return value > least ? Math.min(value, most) : least;
}

/**
 * The claim at which seats would sum up to the total, if they could be divided: seats with larger claims are as good as given. Bounds are found out
 * after Bitran and Hax ("Disaggregation and resource allocation using convex knapsack problems", 1981): in each round either all are
 * fixed that reach above their bound, or all that fall below, whichever weighs more; few rounds are needed.
 */
function waterLevel(total: number, bidders: readonly Bidder[]): number {
  let level = Number.POSITIVE_INFINITY;
  let open = bidders.filter(({ weight, least, most }) => weight > 0 && most > least);
  // What of `total` the open ones share, their minimums included.
  let rest = total - leastOf(bidders) + leastOf(open);
  while (open.length > 0 && rest > 0) {
    level = weightOf(open) / (2 * rest);
    const bound = areTooHigh(open, level) ? 'most' : 'least';
    const others = open.filter((bidder) => !isBeyond(bidder, level, bound));
    if (others.length === open.length) break;
    for (const bidder of open) if (isBeyond(bidder, level, bound)) rest -= bidder[bound];
    open = others;
  }
  return level;
}

function isBeyond({ weight, least, most }: Bidder, level: number, bound: 'least' | 'most'): boolean {
  const quota = weight / (2 * level);
  return bound === 'most' ? quota > most : quota < least;
}

function leastOf(bidders: readonly Bidder[]): number {
  let sum = 0;
  for (const { least } of bidders) sum += least;
  return sum;
}

function weightOf(bidders: readonly Bidder[]): number {
  let sum = 0;
  for (const { weight } of bidders) sum += weight;
  return sum;
}

/** Whether quotas reach above the bounds by more than they fall below them. */
function areTooHigh(bidders: readonly Bidder[], level: number): boolean {
  let excess = 0;
  let isAnyAbove = false;
  for (const { weight, least, most } of bidders) {
    const quota = weight / (2 * level);
    if (quota > most) {
      excess += quota - most;
      isAnyAbove = true;
    } else if (quota < least) excess -= least - quota;
  }
  return isAnyAbove && excess >= 0;
}

/** A heap of bidders: on top whose next seat has the largest claim (`way` 1), or whose last one the smallest (−1). */
class Queue {
  readonly #bidders: readonly Bidder[];
  readonly #seats: number[];
  readonly #way: 1 | -1;
  readonly #claims: Float64Array;
  readonly #heap: number[] = [];

  constructor(bidders: readonly Bidder[], seats: number[], way: 1 | -1) {
    this.#bidders = bidders;
    this.#seats = seats;
    this.#way = way;
    this.#claims = new Float64Array(bidders.length);
    for (let index = 0; index < bidders.length; index += 1) {
      this.#claims[index] = this.#claimOf(index);
      if (this.#mayMove(index)) this.#heap.push(index);
    }
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  /** Gives the next seat, or takes the last one. False where nobody may get or give one. */
  step(): boolean {
    const index = this.#heap[0];
    if (index === undefined) return false;
    this.#seats[index] = (this.#seats[index] ?? 0) + this.#way;
    if (this.#mayMove(index)) {
      this.#claims[index] = this.#claimOf(index);
    } else {
      const last = this.#heap.pop();
      if (last === undefined || this.#heap.length === 0) return true;
      this.#heap[0] = last;
    }
    this.#sink(0);
    return true;
  }

  #mayMove(index: number): boolean {
    const bidder = this.#bidders[index];
    const seats = this.#seats[index] ?? 0;
    if (bidder === undefined || bidder.weight <= 0) return false;
    return this.#way === 1 ? seats < bidder.most : seats > bidder.least;
  }

  /** Which seat is in question, counted from 0. */
  #seatOf(index: number): number {
    const seats = this.#seats[index] ?? 0;
    return this.#way === 1 ? seats : seats - 1;
  }

  #claimOf(index: number): number {
    return (this.#bidders[index]?.weight ?? 0) / (2 * this.#seatOf(index) + 1);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const index = heap[from] ?? 0;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] ?? 0, heap[child] ?? 0)) child += 1;
      if (!this.#isBefore(heap[child] ?? 0, index)) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = index;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#claims[a] ?? 0) - (this.#claims[b] ?? 0);
    if (difference !== 0) return difference > 0 === (this.#way === 1);
    return this.#isPreferred(a, b) === (this.#way === 1);
  }

  /** Of seats with equal claims. */
  #isPreferred(a: number, b: number): boolean {
    const [x, y] = [this.#bidders[a], this.#bidders[b]];
    if (x === undefined || y === undefined) return false;
    const staysX = x.held > this.#seatOf(a);
    const staysY = y.held > this.#seatOf(b);
    if (staysX !== staysY) return staysX;
    return x.weight === y.weight ? compareText(x.name, y.name) < 0 : x.weight > y.weight;
  }
}
