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

/** What {@link divideKubeAdmiralBinpack} decides from. Candidates stand in the order in which they are filled. */
export interface KubeAdmiralBinpackInput extends KubeAdmiralInput {
  /** Replicas that are known to be scheduled in the members, by cluster. Default: nothing is known, and nothing is waited for. */
  readonly scheduledReplicas?: ReadonlyMap<string, number>;
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map();

/**
 * Packs replicas into as few clusters as possible exactly as KubeAdmiral's planner for `replicasStrategy: Binpack` does (v1.0.0 and the
 * commits after it), and says why. Minimums come first, then each cluster is filled before the next. With `avoidDisruption` what is placed
 * stays, additions come in the same order and reductions in the reverse one.
 *
 * What surprises, and is so in the original:
 *
 * - Nothing is planned as long as a cluster's scheduled replicas differ from its estimated capacity (or, without one, from what it was
 *   given), unless a cluster was lost or has more than its limit.
 * - When all replicas run in members, and pending ones needn't be kept, the numbers of the members are taken, even beyond a limit.
 * - When scaling up, a minimum counts once more on top of what is there, and the limit isn't reduced by what is there.
 * - The difference is counted from the total, not from what is due: where room is short, a reduction can end up adding replicas.
 * - Weights and the preference `*` mean nothing; a candidate without a preference takes whatever fits.
 *
 * How the order of priorities comes about (ties of priority, and clusters without one) isn't decided here but by whoever lists the candidates.
 * Numbers aren't checked.
 */
export function divideKubeAdmiralBinpack(input: KubeAdmiralBinpackInput): KubeAdmiralPlan {
  const { totalReplicas, current = NO_NUMBERS, scheduledReplicas = NO_NUMBERS } = input;
  const { avoidDisruption = true, keepUnschedulable = false } = input;
  const slots = input.candidates.map(slotMaker(input, undefined));
  if (!isKnown(input)) return asIs('waiting', slots, input, current);
  pack(slots, totalReplicas);
  let pending = totalReplicas;
  for (const { share, bounds } of slots) {
    const { limited } = bounds;
    const running = scheduledReplicas.get(share.cluster);
    if (running !== undefined) pending -= limited !== undefined && limited < running ? limited : running;
  }
  const isTrimmed = avoidDisruption && !keepUnschedulable;
  if (isTrimmed && pending === 0) return asIs('settled', slots, input, scheduledReplicas);
  const basis = avoidDisruption ? moveLittle(slots, input) : 'preferences';
  const most = isTrimmed ? Math.max(0, pending) : Number.POSITIVE_INFINITY;
  return planOf(slots, basis, totalReplicas, most);
}

/** Counts that somebody else has settled, whatever is due. */
function asIs(
  basis: KubeAdmiralBasis,
  slots: readonly Slot[],
  { totalReplicas }: KubeAdmiralInput,
  counts: ReadonlyMap<string, number>,
): KubeAdmiralPlan {
  for (const { share } of slots) share.kept = counts.get(share.cluster) ?? 0;
  return planOf(slots, basis, totalReplicas, 0);
}

/** Whether there is anything to plan with: it is known what became of earlier replicas, or the plan can't stay anyway. */
function isKnown(input: KubeAdmiralBinpackInput): boolean {
  const { candidates, current = NO_NUMBERS, limitedCapacity = NO_NUMBERS } = input;
  const { estimatedCapacity = NO_NUMBERS, scheduledReplicas = NO_NUMBERS } = input;
  const names = new Set(candidates);
  for (const [cluster, replicas] of current) {
    if (!names.has(cluster) || replicas > (limitedCapacity.get(cluster) ?? replicas)) return true;
  }
  for (const [cluster, replicas] of scheduledReplicas) {
    if (replicas !== (estimatedCapacity.get(cluster) ?? current.get(cluster) ?? 0)) return false;
  }
  return true;
}

/** Minimums, then one cluster after the other. */
function pack(slots: readonly Slot[], total: number): void {
  let rest = giveMinimums(slots, total);
  for (const { share, bounds } of slots) {
    const { max, limited, estimated } = bounds;
    let count = share.desired + rest;
    if (max !== undefined && count > max) {
      count = max;
      share.limit = 'max';
    }
    if (limited !== undefined && count > limited) {
      count = limited;
      share.limit = 'limit';
    }
    if (estimated !== undefined && count > estimated) {
      share.overflow = Math.max(count - estimated, share.overflow);
      count = estimated;
      share.limit = 'capacity';
    }
    rest -= count - share.desired;
    share.desired = count;
  }
}

/** Keeps what is there, and packs only the difference; that is counted from the total, whatever is due. */
function moveLittle(slots: readonly Slot[], { current = NO_NUMBERS, totalReplicas }: KubeAdmiralInput): KubeAdmiralBasis {
  let placed = 0;
  let due = 0;
  for (const slot of slots) {
    placed += keep(slot, current);
    due += slot.share.desired;
  }
  if (placed === due) return 'kept';
  const sign = placed < due ? 1 : -1;
  const inOrder = slots.filter(({ share }) => sign * (share.desired - share.kept) > 0);
  const sources = sign > 0 ? inOrder : inOrder.toReversed();
  const moves = sources.map((slot) => {
    const { min, max, limited } = slot.bounds;
    const { kept } = slot.share;
    if (sign < 0) return differenceSlot(slot, { max: kept });
    return differenceSlot(slot, { min, max: max === undefined ? undefined : max - kept, limited });
  });
  pack(moves, sign * (totalReplicas - placed));
  for (const [index, { share }] of sources.entries()) {
    const count = moves[index]?.share.desired ?? 0;
    share.moved = sign > 0 ? count : 0 - count;
  }
  return sign > 0 ? 'scaledUp' : 'scaledDown';
}
