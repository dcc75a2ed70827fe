import { ClustersetError } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import { quoted } from '../filter/wording.ts';
import type { ClusterScore, ClusterScorer, SchedulingContext } from '../pipeline/contract.ts';

/** Sums are rounded to so many parts of one: 0.1 and 0.2 must not be more than 0.3. */
const PARTS_OF_ONE = 1e9;
/** Beyond, doubles are too coarse for that rounding to do anything. */
const LARGEST_ROUNDED = 1e6;

const NO_SCORE: ClusterScore = Object.freeze({ total: 0, parts: Object.freeze([]) });

/** The scores of clusters, by their place in the list that was asked about. */
export interface ScoreTable {
  readonly totals: readonly number[];
  /** A total with what it is made of: put together when it is asked for, because few of many clusters are ever explained. */
  scoreOf(index: number): ClusterScore;
}

/**
 * The score of each cluster, in the order of the list. The total is the sum of `score × weight` over all scorers, rounded to a billionth,
 * so that what is equal on paper is equal. Scorers of a user's own go to the end of the list. Without scorers every total is 0.
 *
 * @throws ClustersetError `Invalid`, naming the scorer and, where there is one, the cluster, where a scorer throws, or a score, its product
 * with the weight or the sum is no finite number.
 */
export function runScores(
  scorers: readonly ClusterScorer[],
  clusters: readonly ClusterEntry[],
  context: SchedulingContext,
): readonly ClusterScore[] {
  const table = scoreTable(scorers, clusters, context);
  return clusters.map((_, index) => table.scoreOf(index));
}

/**
 * The totals of {@link runScores}, and the rest of it for those clusters that one asks about.
 *
 * @throws ClustersetError as {@link runScores} does, and not later.
 */
export function scoreTable(
  scorers: readonly ClusterScorer[],
  clusters: readonly ClusterEntry[],
  context: SchedulingContext,
): ScoreTable {
  const columns = scorers.map((scorer) => columnOf(scorer, clusters, context));
  const totals = clusters.map(() => 0);
  for (const column of columns) addTo(totals, column, clusters);
  if (columns.length > 0) round(totals);
  return {
    totals,
    scoreOf: (index) => {
      if (columns.length === 0) return NO_SCORE;
      const parts = columns.map(({ scorer, weight, scores }) => ({ scorer, score: scores[index] ?? 0, weight }));
      return { total: totals[index] ?? 0, parts };
    },
  };
}

interface Column {
  readonly scorer: string;
  readonly weight: number;
  readonly scores: readonly (number | undefined)[];
}

function addTo(totals: number[], { scorer, weight, scores }: Column, clusters: readonly ClusterEntry[]): void {
  for (let index = 0; index < totals.length; index += 1) {
    const score = scores[index] ?? 0;
    const total = (totals[index] ?? 0) + score * weight;
    if (!Number.isFinite(score) || !Number.isFinite(total)) throw notFinite(scorer, clusters[index]?.name, score, weight);
    totals[index] = total;
  }
}

function columnOf(scorer: ClusterScorer, clusters: readonly ClusterEntry[], context: SchedulingContext): Column {
  return { scorer: scorer.name, weight: scorer.weight ?? 1, scores: askFor(scorer, clusters, context) };
}

function askFor(
  scorer: ClusterScorer,
  clusters: readonly ClusterEntry[],
  context: SchedulingContext,
): readonly (number | undefined)[] {
  let scores: readonly (number | undefined)[];
  try {
    scores = scorer.score(clusters, context);
  } catch (error) {
    throw failed(scorer.name, `threw ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (!Array.isArray(scores)) throw failed(scorer.name, 'gave no list of scores');
  return scores;
}

function notFinite(scorer: string, cluster: string | undefined, score: number, weight: number): ClustersetError {
  if (!Number.isFinite(score)) return failed(scorer, `gave the score ${score}`, { cluster });
  if (!Number.isFinite(weight)) return failed(scorer, `has the weight ${weight}`, { cluster });
  return failed(scorer, `gave the score ${score} with the weight ${weight}, which is too much for a sum`, { cluster });
}

function failed(
  scorer: string,
  what: string,
  { cluster, cause }: { readonly cluster?: string | undefined; readonly cause?: unknown } = {},
): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    cluster,
    message: `scorer ${quoted(scorer)} ${what}`,
    mend: 'correct the scorer, or leave it out',
    cause,
  });
}

/** Leaves zero without a sign, which nobody expects in an output. */
function round(totals: number[]): void {
  for (let index = 0; index < totals.length; index += 1) {
    const total = totals[index] ?? 0;
    if (Math.abs(total) < LARGEST_ROUNDED) totals[index] = Math.round(total * PARTS_OF_ONE) / PARTS_OF_ONE + 0;
  }
}
