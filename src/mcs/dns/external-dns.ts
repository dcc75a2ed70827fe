import { compareText, type KubeObject, type ResourceType, resourceType } from '../../kube/index.ts';
import { SERVICE_NAME_LABEL } from '../api.ts';
import { fullName, type RecordData, type ServiceRecords, servicesOf, type Zone } from './zone.ts';

/** One name and type that external-dns publishes (API: externaldns.k8s.io/v1alpha1 Endpoint). */
export interface DnsEndpointRecord {
  readonly dnsName: string;
  readonly recordType: string;
  readonly targets: readonly string[];
  /** Seconds. */
  readonly recordTTL: number;
}

/** What external-dns publishes for one service (API: externaldns.k8s.io/v1alpha1 DNSEndpoint). */
export interface DnsEndpoint extends KubeObject {
  readonly spec: { readonly endpoints: readonly DnsEndpointRecord[] };
}

/** The resource type of DNSEndpoints. */
export const DNS_ENDPOINT: ResourceType<DnsEndpoint> = resourceType<DnsEndpoint>(
  'externaldns.k8s.io/v1alpha1',
  'DNSEndpoint',
  'dnsendpoints',
);

/** What {@link dnsEndpoints} takes beside the zone. */
export interface DnsEndpointOptions {
  /**
   * Types that are published. Default A and AAAA. SRV records need `--managed-record-types=SRV` and an external-dns that takes targets with a
   * last dot: some versions refuse them in DNSEndpoints, and newer ones refuse those without.
   */
  readonly recordTypes?: readonly ('A' | 'AAAA' | 'SRV')[];
  /** Seconds that answers may be kept. Default: as in the zone. Many providers keep to a minimum of their own. */
  readonly ttl?: number;
}

/**
 * DNSEndpoint objects that make external-dns publish a zone: one for each service, in its namespace, named `clusterset-<service>`. A service
 * without records has one as well, which is empty, so that its records are withdrawn and the object stays as long as the import. The zone must
 * be one that external-dns serves: `clusterset.local` is not.
 */
export function dnsEndpoints(zone: Zone, options: DnsEndpointOptions = {}): readonly DnsEndpoint[] {
  return servicesOf(zone).map((records) => dnsEndpoint(zone, records, options));
}

function dnsEndpoint(
  zone: Zone,
  records: ServiceRecords,
  { recordTypes = ['A', 'AAAA'], ttl = zone.ttl }: DnsEndpointOptions,
): DnsEndpoint {
  const endpoints = [...records.names].flatMap(([prefix, list]) => {
    const dnsName = fullName(zone.origin, records, prefix);
    return recordTypes.flatMap((recordType) => {
      const targets = list.flatMap((data) => (data.type === recordType ? [targetOf(data)] : [])).sort(compareText);
      return targets.length === 0 ? [] : [{ dnsName, recordType, targets, recordTTL: ttl }];
    });
  });
  return {
    apiVersion: 'externaldns.k8s.io/v1alpha1',
    kind: 'DNSEndpoint',
    metadata: {
      name: `clusterset-${records.service}`,
      namespace: records.namespace,
      labels: { [SERVICE_NAME_LABEL]: records.service, 'app.kubernetes.io/managed-by': 'clusterset' },
    },
    spec: { endpoints: endpoints.sort((a, b) => compareText(a.dnsName, b.dnsName) || compareText(a.recordType, b.recordType)) },
  };
}

function targetOf(data: RecordData): string {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return data.address;
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${data.target}.`;
    case 'TXT':
      return data.text;
    case 'NS':
      return data.target;
    case 'SOA':
      return data.nameServer;
    default:
      return data satisfies never;
  }
}
