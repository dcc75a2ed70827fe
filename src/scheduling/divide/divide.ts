import { ClustersetError, compareText } from '../../kube/index.ts';
import { fewest } from './aggregate.ts';
import { apportion, type Bidder } from './apportion.ts';
import { type Bounds, boundsOf, keepRunning, meetMinimums } from './bounds.ts';

/** A cluster that may get replicas. All counts are whole and not negative. */
export interface DivisionCluster {
  readonly name: string;
  /** Share beside other clusters; 0 means the minimum only. Counts for `Weighted`. Default 1. */
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
  /** All of them in each cluster. Bounds don't count. */
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
  /** It has as many as before, and there are fewer to divide. */
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
  /** Other clusters of its tier, or lower tiers, take all. */
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
  const all = sortedByName(input.clusters).map(boundsOf);
  if (!Number.isInteger(replicas) || replicas < 0) {
    throw new ClustersetError({
      code: 'Invalid',
      message: `${replicas} replicas can't be divided`,
      field: 'replicas',
      mend: 'give a whole number that is not negative',
    });
  }
  if (type === 'Duplicated') return { shares: all.map((each) => duplicate(each, replicas)), unplaced: 0 };
  const bounds = meetMinimums(sticky ? keepRunning(all, replicas) : all, replicas);
  const tiers = tiersOf(bounds, weightsOf(all, type), replicas);
  const shares = tiers.flatMap((tier) => divideTier(tier, type));
  if (tiers.length > 1) shares.sort((a, b) => compareText(a.cluster, b.cluster));
  return { shares, unplaced: shares.reduce((rest, share) => rest - share.replicas, replicas) };
}

function sortedByName(clusters: readonly DivisionCluster[]): readonly DivisionCluster[] {
  if (clusters.every((each, index) => index === 0 || compareText(clusters[index - 1]?.name ?? '', each.name) < 0))
    return clusters;
  const sorted = clusters.toSorted((a, b) => compareText(a.name, b.name));
  const twice = sorted.find((each, index) => sorted[index + 1]?.name === each.name)?.name;
  if (twice === undefined) return sorted;
  throw new ClustersetError({ code: 'Invalid', message: `cluster "${twice}" is there twice`, cluster: twice, field: 'clusters' });
}

function duplicate({ cluster: { name, current = 0, weight = 1 } }: Bounds, replicas: number): DivisionShare {
  return {
    cluster: name,
    replicas,
    current,
    reason: 'Duplicated',
    quota: replicas,
    weight,
    least: 0,
    most: undefined,
    limit: undefined,
  };
}

/** What each cluster weighs, in their order. */
function weightsOf(bounds: readonly Bounds[], type: DivisionType): readonly number[] {
  if (type === 'Weighted') return bounds.map(({ cluster: { weight = 1 } }) => weight);
  const known = bounds.flatMap(({ cluster: { room, current = 0 } }) => (room === undefined ? [] : [room + current]));
  const average = known.length === 0 ? 1 : known.reduce((sum, each) => sum + each, 0) / known.length;
  return bounds.map(({ cluster: { room, current = 0 } }) => (room === undefined ? average : room + current));
}

/** One cluster on its way to a share. */
type Candidate = Bounds & Bidder;

/** Whoever weighs nothing comes after all others where minimums are cut, or what runs. */
const FEATHER = 2 ** -60;

interface Tier {
  readonly candidates: readonly Candidate[];
  readonly total: number;
}

/** Tiers in their order, and how many replicas each divides: all of its minimums, and then as many as it can take. */
function tiersOf(bounds: readonly Bounds[], weights: readonly number[], replicas: number): readonly Tier[] {
  const tiers = new Map<number, Candidate[]>();
  let rest = replicas;
  for (const [index, each] of bounds.entries()) {
    const { name, tier = 0, current = 0 } = each.cluster;
    const own = weights[index] ?? 0;
    const weight = own === 0 && each.isOwn ? FEATHER : own;
    // Written out: a spread would cost more than all that is divided.
    const { cluster, least, most, limit, isOwn } = each;
    const candidate = { cluster, name, least, most, limit, isOwn, weight, held: current };
    const others = tiers.get(tier);
    if (others === undefined) tiers.set(tier, [candidate]);
    else others.push(candidate);
    rest -= least;
  }
  return [...tiers]
    .sort(([a], [b]) => a - b)
    .map(([, candidates]) => {
      const least = candidates.reduce((sum, each) => sum + each.least, 0);
      const most = candidates.reduce((sum, each) => sum + (each.weight > 0 ? each.most : each.least), 0);
      const total = least + Math.min(rest, most - least);
      rest -= total - least;
      return { candidates, total };
    });
}

function divideTier({ candidates, total }: Tier, type: DivisionType): readonly DivisionShare[] {
  const bidders = type === 'Aggregated' ? asAggregated(candidates, total) : candidates;
  const seats = apportion(total, bidders);
  const sum = bidders.reduce((weights, { weight }) => weights + weight, 0);
  return bidders.map((bidder, index) => {
    const { weight, held } = bidder;
    const quota = sum > 0 ? (total * weight) / sum : 0;
    const replicas = seats[index] ?? 0;
    const { name, least, most, limit } = candidates[index] ?? bidder;
    const reason = most === 0 ? 'AtMost' : reasonOf(bidder, replicas, quota, total);
    const end = most === Number.POSITIVE_INFINITY ? undefined : most;
    return {
      cluster: name,
      replicas,
      current: held,
      reason,
      quota,
      weight: weight === FEATHER ? 0 : weight,
      least,
      most: end,
      limit,
    };
  });
}

/** Only the fewest clusters that can take everything get anything; each weighs as much as it can take. */
function asAggregated(candidates: readonly Candidate[], total: number): readonly Candidate[] {
  const isIn = fewest(total, candidates);
  return candidates.map((each, index) => {
    return isIn[index] === true ? { ...each, weight: Math.min(each.most, total) } : { ...each, most: 0, least: 0, weight: 0 };
  });
}

function reasonOf({ weight, least, most }: Bidder, replicas: number, quota: number, total: number): DivisionReason {
  if (replicas === least && least > quota) return 'AtLeast';
  if (most === 0 || total === 0) return 'NotNeeded';
  if (weight <= 0) return 'NoWeight';
  return replicas === most && most < quota ? 'AtMost' : 'Share';
}
