import { isRecord } from '../../kube/index.ts';
import { listOf, textOf } from './json.ts';

/** A port of the node that a pod takes (API: core/v1 ContainerPort). */
export interface HostPort {
  readonly port: number;
  /** Default TCP. */
  readonly protocol?: string;
  /** Default 0.0.0.0: every address of the node. */
  readonly hostIP?: string;
}

const EVERY_ADDRESS = '0.0.0.0';

/** The ports of the node that a pod takes: with the network of the node every port of its containers and sidecars. */
export function hostPortsOf(spec: unknown): readonly HostPort[] {
  const sidecars = listOf(spec, 'initContainers').filter((each) => textOf(each, 'restartPolicy') === 'Always');
  const usesNetworkOfNode = isRecord(spec) && spec.hostNetwork === true;
  const ports = [...listOf(spec, 'containers'), ...sidecars].flatMap((container) => listOf(container, 'ports'));
  return ports.flatMap((port) => portOf(port, usesNetworkOfNode));
}

function portOf(value: unknown, usesNetworkOfNode: boolean): readonly HostPort[] {
  if (!isRecord(value)) return [];
  const port = value.hostPort ?? (usesNetworkOfNode ? value.containerPort : undefined);
  if (typeof port !== 'number' || !(port > 0)) return [];
  const [protocol, hostIP] = [textOf(value, 'protocol'), textOf(value, 'hostIP')];
  return [{ port, ...(protocol === undefined ? {} : { protocol }), ...(hostIP === undefined ? {} : { hostIP }) }];
}

/** Whether two pods with these ports can't be on one node. */
export function portsConflict(a: readonly HostPort[], b: readonly HostPort[]): boolean {
  return a.some((one) => b.some((other) => isSamePort(one, other)));
}

function isSamePort(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP')) return false;
  const [one, other] = [a.hostIP ?? EVERY_ADDRESS, b.hostIP ?? EVERY_ADDRESS];
  return one === other || one === EVERY_ADDRESS || other === EVERY_ADDRESS;
}
