import type { Json } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ResourceAmounts } from '../karmada/estimate.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import type { ClusterDecision } from './decision.ts';

/** What is scheduled. */
export interface SchedulingWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  /** Absent for what has no replicas, such as a ConfigMap: it is in a cluster or it isn't. For a Job its parallelism. */
  readonly replicas?: number;
  /** Of a Job. */
  readonly completions?: number;
  /** Of a StatefulSet: its first ordinal. Default 0. */
  readonly firstOrdinal?: number;
  /** What one replica asks for. */
  readonly requests?: ResourceAmounts;
}

/** What a step may look at beside the cluster in question. */
export interface SchedulingContext {
  readonly policy: PlacementPolicySpec;
  readonly workload: SchedulingWorkload;
  /** What each cluster has of the workload now. A cluster with an entry runs it, even with 0 replicas. */
  readonly current: ReadonlyMap<string, number>;
  /** How many more replicas fit into each cluster, beside those that are there; nothing for a cluster: it isn't known. */
  readonly room: ReadonlyMap<string, number>;
  /** Scores from outside by name, then by cluster. Any numbers. */
  readonly scores: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** The clusters that other workloads are in, by `formatWorkload`: for policies that follow one. */
  readonly placements: ReadonlyMap<string, readonly string[]>;
  /** RFC 3339. Without it a taint that is tolerated for some time counts as tolerated. */
  readonly now?: string;
}

/** Why a cluster can't take the workload. */
export interface Rejection {
  /** Which filter says so. */
  readonly filter: string;
  /** One word, for programs: of ours a `RejectionReason`, of a user's filter whatever it says. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
}

/** What a filter says of a cluster. */
export type FilterVerdict =
  /** It may take the workload. `until`: from then on it may not (RFC 3339). */
  | { readonly outcome: 'accepted'; readonly until?: string }
  /** It keeps what it has and gets no more. */
  | { readonly outcome: 'kept'; readonly rejection: Rejection; readonly until?: string }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection };

/** One step of filtering: a pure function. */
export interface ClusterFilter {
  readonly name: string;
  /** What it says of one cluster. */
  judge(cluster: ClusterEntry, context: SchedulingContext): FilterVerdict;
}

/** One step of scoring: a pure function over all clusters that passed the filters. */
export interface ClusterScorer {
  readonly name: string;
  /** Default 1. */
  readonly weight?: number;
  /** One number for each cluster, in their order; of ours between 0 and 100, those from outside between -100 and 100. Nothing counts as 0. */
  score(clusters: readonly ClusterEntry[], context: SchedulingContext): readonly (number | undefined)[];
}

/** A cluster that is selected, as a step of a user's own sees it. */
export interface SelectedForStep {
  readonly cluster: ClusterEntry;
  /** Its total score. */
  readonly score: number;
  /** Replicas that it has; nothing where the workload isn't there. */
  readonly current: number | undefined;
  /** How many more replicas fit; nothing where that isn't known. */
  readonly room: number | undefined;
  /** Whether it may get more than it has. */
  readonly mayGrow: boolean;
}

/** One step of selecting: a pure function that takes clusters out of those that the policy selects. */
export interface ClusterSelector {
  readonly name: string;
  /** Which of the selected clusters to leave out, and why: one word for programs, a sentence for people. */
  leaveOut(
    selected: readonly SelectedForStep[],
    context: SchedulingContext,
  ): readonly { readonly cluster: string; readonly reason: string; readonly message: string }[];
}

/** A division of a user's own, in place of the policy's: a pure function. */
export interface ReplicaDivider {
  readonly name: string;
  /** Replicas by cluster: whole numbers. A cluster that isn't in there gets none. */
  divide(replicas: number, selected: readonly SelectedForStep[], context: SchedulingContext): ReadonlyMap<string, number>;
}

/** One step of assigning: a pure function that says something more of a cluster that gets the workload. */
export interface ClusterAssigner {
  readonly name: string;
  /** Plain data, kept in the decision under the step's name; nothing for a cluster of which there is nothing to say. */
  assign(decision: ClusterDecision, context: SchedulingContext): Json | undefined;
}

/** The score of a cluster, and what it is made of. */
export interface ClusterScore {
  readonly total: number;
  /** `total` is the sum of `score × weight`. */
  readonly parts: readonly { readonly scorer: string; readonly score: number; readonly weight: number }[];
}

/** `apps/v1/Deployment shop/web`: how {@link SchedulingContext.placements} names a workload. */
export function formatWorkload(workload: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  const { apiVersion, kind, namespace, name } = workload;
  return `${apiVersion}/${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
