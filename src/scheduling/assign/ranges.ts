import type { OrdinalRange } from './ordinals.ts';

/** No ordinals. */
export const EMPTY: OrdinalRange = { start: 0, replicas: 0 };

/** The ordinal behind the last one. */
export const endOf = ({ start, replicas }: OrdinalRange): number => start + replicas;

/** Whether a range holds an ordinal. */
export const holds = (range: OrdinalRange, ordinal: number): boolean => range.start <= ordinal && ordinal < endOf(range);

/** What two ranges have in common: nothing, where `replicas` is 0. */
export function common(a: OrdinalRange, b: OrdinalRange): OrdinalRange {
  const start = Math.max(a.start, b.start);
  return { start, replicas: Math.max(0, Math.min(endOf(a), endOf(b)) - start) };
}

/** Whether all ordinals of a range are in another one. */
export const isWithin = (inner: OrdinalRange, outer: OrdinalRange): boolean => common(inner, outer).replicas === inner.replicas;

/** The parts of a range that none of the others touches, in their order. */
export function gapsIn(range: OrdinalRange, others: readonly OrdinalRange[]): readonly OrdinalRange[] {
  const taken = others
    .map((other) => common(range, other))
    .filter(({ replicas }) => replicas > 0)
    .sort((a, b) => a.start - b.start);
  const gaps: OrdinalRange[] = [];
  let at = range.start;
  for (const each of [...taken, { start: endOf(range), replicas: 0 }]) {
    if (each.start > at) gaps.push({ start: at, replicas: each.start - at });
    at = Math.max(at, endOf(each));
  }
  return gaps;
}

/**
 * The longest range around a first part that takes in only ordinals of gaps; without a first part the longest gap, of several the lowest.
 * Nothing, where there are no ordinals at all.
 */
export function grownRange(part: OrdinalRange, gaps: readonly OrdinalRange[]): OrdinalRange | undefined {
  if (part.replicas === 0) {
    return gaps.reduce<OrdinalRange | undefined>((best, gap) => (gap.replicas > (best?.replicas ?? 0) ? gap : best), undefined);
  }
  const start = gaps.find((gap) => holds(gap, part.start))?.start ?? part.start;
  const above = gaps.find((gap) => holds(gap, endOf(part) - 1));
  return { start, replicas: (above === undefined ? endOf(part) : endOf(above)) - start };
}
