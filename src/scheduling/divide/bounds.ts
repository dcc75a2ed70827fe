import { ClustersetError } from '../../kube/index.ts';
import type { DivisionCluster, DivisionLimit } from './divide.ts';

/** What a cluster must and may get, and what says so. */
export interface Bounds {
  readonly cluster: DivisionCluster;
  readonly least: number;
  readonly most: number;
  /** What `most` comes from; nothing where it is endless. */
  readonly limit: DivisionLimit | undefined;
  /** Whether it may have as many even where it weighs nothing: they are its own. */
  readonly isOwn: boolean;
}

/**
 * The bounds of a cluster by what is wished and what there is room for. Where they contradict each other, a minimum gives way to the room.
 *
 * @throws ClustersetError `Invalid` for numbers that make no sense.
 */
export function boundsOf(cluster: DivisionCluster): Bounds {
  check(cluster);
  const { minReplicas = 0, maxReplicas = Number.POSITIVE_INFINITY, room, current = 0, mayGrow = true } = cluster;
  let most = maxReplicas;
  let limit: DivisionLimit | undefined = Number.isFinite(maxReplicas) ? 'Max' : undefined;
  if (room !== undefined && current + room < most) [most, limit] = [current + room, 'Room'];
  if (!mayGrow && current < most) [most, limit] = [current, 'NoMore'];
  return { cluster, least: Math.min(minReplicas, most), most, limit, isOwn: false };
}

function check(cluster: DivisionCluster): void {
  const { name, minReplicas = 0, maxReplicas = minReplicas, room = 0, current = 0, weight = 1, tier = 0 } = cluster;
  if (!(isCount(minReplicas) && isCount(maxReplicas) && isCount(room) && isCount(current))) {
    const [field, value] = Object.entries({ minReplicas, maxReplicas, room, current }).find(([, each]) => !isCount(each)) ?? [];
    throw invalid(name, `${field}`, value, 'give a whole number that is not negative');
  }
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
    throw invalid(name, 'weight', weight, 'give a number that is not negative');
  if (!Number.isInteger(tier)) throw invalid(name, 'tier', tier, 'give a whole number');
  if (minReplicas > maxReplicas) {
    throw invalid(name, 'minReplicas', minReplicas, `it is more than maxReplicas, ${maxReplicas}; let one of them give way`);
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function invalid(cluster: string, field: string, value: number | undefined, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `${field} of cluster "${cluster}" is ${value}`, cluster, field, mend });
}

/**
 * Narrows bounds so that what runs stays where it is, as far as the total and the bounds allow: to grow nobody gives, to shrink nobody gets.
 */
export function keepRunning(bounds: readonly Bounds[], total: number): readonly Bounds[] {
  const kept = bounds.map(({ cluster: { current = 0 }, least, most }) => Math.min(Math.max(current, least), most));
  const grows = kept.reduce((sum, each) => sum + each, 0) <= total;
  return bounds.map((each, index) => {
    const stays = kept[index] ?? 0;
    if (grows) return stays > each.least ? { ...each, least: stays } : each;
    const limit = stays < each.most ? 'Kept' : each.limit;
    return { ...each, most: stays, limit, isOwn: true };
  });
}

/** Where not even the minimums can be met, they are what each gets at most. */
export function meetMinimums(bounds: readonly Bounds[], total: number): readonly Bounds[] {
  const sum = bounds.reduce((least, each) => least + each.least, 0);
  if (sum <= total) return bounds;
  return bounds.map((each) => ({ ...each, least: 0, most: each.least, limit: 'MinimumsTooMany' as const, isOwn: true }));
}
