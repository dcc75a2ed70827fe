import {
  type AnyObject,
  applyJsonPatch,
  applyMergePatch,
  deepEqual,
  isClustersetError,
  isRecord,
  type JsonPatchOperation,
  type ObjectKey,
} from '../../kube/index.ts';
import { afterUpdate, type Manager, readManagers, writeManagers } from '../apply/managers.ts';
import { applyStrategicPatch } from '../apply/strategic.ts';
import { KINDS } from '../kinds/index.ts';
import { copy } from '../schema/conform.ts';
import type { Served } from './catalogue.ts';
import { badRequest, conflict, invalid, invalidValue, notFound, StatusError } from './failures.ts';
import { decoded, isSpecChanged } from './metadata.ts';
import { inStorageVersion, inVersion, isHeld, isTerminating, type State, stored } from './state.ts';
import {
  bare,
  check,
  checkNameOnUrl,
  checkSameUid,
  checkVersion,
  fitted,
  givenManagers,
  ownedThroughPath,
  type WriteContext,
  writerOf,
} from './write.ts';

/** PUT */
export function update(state: State, served: Served, key: ObjectKey, body: unknown, context: WriteContext): AnyObject {
  const given = decoded(body, served, key.namespace);
  const old = stored(state, served, key);
  checkNameOnUrl(given, key);
  if (old === undefined) throw notFound(served.type, key.name);
  if (served.custom !== undefined && (given.metadata.resourceVersion ?? '') === '') {
    const { type } = served;
    // The kind of the message is the resource here, in contrast to all other messages of this sort.
    const named = { ...type, kind: type.plural };
    throw invalid(named, key.name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
  }
  const { uid } = given.metadata;
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
    throw conflict(served.type, key.name, why);
  }
  return replace(state, served, old, given, context);
}

/** A patch as it comes over the wire. */
export type WirePatch =
  | { readonly type: 'json'; readonly operations: unknown }
  | { readonly type: 'merge' | 'strategic'; readonly body: unknown };

const MOST_OPERATIONS = 10_000;

/** PATCH, other than apply */
export function patch(state: State, served: Served, key: ObjectKey, change: WirePatch, context: WriteContext): AnyObject {
  const old = stored(state, served, key);
  if (old === undefined) throw notFound(served.type, key.name);
  const target = copy(old);
  const changed =
    change.type === 'json' ? jsonPatched(target, change.operations) : bodyPatched(target, change.body, change.type, served);
  const given = decoded(changed, served, key.namespace);
  if ((given.metadata.name ?? '') !== key.name) checkNameOnUrl(given, key);
  checkSameUid(served, old, given);
  const { resourceVersion } = given.metadata;
  const isPinned = resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion;
  const settled = isPinned
    ? given
    : { ...given, metadata: { ...given.metadata, resourceVersion: old.metadata.resourceVersion ?? '' } };
  return replace(state, served, old, settled, context);
}

function jsonPatched(target: AnyObject, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  if (operations.length > MOST_OPERATIONS) {
    const message = `The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${operations.length}`;
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'RequestEntityTooLarge',
      code: 413,
    });
  }
  try {
    return applyJsonPatch(target, operations as readonly JsonPatchOperation[]);
  } catch (error) {
    if (!isClustersetError(error) && !(error instanceof TypeError)) throw error;
    // The server doesn't say which operation it was, nor why.
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    });
  }
}

function bodyPatched(target: AnyObject, body: unknown, type: 'merge' | 'strategic', served: Served): unknown {
  if (!isRecord(body)) throw badRequest('error decoding patch: json: cannot unmarshal the body into an object');
  return type === 'merge' ? applyMergePatch(target, body) : applyStrategicPatch(target, body, served.schema);
}

/** Puts a new version in the place of an old one, if there is any difference. */
function replace(state: State, served: Served, old: AnyObject, given: AnyObject, context: WriteContext): AnyObject {
  checkVersion(served, old, given);
  const object = fitted({ ...given, metadata: { ...given.metadata, name: old.metadata.name } }, served, context);
  const managers = givenManagers(given) ?? readManagers(old.metadata.managedFields);
  const writer = writerOf(state, served, context, 'Update');
  const after =
    managers.length === 0 ? [] : afterUpdate(bare(old), bare(part(object, old, context)), served.schema, managers, writer);
  return settle(state, served, old, object, after, context);
}

/** The part of an object that a write is about: the status, or everything else. */
function part(object: AnyObject, old: AnyObject, { subresource }: WriteContext): AnyObject {
  if (subresource === 'status') return { ...old, status: object.status };
  return object;
}

/** The rest of the way that every change of an existing object goes. */
export function settle(
  state: State,
  served: Served,
  old: AnyObject,
  object: AnyObject,
  managers: readonly Manager[],
  context: WriteContext,
): AnyObject {
  const { collection } = served;
  const isStatus = context.subresource === 'status';
  const body = isStatus ? withStatusOf(old, object) : keepStatus(object, old, served);
  const candidate: AnyObject = {
    ...body,
    metadata: {
      ...(isStatus ? old.metadata : keptMetadata(body, old)),
      managedFields: writeManagers(ownedThroughPath(managers, served)),
    },
  };
  const prepared = isStatus ? candidate : (KINDS[collection]?.prepareUpdate?.(candidate, old, state.kinds) ?? candidate);
  const counted = countGeneration(prepared, old, served);
  check(served, counted, old, state.cel);
  if (isSameButForTimes(counted, old)) return old;
  if (context.dryRun) return counted;
  // A pod that has grace left stays, whoever changes it.
  const isDue = Number(counted.metadata.deletionGracePeriodSeconds ?? 0) === 0;
  if (isTerminating(counted) && isDue && !isHeld(counted)) {
    state.storage.put(collection, inStorageVersion(counted, served));
    return inVersion(state.storage.remove(collection, counted.metadata) ?? counted, served);
  }
  return inVersion(state.storage.put(collection, inStorageVersion(counted, served)), served);
}

function withStatusOf(old: AnyObject, object: AnyObject): AnyObject {
  const { status: _, ...rest } = old;
  return object.status === undefined ? (rest as AnyObject) : ({ ...rest, status: object.status } as AnyObject);
}

function keepStatus(object: AnyObject, old: AnyObject, served: Served): AnyObject {
  if (!served.subresources.has('status')) return object;
  const { status: _, ...rest } = object;
  return (old.status === undefined ? rest : { ...rest, status: old.status }) as AnyObject;
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
  if (generation === undefined || !isSpecChanged(object, old, served)) return object;
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
