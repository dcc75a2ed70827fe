import { type AnyObject, formatFieldPath, type Issue, type Pointer, parseApiVersion } from '../kube/index.ts';
import {
  type ClusterSelection,
  checkPolicy,
  checkReplicaSchedulingPreference,
  formatWorkload,
  type PlacementPolicy,
  type PlacementPolicySpec,
  type ReplicaSchedulingPreference,
} from '../scheduling/index.ts';
import { count } from './output.ts';
import { type FileDocument, problemIn, problemsOf } from './schedule-documents.ts';
import { unknownCluster } from './schedule-options.ts';
import { federatedTarget, type GivenWorkload, named, type WorkloadKey, workloadKey, workloadOf } from './schedule-workload.ts';

/** A policy, and what it is for. */
export interface GivenPolicy extends GivenWorkload {
  readonly document: FileDocument;
  readonly policy: PlacementPolicySpec;
  /** Whether what a replica asks for is written anywhere. */
  readonly hasWorkload: boolean;
  /** Worth knowing. */
  readonly notes: readonly string[];
}

/** A policy that can't be used, and why. */
export interface RefusedPolicy {
  readonly problems: readonly string[];
}

/** What is in a document of a policy. */
interface Read {
  readonly policy: PlacementPolicySpec;
  readonly issues: readonly Issue[];
  readonly reference: Reference | undefined;
  readonly notes: readonly string[];
}

/** The workload that a policy names; without a namespace it may be in any that the files say. */
interface Reference extends Pick<WorkloadKey, 'apiVersion' | 'kind' | 'name'> {
  readonly namespace: string | undefined;
}

/** Reads one policy, and finds its workload among the documents. */
export function policyOf(document: FileDocument, workloads: readonly FileDocument[]): GivenPolicy | RefusedPolicy {
  const { policy, issues, reference, notes } = read(document);
  if (issues.length > 0) return { problems: issues.map((issue) => problemIn(document, issue)) };
  const meant = workloads.filter(({ value }) => isMeant(value as AnyObject, reference));
  const [found, second] = meant;
  if (second !== undefined || (found === undefined && reference === undefined)) {
    return { problems: [problemIn(document, ambiguous(reference, meant))] };
  }
  if (found === undefined) return { document, policy, workload: byReference(reference), hasWorkload: false, notes };
  try {
    return { document, policy, ...workloadOf(found.value as AnyObject), hasWorkload: true, notes };
  } catch (error) {
    return { problems: problemsOf(found, error) };
  }
}

function read(document: FileDocument): Read {
  return document.value.kind === 'PlacementPolicy' ? readPolicy(document) : readPreference(document);
}

function readPolicy({ value }: FileDocument): Read {
  const { metadata, spec } = value as unknown as PlacementPolicy;
  const issues = checkPolicy(value);
  const reference = issues.length > 0 ? undefined : spec.workload;
  const where = reference?.namespace ?? metadata.namespace;
  return {
    policy: spec,
    issues,
    reference: reference === undefined ? undefined : { ...reference, namespace: where },
    notes: [],
  };
}

/** kubefed's own division, as a policy. */
function readPreference(document: FileDocument): Read {
  const { metadata, spec } = document.value as unknown as ReplicaSchedulingPreference;
  const issues = checkReplicaSchedulingPreference(document.value);
  if (issues.length > 0) return { policy: {}, issues, reference: undefined, notes: [] };
  const { targetKind, totalReplicas, rebalance = false, clusters = {} } = spec;
  const target = federatedTarget(targetKind) ?? { apiVersion: 'apps/v1', kind: targetKind.replace(/^Federated/, '') };
  const message =
    'intersectWithClusterSelector is not looked at: the division is over all clusters, whatever the placement of the federated object';
  return {
    policy: {
      replicas: totalReplicas,
      division: {
        type: 'Weighted',
        algorithm: 'kubefed',
        sticky: !rebalance,
        ...(Object.keys(clusters).length === 0 ? {} : { clusters }),
      },
    },
    issues,
    reference: { ...target, name: metadata.name, namespace: metadata.namespace },
    notes:
      spec.intersectWithClusterSelector === true
        ? [problemIn(document, { field: 'spec.intersectWithClusterSelector', message })]
        : [],
  };
}

function isMeant(object: AnyObject, reference: Reference | undefined): boolean {
  if (reference === undefined) return true;
  const key = workloadKey(object);
  const { group } = parseApiVersion(reference.apiVersion);
  return (
    key.kind === reference.kind &&
    key.name === reference.name &&
    parseApiVersion(key.apiVersion).group === group &&
    (key.namespace === undefined || reference.namespace === undefined || key.namespace === reference.namespace)
  );
}

function ambiguous(reference: Reference | undefined, meant: readonly FileDocument[]): Issue {
  const field = 'spec.workload';
  const places = meant
    .map(({ value, locate }) => `${formatWorkload(workloadKey(value as AnyObject))} (${locate('')})`)
    .join(', ');
  if (reference !== undefined) {
    return { field, message: `is in the files more than once: ${places}`, mend: 'keep one of them, or say the namespace' };
  }
  return meant.length === 0
    ? {
        field,
        message: 'is missing, and there is no workload in the files',
        mend: 'say it, or give the file of the workload with -f',
      }
    : { field, message: `is missing, and it may be for each of ${places}`, mend: 'say which' };
}

function byReference(reference: Reference | undefined): WorkloadKey {
  // Where there is neither a document nor a reference, nothing comes here.
  const { apiVersion, kind, name, namespace } = reference as Reference;
  return named({ apiVersion, kind }, namespace === undefined ? { name } : { name, namespace });
}

/** The clusters that a policy is for by name, in the order of their names. */
export function namedClusters({ exclude = [], ...policy }: PlacementPolicySpec): readonly string[] {
  const all = namesIn(policy).flatMap(({ name, isCandidate }) => (isCandidate ? [name] : []));
  return [...new Set(all)].filter((name) => !exclude.includes(name)).sort();
}

/** A cluster that a policy names. */
interface NamedCluster {
  readonly name: string;
  /** From `spec`. */
  readonly at: Pointer;
  /** Not where it is left out, or only preferred. */
  readonly isCandidate: boolean;
}

function namesIn(policy: PlacementPolicySpec): readonly NamedCluster[] {
  const { groups = [], pick = {}, scores = [], division } = policy;
  const preferences = Object.keys(division?.clusters ?? {}).filter((name) => name !== '*');
  return [
    ...namesOf(policy, []),
    ...groups.flatMap((group, index) => namesOf(group, ['groups', `${index}`])),
    ...namesOf(pick, ['pick']),
    ...scores.flatMap(({ preferred = {} }, index) =>
      namesOf(preferred, ['scores', `${index}`, 'preferred']).map((each) => ({ ...each, isCandidate: false })),
    ),
    ...preferences.map((name) => ({ name, at: ['division', 'clusters', name], isCandidate: true })),
  ];
}

function namesOf(
  { clusterNames = [], exclude = [] }: Pick<ClusterSelection, 'clusterNames' | 'exclude'>,
  at: Pointer,
): readonly NamedCluster[] {
  return [
    ...clusterNames.map((name, index) => ({ name, at: [...at, 'clusterNames', `${index}`], isCandidate: true })),
    ...exclude.map((name, index) => ({ name, at: [...at, 'exclude', `${index}`], isCandidate: false })),
  ];
}

const MOST_UNKNOWN = 10;

/** Names in a policy that no cluster of the fleet has: each may be a slip, and without a word it would count for nothing. */
export function unknownClusters({ document, policy }: GivenPolicy, known: ReadonlySet<string>): readonly string[] {
  const isPreference = document.value.kind === 'ReplicaSchedulingPreference';
  const unknown = namesIn(policy).filter(({ name }) => !known.has(name));
  const issues = unknown.slice(0, MOST_UNKNOWN).map(({ name, at }): Issue => {
    const path = ['spec', ...(isPreference ? at.slice(1) : at)];
    const { message, meant } = unknownCluster(name, known);
    const field = formatFieldPath(path, document.value);
    return { field, message, ...(meant === undefined ? {} : { mend: `did you mean ${meant}?` }) };
  });
  const more = unknown.length - issues.length;
  const others = { field: 'spec', message: `names ${count(more, 'more cluster')} that the fleet doesn't have` };
  return [...issues, ...(more === 0 ? [] : [others])].map((issue) => problemIn(document, issue));
}
