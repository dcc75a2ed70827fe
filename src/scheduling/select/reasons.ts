import type { Constraint, GroupRule } from './constraints.ts';
import { demandsOf } from './constraints.ts';
import { byRoom } from './room.ts';
import type { Problem } from './satisfy.ts';
import type { ConstraintReference, LeftOutCluster, SelectedCluster, SelectionNote, SpreadLimit } from './selection.ts';
import { isMet, type Spread, Tallies } from './tallies.ts';

/** What reasons are given for. */
export interface Selection {
  readonly problem: Problem;
  /** The constraints that the selection keeps, loosened where they had to be. */
  readonly constraints: readonly Constraint[];
  readonly ranks: readonly number[];
  /** What was selected before there had to be more room. */
  readonly original: readonly number[];
  /** Why a cluster is selected, where there is no more to say. */
  readonly usual: 'Unrestricted' | 'Named' | 'Best';
}

/** Clusters that changed places for the sake of room: who came, by who went, and the other way round. */
interface Swaps {
  readonly insteadOf: ReadonlyMap<number, number>;
  readonly inFavourOf: ReadonlyMap<number, number>;
}

/** Reasons for all clusters, in the order of preference. */
export function reasonsFor(selection: Selection): {
  readonly clusters: readonly SelectedCluster[];
  readonly leftOut: readonly LeftOutCluster[];
} {
  const { problem, ranks } = selection;
  const { ranked } = problem.topology;
  const swaps = swapsOf(selection);
  const isNeeded = neededGroups(selection);
  const whyNot = leftOutReasons(selection);
  const clusters: SelectedCluster[] = [];
  const leftOut: LeftOutCluster[] = [];
  const nameOf = (rank: number): string => ranked[rank]?.name ?? '';
  let next = 0;
  for (let rank = 0; rank < ranked.length; rank += 1) {
    const cluster = nameOf(rank);
    if (ranks[next] === rank) {
      next += 1;
      const insteadOf = swaps.insteadOf.get(rank);
      if (insteadOf !== undefined) clusters.push({ cluster, reason: 'SwappedIn', insteadOf: nameOf(insteadOf) });
      else clusters.push(isNeeded(rank, cluster) ?? { cluster, reason: selection.usual });
      continue;
    }
    const inFavourOf = swaps.inFavourOf.get(rank);
    if (inFavourOf !== undefined) leftOut.push({ cluster, reason: 'SwappedOut', inFavourOf: nameOf(inFavourOf) });
    else leftOut.push(whyNot(rank, cluster));
  }
  return { clusters, leftOut };
}

/** The last that went and the one with the most room that came make a pair, and so on. */
function swapsOf({ problem, ranks, original }: Selection): Swaps {
  const insteadOf = new Map<number, number>();
  const inFavourOf = new Map<number, number>();
  if (ranks === original) return { insteadOf, inFavourOf };
  const before = new Set(original);
  const after = new Set(ranks);
  const came = byRoom(
    problem.topology,
    ranks.filter((rank) => !before.has(rank)),
  );
  const went = original.filter((rank) => !after.has(rank)).reverse();
  for (const [at, rank] of came.entries()) {
    const other = went[at];
    if (other === undefined) break;
    insteadOf.set(rank, other);
    inFavourOf.set(other, rank);
  }
  return { insteadOf, inFavourOf };
}

/** Says of the best of a group that it is here for its group: where there are just enough groups, and a better cluster isn't selected. */
function neededGroups({
  problem,
  constraints,
  ranks,
}: Selection): (rank: number, cluster: string) => SelectedCluster | undefined {
  const { topology } = problem;
  const tallies = new Tallies(topology, ranks);
  const just = constraints.filter(
    ({ partition, minGroups }) => partition >= 0 && minGroups > 1 && tallies.spread(partition).groups === minGroups,
  );
  if (just.length === 0) return () => undefined;
  const firstLeftOut = ranks.findIndex((rank, at) => rank !== at);
  const seen = topology.partitions.map(() => new Set<number>());
  return (rank, cluster) => {
    const firstOf = topology.partitions.map(({ groupOf }, at) => {
      const group = groupOf[rank] ?? -1;
      const isFirst = group >= 0 && seen[at]?.has(group) === false;
      seen[at]?.add(group);
      return isFirst;
    });
    if (firstLeftOut < 0 || rank < (ranks[firstLeftOut] ?? 0)) return undefined;
    const constraint = just.find(({ partition }) => firstOf[partition]);
    return (
      constraint && { cluster, reason: 'ForMinGroups', group: groupName(problem, constraint, rank), ...reference(constraint) }
    );
  };
}

type LeftOutBy = 'number' | 'unknown' | { readonly constraint: Constraint; readonly reason: 'OverMaxGroups' | 'OverMaxSkew' };

/**
 * A cluster after the last one that is selected is left out since there are enough, where there are; another one, since with it a constraint
 * on groups wouldn't hold; and where that isn't so, since its place is needed.
 */
function leftOutReasons(selection: Selection): (rank: number, cluster: string) => LeftOutCluster {
  const { problem, ranks } = selection;
  const enough = enoughOf(selection);
  const groupReason = groupReasons(selection);
  const last = ranks.at(-1) ?? -1;
  return (rank, cluster) => {
    const by = rank > last ? (enough ?? groupReason(rank)) : (groupReason(rank) ?? enough);
    if (by === undefined || by === 'unknown') return { cluster, reason: 'NotCombinable' };
    if (by === 'number') return { cluster, reason: 'OverNumber' };
    const { index, topologyKey } = by.constraint;
    return { cluster, reason: by.reason, constraint: index, topologyKey, group: groupName(problem, by.constraint, rank) };
  };
}

/** What allows no more clusters, whichever. */
function enoughOf({ problem, constraints, ranks }: Selection): LeftOutBy | undefined {
  if (ranks.length >= problem.number) return 'number';
  const constraint = constraints.find(({ partition, maxGroups }) => partition < 0 && ranks.length >= maxGroups);
  return constraint && { constraint, reason: 'OverMaxGroups' };
}

/** What allows no more clusters of a group. It is the same for all clusters of a cell. */
function groupReasons({ problem, constraints, ranks }: Selection): (rank: number) => LeftOutBy | undefined {
  const { topology, number } = problem;
  const tallies = new Tallies(topology, ranks);
  const rules = constraints
    .filter(({ partition }) => partition >= 0)
    .map((constraint) => {
      const rule = demandsOf(topology, [constraint], number).rules[constraint.partition];
      return { constraint, rule, before: tallies.spread(constraint.partition) };
    });
  const known: LeftOutBy[] = new Array(topology.cells);
  const find = (rank: number): LeftOutBy => {
    for (const { constraint, rule, before } of rules) {
      const after = tallies.spreadWith(rank, constraint.partition, before);
      if (rule !== undefined && !isMet(rule, after)) return { constraint, reason: brokenBy(rule, after) };
    }
    return 'unknown';
  };
  return (rank) => {
    const cell = topology.cellOf[rank] ?? 0;
    const by = known[cell] ?? find(rank);
    known[cell] = by;
    return by === 'unknown' ? undefined : by;
  };
}

function brokenBy(rule: GroupRule, { groups }: Spread): 'OverMaxGroups' | 'OverMaxSkew' {
  return groups > rule.maxGroups ? 'OverMaxGroups' : 'OverMaxSkew';
}

function groupName({ topology }: Problem, { partition }: Constraint, rank: number): string {
  const divided = topology.partitions[partition];
  return divided === undefined ? (topology.ranked[rank]?.name ?? '') : (divided.groups[divided.groupOf[rank] ?? -1] ?? '');
}

function reference({ index, topologyKey }: Constraint): ConstraintReference {
  return { constraint: index, topologyKey };
}

/** Which limits of soft constraints a selection doesn't keep. */
export function softNotes(
  problem: Problem,
  constraints: readonly Constraint[],
  ranks: readonly number[],
): readonly SelectionNote[] {
  const soft = constraints.filter(({ hard }) => !hard);
  if (soft.length === 0) return [];
  const tallies = new Tallies(problem.topology, ranks);
  return soft.flatMap((constraint) => {
    const found = measured(problem, constraint, ranks.length, tallies);
    return LIMITS.filter((limit) =>
      limit === 'minGroups' ? found[limit] < constraint[limit] : found[limit] > constraint[limit],
    ).map(
      (limit) =>
        ({ reason: 'SoftUnmet', ...reference(constraint), limit, found: found[limit], wanted: constraint[limit] }) as const,
    );
  });
}

const LIMITS = ['minGroups', 'maxGroups', 'maxSkew'] as const satisfies readonly SpreadLimit[];

/** What a constraint limits, as it is. */
function measured(
  { topology }: Problem,
  { partition, maxGroups }: Constraint,
  selected: number,
  tallies: Tallies,
): Readonly<Record<SpreadLimit, number>> {
  if (partition < 0) {
    const clusters = topology.ranked.length;
    const skew = selected > 0 && selected < clusters && maxGroups >= clusters ? 1 : 0;
    return { minGroups: selected, maxGroups: selected, maxSkew: skew };
  }
  const { groups, skewOfAll, skewOfChosen } = tallies.spread(partition);
  const all = maxGroups >= (topology.partitions[partition]?.groups.length ?? 0);
  return { minGroups: groups, maxGroups: groups, maxSkew: all ? skewOfAll : skewOfChosen };
}
