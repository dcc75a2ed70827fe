import { isTaken, type Neighbour, type TakenTopologies, take } from './anti-affinity.ts';
import { type ClusterState, type NodeState, occupy, type PlacedPod, type PodState } from './cluster-state.ts';
import { type Replica, replicaOfPod } from './replica.ts';
import { roomOn } from './room-on-node.ts';

/** Nodes after the pods that wait have taken their room. */
export interface Settled {
  readonly nodes: readonly NodeState[];
  /** The pods that waited and found a node. */
  readonly placed: readonly PlacedPod[];
}

/** Pods that are alike. What was too small for one of them is too small for the next, so each goes on where the last one was. */
interface Kind {
  readonly replica: Replica;
  readonly taken: TakenTopologies;
  next: number;
}

/**
 * Gives pods that wait the room that they will take before any more: in the order of kube-scheduler's queue (priority, age, then name) each on the
 * first node by name that takes it. Those that fit nowhere take nothing. kube-scheduler may choose other nodes, which it scores, but takes the
 * same pods first.
 */
export function settle(state: ClusterState, waiting: readonly PodState[]): Settled {
  if (waiting.length === 0) return { nodes: state.nodes, placed: [] };
  const nodes = state.nodes.map((node) => ({ ...node, free: new Map(node.free), hostPorts: [...node.hostPorts] }));
  const around = new Surroundings(state.running);
  const kinds = new Map<string, Kind>();
  const areAnyShy = [...waiting, ...state.running.map(({ pod }) => pod)].some(isShy);
  for (const pod of waiting) {
    const key = kindOf(pod, areAnyShy);
    const kind = kinds.get(key) ?? around.newKind(pod);
    kinds.set(key, kind);
    const node = nextNode(nodes, kind);
    if (node === undefined) continue;
    occupy(node, pod);
    around.add({ pod, node });
  }
  return { nodes, placed: around.placed };
}

function isShy({ avoids }: Neighbour): boolean {
  return avoids.length > 0;
}

/**
 * The pods on nodes, for those that wait. Who keeps away from nobody is only in the way of those who do: among many pods with labels of their own
 * each would otherwise look at all the others.
 */
class Surroundings {
  readonly placed: PlacedPod[] = [];
  readonly #running: readonly PlacedPod[];
  readonly #shy: PlacedPod[];
  readonly #kinds: Kind[] = [];
  readonly #shyKinds: Kind[] = [];

  constructor(running: readonly PlacedPod[]) {
    this.#running = running;
    this.#shy = running.filter(({ pod }) => isShy(pod));
  }

  newKind(pod: PodState): Kind {
    const { namespace, labels, requests, spec } = pod;
    const replica = replicaOfPod(spec, { namespace, labels }, requests, () => undefined);
    const kind = { replica, taken: takenFor(replica, isShy(pod) ? [this.#running, this.placed] : [this.#shy]), next: 0 };
    this.#kinds.push(kind);
    if (isShy(pod)) this.#shyKinds.push(kind);
    return kind;
  }

  add(placed: PlacedPod): void {
    const { pod, node } = placed;
    this.placed.push(placed);
    if (isShy(pod)) this.#shy.push(placed);
    for (const { taken, replica } of isShy(pod) ? this.#kinds : this.#shyKinds) take(taken, pod, node.labels, replica);
  }
}

/** Equal for pods that fit on the same nodes; for pods with more labels than matter it may differ, which costs time only. */
function kindOf({ namespace, labels, requests, hostPorts, spec }: PodState, areAnyShy: boolean): string {
  const { nodeSelector, affinity, tolerations } = spec;
  const identity = areAnyShy ? [namespace, labels] : [];
  return JSON.stringify([[...requests], hostPorts, nodeSelector, affinity, tolerations, ...identity]);
}

/** The topologies that pods on nodes keep another pod away from. */
export function takenFor(pod: Neighbour, others: readonly (readonly PlacedPod[])[]): TakenTopologies {
  const taken: TakenTopologies = new Map();
  for (const some of others) for (const other of some) take(taken, other.pod, other.node.labels, pod);
  return taken;
}

function nextNode(nodes: readonly NodeState[], kind: Kind): NodeState | undefined {
  for (; kind.next < nodes.length; kind.next += 1) {
    const node = nodes[kind.next];
    if (node !== undefined && roomOn(node, kind.replica).replicas > 0 && !isTaken(kind.taken, node.labels)) return node;
  }
  return undefined;
}
