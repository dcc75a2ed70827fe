import { clustersetRecords, type EndpointSlice, resolve, type ServiceImport } from 'clusterset/mcs';
import { microseconds } from './measure.ts';

const CLUSTERS = 5;
const SERVICES = 1000;
const PODS = 20;

/** 1,000 headless services of 100 endpoints in five clusters and 1,000 with an address, then single questions; and one of 1,000 endpoints. */
export function benchDns(): void {
  const imports = Array.from({ length: SERVICES }, (_, number) => [headless(`db-${number}`), clusterSetIp(number)]).flat();
  const slices = Array.from({ length: SERVICES * CLUSTERS }, (_, number) =>
    slice(`db-${Math.floor(number / CLUSTERS)}`, number % CLUSTERS, PODS),
  );
  const started = performance.now();
  const zone = clustersetRecords(imports, slices);
  const making = performance.now() - started;
  console.log(`records of ${imports.length} services with ${slices.length * PODS} endpoints: ${making.toFixed(0)} ms`);
  const questions = [
    { name: 'web-7.shop.svc.clusterset.local', type: 'A' },
    { name: '_http._tcp.Web-7.shop.svc.clusterset.local.', type: 'SRV' },
    { name: 'pod-3.cluster-1.db-500.shop.svc.clusterset.local', type: 'A' },
    { name: 'pod-3.cluster-9.db-500.shop.svc.clusterset.local', type: 'A' },
    { name: 'web-7.shop.svc.clusterset.local', type: 'AAAA' },
    { name: 'nothing.nowhere.svc.clusterset.local', type: 'A' },
  ];
  const time = microseconds(() => questions.map((question) => resolve(zone, question))) / questions.length;
  const rate = Math.round(1e6 / time);
  console.log(`resolve single names: ${time.toFixed(2)} µs, ${rate} a second`);
  const large = clustersetRecords(
    [headless('large')],
    [0, 1, 2, 3, 4].map((cluster) => slice('large', cluster, 200)),
  );
  for (const [type, name] of [
    ['A', 'large.shop.svc.clusterset.local'],
    ['SRV', '_pg._tcp.large.shop.svc.clusterset.local'],
  ] as const) {
    console.log(`resolve ${type} of 1000 endpoints: ${microseconds(() => resolve(large, { name, type })).toFixed(0)} µs`);
  }
}

function headless(name: string): ServiceImport {
  return serviceImport(name, { type: 'Headless', ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }] });
}

function clusterSetIp(number: number): ServiceImport {
  const ips = [`10.99.${number >> 8}.${number & 255}`];
  return serviceImport(`web-${number}`, { type: 'ClusterSetIP', ips, ports: [{ name: 'http', protocol: 'TCP', port: 80 }] });
}

function serviceImport(name: string, spec: NonNullable<ServiceImport['spec']>): ServiceImport {
  return { apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceImport', metadata: { namespace: 'shop', name }, spec };
}

function slice(service: string, cluster: number, pods: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'shop',
      name: `${service}-${cluster}`,
      labels: {
        'multicluster.kubernetes.io/service-name': service,
        'multicluster.kubernetes.io/source-cluster': `cluster-${cluster}`,
      },
    },
    addressType: 'IPv4',
    endpoints: Array.from({ length: pods }, (_, pod) => ({
      addresses: [`10.${cluster}.${pod >> 8}.${pod & 255}`],
      conditions: { ready: true },
      hostname: `pod-${pod}`,
    })),
    ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }],
  };
}
