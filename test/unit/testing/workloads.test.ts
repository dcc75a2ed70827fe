import { type AnyObject, builtIn, type Cluster, findCondition, type Json, type ResourceType } from 'clusterset/kube';
import { OfflineCluster, simulate, VirtualClock, type World } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';

function typeOf(group: string, kind: string): ResourceType {
  const type = builtIn(group, kind);
  if (type === undefined) throw new TypeError(`${kind} is not built in`);
  return type;
}

const NODES = typeOf('', 'Node');
const PODS = typeOf('', 'Pod');
const SERVICES = typeOf('', 'Service');
const NAMESPACES = typeOf('', 'Namespace');
const CONFIG_MAPS = typeOf('', 'ConfigMap');
const ACCOUNTS = typeOf('', 'ServiceAccount');
const DEPLOYMENTS = typeOf('apps', 'Deployment');
const REPLICA_SETS = typeOf('apps', 'ReplicaSet');
const STATEFUL_SETS = typeOf('apps', 'StatefulSet');
const DAEMON_SETS = typeOf('apps', 'DaemonSet');
const JOBS = typeOf('batch', 'Job');
const SLICES = typeOf('discovery.k8s.io', 'EndpointSlice');

const WEB = { namespace: 'default', name: 'web' };

type Value = Readonly<Record<string, unknown>>;

const template = (spec: Value = {}, annotations: Readonly<Record<string, string>> = {}, container = 'shop/web:1') => ({
  metadata: { labels: { app: 'web' }, annotations },
  spec: { containers: [{ name: 'web', image: container, ports: [{ name: 'http', containerPort: 8080 }] }], ...spec },
});

const workload = (kind: string, spec: Value, podTemplate = template()) => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: WEB,
  spec: { ...(kind === 'Job' ? {} : { selector: { matchLabels: { app: 'web' } } }), template: podTemplate, ...spec },
});

const asking = (cpu: string) => ({ containers: [{ name: 'web', image: 'shop/web:1', resources: { requests: { cpu } } }] });

let world: World | undefined;
afterEach(async () => {
  await world?.advance('5m');
  world?.verify();
  await world?.[Symbol.asyncDispose]();
  world = undefined;
});

async function start(nodes: number | readonly { readonly name?: string }[] = 3): Promise<{ world: World; eu: Cluster }> {
  world = await simulate({ members: { 'eu-1': { nodes } } });
  await world.advance('1s');
  return { world, eu: world.connect('eu-1') };
}

const pods = async (cluster: Cluster): Promise<readonly AnyObject[]> =>
  (await cluster.list(PODS)).items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)) as readonly AnyObject[];
const names = (list: readonly AnyObject[]): readonly string[] => list.map(({ metadata }) => metadata.name);
const phases = (list: readonly AnyObject[]): readonly unknown[] => list.map((each) => (each.status as Value).phase);
const status = async (cluster: Cluster, type: ResourceType, key: { name: string; namespace?: string } = WEB): Promise<Value> =>
  ((await cluster.get(type, key)) as AnyObject | undefined)?.status as Value;
const condition = (of: Value, type: string) => findCondition(of.conditions as Parameters<typeof findCondition>[0], type);
const image = (pod: AnyObject): unknown => (pod.spec as { containers: readonly Value[] }).containers[0]?.image;

async function setTemplate(cluster: Cluster, type: ResourceType, next: Value): Promise<void> {
  await cluster.patch(type, WEB, { type: 'merge', body: { spec: { template: next as Json } } });
}

describe('Deployments of a cluster with nodes', () => {
  it('become a ReplicaSet and pods that run after a while, spread over the nodes', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 3 }));
    await each.settle();
    expect(phases(await pods(eu))).toEqual(['Pending', 'Pending', 'Pending']);
    expect(await status(eu, DEPLOYMENTS)).toMatchObject({ observedGeneration: 1, replicas: 3, unavailableReplicas: 3 });
    await each.advance('1s');
    const [set] = (await eu.list(REPLICA_SETS)).items as readonly AnyObject[];
    expect(set?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
    const hash = set?.metadata.labels?.['pod-template-hash'];
    const all = await pods(eu);
    expect(phases(all)).toEqual(['Running', 'Running', 'Running']);
    for (const pod of all) {
      expect(pod.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
      expect(pod.metadata.name.startsWith(`${set?.metadata.name}-`)).toBe(true);
      expect(pod.metadata.ownerReferences).toEqual([
        expect.objectContaining({ kind: 'ReplicaSet', uid: set?.metadata.uid, controller: true, blockOwnerDeletion: true }),
      ]);
    }
    expect(new Set(all.map((pod) => (pod.spec as Value).nodeName)).size).toBe(3);
    const end = await status(eu, DEPLOYMENTS);
    expect(end).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
    });
    expect(condition(end, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    expect(condition(end, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
    });
    expect((await eu.get(DEPLOYMENTS, WEB))?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
  });

  it('never have more pods than the surge, nor fewer available ones, while a new image is rolled out', async () => {
    const { world: each, eu } = await start();
    await eu.create(
      DEPLOYMENTS,
      workload('Deployment', { replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }),
    );
    await each.advance('10s');
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:2'));
    let most = 0;
    let least = 4;
    for (let step = 0; step < 40; step += 1) {
      await each.advance(250);
      const live = (await pods(eu)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      most = Math.max(most, live.length);
      least = Math.min(least, Number((await status(eu, DEPLOYMENTS)).availableReplicas ?? 0));
    }
    expect({ most, least }).toEqual({ most: 5, least: 3 });
    const all = await pods(eu);
    expect(all.map(image)).toEqual(Array.from({ length: 4 }, () => 'shop/web:2'));
    const sets = (await eu.list(REPLICA_SETS)).items as readonly AnyObject[];
    expect(
      sets
        .map(({ metadata, spec }) => [metadata.annotations?.['deployment.kubernetes.io/revision'], (spec as Value).replicas])
        .toSorted(),
    ).toEqual([
      ['1', 0],
      ['2', 4],
    ]);
  });

  it('go back to the ReplicaSet of an earlier template, which becomes the newest revision', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2 }));
    await each.advance('10s');
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:2'));
    await each.advance('20s');
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:1'));
    await each.advance('20s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:1', 'shop/web:1']);
    const sets = (await eu.list(REPLICA_SETS)).items as readonly AnyObject[];
    const annotations = sets.map(({ metadata }) => metadata.annotations ?? {});
    expect(
      annotations
        .map((every) => [every['deployment.kubernetes.io/revision'], every['deployment.kubernetes.io/revision-history']])
        .toSorted(),
    ).toEqual([
      ['2', undefined],
      ['3', '1'],
    ]);
  });

  it('end all old pods before new ones start where they are recreated', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2, strategy: { type: 'Recreate' } }));
    await each.advance('10s');
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:2'));
    const seen = new Set<string>();
    for (let step = 0; step < 20; step += 1) {
      await each.advance(250);
      seen.add([...new Set((await pods(eu)).map(image))].join('+'));
    }
    expect([...seen].filter((every) => every !== '')).toEqual(['shop/web:1', 'shop/web:2']);
    expect((await pods(eu)).map(image)).toEqual(['shop/web:2', 'shop/web:2']);
  });

  it('stand still while they are paused, and keep as many ReplicaSets as their history', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 1, revisionHistoryLimit: 1 }));
    await each.advance('10s');
    await eu.patch(DEPLOYMENTS, WEB, { type: 'merge', body: { spec: { paused: true } } });
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:2'));
    await each.advance('10s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:1']);
    expect(condition(await status(eu, DEPLOYMENTS), 'Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
    });
    await eu.patch(DEPLOYMENTS, WEB, { type: 'merge', body: { spec: { paused: false } } });
    await each.advance('10s');
    await setTemplate(eu, DEPLOYMENTS, template({}, {}, 'shop/web:3'));
    await each.advance('10s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:3']);
    expect((await eu.list(REPLICA_SETS)).items).toHaveLength(2);
  });

  it('say so when the deadline for progress passes', async () => {
    const { world: each, eu } = await start();
    await eu.create(
      DEPLOYMENTS,
      workload(
        'Deployment',
        { replicas: 1, progressDeadlineSeconds: 60 },
        template({}, { 'clusterset.dev/simulate': 'NeverReady' }),
      ),
    );
    await each.advance('50s');
    expect(condition(await status(eu, DEPLOYMENTS), 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'ReplicaSetUpdated',
    });
    await each.advance('15s');
    const late = await status(eu, DEPLOYMENTS);
    expect(condition(late, 'Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    expect(condition(late, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
  });

  it('are scaled both ways', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2 }));
    for (const replicas of [5, 1, 0]) {
      await eu.patch(DEPLOYMENTS, WEB, { type: 'merge', body: { spec: { replicas } } });
      await each.advance('5s');
      expect(await pods(eu)).toHaveLength(replicas);
      expect((await status(eu, DEPLOYMENTS)).readyReplicas ?? 0).toBe(replicas);
    }
  });

  it('take their ReplicaSets and pods along, which have their grace', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2 }));
    await each.advance('5s');
    expect(await eu.delete(DEPLOYMENTS, WEB)).toBe('gone');
    await each.settle();
    expect((await eu.list(REPLICA_SETS)).items).toEqual([]);
    const leaving = await pods(eu);
    expect(leaving.map(({ metadata }) => metadata.deletionGracePeriodSeconds)).toEqual([30, 30]);
    await each.advance('1s');
    expect(await pods(eu)).toEqual([]);
  });
});

describe('pods of a cluster with nodes', () => {
  it('wait where no node has room, say why, and run when a node comes', async () => {
    const { world: each, eu } = await start(3);
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 4 }, template(asking('3'))));
    await each.advance('5s');
    const [waiting, ...more] = (await pods(eu)).filter((pod) => (pod.status as Value).phase === 'Pending');
    expect(more).toEqual([]);
    expect(condition(waiting?.status as Value, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
    });
    each.cluster('eu-1').addNode({ name: 'spare' });
    await each.advance('5s');
    expect(phases(await pods(eu))).toEqual(['Running', 'Running', 'Running', 'Running']);
    expect((await pods(eu)).map((pod) => (pod.spec as Value).nodeName)).toContain('spare');
  });

  it('crash and back off where they are told to, and recover when that ends', async () => {
    const { world: each, eu } = await start();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 1 }));
    await each.advance('5s');
    const crash = each.cluster('eu-1').behave({ app: 'web' }, 'CrashLoop');
    await each.settle();
    const container = async (): Promise<Value> => {
      const [pod] = await pods(eu);
      return (pod === undefined ? [] : ((pod.status as Value).containerStatuses as readonly Value[]))[0] ?? {};
    };
    expect(await container()).toMatchObject({
      ready: false,
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    await each.advance('30s');
    expect(await container()).toMatchObject({ restartCount: 3, lastState: { terminated: { exitCode: 1, reason: 'Error' } } });
    expect((await status(eu, DEPLOYMENTS)).availableReplicas).toBeUndefined();
    crash[Symbol.dispose]();
    await each.advance('1s');
    expect(await container()).toMatchObject({ ready: true, restartCount: 3, state: { running: {} } });
    expect((await status(eu, DEPLOYMENTS)).availableReplicas).toBe(1);
  });

  it.each([
    ['ImageError', 'Pending', 'ImagePullBackOff'],
    ['CrashLoop', 'Running', 'CrashLoopBackOff'],
  ])('with the annotation %s are %s, waiting because of %s', async (annotation, phase, reason) => {
    const { world: each, eu } = await start();
    await eu.create(
      DEPLOYMENTS,
      workload('Deployment', { replicas: 1 }, template({}, { 'clusterset.dev/simulate': annotation })),
    );
    await each.advance('5s');
    const [pod] = await pods(eu);
    expect(pod?.status).toMatchObject({ phase, containerStatuses: [{ state: { waiting: { reason } } }] });
    expect(condition(pod?.status as Value, 'Ready')?.status).toBe('False');
  });

  it('are stopped at once where nobody runs them, or the caller has no patience', async () => {
    const { world: each, eu } = await start(0);
    await eu.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: WEB, spec: template().spec });
    await each.settle();
    expect(condition(await status(eu, PODS), 'PodScheduled')?.message).toBe('no nodes available to schedule pods');
    expect(await eu.delete(PODS, WEB)).toBe('gone');
    each.cluster('eu-1').addNode();
    await eu.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: WEB, spec: template().spec });
    await each.advance('5s');
    expect(await eu.delete(PODS, WEB)).toBe('terminating');
    expect(await eu.delete(PODS, WEB, { gracePeriodSeconds: 0 })).toBe('gone');
    expect(await pods(eu)).toEqual([]);
  });

  it('are replaced elsewhere some time after their node is gone', async () => {
    const { world: each, eu } = await start(2);
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2 }));
    await each.advance('5s');
    await eu.delete(NODES, { name: 'node-0' });
    await each.advance('1m');
    expect((await pods(eu)).map((pod) => (pod.spec as Value).nodeName)).toEqual(['node-1', 'node-1']);
  });
});

describe('other workloads', () => {
  it('StatefulSets start their pods one after the other, from spec.ordinals.start on', async () => {
    const { world: each, eu } = await start();
    await eu.create(STATEFUL_SETS, workload('StatefulSet', { replicas: 3, serviceName: 'web', ordinals: { start: 5 } }));
    await each.settle();
    expect(names(await pods(eu))).toEqual(['web-5']);
    await each.advance('1s');
    expect(names(await pods(eu))).toEqual(['web-5', 'web-6']);
    await each.advance('5s');
    const all = await pods(eu);
    expect(names(all)).toEqual(['web-5', 'web-6', 'web-7']);
    expect(all[0]?.spec).toMatchObject({ hostname: 'web-5', subdomain: 'web' });
    expect(all[0]?.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'web-5',
      'apps.kubernetes.io/pod-index': '5',
    });
    expect(await status(eu, STATEFUL_SETS)).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    await eu.patch(STATEFUL_SETS, WEB, { type: 'merge', body: { spec: { replicas: 1 } } });
    await each.settle();
    expect((await pods(eu)).map(({ metadata }) => metadata.deletionTimestamp !== undefined)).toEqual([false, false, true]);
    await each.advance('5s');
    expect(names(await pods(eu))).toEqual(['web-5']);
  });

  it('StatefulSets update from the last pod down to the partition', async () => {
    const { world: each, eu } = await start();
    const rolling = (partition: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } });
    await eu.create(STATEFUL_SETS, workload('StatefulSet', { replicas: 3, serviceName: 'web', ...rolling(2) }));
    await each.advance('10s');
    await setTemplate(eu, STATEFUL_SETS, template({}, {}, 'shop/web:2'));
    await each.advance('30s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:1', 'shop/web:1', 'shop/web:2']);
    expect(await status(eu, STATEFUL_SETS)).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 });
    // A pod below the partition comes back as it was.
    await eu.delete(PODS, { namespace: 'default', name: 'web-0' });
    await each.advance('10s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:1', 'shop/web:1', 'shop/web:2']);
    await eu.patch(STATEFUL_SETS, WEB, { type: 'merge', body: { spec: rolling(0) } });
    await each.advance('30s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:2', 'shop/web:2', 'shop/web:2']);
    const end = await status(eu, STATEFUL_SETS);
    expect(end.currentRevision).toBe(end.updateRevision);
  });

  it('StatefulSets start all pods at once where they are parallel', async () => {
    const { world: each, eu } = await start();
    await eu.create(STATEFUL_SETS, workload('StatefulSet', { replicas: 3, serviceName: 'web', podManagementPolicy: 'Parallel' }));
    await each.settle();
    expect(names(await pods(eu))).toEqual(['web-0', 'web-1', 'web-2']);
  });

  it('DaemonSets have a pod on every node that they tolerate and select, also on those that come later', async () => {
    const { world: each, eu } = await start([
      { name: 'a', labels: { disk: 'ssd' } },
      { name: 'b', labels: { disk: 'ssd' }, taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
      { name: 'c' },
    ] as readonly { readonly name: string }[]);
    await eu.create(DAEMON_SETS, workload('DaemonSet', {}, template({ nodeSelector: { disk: 'ssd' } })));
    await each.advance('5s');
    const where = async (): Promise<readonly unknown[]> => (await pods(eu)).map((pod) => (pod.spec as Value).nodeName).toSorted();
    expect(await where()).toEqual(['a']);
    each.cluster('eu-1').addNode({ name: 'd', labels: { disk: 'ssd' } });
    await each.advance('5s');
    expect(await where()).toEqual(['a', 'd']);
    expect(await status(eu, DAEMON_SETS)).toMatchObject({
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberReady: 2,
      numberAvailable: 2,
      updatedNumberScheduled: 2,
    });
    await setTemplate(eu, DAEMON_SETS, template({ nodeSelector: { disk: 'ssd' } }, {}, 'shop/web:2'));
    await each.advance('20s');
    expect((await pods(eu)).map(image)).toEqual(['shop/web:2', 'shop/web:2']);
  });

  it('Jobs end when enough pods have succeeded', async () => {
    const { world: each, eu } = await start();
    await eu.create(
      JOBS,
      workload('Job', { completions: 3, parallelism: 2, backoffLimit: 6 }, template({ restartPolicy: 'Never' })),
    );
    await each.settle();
    expect(await status(eu, JOBS)).toMatchObject({ active: 2 });
    await each.advance('10s');
    expect(phases(await pods(eu))).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    const end = await status(eu, JOBS);
    expect(end).toMatchObject({ succeeded: 3, ready: 0, terminating: 0 });
    expect((end.conditions as readonly Value[]).map(({ type, status: is, reason }) => [type, is, reason])).toEqual([
      ['SuccessCriteriaMet', 'True', 'CompletionsReached'],
      ['Complete', 'True', 'CompletionsReached'],
    ]);
  });

  it('Jobs fail when more pods have failed than they allow, later and later after one another', async () => {
    const { world: each, eu } = await start();
    await eu.create(
      JOBS,
      workload(
        'Job',
        { completions: 1, parallelism: 1, backoffLimit: 1 },
        template({ restartPolicy: 'Never' }, { 'clusterset.dev/simulate': 'Fail' }),
      ),
    );
    await each.advance('5s');
    expect(await status(eu, JOBS)).toMatchObject({ failed: 1 });
    expect(await pods(eu)).toHaveLength(1);
    await each.advance('30s');
    const end = await status(eu, JOBS);
    expect(end).toMatchObject({ failed: 2 });
    expect(condition(end, 'Failed')).toMatchObject({ status: 'True', reason: 'BackoffLimitExceeded' });
  });
});

describe('services of a cluster with nodes', () => {
  const service = (spec: Value = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...WEB, labels: { team: 'shop' } },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
  });

  it('have slices with the pods that they select, ready as those are', async () => {
    const { world: each, eu } = await start();
    await eu.create(SERVICES, service());
    await each.settle();
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 2 }));
    await each.advance('5s');
    const slices = (await eu.list(SLICES)).items as readonly AnyObject[];
    expect(slices).toHaveLength(1);
    const [slice] = slices;
    expect(slice?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
    expect(slice?.metadata.labels).toEqual({
      team: 'shop',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    const endpoints = slice?.endpoints as readonly Value[];
    expect(endpoints.map(({ conditions }) => conditions)).toEqual(
      Array.from({ length: 2 }, () => ({ ready: true, serving: true, terminating: false })),
    );
    expect(new Set(endpoints.map(({ addresses }) => String(addresses))).size).toBe(2);
    each.cluster('eu-1').behave({ app: 'web' }, 'NeverReady');
    await each.settle();
    const [unready] = (await eu.list(SLICES)).items as readonly AnyObject[];
    expect(unready?.endpoints).toEqual([
      expect.objectContaining({ conditions: expect.objectContaining({ ready: false }) }),
      expect.objectContaining({ conditions: expect.objectContaining({ ready: false }) }),
    ]);
    await eu.delete(SERVICES, WEB);
    await each.settle();
    expect((await eu.list(SLICES)).items).toEqual([]);
  });

  it('get an address where they are load balancers, and another in another cluster', async () => {
    world = await simulate({
      members: { 'eu-1': { nodes: 1 }, 'us-1': { nodes: 1 }, bare: { workloads: { loadBalancers: false } } },
    });
    const addresses: unknown[] = [];
    for (const name of world.members.keys()) {
      await world.connect(name).create(SERVICES, service({ type: 'LoadBalancer' }));
      await world.settle();
      addresses.push((await status(world.connect(name), SERVICES)).loadBalancer);
    }
    expect(addresses[0]).toEqual({ ingress: [{ ip: expect.stringMatching(/^198\.1[89]\./), ipMode: 'VIP' }] });
    expect(addresses[1]).not.toEqual(addresses[0]);
    expect(addresses[2]).toEqual({});
  });
});

describe('a cluster with workloads', () => {
  it('fills every namespace, and lets it go with everything in it', async () => {
    const { world: each, eu } = await start();
    await eu.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await each.settle();
    expect(names((await eu.list(ACCOUNTS, { namespace: 'shop' })).items as readonly AnyObject[])).toEqual(['default']);
    expect(names((await eu.list(CONFIG_MAPS, { namespace: 'shop' })).items as readonly AnyObject[])).toEqual([
      'kube-root-ca.crt',
    ]);
    await eu.delete(CONFIG_MAPS, { namespace: 'shop', name: 'kube-root-ca.crt' });
    await each.settle();
    expect((await eu.list(CONFIG_MAPS, { namespace: 'shop' })).items).toHaveLength(1);
    await eu.create(DEPLOYMENTS, { ...workload('Deployment', { replicas: 2 }), metadata: { namespace: 'shop', name: 'web' } });
    await each.advance('5s');
    expect(await pods(eu)).toHaveLength(2);
    await eu.delete(NAMESPACES, { name: 'shop' });
    await each.advance('5s');
    expect(await eu.get(NAMESPACES, { name: 'shop' })).toBeUndefined();
    expect(await pods(eu)).toEqual([]);
  });

  it('is the same each time, down to the names of its pods', async () => {
    const run = async (): Promise<unknown> => {
      await using again = await simulate({ members: { 'eu-1': { nodes: 2 } } });
      const eu = again.connect('eu-1');
      await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 3 }));
      await again.advance('10s');
      return { pods: await pods(eu), deployment: await eu.get(DEPLOYMENTS, WEB) };
    };
    expect(await run()).toEqual(await run());
  });

  it('comes to rest, and leaves no timer when it is disposed of', async () => {
    const clock = new VirtualClock();
    const again = await simulate({ members: { 'eu-1': { nodes: 2 } }, clock });
    const eu = again.connect('eu-1');
    await eu.create(DEPLOYMENTS, workload('Deployment', { replicas: 3 }));
    await eu.create(DAEMON_SETS, { ...workload('DaemonSet', {}), metadata: { namespace: 'default', name: 'agent' } });
    await again.advance('1h');
    const before = (await eu.list(PODS)).resourceVersion;
    expect(clock.waiting).toBe(0);
    await again.advance('1h');
    expect((await eu.list(PODS)).resourceVersion).toBe(before);
    await eu.create(JOBS, workload('Job', { completions: 1 }, template({ restartPolicy: 'Never' })));
    await again.settle();
    expect(clock.waiting).toBeGreaterThan(0);
    await again[Symbol.asyncDispose]();
    expect(clock.waiting).toBe(0);
  });

  it('says what is missing where no workloads run, or a node can not be', async () => {
    const bare = new OfflineCluster({ name: 'bare', clock: new VirtualClock() });
    expect(() => bare.addNode()).toThrowError(
      'cluster bare: no workloads run here; make the cluster with nodes, or with workloads: true',
    );
    expect(() => bare.behave({}, 'Run')).toThrowError(expect.objectContaining({ code: 'Invalid' }));
    expect(() => new OfflineCluster({ name: 'a', nodes: -1 })).toThrowError('-1 is no number of nodes');
    expect(() => new OfflineCluster({ name: 'a', nodes: [{ name: 'A b' }] })).toThrowError('"A b" is no name of a node');
    const full = new OfflineCluster({ name: 'full', nodes: 1, clock: new VirtualClock() });
    expect(() => full.addNode({ name: 'node-0' })).toThrowError(expect.objectContaining({ code: 'AlreadyExists' }));
    full.stop();
  });

  it('takes a member’s own word over the world’s', async () => {
    world = await simulate({
      workloads: { nodes: 1 },
      members: { a: {}, b: { nodes: 2 }, c: { workloads: false, labels: { x: 'y' } } },
    });
    await world.settle();
    const counts: number[] = [];
    for (const name of world.members.keys()) counts.push((await world.connect(name).list(NODES)).items.length);
    expect(counts).toEqual([1, 2, 0]);
    expect(world.entries).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c', labels: { x: 'y' } }]);
  });
});
