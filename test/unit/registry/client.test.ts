import { type AnyObject, builtIn, type Cluster, type ObjectKey, resourceType, type WriteOptions } from 'clusterset/kube';
import {
  CLUSTER_MANAGER_LABEL,
  ClusterProfile,
  getCluster,
  labelCluster,
  listClusters,
  publishProfile,
  REGISTRY_KINDS,
  type RegistryEvent,
  type RegistryKind,
  registerCluster,
  removeCluster,
  setClusterCondition,
  watchClusters,
} from 'clusterset/registry';
import { simulate, type World } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const DEFINITIONS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NOW = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';

const SPECS: Readonly<Record<keyof typeof REGISTRY_KINDS, { spec: never }>> = {
  cluster: { spec: { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'eu-1.example' }] } } as never },
  clusterprofile: { spec: { clusterManager: { name: 'ocm' } } as never },
  kubefedcluster: { spec: { apiEndpoint: 'https://eu-1.example', secretRef: { name: 'token' } } as never },
};

/** Offline clusters don't carry out rules in CEL yet, and refuse schemas that have some: that a manager never changes isn't checked here. */
const withoutRules = <T>(crd: T): T =>
  JSON.parse(JSON.stringify(crd, (name, value) => (name === 'x-kubernetes-validations' ? undefined : value)));

async function registry(): Promise<{ readonly world: World; readonly host: Cluster }> {
  const world = await simulate({ host: {} });
  const host = world.connect('host');
  for (const { type } of Object.values(REGISTRY_KINDS)) {
    await host.create(DEFINITIONS, withoutRules(type.crd()) as unknown as AnyObject);
  }
  const namespaces = builtIn('', 'Namespace');
  if (namespaces === undefined) throw new TypeError('Namespace is not built in');
  for (const name of ['fleet', 'other'])
    await host.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return { world, host };
}

const KEY: ObjectKey = { namespace: 'fleet', name: 'eu-1' };
const register = (host: Cluster, name: keyof typeof REGISTRY_KINDS, key: ObjectKey = KEY, labels: Record<string, string> = {}) =>
  registerCluster(host, REGISTRY_KINDS[name], { metadata: { ...key, labels }, ...SPECS[name] });

/** The cluster, with a count of what is written to it. */
function counted(host: Cluster): { readonly host: Cluster; readonly writes: string[] } {
  const writes: string[] = [];
  const spied = new Proxy(host, {
    get(target, name) {
      const member = target[name as keyof Cluster] as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name === 'create' || name === 'patch') {
          const { subresource = '' } = (args.at(-1) as WriteOptions | undefined) ?? {};
          writes.push(`${name}${subresource === '' ? '' : `/${subresource}`}`);
        }
        return (member as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { host: spied, writes };
}

describe.each(Object.keys(REGISTRY_KINDS) as (keyof typeof REGISTRY_KINDS)[])('a registry of the kind %s', (name) => {
  const kind: RegistryKind = REGISTRY_KINDS[name];

  it('registers, finds, labels and removes a cluster', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await register(host, name, KEY, { tier: 'prod', old: 'x' });
    expect((await getCluster(host, kind, KEY))?.entry).toMatchObject({ name: 'eu-1', labels: { tier: 'prod' } });
    await expect(register(host, name)).rejects.toMatchObject({ code: 'AlreadyExists' });
    await labelCluster(host, kind, KEY, { old: null, region: 'eu' });
    expect((await getCluster(host, kind, KEY))?.entry?.labels).toEqual({ tier: 'prod', region: 'eu' });
    expect(await removeCluster(host, kind, KEY)).toBe('gone');
    expect(await removeCluster(host, kind, KEY)).toBe('absent');
    expect(await getCluster(host, kind, KEY)).toBeUndefined();
  });

  it('refuses an object that has not the shape of its kind', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await expect(registerCluster(host, kind, { metadata: KEY as never, spec: 'text' })).rejects.toMatchObject({
      code: 'Invalid',
      field: 'spec',
    });
    await expect(labelCluster(host, kind, KEY, { a: 'b' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(setClusterCondition(host, kind, KEY, { type: 'A', status: 'True' }, NOW)).rejects.toMatchObject({
      code: 'NotFound',
    });
  });

  it('sets a condition, leaves the others, and writes nothing where nothing changed', async () => {
    const { world, host: direct } = await registry();
    await using _ = world;
    const { host, writes } = counted(direct);
    await register(host, name);
    writes.length = 0;
    const set = (type: string, status: string, now: string) =>
      setClusterCondition(host, kind, KEY, { type, status, reason: 'R', message: 'm' }, now);
    expect(await set(kind.readyCondition, 'True', NOW)).toBe(true);
    expect(await set('Other', 'False', NOW)).toBe(true);
    expect(await set(kind.readyCondition, 'True', LATER)).toBe(false);
    expect(await set(kind.readyCondition, 'False', LATER)).toBe(true);
    const patch = kind.hasStatusSubresource ? 'patch/status' : 'patch';
    expect(writes).toEqual([patch, patch, patch]);
    const entry = (await getCluster(host, kind, KEY))?.entry;
    expect(entry?.conditions).toContainEqual({
      type: 'Ready',
      status: 'False',
      reason: 'R',
      message: 'm',
      lastTransitionTime: LATER,
    });
    expect(entry?.conditions).toContainEqual({
      type: 'Other',
      status: 'False',
      reason: 'R',
      message: 'm',
      lastTransitionTime: NOW,
    });
  });

  it('loses no write of somebody else', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await register(host, name);
    const late: Cluster = Object.create(host, {
      get: {
        value: async (...args: Parameters<Cluster['get']>) => {
          const seen = await host.get(...args);
          await labelCluster(host, kind, KEY, { meanwhile: 'yes' });
          return seen;
        },
      },
    });
    const write = setClusterCondition(bound(late, host), kind, KEY, { type: 'A', status: 'True', reason: 'R', message: '' }, NOW);
    await expect(write).rejects.toMatchObject({ code: 'Conflict' });
  });

  it('lists clusters of a namespace by their names, and those of all namespaces with their namespaces', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await register(host, name, KEY, { tier: 'prod' });
    await register(host, name, { namespace: 'other', name: 'eu-1' });
    const names = async (options: Parameters<typeof listClusters>[2]) =>
      (await listClusters(host, kind, options)).entries.map((entry) => entry.name);
    expect(await names({ namespace: 'fleet' })).toEqual(['eu-1']);
    expect(await names({})).toEqual(['fleet/eu-1', 'other/eu-1']);
    expect(await names({ labelSelector: 'tier=prod' })).toEqual(['fleet/eu-1']);
  });

  it('watches clusters come, change and go', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await register(host, name);
    const seen: [RegistryEvent['type'], string | undefined][] = [];
    const watching = (async () => {
      for await (const { type, key, mapped } of watchClusters(host, kind, { namespace: 'fleet' })) {
        seen.push([type, mapped.entry?.labels?.tier]);
        expect(key).toEqual(KEY);
        if (type === 'removed') return;
      }
    })();
    await labelCluster(host, kind, KEY, { tier: 'prod' });
    await removeCluster(host, kind, KEY);
    await world.advance('1s');
    await watching;
    expect(seen.at(0)?.[0]).toBe('added');
    expect(seen.at(-1)).toEqual(['removed', 'prod']);
  });
});

/** A cluster in whose place another answers. */
function bound(front: Cluster, back: Cluster): Cluster {
  return new Proxy(front, {
    get: (target, name) => {
      if (name === 'get') return target.get;
      const member = back[name as keyof Cluster] as unknown;
      return typeof member === 'function' ? member.bind(back) : member;
    },
  });
}

describe('listClusters', () => {
  it('goes through all pages, with issues by object', async () => {
    const { world, host } = await registry();
    await using _ = world;
    for (let index = 0; index < 501; index += 1) {
      await register(host, 'cluster', { namespace: 'fleet', name: `c${String(index).padStart(3, '0')}` });
    }
    const bad = { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'ftp://x' }, { serverAddress: 'good' }] } };
    await registerCluster(host, REGISTRY_KINDS.cluster, { metadata: { namespace: 'fleet', name: 'bad' }, spec: bad });
    let pages = 0;
    const paged = new Proxy(host, {
      get: (target, name) => {
        if (name === 'list') pages += 1;
        const member = target[name as keyof Cluster] as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const { entries, issues } = await listClusters(paged, REGISTRY_KINDS.cluster, { namespace: 'fleet' });
    expect(pages).toBe(2);
    expect(new Set(entries.map(({ name }) => name)).size).toBe(502);
    expect(entries.find(({ name }) => name === 'bad')?.endpoints).toEqual([{ server: 'https://good' }]);
    expect(issues).toMatchObject([
      { object: { namespace: 'fleet', name: 'bad' }, field: 'spec.kubernetesApiEndpoints.serverEndpoints[0].serverAddress' },
    ]);
  });

  it('says that a host has not the kind', async () => {
    await using world = await simulate({ host: {} });
    await expect(listClusters(world.connect('host'), REGISTRY_KINDS.cluster)).rejects.toMatchObject({ code: 'NotServed' });
  });
});

describe('setClusterCondition', () => {
  it('gives a condition of kubefed the time of the look, which its API demands', async () => {
    const { world, host } = await registry();
    await using _ = world;
    await register(host, 'kubefedcluster');
    await setClusterCondition(host, REGISTRY_KINDS.kubefedcluster, KEY, { type: 'Ready', status: 'True' }, NOW);
    const object = await host.get<AnyObject>(REGISTRY_KINDS.kubefedcluster.type, KEY);
    expect(object?.status).toEqual({
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: NOW, lastTransitionTime: NOW }],
    });
  });
});

describe('publishProfile', () => {
  const facts = (value = '1', lastObservedTime = NOW) => ({
    key: { namespace: 'fleet', name: 'eu-1' },
    manager: 'ocm',
    displayName: 'Europe',
    labels: { tier: 'prod' },
    kubernetesVersion: 'v1.34.1',
    properties: [{ name: 'a', value, lastObservedTime }],
    conditions: [{ type: 'ControlPlaneHealthy', status: 'True', reason: 'Fine', message: '' }],
  });

  it('creates a profile with its manager’s label, and its status', async () => {
    const { world, host } = await registry();
    await using _ = world;
    expect(await publishProfile(host, facts(), NOW)).toBe(true);
    expect(await host.get(ClusterProfile, KEY)).toMatchObject({
      metadata: { labels: { tier: 'prod', [CLUSTER_MANAGER_LABEL]: 'ocm' } },
      spec: { displayName: 'Europe', clusterManager: { name: 'ocm' } },
      status: { version: { kubernetes: 'v1.34.1' }, properties: [{ name: 'a', value: '1', lastObservedTime: NOW }] },
    });
    expect((await getCluster(host, REGISTRY_KINDS.clusterprofile, KEY))?.entry).toMatchObject({
      properties: { a: '1' },
      kubernetesVersion: 'v1.34.1',
    });
  });

  it('writes nothing for an unchanged cluster, and of a changed one what changed', async () => {
    const { world, host: direct } = await registry();
    await using _ = world;
    const { host, writes } = counted(direct);
    await publishProfile(host, facts(), NOW);
    expect(writes).toEqual(['create', 'patch/status']);
    writes.length = 0;
    expect(await publishProfile(host, facts('1', LATER), LATER)).toBe(false);
    expect(writes).toEqual([]);
    expect(await publishProfile(host, facts('2', LATER), LATER)).toBe(true);
    expect(writes).toEqual(['patch/status']);
    expect(await publishProfile(host, { ...facts('2', LATER), displayName: 'Europa' }, LATER)).toBe(true);
    expect(writes).toEqual(['patch/status', 'patch']);
  });

  it('publishes what a profile has room for, and names the rest', async () => {
    const { world, host } = await registry();
    await using _ = world;
    const properties = [
      { name: 'long', value: 'x'.repeat(1025) },
      { name: 'short', value: '1' },
    ];
    await publishProfile(host, { ...facts(), properties }, NOW);
    const { status } = (await host.get(ClusterProfile, KEY)) ?? {};
    expect(status?.properties?.map(({ name }) => name)).toEqual(['short']);
    expect(status?.conditions?.find(({ type }) => type === 'PropertiesComplete')).toMatchObject({
      status: 'False',
      message: expect.stringContaining('long'),
    });
  });

  it('leaves a profile of another manager alone', async () => {
    const { world, host: direct } = await registry();
    await using _ = world;
    const { host, writes } = counted(direct);
    await publishProfile(host, facts(), NOW);
    writes.length = 0;
    const taken = publishProfile(host, { ...facts('2'), manager: 'karmada' }, NOW);
    await expect(taken).rejects.toMatchObject({ code: 'Forbidden', field: 'spec.clusterManager.name', object: { name: 'eu-1' } });
    expect(writes).toEqual([]);
  });
});
