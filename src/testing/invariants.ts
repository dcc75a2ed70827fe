import { type AnyObject, formatKey, keyOf } from '../kube/plain/index.ts';
import { UNOWNED } from './actors/dependents.ts';
import type { State } from './api/state.ts';
import { isHeld } from './api/state.ts';
import type { StoredEvent } from './api/storage.ts';

/** Something about a cluster that must not be. */
export interface Violation {
  readonly cluster: string;
  /** `deployments.apps shop/web` */
  readonly object: string;
  readonly message: string;
}

/** What is to be held against a cluster. */
export interface InvariantOptions {
  /** Whether dependents must have an owner: where a garbage collector runs, and has nothing left to do. */
  readonly owners: boolean;
}

/**
 * What must hold in every cluster, whoever has written to it: versions that only grow and that nobody shares, uids that nobody shares, namespaces
 * that are there, nothing that is being deleted while nothing holds it, and a history that leads to what is stored.
 */
export function violations(cluster: string, state: State, { owners }: InvariantOptions): readonly Violation[] {
  const found: Violation[] = [];
  const report = (collection: string, object: AnyObject, message: string): void => {
    found.push({ cluster, object: `${collection} ${formatKey(keyOf(object))}`, message });
  };
  const seen = { versions: new Map<string, string>(), uids: new Map<string, string>() };
  const { storage } = state;
  const all = [...storage.collections()].flatMap((collection) =>
    [...storage.list(collection)].map((object) => ({ collection, object })),
  );
  for (const { collection, object } of all) {
    for (const message of objectProblems(collection, object, state)) report(collection, object, message);
    for (const message of sharedProblems(`${collection} ${formatKey(keyOf(object))}`, object, seen))
      report(collection, object, message);
  }
  if (owners) {
    for (const { collection, object } of all)
      for (const message of ownerProblems(collection, object, state, seen.uids)) report(collection, object, message);
  }
  const events = storage.since(storage.oldest - 1) ?? [];
  for (const { event, message } of replayProblems(events, state)) report(event.collection, event.object, message);
  return found;
}

function objectProblems(collection: string, object: AnyObject, { storage }: State): readonly string[] {
  const {
    uid,
    creationTimestamp,
    resourceVersion = '',
    deletionTimestamp,
    deletionGracePeriodSeconds = 0,
    namespace,
  } = object.metadata;
  const problems: string[] = [];
  if (uid === undefined || creationTimestamp === undefined) problems.push('it has no uid or no creation time');
  if (!/^[1-9][0-9]*$/.test(resourceVersion) || Number(resourceVersion) > storage.version)
    problems.push(`its version ${resourceVersion} is newer than its cluster (${storage.version})`);
  if (namespace !== undefined && storage.get('namespaces', { name: namespace }) === undefined)
    problems.push(`its namespace ${namespace} is not there`);
  const isStopping = collection === 'pods' && deletionGracePeriodSeconds > 0;
  if (deletionTimestamp !== undefined && !isHeld(object) && !isStopping)
    problems.push('it is being deleted, and nothing holds it');
  return problems;
}

interface Seen {
  readonly versions: Map<string, string>;
  readonly uids: Map<string, string>;
}

function sharedProblems(id: string, { metadata }: AnyObject, { versions, uids }: Seen): readonly string[] {
  const { uid = '', resourceVersion = '' } = metadata;
  const other = (map: Map<string, string>, key: string, what: string): readonly string[] => {
    const first = map.get(key);
    map.set(key, first ?? id);
    return first === undefined ? [] : [`it has the ${what} ${key} of ${first}`];
  };
  return [...other(versions, resourceVersion, 'version'), ...other(uids, uid, 'uid')];
}

function ownerProblems(
  collection: string,
  object: AnyObject,
  { catalogue }: State,
  uids: ReadonlyMap<string, string>,
): readonly string[] {
  const { ownerReferences = [], deletionTimestamp, namespace } = object.metadata;
  if (ownerReferences.length === 0 || deletionTimestamp !== undefined || collection === UNOWNED) return [];
  // Whoever isn't served, or is in a namespace though its dependent is in none, can't be looked up, and counts as there.
  const isKnown = ownerReferences.every(({ apiVersion, kind }) =>
    catalogue
      .all()
      .filter(({ type }) => type.kind === kind && `${type.group === '' ? '' : `${type.group}/`}${type.version}` === apiVersion)
      .some(({ type }) => type.scope === 'Cluster' || namespace !== undefined),
  );
  if (!isKnown || ownerReferences.some(({ uid }) => uids.has(uid))) return [];
  return [`all its owners are gone: ${ownerReferences.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`];
}

/** What is wrong with a history: events that don't follow one another, or lead to something else than what is stored. */
function replayProblems(
  events: readonly StoredEvent[],
  { storage }: State,
): readonly { readonly event: StoredEvent; readonly message: string }[] {
  const problems: { readonly event: StoredEvent; readonly message: string }[] = [];
  const replayed = new Map<string, { readonly event: StoredEvent; readonly isThere: boolean }>();
  let version = 0;
  for (const event of events) {
    const id = `${event.collection} ${formatKey(keyOf(event.object))}`;
    const before = replayed.get(id);
    if (event.version <= version) problems.push({ event, message: `its event ${event.version} comes after ${version}` });
    if (before !== undefined && before.isThere === (event.type === 'ADDED'))
      problems.push({
        event,
        message: `its event ${event.version} says ${event.type}, and it was ${before.isThere ? '' : 'not '}there`,
      });
    version = event.version;
    replayed.set(id, { event, isThere: event.type !== 'DELETED' });
  }
  for (const { event, isThere } of replayed.values()) {
    const stored = storage.get(event.collection, event.object.metadata);
    const isSame = isThere ? stored === event.object : stored === undefined;
    if (!isSame) problems.push({ event, message: 'its history leads to something else than what is stored' });
  }
  return problems;
}
