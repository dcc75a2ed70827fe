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
const ENTRIES: readonly ClusterEntry[] = MEMBERS.map((name) => ({ name }));
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
    console.log('the requests of the controller, with nothing around them');
    const floor = await bareRequests(planes, 'floor');
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
    line('the requests that create and status take, and no more', floor);
    console.log(`memory of the process, with watches for measuring: ${memory} MiB`);
  } finally {
    await planes.stop();
  }
}

/** The same objects, written straight to the members over HTTP/2, with nothing around the requests. */
async function ceiling(planes: ControlPlanes, namespace: string): Promise<number> {
  const members = await straight(planes, MEMBERS, namespace);
  const objects = names().flatMap((name) => renderAll(prepare(federatedWeb(name)), ENTRIES).objects);
  const started = performance.now();
  await inFlight(objects, IN_FLIGHT, async ({ cluster, object }) => {
    await members.get(cluster)?.send('POST', deploymentsIn(namespace), inNamespace(object, namespace));
  });
  const seconds = (performance.now() - started) / 1000;
  for (const member of members.values()) await member.close();
  return seconds;
}

/**
 * What a federated object can't do without, as bare requests: the object itself, its finalizer and record before anything is written to
 * members, a create-only apply in each member, the status. What takes longer than this is ours.
 */
async function bareRequests(planes: ControlPlanes, namespace: string): Promise<number> {
  const servers = await straight(planes, ['host', ...MEMBERS], namespace);
  const host = servers.get('host');
  const federated = `/apis/types.kubefed.io/v1beta1/namespaces/${namespace}/federateddeployments`;
  const hold = { finalizers: ['bench.example.com/sync'], annotations: { 'bench.example.com/clusters': MEMBERS.join(',') } };
  const clusters = ENTRIES.map(({ name }) => ({ name, generation: 1 }));
  const conditions = [{ type: 'Propagation', status: 'True' }];
  const started = performance.now();
  await inFlight(names(), IN_FLIGHT, async (name) => {
    const object = inNamespace(federatedWeb(name), namespace);
    await host?.send('POST', federated, object);
    await host?.send('PATCH', `${federated}/${name}`, { metadata: hold });
    const rendered = renderAll(prepare(object), ENTRIES).objects;
    const at = `${deploymentsIn(namespace)}/${name}?fieldManager=bench`;
    await Promise.all(rendered.map(({ cluster, object: each }) => servers.get(cluster)?.send('APPLY', at, createOnly(each))));
    await host?.send('PATCH', `${federated}/${name}/status`, { status: { observedGeneration: 1, clusters, conditions } });
  });
  const seconds = (performance.now() - started) / 1000;
  for (const server of servers.values()) await server.close();
  return seconds;
}

const deploymentsIn = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`;

function inNamespace(object: AnyObject, namespace: string): AnyObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function createOnly(object: AnyObject): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
}

async function straight(planes: ControlPlanes, servers: readonly string[], name: string): Promise<Map<string, Straight>> {
  const kubeconfig = parse(readFileSync(planes.kubeconfig, 'utf8')) as Kubeconfig;
  const made = new Map(servers.map((server) => [server, new Straight(kubeconfig, server)]));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  for (const server of made.values()) await server.send('POST', '/api/v1/namespaces', namespace);
  return made;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly name: string; readonly user: { readonly token: string } }[];
}

const CONTENT_TYPES = { POST: 'application/json', PATCH: 'application/merge-patch+json', APPLY: 'application/apply-patch+yaml' };

/** A cluster, written to with bare requests. */
class Straight {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #authorization: string;

  constructor({ clusters, users }: Kubeconfig, name: string) {
    const cluster = clusters.find((each) => each.name === name)?.cluster ?? {};
    const token = users.find((each) => each.name === name)?.user.token ?? '';
    const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64');
    this.#agent = new Agent({ connect: { ca }, allowH2: true, connections: null, pipelining: 1 });
    this.#origin = cluster.server ?? '';
    this.#authorization = `Bearer ${token}`;
  }

  async send(verb: keyof typeof CONTENT_TYPES, path: string, object: unknown): Promise<void> {
    const headers = { authorization: this.#authorization, 'content-type': CONTENT_TYPES[verb] };
    const method = verb === 'APPLY' ? 'PATCH' : verb;
    const { statusCode, body } = await this.#agent.request({
      origin: this.#origin,
      path,
      method,
      headers,
      body: JSON.stringify(object),
    });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${path}: ${statusCode} ${text}`);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

async function endToEnd(planes: ControlPlanes): Promise<Record<'create' | 'back' | 'update' | 'memory', number>> {
  const host = planes.connect('host');
  await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const stopping = new AbortController();
  const source = staticSource(ENTRIES);
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
