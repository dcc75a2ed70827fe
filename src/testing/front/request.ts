import type { User } from '../access/index.ts';

/** What a request does (API: authorization.k8s.io request verbs). */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** How a client says who it is: in process it is taken at its word, and over HTTP it has headers. */
export type Credentials =
  | { readonly user: User }
  | {
      readonly headers: Headers;
      /** Who has it as bearer token may do everything; where there is none, everybody may. */
      readonly adminToken: string | undefined;
    };

/** Who may do everything. */
export const ADMIN: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/** A request to one cluster, as it is told from others: by faults, by authorisation, and in the log. */
export interface ClientRequest {
  readonly verb: Verb;
  /** The path of what is no resource, such as `/version`. */
  readonly path?: string;
  /** Absent for what is no resource, as are version and resource. */
  readonly group?: string;
  readonly version?: string;
  /** Plural: `deployments`. */
  readonly resource?: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** The program: of a port its field manager, over HTTP the first word of the user agent. */
  readonly client: string;
}

/** Which requests are meant: those for which everything holds that is said. */
export interface RequestScope {
  readonly verbs?: readonly Verb[];
  /** Plurals, with their group or without: `deployments.apps`, `pods`. */
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Programs: see {@link ClientRequest.client}. */
  readonly clients?: readonly string[];
}

/** `deployments.apps`; the path of what is no resource. */
export function resourceText({ group = '', resource, path = '' }: ClientRequest): string {
  if (resource === undefined) return path;
  return group === '' ? resource : `${resource}.${group}`;
}

/** Whether a request is one of those that are meant. */
export function isInScope(request: ClientRequest, { verbs, resources, namespaces, clients }: RequestScope): boolean {
  if (verbs !== undefined && !verbs.includes(request.verb)) return false;
  if (clients !== undefined && !clients.includes(request.client)) return false;
  if (namespaces !== undefined && !namespaces.includes(request.namespace ?? '')) return false;
  return resources === undefined || resources.includes(resourceText(request)) || resources.includes(request.resource ?? '');
}

/** The one object that a list or a watch with this field selector asks for by its name. */
export function nameSelected(fieldSelector = ''): string | undefined {
  return /^metadata\.name=([^,]+)$/.exec(fieldSelector)?.[1];
}

const READING: ReadonlySet<Verb> = new Set(['get', 'list', 'watch']);

/** Whether a request asks for a change. */
export function isWrite({ verb }: ClientRequest): boolean {
  return !READING.has(verb);
}
