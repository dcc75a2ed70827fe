import type { WaveObservation } from './contract.ts';

/** How far a cluster is with a revision. Times are milliseconds since 1970. */
export type Progress =
  /** It has another revision, or none. `isBroken`: and what it has isn't ready. */
  | { readonly state: 'Pending'; readonly isNew: boolean; readonly isBroken: boolean }
  /** It isn't ready. `failsAt`: when that becomes a failure. */
  | { readonly state: 'Updating'; readonly failsAt: number | undefined }
  /** It is ready, until `doneAt` not for long enough; nothing: nobody knows since when. */
  | { readonly state: 'Settling'; readonly doneAt: number | undefined }
  | { readonly state: 'Failed' }
  /** `since`: nothing where it isn't known. */
  | { readonly state: 'Done'; readonly since: number | undefined };

/** What progress is judged by. */
export interface ProgressRules {
  readonly revision: string;
  readonly minReadyMs: number;
  readonly deadlineMs: number | undefined;
  /** Nothing: no time passes. */
  readonly now: number | undefined;
}

/** How far a cluster is. */
export function progressOf(observed: WaveObservation | undefined, rules: ProgressRules): Progress {
  if (observed?.revision === undefined) return { state: 'Pending', isNew: true, isBroken: false };
  if (observed.revision !== rules.revision) return { state: 'Pending', isNew: false, isBroken: !observed.ready };
  if (observed.failed === true) return { state: 'Failed' };
  return observed.ready ? whenReady(observed, rules) : whenNotReady(observed, rules);
}

/** It may have been ready with another revision before: what came before this one was written doesn't count. */
function whenReady({ readySince, updatedAt }: WaveObservation, { minReadyMs, now }: ProgressRules): Progress {
  const ready = timeOf(readySince);
  const since = ready === undefined ? undefined : Math.max(ready, timeOf(updatedAt) ?? ready);
  if (minReadyMs <= 0) return { state: 'Done', since };
  const doneAt = since === undefined ? undefined : since + minReadyMs;
  const isLongEnough = doneAt !== undefined && now !== undefined && now >= doneAt;
  return isLongEnough ? { state: 'Done', since: doneAt } : { state: 'Settling', doneAt };
}

/** The deadline counts from when it was given the revision, or from when it fell back. */
function whenNotReady({ updatedAt, unreadySince }: WaveObservation, { deadlineMs, now }: ProgressRules): Progress {
  const times = [timeOf(updatedAt), timeOf(unreadySince)].filter((time) => time !== undefined);
  if (deadlineMs === undefined || times.length === 0) return { state: 'Updating', failsAt: undefined };
  const failsAt = Math.max(...times) + deadlineMs;
  return now !== undefined && now >= failsAt ? { state: 'Failed' } : { state: 'Updating', failsAt };
}

/** Milliseconds; nothing for what is no time. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Most that a Date holds. */
const LAST_MS = 8.64e15;

/** RFC 3339; nothing beyond the end of time. */
export function textOf(time: number | undefined): string | undefined {
  return time === undefined || Math.abs(time) > LAST_MS ? undefined : new Date(time).toISOString();
}
