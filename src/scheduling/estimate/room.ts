import type { ClusterEntry } from '../../registry/index.ts';
import { estimateKarmada, type KarmadaResourceModel } from '../karmada/estimate.ts';
import type { Amounts } from './amounts.ts';
import { estimateOnClasses } from './classes.ts';
import type { NodeObject, PodObject } from './cluster-state.ts';
import { estimateOnNodes, type NodesEstimate } from './on-nodes.ts';
import { read } from './pod-requests.ts';
import { refuse } from './problem.ts';
import { compileReplica, type ReplicaRequirements } from './replica.ts';
import { type EstimateReason, roomIn } from './room-on-node.ts';
import type { ClusterSummary } from './summary.ts';

/** What is known of a cluster's room; the best of it is used. */
export interface RoomSource {
  readonly nodes?: readonly NodeObject[];
  /** Beside `nodes`. Default: none. */
  readonly pods?: readonly PodObject[];
  readonly summary?: ClusterSummary;
  /** What the grades of the summary mean. Without it they aren't used. */
  readonly models?: readonly KarmadaResourceModel[];
  /**
   * What the cluster has in all: all of it counts as free, and as one node. Of what every machine has (CPU, memory, storage) what isn't named isn't
   * known, and limits nothing; of anything else there is none.
   */
  readonly capacity?: NonNullable<ClusterEntry['capacity']>;
}

/** How much room there is, and how that is known. */
export type ClusterRoom =
  | { /** Nothing is known that would limit it. */ readonly basis: 'Unknown' }
  | {
      /**
       * `Nodes`: node by node. `Classes`: by node classes, so perhaps a little too low. `Summary`: by the sums of the cluster, `Capacity`: by what it has in
       * all, so perhaps too high, and labels, taints, ports and anti-affinity don't count.
       */
      readonly basis: 'Nodes' | 'Classes' | 'Summary' | 'Capacity';
      /** How many more replicas fit. */
      readonly replicas: number;
      /** `Models`: the nodes by their grades hold no more. */
      readonly reason: EstimateReason | 'NoNodes' | 'Models';
      /** With reason `Resource`: which. */
      readonly resource?: string;
    };

/**
 * How many more replicas fit into a cluster, by the best that is known of it: its nodes, else the node classes of its summary, else the sums of its
 * summary (Karmada's general estimator), else its capacity. Where only the capacity is known, pods don't limit it unless they are among it.
 *
 * @throws ClustersetError `Invalid` where something of the replica, or an amount of the summary or the capacity, makes no sense.
 */
export function roomOf(source: RoomSource, replica: ReplicaRequirements): ClusterRoom {
  const { nodes, pods = [], summary, models = [], capacity } = source;
  if (nodes !== undefined) return { basis: 'Nodes', ...essence(estimateOnNodes({ nodes, pods, replica })) };
  if (summary?.nodeClasses !== undefined)
    return { basis: 'Classes', ...essence(estimateOnClasses(summary.nodeClasses, replica)) };
  if (summary?.allocatable !== undefined) return bySums(summary, models, replica);
  return capacity === undefined ? { basis: 'Unknown' } : byCapacity(read(capacity, 'capacity', refuse), replica);
}

type Essence = Pick<NodesEstimate, 'replicas' | 'reason' | 'resource'>;

function essence({ replicas, reason, resource }: Essence): Essence {
  return { replicas, reason, ...(resource === undefined ? {} : { resource }) };
}

function bySums(summary: ClusterSummary, models: readonly KarmadaResourceModel[], replica: ReplicaRequirements): ClusterRoom {
  const estimate = estimateKarmada(summary, { resourceRequest: replica.requests ?? {} }, models);
  // There is a summary, so that isn't the reason.
  return estimate.reason === 'NoSummary' ? { basis: 'Unknown' } : { basis: 'Summary', ...estimate };
}

const OF_EVERY_MACHINE: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

function byCapacity(capacity: Amounts, requirements: ReplicaRequirements): ClusterRoom {
  const replica = compileReplica(requirements);
  const limitsPods = capacity.has('pods');
  const requests = replica.requests.filter(([name]) => capacity.has(name) || !OF_EVERY_MACHINE.has(name));
  if (!limitsPods && requests.length === 0) return { basis: 'Unknown' };
  const free = limitsPods ? capacity : new Map(capacity).set('pods', Number.POSITIVE_INFINITY);
  const room = roomIn(free, { ...replica, requests });
  return { basis: 'Capacity', ...room };
}
