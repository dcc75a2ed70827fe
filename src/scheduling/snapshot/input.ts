import { isClustersetError } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ReplicaRequirements } from '../estimate/replica.ts';
import { type ClusterRoom, roomOf } from '../estimate/room.ts';
import { formatWorkload, type SchedulingWorkload } from '../pipeline/contract.ts';
import type { FleetSnapshot, SnapshotCluster } from './api.ts';

/** What {@link snapshotInput} may be told beside the workload. */
export interface SnapshotInputOptions {
  /** What a replica asks for; see `podRequirements`. Default: what the workload requests, where it says so. */
  readonly replica?: ReplicaRequirements;
  /** What each cluster has of the workload now, in place of what the snapshot says. */
  readonly current?: ReadonlyMap<string, number>;
}

/** What of a snapshot `schedule` takes. */
export interface SnapshotInput {
  readonly clusters: readonly ClusterEntry[];
  readonly current: ReadonlyMap<string, number>;
  readonly room: ReadonlyMap<string, number>;
  readonly placements: ReadonlyMap<string, readonly string[]>;
}

/**
 * What a snapshot says that matters for one workload: pure data, to be given to `schedule` with the policy and the workload.
 *
 * - `current`: where the workload is, by its type, namespace and name.
 * - `room`, beside what is there: what a cluster says itself; else what `roomOf` makes of its nodes, its summary or its capacity. Without a replica nobody can say what
 *   fits, and only what clusters say counts. Capacity is what a cluster has in all: of it goes what its replicas hold now.
 * - `placements`: the clusters of all workloads, for policies that follow one.
 *
 * @throws ClustersetError `Invalid` where something of the replica, or an amount of a cluster, makes no sense; naming the cluster.
 */
export function snapshotInput(
  { clusters, workloads = [] }: Pick<FleetSnapshot, 'clusters' | 'workloads'>,
  workload: SchedulingWorkload,
  { replica = requested(workload), current: told }: SnapshotInputOptions = {},
): SnapshotInput {
  const own = formatWorkload(workload);
  const known = workloads.find((each) => formatWorkload(each) === own);
  const current = told ?? new Map(Object.entries(known?.clusters ?? {}));
  const room = new Map<string, number>();
  for (const cluster of clusters) {
    const found = cluster.room ?? (replica === undefined ? undefined : estimated(cluster, replica, current));
    if (found !== undefined) room.set(cluster.name, found);
  }
  return {
    clusters: clusters.map(entryOf),
    current,
    room,
    placements: new Map(workloads.map((each) => [formatWorkload(each), Object.keys(each.clusters)])),
  };
}

function requested({ requests }: SchedulingWorkload): ReplicaRequirements | undefined {
  return requests === undefined ? undefined : { requests };
}

function entryOf({ summary: _summary, nodes: _nodes, pods: _pods, room: _room, ...entry }: SnapshotCluster): ClusterEntry {
  return entry as ClusterEntry;
}

function estimated(
  cluster: SnapshotCluster,
  replica: ReplicaRequirements,
  current: ReadonlyMap<string, number>,
): number | undefined {
  // Its pods that wait are among what runs: they take room, or it would count twice.
  const { selector: _own, ...anyone } = replica;
  const room = estimateOf(cluster, anyone);
  if (room.basis === 'Unknown') return undefined;
  return room.basis === 'Capacity' ? Math.max(0, room.replicas - (current.get(cluster.name) ?? 0)) : room.replicas;
}

function estimateOf(cluster: SnapshotCluster, replica: ReplicaRequirements): ClusterRoom {
  const { name, nodes, pods, summary, capacity } = cluster;
  try {
    return roomOf(
      {
        ...(nodes === undefined ? {} : { nodes }),
        ...(pods === undefined ? {} : { pods }),
        ...(summary === undefined ? {} : { summary }),
        ...(capacity === undefined ? {} : { capacity }),
      },
      replica,
    );
  } catch (error) {
    throw isClustersetError(error) ? error.with({ cluster: name }) : error;
  }
}
