import { checkDnsLabel, checkLabelValue, isRecord } from '../../kube/index.ts';
import { parseAddress } from '../address.ts';
import { KUBE_SERVICE_NAME_LABEL, type ServiceImportPort, SOURCE_CLUSTER_LABEL } from '../api.ts';
import { derivedPorts } from '../derived-service.ts';
import type { IPFamily } from '../merge/ip-families.ts';
import { carriedPorts, protocolOf } from './ports.ts';
import type { EndpointSlice, ImportedService, LeftOut, LeftOutReason, SliceEndpoint, SlicePort } from './types.ts';

/** An endpoint that may be imported. */
export interface ReadEndpoint {
  /** Its number among those that may be imported. */
  readonly number: number;
  readonly endpoint: SliceEndpoint;
  readonly hostname: string | undefined;
}

/** What of a source slice may be imported. */
export interface ReadSlice {
  readonly name: string;
  readonly addressType: IPFamily;
  /** By what tells endpoints apart: addresses and hostname. */
  readonly endpoints: ReadonlyMap<string, ReadEndpoint>;
  readonly ports: readonly SlicePort[];
}

/** A source slice, read: `source` is missing where nothing of it may be imported. */
export interface Reading {
  readonly source?: ReadSlice;
  readonly leftOut: readonly LeftOut[];
}

type Report = (reason: LeftOutReason, message: string, field?: string) => void;

const MOST_ADDRESSES = 100;

/**
 * Reads a slice of another cluster. What API servers would refuse, or what doesn't belong to the service, is left out with a reason and
 * spoils nothing else: a bad endpoint leaves the others, a bad slice leaves the other slices.
 */
export function readSourceSlice(
  { serviceImport, derivedService }: ImportedService,
  {
    cluster,
    ports,
    slice,
  }: { readonly cluster: string; readonly ports: readonly ServiceImportPort[]; readonly slice: EndpointSlice },
): Reading {
  const leftOut: LeftOut[] = [];
  const name = isRecord(slice) && isRecord(slice.metadata) ? textOf(slice.metadata.name) : '';
  const report: Report = (reason, message, field) => {
    leftOut.push({ reason, cluster, slice: name, ...(field === undefined ? {} : { field }), message });
  };
  if (name === '') {
    report('NotASlice', 'it has no metadata.name');
    return { leftOut };
  }
  const addressType = belongs(slice, serviceImport.metadata, report);
  if (addressType === undefined) return { leftOut };
  const merged = recordsOf<ServiceImportPort>(serviceImport.spec?.ports);
  const headless = serviceImport.spec?.type === 'Headless';
  const carried = carriedPorts(recordsOf<SlicePort>(slice.ports), recordsOf<ServiceImportPort>(ports), merged, headless);
  for (const { reason, field, message } of carried.leftOut) report(reason, message, field);
  if (carried.ports === undefined) return { leftOut };
  const endpoints = readEndpoints(slice, addressType, report);
  const named = derivedService === undefined ? carried.ports : withDerivedNames(carried.ports, merged);
  return { source: { name, addressType, endpoints, ports: named }, leftOut };
}

/** An unnamed port beside others has an invented name in the derived Service, and kube-proxy finds endpoints by that. */
function withDerivedNames(ports: readonly SlicePort[], merged: readonly ServiceImportPort[]): readonly SlicePort[] {
  const unnamed = ports.find((port) => isUnnamed(port));
  const wanted = merged.find((port) => isUnnamed(port));
  if (unnamed === undefined || wanted === undefined) return ports;
  const derived = derivedPorts(merged).ports.find((each) => each.port === wanted.port && each.protocol === protocolOf(wanted));
  if (derived?.name === undefined) return ports;
  return ports.map((port) => (port === unnamed ? { ...port, name: derived.name as string } : port));
}

const isUnnamed = ({ name }: { readonly name?: string | null }): boolean => name === undefined || name === null || name === '';

/** What is wrong with a cluster id as the value of a label; nothing for a good one. */
export function clusterIdProblem(cluster: string): string | undefined {
  return cluster === '' ? 'must not be empty' : checkLabelValue(cluster)[0];
}

function belongs(
  slice: EndpointSlice,
  service: { readonly name: string; readonly namespace?: string },
  report: Report,
): IPFamily | undefined {
  const { namespace, labels } = slice.metadata;
  const owner = labels?.[KUBE_SERVICE_NAME_LABEL];
  if (namespace !== service.namespace)
    report('OtherNamespace', `it is in namespace ${JSON.stringify(namespace)}`, 'metadata.namespace');
  else if (labels?.[SOURCE_CLUSTER_LABEL] !== undefined) report('AlreadyImported', 'it was imported itself', 'metadata.labels');
  else if (owner === undefined) report('NoServiceLabel', `the label ${KUBE_SERVICE_NAME_LABEL} is missing`, 'metadata.labels');
  else if (owner !== service.name) report('OtherService', `it belongs to Service ${JSON.stringify(owner)}`, 'metadata.labels');
  else if (slice.addressType === 'IPv4' || slice.addressType === 'IPv6') return slice.addressType;
  else report('UnknownAddressType', `${JSON.stringify(slice.addressType)} is neither IPv4 nor IPv6`, 'addressType');
  return undefined;
}

function readEndpoints(slice: EndpointSlice, family: IPFamily, report: Report): ReadonlyMap<string, ReadEndpoint> {
  const found = new Map<string, ReadEndpoint>();
  const list: readonly unknown[] = Array.isArray(slice.endpoints) ? slice.endpoints : [];
  for (let index = 0; index < list.length; index += 1) {
    const endpoint = list[index];
    if (!isEndpoint(endpoint, family, index, report)) continue;
    const hostname = hostnameOf(endpoint, index, report);
    const key = endpointKey(endpoint.addresses, hostname);
    const earlier = found.get(key);
    if (earlier === undefined) {
      found.set(key, { number: found.size, endpoint, hostname });
      continue;
    }
    report('DuplicateEndpoint', 'its addresses and hostname occur twice', `endpoints[${index}]`);
    if (!isReady(earlier.endpoint) && isReady(endpoint)) found.set(key, { ...earlier, endpoint });
  }
  return found;
}

function isEndpoint(endpoint: unknown, family: IPFamily, index: number, report: Report): endpoint is SliceEndpoint {
  const addresses: unknown = isRecord(endpoint) ? endpoint.addresses : undefined;
  if (!Array.isArray(addresses) || addresses.length === 0) {
    report('NoAddresses', 'it has no addresses', `endpoints[${index}].addresses`);
    return false;
  }
  if (addresses.length > MOST_ADDRESSES) {
    report('TooManyAddresses', `it has more than ${MOST_ADDRESSES} addresses`, `endpoints[${index}].addresses`);
    return false;
  }
  for (let at = 0; at < addresses.length; at += 1) {
    const problem = addressProblem(addresses[at], family);
    if (problem === undefined) continue;
    report(
      problem,
      `${JSON.stringify(addresses[at])} is not taken as an ${family} address`,
      `endpoints[${index}].addresses[${at}]`,
    );
    return false;
  }
  if (hasReadableConditions(endpoint as SliceEndpoint)) return true;
  report('BadEndpoint', 'its conditions are not true or false', `endpoints[${index}].conditions`);
  return false;
}

function hasReadableConditions({ conditions }: { readonly conditions?: unknown }): boolean {
  if (conditions === undefined || conditions === null) return true;
  return isRecord(conditions) && isFlag(conditions.ready) && isFlag(conditions.serving) && isFlag(conditions.terminating);
}

function isFlag(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'boolean';
}

/** Why an address can't be an endpoint's of this family; nothing for a good one. */
function addressProblem(text: unknown, family: IPFamily): 'BadAddress' | 'WrongFamily' | 'SpecialAddress' | undefined {
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address === undefined) return 'BadAddress';
  if (address.family !== family) return 'WrongFamily';
  return address.special ? 'SpecialAddress' : undefined;
}

/** A hostname that no API server takes is dropped, and the endpoint kept: traffic matters more than a name. */
function hostnameOf({ hostname }: SliceEndpoint, index: number, report: Report): string | undefined {
  if (hostname === undefined || hostname === null || hostname === '') return undefined;
  if (typeof hostname === 'string' && checkDnsLabel(hostname).length === 0) return hostname;
  report('BadHostname', `${JSON.stringify(hostname)} is no DNS label`, `endpoints[${index}].hostname`);
  return undefined;
}

/** Whether an endpoint is ready; unset means ready (API: discovery.k8s.io/v1 EndpointConditions). */
export function isReady({ conditions }: Pick<SliceEndpoint, 'conditions'>): boolean {
  return conditions?.ready !== false;
}

/** What tells the endpoints of a slice apart. */
export function endpointKey(addresses: readonly string[], hostname: unknown): string {
  const text = addresses.length === 1 ? (addresses[0] ?? '') : addresses.join(',');
  return typeof hostname === 'string' && hostname !== '' ? `${text}/${hostname}` : text;
}

/** Whether a value is an endpoint with addresses, so that it has a key. */
export function hasAddresses(endpoint: unknown): endpoint is SliceEndpoint {
  if (!isRecord(endpoint) || !Array.isArray(endpoint.addresses) || endpoint.addresses.length === 0) return false;
  return endpoint.addresses.every((address) => typeof address === 'string');
}

/** The text itself; empty for anything else, which nothing is named. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The objects of a list; anything else in it counts as an empty object, so that positions stay. */
export function recordsOf<T extends object>(list: unknown): readonly T[] {
  return Array.isArray(list) ? list.map((each) => (isRecord(each) ? each : {}) as T) : [];
}
