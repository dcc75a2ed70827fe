import { compareText } from '../../kube/index.ts';
import { hashOrder } from '../kubefed/hash-order.ts';
import { heaviestFirst } from '../kubefed/heaviest-first.ts';
import {
  differenceSlot,
  giveMinimums,
  type KubeAdmiralBasis,
  type KubeAdmiralInput,
  type KubeAdmiralPlan,
  keep,
  planOf,
  type Slot,
  slotMaker,
} from './share.ts';

/** What {@link divideKubeAdmiral} decides from. The preference `*` is for the clusters without their own. */
export interface KubeAdmiralSpreadInput extends KubeAdmiralInput {
  /** `namespace/name` of the workload: breaks ties, so that single replicas of many workloads don't all land on the first cluster. */
  readonly key: string;
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map();

/**
 * Divides replicas over clusters exactly as KubeAdmiral's planner for `replicasStrategy: Spread` does (v1.0.0 and the commits after it), and
 * says why. Minimums come first, then weights divide the rest, rounded up, in the order of weight and then of an FNV-1 hash of name and key.
 * With `avoidDisruption` only the difference between what is placed and what is due moves, in proportion to how far clusters are from it.
 *
 * What surprises, and is so in the original:
 *
 * - As long as the totals agree nothing moves, even where preferences have changed or a cluster has none of what it is due.
 * - When scaling up, the maximum of `*` doesn't bound the addition, only a cluster's own does.
 * - Scaling up doesn't look at capacity or limit again: where a cluster's maximum is below its minimum, others may get more than fits.
 * - Overflow is trimmed for each cluster alone (or, with `keepUnschedulable`, not at all), so the scheduling results may exceed the total.
 * - Minimums aren't checked against maximums, which take them back in the first round; and nothing is placed without weights but minimums.
 * - A cluster without a preference loses what it has.
 *
 * Numbers aren't checked. Three things are settled here that the original leaves open: equal hashes go by name (there: at random), products
 * beyond 2^53 are exact (there they wrap at 2^63), and negative weights, with which it may never end, end after as many rounds as others
 * can need. A name that is given twice counts once. The cost doesn't depend on the number of replicas.
 */
export function divideKubeAdmiral(input: KubeAdmiralSpreadInput): KubeAdmiralPlan {
  const { totalReplicas, avoidDisruption = true, keepUnschedulable = false } = input;
  const names = sortedNames(input.candidates);
  const slots = names.map(slotMaker(input, '*'));
  const byHash: Slot[] = [];
  for (const index of hashOrder(names, input.key)) {
    const slot = slots[index];
    if (slot?.share.preferred) byHash.push(slot);
  }
  const rest = fill(heaviestFirst(byHash, weightOf), totalReplicas);
  const basis = avoidDisruption ? moveLittle(byHash, input) : 'preferences';
  const most = avoidDisruption && !keepUnschedulable ? Math.max(0, rest) : Number.POSITIVE_INFINITY;
  return planOf(slots, basis, totalReplicas, most);
}

/** By name and each once: checked first, for they mostly are. */
function sortedNames(candidates: readonly string[]): readonly string[] {
  for (let at = 1; at < candidates.length; at += 1) {
    if ((candidates[at - 1] ?? '') >= (candidates[at] ?? '')) return [...new Set(candidates)].sort(compareText);
  }
  return candidates;
}

const weightOf = ({ share }: Slot): number => share.weight;

/** Minimums, then rounds by weight over the clusters that aren't full, until nothing is left or nobody grows. */
function fill(slots: readonly Slot[], total: number): number {
  let rest = giveMinimums(slots, total);
  let open = slots;
  // A round fills a cluster or gives everything away, where no weight is negative.
  for (let round = 0; round <= slots.length && rest > 0; round += 1) {
    const after = giveByWeight(open, rest);
    rest = after.rest;
    open = after.open;
    if (!after.changed) return rest;
  }
  return rest;
}

interface Round {
  readonly rest: number;
  readonly open: readonly Slot[];
  readonly changed: boolean;
}

function giveByWeight(slots: readonly Slot[], inThisRound: number): Round {
  let rest = inThisRound;
  let changed = false;
  let sum = 0;
  for (const { share } of slots) sum += share.weight;
  if (sum <= 0) return { rest, open: slots, changed };
  // A list of its own only from the first that is full: mostly none is.
  let open: Slot[] | undefined;
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at];
    if (slot === undefined) continue;
    const start = slot.share.desired;
    const due = roundedShare(inThisRound, slot.share.weight, sum);
    const isOpen = grow(slot, start + Math.min(due, rest));
    if (!isOpen) open ??= slots.slice(0, at);
    else open?.push(slot);
    if (slot.share.desired > start) changed = true;
    rest -= slot.share.desired - start;
  }
  return { rest, open: open ?? slots, changed };
}

/** Brings a cluster to a number of replicas, or to its bounds; whether it stays open for more. */
function grow({ share, bounds: { max, limited, estimated } }: Slot, due: number): boolean {
  let total = due;
  let isOpen = true;
  if (max !== undefined && total > max) {
    total = max;
    share.limit = 'max';
    isOpen = false;
  }
  if (limited !== undefined && total > limited) {
    total = limited;
    share.limit = 'limit';
    isOpen = false;
  }
  if (estimated !== undefined && total > estimated) {
    share.overflow += total - estimated;
    total = estimated;
    share.limit = 'capacity';
    isOpen = false;
  }
  share.desired = total;
  return isOpen;
}

/** `(count × weight + sum − 1) / sum` in whole numbers, cut off towards zero as integers of Go are. */
function roundedShare(count: number, weight: number, sum: number): number {
  const dividend = count * weight + sum - 1;
  if (Math.abs(dividend) <= Number.MAX_SAFE_INTEGER || ![count, weight, sum].every(Number.isInteger)) {
    return Math.trunc(dividend / sum);
  }
  return Number((BigInt(count) * BigInt(weight) + BigInt(sum) - 1n) / BigInt(sum));
}

/** Keeps what is there, and divides only the difference. */
function moveLittle(byHash: readonly Slot[], { current = NO_NUMBERS }: KubeAdmiralInput): KubeAdmiralBasis {
  let difference = 0;
  for (const slot of byHash) difference += slot.share.desired - keep(slot, current);
  if (difference === 0) return 'kept';
  const sign = difference > 0 ? 1 : -1;
  const sources = byHash.filter(({ share }) => sign * (share.desired - share.kept) > 0);
  const moves = sources.map((slot) => {
    const { share, bounds } = slot;
    // Nobody gives more than it has, and of the maximums only a cluster's own counts.
    const room = bounds.isOwn && bounds.max !== undefined ? bounds.max - share.kept : undefined;
    return differenceSlot(slot, { weight: sign * (share.desired - share.kept), max: sign > 0 ? room : share.kept });
  });
  fill(heaviestFirst(moves, weightOf), sign * difference);
  for (const [index, { share }] of sources.entries()) {
    const count = moves[index]?.share.desired ?? 0;
    share.moved = sign > 0 ? count : 0 - count;
  }
  return sign > 0 ? 'scaledUp' : 'scaledDown';
}
