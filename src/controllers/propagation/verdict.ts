import { CLUSTERS_ANNOTATION, type ClusterDecision, type Decision, type StepResult } from '../../federation/index.ts';
import { deepEqual } from '../../kube/index.ts';
import { isReady } from '../../registry/index.ts';

/** What was decided for one object, and where something of it may be. */
export interface Verdict {
  readonly decision: Decision;
  /** The decision for each cluster. */
  readonly clusters: ReadonlyMap<string, ClusterDecision>;
  /** Clusters that may have something of the object, as is written down on the host. */
  readonly record: ReadonlySet<string>;
  /** Members that had not been asked how they are: what is decided for them doesn't count yet. */
  readonly unasked: ReadonlySet<string>;
}

/** What became of a decision in one cluster. */
export interface Settled extends StepResult {
  /** Whether the cluster itself has said that nothing of ours is left there. */
  readonly isAbsent: boolean;
}

/** Whether two verdicts ask the same of one cluster: what was done by one then counts for the other. */
export function asksTheSame(cluster: string, a: Verdict, b: Verdict): boolean {
  if (a === b) return true;
  const [mine, yours] = [a.clusters.get(cluster), b.clusters.get(cluster)];
  if (mine === undefined || yours === undefined) return false;
  return (
    a.record.has(cluster) === b.record.has(cluster) &&
    a.unasked.has(cluster) === b.unasked.has(cluster) &&
    mine.want === yours.want &&
    mine.why === yours.why &&
    isSameObject(a, b) &&
    isReady(mine.cluster) === isReady(yours.cluster) &&
    deepEqual(mine.cluster.conditions, yours.cluster.conditions) &&
    deepEqual(mine.share, yours.share) &&
    deepEqual(mine.desired, yours.desired)
  );
}

function isSameObject(a: Verdict, b: Verdict): boolean {
  const [mine, yours] = [a.decision.prepared.object.metadata, b.decision.prepared.object.metadata];
  return (
    mine.uid === yours.uid &&
    mine.generation === yours.generation &&
    mine.deletionTimestamp === yours.deletionTimestamp &&
    deepEqual(withoutRecord(mine.annotations), withoutRecord(yours.annotations))
  );
}

/** Our own record of clusters says nothing new to us. */
function withoutRecord(annotations: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const { [CLUSTERS_ANNOTATION]: _record, ...rest } = annotations;
  return rest;
}
