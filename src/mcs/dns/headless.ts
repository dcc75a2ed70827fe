import { checkDnsLabel } from '../../kube/index.ts';
import { SOURCE_CLUSTER_LABEL } from '../api.ts';
import { isPortNumber } from '../slices/ports.ts';
import { isReady, recordsOf, textOf } from '../slices/reading.ts';
import type { EndpointSlice, SliceEndpoint, SlicePort } from '../slices/types.ts';
import { type ReportRecord, ServiceRecordNames, servicePortName } from './names.ts';
import { addressData, type RecordData } from './zone.ts';

/** A slice with what its endpoints have in common. */
interface SliceNames {
  readonly slice: string;
  readonly type: 'A' | 'AAAA';
  /** Cluster id as a part of names; nothing where it can't be one. */
  readonly cluster: string | undefined;
  readonly ports: readonly { readonly prefix: string; readonly port: number }[];
}

/**
 * The names of a headless service (KEP-1645, Multicluster Service DNS). Ports are those of the slices: they say where an endpoint listens. An
 * endpoint that is ready in any slice counts as ready, because Kubernetes moves endpoints between slices.
 */
export function headlessNames(
  slices: readonly EndpointSlice[],
  host: string,
  report: ReportRecord,
): ReadonlyMap<string, readonly RecordData[]> {
  const names = new ServiceRecordNames(host);
  for (const slice of slices) {
    const common = commonOf(slice, names, report);
    if (common === undefined) continue;
    for (const endpoint of recordsOf<SliceEndpoint>(slice.endpoints)) {
      if (isReady(endpoint)) addEndpoint(names, common, endpoint, report);
    }
  }
  return names.finish();
}

function commonOf(slice: EndpointSlice, names: ServiceRecordNames, report: ReportRecord): SliceNames | undefined {
  const { labels } = slice.metadata;
  const name = textOf(slice.metadata.name);
  const { addressType } = slice;
  if (addressType !== 'IPv4' && addressType !== 'IPv6') {
    report('UnknownAddressType', `${JSON.stringify(addressType)} is neither IPv4 nor IPv6`, name);
    return undefined;
  }
  const cluster = clusterOf(labels?.[SOURCE_CLUSTER_LABEL], name, report);
  const ports = recordsOf<SlicePort>(slice.ports).flatMap((port) => {
    const prefix = servicePortName(port, names, report, name);
    if (prefix === undefined) return [];
    if (isPortNumber(port.port)) return [{ prefix, port: port.port }];
    report('BadPort', `the number of port "${port.name}" is not from 1 to 65535`, name);
    return [];
  });
  return { slice: name, type: addressType === 'IPv4' ? 'A' : 'AAAA', cluster, ports };
}

/** A cluster id is one or two labels (KEP-1645, cluster id); an endpoint's name then has two or three in front of the service. */
function clusterOf(cluster: unknown, slice: string, report: ReportRecord): string | undefined {
  if (typeof cluster !== 'string' || cluster === '') {
    report('NoSourceCluster', 'without a source cluster its endpoints have no names, and no SRV records', slice);
    return undefined;
  }
  const labels = cluster.split('.');
  if (labels.length <= 2 && labels.every((label) => checkDnsLabel(label).length === 0)) return cluster;
  report('BadClusterId', `"${cluster}" is not one or two DNS labels`, slice);
  return undefined;
}

function addEndpoint(names: ServiceRecordNames, common: SliceNames, endpoint: SliceEndpoint, report: ReportRecord): void {
  const { slice, type, cluster, ports } = common;
  const hostname = hostnameOf(endpoint, slice, report);
  const addresses: readonly unknown[] = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
  for (const address of addresses) {
    const data = addressData(address);
    if (data === undefined || data.type !== type) {
      report('BadAddress', `${JSON.stringify(address)} gives no ${type} record`, slice);
      continue;
    }
    names.add('', [data]);
    if (cluster === undefined || hostname === undefined) continue;
    const prefix = `${hostname === '' ? systemName(data.address) : hostname}.${cluster}`;
    if (!names.fits(prefix)) {
      report('NameTooLong', `${prefix} makes a name that is longer than 253 characters`, slice);
      continue;
    }
    names.add(prefix, [data]);
    for (const { prefix: service, port } of ports) names.addService(service, `${prefix}.${names.host}`, port);
  }
}

/** Empty where there is none; nothing where there is one that can't be a part of a name. */
function hostnameOf({ hostname }: SliceEndpoint, slice: string, report: ReportRecord): string | undefined {
  if (hostname === undefined || hostname === null || hostname === '') return '';
  if (typeof hostname === 'string' && checkDnsLabel(hostname).length === 0) return hostname;
  report('BadHostname', `${JSON.stringify(hostname)} is no DNS label`, slice);
  return undefined;
}

/** The name of an endpoint without a hostname, as CoreDNS makes it: its address with dashes, which must not end in one. */
function systemName(address: string): string {
  const name = address.replaceAll(/[.:]/g, '-');
  return name.endsWith('-') ? `${name}0` : name;
}
