import type { User } from './users.ts';

/** A request to a resource, as it is authorised (Kubernetes: authorization attributes). */
export interface ResourceAttributes {
  readonly user: User;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** Plural: `deployments`. */
  readonly resource: string;
  readonly subresource?: string;
  /** Absent at the scope of the cluster. */
  readonly namespace?: string;
  /** Absent where a request is about a collection. */
  readonly name?: string;
}

/** A request to a path that is no resource: `/version`. */
export interface PathAttributes {
  readonly user: User;
  /** The method in lower case. */
  readonly verb: string;
  readonly path: string;
}

/** What there is to know about a request when it is authorised. */
export type Attributes = ResourceAttributes | PathAttributes;

/** Whether a request is about a resource. */
export function isResource(attributes: Attributes): attributes is ResourceAttributes {
  return 'resource' in attributes;
}

/** A request, in the form that the way into a cluster has it. */
export interface RequestFacts {
  readonly verb: string;
  readonly path?: string | undefined;
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly resource?: string | undefined;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * What is asked of the roles about a request. A namespace lies in itself, so that a role in it may be about it. A list or a watch with the field
 * selector `metadata.name=x` has that name: `name` must be filled in by whoever has read the query. What is created, and a collection that is
 * deleted, have no name yet, whatever the request says: rules for objects of certain names aren't for them.
 */
export function attributesOf(request: RequestFacts, user: User): Attributes {
  const { verb, path = '', group = '', version = '', resource, subresource = '', namespace = '' } = request;
  if (resource === undefined) return { user, verb, path };
  const isUnnamed = verb === 'deletecollection' || (verb === 'create' && subresource === '');
  const { name = '' } = isUnnamed ? {} : request;
  const isNamespace = group === '' && resource === 'namespaces';
  const within = isNamespace && name !== '' && verb !== 'list' && verb !== 'watch' ? name : namespace;
  return {
    user,
    verb,
    group,
    version,
    resource,
    ...(subresource === '' ? {} : { subresource }),
    ...(within === '' ? {} : { namespace: within }),
    ...(name === '' ? {} : { name }),
  };
}
