import { choose } from './choose.ts';
import type { Demands } from './constraints.ts';
import { Tallies } from './tallies.ts';
import type { Partition, Topology } from './topology.ts';

/** How often all selected clusters are looked at again. Each time there is more room, and few are ever needed. */
const ROUNDS = 8;

/** Replicas that the clusters can have together. */
export function roomIn({ ranked }: Topology, ranks: readonly number[]): number {
  let room = 0;
  for (const rank of ranks) room += ranked[rank]?.available ?? 0;
  return room;
}

/**
 * A selection with more room, as far as it is needed and the demands allow: from the last cluster to the first, each changes places with the
 * one that has the most room of those with more (Karmada's rule). Where only some groups may have clusters, those with the most room are
 * tried, too.
 */
export function withRoom(topology: Topology, demands: Demands, ranks: readonly number[], need: number): readonly number[] {
  if (roomIn(topology, ranks) >= need) return ranks;
  const swapped = swap(topology, demands, ranks, need);
  if (roomIn(topology, swapped) >= need) return swapped;
  return topology.partitions.reduce<readonly number[]>((best, partition, at) => {
    if (roomIn(topology, best) >= need) return best;
    const groups = demands.rules[at]?.maxGroups ?? Number.POSITIVE_INFINITY;
    if (groups >= partition.groups.length) return best;
    const regrouped = inRoomiest(topology, demands, partition, groups, need);
    return regrouped !== undefined && roomIn(topology, regrouped) > roomIn(topology, best) ? regrouped : best;
  }, swapped);
}

/** Chooses among the clusters of the groups that have the most room. */
function inRoomiest(
  topology: Topology,
  demands: Demands,
  { groups, groupOf }: Partition,
  number: number,
  need: number,
): readonly number[] | undefined {
  const room = new Float64Array(groups.length);
  const counts = new Int32Array(groups.length);
  for (const rank of byRoom(topology, topology.ranked.keys())) {
    const group = groupOf[rank] ?? -1;
    if (group < 0 || (counts[group] ?? 0) >= demands.most) continue;
    counts[group] = (counts[group] ?? 0) + 1;
    room[group] = (room[group] ?? 0) + (topology.ranked[rank]?.available ?? 0);
  }
  const order = [...groups.keys()].sort((a, b) => descending(room[a] ?? 0, room[b] ?? 0) || a - b);
  const roomiest = new Set([-1, ...order.slice(0, number)]);
  const { ranks } = choose(
    topology,
    demands,
    [...topology.ranked.keys()].filter((rank) => roomiest.has(groupOf[rank] ?? -1)),
  );
  return ranks && swap(topology, demands, ranks, need);
}

function swap(topology: Topology, demands: Demands, ranks: readonly number[], need: number): readonly number[] {
  const { ranked, cellOf } = topology;
  const places = [...ranks];
  const chosen = new Set(ranks);
  const others = byRoom(
    topology,
    [...ranked.keys()].filter((rank) => !chosen.has(rank)),
  );
  const tallies = new Tallies(topology, ranks);
  const available = (rank: number): number => ranked[rank]?.available ?? 0;
  /** The index in `others` of the one to change places with; −1 if there is none. */
  const exchangeFor = (own: number): number => {
    const refused = new Set<number>();
    for (const [at, other] of others.entries()) {
      if (available(other) <= available(own)) return -1;
      const cell = cellOf[other] ?? 0;
      if (refused.has(cell)) continue;
      tallies.add(own, -1);
      tallies.add(other, 1);
      if (cell === cellOf[own] || tallies.meets(demands.rules)) return at;
      tallies.add(own, 1);
      tallies.add(other, -1);
      refused.add(cell);
    }
    return -1;
  };
  let room = roomIn(topology, ranks);
  for (let round = 0, changed = true; changed && round < ROUNDS; round += 1) {
    changed = false;
    for (let place = places.length - 1; place >= 0 && room < need; place -= 1) {
      const own = places[place] ?? 0;
      const at = exchangeFor(own);
      if (at < 0) continue;
      const other = others[at] ?? 0;
      others.splice(at, 1);
      others.splice(placeFor(others, own, available), 0, own);
      places[place] = other;
      room += available(other) - available(own);
      changed = true;
    }
  }
  return places.sort((a, b) => a - b);
}

/** Where a cluster belongs among those in the order of room. */
function placeFor(others: readonly number[], own: number, available: (rank: number) => number): number {
  const at = others.findIndex((other) => (descending(available(other), available(own)) || other - own) > 0);
  return at < 0 ? others.length : at;
}

/** The one with the most room first, then the preferred one. */
export function byRoom({ ranked }: Topology, ranks: Iterable<number>): number[] {
  return [...ranks].sort((a, b) => descending(ranked[a]?.available ?? 0, ranked[b]?.available ?? 0) || a - b);
}

/** Infinite room can't be subtracted. */
function descending(a: number, b: number): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}
