import { type AnyObject, resourceType } from '../../kube/plain/index.ts';
import { writtenBy } from '../actors/step.ts';
import type { ApiServer } from '../api/api-server.ts';
import recorded from './default-policy.json' with { type: 'json' };

const GROUP = 'rbac.authorization.k8s.io';
const API_VERSION = `${GROUP}/v1`;

/** A ClusterRole, but for what all of them have. */
interface RecordedRole {
  readonly labels?: Readonly<Record<string, string>>;
  /** The label by which it gathers the rules of others. */
  readonly aggregates?: string;
  /** Each rule: verbs, API groups, resources, URLs; separated by spaces, the core group written as `core`. */
  readonly rules: readonly (readonly string[])[];
}

const TYPES = {
  ClusterRole: resourceType(API_VERSION, 'ClusterRole', 'clusterroles', 'Cluster'),
  ClusterRoleBinding: resourceType(API_VERSION, 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster'),
};

/**
 * The roles and bindings that a cluster starts with, of those that a real one has: `cluster-admin`, `admin`, `edit`, `view` with what they
 * gather, and those of everybody, such as `system:discovery`. The roles of nodes and controllers aren't among them: here nodes and
 * controllers don't ask.
 */
export function defaultPolicy(): readonly AnyObject[] {
  const roles = Object.entries(recorded.roles as Readonly<Record<string, RecordedRole>>).map(roleOf);
  const bindings = Object.entries(recorded.bindings as Readonly<Record<string, readonly string[]>>).map(bindingOf);
  return [...roles, ...bindings];
}

/** Creates what isn't there of {@link defaultPolicy}. */
export function createDefaultPolicy(server: ApiServer): void {
  for (const object of defaultPolicy()) {
    const type = TYPES[object.kind as keyof typeof TYPES];
    const served = server.served(type);
    if (served === undefined || server.state.storage.get(served.collection, object.metadata) !== undefined) continue;
    server.create(served, undefined, object, writtenBy('kube-apiserver'));
  }
}

function metadataOf(name: string, labels: RecordedRole['labels'] = {}): AnyObject['metadata'] {
  return {
    name,
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  } as AnyObject['metadata'];
}

function roleOf([name, { labels, aggregates, rules }]: readonly [string, RecordedRole]): AnyObject {
  const base = { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: metadataOf(name, labels) };
  if (aggregates === undefined) return { ...base, rules: rules.map(ruleOf) };
  return { ...base, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] } };
}

function ruleOf([verbs = '', groups = '', resources = '', urls = '']: readonly string[]): unknown {
  const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');
  if (urls !== '') return { verbs: words(verbs), nonResourceURLs: words(urls) };
  const apiGroups = words(groups).map((group) => (group === 'core' ? '' : group));
  return { verbs: words(verbs), apiGroups, resources: words(resources) };
}

function bindingOf([name, groups]: readonly [string, readonly string[]]): AnyObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: metadataOf(name),
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
    subjects: groups.map((group) => ({ apiGroup: GROUP, kind: 'Group', name: group })),
  };
}
