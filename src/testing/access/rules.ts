import { type AnyObject, isRecord } from '../../kube/plain/index.ts';
import { type Attributes, isResource } from './attributes.ts';

/** What a role allows (API: rbac.authorization.k8s.io/v1 PolicyRule). */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty for all names. */
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** The rules of a Role or ClusterRole; those that it doesn't have are empty. */
export function rulesOf(role: AnyObject): readonly PolicyRule[] {
  return Array.isArray(role.rules) ? role.rules.filter(isRecord).map(ruleOf) : [];
}

function ruleOf(rule: Readonly<Record<string, unknown>>): PolicyRule {
  return {
    verbs: texts(rule.verbs),
    apiGroups: texts(rule.apiGroups),
    resources: texts(rule.resources),
    resourceNames: texts(rule.resourceNames),
    nonResourceURLs: texts(rule.nonResourceURLs),
  };
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

/** Whether a rule allows a request. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  return concerns(rule, attributes) && allowsConcerned(rule, attributes);
}

/** Whether a rule is about a request's resource; for a path, whether it is about any. */
export function concerns({ apiGroups, resources, nonResourceURLs }: PolicyRule, attributes: Attributes): boolean {
  if (!isResource(attributes)) return nonResourceURLs.length > 0;
  const { group, resource, subresource } = attributes;
  if (!has(apiGroups, group)) return false;
  if (subresource === undefined) return has(resources, resource);
  return has(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** Whether a rule that concerns a request allows it. */
export function allowsConcerned({ verbs, resourceNames, nonResourceURLs }: PolicyRule, attributes: Attributes): boolean {
  if (!has(verbs, attributes.verb)) return false;
  if (!isResource(attributes)) return nonResourceURLs.some((url) => urlCovers(url, attributes.path));
  return resourceNames.length === 0 || resourceNames.includes(attributes.name ?? '');
}

const has = (allowed: readonly string[], wanted: string): boolean => allowed.includes('*') || allowed.includes(wanted);

/** Whether a URL of a rule is for a path: `/apis/*` is for all that begin with `/apis/`. */
export function urlCovers(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}
