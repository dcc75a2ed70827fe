import type { OrdinalRange } from './ordinals.ts';

/** With how many clusters the fewest moves are found for certain. The work doubles with each. */
const MOST_EXACT = 12;

interface Share {
  readonly cluster: string;
  readonly replicas: number;
}

/**
 * The order of shares in which the most ordinals stay where they are. Of several such orders the first, as the shares are given; with more than
 * {@link MOST_EXACT} shares the given order.
 *
 * Where a cluster begins depends only on which clusters stand before it, not on their order, so that the best order of each set of clusters is
 * found once, in place of every order of all of them.
 */
export function bestOrder(
  shares: readonly Share[],
  previous: ReadonlyMap<string, OrdinalRange>,
  start: number,
): readonly Share[] {
  if (shares.length > MOST_EXACT) return shares;
  const sets = 1 << shares.length;
  const begins = beginnings(shares, sets, start);
  /** By the set of clusters that stand already: how many ordinals can stay in those that follow. */
  const kept = new Float64Array(sets);
  for (let placed = sets - 2; placed >= 0; placed -= 1) {
    let best = 0;
    for (let next = 0; next < shares.length; next += 1) {
      if ((placed & (1 << next)) === 0) best = Math.max(best, keptBy(placed, next));
    }
    kept[placed] = best;
  }
  const order: Share[] = [];
  for (let placed = 0; order.length < shares.length; ) {
    const next = shares.findIndex((_, index) => (placed & (1 << index)) === 0 && keptBy(placed, index) === kept[placed]);
    const share = shares[next];
    if (share === undefined) return shares;
    order.push(share);
    placed |= 1 << next;
  }
  return order;

  function keptBy(placed: number, next: number): number {
    const share = shares[next];
    const range = share === undefined ? undefined : previous.get(share.cluster);
    const begin = begins[placed] ?? 0;
    const stays = range === undefined ? 0 : overlap(begin, share?.replicas ?? 0, range);
    return stays + (kept[placed | (1 << next)] ?? 0);
  }
}

/** Where the next cluster begins, by the set of clusters that stand before it. */
function beginnings(shares: readonly Share[], sets: number, start: number): Float64Array {
  const begins = new Float64Array(sets).fill(start);
  for (let placed = 1; placed < sets; placed += 1) {
    const lowest = 31 - Math.clz32(placed & -placed);
    begins[placed] = (begins[placed & (placed - 1)] ?? 0) + (shares[lowest]?.replicas ?? 0);
  }
  return begins;
}

function overlap(begin: number, replicas: number, range: OrdinalRange): number {
  return Math.max(0, Math.min(begin + replicas, range.start + range.replicas) - Math.max(begin, range.start));
}
