import {
  type AnyObject,
  type Condition,
  contentHash,
  formatKey,
  isConditionTrue,
  isRecord,
  keyOf,
  setCondition,
} from '../../kube/plain/index.ts';
import { type Cancel, timestamp } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import type { StoredEvent } from '../api/storage.ts';

const DEPLOYMENTS = { group: 'apps', version: 'v1', plural: 'deployments' };
const COLLECTION = 'deployments.apps';

/** How a pretended rollout goes. */
export interface RolloutOptions {
  /** Time between two steps, in milliseconds. Default 200. */
  readonly stepMs?: number;
}

type Fields = Readonly<Record<string, unknown>>;

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/**
 * Rolls out Deployments: their status goes step by step from "seen" over "updated" to "available", a quarter of the replicas at a time, as a
 * deployment controller with willing nodes would report it. There are no ReplicaSets and no pods behind it.
 */
export function rollOutDeployments(server: ApiServer, { stepMs = 200 }: RolloutOptions = {}): Cancel {
  const { storage, clock } = server.state;
  const timers = new Map<string, Cancel>();
  const templates = new Map<string, string>();
  const step = (key: string): void => {
    timers.delete(key);
    const [namespace = '', name = ''] = key.split('/');
    const object = storage.get(COLLECTION, { namespace, name });
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const template = contentHash(specOf(object).template);
    const isNewTemplate = templates.get(key) !== template;
    templates.set(key, template);
    const status = nextStatus(object, isNewTemplate, timestamp(clock.now()));
    if (status !== undefined) writeStatus(server, object, status);
  };
  const look = ({ collection, type, object }: StoredEvent): void => {
    if (collection !== COLLECTION) return;
    const key = formatKey(keyOf(object));
    if (type === 'DELETED') {
      timers.get(key)?.();
      timers.delete(key);
      templates.delete(key);
    } else if (!timers.has(key))
      timers.set(
        key,
        clock.after(stepMs, () => step(key)),
      );
  };
  const stop = storage.listen(look);
  return () => {
    stop();
    for (const cancel of timers.values()) cancel();
  };
}

function specOf(object: AnyObject): Fields {
  return isRecord(object.spec) ? object.spec : {};
}

/** The next status on the way to what the spec says; nothing where it says so already. */
function nextStatus(object: AnyObject, isNewTemplate: boolean, now: string): Fields | undefined {
  const old: Fields = isRecord(object.status) ? object.status : {};
  const generation = object.metadata.generation ?? 0;
  const wanted = number(specOf(object).replicas);
  const isSeen = number(old.observedGeneration) === generation;
  const updated = isNewTemplate ? 0 : Math.min(number(old.updatedReplicas), wanted);
  const ready = Math.min(number(old.readyReplicas), wanted);
  if (isSeen && updated === wanted && ready === wanted && isConditionTrue(conditionsOf(old), 'Available')) return undefined;
  const quarter = isSeen ? Math.max(1, Math.ceil(wanted / 4)) : 0;
  return statusOf({
    generation,
    wanted,
    updated: Math.min(wanted, updated + quarter),
    ready: Math.min(wanted, ready + quarter),
    conditions: conditionsOf(old),
    name: object.metadata.name,
    now,
  });
}

interface Progress {
  readonly generation: number;
  readonly wanted: number;
  readonly updated: number;
  readonly ready: number;
  readonly conditions: readonly Condition[];
  readonly name: string;
  readonly now: string;
}

/** Counts of nothing are left out, as the server does. */
function statusOf({ generation, wanted, updated, ready, conditions, name, now }: Progress): Fields {
  const isComplete = updated === wanted && ready === wanted;
  const counts = {
    replicas: wanted,
    updatedReplicas: updated,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: wanted - ready,
  };
  return {
    observedGeneration: generation,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    conditions: withProgress(conditions, isComplete, name, now),
  };
}

function conditionsOf({ conditions }: Fields): readonly Condition[] {
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [];
}

function withProgress(before: readonly Condition[], isComplete: boolean, name: string, now: string): readonly Condition[] {
  const available: Condition = isComplete
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const progressing: Condition = isComplete
    ? {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${name}" has successfully progressed.`,
      }
    : { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${name}" is progressing.` };
  return setCondition(setCondition(before, available, now), progressing, now);
}

function writeStatus(server: ApiServer, object: AnyObject, status: Fields): void {
  const served = server.served(DEPLOYMENTS);
  if (served === undefined) return;
  const body = { ...object, status: status };
  server.update(served, keyOf(object), body, {
    fieldManager: 'kube-controller-manager',
    dryRun: false,
    fieldValidation: 'Ignore',
    subresource: 'status',
    warnings: [],
  });
}
