import { join } from 'node:path';
import {
  type AnyObject,
  type Cluster,
  type ClusterDiscovery,
  type ClusterReader,
  ClustersetError,
  resourceType,
} from 'clusterset/kube';
import { type FleetSnapshot, snapshotIssues, takeSnapshot } from 'clusterset/scheduling';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { folder, run } from './run.ts';

const NODES = resourceType('v1', 'Node', 'nodes', 'Cluster');
const PODS = resourceType('v1', 'Pod', 'pods');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const JOBS = resourceType('batch/v1', 'Job', 'jobs');

const REGION = 'topology.kubernetes.io/region';
const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const metadata = { namespace: 'shop', name: 'web' };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    nodeSelector: { disk: 'ssd' },
    containers: [{ name: 'web', image: 'registry.example/private', resources: { requests: { cpu: '500m' } } }],
  },
};
const deployment = (replicas: number): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template },
});
const policy = {
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'PlacementPolicy',
  metadata,
  spec: { workload: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, division: { type: 'Weighted' } },
};

async function addNode(cluster: Cluster, name: string, labels: Readonly<Record<string, string>>, cpu = '4'): Promise<void> {
  const status = {
    allocatable: { cpu, memory: '16Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True' }],
    images: [{ names: ['private'] }],
  };
  await cluster.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } } as never);
  await cluster.patch(NODES, { name }, { type: 'merge', body: { status } as never }, { subresource: 'status' });
}

describe('clusterset snapshot', () => {
  let world: OfflineWorld;

  beforeEach(async () => {
    world = await startOffline(['eu-1', 'us-1']);
    const eu = world.cluster('eu-1').connect();
    const us = world.cluster('us-1').connect();
    const zone = (name: string) => ({
      'topology.kubernetes.io/region': name.slice(0, -2),
      'topology.kubernetes.io/zone': name,
      disk: 'ssd',
    });
    await addNode(eu, 'node-0', zone('eu-a'));
    await addNode(eu, 'node-1', zone('eu-b'));
    await addNode(us, 'node-0', zone('us-a'), '2');
    for (const cluster of [eu, us])
      await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await eu.create(DEPLOYMENTS, deployment(3) as never);
    await eu.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'p', labels: { app: 'web' }, annotations: { note: 'private' } },
      spec: {
        nodeName: 'node-0',
        containers: [
          {
            name: 'web',
            image: 'registry.example/private',
            env: [{ name: 'PASSWORD', value: 'hunter2' }],
            resources: { requests: { cpu: '500m' } },
          },
        ],
      },
    } as never);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const snapshot = (...args: readonly string[]) => run(['snapshot', '--kubeconfig', world.kubeconfig, ...args]);

  async function taken(...args: readonly string[]): Promise<FleetSnapshot> {
    const { code, stdout } = await snapshot(...args);
    expect(code).toBe(0);
    const value = parse(stdout) as FleetSnapshot;
    expect(snapshotIssues(value)).toEqual([]);
    return value;
  }

  it.each(['yaml', 'json'])('says what the clusters have, what is free, and where they are (%s)', async (format) => {
    const { apiVersion, kind, takenAt, clusters, ...others } = await taken('--contexts', 'us-1,eu-1', '-o', format);
    expect({ apiVersion, kind, others }).toEqual({
      apiVersion: 'scheduling.clusterset.dev/v1alpha1',
      kind: 'FleetSnapshot',
      others: {},
    });
    expect(takenAt).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:]{8}Z$/);
    expect(clusters.map(({ name }) => name)).toEqual(['eu-1', 'us-1']);
    expect(clusters[0]).toMatchObject({
      region: 'eu',
      zones: ['eu-a', 'eu-b'],
      kubernetesVersion: expect.stringMatching(/^v1\./),
      conditions: [{ type: 'Ready', status: 'True', reason: 'ClusterReady', lastTransitionTime: takenAt }],
      capacity: { cpu: '8', memory: '32Gi', pods: '220' },
      summary: {
        allocatable: { cpu: '8', memory: '32Gi', pods: '220' },
        allocated: { cpu: '500m', pods: '1' },
        nodes: 2,
        readyNodes: 2,
      },
    });
    expect(clusters[0]?.apis).toContain('apps/v1/Deployment');
    expect(clusters[0]?.apis).toContain('v1/ConfigMap');
    expect(clusters[0]).not.toHaveProperty('nodes');
  });

  it('says where workloads are, those that policies name among them', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'shop', name: 'once' } };
    await world
      .cluster('us-1')
      .connect()
      .create(JOBS, {
        ...job,
        spec: { parallelism: 2, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
      } as never);
    const path = folder({
      'policy.yaml': stringify({
        ...policy,
        spec: { ...policy.spec, follow: { apiVersion: 'v1', kind: 'Namespace', name: 'shop' } },
      }),
      'web.yaml': stringify(deployment(9)),
      'job.yaml': stringify(job),
      'nobody.yaml': stringify({ apiVersion: 'example.com/v1', kind: 'Nobody', metadata: { name: 'x' } }),
      'rsp.yaml': stringify({
        apiVersion: 'scheduling.kubefed.io/v1alpha1',
        kind: 'ReplicaSchedulingPreference',
        metadata: { namespace: 'shop', name: 'cache' },
        spec: { targetKind: 'FederatedDeployment', totalReplicas: 1 },
      }),
    });
    const { workloads } = await taken('--contexts', 'eu-1,us-1', '-f', path);
    expect(workloads).toEqual([
      { ...web, name: 'cache', clusters: {} },
      { ...web, clusters: { 'eu-1': 3 } },
      { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'once', clusters: { 'us-1': 2 } },
      { apiVersion: 'example.com/v1', kind: 'Nobody', name: 'x', clusters: {} },
      { apiVersion: 'v1', kind: 'Namespace', name: 'shop', clusters: { 'eu-1': 0, 'us-1': 0 } },
    ]);
  });

  it('keeps the labels of nodes that workloads select by', async () => {
    const path = folder({ 'web.yaml': stringify(deployment(1)) });
    const classesOf = async (...more: readonly string[]) =>
      (await taken('--contexts', 'us-1', ...more)).clusters[0]?.summary?.nodeClasses;
    expect((await classesOf())?.labelKeys).not.toContain('disk');
    const known = await classesOf('-f', join(path, 'web.yaml'));
    expect(known?.labelKeys).toContain('disk');
    expect(known?.classes[0]?.labels).toMatchObject({ disk: 'ssd' });
  });

  it('has labels, properties and taints from the fleet, and nothing of how to get there', async () => {
    const path = folder({
      'fleet.yaml': stringify([
        {
          name: 'europe',
          labels: { environment: 'production' },
          properties: { 'example.com/cost': '3' },
          taints: [{ key: 'k', effect: 'NoSelect' }],
          provider: 'somebody',
          note: 'private',
          endpoints: [{ server: 'https://private.example' }],
          auth: { context: 'eu-1' },
        },
      ]),
    });
    const { clusters } = await taken('--fleet', join(path, 'fleet.yaml'));
    expect(clusters[0]).toMatchObject({
      name: 'europe',
      labels: { environment: 'production' },
      properties: { 'example.com/cost': '3' },
      taints: [{ key: 'k', effect: 'NoSelect' }],
      provider: 'somebody',
      region: 'eu',
    });
    for (const field of ['endpoints', 'auth', 'note']) expect(clusters[0]).not.toHaveProperty(field);
  });

  it('with --raw has nodes and pods with what scheduling reads, and nothing private', async () => {
    const { stdout } = await snapshot('--contexts', 'eu-1', '--raw');
    const { clusters } = parse(stdout) as FleetSnapshot;
    expect(clusters[0]?.nodes?.map((node) => node.metadata.name)).toEqual(['node-0', 'node-1']);
    expect(clusters[0]?.pods).toMatchObject([
      { metadata: { namespace: 'shop', name: 'p' }, spec: { containers: [{ resources: { requests: { cpu: '500m' } } }] } },
    ]);
    expect(stdout).not.toMatch(/hunter2|PASSWORD|private/);
  });

  it('is what schedule decides from, without any cluster', async () => {
    const path = folder({ 'policy.yaml': stringify(policy), 'web.yaml': stringify(deployment(20)) });
    const files = [join(path, 'policy.yaml'), join(path, 'web.yaml')];
    for (const more of [[], ['--raw']]) {
      const { stdout } = await snapshot('--contexts', 'eu-1,us-1', '-f', ...files, ...more);
      const [snap] = [folder({ 'snapshot.yaml': stdout })];
      const ran = await run(['schedule', '-f', ...files, join(snap, 'snapshot.yaml'), '-o', 'json']);
      // Three run in eu-1, of which one has a pod: with what is free 18 fit there. In us-1 there is room for 4.
      expect(JSON.parse(ran.stdout)).toMatchObject({
        clusters: [
          { cluster: 'eu-1', current: 3, replicas: 16 },
          { cluster: 'us-1', replicas: 4 },
        ],
      });
    }
  });

  it('has a cluster that can not be read as one that may not be ready, says so, and ends with 2', async () => {
    using _away = world.cluster('us-1').network.cut();
    const { code, stdout, stderr } = await snapshot('--contexts', 'eu-1,us-1');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: cluster us-1: /m);
    const value = parse(stdout) as FleetSnapshot;
    expect(snapshotIssues(value)).toEqual([]);
    expect(value.clusters).toMatchObject([
      { name: 'eu-1', conditions: [{ type: 'Ready', status: 'True' }] },
      { name: 'us-1', conditions: [{ type: 'Ready', status: 'Unknown', reason: 'ClusterUnreachable' }] },
    ]);
    expect(value.clusters[1]).not.toHaveProperty('summary');
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no clusters', [], /no clusters are named; use --contexts/],
    ['a context that is not there', ['--contexts', 'nowhere'], /nowhere/],
    ['a format that there is not', ['--contexts', 'eu-1', '-o', 'table'], /Allowed choices are yaml, json/],
    ['a file that is not there', ['--contexts', 'eu-1', '-f', '/nowhere'], /\/nowhere: there is no such file or folder/],
  ])('refuses %s', async (_name, args, message) => {
    const { code, stdout, stderr } = await snapshot(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('refuses policies and workloads that can not be read', async () => {
    const path = folder({
      'policy.yaml': stringify({ ...policy, spec: { workload: 5 } }),
      'web.yaml': stringify({ ...deployment(1), spec: { replicas: 'many' } }),
    });
    const { code, stderr } = await snapshot('--contexts', 'eu-1', '-f', path);
    expect(code).toBe(1);
    expect(stderr).toMatch(/policy\.yaml:7: spec\.workload: expected object/);
    expect(stderr).toMatch(/web\.yaml:7: spec\.replicas: must be a whole number/);
  });
});

describe('taking a snapshot', () => {
  it('reads page by page, and begins anew where a page comes too late', async () => {
    await using world = await startOffline(['a']);
    const cluster = world.cluster('a').connect();
    for (const name of ['n-0', 'n-1', 'n-2']) await addNode(cluster, name, {});
    const asked: (string | undefined)[] = [];
    let late = true;
    const paged: ClusterReader & ClusterDiscovery = {
      name: 'a',
      resources: (options) => cluster.resources(options),
      version: (options) => cluster.version(options),
      ready: (options) => cluster.ready(options),
      get: (type, key, options) => cluster.get(type, key, options),
      list: async (type, options = {}) => {
        asked.push(`${type.kind} ${options.limit}${options.continue === undefined ? '' : ' …'}`);
        if (late && options.continue !== undefined) {
          late = false;
          throw new ClustersetError({ code: 'Expired', message: 'the page is gone' });
        }
        return cluster.list(type, { ...options, limit: 2 });
      },
    };
    const { snapshot, unreadable } = await takeSnapshot([{ entry: { name: 'a' }, cluster: paged }], {
      takenAt: '2026-01-31T12:00:00Z',
      raw: true,
    });
    expect(unreadable).toEqual([]);
    expect(snapshot.clusters[0]?.nodes?.map((node) => node.metadata.name)).toEqual(['n-0', 'n-1', 'n-2']);
    expect(asked.filter((each) => each?.startsWith('Node'))).toEqual(['Node 500', 'Node 500 …', 'Node 500', 'Node 500 …']);
  });

  it.each<[string, object, RegExp]>([
    [
      'nodes without names',
      { list: async () => ({ items: [{ metadata: {} }], resourceVersion: '1' }) },
      /nodes\[0\]\.metadata\.name/,
    ],
    [
      'labels that are no text',
      { list: async () => ({ items: [{ metadata: { name: 'n', labels: { [REGION]: 5 } } }], resourceVersion: '1' }) },
      /region/,
    ],
    ['nothing that can be read', { list: () => Promise.reject(new TypeError("can't read metadata")) }, /can't read metadata/],
    ['pages without end', { list: async () => ({ items: [], resourceVersion: '1', continue: 'x' }) }, /followed by itself/],
  ])('is not spoilt by a cluster that answers with %s', async (_name, answers, message) => {
    await using world = await startOffline(['a']);
    const good = world.cluster('a').connect();
    const bad = {
      name: 'b',
      resources: () => Promise.resolve([]),
      version: () => Promise.resolve('v1'),
      ready: () => Promise.resolve(true),
      get: () => Promise.resolve(undefined),
      ...answers,
    } as unknown as ClusterReader & ClusterDiscovery;
    const members = [
      { entry: { name: 'b' }, cluster: bad },
      { entry: { name: 'a' }, cluster: good },
    ];
    const { snapshot, unreadable } = await takeSnapshot(members, { takenAt: '2026-01-31T12:00:00Z', raw: true });
    expect(snapshotIssues(snapshot)).toEqual([]);
    expect(snapshot.clusters).toMatchObject([
      { name: 'a', conditions: [{ status: 'True' }] },
      { name: 'b', conditions: [{ status: 'Unknown', reason: 'ClusterInternalError' }] },
    ]);
    expect(unreadable).toMatchObject([{ cluster: 'b', error: { message: expect.stringMatching(message) } }]);
  });

  it('ends with its signal', async () => {
    await using world = await startOffline(['a']);
    const cluster = world.cluster('a').connect();
    const taking = takeSnapshot([{ entry: { name: 'a' }, cluster }], {
      takenAt: '2026-01-31T12:00:00Z',
      signal: AbortSignal.abort(),
    });
    await expect(taking).rejects.toMatchObject({ code: 'Aborted' });
  });

  it('says that a cluster answers, and is not well', async () => {
    await using world = await startOffline(['a']);
    const cluster = world.cluster('a').connect();
    const unwell: ClusterReader & ClusterDiscovery = {
      name: 'a',
      resources: (options) => cluster.resources(options),
      version: (options) => cluster.version(options),
      ready: () => Promise.resolve(false),
      get: (type, key, options) => cluster.get(type, key, options),
      list: (type, options) => cluster.list(type, options),
    };
    const entry = { name: 'a', conditions: [{ type: 'Other', status: 'True' }] };
    const { snapshot, unreadable } = await takeSnapshot([{ entry, cluster: unwell }], { takenAt: '2026-01-31T12:00:00Z' });
    expect(unreadable).toEqual([]);
    expect(snapshot.clusters[0]?.conditions).toMatchObject([
      { type: 'Other', status: 'True' },
      { type: 'Ready', status: 'False', reason: 'ClusterNotReady', lastTransitionTime: '2026-01-31T12:00:00Z' },
    ]);
  });
});
