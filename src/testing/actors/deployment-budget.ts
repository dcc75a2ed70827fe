import type { AnyObject } from '../../kube/plain/index.ts';
import { part } from '../kinds/kind.ts';
import { numberIn, scaledValue, specOf, statusOf } from './pod-facts.ts';

export const DESIRED = 'deployment.kubernetes.io/desired-replicas';
export const MOST = 'deployment.kubernetes.io/max-replicas';

export const replicasOf = (object: AnyObject): number => numberIn(specOf(object), 'replicas', 1);
export const isRolling = (deployment: AnyObject): boolean => part(specOf(deployment), 'strategy').type !== 'Recreate';

/** How many pods more, and how many available pods fewer, than it asks for a Deployment may have while it is rolled out. */
export interface Budget {
  readonly surge: number;
  readonly unavailable: number;
}

/** Parts of the surge are rounded up and those of the unavailable down; both can't be nothing (API: apps/v1 RollingUpdateDeployment). */
export function budgetOf(deployment: AnyObject): Budget {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const replicas = replicasOf(deployment);
  const rolling = part(part(specOf(deployment), 'strategy'), 'rollingUpdate');
  const surge = scaledValue(rolling.maxSurge, replicas, true);
  const given = scaledValue(rolling.maxUnavailable, replicas, false);
  const unavailable = surge === 0 && given === 0 ? 1 : given;
  return { surge, unavailable: Math.min(unavailable, replicas) };
}

export const sum = (sets: readonly AnyObject[], count: (set: AnyObject) => number): number =>
  sets.reduce((total, set) => total + count(set), 0);

export const availableOf = (set: AnyObject): number => numberIn(statusOf(set), 'availableReplicas');

/** How many replicas the newest ReplicaSet gets next: as many as the surge leaves room for. */
export function nextReplicas(deployment: AnyObject, all: readonly AnyObject[], current: number): number {
  const wanted = replicasOf(deployment);
  if (!isRolling(deployment)) return wanted;
  const room = wanted + budgetOf(deployment).surge - sum(all, replicasOf);
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** New sizes of ReplicaSets, by name. */
export type Sizes = ReadonlyMap<string, number>;

const NO_SIZES: Sizes = new Map();

/** The sizes of older ReplicaSets, as far as availability lets them shrink: first what isn't available anyway, then the oldest. */
export function shrunkSizes(deployment: AnyObject, fresh: AnyObject, old: readonly AnyObject[]): Sizes {
  const all = [...old, fresh];
  const least = replicasOf(deployment) - budgetOf(deployment).unavailable;
  const most = sum(all, replicasOf) - least - (replicasOf(fresh) - availableOf(fresh));
  if (sum(old, replicasOf) === 0 || most <= 0) return NO_SIZES;
  const sizes = new Map<string, number>();
  const size = (set: AnyObject): number => sizes.get(set.metadata.name) ?? replicasOf(set);
  let unhealthy = most;
  for (const set of old) {
    const less = Math.min(unhealthy, Math.max(0, size(set) - availableOf(set)));
    if (less > 0) sizes.set(set.metadata.name, size(set) - less);
    unhealthy -= less;
  }
  let spare = sum(all, availableOf) - least;
  for (const set of old) {
    const less = Math.min(Math.max(0, spare), size(set));
    if (less > 0) sizes.set(set.metadata.name, size(set) - less);
    spare -= less;
  }
  return sizes;
}

/**
 * Sizes after a change of `spec.replicas`: of the one active ReplicaSet, or of all of them in proportion to their size, so that a rollout that
 * is under way goes neither faster nor slower.
 */
export function scaledSizes(deployment: AnyObject, fresh: AnyObject | undefined, old: readonly AnyObject[]): Sizes {
  const wanted = replicasOf(deployment);
  const all = fresh === undefined ? old : [...old, fresh];
  const active = all.filter((set) => replicasOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? fresh ?? old.at(-1);
    return only === undefined ? NO_SIZES : new Map([[only.metadata.name, wanted]]);
  }
  if (fresh !== undefined && isSaturated(deployment, fresh))
    return new Map(active.filter((set) => set !== fresh).map((set) => [set.metadata.name, 0]));
  return isRolling(deployment) ? proportionalSizes(deployment, active) : NO_SIZES;
}

function isSaturated(deployment: AnyObject, set: AnyObject): boolean {
  const wanted = replicasOf(deployment);
  return replicasOf(set) === wanted && annotated(set, DESIRED) === wanted && availableOf(set) === wanted;
}

/** The number in an annotation. */
export function annotated(object: AnyObject, name: string): number | undefined {
  const text = object.metadata.annotations?.[name];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

function proportionalSizes(deployment: AnyObject, active: readonly AnyObject[]): Sizes {
  const wanted = replicasOf(deployment);
  const most = wanted > 0 ? wanted + budgetOf(deployment).surge : 0;
  const toAdd = most - sum(active, replicasOf);
  // Of equals, newer ones grow first and older ones shrink first. The list is given from old to new.
  const ordered = (toAdd > 0 ? active.toReversed() : active).toSorted((a, b) => replicasOf(b) - replicasOf(a));
  let added = 0;
  const sizes = ordered.map((set): [string, number] => {
    const share = toAdd === 0 ? 0 : shareOf(set, deployment, toAdd, added);
    added += share;
    return [set.metadata.name, replicasOf(set) + share];
  });
  // What rounding leaves over goes to the largest.
  return new Map(sizes.map(([name, size], index) => [name, index === 0 ? Math.max(0, size + toAdd - added) : size]));
}

function shareOf(set: AnyObject, deployment: AnyObject, toAdd: number, added: number): number {
  const size = replicasOf(set);
  const allowed = toAdd - added;
  if (size === 0 || allowed === 0) return 0;
  const fraction = replicasOf(deployment) === 0 ? -size : proportionOf(set, deployment);
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function proportionOf(set: AnyObject, deployment: AnyObject): number {
  const before = annotated(set, MOST) || numberIn(statusOf(deployment), 'replicas');
  if (before === 0) return 0;
  const exact = (replicasOf(set) * (replicasOf(deployment) + budgetOf(deployment).surge)) / before;
  return Math.round(exact) - replicasOf(set);
}
