import { compareText } from '../../kube/index.ts';
import { assignOrdinals, type OrdinalRange } from '../assign/ordinals.ts';
import type { FilteredCluster } from '../filter/run.ts';
import { divideCompletions } from '../karmada/divide.ts';
import type { Attempt } from './attempt.ts';
import { formatWorkload, type Rejection, type SchedulingContext, type SchedulingWorkload } from './contract.ts';
import type { ClusterDecision, ClusterOutcome, FailureReason, GroupAttempt, ScheduleDecision } from './decision.ts';
import type { Candidate } from './select-step.ts';

/** All that was found out. */
export interface Outcome {
  readonly context: SchedulingContext;
  readonly filtered: readonly FilteredCluster[];
  readonly candidates: readonly Candidate[];
  readonly made: readonly Attempt[];
  readonly best: Attempt | undefined;
  readonly until: string | undefined;
  readonly ordinals: ReadonlyMap<string, OrdinalRange> | undefined;
}

/** Puts the decision together, with what there is to say of each cluster. */
export function decisionOf(outcome: Outcome): ScheduleDecision {
  const { context, filtered, made, best, until } = outcome;
  const { workload } = context;
  const last = made.at(-1);
  const shown = best ?? (made.length === 1 ? last : undefined);
  const failure = best === undefined ? failureOf(filtered, made) : undefined;
  return {
    workload: formatWorkload(workload),
    outcome: verdictOf(best),
    ...failure,
    ...(best?.group === undefined ? {} : { group: best.group }),
    ...(workload.replicas === undefined ? {} : { replicas: workload.replicas }),
    unplaced: best?.unplaced ?? workload.replicas ?? 0,
    clusters: clusterDecisions(outcome, shown),
    attempts: made.flatMap((attempt) => (attempt === best || attempt.group === undefined ? [] : [groupAttempt(attempt)])),
    notes: shown?.notes ?? [],
    ...(until === undefined ? {} : { until }),
  };
}

function verdictOf(best: Attempt | undefined): ScheduleDecision['outcome'] {
  if (best === undefined) return 'Unschedulable';
  return best.unplaced > 0 ? 'Incomplete' : 'Scheduled';
}

function failureOf(
  filtered: readonly FilteredCluster[],
  made: readonly Attempt[],
): { readonly reason: FailureReason; readonly message: string } {
  if (filtered.length === 0) return { reason: 'NoClusters', message: 'there are no clusters' };
  const [first] = made;
  if (made.length === 1 && first?.failure !== undefined) return first.failure;
  const last = made.at(-1)?.failure ?? { reason: 'NoneFits' as const, message: 'no cluster passes the filters' };
  return { reason: last.reason, message: `none of ${made.length} groups can be used` };
}

function groupAttempt({ group = '', failure, unplaced }: Attempt): GroupAttempt {
  if (failure !== undefined) return { group, ...failure, unplaced };
  return { group, reason: 'Incomplete', message: `there is no room for ${unplaced} of the replicas`, unplaced };
}

function clusterDecisions(outcome: Outcome, shown: Attempt | undefined): readonly ClusterDecision[] {
  const { context, filtered, candidates } = outcome;
  const completions = completionsOf(context.workload, shown);
  const ordinals = ordinalsOf(outcome, shown);
  // Candidates are those of the filtered that passed, in the same order.
  let next = 0;
  const found = filtered.map((each): ClusterDecision => {
    const { name } = each.cluster;
    const candidate = candidates[next];
    if (candidate?.name !== name) {
      const current = context.current.get(name);
      return { cluster: name, outcome: 'Rejected', replicas: 0, current, rejections: rejectionsOf(each) };
    }
    next += 1;
    return placeOf(candidate, shown, completions.get(name), ordinals.get(name));
  });
  const known = new Set(filtered.map(({ cluster }) => cluster.name));
  const gone = [...context.current].filter(([name]) => !known.has(name));
  if (gone.length === 0) return found;
  const lost = gone.map(([cluster, current]): ClusterDecision => ({ cluster, outcome: 'Gone', replicas: 0, current }));
  return [...found, ...lost].sort((a, b) => compareText(a.cluster, b.cluster));
}

function rejectionsOf(filtered: FilteredCluster): readonly Rejection[] {
  return filtered.outcome === 'accepted' ? [] : filtered.rejections;
}

function placeOf(
  { name: cluster, runs, current, scoreParts, rejections }: Candidate,
  shown: Attempt | undefined,
  completions: number | undefined,
  ordinals: OrdinalRange | undefined,
): ClusterDecision {
  const chosen = shown?.selected.get(cluster);
  const share = shown?.shares?.get(cluster);
  const replicas = share?.replicas ?? 0;
  const isThere = chosen !== undefined && shown?.failure === undefined && shown?.shares === undefined;
  // Written out: spreads would cost more than the division.
  return {
    cluster,
    outcome: outcomeOf(chosen !== undefined, isThere || replicas > 0),
    replicas,
    current: runs ? current : undefined,
    rejections,
    score: scoreParts === undefined || scoreParts.parts.length === 0 ? undefined : scoreParts,
    // A candidate that no attempt is shown for was in groups that can't be used.
    selection: chosen ?? shown?.leftOut.get(cluster),
    division: share?.division,
    completions,
    ordinals,
  };
}

function outcomeOf(isSelected: boolean, isPlaced: boolean): ClusterOutcome {
  if (!isSelected) return 'NotSelected';
  return isPlaced ? 'Placed' : 'NoReplicas';
}

/** The completions of a Job, divided by its replicas. */
function completionsOf({ completions, uid }: SchedulingWorkload, shown: Attempt | undefined): ReadonlyMap<string, number> {
  if (completions === undefined || shown?.shares === undefined) return new Map();
  const shares = [...shown.shares].map(([cluster, { replicas }]) => ({ cluster, replicas }));
  return new Map(divideCompletions(shares, completions, uid).map((each) => [each.cluster, each.completions]));
}

/** The ordinals of a StatefulSet whose replicas are divided. Copies each have all of them. */
function ordinalsOf({ context, ordinals }: Outcome, shown: Attempt | undefined): ReadonlyMap<string, OrdinalRange> {
  const { workload, policy } = context;
  const isDivided = (policy.division?.type ?? 'Duplicated') !== 'Duplicated';
  if (workload.kind !== 'StatefulSet' || !isDivided || shown?.shares === undefined) return new Map();
  const shares = [...shown.shares].map(([cluster, { replicas }]) => ({ cluster, replicas }));
  const { ranges } = assignOrdinals({
    shares: shares.filter(({ replicas }) => replicas > 0),
    ...(ordinals === undefined ? {} : { previous: ordinals }),
    ...(workload.firstOrdinal === undefined ? {} : { start: workload.firstOrdinal }),
  });
  return new Map(ranges.map(({ cluster, start, replicas }) => [cluster, { start, replicas }]));
}
