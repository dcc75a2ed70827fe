import type { ClusterEntry } from '../../registry/index.ts';
import type { FilterVerdict, Rejection, SchedulingContext } from '../pipeline/contract.ts';

/** The filters of a policy, in the order in which they are asked. */
export type FilterName = 'Names' | 'Labels' | 'Fields' | 'Properties' | 'Groups' | 'Follow' | 'Taints' | 'Ready' | 'Apis';

/**
 * Why a filter of ours doesn't accept a cluster.
 *
 * - `NotListed`, `Excluded`, `NotPicked`: not in `clusterNames`, in `exclude`, not in `clusterNames` of a pick of type `Fixed`.
 * - `LabelsDoNotMatch`, `FieldDoesNotMatch`, `PropertyDoesNotMatch`: the cluster says something else than what is wanted.
 * - `FieldMissing`, `PropertyMissing`: it says nothing. `PropertyUnreadable`: it says something that is no amount.
 * - `InNoGroup`: there are groups, and it is in none of them.
 * - `FollowedNotPlaced`, `FollowedElsewhere`: the workload that is followed is nowhere (yet), or in other clusters.
 * - `Tainted`: a taint that isn't tolerated. `TolerationExpired`: a taint that was tolerated for some time.
 * - `NotReady`, `ApiNotServed`: it can't take it.
 * - `AmbiguousName`: several different clusters have that name.
 */
export type RejectionReason =
  | 'NotListed'
  | 'Excluded'
  | 'NotPicked'
  | 'LabelsDoNotMatch'
  | 'FieldDoesNotMatch'
  | 'FieldMissing'
  | 'PropertyDoesNotMatch'
  | 'PropertyMissing'
  | 'PropertyUnreadable'
  | 'InNoGroup'
  | 'FollowedNotPlaced'
  | 'FollowedElsewhere'
  | 'Tainted'
  | 'TolerationExpired'
  | 'NotReady'
  | 'ApiNotServed'
  | 'AmbiguousName';

/** A rejection by a filter of ours. */
export interface PolicyRejection extends Rejection {
  readonly filter: FilterName;
  readonly reason: RejectionReason;
}

/** The verdict of a filter that has nothing to say: one value for all clusters. */
export const ACCEPTED: FilterVerdict = Object.freeze({ outcome: 'accepted' });

/** The verdict for what only keeps new replicas away: where the workload runs it stays. */
export function repelled(cluster: ClusterEntry, context: SchedulingContext, rejection: PolicyRejection): FilterVerdict {
  return { outcome: context.current.has(cluster.name) ? 'kept' : 'rejected', rejection };
}

/** Most rejections that a rule remembers; further ones are made anew. */
const MOST_REMEMBERED = 256;

/**
 * Makes the rejection for what was found once, because many clusters say the same: the words cost more than the question.
 *
 * @param make a function of the found text alone.
 */
export function remembering(
  make: (found: string | undefined) => PolicyRejection,
): (found: string | undefined) => PolicyRejection {
  const known = new Map<string | undefined, PolicyRejection>();
  return (found) => {
    const before = known.get(found);
    if (before !== undefined) return before;
    const rejection = Object.freeze(make(found));
    if (known.size < MOST_REMEMBERED) known.set(found, rejection);
    return rejection;
  };
}
