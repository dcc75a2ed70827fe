import { type Condition, compareText, isConditionTrue, isRecord, stableStringify } from '../../kube/index.ts';
import { type Amounts, MOST } from './amounts.ts';
import { antiAffinityOf, avoidancesOf, type Neighbour } from './anti-affinity.ts';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { listOf, type Members, membersOf, textOf, textsOf } from './json.ts';
import { read, requestsOfPod } from './pod-requests.ts';
import { type EstimateProblem, inOrder, type Report } from './problem.ts';
import { type NodeTaint, taintsOf } from './taints.ts';

/**
 * A node as an API server sends it (API: core/v1 Node). What is read: `metadata.name` and `labels`; `spec.unschedulable` and `taints`;
 * `status.allocatable` and `conditions`. What isn't there, or is something else, counts as not said.
 */
export interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/**
 * A pod as an API server sends it (API: core/v1 Pod). What is read: `metadata` for name, namespace, labels and times; of `spec` what holds
 * room (see `podRequirements`), `nodeName`, `priority` and `schedulingGates`; `status.phase` and `conditions`.
 */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A node and what is left of it. */
export interface NodeState {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly isCordoned: boolean;
  readonly isReady: boolean;
  readonly allocatable: ReadonlyMap<string, number>;
  /** Of everything that is allocatable. Below 0 where pods hold more than there is. */
  readonly free: Amounts;
  /** What pods have taken. */
  readonly hostPorts: HostPort[];
}

/** A pod that holds room, or waits for it. */
export interface PodState extends Neighbour {
  readonly requests: Amounts;
  readonly hostPorts: readonly HostPort[];
  readonly spec: Members;
}

/** A pod on a node. */
export interface PlacedPod {
  readonly pod: Neighbour;
  readonly node: NodeState;
}

/** What of nodes and pods matters for where more pods fit. */
export interface ClusterState {
  /** By name. */
  readonly nodes: readonly NodeState[];
  readonly running: readonly (PlacedPod & { readonly pod: PodState })[];
  /** In the order in which they get their turn. */
  readonly waiting: readonly PodState[];
  readonly problems: readonly EstimateProblem[];
}

/** Reads nodes and pods. Nothing that is wrong with one of them stops anything: it is reported, and counts as not said. */
export function readCluster(nodes: readonly NodeObject[], pods: readonly PodObject[]): ClusterState {
  const problems: EstimateProblem[] = [];
  const byName = readNodes(nodes, problems);
  const running: (PlacedPod & { readonly pod: PodState })[] = [];
  const waiting: { readonly pod: PodState; readonly turn: Turn }[] = [];
  for (const object of pods) {
    if (!isRecord(object) || isOver(object)) continue;
    const nodeName = textOf(object.spec, 'nodeName');
    const node = nodeName === undefined ? undefined : byName.get(nodeName);
    if (node !== undefined) {
      const pod = readPod(object, problems);
      running.push({ pod, node });
      occupy(node, pod);
    } else if (nodeName === undefined && waits(object)) {
      waiting.push({ pod: readPod(object, problems), turn: turnOf(object) });
    }
  }
  const ordered = [...byName.values()].toSorted((a, b) => compareText(a.name, b.name));
  return {
    nodes: ordered,
    running,
    waiting: waiting.toSorted((a, b) => compareTurns(a.turn, b.turn)).map(({ pod }) => pod),
    problems: inOrder(problems),
  };
}

/** Takes what a pod holds from a node, or from a copy of it. */
export function occupy(node: NodeState, { requests, hostPorts }: Pick<PodState, 'requests' | 'hostPorts'>): void {
  take(node.free, 'pods', Math.max(1, requests.get('pods') ?? 1));
  for (const [name, amount] of requests) if (name !== 'pods') take(node.free, name, amount);
  node.hostPorts.push(...hostPorts);
}

function take(free: Amounts, name: string, amount: number): void {
  const left = free.get(name);
  if (left !== undefined) free.set(name, Math.max(-MOST, left - amount));
}

function readNodes(nodes: readonly NodeObject[], problems: EstimateProblem[]): Map<string, NodeState> {
  const objects = new Map<string, NodeObject>();
  for (const node of nodes) {
    const name = textOf(membersOf(node, 'metadata'), 'name');
    if (name === undefined) continue;
    const other = objects.get(name);
    if (other !== undefined) {
      problems.push({
        object: { kind: 'Node', name },
        field: 'metadata.name',
        message: 'two nodes have this name, of which one counts',
      });
    }
    objects.set(name, other === undefined ? node : earlier(node, other));
  }
  return new Map([...objects].map(([name, node]) => [name, readNode(name, node, problems)]));
}

/** One of two, whichever comes first. */
function earlier(a: NodeObject, b: NodeObject): NodeObject {
  return compareText(stableStringify(a), stableStringify(b)) <= 0 ? a : b;
}

function readNode(name: string, node: NodeObject, problems: EstimateProblem[]): NodeState {
  const report: Report = (field, message) => problems.push({ object: { kind: 'Node', name }, field, message });
  const allocatable = read(membersOf(node.status, 'allocatable'), 'status.allocatable', report);
  const conditions = listOf(node.status, 'conditions').filter(isRecord) as unknown as readonly Condition[];
  return {
    name,
    labels: textsOf(node.metadata, 'labels'),
    taints: taintsOf(node.spec),
    isCordoned: isRecord(node.spec) && node.spec.unschedulable === true,
    isReady: isConditionTrue(conditions, 'Ready'),
    allocatable,
    free: new Map(allocatable),
    hostPorts: [],
  };
}

/** kube-scheduler doesn't count pods that have come to their end; those that are being deleted hold their room until they are gone. */
function isOver(pod: PodObject): boolean {
  const phase = textOf(pod.status, 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** A pod that is being deleted, or is held back by a gate (KEP-3521), doesn't wait for a node. */
function waits(pod: PodObject): boolean {
  return textOf(pod.metadata, 'deletionTimestamp') === undefined && listOf(pod.spec, 'schedulingGates').length === 0;
}

function readPod(object: PodObject, problems: EstimateProblem[]): PodState {
  const [name, namespace] = [textOf(object.metadata, 'name') ?? '', textOf(object.metadata, 'namespace')];
  const report: Report = (field, message) =>
    problems.push({ object: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name }, field, message });
  const spec = membersOf(object, 'spec');
  const labels = textsOf(object.metadata, 'labels');
  return {
    namespace,
    labels,
    avoids: avoidancesOf(antiAffinityOf(spec, labels), report),
    requests: requestsOfPod(spec, report),
    hostPorts: hostPortsOf(spec),
    spec,
  };
}

interface Turn {
  readonly priority: number;
  readonly created: string;
  readonly name: string;
}

function turnOf({ metadata, spec }: PodObject): Turn {
  const priority = isRecord(spec) && typeof spec.priority === 'number' && !Number.isNaN(spec.priority) ? spec.priority : 0;
  const name = `${textOf(metadata, 'namespace') ?? ''}/${textOf(metadata, 'name') ?? ''}`;
  return { priority, created: textOf(metadata, 'creationTimestamp') ?? '', name };
}

/** As kube-scheduler's queue: by priority, then by age. RFC 3339 in UTC orders as text. */
function compareTurns(a: Turn, b: Turn): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return compareText(a.created, b.created) || compareText(a.name, b.name);
}
