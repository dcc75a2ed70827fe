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
 * The time doesn't grow with the number of seats, of which there are 2^53 − 1 at most: all but the last few are given at once.
 *
 * @returns seats in the order of the parties; none for anybody where nobody has votes.
 */
export function webster(seats: number, parties: readonly Party[], uid = ''): readonly number[] {
  const wanted = Math.min(seats, Number.MAX_SAFE_INTEGER);
  const votes = parties.map((party) => party.votes);
  let sum = 0;
  for (const each of votes) sum += each;
  if (!(sum > 0) || !(wanted > 0)) return votes.map(() => 0);
  const { fewer, more } = narrow(votes, sum, wanted);
  if (fewer.total < wanted) giveInOrder(fewer, more, votes, parties, wanted, isDescending(uid));
  return fewer.given;
}

/** Everybody's seats by all quotients above a bound. */
interface Above {
  readonly bound: number;
  readonly given: number[];
  readonly total: number;
}

/** So few quotients are put in order rather than told apart by one more bound. */
const FEW = 16;
/** More rounds aren't worth their time: what is left then is mostly equal, and no bound tells it apart. */
const ROUNDS = 6;
/** Bounds are this much farther than they have to be, in case they were rounded. */
const MARGIN = 1e-11;

/** Two bounds with the right number of seats between them: at most so many by the first, at least so many by the second. */
function narrow(votes: readonly number[], sum: number, seats: number): { readonly fewer: Above; readonly more: Above } {
  // A party has between half a seat fewer and half a seat more by a bound than votes / (2 × bound).
  const free = 2 * seats - votes.length;
  let fewer = above(votes, free > 0 ? (sum / free) * (1 + MARGIN) : Number.POSITIVE_INFINITY);
  let more = above(votes, (sum / (2 * seats + votes.length)) * (1 - MARGIN));
  for (let round = 0; round < ROUNDS && more.total - fewer.total > FEW; round += 1) {
    // The number of seats grows nearly evenly with the inverse of the bound.
    const part = (seats - fewer.total) / (more.total - fewer.total);
    const next = above(votes, 1 / (1 / fewer.bound + (1 / more.bound - 1 / fewer.bound) * part));
    if (next.total <= seats) fewer = next;
    else more = next;
    if (next.total === seats) break;
  }
  return { fewer, more };
}

function above(votes: readonly number[], bound: number): Above {
  const given = new Array<number>(votes.length).fill(0);
  let total = 0;
  for (let index = 0; index < votes.length; index += 1) {
    const each = votes[index] ?? 0;
    if (!(each > bound)) continue;
    let seats = Math.ceil((each / bound - 1) / 2);
    // That may be rounded; what counts is the quotient itself, as it is compared everywhere.
    if (!(each / (2 * seats - 1) > bound)) seats -= 1;
    else if (each / (2 * seats + 1) > bound) seats += 1;
    given[index] = seats;
    total += seats;
  }
  return { bound, given, total };
}

/** Puts the quotients between both bounds in order, and gives what is left by the first of them. */
function giveInOrder(
  { given, total }: Above,
  more: Above,
  votes: readonly number[],
  parties: readonly Party[],
  seats: number,
  descending: boolean,
): void {
  const next: { readonly index: number; readonly quotient: number; readonly seats: number }[] = [];
  for (let index = 0; index < given.length; index += 1) {
    const end = more.given[index] ?? 0;
    for (let held = given[index] ?? 0; held < end; held += 1) {
      next.push({ index, quotient: (votes[index] ?? 0) / (2 * held + 1), seats: held });
    }
  }
  next.sort((a, b) => {
    if (a.quotient !== b.quotient) return b.quotient - a.quotient;
    if (a.seats !== b.seats) return a.seats - b.seats;
    const order = compareText(parties[a.index]?.name ?? '', parties[b.index]?.name ?? '');
    return descending ? -order : order;
  });
  for (const { index } of next.slice(0, seats - total)) given[index] = (given[index] ?? 0) + 1;
}

/** FNV-1a of the text, 32 bits: odd or not. */
function isDescending(uid: string): boolean {
  let hash = 0x811c9dc5 | 0;
  for (const byte of utf8(uid)) hash = Math.imul(hash ^ byte, 0x01000193);
  return uid !== '' && (hash & 1) === 1;
}
