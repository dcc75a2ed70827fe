import { type AnyObject, builtIn, type Cluster, memberOf, type ResourceType, type Status } from 'clusterset/kube';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { budgetStatus } from '../../../src/testing/actors/disruption-budget.ts';
import { bind } from '../../../src/testing/api/binding.ts';
import { evict } from '../../../src/testing/api/evict.ts';

const type = (group: string, kind: string): ResourceType => builtIn(group, kind) as ResourceType;
const [PODS, DEPLOYMENTS, BUDGETS, CONFIG_MAPS] = [
  type('', 'Pod'),
  type('apps', 'Deployment'),
  type('policy', 'PodDisruptionBudget'),
  type('', 'ConfigMap'),
];

const namespace = 'default';
const labels = { app: 'web' };
const containers = [{ name: 'c', image: 'shop/web:1' }];
const CONTEXT = { fieldManager: 'test', dryRun: false, fieldValidation: 'Ignore', warnings: [] as string[] } as const;

function running(): { offline: OfflineCluster; port: Cluster; clock: VirtualClock } {
  const clock = new VirtualClock();
  const offline = new OfflineCluster({ name: 'a', clock, nodes: 2 });
  return { offline, port: offline.connect(), clock };
}

async function web(port: Cluster, clock: VirtualClock, replicas: number): Promise<void> {
  const template = { metadata: { labels }, spec: { containers } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  await port.create(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name: 'web' }, spec });
  await clock.advance('1m');
}

/** The answer, whether it is a success or not. */
function evicted({ server }: OfflineCluster, name: string, more: object = {}): Status {
  const served = server.served(PODS);
  if (served === undefined) throw new Error('pods are not served');
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more };
  try {
    return evict(server, served, { namespace, name }, body, { ...CONTEXT, warnings: [] });
  } catch (error) {
    return (error as { readonly status: Status }).status;
  }
}

const names = async (port: Cluster): Promise<readonly string[]> =>
  (await port.list(PODS, { namespace })).items.map(({ metadata }) => metadata.name);

describe('the scale of a Deployment', () => {
  it('is what its ReplicaSets follow', async () => {
    const { port, clock } = running();
    await web(port, clock, 1);
    await port.patch(
      DEPLOYMENTS,
      { namespace, name: 'web' },
      { type: 'merge', body: { spec: { replicas: 3 } } },
      { subresource: 'scale' },
    );
    await clock.advance('1m');
    const scale = await port.patch(
      DEPLOYMENTS,
      { namespace, name: 'web' },
      { type: 'merge', body: {} },
      { subresource: 'scale', dryRun: true },
    );
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { replicas: 3, selector: 'app=web' } });
  });

  it('is not there for what has none', async () => {
    const { port } = running();
    await port.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'a' } });
    const scaling = port.patch(CONFIG_MAPS, { namespace, name: 'a' }, { type: 'merge', body: {} }, { subresource: 'scale' });
    await expect(scaling).rejects.toMatchObject({ code: 'NotServed' });
  });
});

describe('an eviction', () => {
  it('spends the budget of a pod, and waits until it is filled again', async () => {
    const { offline, port, clock } = running();
    await web(port, clock, 3);
    const spec = { minAvailable: 2, selector: { matchLabels: labels } };
    await port.create(BUDGETS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { namespace, name: 'web' },
      spec,
    });
    const [one = '', other = ''] = await names(port);
    expect(evicted(offline, one)).toMatchObject({
      code: 429,
      details: {
        retryAfterSeconds: 10,
        causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web is still being processed by the server.' }],
      },
    });
    await clock.settle();
    expect(evicted(offline, one)).toMatchObject({ status: 'Success', code: 201 });
    expect(evicted(offline, other)).toMatchObject({
      code: 429,
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      reason: 'TooManyRequests',
    });
    await clock.settle();
    expect(evicted(offline, other).details?.causes).toEqual([
      { reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods and has 2 currently' },
    ]);
    await clock.advance('1m');
    expect(await names(port)).not.toContain(one);
    expect(evicted(offline, other)).toMatchObject({ code: 201 });
  });

  it('that is tried out changes nothing', async () => {
    const { offline, port, clock } = running();
    await web(port, clock, 2);
    const [one = ''] = await names(port);
    const { resourceVersion } = await port.list(PODS, { namespace });
    expect(evicted(offline, one, { deleteOptions: { dryRun: ['All'] } })).toMatchObject({ code: 201 });
    expect((await port.list(PODS, { namespace })).resourceVersion).toBe(resourceVersion);
  });

  it('that comes to nothing is forgotten after two minutes', async () => {
    const { port, clock } = running();
    await web(port, clock, 2);
    const [one = ''] = await names(port);
    const spec = { minAvailable: 1, selector: { matchLabels: labels } };
    const key = { namespace, name: 'web' };
    await port.create(BUDGETS, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: key, spec });
    await clock.settle();
    const disruptedPods = { [one]: new Date(clock.now()).toISOString().replace('.000', '') };
    await port.patch(BUDGETS, key, { type: 'merge', body: { status: { disruptedPods } } }, { subresource: 'status' });
    // A change of any of its pods makes the budget count anew.
    await port.patch(PODS, { namespace, name: one }, { type: 'merge', body: { metadata: { labels: { x: 'y' } } } });
    const allowed = async (): Promise<unknown> => memberOf((await port.get(BUDGETS, key))?.status, 'disruptionsAllowed');
    await clock.settle();
    expect(await allowed()).toBe(0);
    await clock.advance('1m');
    expect(await allowed()).toBe(0);
    await clock.advance('2m');
    expect(await allowed()).toBe(1);
  });
});

describe('a budget', () => {
  const pod = (name: string, ready = true): AnyObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });
  const pods = [pod('a'), pod('b'), pod('c'), pod('d', false)];

  it.each<[object, number, object]>([
    [{ minAvailable: 2 }, 4, { expectedPods: 4, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 }],
    [{ minAvailable: 5 }, 4, { expectedPods: 4, desiredHealthy: 5, currentHealthy: 3, disruptionsAllowed: 0 }],
    [{ minAvailable: '50%' }, 5, { expectedPods: 5, desiredHealthy: 3, currentHealthy: 3, disruptionsAllowed: 0 }],
    [{ maxUnavailable: 3 }, 5, { expectedPods: 5, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 }],
    [{ maxUnavailable: '30%' }, 5, { expectedPods: 5, desiredHealthy: 3, currentHealthy: 3, disruptionsAllowed: 0 }],
    [{ maxUnavailable: 9 }, 5, { expectedPods: 5, desiredHealthy: 0, currentHealthy: 3, disruptionsAllowed: 3 }],
    [{ maxUnavailable: 9 }, 0, { expectedPods: 0, desiredHealthy: 0, currentHealthy: 3, disruptionsAllowed: 0 }],
  ])('of %o with %i wanted replicas counts %o', (spec, wanted, status) => {
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { namespace, name: 'web', generation: 3 },
      spec,
    };
    expect(budgetStatus(budget, { pods, wanted }, 0, '2026-01-01T00:00:00Z')).toMatchObject({ ...status, observedGeneration: 3 });
  });
});

describe('a collection that is deleted', () => {
  it('is listed as it was, page by page where there is a limit', async () => {
    const offline = new OfflineCluster({ name: 'a', clock: new VirtualClock() });
    const port = offline.connect();
    const served = offline.server.served(CONFIG_MAPS);
    if (served === undefined) throw new Error('ConfigMaps are not served');
    for (const name of ['a', 'b', 'c'])
      await port.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });
    const { list } = offline.server.deleteCollection(served, { namespace, limit: 2 }, {});
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(list.continue).toBeDefined();
    expect((await port.list(CONFIG_MAPS, { namespace })).items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  });
});

describe('a binding', () => {
  it('gives a pod to a node, where its kubelet starts it', async () => {
    const { offline, port, clock } = running();
    const spec = { schedulerName: 'mine', containers };
    await port.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'a' }, spec });
    await clock.advance('1m');
    const key = { namespace, name: 'a' };
    expect((await port.get(PODS, key))?.status).toMatchObject({ phase: 'Pending' });
    const served = offline.server.served(PODS);
    if (served === undefined) throw new Error('pods are not served');
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Node', name: 'node-1' } };
    expect(bind(offline.server.state, served, key, body, { ...CONTEXT, warnings: [] })).toMatchObject({ code: 201 });
    await clock.advance('1m');
    expect(await port.get(PODS, key)).toMatchObject({ spec: { nodeName: 'node-1' }, status: { phase: 'Running' } });
  });
});
