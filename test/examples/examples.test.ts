import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Rendering } from 'clusterset';
import { federate } from 'clusterset/federation';
import { resourceType } from 'clusterset/kube';
import { REGISTRY_KINDS, RegistryCluster, registerCluster } from 'clusterset/registry';
import { systemClock } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { Program } from './program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = (name: string): string => join(root, 'examples', name);
const PATIENCE = { timeout: 20_000 };

/** The programs of the README, in their order. Files in the project find its libraries. */
const folder = join(root, '.cache', 'readme');
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

function program(block: number): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${block}.ts`);
  writeFileSync(file, blocks[block] ?? '');
  return file;
}

const linesOf = (block: string): number => block.trimEnd().split('\n').length;

const programs: Program[] = [];

function start(...given: ConstructorParameters<typeof Program>): Program {
  const started = new Program(...given);
  programs.push(started);
  return started;
}

afterEach(() => {
  for (const each of programs.splice(0)) each.kill();
});

describe('the programs of the README', PATIENCE, () => {
  it('are six, and short', () => {
    expect(blocks).toHaveLength(6);
    expect(blocks.slice(0, 2).every((block) => linesOf(block) < 30)).toBe(true);
    expect(blocks.slice(2).every((block) => linesOf(block) < 20)).toBe(true);
  });

  it('render a federated object for each cluster, with no cluster at all', async () => {
    const rendering = start(program(0));
    expect([await rendering.ended(), rendering.errors]).toEqual([0, '']);
    const { objects, issues } = JSON.parse(rendering.output) as Rendering;
    expect(issues).toEqual([]);
    expect(objects.map(({ cluster, object }) => [cluster, object.spec])).toEqual([
      ['eu-1', { replicas: 4, template: { spec: { containers: [{ name: 'web', image: 'nginx:1.28' }] } } }],
      ['us-1', { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'nginx:1.29' }] } } }],
    ]);
  });
});

describe('the other programs of the README', PATIENCE, () => {
  it.each<[string, number, readonly string[]]>([
    ['who clusters are', 3, ['eu-1', "DuplicateId [ 'us-1', 'us-2' ]"]],
    [
      'where a workload goes',
      4,
      [
        'eu-1 4 its share by weight 3 is 6; it has at most 4: its maximum',
        'eu-2 0 Taints: the taint "maintenance:NoSchedule" isn\'t tolerated',
        'us-1 4 its share by weight 1 is 2; bounds and rounding make it 4',
      ],
    ],
    [
      'what becomes of exported services',
      5,
      [
        "[ 'ports: eu-1 has the oldest export' ]",
        'NOERROR [',
        '  {',
        "    name: 'web.shop.svc.clusterset.local',",
        '    ttl: 5,',
        "    type: 'A',",
        "    address: '10.99.0.1'",
        '  }',
        ']',
      ],
    ],
  ])('say %s', async (_, block, lines) => {
    const saying = start(program(block));
    expect([await saying.ended(), saying.errors]).toEqual([0, '']);
    expect(saying.output.trimEnd().split('\n')).toEqual(lines);
  });
});

describe('the examples', PATIENCE, () => {
  it('show what each cluster would get', async () => {
    const rendering = start(example('render.ts'));
    expect([await rendering.ended(), rendering.errors]).toEqual([0, '']);
    const objects = parseAllDocuments(rendering.output.replaceAll(/^# /gm, '---\n# ')).map((document) => document.toJS());
    expect(objects.map(({ spec }) => [spec.replicas, spec.template.spec.containers[0].image])).toEqual([
      [6, 'nginx:1.28'],
      [3, 'nginx:1.29'],
      [3, 'nginx:1.28'],
    ]);
  });

  it('show how federation is tested at a desk', async () => {
    const testing = start('--test', [example('unit-test.ts')]);
    expect([await testing.ended(), testing.errors]).toEqual([0, '']);
    expect(testing.output).toMatch(/^ℹ pass 1$/m);
  });
});

describe('the registry of the README', PATIENCE, () => {
  it('connects to the clusters that are registered, and says how they are doing', async () => {
    await using world = await simulate({ host: {}, members: { 'eu-1': {} }, clock: systemClock });
    const served = await serve(['host', 'eu-1'].map((name) => world.cluster(name)));
    const directory = mkdtempSync(join(tmpdir(), 'clusterset-examples-'));
    try {
      writeFileSync(join(directory, 'kubeconfig'), stringify(served.kubeconfig()), { mode: 0o600 });
      const host = world.connect('host');
      const crds = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
      await host.create(crds, RegistryCluster.crd() as never);
      const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
      await host.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fleet' } });
      await registerCluster(host, REGISTRY_KINDS.cluster, { metadata: { namespace: 'fleet', name: 'eu-1' }, spec: {} });
      const following = start(program(2), [], { KUBECONFIG: join(directory, 'kubeconfig') });
      await vi.waitUntil(() => following.output.includes('changed eu-1 ready'), PATIENCE);
      expect(following.output).toMatch(/^joined eu-1 joining it has not been asked yet$/m);
      await following.interrupt();
    } finally {
      await served.close();
      rmSync(directory, { recursive: true });
    }
  });
});

describe.each([
  ['the README', () => program(1), []],
  ['the examples', () => example('controller.ts'), ['host', 'eu-1', 'us-1']],
] as const)('the controller of %s', PATIENCE, (_, file, args) => {
  const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
  const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
  const apiVersion = 'types.kubefed.io/v1beta1';
  const metadata = { namespace: 'shop', name: 'shop' };
  const placement = { clusterSelector: {} };
  let world: World;
  let served: ServedClusters;
  let directory: string;

  beforeAll(async () => {
    world = await simulate({ host: {}, members: { 'eu-1': {}, 'us-1': {} }, clock: systemClock });
    served = await serve(['host', 'eu-1', 'us-1'].map((name) => world.cluster(name)));
    directory = mkdtempSync(join(tmpdir(), 'clusterset-examples-'));
    writeFileSync(join(directory, 'kubeconfig'), stringify(served.kubeconfig()), { mode: 0o600 });
  });

  afterAll(async () => {
    await served.close();
    await world[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it('brings what is federated on the host to the contexts of a kubeconfig, until Ctrl-C', async () => {
    const running = start(file(), [...args], { KUBECONFIG: join(directory, 'kubeconfig') });
    const host = world.connect('host');
    const types = [federate(namespaces), federate(configMaps)] as const;
    await vi.waitUntil(async () => (await host.list(types[1].federated).catch(() => undefined)) !== undefined, PATIENCE);
    await host.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const template = { data: { currency: 'EUR' } };
    await host.create(types[0].federated, {
      apiVersion,
      kind: 'FederatedNamespace',
      metadata,
      spec: { template: {}, placement },
    });
    for (const member of ['eu-1', 'us-1']) {
      await vi.waitUntil(() => world.connect(member).get(namespaces, { name: 'shop' }), PATIENCE);
    }
    await host.create(types[1].federated, { apiVersion, kind: 'FederatedConfigMap', metadata, spec: { template, placement } });
    for (const member of ['eu-1', 'us-1']) {
      const live = await vi.waitUntil(() => world.connect(member).get(configMaps, metadata), PATIENCE);
      expect(live).toMatchObject(template);
    }
    expect([await running.interrupt(), running.errors]).toEqual([0, '']);
  });
});
