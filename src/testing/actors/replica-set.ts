import { type AnyObject, deepEqual, findCondition } from '../../kube/plain/index.ts';
import { listOf, part } from '../kinds/kind.ts';
import { replicasOf } from './deployment-budget.ts';
import {
  byAge,
  conditionsOf,
  counted,
  isActive,
  isAvailable,
  isLeaving,
  isPodReady,
  isTerminal,
  nodeOf,
  numberIn,
  phaseOf,
  podFrom,
  specOf,
  statusOf,
} from './pod-facts.ts';
import { type Decision, deleteStep, type Step, statusStep } from './step.ts';

/** Most pods that one round makes or deletes. */
const BURST = 500;
const SECOND = 1000;

/** What the replicaset controller does next: as many pods as are asked for, and a status that counts them (API: apps/v1 ReplicaSet). */
export function keepReplicas(set: AnyObject, pods: readonly AnyObject[], now: number): Decision {
  const active = pods.filter(isActive);
  const steps = set.metadata.deletionTimestamp === undefined ? podSteps(set, active) : [];
  const minReadySeconds = numberIn(specOf(set), 'minReadySeconds');
  const ready = active.filter(isPodReady);
  const available = ready.filter((pod) => isAvailable(pod, minReadySeconds, now));
  const status = {
    replicas: active.length,
    ...counted({
      fullyLabeledReplicas: active.filter((pod) => isFullyLabelled(pod, set)).length,
      readyReplicas: ready.length,
      availableReplicas: available.length,
      observedGeneration: set.metadata.generation ?? 0,
    }),
    terminatingReplicas: pods.filter((pod) => isLeaving(pod) && !isTerminal(pod)).length,
  };
  return {
    steps: deepEqual(status, statusOf(set)) ? steps : [...steps, statusStep('replicasets.apps', set, status)],
    againInMs: ready.length > available.length ? minReadySeconds * SECOND : undefined,
  };
}

function isFullyLabelled(pod: AnyObject, set: AnyObject): boolean {
  const labels = part(part(part(specOf(set), 'template'), 'metadata'), 'labels');
  return Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value);
}

function podSteps(set: AnyObject, active: readonly AnyObject[]): readonly Step[] {
  const missing = replicasOf(set) - active.length;
  if (missing >= 0) {
    const object = podFrom(set, part(specOf(set), 'template'));
    return Array.from({ length: Math.min(missing, BURST) }, (): Step => ({ op: 'create', of: 'pods', object }));
  }
  return active
    .toSorted((a, b) => lessNeeded(a, b))
    .slice(0, Math.min(-missing, BURST))
    .map((pod) => deleteStep('pods', pod));
}

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Which of two pods goes first: what does less, costs less, or came later (API: apps/v1 ReplicaSet, scaling down). */
function lessNeeded(a: AnyObject, b: AnyObject): number {
  const cost = (pod: AnyObject): number => Number(pod.metadata.annotations?.[COST] ?? 0) || 0;
  const rank = (pod: AnyObject): readonly number[] => [
    nodeOf(pod) === '' ? 0 : 1,
    PHASES[phaseOf(pod)] ?? 0,
    isPodReady(pod) ? 1 : 0,
    cost(pod),
    -Date.parse(findCondition(conditionsOf(pod), 'Ready')?.lastTransitionTime ?? '') || 0,
    -Math.max(0, ...listOf(statusOf(pod), 'containerStatuses').map((each) => numberIn(each, 'restartCount'))),
  ];
  const [x, y] = [rank(a), rank(b)];
  const first = x.findIndex((value, index) => value !== y[index]);
  return first === -1 ? -byAge(a, b) : (x[first] ?? 0) - (y[first] ?? 0);
}
