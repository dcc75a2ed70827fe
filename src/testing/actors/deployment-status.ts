import { type AnyObject, type Condition, findCondition } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import type { Fields } from '../kinds/kind.ts';
import { availableOf, budgetOf, replicasOf, sum } from './deployment-budget.ts';
import { conditionsOf, counted, numberIn, specOf, statusOf } from './pod-facts.ts';

interface DeploymentCondition extends Condition {
  readonly lastUpdateTime?: string;
}
export type Conditions = readonly DeploymentCondition[];

/** A deadline of so many seconds is none. */
const NO_DEADLINE = 2 ** 31 - 1;
const SECOND = 1000;

const deadlineOf = (deployment: AnyObject): number => numberIn(specOf(deployment), 'progressDeadlineSeconds', NO_DEADLINE);
export const hasDeadline = (deployment: AnyObject): boolean => deadlineOf(deployment) !== NO_DEADLINE;

/** The list with a condition in its place: at the end, unless its status and reason were there already. */
export function withCondition(list: Conditions, next: Condition, now: number): Conditions {
  const old = findCondition(list, next.type);
  if (old?.status === next.status && old.reason === next.reason) return list;
  const time = timestamp(now);
  const since = old?.status === next.status ? (old.lastTransitionTime ?? time) : time;
  return [...without(list, next.type), { ...next, lastUpdateTime: time, lastTransitionTime: since }];
}

const without = (list: Conditions, type: string): Conditions => list.filter((each) => each.type !== type);

export const progressing = (status: 'True' | 'False' | 'Unknown', reason: string, message: string): Condition => ({
  type: 'Progressing',
  status,
  reason,
  message,
});

/** Conditions that say that a Deployment is paused or goes on, so that the time in between isn't held against it. */
export function pausedConditions(deployment: AnyObject, list: Conditions, now: number): Conditions {
  const reason = findCondition(list, 'Progressing')?.reason;
  if (!hasDeadline(deployment) || reason === 'ProgressDeadlineExceeded') return list;
  const isPaused = specOf(deployment).paused === true;
  if (isPaused) return withCondition(list, progressing('Unknown', 'DeploymentPaused', 'Deployment is paused'), now);
  if (reason !== 'DeploymentPaused') return list;
  return withCondition(list, progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed'), now);
}

/** What a status is made of. */
export interface StatusFacts {
  readonly deployment: AnyObject;
  readonly fresh: AnyObject | undefined;
  readonly all: readonly AnyObject[];
  /** The conditions so far. */
  readonly conditions: Conditions;
  readonly now: number;
}

/** The counts, and whether enough is available. */
export function countedStatus({ deployment, fresh, all, conditions, now }: StatusFacts): Fields {
  const count = (name: string): number => sum(all, (set) => numberIn(statusOf(set), name));
  const available = sum(all, availableOf);
  const isEnough = available >= replicasOf(deployment) - budgetOf(deployment).unavailable;
  const availability: Condition = isEnough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...counted({
      replicas: count('replicas'),
      updatedReplicas: fresh === undefined ? 0 : numberIn(statusOf(fresh), 'replicas'),
      readyReplicas: count('readyReplicas'),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    }),
    terminatingReplicas: count('terminatingReplicas'),
    conditions: withCondition(conditions, availability, now),
  };
}

/** The status in a rollout: with what there is to say about its progress. */
export function rolloutStatus(facts: StatusFacts): Fields {
  const { deployment, fresh, now } = facts;
  const status = countedStatus(facts);
  const list = status.conditions as Conditions;
  if (!hasDeadline(deployment)) return { ...status, conditions: without(list, 'Progressing') };
  const current = findCondition(facts.conditions, 'Progressing');
  const wasComplete =
    numberIn(status, 'replicas') === numberIn(status, 'updatedReplicas') && current?.reason === 'NewReplicaSetAvailable';
  if (wasComplete) return status;
  const name = fresh === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${fresh.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const done = progressing('True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`);
    return { ...status, conditions: withCondition(list, done, now) };
  }
  if (hasProgressed(statusOf(deployment), status)) {
    const time = timestamp(now);
    const since = current?.status === 'True' ? (current.lastTransitionTime ?? time) : time;
    const moving = progressing('True', 'ReplicaSetUpdated', `${name} is progressing.`);
    const times = { lastUpdateTime: time, lastTransitionTime: since };
    return { ...status, conditions: [...without(list, 'Progressing'), { ...moving, ...times }] };
  }
  if (!isTimedOut(deployment, list, now)) return status;
  const late = progressing('False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`);
  return { ...status, conditions: withCondition(list, late, now) };
}

/** Whether all of a Deployment is new, and available. */
export function isComplete(deployment: AnyObject, status: Fields): boolean {
  const wanted = replicasOf(deployment);
  const counts = ['updatedReplicas', 'replicas', 'availableReplicas'].map((name) => numberIn(status, name));
  return (
    counts.every((count) => count === wanted) && numberIn(status, 'observedGeneration') >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: Fields, after: Fields): boolean {
  const old = (status: Fields): number => numberIn(status, 'replicas') - numberIn(status, 'updatedReplicas');
  const grew = (name: string): boolean => numberIn(after, name) > numberIn(before, name);
  return grew('updatedReplicas') || old(after) < old(before) || grew('readyReplicas') || grew('availableReplicas');
}

function isTimedOut(deployment: AnyObject, list: Conditions, now: number): boolean {
  const current = findCondition(list, 'Progressing');
  if (current === undefined || current.reason === 'NewReplicaSetAvailable') return false;
  if (current.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(current.lastUpdateTime ?? '') + deadlineOf(deployment) * SECOND < now;
}

/** When to look whether the deadline has passed; nothing where there is none to wait for. */
export function untilDeadline(deployment: AnyObject, status: Fields, now: number): number | undefined {
  const current = findCondition(status.conditions as Conditions, 'Progressing');
  if (!hasDeadline(deployment) || current === undefined || isComplete(deployment, status)) return undefined;
  if (current.reason === 'ProgressDeadlineExceeded' || specOf(deployment).paused === true) return undefined;
  const left = Date.parse(current.lastUpdateTime ?? '') + deadlineOf(deployment) * SECOND - now;
  return Math.max(0, left) + SECOND;
}

export const deploymentConditions = (deployment: AnyObject): Conditions => conditionsOf(deployment);
