import { type Demands, NO_RULE } from './constraints.ts';
import { findWitness, fullest, type GroupBounds, groupBounds, type OpenGroups } from './counts.ts';
import { fillEvenly } from './fill.ts';
import { Tallies } from './tallies.ts';
import type { Topology } from './topology.ts';

/** How many decisions may be taken back in one selection, before the search is cut short. */
const STEP_LIMIT = 10_000;

/** A step costs more the more clusters there are, so there are fewer: `limit = VISITS / clusters`. */
const VISITS = 1_000_000;

/** What a search found. */
export interface Choice {
  /** Ranks of the selected clusters, ascending. Absent where the demands can't be met. */
  readonly ranks?: readonly number[];
  /** Whether the search was cut short: there may be a selection, or a larger or better one. */
  readonly wasCut: boolean;
}

/**
 * Chooses the largest selection that meets the demands and, of those, the preferred one: with the first cluster if there is one with it, then
 * with the second, and so on. `order` lists the ranks in the order of preference, each at most once; others aren't chosen.
 *
 * Clusters are taken in that order. Before each, every partition is asked whether the rest can still be filled up to the size in view. For
 * one partition that answer is exact, so nothing is ever taken back. Several may each say yes and have no selection in common: then the last
 * decision is taken back, 10,000 times at most (with more than 100 clusters: a million by their number). Where that isn't enough, clusters are
 * taken evenly of all groups instead, and smaller sizes are tried, down to what {@link fillEvenly} finds.
 */
export function choose(topology: Topology, demands: Demands, order: readonly number[]): Choice {
  const total = largestTotal(topology, demands, order);
  if (topology.partitions.length > 0) return descend(topology, demands, order, total);
  return total < demands.least ? { wasCut: false } : { ranks: first(order, total), wasCut: false };
}

/** Tries one size after the other, the largest first; with a search cut short, down to that of a selection that is found without one. */
function descend(topology: Topology, demands: Demands, order: readonly number[], largest: number): Choice {
  const { least, allOrNone } = demands;
  const steps: Steps = { left: Math.min(STEP_LIMIT, Math.ceil(VISITS / order.length)) };
  let filled: readonly number[] | undefined;
  let gap = 1;
  for (let total = largest; total >= least; total = allOrNone ? 0 : Math.max(least, total - gap)) {
    const { found, wasCut } = searchTwice(topology, demands, order, total, steps);
    if (wasCut && gap === 1 && !allOrNone) filled = fillEvenly(topology, demands, order);
    if (wasCut) gap *= 2;
    if (found.outcome === 'found') return finished(topology, demands, order, found.ranks, gap > 1);
    if (total === least || (filled !== undefined && total - gap <= filled.length)) break;
  }
  return filled === undefined ? { wasCut: gap > 1 } : finished(topology, demands, order, filled, true);
}

/** What is found by a search that was cut short may grow. */
function finished(
  topology: Topology,
  demands: Demands,
  order: readonly number[],
  ranks: readonly number[],
  wasCut: boolean,
): Choice {
  return { ranks: wasCut && !demands.allOrNone ? grown(topology, demands, order, ranks) : ranks, wasCut };
}

/** Searches in the order of preference, and evenly where that is cut short. */
function searchTwice(
  topology: Topology,
  { rules }: Demands,
  order: readonly number[],
  total: number,
  steps: Steps,
): { readonly found: Found; readonly wasCut: boolean } {
  const found = searchFor(topology, rules, order, total, steps);
  if (found.outcome !== 'cut') return { found, wasCut: false };
  return { found: searchFor(topology, rules, evenly(topology, order), total, steps), wasCut: true };
}

/** The best of each cell, then the second of each, and so on. */
function evenly({ cellOf, cells }: Topology, order: readonly number[]): readonly number[] {
  const seen = new Int32Array(cells);
  const rounds: number[][] = [];
  for (const rank of order) {
    const cell = cellOf[rank] ?? 0;
    const round = seen[cell] ?? 0;
    seen[cell] = round + 1;
    const ranks = rounds[round];
    if (ranks === undefined) rounds[round] = [rank];
    else ranks.push(rank);
  }
  return rounds.flat();
}

/** Without groups the first are the best; the order is ascending then. */
function first(order: readonly number[], total: number): readonly number[] {
  return order.slice(0, total);
}

/** Steps that are left, for searches of all sizes. */
interface Steps {
  left: number;
}

/** No selection is larger than what the strictest partition admits. */
function largestTotal(topology: Topology, { rules, most, allOrNone }: Demands, order: readonly number[]): number {
  const bounds = boundsOf(topology, rules, order);
  const total = bounds.reduce((left, each) => (left < 0 ? left : fullest(each, left)), Math.min(most, order.length));
  return allOrNone && total < topology.ranked.length ? Math.min(total, 0) : total;
}

function boundsOf(topology: Topology, rules: Demands['rules'], order: readonly number[]): readonly GroupBounds[] {
  return topology.partitions.map(({ groups, groupOf }, at) => {
    const rule = rules[at] ?? NO_RULE;
    const sizes = new Int32Array(groups.length);
    let free = 0;
    for (const rank of order) {
      const group = groupOf[rank] ?? -1;
      if (group < 0) free += 1;
      else sizes[group] = (sizes[group] ?? 0) + 1;
    }
    return groupBounds(rule, sizes, free);
  });
}

type Found =
  | { readonly outcome: 'found'; readonly ranks: readonly number[] }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'cut' };

/** Where a search stands. */
interface Search {
  readonly topology: Topology;
  readonly order: readonly number[];
  /** By partition. */
  readonly bounds: readonly GroupBounds[];
  readonly total: number;
  /** By cell: whether no more of it are taken. */
  readonly closed: Uint8Array;
  /** By cell: how many of it aren't taken. */
  readonly untaken: Int32Array;
  /** Decisions: a position in `order` that is taken, or `~position` where its cell is closed instead. */
  readonly trail: number[];
  /** Ranks. */
  readonly taken: number[];
  /** Which position in `order` is next. */
  next: number;
}

/** Searches for a selection of exactly so many clusters. */
function searchFor(topology: Topology, rules: Demands['rules'], order: readonly number[], total: number, steps: Steps): Found {
  const search = startOf(topology, rules, order, total);
  if (!search.bounds.every((each, at) => findWitness(each, total, openGroups(search, at)))) return { outcome: 'none' };
  // Smaller totals need steps, too.
  const reserve = Math.floor(steps.left / 2);
  while (search.taken.length < total) {
    if (advance(search)) continue;
    if (steps.left <= reserve) return { outcome: 'cut' };
    steps.left -= 1;
    if (!takeBack(search)) return { outcome: 'none' };
  }
  return { outcome: 'found', ranks: search.taken.toSorted((a, b) => a - b) };
}

function startOf(topology: Topology, rules: Demands['rules'], order: readonly number[], total: number): Search {
  const untaken = new Int32Array(topology.cells);
  for (const rank of order) {
    const cell = topology.cellOf[rank] ?? 0;
    untaken[cell] = (untaken[cell] ?? 0) + 1;
  }
  const bounds = boundsOf(topology, rules, order);
  return { topology, order, bounds, total, closed: new Uint8Array(topology.cells), untaken, trail: [], taken: [], next: 0 };
}

/** Takes the next cluster, or closes its cell where it can't be taken. False where neither leads to a selection. */
function advance(search: Search): boolean {
  const position = search.next;
  const rank = search.order[position];
  if (rank === undefined) return false;
  search.next += 1;
  const cell = search.topology.cellOf[rank] ?? 0;
  if (search.closed[cell] === 1) return true;
  if (!take(search, cell)) return close(search, cell, position);
  search.trail.push(position);
  search.taken.push(rank);
  return true;
}

/** Takes decisions back up to the last cluster that was taken, and closes its cell: of the same cell the preferred ones come first. */
function takeBack(search: Search): boolean {
  const { topology, order, trail, taken } = search;
  for (let last = trail.pop(); last !== undefined; last = trail.pop()) {
    const position = last < 0 ? ~last : last;
    const cell = topology.cellOf[order[position] ?? 0] ?? 0;
    if (last < 0) {
      reopen(search, cell);
      continue;
    }
    taken.pop();
    count(search, cell, -1);
    search.next = position + 1;
    if (close(search, cell, position)) return true;
  }
  return false;
}

/** Counts a cluster of the cell as taken, if all partitions can still be filled up. */
function take(search: Search, cell: number): boolean {
  count(search, cell, 1);
  const isPossible = search.bounds.every((each, at) => {
    const group = search.topology.partitions[at]?.groupOfCell[cell] ?? -1;
    const isAsForeseen = group < 0 ? each.freeWitness >= each.freeLower : (each.witness[group] ?? 0) >= (each.lower[group] ?? 0);
    return isAsForeseen || findWitness(each, search.total, openGroups(search, at));
  });
  if (!isPossible) count(search, cell, -1);
  return isPossible;
}

function count({ topology, bounds, untaken }: Search, cell: number, by: 1 | -1): void {
  untaken[cell] = (untaken[cell] ?? 0) - by;
  for (const [at, each] of bounds.entries()) {
    const group = topology.partitions[at]?.groupOfCell[cell] ?? -1;
    if (group < 0) each.freeLower += by;
    else each.lower[group] = (each.lower[group] ?? 0) + by;
  }
}

function close(search: Search, cell: number, position: number): boolean {
  search.closed[cell] = 1;
  search.trail.push(~position);
  widen(search, cell, -1);
  return search.bounds.every((each, at) => {
    const group = search.topology.partitions[at]?.groupOfCell[cell] ?? -1;
    const isAsForeseen = group < 0 ? each.freeWitness <= each.freeUpper : (each.witness[group] ?? 0) <= (each.upper[group] ?? 0);
    return isAsForeseen || findWitness(each, search.total, openGroups(search, at));
  });
}

function reopen(search: Search, cell: number): void {
  search.closed[cell] = 0;
  widen(search, cell, 1);
}

/** Counts what isn't taken of a cell as to be had, or not any more. */
function widen({ topology, bounds, untaken }: Search, cell: number, by: 1 | -1): void {
  const change = by * (untaken[cell] ?? 0);
  for (const [at, each] of bounds.entries()) {
    const group = topology.partitions[at]?.groupOfCell[cell] ?? -1;
    if (group < 0) each.freeUpper += change;
    else each.upper[group] = (each.upper[group] ?? 0) + change;
  }
}

function openGroups({ topology, order, closed, next }: Search, partition: number): OpenGroups {
  const groupOf = topology.partitions[partition]?.groupOf;
  return (visit) => {
    for (let at = next; at < order.length; at += 1) {
      const rank = order[at] ?? 0;
      if (closed[topology.cellOf[rank] ?? 0] === 0 && !visit(groupOf?.[rank] ?? -1)) return;
    }
  };
}

/** Adds what still fits, the preferred first, and again as long as there is something: for searches that were cut short. */
function grown(
  topology: Topology,
  { rules, most }: Demands,
  order: readonly number[],
  ranks: readonly number[],
): readonly number[] {
  const tallies = new Tallies(topology, ranks);
  const chosen = new Set(ranks);
  for (let before = -1; before < chosen.size; ) {
    before = chosen.size;
    for (const rank of order) {
      if (chosen.size >= most) break;
      if (chosen.has(rank)) continue;
      tallies.add(rank, 1);
      if (tallies.meets(rules)) chosen.add(rank);
      else tallies.add(rank, -1);
    }
  }
  return [...chosen].sort((a, b) => a - b);
}
