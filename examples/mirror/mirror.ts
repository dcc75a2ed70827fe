import { type AnyObject, type Cluster, deepEqual, isAlreadyExists, type Json, keyOf, resourceType } from 'clusterset/kube';
import { type Answer, type Clusters, type Controller, controller, oneCluster, type ReconcileInput } from 'clusterset/runtime';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');

/** A ConfigMap of the host with this label is wanted in all members. */
const ORIGINAL = 'mirror.example.dev/original=true';
/** What this controller has made. */
const COPY = 'mirror.example.dev/copy';

/** Copies labelled ConfigMaps of the host to all members, and keeps them alike. What others have made is left alone. */
export function mirror(host: Cluster, members: Clusters): Controller {
  return controller(configMaps, { labelSelector: `${COPY}=true` })
    .watches(configMaps, (original) => [keyOf(original)], { on: oneCluster(host), labelSelector: ORIGINAL })
    .on(members)
    .reconcile(
      async (input) => {
        const { cluster, request, object: copy, cached, signal, log } = input;
        const original = cached(configMaps, host.name).get(request);
        if (original !== undefined) return copy !== undefined && isAlike(copy, original) ? undefined : write(original, input);
        if (copy === undefined) return undefined;
        log.log('info', 'the original is gone: deleting the copy');
        await cluster.delete(configMaps, request, { signal, preconditions: { uid: copy.metadata.uid ?? '' } });
        return undefined;
      },
      { name: 'mirror' },
    );
}

async function write(
  original: AnyObject,
  { cluster, object: copy, cached, signal, log }: ReconcileInput,
): Promise<Answer | undefined> {
  const ifAbsent = copy === undefined;
  log.log('info', ifAbsent ? 'making a copy' : 'bringing the copy up to date');
  try {
    const how = { fieldManager: 'mirror', force: !ifAbsent, ifAbsent, signal };
    const { object } = await cluster.apply(configMaps, copyOf(original), how);
    // The next call sees our own write, also where it comes before the watch does.
    cached(configMaps).put(object);
    return undefined;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    log.log('warn', 'somebody else has a ConfigMap of this name there: it is left alone');
    return { requeueAfterMs: 60_000 };
  }
}

function copyOf({ apiVersion, kind, metadata, data = {}, binaryData = {} }: AnyObject): AnyObject {
  const { name, namespace = '' } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels: { [COPY]: 'true' } }, data, binaryData };
}

function isAlike(copy: AnyObject, original: AnyObject): boolean {
  const content = ({ data = {}, binaryData = {} }: AnyObject): Json => ({ data, binaryData }) as Json;
  return deepEqual(content(copy), content(original));
}
