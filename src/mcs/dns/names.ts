import { checkDnsLabel, compareText } from '../../kube/index.ts';
import { protocolOf } from '../slices/ports.ts';
import type { RecordData, RecordLeftOutReason } from './zone.ts';

/** Reports what has no record. */
export type ReportRecord = (reason: RecordLeftOutReason, message: string, slice?: string) => void;

const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;

/** How many characters still fit in front of a name and a dot; negative where the name is too long itself. */
export function longestPrefix(host: string): number {
  return host.length > LONGEST_NAME ? -1 : LONGEST_NAME - host.length - 1;
}

/**
 * The prefix of a port's SRV name: `_http._tcp`. Unnamed ports have none (KEP-1645, Multicluster Service DNS), and neither have names that
 * don't fit.
 */
export function servicePortName(
  port: { readonly name?: unknown; readonly protocol?: unknown },
  names: ServiceRecordNames,
  report: ReportRecord,
  slice?: string,
): string | undefined {
  if (typeof port.name !== 'string' || port.name === '') return undefined;
  const name = port.name.toLowerCase();
  const protocol = protocolOf(port).toLowerCase();
  const problem = checkDnsLabel(name)[0] ?? checkDnsLabel(protocol)[0];
  const prefix = `_${name}._${protocol}`;
  if (problem !== undefined) report('BadPort', `"${prefix}" can't be a part of a name: ${problem}`, slice);
  else if (name.length + 1 > LONGEST_LABEL || !names.fits(prefix))
    report('NameTooLong', `${prefix} makes a name that is too long`, slice);
  else return prefix;
  return undefined;
}

interface Targets {
  /** Addresses that were matched: CoreDNS counts them before it drops doubles, and so do weights here. */
  matches: number;
  readonly targets: Map<string, { readonly target: string; readonly port: number }>;
}

/** Gathers the names of one service; doubles are dropped, and lists come out in an order of their own. */
export class ServiceRecordNames {
  readonly host: string;
  readonly #addresses = new Map<string, Map<string, RecordData>>();
  readonly #services = new Map<string, Targets>();
  readonly #room: number;

  constructor(host: string) {
    this.host = host;
    this.#room = longestPrefix(host);
  }

  /** Whether a name with this prefix is short enough. */
  fits(prefix: string): boolean {
    return prefix.length <= this.#room;
  }

  /** The name exists from now on, with these addresses. */
  add(prefix: string, addresses: readonly Extract<RecordData, { type: 'A' | 'AAAA' }>[]): void {
    let found = this.#addresses.get(prefix);
    if (found === undefined) {
      found = new Map();
      this.#addresses.set(prefix, found);
    }
    for (const data of addresses) if (!found.has(data.address)) found.set(data.address, data);
  }

  /** A port, at its own name and at the service's. */
  addService(prefix: string, target: string, port: number, matches = 1): void {
    this.#addTarget(prefix, target, port, matches);
    this.#addTarget('', target, port, matches);
  }

  /** The names, sorted; `_http._tcp` of a service without addresses exists, and has nothing. */
  finish(): ReadonlyMap<string, readonly RecordData[]> {
    const prefixes = new Set([...this.#addresses.keys(), ...this.#services.keys()]);
    return new Map(
      [...prefixes]
        .sort(compareText)
        .map((prefix) => [prefix, [...addressList(this.#addresses.get(prefix)), ...serviceList(this.#services.get(prefix))]]),
    );
  }

  #addTarget(prefix: string, target: string, port: number, matches: number): void {
    let found = this.#services.get(prefix);
    if (found === undefined) {
      found = { matches: 0, targets: new Map() };
      this.#services.set(prefix, found);
    }
    found.matches += matches;
    if (matches > 0) found.targets.set(`${target} ${port}`, { target, port });
  }
}

function addressList(addresses: ReadonlyMap<string, RecordData> | undefined): readonly RecordData[] {
  if (addresses === undefined) return [];
  if (addresses.size === 1) return [...addresses.values()];
  return [...addresses].sort(([a], [b]) => compareText(a, b)).map(([, data]) => data);
}

function serviceList(found: Targets | undefined): readonly RecordData[] {
  if (found === undefined) return [];
  const weight = Math.max(1, Math.floor(100 / found.matches));
  return [...found.targets.values()]
    .sort((a, b) => compareText(a.target, b.target) || a.port - b.port)
    .map(({ target, port }) => ({ type: 'SRV', priority: 0, weight, port, target }));
}
