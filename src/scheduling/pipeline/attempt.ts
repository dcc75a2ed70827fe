import type { CompiledGroup } from '../filter/groups.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import type { SchedulingContext } from './contract.ts';
import type { FailureReason, SelectionExplanation } from './decision.ts';
import { type DividedCluster, divideStep, replicasOf } from './divide-step.ts';
import { divideOwn, type OwnSteps, withSelectors } from './own-steps.ts';
import { type Candidate, type SelectStep, selectStep } from './select-step.ts';

/** Candidates to be tried together. */
export interface Try {
  readonly group: string | undefined;
  readonly candidates: readonly Candidate[];
}

/** One try for each group, the preferred one first; a single one where groups don't exclude each other. */
export function triesOf(
  { groupMode = 'Fallback', failBack = 'Automatic' }: PlacementPolicySpec,
  groups: readonly CompiledGroup[],
  candidates: readonly Candidate[],
  previousGroup: string | undefined,
): readonly Try[] {
  if (groups.length === 0 || groupMode === 'Overflow') return [{ group: undefined, candidates }];
  const first = failBack === 'Never' ? groups.filter(({ name }) => name === previousGroup) : [];
  const ordered = [...first, ...groups.filter((group) => !first.includes(group))];
  return ordered.map((group) => ({
    group: group.name,
    // Only the order of groups counts here, not that of tiers.
    candidates: candidates.filter(({ entry }) => group.matches(entry)).map((each) => ({ ...each, tier: 0 })),
  }));
}

/** What came of trying some candidates. */
export interface Attempt extends Try {
  /** In the order of the candidates; empty where none came into question. */
  readonly isSelected: readonly boolean[];
  readonly selections: readonly (SelectionExplanation | undefined)[];
  /** What the selected ones get, in their order; absent for what has no replicas, and where it didn't come to that. */
  readonly shares: readonly DividedCluster[] | undefined;
  /** Whether clusters share the replicas, in place of having all of them each. */
  readonly isDivided: boolean;
  readonly placed: number;
  readonly unplaced: number;
  readonly notes: readonly string[];
  readonly failure?: { readonly reason: FailureReason; readonly message: string };
}

/** Tries one after the other, until one takes everything. */
export function attempts(
  tries: readonly Try[],
  context: SchedulingContext,
  isScored: boolean,
  own: OwnSteps,
): readonly Attempt[] {
  const made: Attempt[] = [];
  for (const each of tries) {
    const attempt = attemptOf(each, context, isScored, own);
    made.push(attempt);
    if (attempt.failure === undefined && attempt.unplaced === 0) break;
  }
  return made;
}

function attemptOf({ group, candidates }: Try, context: SchedulingContext, isScored: boolean, own: OwnSteps): Attempt {
  const { policy, workload } = context;
  const total = workload.replicas;
  const isDivided = own.divider !== undefined || (policy.division?.type ?? 'Duplicated') !== 'Duplicated';
  const unplacedAll = { shares: undefined, isDivided, placed: 0, unplaced: total ?? 0 };
  const nothing = { group, candidates, isSelected: [], selections: [], ...unplacedAll, notes: [] };
  if (candidates.length === 0) {
    return { ...nothing, failure: { reason: 'NoneFits', message: 'no cluster passes the filters' } };
  }
  const { message, ...selection } = selected(candidates, context, isScored, own);
  const used = candidates.filter((_, index) => selection.isSelected[index] === true);
  if (used.length === 0) {
    const failure = { reason: 'NotSelectable', message: message ?? 'no cluster can be selected' } as const;
    return { ...nothing, ...selection, failure };
  }
  if (total === undefined) return { ...nothing, ...selection, placed: used.length };
  const { divider } = own;
  const shares =
    divider === undefined ? divideStep(policy.division ?? {}, workload, total, used) : divideOwn(divider, total, used, context);
  let placed = 0;
  for (const share of shares) placed += replicasOf(share);
  const unplaced = isDivided ? Math.max(0, total - placed) : 0;
  const attempt = { group, candidates, ...selection, shares, isDivided, placed, unplaced };
  return placed === 0 && unplaced > 0
    ? { ...attempt, failure: { reason: 'NoRoom', message: `there is no room for ${unplaced} replicas` } }
    : attempt;
}

function selected(
  candidates: readonly Candidate[],
  context: SchedulingContext,
  isScored: boolean,
  { selectors }: OwnSteps,
): SelectStep {
  const selection = selectStep(context.policy, candidates, context.workload.replicas, isScored);
  return selectors.length === 0 ? selection : withSelectors(selection, candidates, selectors, context);
}

/** The one with the fewest replicas left over, of those that work at all; of equal ones the preferred one. */
export function bestOf(made: readonly Attempt[]): Attempt | undefined {
  let best: Attempt | undefined;
  for (const attempt of made) {
    if (attempt.failure === undefined && (best === undefined || attempt.unplaced < best.unplaced)) best = attempt;
  }
  return best;
}
