import { describe, expect, it } from 'vitest';
import { ISSUER, impersonatedUser, serviceAccountOf, serviceAccountUser } from '../../../../src/testing/access/index.ts';
import type { ClientRequest } from '../../../../src/testing/front/request.ts';
import { Cluster, failureOf, roleRef, rule, user } from './cluster.ts';

const HOUR_MS = 3_600_000;

function withAccount(): { readonly cluster: Cluster; readonly token: string } {
  const cluster = new Cluster();
  const account = cluster.create('ServiceAccount', 'bob');
  return { cluster, token: cluster.access.tokens.issue(serviceAccountUser(account)).token };
}

describe('a token', () => {
  it('is a JWT to look at, and says when it ends', () => {
    const { cluster, token } = withAccount();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const seconds = Math.floor(cluster.clock.now() / 1000);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'RS256' });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: [ISSUER],
      exp: seconds + 3600,
      iat: seconds,
      sub: 'system:serviceaccount:default:bob',
      'kubernetes.io': {
        namespace: 'default',
        serviceaccount: { name: 'bob', uid: cluster.get('ServiceAccount', 'bob').metadata.uid },
      },
    });
    expect(signature).toMatch(/^[\w-]{43}$/);
  });

  it('is its user', () => {
    const { cluster, token } = withAccount();
    expect(cluster.access.tokens.authenticate(token)).toMatchObject({
      name: 'system:serviceaccount:default:bob',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
  });

  it('can not be made up', () => {
    const { cluster, token } = withAccount();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const other = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...other, sub: 'root' })).toString('base64url');
    for (const each of [`${header}.${forged}.${signature}`, `${token}x`, token.slice(0, -1), '', 'x']) {
      expect(cluster.access.tokens.authenticate(each)).toBeUndefined();
    }
  });

  it('ends when its time is over', async () => {
    const { cluster, token } = withAccount();
    await cluster.clock.advance(HOUR_MS - 1);
    expect(cluster.access.tokens.authenticate(token)).toBeDefined();
    await cluster.clock.advance(1);
    expect(cluster.access.tokens.check(token)).toEqual({ error: '[invalid bearer token, service account token has expired]' });
  });

  it('ends with its account, also where there is a new one of that name', () => {
    const { cluster, token } = withAccount();
    cluster.delete('ServiceAccount', 'bob');
    expect(cluster.access.tokens.check(token)).toEqual({ error: '[invalid bearer token, serviceaccounts "bob" not found]' });
    cluster.create('ServiceAccount', 'bob');
    expect(cluster.access.tokens.authenticate(token)).toBeUndefined();
  });

  it('ends with what it is bound to', () => {
    const { cluster } = withAccount();
    const { uid = '' } = cluster.create('Secret', 's').metadata;
    const account = serviceAccountUser(cluster.get('ServiceAccount', 'bob'));
    const { token } = cluster.access.tokens.issue(account, { bound: { collection: 'secrets', name: 's', uid } });
    expect(cluster.access.tokens.authenticate(token)).toBeDefined();
    cluster.delete('Secret', 's');
    expect(cluster.access.tokens.authenticate(token)).toBeUndefined();
  });

  it('ends when it is revoked, alone or with all of its user', () => {
    const { tokens } = new Cluster().access;
    const [first, second, other] = ['ann', 'ann', 'eve'].map((name) => tokens.issue(user(name)).token);
    tokens.revoke(first ?? '');
    expect([first, second, other].map((token) => tokens.authenticate(token ?? '')?.name)).toEqual([undefined, 'ann', 'eve']);
    tokens.revoke(user('ann'));
    expect([first, second, other].map((token) => tokens.authenticate(token ?? '')?.name)).toEqual([undefined, undefined, 'eve']);
  });

  it('for others is not good for the API server', () => {
    const { tokens } = new Cluster().access;
    const { token } = tokens.issue(user('ann'), { audiences: ['vault'] });
    expect(tokens.authenticate(token)).toBeUndefined();
    expect(tokens.check(token, ['vault', 'x'])).toMatchObject({ user: { name: 'ann' }, audiences: ['vault'] });
  });
});

describe('a request', () => {
  const version: ClientRequest = { verb: 'get', path: '/version', client: 'test' };
  const list: ClientRequest = { verb: 'list', group: '', version: 'v1', resource: 'pods', client: 'test' };
  const headers = (fields: Record<string, string>): { readonly headers: Headers; readonly adminToken: string } => ({
    headers: new Headers(fields),
    adminToken: 'secret',
  });

  it('with the token of the administrator may do everything', () => {
    expect(new Cluster().access.admit(list, headers({ authorization: 'Bearer secret' })).name).toBe('kubernetes-admin');
  });

  it('without credentials is anonymous, and may see the version', () => {
    const { access } = new Cluster();
    expect(access.admit(version, headers({})).name).toBe('system:anonymous');
    expect(failureOf(() => access.admit(list, headers({}))).message).toMatch(
      /^pods is forbidden: User "system:anonymous" cannot list/,
    );
  });

  it('with credentials of nobody is refused', () => {
    for (const rbac of [true, false]) {
      const { access } = new Cluster(rbac);
      expect(failureOf(() => access.admit(version, headers({ authorization: 'Bearer nobody' }))).code).toBe(401);
    }
  });

  it('without credentials is refused where roles are not asked, unless there is no administrator', () => {
    const { access } = new Cluster(false);
    expect(failureOf(() => access.admit(list, headers({}))).code).toBe(401);
    expect(access.admit(list, { headers: new Headers(), adminToken: undefined }).name).toBe('kubernetes-admin');
  });

  it('in this process is taken at its word, and asked for its roles', () => {
    const { access } = new Cluster();
    expect(access.admit({ verb: 'get', path: '/apis', client: 'test' }, { user: { name: 'ann', groups: [] } }).groups).toEqual([
      'system:authenticated',
    ]);
    expect(failureOf(() => access.admit(list, { user: { name: 'ann', groups: [] } })).code).toBe(403);
  });

  it('acts as others where a role allows it', () => {
    const cluster = new Cluster();
    cluster.create('ClusterRole', 'actor', { rules: [{ ...rule('', 'users', 'impersonate'), resourceNames: ['eve'] }] });
    cluster.create('ClusterRoleBinding', 'actor', {
      ...roleRef('ClusterRole', 'actor'),
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
    });
    const { access } = cluster;
    const authorization = `Bearer ${access.tokens.issue(user('ann')).token}`;
    expect(access.admit(version, headers({ authorization, 'impersonate-user': 'eve' })).name).toBe('eve');
    expect(failureOf(() => access.admit(version, headers({ authorization, 'impersonate-user': 'dora' }))).message).toBe(
      'users "dora" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
  });

  it('does not become a master by a role for all groups of constrained impersonation', () => {
    const cluster = new Cluster();
    const all = { apiGroups: ['authentication.k8s.io'], resources: ['users', 'groups'], verbs: ['impersonate:user-info'] };
    const on = { nonResourceURLs: ['*'], verbs: ['impersonate-on:user-info:get'] };
    cluster.create('ClusterRole', 'actor', { rules: [all, on] });
    cluster.create('ClusterRoleBinding', 'actor', {
      ...roleRef('ClusterRole', 'actor'),
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' }],
    });
    const { access } = cluster;
    const authorization = `Bearer ${access.tokens.issue(user('ann')).token}`;
    const as = (group: string): Record<string, string> => ({
      authorization,
      'impersonate-user': 'x',
      'impersonate-group': group,
    });
    expect(access.admit(version, headers(as('dev'))).groups).toEqual(['dev', 'system:authenticated']);
    expect(failureOf(() => access.admit(version, headers(as('system:masters')))).message).toMatch(
      /impersonating the system:masters group is not allowed$/,
    );
  });
});

describe('headers of impersonation', () => {
  it('name a user with groups and the rest', () => {
    const headers = new Headers({
      'impersonate-user': 'ann',
      'impersonate-uid': 'u',
      'impersonate-extra-acme.com%2fProject': 'p',
    });
    headers.append('impersonate-group', 'a');
    headers.append('impersonate-group', 'b');
    expect(impersonatedUser(headers)).toEqual({
      name: 'ann',
      uid: 'u',
      groups: ['a', 'b'],
      extra: { 'acme.com/project': ['p'] },
    });
  });

  it('are no user where there are none', () => {
    expect(impersonatedUser(new Headers({ accept: 'x' }))).toBeUndefined();
  });

  it('without a user are refused', () => {
    expect(failureOf(() => impersonatedUser(new Headers({ 'impersonate-group': 'g' }))).message).toBe(
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
  });
});

describe('the user name of a service account', () => {
  it.each([
    ['system:serviceaccount:shop:web', { namespace: 'shop', name: 'web' }],
    ['system:serviceaccount:shop', undefined],
    ['system:serviceaccount:shop:web:x', undefined],
    ['system:serviceaccount:Shop:web', undefined],
    ['ann', undefined],
  ])('%s', (name, expected) => {
    expect(serviceAccountOf(name)).toEqual(expected);
  });
});
