import type { ClusterEntry } from '../../registry/index.ts';
import type { Toleration } from '../policy/api.ts';

/** A taint of a cluster. */
export type ClusterTaint = NonNullable<ClusterEntry['taints']>[number];

/** Latest time that a date can hold, in milliseconds since 1970. */
const LAST_DATE = 8.64e15;
const RFC_3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})$/;
/** Before every date, and after {@link NEVER}. */
const BEFORE_ALL = -LAST_DATE;

/** {@link toleratedUntil} of a taint that no toleration matches. */
export const NEVER: number = Number.NEGATIVE_INFINITY;

/** Taints that preferences are for: they cost a cluster score and keep nothing away. */
export function isPreference({ effect }: ClusterTaint): boolean {
  return effect === 'PreferNoSelect' || effect === 'PreferNoSchedule';
}

/** Whether a taint also drives away what runs; the other ones only keep new replicas away. */
export function evicts({ effect }: ClusterTaint): boolean {
  return effect === 'NoSelect' || effect === 'NoExecute';
}

/**
 * Whether a toleration is for a taint (API: core/v1 Toleration). An empty key stands for every key, an empty effect for every effect;
 * `Equal`, which is the default, compares the value, where an absent one is empty; `Exists` doesn't look at it.
 */
export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: AnyToleration,
  taint: { readonly key: string; readonly value?: string; readonly effect: string },
): boolean {
  // A program that writes every field leaves those empty that it says nothing in.
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return (operator === 'Equal' || operator === '') && value === (taint.value ?? '');
}

/** The part of a toleration that says which taints it is for: of clusters as of nodes. */
interface AnyToleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/**
 * Until when a taint is tolerated, in milliseconds since 1970: `Infinity` for ever, {@link NEVER} where no toleration matches.
 *
 * Seconds count from the taint's `timeAdded`, and only for `NoExecute` (API: core/v1), `NoSelect` and `PreferNoSelect` (API: OCM
 * Placement): for the other effects they mean nothing. No seconds are no time at all, as are fewer than none; where `timeAdded` is missing
 * or no time, they can't be counted, and the taint is tolerated.
 *
 * Of several tolerations that match the longest one counts: each says that the taint doesn't matter, and one more must not make it matter.
 * Kubernetes' own eviction takes the first one in the list instead.
 */
export function toleratedUntil(taint: ClusterTaint, tolerations: readonly Toleration[]): number {
  let end = NEVER;
  for (const toleration of tolerations) {
    if (tolerates(toleration, taint)) end = Math.max(end, endOf(toleration, taint));
  }
  return end;
}

function endOf({ tolerationSeconds }: Toleration, taint: ClusterTaint): number {
  const isTimed = evicts(taint) || taint.effect === 'PreferNoSelect';
  if (tolerationSeconds === undefined || tolerationSeconds === null || !isTimed) return Number.POSITIVE_INFINITY;
  if (tolerationSeconds <= 0) return NEVER;
  const end = timeOf(taint.timeAdded) + tolerationSeconds * 1000;
  // NaN is not below anything: what can't be counted doesn't end.
  return end <= LAST_DATE ? end : Number.POSITIVE_INFINITY;
}

/** The time in milliseconds since 1970; before every date where it isn't known, so that no time has passed yet. */
export function millisecondsOf(now: string | undefined): number {
  const time = timeOf(now);
  return Number.isNaN(time) ? BEFORE_ALL : time;
}

/** Milliseconds since 1970 of an RFC 3339 time; NaN for anything else. Times without an offset would be those of the machine. */
export function timeOf(text: string | undefined): number {
  return text !== undefined && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
}

/** The time as Kubernetes writes it: RFC 3339, with a fraction only where there is one. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}
