import { hashOrder } from './hash-order.ts';
import { heaviestFirst } from './heaviest-first.ts';
import { ownLookup } from './own-lookup.ts';

/** How many replicas a cluster should get, at least, at most, and beside the others (API: scheduling.kubefed.io ClusterPreferences). */
export interface ClusterPreference {
  /** Given first, in the order of weights. Default 0. */
  readonly minReplicas?: number;
  /** Not exceeded by the share. Default: no limit. */
  readonly maxReplicas?: number;
  /** Share of what is left after all minimums. Default 0. */
  readonly weight?: number;
}

/** What {@link planReplicas} decides from. */
export interface PlanReplicasInput {
  /** `namespace/name` of the workload: breaks ties, so that single replicas of many workloads don't all land on the first cluster. */
  readonly key: string;
  readonly totalReplicas: number;
  /** Preferences by cluster; `*` is for the clusters without their own. A cluster with neither gets nothing. */
  readonly preferences: Readonly<Record<string, ClusterPreference>>;
  /** Moves running replicas where the preferences say so. Without it, what runs stays as long as the total allows. */
  readonly rebalance?: boolean;
  /** Names of the clusters that can take replicas, each once. */
  readonly candidates: readonly string[];
  /** Replicas that run now. */
  readonly current?: ReadonlyMap<string, number>;
  /** How many replicas fit, where that is known. */
  readonly capacity?: ReadonlyMap<string, number>;
}

/** What one cluster gets, and why: `replicas = minimum + kept + share`. */
export interface ReplicaShare {
  readonly cluster: string;
  readonly replicas: number;
  /** Replicas for which there was no room: to be left pending there on purpose, so that they start when room appears. */
  readonly overflow: number;
  /** Whether the cluster has a preference at all. */
  readonly preferred: boolean;
  /** Given because of `minReplicas`. */
  readonly minimum: number;
  /** Left where they run, because `rebalance` is off. */
  readonly kept: number;
  /** Given by weight; negative where `maxReplicas` is below `minReplicas`. */
  readonly share: number;
  readonly weight: number;
  /** What kept the cluster from more. */
  readonly limit: 'max' | 'capacity' | undefined;
}

/** How replicas are divided. */
export interface ReplicaPlan {
  /** One for each candidate, in their order. */
  readonly shares: readonly ReplicaShare[];
  /** Replicas that no cluster may or can take. */
  readonly unplaced: number;
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map();

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** The working state of one cluster: its share as far as it is known, and what bounds it. */
interface Slot {
  readonly result: Draft<ReplicaShare>;
  readonly preference: ClusterPreference;
  readonly capacity: number | undefined;
  /** Kept replicas that the rounds haven't counted against a share yet. */
  pending: number;
}

/**
 * Divides replicas over clusters exactly as kubefed's planner does (v0.10.0), quirks included, and says why. Minimums come first, then what
 * runs already (without `rebalance`), then weights divide the rest, rounded up in the order of weight and then of a hash of the cluster's
 * name and the key. Minimums aren't checked against maximums, and the sum falls short of the total where nothing can grow.
 */
export function planReplicas(input: PlanReplicasInput): ReplicaPlan {
  const { candidates, rebalance = false, current = NO_NUMBERS } = input;
  const shares = new Array<Draft<ReplicaShare>>(candidates.length);
  const slots = orderedSlots(input, shares);
  let rest = giveMinimums(slots, input.totalReplicas);
  if (!rebalance) rest = keepRunning(slots, current, rest);
  rest = divideByWeight(slots, rest);
  for (const { result } of slots) {
    result.share = result.replicas - result.minimum - result.kept;
    if (!rebalance && result.overflow > 0) result.overflow = Math.max(0, Math.min(rest, result.overflow));
  }
  return { shares, unplaced: Math.max(0, rest) };
}

/** Makes a share of each candidate. The clusters with a preference come back by weight, then by hash, then as they were given. */
function orderedSlots(input: PlanReplicasInput, shares: Draft<ReplicaShare>[]): readonly Slot[] {
  const { key, preferences, candidates, capacity = NO_NUMBERS } = input;
  const preferenceOf = preferenceLookup(preferences);
  const slots: Slot[] = [];
  const order = hashOrder(candidates, key);
  let isLevel = true;
  for (let at = 0; at < order.length; at += 1) {
    const index = order[at] ?? 0;
    const cluster = candidates[index] ?? '';
    const preference = preferenceOf(cluster);
    const result = emptyShare(cluster, preference);
    shares[index] = result;
    if (preference === undefined) continue;
    const room = capacity.size === 0 ? undefined : capacity.get(cluster);
    slots.push({ result, preference, capacity: room, pending: 0 });
    isLevel &&= result.weight === slots[0]?.result.weight;
  }
  return isLevel ? slots : heaviestFirst(slots, ({ result }) => result.weight);
}

function preferenceLookup(preferences: PlanReplicasInput['preferences']): (name: string) => ClusterPreference | undefined {
  const ownOf = ownLookup(preferences);
  const fallback = ownOf('*');
  if (fallback === undefined) return ownOf;
  return Object.keys(preferences).length === 1 ? () => fallback : (name) => ownOf(name) ?? fallback;
}

function giveMinimums(slots: readonly Slot[], total: number): number {
  let rest = total;
  for (const { result, preference, capacity } of slots) {
    result.minimum = atMost(capacity, Math.min(preference.minReplicas ?? 0, rest));
    result.replicas = result.minimum;
    rest -= result.minimum;
  }
  return rest;
}

function keepRunning(slots: readonly Slot[], current: ReadonlyMap<string, number>, available: number): number {
  let rest = available;
  if (current.size === 0) return rest;
  for (const slot of slots) {
    const { result, preference, capacity } = slot;
    const running = current.get(result.cluster);
    if (running === undefined || running <= result.replicas) continue;
    const most = atMost(capacity, atMost(preference.maxReplicas, running));
    result.kept = Math.max(0, Math.min(most - result.replicas, rest));
    slot.pending = result.kept;
    result.replicas += result.kept;
    rest -= result.kept;
  }
  return rest;
}

/** The count, cut down to a limit where there is one. */
function atMost(limit: number | undefined, count: number): number {
  return limit === undefined || count < limit ? count : limit;
}

/** Rounds over the clusters that aren't full, until nothing is left or nobody grows. */
function divideByWeight(slots: readonly Slot[], available: number): number {
  let rest = available;
  let active = slots;
  let changed = true;
  while (changed && rest > 0) {
    changed = false;
    let sum = 0;
    for (const { result } of active) sum += result.weight;
    if (sum <= 0) return rest;
    const inThisRound = rest;
    for (const slot of active) {
      const { result } = slot;
      const start = result.replicas;
      if (grow(slot, Math.min(shareOf(inThisRound, result.weight, sum), rest))) changed = true;
      rest -= result.replicas - start;
    }
    if (rest > 0) active = active.filter(({ result }) => result.limit === undefined);
  }
  return rest;
}

/** Gives a cluster its share of one round; whether that moved anything. */
function grow(slot: Slot, due: number): boolean {
  const { result, capacity } = slot;
  const { maxReplicas } = slot.preference;
  const counted = Math.min(due, slot.pending);
  slot.pending -= counted;
  const start = result.replicas;
  let total = start + due - counted;
  if (maxReplicas !== undefined && total > maxReplicas) {
    total = maxReplicas;
    result.limit = 'max';
  }
  if (capacity !== undefined && total > capacity) {
    result.overflow = total - capacity;
    total = capacity;
    result.limit = 'capacity';
  }
  result.replicas = total;
  return counted > 0 || total > start;
}

/** `count × weight / sum`, rounded up, in whole numbers. */
function shareOf(count: number, weight: number, sum: number): number {
  const product = count * weight;
  if (product + sum <= Number.MAX_SAFE_INTEGER) return Math.floor((product + sum - 1) / sum);
  return Number((BigInt(count) * BigInt(weight) + BigInt(sum) - 1n) / BigInt(sum));
}

function emptyShare(cluster: string, preference: ClusterPreference | undefined): Draft<ReplicaShare> {
  return {
    cluster,
    replicas: 0,
    overflow: 0,
    preferred: preference !== undefined,
    minimum: 0,
    kept: 0,
    share: 0,
    weight: preference?.weight ?? 0,
    limit: undefined,
  };
}

/** Why a cluster gets what it gets, in one line: `4 = 1 minimum + 1 running there + 2 by weight 2, at its maximum`. */
export function explainShare(share: ReplicaShare): string {
  if (!share.preferred) return '0 replicas: no preference names it, and there is none for "*"';
  const parts = [
    share.minimum === 0 ? '' : `${share.minimum} minimum`,
    share.kept === 0 ? '' : `${share.kept} running there`,
    share.share === 0 ? '' : `${share.share} by weight ${share.weight}`,
  ].filter((part) => part !== '');
  const limits = { max: ', at its maximum', capacity: ', at its capacity' };
  const replicas = `${share.replicas} replica${share.replicas === 1 ? '' : 's'}`;
  const sum = `${replicas}: ${parts.length === 0 ? `weight ${share.weight}` : parts.join(' + ')}`;
  const overflow = share.overflow === 0 ? '' : `, and ${share.overflow} more that wait for room`;
  return `${sum}${share.limit === undefined ? '' : limits[share.limit]}${overflow}`;
}
