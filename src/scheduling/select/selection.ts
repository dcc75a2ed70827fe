import type { ClusterEntry } from '../../registry/index.ts';
import type { PickPolicy, SpreadConstraint } from '../policy/api.ts';

/** A cluster that passed the filters. */
export interface SelectionCandidate {
  /** A name that is given twice counts once: the preferred one of them. */
  readonly name: string;
  /** Where it is: provider, region, zones and labels. */
  readonly entry: ClusterEntry;
  /** Higher is better. What is no number is worse than every number. */
  readonly score: number;
  /** Whether the workload is there already. */
  readonly runs: boolean;
  /** It keeps what it has and takes no more: its room counts as 0. Default false. */
  readonly keptOnly?: boolean;
  /** How many more replicas fit. Default: not known, which counts as unlimited. */
  readonly room?: number;
  /** Replicas that are there. */
  readonly current: number;
  /** Clusters of a lower tier are preferred. Default 0. */
  readonly tier?: number;
}

/** What {@link selectClusters} decides from. */
export interface ClusterSelectionInput {
  readonly candidates: readonly SelectionCandidate[];
  /** Default: all clusters. */
  readonly pick?: PickPolicy;
  /** Default: none. */
  readonly spread?: readonly SpreadConstraint[];
  /** Replicas that must find room together in the selected clusters. Absent where room plays no part. */
  readonly need?: number;
}

/** A spread constraint as reasons name it: `spec.spread[index]`, and the group that it is about. */
export interface ConstraintReference {
  /** Index in `spec.spread`. */
  readonly constraint: number;
  readonly topologyKey: string;
}

/** A cluster that is selected, and why it is. */
export type SelectedCluster = { readonly cluster: string } & (
  | { /** Nothing restricts the selection: every candidate is in it. */ readonly reason: 'Unrestricted' }
  | { /** The policy names it. */ readonly reason: 'Named' }
  | { /** One of the best that the constraints allow. */ readonly reason: 'Best' }
  | ({
      /** Without its group there would be too few, though others are preferred to it. */
      readonly reason: 'ForMinGroups';
      readonly group: string;
    } & ConstraintReference)
  | {
      /** There was too little room with `insteadOf`, whose place it has. */ readonly reason: 'SwappedIn';
      readonly insteadOf: string;
    }
);

/** A cluster that isn't selected, and why it isn't. */
export type LeftOutCluster = { readonly cluster: string } & (
  | { /** There are as many clusters as the policy picks. */ readonly reason: 'OverNumber' }
  | ({
      /** There are as many groups as there may be. With topology `cluster`: as many clusters. */
      readonly reason: 'OverMaxGroups';
      readonly group: string;
    } & ConstraintReference)
  | ({
      /** Its group would be too far ahead of the others. */ readonly reason: 'OverMaxSkew';
      readonly group: string;
    } & ConstraintReference)
  | ({ /** It is in no group of a constraint that must hold. */ readonly reason: 'NoTopologyValue' } & ConstraintReference)
  | { /** It had too little room; `inFavourOf` has its place. */ readonly reason: 'SwappedOut'; readonly inFavourOf: string }
  | { /** The policy doesn't name it. */ readonly reason: 'NotNamed' }
  | { /** The policy names it, and it isn't among the candidates. */ readonly reason: 'NotACandidate' }
  | { /** No selection with it was found that has all the others, too. */ readonly reason: 'NotCombinable' }
);

/** Something about a selection that isn't as the policy would like it. */
export type SelectionNote =
  | ({
      /** A soft constraint that isn't met: there are `found` groups, or that skew, instead of `wanted`. */
      readonly reason: 'SoftUnmet';
      readonly limit: SpreadLimit;
      readonly found: number;
      readonly wanted: number;
    } & ConstraintReference)
  | {
      /** Fewer clusters are selected than the policy picks. */
      readonly reason: 'FewerThanNumber';
      readonly found: number;
      readonly wanted: number;
    }
  | { /** The search was cut short: a larger or better selection may exist. */ readonly reason: 'SearchLimit' };

/** A limit of a spread constraint. */
export type SpreadLimit = 'minGroups' | 'maxGroups' | 'maxSkew';

/** Why no clusters can be selected. */
export type ClusterSelectionFailure =
  /** There are fewer groups than there must be. */
  | 'TooFewGroups'
  /** There would have to be more groups than there may be. */
  | 'TooManyGroups'
  /** Groups would have to differ by more than they may. */
  | 'TooMuchSkew'
  /** The constraint can't hold together with those before it. */
  | 'Contradiction'
  /** The search was cut short: a selection may exist. */
  | 'SearchLimit';

/** What {@link selectClusters} decides. */
export type ClusterSelectionResult =
  | {
      readonly outcome: 'selected';
      /** The preferred one first. */
      readonly clusters: readonly SelectedCluster[];
      /** The preferred one first; then those that are named and no candidates, by name. */
      readonly leftOut: readonly LeftOutCluster[];
      readonly notes: readonly SelectionNote[];
      /** Replicas of `need` that find no room in the selected clusters. */
      readonly missing: number;
    }
  | {
      readonly outcome: 'failed';
      readonly reason: ClusterSelectionFailure;
      /** A sentence that names the constraint, what there is and what is wanted. */
      readonly message: string;
      /** Of the policy: `spec.spread[0].minGroups`. */
      readonly field: string;
      /** Index in `spec.spread` of the constraint that can't hold beside those before it. */
      readonly constraint: number;
      /** What is possible. Absent for a contradiction and where the search was cut short. */
      readonly found?: number;
      /** What the constraint says. */
      readonly wanted?: number;
      /** Clusters that didn't come into question. */
      readonly leftOut: readonly LeftOutCluster[];
    };

/** The reason of a cluster, selected or left out, in words. */
export function explainSelection(reason: SelectedCluster | LeftOutCluster): string {
  switch (reason.reason) {
    case 'Unrestricted':
      return 'nothing restricts the clusters';
    case 'Named':
      return 'the policy names it';
    case 'Best':
      return 'one of the best that may be taken';
    case 'ForMinGroups':
      return `its ${reason.topologyKey} ${reason.group} is needed for ${fieldOf(reason, 'minGroups')}`;
    case 'SwappedIn':
      return `has more room than ${reason.insteadOf}, whose place it takes`;
    case 'OverNumber':
      return 'there are as many clusters as the policy picks';
    case 'OverMaxGroups':
      return reason.topologyKey === 'cluster'
        ? `there are as many clusters as ${fieldOf(reason, 'maxGroups')} allows`
        : `its ${reason.topologyKey} ${reason.group} would be one more than ${fieldOf(reason, 'maxGroups')} allows`;
    case 'OverMaxSkew':
      return `its ${reason.topologyKey} ${reason.group} has as many clusters as ${fieldOf(reason, 'maxSkew')} allows`;
    case 'NoTopologyValue':
      return `has no ${reason.topologyKey}, which spec.spread[${reason.constraint}] asks for`;
    case 'SwappedOut':
      return `has too little room; ${reason.inFavourOf} takes its place`;
    case 'NotNamed':
      return 'the policy does not name it';
    case 'NotACandidate':
      return 'the policy names it, but it did not pass the filters, or does not exist';
    case 'NotCombinable':
      return 'no selection was found that has it beside the others';
    default:
      return reason satisfies never;
  }
}

/** A note on a selection in words. */
export function explainSelectionNote(note: SelectionNote): string {
  switch (note.reason) {
    case 'SoftUnmet':
      return `${fieldOf(note, note.limit)} of ${note.topologyKey} is not met: ${note.found} instead of ${note.wanted}`;
    case 'FewerThanNumber':
      return `${note.found} of ${note.wanted} clusters could be selected`;
    case 'SearchLimit':
      return 'the search was cut short: a larger or better selection may exist';
    default:
      return note satisfies never;
  }
}

/** `spec.spread[0].minGroups`. */
export function fieldOf({ constraint }: { readonly constraint: number }, limit: SpreadLimit): string {
  return `spec.spread[${constraint}].${limit}`;
}
