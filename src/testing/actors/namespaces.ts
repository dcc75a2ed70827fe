import { type AnyObject, deepEqual, isRecord, keyOf } from '../../kube/plain/index.ts';
import { type Cancel, timestamp } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import { inStorageVersion, isHeld, NAMESPACES } from '../api/state.ts';
import type { StoredEvent } from '../api/storage.ts';
import { type Fields, listOf, part, textsOf } from '../kinds/kind.ts';
import { writtenBy } from './step.ts';

/** Milliseconds until what was refused is tried again. */
const RETRY_MS = 5000;

/** Empties namespaces that are being deleted, and lets them go when they are empty, as the namespace controller does. */
export function emptyNamespaces(server: ApiServer): Cancel {
  const { storage, clock } = server.state;
  const timers = new Map<string, Cancel>();
  const later = (name: string, delayMs = 0): void => {
    if (timers.has(name)) return;
    const cancel = clock.after(delayMs, () => {
      timers.delete(name);
      try {
        empty(server, name);
      } catch (error) {
        // A webhook may refuse what is written into the status.
        if (!(error instanceof StatusError)) throw error;
        later(name, RETRY_MS);
      }
    });
    timers.set(name, cancel);
  };
  const look = ({ collection, type, object }: StoredEvent): void => {
    if (collection === 'namespaces' && type !== 'DELETED' && object.metadata.deletionTimestamp !== undefined)
      later(object.metadata.name);
    const { namespace } = object.metadata;
    if (type !== 'ADDED' && namespace !== undefined && isGoing(server, namespace)) later(namespace);
  };
  const stop = storage.listen(look);
  return () => {
    stop();
    for (const cancel of timers.values()) cancel();
  };
}

function isGoing(server: ApiServer, name: string): boolean {
  return server.state.storage.get('namespaces', { name })?.metadata.deletionTimestamp !== undefined;
}

const OWN_FINALIZER = 'kubernetes';

function empty(server: ApiServer, name: string): void {
  const namespace = server.state.storage.get('namespaces', { name });
  if (namespace?.metadata.deletionTimestamp === undefined) return;
  if (!textsOf(part(namespace, 'spec'), 'finalizers').includes(OWN_FINALIZER)) return;
  // Pods go first: what they need stays as long as they run.
  deleteAll(server, contentsOf(server, name).filter(isPod));
  if (contentsOf(server, name).some(isPod)) {
    report(server, name, []);
    return;
  }
  deleteAll(server, contentsOf(server, name));
  const left = contentsOf(server, name);
  report(server, name, left);
  const last = server.state.storage.get('namespaces', { name });
  if (left.length === 0 && last !== undefined) release(server, last);
}

interface Content {
  readonly collection: string;
  readonly object: AnyObject;
}

const isPod = ({ collection }: Content): boolean => collection === 'pods';

/** Nobody's finalizer of the garbage collector keeps what goes with its namespace. */
function deleteAll(server: ApiServer, contents: readonly Content[]): void {
  for (const { collection, object } of contents) {
    const served = server.state.catalogue.collection(collection);
    try {
      if (served !== undefined) server.delete(served, keyOf(object), { propagationPolicy: 'Background' });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }
}

function contentsOf(server: ApiServer, name: string): readonly Content[] {
  const { storage } = server.state;
  return [...storage.collections()].flatMap((collection) =>
    [...storage.list(collection)].filter(({ metadata }) => metadata.namespace === name).map((object) => ({ collection, object })),
  );
}

/** Conditions of a namespace that is going away, each with what it says where all is well (API: core/v1 NamespaceConditionType). */
const CONDITIONS: readonly (readonly [type: string, reason: string, message: string])[] = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  ['NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  ['NamespaceDeletionContentFailure', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
];

/** Says in the status what is left, and which finalizers hold it. */
function report(server: ApiServer, name: string, left: readonly Content[]): void {
  const served = server.served(NAMESPACES);
  const namespace = server.state.storage.get('namespaces', { name });
  if (served === undefined || namespace === undefined) return;
  const found = findings(server, left);
  const before = listOf(part(namespace, 'status'), 'conditions');
  const now = timestamp(server.state.clock.now());
  const conditions = CONDITIONS.map(([type, reason, message]) => {
    const wanted: Fields = { type, ...(found.get(type) ?? { status: 'False', reason, message }) };
    const old = before.find((each) => each.type === type);
    const lastTransitionTime = old !== undefined && old.status === wanted.status ? old.lastTransitionTime : now;
    return { ...wanted, lastTransitionTime };
  });
  if (deepEqual(conditions, before)) return;
  const status = { ...part(namespace, 'status'), conditions };
  const context = { ...writtenBy('kube-controller-manager'), subresource: 'status' } as const;
  server.update(served, { name }, { ...namespace, status }, context);
}

function findings(server: ApiServer, left: readonly Content[]): ReadonlyMap<string, Fields> {
  const found = new Map<string, Fields>();
  if (left.length === 0) return found;
  // What two groups serve is found twice.
  const shown = left.flatMap(({ collection, object }) =>
    server.state.catalogue.resourcesOf(collection).map((resource) => ({ resource, object })),
  );
  const ofKinds = counted(shown.map(({ resource }) => kindText(server, resource)));
  const what = ofKinds.map(([kind, count]) => `${kind} has ${count} resource instances`).toSorted();
  found.set('NamespaceContentRemaining', {
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${what.join(', ')}`,
  });
  const holding = counted(shown.flatMap(({ object }) => object.metadata.finalizers ?? []));
  if (holding.length === 0) return found;
  const which = holding.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).toSorted();
  return found.set('NamespaceFinalizersRemaining', {
    status: 'True',
    reason: 'SomeFinalizersRemain',
    message: `Some content in the namespace has finalizers remaining: ${which.join(', ')}`,
  });
}

/** `configmaps.` and `deployments.apps`: the dot is there with a group and without. */
function kindText(server: ApiServer, resource: string): string {
  const type = server.state.catalogue.collection(resource)?.type;
  return type === undefined ? resource : `${type.plural}.${type.group}`;
}

function counted(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}

/** Takes its finalizer out of the spec and with it, where nothing else holds it, the namespace. */
function release(server: ApiServer, namespace: AnyObject): void {
  const { storage } = server.state;
  const served = server.served(NAMESPACES);
  if (served === undefined) return;
  const spec = isRecord(namespace.spec) ? namespace.spec : {};
  const rest = textsOf(spec, 'finalizers').filter((each) => each !== OWN_FINALIZER);
  const { finalizers: _, ...others } = spec;
  const after = rest.length === 0 ? others : { ...others, finalizers: rest };
  const released = storage.put('namespaces', inStorageVersion({ ...namespace, spec: after }, served));
  if (!isHeld(released)) storage.remove('namespaces', { name: namespace.metadata.name });
}
