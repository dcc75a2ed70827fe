import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { OfflineCluster, simulate } from 'clusterset/testing';
import { serve } from 'clusterset/testing/http';
import { parse } from 'yaml';
import { startControlPlanes } from '../test/kube/harness/control-planes.ts';
import { heapBytes, median, microseconds } from './measure.ts';
import type { Load, LoadResult } from './offline-load.ts';

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const CLUSTERS = 1000;
const OBJECTS = 5000;
const IN_FLIGHT = 50;
const RUNS = 5;

const configMap = (name: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels: { app: 'shop' } },
  data: { colour: 'green', size: 'l' },
});

const deployment = (name: string): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'default', name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
});

/** Offline clusters: how fast they start, how much they weigh, how much they do in process and over HTTPS, beside a real kube-apiserver. */
export async function benchOffline(): Promise<void> {
  await start();
  await inProcess();
  await overHttp();
}

async function start(): Promise<void> {
  const one = microseconds(() => new OfflineCluster({ name: 'a' }).stop());
  const withNodes = microseconds(() => new OfflineCluster({ name: 'a', nodes: 3 }).stop());
  console.log(
    `start of a cluster: ${(one / 1000).toFixed(2)} ms, with three nodes and workloads ${(withNodes / 1000).toFixed(2)} ms`,
  );
  const members = Object.fromEntries(Array.from({ length: CLUSTERS }, (_, index) => [`member-${index}`, {}]));
  const started = performance.now();
  const world = await simulate({ members });
  const seconds = (performance.now() - started) / 1000;
  await world[Symbol.asyncDispose]();
  const bytes = heapBytes(() => Array.from({ length: CLUSTERS }, (_, index) => new OfflineCluster({ name: `member-${index}` })));
  console.log(
    `${CLUSTERS} clusters in one process: ${seconds.toFixed(2)} s, ${Math.round(bytes / CLUSTERS / 1024)} KiB each when empty`,
  );
}

/** Calls per second of the port, one after the other. */
async function inProcess(): Promise<void> {
  for (const [what, type, make] of [
    ['ConfigMaps', CONFIG_MAPS, configMap],
    ['Deployments', DEPLOYMENTS, deployment],
  ] as const) {
    const creates: number[] = [];
    const gets: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const offline = new OfflineCluster({ name: 'a', rollouts: false });
      const cluster = offline.connect();
      creates.push(await rate(OBJECTS, (index) => cluster.create(type, make(`x-${index}`))));
      gets.push(await rate(OBJECTS * 10, (index) => cluster.get(type, { namespace: 'default', name: `x-${index % OBJECTS}` })));
      offline.stop();
    }
    console.log(`in process, ${what}: ${thousands(median(creates))} creates/s, ${thousands(median(gets))} gets/s`);
  }
}

async function rate(count: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  for (let index = 0; index < count; index += 1) await call(index);
  return count / ((performance.now() - started) / 1000);
}

/** The same requests over HTTPS, to an offline cluster in this process and to a real API server, one after the other, twice. */
async function overHttp(): Promise<void> {
  console.log('starting an API server');
  const planes = await startControlPlanes([{ name: 'real' }]);
  const offline = new OfflineCluster({ name: 'offline', rollouts: false });
  const served = await serve([offline]);
  try {
    const server = served.clusters[0]?.server ?? '';
    for (const turn of ['first', 'second']) {
      await rest({ what: `offline, ${turn} run`, server, token: served.token, ca: served.ca, cluster: offline.connect() }, turn);
      await rest(
        { what: `kube-apiserver, ${turn} run`, ...access(planes.kubeconfig, 'real'), cluster: planes.connect('real') },
        turn,
      );
    }
  } finally {
    await served.close();
    offline.stop();
    await planes.stop();
  }
}

/** Where a cluster is, and what opens it. */
function access(kubeconfig: string, name: string): Pick<Face, 'server' | 'token' | 'ca'> {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
  };
  const cluster = clusters.find((each) => each.name === name)?.cluster ?? {};
  const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString();
  return { server: cluster.server ?? '', token: users[0]?.user.token ?? '', ca };
}

interface Face {
  readonly what: string;
  readonly server: string;
  readonly token: string;
  readonly ca: string;
  readonly cluster: Cluster;
}

async function rest({ what, server, token, ca, cluster }: Face, namespace: string): Promise<void> {
  await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const load: Load = { server, token, ca, namespace, objects: OBJECTS, inFlight: IN_FLIGHT };
  // The clients have a thread of their own, as those of a real server have a process.
  const worker = new Worker(new URL('./offline-load.ts', import.meta.url), { workerData: load });
  const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
  worker.once('message', resolve);
  worker.once('error', reject);
  const { creates, gets } = await promise;
  await worker.terminate();
  console.log(`over HTTPS, ${what}: ${thousands(creates)} creates/s, ${thousands(gets)} gets/s, ${IN_FLIGHT} in flight`);
}

const thousands = (perSecond: number): string => Math.round(perSecond).toLocaleString('en-US');
