import { compareText } from '../../kube/index.ts';
import { assignOrdinals, type OrdinalRange } from '../assign/ordinals.ts';
import type { FilteredCluster } from '../filter/run.ts';
import { divideCompletions } from '../karmada/divide.ts';
import type { Attempt } from './attempt.ts';
import { formatWorkload, type Rejection, type SchedulingContext } from './contract.ts';
import type { ClusterDecision, ClusterOutcome, FailureReason, GroupAttempt, ScheduleDecision } from './decision.ts';
import { replicasOf } from './divide-step.ts';
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
  const completions = completionsOf(context, shown);
  const ordinals = ordinalsOf(outcome, shown);
  const placeNext = placer(shown);
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
    return placeNext(candidate, completions.get(name), ordinals.get(name));
  });
  if (context.current.size === 0) return found;
  const known = new Set(filtered.map(({ cluster }) => cluster.name));
  const gone = [...context.current].filter(([name]) => !known.has(name));
  if (gone.length === 0) return found;
  const lost = gone.map(([cluster, current]): ClusterDecision => ({ cluster, outcome: 'Gone', replicas: 0, current }));
  return [...found, ...lost].sort((a, b) => compareText(a.cluster, b.cluster));
}

function rejectionsOf(filtered: FilteredCluster): readonly Rejection[] {
  return filtered.outcome === 'accepted' ? [] : filtered.rejections;
}

/** What becomes of candidates, to be asked about one after the other: those that are shown are some of them, in the same order. */
function placer(
  shown: Attempt | undefined,
): (candidate: Candidate, completions: number | undefined, ordinals: OrdinalRange | undefined) => ClusterDecision {
  // A copy may have no replicas and is there all the same, as is what has none.
  const areThere = shown?.failure === undefined && (shown?.shares === undefined || !shown.isDivided);
  let at = 0;
  let nextShare = 0;
  return ({ name: cluster, runs, current, scoreParts, rejections }, completions, ordinals) => {
    // A candidate that isn't shown was in a group that isn't used.
    const index = shown?.candidates[at]?.name === cluster ? at : -1;
    if (index >= 0) at += 1;
    const isSelected = shown?.isSelected[index] === true;
    const division = isSelected ? shown.shares?.[nextShare] : undefined;
    if (isSelected) nextShare += 1;
    const replicas = replicasOf(division);
    // Written out: spreads would cost more than the division.
    return {
      cluster,
      outcome: outcomeOf(isSelected, areThere || replicas > 0),
      replicas,
      current: runs ? current : undefined,
      rejections,
      score: scoreParts === undefined || scoreParts.parts.length === 0 ? undefined : scoreParts,
      selection: shown?.selections[index],
      division,
      completions,
      ordinals,
    };
  };
}

function outcomeOf(isSelected: boolean, isPlaced: boolean): ClusterOutcome {
  if (!isSelected) return 'NotSelected';
  return isPlaced ? 'Placed' : 'NoReplicas';
}

/** The completions of a Job whose replicas are divided, by its replicas. Copies each have all of them. */
function completionsOf(
  { workload: { completions, uid } }: SchedulingContext,
  shown: Attempt | undefined,
): ReadonlyMap<string, number> {
  if (completions === undefined || shown?.isDivided !== true) return new Map();
  return new Map(divideCompletions(sharesOf(shown), completions, uid).map((each) => [each.cluster, each.completions]));
}

/** The ordinals of a StatefulSet whose replicas are divided. Copies each have all of them. */
function ordinalsOf({ context, ordinals }: Outcome, shown: Attempt | undefined): ReadonlyMap<string, OrdinalRange> {
  const { workload } = context;
  if (workload.kind !== 'StatefulSet' || shown?.isDivided !== true) return new Map();
  const { ranges } = assignOrdinals({
    shares: sharesOf(shown).filter(({ replicas }) => replicas > 0),
    ...(ordinals === undefined ? {} : { previous: ordinals }),
    ...(workload.firstOrdinal === undefined ? {} : { start: workload.firstOrdinal }),
  });
  return new Map(ranges.map(({ cluster, start, replicas }) => [cluster, { start, replicas }]));
}

function sharesOf(shown: Attempt | undefined): readonly { readonly cluster: string; readonly replicas: number }[] {
  const shares = shown?.shares ?? [];
  return shares.flatMap((each) => (each === undefined ? [] : [{ cluster: each.share.cluster, replicas: replicasOf(each) }]));
}
