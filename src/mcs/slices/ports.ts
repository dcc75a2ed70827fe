import { compareText } from '../../kube/index.ts';
import type { ServiceImportPort } from '../api.ts';
import type { LeftOutReason, SlicePort } from './types.ts';

/** A port that stays behind, and why. */
interface PortLeftOut {
  readonly reason: LeftOutReason;
  readonly field: string;
  readonly message: string;
}

/** The ports that a slice carries; nothing where the slice can't be imported for its ports. */
export interface CarriedPorts {
  readonly ports: readonly SlicePort[] | undefined;
  readonly leftOut: readonly PortLeftOut[];
}

/**
 * Which ports of a source slice may be imported (KEP-1645, Service Port: under a conflict, traffic only goes where the port really is): those
 * whose Service port of the same name has the number and protocol of the merged port. Numbers in a slice are those of the endpoints and don't
 * count. A merged port that another name won is left out, not renamed: the KEP leaves that open. A headless service without ports has
 * endpoints all the same.
 */
export function carriedPorts(
  slicePorts: readonly SlicePort[],
  servicePorts: readonly ServiceImportPort[],
  merged: readonly ServiceImportPort[],
  headless: boolean,
): CarriedPorts {
  const names = slicePorts.map(nameOf);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0) {
    const message = `the name "${names[twice]}" occurs twice`;
    return { ports: undefined, leftOut: [{ reason: 'DuplicatePortName', field: `ports[${twice}].name`, message }] };
  }
  const leftOut: PortLeftOut[] = [];
  const ports = slicePorts.flatMap((port, index) => {
    const problem = portProblem(port, servicePorts, merged);
    if (problem === undefined) return [copyOf(port)];
    leftOut.push({ ...problem, field: `ports[${index}]` });
    return [];
  });
  const hasNoPorts = slicePorts.length === 0 && servicePorts.length === 0 && headless;
  if (ports.length > 0 || hasNoPorts) return { ports: ports.toSorted((a, b) => compareText(nameOf(a), nameOf(b))), leftOut };
  return { ports: undefined, leftOut: [...leftOut, { reason: 'NoPortLeft', field: 'ports', message: 'no port is left' }] };
}

function portProblem(
  port: SlicePort,
  servicePorts: readonly ServiceImportPort[],
  merged: readonly ServiceImportPort[],
): Omit<PortLeftOut, 'field'> | undefined {
  const name = nameOf(port);
  if (!isPortNumber(port.port)) return { reason: 'BadPort', message: `port "${name}" has no number from 1 to 65535` };
  const own = servicePorts.find((each) => nameOf(each) === name);
  const wanted = merged.find((each) => nameOf(each) === name);
  if (wanted === undefined) return { reason: 'PortNotMerged', message: `the ServiceImport has no port "${name}"` };
  if (own === undefined) return { reason: 'PortDiffers', message: `the cluster's Service has no port "${name}"` };
  const same = own.port === wanted.port && protocolOf(own) === protocolOf(wanted) && protocolOf(port) === protocolOf(wanted);
  if (same) return undefined;
  const [there, here] = [own, wanted].map((each) => `${JSON.stringify(each.port)}/${protocolOf(each)}`);
  const message = `port "${name}" is ${there} at the Service (${protocolOf(port)} in the slice), and ${here} in the ServiceImport`;
  return { reason: 'PortDiffers', message };
}

function copyOf(port: SlicePort): SlicePort {
  const { appProtocol } = port;
  return {
    name: nameOf(port),
    protocol: protocolOf(port),
    port: port.port ?? 0,
    ...(typeof appProtocol === 'string' ? { appProtocol } : {}),
  };
}

/** Whether two lists of ports say the same in the same order, with what API servers fill in. */
export function samePorts(a: readonly SlicePort[], b: readonly SlicePort[]): boolean {
  return a.length === b.length && a.every((port, index) => samePort(port, b[index]));
}

function samePort(a: SlicePort, b: SlicePort | undefined): boolean {
  return (
    b !== undefined &&
    nameOf(a) === nameOf(b) &&
    protocolOf(a) === protocolOf(b) &&
    a.port === b.port &&
    (a.appProtocol ?? undefined) === (b.appProtocol ?? undefined)
  );
}

function nameOf(port: { readonly name?: unknown }): string {
  return typeof port.name === 'string' ? port.name : '';
}

/** The protocol of a port; unset means TCP, wherever a port is written down. */
export function protocolOf(port: { readonly protocol?: unknown }): string {
  return typeof port.protocol === 'string' && port.protocol !== '' ? port.protocol : 'TCP';
}

/** Whether a value is the number of a port. */
export function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}
