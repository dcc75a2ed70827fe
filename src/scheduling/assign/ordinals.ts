import { ClustersetError, compareText } from '../../kube/index.ts';
import { bestOrder } from './order.ts';

/** Consecutive ordinals: `replicas` of them from `start` on, as a StatefulSet has them (KEP-3335, `spec.ordinals.start`). */
export interface OrdinalRange {
  readonly start: number;
  readonly replicas: number;
}

/** The ordinals of one cluster. */
export interface ClusterOrdinals extends OrdinalRange {
  readonly cluster: string;
}

/** What {@link assignOrdinals} takes. */
export interface AssignOrdinalsInput {
  /** How many replicas each cluster gets, each cluster once. */
  readonly shares: readonly { readonly cluster: string; readonly replicas: number }[];
  /** Which ordinals clusters have now. Default: none have any. */
  readonly previous?: ReadonlyMap<string, OrdinalRange>;
  /** The first ordinal of all. Default 0. */
  readonly start?: number;
}

/** Ordinals that change hands. */
export interface OrdinalMove {
  readonly first: number;
  /** The last one that moves, which is `first` for a single one. */
  readonly last: number;
  /** Nothing: they are new. */
  readonly from: string | undefined;
  /** Nothing: they end. */
  readonly to: string | undefined;
}

/** What {@link assignOrdinals} decides. */
export interface OrdinalAssignment {
  /** In the order of their ordinals; one for each share. A cluster without replicas has a place, and no ordinals. */
  readonly ranges: readonly ClusterOrdinals[];
  /** What it takes to get there, by ordinal: also ordinals that begin or end. */
  readonly moves: readonly OrdinalMove[];
  /** How many ordinals go from one cluster to another. */
  readonly moved: number;
}

const NO_RANGES: ReadonlyMap<string, OrdinalRange> = new Map();
/** `replicas` and `start` are 32-bit numbers (API: apps/v1 StatefulSetSpec). */
const LARGEST = 2 ** 31 - 1;

/**
 * Gives each cluster a range of ordinals of one StatefulSet: the ranges follow one another without gaps and are together exactly
 * `start … start + total − 1`.
 *
 * Of all orders of the clusters it takes the one that moves the fewest ordinals from one cluster to another, exactly for up to
 * twelve clusters with replicas; of several such orders, and for more clusters, that in which they stood before, new clusters behind
 * them by name. It doesn't depend on the order of the shares.
 *
 * @throws ClustersetError `Invalid` for a cluster that is there twice, and for numbers that a StatefulSet can't have.
 */
export function assignOrdinals(input: AssignOrdinalsInput): OrdinalAssignment {
  const { previous = NO_RANGES, start = 0 } = input;
  checkNumbers(input.shares, start);
  const asBefore = input.shares.toSorted(
    (a, b) => startOf(previous, a.cluster) - startOf(previous, b.cluster) || compareText(a.cluster, b.cluster),
  );
  const filled = asBefore.filter(({ replicas }) => replicas > 0);
  const ranges: ClusterOrdinals[] = [];
  let next = start;
  for (const { cluster, replicas } of bestOrder(filled, previous, start)) {
    ranges.push({ cluster, start: next, replicas });
    next += replicas;
  }
  for (const { cluster, replicas } of asBefore) {
    // Where it was: then only the number of its replicas changes.
    if (replicas === 0) ranges.push({ cluster, start: previous.get(cluster)?.start ?? next, replicas });
  }
  ranges.sort((a, b) => a.start - b.start || a.replicas - b.replicas || compareText(a.cluster, b.cluster));
  const moves = movesBetween(previous, ranges);
  const moved = moves.reduce(
    (sum, { first, last, from, to }) => sum + (from === undefined || to === undefined ? 0 : last - first + 1),
    0,
  );
  return { ranges, moves, moved };
}

/** New clusters, and those that had nothing, come behind. */
function startOf(previous: ReadonlyMap<string, OrdinalRange>, cluster: string): number {
  const range = previous.get(cluster);
  return range === undefined || range.replicas <= 0 ? Number.MAX_SAFE_INTEGER : range.start;
}

/** Who gives which ordinals to whom. Where two clusters had one ordinal, both give it up unless it is theirs. */
function movesBetween(previous: ReadonlyMap<string, OrdinalRange>, ranges: readonly ClusterOrdinals[]): readonly OrdinalMove[] {
  const before = [...previous].map(([cluster, range]) => ({ ...range, cluster })).filter(({ replicas }) => replicas > 0);
  const after = ranges.filter(({ replicas }) => replicas > 0);
  const ends = [...new Set([...before, ...after].flatMap(({ start, replicas }) => [start, start + replicas]))].sort(
    (a, b) => a - b,
  );
  const moves: OrdinalMove[] = [];
  for (const [index, first] of ends.slice(0, -1).entries()) {
    const last = (ends[index + 1] ?? first) - 1;
    const holds = ({ start, replicas }: OrdinalRange): boolean => start <= first && first < start + replicas;
    const to = after.find(holds)?.cluster;
    const from = before.filter(holds).map(({ cluster }) => cluster);
    if (from.length === 0 && to !== undefined) add(moves, { first, last, from: undefined, to });
    for (const cluster of from.sort(compareText)) if (cluster !== to) add(moves, { first, last, from: cluster, to });
  }
  return moves.sort((a, b) => a.first - b.first || compareText(a.from ?? '', b.from ?? ''));
}

/** Adds a move, or makes an earlier one longer. */
function add(moves: OrdinalMove[], move: OrdinalMove): void {
  const at = moves.findIndex(({ last, from, to }) => last === move.first - 1 && from === move.from && to === move.to);
  const earlier = moves[at];
  if (earlier === undefined) moves.push(move);
  else moves[at] = { ...earlier, last: move.last };
}

function checkNumbers(shares: AssignOrdinalsInput['shares'], start: number): void {
  refuseUnless(isCount(start), 'start', start);
  const seen = new Set<string>();
  let end = start;
  for (const [index, { cluster, replicas }] of shares.entries()) {
    refuseUnless(isCount(replicas), `shares[${index}].replicas`, replicas, cluster);
    end += replicas;
    if (seen.has(cluster)) {
      throw new ClustersetError({
        code: 'Invalid',
        message: 'the cluster is there twice',
        cluster,
        field: `shares[${index}].cluster`,
        mend: 'give each cluster one share',
      });
    }
    seen.add(cluster);
  }
  refuseUnless(end <= LARGEST + 1, 'start', start);
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= LARGEST;

function refuseUnless(isGood: boolean, field: string, value: number, cluster?: string): void {
  if (isGood) return;
  throw new ClustersetError({
    code: 'Invalid',
    message: `no StatefulSet can have ${value} here`,
    cluster,
    field,
    mend: 'ordinals are whole numbers from 0 to 2147483647',
  });
}
