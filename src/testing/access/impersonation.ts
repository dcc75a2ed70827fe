import { checkDnsSubdomain, compareText } from '../../kube/plain/index.ts';
import { badRequest, StatusError } from '../api/failures.ts';
import type { Attributes, ResourceAttributes } from './attributes.ts';
import type { Decision } from './authorize.ts';
import { denied } from './denials.ts';
import {
  ANONYMOUS,
  AUTHENTICATED,
  MASTERS,
  serviceAccountGroups,
  serviceAccountOf,
  UNAUTHENTICATED,
  type User,
} from './users.ts';

const EXTRA_HEADER = 'impersonate-extra-';

/**
 * Whom the headers of a request ask to act as; nothing where they don't (API: user impersonation). Headers of the same name come joined by a
 * comma and a space, so that no group can have these two in its name.
 *
 * @throws StatusError 400 where they name groups and the like, but no user.
 */
export function impersonatedUser(headers: Headers): User | undefined {
  const name = headers.get('impersonate-user') ?? '';
  const uid = headers.get('impersonate-uid') ?? '';
  const groups = headers.get('impersonate-group')?.split(', ') ?? [];
  const extra: Record<string, readonly string[]> = {};
  headers.forEach((value, header) => {
    if (header.startsWith(EXTRA_HEADER)) extra[unescaped(header.slice(EXTRA_HEADER.length))] = value.split(', ');
  });
  const hasExtra = Object.keys(extra).length > 0;
  if (name !== '') return { name, groups, ...(uid === '' ? {} : { uid }), ...(hasExtra ? { extra } : {}) };
  if (uid === '' && groups.length === 0 && !hasExtra) return undefined;
  throw badRequest(`requested ${goText(uid, groups, extra)} without impersonating a user name`);
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function goText(uid: string, groups: readonly string[], extra: Readonly<Record<string, readonly string[]>>): string {
  const list = (texts: readonly string[]): string => `[]string{${texts.map((each) => JSON.stringify(each)).join(', ')}}`;
  const entries = Object.entries(extra).toSorted(([a], [b]) => compareText(a, b));
  const map = `{${entries.map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`).join(', ')}}`;
  const shownGroups = groups.length === 0 ? '[]string(nil)' : list(groups);
  const shownExtra = entries.length === 0 ? 'map[string][]string(nil)' : `map[string][]string${map}`;
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${shownGroups}, Extra:${shownExtra}}`;
}

/** One way to be allowed to act as somebody. Constrained ones ask also whether the request may be made in this way (KEP-5284). */
interface Mode {
  readonly name: 'associated-node' | 'arbitrary-node' | 'serviceaccount' | 'user-info' | 'legacy';
  /** Whether this way is one for this user. */
  readonly fits: (wanted: User, requestor: User) => boolean;
}

const MODES: readonly Mode[] = [
  { name: 'associated-node', fits: (wanted, requestor) => hasOnlyName(wanted) && isOwnNode(wanted, requestor) },
  { name: 'arbitrary-node', fits: (wanted) => hasOnlyName(wanted) && nodeOf(wanted.name) !== undefined },
  { name: 'serviceaccount', fits: (wanted) => hasOnlyName(wanted) && serviceAccountOf(wanted.name) !== undefined },
  { name: 'user-info', fits: ({ name }) => nodeOf(name) === undefined && serviceAccountOf(name) === undefined },
  { name: 'legacy', fits: () => true },
];

/** Lets users act as others, where they may: `decide` says whether. */
export class Impersonation {
  readonly #decide: (attributes: Attributes) => Decision;
  /** The way in which a user was last allowed to: it is tried first, and its denial is the one that is told. */
  readonly #last = new Map<string, Mode>();

  constructor(decide: (attributes: Attributes) => Decision) {
    this.#decide = decide;
  }

  /**
   * The user that a request is to be taken for, with the groups that it has by itself. `attributes` are the request's, as its own user makes it.
   *
   * @throws StatusError 403 with the denial of the first way that was tried.
   */
  actAs(wanted: User, attributes: Attributes): User {
    const requestor = attributes.user;
    const last = this.#last.get(requestor.name);
    const modes = last === undefined ? MODES : [last, ...MODES.filter((mode) => mode !== last)];
    let first: StatusError | undefined;
    for (const mode of modes.filter(({ fits }) => fits(wanted, requestor))) {
      const user = this.#tryAs(wanted, attributes, mode);
      if (!(user instanceof StatusError)) {
        this.#last.set(requestor.name, mode);
        return user;
      }
      first ??= user;
    }
    throw first ?? badRequest('all impersonation modes failed');
  }

  #tryAs(wanted: User, attributes: Attributes, { name }: Mode): User | StatusError {
    const isLegacy = name === 'legacy';
    const checks = [
      ...(isLegacy ? [] : [{ ...attributes, verb: `impersonate-on:${name}:${attributes.verb}` }]),
      ...checksOf(wanted, attributes.user, name),
    ];
    for (const check of checks) {
      if (check instanceof StatusError) return check;
      const { allowed, reason } = this.#decide(check);
      if (!allowed) return denied(check, reason);
    }
    return withOwnGroups(wanted, isLegacy);
  }
}

/** What must be allowed, one after the other; a refusal where something is never allowed in this way. */
function checksOf(wanted: User, requestor: User, mode: Mode['name']): readonly (Attributes | StatusError)[] {
  const isLegacy = mode === 'legacy';
  const verb = isLegacy ? 'impersonate' : `impersonate:${mode}`;
  const about = (group: string, resource: string, of: string): ResourceAttributes => ({
    user: requestor,
    verb,
    group,
    version: 'v1',
    resource,
    ...(of === '' ? {} : { name: of }),
  });
  const AUTHENTICATION = 'authentication.k8s.io';
  const own = isLegacy ? '' : AUTHENTICATION;
  const { name, uid = '', groups, extra = {} } = wanted;
  const ofExtra = about(AUTHENTICATION, 'userextras', '');
  return [
    userCheck(name, mode, (resource, object) => about(own, resource, object)),
    ...(uid === '' ? [] : [about(AUTHENTICATION, 'uids', uid)]),
    ...(isLegacy ? [] : refusedGroups(groups, about(own, 'groups', ''))),
    ...groups.map((group) => about(own, 'groups', group)),
    ...(isLegacy ? [] : refusedExtra(extra, ofExtra)),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((value) => ({ ...ofExtra, name: value, subresource: key }))),
  ];
}

function userCheck(
  name: string,
  mode: Mode['name'],
  about: (resource: string, name: string) => ResourceAttributes,
): ResourceAttributes {
  const account = serviceAccountOf(name);
  if (account !== undefined) return { ...about('serviceaccounts', account.name), namespace: account.namespace };
  const node = mode === 'legacy' ? undefined : nodeOf(name);
  if (node === undefined) return about('users', name);
  return about('nodes', mode === 'associated-node' ? '*' : node);
}

/** No constrained way lets anybody act as one of these. */
function refusedGroups(groups: readonly string[], about: ResourceAttributes): readonly StatusError[] {
  if (groups.includes('')) return [denied(about, 'impersonating the empty string group is not allowed')];
  if (!groups.includes(MASTERS)) return [];
  return [denied({ ...about, name: MASTERS }, 'impersonating the system:masters group is not allowed')];
}

function refusedExtra(extra: NonNullable<User['extra']>, about: ResourceAttributes): readonly StatusError[] {
  return Object.entries(extra).flatMap(([key, values]) => {
    const problem = extraProblem(key, values);
    return problem === undefined ? [] : [denied(about, problem)];
  });
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  const [host = '', path = ''] = key.split(/\/(.*)/s);
  if (host === '' || path === '' || checkDnsSubdomain(host).length > 0) {
    const shown = `extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
    return `impersonating an invalid key in extra is not allowed: ${shown}`;
  }
  return values.includes('') ? 'impersonating the empty string value in extra is not allowed' : undefined;
}

/** Groups that aren't asked for come by themselves. */
function withOwnGroups(wanted: User, isLegacy: boolean): User {
  const account = serviceAccountOf(wanted.name);
  const node = isLegacy ? undefined : nodeOf(wanted.name);
  const given = wanted.groups.length > 0 || account === undefined ? wanted.groups : serviceAccountGroups(account.namespace);
  const groups = node === undefined ? given : ['system:nodes'];
  if (wanted.name === ANONYMOUS.name) return { ...wanted, groups: withGroup(groups, UNAUTHENTICATED) };
  return { ...wanted, groups: groups.includes(UNAUTHENTICATED) ? groups : withGroup(groups, AUTHENTICATED) };
}

function withGroup(groups: readonly string[], group: string): readonly string[] {
  return groups.includes(group) ? groups : [...groups, group];
}

function hasOnlyName({ uid = '', groups, extra }: User): boolean {
  return uid === '' && groups.length === 0 && extra === undefined;
}

const NODE_PREFIX = 'system:node:';

function nodeOf(userName: string): string | undefined {
  const name = userName.startsWith(NODE_PREFIX) ? userName.slice(NODE_PREFIX.length) : '';
  return name !== '' && checkDnsSubdomain(name).length === 0 ? name : undefined;
}

/** Whether a service account's token is bound to the node, or to a pod on it. */
function isOwnNode(wanted: User, requestor: User): boolean {
  const node = nodeOf(wanted.name);
  if (node === undefined || serviceAccountOf(requestor.name) === undefined) return false;
  const [first, ...more] = requestor.extra?.['authentication.kubernetes.io/node-name'] ?? [];
  return first === node && more.length === 0;
}
