import { type LabelRequirements, matchesLabels } from '../../kube/index.ts';
import { isTaken, type TakenTopologies } from './anti-affinity.ts';
import { type NodeObject, type NodeState, type PodObject, type PodState, readCluster } from './cluster-state.ts';
import type { EstimateProblem } from './problem.ts';
import { compileReplica, ownPods, type Replica, type ReplicaRequirements } from './replica.ts';
import { type EstimateReason, type Room, roomOn } from './room-on-node.ts';
import { countUnschedulable, type UnschedulableQuery } from './unschedulable.ts';
import { type Settled, settle, takenFor } from './waiting.ts';

/** How many more replicas fit on one node, and why no more do. */
export interface NodeEstimate extends Room {
  readonly node: string;
}

/** How many more replicas fit on nodes. */
export interface NodesEstimate {
  readonly replicas: number;
  /** What most of the nodes say; `NoNodes` where there are none. */
  readonly reason: EstimateReason | 'NoNodes';
  /** With reason `Resource`: which one of the nodes name most. */
  readonly resource?: string;
  /** By name. */
  readonly nodes: readonly NodeEstimate[];
  /** How many nodes say what. */
  readonly reasons: Readonly<Partial<Record<EstimateReason, number>>>;
  /** Where that was asked: how many pods of the workload wait because no node takes them. */
  readonly unschedulable?: number;
  /** What of nodes and pods could not be read, and counts as not said: the first hundred. */
  readonly problems: readonly EstimateProblem[];
}

/** What {@link estimateOnNodes} takes. */
export interface NodesEstimateInput {
  readonly nodes: readonly NodeObject[];
  /** Of all namespaces. */
  readonly pods: readonly PodObject[];
  readonly replica: ReplicaRequirements;
  /** Counts also the pods of the workload that have been waiting in vain for so long at `now` (RFC 3339). */
  readonly unschedulableSince?: Pick<UnschedulableQuery, 'now' | 'seconds'>;
}

/**
 * How many more replicas of a pod template fit on the nodes of a cluster, node by node, as kube-scheduler would find.
 *
 * - A node takes replicas when it is ready, isn't cordoned, has no taint in the way (or these are tolerated), and node selector and node affinity
 *   are for it. A resource that a node doesn't have is 0.
 * - What is free is `status.allocatable` without what pods on the node hold, also those that are being deleted, but not those that have come to
 *   their end. Each amount is rounded up to whole units, CPU to thousandths; beyond 2^53 it counts as 2^53.
 * - Pods that wait for a node take their room first, in the order of kube-scheduler's queue, each on the first node by name; those that fit nowhere
 *   take nothing. The pods of the workload (`replica.selector`) are left out of that: they are what the room is for.
 * - One replica fits on a node where it takes a port of the node; in each topology where it must not be near itself.
 *
 * An estimate, not a promise: topology spread constraints, affinity to other pods, volumes, resource claims, preemption and pods that are
 * being resized aren't looked at. With terms of anti-affinity over topologies that overlap it may be too low.
 *
 * @throws ClustersetError `Invalid` where something of `replica` makes no sense, with its field. What is wrong with a node or a pod is among the
 * `problems` and counts as not said: nobody's pod stops anything.
 */
export function estimateOnNodes({ nodes, pods, replica, unschedulableSince }: NodesEstimateInput): NodesEstimate {
  const estimate = nodesEstimator(nodes, pods)(replica);
  if (unschedulableSince === undefined) return estimate;
  const { selector, namespace } = replica;
  const whose = { ...(selector === undefined ? {} : { selector }), ...(namespace === undefined ? {} : { namespace }) };
  return { ...estimate, unschedulable: countUnschedulable(pods, { ...whose, ...unschedulableSince }) };
}

/** {@link estimateOnNodes} for one workload after the other: nodes and pods are read once. */
export function nodesEstimator(
  nodes: readonly NodeObject[],
  pods: readonly PodObject[],
): (replica: ReplicaRequirements) => NodesEstimate {
  const state = readCluster(nodes, pods);
  // Mostly nobody keeps away from anybody, and then nobody has to be looked at.
  const shy = state.running.filter(({ pod }) => pod.avoids.length > 0);
  let ofAll: Settled | undefined;
  return (requirements) => {
    const replica = compileReplica(requirements);
    const others = withoutOwn(state.waiting, ownPods(requirements), requirements.namespace);
    if (others.length === state.waiting.length) ofAll ??= settle(state, state.waiting);
    const settled = others.length === state.waiting.length && ofAll !== undefined ? ofAll : settle(state, others);
    const neighbours = replica.avoids.length > 0 ? state.running : shy;
    return { ...countOn(settled.nodes, replica, takenFor(replica, [neighbours, settled.placed])), problems: state.problems };
  };
}

function withoutOwn(
  waiting: readonly PodState[],
  own: LabelRequirements | undefined,
  namespace: string | undefined,
): readonly PodState[] {
  if (own === undefined) return waiting;
  return waiting.filter((pod) => !matchesLabels(own, pod.labels) || (namespace !== undefined && pod.namespace !== namespace));
}

function countOn(
  nodes: readonly NodeState[],
  replica: Replica,
  taken: TakenTopologies,
): Omit<NodesEstimate, 'problems' | 'unschedulable'> {
  const estimates = nodes.map((node): NodeEstimate => ({ node: node.name, ...spread(node, replica, taken) }));
  const replicas = estimates.reduce((sum, each) => sum + each.replicas, 0);
  return { replicas, ...summarized(estimates), nodes: estimates };
}

/** The room on a node, after anti-affinity. Takes the topologies of the node where a replica can be the only one of them. */
function spread(node: NodeState, replica: Replica, taken: TakenTopologies): Room {
  const room = roomOn(node, replica);
  if (room.replicas === 0) return room;
  if (isTaken(taken, node.labels)) return { replicas: 0, reason: 'AntiAffinity' };
  const own = replica.ownTopologies.filter((key) => Object.hasOwn(node.labels, key));
  for (const key of own) taken.set(key, (taken.get(key) ?? new Set<string>()).add(node.labels[key] ?? ''));
  return own.length > 0 && room.replicas > 1 ? { replicas: 1, reason: 'AntiAffinity' } : room;
}

/** How often what is said, and what is said most often; of equals the first by name. */
export function summarized(
  rooms: readonly (Room & { readonly nodes?: number })[],
): Pick<NodesEstimate, 'reason' | 'resource' | 'reasons'> {
  const reasons = new Map<EstimateReason, number>();
  const resources = new Map<string, number>();
  for (const { reason, resource, nodes = 1 } of rooms) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + nodes);
    if (resource !== undefined) resources.set(resource, (resources.get(resource) ?? 0) + nodes);
  }
  const reason = mostOf(reasons) ?? 'NoNodes';
  const resource = mostOf(resources);
  return {
    reason,
    ...(reason === 'Resource' && resource !== undefined ? { resource } : {}),
    reasons: Object.fromEntries([...reasons].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function mostOf<Name extends string>(counts: ReadonlyMap<Name, number>): Name | undefined {
  let most: Name | undefined;
  for (const [name, count] of counts) {
    const best = most === undefined ? 0 : (counts.get(most) ?? 0);
    if (count > best || (count === best && most !== undefined && name < most)) most = name;
  }
  return most;
}
