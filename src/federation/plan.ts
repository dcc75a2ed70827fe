import {
  type AnyObject,
  type Change,
  type Condition,
  contentHash,
  findCondition,
  type ObjectKey,
  parseApiVersion,
  type ResourceType,
} from '../kube/index.ts';
import { isReady } from '../registry/index.ts';
import { MANAGED_LABEL, ORPHAN_ANNOTATION, OWNER_ANNOTATION } from './api.ts';
import { appliedFields, changesTo } from './changes.ts';
import type { ClusterDecision } from './decide.ts';
import { type DeletionOptions, deletionOptions } from './deletion-options.ts';
import type { Prepared } from './render.ts';
import { retain } from './retain.ts';

/** Why nothing can be done in a cluster: kubefed's words for `status.clusters[].status`, and three of ours at the end. */
export type BlockedCode =
  | 'AlreadyExists'
  | 'ManagedLabelFalse'
  | 'WaitingForRemoval'
  | 'ClusterNotReady'
  | 'ComputeResourceFailed'
  | 'ApplyOverridesFailed'
  | 'RetrievalFailed'
  | 'CreationFailed'
  | 'UpdateFailed'
  | 'DeletionFailed'
  | 'LabelRemovalFailed'
  | 'UnknownCluster'
  | 'TypeNotServed'
  | 'NamespaceMissing';

/** What every {@link Step} says. */
export interface StepBase {
  readonly cluster: string;
  /** The member's type, in the version that the object has there. */
  readonly type: ResourceType;
  readonly key: ObjectKey;
  /** Why, in words. */
  readonly reason: string;
}

/** One thing to do in one cluster. Steps are data: a plan prints them, an executor carries them out. */
export type Step =
  | (StepBase & { readonly op: 'create'; readonly object: AnyObject })
  | (StepBase & {
      readonly op: 'update';
      readonly object: AnyObject;
      readonly live: AnyObject;
      readonly changes: readonly Change[];
      /** The write must fail where the live object is not of this version any more. */
      readonly resourceVersion?: string;
    })
  | (StepBase & { readonly op: 'delete'; readonly live: AnyObject; readonly options: DeletionOptions })
  /** Takes the marks of management off and leaves the object. */
  | (StepBase & { readonly op: 'release'; readonly live: AnyObject })
  | (StepBase & { readonly op: 'none'; readonly live?: AnyObject })
  | (StepBase & { readonly op: 'blocked'; readonly code: BlockedCode; readonly mend?: string });

/** What a cluster has. */
export type Observed =
  | { readonly reachable: true; readonly live: AnyObject | undefined }
  | { readonly reachable: false; readonly message: string };

/** What {@link planStep} takes. */
export interface PlanStepInput {
  readonly prepared: Prepared;
  readonly decision: ClusterDecision;
  readonly observed: Observed;
  readonly fieldManager: string;
  /** What an earlier write left different, by {@link changesHash}: the server's own way to write the same. */
  readonly tolerated?: string | undefined;
}

/** Namespaces that are never created, changed or deleted. */
const PROTECTED_NAMESPACES: ReadonlySet<string> = new Set([
  'default',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'kube-federation-system',
]);

/** What to do in one cluster, so that it has what was decided. Nothing is adopted: an object without our mark is left as it is. */
export function planStep(given: PlanStepInput): Step {
  const input = { ...given, decision: unlessDeleted(given) };
  const { decision, prepared, observed } = input;
  const base: StepBase = {
    cluster: decision.cluster.name,
    type: versionedType(prepared.type.target, decision.desired ?? (observed.reachable ? observed.live : undefined)),
    key: targetKey(prepared),
    reason: decision.why,
  };
  const live = observed.reachable ? observed.live : undefined;
  const seen = live === undefined ? {} : { live };
  const isProtected = prepared.type.target.kind === 'Namespace' && PROTECTED_NAMESPACES.has(base.key.name);
  if (isProtected) return { ...base, op: 'none', reason: 'this namespace is never touched', ...seen };
  const silence = whyNotNow(decision, observed);
  if (decision.want === 'untouched') {
    if (silence === undefined) return { ...base, op: 'none', ...seen };
    return { ...base, op: 'blocked', code: 'ClusterNotReady', reason: `${base.reason}: ${silence}` };
  }
  if (silence !== undefined) return planWithout(base, input, silence);
  return decision.want === 'present' ? planPresence(base, input, decision.desired, live) : planRemoval(base, input, live);
}

/** A federated object that is deleted should be nowhere, also where that was decided before. */
function unlessDeleted({ prepared, decision }: PlanStepInput): ClusterDecision {
  if (prepared.object.metadata.deletionTimestamp === undefined) return decision;
  return { cluster: decision.cluster, want: 'absent', why: 'the federated object is deleted', share: undefined };
}

/** Why a cluster is left alone for now. */
function whyNotNow({ cluster }: ClusterDecision, observed: Observed): string | undefined {
  if (!observed.reachable) return observed.message;
  if (isReady(cluster)) return undefined;
  const condition = findCondition(cluster.conditions as readonly Condition[] | undefined, 'Ready');
  return condition?.message || 'the cluster is not ready';
}

/** A cluster that can't be worked on is in the way only where it should have the object, or may have one that should be gone. */
function planWithout(base: StepBase, { decision, prepared }: PlanStepInput, reason: string): Step {
  const isDeleted = prepared.object.metadata.deletionTimestamp !== undefined;
  if (decision.want === 'present' || isDeleted) return { ...base, op: 'blocked', code: 'ClusterNotReady', reason };
  return { ...base, op: 'none' };
}

function targetKey({ object, type }: Prepared): ObjectKey {
  const { name, namespace } = object.metadata;
  return type.target.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name };
}

function versionedType(target: ResourceType, desired: AnyObject | undefined): ResourceType {
  return desired === undefined ? target : { ...target, ...parseApiVersion(desired.apiVersion) };
}

function planPresence(base: StepBase, input: PlanStepInput, desired: AnyObject, live: AnyObject | undefined): Step {
  if (live === undefined) return { ...base, op: 'create', object: desired };
  if (live.metadata.labels?.[MANAGED_LABEL] === 'false') {
    const reason = `the object there is labelled ${MANAGED_LABEL}=false`;
    return { ...base, op: 'blocked', code: 'ManagedLabelFalse', reason, mend: 'remove the label there to have it managed' };
  }
  if (!isOwned(live, input.prepared.owner, input.fieldManager)) {
    const reason = 'an object of that name exists there, and it is not ours';
    return {
      ...base,
      op: 'blocked',
      code: 'AlreadyExists',
      reason,
      mend: 'rename or delete the one there, or take the cluster out of the placement',
    };
  }
  if (live.metadata.deletionTimestamp !== undefined) {
    return { ...base, op: 'blocked', code: 'WaitingForRemoval', reason: 'the object there is being deleted' };
  }
  return planUpdate(base, input, desired, live);
}

function planUpdate(base: StepBase, input: PlanStepInput, desired: AnyObject, live: AnyObject): Step {
  const { prepared, decision, fieldManager } = input;
  const { object, readsLive } = retain(desired, live, {
    target: prepared.type.target,
    retainReplicas: prepared.object.spec.retainReplicas ?? false,
    fieldManager,
    isDecided: (pointer) =>
      (pointer === '/spec/replicas' && decision.share !== undefined) || prepared.isOverridden(decision.cluster, pointer),
  });
  const changes = changesTo(live, object, fieldManager);
  if (changes.length === 0 || changesHash(object, changes) === input.tolerated) return { ...base, op: 'none', live };
  const { resourceVersion } = live.metadata;
  return {
    ...base,
    op: 'update',
    object,
    live,
    changes,
    ...(readsLive && resourceVersion !== undefined ? { resourceVersion } : {}),
  };
}

/**
 * Names a set of differences from a desired object. What still differs right after a write is how the server writes the same (quantities,
 * empty maps): an executor remembers its hash and gives it back as `tolerated`.
 */
export function changesHash(desired: AnyObject, changes: readonly Change[]): string {
  return contentHash({ desired, changes });
}

function planRemoval(base: StepBase, { prepared, fieldManager }: PlanStepInput, live: AnyObject | undefined): Step {
  if (live === undefined) return { ...base, op: 'none' };
  if (!isOwned(live, prepared.owner, fieldManager) || live.metadata.labels?.[MANAGED_LABEL] === 'false') {
    return { ...base, op: 'none', reason: 'the object there is not ours' };
  }
  if (prepared.object.metadata.deletionTimestamp === undefined) return planDelete(base, live, {});
  if (prepared.object.metadata.annotations?.[ORPHAN_ANNOTATION] === 'true') {
    return { ...base, op: 'release', live, reason: `${base.reason}, and ${ORPHAN_ANNOTATION} keeps the object` };
  }
  const { options, issues } = deletionOptions(prepared.object);
  const [issue] = issues;
  if (issue === undefined) return planDelete(base, live, options);
  const mend = issue.mend === undefined ? {} : { mend: issue.mend };
  return { ...base, op: 'blocked', code: 'DeletionFailed', reason: `${issue.field}: ${issue.message}`, ...mend };
}

function planDelete(base: StepBase, live: AnyObject, options: DeletionOptions): Step {
  if (live.metadata.deletionTimestamp === undefined) return { ...base, op: 'delete', live, options };
  return { ...base, op: 'blocked', code: 'WaitingForRemoval', reason: waitingFor(live) };
}

function waitingFor(live: AnyObject): string {
  const { finalizers = [] } = live.metadata;
  return finalizers.length === 0 ? 'the object there is being deleted' : `finalizers hold it: ${finalizers.join(', ')}`;
}

/** Whether a member object is ours: it has our mark, and our field manager applied it. A copy that somebody made has the first only. */
export function isOwned(live: AnyObject, owner: string, fieldManager: string): boolean {
  return live.metadata.annotations?.[OWNER_ANNOTATION] === owner && appliedFields(live, fieldManager) !== undefined;
}
