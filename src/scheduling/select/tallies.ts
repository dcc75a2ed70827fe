import type { GroupRule } from './constraints.ts';
import type { Topology } from './topology.ts';

/** How many groups have a cluster, and how far they are apart. */
export interface Spread {
  /** Groups that have a cluster. */
  readonly groups: number;
  /** The most clusters that a group has. */
  readonly most: number;
  /** The fewest that a group has which has one. */
  readonly least: number;
  /** How many groups have so few. */
  readonly smallest: number;
  /** By how much any two groups differ. */
  readonly skewOfAll: number;
  /** By how much two groups differ that have a cluster. */
  readonly skewOfChosen: number;
}

/** Selected clusters per group, for every partition. */
export class Tallies {
  readonly #topology: Topology;
  readonly #counts: readonly Int32Array[];

  constructor(topology: Topology, ranks: Iterable<number>) {
    this.#topology = topology;
    this.#counts = topology.partitions.map(({ groups }) => new Int32Array(groups.length));
    for (const rank of ranks) this.add(rank, 1);
  }

  /** Counts a cluster in, or out. */
  add(rank: number, by: 1 | -1): void {
    for (const [at, { groupOf }] of this.#topology.partitions.entries()) {
      const group = groupOf[rank] ?? -1;
      const counts = this.#counts[at];
      if (counts !== undefined && group >= 0) counts[group] = (counts[group] ?? 0) + by;
    }
  }

  /** How the selected clusters are spread over the groups of one partition. */
  spread(partition: number): Spread {
    return spreadOf(this.#counts[partition] ?? []);
  }

  /** The same with one more cluster; `before` is how they are spread now. */
  spreadWith(rank: number, partition: number, before: Spread): Spread {
    const group = this.#topology.partitions[partition]?.groupOf[rank] ?? -1;
    const counts = this.#counts[partition] ?? [];
    if (group < 0) return before;
    const count = counts[group] ?? 0;
    // Only where the one smallest group grows is there more to look at than that group.
    if (count === before.least && before.smallest === 1) return this.#counted(rank, partition);
    const isNew = count === 0;
    return summary(
      { groups: before.groups + (isNew ? 1 : 0), most: Math.max(before.most, count + 1), least: isNew ? 1 : before.least },
      { smallest: before.smallest, of: counts.length },
    );
  }

  #counted(rank: number, partition: number): Spread {
    this.add(rank, 1);
    const counted = this.spread(partition);
    this.add(rank, -1);
    return counted;
  }

  /** Whether every partition is as its rule demands. */
  meets(rules: readonly GroupRule[]): boolean {
    return rules.every((rule, partition) => isMet(rule, this.spread(partition)));
  }
}

/** How clusters are spread over groups, by how many each has. */
export function spreadOf(counts: ArrayLike<number>): Spread {
  let groups = 0;
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  let smallest = 0;
  for (let at = 0; at < counts.length; at += 1) {
    const count = counts[at] ?? 0;
    if (count === 0) continue;
    groups += 1;
    if (count > most) most = count;
    if (count < least) smallest = 0;
    if (count <= least) {
      least = count;
      smallest += 1;
    }
  }
  return summary({ groups, most, least }, { smallest, of: counts.length });
}

function summary(
  { groups, most, least }: Pick<Spread, 'groups' | 'most' | 'least'>,
  { smallest, of }: { readonly smallest: number; readonly of: number },
): Spread {
  const skewOfChosen = groups === 0 ? 0 : most - least;
  return { groups, most, least, smallest, skewOfChosen, skewOfAll: groups === of ? skewOfChosen : most };
}

/** Whether the selected clusters per group are as a rule demands. */
export function isMet(rule: GroupRule, { groups, skewOfAll, skewOfChosen }: Spread): boolean {
  return groups >= rule.minGroups && groups <= rule.maxGroups && skewOfAll <= rule.skewOfAll && skewOfChosen <= rule.skewOfChosen;
}
