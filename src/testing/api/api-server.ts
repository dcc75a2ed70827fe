import {
  type AnyObject,
  type CustomResourceDefinition,
  type ListOptions,
  type ObjectKey,
  type ObjectList,
  type ResourceAddress,
  resourceType,
  type ServedResource,
  type WatchOptions,
} from '../../kube/plain/index.ts';
import type { Clock } from '../../runtime/time/index.ts';
import type { Random } from '../random.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { apply } from './apply.ts';
import type { Served } from './catalogue.ts';
import { patch, put, type WirePatch } from './change.ts';
import { create } from './create.ts';
import { type Deleted, remove } from './delete.ts';
import { type DeletedCollection, removeCollection } from './delete-collection.ts';
import type { Removal } from './delete-options.ts';
import { notFound } from './failures.ts';
import { list } from './list.ts';
import { applyScale, patchScale, readScale, updateScale } from './scale.ts';
import { FIRST_NAMESPACES, NAMESPACES, newState, type State, stored } from './state.ts';
import type { StoredEvent } from './storage.ts';
import { type Subscription, watch } from './watch.ts';
import type { WriteContext, Written } from './write.ts';

/** What a server writes in its own name. */
const SYSTEM: WriteContext = { fieldManager: 'kube-apiserver', dryRun: false, fieldValidation: 'Ignore', warnings: [] };

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

/** The verbs of an API server over its state. Answers are frozen objects or a thrown StatusError; nothing here knows HTTP. */
export class ApiServer {
  readonly state: State;

  constructor(clock: Clock, random: Random, cel?: CelEvaluator) {
    this.state = newState(clock, random, cel);
    this.state.storage.listen((event) => this.#followDefinitions(event));
    const namespaces = this.served(NAMESPACES);
    for (const name of FIRST_NAMESPACES)
      if (namespaces !== undefined) create(this.state, namespaces, undefined, { metadata: { name } }, SYSTEM);
  }

  /** The resource at an address, or nothing where the cluster doesn't serve it. */
  served({ group, version, plural }: Pick<ResourceAddress, 'group' | 'version' | 'plural'>): Served | undefined {
    return this.state.catalogue.find(group, version, plural);
  }

  get(served: Served, key: ObjectKey): AnyObject {
    const object = stored(this.state, served, key);
    if (object === undefined) throw notFound(served.type, key.name);
    return object;
  }

  list(served: Served, options: ListOptions): ObjectList<AnyObject> {
    return list(this.state, served, options);
  }

  watch(served: Served, options: WatchOptions): Subscription {
    return watch(this.state, served, options);
  }

  create(served: Served, namespace: string | undefined, body: unknown, context: WriteContext): AnyObject {
    return create(this.state, served, namespace, body, context);
  }

  getScale(served: Served, key: ObjectKey): AnyObject {
    return readScale(this.state, served, key);
  }

  update(served: Served, key: ObjectKey, body: unknown, context: WriteContext): AnyObject {
    if (context.subresource === 'scale') return updateScale(this.state, served, key, body, context);
    return this.put(served, key, body, context).object;
  }

  /** An update, which creates some kinds where there are none yet. */
  put(served: Served, key: ObjectKey, body: unknown, context: WriteContext): Written {
    if (context.subresource === 'scale') return { object: this.update(served, key, body, context), created: false };
    return put(this.state, served, key, body, context);
  }

  patch(served: Served, key: ObjectKey, change: WirePatch, context: WriteContext): AnyObject {
    if (context.subresource === 'scale') return patchScale(this.state, served, key, change, context);
    return patch(this.state, served, key, change, context);
  }

  apply(served: Served, key: ObjectKey, body: unknown, context: WriteContext & { readonly force: boolean }): Written {
    if (context.subresource === 'scale') return { object: applyScale(this.state, served, key, body, context), created: false };
    return apply(this.state, served, key, body, context);
  }

  delete(served: Served, key: ObjectKey, options: Removal): Deleted {
    return remove(this.state, served, key, options, (object, asked) => this.graceOf(served, object, asked));
  }

  deleteCollection(served: Served, selection: ListOptions, options: Removal): DeletedCollection {
    return removeCollection(this, served, selection, options);
  }

  /** How many seconds an object gets to stop: none where nobody stops it, and nothing is said of it for kinds that only go at once. */
  protected graceOf({ collection }: Served, _object: AnyObject, _asked: number | undefined): number | undefined {
    return collection === 'pods' ? 0 : undefined;
  }

  /** Everything that is served. */
  resources(): readonly ServedResource[] {
    return this.state.catalogue.all().map(({ type, subresources, shortNames }) => ({
      ...type,
      verbs: verbsOf(type),
      subresources: [...subresources],
      shortNames,
    }));
  }

  #followDefinitions({ collection, type, object }: StoredEvent): void {
    if (collection !== CRDS) return;
    if (type === 'DELETED') {
      this.state.catalogue.forget(object.metadata.name);
      // It goes only to come again where a cluster is restored, with objects of its own.
      const isGone = this.state.storage.get(CRDS, { name: object.metadata.name }) === undefined;
      if (isGone) this.#removeAll(object as unknown as CustomResourceDefinition);
    } else this.state.catalogue.define(object as unknown as CustomResourceDefinition);
  }

  /** The objects of a type go with it. */
  #removeAll({ spec }: CustomResourceDefinition): void {
    const type = resourceType(`${spec.group}/-`, spec.names.kind, spec.names.plural);
    const collection = `${type.plural}.${type.group}`;
    for (const object of [...this.state.storage.list(collection)]) this.state.storage.remove(collection, object.metadata);
  }
}

/** What can be done with a resource. Namespaces go one by one only. */
function verbsOf({ group, plural }: Pick<ResourceAddress, 'group' | 'plural'>): readonly string[] {
  const isNamespaces = group === '' && plural === 'namespaces';
  return ['create', 'delete', ...(isNamespaces ? [] : ['deletecollection']), 'get', 'list', 'patch', 'update', 'watch'];
}
