import { type AnyObject, type Condition, type Draft, deepEqual, findCondition } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import {
  conditionsOf,
  counted,
  isActive,
  isLeaving,
  isPodReady,
  isTerminal,
  numberIn,
  phaseOf,
  podFrom,
  specOf,
  statusOf,
  textIn,
} from './pod-facts.ts';
import { type Decision, deleteStep, NOTHING, type Step, statusStep } from './step.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';
const SECOND = 1000;
/** Pods that fail are replaced after this time, then twice that, and so on (API: batch/v1 Job, pod backoff failure policy). */
const FIRST_BACKOFF = 10 * SECOND;
const LONGEST_BACKOFF = 600 * SECOND;

/** What is known of a Job's pods. */
interface Count {
  readonly active: readonly AnyObject[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Indexes of an indexed Job that have succeeded. */
  readonly done: ReadonlySet<number>;
}

/** What the job controller does next: pods until enough have succeeded, or too many failed (API: batch/v1 Job). */
export function runJob(job: AnyObject, pods: readonly AnyObject[], now: number): Decision {
  const spec = specOf(job);
  const conditions = conditionsOf(job);
  if (textIn(spec, 'managedBy') !== '' && spec.managedBy !== 'kubernetes.io/job-controller') return NOTHING;
  if (isFinished(conditions)) return expired(job, conditions, now);
  const count = countOf(job, pods);
  const ending = endingOf(job, count, pods, now);
  if (ending !== undefined) return ended(job, count, ending, now);
  if (job.metadata.deletionTimestamp !== undefined) return NOTHING;
  const isSuspended = spec.suspend === true;
  const { steps, againInMs } = isSuspended
    ? { steps: count.active.map((pod) => deleteStep('pods', pod)) }
    : podSteps(job, count, pods, now);
  const created = steps.filter(({ op }) => op === 'create').length;
  const status = {
    ...statusFor(job, count, count.active.length + created),
    ...optional('conditions', suspension(conditions, isSuspended, now)),
    ...(isSuspended ? {} : { startTime: startOf(job, conditions, now) }),
  };
  const deadline = deadlineOf(job, status, now);
  return {
    steps: [...steps, ...change(job, status)],
    againInMs: [againInMs, deadline].filter((each) => each !== undefined).toSorted((a, b) => a - b)[0],
  };
}

const optional = (name: string, list: readonly unknown[]): Fields => (list.length === 0 ? {} : { [name]: list });

const isFinished = (conditions: readonly Condition[]): boolean =>
  conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');

function change(job: AnyObject, status: Fields): readonly Step[] {
  return deepEqual(status, statusOf(job)) ? [] : [statusStep('jobs.batch', job, status)];
}

function countOf(job: AnyObject, pods: readonly AnyObject[]): Count {
  const before = statusOf(job);
  const succeeded = pods.filter((pod) => phaseOf(pod) === 'Succeeded');
  const done = new Set(isIndexed(job) ? succeeded.map(indexOf) : []);
  return {
    active: pods.filter(isActive),
    terminating: pods.filter((pod) => isLeaving(pod) && !isTerminal(pod)).length,
    // Pods that have been counted may be gone by now.
    succeeded: isIndexed(job) ? done.size : Math.max(numberIn(before, 'succeeded'), succeeded.length),
    failed: Math.max(numberIn(before, 'failed'), pods.filter((pod) => isFailed(pod, job)).length),
    done,
  };
}

/** Pods that are deleted count as failed, unless the Job waits for what becomes of them. */
function isFailed(pod: AnyObject, job: AnyObject): boolean {
  if (phaseOf(pod) === 'Failed') return true;
  return isLeaving(pod) && phaseOf(pod) !== 'Succeeded' && specOf(job).podReplacementPolicy !== 'Failed';
}

const isIndexed = (job: AnyObject): boolean => specOf(job).completionMode === 'Indexed';
const indexOf = (pod: AnyObject): number => Number(pod.metadata.annotations?.[INDEX] ?? -1);

interface Ending {
  readonly criterion: 'SuccessCriteriaMet' | 'FailureTarget';
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

function endingOf(job: AnyObject, count: Count, pods: readonly AnyObject[], now: number): Ending | undefined {
  const spec = specOf(job);
  const completions = typeof spec.completions === 'number' ? spec.completions : undefined;
  const met = findCondition(conditionsOf(job), 'SuccessCriteriaMet')?.status === 'True';
  const failed = (reason: string, message: string): Ending => ({ criterion: 'FailureTarget', type: 'Failed', reason, message });
  const target = findCondition(conditionsOf(job), 'FailureTarget');
  if (target?.status === 'True') return failed(target.reason ?? '', target.message ?? '');
  const limit = numberIn(spec, 'backoffLimit', 6);
  const restarts = pods
    .flatMap((pod) => listOf(statusOf(pod), 'containerStatuses'))
    .reduce((sum, each) => sum + numberIn(each, 'restartCount'), 0);
  const isOnFailure = part(part(spec, 'template'), 'spec').restartPolicy === 'OnFailure';
  if (!met && (count.failed > limit || (isOnFailure && restarts > 0 && restarts >= limit)))
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const started = Date.parse(textIn(statusOf(job), 'startTime'));
  const deadline = numberIn(spec, 'activeDeadlineSeconds', Number.POSITIVE_INFINITY) * SECOND;
  if (!met && spec.suspend !== true && now - started >= deadline)
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  const isDone = completions === undefined ? count.succeeded > 0 : count.succeeded >= completions;
  if (!met && !(isDone && count.active.length === 0)) return undefined;
  return {
    criterion: 'SuccessCriteriaMet',
    type: 'Complete',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  };
}

/** First it is said what the Job comes to; when the last pod is gone, it has come to that. */
function ended(job: AnyObject, count: Count, { criterion, type, reason, message }: Ending, now: number): Decision {
  const gone = count.active.map((pod) => deleteStep('pods', pod));
  const time = timestamp(now);
  const said = withCondition(conditionsOf(job), { type: criterion, status: 'True', reason, message }, time);
  const isOver = count.active.length === 0 && count.terminating === 0;
  const conditions = isOver ? withCondition(said, { type, status: 'True', reason, message }, time) : said;
  const failed = type === 'Failed' ? count.failed + count.active.length : count.failed;
  const status = {
    ...statusFor(job, { ...count, failed }, 0),
    conditions,
    startTime: textIn(statusOf(job), 'startTime') || time,
    ...(isOver && type === 'Complete' ? { completionTime: time } : {}),
  };
  return { steps: [...gone, ...change(job, { ...status, ready: 0 })] };
}

function withCondition(list: readonly Condition[], next: Condition, now: string): readonly Condition[] {
  const old = findCondition(list, next.type);
  if (old?.status === next.status && old.reason === next.reason) return list;
  return [
    ...list.filter(({ type }) => type !== next.type),
    { ...next, lastProbeTime: now, lastTransitionTime: now } as Condition,
  ];
}

function suspension(list: readonly Condition[], isSuspended: boolean, now: number): readonly Condition[] {
  const old = findCondition(list, 'Suspended');
  if (isSuspended)
    return withCondition(
      list,
      { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' },
      timestamp(now),
    );
  if (old?.status !== 'True') return list;
  return withCondition(
    list,
    { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' },
    timestamp(now),
  );
}

/** A Job that goes on starts anew. */
function startOf(job: AnyObject, conditions: readonly Condition[], now: number): string {
  const resumes = findCondition(conditions, 'Suspended')?.status === 'True';
  return (resumes ? '' : textIn(statusOf(job), 'startTime')) || timestamp(now);
}

function statusFor(job: AnyObject, count: Count, active: number): Fields {
  const { conditions = [] } = statusOf(job);
  return {
    ...counted({ active, succeeded: count.succeeded, failed: count.failed }),
    ...optional('conditions', conditions as readonly unknown[]),
    ...(isIndexed(job) && count.done.size > 0 ? { completedIndexes: ranges(count.done) } : {}),
    ready: count.active.filter(isPodReady).length,
    terminating: count.terminating,
    uncountedTerminatedPods: {},
  };
}

/** `0-2,5`: numbers in a row are written as a range of three or more. */
function ranges(numbers: ReadonlySet<number>): string {
  const rows: number[][] = [];
  for (const each of [...numbers].toSorted((a, b) => a - b)) {
    const row = rows.at(-1);
    if (row !== undefined && row.at(-1) === each - 1) row.push(each);
    else rows.push([each]);
  }
  return rows.map((row) => (row.length > 2 ? `${row[0]}-${row.at(-1)}` : row.join(','))).join(',');
}

function podSteps(job: AnyObject, count: Count, pods: readonly AnyObject[], now: number): Decision {
  const spec = specOf(job);
  const parallelism = numberIn(spec, 'parallelism', 1);
  const left = typeof spec.completions === 'number' ? Math.max(0, spec.completions - count.succeeded) : undefined;
  const running = count.succeeded > 0 ? count.active.length : parallelism;
  const wanted = left === undefined ? running : Math.min(left, parallelism);
  const surplus = count.active.length - wanted;
  if (surplus > 0) return { steps: count.active.slice(-surplus).map((pod) => deleteStep('pods', pod)) };
  const missing = wanted - count.active.length - (spec.podReplacementPolicy === 'Failed' ? count.terminating : 0);
  if (missing <= 0) return NOTHING;
  const wait = backoff(pods, now);
  if (wait > 0) return { steps: [], againInMs: wait };
  const busy = new Set(count.active.map(indexOf));
  const free = Array.from({ length: numberIn(spec, 'completions') }, (_, index) => index).filter(
    (index) => !busy.has(index) && !count.done.has(index),
  );
  const indexes = isIndexed(job) ? free.slice(0, missing) : Array.from({ length: missing }, () => undefined);
  return { steps: indexes.map((index): Step => ({ op: 'create', of: 'pods', object: jobPod(job, index) })) };
}

/** How long failed pods are not replaced yet. */
function backoff(pods: readonly AnyObject[], now: number): number {
  const times = (phase: string): readonly number[] => pods.filter((pod) => phaseOf(pod) === phase).map(finishedAt);
  const lastSuccess = Math.max(0, ...times('Succeeded'));
  const failures = times('Failed').filter((time) => time > lastSuccess);
  if (failures.length === 0) return 0;
  return Math.max(...failures) + Math.min(FIRST_BACKOFF * 2 ** (failures.length - 1), LONGEST_BACKOFF) - now;
}

function finishedAt(pod: AnyObject): number {
  const times = listOf(statusOf(pod), 'containerStatuses').map((each) =>
    Date.parse(textIn(part(part(each, 'state'), 'terminated'), 'finishedAt')),
  );
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}

function jobPod(job: AnyObject, index: number | undefined): Draft<AnyObject> {
  const { name, uid = '' } = job.metadata;
  const own = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const template = part(specOf(job), 'template');
  if (index === undefined) return podFrom(job, template, own);
  const pod = podFrom(job, template, { ...own, [INDEX]: String(index) });
  const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` };
  const variable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } };
  const withIndex = (container: Fields): Fields => ({ ...container, env: [...listOf(container, 'env'), variable] });
  const spec = part(template, 'spec');
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name}-${index}-`,
      annotations: { ...pod.metadata.annotations, [INDEX]: String(index) },
    },
    spec: { ...spec, hostname: spec.hostname ?? `${name}-${index}`, containers: listOf(spec, 'containers').map(withIndex) },
  };
}

function deadlineOf(job: AnyObject, status: Fields, now: number): number | undefined {
  const { activeDeadlineSeconds } = specOf(job);
  const started = Date.parse(textIn(status, 'startTime'));
  if (typeof activeDeadlineSeconds !== 'number' || Number.isNaN(started)) return undefined;
  return Math.max(0, started + activeDeadlineSeconds * SECOND - now);
}

/** A Job that has ended goes after the time that it says. */
function expired(job: AnyObject, conditions: readonly Condition[], now: number): Decision {
  const { ttlSecondsAfterFinished } = specOf(job);
  if (typeof ttlSecondsAfterFinished !== 'number' || job.metadata.deletionTimestamp !== undefined) return NOTHING;
  const over = conditions.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
  const left = Date.parse(over?.lastTransitionTime ?? '') + ttlSecondsAfterFinished * SECOND - now;
  return left > 0 ? { steps: [], againInMs: left } : { steps: [deleteStep('jobs.batch', job)] };
}
