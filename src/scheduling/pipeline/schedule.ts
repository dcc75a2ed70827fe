import type { ClusterEntry } from '../../registry/index.ts';
import type { OrdinalRange } from '../assign/ordinals.ts';
import { filtersOf } from '../filter/filters.ts';
import { type CompiledGroup, compileGroups, tierOf } from '../filter/groups.ts';
import { type FilteredCluster, runFilters } from '../filter/run.ts';
import type { FilterName } from '../filter/verdict.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import { runScores } from '../score/run.ts';
import { scorersOf } from '../score/scorers.ts';
import { attempts, bestOf, triesOf } from './attempt.ts';
import type {
  ClusterAssigner,
  ClusterFilter,
  ClusterScore,
  ClusterScorer,
  ClusterSelector,
  ReplicaDivider,
  SchedulingContext,
  SchedulingWorkload,
} from './contract.ts';
import type { ScheduleDecision } from './decision.ts';
import { type OwnSteps, withAssigners } from './own-steps.ts';
import { decisionOf } from './report.ts';
import type { Candidate } from './select-step.ts';

/** What {@link schedule} decides from. */
export interface ScheduleInput {
  readonly policy: PlacementPolicySpec;
  readonly workload: SchedulingWorkload;
  readonly clusters: readonly ClusterEntry[];
  /** What each cluster has of the workload now. Default: nothing anywhere. */
  readonly current?: ReadonlyMap<string, number>;
  /**
   * How many more replicas fit, beside those that are there. Default: not known. kubefed's algorithm takes it for the capacity beyond which it leaves
   * replicas pending on purpose, so there may then be more of them than were asked for.
   */
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
  readonly selectors?: readonly ClusterSelector[];
  /** In place of the policy's division, which then isn't asked. */
  readonly divider?: ReplicaDivider;
  readonly assigners?: readonly ClusterAssigner[];
  /** Asks every filter about every cluster, so that all reasons are known, not the first alone. Default false. */
  readonly explain?: boolean;
}

/**
 * Decides where a workload goes and how its replicas are divided: filters, scores, selects, divides, assigns. It is a pure function: the same input gives
 * the same decision, in whatever order the clusters stand. To decide for many workloads by one policy, make a {@link compilePolicy} of it once.
 *
 * With groups the first one is used that can take all replicas; where none can, the one that takes most. A cluster that runs the workload
 * and may not get more (it isn't ready, or has a taint that isn't tolerated) keeps what it has; where Karmada divides, it counts as any other,
 * since Karmada asks only clusters that don't have the workload about these.
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
  const own: OwnSteps = { selectors: options.selectors ?? [], divider: options.divider, assigners: options.assigners ?? [] };
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
    const scored = runScores(scorers, passed.map(entryOf), context);
    const candidates = passed.map((each, index) => candidateOf(each, scored[index], context, groups));
    const tries = triesOf(policy, groups, candidates, previousGroup);
    const made = attempts(tries, context, scorers.length > 0, own);
    const best = bestOf(made);
    const decision = decisionOf({ context, filtered: run.clusters, candidates, made, best, until: run.until, ordinals });
    return own.assigners.length === 0
      ? decision
      : { ...decision, clusters: withAssigners(decision.clusters, own.assigners, context) };
  };
}

const NONE: ReadonlyMap<string, number> = new Map();

function entryOf({ cluster }: FilteredCluster): ClusterEntry {
  return cluster;
}

/** Filters that Karmada doesn't ask about clusters that have the workload: there it may even grow. */
const NOT_KARMADAS: ReadonlySet<string> = new Set<FilterName>(['Taints', 'Ready', 'Apis']);

/** Whether a cluster may only keep what it has. */
function isKeptOnly(filtered: FilteredCluster, { division }: PlacementPolicySpec): boolean {
  if (filtered.outcome !== 'kept') return false;
  return division?.algorithm !== 'karmada' || filtered.rejections.some(({ filter }) => !NOT_KARMADAS.has(filter));
}

/** A cluster that may only keep what it has is none to be selected where it has no replicas, and others are to have some. */
function isInQuestion(filtered: FilteredCluster, { policy, workload, current }: SchedulingContext): boolean {
  if (filtered.outcome === 'accepted') return true;
  if (filtered.outcome === 'rejected') return false;
  return !workload.replicas || (current.get(filtered.cluster.name) ?? 0) > 0 || !isKeptOnly(filtered, policy);
}

function candidateOf(
  filtered: FilteredCluster,
  score: ClusterScore | undefined,
  { policy, current, room }: SchedulingContext,
  groups: readonly CompiledGroup[],
): Candidate {
  const { cluster: entry } = filtered;
  const has = current.get(entry.name);
  const keptOnly = isKeptOnly(filtered, policy);
  return {
    name: entry.name,
    entry,
    score: score?.total ?? 0,
    scoreParts: score,
    runs: has !== undefined,
    keptOnly,
    mayGrow: !keptOnly,
    room: room.get(entry.name),
    current: has ?? 0,
    tier: groups.length === 0 ? 0 : (tierOf(groups, entry) ?? 0),
    rejections: keptOnly && filtered.outcome === 'kept' ? filtered.rejections : undefined,
  };
}
