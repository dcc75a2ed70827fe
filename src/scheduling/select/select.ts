import { compareText } from '../../kube/index.ts';
import type { PickPolicy } from '../policy/api.ts';
import type { Choice } from './choose.ts';
import { type Constraint, constraintsOf, countOr, demandsOf, partitionKeys } from './constraints.ts';
import { type Ranked, rank } from './preference.ts';
import { reasonsFor, softNotes } from './reasons.ts';
import { roomIn, withRoom } from './room.ts';
import { chooseBy, type Problem, type Satisfied, satisfy, type Unsatisfied } from './satisfy.ts';
import {
  type ClusterSelectionInput,
  type ClusterSelectionResult,
  fieldOf,
  type LeftOutCluster,
  type SelectionNote,
  type SpreadLimit,
} from './selection.ts';
import { topologyOf, topologyValue } from './topology.ts';

/**
 * Selects clusters: as many as the policy picks, spread as its constraints say.
 *
 * **Preference.** Lower tier; higher score; the workload runs there; more room (not known counts as unlimited); name. So at equal score it
 * stays where it is, and selecting again changes nothing.
 *
 * **Groups.** The topology key of a constraint divides the clusters: `cluster` (each is a group), `provider`, `region`, `zone` (all zones of
 * a cluster together are one value), anything else by a label. A cluster without a value is left out by a hard constraint; to a soft one it
 * belongs to no group.
 *
 * - `minGroups`, `maxGroups`: how many groups have a selected cluster.
 * - `maxSkew`: by how many selected clusters groups differ at most (as for pods: core/v1 TopologySpreadConstraint). All groups with a
 *   candidate count, or only those that have a selected cluster, where `maxGroups` is lower than the number of groups.
 *
 * **Pick.** `All`: as many clusters as the constraints allow. `N`: no more than `numberOfClusters` of them; without a number there is no
 * limit, and fewer are no failure but noted. `Fixed`: as All, of the named ones only, so that one that is lost doesn't take the others
 * along; who is named and no candidate is reported.
 *
 * **Aims, in this order.**
 *
 * 1. Hard constraints hold, or the selection fails and says which one can't hold beside those before it.
 * 2. Room for `need` replicas, as far as it is found: a cluster's room and what it has. From the last chosen to the first, clusters change
 *    places with the one that has the most room of those with more (Karmada's rule), as long as the constraints hold. Where there is too
 *    little room so, soft constraints are given up, the last one first, and what room is `missing` in the end is no failure.
 * 3. Soft constraints, each as far as it goes beside those before it. They never make a selection fail.
 * 4. As many clusters as there may be.
 * 5. The preferred ones: the first cluster in the order of preference if there is such a selection with it, then the second, and so on.
 *
 * 1, 4 and 5 are exact with constraints on `cluster` and on one key beside, hard or soft: what can be found is found, in time that grows
 * with the number of clusters times that of groups at worst. Constraints on several keys at once have to be searched for: that is exact, too,
 * unless 10,000 decisions had to be taken back (with more than 100 clusters: a million by their number). Then groups are filled evenly instead:
 * no cluster could be added to what comes of it, but a larger or better selection may exist, as a note, `SearchLimit`, says. It fails with
 * `SearchLimit` only where constraints also ask for several groups or clusters at least, or for a skew of 0, and that isn't found so.
 *
 * Numbers that are none count as not given, negative ones as 0; a name that is there twice counts once. Nothing is thrown.
 */
export function selectClusters(input: ClusterSelectionInput): ClusterSelectionResult {
  return selectByIndex(input).result;
}

/** {@link selectClusters}, and which of the candidates are selected: their indexes, in the order of `clusters`. */
export function selectByIndex(input: ClusterSelectionInput): {
  readonly result: ClusterSelectionResult;
  readonly selected: readonly number[];
} {
  const { candidates, pick = ALL, spread = [] } = input;
  const ranked = rank(candidates);
  const constraints = constraintsOf(spread);
  const { eligible, outside } = divide(ranked, pick, constraints);
  const number =
    pick.type === 'N' ? Math.floor(countOr(pick.numberOfClusters, Number.POSITIVE_INFINITY)) : Number.POSITIVE_INFINITY;
  const problem: Problem = { topology: topologyOf(eligible, partitionKeys(spread)), number };
  const satisfied = satisfy(problem, constraints);
  const unknown = unknownNames(pick, ranked);
  if ('blamed' in satisfied) return { result: failed(satisfied, [...outside, ...unknown]), selected: [] };
  const need = countOr(input.need, 0);
  const selection = makeRoom(problem, satisfied, need);
  const { ranks } = selection;
  const usual = ranks.length === ranked.length && pick.type === 'All' ? 'Unrestricted' : USUAL[pick.type];
  const { clusters, leftOut } = reasonsFor({ ...selection, problem, original: satisfied.ranks, usual });
  const room = roomIn(problem.topology, ranks);
  const result: ClusterSelectionResult = {
    outcome: 'selected',
    clusters,
    leftOut: inOrder(ranked, outside, leftOut).concat(unknown),
    notes: [
      ...softNotes(problem, constraints, ranks),
      ...(ranks.length < number && pick.type === 'N' ? fewerThan(number, ranks.length) : []),
      ...(selection.wasCut ? [{ reason: 'SearchLimit' } as const] : []),
    ],
    missing: room >= need ? 0 : need - room,
  };
  return { result, selected: ranks.map((each) => eligible[each]?.at ?? -1) };
}

const ALL: PickPolicy = { type: 'All' };
const USUAL = { All: 'Best', N: 'Best', Fixed: 'Named' } as const;

/** The clusters that come into question, and why the others don't. */
function divide(
  ranked: readonly Ranked[],
  pick: PickPolicy,
  constraints: readonly Constraint[],
): { readonly eligible: readonly Ranked[]; readonly outside: readonly LeftOutCluster[] } {
  const named = pick.type === 'Fixed' ? new Set(pick.clusterNames) : undefined;
  const needed = constraints.filter(({ hard, partition }) => hard && partition >= 0);
  if (named === undefined && needed.length === 0) return { eligible: ranked, outside: [] };
  const outside: LeftOutCluster[] = [];
  const eligible = ranked.filter(({ name, entry }) => {
    const lacking = needed.find(({ topologyKey }) => topologyValue(entry, topologyKey) === undefined);
    if (named?.has(name) === false) outside.push({ cluster: name, reason: 'NotNamed' });
    else if (lacking === undefined) return true;
    else outside.push({ cluster: name, reason: 'NoTopologyValue', constraint: lacking.index, topologyKey: lacking.topologyKey });
    return false;
  });
  return { eligible, outside };
}

function unknownNames({ type, clusterNames = [] }: PickPolicy, ranked: readonly Ranked[]): readonly LeftOutCluster[] {
  if (type !== 'Fixed') return [];
  const known = new Set(ranked.map(({ name }) => name));
  return [...new Set(clusterNames)]
    .filter((name) => !known.has(name))
    .sort(compareText)
    .map((cluster) => ({ cluster, reason: 'NotACandidate' }));
}

function fewerThan(wanted: number, found: number): readonly SelectionNote[] {
  return Number.isFinite(wanted) ? [{ reason: 'FewerThanNumber', found, wanted }] : [];
}

/** Both lists are in the order of preference already. */
function inOrder(
  ranked: readonly Ranked[],
  outside: readonly LeftOutCluster[],
  leftOut: readonly LeftOutCluster[],
): readonly LeftOutCluster[] {
  if (outside.length === 0) return leftOut;
  const byName = new Map([...outside, ...leftOut].map((each) => [each.cluster, each]));
  return ranked.flatMap(({ name }) => byName.get(name) ?? []);
}

/** Looks for room with all constraints, then without the last soft one, and so on: the first that has enough, or the one with the most. */
function makeRoom(problem: Problem, { ranks, constraints, wasCut }: Satisfied, need: number): Satisfied {
  const { topology, number } = problem;
  let best: Satisfied = { ranks, constraints, wasCut };
  let kept = constraints;
  let start: Choice = { ranks, wasCut };
  for (;;) {
    if (start.ranks !== undefined) {
      const roomier = withRoom(topology, demandsOf(topology, kept, number), start.ranks, need);
      const isBetter = roomIn(topology, roomier) > roomIn(topology, best.ranks);
      if (isBetter) best = { ranks: roomier, constraints: kept, wasCut: start.wasCut };
    }
    const last = kept.findLastIndex(({ hard }) => !hard);
    if (roomIn(topology, best.ranks) >= need || last < 0) return best;
    kept = kept.toSpliced(last, 1);
    start = chooseBy(problem, kept);
  }
}

const LIMIT_FAILURE = { minGroups: 'TooFewGroups', maxGroups: 'TooManyGroups', maxSkew: 'TooMuchSkew' } as const;

function failed({ blamed, loosened, wasCut }: Unsatisfied, leftOut: readonly LeftOutCluster[]): ClusterSelectionResult {
  const { index, topologyKey } = blamed;
  const constraint = { outcome: 'failed', constraint: index, leftOut } as const;
  if (loosened === undefined) {
    const field = `spec.spread[${index}]`;
    return wasCut
      ? {
          ...constraint,
          reason: 'SearchLimit',
          field,
          message: `${field}: the search for clusters was cut short without a result`,
        }
      : { ...constraint, reason: 'Contradiction', field, message: `${field} can't hold together with the constraints before it` };
  }
  const { limit, found } = loosened;
  const field = fieldOf({ constraint: index }, limit);
  const wanted = blamed[limit];
  const message = `${field}: ${failureText(limit, topologyKey, found, wanted)}`;
  return { ...constraint, reason: LIMIT_FAILURE[limit], field, message, found, wanted };
}

function failureText(limit: SpreadLimit, topologyKey: string, found: number, wanted: number): string {
  const units = topologyKey === 'cluster' ? 'clusters' : `groups by ${topologyKey}`;
  switch (limit) {
    case 'minGroups':
      return `there must be ${wanted} or more ${units}, and there can be no more than ${found}`;
    case 'maxGroups':
      return `there may be no more than ${wanted} ${units}, and there would have to be ${found}`;
    case 'maxSkew':
      return `${units} may differ by no more than ${wanted}, and would have to by ${found}`;
    default:
      return limit satisfies never;
  }
}
