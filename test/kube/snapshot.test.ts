import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { type FleetSnapshot, snapshotIssues } from 'clusterset/scheduling';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const NODES = resourceType('v1', 'Node', 'nodes', 'Cluster');
const PODS = resourceType('v1', 'Pod', 'pods');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const MEMBERS = ['eu-1', 'us-1'] as const;
const MANY = 520;

const metadata = { namespace: 'shop', name: 'web' };
const containers = [
  {
    name: 'web',
    image: 'registry.example/private',
    env: [{ name: 'PASSWORD', value: 'hunter2' }],
    resources: { requests: { cpu: '1', memory: '1Gi' } },
  },
];
const deployment = (replicas: number): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
  },
});
const policy = {
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'PlacementPolicy',
  metadata,
  spec: { workload: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, division: { type: 'Weighted' } },
};

describe('snapshots of real API servers', () => {
  let planes: ControlPlanes;
  let clusters: readonly Cluster[];
  const folder = mkdtempSync(join(tmpdir(), 'clusterset-snapshot-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  beforeAll(async () => {
    planes = await startControlPlanes(MEMBERS.map((name) => ({ name })));
    clusters = MEMBERS.map((name) => planes.connect(name));
    for (const cluster of clusters) {
      await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
      for (const zone of ['a', 'b']) await addNode(cluster, zone);
    }
  });
  afterAll(async () => {
    for (const cluster of clusters ?? []) await cluster.close();
    await planes?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function addNode(cluster: Cluster, zone: string): Promise<void> {
    const region = cluster.name.slice(0, 2);
    const labels = { 'topology.kubernetes.io/region': region, 'topology.kubernetes.io/zone': `${region}-${zone}` };
    const name = `node-${zone}`;
    await cluster.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
    const amounts = { cpu: cluster.name === 'eu-1' ? '8' : '4', memory: '32Gi', pods: '300' };
    const now = '2026-01-31T12:00:00Z';
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: '',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    const status = { capacity: amounts, allocatable: amounts, conditions: [ready] };
    await cluster.patch(NODES, { name }, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  async function addPod(cluster: Cluster, name: string, spec: object): Promise<void> {
    await cluster.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name }, spec } as never);
  }

  interface Done {
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }

  function command(...args: readonly string[]): Promise<Done> {
    const { promise, resolve } = Promise.withResolvers<Done>();
    const options = { timeout: 90_000, maxBuffer: 64 << 20, env: { ...process.env, NO_COLOR: '1' } };
    execFile(process.execPath, [COMMAND, ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
    return promise;
  }

  const taken = (...args: readonly string[]): Promise<Done> =>
    command('snapshot', '--contexts', 'eu-1,us-1', '--kubeconfig', planes.kubeconfig, ...args);

  it('say what is there, more than one page of it, and where the workload is', async () => {
    const [eu, us] = clusters;
    if (eu === undefined || us === undefined) throw new TypeError('there are two members');
    await eu.create(DEPLOYMENTS, deployment(3) as never);
    await addPod(eu, 'runs', { nodeName: 'node-a', containers });
    // More pods than fit on a page, which ask for nothing but their place.
    const tiny = { nodeName: 'node-b', containers: [{ name: 'a', image: 'a' }] };
    for (let index = 0; index < MANY; index += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, each) => addPod(us, `tiny-${index + each}`, tiny)));
    }
    const files = ['-f', file('policy.yaml', stringify(policy)), '-f', file('web.yaml', stringify(deployment(20)))];
    const { code, out } = await taken(...files);
    expect(code).toBe(0);
    const snapshot = parse(out) as FleetSnapshot;
    expect(snapshotIssues(snapshot)).toEqual([]);
    expect(snapshot.clusters).toMatchObject([
      {
        name: 'eu-1',
        region: 'eu',
        zones: ['eu-a', 'eu-b'],
        kubernetesVersion: expect.stringMatching(/^v1\.\d+\./),
        conditions: [{ type: 'Ready', status: 'True' }],
        capacity: { cpu: '16', memory: '64Gi', pods: '600' },
        summary: { allocated: { cpu: '1', memory: '1Gi', pods: '1' }, nodes: 2, readyNodes: 2 },
      },
      { name: 'us-1', summary: { allocated: { pods: String(MANY) } } },
    ]);
    expect(snapshot.clusters[0]?.apis).toEqual(expect.arrayContaining(['apps/v1/Deployment', 'batch/v1/Job', 'v1/ConfigMap']));
    expect(snapshot.workloads).toEqual([{ apiVersion: 'apps/v1', kind: 'Deployment', ...metadata, clusters: { 'eu-1': 3 } }]);
    expect(out).not.toMatch(/hunter2|PASSWORD|private/);

    const decided = await command('schedule', ...files, '-f', file('snapshot.yaml', out), '-o', 'json');
    // Nodes without room for more pods take none, whatever CPU they have: of us-1 node-b, which is full.
    expect(JSON.parse(decided.out)).toMatchObject({
      outcome: 'Scheduled',
      clusters: [
        { cluster: 'eu-1', current: 3, replicas: 16 },
        { cluster: 'us-1', replicas: 4 },
      ],
    });
  });

  it('keep nodes and pods, and nothing private', async () => {
    const { code, out } = await taken('--raw', '-o', 'json');
    expect(code).toBe(0);
    const { clusters: read } = JSON.parse(out) as FleetSnapshot;
    expect(read.map(({ nodes = [], pods = [] }) => [nodes.length, pods.length])).toEqual([
      [2, 1],
      [2, MANY],
    ]);
    expect(out).not.toMatch(/hunter2|PASSWORD|private|serviceAccount|image/);
  });

  it('have a cluster that is gone as one that may not be ready', async () => {
    await planes.killApiServer('us-1');
    try {
      const { code, out, err } = await taken();
      expect(code).toBe(2);
      expect(err).toMatch(/error: cluster us-1: /);
      expect(parse(out)).toMatchObject({
        clusters: [
          { name: 'eu-1', conditions: [{ type: 'Ready', status: 'True' }] },
          { name: 'us-1', conditions: [{ type: 'Ready', status: 'Unknown', reason: 'ClusterUnreachable' }] },
        ],
      });
    } finally {
      await planes.startApiServer('us-1');
    }
  });
});
