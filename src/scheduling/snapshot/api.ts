import { z } from 'zod';
import { compareText, formatFieldPath, type Issue, isRecord, shapeError } from '../../kube/index.ts';
import { type ClusterEntry, fleetIssues } from '../../registry/index.ts';
import type { NodeObject, PodObject } from '../estimate/cluster-state.ts';
import { type ClusterSummary, clusterSummarySchema } from '../estimate/summary.ts';
import { formatWorkload } from '../pipeline/contract.ts';

/** How a {@link FleetSnapshot} says what it is. There is no CRD: it is the format of a file. */
export const FLEET_SNAPSHOT = { apiVersion: 'scheduling.clusterset.dev/v1alpha1', kind: 'FleetSnapshot' } as const;

/** A cluster of a {@link FleetSnapshot}: its entry, and what is known of its room. */
export type SnapshotCluster = ClusterEntry & {
  /** What it has to offer, in little. */
  readonly summary?: ClusterSummary;
  /** Its nodes, and with them its pods: for tests and for small fleets. They count more than the summary. */
  readonly nodes?: readonly NodeObject[];
  readonly pods?: readonly PodObject[];
  /** How many more replicas of whatever is scheduled fit, because somebody says so: counts more than everything else. */
  readonly room?: number;
};

/** A workload of a {@link FleetSnapshot}, and where it is. */
export interface SnapshotWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Replicas by cluster; 0 for what has no replicas. A cluster that isn't named doesn't have it. */
  readonly clusters: Readonly<Record<string, number>>;
}

/**
 * What scheduling knows of a fleet at one time, as a file: to decide without any cluster, again and again with the same answer. It holds nothing
 * private: no Secrets, no environment, no images.
 */
export interface FleetSnapshot {
  readonly apiVersion: typeof FLEET_SNAPSHOT.apiVersion;
  readonly kind: typeof FLEET_SNAPSHOT.kind;
  /** RFC 3339. */
  readonly takenAt?: string;
  readonly clusters: readonly SnapshotCluster[];
  readonly workloads?: readonly SnapshotWorkload[];
}

const text = z.string().min(1);
const count = z.int().min(0);
const named = z.looseObject({ metadata: z.looseObject({ name: text }) });

/** What a cluster has beside its entry. */
const parts = z.looseObject({
  summary: clusterSummarySchema.exactOptional(),
  nodes: z.array(named).exactOptional(),
  pods: z.array(named).exactOptional(),
  room: count.exactOptional(),
});

const workload = z.looseObject({
  apiVersion: text,
  kind: text,
  namespace: text.exactOptional(),
  name: text,
  clusters: z.record(z.string(), count),
});

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

const schema = z.looseObject({
  apiVersion: z.literal(FLEET_SNAPSHOT.apiVersion),
  kind: z.literal(FLEET_SNAPSHOT.kind),
  takenAt: z
    .string()
    .refine((time) => TIME.test(time) && !Number.isNaN(Date.parse(time)), {
      error: 'must be a time as in 2026-01-31T12:00:00Z (RFC 3339)',
    })
    .exactOptional(),
  clusters: z.array(parts),
  workloads: z.array(workload).exactOptional(),
});

/**
 * Reads a snapshot. Its clusters come back in the order of their names; unknown fields are kept.
 *
 * @throws ClustersetError `Invalid`, with every problem and the path of its field: `clusters[2].summary.nodes`.
 */
export function parseSnapshot(value: unknown): FleetSnapshot {
  const issues = snapshotIssues(value);
  if (issues.length > 0) throw shapeError(FLEET_SNAPSHOT.kind, { metadata: { name: 'snapshot' } }, issues);
  const snapshot = value as FleetSnapshot;
  const clusters = snapshot.clusters.map((cluster) =>
    // Amounts may be written as numbers.
    cluster.summary === undefined ? cluster : { ...cluster, summary: clusterSummarySchema.parse(cluster.summary) },
  );
  return { ...snapshot, clusters: clusters.sort((a, b) => compareText(a.name, b.name)) };
}

/** What is wrong with a snapshot; nothing for a good one. */
export function snapshotIssues(value: unknown): readonly Issue[] {
  const result = schema.safeParse(value);
  const own = result.success ? [] : result.error.issues.map((issue) => issueOf(issue, value));
  if (!isRecord(value)) return own;
  if (!result.success) return [...own, ...clusterIssues(value.clusters)];
  const snapshot = value as unknown as FleetSnapshot;
  return [...clusterIssues(value.clusters), ...twins(snapshot), ...overlooked(snapshot)];
}

function issueOf({ path, message }: z.core.$ZodIssue, document: unknown): Issue {
  const words = message.replace(/^Invalid input: /, '');
  return {
    field: formatFieldPath(path.map(String), document),
    message: words.charAt(0).toLowerCase() + words.slice(1),
  };
}

/** The entries, by the rules of every fleet. What isn't a list of objects has been told already. */
function clusterIssues(clusters: unknown): readonly Issue[] {
  if (!Array.isArray(clusters) || !clusters.every(isRecord)) return [];
  return fleetIssues(clusters).map(({ message, ...issue }) => ({
    ...issue,
    field: `clusters${issue.field}`,
    message: message.replace(/(is also the name of )\[/, '$1clusters['),
  }));
}

/** zod doesn't look at this member of records. */
const PROTOTYPE = '__proto__';

function overlooked({ workloads = [] }: FleetSnapshot): readonly Issue[] {
  return workloads.flatMap(({ clusters }, index): readonly Issue[] =>
    !Object.hasOwn(clusters, PROTOTYPE) || count.safeParse(clusters[PROTOTYPE]).success
      ? []
      : [{ field: `workloads[${index}].clusters.${PROTOTYPE}`, message: 'must be a whole number, not below 0' }],
  );
}

function twins({ workloads = [] }: FleetSnapshot): readonly Issue[] {
  const first = new Map<string, number>();
  return workloads.flatMap((each, index): readonly Issue[] => {
    const name = formatWorkload(each);
    const earlier = first.get(name);
    first.set(name, earlier ?? index);
    return earlier === undefined
      ? []
      : [{ field: `workloads[${index}].name`, message: `"${name}" is also workloads[${earlier}]`, mend: 'make one of them' }];
  });
}
