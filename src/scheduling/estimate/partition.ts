/** Nodes that count as equal: each as the least that any of them has. */
export interface Cell {
  readonly count: number;
  /** In the order of the vectors' dimensions. */
  readonly least: readonly number[];
}

type Vector = readonly number[];

/** A group of vectors, and the cut through it that keeps most of what is lost by counting each as the least. */
interface Piece {
  readonly group: number;
  readonly vectors: readonly Vector[];
  readonly gain: number;
  readonly dimension: number;
  readonly from: number;
}

/**
 * Makes few cells of many vectors, at most so many in all but at least one for each group: the piece whose cut keeps most is cut, until there are
 * enough or nothing more is lost. What is kept is measured as a share of all there is of a dimension, so that bytes don't outweigh CPUs.
 * It doesn't depend on the order of vectors in a group.
 */
export function partition(groups: readonly (readonly Vector[])[], most: number): readonly (readonly Cell[])[] {
  const shares = sharesOf(groups);
  const pieces = groups.map((vectors, group) => pieceOf(group, vectors, shares));
  while (pieces.length < most) {
    const widest = widestOf(pieces);
    const piece = pieces[widest];
    if (piece === undefined || piece.gain <= 0) break;
    const { group, vectors, dimension, from } = piece;
    const isUpper = (vector: Vector): boolean => (vector[dimension] ?? 0) >= from;
    pieces[widest] = pieceOf(
      group,
      vectors.filter((vector) => !isUpper(vector)),
      shares,
    );
    pieces.push(pieceOf(group, vectors.filter(isUpper), shares));
  }
  return groups.map((_, group) => pieces.filter((piece) => piece.group === group).map(({ vectors }) => cellOf(vectors)));
}

function widestOf(pieces: readonly Piece[]): number {
  let widest = 0;
  for (let index = 1; index < pieces.length; index += 1) {
    if ((pieces[index]?.gain ?? 0) > (pieces[widest]?.gain ?? 0)) widest = index;
  }
  return widest;
}

/** By dimension: what one unit is of all there is. */
function sharesOf(groups: readonly (readonly Vector[])[]): readonly number[] {
  const sums: number[] = [];
  for (const vectors of groups) {
    for (const vector of vectors) {
      for (let at = 0; at < vector.length; at += 1) sums[at] = (sums[at] ?? 0) + (vector[at] ?? 0);
    }
  }
  return sums.map((sum) => (sum > 0 ? 1 / sum : 0));
}

function pieceOf(group: number, vectors: readonly Vector[], shares: readonly number[]): Piece {
  let best: Piece = { group, vectors, gain: 0, dimension: 0, from: 0 };
  shares.forEach((share, dimension) => {
    const values = Float64Array.from(vectors, (vector) => vector[dimension] ?? 0).sort();
    const { gain, from } = bestCut(values);
    if (gain * share > best.gain) best = { group, vectors, gain: gain * share, dimension, from };
  });
  return best;
}

/** Everything from there on keeps what it has above the least. */
function bestCut(values: Float64Array): { readonly gain: number; readonly from: number } {
  const least = values[0] ?? 0;
  let gain = 0;
  let from = 0;
  for (let at = 1; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    const kept = (values.length - at) * (value - least);
    if (kept <= gain) continue;
    gain = kept;
    from = value;
  }
  return { gain, from };
}

function cellOf(vectors: readonly Vector[]): Cell {
  const least = [...(vectors[0] ?? [])];
  for (const vector of vectors) {
    for (let at = 0; at < least.length; at += 1) least[at] = Math.min(least[at] ?? 0, vector[at] ?? 0);
  }
  return { count: vectors.length, least };
}
