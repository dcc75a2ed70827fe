import { compareText } from '../../kube/index.ts';
import type { KarmadaCandidate, KarmadaStrategy } from './divide.ts';
import { chooseGroups, type KarmadaSpread } from './spread-groups.ts';

/** A cluster that passed all filters. */
export interface KarmadaSelectable extends KarmadaCandidate {
  /** A whole number. In Karmada 100 for clusters that hold the workload already and 0 for others. */
  readonly score: number;
  /** How many replicas it holds already; together with `allocatable` that is the room it has. Default 0. */
  readonly assigned?: number;
  /** Clusters without one are left out where regions count. */
  readonly region?: string;
}

/** What {@link selectKarmada} takes. */
export interface KarmadaSelectInput {
  readonly candidates: readonly KarmadaSelectable[];
  readonly replicas: number;
  /** As for dividing. Room doesn't count for `Duplicated`, and the constraints don't for `StaticWeighted` (but for an empty list of rules). */
  readonly strategy: KarmadaStrategy;
  /** None: all clusters are selected. Karmada wants one of clusters beside one of regions; where it is missing, it is 0 to 0. */
  readonly constraints?: { readonly cluster?: KarmadaSpread; readonly region?: KarmadaSpread };
}

/** A cluster that is selected, the room it has, and why it is. */
export type KarmadaSelected = { readonly cluster: string; readonly available: number } & (
  | { /** Nothing restricts how many clusters there are. */ readonly reason: 'Unrestricted' }
  | { /** One of the first by score and room. */ readonly reason: 'InOrder' }
  | {
      /** There wasn't enough room with `insteadOf`, whose place it has. */ readonly reason: 'SwappedIn';
      readonly insteadOf: string;
    }
  | { /** The first of a chosen region. */ readonly reason: 'FirstOfRegion'; readonly region: string }
  | { /** One more of a chosen region, by score and room. */ readonly reason: 'MoreOfRegion'; readonly region: string }
);

/** A cluster that isn't selected, and why it isn't. */
export type KarmadaLeftOut = { readonly cluster: string; readonly available: number } & (
  | { /** There are as many clusters as there may be. */ readonly reason: 'OverMaxGroups' }
  | { /** It had too little room; `inFavourOf` has its place. */ readonly reason: 'SwappedOut'; readonly inFavourOf: string }
  | { /** Other regions were chosen. */ readonly reason: 'RegionNotChosen'; readonly region: string }
  | { /** It is in no region. */ readonly reason: 'NoRegion' }
);

/** Why no clusters can be selected. */
export type KarmadaSelectFailure =
  /** There are fewer clusters than there must be. */
  | 'TooFewClusters'
  /** As many clusters as there may be haven't room for all replicas. */
  | 'NoRoom'
  /** There are fewer regions than there must be. */
  | 'TooFewRegions'
  /** As many regions as there may be haven't as many clusters as there must be. */
  | 'TooFewClustersInRegions';

/** What {@link selectKarmada} decides. */
export type KarmadaSelection =
  | {
      readonly outcome: 'selected';
      /** In Karmada's order. */
      readonly clusters: readonly KarmadaSelected[];
      /** In the order of preference. */
      readonly leftOut: readonly KarmadaLeftOut[];
    }
  /** `message`: as Karmada says it in the status. */
  | { readonly outcome: 'failed'; readonly reason: KarmadaSelectFailure; readonly message: string };

/** What counts of a candidate. */
interface Ranked {
  readonly name: string;
  readonly tier: number;
  readonly score: number;
  readonly available: number;
  readonly region: string;
}

/** One point of a region's room or copies is worth more than any score. */
const UNIT = 1000;

/**
 * Selects the clusters that replicas are then divided among, as Karmada does by its spread constraints: by tier of overflow, score, room and name.
 *
 * With a constraint of clusters alone, the first `maxGroups` are taken; while they have too little room, the last of them give way to the clusters
 * with the most. With a constraint of regions, the regions with the best scores are chosen, then the first cluster of each, then the best of the
 * rest up to `maxGroups` clusters.
 *
 * Karmada's quirks are kept: where regions count, room for all replicas isn't looked for, tiers don't count after the first cluster of a region,
 * and `maxGroups: 0` of clusters gives one cluster of each region. A cluster that gave way may come back for one that is still smaller. One
 * is not: a region's `minGroups` below 1 is 1 for its score, where Karmada would divide by zero.
 */
export function selectKarmada(input: KarmadaSelectInput): KarmadaSelection {
  const { candidates, strategy, constraints: { cluster, region } = {} } = input;
  const ranked = candidates.map(rankedOf).sort((a, b) => a.tier - b.tier || byPreference(a, b));
  const isFree = strategy.type === 'StaticWeighted' && strategy.rules?.length !== 0;
  if (isFree || (cluster === undefined && region === undefined)) {
    return selected(ranked.map(({ name, available }) => ({ cluster: name, available, reason: 'Unrestricted' })));
  }
  if (region !== undefined) return selectByRegion(input, ranked, region);
  return selectByCluster(ranked, cluster ?? NONE, strategy.type === 'Duplicated' ? undefined : input.replicas);
}

const NONE: KarmadaSpread = { minGroups: 0, maxGroups: 0 };

function byPreference(a: Ranked, b: Ranked): number {
  return b.score - a.score || b.available - a.available || compareText(a.name, b.name);
}

function rankedOf({ name, score, overflowOrder = 0, allocatable = 0, assigned = 0, region = '' }: KarmadaSelectable): Ranked {
  return { name, tier: overflowOrder, score, available: allocatable + assigned, region };
}

function selected(clusters: readonly KarmadaSelected[], leftOut: readonly KarmadaLeftOut[] = []): KarmadaSelection {
  return { outcome: 'selected', clusters, leftOut };
}

function failed(reason: KarmadaSelectFailure, message: string): KarmadaSelection {
  return { outcome: 'failed', reason, message };
}

/** `need`: for how many replicas there must be room; nothing where room doesn't count. */
function selectByCluster(ranked: readonly Ranked[], limits: KarmadaSpread, need: number | undefined): KarmadaSelection {
  if (ranked.length < limits.minGroups) {
    return failed('TooFewClusters', 'the number of feasible clusters is less than spreadConstraint.MinGroups');
  }
  const count = Math.max(0, Math.min(ranked.length, limits.maxGroups));
  const chosen = ranked.slice(0, count);
  const rest = ranked.slice(count);
  const swaps = need === undefined ? new Map<string, string>() : swapForRoom(chosen, rest, need);
  // Karmada takes an empty selection for a failed one where room counts.
  if (need !== undefined && (count === 0 || roomOf(chosen) < need)) {
    return failed('NoRoom', `no enough resource when selecting ${count} clusters`);
  }
  const taken = new Set(chosen);
  return selected(
    chosen.map(({ name, available }) => {
      const insteadOf = swaps.get(name);
      if (insteadOf === undefined) return { cluster: name, available, reason: 'InOrder' };
      return { cluster: name, available, reason: 'SwappedIn', insteadOf };
    }),
    ranked
      .filter((each) => !taken.has(each))
      .map(({ name, available }) => {
        const inFavourOf = swaps.get(name);
        if (inFavourOf === undefined) return { cluster: name, available, reason: 'OverMaxGroups' };
        return { cluster: name, available, reason: 'SwappedOut', inFavourOf };
      }),
  );
}

const roomOf = (clusters: readonly Ranked[]): number => clusters.reduce((sum, { available }) => sum + available, 0);

/** Exchanges clusters between both lists, from the last chosen one to the first. Returns for each who it changed places with last. */
function swapForRoom(chosen: Ranked[], rest: Ranked[], need: number): Map<string, string> {
  const swaps = new Map<string, string>();
  let room = roomOf(chosen);
  for (let place = chosen.length - 1; place >= 0 && room < need; place -= 1) {
    const small = chosen[place];
    const largest = rest.reduce((best, { available }, index) => (available > (rest[best]?.available ?? 0) ? index : best), 0);
    const large = rest[largest];
    if (small === undefined || large === undefined || large.available <= small.available) continue;
    chosen[place] = large;
    // It stands where the other stood, and may come back for a smaller one.
    rest[largest] = small;
    room += large.available - small.available;
    swaps.set(large.name, small.name).set(small.name, large.name);
  }
  return swaps;
}

function selectByRegion(input: KarmadaSelectInput, ranked: readonly Ranked[], region: KarmadaSpread): KarmadaSelection {
  const cluster = input.constraints?.cluster ?? NONE;
  const regions = regionsOf(ranked);
  if (regions.size < region.minGroups) {
    return failed('TooFewRegions', 'the number of feasible region is less than spreadConstraint.MinGroups');
  }
  const least = Math.max(cluster.minGroups, region.minGroups);
  const groups = [...regions].map(([name, members]) => {
    const score =
      input.strategy.type === 'Duplicated'
        ? scoreByCopies(members, input.replicas)
        : scoreByRoom(members, Math.ceil(input.replicas / Math.max(1, region.minGroups)), least);
    return { name, size: members.length, score };
  });
  const path = chooseGroups(groups, region, cluster.minGroups) ?? [];
  if (path.length === 0) {
    return failed('TooFewClustersInRegions', 'the number of clusters is less than the cluster spreadConstraint.MinGroups');
  }
  const chosen = path.map(({ name }) => regions.get(name) ?? []);
  const firsts = chosen.flatMap((members) => members.slice(0, 1));
  const others = chosen.flatMap((members) => members.slice(1)).sort(byPreference);
  const more = others.slice(0, Math.max(0, cluster.maxGroups - firsts.length));
  const taken = new Set([...firsts, ...more]);
  const names = new Set(path.map(({ name }) => name));
  return selected(
    [...firsts.map((each) => selectedAs('FirstOfRegion', each)), ...more.map((each) => selectedAs('MoreOfRegion', each))],
    ranked.filter((each) => !taken.has(each)).map((each) => explainLeftOut(each, names)),
  );
}

function regionsOf(ranked: readonly Ranked[]): ReadonlyMap<string, readonly Ranked[]> {
  const regions = new Map<string, Ranked[]>();
  for (const each of ranked) {
    if (each.region === '') continue;
    const members = regions.get(each.region);
    if (members === undefined) regions.set(each.region, [each]);
    else members.push(each);
  }
  return regions;
}

function selectedAs(reason: 'FirstOfRegion' | 'MoreOfRegion', { name, available, region }: Ranked): KarmadaSelected {
  return { cluster: name, available, reason, region };
}

function explainLeftOut({ name, available, region }: Ranked, chosen: ReadonlySet<string>): KarmadaLeftOut {
  if (region === '') return { cluster: name, available, reason: 'NoRegion' };
  if (chosen.has(region)) return { cluster: name, available, reason: 'OverMaxGroups' };
  return { cluster: name, available, reason: 'RegionNotChosen', region };
}

/** How many clusters of a region have room for a full copy, and their scores on average. */
function scoreByCopies(members: readonly Ranked[], replicas: number): number {
  const fit = members.filter(({ available }) => available >= replicas);
  return fit.length === 0 ? 0 : fit.length * UNIT + Math.trunc(scoresOf(fit) / fit.length);
}

const scoresOf = (clusters: readonly Ranked[]): number => clusters.reduce((sum, { score }) => sum + score, 0);

/** How much of its part a region has room for, and the average score of the clusters needed for it, of which there are at least `least`. */
function scoreByRoom(members: readonly Ranked[], part: number, least: number): number {
  let room = 0;
  const enough = members.findIndex(({ available }, index) => {
    room += available;
    return index + 1 >= least && room >= part;
  });
  const seen = enough < 0 ? members : members.slice(0, enough + 1);
  return Math.min(room, part) * UNIT + Math.trunc(scoresOf(seen) / seen.length);
}
