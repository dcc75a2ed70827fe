import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ClusterProperty, claim, verify } from 'clusterset/about';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import {
  DERIVED_SERVICE_ANNOTATION,
  derivedService,
  ENDPOINT_SLICE,
  type EndpointSlice,
  exportedService,
  gatherServices,
  importSlices,
  mergeExports,
  ServiceExport,
  ServiceImport,
} from 'clusterset/mcs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const SERVICES = resourceType('v1', 'Service', 'services');
const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NOW = '2026-01-01T00:00:00Z';
const MEMBERS = ['eu-1', 'us-1'] as const;
const key = { namespace: 'shop', name: 'web' };

describe('identity and services on real API servers', () => {
  let planes: ControlPlanes;
  let clusters: readonly Cluster[];

  beforeAll(async () => {
    planes = await startControlPlanes(MEMBERS.map((name) => ({ name })));
    clusters = MEMBERS.map((name) => planes.connect(name));
    for (const cluster of clusters) {
      const types = [ClusterProperty, ServiceExport, ServiceImport];
      for (const type of types) await cluster.create(CRDS, type.crd() as never);
      await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
      for (const type of types)
        await vi.waitFor(() => cluster.list<AnyObject>(type as never), { timeout: 30_000, interval: 100 });
    }
  });
  afterAll(async () => {
    for (const cluster of clusters ?? []) await cluster.close();
    await planes?.stop();
  });

  function command(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly out: string }>();
    const words = [COMMAND, ...args, '--kubeconfig', planes.kubeconfig];
    execFile(process.execPath, words, { timeout: 60_000, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout });
    });
    return promise;
  }

  it('lets clusters claim who they are, once, and verifies the set', async () => {
    for (const cluster of clusters) {
      const wanted = { id: cluster.name, clusterSet: 'shop' };
      expect(await claim(cluster, wanted, { fieldManager: 'tests' })).toMatchObject({ claimed: true });
      expect(await claim(cluster, wanted, { fieldManager: 'tests' })).toMatchObject({ claimed: true });
      expect(await claim(cluster, { ...wanted, id: 'other' }, { fieldManager: 'tests' })).toMatchObject({ claimed: false });
    }
    expect(await verify(clusters, { clusterSet: 'shop' })).toMatchObject({ verdict: 'Sound', findings: [] });
    expect((await command('about', '--contexts', 'eu-1,us-1', '--verify', '--clusterset', 'shop')).code).toBe(0);
    expect((await command('about', '--contexts', 'eu-1,us-1', '--verify', '--clusterset', 'other')).code).toBe(2);
  });

  it('reads properties in the older version, too', async () => {
    const older = { ...ClusterProperty, version: 'v1alpha1' };
    const found = await clusters[0]?.list<AnyObject>(older as never);
    expect(found?.items.map(({ metadata, apiVersion }) => `${apiVersion} ${metadata.name}`)).toEqual([
      'about.k8s.io/v1alpha1 cluster.clusterset.k8s.io',
      'about.k8s.io/v1alpha1 clusterset.k8s.io',
    ]);
  });

  it('merges what clusters export; the server takes the import, its Service, its slices and the conditions as they are', async () => {
    const ports = [{ port: 80, protocol: 'TCP' }];
    const more = [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'grpc', port: 9090, protocol: 'TCP' },
    ];
    for (const [index, cluster] of clusters.entries()) {
      const spec = { ports: index === 0 ? ports : more };
      await cluster.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: key, spec } as never);
      await cluster.create(ServiceExport, { apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceExport', metadata: key });
    }
    const found = await gatherServices(
      clusters.map((cluster) => ({ id: cluster.name, cluster })),
      { namespace: 'shop', now: NOW },
    );
    const merged = found.services[0]?.merged;
    expect(merged?.exports.map(({ rank }) => rank)).toEqual([1, 2]);
    expect(merged?.serviceImport?.spec?.ports.map(({ port }) => port)).toEqual([80, 9090]);

    for (const cluster of clusters) {
      const [mine] = merged?.exports.filter((each) => each.cluster === cluster.name) ?? [];
      const status = { conditions: [...(mine?.conditions ?? [])] };
      const body = { status } as never;
      await cluster.patch(ServiceExport, key, { type: 'merge', body }, { subresource: 'status' });
      const stored = await cluster.get(ServiceExport, key);
      const service = await cluster.get<AnyObject>(SERVICES, key);
      expect(stored?.status?.conditions).toEqual(mine?.conditions);
      // What was written changes nothing any more.
      const read = exportedService(cluster.name, stored as ServiceExport, service);
      const others = found.services[0]?.exports.filter((each) => each.cluster !== cluster.name) ?? [];
      const again = mergeExports({ ...key, exports: [read, ...others], now: '2027-01-01T00:00:00Z' });
      expect(again.exports.find((each) => each.cluster === cluster.name)?.conditions).toEqual(stored?.status?.conditions);
    }

    const [importer] = clusters;
    if (importer === undefined || merged?.serviceImport === undefined) throw new TypeError('there is a member, and an import');
    const { status, ...serviceImport } = merged.serviceImport;
    const created = await importer.create(ServiceImport, serviceImport as never);
    await importer.patch(ServiceImport, key, { type: 'merge', body: { status } as never }, { subresource: 'status' });
    const derived = derivedService(created);
    if (derived.op !== 'have') throw new TypeError(`there is no derived Service: ${derived.reason}`);
    const shadow = await importer.create<AnyObject>(SERVICES, derived.service);
    const { clusterIPs } = shadow.spec as { readonly clusterIPs: readonly string[] };
    const annotations = { [DERIVED_SERVICE_ANNOTATION]: shadow.metadata.name };
    await importer.patch(ServiceImport, key, {
      type: 'merge',
      body: { metadata: { annotations }, spec: { ips: [...clusterIPs] } },
    });

    const source: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace: 'shop', name: 'web-abc', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'grpc', port: 9090, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true } }],
    };
    const service = { serviceImport: created, derivedService: shadow.metadata.name };
    const sources = [{ cluster: 'us-1', ports: more, slices: [source] }];
    const plan = importSlices({ ...service, sources, current: [] });
    expect(plan.leftOut).toEqual([]);
    expect(plan.steps.map(({ op }) => op)).toEqual(['create']);
    const stored: EndpointSlice[] = [];
    for (const { slice } of plan.steps) stored.push(await importer.create(ENDPOINT_SLICE, slice));
    // What the server made of it is what should be there.
    expect(importSlices({ ...service, sources, current: stored }).steps).toEqual([]);
  });

  it('shows who exports what, and resolves names, from the command', async () => {
    const services = await command('services', '--contexts', 'eu-1,us-1', '-o', 'json');
    expect(services.code).toBe(2);
    expect(JSON.parse(services.out)).toMatchObject({
      services: [{ service: 'shop/web', exporters: ['eu-1', 'us-1'], conflicts: [{ reason: 'PortConflict' }] }],
    });
    const resolved = await command('resolve', 'web.shop', '--from', 'eu-1', '-o', 'json');
    expect(resolved.code).toBe(0);
    expect(JSON.parse(resolved.out)).toMatchObject({ code: 'NOERROR', answers: [{ type: 'A', address: expect.any(String) }] });
    expect((await command('resolve', 'nobody.shop', '--from', 'eu-1')).code).toBe(2);
  });
});
