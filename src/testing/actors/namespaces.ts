import { type AnyObject, isRecord, keyOf } from '../../kube/index.ts';
import type { Cancel } from '../../runtime/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { inStorageVersion, isHeld, NAMESPACES } from '../api/state.ts';
import type { StoredEvent } from '../api/storage.ts';

/** Empties namespaces that are being deleted, and lets them go when they are empty, as the namespace controller does. */
export function emptyNamespaces(server: ApiServer): Cancel {
  const { storage, clock } = server.state;
  const timers = new Set<Cancel>();
  const later = (name: string): void => {
    const cancel = clock.after(0, () => {
      timers.delete(cancel);
      empty(server, name);
    });
    timers.add(cancel);
  };
  const look = ({ collection, type, object }: StoredEvent): void => {
    if (collection === 'namespaces' && type === 'MODIFIED' && object.metadata.deletionTimestamp !== undefined)
      later(object.metadata.name);
    const { namespace } = object.metadata;
    if (type === 'DELETED' && namespace !== undefined && isGoing(server, namespace)) later(namespace);
  };
  const stop = storage.listen(look);
  return () => {
    stop();
    for (const cancel of timers) cancel();
  };
}

function isGoing(server: ApiServer, name: string): boolean {
  return server.state.storage.get('namespaces', { name })?.metadata.deletionTimestamp !== undefined;
}

function empty(server: ApiServer, name: string): void {
  const { storage, catalogue } = server.state;
  const namespace = storage.get('namespaces', { name });
  if (namespace?.metadata.deletionTimestamp === undefined) return;
  const contents = contentsOf(server, name);
  if (contents.length === 0) {
    release(server, namespace);
    return;
  }
  for (const { collection, object } of contents) {
    const served = catalogue.collection(collection);
    if (served !== undefined && object.metadata.deletionTimestamp === undefined) server.delete(served, keyOf(object), {});
  }
}

function contentsOf(server: ApiServer, name: string): readonly { collection: string; object: AnyObject }[] {
  const { storage } = server.state;
  return [...storage.collections()].flatMap((collection) =>
    [...storage.list(collection)].filter(({ metadata }) => metadata.namespace === name).map((object) => ({ collection, object })),
  );
}

/** Takes the finalizer of the spec away, and with it, where nothing else holds it, the namespace. */
function release(server: ApiServer, namespace: AnyObject): void {
  const { storage } = server.state;
  const served = server.served(NAMESPACES);
  if (served === undefined) return;
  const spec = isRecord(namespace.spec) ? namespace.spec : {};
  const released = storage.put('namespaces', inStorageVersion({ ...namespace, spec: { ...spec, finalizers: [] } }, served));
  if (!isHeld(released)) storage.remove('namespaces', { name: namespace.metadata.name });
}
