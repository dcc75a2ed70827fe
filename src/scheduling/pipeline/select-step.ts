import { type KarmadaSelectable, selectKarmada } from '../karmada/select.ts';
import type { PlacementPolicySpec, SpreadConstraint } from '../policy/api.ts';
import { selectClusters } from '../select/select.ts';
import { explainSelectionNote, type SelectionCandidate } from '../select/selection.ts';
import type { ClusterScore, Rejection } from './contract.ts';
import type { SelectionExplanation } from './decision.ts';
import { karmadaStrategy } from './divide-step.ts';

/** A cluster that passed the filters, and what is known of it. */
export type Candidate = Omit<SelectionCandidate, 'room' | 'keptOnly' | 'tier'> & {
  readonly room: number | undefined;
  readonly keptOnly: boolean;
  readonly tier: number;
  readonly scoreParts: ClusterScore | undefined;
  readonly rejections: readonly Rejection[] | undefined;
};

/** Which clusters are used, by name. */
export type SelectStep =
  | {
      readonly outcome: 'selected';
      readonly selected: ReadonlyMap<string, SelectionExplanation>;
      readonly leftOut: ReadonlyMap<string, SelectionExplanation>;
      readonly notes: readonly string[];
    }
  | { readonly outcome: 'failed'; readonly message: string; readonly leftOut: ReadonlyMap<string, SelectionExplanation> };

/** Selects clusters as the policy says: by Karmada's rules where it divides by them and spreads over regions and clusters only, else by our own. */
export function selectStep(
  policy: PlacementPolicySpec,
  candidates: readonly Candidate[],
  total: number | undefined,
  isScored: boolean,
): SelectStep {
  const { division = {}, spread = [], pick } = policy;
  if (division.algorithm === 'karmada' && total !== undefined && (pick?.type ?? 'All') === 'All' && isKarmadas(spread)) {
    return selectAsKarmada(policy, candidates, total, isScored);
  }
  const need = total === undefined || (division.type ?? 'Duplicated') === 'Duplicated' ? undefined : total;
  const result = selectClusters({
    candidates: candidates as readonly SelectionCandidate[],
    spread,
    ...(pick === undefined ? {} : { pick }),
    ...(need === undefined ? {} : { need }),
  });
  const leftOut = new Map(
    result.leftOut.map((each): [string, SelectionExplanation] => [each.cluster, { algorithm: 'clusterset', choice: each }]),
  );
  if (result.outcome === 'failed') return { outcome: 'failed', message: result.message, leftOut };
  const selected = new Map(
    result.clusters.map((each): [string, SelectionExplanation] => [each.cluster, { algorithm: 'clusterset', choice: each }]),
  );
  return { outcome: 'selected', selected, leftOut, notes: result.notes.map(explainSelectionNote) };
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
  if (result.outcome === 'failed') return { outcome: 'failed', message: result.message, leftOut: new Map() };
  const explained = (
    each: (typeof result.clusters)[number] | (typeof result.leftOut)[number],
  ): [string, SelectionExplanation] => [each.cluster, { algorithm: 'karmada', choice: each }];
  return {
    outcome: 'selected',
    selected: new Map(result.clusters.map(explained)),
    leftOut: new Map(result.leftOut.map(explained)),
    notes: [],
  };
}
