import { type AnyObject, type Cluster, type DeleteOptions, type Patch, type ResourceType, resourceType } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { bench, failureOf, inTurn } from './bench.ts';
import { answer, answerFailure, answerText, type Handler, type Received, type TestServer } from './server.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const NODES = resourceType('v1', 'Node', 'nodes', 'Cluster');
const KEY = { namespace: 'shop', name: 'web' };

const { both } = bench();

function deployment(metadata: Partial<AnyObject['metadata']> = {}): AnyObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...KEY, ...metadata }, spec: { replicas: 1 } };
}

/** Asks a server that answers the same to everything, and says what it was asked. */
async function asked<T>(
  status: number,
  body: unknown,
  call: (cluster: Cluster) => Promise<T>,
): Promise<{ readonly result: T; readonly request: Received }> {
  const { server, cluster } = await both((_, response) => answer(response, status, body));
  const result = await call(cluster);
  return { result, request: only(server) };
}

function only(server: TestServer): Received {
  const [request, ...others] = server.received;
  if (request === undefined || others.length > 0) throw new TypeError(`there were ${server.received.length} requests`);
  return request;
}

describe('get', () => {
  it.each<[string, ResourceType, { readonly namespace?: string; readonly name: string }, string]>([
    ['a core object', CONFIG_MAPS, KEY, '/api/v1/namespaces/shop/configmaps/web'],
    ['an object of a group', DEPLOYMENTS, KEY, '/apis/apps/v1/namespaces/shop/deployments/web'],
    ['an object of no namespace', NODES, { name: 'n1' }, '/api/v1/nodes/n1'],
    [
      'an object with a name that needs care',
      CONFIG_MAPS,
      { namespace: 'shop', name: 'a/b?c' },
      '/api/v1/namespaces/shop/configmaps/a%2Fb%3Fc',
    ],
  ])('asks for %s by its path', async (_, type, key, path) => {
    const { result, request } = await asked(200, deployment({ uid: 'u' }), (cluster) => cluster.get(type, key));
    expect([request.method, request.path, request.body]).toEqual(['GET', path, undefined]);
    expect(result).toEqual(deployment({ uid: 'u' }));
  });

  it('finds nothing where there is no object', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'NotFound'));
    expect(await cluster.get(CONFIG_MAPS, KEY)).toBeUndefined();
  });

  it('fails with an error that names cluster and object', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'Forbidden'));
    const error = await failureOf(cluster.get(DEPLOYMENTS, KEY));
    expect(error).toMatchObject({ code: 'Forbidden', object: { kind: 'Deployment', ...KEY } });
    expect(error.message).toBe('cluster eu-1: Deployment shop/web: it is Forbidden');
  });

  it('asks for nothing where the key is not whole', async () => {
    const { server, cluster } = await both((_, response) => answer(response, 200, {}));
    expect((await failureOf(cluster.get(CONFIG_MAPS, { name: 'web' }))).code).toBe('BadRequest');
    expect((await failureOf(cluster.get(CONFIG_MAPS, { namespace: 'shop', name: '' }))).code).toBe('BadRequest');
    expect(server.received).toEqual([]);
  });
});

describe('list', () => {
  it('says which objects it wants', async () => {
    const options = {
      namespace: 'shop',
      labelSelector: 'app in (web, db),!old',
      fieldSelector: 'metadata.name=web',
      limit: 2,
      continue: 'a+b/c=',
      resourceVersion: '7',
      resourceVersionMatch: 'NotOlderThan',
    } as const;
    const { request } = await asked(200, { metadata: { resourceVersion: '7' }, items: [] }, (cluster) =>
      cluster.list(DEPLOYMENTS, options),
    );
    const { pathname, searchParams } = new URL(request.path, 'https://eu-1');
    expect(pathname).toBe('/apis/apps/v1/namespaces/shop/deployments');
    expect(Object.fromEntries(searchParams)).toEqual({
      labelSelector: 'app in (web, db),!old',
      fieldSelector: 'metadata.name=web',
      limit: '2',
      continue: 'a+b/c=',
      resourceVersion: '7',
      resourceVersionMatch: 'NotOlderThan',
    });
  });

  it('says nothing that it was not told', async () => {
    const { request } = await asked(200, { metadata: { resourceVersion: '7' }, items: [] }, (cluster) =>
      cluster.list(DEPLOYMENTS, { labelSelector: '', resourceVersion: undefined }),
    );
    expect(request.path).toBe('/apis/apps/v1/deployments');
  });

  it('gives each object the kind that lists leave out', async () => {
    const bare = { metadata: { name: 'a' }, spec: { future: { field: true } } };
    const list = {
      kind: 'DeploymentList',
      apiVersion: 'apps/v1',
      metadata: { resourceVersion: '7' },
      items: [bare, deployment()],
    };
    const { result } = await asked(200, list, (cluster) => cluster.list(DEPLOYMENTS));
    expect(result).toEqual({
      items: [{ apiVersion: 'apps/v1', kind: 'Deployment', ...bare }, deployment()],
      resourceVersion: '7',
    });
  });

  it('says where the next page is, where there is one', async () => {
    const metadata = { resourceVersion: '7', continue: 'token', remainingItemCount: 3 };
    const { result } = await asked(200, { metadata, items: [] }, (cluster) => cluster.list(DEPLOYMENTS, { limit: 1 }));
    expect(result).toEqual({ items: [], resourceVersion: '7', continue: 'token', remainingItemCount: 3 });
    const last = await asked(200, { metadata: { resourceVersion: '7', continue: '' }, items: [] }, (cluster) =>
      cluster.list(DEPLOYMENTS),
    );
    expect(last.result).toEqual({ items: [], resourceVersion: '7' });
  });

  it('takes null for no objects, as Go writes an empty list', async () => {
    const { result } = await asked(200, { metadata: { resourceVersion: '7' }, items: null }, (cluster) =>
      cluster.list(DEPLOYMENTS),
    );
    expect(result.items).toEqual([]);
  });

  it('says that the type is not served', async () => {
    const { cluster } = await both((_, response) => answerText(response, 404, '404 page not found\n'));
    const error = await failureOf(cluster.list(resourceType('example.com/v1', 'Fleet', 'fleets')));
    expect(error.message).toMatch(/^cluster eu-1: it does not serve example.com\/v1 Fleet; install its CRD there/);
  });
});

describe('create', () => {
  it('posts an object to its namespace, or to the default one', async () => {
    const { request, result } = await asked(201, deployment({ uid: 'u' }), (cluster) =>
      cluster.create(DEPLOYMENTS, deployment(), { fieldManager: 'me', fieldValidation: 'Strict', dryRun: true }),
    );
    expect([request.method, request.path]).toEqual([
      'POST',
      '/apis/apps/v1/namespaces/shop/deployments?fieldManager=me&dryRun=All&fieldValidation=Strict',
    ]);
    expect(request.headers['content-type']).toBe('application/json');
    expect(request.body).toEqual(deployment());
    expect(result.metadata.uid).toBe('u');
    const draft = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { generateName: 'web-' } };
    const other = await asked(201, deployment(), (cluster) => cluster.create(DEPLOYMENTS, draft));
    expect(other.request.path).toBe('/apis/apps/v1/namespaces/default/deployments');
    const node = await asked(201, {}, (cluster) =>
      cluster.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }),
    );
    expect(node.request.path).toBe('/api/v1/nodes');
  });

  it('says what exists already', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'AlreadyExists'));
    expect(await failureOf(cluster.create(DEPLOYMENTS, deployment()))).toMatchObject({
      code: 'AlreadyExists',
      object: { name: 'web' },
    });
  });

  it('lists what is wrong with the object', async () => {
    const causes = [{ reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.replicas' }];
    const { cluster } = await both((_, response) => answerFailure(response, 'Invalid', { causes }));
    const error = await failureOf(cluster.create(DEPLOYMENTS, deployment()));
    expect(error.issues).toEqual([{ reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.replicas' }]);
  });
});

describe('update', () => {
  it.each([
    [undefined, ''],
    ['status', '/status'],
    ['scale', '/scale'],
  ] as const)('puts an object in place of the old one, as a whole or its subresource %s', async (subresource, suffix) => {
    const { request } = await asked(200, deployment({ resourceVersion: '8' }), (cluster) =>
      cluster.update(DEPLOYMENTS, deployment({ resourceVersion: '7' }), { subresource }),
    );
    expect([request.method, request.path]).toEqual(['PUT', `/apis/apps/v1/namespaces/shop/deployments/web${suffix}`]);
    expect(request.body).toEqual(deployment({ resourceVersion: '7' }));
  });

  it('says that the object has changed meanwhile', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'Conflict'));
    expect(await failureOf(cluster.update(DEPLOYMENTS, deployment()))).toMatchObject({ code: 'Conflict', status: 409 });
  });
});

describe('patch', () => {
  it.each<[Patch, string, unknown]>([
    [
      { type: 'json', operations: [{ op: 'remove', path: '/spec' }] },
      'application/json-patch+json',
      [{ op: 'remove', path: '/spec' }],
    ],
    [{ type: 'merge', body: { spec: null } }, 'application/merge-patch+json', { spec: null }],
    [{ type: 'strategic', body: { spec: {} } }, 'application/strategic-merge-patch+json', { spec: {} }],
  ])('sends %j as %s', async (patch, contentType, body) => {
    const { request } = await asked(200, deployment(), (cluster) =>
      cluster.patch(DEPLOYMENTS, KEY, patch, { fieldManager: 'me', subresource: 'status' }),
    );
    expect([request.method, request.path]).toEqual([
      'PATCH',
      '/apis/apps/v1/namespaces/shop/deployments/web/status?fieldManager=me',
    ]);
    expect(request.headers['content-type']).toBe(contentType);
    expect(request.body).toEqual(body);
  });
});

describe('apply', () => {
  it.each([
    [201, true],
    [200, false],
  ])('sends what the manager wants, and tells by an answer of %i whether the object is new', async (status, created) => {
    const { request, result } = await asked(status, deployment({ uid: 'u' }), (cluster) =>
      cluster.apply(DEPLOYMENTS, deployment(), { fieldManager: 'me' }),
    );
    expect([request.method, request.path]).toEqual(['PATCH', '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=me']);
    expect(request.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(request.body).toEqual(deployment());
    expect(result).toEqual({ object: deployment({ uid: 'u' }), created });
  });

  it('takes fields from others where it is told to', async () => {
    const { request } = await asked(200, deployment(), (cluster) =>
      cluster.apply(DEPLOYMENTS, deployment(), { fieldManager: 'me', force: true }),
    );
    expect(request.path).toContain('force=true');
    const gentle = await asked(200, deployment(), (cluster) =>
      cluster.apply(DEPLOYMENTS, deployment(), { fieldManager: 'me', force: false }),
    );
    expect(gentle.request.path).not.toContain('force');
  });

  it('names the fields of other managers', async () => {
    const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.spec.replicas' }];
    const { cluster } = await both((_, response) => answerFailure(response, 'Conflict', { causes }));
    const error = await failureOf(cluster.apply(DEPLOYMENTS, deployment(), { fieldManager: 'me' }));
    expect(error).toMatchObject({
      code: 'ApplyConflict',
      issues: [{ field: '.spec.replicas', message: 'conflict with "kubectl"' }],
    });
  });

  it('creates or does nothing where it is told to, with a version that no object has', async () => {
    const object = deployment();
    const { request, result } = await asked(201, deployment(), (one) =>
      one.apply(DEPLOYMENTS, object, { fieldManager: 'me', ifAbsent: true }),
    );
    expect(request.body).toEqual(deployment({ resourceVersion: '1' }));
    expect(result.created).toBe(true);
    expect(object).toEqual(deployment());
    const { cluster } = await both(
      inTurn(
        (_, response) => answerFailure(response, 'Conflict'),
        (_, response) => answerFailure(response, 'Forbidden'),
      ),
    );
    const again = (): Promise<unknown> => cluster.apply(DEPLOYMENTS, deployment(), { fieldManager: 'me', ifAbsent: true });
    expect(await failureOf(again())).toMatchObject({ code: 'AlreadyExists', object: { kind: 'Deployment', ...KEY } });
    expect((await failureOf(again())).code).toBe('Forbidden');
  });
});

describe('delete', () => {
  const gone = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name: 'web' } };

  it.each<[string, unknown, string]>([
    ['a Status', gone, 'gone'],
    ['the object as it was', deployment(), 'gone'],
    ['an object that is held', deployment({ deletionTimestamp: '2026-01-01T00:00:00Z' }), 'terminating'],
    [
      'an object that a finalizer holds',
      deployment({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }),
      'terminating',
    ],
    [
      'an object with time left',
      deployment({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 }),
      'terminating',
    ],
    [
      'an object as it was last',
      deployment({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }),
      'gone',
    ],
  ])('knows by %s what has become of the object', async (_, body, outcome) => {
    const { result, request } = await asked(200, body, (cluster) => cluster.delete(DEPLOYMENTS, KEY));
    expect(result).toBe(outcome);
    expect([request.method, request.path]).toEqual(['DELETE', '/apis/apps/v1/namespaces/shop/deployments/web']);
    expect(request.body).toEqual({ kind: 'DeleteOptions', apiVersion: 'v1' });
  });

  it('is content where there is no object', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'NotFound'));
    expect(await cluster.delete(DEPLOYMENTS, KEY)).toBe('absent');
  });

  it('says how', async () => {
    const options: DeleteOptions = {
      propagationPolicy: 'Orphan',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u', resourceVersion: '7' },
      dryRun: true,
    };
    const { request } = await asked(200, gone, (cluster) => cluster.delete(DEPLOYMENTS, KEY, options));
    expect(request.body).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Orphan',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u', resourceVersion: '7' },
      dryRun: ['All'],
    });
  });

  it('says that another object has the name by now', async () => {
    const { cluster } = await both((_, response) => answerFailure(response, 'Conflict'));
    expect(await failureOf(cluster.delete(DEPLOYMENTS, KEY, { preconditions: { uid: 'u' } }))).toMatchObject({
      code: 'Conflict',
    });
  });
});

describe('watch', () => {
  it('says what it wants to see', async () => {
    const { server, cluster } = await both((_, response) => {
      response.end();
    });
    const options = {
      namespace: 'shop',
      labelSelector: 'app=web',
      resourceVersion: '7',
      resourceVersionMatch: 'NotOlderThan',
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      timeoutSeconds: 300,
    } as const;
    for await (const event of cluster.watch(DEPLOYMENTS, options)) throw new TypeError(`there was a ${event.type}`);
    const { pathname, searchParams } = new URL(only(server).path, 'https://eu-1');
    expect(pathname).toBe('/apis/apps/v1/namespaces/shop/deployments');
    expect(Object.fromEntries(searchParams)).toEqual({
      watch: 'true',
      labelSelector: 'app=web',
      resourceVersion: '7',
      resourceVersionMatch: 'NotOlderThan',
      sendInitialEvents: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
    });
  });
});

describe('what a cluster says of itself', () => {
  const discovery = (items: readonly unknown[]) => ({
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items,
  });
  const resource = (plural: string, kind: string, scope: string, more: Record<string, unknown> = {}) => ({
    resource: plural,
    responseKind: { group: '', version: 'v1', kind },
    scope,
    verbs: ['get', 'list'],
    ...more,
  });

  it('is which resources it serves, those of preferred versions first', async () => {
    const core = discovery([
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            resources: [
              resource('configmaps', 'ConfigMap', 'Namespaced', { shortNames: ['cm'] }),
              resource('nodes', 'Node', 'Cluster'),
            ],
          },
        ],
      },
    ]);
    const groups = discovery([
      {
        metadata: { name: 'apps' },
        versions: [
          {
            version: 'v1',
            resources: [
              resource('deployments', 'Deployment', 'Namespaced', {
                subresources: [{ subresource: 'status' }, { subresource: 'scale' }],
              }),
            ],
          },
          { version: 'v1beta1', resources: [resource('deployments', 'Deployment', 'Namespaced')] },
          { version: 'v1alpha1' },
        ],
      },
    ]);
    const handler: Handler = ({ path }, response) => answer(response, 200, path === '/api' ? core : groups);
    const { server, cluster } = await both(handler);
    expect(await cluster.resources()).toEqual([
      {
        group: '',
        version: 'v1',
        kind: 'ConfigMap',
        plural: 'configmaps',
        scope: 'Namespaced',
        verbs: ['get', 'list'],
        shortNames: ['cm'],
        subresources: [],
      },
      {
        group: '',
        version: 'v1',
        kind: 'Node',
        plural: 'nodes',
        scope: 'Cluster',
        verbs: ['get', 'list'],
        shortNames: [],
        subresources: [],
      },
      {
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        plural: 'deployments',
        scope: 'Namespaced',
        verbs: ['get', 'list'],
        shortNames: [],
        subresources: ['status', 'scale'],
      },
      {
        group: 'apps',
        version: 'v1beta1',
        kind: 'Deployment',
        plural: 'deployments',
        scope: 'Namespaced',
        verbs: ['get', 'list'],
        shortNames: [],
        subresources: [],
      },
    ]);
    expect(server.received.map(({ path }) => path).toSorted()).toEqual(['/api', '/apis']);
    for (const { headers } of server.received)
      expect(headers.accept).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  });

  it('is not understood where it is older than aggregated discovery', async () => {
    const { cluster } = await both((_, response) => answer(response, 200, { kind: 'APIGroupList', groups: [] }));
    const error = await failureOf(cluster.resources());
    expect(error).toMatchObject({ code: 'NotImplemented', cluster: 'eu-1' });
    expect(error.message).toContain('use Kubernetes 1.30 or newer');
  });

  it('is its version', async () => {
    const { result, request } = await asked(200, { major: '1', gitVersion: 'v1.36.3' }, (cluster) => cluster.version());
    expect([request.path, result]).toEqual(['/version', 'v1.36.3']);
  });

  it.each<[string, Handler, boolean]>([
    ['ok', (_, response) => answerText(response, 200, 'ok'), true],
    ['that it is not ready', (_, response) => answerText(response, 500, '[-]etcd failed: reason withheld'), false],
    ['that it is starting', (_, response) => answerText(response, 503, 'starting'), false],
  ])('is %s', async (_, handler, ready) => {
    const { server, cluster } = await both(handler);
    expect(await cluster.ready()).toBe(ready);
    expect(only(server).path).toBe('/readyz');
  });

  it.each([
    ['Forbidden', 403],
    ['Unauthorized', 401],
  ])('is not known where it answers %s', async (reason) => {
    const { cluster } = await both((_, response) => answerFailure(response, reason));
    expect((await failureOf(cluster.ready())).code).toBe(reason);
  });
});
