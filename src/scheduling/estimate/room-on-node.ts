import type { NodeState } from './cluster-state.ts';
import { portsConflict } from './host-ports.ts';
import type { NodeIdentity } from './node-selection.ts';
import type { Replica } from './replica.ts';
import { CORDONED, type NodeTaint, tolerates } from './taints.ts';

/**
 * Why no more replicas fit on a node, in the order in which it is asked:
 *
 * - `NotReady`: its condition `Ready` isn't True.
 * - `Unschedulable`: it is cordoned, and that isn't tolerated.
 * - `Taint`: it has a taint `NoSchedule` or `NoExecute` that isn't tolerated.
 * - `Affinity`: the node selector or the node affinity leaves it out.
 * - `HostPort`: there can be one replica, or none where another pod has the port.
 * - `Resource`: there is no more of the resource, or never was.
 * - `Pods`: no more pods may run there.
 * - `AntiAffinity`: there can be one replica in the topology, or none where another pod is in the way.
 */
export type EstimateReason =
  | 'NotReady'
  | 'Unschedulable'
  | 'Taint'
  | 'Affinity'
  | 'HostPort'
  | 'Resource'
  | 'Pods'
  | 'AntiAffinity';

/** How many replicas fit somewhere, and why no more do. */
export interface Room {
  readonly replicas: number;
  readonly reason: EstimateReason;
  /** With reason `Resource`: which. */
  readonly resource?: string;
}

/** Why a node takes no replica at all, whatever is free there. */
export function refusalOf(
  node: NodeIdentity & { readonly isReady: boolean; readonly isCordoned: boolean; readonly taints: readonly NodeTaint[] },
  { tolerations, selects }: Replica,
): EstimateReason | undefined {
  if (!node.isReady) return 'NotReady';
  if (node.isCordoned && !tolerates(tolerations, CORDONED)) return 'Unschedulable';
  if (node.taints.some((taint) => !tolerates(tolerations, taint))) return 'Taint';
  return selects(node) ? undefined : 'Affinity';
}

/** How many replicas the free amounts are enough for. Of equally scarce things pods are named, then the first by name. */
export function roomIn(free: ReadonlyMap<string, number>, { pods, requests }: Replica): Room {
  let replicas = wholes(free.get('pods'), pods);
  let resource: string | undefined;
  for (const [name, amount] of requests) {
    const fit = wholes(free.get(name), amount);
    if (fit >= replicas) continue;
    replicas = fit;
    resource = name;
  }
  return resource === undefined ? { replicas, reason: 'Pods' } : { replicas, reason: 'Resource', resource };
}

function wholes(free: number | undefined, amount: number): number {
  return free === undefined || free < amount ? 0 : Math.floor(free / amount);
}

/** How many replicas fit on a node, without what other pods are there for anti-affinity. */
export function roomOn(node: NodeState, replica: Replica): Room {
  const refusal = refusalOf(node, replica);
  if (refusal !== undefined) return { replicas: 0, reason: refusal };
  const usesPorts = replica.hostPorts.length > 0;
  if (usesPorts && portsConflict(replica.hostPorts, node.hostPorts)) return { replicas: 0, reason: 'HostPort' };
  const room = roomIn(node.free, replica);
  return usesPorts && room.replicas > 1 ? { replicas: 1, reason: 'HostPort' } : room;
}
