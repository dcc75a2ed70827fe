import { type KarmadaLeftOut, type KarmadaSelectable, type KarmadaSelected, selectKarmada } from '../karmada/select.ts';
import type { PlacementPolicySpec, SpreadConstraint } from '../policy/api.ts';
import { selectByIndex } from '../select/select.ts';
import { explainSelectionNote, type LeftOutCluster, type SelectedCluster, type SelectionCandidate } from '../select/selection.ts';
import type { ClusterScore, Rejection } from './contract.ts';
import type { SelectionExplanation } from './decision.ts';
import { karmadaStrategy } from './divide-step.ts';

/** A cluster that passed the filters, and what is known of it. */
export type Candidate = Omit<SelectionCandidate, 'room' | 'keptOnly' | 'tier'> & {
  readonly room: number | undefined;
  /** The same in two words: one for selecting, one for dividing. */
  readonly keptOnly: boolean;
  readonly mayGrow: boolean;
  readonly tier: number;
  readonly scoreParts: ClusterScore | undefined;
  readonly rejections: readonly Rejection[] | undefined;
};

/** Which clusters are used. */
export interface SelectStep {
  /** By candidate: whether it is selected, and why it is or isn't, where that is said. */
  readonly isSelected: readonly boolean[];
  readonly selections: readonly (SelectionExplanation | undefined)[];
  readonly notes: readonly string[];
  /** Why none can be selected. */
  readonly message?: string;
}

/**
 * Selects clusters as the policy says: by Karmada's rules where it divides by them and spreads over regions and clusters only, else by our own.
 *
 * @param candidates by name, each once.
 */
export function selectStep(
  policy: PlacementPolicySpec,
  candidates: readonly Candidate[],
  total: number | undefined,
  isScored: boolean,
): SelectStep {
  const { division = {}, spread = [], pick } = policy;
  const isAll = (pick?.type ?? 'All') === 'All';
  if (division.algorithm === 'karmada' && total !== undefined && isAll && isKarmadas(spread)) {
    return selectAsKarmada(policy, candidates, total, isScored);
  }
  // What a selection would say, without putting them in order first.
  if (isAll && spread.length === 0) {
    return { isSelected: candidates.map(() => true), selections: candidates.map(unrestricted), notes: [] };
  }
  const need = total === undefined || (division.type ?? 'Duplicated') === 'Duplicated' ? undefined : total;
  const { result, selected } = selectByIndex({
    candidates: candidates as readonly SelectionCandidate[],
    spread,
    ...(pick === undefined ? {} : { pick }),
    ...(need === undefined ? {} : { need }),
  });
  const chosen = result.outcome === 'failed' ? [] : result.clusters;
  const explain = (choice: SelectedCluster | LeftOutCluster): SelectionExplanation => ({ algorithm: 'clusterset', choice });
  const selections = leftOutOf(candidates, result.leftOut, explain);
  const isSelected = candidates.map(() => false);
  for (const [at, index] of selected.entries()) {
    const choice = chosen[at];
    if (choice === undefined) continue;
    isSelected[index] = true;
    selections[index] = explain(choice);
  }
  if (result.outcome === 'failed') return { isSelected, selections, notes: [], message: result.message };
  return { isSelected, selections, notes: result.notes.map(explainSelectionNote) };
}

function unrestricted({ name }: Candidate): SelectionExplanation {
  return { algorithm: 'clusterset', choice: { cluster: name, reason: 'Unrestricted' } };
}

/** What is said of those that aren't selected, in the order of the candidates. */
function leftOutOf<T extends { readonly cluster: string }>(
  candidates: readonly Candidate[],
  leftOut: readonly T[],
  explain: (choice: T) => SelectionExplanation,
): (SelectionExplanation | undefined)[] {
  if (leftOut.length === 0) return candidates.map(() => undefined);
  const selections = new Map(leftOut.map((choice) => [choice.cluster, explain(choice)]));
  return candidates.map(({ name }) => selections.get(name));
}

/** Karmada knows hard constraints on regions and on clusters, at most one of each. */
function isKarmadas(spread: readonly SpreadConstraint[]): boolean {
  const keys = spread.map(({ topologyKey }) => topologyKey);
  return (
    new Set(keys).size === keys.length &&
    keys.every((key) => key === 'cluster' || key === 'region') &&
    spread.every(({ maxSkew, whenUnsatisfiable }) => maxSkew === undefined && whenUnsatisfiable !== 'ScheduleAnyway')
  );
}

function selectAsKarmada(
  { division = {}, spread = [] }: PlacementPolicySpec,
  candidates: readonly Candidate[],
  total: number,
  isScored: boolean,
): SelectStep {
  const limitsOf = (key: string) => {
    const constraint = spread.find(({ topologyKey }) => topologyKey === key);
    if (constraint === undefined) return {};
    const { minGroups = 1, maxGroups = Number.MAX_SAFE_INTEGER } = constraint;
    return { [key]: { minGroups, maxGroups } };
  };
  const result = selectKarmada({
    candidates: candidates.map((each): KarmadaSelectable => {
      const { name, entry, score, runs, keptOnly, room = total, current, tier } = each;
      return {
        name,
        // Karmada's only score says whether the workload is there already.
        score: isScored ? score : Number(runs) * 100,
        assigned: current,
        allocatable: keptOnly ? 0 : room,
        overflowOrder: tier,
        ...(entry.region === undefined ? {} : { region: entry.region }),
      };
    }),
    replicas: total,
    strategy: karmadaStrategy(division, candidates),
    constraints: { ...limitsOf('cluster'), ...limitsOf('region') },
  });
  if (result.outcome === 'failed') {
    const none = { isSelected: candidates.map(() => false), selections: candidates.map(() => undefined) };
    return { ...none, notes: [], message: result.message };
  }
  const explain = (choice: KarmadaSelected | KarmadaLeftOut): SelectionExplanation => ({ algorithm: 'karmada', choice });
  const chosen = new Map(result.clusters.map((choice) => [choice.cluster, choice]));
  const selections = leftOutOf(candidates, result.leftOut, explain).map((leftOut, index) => {
    const choice = chosen.get(candidates[index]?.name ?? '');
    return choice === undefined ? leftOut : explain(choice);
  });
  return { isSelected: candidates.map(({ name }) => chosen.has(name)), selections, notes: [] };
}
