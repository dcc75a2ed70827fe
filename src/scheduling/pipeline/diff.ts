import { compareText } from '../../kube/index.ts';
import type { ClusterDecision, ClusterOutcome, ScheduleDecision } from './decision.ts';

/** What differs for one cluster between two decisions. */
export interface ClusterChange {
  readonly cluster: string;
  /** Replicas and outcome; absent where one of the decisions doesn't know the cluster. */
  readonly before?: { readonly replicas: number; readonly outcome: ClusterOutcome };
  readonly after?: { readonly replicas: number; readonly outcome: ClusterOutcome };
}

/** What differs between two decisions. */
export interface DecisionDiff {
  /** By name; only clusters where something differs. */
  readonly changes: readonly ClusterChange[];
  /** Replicas that are in another cluster in the second decision than in the first. */
  readonly moved: number;
  /** Replicas that have no place, before and after. */
  readonly unplaced: { readonly before: number; readonly after: number };
  /** The group that is used, before and after. */
  readonly group: { readonly before: string | undefined; readonly after: string | undefined };
}

/** Compares two decisions, such as one with a cluster and one without. */
export function diffDecisions(before: ScheduleDecision, after: ScheduleDecision): DecisionDiff {
  const [old, young] = [byName(before), byName(after)];
  const names = [...new Set([...old.keys(), ...young.keys()])].sort(compareText);
  let [less, more] = [0, 0];
  const changes: ClusterChange[] = [];
  for (const cluster of names) {
    const [from, to] = [old.get(cluster), young.get(cluster)];
    const difference = (to?.replicas ?? 0) - (from?.replicas ?? 0);
    if (difference > 0) more += difference;
    else less -= difference;
    if (difference === 0 && from?.outcome === to?.outcome) continue;
    changes.push({
      cluster,
      ...(from === undefined ? {} : { before: { replicas: from.replicas, outcome: from.outcome } }),
      ...(to === undefined ? {} : { after: { replicas: to.replicas, outcome: to.outcome } }),
    });
  }
  return {
    changes,
    moved: Math.min(less, more),
    unplaced: { before: before.unplaced, after: after.unplaced },
    group: { before: before.group, after: after.group },
  };
}

function byName({ clusters }: ScheduleDecision): ReadonlyMap<string, ClusterDecision> {
  return new Map(clusters.map((each) => [each.cluster, each]));
}
