import { sha256 } from '@noble/hashes/sha2.js';
import { type AnyObject, apiVersionOf, type Draft, type Issue, isRecord, type OwnerReference, utf8 } from '../kube/index.ts';
import { ServiceImport, type ServiceImportPort } from './api.ts';
import { isSessionTime } from './merge/exports.ts';
import { type IPFamily, readFamilies } from './merge/ip-families.ts';
import { readPorts } from './merge/ports.ts';

/** Letters of base32 with the extended hex alphabet, in lower case (RFC 4648 §7). */
const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv';
const HASH_LETTERS = 10;

/**
 * The name of the Service that holds the addresses of an import in a cluster: `derived-` and ten letters of a hash of `namespace/name`
 * (MCS API, reference controllers; Cilium does the same).
 */
export function derivedServiceName(namespace: string, name: string): string {
  const hash = sha256(utf8(`${namespace}/${name}`));
  const letters = Array.from({ length: HASH_LETTERS }, (_, index) => BASE32_HEX.charAt(fiveBits(hash, index * 5)));
  return `derived-${letters.join('')}`;
}

function fiveBits(bytes: Uint8Array, at: number): number {
  const index = at >> 3;
  const pair = ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  return (pair >> (11 - (at & 7))) & 31;
}

/** A port of a derived Service. Imported EndpointSlices must use the same name, or kube-proxy finds no endpoints. */
export interface DerivedPort extends ServiceImportPort {
  readonly protocol: string;
}

/**
 * The ports of an import as a Service can have them. A Service with several ports needs a name for each (API: core/v1 ServicePort), while
 * the union of several exports can hold an unnamed one: it is called after its protocol and number, `tcp-80`, with `-2`, `-3` and so on
 * behind it where that name is taken. The name depends on the ports alone. Ports that no Service can have are left out.
 */
export function derivedPorts(ports: readonly ServiceImportPort[]): {
  readonly ports: readonly DerivedPort[];
  readonly issues: readonly Issue[];
} {
  const { value, issues } = readPorts(ports, 'spec.ports');
  const names = new Set(value.map(({ name }) => name));
  return {
    issues,
    ports: value.map((port) => {
      const withProtocol = { ...port, protocol: port.protocol ?? 'TCP' };
      if (port.name !== undefined || value.length === 1) return withProtocol;
      return { name: inventedName(withProtocol, names), ...withProtocol };
    }),
  };
}

function inventedName({ protocol, port }: DerivedPort, taken: ReadonlySet<string | undefined>): string {
  const base = `${protocol.toLowerCase()}-${port}`;
  if (!taken.has(base)) return base;
  let count = 2;
  while (taken.has(`${base}-${count}`)) count += 1;
  return `${base}-${count}`;
}

/** Why an import has no derived Service. */
export type NoDerivedServiceReason =
  | 'Headless'
  | 'BeingDeleted'
  | 'NoSpec'
  | 'NoPorts'
  | 'NotStored'
  | 'NoNamespace'
  | 'IPFamilyNotSupported';

/** What {@link derivedService} decides. */
export type DerivedService =
  | {
      readonly op: 'have';
      /** What to write; as it is, an API server takes it and gives it addresses. */
      readonly service: Draft<AnyObject>;
      /** What of the import no Service can have. */
      readonly issues: readonly Issue[];
    }
  | { readonly op: 'none'; readonly reason: NoDerivedServiceReason; readonly issues: readonly Issue[] };

/** What {@link derivedService} takes beside the import. */
export interface DerivedServiceOptions {
  /** IP families of the cluster. Default: all that the import names. API servers refuse a Service with a family that they don't have. */
  readonly supportedIPFamilies?: readonly IPFamily[];
}

/**
 * The Service without selector that stands for an import in a cluster: it gets addresses there, and kube-proxy sends what comes to them to
 * the imported endpoints (MCS API, reference controllers). The import owns it, so that it goes with the import. Headless imports have no
 * address, imports that are going need none, one that has not been stored has no uid to be an owner, and in a cluster that has none of the
 * families no address would do.
 */
export function derivedService(serviceImport: ServiceImport, options: DerivedServiceOptions = {}): DerivedService {
  const { metadata, spec } = serviceImport;
  const ports = derivedPorts(spec?.ports ?? []);
  const owner = ownerOf(serviceImport);
  const none = (reason: NoDerivedServiceReason): DerivedService => ({ op: 'none', reason, issues: ports.issues });
  if (spec === undefined || spec === null) return none('NoSpec');
  if (metadata.deletionTimestamp !== undefined) return none('BeingDeleted');
  if (spec.type === 'Headless') return none('Headless');
  if (metadata.namespace === undefined || metadata.namespace === '') return none('NoNamespace');
  if (owner === undefined) return none('NotStored');
  if (ports.ports.length === 0) return none('NoPorts');
  const families = readFamilies(spec.ipFamilies, 'spec.ipFamilies');
  const ipFamilies = families.value.filter((family) => options.supportedIPFamilies?.includes(family) ?? true);
  if (ipFamilies.length === 0 && families.value.length > 0) return none('IPFamilyNotSupported');
  return {
    op: 'have',
    issues: [...ports.issues, ...families.issues],
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        namespace: metadata.namespace,
        name: derivedServiceName(metadata.namespace, metadata.name),
        ownerReferences: [owner],
      },
      spec: {
        type: 'ClusterIP',
        ports: ports.ports,
        ...familyFields(ipFamilies),
        ...sessionFields(spec),
        ...trafficFields(spec),
      },
    },
  };
}

function ownerOf({ metadata }: ServiceImport): OwnerReference | undefined {
  const { name, uid } = metadata;
  if (uid === undefined || uid === '') return undefined;
  return { apiVersion: apiVersionOf(ServiceImport), kind: ServiceImport.kind, name, uid };
}

type Fields = Readonly<Record<string, unknown>>;

/** Where the import names no family, the cluster's own default is as good as any. */
function familyFields(ipFamilies: readonly IPFamily[]): Fields {
  if (ipFamilies.length === 0) return {};
  return { ipFamilies, ipFamilyPolicy: ipFamilies.length === 1 ? 'SingleStack' : 'PreferDualStack' };
}

function sessionFields({ sessionAffinity, sessionAffinityConfig }: NonNullable<ServiceImport['spec']>): Fields {
  if (sessionAffinity !== 'ClientIP') return { sessionAffinity: 'None' };
  const timeoutSeconds = isRecord(sessionAffinityConfig) ? sessionAffinityConfig.clientIP?.timeoutSeconds : undefined;
  if (!isSessionTime(timeoutSeconds)) return { sessionAffinity };
  return { sessionAffinity, sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}

const POLICIES: readonly unknown[] = ['Cluster', 'Local'];
const DISTRIBUTIONS: readonly unknown[] = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

/** API servers refuse values that they don't know; without them traffic goes everywhere. */
function trafficFields({ internalTrafficPolicy, trafficDistribution }: NonNullable<ServiceImport['spec']>): Fields {
  return {
    ...(POLICIES.includes(internalTrafficPolicy) ? { internalTrafficPolicy } : {}),
    ...(DISTRIBUTIONS.includes(trafficDistribution) ? { trafficDistribution } : {}),
  };
}
