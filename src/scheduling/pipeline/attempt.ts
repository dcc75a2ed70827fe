import type { CompiledGroup } from '../filter/groups.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import type { SchedulingContext } from './contract.ts';
import type { FailureReason, SelectionExplanation } from './decision.ts';
import { type DividedClusters, divideStep } from './divide-step.ts';
import { type Candidate, selectStep } from './select-step.ts';

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
export interface Attempt {
  readonly group: string | undefined;
  readonly selected: ReadonlyMap<string, SelectionExplanation>;
  readonly leftOut: ReadonlyMap<string, SelectionExplanation>;
  readonly shares: DividedClusters | undefined;
  readonly placed: number;
  readonly unplaced: number;
  readonly notes: readonly string[];
  readonly failure?: { readonly reason: FailureReason; readonly message: string };
}

/** Tries one after the other, until one takes everything. */
export function attempts(tries: readonly Try[], context: SchedulingContext, isScored: boolean): readonly Attempt[] {
  const made: Attempt[] = [];
  for (const each of tries) {
    const attempt = attemptOf(each, context, isScored);
    made.push(attempt);
    if (attempt.failure === undefined && attempt.unplaced === 0) break;
  }
  return made;
}

function attemptOf({ group, candidates }: Try, context: SchedulingContext, isScored: boolean): Attempt {
  const { policy, workload } = context;
  const total = workload.replicas;
  const nothing = { group, selected: EMPTY, leftOut: EMPTY, shares: undefined, placed: 0, unplaced: total ?? 0, notes: [] };
  if (candidates.length === 0) {
    return { ...nothing, failure: { reason: 'NoneFits', message: 'no cluster passes the filters' } };
  }
  const selection = selectStep(policy, candidates, total, isScored);
  if (selection.outcome === 'failed') {
    return { ...nothing, leftOut: selection.leftOut, failure: { reason: 'NotSelectable', message: selection.message } };
  }
  const { selected, leftOut, notes } = selection;
  if (selected.size === 0) {
    return { ...nothing, leftOut, notes, failure: { reason: 'NotSelectable', message: 'no cluster can be selected' } };
  }
  if (total === undefined) return { group, selected, leftOut, shares: undefined, placed: selected.size, unplaced: 0, notes };
  const shares = divideStep(
    policy.division ?? {},
    workload,
    total,
    candidates
      .filter(({ name }) => selected.has(name))
      .map(({ name, room, current, keptOnly, tier }) => ({ name, room, current, mayGrow: !keptOnly, tier })),
  );
  const isDuplicated = (policy.division?.type ?? 'Duplicated') === 'Duplicated';
  const placed = [...shares.values()].reduce((sum, { replicas }) => sum + replicas, 0);
  const unplaced = isDuplicated ? 0 : Math.max(0, total - placed);
  const attempt = { group, selected, leftOut, shares, placed, unplaced, notes };
  return placed === 0 && unplaced > 0
    ? { ...attempt, failure: { reason: 'NoRoom', message: `there is no room for ${unplaced} replicas` } }
    : attempt;
}

const EMPTY: ReadonlyMap<string, SelectionExplanation> = new Map();

/** The one with the fewest replicas left over, of those that work at all; of equal ones the preferred one. */
export function bestOf(made: readonly Attempt[]): Attempt | undefined {
  let best: Attempt | undefined;
  for (const attempt of made) {
    if (attempt.failure === undefined && (best === undefined || attempt.unplaced < best.unplaced)) best = attempt;
  }
  return best;
}
