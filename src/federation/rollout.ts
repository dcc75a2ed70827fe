import { type AnyObject, type Condition, findCondition, isRecord } from '../kube/index.ts';

/** How far an object has come in its cluster. */
export interface Rollout {
  readonly state: 'Complete' | 'Progressing' | 'Failed';
  /** What is waited for, or what went wrong. */
  readonly message: string;
  readonly replicas?: number;
  readonly readyReplicas?: number;
}

type Fields = Readonly<Record<string, unknown>>;

const COMPLETE: Rollout = { state: 'Complete', message: '' };

/** Whether an object does what its spec says, judged by its status alone, as `kubectl rollout status` and `kubectl wait` would. */
export function rolloutOf(object: AnyObject): Rollout {
  const status: Fields = isRecord(object.status) ? object.status : {};
  const spec: Fields = isRecord(object.spec) ? object.spec : {};
  if (isBehind(object, status)) return progressing('the cluster has not looked at the newest version yet', counts(spec, status));
  switch (object.kind) {
    case 'Deployment':
      return deployment(spec, status);
    case 'StatefulSet':
    case 'ReplicaSet':
      return replicated(spec, status);
    case 'DaemonSet':
      return daemonSet(status);
    case 'Job':
      return job(status);
    case 'Namespace':
      return status.phase === 'Terminating' ? progressing('the namespace is terminating') : COMPLETE;
    case 'CustomResourceDefinition':
      return byCondition(status, 'Established', true);
    default:
      return byCondition(status, 'Ready', false);
  }
}

function isBehind(object: AnyObject, { observedGeneration }: Fields): boolean {
  const { generation } = object.metadata;
  return generation !== undefined && typeof observedGeneration === 'number' && observedGeneration < generation;
}

const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

function counts(spec: Fields, status: Fields): Pick<Rollout, 'replicas' | 'readyReplicas'> {
  if (spec.replicas === undefined) return {};
  return { replicas: number(spec.replicas, 1), readyReplicas: number(status.readyReplicas, 0) };
}

function progressing(message: string, extra: Partial<Rollout> = {}): Rollout {
  return { state: 'Progressing', message, ...extra };
}

/** The rules of `kubectl rollout status deployment`. */
function deployment(spec: Fields, status: Fields): Rollout {
  const wanted = number(spec.replicas, 1);
  const extra = { replicas: wanted, readyReplicas: number(status.readyReplicas, 0) };
  const [total, updated, available] = ['replicas', 'updatedReplicas', 'availableReplicas'].map((name) =>
    number(status[name], 0),
  ) as [number, number, number];
  const condition = findCondition(conditionsOf(status), 'Progressing');
  if (condition?.reason === 'ProgressDeadlineExceeded') {
    return { state: 'Failed', message: condition.message ?? 'the deadline for progress has passed', ...extra };
  }
  if (status.observedGeneration === undefined) return progressing('the cluster has not looked at it yet', extra);
  if (updated < wanted) return progressing(`${updated} of ${wanted} replicas are updated`, extra);
  if (total > updated) return progressing(`${total - updated} old replicas are still there`, extra);
  if (available < updated) return progressing(`${available} of ${updated} updated replicas are available`, extra);
  return { ...COMPLETE, ...extra };
}

function replicated(spec: Fields, status: Fields): Rollout {
  const wanted = number(spec.replicas, 1);
  const ready = number(status.readyReplicas, 0);
  const extra = { replicas: wanted, readyReplicas: ready };
  return ready < wanted ? progressing(`${ready} of ${wanted} replicas are ready`, extra) : { ...COMPLETE, ...extra };
}

function daemonSet(status: Fields): Rollout {
  const wanted = number(status.desiredNumberScheduled, 0);
  const ready = number(status.numberReady, 0);
  const updated = number(status.updatedNumberScheduled, 0);
  const extra = { replicas: wanted, readyReplicas: ready };
  if (status.observedGeneration === undefined) return progressing('the cluster has not looked at it yet', extra);
  return Math.min(ready, updated) < wanted
    ? progressing(`${ready} of ${wanted} pods are ready`, extra)
    : { ...COMPLETE, ...extra };
}

function job(status: Fields): Rollout {
  const conditions = conditionsOf(status);
  const failed = findCondition(conditions, 'Failed');
  if (failed?.status === 'True') return { state: 'Failed', message: failed.message ?? failed.reason ?? 'the job failed' };
  return findCondition(conditions, 'Complete')?.status === 'True' ? COMPLETE : progressing('the job is running');
}

/** A condition that says yes or no; where there is none, it is enough to be there, unless the condition is required. */
function byCondition(status: Fields, type: string, required: boolean): Rollout {
  const condition = findCondition(conditionsOf(status), type);
  if (condition === undefined) return required ? progressing(`there is no condition ${type} yet`) : COMPLETE;
  return condition.status === 'True' ? COMPLETE : progressing(condition.message ?? `${type} is ${condition.status}`);
}

function conditionsOf(status: Fields): readonly Condition[] | undefined {
  return Array.isArray(status.conditions) ? (status.conditions as readonly Condition[]) : undefined;
}
