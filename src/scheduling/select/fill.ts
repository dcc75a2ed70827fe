import type { Demands, GroupRule } from './constraints.ts';
import { isMet, spreadOf } from './tallies.ts';
import type { Topology } from './topology.ts';

/**
 * Fills all groups evenly: one cluster after the other, of the cell whose groups have the fewest; of equal ones the preferred cluster. It
 * takes nothing back, so that it may miss selections, and it is fast however many constraints cross each other.
 *
 * @returns the largest selection on the way that meets the demands; nothing where none does.
 */
export function fillEvenly(topology: Topology, demands: Demands, order: readonly number[]): readonly number[] | undefined {
  const { rules, least, most } = demands;
  const counts = topology.partitions.map(({ groups }) => new Int32Array(groups.length));
  const waiting = waitingOf(topology, order);
  const taken: number[] = [];
  let best = 0;
  while (taken.length < most) {
    const bounds = rules.map((rule, at) => limitsOf(rule, counts[at] ?? NOTHING));
    const cell = emptiest(topology, counts, bounds, waiting);
    const rank = waiting[cell]?.pop();
    if (rank === undefined) break;
    taken.push(rank);
    for (const [at, { groupOfCell }] of topology.partitions.entries()) add(counts[at] ?? NOTHING, groupOfCell[cell] ?? -1);
    if (taken.length >= least && rules.every((rule, at) => isMet(rule, spreadOf(counts[at] ?? NOTHING)))) best = taken.length;
  }
  return best === 0 ? undefined : taken.slice(0, best).sort((a, b) => a - b);
}

const NOTHING = new Int32Array(0);

function add(counts: Int32Array, group: number): void {
  if (group >= 0) counts[group] = (counts[group] ?? 0) + 1;
}

/** By cell: its clusters, the preferred one last. */
function waitingOf({ cellOf, cells }: Topology, order: readonly number[]): readonly number[][] {
  const waiting = Array.from({ length: cells }, (): number[] => []);
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const rank = order[at] ?? 0;
    waiting[cellOf[rank] ?? 0]?.push(rank);
  }
  return waiting;
}

/** How many clusters groups may have, and whether another one may have its first. */
interface Limits {
  readonly most: number;
  readonly mayOpen: boolean;
}

/** Groups grow one by one, so that where all must be equal they differ by one on the way. */
function limitsOf({ maxGroups, skewOfAll, skewOfChosen }: GroupRule, counts: Int32Array): Limits {
  const { groups, least } = spreadOf(counts);
  const fewest = groups < counts.length ? 0 : least;
  const most = Math.min(fewest + Math.max(1, skewOfAll), groups === 0 ? 1 : least + Math.max(1, skewOfChosen));
  return { most, mayOpen: groups < maxGroups };
}

/** The cell to take the next cluster of; −1 where no group may have more. */
function emptiest(
  { partitions }: Topology,
  counts: readonly Int32Array[],
  limits: readonly Limits[],
  waiting: readonly number[][],
): number {
  let found = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [cell, ranks] of waiting.entries()) {
    const preferred = ranks.at(-1);
    if (preferred === undefined) continue;
    let sum = 0;
    for (const [at, { groupOfCell }] of partitions.entries()) {
      const group = groupOfCell[cell] ?? -1;
      if (group >= 0) sum += weigh(counts[at]?.[group] ?? 0, limits[at]);
    }
    if (sum < fewest || (sum === fewest && sum < Number.POSITIVE_INFINITY && preferred < (waiting[found]?.at(-1) ?? 0))) {
      fewest = sum;
      found = cell;
    }
  }
  return found;
}

/** How little a group needs another cluster; endless where it may have none. */
function weigh(count: number, limits: Limits | undefined): number {
  if (limits === undefined) return count;
  const mayGrow = count < limits.most && (count > 0 || limits.mayOpen);
  return mayGrow ? count : Number.POSITIVE_INFINITY;
}
