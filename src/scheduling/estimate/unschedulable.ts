import { isRecord, type LabelRequirements, type LabelSelector, matchesLabels } from '../../kube/index.ts';
import type { PodObject } from './cluster-state.ts';
import { listOf, type Members, textOf, textsOf } from './json.ts';
import { refuse } from './problem.ts';
import { ownPods } from './replica.ts';

/** Which pods, and since when, for {@link countUnschedulable}. */
export interface UnschedulableQuery {
  /** The pods of the workload. Default: all. */
  readonly selector?: LabelSelector;
  readonly namespace?: string;
  /** RFC 3339. */
  readonly now: string;
  /** Only pods that could not be placed for at least so long. */
  readonly seconds: number;
}

/**
 * How many pods kube-scheduler has found no node for, for at least so long: they have none, and their condition `PodScheduled` is False with the
 * reason `Unschedulable` since then. Where the condition doesn't say since when, the age of the pod counts. Pods that are being deleted
 * or have come to their end don't count.
 *
 * @throws ClustersetError `Invalid` for a selector or a time that makes no sense.
 */
export function countUnschedulable(pods: readonly PodObject[], query: UnschedulableQuery): number {
  const requirements = ownPods(query);
  const latest = Date.parse(query.now) - query.seconds * 1000;
  if (Number.isNaN(latest)) refuse('now', `${JSON.stringify(query.now)} and ${query.seconds} seconds are no point in time`);
  return pods.filter((pod) => isMeant(pod, query.namespace, requirements) && stuckSince(pod) <= latest).length;
}

/** Whether a pod is one of the workload. */
function isMeant({ metadata }: PodObject, namespace: string | undefined, requirements: LabelRequirements | undefined): boolean {
  if (namespace !== undefined && textOf(metadata, 'namespace') !== namespace) return false;
  return requirements === undefined || matchesLabels(requirements, textsOf(metadata, 'labels'));
}

/** In milliseconds; NaN, which is no time at all, for a pod that isn't stuck. */
function stuckSince({ metadata, spec, status }: PodObject): number {
  const phase = textOf(status, 'phase') ?? 'Pending';
  if (phase !== 'Pending' || textOf(spec, 'nodeName') !== undefined || textOf(metadata, 'deletionTimestamp') !== undefined) {
    return Number.NaN;
  }
  const condition = listOf(status, 'conditions').find((each): each is Members => isRecord(each) && each.type === 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return Number.NaN;
  return Date.parse(textOf(condition, 'lastTransitionTime') ?? textOf(metadata, 'creationTimestamp') ?? '');
}
