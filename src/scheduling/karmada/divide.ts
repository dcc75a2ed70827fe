import { compareText } from '../../kube/index.ts';
import { webster } from './webster.ts';

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
  /** The largest weight of the rules that match counts. Without rules, or where none matches any cluster, all weigh 1. */
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
    return candidates.map(({ name }) => share(name, replicas, previous, 'Duplicated'));
  }
  if (strategy.type === 'StaticWeighted') return byStaticWeight(input, strategy.rules, candidates, replicas);
  return byRoom(input, candidates, replicas);
}

function share(cluster: string, replicas: number, previous: ReadonlyMap<string, number>, reason: KarmadaReason): KarmadaShare {
  return { cluster, replicas, previous: previous.get(cluster) ?? 0, reason };
}

function byStaticWeight(
  { previous = NOTHING, uid }: KarmadaInput,
  rules: readonly KarmadaWeightRule[] | undefined,
  candidates: readonly KarmadaCandidate[],
  replicas: number,
): readonly KarmadaShare[] {
  const heaviest = new Map<string, number>();
  for (const { clusters, weight } of rules ?? []) {
    for (const cluster of clusters) heaviest.set(cluster, Math.max(weight, heaviest.get(cluster) ?? weight));
  }
  const matched = candidates.filter(({ name }) => heaviest.has(name));
  const parties =
    matched.length === 0
      ? candidates.map(({ name }) => ({ name, votes: 1 }))
      : matched.map(({ name }) => ({ name, votes: heaviest.get(name) ?? 0 }));
  const seats = webster(replicas, parties, uid);
  return parties.map(({ name }, index) => share(name, seats[index] ?? 0, previous, 'ByWeight'));
}

interface Room {
  readonly name: string;
  readonly votes: number;
  readonly scheduled: number;
}

function byRoom(
  input: KarmadaInput,
  candidates: readonly KarmadaCandidate[],
  replicas: number,
): readonly KarmadaShare[] | number {
  const { mode = 'Steady', previous = NOTHING } = input;
  const scheduled = (name: string): number => previous.get(name) ?? 0;
  const assigned = candidates.reduce((sum, { name }) => sum + scheduled(name), 0);
  const rooms = (votes: (candidate: KarmadaCandidate) => number): readonly Room[] =>
    candidates.map((candidate) => ({ name: candidate.name, votes: votes(candidate), scheduled: scheduled(candidate.name) }));
  const room = ({ allocatable = 0 }: KarmadaCandidate): number => allocatable;
  if (mode === 'Fresh') {
    // What runs is room like any other, and no cluster is preferred for it.
    const fresh = rooms((each) => room(each) + scheduled(each.name)).map((each) => ({ ...each, scheduled: 0 }));
    return spread(input, fresh, replicas, 'ByRoom');
  }
  if (assigned === replicas) return candidates.map(({ name }) => share(name, scheduled(name), previous, 'Unchanged'));
  if (assigned > replicas) {
    const holding = rooms(({ name }) => scheduled(name)).filter(({ votes }) => votes > 0);
    return spread(input, holding, replicas, 'ShrunkInProportion');
  }
  const added = spread(input, rooms(room), replicas - assigned, 'KeptAndGrown');
  if (typeof added === 'number') return added;
  const grown = new Map(added.map(({ cluster, replicas: more }) => [cluster, more]));
  return candidates.map(({ name }) => {
    const reason = assigned === 0 ? 'ByRoom' : 'KeptAndGrown';
    return share(name, scheduled(name) + (grown.get(name) ?? 0), previous, reason);
  });
}

/** Divides by room; aggregation leaves all clusters out that aren't needed, and prefers those that hold replicas. */
function spread(
  { strategy, previous = NOTHING, uid }: KarmadaInput,
  rooms: readonly Room[],
  target: number,
  reason: KarmadaReason,
): readonly KarmadaShare[] | number {
  const total = rooms.reduce((sum, { votes }) => sum + votes, 0);
  if (total < target) return target - total;
  const parties = strategy.type === 'Aggregated' ? shortestPrefix(rooms, target) : rooms;
  const seats = webster(target, parties, uid);
  return parties.map(({ name }, index) => share(name, seats[index] ?? 0, previous, reason));
}

function shortestPrefix(rooms: readonly Room[], target: number): readonly Room[] {
  const bySize = rooms.toSorted((a, b) => b.votes - a.votes || compareText(a.name, b.name));
  const ordered = [...bySize.filter(({ scheduled }) => scheduled > 0), ...bySize.filter(({ scheduled }) => scheduled <= 0)];
  let sum = 0;
  const enough = ordered.findIndex(({ votes }) => {
    sum += votes;
    return sum >= target;
  });
  return ordered.slice(0, enough + 1);
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
