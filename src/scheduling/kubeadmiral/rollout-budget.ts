import { ClustersetError } from '../../kube/index.ts';

/** How far a rollout may stray from the number of replicas, in pods: for a fleet, or for one member. */
export interface RolloutBudget {
  /** Pods above it. */
  readonly maxSurge: number;
  /** Pods below it that are available. */
  readonly maxUnavailable: number;
}

/** `spec.strategy.rollingUpdate` of a Deployment: numbers of pods, or percentages of the replicas (API: apps/v1). */
export interface RollingUpdate {
  /** Default 0, not the 25 % that an API server writes into a Deployment: what is read from one has it already. */
  readonly maxSurge?: number | string;
  /** Default 0, likewise. */
  readonly maxUnavailable?: number | string;
}

/**
 * The budget in pods, as the Deployment controller counts it: a percentage of surge rounds up, one of unavailability down, and where both
 * come to 0 one pod may be unavailable. Less than 0 counts as 0.
 *
 * @throws ClustersetError `Invalid` for a text that is no whole percentage.
 */
export function rolloutBudget({ maxSurge = 0, maxUnavailable = 0 }: RollingUpdate, replicas: number): RolloutBudget {
  const surge = Math.ceil(podsOf('maxSurge', maxSurge, replicas));
  const unavailable = Math.floor(podsOf('maxUnavailable', maxUnavailable, replicas));
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: 1 };
  return { maxSurge: Math.max(0, surge), maxUnavailable: Math.max(0, unavailable) };
}

function podsOf(field: string, value: number | string, replicas: number): number {
  if (typeof value === 'number') return value;
  const percent = /^([+-]?\d+)%$/.exec(value)?.[1];
  if (percent === undefined) {
    throw new ClustersetError({
      code: 'Invalid',
      message: `"${value}" is neither a number nor a percentage`,
      field,
      mend: 'write a number of pods, or a whole percentage such as "25%"',
    });
  }
  return (Number(percent) * replicas) / 100;
}
