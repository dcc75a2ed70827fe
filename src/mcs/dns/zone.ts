import { ClustersetError, checkDnsSubdomain, compareText } from '../../kube/index.ts';
import { parseAddress } from '../address.ts';

/** What a record says, without its name. Times are seconds; names are lower case, without the last dot. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string; readonly ttl?: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
      readonly ttl?: number;
    }
  | { readonly type: 'TXT'; readonly text: string; readonly ttl?: number }
  | { readonly type: 'NS'; readonly target: string; readonly ttl?: number }
  | {
      readonly type: 'SOA';
      readonly nameServer: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
      readonly ttl?: number;
    };

/** Types of records that a zone has. */
export type RecordType = RecordData['type'];

/** A record as an answer carries it. */
export type ZoneRecord = RecordData & { readonly name: string; readonly ttl: number };

/** Why something has no record. */
export type RecordLeftOutReason =
  | 'BadName'
  | 'BadType'
  | 'DuplicateImport'
  | 'NoServiceImport'
  | 'BadAddress'
  | 'BadPort'
  | 'BadHostname'
  | 'NoSourceCluster'
  | 'BadClusterId'
  | 'UnknownAddressType'
  | 'NameTooLong';

/** Something without a record, and why. Everything else has its records. */
export interface RecordLeftOut {
  readonly reason: RecordLeftOutReason;
  readonly namespace: string;
  readonly service: string;
  /** Name of the EndpointSlice, where it is the reason. */
  readonly slice?: string;
  readonly message: string;
}

/** The records of one service. */
export interface ServiceRecords {
  readonly namespace: string;
  readonly service: string;
  /**
   * By the part of the name in front of the service's: empty for the service itself, `_http._tcp`, `db-0.east`. A name with an empty list
   * exists and has nothing (NODATA); a name that isn't here doesn't exist (NXDOMAIN).
   */
  readonly names: ReadonlyMap<string, readonly RecordData[]>;
  readonly leftOut: readonly RecordLeftOut[];
}

/** What is known of a zone beside its services. */
export interface ZoneOptions {
  /** Name of the zone. Default `clusterset.local`; KEP-1645 knows no other. */
  readonly zone?: string;
  /** Seconds that answers may be kept. Default 5. */
  readonly ttl?: number;
  /** What `dns-version` says. Default `1.0.0`, the version of KEP-1645's specification. */
  readonly dnsVersion?: string;
  /** Seconds that the version may be kept. Default 28,800. */
  readonly dnsVersionTtl?: number;
  /** Namespaces that exist, also without services: their names then have no data, instead of not existing. */
  readonly namespaces?: readonly string[];
  /** Addresses of the server that answers, for `ns.dns.<zone>`. Default none. */
  readonly nameServerAddresses?: readonly string[];
  /** Serial number of the zone. Default 1: there are no transfers that would compare it. */
  readonly serial?: number;
}

/** A multicluster DNS zone (KEP-1645, Multicluster Service DNS): plain data, to be resolved, printed or published. */
export interface Zone {
  /** Name of the zone, lower case. */
  readonly origin: string;
  readonly ttl: number;
  /** Names of the zone itself, relative to it: empty for the zone, `dns-version`, `svc`. */
  readonly own: ReadonlyMap<string, readonly RecordData[]>;
  /** By namespace, then service. */
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, ServiceRecords>>;
  /** Namespaces that stay when their last service goes. */
  readonly declared: ReadonlySet<string>;
  /** What belongs to no service, and has no records. */
  readonly leftOut: readonly RecordLeftOut[];
}

/**
 * The name of a zone as all names are kept: lower case, without the last dot.
 *
 * @throws ClustersetError `Invalid` for what is no DNS name.
 */
export function originOf(zone = 'clusterset.local'): string {
  const origin = zone.toLowerCase().replace(/\.$/, '');
  const [problem] = checkDnsSubdomain(origin);
  if (problem === undefined) return origin;
  throw new ClustersetError({ code: 'Invalid', message: problem, field: 'zone', mend: 'name the zone as in "clusterset.local"' });
}

/**
 * A zone of the records of services.
 *
 * @throws ClustersetError `Invalid` for a zone name that is none.
 */
export function zoneOf(
  services: readonly ServiceRecords[],
  options: ZoneOptions = {},
  leftOut: readonly RecordLeftOut[] = [],
): Zone {
  const { ttl = 5, namespaces = [] } = options;
  const found = new Map<string, Map<string, ServiceRecords>>(namespaces.map((name) => [name, new Map()]));
  for (const records of services) {
    const inNamespace = found.get(records.namespace) ?? new Map<string, ServiceRecords>();
    found.set(records.namespace, inNamespace.set(records.service, records));
  }
  const origin = originOf(options.zone);
  return { origin, ttl, own: ownNames(origin, ttl, options), namespaces: found, declared: new Set(namespaces), leftOut };
}

/** The zone with one service's records in the place of what it had: all else is shared with the zone before. */
export function withServiceRecords(zone: Zone, records: ServiceRecords): Zone {
  const services = new Map(zone.namespaces.get(records.namespace)).set(records.service, records);
  return { ...zone, namespaces: new Map(zone.namespaces).set(records.namespace, services) };
}

/** The zone without a service. */
export function withoutServiceRecords(zone: Zone, { namespace, service }: Pick<ServiceRecords, 'namespace' | 'service'>): Zone {
  const services = new Map(zone.namespaces.get(namespace));
  if (!services.delete(service)) return zone;
  const namespaces = new Map(zone.namespaces);
  if (services.size === 0 && !zone.declared.has(namespace)) namespaces.delete(namespace);
  else namespaces.set(namespace, services);
  return { ...zone, namespaces };
}

/** All services of a zone, by namespace and name. */
export function servicesOf(zone: Zone): readonly ServiceRecords[] {
  return [...zone.namespaces.values()]
    .flatMap((services) => [...services.values()])
    .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.service, b.service));
}

/** Every record of a zone, by name: to print it, or to publish it elsewhere. */
export function zoneRecords(zone: Zone): readonly ZoneRecord[] {
  const own = [...zone.own].flatMap(([name, list]) =>
    recordsAt(zone, name === '' ? zone.origin : `${name}.${zone.origin}`, list),
  );
  const services = servicesOf(zone).flatMap((records) =>
    [...records.names].flatMap(([prefix, list]) => recordsAt(zone, fullName(zone.origin, records, prefix), list)),
  );
  return [...own, ...services].sort((a, b) => compareText(a.name, b.name));
}

/** The name of a service in a zone, or of something in front of it. */
export function fullName(
  origin: string,
  { namespace, service }: Pick<ServiceRecords, 'namespace' | 'service'>,
  prefix: string,
): string {
  const name = `${service}.${namespace}.svc.${origin}`;
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Records of a name. Their TTL is the zone's, but for those with one of their own. */
export function recordsAt(zone: Zone, name: string, list: readonly RecordData[]): readonly ZoneRecord[] {
  return list.map((data) => ({ name, ttl: zone.ttl, ...data }));
}

function ownNames(origin: string, ttl: number, options: ZoneOptions): ReadonlyMap<string, readonly RecordData[]> {
  const { dnsVersion = '1.0.0', dnsVersionTtl = 28_800, nameServerAddresses = [], serial = 1 } = options;
  const nameServer = `ns.dns.${origin}`;
  const times = { refresh: 7200, retry: 1800, expire: 86_400, minimum: ttl };
  return new Map<string, readonly RecordData[]>([
    [
      '',
      [
        { type: 'SOA', nameServer, mailbox: `hostmaster.${origin}`, serial, ...times },
        { type: 'NS', target: nameServer },
      ],
    ],
    ['dns-version', [{ type: 'TXT', text: dnsVersion, ttl: dnsVersionTtl }]],
    ['dns', []],
    ['ns.dns', nameServerAddresses.flatMap((address) => addressData(address) ?? [])],
    ['svc', []],
  ]);
}

/** The record of an address; nothing for what is no address. */
export function addressData(address: unknown): Extract<RecordData, { type: 'A' | 'AAAA' }> | undefined {
  const family = typeof address === 'string' ? parseAddress(address)?.family : undefined;
  if (family === undefined) return undefined;
  return { type: family === 'IPv4' ? 'A' : 'AAAA', address: String(address).toLowerCase() };
}
