import { registrySource } from 'clusterset/controllers/registry';
import { type Cluster, resourceType } from 'clusterset/kube';
import {
  type ClusterEntry,
  KubeFedCluster,
  REGISTRY_KINDS,
  RegistryCluster,
  registerCluster,
  removeCluster,
} from 'clusterset/registry';
import { ClusterSet } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const { cluster: KIND } = REGISTRY_KINDS;

describe('a registry as a source of clusters', () => {
  let world: World;
  let host: Cluster;
  let stopping: AbortController;
  let said: string[];
  let issues: string[];
  let errors: number;

  beforeEach(async () => {
    world = await simulate({ host: {}, members: { 'eu-1': {}, 'us-1': {} } });
    host = world.cluster('host').connect();
    stopping = new AbortController();
    said = [];
    issues = [];
    errors = 0;
    await host.create(CRDS, RegistryCluster.crd() as never);
    await host.create(CRDS, KubeFedCluster.crd() as never);
  });
  afterEach(async () => {
    stopping.abort();
    await world[Symbol.asyncDispose]();
  });

  const names = (entries: readonly ClusterEntry[]): string => entries.map(({ name }) => name).join(' ');

  function follow(namespace?: string): void {
    const source = registrySource({
      host,
      kind: KIND,
      clock: world.clock,
      random: () => 0,
      ...(namespace === undefined ? {} : { namespace }),
      onIssues: (found) => {
        issues = found.map(({ object, field }) => `${object.name} ${field}`);
      },
      onError: () => {
        errors += 1;
      },
    });
    void (async () => {
      for await (const entries of source.watch(stopping.signal)) said.push(names(entries));
    })();
  }

  const register = (name: string, serverAddress = `${name}.example.com`): Promise<unknown> =>
    registerCluster(host, KIND, {
      metadata: { name, namespace: 'default' },
      spec: { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress }] } },
    });

  it('says who is there, who comes and who goes', async () => {
    await register('eu-1');
    follow('default');
    await world.settle();
    await register('us-1');
    await world.settle();
    await removeCluster(host, KIND, { namespace: 'default', name: 'eu-1' });
    await world.settle();
    expect(said).toEqual(['eu-1', 'eu-1 us-1', 'us-1']);
  });

  it('says nobody where the registry is empty', async () => {
    follow('default');
    await world.settle();
    expect(said).toEqual(['']);
  });

  it('calls clusters by namespace and name where it reads all namespaces', async () => {
    await register('eu-1');
    follow();
    await world.settle();
    expect(said).toEqual(['default/eu-1']);
  });

  it('keeps a cluster whose address can not be read, and tells of it', async () => {
    await register('eu-1');
    await register('bad', 'ftp://x');
    follow('default');
    await world.settle();
    expect(said).toEqual(['bad eu-1']);
    expect(issues).toEqual(['bad spec.kubernetesApiEndpoints.serverEndpoints[0].serverAddress']);
  });

  it('takes nobody out while the registry can not be read', async () => {
    await register('eu-1');
    follow('default');
    await world.settle();
    const away = world.partition('host');
    await world.advance('5m');
    away[Symbol.dispose]();
    await world.advance('1m');
    expect(said).toEqual(['eu-1']);
    expect(errors).toBeGreaterThan(0);
    await register('us-1');
    await world.settle();
    expect(said.at(-1)).toBe('eu-1 us-1');
  });

  it('says nothing before the registry is installed: nobody knows who is there', async () => {
    await host.delete(CRDS, { name: 'clusters.clusterregistry.k8s.io' });
    follow('default');
    await world.advance('1m');
    expect(said).toEqual([]);
    await host.create(CRDS, RegistryCluster.crd() as never);
    await register('eu-1');
    await world.advance('1m');
    expect(said).toEqual(['eu-1']);
  });

  it('makes a cluster set engage and release', async () => {
    const source = registrySource({ host, kind: KIND, namespace: 'default', clock: world.clock, random: () => 0 });
    const set = new ClusterSet({ source, connect: ({ name }) => world.cluster(name).connect(), clock: world.clock });
    await register('eu-1');
    const started = set.start();
    await world.settle();
    await started;
    expect([...set.members.keys()]).toEqual(['eu-1']);
    expect(set.get('eu-1')?.state).toBe('ready');
    await register('us-1');
    await removeCluster(host, KIND, { namespace: 'default', name: 'eu-1' });
    await world.settle();
    expect([...set.members.keys()]).toEqual(['us-1']);
    await set.stop();
  });
});
