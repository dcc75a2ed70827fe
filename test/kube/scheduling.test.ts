import { type AnyObject, type Cluster, type ResourceType, resourceType } from 'clusterset/kube';
import {
  assembleDecisions,
  PlacementDecision,
  PlacementPolicy,
  placementDecisionsOf,
  planDecisions,
  ReplicaSchedulingPreference,
  schedule,
} from 'clusterset/scheduling';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const TYPES = [PlacementPolicy, ReplicaSchedulingPreference, PlacementDecision];
const key = { namespace: 'shop', name: 'web' };

const policy = {
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'PlacementPolicy',
  metadata: key,
  spec: {
    workload: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    replicas: 8,
    labelSelector: { matchExpressions: [{ key: 'environment', operator: 'In', values: ['production'] }] },
    groups: [{ name: 'home', fields: [{ field: 'region', operator: 'In', values: ['eu'] }] }, { name: 'rest' }],
    groupMode: 'Overflow',
    tolerations: [{ key: 'maintenance', operator: 'Exists', tolerationSeconds: 60, effect: 'NoExecute' }],
    spread: [{ topologyKey: 'region', minGroups: 1, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' }],
    scores: [{ property: { name: 'cost', order: 'LowestFirst' }, weight: 0.5 }],
    division: { type: 'Weighted', clusters: { '*': { weight: 1 }, 'eu-1': { minReplicas: 1, maxReplicas: 5, tier: 0 } } },
    rollout: { waves: [{ name: 'canary', clusterNames: ['eu-1'], maxConcurrency: '50%' }], rest: true, maxFailures: 1 },
    failover: { grace: { unreachableSeconds: 120 }, minReady: '75%', maxClusters: 1 },
  },
};

describe('scheduling on a real API server', () => {
  let planes: ControlPlanes;
  let host: Cluster;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'host' }]);
    host = planes.connect('host');
    await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    for (const type of TYPES) await host.create(CRDS, type.crd() as never);
    for (const type of TYPES) {
      await vi.waitFor(() => host.list(type as never as ResourceType<AnyObject>), { timeout: 30_000, interval: 100 });
    }
  });
  afterAll(async () => {
    await host?.close();
    await planes?.stop();
  });

  it('takes a policy whole, and gives it back as it was', async () => {
    await host.create(PlacementPolicy, policy as never);
    const stored = await host.get(PlacementPolicy, key);
    expect(stored?.spec).toEqual(policy.spec);
    const clusters = ['eu-1', 'us-1'].map((name) => ({ name, region: name.slice(0, 2), labels: { environment: 'production' } }));
    const { workload } = policy.spec;
    expect(schedule({ policy: stored?.spec ?? {}, workload: { ...workload, ...key }, clusters })).toMatchObject({
      outcome: 'Scheduled',
      replicas: 8,
    });
  });

  it.each([
    ['a pick that there is none of', { pick: { type: 'Some' } }, 'spec.pick.type'],
    ['a group without a name', { groups: [{}] }, 'spec.groups[0].name'],
    ['replicas beyond 32 bits', { replicas: 3_000_000_000 }, 'spec.replicas'],
  ])('refuses %s', async (_, spec, field) => {
    const wrong = { ...policy, metadata: { ...key, name: 'wrong' }, spec };
    await expect(host.create(PlacementPolicy, wrong as never)).rejects.toThrow(field);
  });

  it('keeps the slices of a decision, which a reader puts together again', async () => {
    const names = Array.from({ length: 150 }, (_, index) => `cluster-${index}`);
    const wanted = placementDecisionsOf({ ...key, clusters: names.map((name) => ({ name })), schedulerName: 'clusterset' });
    for (const step of planDecisions([], wanted).steps) {
      if (step.op !== 'delete') await host.create(PlacementDecision, step.object);
    }
    const { items } = await host.list(PlacementDecision, { namespace: key.namespace });
    const { clusters, complete } = assembleDecisions(items);
    expect({ count: clusters.length, complete }).toEqual({ count: 150, complete: true });

    const fewer = placementDecisionsOf({
      ...key,
      clusters: names.slice(0, 50).map((name) => ({ name })),
      schedulerName: 'clusterset',
    });
    expect(planDecisions(items, fewer).steps.map(({ op }) => op)).toEqual(['update', 'delete']);
  });

  it('refuses a slice of more than a hundred clusters', async () => {
    const decisions = Array.from({ length: 101 }, (_, index) => ({ clusterProfileRef: { name: `cluster-${index}` } }));
    const slice = {
      apiVersion: 'multicluster.x-k8s.io/v1alpha1',
      kind: 'PlacementDecision',
      metadata: { ...key, name: 'many' },
      decisions,
    };
    await expect(host.create(PlacementDecision, slice as never)).rejects.toThrow('at most 100 items');
  });
});
