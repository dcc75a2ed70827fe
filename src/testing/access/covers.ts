import { compareText } from '../../kube/plain/index.ts';
import { type PolicyRule, urlCovers } from './rules.ts';

/**
 * What the wanted rules allow and the held ones don't, rule by rule with one group, resource, name and verb each (API: privilege escalation
 * prevention of RBAC).
 */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(singleRules).filter((single) => !held.some((rule) => covers(rule, single)));
}

function singleRules({ apiGroups, resources, verbs, resourceNames, nonResourceURLs }: PolicyRule): readonly PolicyRule[] {
  const names = resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name]);
  const ofResources = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((each) => ({
          apiGroups: [group],
          resources: [resource],
          verbs: [verb],
          resourceNames: each,
          nonResourceURLs: [],
        })),
      ),
    ),
  );
  const ofPaths = nonResourceURLs.flatMap((url) =>
    verbs.map((verb) => ({ apiGroups: [], resources: [], verbs: [verb], resourceNames: [], nonResourceURLs: [url] })),
  );
  return [...ofResources, ...ofPaths];
}

function covers(rule: PolicyRule, single: PolicyRule): boolean {
  const all = (held: readonly string[], wanted: readonly string[]): boolean =>
    held.includes('*') || wanted.every((each) => held.includes(each));
  return (
    all(rule.verbs, single.verbs) &&
    all(rule.apiGroups, single.apiGroups) &&
    single.resources.every((resource) => coversResource(rule.resources, resource)) &&
    (rule.resourceNames.length === 0 ||
      (single.resourceNames.length > 0 && single.resourceNames.every((name) => rule.resourceNames.includes(name)))) &&
    single.nonResourceURLs.every((path) => rule.nonResourceURLs.some((url) => urlCovers(url, path)))
  );
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes('*') || held.includes(resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && held.includes(`*/${resource.slice(slash + 1)}`);
}

/** Rules of one resource each, told in one line per group, resource and name, sorted. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const together = new Map<string, PolicyRule>();
  for (const [index, rule] of rules.entries()) {
    const { apiGroups, resources, resourceNames } = rule;
    const isOfResource = apiGroups.length > 0;
    const key = isOfResource ? JSON.stringify([apiGroups, resources, resourceNames]) : `path ${index}`;
    const other = together.get(key);
    together.set(key, other === undefined ? rule : { ...other, verbs: [...other.verbs, ...rule.verbs] });
  }
  return [...new Set([...together.values()].map(describeRule))].toSorted(compareText);
}

const FIELDS = [
  ['APIGroups', 'apiGroups'],
  ['Resources', 'resources'],
  ['NonResourceURLs', 'nonResourceURLs'],
  ['ResourceNames', 'resourceNames'],
  ['Verbs', 'verbs'],
] as const;

function describeRule(rule: PolicyRule): string {
  const parts = FIELDS.filter(([, field]) => rule[field].length > 0).map(
    ([label, field]) => `${label}:${quotedList(rule[field])}`,
  );
  return `{${parts.join(', ')}}`;
}

/** `["a" "b"]` */
export function quotedList(texts: readonly string[]): string {
  return `[${texts.map((each) => JSON.stringify(each)).join(' ')}]`;
}
