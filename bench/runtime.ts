import process from 'node:process';
import { type AnyObject, resourceType } from 'clusterset/kube';
import {
  ClusterSet,
  type Controller,
  controller,
  Manager,
  type ReconcileInput,
  staticSource,
  systemClock,
} from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import { mirror } from '../examples/mirror/mirror.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const CLUSTERS = 1000;
const HANGING = 100;
const CHANGES = 2000;
const IDLE_MS = 10_000;
const MiB = 1024 * 1024;

interface Entry {
  readonly name: string;
}

/** The runtime with a thousand clusters in one process: how fast they are engaged and a change gets around, and what it costs to do nothing. */
export async function benchRuntime(): Promise<void> {
  await mirrored();
  await besideHanging();
}

function fleet(count: number): ReadonlyMap<string, OfflineCluster> {
  return new Map(
    Array.from({ length: count }, (_, index) => [`member-${index}`, new OfflineCluster({ name: `member-${index}` })] as const),
  );
}

function setOf(clusters: ReadonlyMap<string, OfflineCluster>): ClusterSet<Entry> {
  return new ClusterSet<Entry>({
    source: staticSource([...clusters.keys()].map((name) => ({ name }))),
    connect: ({ name }) => (clusters.get(name) as OfflineCluster).connect(),
    random: Math.random,
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await systemClock.turn();
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(2)} s`;

function original(name: string, value: string): AnyObject {
  const labels = { 'mirror.example.dev/original': 'true' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name, labels }, data: { value } };
}

/** Copies to a thousand members: how long it takes until they are engaged, until one change is everywhere, and what happens when nothing does. */
async function mirrored(): Promise<void> {
  const clusters = fleet(CLUSTERS);
  const origin = new OfflineCluster({ name: 'host' });
  const host = origin.connect();
  const members = setOf(clusters);
  await host.create(CONFIG_MAPS, original('settings', 'a'));
  const began = performance.now();
  const manager = new Manager({ random: Math.random }).use(members).add(mirror(host, members));
  manager.start();
  const has = (value: string) => (cluster: OfflineCluster) => dataOf(cluster)?.value === value;
  await until(() => [...clusters.values()].every(has('a')));
  const memory = process.memoryUsage();
  console.log(
    `${CLUSTERS} clusters engaged, with a copy in each: ${seconds(began)}, ${Math.round(memory.rss / MiB)} MiB resident, the clusters themselves among them`,
  );
  const changed = performance.now();
  await host.patch(CONFIG_MAPS, { namespace: 'default', name: 'settings' }, { type: 'merge', body: { data: { value: 'b' } } });
  await until(() => [...clusters.values()].every(has('b')));
  console.log(`one change on the host is in ${CLUSTERS} members after ${seconds(changed)}`);
  await idle(clusters);
  await manager.stop();
  for (const cluster of [origin, ...clusters.values()]) await cluster.stop();
}

function dataOf(cluster: OfflineCluster): Record<string, string> | undefined {
  const { server } = cluster;
  const served = server.served(CONFIG_MAPS);
  const found = served && server.state.storage.get(served.collection, { namespace: 'default', name: 'settings' });
  return found?.data as Record<string, string> | undefined;
}

async function idle(clusters: ReadonlyMap<string, OfflineCluster>): Promise<void> {
  const version = (): number => [...clusters.values()].reduce((sum, { server }) => sum + Number(server.state.storage.version), 0);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const [before, cpu, began] = [version(), process.cpuUsage(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const { user, system } = process.cpuUsage(cpu);
  const share = ((user + system) / 1000 / (performance.now() - began)) * 100;
  console.log(`nothing to do for ${IDLE_MS / 1000} s: ${version() - before} writes, ${share.toFixed(1)} % of a core`);
}

/** How long a change takes to its reconcile in clusters that are well, beside a hundred that hang. */
async function besideHanging(): Promise<void> {
  const clusters = fleet(CLUSTERS);
  const members = setOf(clusters);
  const [latencies, sent]: [number[], Map<string, number>] = [[], new Map()];
  const watching = watcher(members, ({ request }) => {
    const since = sent.get(`${request.cluster}/${request.name}`);
    if (since !== undefined) latencies.push(performance.now() - since);
  });
  const manager = new Manager({ random: Math.random }).use(members).add(watching);
  manager.start();
  const healthy = [...clusters.keys()].slice(HANGING);
  const connected = new Map([...clusters].map(([name, cluster]) => [name, cluster.connect()]));
  await until(() => healthy.every((name) => members.get(name)?.state === 'ready'));
  for (const cluster of [...clusters.values()].slice(0, HANGING)) cluster.network.hang();
  for (let count = 0; count < CHANGES; count += 1) {
    const name = healthy[count % healthy.length] ?? '';
    const object = `x-${count}`;
    sent.set(`${name}/${object}`, performance.now());
    await connected.get(name)?.create(CONFIG_MAPS, original(object, 'a'));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until(() => latencies.length >= CHANGES);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)} ms`;
  console.log(
    `a change to its reconcile, while ${HANGING} of ${CLUSTERS} clusters hang: median ${at(0.5)}, 99th percentile ${at(0.99)}`,
  );
  await manager.stop();
  for (const cluster of clusters.values()) await cluster.stop();
}

function watcher(members: ClusterSet<Entry>, tell: (input: ReconcileInput) => void): Controller {
  return controller(CONFIG_MAPS)
    .on(members)
    .reconcile(async (input) => tell(input), { name: 'watcher' });
}
