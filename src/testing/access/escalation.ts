import { type AnyObject, deepEqual, failure, isRecord } from '../../kube/plain/index.ts';
import { badRequest, StatusError } from '../api/failures.ts';
import { authorize, missingRoles } from './authorize.ts';
import { describeRules, missingRules, quotedList } from './covers.ts';
import { forbiddenResource } from './denials.ts';
import { type Roles, roleRefOf } from './roles.ts';
import { type PolicyRule, rulesOf } from './rules.ts';
import { isMaster, type User } from './users.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** A write of a role or a binding. */
export interface PolicyWrite {
  readonly user: User;
  readonly group: string;
  /** Plural: `clusterroles`. */
  readonly resource: string;
  /** Of the path. */
  readonly namespace?: string | undefined;
  /** Of the path: absent where an object is created. */
  readonly name?: string | undefined;
  /** The object as it would be stored. */
  readonly object: AnyObject;
  /** The object as it is stored. */
  readonly old?: AnyObject | undefined;
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

/**
 * Keeps users from giving away what they don't have (API: privilege escalation prevention of RBAC): who writes a role must hold all its rules, or
 * be allowed to `escalate`; who writes a binding must hold all rules of its role, or be allowed to `bind` it. Other resources pass. It comes
 * before validation.
 *
 * @throws StatusError 403; 404 for a binding to a role that isn't there, by somebody who must not bind it unseen.
 */
export function checkEscalation(write: PolicyWrite, roles: Roles): void {
  const { group, resource, user } = write;
  if (group !== GROUP || isMaster(user) || isOnlyForGarbageCollection(write)) return;
  if (resource === 'roles' || resource === 'clusterroles') checkRole(write, roles);
  else if (resource === 'rolebindings' || resource === 'clusterrolebindings') checkBinding(write, roles);
}

function checkRole(write: PolicyWrite, roles: Roles): void {
  const { object, old, resource } = write;
  if (isAllowed(write, 'escalate', resource, write.name, roles)) return;
  confirm(write, rulesOf(object), roles);
  if (resource !== 'clusterroles' || (!isAggregated(object) && !isAggregated(old))) return;
  if (missingRules(heldBy(write, roles), EVERYTHING).length > 0) {
    throw refused(write, 'must have cluster-admin privileges to use the aggregationRule');
  }
}

function checkBinding(write: PolicyWrite, roles: Roles): void {
  const ref = roleRefOf(write.object);
  const { kind, name } = ref;
  const resource = { Role: 'roles', ClusterRole: 'clusterroles' }[kind];
  if (resource === undefined) throw unsupported(kind);
  if (isAllowed(write, 'bind', resource, name, roles)) return;
  const { namespace = '' } = write;
  if (kind === 'Role' && namespace === '') throw badRequest('Namespace parameter required.');
  const rules = roles.rules(ref, namespace);
  if (rules === undefined) {
    // The message names the resource of the request, though it is the role that is missing.
    const details = { name, group: GROUP, kind: write.resource };
    throw new StatusError(failure('NotFound', `${write.resource}.${GROUP} ${JSON.stringify(name)} not found`, details));
  }
  confirm(write, rules, roles);
}

function isAllowed(
  { user, namespace }: PolicyWrite,
  verb: string,
  resource: string,
  name: string | undefined,
  roles: Roles,
): boolean {
  const scope = { ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) };
  return authorize({ user, verb, group: GROUP, version: '*', resource, ...scope }, roles).allowed;
}

function confirm(write: PolicyWrite, wanted: readonly PolicyRule[], roles: Roles): void {
  const missing = missingRules(heldBy(write, roles), wanted);
  if (missing.length === 0) return;
  const { user, namespace, resource } = write;
  const errors = missingRoles(roles.grants(user, namespace), () => resource);
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
  const text = `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(missing).join('\n')}`;
  throw refused(write, errors === '' ? text : `${text}; resolution errors: [${errors}]`);
}

function heldBy({ user, namespace }: PolicyWrite, roles: Roles): readonly PolicyRule[] {
  return roles.grants(user, namespace).flatMap(({ rules }) => rules ?? []);
}

function refused({ resource, object }: PolicyWrite, why: string): StatusError {
  return forbiddenResource({ group: GROUP, resource, name: object.metadata.name ?? '' }, why);
}

function unsupported(kind: string): StatusError {
  const message = `unsupported role reference kind: ${JSON.stringify(kind)}`;
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}

function isAggregated(role: AnyObject | undefined): boolean {
  const rule = role?.aggregationRule;
  return isRecord(rule) && Array.isArray(rule.clusterRoleSelectors) && rule.clusterRoleSelectors.length > 0;
}

/** The garbage collector may take owners and finalizers away from roles whose rules it doesn't hold. */
function isOnlyForGarbageCollection({ object, old }: PolicyWrite): boolean {
  if (old === undefined) return false;
  const rest = ({ metadata, ...fields }: AnyObject): unknown => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, ...kept } = metadata;
    return { ...fields, metadata: kept };
  };
  return deepEqual(rest(object), rest(old));
}
