import { checkDnsLabel, compareText, isRecord, stableStringify } from '../../kube/index.ts';
import { SERVICE_NAME_LABEL, type ServiceImport, type ServiceImportPort } from '../api.ts';
import { isPortNumber } from '../slices/ports.ts';
import { recordsOf, textOf } from '../slices/reading.ts';
import type { EndpointSlice } from '../slices/types.ts';
import { headlessNames } from './headless.ts';
import { longestPrefix, type ReportRecord, ServiceRecordNames, servicePortName } from './names.ts';
import {
  addressData,
  originOf,
  type RecordData,
  type RecordLeftOut,
  type ServiceRecords,
  type Zone,
  type ZoneOptions,
  zoneOf,
} from './zone.ts';

/**
 * The DNS zone of a cluster set, from its ServiceImports and imported EndpointSlices (KEP-1645, Multicluster Service DNS). Slices belong to the
 * import of their namespace that their label names. Records follow from the objects alone, in whatever order they come.
 *
 * @throws ClustersetError `Invalid` for a zone name that is none. Objects never make it throw: what has no record is reported.
 */
export function clustersetRecords(
  imports: readonly ServiceImport[],
  slices: readonly EndpointSlice[],
  options: ZoneOptions = {},
): Zone {
  const leftOut: RecordLeftOut[] = [];
  const services = uniqueImports(imports, leftOut);
  const byService = slicesByService(slices);
  const records = services.map((each) => {
    const { namespace, service } = keyOfImport(each);
    const key = keyFor(namespace, service);
    const own = byService.get(key) ?? [];
    byService.delete(key);
    return serviceRecords(each, own, options);
  });
  for (const slice of [...byService.values()].flat().toSorted(byName)) {
    const { namespace, name, labels } = slice.metadata;
    const key = { namespace: textOf(namespace), service: textOf(labels?.[SERVICE_NAME_LABEL]), slice: textOf(name) };
    leftOut.push({ reason: 'NoServiceImport', ...key, message: 'there is no such ServiceImport' });
  }
  return zoneOf(records.filter(isNamed), options, [
    ...leftOut,
    ...records.filter((each) => !isNamed(each)).flatMap((each) => each.leftOut),
  ]);
}

/**
 * The records of one service: for whoever knows what changed, with `withServiceRecords`. Slices of other services are passed over.
 *
 * - ClusterSetIP: A and AAAA of `spec.ips`; SRV for each named port, at its own name and, as the conformance suite wants, at the service's.
 * - Headless: A and AAAA of every ready endpoint, so that both families cover the same ones as long as their slices do; a name for each
 *   `<hostname>.<cluster>`; SRV for each of them and each named port. Nothing is ready: no name.
 *
 * @throws ClustersetError `Invalid` for a zone name that is none.
 */
export function serviceRecords(
  serviceImport: ServiceImport,
  slices: readonly EndpointSlice[],
  options: Pick<ZoneOptions, 'zone'> = {},
): ServiceRecords {
  const { namespace, service } = keyOfImport(serviceImport);
  const leftOut: RecordLeftOut[] = [];
  const report: ReportRecord = (reason, message, slice) => {
    leftOut.push({ reason, namespace, service, ...(slice === undefined ? {} : { slice }), message });
  };
  const names = namesOf(serviceImport, slices, originOf(options.zone), report);
  return { namespace, service, names, leftOut };
}

function namesOf(
  serviceImport: ServiceImport,
  slices: readonly EndpointSlice[],
  origin: string,
  report: ReportRecord,
): ReadonlyMap<string, readonly RecordData[]> {
  const { namespace, service } = keyOfImport(serviceImport);
  const problem = checkDnsLabel(service)[0] ?? checkDnsLabel(namespace)[0];
  const host = `${service}.${namespace}.svc.${origin}`;
  if (problem !== undefined) report('BadName', `"${service}.${namespace}" can't be a part of a name: ${problem}`);
  else if (longestPrefix(host) < 0) report('NameTooLong', `${host} is longer than 253 characters`);
  else if (serviceImport.spec?.type === 'ClusterSetIP') return clusterSetIpNames(serviceImport, host, report);
  else if (serviceImport.spec?.type === 'Headless') return headlessNames(ownSlices(slices, namespace, service), host, report);
  else report('BadType', `${JSON.stringify(serviceImport.spec?.type)} is neither ClusterSetIP nor Headless`);
  return new Map();
}

function clusterSetIpNames(
  { spec }: ServiceImport,
  host: string,
  report: ReportRecord,
): ReadonlyMap<string, readonly RecordData[]> {
  const names = new ServiceRecordNames(host);
  const ips: readonly unknown[] = Array.isArray(spec?.ips) ? spec.ips : [];
  const addresses = ips.flatMap((ip) => {
    const data = addressData(ip);
    if (data === undefined) report('BadAddress', `${JSON.stringify(ip)} is no address`);
    return data ?? [];
  });
  names.add('', addresses);
  for (const port of recordsOf<ServiceImportPort>(spec?.ports)) {
    const prefix = servicePortName(port, names, report);
    if (prefix === undefined) continue;
    if (!isPortNumber(port.port)) report('BadPort', `the number of port "${port.name}" is not from 1 to 65535`);
    else names.addService(prefix, host, port.port, addresses.length);
  }
  return names.finish();
}

function uniqueImports(imports: readonly ServiceImport[], leftOut: RecordLeftOut[]): readonly ServiceImport[] {
  const found = new Map<string, ServiceImport>();
  for (const each of imports) {
    if (!isRecord(each) || !isRecord(each.metadata) || typeof each.metadata.name !== 'string') {
      leftOut.push({ reason: 'BadName', namespace: '', service: '', message: 'an import has no metadata.name' });
      continue;
    }
    const { namespace, service } = keyOfImport(each);
    const key = keyFor(namespace, service);
    const earlier = found.get(key);
    if (earlier !== undefined) leftOut.push({ reason: 'DuplicateImport', namespace, service, message: 'it is there twice' });
    const isLess = earlier === undefined || compareText(stableStringify(each), stableStringify(earlier)) < 0;
    if (isLess) found.set(key, each);
  }
  return [...found.values()];
}

function slicesByService(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const found = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service: unknown = slice?.metadata?.labels?.[SERVICE_NAME_LABEL];
    if (typeof service !== 'string') continue;
    const key = keyFor(textOf(slice.metadata.namespace), service);
    const list = found.get(key);
    if (list === undefined) found.set(key, [slice]);
    else list.push(slice);
  }
  return found;
}

function ownSlices(slices: readonly EndpointSlice[], namespace: string, service: string): readonly EndpointSlice[] {
  return slices
    .filter((slice) => slice?.metadata?.namespace === namespace && slice.metadata.labels?.[SERVICE_NAME_LABEL] === service)
    .toSorted(byName);
}

function byName(a: EndpointSlice, b: EndpointSlice): number {
  const [first, second] = [a.metadata, b.metadata];
  return compareText(textOf(first.namespace), textOf(second.namespace)) || compareText(textOf(first.name), textOf(second.name));
}

function keyOfImport({ metadata }: ServiceImport): { readonly namespace: string; readonly service: string } {
  return { namespace: textOf(metadata.namespace), service: textOf(metadata.name) };
}

function keyFor(namespace: string, service: string): string {
  return `${namespace}/${service}`;
}

/** A service whose name can be no part of a DNS name isn't in the zone, and neither is its namespace for its sake. */
function isNamed({ leftOut }: ServiceRecords): boolean {
  return !leftOut.some(({ reason }) => reason === 'BadName');
}
