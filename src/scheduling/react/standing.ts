import type { Sight, TroubleKind } from './observation.ts';
import type { SettledRules } from './rules.ts';
import type { ClusterRecord, Trouble } from './state.ts';

/** What holds for all clusters at one look. */
export interface Look {
  readonly now: number;
  readonly rules: SettledRules;
  /** We can't see most of the clusters, so silence says nothing. */
  readonly isCutOff: boolean;
  /** Nobody looked for a while, so nothing is known to have lasted. */
  readonly isGap: boolean;
}

type Cap = NonNullable<ClusterRecord['cap']>;
/** Troubles for which a cluster is given up. */
export type Eviction = NonNullable<ClusterRecord['out']>['kind'];
type Draft = { -readonly [K in keyof ClusterRecord]: ClusterRecord[K] };

/** More troubles than these double nothing any more: 2 to this power is beyond every wait. */
const MOST_TROUBLES = 16;

/** For which a cluster is given up, the gravest first. */
const EVICTIONS: readonly Eviction[] = ['Unreachable', 'Tainted', 'Unhealthy'];

export const isEviction = (kind: TroubleKind): kind is Eviction => kind !== 'Unschedulable';

/** What is remembered of a cluster after a look at it. Whether it is given up isn't decided here, for that depends on others. */
export function recordAfter(before: ClusterRecord | undefined, sight: Sight, look: Look): ClusterRecord {
  if (before === undefined && isQuiet(sight)) return { cluster: sight.cluster };
  const old = before ?? { cluster: sight.cluster };
  const troubles = troublesAfter(old.troubles ?? [], sight, look);
  const began = beganAfter(old, troubles, look);
  const record: Draft = {
    cluster: sight.cluster,
    ...(troubles.length > 0 && { troubles }),
    ...(began.length > 0 && { began: [...began] }),
    ...(old.lifted !== undefined && look.now - old.lifted.at < look.rules.window && { lifted: old.lifted }),
    ...(old.back === true && { back: true }),
  };
  if (old.asked !== undefined && !isSettled(old.asked, sight, look.now)) record.asked = old.asked;
  returns(record, old, sight, look);
  if (record.out === undefined) caps(record, old, sight, look);
  const waiting = waitingAfter(old, record, sight, look);
  if (waiting !== undefined && record.out === undefined) record.waiting = waiting;
  return record;
}

/** Most clusters are well most of the time, and cost next to nothing. */
export function isQuiet({ reachable, taint, unhealthy, unschedulable, assigned, ready }: Sight): boolean {
  return reachable && taint !== 'Evicts' && !unhealthy && unschedulable === 0 && assigned === ready;
}

/** Whether a step is seen to be carried out, and what is seen can't be older than it. */
function isSettled({ replicas, from, until }: NonNullable<ClusterRecord['asked']>, sight: Sight, now: number): boolean {
  return sight.reachable && sight.assigned === replicas && (replicas !== from || now >= until);
}

/**
 * What is remembered of a cluster that nobody speaks of, lest it comes back as new: that it was in trouble, and what it was asked for, which may
 * be carried out yet.
 */
export function recordUnseen({ cluster, ...before }: ClusterRecord, { now, rules }: Look): ClusterRecord {
  const { troubles: _, waiting: __, back: ___, left = now, out, ...kept } = before;
  if (now - left >= rules.window || (out === undefined && Object.keys(kept).length === 0)) return { cluster };
  // It isn't seen to be well, so its way back begins anew.
  return { cluster, ...kept, left, ...(out && { out: { kind: out.kind, since: out.since, moved: true } }) };
}

/** Whether a trouble is seen; nothing where nobody can tell. */
function isSeen(kind: TroubleKind, sight: Sight): boolean | undefined {
  if (kind === 'Unreachable') return !sight.reachable;
  if (kind === 'Tainted') return sight.taint === 'Evicts';
  if (!sight.reachable) return undefined;
  return kind === 'Unhealthy' ? sight.unhealthy : sight.unschedulable > 0;
}

function troublesAfter(before: readonly Trouble[], sight: Sight, look: Look): Trouble[] {
  return [...EVICTIONS, 'Unschedulable' as const].flatMap((kind) => {
    const open = before.find((each) => each.kind === kind);
    return troubleAfter(kind, open, sight, look) ?? [];
  });
}

function troubleAfter(
  kind: TroubleKind,
  open: Trouble | undefined,
  sight: Sight,
  { now, isCutOff, isGap }: Look,
): Trouble | undefined {
  const seen = isSeen(kind, sight);
  if (seen === false || (kind === 'Unreachable' && isCutOff)) return undefined;
  // Nobody can tell whether it goes on: then it does, but not through a time without a look.
  if (seen === undefined) return isGap && open !== undefined ? { ...open, since: now } : open;
  const lasting = isGap ? undefined : open;
  const since = lasting?.since ?? now;
  if (kind !== 'Unschedulable') return { kind, since };
  return { kind, since, least: Math.min(sight.unschedulable, lasting?.least ?? sight.unschedulable) };
}

/**
 * Troubles that are recent enough to make us wary, the one that begins now included. A cluster that isn't used proves nothing, so none is
 * forgotten meanwhile: otherwise one that fails each time it is tried would be tried for ever, after a wait that never gets to the longest.
 */
function beganAfter(old: ClusterRecord, troubles: readonly Trouble[], { now, rules }: Look): readonly number[] {
  const all = old.began ?? [];
  const began = old.out === undefined ? all.filter((at) => now - at < rules.window) : all;
  const wasOut = old.out !== undefined && old.out.wellSince === undefined;
  const wasWell = !wasOut && !(old.troubles ?? []).some(({ kind }) => isEviction(kind));
  return wasWell && troubles.some(({ kind }) => isEviction(kind)) ? [...began, now].slice(-MOST_TROUBLES) : began;
}

/** How long a cluster must be well: twice as long for each trouble before the last one. */
export function returnWait({ began = [] }: ClusterRecord, { returning, longest }: SettledRules): number {
  return Math.min(longest, returning * 2 ** Math.max(0, began.length - 1));
}

/** Carries on with a cluster that was given up: it is still in trouble, or on its way back, or back. */
function returns(record: Draft, old: ClusterRecord, sight: Sight, look: Look): void {
  if (old.out === undefined) return;
  const { wellSince: before, ...out } = old.out;
  const { now } = look;
  if ((record.troubles ?? []).some(({ kind }) => isEviction(kind))) {
    record.out = out;
    return;
  }
  if (look.isCutOff && !sight.reachable) {
    // It was on its way back and may still be well, but nobody sees it.
    record.out = before === undefined ? out : { ...out, wellSince: now };
    return;
  }
  const wellSince = look.isGap ? now : (before ?? now);
  if (now - wellSince < returnWait(record, look.rules)) {
    record.out = { ...out, wellSince };
    return;
  }
  record.back = true;
  if (record.began !== undefined) record.began = record.began.map((at) => Math.min(now, at + now - out.since));
}

/** Replicas that found no node for the whole grace don't fit: the cluster is capped, and tried again later. */
function caps(record: Draft, { cap }: ClusterRecord, sight: Sight, { now, rules }: Look): void {
  const trouble = record.troubles?.find(({ kind }) => kind === 'Unschedulable');
  if (trouble === undefined || !sight.reachable) {
    if (cap !== undefined) keepOrLift(record, cap, sight, now);
    return;
  }
  if (now - trouble.since < rules.grace.Unschedulable) {
    if (cap !== undefined) record.cap = cap;
    return;
  }
  const again = record.lifted === undefined ? rules.retry : record.lifted.wait * 2;
  const wait = cap?.wait ?? Math.min(rules.longest, again);
  const replicas = Math.max(sight.ready, sight.assigned - (trouble.least ?? 0));
  record.cap = { replicas, since: cap?.since ?? now, until: now + wait, wait };
  // From here on a new number of pods must find no node for as long.
  const others = (record.troubles ?? []).filter(({ kind }) => kind !== 'Unschedulable');
  record.troubles = [...others, { kind: 'Unschedulable', since: now, least: sight.unschedulable }];
}

/** A cap ends when more than it turns out to fit, and when it is time to try. */
function keepOrLift(record: Draft, cap: Cap, { reachable, assigned, ready }: Sight, now: number): void {
  const isDisproved = reachable && assigned > cap.replicas && ready === assigned;
  if (!isDisproved && (!reachable || now < cap.until)) {
    record.cap = cap;
    return;
  }
  record.back = true;
  if (!isDisproved) record.lifted = { at: now, wait: cap.wait };
}

function waitingAfter(old: ClusterRecord, { cap }: ClusterRecord, sight: Sight, look: Look): ClusterRecord['waiting'] {
  const { waiting } = old;
  if (!sight.reachable) return waiting !== undefined && look.isGap ? { ...waiting, since: look.now } : waiting;
  const { assigned, ready } = sight;
  if (Math.min(assigned, cap?.replicas ?? assigned) <= ready) return undefined;
  const isTheSame = waiting !== undefined && waiting.assigned === assigned && ready <= waiting.ready;
  return isTheSame && !look.isGap ? waiting : { assigned, ready, since: look.now };
}

/** The trouble for which a cluster should be given up now. */
export function dueTrouble(record: ClusterRecord, sight: Sight, { now, rules }: Look): Trouble | undefined {
  if (record.out !== undefined) return undefined;
  return (record.troubles ?? []).find(
    ({ kind, since }) => isEviction(kind) && isSeen(kind, sight) === true && now - since >= rules.grace[kind],
  );
}

/** The record of a cluster that is given up. What was asked of it is forgotten, and it gets a fresh start when it comes back. */
export function giveUp({ cluster, troubles, began, asked }: ClusterRecord, kind: Eviction, now: number): ClusterRecord {
  return {
    cluster,
    ...(troubles && { troubles }),
    ...(began && { began }),
    ...(asked !== undefined && kind !== 'Unreachable' && { asked }),
    out: { kind, since: now },
  };
}

/**
 * Whether we can't see more than the given share of the clusters. Those that were given up for their silence don't count, for that is known;
 * all others do, whether they have replicas or not, because each of them is a witness.
 */
export function isObserverCutOff(
  sights: readonly Sight[],
  records: ReadonlyMap<string, ClusterRecord>,
  { blind }: SettledRules,
): boolean {
  let [silent, all] = [0, 0];
  for (const { cluster, reachable } of sights) {
    const out = records.get(cluster)?.out;
    if (out?.kind === 'Unreachable' && out.wellSince === undefined && !reachable) continue;
    all += 1;
    if (!reachable) silent += 1;
  }
  return silent > (blind.number ?? (blind.share ?? 1) * all);
}
