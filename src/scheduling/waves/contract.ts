import type { Issue } from '../../kube/index.ts';
import type { ClusterAmount } from './amount.ts';

/** What is seen of a workload in one cluster. Times are RFC 3339. */
export interface WaveObservation {
  /** What the cluster has; nothing where it has nothing yet. */
  readonly revision?: string;
  /** Whether what it has is available, all of it. */
  readonly ready: boolean;
  /** Since when it is ready. Needed where a wave waits, or `minReadySeconds` is given. */
  readonly readySince?: string;
  /** Since when it isn't ready any more, where it was. */
  readonly unreadySince?: string;
  /** When the revision was written there. Needed for `progressDeadlineSeconds`. */
  readonly updatedAt?: string;
  /** Whether the revision that it has is known not to work there. */
  readonly failed?: boolean;
}

/** One wave, with its clusters resolved. */
export interface PlannedWave<Cluster> {
  readonly name: string;
  /** Their names, or what tells them. */
  readonly clusters: readonly string[] | ((cluster: Cluster) => boolean);
  /** Percentages are of the clusters of the wave, rounded down. At least 1. Default 1. */
  readonly maxConcurrency?: ClusterAmount;
  /** After all of them are ready. Default 0. */
  readonly waitSeconds?: number;
  readonly approvalBefore?: boolean;
  readonly approvalAfter?: boolean;
}

/** Somebody's word that a wave may begin (`Before`), or that the next one may (`After`). */
export interface WaveApproval {
  readonly wave: string;
  readonly stage: 'Before' | 'After';
  /** Which revision was approved. Default: whichever. */
  readonly revision?: string;
}

/** What `planWaves` takes. */
export interface WavesInput<Cluster extends { readonly name: string }> {
  /** The revision that all clusters should have: any text that tells one from another. */
  readonly revision: string;
  readonly clusters: readonly Cluster[];
  /** By cluster; nothing for one that has nothing yet. */
  readonly observed: ReadonlyMap<string, WaveObservation>;
  readonly waves: readonly PlannedWave<Cluster>[];
  /** Whether clusters that are in no wave are a last one of their own, called `rest`. Default false. */
  readonly rest?: boolean;
  readonly approvals?: readonly WaveApproval[];
  /** How many clusters may fail before nothing more is changed; percentages of all clusters, rounded down. Default 0. */
  readonly maxFailures?: ClusterAmount;
  /** Default 0. */
  readonly minReadySeconds?: number;
  /** How long a cluster may take to get ready, or to get ready again, before it counts as failed. Default: as long as it takes. */
  readonly progressDeadlineSeconds?: number;
  /** `Stop`: nothing more is changed. Default `Run`. */
  readonly state?: 'Run' | 'Stop';
}

/** A write: give the cluster the revision. */
export interface WaveStep {
  readonly op: 'update';
  readonly cluster: string;
  readonly wave: string;
  readonly revision: string;
  /** Why now: it has nothing yet, it isn't ready anyway, or it is its turn. */
  readonly because: 'New' | 'NotReady' | 'ItsTurn';
}

/** Why a cluster waits. */
export type WaveWait =
  /** `wave` isn't done yet. */
  | { readonly reason: 'WaitsForWave'; readonly wave: string }
  /** `wave` wants to be approved, before or after it. */
  | { readonly reason: 'WaitsForApproval'; readonly wave: string; readonly stage: 'Before' | 'After' }
  /** It has the revision and isn't ready. */
  | { readonly reason: 'WaitsForReady' }
  /** It is ready, not for long enough (`until` nothing: since when isn't known); or an earlier wave was ready and waits. */
  | { readonly reason: 'WaitsForTime'; readonly until: string | undefined }
  /** As many clusters of its wave as may are changing, or aren't ready. */
  | { readonly reason: 'OverConcurrency' }
  | { readonly reason: 'Stopped' }
  | { readonly reason: 'TooManyFailures' }
  /** It has the revision, which failed there. */
  | { readonly reason: 'Failed' }
  /** It is in none of the waves, or in several: an issue says so. */
  | { readonly reason: 'NotInOneWave' };

/** How far a wave is. */
export type WavePhase =
  /** An earlier wave isn't done. */
  | 'Waiting'
  | 'NeedsApprovalBefore'
  /** Some of its clusters aren't done. */
  | 'Running'
  /** All are done, and it waits for `waitSeconds`. */
  | 'Soaking'
  | 'NeedsApprovalAfter'
  | 'Done';

/** One wave, by what is seen now. */
export interface WaveStatus {
  readonly name: string;
  readonly phase: WavePhase;
  /** Sorted by name. */
  readonly clusters: readonly string[];
  /** Clusters that don't have the revision yet. */
  readonly pending: number;
  /** Clusters that have it and aren't ready, or not for long enough. */
  readonly updating: number;
  readonly failed: number;
  readonly done: number;
  /** When it has waited long enough, where it is `Soaking`. */
  readonly until?: string;
}

/** What `planWaves` decides. */
export interface WavesPlan {
  /** All of them may be carried out at once. */
  readonly steps: readonly WaveStep[];
  /** Every cluster that isn't done and has no step, by name. */
  readonly waiting: ReadonlyMap<string, WaveWait>;
  readonly waves: readonly WaveStatus[];
  /** How many clusters failed, and how many may. */
  readonly failures: { readonly failed: number; readonly allowed: number };
  /** Whether every cluster has the revision and is ready, and every wave is done. */
  readonly done: boolean;
  /** When time alone changes the answer: ask again then, or as soon as something else is seen. */
  readonly nextAt?: string;
  readonly issues: readonly Issue[];
}
