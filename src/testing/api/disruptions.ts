import { type AnyObject, isRecord, type LabelSelector, matchesLabels, requirementsOf } from '../../kube/plain/index.ts';
import { type Fields, listOf, numberOf, part } from '../kinds/kind.ts';

/** Whether a pod counts as healthy. */
export function isReady(pod: AnyObject): boolean {
  return listOf(part(pod, 'status'), 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Whether a selector means a pod; one that is missing, or wrong, means none. */
export function selects(selector: unknown, { metadata }: AnyObject): boolean {
  if (!isRecord(selector)) return false;
  try {
    return matchesLabels(requirementsOf(selector as LabelSelector), metadata.labels);
  } catch {
    return false;
  }
}

/** The status of a budget with what its condition says of the disruptions that it allows (API: policy/v1 PodDisruptionBudgetStatus). */
export function withDisruptionCondition(status: Fields, now: string): Fields {
  const isAllowed = numberOf(status, 'disruptionsAllowed') > 0;
  const conditions = listOf(status, 'conditions');
  const type = 'DisruptionAllowed';
  const old = conditions.find((each) => each.type === type);
  const wanted = isAllowed ? 'True' : 'False';
  const { observedGeneration } = status;
  const condition = {
    type,
    status: wanted,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: old?.status === wanted ? old.lastTransitionTime : now,
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
  };
  const after = old === undefined ? [...conditions, condition] : conditions.map((each) => (each === old ? condition : each));
  return { ...status, conditions: after };
}
