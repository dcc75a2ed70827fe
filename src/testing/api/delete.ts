import { type AnyObject, type DeleteOptions, isRecord, type ObjectKey, type Status } from '../../kube/index.ts';
import { timestamp } from '../../runtime/index.ts';
import type { Served } from './catalogue.ts';
import { conflict, forbidden, notFound, notImplemented } from './failures.ts';
import { FIRST_NAMESPACES, inStorageVersion, inVersion, isHeld, isTerminating, type State, stored } from './state.ts';

/** What a deletion answers: the object where it is still there, and a success where it is gone. */
export type Deleted =
  | { readonly gone: false; readonly object: AnyObject }
  | { readonly gone: true; readonly status: Status; readonly object: AnyObject };

/** DELETE of one object */
export function remove(state: State, served: Served, key: ObjectKey, options: Omit<DeleteOptions, 'signal'>): Deleted {
  const object = stored(state, served, key);
  if (object === undefined) throw notFound(served.type, key.name);
  checkAllowed(served, key);
  checkPreconditions(served, object, options.preconditions);
  const { propagationPolicy } = options;
  if (propagationPolicy === 'Foreground' || propagationPolicy === 'Orphan') {
    throw notImplemented(`deletion with propagationPolicy ${propagationPolicy} (there is no garbage collector)`);
  }
  if (isTerminating(object)) return { gone: false, object };
  if (isHeld(object)) return { gone: false, object: options.dryRun ? object : markTerminating(state, served, object) };
  const last = options.dryRun ? object : inVersion(state.storage.remove(served.collection, key) ?? object, served);
  return { gone: true, object: last, status: success(served, last) };
}

function checkAllowed(served: Served, { name }: ObjectKey): void {
  const isFirst = served.collection === 'namespaces' && (FIRST_NAMESPACES as readonly string[]).includes(name);
  if (isFirst) throw forbidden(served.type, name, 'this namespace may not be deleted');
}

function checkPreconditions({ type }: Served, { metadata }: AnyObject, preconditions: DeleteOptions['preconditions']): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const mismatch = (what: string, wanted: string, found = ''): never => {
    throw conflict(
      type,
      metadata.name,
      `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found}). The object might have been deleted and then recreated`,
    );
  };
  if (uid !== undefined && uid !== metadata.uid) mismatch('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    mismatch('ResourceVersion', resourceVersion, metadata.resourceVersion);
}

function markTerminating(state: State, served: Served, object: AnyObject): AnyObject {
  const { generation } = object.metadata;
  const isNamespace = served.collection === 'namespaces';
  const marked: AnyObject = {
    ...object,
    ...(isNamespace ? { status: { ...(isRecord(object.status) ? object.status : {}), phase: 'Terminating' } } : {}),
    metadata: {
      ...object.metadata,
      deletionTimestamp: timestamp(state.clock.now()),
      ...(isNamespace ? {} : { deletionGracePeriodSeconds: 0 }),
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    },
  };
  return inVersion(state.storage.put(served.collection, inStorageVersion(marked, served)), served);
}

function success({ type }: Served, { metadata }: AnyObject): Status {
  const { group, plural } = type;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name, ...(group === '' ? {} : { group }), kind: plural, uid: metadata.uid ?? '' },
  };
}
