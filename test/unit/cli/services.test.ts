import { type Cluster, resourceType } from 'clusterset/kube';
import { ENDPOINT_SLICE, SERVICE_NAME_LABEL, ServiceExport, ServiceImport, SOURCE_CLUSTER_LABEL } from 'clusterset/mcs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { run } from './run.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const SERVICES = resourceType('v1', 'Service', 'services');
const apiVersion = 'multicluster.x-k8s.io/v1beta1';
const http = { name: 'http', port: 80, protocol: 'TCP' };
const grpc = { name: 'grpc', port: 9090, protocol: 'TCP' };

describe('the services of a set', () => {
  let world: OfflineWorld;

  beforeEach(async () => {
    world = await startOffline(['eu-1', 'us-1', 'bare']);
    for (const name of ['eu-1', 'us-1']) {
      const cluster = world.cluster(name).connect();
      for (const type of [ServiceExport, ServiceImport]) await cluster.create(CRDS, type.crd() as never);
      await cluster.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    }
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const metadata = (name: string) => ({ namespace: 'shop', name });

  async function exportService(cluster: Cluster, name: string, spec?: object): Promise<void> {
    if (spec !== undefined)
      await cluster.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: metadata(name), spec } as never);
    await cluster.create(ServiceExport, { apiVersion, kind: 'ServiceExport', metadata: metadata(name) });
  }

  const services = (contexts: string, ...more: readonly string[]) =>
    run(['services', '--contexts', contexts, '--kubeconfig', world.kubeconfig, ...more]);

  describe('clusterset services', () => {
    it('says who exports what, and ends with 0 where all agree', async () => {
      for (const name of ['eu-1', 'us-1']) await exportService(world.cluster(name).connect(), 'web', { ports: [http] });
      const { code, stdout } = await services('eu-1,us-1');
      expect(code).toBe(0);
      expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).toEqual([
        ['SERVICE', 'TYPE', 'PORTS', 'CLUSTERS, OLDEST EXPORT FIRST', 'CONFLICTS'],
        ['shop/web', 'ClusterSetIP', 'http 80/TCP', 'eu-1, us-1', '-'],
      ]);
    });

    it('says who wins, who disagrees and why, and ends with 2', async () => {
      await exportService(world.cluster('eu-1').connect(), 'web', { ports: [http] });
      await exportService(world.cluster('us-1').connect(), 'web', { ports: [http, grpc], clusterIP: 'None' });
      await exportService(world.cluster('us-1').connect(), 'lost');
      const { code, stdout } = await services('eu-1,us-1', '-o', 'json');
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({
        services: [
          { service: 'shop/lost', exporters: [], problems: ['us-1: does not count (NoService)'] },
          {
            service: 'shop/web',
            type: 'ClusterSetIP',
            exporters: ['eu-1', 'us-1'],
            conflicts: [
              { field: 'ports', reason: 'PortConflict', disagreeing: ['eu-1'] },
              { field: 'type', reason: 'TypeConflict', value: 'ClusterSetIP', cluster: 'eu-1', disagreeing: ['us-1'] },
            ],
          },
        ],
      });
      const text = (await services('eu-1,us-1')).stdout;
      expect(text).toContain(
        'shop/web: TypeConflict: type is "ClusterSetIP", as eu-1 has the oldest export; us-1 would have it otherwise',
      );
      expect(text).toContain(
        'shop/web: PortConflict: ports are those of all exports together, first those of eu-1, the oldest; not the same in eu-1',
      );
      expect(text).toContain('shop/lost: us-1: does not count (NoService)');
    });

    it('says that a cluster has no MCS API, and goes on', async () => {
      await exportService(world.cluster('eu-1').connect(), 'web', { ports: [http] });
      const { code, stdout, stderr } = await services('eu-1,bare');
      expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 2 });
      expect(stderr).toContain('bare: the MCS API is not installed there; apply what `clusterset crds mcs` prints');
    });

    it('ends with 1 where a cluster can not be read, and shows the others', async () => {
      await exportService(world.cluster('eu-1').connect(), 'web', { ports: [http] });
      using _away = world.cluster('us-1').network.cut();
      const { code, stdout, stderr } = await services('eu-1,us-1');
      expect(code).toBe(1);
      expect(stdout).toContain('shop/web');
      expect(stderr).toMatch(/error: cluster us-1: /);
    });

    it('says that nobody exports anything', async () => {
      expect(await services('eu-1,us-1', '--namespace', 'shop')).toMatchObject({ code: 0, stdout: 'nobody exports a service' });
    });
  });

  describe('clusterset resolve', () => {
    const resolve = (...args: readonly string[]) => run(['resolve', ...args, '--from', 'eu-1', '--kubeconfig', world.kubeconfig]);

    beforeEach(async () => {
      const cluster = world.cluster('eu-1').connect();
      const spec = { type: 'ClusterSetIP' as const, ips: ['10.99.0.1'], ports: [http] };
      await cluster.create(ServiceImport, { apiVersion, kind: 'ServiceImport', metadata: metadata('web'), spec });
      const headless = { type: 'Headless' as const, ports: [http] };
      await cluster.create(ServiceImport, { apiVersion, kind: 'ServiceImport', metadata: metadata('db'), spec: headless });
      const labels = { [SERVICE_NAME_LABEL]: 'db', [SOURCE_CLUSTER_LABEL]: 'us-1' };
      await cluster.create(ENDPOINT_SLICE, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata('imported-db'), labels },
        addressType: 'IPv4',
        ports: [http],
        endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true }, hostname: 'db-0' }],
      } as never);
    });

    it.each<[string, readonly string[], string]>([
      ['a service', ['web.shop'], 'web.shop.svc.clusterset.local   5   A   10.99.0.1'],
      ['a whole name', ['web.shop.svc.clusterset.local.'], 'web.shop.svc.clusterset.local   5   A   10.99.0.1'],
      ['a host of a headless service', ['db-0.us-1.db.shop'], 'db-0.us-1.db.shop.svc.clusterset.local   5   A   10.1.0.1'],
    ])('answers for %s', async (_, args, line) => {
      expect(await resolve(...args)).toMatchObject({ code: 0, stdout: line });
    });

    it('answers for a port, with the address of its target', async () => {
      const { stdout } = await resolve('_http._tcp.web.shop', '--type', 'SRV', '-o', 'json');
      expect(JSON.parse(stdout)).toMatchObject({
        code: 'NOERROR',
        answers: [{ type: 'SRV', port: 80, target: 'web.shop.svc.clusterset.local' }],
        additional: [{ type: 'A', address: '10.99.0.1' }],
      });
    });

    it('tells a name that does not exist from one that has nothing of the type', async () => {
      expect(await resolve('nobody.shop')).toMatchObject({
        code: 2,
        stdout: 'nobody.shop.svc.clusterset.local A: NXDOMAIN in eu-1',
      });
      expect(await resolve('web.shop', '--type', 'aaaa')).toMatchObject({
        code: 2,
        stdout: 'web.shop.svc.clusterset.local AAAA: NODATA in eu-1',
      });
    });

    it('says that the MCS API is not installed', async () => {
      const { code, stderr } = await run(['resolve', 'web.shop', '--from', 'bare', '--kubeconfig', world.kubeconfig]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/cluster bare: the MCS API is not installed there.*`clusterset crds mcs`/);
    });

    it('refuses a type that is none', async () => {
      expect((await resolve('web.shop', '--type', '_')).stderr).toMatch(/is no type of a record/);
    });
  });
});
