import { readFileSync } from 'node:fs';
import { installTypes, PropagationController } from 'clusterset/controllers/propagation';
import { type FederatedType, federate, prepare, readStatus, renderAll } from 'clusterset/federation';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, staticSource } from 'clusterset/runtime';
import { Agent } from 'undici';
import { parse } from 'yaml';
import { type ControlPlanes, startControlPlanes } from '../test/kube/harness/control-planes.ts';
import { federatedShop, federatedWeb } from './federated-web.ts';
import { inFlight } from './measure.ts';

const OBJECTS = 500;
const MEMBERS = ['one', 'two', 'three'] as const;
const IN_FLIGHT = 60;

const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');
const NAMESPACE = federate(NAMESPACES);
const DEPLOYMENT = federate(DEPLOYMENTS);
const TYPES: readonly FederatedType[] = [NAMESPACE, DEPLOYMENT];
const EVERYTHING = OBJECTS * MEMBERS.length;

/** 500 federated Deployments on real API servers: a host and three members, end to end, beside the same writes without anything around them. */
export async function benchPropagation(): Promise<void> {
  console.log('starting four API servers');
  const planes = await startControlPlanes([{ name: 'host' }, ...MEMBERS.map((name) => ({ name }))], console.log);
  try {
    await installTypes(planes.connect('host'), TYPES);
    console.log('writing straight to the members');
    await ceiling(planes, 'warm-up');
    const before = await ceiling(planes, 'first');
    console.log('writing to the host');
    const { create, back, update, memory } = await endToEnd(planes);
    const after = await ceiling(planes, 'second');
    const raw = (before + after) / 2;
    const line = (what: string, seconds: number): void => {
      const rate = Math.round(EVERYTHING / seconds);
      console.log(`${what}: ${seconds.toFixed(2)} s, ${rate} objects/s, ${(seconds / raw).toFixed(2)} × the ceiling`);
    };
    console.log(
      `ceiling, ${EVERYTHING} writes, ${IN_FLIGHT} in flight: ${before.toFixed(2)} s before, ${after.toFixed(2)} s after`,
    );
    line(`${OBJECTS} federated Deployments × ${MEMBERS.length} members, until all are there`, create);
    line('… until every status on the host says so', back);
    line('a new image in all of them, until it is there', update);
    console.log(`memory of the process, with watches for measuring: ${memory} MiB`);
  } finally {
    await planes.stop();
  }
}

/** The same objects, written straight to the members over HTTP/2, with nothing around the requests. */
async function ceiling(planes: ControlPlanes, namespace: string): Promise<number> {
  const kubeconfig = parse(readFileSync(planes.kubeconfig, 'utf8')) as Kubeconfig;
  const members = new Map(MEMBERS.map((name) => [name as string, new Straight(kubeconfig, name)]));
  const entries = MEMBERS.map((name) => ({ name }));
  for (const member of members.values()) {
    await member.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }
  const objects = names().flatMap((name) => renderAll(prepare(federatedWeb(name)), entries).objects);
  const started = performance.now();
  await inFlight(objects, IN_FLIGHT, async ({ cluster, object }) => {
    const moved = { ...object, metadata: { ...object.metadata, namespace } };
    await members.get(cluster)?.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, moved);
  });
  const seconds = (performance.now() - started) / 1000;
  for (const member of members.values()) await member.close();
  return seconds;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly name: string; readonly user: { readonly token: string } }[];
}

/** A cluster, written to with bare requests. */
class Straight {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ clusters, users }: Kubeconfig, name: string) {
    const cluster = clusters.find((each) => each.name === name)?.cluster ?? {};
    const token = users.find((each) => each.name === name)?.user.token ?? '';
    const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64');
    this.#agent = new Agent({ connect: { ca }, allowH2: true, connections: null, pipelining: 1 });
    this.#origin = cluster.server ?? '';
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  }

  async post(path: string, object: unknown): Promise<void> {
    const request = { origin: this.#origin, path, method: 'POST', headers: this.#headers, body: JSON.stringify(object) } as const;
    const { statusCode, body } = await this.#agent.request(request);
    const text = await body.text();
    if (statusCode !== 201) throw new Error(`${path}: ${statusCode} ${text}`);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

async function endToEnd(planes: ControlPlanes): Promise<Record<'create' | 'back' | 'update' | 'memory', number>> {
  const host = planes.connect('host');
  await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const stopping = new AbortController();
  const source = staticSource<ClusterEntry>(MEMBERS.map((name) => ({ name })));
  const members = new ClusterSet({ source, connect: ({ name }) => planes.connect(name) });
  const controller = new PropagationController({ host, members, types: TYPES });
  const running = controller.run(stopping.signal);
  await host.create(NAMESPACE.federated, federatedShop() as never);
  const observers = MEMBERS.map((name) => new Observer(planes.connect(name), stopping.signal));
  await until(async () => {
    const found = await Promise.all(MEMBERS.map((name) => planes.connect(name).get(NAMESPACES, { name: 'shop' })));
    return found.every((each) => each !== undefined);
  });
  const sinceCreate = performance.now();
  await inFlight(names(), IN_FLIGHT, (name) => host.create(DEPLOYMENT.federated, federatedWeb(name) as never));
  await Promise.all(observers.map((observer) => observer.reached(OBJECTS, 'shop/web:1.28')));
  const create = (performance.now() - sinceCreate) / 1000;
  await until(async () => {
    const { items } = await host.list(DEPLOYMENT.federated, { resourceVersion: '0' });
    return items.every((item) => readStatus(item.status as never)?.conditions?.[0]?.status === 'True');
  });
  const back = (performance.now() - sinceCreate) / 1000;
  const sinceUpdate = performance.now();
  const path = '/spec/template/spec/template/spec/containers/0/image';
  const operations = [{ op: 'replace', path, value: 'registry.example.com/shop/web:1.29' }] as const;
  await inFlight(names(), IN_FLIGHT, (name) =>
    host.patch(DEPLOYMENT.federated, { namespace: 'shop', name }, { type: 'json', operations }),
  );
  await Promise.all(observers.map((observer) => observer.reached(OBJECTS, 'shop/web:1.29')));
  const update = (performance.now() - sinceUpdate) / 1000;
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  stopping.abort();
  await running;
  await members.stop();
  await host.close();
  return { create, back, update, memory };
}

/** Watches how many Deployments of the shop have an image. */
class Observer {
  readonly #images = new Map<string, string>();
  readonly #waiting: { readonly count: number; readonly image: string; readonly resolve: () => void }[] = [];

  constructor(cluster: Cluster, signal: AbortSignal) {
    void this.#watch(cluster, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  reached(count: number, image: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, image, resolve });
      this.#look();
    });
  }

  async #watch(cluster: Cluster, signal: AbortSignal): Promise<void> {
    for await (const event of cluster.watch<AnyObject>(DEPLOYMENTS, { namespace: 'shop', signal })) {
      if (event.type === 'BOOKMARK') continue;
      const { name } = event.object.metadata;
      const { spec } = event.object as unknown as { spec: { template: { spec: { containers: readonly { image: string }[] } } } };
      this.#images.set(name, spec.template.spec.containers[0]?.image ?? '');
      this.#look();
    }
  }

  #look(): void {
    for (const { count, image, resolve } of this.#waiting) {
      if (this.#images.size < count) continue;
      if ([...this.#images.values()].every((each) => each.endsWith(image))) resolve();
    }
  }
}

function names(): string[] {
  return Array.from({ length: OBJECTS }, (_, index) => `web-${index}`);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}
