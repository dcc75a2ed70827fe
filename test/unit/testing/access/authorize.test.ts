import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attributes, isResource } from '../../../../src/testing/access/attributes.ts';
import { attributesOf, authorize, denied, Roles, unauthorized } from '../../../../src/testing/access/index.ts';
import { ruleAllows, rulesOf } from '../../../../src/testing/access/rules.ts';
import { Cluster, failureOf, pods, roleRef, rule, toUser, user } from './cluster.ts';

const ann = user('ann', 'system:authenticated');

describe('a rule', () => {
  const path = (verb: string, url: string): Attributes => ({ user: ann, verb, path: url });
  it.each<[string, object, Attributes, boolean]>([
    ['for its resource', rule('', 'pods', 'get'), pods(ann, 'get'), true],
    ['for no other verb', rule('', 'pods', 'get'), pods(ann, 'list'), false],
    ['for no other group', rule('apps', 'pods', 'get'), pods(ann, 'get'), false],
    ['for all verbs', rule('', 'pods', '*'), pods(ann, 'anything'), true],
    ['for all groups', rule('*', 'pods', 'get'), pods(ann, 'get'), true],
    ['for all resources, with their parts', rule('', '*', 'get'), pods(ann, 'get', { subresource: 'log' }), true],
    ['for a resource, without its parts', rule('', 'pods', 'get'), pods(ann, 'get', { subresource: 'log' }), false],
    ['for a part', rule('', 'pods/log', 'get'), pods(ann, 'get', { subresource: 'log' }), true],
    ['for a part of everything', rule('', '*/log', 'get'), pods(ann, 'get', { subresource: 'log' }), true],
    ['for a part, without the whole', rule('', '*/log', 'get'), pods(ann, 'get'), false],
    ['for a name', { ...rule('', 'pods', 'get'), resourceNames: ['a'] }, pods(ann, 'get', { name: 'a' }), true],
    ['for no other name', { ...rule('', 'pods', 'get'), resourceNames: ['a'] }, pods(ann, 'get', { name: 'b' }), false],
    ['for a name, not for all', { ...rule('', 'pods', 'list'), resourceNames: ['a'] }, pods(ann, 'list'), false],
    ['for a path', { nonResourceURLs: ['/a'], verbs: ['get'] }, path('get', '/a'), true],
    ['for no path below', { nonResourceURLs: ['/a'], verbs: ['get'] }, path('get', '/a/b'), false],
    ['for all paths below', { nonResourceURLs: ['/a/*'], verbs: ['get'] }, path('get', '/a/b/c'), true],
    ['for paths below, not for itself', { nonResourceURLs: ['/a/*'], verbs: ['get'] }, path('get', '/a'), false],
    ['for everything but paths', rule('*', '*', '*'), path('get', '/a'), false],
    ['for all paths, and no resource', { nonResourceURLs: ['*'], verbs: ['*'] }, pods(ann, 'get'), false],
  ])('is %s', (_, given, attributes, expected) => {
    const [read] = rulesOf({ rules: [given] } as never);
    expect(read !== undefined && ruleAllows(read, attributes)).toBe(expected);
  });
});

describe('a user', () => {
  it('has what a binding in the namespace gives, and only there', () => {
    const { access, ...cluster } = bound(new Cluster(), 'Role');
    expect(access.decide(pods(ann, 'get'))).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "of-ann/default" of Role "reader" to User "ann"',
    });
    expect(access.decide(pods(ann, 'get', { namespace: 'kube-system' })).allowed).toBe(false);
    expect(access.decide(pods(user('eve'), 'get')).allowed).toBe(false);
    expect(cluster).toBeDefined();
  });

  it('loses it with the binding, and with the role', () => {
    const cluster = bound(new Cluster(), 'Role');
    const { access } = cluster;
    expect(access.decide(pods(ann, 'get')).allowed).toBe(true);
    cluster.delete('Role', 'reader');
    expect(access.decide(pods(ann, 'get'))).toEqual({
      allowed: false,
      reason: 'RBAC: role.rbac.authorization.k8s.io "reader" not found',
    });
    cluster.create('Role', 'reader', { rules: [rule('', 'pods', 'get')] });
    expect(access.decide(pods(ann, 'get')).allowed).toBe(true);
    cluster.delete('RoleBinding', 'of-ann');
    expect(access.decide(pods(ann, 'get'))).toEqual({ allowed: false, reason: '' });
  });

  it('may do everything in system:masters, without a reason', () => {
    const { access } = new Cluster();
    expect(access.decide(pods(user('root', 'system:masters'), 'delete'))).toEqual({ allowed: true, reason: '' });
  });

  it('may do everything where nobody asks for roles', () => {
    expect(new Cluster(false).access.decide(pods(user('eve'), 'delete')).allowed).toBe(true);
  });

  it('that is a service account has what bindings in its own namespace give it by name alone', () => {
    const cluster = new Cluster();
    cluster.create('Role', 'reader', { rules: [rule('', 'pods', 'get')] });
    cluster.create('RoleBinding', 'b', { ...roleRef('Role', 'reader'), subjects: [{ kind: 'ServiceAccount', name: 'bob' }] });
    const { allowed, reason } = cluster.access.decide(pods(user('system:serviceaccount:default:bob'), 'get'));
    expect(allowed).toBe(true);
    expect(reason).toBe('RBAC: allowed by RoleBinding "b/default" of Role "reader" to ServiceAccount "bob/default"');
    expect(cluster.access.decide(pods(user('system:serviceaccount:kube-system:bob'), 'get')).allowed).toBe(false);
  });
});

function bound(cluster: Cluster, kind: 'Role' | 'ClusterRole'): Cluster {
  cluster.create(kind, 'reader', { rules: [rule('', 'pods', 'get')] });
  cluster.create('RoleBinding', 'of-ann', { ...roleRef(kind, 'reader'), subjects: [toUser('ann')] });
  return cluster;
}

describe('a refusal', () => {
  const message = (attributes: Attributes, reason = ''): unknown => denied(attributes, reason).status;
  it.each<[Attributes, string, object]>([
    [
      pods(ann, 'list'),
      'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "default"',
      { kind: 'pods' },
    ],
    [
      { user: ann, verb: 'get', group: 'apps', version: 'v1', resource: 'deployments', subresource: 'scale', name: 'web' },
      'deployments.apps "web" is forbidden: User "ann" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
      { name: 'web', group: 'apps', kind: 'deployments' },
    ],
    [{ user: user('<a&b>'), verb: 'get', path: '/x' }, 'forbidden: User "&lt;a&amp;b&gt;" cannot get path "/x"', {}],
  ])('%# says what was asked', (attributes, text, details) => {
    expect(message(attributes)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: text,
      reason: 'Forbidden',
      details,
      code: 403,
    });
  });

  it('says which roles are missing', () => {
    expect(
      failureOf(() => {
        throw denied(pods(ann, 'get'), 'RBAC: x not found');
      }).message,
    ).toMatch(/"default": RBAC: x not found$/);
  });

  it('of somebody who is nobody has no details', () => {
    expect(unauthorized().status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
  });
});

describe('the attributes of a request', () => {
  it('put a namespace into itself', () => {
    const request = { verb: 'get', group: '', version: 'v1', resource: 'namespaces', name: 'shop' };
    expect(attributesOf(request, ann)).toMatchObject({ namespace: 'shop', name: 'shop' });
    expect(attributesOf({ ...request, verb: 'list' }, ann)).not.toHaveProperty('namespace');
  });

  it('of a path are a verb and the path', () => {
    expect(isResource(attributesOf({ verb: 'get', path: '/version' }, ann))).toBe(false);
  });
});

describe('the index of bindings', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const subject = fc.oneof(
    name.map(toUser),
    name.map((each) => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: each })),
    name.map((each) => ({ kind: 'ServiceAccount', name: each, namespace: 'default' })),
  );
  const change = fc.record({
    kind: fc.constantFrom('RoleBinding' as const, 'ClusterRoleBinding' as const),
    name,
    subjects: fc.array(subject, { maxLength: 3 }),
    role: name,
    isGone: fc.boolean(),
  });
  const asked = fc.record({ who: name, groups: fc.array(name, { maxLength: 2 }), isAccount: fc.boolean(), resource: name });

  it('knows after any changes what a fresh one finds', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.array(asked, { minLength: 1, maxLength: 10 }), (changes, questions) => {
        const cluster = new Cluster();
        const { access, server } = cluster;
        for (const role of ['a', 'b']) cluster.create('ClusterRole', role, { rules: [rule('', role, 'get')] });
        for (const each of changes) {
          const isThere = failsNot(() => cluster.get(each.kind, each.name));
          if (isThere) cluster.delete(each.kind, each.name);
          if (!each.isGone)
            cluster.create(each.kind, each.name, { ...roleRef('ClusterRole', each.role), subjects: each.subjects });
          for (const { who, groups, isAccount, resource } of questions) {
            const asker = user(isAccount ? `system:serviceaccount:default:${who}` : who, ...groups);
            const attributes = pods(asker, 'get', { resource });
            const fresh = new Roles(server.state.storage);
            expect(access.decide(attributes)).toEqual(authorize({ ...attributes, user: { ...asker } }, fresh));
            fresh.stop();
          }
        }
        access.stop();
      }),
      { numRuns: 40 },
    );
  });
});

function failsNot(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
