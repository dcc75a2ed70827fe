import { type AnyObject, withoutManagedFields } from '../../kube/plain/index.ts';

/**
 * What a cache keeps of an object:
 *
 * - `full`: all of it.
 * - `stripped`: all but `metadata.managedFields`, which are a fifth of a usual object and which hardly any controller reads.
 * - `metadata`: `apiVersion` and `kind`, and of the metadata what finds and relates objects: name, namespace, uid, resourceVersion, generation,
 *   labels, ownerReferences, deletionTimestamp, finalizers, and annotations without `kubectl.kubernetes.io/last-applied-configuration`, which is
 *   the whole object once more.
 * - a projection: whatever it returns. It must be pure; what of `metadata` tells an object from others (name, namespace, uid, resourceVersion)
 *   is kept in every case. Where it throws, the shape `metadata` is kept.
 */
export type CacheShape = 'full' | 'stripped' | 'metadata' | ((object: AnyObject) => AnyObject);

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** How objects are brought into a shape. The object itself is never changed. */
export function shaping(shape: CacheShape, onError: (error: unknown) => void): (object: AnyObject) => AnyObject {
  if (shape === 'full') return (object) => object;
  if (shape === 'stripped') return withoutManagedFields;
  if (shape === 'metadata') return metadataOf;
  return (object) => {
    try {
      return identified(shape(object), object);
    } catch (error) {
      onError(error);
      return metadataOf(object);
    }
  };
}

function metadataOf({ apiVersion, kind, metadata }: AnyObject): AnyObject {
  const { name, namespace, uid, resourceVersion, generation, labels, annotations, ownerReferences } = metadata;
  const { deletionTimestamp, finalizers } = metadata;
  const kept = annotations === undefined ? undefined : shortened(annotations);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(generation === undefined ? {} : { generation }),
      ...(labels === undefined ? {} : { labels }),
      ...(kept === undefined ? {} : { annotations: kept }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
  };
}

function shortened(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  if (annotations[LAST_APPLIED] === undefined) return annotations;
  const { [LAST_APPLIED]: _, ...rest } = annotations;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** A projection may drop or change what it likes, but not what the object is. */
function identified(projected: AnyObject, { metadata }: AnyObject): AnyObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  const now: Partial<AnyObject['metadata']> = projected.metadata ?? {};
  const isSame = now.name === name && now.namespace === namespace && now.uid === uid && now.resourceVersion === resourceVersion;
  if (isSame) return projected;
  const { namespace: _, uid: __, resourceVersion: ___, ...rest } = now;
  return {
    ...projected,
    metadata: {
      ...rest,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** Freezes an object and all that is in it. */
export function deepFreeze<T>(value: T): T {
  // Not by recursion: an object may be deeper than the stack.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part !== 'object' || part === null) continue;
    for (const each of Object.values(part)) rest.push(each);
    Object.freeze(part);
  }
  return value;
}
