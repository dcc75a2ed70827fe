import { type AnyObject, type Cluster, type ResourceType, resourceType } from 'clusterset/kube';
import { type OfflineCluster, simulate } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { Handler } from '../../../../src/testing/web/handler.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const services = resourceType('v1', 'Service', 'services');
const nodes = resourceType('v1', 'Node', 'nodes', 'Cluster');
const roles = resourceType(RBAC, 'Role', 'roles');
const bindings = resourceType(RBAC, 'RoleBinding', 'rolebindings');

const metadata = { namespace: 'default', name: 'one' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };

type Http = (method: string, path: string, body?: object, type?: string) => Promise<number>;

/** What `eve` can do in the namespace `default`, in process and over HTTP, with one rule. */
async function eve(rule: object): Promise<{ readonly port: Cluster; readonly http: Http; readonly offline: OfflineCluster }> {
  const world = await simulate({ members: { a: { rbac: true } } });
  const offline = world.cluster('a');
  const admin = offline.connect();
  await admin.create(roles, { apiVersion: RBAC, kind: 'Role', metadata, rules: [rule] } as AnyObject);
  const apiGroup = 'rbac.authorization.k8s.io';
  const whom = { roleRef: { apiGroup, kind: 'Role', name: 'one' }, subjects: [{ apiGroup, kind: 'User', name: 'eve' }] };
  await admin.create(bindings, { apiVersion: RBAC, kind: 'RoleBinding', metadata, ...whom } as AnyObject);
  const user = { name: 'eve', groups: [] };
  offline.access.tokens.accept('eves', user);
  const handler = new Handler({ server: offline.server, door: offline.door, access: offline.access, token: 'admin' });
  const http: Http = async (method, path, body, type = 'application/json') => {
    const headers = { authorization: 'Bearer eves', 'content-type': type };
    const sent = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await handler.handle(new Request(`https://offline${path}`, sent))).status;
  };
  return { port: offline.connect({ user }), http, offline };
}

const allow = (resources: string, verbs: string, more: object = {}): object => ({
  apiGroups: ['*'],
  resources: resources.split(' '),
  verbs: verbs.split(' '),
  ...more,
});

const statusOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 200,
    (error: { readonly status?: number }) => error.status,
  );

const DEFAULT = '/api/v1/namespaces/default';

/** Waits until a watch has said something. */
async function first(watch: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of watch) return;
}

describe('who may change objects, on a cluster with RBAC', () => {
  it('may not create them by applying', async () => {
    const { port, http } = await eve(allow('configmaps', 'get patch'));
    expect(await statusOf(port.apply(configMaps, configMap, { fieldManager: 'eve' }))).toBe(403);
    const path = `${DEFAULT}/configmaps/one?fieldManager=eve`;
    expect(await http('PATCH', path, configMap, 'application/apply-patch+yaml')).toBe(403);
    expect(await http('PATCH', `${path}&dryRun=All`, configMap, 'application/apply-patch+yaml')).toBe(403);
  });

  it('may not create them by PUT', async () => {
    const { http } = await eve(allow('services', 'get update'));
    expect(await http('PUT', `${DEFAULT}/services/one`, service)).toBe(403);
  });

  it.each([
    ['configmaps', 'create patch', ''],
    ['configmaps', 'create patch', 'one'],
  ])('may do so who may create %s (%s), also where the rule is for the name "%s"', async (resource, verbs, name) => {
    const { port } = await eve(allow(resource, verbs, name === '' ? {} : { resourceNames: [name] }));
    expect(await statusOf(port.apply(configMaps, configMap, { fieldManager: 'eve' }))).toBe(200);
  });

  it('may go on changing what is there', async () => {
    const { port, http, offline } = await eve(allow('configmaps services', 'update patch'));
    await offline.connect().create(configMaps, configMap);
    await offline.connect().create(services, service);
    expect(await statusOf(port.apply(configMaps, configMap, { fieldManager: 'eve' }))).toBe(200);
    expect(await http('PUT', `${DEFAULT}/services/one`, service)).toBe(200);
  });
});

describe('a rule for objects of one name', () => {
  it('is for no creation, and for no collection but that of the one object', async () => {
    const { port, http, offline } = await eve(allow('configmaps', '*', { resourceNames: ['one'] }));
    const query = '?fieldSelector=metadata.name=one';
    const fieldSelector = 'metadata.name=one';
    await offline.connect().create(configMaps, configMap);
    expect({
      create: [
        await statusOf(port.create(configMaps, configMap)),
        await http('POST', `${DEFAULT}/configmaps${query}`, configMap),
      ],
      deletecollection: await http('DELETE', `${DEFAULT}/configmaps${query}`),
      all: [await statusOf(port.list(configMaps, { namespace: 'default' })), await http('GET', `${DEFAULT}/configmaps`)],
      one: [
        await statusOf(port.list(configMaps, { namespace: 'default', fieldSelector })),
        await http('GET', `${DEFAULT}/configmaps${query}`),
      ],
      watch: await statusOf(first(port.watch(configMaps, { namespace: 'default', fieldSelector }))),
    }).toEqual({ create: [403, 403], deletecollection: 403, all: [403, 403], one: [200, 200], watch: 200 });
  });
});

describe('who may do everything in one namespace', () => {
  const lie: ResourceType = resourceType('v1', 'Node', 'nodes');

  it('reaches nothing that is in none, whatever the path or the type says', async () => {
    const { port, http, offline } = await eve(allow('*', '*'));
    const node = { apiVersion: 'v1', kind: 'Node', metadata };
    expect(await statusOf(port.list(nodes, { namespace: 'default' }))).toBe(403);
    expect(await statusOf(port.create(lie, node))).toBe(403);
    expect(await statusOf(port.get(lie, metadata))).toBe(403);
    expect(await http('GET', `${DEFAULT}/nodes`)).toBe(404);
    expect(await http('POST', `${DEFAULT}/nodes`, node)).toBe(404);
    expect(
      await http('POST', `${DEFAULT}/configmaps`, { ...configMap, metadata: { name: 'one', namespace: 'kube-system' } }),
    ).toBe(400);
    expect((await offline.connect().list(nodes)).items).toEqual([]);
  });
});

describe('a token that is none', () => {
  it.each(['', 'x', 'admin'])('lets nobody in: "%s"', async (token) => {
    const { offline } = await eve(allow('configmaps', '*'));
    const open = (await simulate({ members: { a: {} } })).cluster('a');
    expect(await statusOf(open.connect({ token }).list(configMaps))).toBe(401);
    const status = await statusOf(offline.connect({ token }).list(configMaps));
    // The token of the network face is one of the cluster, too.
    expect(status).toBe({ '': 403, x: 401, admin: 200 }[token]);
  });
});
