import { ClustersetError, type Json } from '../../kube/index.ts';
import type { ClusterAssigner, ClusterSelector, ReplicaDivider, SchedulingContext, SelectedForStep } from './contract.ts';
import type { ClusterDecision } from './decision.ts';
import type { DividedCluster } from './divide-step.ts';
import type { Candidate, SelectStep } from './select-step.ts';

/** Steps of a user's own that come after selecting. */
export interface OwnSteps {
  readonly selectors: readonly ClusterSelector[];
  readonly divider: ReplicaDivider | undefined;
  readonly assigners: readonly ClusterAssigner[];
}

/** The selection without what selectors leave out. */
export function withSelectors(
  selection: SelectStep,
  candidates: readonly Candidate[],
  selectors: readonly ClusterSelector[],
  context: SchedulingContext,
): SelectStep {
  const isSelected = [...selection.isSelected];
  const selections = [...selection.selections];
  for (const selector of selectors) {
    const selected = candidates.filter((_, index) => isSelected[index] === true);
    const leftOut = run('selector', selector.name, () => selector.leaveOut(selected.map(seen), context));
    for (const { cluster, reason, message } of leftOut) {
      const index = candidates.findIndex(({ name }) => name === cluster);
      if (isSelected[index] !== true) throw failed('selector', selector.name, 'left out a cluster that is not selected', cluster);
      isSelected[index] = false;
      selections[index] = { algorithm: 'own', choice: { cluster, selector: selector.name, reason, message } };
    }
  }
  return { ...selection, isSelected, selections };
}

/** What the selected clusters get, in their order. */
export function divideOwn(
  divider: ReplicaDivider,
  total: number,
  selected: readonly Candidate[],
  context: SchedulingContext,
): readonly DividedCluster[] {
  const given = run('divider', divider.name, () => divider.divide(total, selected.map(seen), context));
  for (const [cluster, replicas] of given) {
    const isKnown = selected.some(({ name }) => name === cluster);
    if (!isKnown) throw failed('divider', divider.name, 'gave replicas to a cluster that is not selected', cluster);
    if (!Number.isSafeInteger(replicas) || replicas < 0)
      throw failed('divider', divider.name, `gave ${replicas} replicas`, cluster);
  }
  return selected.map(({ name }) => ({
    algorithm: 'own',
    share: { cluster: name, replicas: given.get(name) ?? 0, divider: divider.name },
  }));
}

/** The decisions with what assigners say of clusters that get the workload. */
export function withAssigners(
  decisions: readonly ClusterDecision[],
  assigners: readonly ClusterAssigner[],
  context: SchedulingContext,
): readonly ClusterDecision[] {
  if (assigners.length === 0) return decisions;
  return decisions.map((decision) => {
    if (decision.outcome !== 'Placed') return decision;
    const said = assigners.flatMap((assigner): readonly (readonly [string, Json])[] => {
      const value = run('assigner', assigner.name, () => assigner.assign(decision, context), decision.cluster);
      return value === undefined ? [] : [[assigner.name, value]];
    });
    return said.length === 0 ? decision : { ...decision, assigned: Object.fromEntries(said) };
  });
}

function seen({ entry, score, runs, current, room, mayGrow }: Candidate): SelectedForStep {
  return { cluster: entry, score, current: runs ? current : undefined, room, mayGrow };
}

function run<T>(step: string, name: string, call: () => T, cluster?: string): T {
  try {
    return call();
  } catch (error) {
    throw failed(step, name, `threw ${error instanceof Error ? error.message : String(error)}`, cluster, error);
  }
}

function failed(step: string, name: string, what: string, cluster?: string, cause?: unknown): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    message: `${step} "${name}" ${what}${cluster === undefined ? '' : `: ${cluster}`}`,
    mend: `correct the ${step}, or leave it out`,
    cluster,
    cause,
  });
}
