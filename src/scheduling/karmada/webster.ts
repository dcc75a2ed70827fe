import { compareText, utf8 } from '../../kube/index.ts';

/** Somebody who gets seats by votes. */
export interface Party {
  readonly name: string;
  /** Not negative. */
  readonly votes: number;
}

/**
 * Divides seats by votes after Webster (Sainte-Laguë), as Karmada does since v1.16: seats go, one after the other, to the party with the largest
 * `votes / (2 × seats + 1)`; of equal ones to the party with fewer seats, then to the first by name, or to the last where a hash of `uid` is
 * odd, so that many small workloads don't all begin with the same cluster. Growing the number of seats never takes one from anybody.
 *
 * The time doesn't grow with the number of seats: all but the last few are given at once.
 *
 * @returns seats in the order of the parties; none for anybody where nobody has votes.
 */
export function webster(seats: number, parties: readonly Party[], uid = ''): readonly number[] {
  const given = parties.map(() => 0);
  const sum = parties.reduce((votes, party) => votes + party.votes, 0);
  if (!(sum > 0) || !(seats > 0)) return given;
  let rest = seats - giveCertain(given, parties, seats, sum);
  const queue = new Queue(parties, given, isDescending(uid));
  for (; rest > 0; rest -= 1) queue.giveOne();
  return given;
}

/**
 * The seats that everybody has in any case: all quotients above a bound that more than `seats` of them can't be above. One of each party is
 * left to be given in order, in case the bound was rounded.
 */
function giveCertain(given: number[], parties: readonly Party[], seats: number, sum: number): number {
  const usable = seats - parties.length / 2;
  if (usable <= 0) return 0;
  const bound = sum / (2 * usable);
  let total = 0;
  for (let index = 0; index < parties.length; index += 1) {
    const above = Math.ceil(((parties[index]?.votes ?? 0) / bound - 1) / 2);
    given[index] = Math.max(0, above - 1);
    total += given[index] ?? 0;
  }
  return total;
}

/** FNV-1a of the text, 32 bits: odd or not. */
function isDescending(uid: string): boolean {
  let hash = 0x811c9dc5 | 0;
  for (const byte of utf8(uid)) hash = Math.imul(hash ^ byte, 0x01000193);
  return uid !== '' && (hash & 1) === 1;
}

/** A heap of parties: on top who gets the next seat. */
class Queue {
  readonly #parties: readonly Party[];
  readonly #given: number[];
  readonly #descending: boolean;
  readonly #quotients: number[];
  readonly #heap: number[];

  constructor(parties: readonly Party[], given: number[], descending: boolean) {
    this.#parties = parties;
    this.#given = given;
    this.#descending = descending;
    this.#quotients = parties.map(({ votes }, index) => votes / (2 * (given[index] ?? 0) + 1));
    this.#heap = parties.map((_, index) => index);
    for (let at = (parties.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  giveOne(): void {
    const index = this.#heap[0] ?? 0;
    const seats = (this.#given[index] ?? 0) + 1;
    this.#given[index] = seats;
    this.#quotients[index] = (this.#parties[index]?.votes ?? 0) / (2 * seats + 1);
    this.#sink(0);
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
    const difference = (this.#quotients[b] ?? 0) - (this.#quotients[a] ?? 0);
    if (difference !== 0) return difference < 0;
    const seats = (this.#given[a] ?? 0) - (this.#given[b] ?? 0);
    if (seats !== 0) return seats < 0;
    const order = compareText(this.#parties[a]?.name ?? '', this.#parties[b]?.name ?? '');
    return this.#descending ? order > 0 : order < 0;
  }
}
