import { type DefinedResource, type Issue, isRecord, type KubeObject } from '../../kube/index.ts';
import { ReplicaSchedulingPreference } from '../api.ts';
import { checkFailoverRules, type FailoverRules } from '../react/rules.ts';
import { wavesFindings } from '../waves/check.ts';
import { PlacementPolicy, type PlacementPolicySpec } from './api.ts';
import { divisionFindings, hasNoWeight, minimumsOf, preferenceFindings, totalFindings } from './check-division.ts';
import { below, closest, type Finding, issuesOf, unknownFields, when } from './check-finding.ts';
import {
  clusterLimit,
  groupFindings,
  pickFindings,
  scoreFindings,
  spreadFindings,
  tolerationFindings,
} from './check-placement.ts';
import { isClusterName, selectionFindings } from './check-selection.ts';

/**
 * Everything in a {@link PlacementPolicy} that makes no sense, with the path of its field and what to do about it: also what its CRD admits, such
 * as fields that nobody reads, numbers and constraints that contradict each other, and preferences that the chosen algorithm ignores. Nothing for
 * a good one; never throws. `schedule` takes policies that aren't good as far as it can.
 */
export function checkPolicy(value: unknown): readonly Issue[] {
  return checked(PlacementPolicy, value, (object) => policyFindings((object as PlacementPolicy).spec));
}

/**
 * Everything in a {@link ReplicaSchedulingPreference} that makes no sense, which kubefed itself takes without a word: another kind of workload than
 * those that it knows, negative numbers, minimums above maximums or above the total, no weights for what is left, fields that nobody reads.
 * Nothing for a good one; never throws.
 */
export function checkReplicaSchedulingPreference(value: unknown): readonly Issue[] {
  return checked(ReplicaSchedulingPreference, value, (object) =>
    preferenceSpecFindings((object as ReplicaSchedulingPreference).spec),
  );
}

/** What is wrong with the shape; then, where that is good, with what it says. Fields that nobody reads are named in any case. */
function checked<T extends KubeObject>(
  type: DefinedResource<T>,
  value: unknown,
  findingsOf: (object: T) => readonly Finding[],
): readonly Issue[] {
  const shape = type.shapeIssues(value);
  const spec = isRecord(value) ? value.spec : undefined;
  const unknown = issuesOf(below(['spec'], unknownFields(spec, specSchema(type))), value);
  if (shape.length > 0) return [...shape, ...unknown];
  return [...unknown, ...issuesOf(below(['spec'], findingsOf(value as T)), value)];
}

/** Made of the zod schemas once for each type: that takes far longer than to look through a policy. */
const SCHEMAS = new Map<string, unknown>();

function specSchema<T extends KubeObject>(type: DefinedResource<T>): unknown {
  const known = SCHEMAS.get(type.kind);
  if (known !== undefined) return known;
  const properties = type.crd().spec.versions[0]?.schema.openAPIV3Schema.properties;
  const schema = isRecord(properties) ? properties.spec : undefined;
  SCHEMAS.set(type.kind, schema);
  return schema;
}

function policyFindings(spec: PlacementPolicySpec): readonly Finding[] {
  const {
    workload,
    replicas = 0,
    follow,
    tolerations = [],
    pick,
    spread = [],
    scores = [],
    division = {},
    rollout,
    failover,
  } = spec;
  const followsItself =
    workload !== undefined &&
    follow !== undefined &&
    (['apiVersion', 'kind', 'namespace', 'name'] as const).every((field) => workload[field] === follow[field]);
  return [
    ...when(replicas < 0, ['replicas'], 'must not be negative'),
    ...selectionFindings(spec),
    ...groupFindings(spec),
    ...when(followsItself, ['follow'], 'is the workload itself', 'name the workload that it should be beside'),
    ...tolerations.flatMap((each, index) => below(['tolerations', `${index}`], tolerationFindings(each))),
    ...(pick === undefined ? [] : below(['pick'], pickFindings(pick, spec))),
    ...below(['spread'], spreadFindings(spread, clusterLimit(spec))),
    ...scores.flatMap((each, index) => below(['scores', `${index}`], scoreFindings(each))),
    ...below(['division'], divisionFindings(division, spec)),
    ...(rollout === undefined ? [] : below(['rollout'], wavesFindings(rollout))),
    ...(failover === undefined ? [] : failoverFindings(failover)),
  ];
}

/** The check of failover rules gives paths as text already. */
function failoverFindings(failover: FailoverRules): readonly Finding[] {
  return checkFailoverRules(failover).map(({ field, message, mend }) => {
    const at = field.split('.');
    return mend === undefined ? { at, message } : { at, message, mend };
  });
}

/** The kinds that kubefed divides (API: scheduling.kubefed.io/v1alpha1). */
const TARGET_KINDS = ['FederatedDeployment', 'FederatedReplicaSet'];

function preferenceSpecFindings(spec: ReplicaSchedulingPreference['spec']): readonly Finding[] {
  const { targetKind, totalReplicas, clusters = {} } = spec;
  const names = Object.keys(clusters);
  const isShort = names.length > 0 && minimumsOf(clusters) < totalReplicas && hasNoWeight(clusters, 0);
  const meant = closest(targetKind, TARGET_KINDS);
  const mend = meant === undefined ? `use ${TARGET_KINDS.join(' or ')}` : `did you mean ${meant}?`;
  return [
    ...when(
      !TARGET_KINDS.includes(targetKind),
      ['targetKind'],
      `kubefed divides nothing of kind ${JSON.stringify(targetKind)}`,
      mend,
    ),
    ...when(totalReplicas < 0, ['totalReplicas'], 'must not be negative'),
    ...names.flatMap((name) => {
      const isName = name === '*' || isClusterName(name);
      const message = `${JSON.stringify(name)} is no name of a cluster`;
      return below(
        ['clusters', name],
        [...when(!isName, [], message, 'use the name of a cluster, or "*"'), ...preferenceFindings(clusters[name] ?? {})],
      );
    }),
    ...below(['clusters'], totalFindings(clusters, totalReplicas)),
    ...when(
      isShort,
      ['clusters'],
      'all weights are 0: beyond minimums nobody gets anything',
      'give at least one cluster a weight',
    ),
  ];
}
