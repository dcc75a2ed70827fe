import type { Attributes } from './attributes.ts';
import { isResource } from './attributes.ts';
import type { Grant, Roles } from './roles.ts';
import { allowsConcerned, concerns, type PolicyRule } from './rules.ts';
import { isMaster } from './users.ts';

/** Whether somebody may do something, and why (API: authorization.k8s.io/v1 SubjectAccessReviewStatus). */
export interface Decision {
  readonly allowed: boolean;
  /** Which binding allows it, or which bindings refer to roles that aren't there; empty where there is nothing to say. */
  readonly reason: string;
}

/**
 * Decides as the RBAC authorizer does: what no rule allows is not allowed. Who is in `system:masters` may do everything. Where several bindings
 * allow a request, the reason names the first by name; a real server looks at them in no order.
 */
export function authorize(attributes: Attributes, roles: Roles): Decision {
  if (isMaster(attributes.user)) return { allowed: true, reason: '' };
  const grants = roles.grants(attributes.user, isResource(attributes) ? attributes.namespace : '');
  for (const { grant, rule } of concerned(grants, attributes)) {
    if (allowsConcerned(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant)}` };
  }
  const missing = missingRoles(grants, lowerKind);
  return { allowed: false, reason: missing === '' ? '' : `RBAC: ${missing}` };
}

interface Candidate {
  readonly grant: Grant;
  readonly rule: PolicyRule;
}

/** For each list of grants the rules about a resource. A list of grants is the same as long as nothing changes. */
const candidates = new WeakMap<readonly Grant[], Map<string, readonly Candidate[]>>();
/** Of how many resources that is kept, so that nobody can ask until the memory is full. */
const MOST_RESOURCES = 1000;

function concerned(grants: readonly Grant[], attributes: Attributes): readonly Candidate[] {
  const key = isResource(attributes) ? `${attributes.group}/${attributes.resource}/${attributes.subresource ?? ''}` : '';
  const known = candidates.get(grants) ?? new Map<string, readonly Candidate[]>();
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = grants.flatMap((grant) =>
    (grant.rules ?? []).filter((rule) => concerns(rule, attributes)).map((rule) => ({ grant, rule })),
  );
  if (known.size >= MOST_RESOURCES) known.clear();
  known.set(key, found);
  candidates.set(grants, known);
  return found;
}

function lowerKind({ binding }: Grant): string {
  return binding.roleRef.kind.toLowerCase();
}

/** Which roles weren't there, as errors that belong together; empty where all were. `resource` is how a message calls the missing role. */
export function missingRoles(grants: readonly Grant[], resource: (grant: Grant) => string): string {
  const texts = grants
    .filter(({ rules }) => rules === undefined)
    .map((grant) => `${resource(grant)}.rbac.authorization.k8s.io ${JSON.stringify(grant.binding.roleRef.name)} not found`);
  const unique = [...new Set(texts)];
  return unique.length < 2 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

function describeGrant({ binding }: Grant): string {
  const { name, namespace, roleRef, subject } = binding;
  const [kind, full] = namespace === '' ? ['ClusterRoleBinding', name] : ['RoleBinding', `${name}/${namespace}`];
  const isAccount = subject.kind === 'ServiceAccount';
  const who = isAccount ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const of = `${roleRef.kind} ${JSON.stringify(roleRef.name)}`;
  return `${kind} ${JSON.stringify(full)} of ${of} to ${subject.kind} ${JSON.stringify(who)}`;
}
