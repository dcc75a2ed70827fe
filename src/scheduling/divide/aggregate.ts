import { compareText } from '../../kube/index.ts';
import type { Bidder } from './apportion.ts';

/**
 * The fewest bidders that can take everything together: those that must get something, and then the largest. Where another bidder holds
 * more already and there is still room enough, it takes the place of one that holds less.
 *
 * @returns whether each is in, in the order of the bidders.
 */
export function fewest(total: number, bidders: readonly Bidder[]): readonly boolean[] {
  const chosen = bidders.map(({ least }) => least > 0);
  // Nobody can take more than everything; so counted, endless sizes can be compared and subtracted.
  const sizes = bidders.map(({ most }) => Math.min(most, total));
  const others: number[] = [];
  let room = 0;
  for (const [index, { least }] of bidders.entries()) {
    const size = sizes[index] ?? 0;
    if (least > 0) room += size;
    else if (size > 0) others.push(index);
  }
  if (room >= total) return chosen;
  for (const index of largest(total - room, others, sizes, bidders)) {
    chosen[index] = true;
    room += sizes[index] ?? 0;
  }
  preferHolders(chosen, room - total, others, sizes, bidders);
  return chosen;
}

/** As many of the largest as have room for so much. Sizes are sorted as numbers, and bidders only where they are of the smallest size taken. */
function largest(
  needed: number,
  others: readonly number[],
  sizes: readonly number[],
  bidders: readonly Bidder[],
): readonly number[] {
  const sizeOf = (index: number): number => sizes[index] ?? 0;
  const sorted = Float64Array.from(others, sizeOf).sort().reverse();
  let count = 0;
  for (let room = 0; count < sorted.length && room < needed; count += 1) room += sorted[count] ?? 0;
  const smallest = sorted[count - 1] ?? 0;
  const larger = others.filter((index) => sizeOf(index) > smallest);
  const equal = others.filter((index) => sizeOf(index) === smallest);
  if (larger.length + equal.length > count) equal.sort((a, b) => byHolding(bidders, a, b));
  return [...larger, ...equal.slice(0, count - larger.length)];
}

/** Exchanges bidders for such as hold more, as far as there is room to spare. */
function preferHolders(
  chosen: boolean[],
  spare: number,
  others: readonly number[],
  sizes: readonly number[],
  bidders: readonly Bidder[],
): void {
  const heldBy = (index: number): number => bidders[index]?.held ?? 0;
  const outside = others.filter((index) => chosen[index] !== true && heldBy(index) > 0);
  if (outside.length === 0) return;
  const inside = others.filter((index) => chosen[index] === true).sort((a, b) => byHolding(bidders, b, a));
  let left = spare;
  for (const more of outside.sort((a, b) => byHolding(bidders, a, b))) {
    // The first inside holds least, and the next outside hold no more than this one.
    if (heldBy(inside[0] ?? more) >= heldBy(more)) break;
    const loss = (less: number): number => (sizes[less] ?? 0) - (sizes[more] ?? 0);
    const place = inside.findIndex((less) => heldBy(less) < heldBy(more) && loss(less) <= left);
    for (const less of place < 0 ? [] : inside.splice(place, 1)) {
      left -= loss(less);
      chosen[less] = false;
      chosen[more] = true;
    }
  }
}

/** Who holds most comes first. */
function byHolding(bidders: readonly Bidder[], a: number, b: number): number {
  const [x, y] = [bidders[a], bidders[b]];
  if (x === undefined || y === undefined) return 0;
  return y.held - x.held || y.weight - x.weight || compareText(x.name, y.name);
}
