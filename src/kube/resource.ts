import { ClustersetError } from './errors.ts';
import type { AnyObject, KubeObject, ObjectKey } from './object.ts';

/** Whether objects of a type live in namespaces. */
export type Scope = 'Namespaced' | 'Cluster';

declare const OBJECT: unique symbol;

/** What is needed to address the objects of a resource in a cluster. */
export interface ResourceAddress {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower case, as in paths: `deployments`. */
  readonly plural: string;
  readonly scope: Scope;
}

/**
 * A resource and the type of its objects. `T` exists at compile time only: what a server sends comes back as it is.
 */
export interface ResourceType<T extends KubeObject = AnyObject> extends ResourceAddress {
  readonly [OBJECT]?: T;
}

/** A resource type from its parts. */
export function resourceType<T extends KubeObject = AnyObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: Scope = 'Namespaced',
): ResourceType<T> {
  return { ...parseApiVersion(apiVersion), kind, plural, scope };
}

/** The same resource, of whose objects nothing is known but what all objects have. */
export function untyped(type: ResourceAddress): ResourceType {
  return type;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(type: Pick<ResourceAddress, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Takes an `apiVersion` apart. A leading slash, which kubefed wrote for core types, is taken for the core group. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `deployments.apps`, or `services` for the core group: how Kubernetes names a resource in messages and CRDs. */
export function qualifiedPlural(type: Pick<ResourceAddress, 'group' | 'plural'>): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

/** Whether two types are the same resource, whatever their versions. */
export function isSameResource(
  a: Pick<ResourceAddress, 'group' | 'plural'>,
  b: Pick<ResourceAddress, 'group' | 'plural'>,
): boolean {
  return a.group === b.group && a.plural === b.plural;
}

/** The part of a resource that its status or scale is written through. */
export type Subresource = 'status' | 'scale';

/**
 * The path of a collection, or of one object with a name. Names are escaped.
 *
 * @throws ClustersetError `BadRequest` for the names "." and "..".
 */
export function resourcePath(
  type: ResourceAddress,
  where: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: Subresource | undefined } = {},
): string {
  const { namespace, name, subresource } = where;
  // As a part of a path these mean another path.
  const bad = [namespace, name].find((part) => part === '.' || part === '..');
  if (bad !== undefined)
    throw new ClustersetError({ code: 'BadRequest', message: `"${bad}" is no name`, field: 'metadata.name' });
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const inNamespace =
    type.scope === 'Namespaced' && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${inNamespace}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/**
 * A key that fits the type: with a namespace for namespaced types, without for the others.
 *
 * @throws ClustersetError `BadRequest` where a namespaced object has no namespace, or the name is empty.
 */
export function checkedKey(type: ResourceAddress, key: ObjectKey, cluster: string): ObjectKey {
  const object = { kind: type.kind, ...key };
  if (key.name === '') {
    throw new ClustersetError({ code: 'BadRequest', message: 'the object has no name', cluster, object, field: 'metadata.name' });
  }
  if (type.scope === 'Cluster') return { name: key.name };
  if (key.namespace === undefined || key.namespace === '') {
    throw new ClustersetError({
      code: 'BadRequest',
      message: 'an object of this type lives in a namespace, and none is given',
      cluster,
      object,
      field: 'metadata.namespace',
    });
  }
  return key;
}
