import { type AnyObject, formatKey, keyOf } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { Storage, StoredEvent } from '../api/storage.ts';

/** Events are nobody's dependents: the garbage collector doesn't look at them. */
export const UNOWNED = 'events';

/** An object, and the collection that it is kept in. */
export interface Located {
  readonly collection: string;
  readonly object: AnyObject;
}

/** The objects of a cluster by their uid and by the uids of their owners, kept up to date. */
export class Dependents {
  readonly #byUid = new Map<string, Located>();
  readonly #byOwner = new Map<string, Map<string, Located>>();
  readonly #stop: Cancel;

  /** `isFollowing`: whether anybody will ask. */
  constructor(storage: Storage, isFollowing = true) {
    this.#stop = isFollowing ? storage.listen((event) => this.#follow(event)) : () => undefined;
    if (!isFollowing) return;
    for (const collection of storage.collections()) {
      if (collection === UNOWNED) continue;
      for (const object of storage.list(collection)) this.#add({ collection, object });
    }
  }

  /** The object with a uid. */
  get(uid: string): Located | undefined {
    return this.#byUid.get(uid);
  }

  /** What has a reference to the owner with a uid, in the order in which it came. */
  of(uid: string): readonly Located[] {
    return [...(this.#byOwner.get(uid)?.values() ?? [])];
  }

  /** The objects of one collection that an owner controls. */
  controlled(owner: AnyObject, collection: string): readonly AnyObject[] {
    const { uid = '' } = owner.metadata;
    return this.of(uid)
      .filter((each) => each.collection === collection && controllerOf(each.object)?.uid === uid)
      .map(({ object }) => object);
  }

  stop(): void {
    this.#stop();
  }

  #follow({ collection, type, object, previous }: StoredEvent): void {
    if (collection === UNOWNED) return;
    if (previous !== undefined && type !== 'ADDED' && !sameOwners(previous, object, type))
      this.#remove({ collection, object: previous });
    if (type !== 'DELETED') this.#add({ collection, object });
  }

  #add(located: Located): void {
    const { uid, ownerReferences = [] } = located.object.metadata;
    if (uid !== undefined) this.#byUid.set(uid, located);
    for (const owner of ownerReferences) {
      const dependents = this.#byOwner.get(owner.uid) ?? new Map<string, Located>();
      this.#byOwner.set(owner.uid, dependents);
      dependents.set(idOf(located), located);
    }
  }

  #remove(located: Located): void {
    const { uid = '', ownerReferences = [] } = located.object.metadata;
    this.#byUid.delete(uid);
    for (const owner of ownerReferences) {
      const dependents = this.#byOwner.get(owner.uid);
      dependents?.delete(idOf(located));
      if (dependents?.size === 0) this.#byOwner.delete(owner.uid);
    }
  }
}

/** Objects keep their place among the dependents as long as their owners stay the same. */
function sameOwners(previous: AnyObject, object: AnyObject, type: StoredEvent['type']): boolean {
  const owners = ({ metadata }: AnyObject): string => (metadata.ownerReferences ?? []).map(({ uid }) => uid).join();
  return type === 'MODIFIED' && owners(previous) === owners(object);
}

const idOf = ({ collection, object }: Located): string => `${collection}/${formatKey(keyOf(object))}`;

/** The owner that manages an object (API: meta/v1 OwnerReference.controller). */
export function controllerOf(object: AnyObject): NonNullable<AnyObject['metadata']['ownerReferences']>[number] | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** The reference to a controller that its dependents carry. */
export function controllerReference({ apiVersion, kind, metadata }: AnyObject) {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}
