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

/** What each cluster gets, by name. A cluster that isn't in there gets nothing, and nobody says why. */
export type DividedClusters = ReadonlyMap<string, { readonly replicas: number; readonly division: DivisionExplanation }>;

/**
 * Divides replicas over the selected clusters as the policy says, by the arithmetic that it names.
 *
 * @throws ClustersetError `Invalid` for a type that the named algorithm doesn't have, and where `divideReplicas` does.
 */
export function divideStep(
  policy: DivisionPolicy,
  workload: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): DividedClusters {
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

function byClusterset(policy: DivisionPolicy, total: number, candidates: readonly DivisionCandidate[]): DividedClusters {
  const { type = 'Duplicated', sticky = false } = policy;
  const preference = preferenceOf(policy);
  const clusters = candidates.map(({ name, room, current, mayGrow, tier }): DivisionCluster => {
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
  });
  const { shares } = divideReplicas({ clusters, replicas: total, type, sticky });
  return new Map(
    shares.map((share) => [share.cluster, { replicas: share.replicas, division: { algorithm: 'clusterset', share } }]),
  );
}

function byKubefed(
  policy: DivisionPolicy,
  workload: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): DividedClusters {
  const { type = 'Duplicated', sticky = true } = policy;
  if (type !== 'Weighted') throw unknownType('kubefed', type, 'Weighted');
  const { shares } = planReplicas({
    key: keyOf(workload),
    totalReplicas: total,
    preferences: policy.clusters ?? { '*': { weight: 1 } },
    rebalance: !sticky,
    candidates: candidates.map(({ name }) => name),
    current: currentOf(candidates),
    capacity: capacityOf(candidates),
  });
  return new Map(
    shares.map((share) => [
      share.cluster,
      { replicas: share.replicas + share.overflow, division: { algorithm: 'kubefed', share } },
    ]),
  );
}

function byKarmada(
  policy: DivisionPolicy,
  { uid }: SchedulingWorkload,
  total: number,
  candidates: readonly DivisionCandidate[],
): DividedClusters {
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
  return new Map(shares.map((share) => [share.cluster, { replicas: share.replicas, division: { algorithm: 'karmada', share } }]));
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
): DividedClusters {
  const { type = 'Duplicated', sticky = true, clusters: own = { '*': { weight: 1 } } } = policy;
  const still = candidates.filter(({ mayGrow }) => !mayGrow);
  const preference = preferenceOf({ clusters: own });
  const input = {
    totalReplicas: total,
    // A cluster that may not grow has what it has for its maximum, as in the original.
    preferences: {
      ...own,
      ...Object.fromEntries(still.map(({ name, current }) => [name, { ...preference(name), maxReplicas: current }])),
    },
    current: currentOf(candidates),
    limitedCapacity: capacityOf(candidates),
    avoidDisruption: sticky,
  };
  const { shares } = kubeAdmiralPlan(type, workload, input, candidates, preference);
  return new Map(
    shares.map((share) => [share.cluster, { replicas: share.scheduled, division: { algorithm: 'kubeadmiral', share } }]),
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
