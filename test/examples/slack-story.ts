import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registrySource } from 'clusterset/controllers/registry';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import {
  labelCluster,
  REGISTRY_KINDS,
  RegistryCluster,
  registerCluster,
  removeCluster,
  setClusterCondition,
} from 'clusterset/registry';
import { expect, vi } from 'vitest';
import { runBot } from '../../examples/slack-controller/bot.ts';
import { fileStore } from '../../examples/slack-controller/file-store.ts';
import { slackWebhook } from '../../examples/slack-controller/slack.ts';
import { startChat } from './chat.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const PATIENCE = { timeout: 30_000 };
const NAMESPACE = 'fleet';
const KIND = REGISTRY_KINDS.cluster;

/** Makes a cluster the host of a registry, with nobody in it. */
export async function installRegistry(host: Cluster): Promise<void> {
  await host.create(CRDS, RegistryCluster.crd() as unknown as AnyObject);
  await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await vi.waitUntil(() => host.list(RegistryCluster).then(Boolean, () => false), PATIENCE);
}

/** What is written to the registry, as others would write it. */
export class Registry {
  readonly #host: Cluster;

  constructor(host: Cluster) {
    this.#host = host;
  }

  async add(name: string): Promise<void> {
    const spec = { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: `${name}.example.com` }] } };
    await registerCluster(this.#host, KIND, { metadata: { namespace: NAMESPACE, name }, spec });
  }

  async label(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await labelCluster(this.#host, KIND, { namespace: NAMESPACE, name }, labels);
  }

  async say(name: string, status: 'True' | 'False', message: string): Promise<void> {
    const condition = { type: KIND.readyCondition, status, message };
    await setClusterCondition(this.#host, KIND, { namespace: NAMESPACE, name }, condition, '2026-01-01T00:00:00Z');
  }

  async remove(name: string): Promise<void> {
    await removeCluster(this.#host, KIND, { namespace: NAMESPACE, name });
  }
}

/** The life of the bot over one registry, with a restart in the middle. The host has no registry yet. */
export async function tellSlackStory(host: Cluster): Promise<void> {
  await using chat = await startChat();
  const folder = mkdtempSync(join(tmpdir(), 'clusterset-slack-'));
  const file = join(folder, 'announced.json');
  const logged: string[] = [];
  const start = (): (() => Promise<void>) => {
    const stopping = new AbortController();
    const running = runBot({
      source: registrySource({ host, kind: KIND, namespace: NAMESPACE }),
      post: slackWebhook(chat.url),
      store: fileStore(file),
      signal: stopping.signal,
      log: (line) => void logged.push(line),
    });
    return () => {
      stopping.abort();
      return running;
    };
  };
  const heard = (...lines: readonly string[]): Promise<void> =>
    vi.waitFor(() => expect(chat.lines).toEqual(lines), { ...PATIENCE, interval: 20 });

  try {
    await installRegistry(host);
    const registry = new Registry(host);
    await registry.add('eu-1');
    await registry.add('us-1');
    let stop = start();
    const story = ['Cluster eu-1 was added.', 'Cluster us-1 was added.'];
    await heard(...story);

    await registry.add('ap-1');
    await heard(...story, 'Cluster ap-1 was added.');
    story.push('Cluster ap-1 was added.');

    await registry.label('eu-1', { 'topology.kubernetes.io/region': 'eu' });
    story.push('Cluster eu-1 was changed: labels, region.');
    await heard(...story);

    await registry.say('us-1', 'False', 'no answer within 3000 ms');
    story.push('Cluster us-1 is unreachable: no answer within 3000 ms');
    await heard(...story);

    chat.answer({ status: 500 });
    await registry.say('us-1', 'True', 'it answers');
    story.push('Cluster us-1 is reachable again.');
    await heard(...story);
    expect(chat.received.filter((each) => !each.acknowledged)).toHaveLength(1);

    await vi.waitUntil(() => logged.filter((line) => line.startsWith('said: ')).length === 5, PATIENCE);
    await stop();
    expect(statSync(file).mode & 0o777).toBe(0o600);

    // What happens while nobody looks is told afterwards, and nothing else is.
    await registry.remove('ap-1');
    stop = start();
    story.push('Cluster ap-1 was removed.');
    await heard(...story);
    await registry.remove('us-1');
    story.push('Cluster us-1 was removed.');
    await heard(...story);
    await stop();
    expect(logged.join('\n')).not.toContain(chat.secret);
    expect(chat.received.every(({ method, type }) => method === 'POST' && type.startsWith('application/json'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
