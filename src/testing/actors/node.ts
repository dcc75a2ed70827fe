import { type AnyObject, ClustersetError, checkDnsSubdomain, type Draft, findCondition } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import type { Fields } from '../kinds/kind.ts';
import { part } from '../kinds/kind.ts';
import { conditionsOf, statusOf } from './pod-facts.ts';

/** A node of an offline cluster. */
export interface OfflineNode {
  /** Default: `node-` and its place in the list. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** API: core/v1 Taint. */
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Quantities by resource name; what isn't named is as much as a node has that nothing is said of: 4 cores, 16 GiB, 110 pods. */
  readonly allocatable?: Readonly<Record<string, string>>;
  /** Whether nothing new comes to it (`kubectl cordon`). */
  readonly unschedulable?: boolean;
}

const ALLOCATABLE = { cpu: '4', memory: '16Gi', 'ephemeral-storage': '100Gi', pods: '110' };

/**
 * The nodes that were asked for: so many, or these.
 *
 * @throws ClustersetError `Invalid` for a count that is none, and for names that no node can have.
 */
export function nodesOf(nodes: number | readonly OfflineNode[]): readonly (OfflineNode & { readonly name: string })[] {
  if (typeof nodes === 'number' && (!Number.isInteger(nodes) || nodes < 0)) throw invalid(`${nodes} is no number of nodes`);
  const list: readonly OfflineNode[] = typeof nodes === 'number' ? Array.from({ length: nodes }, () => ({})) : nodes;
  return list.map((node, index) => {
    const name = node.name ?? `node-${index}`;
    const [problem] = checkDnsSubdomain(name);
    if (problem !== undefined) throw invalid(`"${name}" is no name of a node: ${problem}`);
    return { ...node, name };
  });
}

const invalid = (message: string): ClustersetError => new ClustersetError({ code: 'Invalid', message, field: 'nodes' });

/** The object of a node, as its kubelet registers it. */
export function nodeObject({ name, labels, taints, unschedulable }: OfflineNode & { readonly name: string }): Draft<AnyObject> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === true ? { unschedulable } : {}),
    },
  };
}

/** The status that a node reports as soon as it is there; nothing where it has reported. */
export function nodeStatus(
  node: AnyObject,
  known: OfflineNode | undefined,
  address: string,
  version: string,
  now: number,
): Fields | undefined {
  const before = statusOf(node);
  if (findCondition(conditionsOf(node), 'Ready') !== undefined) return undefined;
  const given = part(before, 'allocatable');
  const allocatable = { ...ALLOCATABLE, ...given, ...known?.allocatable };
  const time = timestamp(now);
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  return {
    ...before,
    capacity: { ...allocatable, ...part(before, 'capacity') },
    allocatable,
    conditions: [...conditionsOf(node), { ...ready, lastHeartbeatTime: time, lastTransitionTime: time }],
    addresses: before.addresses ?? [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: node.metadata.name },
    ],
    nodeInfo: { ...part(before, 'nodeInfo'), ...nodeInfo(version) },
  };
}

function nodeInfo(version: string): Fields {
  return {
    architecture: 'amd64',
    bootID: '',
    containerRuntimeVersion: 'offline://1',
    kernelVersion: '',
    kubeProxyVersion: '',
    kubeletVersion: version,
    machineID: '',
    operatingSystem: 'linux',
    osImage: 'offline',
    systemUUID: '',
  };
}
