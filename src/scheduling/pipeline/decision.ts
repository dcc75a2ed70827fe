import type { Json } from '../../kube/index.ts';
import type { OrdinalRange } from '../assign/ordinals.ts';
import type { DivisionShare } from '../divide/divide.ts';
import type { KarmadaShare } from '../karmada/divide.ts';
import type { KarmadaLeftOut, KarmadaSelected } from '../karmada/select.ts';
import type { KubeAdmiralShare } from '../kubeadmiral/share.ts';
import type { ReplicaShare } from '../kubefed/planner.ts';
import type { LeftOutCluster, SelectedCluster } from '../select/selection.ts';
import type { ClusterScore, Rejection } from './contract.ts';

/** What became of a cluster in a decision. */
export type ClusterOutcome =
  /** It gets the workload. */
  | 'Placed'
  /** It might, and its share is nothing. */
  | 'NoReplicas'
  /** Others were selected. */
  | 'NotSelected'
  /** A filter rejects it. */
  | 'Rejected'
  /** It has something of the workload and isn't among the clusters any more. */
  | 'Gone';

/** The share of a cluster as the algorithm explains it that divided. */
export type DivisionExplanation =
  | { readonly algorithm: 'clusterset'; readonly share: DivisionShare }
  | { readonly algorithm: 'kubefed'; readonly share: ReplicaShare }
  | { readonly algorithm: 'karmada'; readonly share: KarmadaShare }
  | { readonly algorithm: 'kubeadmiral'; readonly share: KubeAdmiralShare }
  /** A division of a user's own, by its name. */
  | {
      readonly algorithm: 'own';
      readonly share: { readonly cluster: string; readonly replicas: number; readonly divider: string };
    };

/** Why a cluster is selected, or isn't. */
export type SelectionExplanation =
  | { readonly algorithm: 'clusterset'; readonly choice: SelectedCluster | LeftOutCluster }
  | { readonly algorithm: 'karmada'; readonly choice: KarmadaSelected | KarmadaLeftOut }
  /** A selector of a user's own leaves it out. */
  | {
      readonly algorithm: 'own';
      readonly choice: { readonly cluster: string; readonly selector: string; readonly reason: string; readonly message: string };
    };

/** What one cluster gets, and why. */
export interface ClusterDecision {
  readonly cluster: string;
  readonly outcome: ClusterOutcome;
  /** Replicas that it gets; 0 for what has none. */
  readonly replicas: number;
  /** Replicas that it has now; absent where the workload isn't there. */
  readonly current?: number | undefined;
  /** What the filters object to: for `Rejected`, and for a cluster that keeps what it has and gets no more. */
  readonly rejections?: readonly Rejection[] | undefined;
  readonly score?: ClusterScore | undefined;
  readonly selection?: SelectionExplanation | undefined;
  readonly division?: DivisionExplanation | undefined;
  /** Of a Job: how many of its completions. */
  readonly completions?: number | undefined;
  /** Of a StatefulSet: which ordinals. */
  readonly ordinals?: OrdinalRange | undefined;
  /** What steps of a user's own say of it, by their names. */
  readonly assigned?: Readonly<Record<string, Json>> | undefined;
}

/** Why a decision places nothing. */
export type FailureReason = 'NoClusters' | 'NoneFits' | 'NotSelectable' | 'NoRoom';

/** A group of clusters that was tried and not used, or used in part. */
export interface GroupAttempt {
  readonly group: string;
  readonly reason: FailureReason | 'Incomplete';
  readonly message: string;
  /** Replicas that had no place in it. */
  readonly unplaced: number;
}

/** Where a workload goes: plain data that can be stored, compared and printed. */
export interface ScheduleDecision {
  /** As `formatWorkload` writes it. */
  readonly workload: string;
  /** All replicas have a place, some of them, or none; what has no replicas is in a cluster or in none. */
  readonly outcome: 'Scheduled' | 'Incomplete' | 'Unschedulable';
  /** For `Unschedulable`: why. */
  readonly reason?: FailureReason;
  readonly message?: string;
  /** The group of the policy that is used; absent without groups, and where one after the other is filled. */
  readonly group?: string;
  /** Replicas that were asked for. Absent for what has none. */
  readonly replicas?: number;
  /** Replicas that have no place. */
  readonly unplaced: number;
  /** By name; one for each cluster that was looked at. */
  readonly clusters: readonly ClusterDecision[];
  /** Groups that were preferred to the one that is used, or all where none could be. */
  readonly attempts: readonly GroupAttempt[];
  /** What isn't as the policy would like it, in sentences. */
  readonly notes: readonly string[];
  /** When the answer may change although nothing else does: a toleration ends then (RFC 3339). */
  readonly until?: string;
}
