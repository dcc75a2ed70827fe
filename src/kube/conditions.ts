/** An aspect of an object's state (API: meta/v1 Condition, of which only type and status are certain). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown' | (string & {});
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

/** The condition of a type, or nothing. */
export function findCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether the condition of a type is there and True. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with one condition set. `lastTransitionTime` becomes `now` (RFC 3339) only when the status changes, as for Kubernetes' own
 * conditions; when nothing changes, the very same list comes back, so that a caller can see that there is nothing to write.
 */
export function setCondition<C extends Condition>(conditions: readonly C[], next: C, now: string): readonly C[] {
  const index = conditions.findIndex((condition) => condition.type === next.type);
  const old = conditions[index];
  const transition = old !== undefined && old.status === next.status ? (old.lastTransitionTime ?? now) : now;
  const settled: C = { ...next, lastTransitionTime: transition };
  if (old === undefined) return [...conditions, settled];
  return isSame(old, settled) ? conditions : conditions.with(index, settled);
}

function isSame(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration &&
    a.lastTransitionTime === b.lastTransitionTime
  );
}
