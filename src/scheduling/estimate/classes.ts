import { compareText, stableStringify } from '../../kube/index.ts';
import { type Amounts, formatAmounts, readAmount } from './amounts.ts';
import type { NodeClass, NodeClasses } from './classes-schema.ts';
import { type ClusterState, type NodeObject, type NodeState, type PodObject, readCluster } from './cluster-state.ts';
import type { NodeIdentity } from './node-selection.ts';
import { type NodesEstimate, summarized } from './on-nodes.ts';
import { type Cell, partition } from './partition.ts';
import { compileReplica, type Replica, type ReplicaRequirements } from './replica.ts';
import { type Room, refusalOf, roomIn } from './room-on-node.ts';
import type { NodeTaint } from './taints.ts';
import { settle } from './waiting.ts';

/** The labels of nodes that classes keep (API: well-known labels). */
export const DEFAULT_CLASS_LABELS: readonly string[] = [
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
];

const MOST_ENTRIES = 64;
const HOSTNAME = 'kubernetes.io/hostname';

/** What {@link nodeClasses} may be told. */
export interface NodeClassesOptions {
  /** Labels to keep beside {@link DEFAULT_CLASS_LABELS}: those that pods select nodes by. */
  readonly labelKeys?: readonly string[];
  /** How many entries there may be in all. Default 64. */
  readonly maxEntries?: number;
}

/**
 * The nodes of a cluster in little: for a decision elsewhere, which doesn't need every node and shouldn't be sent them.
 *
 * Nodes that are ready are one class where taints, cordoning and the labels that are kept are the same. Within a class, nodes with about
 * as much free count as what the least of them has, in no more entries than allowed in all; entries go where they keep most. So an estimate
 * from classes is never above the one from nodes, for requests and for what is asked of labels that are kept, and the same while there are
 * entries enough. Pods that wait have taken their room, as for `estimateOnNodes`.
 *
 * With more classes than entries those with the fewest nodes are left out.
 */
export function nodeClasses(
  nodes: readonly NodeObject[],
  pods: readonly PodObject[],
  options: NodeClassesOptions = {},
): NodeClasses {
  return classesOf(readCluster(nodes, pods), options);
}

/** {@link nodeClasses} of what has been read. */
export function classesOf(state: ClusterState, { labelKeys = [], maxEntries = MOST_ENTRIES }: NodeClassesOptions): NodeClasses {
  const keys = [...new Set([...DEFAULT_CLASS_LABELS, ...labelKeys])].toSorted();
  const ready = settle(state, state.waiting).nodes.filter(({ isReady }) => isReady);
  const groups = groupsOf(ready, keys);
  const kept = groups.slice(0, Math.max(0, maxEntries)).toSorted((a, b) => compareText(a.key, b.key));
  const leftOut = groups.slice(Math.max(0, maxEntries)).reduce((sum, { nodes }) => sum + nodes.length, 0);
  const resources = [...new Set(ready.flatMap(({ free }) => [...free.keys()]))].toSorted();
  const cells = partition(
    kept.map(({ nodes }) => nodes.map(({ free }) => resources.map((name) => Math.max(0, free.get(name) ?? 0)))),
    maxEntries,
  );
  const classes = kept.map(({ alike }, index) => ({
    ...alike,
    free: (cells[index] ?? []).map((cell) => entryOf(cell, resources)).toSorted(byAmounts),
  }));
  return { labelKeys: keys, classes, ...(leftOut === 0 ? {} : { leftOut }) };
}

interface Group {
  readonly key: string;
  readonly alike: Omit<NodeClass, 'free'>;
  readonly nodes: NodeState[];
}

/** Those with the most nodes first. */
function groupsOf(nodes: readonly NodeState[], keys: readonly string[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const node of nodes) {
    const alike = alikeOf(node, keys);
    const key = stableStringify(alike);
    const group = groups.get(key) ?? { key, alike, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  return [...groups.values()].toSorted((a, b) => b.nodes.length - a.nodes.length || compareText(a.key, b.key));
}

function alikeOf({ labels, taints, isCordoned }: NodeState, keys: readonly string[]): Group['alike'] {
  const kept = keys.filter((key) => Object.hasOwn(labels, key)).map((key) => [key, labels[key] ?? ''] as const);
  const ordered = taints.toSorted((a, b) => compareText(stableStringify(a), stableStringify(b)));
  return {
    ...(kept.length === 0 ? {} : { labels: Object.fromEntries(kept) }),
    ...(ordered.length === 0 ? {} : { taints: [...ordered] }),
    ...(isCordoned ? { unschedulable: true } : {}),
  };
}

type Entry = NodeClass['free'][number];

function entryOf({ count, least }: Cell, resources: readonly string[]): Entry {
  const amounts: Amounts = new Map();
  least.forEach((amount, index) => {
    const name = resources[index];
    if (name !== undefined && amount > 0) amounts.set(name, amount);
  });
  return { count, amounts: formatAmounts(amounts) };
}

function byAmounts(a: Entry, b: Entry): number {
  return compareText(stableStringify(a.amounts), stableStringify(b.amounts)) || a.count - b.count;
}

/** How many more replicas fit on the nodes of classes; `reasons` count nodes. */
export type ClassesEstimate = Pick<NodesEstimate, 'replicas' | 'reason' | 'resource' | 'reasons'>;

/**
 * `estimateOnNodes` from {@link nodeClasses}. What is asked of a label that isn't kept is met by no node. Which ports and which other pods there are
 * isn't known: of replicas that take a port, or must not be near to themselves, one fits on each node or in each topology, whatever else is there.
 *
 * @throws ClustersetError `Invalid` where something of the replica makes no sense, with its field.
 */
export function estimateOnClasses(nodes: NodeClasses, requirements: ReplicaRequirements): ClassesEstimate {
  return classesEstimator(nodes)(requirements);
}

/** {@link estimateOnClasses} for one workload after the other: amounts are read once. */
export function classesEstimator({ labelKeys, classes }: NodeClasses): (replica: ReplicaRequirements) => ClassesEstimate {
  const known = new Set(labelKeys);
  const alike = classes.map(({ labels = {}, taints = [], unschedulable = false, free }) => ({
    labels,
    known,
    taints,
    isCordoned: unschedulable,
    isReady: true,
    free: free.map(({ count, amounts }) => ({ count, amounts: readAmounts(amounts) })),
  }));
  return (requirements) => {
    const replica = compileReplica(requirements);
    const taken = new Set<string>();
    const rooms = alike.flatMap((each) => roomsOf(each, replica, taken));
    return { replicas: rooms.reduce((sum, room) => sum + room.replicas, 0), ...summarized(rooms) };
  };
}

/** Nodes of a class, ready to be compared with a replica. */
interface Alike extends NodeIdentity {
  readonly known: ReadonlySet<string>;
  readonly taints: readonly NodeTaint[];
  readonly isCordoned: boolean;
  readonly isReady: boolean;
  readonly free: readonly { readonly count: number; readonly amounts: Amounts }[];
}

/** Of all nodes of an entry together. */
type EntryRoom = Room & { readonly nodes: number };

function roomsOf(alike: Alike, replica: Replica, taken: Set<string>): readonly EntryRoom[] {
  const refusal = refusalOf(alike, replica);
  return alike.free.map(({ count, amounts }): EntryRoom => {
    if (refusal !== undefined) return { replicas: 0, reason: refusal, nodes: count };
    const one = onePerNode(roomIn(amounts, replica), replica);
    return { ...onePerTopology({ ...one, replicas: one.replicas * count }, alike, replica.ownTopologies, taken), nodes: count };
  });
}

function readAmounts(amounts: Readonly<Record<string, string>>): Amounts {
  return new Map(Object.keys(amounts).map((name) => [name, readAmount(name, amounts[name]) ?? 0]));
}

function onePerNode(room: Room, { hostPorts, ownTopologies }: Replica): Room {
  if (room.replicas <= 1) return room;
  if (hostPorts.length > 0) return { replicas: 1, reason: 'HostPort' };
  return ownTopologies.includes(HOSTNAME) ? { replicas: 1, reason: 'AntiAffinity' } : room;
}

/** Nodes whose label isn't known may all be in one topology. */
function onePerTopology(room: Room, { labels, known }: Alike, own: readonly string[], taken: Set<string>): Room {
  const keys = own.filter((key) => key !== HOSTNAME && (!known.has(key) || Object.hasOwn(labels, key)));
  if (keys.length === 0 || room.replicas === 0) return room;
  const topologies = keys.map((key) => JSON.stringify([key, known.has(key) ? labels[key] : null]));
  if (topologies.some((each) => taken.has(each))) return { replicas: 0, reason: 'AntiAffinity' };
  for (const each of topologies) taken.add(each);
  return room.replicas === 1 ? room : { replicas: 1, reason: 'AntiAffinity' };
}
