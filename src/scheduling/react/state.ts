import { z } from 'zod';
import { compareText } from '../../kube/index.ts';
import type { TroubleKind } from './observation.ts';
import type { SettledRules } from './rules.ts';

/** What a date can be. */
const time = z.number().min(-8.64e15).max(8.64e15);
const duration = z.number().min(0).max(8.64e15);
const count = z.int().min(0);

const trouble = z.object({
  kind: z.enum(['Unreachable', 'Tainted', 'Unhealthy', 'Unschedulable']),
  since: time,
  /** Of unschedulable pods the fewest that were seen since then: so many have found no node all the time. */
  least: count.exactOptional(),
});

const record = z.object({
  cluster: z.string(),
  /** Troubles that are there now. */
  troubles: z.array(trouble).exactOptional(),
  /** When it got into trouble lately; the newest last. Time in which it was given up doesn't count: it makes them no older. */
  began: z.array(time).exactOptional(),
  /** Since when nobody speaks of it. */
  left: time.exactOptional(),
  /** It was given up. `moved`: others have replaced it. `wellSince`: on its way back. */
  out: z
    .object({
      kind: z.enum(['Unreachable', 'Tainted', 'Unhealthy']),
      since: time,
      moved: z.boolean().exactOptional(),
      wellSince: time.exactOptional(),
    })
    .exactOptional(),
  /** It gets no more than this, for `wait` milliseconds. */
  cap: z.object({ replicas: count, since: time, until: time, wait: duration }).exactOptional(),
  /** When a cap was lifted, and how long it had lasted. */
  lifted: z.object({ at: time, wait: duration }).exactOptional(),
  /**
   * A step that wasn't seen to be carried out yet. `low` and `high`: between them is what the cluster may have, because of earlier steps that
   * weren't seen either. `from`: what it was seen to have then. Where just that is asked for, what is seen may be older than all steps until `until`.
   */
  asked: z.object({ replicas: count, low: count, high: count, from: count, until: time }).exactOptional(),
  /** Since when replicas aren't ready, with nothing getting better. */
  waiting: z.object({ assigned: count, ready: count, since: time }).exactOptional(),
  /** Replicas are on their way back to it. */
  back: z.boolean().exactOptional(),
});

/** Schema of a {@link FailoverState}. */
export const failoverStateSchema = z.object({
  /** The last observation. */
  at: time,
  clusters: z.array(record),
});

/**
 * What `react` remembers of one workload between two calls: plain JSON, small enough for an annotation. Clusters that are well have no entry.
 * Times are milliseconds since 1970.
 */
export type FailoverState = Readonly<z.infer<typeof failoverStateSchema>>;

/** What is remembered of one cluster. */
export type ClusterRecord = Readonly<z.infer<typeof record>>;

/** A trouble that is there now. */
export interface Trouble {
  readonly kind: TroubleKind;
  readonly since: number;
  readonly least?: number;
}

/**
 * Reads a state that was stored. What is none gives nothing, which `react` takes as a new beginning: troubles must last their grace anew.
 */
export function parseFailoverState(value: unknown): FailoverState | undefined {
  const result = failoverStateSchema.safeParse(value);
  return result.success ? result.data : undefined;
}

/**
 * The records by cluster, in the time of a clock that says `now`. A clock that was set back takes all times with it, so that what has lasted
 * for a minute still has; no time in the past lies in the future, and no wait is longer than the longest.
 */
export function recordsAt(
  state: FailoverState | undefined,
  now: number,
  { longest }: SettledRules,
): ReadonlyMap<string, ClusterRecord> {
  if (state === undefined) return new Map();
  const back = Math.min(0, now - state.at);
  return new Map(state.clusters.map((each) => [each.cluster, shifted(each, back, now, longest)]));
}

/** Of a time to come, lest a broken one lasts for ever: a day. */
const LONGEST_DOUBT = 86_400_000;

function shifted(each: ClusterRecord, by: number, now: number, longest: number): ClusterRecord {
  const past = (ms: number): number => Math.min(now, ms + by);
  const { troubles, began, left, out, cap, lifted, waiting, asked, ...rest } = each;
  return {
    ...rest,
    ...(troubles && { troubles: troubles.map((one) => ({ ...one, since: past(one.since) })) }),
    ...(began && { began: began.map(past) }),
    ...(left !== undefined && { left: past(left) }),
    ...(out && {
      out: { ...out, since: past(out.since), ...(out.wellSince !== undefined && { wellSince: past(out.wellSince) }) },
    }),
    ...(cap && { cap: { ...cap, since: past(cap.since), until: Math.min(cap.until + by, now + Math.min(cap.wait, longest)) } }),
    ...(lifted && { lifted: { ...lifted, at: past(lifted.at) } }),
    ...(asked && { asked: { ...asked, until: Math.min(asked.until + by, now + LONGEST_DOUBT) } }),
    ...(waiting && { waiting: { ...waiting, since: past(waiting.since) } }),
  };
}

/** What is worth keeping, by name. */
export function stateOf(records: Iterable<ClusterRecord>, now: number): FailoverState {
  const clusters = [...records].filter(isWorthKeeping).toSorted((a, b) => compareText(a.cluster, b.cluster));
  return { at: now, clusters };
}

const isWorthKeeping = (each: ClusterRecord): boolean => Object.keys(each).length > 1;
