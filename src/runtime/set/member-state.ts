import type { HealthThresholds } from '../../kube/plain/index.ts';

/**
 * How a member of a set is doing:
 *
 * - `joining`: there is no connection yet, or it has not been asked yet.
 * - `ready`: it says that it is ready.
 * - `degraded`: it answers, but does not say that it is ready, or does not let us in.
 * - `unreachable`: it gives no answer, or no connection can be made.
 * - `leaving`: the set has let go of it; whoever was engaged with it finishes.
 */
export type MemberState = 'joining' | 'ready' | 'degraded' | 'unreachable' | 'leaving';

/** The states that looks at a member lead to. */
export type SeenState = 'ready' | 'degraded' | 'unreachable';

/** What one look at a member has shown. */
export interface Look {
  readonly seen: SeenState;
  /** Why it isn't ready, in words; empty where it is. */
  readonly reason: string;
}

/** What is thought of a member after some looks, and how many looks in a row said what. Plain data; made by {@link nextState} only. */
export interface Standing {
  readonly state: SeenState;
  /** The first reason for this state: others that follow would be news to everybody who listens, again and again. */
  readonly reason: string;
  /** How many of the last looks in a row were good, or bad: one of the two is 0. No more is counted than the thresholds ask for. */
  readonly good: number;
  readonly bad: number;
  /** How many of the last looks in a row were answered, or not: one of the two is 0. */
  readonly answered: number;
  readonly silent: number;
  /** Why it was degraded when it was last. */
  readonly complaint: string;
}

/**
 * Takes one look in, as {@link healthAfter} does for a yes and a no: the first is believed, a single slip changes nothing, and only looks in a
 * row change a mind.
 *
 * - `ready` ends after `failures` bad looks in a row: `unreachable` where none of them was answered, `degraded` where any was.
 * - `degraded` becomes `unreachable` after `failures` looks in a row without an answer, and `unreachable` becomes `degraded` after as many that
 *   were answered, the last of which was bad.
 * - Both become `ready` after `successes` good looks in a row.
 */
export function nextState(before: Standing | undefined, look: Look, thresholds: HealthThresholds): Standing {
  const most = Math.max(thresholds.failures, thresholds.successes);
  const isGood = look.seen === 'ready';
  const isSilent = look.seen === 'unreachable';
  const counted = (holds: boolean, count = 0): number => (holds ? Math.min(count + 1, most) : 0);
  const counts = {
    good: counted(isGood, before?.good),
    bad: counted(!isGood, before?.bad),
    answered: counted(!isSilent, before?.answered),
    silent: counted(isSilent, before?.silent),
    complaint: look.seen === 'degraded' ? look.reason : (before?.complaint ?? ''),
  };
  if (before === undefined) return { ...counts, state: look.seen, reason: look.reason };
  const state = stateAfter(before.state, counts, look.seen, thresholds);
  if (state === before.state) return { ...counts, state, reason: before.reason };
  return { ...counts, state, reason: state === 'degraded' ? counts.complaint : look.reason };
}

function stateAfter(
  state: SeenState,
  { good, bad, answered, silent }: Pick<Standing, 'good' | 'bad' | 'answered' | 'silent'>,
  seen: SeenState,
  { successes, failures }: HealthThresholds,
): SeenState {
  if (good > 0 && good >= successes) return 'ready';
  if (silent > 0 && silent >= failures) return 'unreachable';
  if (state === 'ready') return bad > 0 && bad >= failures ? 'degraded' : 'ready';
  if (state === 'degraded') return 'degraded';
  return seen === 'degraded' && answered >= failures ? 'degraded' : 'unreachable';
}
