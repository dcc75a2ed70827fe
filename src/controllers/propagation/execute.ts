import { changesHash, changesTo, MANAGED_LABEL, OWNER_ANNOTATION, type Step, type StepResult } from '../../federation/index.ts';
import { type AnyObject, ClustersetError, type ClusterWriter, hasCode, isClustersetError, type Json } from '../../kube/index.ts';

/** What {@link executeStep} takes beside the step. */
export interface ExecuteOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal;
  /** Whether an object is deleted only as it was seen: its marks may have been taken off since. Default: whatever it looks like now. */
  readonly isExact?: boolean;
  /** The server does everything but store the result. */
  readonly dryRun?: boolean;
}

/** What a step did, and how the server wrote what was asked. */
export interface Executed extends StepResult {
  /** What still differs right after the write, by {@link changesHash}: the server's own way to write the same. */
  readonly tolerated?: string;
}

/**
 * Carries out one step in its cluster. Never throws for what a cluster says: a failure is part of the result. Nothing is adopted on the way: a
 * new object is created or nothing is touched, and a change or deletion is for the very object that the step was planned for.
 */
export async function executeStep(cluster: ClusterWriter, step: Step, options: ExecuteOptions): Promise<Executed> {
  try {
    return await carryOut(cluster, step, options);
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    return { step, error: asReplaced(error), ...('live' in step ? { live: step.live } : {}) };
  }
}

async function carryOut(cluster: ClusterWriter, step: Step, options: ExecuteOptions): Promise<Executed> {
  const { fieldManager, signal, dryRun, isExact = false } = options;
  switch (step.op) {
    case 'create': {
      const { object } = await cluster.apply<AnyObject>(step.type, step.object, { fieldManager, ifAbsent: true, signal, dryRun });
      return written(step, step.object, object, fieldManager);
    }
    case 'update': {
      const { object } = await cluster.apply<AnyObject>(step.type, pinned(step), { fieldManager, force: true, signal, dryRun });
      return written(step, step.object, object, fieldManager);
    }
    case 'delete': {
      const { uid = '', resourceVersion } = step.live.metadata;
      const preconditions = { uid, ...(isExact && resourceVersion !== undefined ? { resourceVersion } : {}) };
      const outcome = await cluster.delete(step.type, step.key, { ...step.options, preconditions, signal, dryRun });
      return outcome === 'terminating' ? { step: waiting(step), live: step.live } : { step };
    }
    case 'release': {
      const { uid = '' } = step.live.metadata;
      const body: Json = { metadata: { uid, labels: { [MANAGED_LABEL]: null }, annotations: { [OWNER_ANNOTATION]: null } } };
      await cluster.patch(step.type, step.key, { type: 'merge', body }, { fieldManager, signal, dryRun });
      return { step };
    }
    case 'none':
      return { step, ...(step.live === undefined ? {} : { live: step.live }) };
    case 'blocked':
      return { step };
    default:
      return step satisfies never;
  }
}

/** The write fails where another object has the name by now, and where a value that was taken over may be an old one. */
function pinned(step: Step & { readonly op: 'update' }): AnyObject {
  const { uid = '' } = step.live.metadata;
  const version = step.resourceVersion === undefined ? {} : { resourceVersion: step.resourceVersion };
  return { ...step.object, metadata: { ...step.object.metadata, uid, ...version } };
}

function written(step: Step, desired: AnyObject, live: AnyObject, fieldManager: string): Executed {
  const changes = changesTo(live, desired, fieldManager);
  return { step, live, ...(changes.length === 0 ? {} : { tolerated: changesHash(desired, changes) }) };
}

function waiting({ cluster, type, key }: Step): Step {
  return { op: 'blocked', code: 'WaitingForRemoval', cluster, type, key, reason: 'the object there is being deleted' };
}

/** A server that is told another uid takes it for an attempt to change it. */
function asReplaced(error: ClustersetError): ClustersetError {
  const isUid = hasCode(error, 'Invalid') && error.issues.some(({ field }) => field === 'metadata.uid');
  if (!isUid) return error;
  const { cluster, object, status } = error;
  return new ClustersetError({
    code: 'Conflict',
    message: 'the object there has been replaced by another',
    cluster,
    object,
    status,
    cause: error,
  });
}
