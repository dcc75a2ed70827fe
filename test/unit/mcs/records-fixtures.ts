import type { ServiceImport } from '../../../src/mcs/api.ts';
import { type Resolution, resolve } from '../../../src/mcs/dns/resolve.ts';
import type { Zone, ZoneRecord } from '../../../src/mcs/dns/zone.ts';
import type { EndpointSlice, SliceEndpoint } from '../../../src/mcs/slices/types.ts';

type Spec = NonNullable<ServiceImport['spec']>;

export function serviceImport(name: string, spec: Spec, namespace = 'prod'): ServiceImport {
  return { apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceImport', metadata: { namespace, name }, spec };
}

export const clusterSetIp = (name: string, ips: string[], ports: Spec['ports']): ServiceImport =>
  serviceImport(name, { type: 'ClusterSetIP', ips, ports });

export const headless = (name: string, ports: Spec['ports'] = []): ServiceImport =>
  serviceImport(name, { type: 'Headless', ports });

export const tcp = (name: string, port: number) => ({ name, protocol: 'TCP', port });

/** Endpoints as `address`, `address=hostname`, with `!` in front of those that are not ready and `?` where that is unset. */
export function importedSlice(
  service: string,
  cluster: string | undefined,
  endpoints: readonly string[],
  more: Record<string, unknown> = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'prod',
      name: `${service}-${cluster}-${more.addressType ?? 'IPv4'}`,
      labels: {
        'multicluster.kubernetes.io/service-name': service,
        ...(cluster === undefined ? {} : { 'multicluster.kubernetes.io/source-cluster': cluster }),
      },
    },
    addressType: 'IPv4',
    endpoints: endpoints.map(endpoint),
    ports: [tcp('pg', 5432)],
    ...more,
  };
}

function endpoint(text: string): SliceEndpoint {
  const [address = '', hostname] = text.replace(/^[!?]/, '').split('=');
  const conditions = text.startsWith('?') ? {} : { ready: !text.startsWith('!') };
  return { addresses: [address], conditions, ...(hostname === undefined ? {} : { hostname }) };
}

/** An answer in a line: code, then answers without what all names of the zone have in common. */
export function told(zone: Zone, name: string, type: string, origin = 'clusterset.local'): string {
  return summary(resolve(zone, { name, type }), origin);
}

function summary({ code, answers }: Resolution, origin = 'clusterset.local'): string {
  if (code === 'NOERROR' && answers.length === 0) return 'NODATA';
  return code === 'NOERROR' ? answers.map((record) => dataOf(record, origin)).join(' | ') : code;
}

export function dataOf(record: ZoneRecord, origin = 'clusterset.local'): string {
  const short = (name: string): string => name.replace(`.prod.svc.${origin}`, '');
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${short(record.target)}`;
    case 'TXT':
      return record.text;
    case 'NS':
      return record.target;
    default:
      return `${record.nameServer} ${record.mailbox} ${record.serial}`;
  }
}
