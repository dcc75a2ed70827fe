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
  let room = 0;
  for (const { least, most } of bidders) if (least > 0) room += most;
  const others = bidders
    .map((bidder, index) => ({ bidder, index }))
    .filter(({ bidder }) => bidder.least <= 0 && bidder.most > 0)
    .sort((a, b) => bySize(a.bidder, b.bidder));
  let taken = 0;
  for (; taken < others.length && room < total; taken += 1) room += others[taken]?.bidder.most ?? 0;
  const inside = others.slice(0, taken).sort((a, b) => byHolding(b.bidder, a.bidder));
  const outside = others.slice(taken).sort((a, b) => byHolding(a.bidder, b.bidder));
  for (const { bidder: more, index } of outside) {
    if (more.held === 0) break;
    const place = inside.findIndex(({ bidder: { held, most } }) => held < more.held && room - most + more.most >= total);
    if (place < 0) continue;
    for (const { bidder: less } of inside.splice(place, 1)) room += more.most - less.most;
    chosen[index] = true;
  }
  for (const each of inside) chosen[each.index] = true;
  return chosen;
}

function bySize(a: Bidder, b: Bidder): number {
  if (a.most !== b.most) return a.most > b.most ? -1 : 1;
  return byHolding(a, b);
}

/** Who holds most comes first. */
function byHolding(a: Bidder, b: Bidder): number {
  return b.held - a.held || b.weight - a.weight || compareText(a.name, b.name);
}
