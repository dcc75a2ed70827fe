import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingRules } from '../../../../src/testing/access/covers.ts';
import { Roles } from '../../../../src/testing/access/index.ts';
import { ruleAllows, rulesOf } from '../../../../src/testing/access/rules.ts';
import { Cluster, failureOf, pods, roleRef, rule, toUser, user } from './cluster.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ann = user('ann', 'dev', 'system:authenticated');

/** Ann may write roles and bindings, and read pods. */
function writing(): Cluster {
  const cluster = new Cluster();
  cluster.create('ClusterRole', 'writer', {
    rules: [rule('', 'pods', 'get'), { apiGroups: [GROUP], resources: ['roles', 'rolebindings'], verbs: ['create', 'update'] }],
  });
  cluster.create('ClusterRoleBinding', 'writer', { ...roleRef('ClusterRole', 'writer'), subjects: [toUser('ann')] });
  return cluster;
}

function write(cluster: Cluster, resource: string, fields: object, who = ann): void {
  const object = { apiVersion: `${GROUP}/v1`, kind: 'x', metadata: { name: 'x' }, ...fields } as never;
  cluster.access.checkEscalation({ user: who, group: GROUP, resource, namespace: 'default', object });
}

describe('the writer of a role', () => {
  it('may give what it has', () => {
    expect(() => write(writing(), 'roles', { rules: [rule('', 'pods', 'get')] })).not.toThrow();
  });

  it('may not give what it has not', () => {
    expect(failureOf(() => write(writing(), 'roles', { rules: [rule('', 'pods', 'get', 'delete')] }))).toMatchObject({
      code: 403,
      message: `roles.${GROUP} "x" is forbidden: user "ann" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}`,
    });
  });

  it('may give anything as a master, where it may escalate, and where roles are not asked', () => {
    const everything = { rules: [rule('*', '*', '*')] };
    const cluster = writing();
    expect(() => write(cluster, 'roles', everything, user('root', 'system:masters'))).not.toThrow();
    cluster.create('Role', 'escalator', { rules: [rule(GROUP, 'roles', 'escalate')] });
    cluster.create('RoleBinding', 'escalator', { ...roleRef('Role', 'escalator'), subjects: [toUser('ann')] });
    expect(() => write(cluster, 'roles', everything)).not.toThrow();
    expect(() => write(new Cluster(false), 'roles', everything)).not.toThrow();
  });

  it('may let go of its owners whatever it allows', () => {
    const cluster = writing();
    const old = cluster.create('Role', 'all', { rules: [rule('*', '*', '*')] });
    const object = { ...old, metadata: { ...old.metadata, finalizers: ['a/b'] } };
    const change = { user: ann, group: GROUP, resource: 'roles', namespace: 'default', name: 'all', old };
    expect(() => cluster.access.checkEscalation({ ...change, object })).not.toThrow();
    const other = { ...object, rules: [rule('*', '*', 'get')] };
    expect(failureOf(() => cluster.access.checkEscalation({ ...change, object: other })).code).toBe(403);
  });
});

describe('the writer of a binding', () => {
  it('may bind roles that it holds', () => {
    const cluster = writing();
    cluster.create('Role', 'reader', { rules: [rule('', 'pods', 'get')] });
    expect(() => write(cluster, 'rolebindings', roleRef('Role', 'reader'))).not.toThrow();
  });

  it('may not bind others, unless it may bind them', () => {
    const cluster = writing();
    expect(failureOf(() => write(cluster, 'rolebindings', roleRef('ClusterRole', 'cluster-admin'))).code).toBe(403);
    cluster.create('Role', 'binder', { rules: [{ ...rule(GROUP, 'clusterroles', 'bind'), resourceNames: ['cluster-admin'] }] });
    cluster.create('RoleBinding', 'binder', { ...roleRef('Role', 'binder'), subjects: [toUser('ann')] });
    expect(() => write(cluster, 'rolebindings', roleRef('ClusterRole', 'cluster-admin'))).not.toThrow();
    expect(failureOf(() => write(cluster, 'rolebindings', roleRef('ClusterRole', 'edit'))).code).toBe(403);
  });

  it('may not bind what is not there', () => {
    expect(failureOf(() => write(writing(), 'rolebindings', roleRef('Role', 'nope'))).message).toBe(
      `rolebindings.${GROUP} "nope" not found`,
    );
  });
});

describe('rules that are missing', () => {
  const texts = (...all: readonly string[]): fc.Arbitrary<string[]> =>
    fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 2 });
  const rules = fc.array(
    fc.record({
      verbs: texts('get', 'list', '*'),
      apiGroups: texts('', 'apps', '*'),
      resources: texts('pods', 'pods/log', '*/log', '*'),
      resourceNames: fc.oneof(fc.constant([]), texts('a', 'b')),
    }),
    { maxLength: 3 },
  );
  const request = fc.record({
    verb: fc.constantFrom('get', 'list', 'delete'),
    group: fc.constantFrom('', 'apps', 'batch'),
    resource: fc.constantFrom('pods', 'jobs'),
    part: fc.constantFrom(undefined, 'log', 'status'),
    name: fc.constantFrom(undefined, 'a', 'c'),
  });

  it('are none only where everything that is wanted is held', () => {
    fc.assert(
      fc.property(rules, rules, request, (given, asked, { verb, group, resource, part, name }) => {
        const [held, wanted] = [rulesOf({ rules: given } as never), rulesOf({ rules: asked } as never)];
        const attributes = pods(ann, verb, {
          group,
          resource,
          ...(part === undefined ? {} : { subresource: part }),
          ...(name === undefined ? {} : { name }),
        });
        const [has, wants] = [held, wanted].map((each) => each.some((one) => ruleAllows(one, attributes)));
        if (missingRules(held, wanted).length === 0 && wants) expect(has).toBe(true);
      }),
    );
  });

  it('are none of those that are held', () => {
    fc.assert(
      fc.property(rules, (given) => {
        const held = rulesOf({ rules: given } as never);
        expect(missingRules(held, held)).toEqual([]);
      }),
    );
  });
});

describe('the roles that a cluster starts with', () => {
  it('are there with what they gather', () => {
    const { access } = new Cluster();
    const as = (role: string, verb: string, resource: string, group = ''): boolean => {
      const cluster = new Cluster();
      cluster.create('RoleBinding', 'b', { ...roleRef('ClusterRole', role), subjects: [toUser('ann')] });
      return cluster.access.decide(pods(ann, verb, { resource, group })).allowed;
    };
    expect(as('view', 'list', 'pods')).toBe(true);
    expect(as('view', 'get', 'secrets')).toBe(false);
    expect(as('edit', 'update', 'deployments', 'apps')).toBe(true);
    expect(as('edit', 'create', 'roles', GROUP)).toBe(false);
    expect(as('admin', 'create', 'roles', GROUP)).toBe(true);
    expect(as('cluster-admin', 'anything', 'things', 'example.com')).toBe(true);
    expect(access.decide({ user: ann, verb: 'get', path: '/apis/apps' }).allowed).toBe(true);
  });

  it('are absent where roles are not asked', () => {
    const cluster = new Cluster(false);
    expect([...new Roles(cluster.server.state.storage).grants(ann)]).toEqual([]);
    expect(failureOf(() => cluster.get('ClusterRole', 'view')).code).toBe(404);
  });

  it('gather the rules of roles that come later, also by way of others', async () => {
    const cluster = new Cluster();
    const label = 'rbac.authorization.k8s.io/aggregate-to-view';
    cluster.create('ClusterRole', 'widgets', { rules: [rule('example.com', 'widgets', 'get')] }, { [label]: 'true' });
    await cluster.clock.advance(10);
    for (const role of ['view', 'edit', 'admin']) {
      expect(cluster.get('ClusterRole', role).rules).toContainEqual({
        verbs: ['get'],
        apiGroups: ['example.com'],
        resources: ['widgets'],
      });
    }
    cluster.delete('ClusterRole', 'widgets');
    await cluster.clock.advance(10);
    expect(JSON.stringify(cluster.get('ClusterRole', 'admin').rules)).not.toContain('widgets');
    cluster.access.stop();
  });

  it('come to rest where roles gather one another', async () => {
    const cluster = new Cluster();
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      cluster.create(
        'ClusterRole',
        name,
        { rules: [rule('', name, 'get')], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { of: other } }] } },
        { of: name },
      );
    }
    await cluster.clock.advance(1000);
    const version = cluster.server.state.storage.version;
    await cluster.clock.advance(1000);
    expect(cluster.server.state.storage.version).toBe(version);
  });
});
