import { checkLabelKey, checkLabelValue } from '../../kube/index.ts';
import { LARGEST_WEIGHT } from '../score/scorers.ts';
import type { PickPolicy, PlacementPolicySpec, ScorePolicy, SpreadConstraint, Toleration } from './api.ts';
import { hasTiers } from './check-division.ts';
import { below, type Finding, repeated, when } from './check-finding.ts';
import { excludedNames, nameFindings, selectionFindings } from './check-selection.ts';

/** What is wrong with groups, and with what is said of them. */
export function groupFindings({ groups, groupMode, failBack, division }: PlacementPolicySpec): readonly Finding[] {
  const names = groups?.map(({ name }) => name) ?? [];
  const hasNone = names.length === 0;
  const isOverflow = !hasNone && groupMode === 'Overflow';
  const overflow = 'means nothing here: how the replicas are divided knows no tiers, so that nothing flows over';
  return [
    ...when(groups !== undefined && hasNone, ['groups'], 'has no group', 'name some, or take it out'),
    ...repeated(names, []).map(({ at: [index = ''], ...finding }) => ({ ...finding, at: ['groups', index, 'name'] })),
    ...(groups ?? []).flatMap((group, index) => below(['groups', `${index}`], selectionFindings(group))),
    ...when(hasNone && groupMode !== undefined, ['groupMode'], 'means nothing without groups', 'add groups, or take it out'),
    ...when(
      isOverflow && !hasTiers(division ?? {}),
      ['groupMode'],
      overflow,
      'divide by another type or algorithm, or use Fallback',
    ),
    ...when(
      isOverflow && failBack === 'Never',
      ['failBack'],
      'means nothing where groups are filled one after the other',
      'take it out, or use Fallback',
    ),
    ...when(hasNone && failBack !== undefined, ['failBack'], 'means nothing without groups', 'add groups, or take it out'),
  ];
}

/** What is wrong with a toleration, by Kubernetes' rules and those of Open Cluster Management (API: core/v1 Toleration). */
export function tolerationFindings({
  key = '',
  operator = 'Equal',
  value = '',
  effect,
  tolerationSeconds,
}: Toleration): readonly Finding[] {
  const isTimed = effect === 'NoExecute' || effect === 'NoSelect' || effect === 'PreferNoSelect';
  const seconds = 'counts only for an effect that drives away what runs';
  return [
    ...(key === '' ? [] : checkLabelKey(key)).flatMap((problem) => when(true, ['key'], problem)),
    ...when(
      key === '' && operator !== 'Exists',
      ['operator'],
      'must be Exists where there is no key',
      'write Exists, or give a key',
    ),
    ...when(
      operator === 'Exists' && value !== '',
      ['value'],
      'must be empty where the operator is Exists',
      'take it out, or use Equal',
    ),
    ...(operator === 'Exists' ? [] : checkLabelValue(value)).flatMap((problem) => when(true, ['value'], problem)),
    ...when(
      tolerationSeconds !== undefined && !isTimed,
      ['tolerationSeconds'],
      seconds,
      'set the effect to NoExecute or NoSelect',
    ),
  ];
}

/** What is wrong with how many clusters are picked. */
export function pickFindings(pick: PickPolicy, { clusterNames: allowed, exclude = [] }: PlacementPolicySpec): readonly Finding[] {
  const { type, clusterNames, numberOfClusters: number } = pick;
  const names = clusterNames ?? [];
  const known = new Set(allowed ?? names);
  const notAllowed = names.flatMap((name, index) => {
    const message = `"${name}" is not among the clusterNames of the policy`;
    return when(!known.has(name), ['clusterNames', `${index}`], message, 'name it there too');
  });
  return [
    ...when(type === 'Fixed' && names.length === 0, ['clusterNames'], 'is needed where type is Fixed', 'name the clusters'),
    ...when(
      type !== 'Fixed' && clusterNames !== undefined,
      ['clusterNames'],
      `means nothing where type is ${type}`,
      'use type Fixed, or take it out',
    ),
    ...nameFindings(names, ['clusterNames']),
    ...excludedNames(names, exclude, ['clusterNames']),
    ...notAllowed,
    ...when(type === 'N' && number === undefined, ['numberOfClusters'], 'is needed where type is N', 'say how many'),
    ...when(
      type !== 'N' && number !== undefined,
      ['numberOfClusters'],
      `means nothing where type is ${type}`,
      'use type N, or take it out',
    ),
    ...when(number !== undefined && number < 1, ['numberOfClusters'], 'must be at least 1'),
  ];
}

const BUILT_IN_TOPOLOGY: readonly string[] = ['cluster', 'provider', 'region', 'zone'];

/** What is wrong with constraints, each for itself and beside the others and the clusters that there may be. */
export function spreadFindings(spread: readonly SpreadConstraint[], most: ClusterLimit | undefined): readonly Finding[] {
  const keys = spread.map(({ topologyKey }) => topologyKey);
  const limits = [...(most === undefined ? [] : [most]), ...clusterLimits(spread)];
  return [
    ...repeated(keys, []).map(({ at: [index = ''], ...finding }) => ({ ...finding, at: [index, 'topologyKey'] })),
    ...spread.flatMap((constraint, index) => below([`${index}`], constraintFindings(constraint, limits))),
  ];
}

/** How many clusters there may be at most, and what says so. */
export interface ClusterLimit {
  readonly clusters: number;
  readonly field: string;
}

/** What the names and the number of a policy leave. */
export function clusterLimit({ clusterNames, exclude = [], pick }: PlacementPolicySpec): ClusterLimit | undefined {
  const excluded = new Set(exclude);
  const rest = (names: readonly string[]): number => new Set(names.filter((name) => !excluded.has(name))).size;
  const limits = [
    ...(clusterNames === undefined ? [] : [{ clusters: rest(clusterNames), field: 'clusterNames' }]),
    ...(pick?.type === 'Fixed' ? [{ clusters: rest(pick.clusterNames ?? []), field: 'pick.clusterNames' }] : []),
    ...(pick?.type === 'N' && pick.numberOfClusters !== undefined
      ? [{ clusters: pick.numberOfClusters, field: 'pick.numberOfClusters' }]
      : []),
  ];
  return limits.reduce<ClusterLimit | undefined>(
    (least, each) => (least === undefined || each.clusters < least.clusters ? each : least),
    undefined,
  );
}

const isHard = ({ whenUnsatisfiable = 'DoNotSchedule' }: SpreadConstraint): boolean => whenUnsatisfiable === 'DoNotSchedule';

function clusterLimits(spread: readonly SpreadConstraint[]): readonly ClusterLimit[] {
  return spread.flatMap((each, index) =>
    each.topologyKey === 'cluster' && each.maxGroups !== undefined && isHard(each)
      ? [{ clusters: each.maxGroups, field: `spread[${index}].maxGroups` }]
      : [],
  );
}

function constraintFindings(constraint: SpreadConstraint, limits: readonly ClusterLimit[]): readonly Finding[] {
  const { topologyKey, minGroups = 1, maxGroups = Number.POSITIVE_INFINITY, maxSkew = 1 } = constraint;
  const own = minGroups > maxGroups;
  const limit = own || !isHard(constraint) ? undefined : limits.find(({ clusters }) => clusters < minGroups);
  const tooFew = `are more groups than there may be clusters, ${limit?.clusters} by ${limit?.field}`;
  const key = BUILT_IN_TOPOLOGY.includes(topologyKey) ? [] : checkLabelKey(topologyKey);
  return [
    ...key.flatMap((problem) =>
      when(true, ['topologyKey'], problem, 'use cluster, provider, region, zone, or the key of a label'),
    ),
    ...when(minGroups < 0, ['minGroups'], 'must not be negative'),
    ...when(maxGroups < 1, ['maxGroups'], 'must be at least 1', 'take it out where there is no limit'),
    ...when(own && maxGroups >= 1, ['minGroups'], `is more than maxGroups, ${maxGroups}`, 'let one of them give way'),
    ...when(
      limit !== undefined && limit.clusters >= 1,
      ['minGroups'],
      `${minGroups} ${tooFew}`,
      'ask for fewer groups, or allow more clusters',
    ),
    ...when(maxSkew < 1, ['maxSkew'], 'must be at least 1', 'numbers that can not be divided evenly differ by 1'),
  ];
}

/** What is wrong with what makes a cluster better than another. */
export function scoreFindings(score: ScorePolicy): readonly Finding[] {
  const kinds = (['property', 'preferred', 'external', 'builtIn'] as const).filter((kind) => score[kind] !== undefined);
  const { preferred, weight = 1 } = score;
  const isEverything = preferred !== undefined && Object.keys(preferred).length === 0;
  return [
    ...when(kinds.length === 0, [], 'says nothing to score by', 'give one of property, preferred, external and builtIn'),
    ...when(
      kinds.length > 1,
      [],
      `scores by several things at once: ${kinds.join(', ')}`,
      'make a score of each, with its own weight',
    ),
    ...when(weight === 0, ['weight'], 'is 0, so that the score counts nothing', 'give another weight, or take the score out'),
    ...when(
      !(Math.abs(weight) <= LARGEST_WEIGHT),
      ['weight'],
      'is beyond a million, which is refused',
      `write a number between -${LARGEST_WEIGHT} and ${LARGEST_WEIGHT}`,
    ),
    ...when(isEverything, ['preferred'], 'matches every cluster, so that none is better', 'say which clusters are preferred'),
    ...(preferred === undefined ? [] : below(['preferred'], selectionFindings(preferred))),
  ];
}
