import { checkDnsLabel, checkLabelKey, type Issue, isRecord } from '../../kube/index.ts';
import type { ServiceImportPort } from '../api.ts';

/** Protocols of a Service's port (API: core/v1 ServicePort). */
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

/** What could be used of something loose, and what couldn't. */
export interface Usable<T> {
  readonly value: T;
  /** What was left out, and why. */
  readonly issues: readonly Issue[];
}

/**
 * The ports that can be used, each with its protocol written out. A port with a number, a protocol or a name that no Service can have is
 * left out, and so is one that repeats the name (no name is a name, too) or the protocol and number of an earlier one.
 */
export function readPorts(value: unknown, field: string): Usable<readonly ServiceImportPort[]> {
  if (value === undefined || value === null) return { value: [], issues: [] };
  if (!Array.isArray(value)) return { value: [], issues: [{ field, message: 'is no list' }] };
  const issues: Issue[] = [];
  const ports: ServiceImportPort[] = [];
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, item] of value.entries()) {
    const path = `${field}[${index}]`;
    const read = readPort(item, path);
    issues.push(...read.issues);
    if (read.value === undefined) continue;
    const repeated = repetition(read.value, names, numbers);
    if (repeated !== undefined) {
      issues.push({ field: path, message: repeated, mend: 'give every port its own name, and its own number for each protocol' });
      continue;
    }
    names.add(nameOf(read.value));
    numbers.add(numberOf(read.value));
    ports.push(read.value);
  }
  return { value: ports, issues };
}

function repetition(port: ServiceImportPort, names: ReadonlySet<string>, numbers: ReadonlySet<string>): string | undefined {
  if (names.has(nameOf(port)))
    return port.name === undefined ? 'is a second port without name' : `repeats the name "${port.name}"`;
  return numbers.has(numberOf(port)) ? `repeats ${numberOf(port)}` : undefined;
}

function readPort(item: unknown, path: string): Usable<ServiceImportPort | undefined> {
  if (!isRecord(item)) return { value: undefined, issues: [{ field: path, message: 'is no object' }] };
  const { name, port, appProtocol } = item;
  const protocol = isUnset(item.protocol) ? 'TCP' : item.protocol;
  const issues: Issue[] = [
    ...(isPortNumber(port) ? [] : [{ field: `${path}.port`, message: 'must be a whole number from 1 to 65535' }]),
    ...(isProtocol(protocol) ? [] : [{ field: `${path}.protocol`, message: `must be ${PROTOCOLS.join(', ')}` }]),
    ...(isUnset(name) ? [] : textIssues(name, checkDnsLabel, `${path}.name`)),
  ];
  const wrongHint = isUnset(appProtocol) ? [] : textIssues(appProtocol, checkLabelKey, `${path}.appProtocol`);
  if (issues.length > 0 || !isPortNumber(port) || !isProtocol(protocol)) {
    return { value: undefined, issues: [...issues, ...wrongHint] };
  }
  const value: ServiceImportPort = {
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    protocol,
    ...(typeof appProtocol === 'string' && appProtocol !== '' && wrongHint.length === 0 ? { appProtocol } : {}),
    port,
  };
  return { value, issues: wrongHint };
}

const isUnset = (value: unknown): boolean => value === undefined || value === null || value === '';

const isPortNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;

const isProtocol = (value: unknown): value is (typeof PROTOCOLS)[number] => PROTOCOLS.some((each) => each === value);

function textIssues(value: unknown, check: (text: string) => readonly string[], field: string): readonly Issue[] {
  if (typeof value !== 'string') return [{ field, message: 'is no text' }];
  return check(value).map((message) => ({ field, message }));
}

/** Ports of one exporting cluster. */
export interface ClusterPorts {
  readonly cluster: string;
  readonly ports: readonly ServiceImportPort[];
}

/** A port of an export that the import has otherwise. */
export interface DroppedPort {
  readonly cluster: string;
  readonly port: ServiceImportPort;
  /** `SameName`: an older export has the name for something else. `SameNumber`: an older export has the protocol and number under another name. */
  readonly reason: 'SameName' | 'SameNumber';
  /** The port that is kept in its place. */
  readonly kept: ServiceImportPort;
  /** The cluster of the export that the kept port is from. */
  readonly keptFrom: string;
}

/** A port of the import, and whose it is. */
export interface KeptPort {
  readonly port: ServiceImportPort;
  /** The cluster of the oldest export that has it. */
  readonly cluster: string;
}

/** The ports of all exports together. */
export interface MergedPorts {
  readonly kept: readonly KeptPort[];
  readonly dropped: readonly DroppedPort[];
  /** Clusters whose ports, as a set, aren't those of the import. */
  readonly disagreeing: readonly string[];
}

/**
 * The ports of all exports together (KEP-1645, Service Port): oldest export first, in the order of each Service. A port whose name is taken
 * is dropped, then one whose protocol and number are taken; everything else is added. A name that was dropped with its port stays free for
 * younger exports. Every export that lacks a port of the result, or has one otherwise, disagrees; order alone is no disagreement.
 */
export function mergePorts(oldestFirst: readonly ClusterPorts[]): MergedPorts {
  const byName = new Map<string, KeptPort>();
  const byNumber = new Map<string, KeptPort>();
  const dropped: DroppedPort[] = [];
  for (const { cluster, ports } of oldestFirst) {
    for (const port of ports) {
      const named = byName.get(nameOf(port));
      const taken = named ?? byNumber.get(numberOf(port));
      if (taken === undefined) {
        const kept = { port, cluster };
        byName.set(nameOf(port), kept);
        byNumber.set(numberOf(port), kept);
      } else if (named === undefined || !isSamePort(named.port, port)) {
        const reason = named === undefined ? 'SameNumber' : 'SameName';
        dropped.push({ cluster, port, reason, kept: taken.port, keptFrom: taken.cluster });
      }
    }
  }
  const disagreeing = oldestFirst.filter(({ ports }) => !areSamePorts(ports, byName)).map(({ cluster }) => cluster);
  return { kept: [...byName.values()], dropped, disagreeing };
}

function areSamePorts(ports: readonly ServiceImportPort[], byName: ReadonlyMap<string, KeptPort>): boolean {
  const found = new Set<KeptPort>();
  for (const port of ports) {
    const kept = byName.get(nameOf(port));
    if (kept === undefined || !isSamePort(kept.port, port)) return false;
    found.add(kept);
  }
  return found.size === byName.size;
}

/** Whether two ports are the same to a client: name, protocol, application protocol and number. */
export function isSamePort(a: ServiceImportPort, b: ServiceImportPort): boolean {
  return (
    a === b ||
    (a.port === b.port &&
      nameOf(a) === nameOf(b) &&
      (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') &&
      (a.appProtocol ?? '') === (b.appProtocol ?? ''))
  );
}

/** A port in words: `http 80/TCP`, `443/TCP`, `api 8080/TCP (kubernetes.io/h2c)`. */
export function formatPort(port: ServiceImportPort): string {
  const name = port.name === undefined ? '' : `${port.name} `;
  const appProtocol = port.appProtocol === undefined ? '' : ` (${port.appProtocol})`;
  return `${name}${numberOf(port)}${appProtocol}`;
}

const nameOf = ({ name }: ServiceImportPort): string => name ?? '';
const numberOf = ({ port, protocol }: ServiceImportPort): string => `${port}/${protocol ?? 'TCP'}`;
