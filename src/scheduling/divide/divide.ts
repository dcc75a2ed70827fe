import { ClustersetError, compareText } from '../../kube/index.ts';
import { fewest } from './aggregate.ts';
import { apportion, type Bidder } from './apportion.ts';
import { type Bounds, boundsOf, FEATHER, isCount, keepRunning, meetMinimums } from './bounds.ts';

/** A cluster that may get replicas. All counts are whole and not negative. */
export interface DivisionCluster {
  readonly name: string;
  /** Share beside other clusters: 2^-50 to 2^53, or 0, which means the minimum only. Counts for `Weighted`. Default 1. */
  readonly weight?: number | undefined;
  /** Given in any case, where the total and the room allow. Default 0. */
  readonly minReplicas?: number | undefined;
  /** Default: no limit. */
  readonly maxReplicas?: number | undefined;
  /** How many more replicas fit, beside those that are there. Default: not known, which is no limit. */
  readonly room?: number | undefined;
  /** Replicas that it has now. Default 0. */
  readonly current?: number | undefined;
  /** Tiers are filled in order, the lowest first. Default 0. */
  readonly tier?: number | undefined;
  /** Whether it may get more than it has. Default true. */
  readonly mayGrow?: boolean | undefined;
}

/** How replicas are divided. */
export type DivisionType =
  /** All of them in each cluster, or what it has, where it may not grow. Other bounds don't count. */
  | 'Duplicated'
  /** By weight. */
  | 'Weighted'
  /** By how many replicas a cluster has and has room for. A cluster whose room isn't known counts like the average of the others. */
  | 'ByCapacity'
  /** As few clusters as will do, which share by how many they can take. */
  | 'Aggregated';

/** What {@link divideReplicas} takes. */
export interface DivideInput {
  readonly clusters: readonly DivisionCluster[];
  readonly replicas: number;
  /** Default `Weighted`. */
  readonly type?: DivisionType;
  /** Leaves replicas where they run, as long as the bounds and the total allow it, in place of dividing anew. Default false. */
  readonly sticky?: boolean;
}

/** What keeps a cluster from more replicas. */
export type DivisionLimit =
  | 'Max'
  | 'Room'
  /** It may keep what it has and get no more. */
  | 'NoMore'
  /** What it has, or its minimum, is all that it gets: others would have to give up what they have for more. */
  | 'Kept'
  /** Not even the minimums of all clusters can be met. */
  | 'MinimumsTooMany';

/** Why a cluster has its replicas. */
export type DivisionReason =
  | 'Duplicated'
  /** Its share, between the bounds. */
  | 'Share'
  /** Its minimum, or what it keeps, which is more than its share. */
  | 'AtLeast'
  /** As many as it may have, which is less than its share. `limit` says what limits it. */
  | 'AtMost'
  /** Other clusters of its tier, or lower tiers, take all that there are. */
  | 'NotNeeded'
  /** It weighs nothing. */
  | 'NoWeight';

/** What one cluster gets, and why. */
export interface DivisionShare {
  readonly cluster: string;
  readonly replicas: number;
  readonly current: number;
  readonly reason: DivisionReason;
  /** Its exact share of what its tier divides, before bounds and rounding. */
  readonly quota: number;
  readonly weight: number;
  /** The bounds that held, and what `most` comes from; neither where there is no such bound. */
  readonly least: number;
  readonly most: number | undefined;
  readonly limit: DivisionLimit | undefined;
}

/** How replicas are divided. */
export interface Division {
  /** By name; one for each cluster. */
  readonly shares: readonly DivisionShare[];
  /** Replicas that no cluster may take. */
  readonly unplaced: number;
}

/**
 * Divides replicas over clusters. In the order of their importance it aims at
 *
 * 1. the bounds: `minReplicas`, `maxReplicas` and room are kept, as far as the total allows;
 * 2. the least distance to the quotas (after Webster, between the bounds);
 * 3. the fewest replicas that move, seen from `current`;
 * 4. weight, then name.
 *
 * It doesn't depend on the order of the clusters, and it is monotone: dividing more replicas, from its own result on, takes from no cluster
 * (for `Aggregated` with `sticky` only, since fewer clusters may do otherwise). With `sticky` the third aim comes before the second. Tiers
 * are filled one after the other; minimums of later tiers come first.
 *
 * The time doesn't grow with the number of replicas.
 *
 * @throws ClustersetError `Invalid` for negative or broken numbers, a minimum above the maximum, and two clusters of one name.
 */
export function divideReplicas(input: DivideInput): Division {
  const { replicas, type = 'Weighted', sticky = false } = input;
  const clusters = sortedByName(input.clusters);
  const unknown = type === 'Weighted' || type === 'Duplicated' ? 1 : averageOf(clusters);
  const all = clusters.map((each) => boundsOf(each, weightOf(each, type, unknown)));
  if (!isCount(replicas)) {
    throw new ClustersetError({
      code: 'Invalid',
      message: `${replicas} replicas can't be divided`,
      field: 'replicas',
      mend: 'give a whole number that is not negative',
    });
  }
  if (type === 'Duplicated') return { shares: clusters.map((each) => duplicate(each, replicas)), unplaced: 0 };
  const met = meetMinimums(all, replicas);
  const bounds = sticky ? keepRunning(met, replicas) : met;
  const tiers = tiersOf(bounds, replicas);
  const shares = tiers.flatMap((tier) => divideTier(tier, type));
  if (tiers.length > 1) shares.sort((a, b) => compareText(a.cluster, b.cluster));
  let unplaced = replicas;
  for (const share of shares) unplaced -= share.replicas;
  return { shares, unplaced };
}

function sortedByName(clusters: readonly DivisionCluster[]): readonly DivisionCluster[] {
  if (clusters.every((each, index) => index === 0 || compareText(clusters[index - 1]?.name ?? '', each.name) < 0))
    return clusters;
  const sorted = clusters.toSorted((a, b) => compareText(a.name, b.name));
  const twice = sorted.find((each, index) => sorted[index + 1]?.name === each.name)?.name;
  if (twice === undefined) return sorted;
  throw new ClustersetError({ code: 'Invalid', message: `cluster "${twice}" is there twice`, cluster: twice, field: 'clusters' });
}

function duplicate({ name, current = 0, weight = 1, mayGrow = true }: DivisionCluster, replicas: number): DivisionShare {
  const isLimited = !mayGrow && current < replicas;
  return {
    cluster: name,
    replicas: isLimited ? current : replicas,
    current,
    reason: isLimited ? 'AtMost' : 'Duplicated',
    quota: replicas,
    weight,
    least: 0,
    most: isLimited ? current : undefined,
    limit: isLimited ? 'NoMore' : undefined,
  };
}

function weightOf({ weight = 1, room, current = 0 }: DivisionCluster, type: DivisionType, unknown: number): number {
  if (type === 'Weighted' || type === 'Duplicated') return weight;
  return room === undefined ? unknown : room + current;
}

/** What clusters have and have room for, on the average of those that say so; 1 where that is nothing: the others may have room all the same. */
function averageOf(clusters: readonly DivisionCluster[]): number {
  let sum = 0;
  let known = 0;
  for (const { room, current = 0 } of clusters) {
    if (room === undefined) continue;
    sum += room + current;
    known += 1;
  }
  return sum === 0 ? 1 : sum / known;
}

interface Tier {
  readonly candidates: readonly Bounds[];
  readonly total: number;
}

/** Tiers in their order, and how many replicas each divides: all of its minimums, and then as many as it can take. */
function tiersOf(bounds: readonly Bounds[], replicas: number): readonly Tier[] {
  let rest = replicas;
  for (const { least } of bounds) rest -= least;
  return inTiers(bounds).map((candidates) => {
    let least = 0;
    let most = 0;
    for (const each of candidates) {
      least += each.least;
      most += each.weight > 0 ? each.most : each.least;
    }
    const more = Math.min(rest, most - least);
    rest -= more;
    return { candidates, total: least + more };
  });
}

function inTiers(bounds: readonly Bounds[]): readonly (readonly Bounds[])[] {
  if (bounds.every(({ tier }) => tier === bounds[0]?.tier)) return bounds.length === 0 ? [] : [bounds];
  const tiers = new Map<number, Bounds[]>();
  for (const each of bounds) {
    const others = tiers.get(each.tier);
    if (others === undefined) tiers.set(each.tier, [each]);
    else others.push(each);
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([, candidates]) => candidates);
}

function divideTier({ candidates, total }: Tier, type: DivisionType): readonly DivisionShare[] {
  const bidders = type === 'Aggregated' ? asAggregated(candidates, total) : candidates;
  const seats = apportion(total, bidders);
  let sum = 0;
  for (const { weight } of bidders) sum += weight;
  return candidates.map(({ name, held, least, most, limit }, index) => {
    const bidder = bidders[index] ?? NOBODY;
    const quota = sum > 0 ? (total * bidder.weight) / sum : 0;
    const replicas = seats[index] ?? 0;
    return {
      cluster: name,
      replicas,
      current: held,
      reason: most === 0 ? 'AtMost' : reasonOf(bidder, replicas, quota, total),
      quota,
      weight: bidder.weight === FEATHER ? 0 : bidder.weight,
      least,
      most: most === Number.POSITIVE_INFINITY ? undefined : most,
      limit,
    };
  });
}

const NOBODY: Bidder = { name: '', weight: 0, least: 0, most: 0, held: 0 };

/** Only the fewest clusters that can take everything get anything; each weighs as much as it can take. */
function asAggregated(candidates: readonly Bounds[], total: number): readonly Bounds[] {
  const isIn = fewest(total, candidates);
  return candidates.map((each, index) => {
    return isIn[index] === true ? { ...each, weight: Math.min(each.most, total) } : { ...each, most: 0, least: 0, weight: 0 };
  });
}

function reasonOf({ weight, least, most }: Bidder, replicas: number, quota: number, total: number): DivisionReason {
  if (replicas === least && least > quota) return 'AtLeast';
  if (most === 0) return 'NotNeeded';
  if (weight <= 0) return 'NoWeight';
  if (total === 0) return 'NotNeeded';
  return replicas === most && most < quota ? 'AtMost' : 'Share';
}
