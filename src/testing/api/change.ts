import { type AnyObject, applyMergePatch, deepEqual, isRecord, type ObjectKey } from '../../kube/plain/index.ts';
import { afterUpdate, type Manager, managedBy, readManagers } from '../apply/managers.ts';
import { applyStrategicPatch } from '../apply/strategic.ts';
import { KINDS } from '../kinds/index.ts';
import { copy } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { createFitted } from './create.ts';
import { badRequest, conflict, type FieldProblem, invalidPatch, notFound, restoring } from './failures.ts';
import { jsonPatched, withoutNulls } from './json-patch.ts';
import { isSpecChanged, isTooDeep } from './metadata.ts';
import { received } from './receive.ts';
import { inStorageVersion, inVersion, isHeld, isTerminating, type State, stored } from './state.ts';
import {
  asStored,
  bare,
  changedForGood,
  check,
  checkNameOnUrl,
  checkNumber,
  checkPolicy,
  checkVersion,
  givenManagers,
  mutated,
  ownedThroughPath,
  requireVersion,
  tellable,
  type WriteContext,
  type Written,
  warnOfFinalizers,
  writable,
  writerOf,
} from './write.ts';

/** Kinds that a PUT creates where there are none yet. */
const CREATED_BY_PUT: ReadonlySet<string> = new Set([
  'services',
  'events',
  'limitranges',
  'leases.coordination.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
]);

/** PUT */
export function put(state: State, served: Served, key: ObjectKey, body: unknown, context: WriteContext): Written {
  const given = received(body, served, key.namespace, context);
  checkNameOnUrl(given, key);
  const old = stored(state, served, key);
  const isCreation = old === undefined && context.subresource === undefined && CREATED_BY_PUT.has(served.collection);
  if (CREATED_BY_PUT.has(served.collection) || old !== undefined) checkUid(served, key, given, old);
  if (isCreation) {
    checkNumber(given.metadata.resourceVersion ?? '');
    const upsert = { ...context, isUpsert: true };
    return { object: createFitted(state, served, given, givenManagers(body, served) ?? [], upsert), created: true };
  }
  if (old === undefined) throw notFound(served.type, key.name);
  return { object: replace(state, served, old, given, givenManagers(body, served), context), created: false };
}

/** A PUT that names a uid is for the object of that uid only. The message is that of the storage, with the key that it uses. */
function checkUid({ type, custom }: Served, key: ObjectKey, { metadata }: AnyObject, old: AnyObject | undefined): void {
  const { uid = '' } = metadata;
  if (uid === '' || uid === old?.metadata.uid) return;
  const folder = custom === undefined ? (FOLDERS[type.plural] ?? type.plural) : `${type.group}/${type.plural}`;
  const path = ['/registry', folder, ...(key.namespace === undefined ? [] : [key.namespace]), key.name].join('/');
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old?.metadata.uid ?? ''}`;
  const error = `StorageError: invalid object, Code: 4, Key: ${path}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
  throw conflict(type, key.name, error);
}

/** Where objects are stored whose folder doesn't have the name of their collection. */
const FOLDERS: Readonly<Record<string, string>> = { services: 'services/specs', nodes: 'minions', ingresses: 'ingress' };

/** A patch as it comes over the wire. */
export type WirePatch =
  | { readonly type: 'json'; readonly operations: unknown }
  | { readonly type: 'merge' | 'strategic'; readonly body: unknown };

/** PATCH, other than apply */
export function patch(state: State, served: Served, key: ObjectKey, change: WirePatch, context: WriteContext): AnyObject {
  const old = stored(state, served, key);
  if (old === undefined) throw notFound(served.type, key.name);
  const target = copy(old);
  const changed =
    change.type === 'json'
      ? jsonPatched(target, change.operations, context.fieldValidation !== 'Ignore')
      : bodyPatched(target, change.body, change.type, served);
  if (isTooDeep(changed)) throw badRequest('error decoding patch: exceeded max depth');
  const fail = change.type === 'strategic' ? restoring(invalidPatch(changed)) : invalidPatch(changed);
  const given = received(changed, served, key.namespace, context, fail, true);
  checkNameOnUrl(given, key);
  return replace(state, served, old, given, givenManagers(changed, served), context);
}

const strategic = (target: AnyObject, body: Readonly<Record<string, unknown>>, { schema }: Served): object =>
  applyStrategicPatch(target, body, schema) as object;

function bodyPatched(target: AnyObject, body: unknown, type: 'merge' | 'strategic', served: Served): unknown {
  if (body === null && type === 'merge') throw badRequest('Invalid JSON Patch');
  if (body === null) return target;
  if (!isRecord(body)) {
    const given = Array.isArray(body) ? 'array' : typeof body;
    const why = `json: cannot unmarshal ${given === 'boolean' ? 'bool' : given} into Go value of type map[string]interface {}`;
    throw badRequest(type === 'merge' ? `error decoding patch: ${why}` : why);
  }
  // A patch of this kind isn't asked what it is a patch of.
  const typeMeta = { apiVersion: target.apiVersion, kind: target.kind };
  return type === 'merge' ? applyMergePatch(target, withoutNulls(body)) : { ...strategic(target, body, served), ...typeMeta };
}

/** Puts a new version in the place of an old one, if there is any difference. */
function replace(
  state: State,
  served: Served,
  old: AnyObject,
  object: AnyObject,
  given: readonly Manager[] | undefined,
  context: WriteContext,
): AnyObject {
  requireVersion(served, object);
  checkVersion(served, old, object);
  const asked = context.subresource === undefined ? given : undefined;
  const managers = asked ?? readManagers(old.metadata.managedFields);
  const writer = writerOf(state, served, context, 'Update');
  const after =
    managers.length === 0
      ? []
      : afterUpdate(bare(old), bare(writable(object, old, served, context)), served.schema, tellable(managers, served), writer);
  return settle(state, served, old, object, after, context, changedForGood(old, object));
}

/** The rest of the way that every change of an existing object goes. */
export function settle(
  state: State,
  served: Served,
  old: AnyObject,
  object: AnyObject,
  managers: readonly Manager[],
  context: WriteContext,
  problems: readonly FieldProblem[] = [],
): AnyObject {
  const { resource, collection } = served;
  const isStatus = context.subresource === 'status';
  const body = writable(object, old, served, context);
  const candidate: AnyObject = {
    ...body,
    metadata: {
      ...keptMetadata(bare(body), old),
      resourceVersion: old.metadata.resourceVersion ?? '',
      ...managedBy(ownedThroughPath(managers, served)),
    },
  };
  const asked = mutated(state, served, candidate, old, context);
  // Not even a webhook can make another object of it; the server says so of all objects, and once more of those of the kind.
  const changed = asked === candidate ? [] : [...changedForGood(old, asked), ...changedForGood(old, asked)];
  const admitted = asked === candidate ? asked : { ...asked, metadata: keptMetadata(asked, old) };
  const kind = KINDS[resource];
  const prepared =
    (isStatus ? kind?.prepareStatus?.(admitted, old) : kind?.prepareUpdate?.(admitted, old, state.kinds)) ?? admitted;
  const counted = isStatus ? prepared : countGeneration(prepared, old, served);
  checkPolicy(state, served, counted, old, context);
  check(served, counted, old, state.cel, [...problems, ...changed], isStatus);
  state.admission.validate({ served, operation: 'UPDATE', object: counted, old, context });
  warnOfFinalizers(counted, old, served, context);
  const last = asStored(counted, served);
  if (isSameButForTimes(last, old)) return old;
  if (context.dryRun) return last;
  // A pod that has grace left stays, whoever changes it.
  const isDue = Number(last.metadata.deletionGracePeriodSeconds ?? 0) === 0;
  if (isTerminating(last) && isDue && !isHeld(last)) {
    // Nobody sees what was written last, but whoever wrote it.
    state.storage.remove(collection, last.metadata);
    return last;
  }
  return inVersion(state.storage.put(collection, inStorageVersion(last, served)), served);
}

/** Metadata of the new version, with what can't change taken from the old. */
function keptMetadata(object: AnyObject, old: AnyObject): AnyObject['metadata'] {
  const {
    uid: _u,
    creationTimestamp: _c,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _g,
    generation: _n,
    ...rest
  } = object.metadata;
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = old.metadata;
  const kept = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation };
  const given = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  return { ...rest, ...given } as AnyObject['metadata'];
}

function countGeneration(object: AnyObject, old: AnyObject, served: Served): AnyObject {
  const { generation } = old.metadata;
  if (generation === undefined || !served.hasGeneration || !isSpecChanged(object, old, served)) return object;
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}

/** A write that changes nothing, or only when somebody last wrote the same, is none. */
function isSameButForTimes(object: AnyObject, old: AnyObject): boolean {
  const timeless = ({ metadata: { resourceVersion: _, managedFields, ...metadata }, ...rest }: AnyObject): unknown => ({
    ...rest,
    metadata,
    managedFields: (managedFields ?? []).map(({ time: _t, ...entry }) => entry),
  });
  return deepEqual(timeless(object), timeless(old));
}
