import type { Sight, TroubleKind } from './observation.ts';
import type { WaitReason } from './pace.ts';
import { isEviction, type Look, returnWait } from './standing.ts';
import type { ClusterRecord, Trouble } from './state.ts';

/** Why replicas change in a cluster. */
export type FailoverStepReason =
  /** The cluster was given up, or can't take all that it has. */
  | 'MoveAway'
  /** In place of replicas elsewhere that are in trouble. */
  | 'MoveHere'
  /** The cluster is trusted again, or tried again. */
  | 'FailBack'
  /** Replicas that went elsewhere are ready there. */
  | 'ShrinkAfterReady'
  /** The cluster is back, and others have replaced what it still has. */
  | 'Withdraw'
  /** Something else is wanted than before, with no trouble about it. */
  | 'ScaleTo'
  /** An earlier step that wasn't seen to be carried out is taken back. */
  | 'TakeBack';

/** A trouble of some cluster. */
export interface ClusterTrouble {
  readonly cluster: string;
  readonly trouble: TroubleKind;
}

/** What to write to one cluster. */
export interface FailoverStep {
  readonly cluster: string;
  /** How many replicas it has from now on; 0 for none, or for not being there at all. */
  readonly replicas: number;
  /** How many it was seen to have. */
  readonly from: number;
  readonly reason: FailoverStepReason;
  /** The troubles behind it, by name of the cluster. */
  readonly because: readonly ClusterTrouble[];
}

/** What is thought of one cluster. Times are RFC 3339. */
export interface ClusterStanding {
  readonly cluster: string;
  /**
   * - `Well`: it is used.
   * - `Suspected`: it is in trouble and used, until its grace is over.
   * - `Capped`: it is used for no more than `cap` replicas, until it is tried again.
   * - `GivenUp`: it isn't used.
   * - `Returning`: it was given up, is well again, and isn't used yet.
   */
  readonly standing: 'Well' | 'Suspected' | 'Capped' | 'GivenUp' | 'Returning';
  readonly trouble?: TroubleKind;
  /** Since when it stands like that. */
  readonly since?: string;
  /** Until when, if nothing changes. */
  readonly until?: string;
  /** The most that it may have. */
  readonly cap?: number;
  /** What it was seen to have, should have in the end, and is asked to have now. */
  readonly from: number;
  readonly target: number;
  readonly replicas: number;
  /** Why it doesn't have what it should yet, or why nothing is done about its trouble. */
  readonly waitsFor?: WaitReason;
}

/** All that is known of a cluster when steps are taken. */
export interface Explained {
  readonly sight: Sight;
  readonly record: ClusterRecord;
  readonly target: number;
  readonly replicas: number;
  readonly waitsFor: WaitReason | undefined;
  /** Whether it would be given up now, but for others. */
  readonly isHeld: boolean;
}

/** The steps of all clusters, but for those where there is nothing to write, or no way to. */
export function stepsOf(all: readonly Explained[]): readonly FailoverStep[] {
  // What was asked for is asked for again until it is certain, lest an earlier step is carried out late.
  const writes = all.filter(
    ({ sight, record, replicas }) => sight.reachable && (replicas !== sight.assigned || record.asked !== undefined),
  );
  if (writes.length === 0) return [];
  const fleet: Fleet = { troubles: troublesOf(all), isBack: all.some(({ record }) => record.back === true) };
  return writes.map((each) => {
    const { cluster, assigned: from } = each.sight;
    return { cluster, replicas: each.replicas, from, ...whyStep(each, fleet) };
  });
}

interface Fleet {
  readonly troubles: readonly ClusterTrouble[];
  /** Whether replicas are on their way back to some cluster. */
  readonly isBack: boolean;
}

function whyStep({ sight, record, replicas }: Explained, { troubles, isBack }: Fleet): Pick<FailoverStep, 'reason' | 'because'> {
  const { cluster, assigned: from } = sight;
  if (replicas === from) return { reason: 'TakeBack', because: [] };
  if (replicas > from) {
    if (record.back === true) return { reason: 'FailBack', because: [] };
    return { reason: troubles.length > 0 ? 'MoveHere' : 'ScaleTo', because: troubles };
  }
  const trouble = troubleOf(record);
  if (trouble !== undefined) {
    return { reason: record.out?.wellSince === undefined ? 'MoveAway' : 'Withdraw', because: [{ cluster, trouble }] };
  }
  return { reason: isBack ? 'ShrinkAfterReady' : 'ScaleTo', because: [] };
}

function troublesOf(all: readonly Explained[]): readonly ClusterTrouble[] {
  return all.flatMap(({ record }) => {
    const trouble = troubleOf(record);
    return trouble === undefined ? [] : [{ cluster: record.cluster, trouble }];
  });
}

/** What keeps a cluster from its share. */
function troubleOf({ out, cap }: ClusterRecord): TroubleKind | undefined {
  return out?.kind ?? (cap === undefined ? undefined : 'Unschedulable');
}

/** What to tell of one cluster. */
export function explain(each: Explained, look: Look): ClusterStanding {
  const { sight, target, replicas, waitsFor } = each;
  const { standing, reason, ...said } = standingOf(each, look);
  const waits = waitsFor ?? reason;
  return {
    cluster: sight.cluster,
    standing,
    ...said,
    from: sight.assigned,
    target,
    replicas,
    ...(waits !== undefined && { waitsFor: waits }),
  };
}

type Said = Pick<ClusterStanding, 'standing' | 'trouble' | 'since' | 'until' | 'cap'> & { readonly reason?: WaitReason };

function standingOf({ sight, record, isHeld }: Explained, look: Look): Said {
  const { out, cap, troubles = [] } = record;
  if (out !== undefined) return outside(out, record, look);
  if (look.isCutOff && !sight.reachable) return { standing: 'Suspected', trouble: 'Unreachable', reason: 'ObserverCutOff' };
  const suspected = troubles.find(({ kind }) => cap === undefined || isEviction(kind));
  const capped = cap === undefined ? {} : { cap: cap.replicas };
  if (suspected !== undefined) {
    const since = text(suspected.since);
    const said: Said = { standing: 'Suspected', trouble: suspected.kind, since, ...capped };
    if (isHeld) return { ...said, reason: look.isCutOff ? 'ObserverCutOff' : 'BudgetClusters' };
    return { ...said, until: text(graceEnd(suspected, look)), reason: 'Grace' };
  }
  if (cap === undefined) return { standing: 'Well' };
  return { standing: 'Capped', trouble: 'Unschedulable', since: text(cap.since), until: text(cap.until), ...capped };
}

function outside(out: NonNullable<ClusterRecord['out']>, record: ClusterRecord, { rules }: Look): Said {
  const { kind: trouble, wellSince } = out;
  if (wellSince === undefined) return { standing: 'GivenUp', trouble, since: text(out.since) };
  return { standing: 'Returning', trouble, since: text(wellSince), until: text(wellSince + returnWait(record, rules)) };
}

const graceEnd = ({ kind, since }: Trouble, { rules }: Look): number => since + rules.grace[kind];

/** A date can't be later. */
const LATEST = 8.64e15;

export const text = (ms: number): string => new Date(Math.max(-LATEST, Math.min(LATEST, ms))).toISOString();

/** The first time after now at which something is due, though nothing new is seen; `after` is what is remembered from now on. */
export function nextLook(all: readonly Explained[], after: readonly ClusterRecord[], look: Look): number | undefined {
  let first = Number.POSITIVE_INFINITY;
  for (const [index, each] of all.entries()) {
    for (const time of timesOf(each, after[index] ?? each.record, look)) if (time > look.now) first = Math.min(first, time);
  }
  return Number.isFinite(first) ? first : undefined;
}

function timesOf({ sight, replicas }: Explained, record: ClusterRecord, look: Look): readonly number[] {
  const { out, cap, waiting, troubles = [] } = record;
  const times: number[] = [];
  if (sight.reachable && record.asked !== undefined) times.push(record.asked.until);
  // A step may have been lost.
  if (sight.reachable && replicas !== sight.assigned) times.push(look.now + Math.ceil(look.rules.gap / 2));
  if (sight.taintedFrom !== undefined) times.push(sight.taintedFrom);
  if (cap !== undefined) times.push(cap.until);
  if (waiting !== undefined) times.push(waiting.since + look.rules.ready);
  if (out !== undefined && out.moved !== true && look.rules.maxClusters < Number.POSITIVE_INFINITY) {
    times.push(out.since + look.rules.ready);
  }
  const lasting = out === undefined ? troubles : [];
  for (const trouble of lasting) times.push(graceEnd(trouble, look));
  if (out?.wellSince !== undefined) times.push(out.wellSince + returnWait(record, look.rules));
  // What must last is looked at often enough, or it wouldn't count as having lasted.
  if (lasting.length > 0 || out?.wellSince !== undefined) times.push(look.now + Math.ceil(look.rules.gap / 2));
  return times;
}
