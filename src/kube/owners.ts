import type { AnyObject, KubeObject, OwnerReference } from './object.ts';
import { parseApiVersion, type ResourceAddress } from './resource.ts';

/**
 * The reference that makes an object part of another: garbage collection takes it along, and controllers find their way back. `controller` says
 * that nobody else manages it (API: meta/v1 OwnerReference).
 *
 * @throws TypeError where the owner has no uid: it must have been read from a server.
 */
export function controllerReference({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference {
  if (uid === undefined) throw new TypeError(`${kind} ${name} has no uid: read it from its cluster before others refer to it`);
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The owner that manages an object, where it has one. */
export function controllerOf({ metadata }: Pick<AnyObject, 'metadata'>): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Whether a reference is to the kind of a type. Versions don't count: an owner may be read in any that is served. */
export function isReferenceTo(
  { apiVersion, kind }: OwnerReference,
  type: Pick<ResourceAddress, 'group'> & { readonly kind: string },
): boolean {
  return kind === type.kind && parseApiVersion(apiVersion).group === type.group;
}
