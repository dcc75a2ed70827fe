import { fullName, type RecordData, recordsAt, type Zone, type ZoneRecord } from './zone.ts';

/** What is asked: a name, with or without the last dot, and a type in words (`A`, `SRV`). */
export interface Question {
  readonly name: string;
  readonly type: string;
}

/**
 * What a server would answer.
 *
 * - `NOERROR` with answers; or without any (NODATA): the name exists, and has nothing of the type. Then `authority` holds the SOA record.
 * - `NXDOMAIN`: the name doesn't exist. `authority` holds the SOA record.
 * - `REFUSED`: the name is of another zone, or a transfer was asked for.
 */
export interface Resolution {
  readonly code: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  /** Whether the zone is ours to speak for (AA). */
  readonly authoritative: boolean;
  readonly answers: readonly ZoneRecord[];
  readonly authority: readonly ZoneRecord[];
  /** Addresses of what SRV and NS records point to. */
  readonly additional: readonly ZoneRecord[];
}

/** What a name of a multicluster zone can be (KEP-1645, Multicluster Service DNS). Parts are lower case. */
export type ClustersetName =
  | { readonly kind: 'Zone'; readonly name: string }
  | { readonly kind: 'Namespace'; readonly namespace: string }
  | { readonly kind: 'Service'; readonly namespace: string; readonly service: string }
  | {
      readonly kind: 'Port';
      readonly namespace: string;
      readonly service: string;
      readonly port: string;
      readonly protocol: string;
    }
  | {
      readonly kind: 'Endpoint';
      readonly namespace: string;
      readonly service: string;
      readonly hostname: string;
      readonly cluster: string;
    };

const REFUSED: Resolution = { code: 'REFUSED', authoritative: false, answers: [], authority: [], additional: [] };

/**
 * Answers a question from a zone: no network, no cache. Names are compared without regard to case, and the records of the answer carry the
 * name as it was asked. All records of a type are answered; cutting an answer to what a packet holds, and setting TC, is the server's.
 *
 * `<cluster>.<service>…` doesn't exist, although names below it do, because KEP-1645 reserves it.
 */
export function resolve(zone: Zone, { name, type }: Question): Resolution {
  const asked = name.endsWith('.') ? name.slice(0, -1) : name;
  const wanted = type.toUpperCase();
  if (!isInZone(zone.origin, asked) || wanted === 'AXFR' || wanted === 'IXFR') return REFUSED;
  const list = recordsOfName(zone, asked);
  if (list === undefined) return { code: 'NXDOMAIN', authoritative: true, answers: [], authority: soa(zone), additional: [] };
  const found = list.filter((data) => data.type === wanted);
  const answers = recordsAt(zone, asked, found);
  const authority = answers.length === 0 ? soa(zone) : [];
  return { code: 'NOERROR', authoritative: true, answers, authority, additional: additionalFor(zone, found) };
}

/**
 * Takes a name of a zone apart; nothing for a name of another zone, or one that can't exist in this one. In front of a service stand
 * `_<port>._<protocol>`, or a hostname and a cluster id of one or two labels.
 */
export function parseClustersetName(origin: string, text: string): ClustersetName | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (!isInZone(origin, name)) return undefined;
  const relative = name.slice(0, Math.max(0, name.length - origin.length - 1)).toLowerCase();
  const labels = relative.split('.');
  if (labels.at(-1) !== 'svc' || relative === 'svc') return { kind: 'Zone', name: relative };
  const namespace = labels.at(-2) ?? '';
  const service = labels.at(-3);
  if (labels.includes('')) return undefined;
  if (service === undefined) return { kind: 'Namespace', namespace };
  return inFrontOf({ namespace, service }, labels.slice(0, -3));
}

function inFrontOf(
  key: { readonly namespace: string; readonly service: string },
  [first, second, ...others]: readonly string[],
): ClustersetName | undefined {
  if (first === undefined) return { kind: 'Service', ...key };
  if (second === undefined || others.length > 1) return undefined;
  if (!first.startsWith('_') && !second.startsWith('_')) {
    return { kind: 'Endpoint', ...key, hostname: first, cluster: [second, ...others].join('.') };
  }
  const isPort = first.startsWith('_') && second.startsWith('_') && others.length === 0;
  return isPort ? { kind: 'Port', ...key, port: first.slice(1), protocol: second.slice(1) } : undefined;
}

/** Letters beyond ASCII have lower cases that are ASCII letters (the Kelvin sign is one): such names are nobody's. */
const ASCII = /^[!-~]*$/;

function isInZone(origin: string, name: string): boolean {
  const start = name.length - origin.length;
  if (start < 0 || name.slice(start).toLowerCase() !== origin || !ASCII.test(name)) return false;
  return start === 0 || name[start - 1] === '.';
}

function recordsOfName(zone: Zone, text: string): readonly RecordData[] | undefined {
  const name = parseClustersetName(zone.origin, text);
  if (name === undefined) return undefined;
  if (name.kind === 'Zone') return zone.own.get(name.name);
  const services = zone.namespaces.get(name.namespace);
  if (name.kind === 'Namespace') return services === undefined ? undefined : [];
  return services?.get(name.service)?.names.get(prefixOf(name));
}

function prefixOf(name: Exclude<ClustersetName, { kind: 'Zone' | 'Namespace' }>): string {
  switch (name.kind) {
    case 'Service':
      return '';
    case 'Port':
      return `_${name.port}._${name.protocol}`;
    case 'Endpoint':
      return `${name.hostname}.${name.cluster}`;
    default:
      return name satisfies never;
  }
}

/** The name that an {@link ClustersetName} stands for. */
export function formatClustersetName(origin: string, name: ClustersetName): string {
  if (name.kind === 'Zone') return name.name === '' ? origin : `${name.name}.${origin}`;
  if (name.kind === 'Namespace') return `${name.namespace}.svc.${origin}`;
  return fullName(origin, name, prefixOf(name));
}

function additionalFor(zone: Zone, found: readonly RecordData[]): readonly ZoneRecord[] {
  const targets = new Set(found.flatMap((data) => (data.type === 'SRV' || data.type === 'NS' ? [data.target] : [])));
  return [...targets].flatMap((target) => {
    const list = recordsOfName(zone, target) ?? [];
    return recordsAt(
      zone,
      target,
      list.filter(({ type }) => type === 'A' || type === 'AAAA'),
    );
  });
}

function soa(zone: Zone): readonly ZoneRecord[] {
  const list = zone.own.get('') ?? [];
  return recordsAt(
    zone,
    zone.origin,
    list.filter(({ type }) => type === 'SOA'),
  );
}
