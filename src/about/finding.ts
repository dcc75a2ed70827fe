import { compareText } from '../kube/index.ts';

/**
 * What a check of a whole ClusterSet can find:
 *
 * - `IdMissing`, `IdInvalid`, `ClusterSetInvalid`, `NoValue`: a member's own properties are wrong.
 * - `NotMember`: it is in no ClusterSet. `IdTaken`: and can't join one as long as another has its id.
 * - `OtherClusterSet`, `SeveralClusterSets`: not all are members of the same.
 * - `DuplicateId`: two members have one id. `SameCluster`: two of the names lead to one cluster.
 * - `Moved`: an id belongs to another cluster than before. `Renamed`: a member has another id than before.
 * - `AboutApiMissing`, `Unreadable`: nothing can be said. `Missing`: a cluster that was a member isn't among those that were looked at.
 * - `NotMcsUsable`, `Advice`: allowed, and in the way of something else.
 */
export type FindingReason =
  | 'IdMissing'
  | 'IdInvalid'
  | 'ClusterSetInvalid'
  | 'NoValue'
  | 'NotMember'
  | 'IdTaken'
  | 'OtherClusterSet'
  | 'SeveralClusterSets'
  | 'DuplicateId'
  | 'SameCluster'
  | 'Moved'
  | 'Renamed'
  | 'AboutApiMissing'
  | 'Unreadable'
  | 'Missing'
  | 'NotMcsUsable'
  | 'Advice';

/** How much a finding matters: something is wrong; it can't be said whether it is; or it could be better. */
export type FindingLevel = 'problem' | 'unknown' | 'advice';

/** One thing that a check of a ClusterSet has found. */
export interface Finding {
  readonly reason: FindingReason;
  readonly level: FindingLevel;
  /** Names of the clusters that it is about, in order. */
  readonly clusters: readonly string[];
  /** The id that it is about. */
  readonly id?: string;
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
}

const LEVELS: Readonly<Partial<Record<FindingReason, FindingLevel>>> = {
  Unreadable: 'unknown',
  Missing: 'unknown',
  NotMcsUsable: 'advice',
  Advice: 'advice',
};

/** A finding, of the level that its reason has. */
export function finding(reason: FindingReason, clusters: readonly string[], message: string, mend: string, id?: string): Finding {
  const level = LEVELS[reason] ?? 'problem';
  return { reason, level, clusters: clusters.toSorted(compareText), ...(id === undefined ? {} : { id }), message, mend };
}

/** Orders by cluster, then by reason and id: the same on every machine. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.clusters.join(','), b.clusters.join(',')) ||
    compareText(a.reason, b.reason) ||
    compareText(a.id ?? '', b.id ?? '') ||
    compareText(a.message, b.message)
  );
}
