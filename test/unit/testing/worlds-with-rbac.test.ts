import { type AnyObject, type Cluster, type Draft, isClustersetError, resourceType } from 'clusterset/kube';
import { type IssuedToken, OfflineCluster, type User, VirtualClock } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Handler } from '../../../src/testing/web/handler.ts';

const RBAC = 'rbac.authorization.k8s.io';
const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const accounts = resourceType('v1', 'ServiceAccount', 'serviceaccounts');
const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const secrets = resourceType('v1', 'Secret', 'secrets');
const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const leases = resourceType('coordination.k8s.io/v1', 'Lease', 'leases');
const roles = resourceType(`${RBAC}/v1`, 'Role', 'roles');
const clusterRoles = resourceType(`${RBAC}/v1`, 'ClusterRole', 'clusterroles', 'Cluster');
const roleBindings = resourceType(`${RBAC}/v1`, 'RoleBinding', 'rolebindings');
const clusterRoleBindings = resourceType(`${RBAC}/v1`, 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster');

const shop = (name: string) => ({ namespace: 'shop', name });
const configMap = (name: string, namespace = 'shop'): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data: { currency: 'EUR' },
});
const deployment: Draft<AnyObject> = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: shop('web'),
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
};

/** What `kubectl auth can-i` asks about. */
interface Attributes {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Something that is done through the port, and how it is asked about. */
interface Deed {
  readonly asks: Attributes;
  act(cluster: Cluster): Promise<unknown>;
}

const ours = (verb: string, name?: string): Attributes => ({
  verb,
  resource: 'configmaps',
  namespace: 'shop',
  ...(name === undefined ? {} : { name }),
});
const DOLLARS = { type: 'merge', body: { data: { currency: 'USD' } } } as const;
const replicas = (count: number) => ({ type: 'merge', body: { spec: { replicas: count } } }) as const;

/** Each of them succeeds where it is allowed: what it is about is there. */
const DEEDS = {
  get: { asks: ours('get', 'settings'), act: (cluster) => cluster.get(configMaps, shop('settings')) },
  'get another': { asks: ours('get', 'other'), act: (cluster) => cluster.get(configMaps, shop('other')) },
  'get elsewhere': {
    asks: { ...ours('get', 'settings'), namespace: 'default' },
    act: (cluster) => cluster.get(configMaps, { namespace: 'default', name: 'settings' }),
  },
  list: { asks: ours('list'), act: (cluster) => cluster.list(configMaps, { namespace: 'shop' }) },
  'list all': { asks: { verb: 'list', resource: 'configmaps' }, act: (cluster) => cluster.list(configMaps) },
  watch: {
    asks: ours('watch'),
    act: async (cluster) => {
      for await (const _ of cluster.watch(configMaps, { namespace: 'shop' })) break;
    },
  },
  create: { asks: ours('create'), act: (cluster) => cluster.create(configMaps, configMap('new')) },
  update: { asks: ours('update', 'settings'), act: (cluster) => cluster.update(configMaps, configMap('settings')) },
  patch: { asks: ours('patch', 'settings'), act: (cluster) => cluster.patch(configMaps, shop('settings'), DOLLARS) },
  delete: { asks: ours('delete', 'settings'), act: (cluster) => cluster.delete(configMaps, shop('settings')) },
  'get a secret': {
    asks: { verb: 'get', resource: 'secrets', namespace: 'shop', name: 'key' },
    act: (cluster) => cluster.get(secrets, shop('key')),
  },
  'patch a deployment': {
    asks: { verb: 'patch', group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' },
    act: (cluster) => cluster.patch(deployments, shop('web'), replicas(2)),
  },
  'patch its scale': {
    asks: { verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale', namespace: 'shop', name: 'web' },
    act: (cluster) => cluster.patch(deployments, shop('web'), replicas(3), { subresource: 'scale' }),
  },
  'list namespaces': { asks: { verb: 'list', resource: 'namespaces' }, act: (cluster) => cluster.list(namespaces) },
} as const satisfies Readonly<Record<string, Deed>>;

type DeedName = keyof typeof DEEDS;
const NAMES = Object.keys(DEEDS) as readonly DeedName[];

const rule = (resources: readonly string[], verbs: readonly string[], more: object = {}) => ({
  apiGroups: [''],
  resources,
  verbs,
  ...more,
});

/** Where a role counts: a Role, a ClusterRole in the namespace, or a ClusterRole everywhere. */
type Reach = 'Role' | 'RoleBinding' | 'ClusterRoleBinding';

const TABLE: readonly (readonly [string, Reach, readonly object[], readonly DeedName[]])[] = [
  ['nothing', 'Role', [], []],
  ['one verb', 'Role', [rule(['configmaps'], ['get'])], ['get', 'get another']],
  ['reading', 'Role', [rule(['configmaps'], ['get', 'list', 'watch'])], ['get', 'get another', 'list', 'watch']],
  ['writing without reading', 'Role', [rule(['configmaps'], ['create', 'update', 'patch'])], ['create', 'update', 'patch']],
  ['deleting', 'Role', [rule(['configmaps'], ['delete'])], ['delete']],
  ['one name', 'Role', [rule(['configmaps'], ['get', 'list', 'patch'], { resourceNames: ['settings'] })], ['get', 'patch']],
  ['another resource', 'Role', [rule(['secrets'], ['get', 'list'])], ['get a secret']],
  ['two rules', 'Role', [rule(['secrets'], ['get']), rule(['configmaps'], ['list'])], ['get a secret', 'list']],
  ['the wrong group', 'Role', [rule(['deployments'], ['*'])], []],
  ['a subresource', 'Role', [rule(['deployments/scale'], ['patch'], { apiGroups: ['apps'] })], ['patch its scale']],
  ['the whole without its parts', 'Role', [rule(['deployments'], ['*'], { apiGroups: ['apps'] })], ['patch a deployment']],
  ['what lies outside namespaces, from inside', 'RoleBinding', [rule(['namespaces', 'configmaps'], ['list'])], ['list']],
  [
    'all namespaces',
    'ClusterRoleBinding',
    [rule(['namespaces', 'configmaps'], ['get', 'list'])],
    ['get', 'get another', 'get elsewhere', 'list', 'list all', 'list namespaces'],
  ],
  ['everything', 'ClusterRoleBinding', [rule(['*'], ['*'], { apiGroups: ['*'] })], NAMES],
];

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A cluster with roles, a service account in it, and something to do. */
class Shop {
  readonly clock = new VirtualClock();
  readonly cluster = new OfflineCluster({ name: 'eu-1', clock: this.clock, rbac: true, rollouts: false });
  readonly admin = this.cluster.connect();

  constructor() {
    stops.push(() => this.cluster.stop());
  }

  async open(): Promise<User> {
    await this.admin.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    for (const name of ['settings', 'other']) await this.admin.create(configMaps, configMap(name));
    await this.admin.create(configMaps, configMap('settings', 'default'));
    await this.admin.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: shop('key') });
    await this.admin.create(deployments, deployment);
    return this.account();
  }

  /** A new ServiceAccount, as the user that it is. */
  async account(): Promise<User> {
    const made = await this.admin.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: shop('copier') });
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:shop'];
    return { name: 'system:serviceaccount:shop:copier', uid: made.metadata.uid ?? '', groups };
  }

  async grant(reach: Reach, rules: readonly object[]): Promise<void> {
    const apiVersion = `${RBAC}/v1`;
    const kind = reach === 'Role' ? 'Role' : 'ClusterRole';
    const roleRef = { apiGroup: RBAC, kind, name: 'copier' };
    const subjects = [{ kind: 'ServiceAccount', ...shop('copier') }];
    if (kind === 'Role') await this.admin.create(roles, { apiVersion, kind, metadata: shop('copier'), rules });
    else await this.admin.create(clusterRoles, { apiVersion, kind, metadata: { name: 'copier' }, rules });
    const everywhere = { apiVersion, kind: 'ClusterRoleBinding', metadata: { name: 'copier' }, roleRef, subjects };
    const here = { apiVersion, kind: 'RoleBinding', metadata: shop('copier'), roleRef, subjects };
    if (reach === 'ClusterRoleBinding') await this.admin.create(clusterRoleBindings, everywhere);
    else await this.admin.create(roleBindings, here);
  }

  issue(user: User): IssuedToken {
    return this.cluster.tokens.issue(user);
  }
}

/** `yes`, or how it was refused. */
async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'yes';
  } catch (error) {
    return isClustersetError(error) ? `${error.code} ${error.status ?? ''}`.trim() : String(error);
  }
}

/** What `kubectl` gets: a status, and the body. */
async function post(handler: Handler, path: string, headers: Readonly<Record<string, string>>, body: unknown) {
  const request = new Request(`https://offline${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kubectl/v1.36.3', ...headers },
    body: JSON.stringify(body),
  });
  const answer = await handler.handle(request);
  return { code: answer.status, body: (await answer.json()) as AnyObject & { readonly status: unknown } };
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const QUESTION = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' };
const review = (resourceAttributes: Attributes): unknown => ({ ...QUESTION, spec: { resourceAttributes } });

describe.each(['user', 'token'] as const)('a service account that comes with its %s', (credential) => {
  const connect = (place: Shop, user: User): Cluster =>
    place.cluster.connect(credential === 'user' ? { user } : { token: place.issue(user).token });

  it.each(TABLE)('and a role for %s (%s) can do exactly that', async (_, reach, rules, allowed) => {
    const expected = Object.fromEntries(NAMES.map((name) => [name, allowed.includes(name) ? 'yes' : 'Forbidden 403']));
    const found: Record<string, string> = {};
    const place = new Shop();
    const user = await place.open();
    await place.grant(reach, rules);
    const before = place.cluster.snapshot();
    for (const name of NAMES) {
      found[name] = await outcomeOf(DEEDS[name].act(connect(place, user)));
      // What one deed has changed must not be in the way of the next.
      place.cluster.restore(before);
    }
    expect(found).toEqual(expected);
  });

  it('is who the log says that it is', async () => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps'], ['list'])]);
    place.cluster.requests.clear();
    await connect(place, user).list(configMaps, { namespace: 'shop' });
    expect(place.cluster.requests.all()).toEqual([expect.objectContaining({ verb: 'list', code: 200, user: user.name })]);
  });

  // The log has an empty name for whoever was refused.
  it('is who the log says that it is, also where it was refused', async () => {
    const place = new Shop();
    const user = await place.open();
    const cluster = connect(place, user);
    place.cluster.requests.clear();
    await cluster.create(configMaps, configMap('new')).catch(() => undefined);
    expect(place.cluster.requests.all()).toEqual([expect.objectContaining({ verb: 'create', code: 403, user: user.name })]);
  });

  it('is told in the words of a server what it may not do', async () => {
    const place = new Shop();
    const cluster = connect(place, await place.open());
    await expect(cluster.delete(configMaps, shop('settings'))).rejects.toMatchObject({
      code: 'Forbidden',
      status: 403,
      detail:
        'configmaps "settings" is forbidden: User "system:serviceaccount:shop:copier" cannot delete resource "configmaps" in API group "" in the namespace "shop"',
    });
    expect(await place.admin.get(configMaps, shop('settings'))).toBeDefined();
  });

  it('may do what its role says as soon as it says it, and no longer', async () => {
    const place = new Shop();
    const cluster = connect(place, await place.open());
    const ask = (): Promise<string> => outcomeOf(cluster.get(configMaps, shop('settings')));
    const found = [await ask()];
    await place.grant('Role', [rule(['configmaps'], ['get'])]);
    found.push(await ask());
    await place.admin.delete(roleBindings, shop('copier'));
    found.push(await ask());
    expect(found).toEqual(['Forbidden 403', 'yes', 'Forbidden 403']);
  });

  it('can not give what it has not', async () => {
    const place = new Shop();
    const cluster = connect(place, await place.open());
    await place.grant('Role', [rule(['roles'], ['create'], { apiGroups: [RBAC] }), rule(['configmaps'], ['get'])]);
    const give = (name: string, verbs: readonly string[]): Promise<string> => {
      const rules = [rule(['configmaps'], verbs)];
      return outcomeOf(cluster.create(roles, { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: shop(name), rules }));
    };
    expect([await give('less', ['get']), await give('more', ['get', 'delete'])]).toEqual(['yes', 'Forbidden 403']);
  });
});

describe('a write that creates what is not there', () => {
  const apply = (cluster: Cluster): Promise<unknown> => cluster.apply(configMaps, configMap('new'), { fieldManager: 'copier' });
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: shop('new'), spec: {} };
  const update = (cluster: Cluster): Promise<unknown> => cluster.update(leases, lease);
  const attempt = async (act: typeof apply, verbs: readonly string[]): Promise<string> => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps', 'leases'], verbs, { apiGroups: ['', 'coordination.k8s.io'] })]);
    return outcomeOf(act(place.cluster.connect({ user })));
  };

  // As kube-apiserver v1.36.3: whoever may change an object may not create it for that reason.
  it.each([
    ['apply', apply, ['patch'], 'Forbidden 403'],
    ['apply', apply, ['create'], 'Forbidden 403'],
    ['apply', apply, ['patch', 'create'], 'yes'],
    ['update', update, ['update'], 'Forbidden 403'],
    ['update', update, ['create'], 'Forbidden 403'],
    ['update', update, ['update', 'create'], 'yes'],
  ] as const)('(%s) needs both verbs: %#', async (_, act, verbs, expected) => {
    expect(await attempt(act, verbs)).toBe(expected);
  });
});

describe('a token', () => {
  const ask = (cluster: Cluster): Promise<string> => outcomeOf(cluster.get(configMaps, shop('settings')));

  it.each<[string, (place: Shop, token: string, user: User) => unknown]>([
    ['it is revoked', ({ cluster }, token) => cluster.tokens.revoke(token)],
    ['all tokens of its user are revoked', ({ cluster }, _, user) => cluster.tokens.revoke(user)],
    ['its hour is over', ({ clock }) => clock.advance('1h')],
    ['its account is gone', ({ admin }) => admin.delete(accounts, shop('copier'))],
    [
      'its account is another of the same name',
      async (place) => {
        await place.admin.delete(accounts, shop('copier'));
        await place.account();
      },
    ],
  ])('is refused with 401 when %s, through the port and over HTTP', async (_, end) => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps'], ['get'])]);
    const handler = new Handler(place.cluster);
    const { token } = place.issue(user);
    const cluster = place.cluster.connect({ token });
    const over = () => post(handler, REVIEWS, { authorization: `Bearer ${token}` }, review(DEEDS.get.asks));
    expect([await ask(cluster), (await over()).code]).toEqual(['yes', 201]);
    await end(place, token, user);
    expect(await ask(cluster)).toBe('Unauthorized 401');
    const { code, body } = await over();
    expect([code, body]).toEqual([401, expect.objectContaining({ kind: 'Status', reason: 'Unauthorized', code: 401 })]);
  });

  it('is refused alone: others of the same account are good, and so are watches that are open', async () => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps'], ['get', 'watch'])]);
    const [first, second] = [place.issue(user), place.issue(user)];
    const [a, b] = [first, second].map(({ token }) => place.cluster.connect({ token })) as [Cluster, Cluster];
    const { resourceVersion } = await place.admin.list(configMaps);
    const watch = a.watch(configMaps, { namespace: 'shop', resourceVersion })[Symbol.asyncIterator]();
    const heard = watch.next();
    await place.clock.settle();
    place.cluster.tokens.revoke(first.token);
    expect([await ask(a), await ask(b)]).toEqual(['Unauthorized 401', 'yes']);
    await place.admin.create(configMaps, configMap('new'));
    expect((await heard).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'new' } } });
    await watch.return?.();
  });

  it('that nobody has issued is refused', async () => {
    const place = new Shop();
    await place.open();
    expect(await ask(place.cluster.connect({ token: 'made-up' }))).toBe('Unauthorized 401');
  });
});

describe('kubectl auth can-i', () => {
  const canI = (place: Shop, user: User) => {
    const [handler, authorization] = [new Handler(place.cluster), `Bearer ${place.issue(user).token}`];
    return (asks: Attributes) => post(handler, REVIEWS, { authorization }, review(asks));
  };

  it.each(TABLE)('says of a role for %s (%s) what the port does', async (_, reach, rules, allowed) => {
    const place = new Shop();
    const user = await place.open();
    await place.grant(reach, rules);
    const ask = canI(place, user);
    const found: DeedName[] = [];
    for (const name of NAMES) {
      const { code, body } = await ask(DEEDS[name].asks);
      expect([code, body.kind]).toEqual([201, 'SelfSubjectAccessReview']);
      if ((body.status as { readonly allowed: boolean }).allowed) found.push(name);
    }
    expect(found).toEqual(NAMES.filter((name) => allowed.includes(name)));
  });

  it('names the binding that allows it', async () => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps'], ['get'])]);
    expect((await canI(place, user)(DEEDS.get.asks)).body.status).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "copier/shop" of Role "copier" to ServiceAccount "copier/shop"',
    });
  });

  it('with --as asks for somebody else, where that is allowed', async () => {
    const place = new Shop();
    const user = await place.open();
    await place.grant('Role', [rule(['configmaps'], ['get'])]);
    const { server, door, access } = place.cluster;
    const handler = new Handler({ server, door, access, token: 'root' });
    const as = { 'impersonate-user': user.name };
    const ofRoot = await post(handler, REVIEWS, { authorization: 'Bearer root', ...as }, review(DEEDS.list.asks));
    expect([ofRoot.code, ofRoot.body.status]).toEqual([201, { allowed: false }]);
    const authorization = `Bearer ${place.issue(user).token}`;
    const other = { 'impersonate-user': 'ann' };
    expect((await post(handler, REVIEWS, { authorization, ...other }, review(DEEDS.get.asks))).code).toBe(403);
  });
});
