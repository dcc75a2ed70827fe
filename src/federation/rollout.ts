import { type AnyObject, type Condition, findCondition, isRecord, parseApiVersion } from '../kube/index.ts';

/** How far an object has come in its cluster. */
export interface Rollout {
  readonly state: 'Complete' | 'Progressing' | 'Failed';
  /** What is waited for, or what went wrong; empty where nothing is. */
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
  if (isBehind(object.metadata.generation, status))
    return progressing('the cluster has not looked at the newest version yet', counts(spec, status));
  switch (`${parseApiVersion(object.apiVersion).group}/${object.kind}`) {
    case 'apps/Deployment':
      return deployment(spec, status);
    case 'apps/StatefulSet':
      return statefulSet(spec, status);
    case 'apps/ReplicaSet':
      return replicaSet(spec, status);
    case 'apps/DaemonSet':
      return daemonSet(status);
    case 'batch/Job':
      return job(status);
    case '/Pod':
      return status.phase === 'Succeeded' ? COMPLETE : byCondition(object, status, 'Ready', true);
    case '/Namespace':
      return status.phase === 'Terminating' ? progressing('the namespace is terminating') : COMPLETE;
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      return byCondition(object, status, 'Established', true);
    default:
      return byCondition(object, status, 'Ready', false);
  }
}

function isBehind(generation: number | undefined, { observedGeneration }: Fields): boolean {
  return generation !== undefined && typeof observedGeneration === 'number' && observedGeneration < generation;
}

const number = (value: unknown, otherwise = 0): number => (typeof value === 'number' ? value : otherwise);

function counts(spec: Fields, status: Fields): Pick<Rollout, 'replicas' | 'readyReplicas'> {
  return spec.replicas === undefined ? {} : { replicas: number(spec.replicas, 1), readyReplicas: number(status.readyReplicas) };
}

function progressing(message: string, extra: Partial<Rollout> = {}): Rollout {
  return { state: 'Progressing', message, ...extra };
}

const NOT_LOOKED_AT = 'the cluster has not looked at it yet';

/** The rules of `kubectl rollout status deployment`. */
function deployment(spec: Fields, status: Fields): Rollout {
  const wanted = number(spec.replicas, 1);
  const extra = { replicas: wanted, readyReplicas: number(status.readyReplicas) };
  const condition = findCondition(conditionsOf(status), 'Progressing');
  if (condition?.reason === 'ProgressDeadlineExceeded') {
    return { state: 'Failed', message: condition.message ?? 'the deadline for progress has passed', ...extra };
  }
  if (status.observedGeneration === undefined) return progressing(NOT_LOOKED_AT, extra);
  const [total, updated, available] = [number(status.replicas), number(status.updatedReplicas), number(status.availableReplicas)];
  if (updated < wanted) return progressing(`${updated} of ${wanted} replicas are updated`, extra);
  if (total > updated) return progressing(`${total - updated} old replicas are still there`, extra);
  if (available < updated) return progressing(`${available} of ${updated} updated replicas are available`, extra);
  return { ...COMPLETE, ...extra };
}

/** The rules of `kubectl rollout status statefulset`; with `OnDelete` only readiness counts. */
function statefulSet(spec: Fields, status: Fields): Rollout {
  const wanted = number(spec.replicas, 1);
  const ready = number(status.readyReplicas);
  const extra = { replicas: wanted, readyReplicas: ready };
  if (status.observedGeneration === undefined) return progressing(NOT_LOOKED_AT, extra);
  if (ready < wanted) return progressing(`${ready} of ${wanted} replicas are ready`, extra);
  const strategy: Fields = isRecord(spec.updateStrategy) ? spec.updateStrategy : {};
  if (strategy.type === 'OnDelete') return { ...COMPLETE, ...extra };
  const rolling: Fields = isRecord(strategy.rollingUpdate) ? strategy.rollingUpdate : {};
  const [partition, updated] = [number(rolling.partition), number(status.updatedReplicas)];
  if (partition > 0) {
    return updated < wanted - partition
      ? progressing(`${updated} of ${wanted - partition} replicas are updated`, extra)
      : { ...COMPLETE, ...extra };
  }
  const isNew = status.updateRevision === status.currentRevision;
  return isNew ? { ...COMPLETE, ...extra } : progressing(`${updated} of ${wanted} replicas are updated`, extra);
}

function replicaSet(spec: Fields, status: Fields): Rollout {
  const wanted = number(spec.replicas, 1);
  const ready = number(status.readyReplicas);
  const extra = { replicas: wanted, readyReplicas: ready };
  if (status.observedGeneration === undefined) return progressing(NOT_LOOKED_AT, extra);
  return ready < wanted ? progressing(`${ready} of ${wanted} replicas are ready`, extra) : { ...COMPLETE, ...extra };
}

/** The rules of `kubectl rollout status daemonset`. */
function daemonSet(status: Fields): Rollout {
  const wanted = number(status.desiredNumberScheduled);
  const [updated, available] = [number(status.updatedNumberScheduled), number(status.numberAvailable)];
  const extra = { replicas: wanted, readyReplicas: number(status.numberReady) };
  if (status.observedGeneration === undefined) return progressing(NOT_LOOKED_AT, extra);
  if (updated < wanted) return progressing(`${updated} of ${wanted} pods are updated`, extra);
  if (available < wanted) return progressing(`${available} of ${wanted} updated pods are available`, extra);
  return { ...COMPLETE, ...extra };
}

function job(status: Fields): Rollout {
  const conditions = conditionsOf(status);
  const failed = findCondition(conditions, 'Failed');
  if (failed?.status === 'True') return { state: 'Failed', message: failed.message ?? failed.reason ?? 'the job failed' };
  return findCondition(conditions, 'Complete')?.status === 'True' ? COMPLETE : progressing('the job is running');
}

/** A condition that says yes or no; where there is none, it is enough to be there, unless the condition is required. */
function byCondition(object: AnyObject, status: Fields, type: string, isRequired: boolean): Rollout {
  const condition = findCondition(conditionsOf(status), type);
  if (condition === undefined) return isRequired ? progressing(`there is no condition ${type} yet`) : COMPLETE;
  if (isBehind(object.metadata.generation, { observedGeneration: condition.observedGeneration })) {
    return progressing(`its condition ${type} is of an older version`);
  }
  if (condition.status === 'True') return COMPLETE;
  const { message = '', reason = '' } = condition;
  return progressing(message || reason || `${type} is ${condition.status}`);
}

function conditionsOf(status: Fields): readonly Condition[] {
  return Array.isArray(status.conditions) ? (status.conditions.filter(isRecord) as unknown as readonly Condition[]) : [];
}
