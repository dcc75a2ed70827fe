import { ClustersetError } from '../../kube/index.ts';
import type { Bidder } from './apportion.ts';
import type { DivisionCluster, DivisionLimit } from './divide.ts';

/** A cluster that bids for replicas: what it must and may get, and what says so. */
export interface Bounds extends Bidder {
  readonly tier: number;
  /** What `most` comes from; nothing where it is endless. */
  readonly limit: DivisionLimit | undefined;
}

/** Whoever weighs nothing comes after all others where minimums are cut, or what runs. */
export const FEATHER: number = 2 ** -60;
/** Weights beyond can't be told apart, and their sum might not be a number. */
const LARGEST_WEIGHT = Number.MAX_SAFE_INTEGER;
/** Weights below are nothing beside others. */
const SMALLEST_WEIGHT = 2 ** -50;

/**
 * The bounds of a cluster by what is wished and what there is room for. Where they contradict each other, a minimum gives way to the room.
 *
 * @throws ClustersetError `Invalid` for numbers that make no sense.
 */
export function boundsOf(cluster: DivisionCluster, weight: number): Bounds {
  check(cluster);
  const { name, minReplicas = 0, maxReplicas = Number.POSITIVE_INFINITY, room, current = 0, mayGrow = true, tier = 0 } = cluster;
  let most = maxReplicas;
  let limit: DivisionLimit | undefined = Number.isFinite(maxReplicas) ? 'Max' : undefined;
  if (room !== undefined && current + room < most) [most, limit] = [current + room, 'Room'];
  if (!mayGrow && current < most) [most, limit] = [current, 'NoMore'];
  return { name, weight, least: Math.min(minReplicas, most), most, held: current, tier, limit };
}

function check(cluster: DivisionCluster): void {
  const { name, minReplicas = 0, maxReplicas = minReplicas, room = 0, current = 0, weight = 1, tier = 0 } = cluster;
  if (!(isCount(minReplicas) && isCount(maxReplicas) && isCount(room) && isCount(current))) {
    const [field, value] = Object.entries({ minReplicas, maxReplicas, room, current }).find(([, each]) => !isCount(each)) ?? [];
    throw invalid(name, `${field}`, value, 'give a whole number that is not negative');
  }
  if (!(weight === 0 || (weight >= SMALLEST_WEIGHT && weight <= LARGEST_WEIGHT)))
    throw invalid(name, 'weight', weight, 'give 0, or a number between 2^-50 and 2^53');
  if (!Number.isInteger(tier)) throw invalid(name, 'tier', tier, 'give a whole number');
  if (minReplicas > maxReplicas) {
    throw invalid(name, 'minReplicas', minReplicas, `it is more than maxReplicas, ${maxReplicas}; let one of them give way`);
  }
}

/** Beyond safe integers adding one changes nothing. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function invalid(cluster: string, field: string, value: number | undefined, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `${field} of cluster "${cluster}" is ${value}`, cluster, field, mend });
}

/**
 * Narrows bounds so that what runs stays where it is, as far as the total and the bounds allow: to grow nobody gives, to shrink nobody gets.
 */
export function keepRunning(bounds: readonly Bounds[], total: number): readonly Bounds[] {
  const kept = bounds.map(({ held, least, most }) => Math.min(Math.max(held, least), most));
  const grows = kept.reduce((sum, each) => sum + each, 0) <= total;
  return bounds.map((each, index) => {
    const stays = kept[index] ?? 0;
    if (grows) return stays > each.least ? { ...each, least: stays } : each;
    const limit = stays < each.most ? 'Kept' : each.limit;
    return { ...each, most: stays, limit, weight: each.weight || FEATHER };
  });
}

/** Where not even the minimums can be met, they are what each gets at most. */
export function meetMinimums(bounds: readonly Bounds[], total: number): readonly Bounds[] {
  let sum = 0;
  for (const { least } of bounds) sum += least;
  if (sum <= total) return bounds;
  return bounds.map((each) => {
    return { ...each, least: 0, most: each.least, limit: 'MinimumsTooMany' as const, weight: each.weight || FEATHER };
  });
}
