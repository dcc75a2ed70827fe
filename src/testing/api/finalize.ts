import type { AnyObject, ObjectKey } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { afterUpdate, managedBy, readManagers } from '../apply/managers.ts';
import { part, textsOf } from '../kinds/kind.ts';
import type { Served } from './catalogue.ts';
import { invalid, invalidValue, notFound } from './failures.ts';
import { decoded } from './metadata.ts';
import { isHeld, isTerminating, type State, stored } from './state.ts';
import { bare, checkNameOnUrl, checkVersion, fitted, type WriteContext } from './write.ts';

const UNQUALIFIED = 'name is neither a standard finalizer name nor is it fully qualified';

/** PUT of `namespaces/finalize`: where whoever empties namespaces takes its finalizer out of the spec. */
export function finalizeNamespace(state: State, served: Served, key: ObjectKey, body: unknown, context: WriteContext): AnyObject {
  const given = decoded(body, served, undefined);
  checkNameOnUrl(given, key);
  const old = stored(state, served, key);
  if (old === undefined) throw notFound(served.type, key.name);
  checkVersion(served, old, given);
  const object = fitted({ ...given, metadata: { ...given.metadata, name: key.name } }, served, context);
  const problems = textsOf(part(object, 'spec'), 'finalizers').flatMap((name, index) =>
    name === 'kubernetes' || name.includes('/') ? [] : [invalidValue(`spec.finalizers[${index}]`, name, UNQUALIFIED)],
  );
  if (problems.length > 0) throw invalid(served.type, key.name, problems);
  const managers = readManagers(old.metadata.managedFields);
  const { group, version } = served.type;
  const writer = {
    manager: context.fieldManager,
    operation: 'Update',
    apiVersion: group === '' ? version : `${group}/${version}`,
    subresource: 'finalize',
    time: timestamp(state.clock.now()),
  } as const;
  const after = managers.length === 0 ? [] : afterUpdate(bare(old), bare(object), served.schema, managers, writer);
  return store(state, served, old, finalized(object, old, managedBy(after)), context.dryRun);
}

/** Spec and metadata are the client's; what only the server writes stays, as does the status. */
function finalized(object: AnyObject, old: AnyObject, managed: ReturnType<typeof managedBy>): AnyObject {
  const { uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  const kept = { uid, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds };
  const given = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  const metadata = { ...bare(object).metadata, ...given, ...managed } as AnyObject['metadata'];
  return { ...object, metadata, status: old.status };
}

/** A namespace that nothing holds any more is gone with the write. */
function store(state: State, served: Served, old: AnyObject, object: AnyObject, dryRun: boolean): AnyObject {
  if (dryRun) return object;
  if (isTerminating(old) && !isHeld(object)) {
    state.storage.remove(served.collection, object.metadata);
    return object;
  }
  return state.storage.put(served.collection, object);
}
