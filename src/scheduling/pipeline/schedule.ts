import type { ClusterEntry } from '../../registry/index.ts';
import type { OrdinalRange } from '../assign/ordinals.ts';
import { filtersOf } from '../filter/filters.ts';
import { type CompiledGroup, compileGroups, tierOf } from '../filter/groups.ts';
import { type FilteredCluster, runFilters } from '../filter/run.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import { runScores } from '../score/run.ts';
import { scorersOf } from '../score/scorers.ts';
import { attempts, bestOf, triesOf } from './attempt.ts';
import type { ClusterFilter, ClusterScore, ClusterScorer, SchedulingContext, SchedulingWorkload } from './contract.ts';
import type { ScheduleDecision } from './decision.ts';
import { decisionOf } from './report.ts';
import type { Candidate } from './select-step.ts';

/** What {@link schedule} decides from. */
export interface ScheduleInput {
  readonly policy: PlacementPolicySpec;
  readonly workload: SchedulingWorkload;
  readonly clusters: readonly ClusterEntry[];
  /** What each cluster has of the workload now. Default: nothing anywhere. */
  readonly current?: ReadonlyMap<string, number>;
  /** How many more replicas fit, beside those that are there. Default: not known. */
  readonly room?: ReadonlyMap<string, number>;
  /** Scores from outside, by name and then by cluster. */
  readonly scores?: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** The clusters of other workloads, by `formatWorkload`: for policies that follow one. */
  readonly placements?: ReadonlyMap<string, readonly string[]>;
  /** Which ordinals clusters have now: for StatefulSets, whose replicas then stay with their clusters as far as possible. */
  readonly ordinals?: ReadonlyMap<string, OrdinalRange>;
  /** The group that the last decision used: where a policy never falls back to an earlier group. */
  readonly previousGroup?: string;
  /** RFC 3339: for taints that are tolerated for some time. */
  readonly now?: string;
}

/** Steps of a user's own, which come after those of the policy. */
export interface SchedulerOptions {
  readonly filters?: readonly ClusterFilter[];
  readonly scorers?: readonly ClusterScorer[];
  /** Asks every filter about every cluster, so that all reasons are known, not the first alone. Default false. */
  readonly explain?: boolean;
}

/**
 * Decides where a workload goes and how its replicas are divided: filters, scores, selects, divides, assigns. It is a pure function: the same input gives
 * the same decision, in whatever order the clusters stand. To decide for many workloads by one policy, make a {@link compilePolicy} of it once.
 *
 * With groups the first one is used that can take all replicas; where none can, the one that takes most. A cluster that runs the workload
 * and may not get more (it isn't ready, or has a taint that isn't tolerated) keeps what it has.
 *
 * A policy isn't checked as `checkPolicy` does; what makes no sense in it counts as if it weren't there, as far as that is possible.
 *
 * @throws ClustersetError `Invalid`, naming the field, for selectors and numbers that can't be used; naming the step for a user's step that fails.
 */
export function schedule(input: ScheduleInput, options?: SchedulerOptions): ScheduleDecision {
  return compilePolicy(input.policy, options)(input);
}

/** Decides by one policy for one workload after the other. */
export type Scheduler = (input: Omit<ScheduleInput, 'policy'>) => ScheduleDecision;

/** Reads a policy once, for any number of decisions. What it throws, and what decisions are, is said at {@link schedule}. */
export function compilePolicy(policy: PlacementPolicySpec, options: SchedulerOptions = {}): Scheduler {
  const filters = [...filtersOf(policy), ...(options.filters ?? [])];
  const scorers = [...scorersOf(policy), ...(options.scorers ?? [])];
  const groups = compileGroups(policy);
  return ({ workload, clusters, current = NONE, room = NONE, scores = {}, placements = new Map(), ...others }) => {
    const { ordinals, previousGroup, now } = others;
    const total = policy.replicas ?? workload.replicas;
    const context: SchedulingContext = {
      policy,
      workload: total === undefined ? workload : { ...workload, replicas: total },
      current,
      room,
      scores,
      placements,
      ...(now === undefined ? {} : { now }),
    };
    const run = runFilters(filters, clusters, context, { explain: options.explain ?? false });
    const passed = run.clusters.filter((each) => isInQuestion(each, context));
    const scored = runScores(
      scorers,
      passed.map(({ cluster }) => cluster),
      context,
    );
    const candidates = passed.map((each, index) => candidateOf(each, scored[index], context, groups));
    const tries = triesOf(policy, groups, candidates, previousGroup);
    const made = attempts(tries, context, scorers.length > 0);
    const best = bestOf(made);
    return decisionOf({ context, filtered: run.clusters, candidates, made, best, until: run.until, ordinals });
  };
}

const NONE: ReadonlyMap<string, number> = new Map();

/** A cluster that may only keep what it has is none to be selected where it has no replicas. */
function isInQuestion({ cluster, outcome }: FilteredCluster, { workload, current }: SchedulingContext): boolean {
  if (outcome === 'kept') return workload.replicas === undefined || (current.get(cluster.name) ?? 0) > 0;
  return outcome === 'accepted';
}

function candidateOf(
  filtered: FilteredCluster,
  score: ClusterScore | undefined,
  { current, room }: SchedulingContext,
  groups: readonly CompiledGroup[],
): Candidate {
  const { cluster: entry, outcome } = filtered;
  const has = current.get(entry.name);
  return {
    name: entry.name,
    entry,
    score: score?.total ?? 0,
    scoreParts: score,
    runs: has !== undefined,
    keptOnly: outcome === 'kept',
    room: room.get(entry.name),
    current: has ?? 0,
    tier: groups.length === 0 ? 0 : (tierOf(groups, entry) ?? 0),
    rejections: outcome === 'accepted' ? undefined : filtered.rejections,
  };
}
