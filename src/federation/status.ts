import { type AnyObject, type ClustersetError, type Condition, compareText, deepEqual, setCondition } from '../kube/index.ts';
import type { ClusterStatus, FederatedStatus } from './api.ts';
import type { Decision } from './decide.ts';
import type { RenderIssue } from './issue.ts';
import type { BlockedCode, Step } from './plan.ts';
import { rolloutOf } from './rollout.ts';

/** What became of a step. */
export interface StepResult {
  readonly step: Step;
  /** Why it failed. */
  readonly error?: ClustersetError;
  /** The member object afterwards; `undefined` where there is none. */
  readonly live?: AnyObject | undefined;
  /** The generation of the federated object that the step was planned for. */
  readonly generation?: number | undefined;
}

/** What {@link statusOf} takes. */
export interface StatusInput {
  readonly decision: Decision;
  /** By cluster; clusters without a result are left out until there is one. */
  readonly results: ReadonlyMap<string, StepResult>;
  readonly previous: FederatedStatus | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/**
 * The status of a federated object: an entry for each cluster that should have the object, or where something is in the way, by name; the
 * condition `Propagation` (everything is where it should be) and `RolledOut` (and does what it says). Where nothing has changed, the very
 * previous status comes back, so that there is nothing to write.
 */
export function statusOf({ decision, results, previous, now }: StatusInput): FederatedStatus {
  const { generation } = decision.prepared.object.metadata;
  // What was said of this very version stays true until something else is known.
  const isSameVersion = previous?.observedGeneration !== undefined && previous.observedGeneration === generation;
  const clusters = clusterEntries(decision, results, isSameVersion ? (previous.clusters ?? []) : []);
  const before = (previous?.conditions ?? []) as readonly Condition[];
  const byName = new Map(clusters.map((entry) => [entry.name, entry]));
  const conditions = setCondition(setCondition(before, propagation(decision, byName), now), rolledOut(decision, byName), now);
  const next: FederatedStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions as NonNullable<FederatedStatus['conditions']>,
    clusters,
  };
  return previous !== undefined && deepEqual(previous, next) ? previous : next;
}

function clusterEntries(
  decision: Decision,
  results: ReadonlyMap<string, StepResult>,
  before: readonly ClusterStatus[],
): ClusterStatus[] {
  if (decision.issues.length > 0) return issueEntries(decision.issues);
  const known = decision.clusters.flatMap(({ cluster, want, why, share }) => {
    const result = results.get(cluster.name);
    if (result === undefined) return want === 'absent' ? [] : before.filter(({ name }) => name === cluster.name);
    const entry = isOlder(result, decision) ? older(result) : entryOf(result, share === undefined ? undefined : why);
    return want === 'present' || entry.status !== undefined ? [entry] : [];
  });
  const unknown = [...new Map(decision.unknown.map((each) => [each.name, each])).values()].map(
    ({ name, message }): ClusterStatus => ({ name, status: 'UnknownCluster', message }),
  );
  return [...known, ...unknown].toSorted((a, b) => compareText(a.name, b.name));
}

/** What became of an older version says nothing of this one, but that something is in the way. */
function isOlder({ generation }: StepResult, { prepared }: Decision): boolean {
  return generation !== undefined && generation !== prepared.object.metadata.generation;
}

function older(result: StepResult): ClusterStatus {
  const entry = entryOf(result);
  return entry.status === undefined ? { name: entry.name, message: 'the newest version has not been written yet' } : entry;
}

function issueEntries(issues: readonly RenderIssue[]): ClusterStatus[] {
  const byCluster = new Map<string, string>();
  for (const issue of issues) {
    if (issue.cluster !== undefined && !byCluster.has(issue.cluster)) byCluster.set(issue.cluster, explainIssue(issue));
  }
  return [...byCluster].map(([name, message]) => ({ name, status: 'ApplyOverridesFailed', message }));
}

/** The entry of one cluster. `why` is said where nothing else has to be. */
export function entryOf({ step, error, live }: StepResult, why?: string): ClusterStatus {
  const name = step.cluster;
  if (error !== undefined) return { name, status: codeOfFailure(step, error), message: error.detail };
  if (step.op === 'blocked') return { name, status: step.code, message: withMend(step.reason, step.mend) };
  if (live === undefined) return step.op === 'none' ? { name, rollout: 'Complete', message: step.reason } : { name };
  if (live.metadata.deletionTimestamp !== undefined) return { name, status: 'WaitingForRemoval' satisfies BlockedCode };
  const { state, message, replicas, readyReplicas } = rolloutOf(live);
  const said = message === '' ? why : message;
  return {
    name,
    rollout: state,
    ...(said === undefined ? {} : { message: said }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(readyReplicas === undefined ? {} : { readyReplicas }),
  };
}

const FAILURE_OF_STEP: Readonly<Record<Step['op'], BlockedCode>> = {
  create: 'CreationFailed',
  update: 'UpdateFailed',
  delete: 'DeletionFailed',
  release: 'LabelRemovalFailed',
  none: 'RetrievalFailed',
  blocked: 'RetrievalFailed',
};

/** The status of a cluster where a step failed. */
export function codeOfFailure(step: Step, { code, detail }: ClustersetError): BlockedCode {
  switch (code) {
    case 'AlreadyExists':
      return 'AlreadyExists';
    case 'NotServed':
      return 'TypeNotServed';
    case 'UnknownCluster':
      return 'UnknownCluster';
    case 'Unreachable':
    case 'Timeout':
      return 'ClusterNotReady';
    default:
      return code === 'NotFound' && step.type.kind !== 'Namespace' && detail.includes('namespaces "')
        ? 'NamespaceMissing'
        : FAILURE_OF_STEP[step.op];
  }
}

function propagation(decision: Decision, clusters: ReadonlyMap<string, ClusterStatus>): Condition {
  const type = 'Propagation';
  const [issue] = decision.issues;
  if (issue !== undefined) {
    return { type, status: 'False', reason: reasonOf(issue), message: decision.issues.map(explainIssue).join('\n') };
  }
  const failing = [...clusters.values()].filter(({ status }) => status !== undefined).map(({ name }) => name);
  if (failing.length > 0) return { type, status: 'False', reason: 'CheckClusters', message: `see ${inOrder(failing)}` };
  const missing = wantedNames(decision).filter((name) => clusters.get(name)?.rollout === undefined);
  if (missing.length > 0)
    return { type, status: 'False', reason: 'CheckClusters', message: `nothing is known yet of ${inOrder(missing)}` };
  if (!decision.namespaceNotFederated) return { type, status: 'True' };
  return { type, status: 'False', reason: 'NamespaceNotFederated', message: 'there is no FederatedNamespace for the namespace' };
}

function reasonOf({ field }: RenderIssue): string {
  if (field.includes('spec.placement')) return 'ComputePlacementFailed';
  return field.startsWith('spec.overrides') ? 'ApplyOverridesFailed' : 'InvalidObject';
}

function rolledOut(decision: Decision, clusters: ReadonlyMap<string, ClusterStatus>): Condition {
  const type = 'RolledOut';
  if (decision.issues.length > 0 || decision.namespaceNotFederated) return { type, status: 'False', reason: 'NotPropagated' };
  const waiting = wantedNames(decision).filter((name) => clusters.get(name)?.rollout !== 'Complete');
  if (waiting.length === 0) return { type, status: 'True' };
  const hasFailed = [...clusters.values()].some(({ rollout }) => rollout === 'Failed');
  return { type, status: 'False', reason: hasFailed ? 'Failed' : 'Progressing', message: `waiting for ${inOrder(waiting)}` };
}

function wantedNames({ clusters }: Decision): readonly string[] {
  return clusters.filter(({ want }) => want === 'present').map(({ cluster }) => cluster.name);
}

function inOrder(names: readonly string[]): string {
  return names.toSorted(compareText).join(', ');
}

/** An issue in one line: cluster, field, what is wrong, what to do. */
export function explainIssue({ cluster, field, message, mend }: RenderIssue): string {
  const where = [cluster === undefined ? '' : `cluster ${cluster}`, field].filter((part) => part !== '').join(': ');
  return withMend(where === '' ? message : `${where}: ${message}`, mend);
}

function withMend(message: string, mend: string | undefined): string {
  return mend === undefined ? message : `${message}; ${mend}`;
}
