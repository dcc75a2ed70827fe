import { ClustersetError, memberOf } from '../../kube/index.ts';
import { type DivisionCluster, divideReplicas } from '../divide/divide.ts';
import { divideKarmada, type KarmadaStrategy, type KarmadaWeightRule } from '../karmada/divide.ts';
import { divideKubeAdmiralBinpack } from '../kubeadmiral/binpack.ts';
import { divideKubeAdmiral } from '../kubeadmiral/spread.ts';
import { planReplicas } from '../kubefed/planner.ts';
import type { DivisionPolicy, DivisionPreference } from '../policy/api.ts';
import type { SchedulingWorkload } from './contract.ts';
import type { DivisionExplanation } from './decision.ts';

/** A selected cluster that replicas are divided over. */
export interface DivisionCandidate {
  readonly name: string;
  /** How many more replicas fit; nothing where that isn't known. */
  readonly room: number | undefined;
  /** Replicas that it has. */
  readonly current: number;
  /** Whether it may get more than it has. */
  readonly mayGrow: boolean;
  readonly tier: number;
}

/** Why a cluster gets what it gets; nothing for one that gets nothing, and nobody says why. */
export type DividedCluster = DivisionExplanation | undefined;

/** The replicas of a cluster, with those that are left pending there on purpose. */
export function replicasOf(division: DividedCluster): number {
  if (division === undefined) return 0;
  switch (division.algorithm) {
    case 'kubefed':
      return division.share.replicas + division.share.overflow;
    case 'kubeadmiral':
      return division.share.scheduled;
    default:
      return division.share.replicas;
  }
}

/**
 * Divides replicas over the selected clusters as the policy says, by the arithmetic that it names.
 *
 * @param candidates by name, each once.
 * @returns what they get, in the same order.
 * @throws ClustersetError `Invalid` for a type that the named algorithm doesn't have, and where `divideReplicas` does.
 */
export function divideStep(
  policy: DivisionPolicy,
  workload: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): readonly DividedCluster[] {
  const { type = 'Duplicated', algorithm = 'clusterset' } = policy;
  switch (type === 'Duplicated' && algorithm !== 'karmada' ? 'clusterset' : algorithm) {
    case 'kubefed':
      return byKubefed(policy, workload, total, candidates);
    case 'karmada':
      return byKarmada(policy, workload, total, candidates);
    case 'kubeadmiral':
      return byKubeAdmiral(policy, workload, total, candidates);
    default:
      return byClusterset(policy, total, candidates);
  }
}

/** Everybody's own preference, or the one of `*`. */
function preferenceOf({ clusters }: DivisionPolicy): (cluster: string) => DivisionPreference | undefined {
  if (clusters === undefined) return () => undefined;
  const fallback = memberOf(clusters, '*') as DivisionPreference | undefined;
  return (cluster) => (Object.hasOwn(clusters, cluster) ? clusters[cluster] : fallback);
}

/** Shares of only some of the candidates, in the order of all. */
function alignedWith<T extends { readonly cluster: string }>(
  candidates: readonly DivisionCandidate[],
  shares: readonly T[],
  explain: (share: T) => DividedCluster,
): readonly DividedCluster[] {
  const byName = new Map(shares.map((share) => [share.cluster, share]));
  return candidates.map(({ name }) => {
    const share = byName.get(name);
    return share && explain(share);
  });
}

function byClusterset(
  policy: DivisionPolicy,
  total: number,
  candidates: readonly DivisionCandidate[],
): readonly DividedCluster[] {
  const { type = 'Duplicated', sticky = false } = policy;
  const clusters = policy.clusters === undefined ? candidates : candidates.map(preferring(preferenceOf(policy)));
  // Shares are by name, as the candidates are.
  const { shares } = divideReplicas({ clusters, replicas: total, type, sticky });
  return shares.map((share) => ({ algorithm: 'clusterset', share }));
}

function preferring(
  preference: (cluster: string) => DivisionPreference | undefined,
): (candidate: DivisionCandidate) => DivisionCluster {
  return ({ name, room, current, mayGrow, tier }) => {
    const own = preference(name);
    return {
      name,
      room,
      current,
      mayGrow,
      weight: own?.weight,
      minReplicas: own?.minReplicas,
      maxReplicas: own?.maxReplicas,
      tier: own?.tier ?? tier,
    };
  };
}

function byKubefed(
  policy: DivisionPolicy,
  workload: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): readonly DividedCluster[] {
  const { type = 'Duplicated', sticky = true, clusters = EVEN } = policy;
  if (type !== 'Weighted') throw unknownType('kubefed', type, 'Weighted');
  const { shares } = planReplicas({
    key: keyOf(workload),
    totalReplicas: total,
    preferences: { ...clusters, ...preferencesOfKept(clusters, candidates) },
    rebalance: !sticky,
    candidates: candidates.map(({ name }) => name),
    current: currentOf(candidates),
    capacity: capacityOf(candidates),
  });
  return alignedWith(candidates, shares, (share) => ({ algorithm: 'kubefed', share }));
}

function byKarmada(
  policy: DivisionPolicy,
  { uid }: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): readonly DividedCluster[] {
  const { sticky = true, type } = policy;
  const preference = preferenceOf(policy);
  // Tiers of overflow are for what is divided by room.
  const hasTiers = type === 'ByCapacity' || type === 'Aggregated';
  const division = divideKarmada({
    candidates: candidates.map(({ name, room = total, mayGrow, tier }) => ({
      name,
      allocatable: mayGrow ? room : 0,
      overflowOrder: hasTiers ? (preference(name)?.tier ?? tier) : 0,
    })),
    replicas: total,
    strategy: karmadaStrategy(policy, candidates),
    previous: currentOf(candidates),
    mode: sticky ? 'Steady' : 'Fresh',
    keepEmpty: true,
    ...(uid === undefined ? {} : { uid }),
  });
  const shares = division.outcome === 'divided' ? division.shares : [];
  return alignedWith(candidates, shares, (share) => ({ algorithm: 'karmada', share }));
}

/** How Karmada calls the type of a policy. */
export function karmadaStrategy(policy: DivisionPolicy, candidates: readonly { readonly name: string }[]): KarmadaStrategy {
  const { type = 'Duplicated', clusters } = policy;
  if (type === 'ByCapacity') return { type: 'DynamicWeighted' };
  if (type !== 'Weighted') return { type };
  if (clusters === undefined) return { type: 'StaticWeighted' };
  const preference = preferenceOf(policy);
  const rules = candidates.flatMap(({ name }): readonly KarmadaWeightRule[] => {
    const own = preference(name);
    return own === undefined ? [] : [{ clusters: [name], weight: own.weight ?? 1 }];
  });
  return { type: 'StaticWeighted', rules };
}

function byKubeAdmiral(
  policy: DivisionPolicy,
  workload: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): readonly DividedCluster[] {
  const { type = 'Duplicated', sticky = true, clusters = EVEN } = policy;
  const input = {
    totalReplicas: total,
    preferences: { ...clusters, ...preferencesOfKept(clusters, candidates) },
    current: currentOf(candidates),
    limitedCapacity: capacityOf(candidates),
    avoidDisruption: sticky,
  };
  const { shares } = kubeAdmiralPlan(type, workload, input, candidates, preferenceOf({ clusters }));
  return alignedWith(candidates, shares, (share) => ({ algorithm: 'kubeadmiral', share }));
}

type Preferences = Readonly<Record<string, DivisionPreference>>;

const EVEN: Preferences = { '*': { weight: 1 } };

/** A cluster that may not grow has at most what it has (KubeAdmiral's rule for taints), so that nothing is left pending there either. */
function preferencesOfKept(clusters: Preferences, candidates: readonly DivisionCandidate[]): Preferences {
  const preference = preferenceOf({ clusters });
  return Object.fromEntries(
    candidates.flatMap(({ name, current, mayGrow }) => {
      const own = preference(name);
      if (mayGrow || own === undefined) return [];
      return [[name, { ...own, maxReplicas: Math.min(own.maxReplicas ?? current, current) }]];
    }),
  );
}

function kubeAdmiralPlan(
  type: NonNullable<DivisionPolicy['type']>,
  workload: SchedulingWorkload,
  input: Omit<Parameters<typeof divideKubeAdmiral>[0], 'key' | 'candidates'>,
  candidates: readonly DivisionCandidate[],
  preference: (cluster: string) => DivisionPreference | undefined,
): ReturnType<typeof divideKubeAdmiral> {
  if (type === 'Weighted') {
    return divideKubeAdmiral({ ...input, key: keyOf(workload), candidates: candidates.map(({ name }) => name) });
  }
  if (type !== 'Aggregated') throw unknownType('kubeadmiral', type, 'Weighted or Aggregated');
  const tierOf = (each: DivisionCandidate): number => preference(each.name)?.tier ?? each.tier;
  const ordered = candidates.toSorted((a, b) => tierOf(a) - tierOf(b));
  return divideKubeAdmiralBinpack({ ...input, candidates: ordered.map(({ name }) => name) });
}

function keyOf({ namespace, name }: SchedulingWorkload): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function currentOf(candidates: readonly DivisionCandidate[]): ReadonlyMap<string, number> {
  return new Map(candidates.filter(({ current }) => current > 0).map(({ name, current }) => [name, current]));
}

/** How many replicas fit, with those that are there. */
function capacityOf(candidates: readonly DivisionCandidate[]): ReadonlyMap<string, number> {
  const known = candidates.flatMap(({ name, room, current, mayGrow }): readonly (readonly [string, number])[] => {
    if (!mayGrow) return [[name, current]];
    return room === undefined ? [] : [[name, room + current]];
  });
  return new Map(known);
}

function unknownType(algorithm: string, type: string, mend: string): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    message: `${algorithm} doesn't divide by type ${type}`,
    field: 'spec.division.type',
    mend: `use ${mend}, or another algorithm`,
  });
}
