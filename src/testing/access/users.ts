import { type AnyObject, checkDnsLabel, checkDnsSubdomain } from '../../kube/plain/index.ts';

/** Who makes a request (API: authentication.k8s.io/v1 UserInfo). */
export interface User {
  readonly name: string;
  /** Tells users apart who have the same name at different times. */
  readonly uid?: string;
  readonly groups: readonly string[];
  /** What else is known of the user. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Members may do everything, whatever roles say. */
export const MASTERS = 'system:masters';
/** Everybody who has said who they are. */
export const AUTHENTICATED = 'system:authenticated';
/** Everybody who hasn't. */
export const UNAUTHENTICATED = 'system:unauthenticated';
/** All service accounts; those of one namespace are in `system:serviceaccounts:<namespace>`. */
const SERVICE_ACCOUNTS = 'system:serviceaccounts';

/** Whoever brings no credentials. */
export const ANONYMOUS: User = { name: 'system:anonymous', groups: [UNAUTHENTICATED] };

const PREFIX = 'system:serviceaccount:';

/** `system:serviceaccount:shop:web`: the user name of a service account. */
export function serviceAccountName(namespace: string, name: string): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** The groups that service accounts of a namespace are in, but for those of everybody. */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`];
}

/** The user that a ServiceAccount stands for. `extra` is what its token says. */
export function serviceAccountUser({ metadata }: Pick<AnyObject, 'metadata'>, extra?: User['extra']): User {
  const { name, namespace = '', uid } = metadata;
  return {
    name: serviceAccountName(namespace, name),
    ...(uid === undefined ? {} : { uid }),
    groups: [...serviceAccountGroups(namespace), AUTHENTICATED],
    ...(extra === undefined ? {} : { extra }),
  };
}

/** Which ServiceAccount a user name is for; nothing where it is for none. */
export function serviceAccountOf(userName: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace = '', name = '', ...more] = userName.slice(PREFIX.length).split(':');
  const isOne = more.length === 0 && checkDnsLabel(namespace).length === 0 && checkDnsSubdomain(name).length === 0;
  return isOne ? { namespace, name } : undefined;
}

/** Whether a user may do everything without being asked. */
export function isMaster({ groups }: User): boolean {
  return groups.includes(MASTERS);
}

/** The user in the group of everybody who has said who they are. */
export function authenticated(user: User): User {
  const { groups } = user;
  return groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED)
    ? user
    : { ...user, groups: [...groups, AUTHENTICATED] };
}
