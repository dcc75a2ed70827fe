/** What a member runs, as its Deployment says. */
export interface RolloutObservation {
  /** `spec.replicas`. */
  readonly replicas: number;
  /** `status.replicas`: all pods, of every template. */
  readonly actual: number;
  /** `status.availableReplicas`. */
  readonly available: number;
  /** Whether the member has the newest template. */
  readonly isUpdated: boolean;
  /** Pods of the newest template; 0 as long as the member hasn't got it. */
  readonly updated: number;
  readonly updatedAvailable: number;
  /** Pods of the template that the member has, be it the newest or not. */
  readonly currentNew: number;
  readonly currentNewAvailable: number;
  /** The member's own `maxSurge`, in pods. */
  readonly maxSurge: number;
  /** The member's own `maxUnavailable`, in pods. */
  readonly maxUnavailable: number;
}

/** One cluster of a rollout. */
export interface RolloutTarget {
  readonly cluster: string;
  /** Replicas that it should have in the end. */
  readonly desired: number;
  /** Absent where the member has nothing yet. */
  readonly observed?: RolloutObservation;
}

/** More replicas (`out`), fewer (`in`), or as many as now (`update`). */
export type RolloutDirection = 'out' | 'in' | 'update';

/** A target with what follows from what is observed. */
export interface Slot extends RolloutObservation {
  readonly cluster: string;
  readonly desired: number;
  readonly direction: RolloutDirection;
  /** Pods of the newest template that are missing. */
  readonly toUpdate: number;
  /** The same, counting those alone that are available. */
  readonly toUpdateAvailable: number;
  /** Whether the member replaces pods right now. */
  readonly isUpdating: boolean;
  /** What of the budget the member uses already, or may use at any moment. */
  readonly leastSurge: number;
  readonly leastUnavailable: number;
  /** The member replaces pods by adding first. */
  readonly addsFirst: boolean;
}

const NOTHING: RolloutObservation = {
  replicas: 0,
  actual: 0,
  available: 0,
  isUpdated: false,
  updated: 0,
  updatedAvailable: 0,
  currentNew: 0,
  currentNewAvailable: 0,
  maxSurge: 0,
  maxUnavailable: 0,
};

export function slotOf({ cluster, desired, observed = NOTHING }: RolloutTarget): Slot {
  const { replicas, actual, available, isUpdated, currentNew, currentNewAvailable, maxSurge, maxUnavailable } = observed;
  const toUpdate = lack(replicas, observed.updated);
  const isUpdating = currentNew < replicas || (isUpdated && toUpdate > 0);
  const surplus = lack(actual, replicas);
  const missing = lack(replicas, available);
  const mayAdd = Math.min(maxSurge, surplus + lack(replicas, currentNew));
  const mayLack = Math.min(maxUnavailable, lack(replicas, currentNewAvailable));
  return {
    ...observed,
    cluster,
    desired,
    direction: directionOf(desired, replicas),
    toUpdate,
    toUpdateAvailable: lack(replicas, observed.updatedAvailable),
    isUpdating,
    leastSurge: isUpdating ? Math.max(surplus, mayAdd) : surplus,
    leastUnavailable: isUpdating ? Math.max(missing, mayLack) : missing,
    addsFirst: maxSurge !== 0 && maxUnavailable === 0,
  };
}

function lack(of: number, have: number): number {
  return Math.max(0, of - have);
}

function directionOf(desired: number, replicas: number): RolloutDirection {
  if (desired === replicas) return 'update';
  return desired > replicas ? 'out' : 'in';
}
