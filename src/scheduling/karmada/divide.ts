import { compareText } from '../../kube/index.ts';
import { type Party, webster } from './webster.ts';

/** A cluster that may get replicas. */
export interface KarmadaCandidate {
  readonly name: string;
  /** How many more replicas fit; what runs there already isn't part of it. Counts for dynamic weights and aggregation. Default 0. */
  readonly allocatable?: number;
  /** Tier of a policy with overflow: 0 is filled before 1, and so on. Default 0. */
  readonly overflowOrder?: number;
}

/** A rule of static weights: the clusters that it matches, and their weight. */
export interface KarmadaWeightRule {
  readonly clusters: readonly string[];
  readonly weight: number;
}

/** How replicas are divided (API: policy.karmada.io ReplicaSchedulingStrategy). */
export type KarmadaStrategy =
  | { readonly type: 'Duplicated' }
  /**
   * The largest weight of the rules that match counts; one of 0 is none. Without rules, or where none gives weight to any cluster, all weigh 1.
   */
  | { readonly type: 'StaticWeighted'; readonly rules?: readonly KarmadaWeightRule[] }
  /** By how many replicas fit. */
  | { readonly type: 'DynamicWeighted' }
  /** As few clusters as will do. */
  | { readonly type: 'Aggregated' };

/** What {@link divideKarmada} takes. */
export interface KarmadaInput {
  readonly candidates: readonly KarmadaCandidate[];
  readonly replicas: number;
  readonly strategy: KarmadaStrategy;
  /** Of the workload; breaks ties. */
  readonly uid?: string;
  /** What each cluster was given before. Clusters that are no candidates any more are forgotten. */
  readonly previous?: ReadonlyMap<string, number>;
  /**
   * `Steady` (the default) changes only what has to change: growing adds, shrinking takes in proportion. `Fresh` divides anew, as a rebalance
   * asks for. Static weights are always divided anew.
   */
  readonly mode?: 'Steady' | 'Fresh';
  /** Whether clusters stay in the result that get no replicas. Default false. */
  readonly keepEmpty?: boolean;
}

/** Why a cluster has its replicas. */
export type KarmadaReason =
  /** A full copy. */
  | 'Duplicated'
  /** Its share by static weight. */
  | 'ByWeight'
  /** Its share of the room that there is. */
  | 'ByRoom'
  /** What it had, and a share of what was added, by room. */
  | 'KeptAndGrown'
  /** Its part of what it had. */
  | 'ShrunkInProportion'
  /** As before: the sum is the same. */
  | 'Unchanged';

/** What one cluster gets. */
export interface KarmadaShare {
  readonly cluster: string;
  readonly replicas: number;
  readonly previous: number;
  readonly reason: KarmadaReason;
}

/** What {@link divideKarmada} decides. */
export type KarmadaDivision =
  /** By name; clusters without replicas are left out. */
  | { readonly outcome: 'divided'; readonly shares: readonly KarmadaShare[] }
  /** There is no room for all of them, and then none are placed. `missing`: how many are too many. */
  | { readonly outcome: 'unschedulable'; readonly missing: number }
  | { readonly outcome: 'no-candidates' };

const NOTHING: ReadonlyMap<string, number> = new Map();

/**
 * Divides replicas as Karmada does (v1.16 and later), to the replica and the tie. It takes any numbers, as the original does. In one thing it is
 * more certain: where several clusters have the same room, aggregation takes them by name; Karmada sorts them unstably.
 *
 * With tiers of overflow each tier gets as many replicas as it has room for, the lowest first, divided by the same strategy.
 */
export function divideKarmada(input: KarmadaInput): KarmadaDivision {
  if (input.candidates.length === 0) return { outcome: 'no-candidates' };
  const tiers = tiersOf(input.candidates);
  if (tiers.length === 1) return divided(assign(input, input.candidates, input.replicas), input.keepEmpty);
  const shares: KarmadaShare[] = [];
  let rest = input.replicas;
  for (const candidates of tiers) {
    const room = candidates.reduce((sum, { name, allocatable = 0 }) => sum + allocatable + (input.previous?.get(name) ?? 0), 0);
    const result = assign(input, candidates, Math.min(rest, room));
    if (typeof result === 'number') return { outcome: 'unschedulable', missing: result };
    rest -= Math.min(rest, room);
    shares.push(...result);
  }
  return rest > 0 ? { outcome: 'unschedulable', missing: rest } : divided(shares, input.keepEmpty);
}

function tiersOf(candidates: readonly KarmadaCandidate[]): readonly (readonly KarmadaCandidate[])[] {
  const first = candidates[0]?.overflowOrder ?? 0;
  if (candidates.every(({ overflowOrder = 0 }) => overflowOrder === first)) return [candidates];
  const tiers = new Map<number, KarmadaCandidate[]>();
  for (const candidate of candidates) {
    const { overflowOrder = 0 } = candidate;
    const tier = tiers.get(overflowOrder);
    if (tier === undefined) tiers.set(overflowOrder, [candidate]);
    else tier.push(candidate);
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([, tier]) => tier);
}

function divided(result: readonly KarmadaShare[] | number, keepEmpty = false): KarmadaDivision {
  if (typeof result === 'number') return { outcome: 'unschedulable', missing: result };
  const shares = result.filter(({ replicas }) => keepEmpty || replicas > 0).sort((a, b) => compareText(a.cluster, b.cluster));
  return { outcome: 'divided', shares };
}

/** The shares of some candidates; a number where so many replicas have no room. */
function assign(
  input: KarmadaInput,
  candidates: readonly KarmadaCandidate[],
  replicas: number,
): readonly KarmadaShare[] | number {
  const { strategy, previous = NOTHING } = input;
  if (strategy.type === 'Duplicated') {
    return candidates.map(({ name }) => share(name, replicas, heldBy(name, previous), 'Duplicated'));
  }
  if (strategy.type === 'StaticWeighted') return byStaticWeight(input, strategy.rules, candidates, replicas);
  return byRoom(input, candidates, replicas);
}

function share(cluster: string, replicas: number, previous: number, reason: KarmadaReason): KarmadaShare {
  return { cluster, replicas, previous, reason };
}

function heldBy(name: string, previous: ReadonlyMap<string, number>): number {
  return previous.size === 0 ? 0 : (previous.get(name) ?? 0);
}

function byStaticWeight(
  { previous = NOTHING, uid }: KarmadaInput,
  rules: readonly KarmadaWeightRule[] = [],
  candidates: readonly KarmadaCandidate[],
  replicas: number,
): readonly KarmadaShare[] {
  const heaviest = new Map<string, number>();
  for (const { clusters, weight } of rules) {
    if (!(weight > 0)) continue;
    for (const cluster of clusters) heaviest.set(cluster, Math.max(weight, heaviest.get(cluster) ?? weight));
  }
  // Who weighs nothing gets nothing.
  const byRules = candidates.map(({ name }): Party => ({ name, votes: heaviest.get(name) ?? 0 }));
  const parties = byRules.some(({ votes }) => votes > 0) ? byRules : candidates.map(({ name }): Party => ({ name, votes: 1 }));
  const seats = webster(replicas, parties, uid);
  return candidates.map(({ name }, at) => share(name, seats[at] ?? 0, heldBy(name, previous), 'ByWeight'));
}

/** A candidate with the room that counts, and its place among the candidates. */
interface Room extends Party {
  readonly at: number;
  /** Whether it is taken before those that hold nothing. */
  readonly isPreferred: boolean;
}

function byRoom(
  input: KarmadaInput,
  candidates: readonly KarmadaCandidate[],
  replicas: number,
): readonly KarmadaShare[] | number {
  const { mode = 'Steady', previous = NOTHING } = input;
  const held = candidates.map(({ name }) => heldBy(name, previous));
  let assigned = 0;
  for (const each of held) assigned += each;
  const isFresh = mode === 'Fresh';
  if (!isFresh && assigned === replicas) {
    return candidates.map(({ name }, at) => share(name, held[at] ?? 0, held[at] ?? 0, 'Unchanged'));
  }
  const isGrowing = !isFresh && assigned < replicas;
  const rooms = candidates.map(({ name, allocatable = 0 }, at): Room => {
    const has = held[at] ?? 0;
    // Anew, what runs is room like any other, and no cluster is preferred for it. Fewer are divided by what is there.
    if (isFresh) return { name, votes: allocatable + has, at, isPreferred: false };
    return { name, votes: isGrowing ? allocatable : has, at, isPreferred: has > 0 };
  });
  const given = spread(input, rooms, isGrowing ? replicas - assigned : replicas);
  if (typeof given === 'number') return given;
  const changed = isGrowing ? 'KeptAndGrown' : 'ShrunkInProportion';
  const reason = isFresh || assigned === 0 ? 'ByRoom' : changed;
  return candidates.map(({ name }, at) => {
    const has = held[at] ?? 0;
    return share(name, (given[at] ?? 0) + (isGrowing ? has : 0), has, reason);
  });
}

/** Divides by room, in the order of the rooms; aggregation leaves all clusters out that aren't needed. A number where there is no room. */
function spread({ strategy, uid }: KarmadaInput, rooms: readonly Room[], target: number): readonly number[] | number {
  let total = 0;
  for (const { votes } of rooms) total += votes;
  if (total < target) return target - total;
  if (strategy.type !== 'Aggregated') return webster(target, rooms, uid);
  const needed = fewestFor(rooms, target);
  const seats = webster(target, needed, uid);
  const given = rooms.map(() => 0);
  for (const [index, { at }] of needed.entries()) given[at] = seats[index] ?? 0;
  return given;
}

/** As few as will do: first those that are preferred, then the largest, then by name. */
function fewestFor(rooms: readonly Room[], target: number): readonly Room[] {
  const preferred = rooms.filter(({ isPreferred }) => isPreferred);
  const needed = largestFor(preferred, target);
  if (needed !== undefined) return needed;
  let room = 0;
  for (const { votes } of preferred) room += votes;
  const others = rooms.filter(({ isPreferred }) => !isPreferred);
  return [...preferred, ...(largestFor(others, target - room) ?? [])];
}

/**
 * The largest, at least one, that have room for so many together; nothing where all together haven't. All needn't be sorted for it: they are
 * parted by the size of one of them, again and again, on the side where the end must be.
 */
function largestFor(rooms: readonly Room[], target: number): readonly Room[] | undefined {
  const needed: Room[] = [];
  let open = rooms;
  let missing = target;
  while (open.length > 0) {
    const size = open[open.length >> 1]?.votes ?? 0;
    const larger = open.filter(({ votes }) => votes > size);
    let room = 0;
    for (const { votes } of larger) room += votes;
    if (larger.length > 0 && room >= missing) {
      open = larger;
      continue;
    }
    needed.push(...larger);
    missing -= room;
    const equal = open.filter(({ votes }) => votes === size);
    if (size * equal.length >= missing) {
      const count = size > 0 ? Math.max(1, Math.ceil(missing / size)) : 1;
      return [...needed, ...equal.sort((a, b) => compareText(a.name, b.name)).slice(0, count)];
    }
    needed.push(...equal);
    missing -= size * equal.length;
    open = open.filter(({ votes }) => votes < size);
  }
  return undefined;
}

/**
 * Divides the completions of a Job by the replicas (its parallelism) that clusters have got, as Karmada does.
 *
 * @returns completions by cluster, in the order of the shares.
 */
export function divideCompletions(
  shares: readonly Pick<KarmadaShare, 'cluster' | 'replicas'>[],
  completions: number,
  uid?: string,
): readonly { readonly cluster: string; readonly completions: number }[] {
  const parties = shares.map(({ cluster, replicas }) => ({ name: cluster, votes: replicas }));
  const seats = webster(completions, parties, uid);
  return shares.map(({ cluster }, index) => ({ cluster, completions: seats[index] ?? 0 }));
}
