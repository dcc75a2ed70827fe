import { ClustersetError } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import { amountOf } from '../filter/amount.ts';
import { propertyOf } from '../filter/property-rules.ts';
import { selectionTest } from '../filter/selection.ts';
import { isPreference, millisecondsOf, toleratedUntil } from '../filter/tolerations.ts';
import type { ClusterScorer, SchedulingContext } from '../pipeline/contract.ts';
import type { ClusterSelection, PlacementPolicySpec, ScorePolicy, Toleration } from '../policy/api.ts';

const BEST = 100;
/** A cluster that doesn't say how much room it has is better than a full one and worse than the emptiest. */
const UNKNOWN_ROOM = 50;
/** Room beyond counts as this much, so that shares of it are numbers still. */
const LARGEST_ROOM = 1e300;
/** Weights beyond would leave nothing of the scores that they are added to. */
export const LARGEST_WEIGHT = 1e6;

/**
 * The scorers that a policy asks for, in its order, read once. An entry of `scores` that says several things at once gives a scorer for
 * each of them, with the same weight. Each gives between 0 and 100, scores from outside between -100 and 100. Scorers of a user's own come
 * after them.
 *
 * @throws ClustersetError `Invalid`, with its field, for a weight beyond a million, and for what `compileSelection` doesn't take.
 */
export function scorersOf({
  scores = [],
  tolerations = [],
}: Pick<PlacementPolicySpec, 'scores' | 'tolerations'>): readonly ClusterScorer[] {
  return scores.flatMap((score, index) => {
    const field = `spec.scores[${index}]`;
    const weight = weightOf(score, field);
    const { property, preferred, external, builtIn } = score;
    return [
      ...(property === undefined ? [] : [propertyScorer(property)]),
      ...(preferred === undefined
        ? []
        : [preferredScorer(preferred, { name: `preferred[${index}]`, field: `${field}.preferred` })]),
      ...(external === undefined ? [] : [externalScorer(external)]),
      ...(builtIn === undefined ? [] : [builtInScorer(builtIn, tolerations)]),
    ].map((scorer) => ({ ...scorer, weight }));
  });
}

function weightOf({ weight = 1 }: ScorePolicy, field: string): number {
  if (Math.abs(weight) <= LARGEST_WEIGHT) return weight;
  throw new ClustersetError({
    code: 'Invalid',
    field: `${field}.weight`,
    message: `${weight} is no weight`,
    mend: `write a number between -${LARGEST_WEIGHT} and ${LARGEST_WEIGHT}`,
  });
}

/**
 * By a property that holds an amount: 0 for the worst of the clusters, 100 for the best, and in between by where it is between these two
 * (KubeFleet's property sorter). Where all have the same, 100. A property that is missing or no amount gives 0 in either order: it says
 * nothing in favour.
 */
export function propertyScorer({ name, order = 'HighestFirst' }: NonNullable<ScorePolicy['property']>): ClusterScorer {
  return {
    name: `property ${name}`,
    score: (clusters) => {
      // NaN stands for none: lists of nothing but numbers are the fast ones.
      const amounts = clusters.map((cluster) => {
        const text = propertyOf(cluster, name);
        return text === undefined ? Number.NaN : (amountOf(text) ?? Number.NaN);
      });
      let least = Number.POSITIVE_INFINITY;
      let most = Number.NEGATIVE_INFINITY;
      for (const amount of amounts) {
        if (amount < least) least = amount;
        if (amount > most) most = amount;
      }
      const span = most - least;
      return amounts.map((amount) => {
        if (Number.isNaN(amount)) return 0;
        if (span === 0) return BEST;
        return ((order === 'LowestFirst' ? most - amount : amount - least) / span) * BEST;
      });
    },
  };
}

/**
 * 100 for the clusters that a selection takes, 0 for others.
 *
 * @throws ClustersetError `Invalid`, as `compileSelection` does.
 */
export function preferredScorer(
  selection: ClusterSelection,
  { name = 'preferred', field = 'spec' }: { readonly name?: string; readonly field?: string } = {},
): ClusterScorer {
  const matches = selectionTest(selection, field);
  return { name, score: (clusters) => clusters.map((cluster) => (matches(cluster) ? BEST : 0)) };
}

/**
 * By scores from outside. They are taken as they are between -100 and 100 (the range of OCM's AddOnPlacementScore), and beyond as the
 * nearer of the two; nothing for a cluster, or NaN, is 0.
 */
export function externalScorer(name: string): ClusterScorer {
  return {
    name: `external ${name}`,
    score: (clusters, { scores }) => {
      const given = Object.hasOwn(scores, name) ? scores[name] : undefined;
      return clusters.map((cluster) => {
        const score = given?.get(cluster.name) ?? 0;
        return Number.isNaN(score) ? 0 : Math.max(-BEST, Math.min(BEST, score));
      });
    },
  };
}

/** The scorers that need no name: by room, by where the workload runs, by taints that ask to be avoided. */
export function builtInScorer(
  which: NonNullable<ScorePolicy['builtIn']>,
  tolerations: readonly Toleration[] = [],
): ClusterScorer {
  switch (which) {
    case 'FreeCapacity':
      return { name: which, score: freeCapacity };
    case 'Current':
      return { name: which, score: (clusters, { current }) => clusters.map(({ name }) => (current.has(name) ? BEST : 0)) };
    case 'Taints':
      return { name: which, score: (clusters, context) => taintScores(clusters, context, tolerations) };
    default:
      return which satisfies never;
  }
}

/** Room beside the largest room of these clusters: 100 for that one, 0 for none at all. Room that isn't known counts as half of it. */
function freeCapacity(clusters: readonly ClusterEntry[], { room }: SchedulingContext): readonly number[] {
  const rooms = clusters.map(({ name }) => Math.max(0, Math.min(LARGEST_ROOM, room.get(name) ?? Number.NaN)));
  let most = 0;
  for (const free of rooms) {
    if (free > most) most = free;
  }
  return rooms.map((free) => {
    if (Number.isNaN(free)) return UNKNOWN_ROOM;
    return most === 0 ? 0 : (free / most) * BEST;
  });
}

/**
 * 100 without untolerated taints of the effects PreferNoSchedule and PreferNoSelect, 0 for the cluster with most of them, and in between by
 * their number: how kube-scheduler scores nodes.
 */
function taintScores(
  clusters: readonly ClusterEntry[],
  context: SchedulingContext,
  tolerations: readonly Toleration[],
): readonly number[] {
  const now = millisecondsOf(context.now);
  let most = 0;
  const counts = clusters.map(({ taints = [] }) => {
    let count = 0;
    for (const taint of taints) {
      if (isPreference(taint) && toleratedUntil(taint, tolerations) <= now) count += 1;
    }
    if (count > most) most = count;
    return count;
  });
  return counts.map((count) => (most === 0 ? BEST : BEST - (count / most) * BEST));
}
