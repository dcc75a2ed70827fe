import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type AnyObject, BUILT_IN, type Cluster, type Json, type ResourceType } from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import { serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { canRollOut } from './harness/binaries.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

type Value = Readonly<Record<string, unknown>>;

function typeOf(kind: string): ResourceType {
  const type = BUILT_IN.find((each) => each.kind === kind);
  if (type === undefined) throw new TypeError(`${kind} is not built in`);
  return type;
}

/** A cluster, and how it is waited for. */
interface Side {
  readonly cluster: Cluster;
  /** Until it is so, and nothing changes any more. */
  until(what: string, check: () => Promise<boolean>): Promise<void>;
}

const NODES = 2;
const CAPACITY = { cpu: '32', memory: '256Gi', pods: '110' };
/** Labels of nodes that their pods get, too. */
const PLACE = { 'topology.kubernetes.io/region': 'eu', 'topology.kubernetes.io/zone': 'eu-a' };
const WAIT_MS = 60_000;
const QUIET_MS = 1500;

const template = (image = 'shop/web:1', spec: Value = {}) => ({
  metadata: { labels: { app: 'web' }, annotations: { team: 'shop' } },
  spec: { containers: [{ name: 'web', image, ports: [{ name: 'http', containerPort: 8080 }] }], ...spec },
});

const workload = (kind: string, namespace: string, spec: Value) => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { namespace, name: 'web', labels: { team: 'shop' }, annotations: { owner: 'shop' } },
  spec: { ...(kind === 'Job' ? {} : { selector: { matchLabels: { app: 'web' } } }), template: template(), ...spec },
});

const LISTED = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'EndpointSlice', 'ServiceAccount', 'ConfigMap'];

/** The objects of a namespace as they compare: without what differs from run to run, and hashes and generated names as such. */
async function picture(cluster: Cluster, namespace: string): Promise<unknown> {
  const list = async (kind: string): Promise<readonly AnyObject[]> =>
    (await cluster.list(typeOf(kind), { namespace })).items as readonly AnyObject[];
  const objects = (await Promise.all(LISTED.map(list))).flat();
  const pods = await list('Pod');
  const hashes = [...objects, ...pods].flatMap(({ metadata }) =>
    ['pod-template-hash', 'controller-revision-hash'].flatMap((name) => metadata.labels?.[name] ?? []),
  );
  const plain = (value: unknown): unknown => {
    const text = hashes
      .toSorted((a, b) => b.length - a.length)
      .reduce((all, hash) => all.replaceAll(hash.replace(/^web-/, ''), 'HASH'), JSON.stringify(value));
    return JSON.parse(text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UID'));
  };
  const compared = (values: readonly Value[]): readonly unknown[] =>
    (plain(values) as readonly unknown[]).map(sorted).toSorted(byText);
  return { objects: compared(objects.map(pictured)), pods: compared(pods.map(picturedPod)) };
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

function picturedMetadata({ kind, metadata }: AnyObject): Value {
  const { name, generateName, labels, annotations, ownerReferences, generation, finalizers } = metadata;
  const {
    'kubectl.kubernetes.io/last-applied-configuration': _a,
    'endpoints.kubernetes.io/last-change-trigger-time': _t,
    ...kept
  } = annotations ?? {};
  return {
    name: generateName === undefined ? name : `${generateName}*`,
    labels,
    annotations: kept,
    owners: ownerReferences,
    generation: HURRIED.has(kind) ? undefined : generation,
    finalizers,
  };
}

function pictured(object: AnyObject): Value {
  const { kind, apiVersion } = object;
  const base = { kind, apiVersion, metadata: picturedMetadata(object) };
  const spec = (object.spec ?? {}) as Value;
  if (kind === 'EndpointSlice') {
    const endpoints = ((object.endpoints ?? []) as readonly Value[]).map(({ conditions, targetRef, nodeName }) => ({
      conditions,
      target: (targetRef as Value).kind,
      hasNode: nodeName !== undefined,
    }));
    return { ...base, endpoints, ports: object.ports, addressType: object.addressType };
  }
  if (object.status === undefined) return base;
  return { ...base, replicas: spec.replicas, selector: spec.selector, status: picturedStatus(kind, object.status as Value) };
}

/** How many writes led to where they are depends on how fast others were. */
const HURRIED: ReadonlySet<string> = new Set(['ReplicaSet', 'EndpointSlice']);

/** Times aside; conditions by type. */
function picturedStatus(kind: string, { startTime, completionTime, conditions, observedGeneration, ...counts }: Value): Value {
  const seen = HURRIED.has(kind) ? {} : { observedGeneration };
  const kept = ((conditions ?? []) as readonly Value[]).map(({ type, status, reason, message }) => ({
    type,
    status,
    reason,
    message,
  }));
  return {
    ...counts,
    ...seen,
    hasStarted: startTime !== undefined,
    isOver: completionTime !== undefined,
    conditions: kept.toSorted(byText),
  };
}

function picturedPod(pod: AnyObject): Value {
  const { phase, conditions = [] } = pod.status as { phase: string; conditions?: readonly Value[] };
  const scheduled = conditions
    .filter(({ type }) => type === 'PodScheduled')
    .map(({ status, reason, message }) => ({ status, reason, message }));
  const { hostname, subdomain, affinity, tolerations } = pod.spec as Value;
  return { metadata: picturedMetadata(pod), phase, scheduled, spec: { hostname, subdomain, affinity, tolerations } };
}

/** What is done to both, and when it is over. */
interface Scenario {
  readonly name: string;
  readonly act: (side: Side, namespace: string) => Promise<void>;
}

async function statusOf(cluster: Cluster, kind: string, namespace: string): Promise<Value> {
  const object = (await cluster.get(typeOf(kind), { namespace, name: 'web' })) as AnyObject | undefined;
  const isSeen = kind === 'Job' || (object?.status as Value | undefined)?.observedGeneration === object?.metadata.generation;
  return isSeen ? ((object?.status ?? {}) as Value) : {};
}

const merge = (cluster: Cluster, kind: string, namespace: string, spec: Value): Promise<unknown> =>
  cluster.patch(typeOf(kind), { namespace, name: 'web' }, { type: 'merge', body: { spec: spec as Json } });

async function podCount(cluster: Cluster, namespace: string): Promise<number> {
  return (await cluster.list(typeOf('Pod'), { namespace })).items.length;
}

/** Until so many pods are there, all of them counted by the status. */
const ready = (side: Side, kind: string, namespace: string, count: number, counters: readonly string[]): Promise<void> =>
  side.until(`${count} replicas of the ${kind}`, async () => {
    const status = await statusOf(side.cluster, kind, namespace);
    const isCounted = counters.every((name) => (status[name] ?? 0) === count);
    return isCounted && (await podCount(side.cluster, namespace)) === count;
  });

const DEPLOYED = ['replicas', 'updatedReplicas', 'availableReplicas'];
const STATEFUL = ['replicas', 'updatedReplicas', 'availableReplicas', 'currentReplicas'];
const DAEMONS = ['desiredNumberScheduled', 'updatedNumberScheduled', 'numberAvailable'];

const hasCondition = async (cluster: Cluster, kind: string, namespace: string, type: string): Promise<boolean> => {
  const { conditions = [] } = (await statusOf(cluster, kind, namespace)) as { conditions?: readonly Value[] };
  return conditions.some((each) => each.type === type && each.status === 'True');
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a Deployment that is created',
    act: async (side, namespace) => {
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, { replicas: 3 }));
      await ready(side, 'Deployment', namespace, 3, DEPLOYED);
    },
  },
  {
    name: 'a Deployment whose image changes, that is scaled, and goes back',
    act: async (side, namespace) => {
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, { replicas: 3 }));
      await ready(side, 'Deployment', namespace, 3, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { template: template('shop/web:2') });
      await ready(side, 'Deployment', namespace, 3, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { replicas: 5 });
      await ready(side, 'Deployment', namespace, 5, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { template: template('shop/web:1') });
      await ready(side, 'Deployment', namespace, 5, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { replicas: 2 });
      await ready(side, 'Deployment', namespace, 2, DEPLOYED);
    },
  },
  {
    name: 'a Deployment that is recreated, paused, and keeps no history',
    act: async (side, namespace) => {
      const spec = { replicas: 2, strategy: { type: 'Recreate' }, revisionHistoryLimit: 0, minReadySeconds: 1 };
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, spec));
      await ready(side, 'Deployment', namespace, 2, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { template: template('shop/web:2') });
      await ready(side, 'Deployment', namespace, 2, DEPLOYED);
      await merge(side.cluster, 'Deployment', namespace, { paused: true, replicas: 1 });
      await ready(side, 'Deployment', namespace, 1, ['replicas', 'availableReplicas']);
    },
  },
  {
    name: 'a Deployment that no node has room for',
    act: async (side, namespace) => {
      const containers = [{ name: 'web', image: 'shop/web:1', resources: { requests: { cpu: '20' } } }];
      const spec = { replicas: 3, template: template('shop/web:1', { containers }) };
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, spec));
      await side.until(
        'two of three run',
        async () => (await statusOf(side.cluster, 'Deployment', namespace)).availableReplicas === 2,
      );
    },
  },
  {
    name: 'a Deployment with a selector and an amount that no node meets',
    act: async (side, namespace) => {
      const containers = [{ name: 'web', image: 'shop/web:1', resources: { requests: { cpu: '40' } } }];
      const spec = { replicas: 1, template: template('shop/web:1', { containers }) };
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, spec));
      const other = {
        ...workload('Deployment', namespace, {
          replicas: 1,
          template: template('shop/web:1', { nodeSelector: { disk: 'ssd' } }),
        }),
      };
      await side.cluster.create(typeOf('Deployment'), { ...other, metadata: { namespace, name: 'picky' } });
      await side.until('both wait', async () => {
        const items = (await side.cluster.list(typeOf('Pod'), { namespace })).items as readonly AnyObject[];
        return items.length === 2 && items.every((pod) => ((pod.status as Value).conditions as unknown) !== undefined);
      });
    },
  },
  {
    name: 'a StatefulSet that starts at an ordinal, is updated and shrinks',
    act: async (side, namespace) => {
      const spec = { replicas: 3, serviceName: 'web', ordinals: { start: 2 } };
      await side.cluster.create(typeOf('StatefulSet'), workload('StatefulSet', namespace, spec));
      await ready(side, 'StatefulSet', namespace, 3, STATEFUL);
      await merge(side.cluster, 'StatefulSet', namespace, { template: template('shop/web:2') });
      await ready(side, 'StatefulSet', namespace, 3, STATEFUL);
      await merge(side.cluster, 'StatefulSet', namespace, { replicas: 2 });
      await ready(side, 'StatefulSet', namespace, 2, STATEFUL);
    },
  },
  {
    name: 'a StatefulSet that is updated down to its partition',
    act: async (side, namespace) => {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
      const spec = { replicas: 3, serviceName: 'web', podManagementPolicy: 'Parallel', updateStrategy };
      await side.cluster.create(typeOf('StatefulSet'), workload('StatefulSet', namespace, spec));
      await ready(side, 'StatefulSet', namespace, 3, STATEFUL);
      await merge(side.cluster, 'StatefulSet', namespace, { template: template('shop/web:2') });
      await side.until('two are new', async () => {
        const { updatedReplicas, availableReplicas } = await statusOf(side.cluster, 'StatefulSet', namespace);
        return updatedReplicas === 2 && availableReplicas === 3;
      });
    },
  },
  {
    name: 'a DaemonSet that is updated',
    act: async (side, namespace) => {
      await side.cluster.create(typeOf('DaemonSet'), workload('DaemonSet', namespace, {}));
      await ready(side, 'DaemonSet', namespace, NODES, DAEMONS);
      await merge(side.cluster, 'DaemonSet', namespace, { template: template('shop/web:2') });
      await ready(side, 'DaemonSet', namespace, NODES, DAEMONS);
    },
  },
  {
    name: 'a DaemonSet that surges',
    act: async (side, namespace) => {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } };
      await side.cluster.create(typeOf('DaemonSet'), workload('DaemonSet', namespace, { updateStrategy }));
      await ready(side, 'DaemonSet', namespace, NODES, DAEMONS);
      await merge(side.cluster, 'DaemonSet', namespace, { template: template('shop/web:2') });
      await ready(side, 'DaemonSet', namespace, NODES, DAEMONS);
    },
  },
  {
    name: 'a Deployment that misses its deadline',
    act: async (side, namespace) => {
      const spec = {
        replicas: 1,
        progressDeadlineSeconds: 2,
        template: template('shop/web:1', { nodeSelector: { disk: 'ssd' } }),
      };
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, spec));
      await side.until('the deadline has passed', async () => {
        const { conditions = [] } = (await statusOf(side.cluster, 'Deployment', namespace)) as { conditions?: readonly Value[] };
        return conditions.some(({ reason }) => reason === 'ProgressDeadlineExceeded');
      });
    },
  },
  {
    name: 'a Job that is suspended, and goes on',
    act: async (side, namespace) => {
      const spec = { completions: 2, suspend: true, template: template('shop/web:1', { restartPolicy: 'Never' }) };
      await side.cluster.create(typeOf('Job'), workload('Job', namespace, spec));
      await side.until('the Job is suspended', () => hasCondition(side.cluster, 'Job', namespace, 'Suspended'));
      await merge(side.cluster, 'Job', namespace, { suspend: false });
      await side.until('the Job is complete', () => hasCondition(side.cluster, 'Job', namespace, 'Complete'));
    },
  },
  {
    name: 'a Job that runs out of time',
    act: async (side, namespace) => {
      const spec = {
        activeDeadlineSeconds: 1,
        template: template('shop/web:1', { restartPolicy: 'Never', nodeSelector: { disk: 'ssd' } }),
      };
      await side.cluster.create(typeOf('Job'), workload('Job', namespace, spec));
      await side.until('the Job has failed', () => hasCondition(side.cluster, 'Job', namespace, 'Failed'));
    },
  },
  {
    name: 'a Job that completes',
    act: async (side, namespace) => {
      const spec = { completions: 3, parallelism: 2, template: template('shop/web:1', { restartPolicy: 'Never' }) };
      await side.cluster.create(typeOf('Job'), workload('Job', namespace, spec));
      await side.until('the Job is complete', () => hasCondition(side.cluster, 'Job', namespace, 'Complete'));
    },
  },
  {
    name: 'an indexed Job',
    act: async (side, namespace) => {
      const spec = {
        completions: 3,
        parallelism: 3,
        completionMode: 'Indexed',
        template: template('shop/web:1', { restartPolicy: 'Never' }),
      };
      await side.cluster.create(typeOf('Job'), workload('Job', namespace, spec));
      await side.until('the Job is complete', () => hasCondition(side.cluster, 'Job', namespace, 'Complete'));
    },
  },
  {
    name: 'Services with pods, without pods, and without addresses',
    act: async (side, namespace) => {
      const service = (name: string, spec: Value) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name, labels: { team: 'shop' } },
        spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
      });
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, { replicas: 2 }));
      await side.cluster.create(typeOf('Service'), service('web', {}));
      await side.cluster.create(typeOf('Service'), service('headless', { clusterIP: 'None' }));
      await side.cluster.create(typeOf('Service'), service('empty', { selector: { app: 'none' } }));
      await ready(side, 'Deployment', namespace, 2, DEPLOYED);
      await side.until(
        'all slices',
        async () => (await side.cluster.list(typeOf('EndpointSlice'), { namespace })).items.length === 3,
      );
    },
  },
  {
    name: 'a Deployment that is deleted',
    act: async (side, namespace) => {
      await side.cluster.create(typeOf('Deployment'), workload('Deployment', namespace, { replicas: 2 }));
      await ready(side, 'Deployment', namespace, 2, DEPLOYED);
      await side.cluster.delete(typeOf('Deployment'), { namespace, name: 'web' }, { propagationPolicy: 'Background' });
      await side.until('all pods are gone', async () => (await podCount(side.cluster, namespace)) === 0);
    },
  },
];

const when = canRollOut() ? describe : describe.skip;

when('workloads of an offline cluster and of a real one', () => {
  let planes: ControlPlanes | undefined;
  const clock = new VirtualClock();
  const offline = new OfflineCluster({
    name: 'offline',
    clock,
    nodes: Array.from({ length: NODES }, () => ({ allocatable: CAPACITY, labels: PLACE })),
  });
  let real: Cluster | undefined;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real', controllers: true, nodes: NODES }]);
    real = planes.connect('real');
    for (let index = 0; index < NODES; index += 1)
      await real.patch(typeOf('Node'), { name: `node-${index}` }, { type: 'merge', body: { metadata: { labels: PLACE } } });
  });

  afterAll(async () => {
    offline.stop();
    await real?.close();
    await planes?.stop();
  });

  const sides = (): { readonly here: Side; readonly there: Side } => {
    if (real === undefined) throw new Error('the real cluster is not there');
    return {
      here: {
        cluster: offline.connect(),
        async until(what, check) {
          await clock.advance('1m');
          if (!(await check())) throw new Error(`offline: ${what}: not after a minute`);
        },
      },
      there: { cluster: real, until: (what, check) => untilTrue(what, check) },
    };
  };

  it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, namespace: `shop-${index}` })))(
    'end the same: $name',
    async ({ act, namespace }) => {
      const { here, there } = sides();
      for (const { cluster } of [here, there])
        await cluster.create(typeOf('Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await act(here, namespace);
      await act(there, namespace);
      const wanted = await picture(here.cluster, namespace);
      let last = await picture(there.cluster, namespace);
      const started = performance.now();
      // Statuses may follow a little later.
      while (JSON.stringify(sorted(last)) !== JSON.stringify(sorted(wanted)) && performance.now() - started < 4 * QUIET_MS) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        last = await picture(there.cluster, namespace);
      }
      expect(wanted).toEqual(last);
      await Promise.all([here, there].map(({ cluster }) => cluster.delete(typeOf('Namespace'), { name: namespace })));
      await here.until(
        'the namespace is gone',
        async () => (await here.cluster.get(typeOf('Namespace'), { name: namespace })) === undefined,
      );
      await untilTrue('the namespace is gone', async () => (await podCount(there.cluster, namespace)) === 0);
    },
  );
});

/** Lines that come one after the other; both clusters end each in the same way. */
const LINES: readonly (readonly string[])[] = [
  ['apply', '-f', 'deployment.yaml'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['rollout', 'history', 'deployment/web'],
  ['set', 'image', 'deployment/web', 'web=shop/web:2'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['rollout', 'undo', 'deployment/web'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['rollout', 'history', 'deployment/web'],
  ['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} {.status.readyReplicas}'],
  ['rollout', 'restart', 'deployment/web'],
  ['rollout', 'status', 'deployment/web', '--timeout=60s'],
  ['rollout', 'pause', 'deployment/web'],
  ['rollout', 'resume', 'deployment/web'],
  ['wait', '--for=condition=Available', 'deployment/web', '--timeout=60s'],
  ['delete', 'deployment', 'web', '--timeout=60s'],
  ['wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=60s'],
  ['get', 'replicasets,pods'],
];

when('kubectl rollout', () => {
  it('ends the same on an offline cluster with nodes and on a real one', { timeout: 240_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clusterset-rollout-'));
    const planes = await startControlPlanes([{ name: 'real', controllers: true, nodes: NODES }]);
    const offline = new OfflineCluster({ name: 'offline', clock: systemClock, nodes: NODES });
    const served = await serve([offline]);
    try {
      const kubeconfig = join(folder, 'offline');
      writeFileSync(kubeconfig, stringify(served.kubeconfig()), { mode: 0o600 });
      writeFileSync(join(folder, 'deployment.yaml'), stringify(workload('Deployment', 'default', { replicas: 3 })));
      const run = (config: string, line: readonly string[]): Promise<string> => kubectl(planes.kubectl, config, folder, line);
      for (const line of LINES) {
        const [here, there] = await Promise.all([run(kubeconfig, line), run(planes.kubeconfig, line)]);
        expect(`${line.join(' ')}: ${here}`).toBe(`${line.join(' ')}: ${there}`);
      }
    } finally {
      offline.stop();
      await served.close();
      await planes.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

/** What a command line has printed in the end: how often it says that it waits depends on how fast others are. */
function kubectl(program: string, kubeconfig: string, folder: string, line: readonly string[]): Promise<string> {
  const args = ['--kubeconfig', kubeconfig, '--namespace', 'default', '--request-timeout=60s', ...line];
  const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 90_000 };
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(program, args, options, (error, stdout, stderr) => {
    const lines = `${stdout}${stderr}`.split('\n').filter((each) => !/^Waiting for |condition met$/.test(each));
    resolve(`${lines.join('\n')}exit code ${error === null ? 0 : error.code}`);
  });
  return promise;
}

/** The same with members in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}

async function untilTrue(what: string, check: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  while (!(await check())) {
    if (performance.now() - started > WAIT_MS) throw new Error(`${what}: not within ${WAIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
