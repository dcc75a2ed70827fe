import { compareText } from '../../kube/index.ts';
import { hashOrder } from '../kubefed/hash-order.ts';
import {
  differenceSlot,
  giveMinimums,
  type KubeAdmiralBasis,
  type KubeAdmiralInput,
  type KubeAdmiralPlan,
  keep,
  planOf,
  type Slot,
  shareOf,
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
    if (slot?.preferred) byHash.push(slot);
  }
  const rest = fill(byWeight(byHash), totalReplicas);
  const basis = avoidDisruption ? moveLittle(byHash, input) : 'preferences';
  const most = avoidDisruption && !keepUnschedulable ? Math.max(0, rest) : Number.POSITIVE_INFINITY;
  const shares = slots.map((slot) => shareOf(slot, basis, Math.min(slot.overflow, most)));
  return planOf(basis, shares, totalReplicas);
}

/** By name and each once: checked first, for they mostly are. */
function sortedNames(candidates: readonly string[]): readonly string[] {
  for (let at = 1; at < candidates.length; at += 1) {
    if ((candidates[at - 1] ?? '') >= (candidates[at] ?? '')) return [...new Set(candidates)].sort(compareText);
  }
  return candidates;
}

/** Heaviest first; of the same weight, as they were. Weights are few and clusters many, so clusters go into buckets. */
function byWeight(byHash: readonly Slot[]): readonly Slot[] {
  const buckets = new Map<number, Slot[]>();
  for (const slot of byHash) {
    const bucket = buckets.get(slot.weight);
    if (bucket === undefined) buckets.set(slot.weight, [slot]);
    else bucket.push(slot);
  }
  if (buckets.size <= 1) return byHash;
  const weights = Float64Array.from(buckets.keys()).sort().reverse();
  return Array.from(weights).flatMap((weight) => buckets.get(weight) ?? []);
}

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
  for (const { weight } of slots) sum += weight;
  if (sum <= 0) return { rest, open: slots, changed };
  const open: Slot[] = [];
  for (const slot of slots) {
    const start = slot.replicas;
    const due = roundedShare(inThisRound, slot.weight, sum);
    if (grow(slot, start + Math.min(due, rest))) open.push(slot);
    if (slot.replicas > start) changed = true;
    rest -= slot.replicas - start;
  }
  return { rest, open, changed };
}

/** Brings a cluster to a number of replicas, or to its bounds; whether it stays open for more. */
function grow(slot: Slot, due: number): boolean {
  const { max, limited, estimated } = slot;
  let total = due;
  let isOpen = true;
  if (max !== undefined && total > max) {
    total = max;
    slot.limit = 'max';
    isOpen = false;
  }
  if (limited !== undefined && total > limited) {
    total = limited;
    slot.limit = 'limit';
    isOpen = false;
  }
  if (estimated !== undefined && total > estimated) {
    slot.overflow += total - estimated;
    total = estimated;
    slot.limit = 'capacity';
    isOpen = false;
  }
  slot.replicas = total;
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
  for (const slot of byHash) difference += slot.replicas - keep(slot, current);
  if (difference === 0) return 'kept';
  const sign = difference > 0 ? 1 : -1;
  const sources = byHash.filter(({ replicas, kept }) => sign * (replicas - kept) > 0);
  const moves = sources.map((slot) => {
    // Nobody gives more than it has, and of the maximums only a cluster's own counts.
    const room = slot.isOwn && slot.max !== undefined ? slot.max - slot.kept : undefined;
    return differenceSlot(slot, { weight: sign * (slot.replicas - slot.kept), max: sign > 0 ? room : slot.kept });
  });
  fill(byWeight(moves), sign * difference);
  for (const [index, slot] of sources.entries()) {
    const count = moves[index]?.replicas ?? 0;
    slot.moved = sign > 0 ? count : 0 - count;
  }
  return sign > 0 ? 'scaledUp' : 'scaledDown';
}
