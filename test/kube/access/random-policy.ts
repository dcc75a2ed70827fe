import { type Random, seededRandom } from '../../../src/testing/random.ts';
import type { Line } from './side.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const NAMESPACES = ['default', 'kube-system', 'kube-public'];
const VERBS = ['get', 'list', 'create', 'delete', '*'];
const API_GROUPS = ['', 'apps', 'batch', '*'];
const RESOURCES = ['pods', 'deployments', 'jobs', 'pods/status', 'deployments/scale', '*/status', '*/scale', '*'];
const NAMES = ['one', 'two'];
const URLS = ['/a', '/a/*', '/b*', '*'];
const USERS = ['u1', 'u2', 'u3', 'u4'];
const GROUPS = ['g1', 'g2', 'g3'];
const ACCOUNTS = ['a1', 'a2'];

function some<T>(random: Random, all: readonly T[], most = 2): T[] {
  const count = 1 + Math.floor(random() * most);
  return [...new Set(Array.from({ length: count }, () => one(random, all)))];
}

function one<T>(random: Random, all: readonly T[]): T {
  const chosen = all[Math.floor(random() * all.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

function rule(random: Random, isClusterWide: boolean): unknown {
  if (isClusterWide && random() < 0.2) return { verbs: some(random, VERBS), nonResourceURLs: some(random, URLS) };
  const names = random() < 0.3 ? { resourceNames: some(random, NAMES) } : {};
  return { verbs: some(random, VERBS), apiGroups: some(random, API_GROUPS), resources: some(random, RESOURCES), ...names };
}

function subject(random: Random): unknown {
  const apiGroup = 'rbac.authorization.k8s.io';
  const chosen = random();
  if (chosen < 0.4) return { kind: 'User', apiGroup, name: one(random, USERS) };
  if (chosen < 0.7) return { kind: 'Group', apiGroup, name: one(random, [...GROUPS, 'system:serviceaccounts:kube-system']) };
  return { kind: 'ServiceAccount', name: one(random, ACCOUNTS), namespace: one(random, NAMESPACES) };
}

/** Roles and bindings; some bindings are to roles that aren't there. */
export function randomPolicy(seed: number, count: number): readonly Line[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index): readonly Line[] => {
    const isClusterWide = random() < 0.4;
    const namespace = one(random, NAMESPACES);
    const at = (plural: string): string =>
      isClusterWide ? `${RBAC}/cluster${plural}` : `${RBAC}/namespaces/${namespace}/${plural}`;
    const name = `random-${index}`;
    const kind = isClusterWide ? 'ClusterRole' : 'Role';
    const role = { metadata: { name }, rules: some(random, [0, 1, 2]).map(() => rule(random, isClusterWide)) };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
    const binding = { metadata: { name }, roleRef, subjects: some(random, [0, 1, 2, 3]).map(() => subject(random)) };
    const isLost = random() < 0.1;
    return [
      ...(isLost ? [] : [{ method: 'POST', path: at('roles'), body: role } as const]),
      { method: 'POST', path: at('rolebindings'), body: binding } as const,
    ];
  }).flat();
}

/** Questions about it. */
export function randomQuestions(seed: number, count: number): readonly Line[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => ({
    method: 'POST' as const,
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { ...who(random), ...what(random) } },
  }));
}

function who(random: Random): object {
  if (random() < 0.3) {
    const namespace = one(random, NAMESPACES);
    const user = `system:serviceaccount:${namespace}:${one(random, ACCOUNTS)}`;
    return { user, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] };
  }
  return { user: one(random, [...USERS, 'nobody']), ...(random() < 0.5 ? { groups: some(random, GROUPS) } : {}) };
}

function what(random: Random): object {
  if (random() < 0.15)
    return {
      nonResourceAttributes: { verb: one(random, ['get', 'create']), path: one(random, ['/a', '/a/x', '/b', '/bx', '/c']) },
    };
  const [resource = '', subresource] = one(random, [
    'pods',
    'deployments',
    'jobs',
    'pods/status',
    'deployments/scale',
    'jobs/status',
  ]).split('/');
  return {
    resourceAttributes: {
      verb: one(random, ['get', 'list', 'create', 'delete', 'watch']),
      group: one(random, ['', 'apps', 'batch']),
      resource,
      ...(subresource === undefined ? {} : { subresource }),
      ...(random() < 0.7 ? { namespace: one(random, NAMESPACES) } : {}),
      ...(random() < 0.4 ? { name: one(random, [...NAMES, 'three']) } : {}),
    },
  };
}
