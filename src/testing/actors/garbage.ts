import { type AnyObject, formatKey, keyOf, type OwnerReference } from '../../kube/index.ts';
import type { Cancel } from '../../runtime/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import type { StoredEvent } from '../api/storage.ts';
import { Agenda } from './agenda.ts';
import type { Dependents, Located } from './dependents.ts';
import { writtenBy } from './step.ts';

/** What becomes of an object whose owners were looked up. */
export type Verdict =
  | { readonly keep: 'as-it-is' }
  | { readonly keep: 'without-absent-owners'; readonly owners: readonly OwnerReference[] }
  | { readonly keep: 'not' };

/**
 * Whether an object goes because of its owners: it does when all of them are gone; when some are, it forgets those (background deletion).
 * `exists` says whether the owner with that uid is there.
 */
export function judge({ metadata }: AnyObject, exists: (owner: OwnerReference) => boolean): Verdict {
  const owners = metadata.ownerReferences ?? [];
  const left = owners.filter(exists);
  if (left.length === owners.length) return { keep: 'as-it-is' };
  return left.length === 0 ? { keep: 'not' } : { keep: 'without-absent-owners', owners: left };
}

/** Deletes objects whose owners are gone, as the garbage collector does in the background. */
export function collectGarbage(server: ApiServer, dependents: Dependents): Cancel {
  const { storage, clock } = server.state;
  const idOf = ({ collection, object }: Located): string => `${collection} ${formatKey(keyOf(object))}`;
  const agenda = new Agenda(clock, (id) => {
    const [collection = '', key = ''] = id.split(' ');
    const [first = '', second] = key.split('/');
    const object = storage.get(collection, second === undefined ? { name: first } : { namespace: first, name: second });
    if (object !== undefined && object.metadata.deletionTimestamp === undefined)
      settle(server, dependents, { collection, object });
    return undefined;
  });
  const look = ({ type, collection, object }: StoredEvent): void => {
    if (type === 'DELETED') for (const each of dependents.of(object.metadata.uid ?? '')) agenda.add(idOf(each));
    // An object may come with an owner that has gone in the meantime.
    else if (type === 'ADDED' && (object.metadata.ownerReferences ?? []).length > 0) agenda.add(idOf({ collection, object }));
  };
  const stop = storage.listen(look);
  return () => {
    stop();
    agenda.stop();
  };
}

function settle(server: ApiServer, dependents: Dependents, { collection, object }: Located): void {
  const served = server.state.catalogue.collection(collection);
  if (served === undefined) return;
  const verdict = judge(object, (owner) => isThere(server, dependents, object, owner));
  try {
    if (verdict.keep === 'not') server.delete(served, keyOf(object), { propagationPolicy: 'Background' });
    else if (verdict.keep === 'without-absent-owners') {
      const { resourceVersion: _, ...metadata } = object.metadata;
      const body = { ...object, metadata: { ...metadata, ownerReferences: verdict.owners } };
      server.update(served, keyOf(object), body, writtenBy('kube-controller-manager'));
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}

/** An owner of a kind that isn't served can't be looked up, and counts as there. */
function isThere(server: ApiServer, dependents: Dependents, { metadata }: AnyObject, owner: OwnerReference): boolean {
  const [group = '', version = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['', owner.apiVersion];
  const isServed = server.state.catalogue
    .all()
    .some(({ type }) => type.kind === owner.kind && type.group === group && type.version === version);
  if (!isServed) return true;
  const found = dependents.get(owner.uid)?.object;
  if (found === undefined || found.metadata.name !== owner.name) return false;
  return found.metadata.namespace === undefined || found.metadata.namespace === metadata.namespace;
}
