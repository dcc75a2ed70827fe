import type { DivisionPolicy, DivisionPreference, PlacementPolicySpec } from './api.ts';
import { below, type Finding, when } from './check-finding.ts';
import { isClusterName } from './check-selection.ts';

type Algorithm = NonNullable<DivisionPolicy['algorithm']>;
type DivisionType = NonNullable<DivisionPolicy['type']>;
type PreferenceField = keyof DivisionPreference;

/** Which preferences count, by algorithm and type; a type that isn't there is one that the algorithm doesn't have. */
const COUNTS: Readonly<Record<Algorithm, Partial<Readonly<Record<DivisionType, readonly PreferenceField[]>>>>> = {
  clusterset: {
    Duplicated: [],
    Weighted: ['minReplicas', 'maxReplicas', 'weight', 'tier'],
    ByCapacity: ['minReplicas', 'maxReplicas', 'tier'],
    Aggregated: ['minReplicas', 'maxReplicas', 'tier'],
  },
  kubefed: { Weighted: ['minReplicas', 'maxReplicas', 'weight'] },
  karmada: { Duplicated: [], Weighted: ['weight'], ByCapacity: ['tier'], Aggregated: ['tier'] },
  kubeadmiral: {
    Duplicated: [],
    Weighted: ['minReplicas', 'maxReplicas', 'weight'],
    Aggregated: ['minReplicas', 'maxReplicas', 'tier'],
  },
};

/** Whether a division fills tiers one after the other; also where the type is one that the algorithm doesn't have, which is said elsewhere. */
export function hasTiers({ type = 'Duplicated', algorithm = 'clusterset' }: DivisionPolicy): boolean {
  return COUNTS[algorithm][type]?.includes('tier') ?? true;
}

/** What a cluster weighs of which nothing is said. */
const DEFAULT_WEIGHT: Readonly<Record<Algorithm, number>> = { clusterset: 1, kubefed: 0, karmada: 1, kubeadmiral: 0 };

/** What is wrong with how replicas are divided. */
export function divisionFindings(division: DivisionPolicy, spec: PlacementPolicySpec): readonly Finding[] {
  const { type = 'Duplicated', algorithm = 'clusterset', clusters = {}, sticky } = division;
  const counting = COUNTS[algorithm][type];
  if (counting === undefined) {
    const types = Object.keys(COUNTS[algorithm]).join(' or ');
    return when(true, ['type'], `${algorithm} has no type ${type}`, `use ${types}, or the algorithm clusterset`);
  }
  const ignoresSticky = type === 'Duplicated' || (algorithm === 'karmada' && type === 'Weighted');
  const subject = type === 'Duplicated' ? 'type Duplicated' : `type ${type} of ${algorithm}`;
  const names = Object.keys(clusters);
  return [
    ...when(ignoresSticky && sticky !== undefined, ['sticky'], `means nothing for ${subject}`, 'take it out'),
    ...when(names.length > 0 && counting.length === 0, ['clusters'], `means nothing for ${subject}`, mendOf(type)),
    ...names.flatMap((name) => below(['clusters', name], clusterFindings(name, clusters[name] ?? {}, counting, subject))),
    ...(counting.length === 0 ? [] : reachFindings(names, spec)),
    ...below(['clusters'], totalFindings(clusters, spec.replicas, counting)),
    ...when(
      counting.includes('weight') && weighsNothing(division, spec),
      ['clusters'],
      NO_WEIGHT,
      'give at least one cluster a weight',
    ),
  ];
}

const NO_WEIGHT = 'all weights are 0: beyond minimums nobody gets anything';

const mendOf = (type: DivisionType): string => (type === 'Duplicated' ? 'divide by Weighted, or take it out' : 'take it out');

function clusterFindings(
  name: string,
  preference: DivisionPreference,
  counting: readonly PreferenceField[],
  subject: string,
): readonly Finding[] {
  const ignored = (Object.keys(preference) as readonly PreferenceField[]).filter(
    (field) => ALL_FIELDS.has(field) && !counting.includes(field),
  );
  // Where nothing counts, that is said once, of all of them.
  const useless = counting.length === 0 ? [] : ignored;
  return [
    ...when(
      name !== '*' && !isClusterName(name),
      [],
      `${JSON.stringify(name)} is no name of a cluster`,
      'use the name of a cluster, or "*"',
    ),
    ...useless.flatMap((field) => when(true, [field], `means nothing for ${subject}`, 'take it out')),
    ...preferenceFindings(preference),
  ];
}

const ALL_FIELDS: ReadonlySet<string> = new Set<PreferenceField>(['minReplicas', 'maxReplicas', 'weight', 'tier']);

/** What is wrong with the numbers of one cluster. */
export function preferenceFindings({
  minReplicas = 0,
  maxReplicas,
  weight = 0,
}: Omit<DivisionPreference, 'tier'>): readonly Finding[] {
  const isBelow = maxReplicas !== undefined && maxReplicas >= 0 && minReplicas > maxReplicas;
  return [
    ...when(minReplicas < 0, ['minReplicas'], 'must not be negative'),
    ...when(maxReplicas !== undefined && maxReplicas < 0, ['maxReplicas'], 'must not be negative'),
    ...when(isBelow, ['minReplicas'], `is more than maxReplicas, ${maxReplicas}`, 'let one of them give way'),
    ...when(weight < 0, ['weight'], 'must not be negative'),
  ];
}

/** Preferences of clusters that the policy keeps out. */
function reachFindings(names: readonly string[], { clusterNames, exclude = [] }: PlacementPolicySpec): readonly Finding[] {
  const excluded = new Set(exclude);
  const allowed = new Set(clusterNames ?? names);
  return names
    .filter((name) => name !== '*')
    .flatMap((name) => {
      const isOut = excluded.has(name) || !allowed.has(name);
      return when(isOut, ['clusters', name], 'is a cluster that the policy keeps out', 'take it out, or let the cluster in');
    });
}

type Preferences = Readonly<Record<string, Pick<DivisionPreference, 'minReplicas' | 'maxReplicas' | 'weight'>>>;

/** Minimums beside the total, where that is known. `*` counts once: how many clusters it is for isn't known. */
export function totalFindings(
  clusters: Preferences,
  total: number | undefined,
  counting: readonly PreferenceField[] = ['minReplicas'],
): readonly Finding[] {
  if (total === undefined || total < 0 || !counting.includes('minReplicas')) return [];
  const sum = minimumsOf(clusters);
  const message = `all minReplicas together are ${sum}, more than the ${total} replicas that there are`;
  return when(sum > total, [], message, 'lower some of them, or ask for more replicas');
}

/** All minimums together. */
export function minimumsOf(clusters: Preferences): number {
  return Object.values(clusters).reduce((all, { minReplicas = 0 }) => all + Math.max(0, minReplicas), 0);
}

/**
 * Whether it is certain that something is left after all minimums, and no cluster weighs anything. Clusters without a preference weigh 1 for
 * clusterset, and nothing for the others.
 */
function weighsNothing(
  { algorithm = 'clusterset', clusters }: DivisionPolicy,
  { clusterNames, replicas }: PlacementPolicySpec,
): boolean {
  if (clusters === undefined) return false;
  const names = Object.keys(clusters);
  if (names.length === 0 || !hasNoWeight(clusters, DEFAULT_WEIGHT[algorithm])) return false;
  if (replicas !== undefined && minimumsOf(clusters) >= replicas) return false;
  const isForAll = names.includes('*') || clusterNames?.every((name) => Object.hasOwn(clusters, name)) === true;
  return algorithm !== 'clusterset' || isForAll;
}

/** Whether none of some preferences has a weight. */
export function hasNoWeight(clusters: Preferences, otherwise: number): boolean {
  return Object.values(clusters).every(({ weight = otherwise }) => weight === 0);
}
