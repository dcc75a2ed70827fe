import type { AnyObject } from '../../kube/plain/index.ts';
import { isReady, withDisruptionCondition } from '../api/disruptions.ts';
import { type Fields, part } from '../kinds/kind.ts';

/** What of the pods of a budget counts. */
export interface Covered {
  readonly pods: readonly AnyObject[];
  /** How many replicas their controllers want, all together. */
  readonly wanted: number;
}

/** Milliseconds after which an eviction that has come to nothing is forgotten. */
export const FORGET_MS = 120_000;

/** The status of a budget, counted anew (API: policy/v1 PodDisruptionBudget; KEP-85). */
export function budgetStatus(budget: AnyObject, { pods, wanted }: Covered, now: number, time: string): Fields {
  const { minAvailable, maxUnavailable } = part(budget, 'spec');
  const expectedPods = maxUnavailable === undefined && typeof minAvailable !== 'string' ? pods.length : wanted;
  const desiredHealthy =
    maxUnavailable === undefined
      ? share(minAvailable, expectedPods)
      : Math.max(0, expectedPods - share(maxUnavailable, expectedPods));
  const before = part(budget, 'status');
  const disruptedPods = stillDisrupted(part(before, 'disruptedPods'), pods, now);
  const healthy = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && disruptedPods[pod.metadata.name] === undefined && isReady(pod),
  );
  const spare = expectedPods <= 0 ? 0 : Math.max(0, healthy.length - desiredHealthy);
  const { disruptedPods: _, ...rest } = before;
  const status = {
    ...rest,
    observedGeneration: budget.metadata.generation ?? 0,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    disruptionsAllowed: spare,
    currentHealthy: healthy.length,
    desiredHealthy,
    expectedPods,
  };
  return withDisruptionCondition(status, time);
}

/** A number, or a part of the whole, rounded up. */
function share(value: unknown, of: number): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? Math.ceil((Number.parseInt(value, 10) * of) / 100) : 0;
}

function stillDisrupted(disrupted: Fields, pods: readonly AnyObject[], now: number): Fields {
  const isThere = (name: string): boolean =>
    pods.some(({ metadata }) => metadata.name === name && metadata.deletionTimestamp === undefined);
  return Object.fromEntries(
    Object.entries(disrupted).filter(([name, since]) => isThere(name) && Date.parse(String(since)) + FORGET_MS > now),
  );
}
