import type { Line } from './side.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const DEFAULT = '/api/v1/namespaces/default';
const GROUP = 'rbac.authorization.k8s.io';

type Headers = NonNullable<Line['headers']>;

/** Headers that ask to act as a user. */
const as = (user: string, ...groups: readonly string[]): Headers => ({
  'impersonate-user': user,
  ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
});

const get = (path: string, headers: Headers = {}, token?: string): Line => ({
  method: 'GET',
  path,
  headers,
  ...(token === undefined ? {} : { token }),
});
const post = (path: string, body: unknown, headers: Headers = {}): Line => ({ method: 'POST', path, body, headers });
const rule = (apiGroups: string, resources: string, verbs: string, more: object = {}): object => ({
  apiGroups: apiGroups.split(' ').map((group) => (group === 'core' ? '' : group)),
  resources: resources.split(' '),
  verbs: verbs.split(' '),
  ...more,
});
const role = (name: string, ...rules: readonly object[]): Line =>
  post(`${RBAC}/namespaces/default/roles`, { metadata: { name }, rules });
const clusterRole = (name: string, ...rules: readonly object[]): Line =>
  post(`${RBAC}/clusterroles`, { metadata: { name }, rules });
const toUser = (name: string): object => ({ kind: 'User', apiGroup: GROUP, name });
const toGroup = (name: string): object => ({ kind: 'Group', apiGroup: GROUP, name });
const toAccount = (name: string, namespace?: string): object => ({
  kind: 'ServiceAccount',
  name,
  ...(namespace === undefined ? {} : { namespace }),
});
const bind = (name: string, roleRef: string, ...subjects: readonly object[]): Line => {
  const [kind = '', of = ''] = roleRef.split('/');
  return post(`${RBAC}/namespaces/default/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: GROUP, kind, name: of },
    subjects,
  });
};
const bindAll = (name: string, of: string, ...subjects: readonly object[]): Line =>
  post(`${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: of },
    subjects,
  });

/** Roles and bindings that the cases below are about. */
export const POLICY: readonly Line[] = [
  post(`${DEFAULT}/serviceaccounts`, { metadata: { name: 'bob' } }),
  post(`${DEFAULT}/secrets`, { metadata: { name: 'bound' } }),
  role('pod-reader', rule('core', 'pods pods/log', 'get list watch')),
  role('one-secret', rule('core', 'secrets', 'get update', { resourceNames: ['first', 'second'] })),
  role('any-status', rule('*', '*/status', 'update')),
  role('scaler', rule('apps', 'deployments/scale', '*')),
  role('everything-here', rule('*', '*', '*')),
  role('one-config', rule('core', 'configmaps', 'create list deletecollection', { resourceNames: ['one'] })),
  bind('one-config', 'Role/one-config', toUser('nora')),
  role('changer', rule('core', 'services', 'get update patch')),
  bind('changer', 'Role/changer', toUser('ulla')),
  clusterRole('node-reader', rule('core', 'nodes', 'get list')),
  clusterRole('namespace-reader', rule('core', 'namespaces', 'get')),
  clusterRole('pages', { nonResourceURLs: ['/pages/*', '/exact', '/star*'], verbs: ['get', 'post'] }),
  clusterRole('leases', rule('coordination.k8s.io', 'leases', '*')),
  clusterRole(
    'rbac-writer',
    rule(GROUP, 'roles clusterroles rolebindings clusterrolebindings', 'get create update'),
    rule('core', 'pods', 'get list'),
  ),
  clusterRole('escalator', rule(GROUP, 'roles', 'create update escalate')),
  clusterRole(
    'binder',
    rule(GROUP, 'rolebindings', 'create'),
    rule(GROUP, 'clusterroles', 'bind', { resourceNames: ['leases'] }),
  ),
  clusterRole(
    'actor',
    rule('core', 'users groups', 'impersonate', { resourceNames: ['mallory', 'g'] }),
    rule('authentication.k8s.io', 'userextras/scopes', 'impersonate'),
  ),
  bind('pod-reader', 'Role/pod-reader', toUser('ann'), toAccount('bob')),
  bind('one-secret', 'Role/one-secret', toUser('ann')),
  bind('any-status', 'Role/any-status', toGroup('operators')),
  bind('scaler', 'Role/scaler', toGroup('system:serviceaccounts:kube-system')),
  bind('all', 'Role/everything-here', toUser('dora')),
  bind('nodes-here', 'ClusterRole/node-reader', toUser('eve')),
  bind('leases-here', 'ClusterRole/leases', toGroup('system:serviceaccounts')),
  bind('namespace', 'ClusterRole/namespace-reader', toUser('ann')),
  bind('lost-role', 'Role/nowhere', toUser('lost')),
  bindAll('nodes', 'node-reader', toUser('nina'), toAccount('bob', 'kube-system')),
  bindAll('pages', 'pages', toGroup('system:authenticated')),
  bindAll('lost', 'nowhere-either', toUser('lost'), toUser('lost again')),
  bindAll('writers', 'rbac-writer', toUser('wendy')),
  bindAll('escalators', 'escalator', toUser('esther')),
  bindAll('binders', 'binder', toUser('bill')),
  bindAll('actors', 'actor', toAccount('bob', 'default')),
];

const WHO: readonly Headers[] = [
  as('ann'),
  as('dora'),
  as('eve'),
  as('nina'),
  as('lost'),
  as('lost again'),
  as('oscar', 'operators'),
  as('<odd> & "quoted"'),
  as('system:anonymous'),
  as('system:serviceaccount:default:bob'),
  as('system:serviceaccount:kube-system:bob'),
  as('system:serviceaccount:kube-system:other'),
  as('root', 'system:masters'),
];

const PATHS: readonly string[] = [
  `${DEFAULT}/pods`,
  `${DEFAULT}/pods?watch=1&timeoutSeconds=1`,
  `${DEFAULT}/pods?fieldSelector=metadata.name%3Dweb`,
  `${DEFAULT}/pods/web`,
  `${DEFAULT}/pods/web/log`,
  '/api/v1/pods',
  '/api/v1/namespaces/kube-system/pods',
  `${DEFAULT}/secrets`,
  `${DEFAULT}/secrets/first`,
  `${DEFAULT}/secrets/third`,
  '/api/v1/nodes',
  '/api/v1/nodes/n-1',
  '/api/v1/namespaces',
  '/api/v1/namespaces/default',
  '/api/v1/namespaces/kube-system',
  '/apis/apps/v1/namespaces/default/deployments/web/scale',
  '/apis/coordination.k8s.io/v1/namespaces/default/leases',
  '/apis/nope.example.com/v1/namespaces/default/things/x%22y',
  '/pages/one',
  '/pages',
  '/exact',
  '/exact/not',
  '/stars?x=<y>',
  '/healthz',
  '/version',
  '/apis',
  '/metrics',
];

const ofOne = (method: Line['method'], query: string): Line => ({
  method,
  path: `${DEFAULT}/configmaps${query}`,
  headers: as('nora'),
  ...(method === 'POST' ? { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } } } : {}),
});

/** Requests whose refusal is compared: everybody asks for everything. */
export const REQUESTS: readonly Line[] = [
  ...WHO.flatMap((headers) => PATHS.map((path) => get(path, headers))),
  ...WHO.flatMap((headers): readonly Line[] => [
    { method: 'DELETE', path: '/apis/apps/v1/namespaces/default/deployments?dryRun=All', headers },
    { method: 'PUT', path: '/apis/apps/v1/namespaces/default/deployments/web/status', body: {}, headers },
    { method: 'PUT', path: `${DEFAULT}/secrets/second`, body: {}, headers },
  ]),
  // A rule for objects of a name is for no creation, and for no collection but a list of that one.
  ...(['POST', 'DELETE', 'GET'] as const).map((method) => ofOne(method, '?fieldSelector=metadata.name=one')),
  ofOne('GET', ''),
  get('/api/v1/pods', {}, ''),
  get('/version', {}, ''),
  get('/apis', {}, ''),
  get('/api/v1/pods', {}, 'nobodys'),
  get('/version', {}, 'nobodys'),
];

const ssar = (spec: unknown, more = {}): object => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec,
  ...more,
});
const sar = (spec: unknown, more = {}): object => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec,
  ...more,
});
const local = (spec: unknown, more = {}): object => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'LocalSubjectAccessReview',
  spec,
  ...more,
});
const ownRules = (spec: unknown, more = {}): object => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectRulesReview',
  spec,
  ...more,
});
const tokenReview = (spec: unknown, more = {}): object => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  spec,
  ...more,
});
const self = (more = {}): object => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', ...more });
const tokenRequest = (spec: unknown, more = {}): object => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec,
  ...more,
});
const wanted = { verb: 'list', resource: 'pods', namespace: 'default' };
const requirements = (...list: readonly object[]): object => ({ requirements: list });

const SELF_ACCESS = `${AUTHORIZATION}/selfsubjectaccessreviews`;
const ACCESS = `${AUTHORIZATION}/subjectaccessreviews`;
const LOCAL_ACCESS = `${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`;
const OWN_RULES = `${AUTHORIZATION}/selfsubjectrulesreviews`;
const WHOSE = `${AUTHENTICATION}/tokenreviews`;
const WHO_AM_I = `${AUTHENTICATION}/selfsubjectreviews`;
const TOKEN = `${DEFAULT}/serviceaccounts/bob/token`;

/** Questions whose whole answers are compared, one after the other. */
export const REVIEWS: readonly Line[] = [
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted })),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }), as('ann')),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }), as('nobody')),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }), as('lost')),
  post(`${SELF_ACCESS}?dryRun=All&fieldManager=other`, ssar({ resourceAttributes: wanted })),
  post(SELF_ACCESS, ssar({})),
  post(SELF_ACCESS, {}),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted, nonResourceAttributes: { path: '/x', verb: 'get' } })),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }, { metadata: { name: 'x' } })),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }, { metadata: { generateName: 'x', labels: { a: 'b' } } })),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }, { metadata: { namespace: 'default' } })),
  post(
    SELF_ACCESS,
    ssar({
      resourceAttributes: {
        ...wanted,
        labelSelector: {},
        fieldSelector: { rawSelector: 'a=b', ...requirements({ key: 'metadata.name', operator: 'In', values: ['x'] }) },
      },
    }),
  ),
  post(
    SELF_ACCESS,
    ssar({
      resourceAttributes: {
        ...wanted,
        labelSelector: { rawSelector: 'a in (' },
        fieldSelector: requirements({ key: 'metadata.name', operator: 'Exists' }),
      },
    }),
  ),
  post(
    SELF_ACCESS,
    ssar({
      resourceAttributes: {
        ...wanted,
        labelSelector: requirements({ key: 'a', operator: 'In', values: ['b'] }, { key: 'a', operator: 'Odd' }),
      },
    }),
  ),
  post(
    SELF_ACCESS,
    ssar({
      resourceAttributes: {
        ...wanted,
        labelSelector: requirements(
          { key: 'a', operator: 'In' },
          { key: '', operator: 'Exists', values: ['b'] },
          { key: 'x y', operator: 'Odd' },
        ),
        fieldSelector: requirements({ key: '', operator: 'Exists', values: ['x'] }, { key: 'a', operator: 'In' }),
      },
    }),
  ),
  post(SELF_ACCESS, ssar({ nonResourceAttributes: { path: '/apis/apps', verb: 'get' } }), as('eve')),
  post(SELF_ACCESS, ssar({ nonResourceAttributes: { path: '/foo', verb: 'get' } }), as('eve')),
  post(SELF_ACCESS, ssar({ resourceAttributes: wanted }), as('system:anonymous')),
  post(ACCESS, sar({ user: 'ann', resourceAttributes: wanted })),
  post(ACCESS, sar({ resourceAttributes: wanted })),
  post(ACCESS, sar({ user: 'x', groups: ['system:masters'], uid: 'u', extra: { a: ['b'] }, resourceAttributes: wanted })),
  post(
    ACCESS,
    sar({
      groups: ['operators'],
      resourceAttributes: {
        verb: 'update',
        group: 'apps',
        resource: 'deployments',
        subresource: 'status',
        name: 'x',
        namespace: 'default',
      },
    }),
  ),
  post(ACCESS, sar({ user: 'system:serviceaccount:default:bob', resourceAttributes: wanted })),
  post(ACCESS, sar({ user: 'ann', groups: [], nonResourceAttributes: { path: '/version', verb: 'get' } })),
  post(ACCESS, sar({ nonResourceAttributes: { path: '/version', verb: 'get' }, resourceAttributes: wanted })),
  post(ACCESS, sar({ user: 'eve', resourceAttributes: wanted }), as('eve')),
  post(LOCAL_ACCESS, local({ user: 'ann', resourceAttributes: wanted })),
  post(LOCAL_ACCESS, local({ user: 'ann', resourceAttributes: wanted }, { metadata: { namespace: 'default' } })),
  post(LOCAL_ACCESS, local({ user: 'ann', resourceAttributes: { ...wanted, namespace: 'kube-system' } })),
  post(LOCAL_ACCESS, local({ user: 'ann', resourceAttributes: wanted }, { metadata: { namespace: 'kube-system' } })),
  post(LOCAL_ACCESS, local({ nonResourceAttributes: { path: '/x', verb: 'get' } }, { metadata: { name: 'x' } })),
  post(LOCAL_ACCESS.replace('default', 'nope'), local({ user: 'ann', resourceAttributes: { ...wanted, namespace: 'nope' } })),
  post(`${AUTHORIZATION}/localsubjectaccessreviews`, local({ user: 'ann', resourceAttributes: wanted })),
  post(OWN_RULES, ownRules({ namespace: 'default' }), as('ann')),
  post(OWN_RULES, ownRules({ namespace: 'default' }, { metadata: { name: 'x' } }), as('lost')),
  post(OWN_RULES, ownRules({ namespace: 'default' }), as('system:serviceaccount:default:bob')),
  post(OWN_RULES, ownRules({ namespace: 'default' }), as('root', 'system:masters')),
  post(OWN_RULES, ownRules({}), as('ann')),
  post(WHO_AM_I, self()),
  post(WHO_AM_I, self({ metadata: { name: 'x' } }), {
    ...as('ann', 'g1', 'g2'),
    'impersonate-uid': 'u-1',
    'impersonate-extra-scopes': ['a', 'b'],
    'impersonate-extra-acme.com%2fproject': 'p',
  }),
  post(WHO_AM_I, self(), as('system:anonymous')),
  post(WHO_AM_I, self(), as('system:serviceaccount:default:bob')),
  post(WHO_AM_I, self(), as('system:serviceaccount:default:bob', 'g')),
  post(WHO_AM_I, self(), as('system:node:n1')),
  post(WHO_AM_I, self(), as('ann', 'system:unauthenticated')),
  post(WHO_AM_I, self(), { 'impersonate-group': ['g', 'h'] }),
  post(WHO_AM_I, self(), { 'impersonate-uid': 'u', 'impersonate-extra-foo': 'x' }),
  { ...post(TOKEN, tokenRequest({})), keepAs: 'bob' },
  post(TOKEN, {}),
  post(TOKEN, tokenRequest({ audiences: ['x', 'y'], expirationSeconds: 700 }, { metadata: { labels: { a: 'b' } } })),
  { ...post(TOKEN, tokenRequest({ audiences: ['x'] })), keepAs: 'for x' },
  post(TOKEN, tokenRequest({ expirationSeconds: 10 })),
  post(TOKEN, tokenRequest({ expirationSeconds: 2 ** 33 })),
  post(TOKEN, tokenRequest({}, { metadata: { name: 'other' } })),
  post(TOKEN, tokenRequest({}, { metadata: { namespace: 'kube-system' } })),
  post(TOKEN, tokenRequest({}, { metadata: { uid: 'u' } })),
  post(TOKEN.replace('bob', 'nope'), tokenRequest({})),
  post(TOKEN.replace('default', 'nope'), tokenRequest({})),
  post(TOKEN, tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } })),
  post(TOKEN, tokenRequest({ boundObjectRef: { kind: 'Foo', apiVersion: 'v1', name: 'p' } })),
  post(TOKEN, tokenRequest({ boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'bound', uid: 'x' } })),
  { ...post(TOKEN, tokenRequest({ boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'bound' } })), keepAs: 'bound' },
  post(TOKEN, tokenRequest({}), as('eve')),
  post(WHOSE, tokenReview({})),
  post(WHOSE, tokenReview({ token: 'abc' })),
  post(WHOSE, tokenReview({ token: 'abc', audiences: ['x'] }, { metadata: { name: 'x' } })),
  post(WHOSE, tokenReview({ token: 'admin' })),
  post(WHOSE, tokenReview({ token: 'admin', audiences: ['x'] })),
  post(WHOSE, tokenReview({ token: 'bob' })),
  post(WHOSE, tokenReview({ token: 'bob', audiences: ['x'] })),
  post(WHOSE, tokenReview({ token: 'for x' })),
  post(WHOSE, tokenReview({ token: 'for x', audiences: ['x', 'z'] })),
  { ...post(WHO_AM_I, self()), token: 'bob' },
  { ...post(WHO_AM_I, self()), token: 'bound' },
  { ...post(WHO_AM_I, self()), token: 'for x' },
];

/** A service account that acts as others: in this order, as what was allowed before decides on the text of a refusal. */
export const IMPERSONATIONS: readonly Line[] = [
  get(`${DEFAULT}/pods`, as('mallory2'), 'bob'),
  get(`${DEFAULT}/pods/p/log`, { ...as('mallory2', 'g'), 'impersonate-uid': 'u' }, 'bob'),
  get('/version', as('system:node:n1'), 'bob'),
  get('/version', as('system:serviceaccount:default:bob'), 'bob'),
  get(`${DEFAULT}/pods`, as('mallory', 'g'), 'bob'),
  get(`${DEFAULT}/pods`, as('mallory', 'h'), 'bob'),
  get(`${DEFAULT}/pods`, as('mallory2'), 'bob'),
  get(`${DEFAULT}/pods`, { ...as('mallory'), 'impersonate-uid': 'u' }, 'bob'),
  get(`${DEFAULT}/pods`, { ...as('mallory'), 'impersonate-extra-scopes': 'a' }, 'bob'),
  get(`${DEFAULT}/pods`, { ...as('mallory'), 'impersonate-extra-nope': 'a' }, 'bob'),
];

const wendy = as('wendy', 'dev');
const refersTo = (kind: string, name: string): object => ({ roleRef: { apiGroup: GROUP, kind, name } });

/** Writes of roles and bindings by people who don't hold everything. */
export const ESCALATIONS: readonly Line[] = [
  { ...role('a', rule('core', 'pods', 'get')), headers: wendy },
  // A PUT that creates is a creation, too.
  {
    method: 'PUT',
    path: `${DEFAULT}/services/fresh`,
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'fresh' }, spec: { ports: [{ port: 80 }] } },
    headers: as('ulla'),
  },
  {
    ...role(
      'b',
      rule('core apps', 'pods secrets', 'get delete', { resourceNames: ['n1', 'n2'] }),
      rule('core', 'pods', '* watch'),
    ),
    headers: wendy,
  },
  { ...clusterRole('c', { nonResourceURLs: ['/x', '/y*', '/pages/z'], verbs: ['get', 'put'] }), headers: wendy },
  post(
    `${RBAC}/clusterroles`,
    { metadata: { name: 'd' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }, rules: [] },
    wendy,
  ),
  post(`${RBAC}/clusterroles`, { metadata: { generateName: 'd-' }, rules: [rule('core', 'secrets', 'get')] }, wendy),
  post(`${RBAC}/clusterroles?dryRun=All`, { metadata: { name: 'e' }, rules: [rule('core', 'secrets', 'get')] }, wendy),
  {
    method: 'PUT',
    path: `${RBAC}/namespaces/default/roles/a`,
    body: { metadata: { name: 'a' }, rules: [rule('core', 'nodes', 'get')] },
    headers: wendy,
  },
  {
    method: 'PUT',
    path: `${RBAC}/namespaces/default/roles/a`,
    body: { metadata: { name: 'a', labels: { a: 'b' } }, rules: [rule('core', 'pods', 'get')] },
    headers: wendy,
  },
  { ...role('f', rule('core', 'secrets', '*')), headers: as('esther') },
  { ...clusterRole('f', rule('core', 'secrets', '*')), headers: as('esther') },
  post(
    `${RBAC}/namespaces/default/rolebindings`,
    { metadata: { name: 'x' }, ...refersTo('ClusterRole', 'cluster-admin') },
    wendy,
  ),
  post(`${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'x' }, ...refersTo('ClusterRole', 'not-there') }, wendy),
  post(`${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'x' }, ...refersTo('Role', 'not-there') }, wendy),
  post(`${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'x' }, ...refersTo('Odd', 'not-there') }, wendy),
  post(`${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'mine' }, ...refersTo('Role', 'a') }, wendy),
  post(`${RBAC}/clusterrolebindings`, { metadata: { name: 'x' }, ...refersTo('ClusterRole', 'cluster-admin') }, wendy),
  post(`${RBAC}/clusterrolebindings`, { metadata: { name: 'x' }, ...refersTo('Role', 'cluster-admin') }, wendy),
  post(
    `${RBAC}/clusterroles`,
    { metadata: { name: 'bad name/' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: [] }] },
    wendy,
  ),
  post(
    `${RBAC}/namespaces/default/rolebindings`,
    { metadata: { name: 'of bill' }, ...refersTo('ClusterRole', 'leases') },
    as('bill'),
  ),
  post(
    `${RBAC}/namespaces/default/rolebindings`,
    { metadata: { name: 'y' }, ...refersTo('ClusterRole', 'node-reader') },
    as('bill'),
  ),
];

/** What ends the tokens, in this order. A real server forgets what it has found out about a token after ten seconds. */
export const ENDINGS: readonly Line[] = [
  { method: 'DELETE', path: `${DEFAULT}/secrets/bound` },
  { method: 'DELETE', path: `${DEFAULT}/serviceaccounts/bob` },
];

export const AFTER_THE_END: readonly Line[] = [
  post(WHOSE, tokenReview({ token: 'bob' })),
  post(WHOSE, tokenReview({ token: 'bound' })),
  get(`${DEFAULT}/pods`, {}, 'bob'),
  get(`${DEFAULT}/pods`, {}, 'bound'),
];
