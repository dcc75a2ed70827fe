import { ClustersetError, deepEqual } from '../../kube/index.ts';
import { type ClusterStanding, type Explained, explain, type FailoverStep, nextLook, stepsOf, text } from './explain.ts';
import { type ClusterObservation, type Sight, sightsOf } from './observation.ts';
import { type Pace, pace, type Slot } from './pace.ts';
import { type FailoverRules, type SettledRules, settleRules } from './rules.ts';
import {
  dueTrouble,
  type Eviction,
  giveUp,
  isEviction,
  isObserverCutOff,
  isQuiet,
  type Look,
  recordAfter,
  recordUnseen,
} from './standing.ts';
import { type ClusterRecord, type FailoverState, recordsAt, stateOf } from './state.ts';

/** A cluster that may be used, and how many replicas it may have at most. */
export interface UsableCluster {
  readonly cluster: string;
  /** Default: no limit. */
  readonly cap?: number;
}

/** What {@link react} decides from. */
export interface ReactInput {
  /**
   * One for each cluster that may have the workload or has it, whether it can be seen or not: a cluster that isn't named is none, and is replaced
   * without grace.
   */
  readonly observations: readonly ClusterObservation[];
  /** RFC 3339. */
  readonly now: string;
  readonly rules?: FailoverRules;
  /**
   * Replicas that are wanted in all clusters together. Without it: as many as `divide` gives to the clusters that are usable, as for a
   * workload that is in each of them with all of its replicas, or has none.
   */
  readonly replicas?: number;
  /**
   * How the replicas divide over the clusters that may be used: the scheduler's decision. It must be a pure function; where caps and rooms
   * don't allow all, it gives fewer. A cluster that it doesn't name gets nothing.
   */
  divide(usable: readonly UsableCluster[]): ReadonlyMap<string, number>;
}

/** What {@link react} says. */
export interface Reaction {
  /** To be handed in again next time. The very same as before, where there is nothing to remember and was nothing. */
  readonly state: FailoverState;
  /** Whether the state differs in more than the time of the last look: only then it is worth storing. */
  readonly isStateChanged: boolean;
  /** What to write, by cluster. */
  readonly steps: readonly FailoverStep[];
  /** What is thought of each cluster, and what its moves wait for; by name. */
  readonly clusters: readonly ClusterStanding[];
  /** Why nothing at all moves. */
  readonly stopped?: 'ObserverCutOff';
  /** When to ask again, though nothing new is seen by then (RFC 3339). Absent: when something new is seen. */
  readonly nextAt?: string;
}

/**
 * What to do about clusters in trouble: one pure step. It decides which clusters are out and paces the moves; how replicas divide over the
 * others is the scheduler's matter (`divide`). Hand in what is seen, carry out the steps, keep the state, and ask again when something
 * changes, or at `nextAt`.
 *
 * - A cluster that is unreachable, where the workload is unhealthy, or whose taint is no longer tolerated, is given up once that has lasted
 *   for its grace; a trouble that ends sooner moves nothing. Pods that find no node for their grace cap the cluster at what fits.
 * - A cluster that was given up and is well again is used after a wait, which doubles with each trouble of late; a cap is lifted after a
 *   wait that doubles likewise. Then replicas go back by themselves, under the same budgets.
 * - Replicas are started elsewhere first. The fleet never has fewer than are wanted, by our doing; ready ones go only while `minReady` others
 *   are ready, and the last one stays until another is. Ready replicas that nobody can see don't count.
 * - Nothing is written to a cluster that can't be reached: what it has is replaced elsewhere, and removed when it returns (or kept until it
 *   is used again, with `onReturn: Keep`). During its grace it keeps its share, and what it should get besides waits.
 * - While we can't see most of the clusters nobody is given up and nothing moves. Afterwards the grace of silent clusters begins anew.
 *
 * Observations may lag behind, by less than `observationGapSeconds`, but never go back in time: a step that isn't seen yet is asked for
 * again, the same, and counts as done or not done, whichever is worse. Of several steps for one cluster the newest must be written last.
 * When the clock is set back all that has lasted goes on lasting; after a longer time without a look troubles, and being well, must last anew.
 *
 * It is independent of the order of observations, and never throws for what is wrong in them or in the rules.
 *
 * @throws ClustersetError `Invalid` where `now` is no time. What `divide` throws comes through.
 */
export function react(state: FailoverState | undefined, input: ReactInput): Reaction {
  const now = Date.parse(input.now);
  if (Number.isNaN(now)) {
    throw new ClustersetError({ code: 'Invalid', message: `"${input.now}" is not a time`, field: 'now', mend: 'use RFC 3339' });
  }
  const rules = settleRules(input.rules ?? {});
  const sights = sightsOf(input.observations, now);
  const isNothingKnown = state === undefined || state.clusters.length === 0;
  const division = isNothingKnown && sights.every(isWell) ? divisionOf(sights, input) : undefined;
  if (division?.every((share, index) => share === sights[index]?.assigned)) return nothingToDo(state, sights, now);
  return reactTo(state, sights, input, now, rules);
}

/** Reacts, whatever is seen; {@link react} without the short way for what is well. */
function reactTo(
  state: FailoverState | undefined,
  sights: readonly Sight[],
  input: ReactInput,
  now: number,
  rules: SettledRules,
): Reaction {
  const before = recordsAt(state, now, rules);
  const isCutOff = isObserverCutOff(sights, before, rules);
  const look: Look = { now, rules, isCutOff, isGap: state !== undefined && now - state.at > rules.gap };
  const { fleet, held } = membersAfter(before, sights, look);
  const plan = planOf(fleet, input, look);
  const isSettled = !isCutOff && plan.slots.every(({ assigned, target }) => assigned === target);
  const explained = fleet.map(({ sight, record }, index): Explained => {
    const { cluster, assigned } = sight;
    const [slot, paced] = [plan.slots[index], plan.paces[index]];
    const target = slot?.target ?? 0;
    const base = record.asked?.replicas ?? assigned;
    const replicas = isCutOff ? base : (paced?.replicas ?? base);
    const waitsFor = isCutOff && target !== base ? 'ObserverCutOff' : paced?.waitsFor;
    return { sight, record, target, replicas, waitsFor, isHeld: held.has(cluster) };
  });
  const steps = isCutOff ? [] : stepsOf(explained);
  const isAtRest = steps.length === 0 && explained.every((each, index) => isQuietSlot(each, plan.slots[index]));
  const outcome = { isCutOff, isSettled, isReplaced: plan.isReplaced, isAtRest, now, rules };
  const after = explained.map((each) => afterStep(each, outcome));
  const isFreed =
    held.size > 0 && after.some(({ out }, index) => out?.moved === true && fleet[index]?.record.out?.moved !== true);
  const next = stateOf([...unseenAfter(before, sights, look), ...after], now);
  const isEmpty = next.clusters.length === 0 && (state === undefined || state.clusters.length === 0);
  const kept = state !== undefined && isEmpty ? state : next;
  const nextAt = isFreed ? now : nextLook(explained, after, look);
  return {
    state: kept,
    isStateChanged: state === undefined ? next.clusters.length > 0 : !isSame(state, kept),
    steps,
    clusters: explained.map((each) => explain(each, look)),
    ...(isCutOff && { stopped: 'ObserverCutOff' as const }),
    ...(nextAt !== undefined && { nextAt: text(nextAt) }),
  };
}

const isWell = (sight: Sight): boolean => isQuiet(sight) && sight.taint === undefined && sight.taintedFrom === undefined;

/** What each cluster should have, where all of them are used without a limit. */
function divisionOf(sights: readonly Sight[], { divide }: ReactInput): readonly number[] {
  const division = divide(sights.map(({ cluster }) => ({ cluster })));
  return sights.map(({ cluster }) => shareOf(division, cluster));
}

/** Most of the time all is well, and has been: then the answer is plain. */
function nothingToDo(state: FailoverState | undefined, sights: readonly Sight[], now: number): Reaction {
  return {
    state: state ?? stateOf([], now),
    isStateChanged: false,
    steps: [],
    clusters: sights.map(({ cluster, assigned }) => ({
      cluster,
      standing: 'Well',
      from: assigned,
      target: assigned,
      replicas: assigned,
    })),
  };
}

interface Members {
  /** By name, as they were seen. */
  readonly fleet: readonly Member[];
  /** Clusters that would be given up, were others not being given up already. */
  readonly held: ReadonlySet<string>;
}

function membersAfter(before: ReadonlyMap<string, ClusterRecord>, sights: readonly Sight[], look: Look): Members {
  const fleet = sights.map((sight): Member => ({ sight, record: recordAfter(before.get(sight.cluster), sight, look) }));
  const due: { readonly index: number; readonly kind: Eviction; readonly since: number }[] = [];
  let under = 0;
  for (const [index, { sight, record }] of fleet.entries()) {
    if (record.out !== undefined && record.out.wellSince === undefined && record.out.moved !== true) under += 1;
    const trouble = dueTrouble(record, sight, look);
    if (trouble !== undefined && isEviction(trouble.kind)) due.push({ index, kind: trouble.kind, since: trouble.since });
  }
  const held = new Set<string>();
  // Sights come by name, and the sort is stable.
  for (const { index, kind } of due.sort((a, b) => a.since - b.since)) {
    const member = fleet[index];
    if (member === undefined) continue;
    const { sight, record } = member;
    if (look.isCutOff || under >= look.rules.maxClusters) {
      held.add(sight.cluster);
      continue;
    }
    fleet[index] = { sight, record: giveUp(record, kind, look.now) };
    under += 1;
  }
  return { fleet, held };
}

/** What stays of clusters that nobody speaks of. */
function unseenAfter(before: ReadonlyMap<string, ClusterRecord>, sights: readonly Sight[], look: Look): readonly ClusterRecord[] {
  if (before.size === 0) return [];
  const seen = new Set(sights.map(({ cluster }) => cluster));
  return [...before.values()].filter(({ cluster }) => !seen.has(cluster)).map((record) => recordUnseen(record, look));
}

interface Member {
  readonly sight: Sight;
  readonly record: ClusterRecord;
}

interface Plan {
  readonly slots: readonly Slot[];
  readonly paces: readonly Pace[];
  /** Whether the clusters that are used have everything, and it is ready. */
  readonly isReplaced: boolean;
}

function planOf(fleet: readonly Member[], input: ReactInput, { rules, now }: Look): Plan {
  const usable = fleet.filter(({ record }) => record.out === undefined);
  const division = input.divide(usable.map(usableOf));
  const slots = fleet.map((member) => slotOf(member, division, rules, now));
  const wanted = wantedOf(slots, fleet, input.replicas);
  let [placed, ready] = [0, 0];
  for (const [index, { sight, record }] of fleet.entries()) {
    if (record.out !== undefined) continue;
    placed += slots[index]?.target ?? 0;
    ready += Math.min(sight.ready, slots[index]?.target ?? 0);
  }
  return { slots, paces: pace(slots, wanted, rules), isReplaced: ready >= placed };
}

function usableOf({ sight, record }: Member): UsableCluster {
  const keeps = sight.taint === 'KeepsOut' ? sight.assigned : Number.POSITIVE_INFINITY;
  const cap = Math.min(keeps, record.cap?.replicas ?? Number.POSITIVE_INFINITY);
  return { cluster: sight.cluster, ...(Number.isFinite(cap) && { cap }) };
}

/** What is wanted where nobody says: what is placed. Where no cluster is left nothing is, and yet what there is should stay. */
function wantedOf(slots: readonly Slot[], fleet: readonly Member[], replicas: number | undefined): number {
  if (replicas !== undefined && replicas >= 0) return Math.min(Math.floor(replicas), Number.MAX_SAFE_INTEGER);
  const isNoneLeft = fleet.every(({ record }) => record.out !== undefined);
  let wanted = 0;
  for (const [index, { record }] of fleet.entries()) {
    const { assigned = 0, target = 0 } = slots[index] ?? {};
    if (isNoneLeft) wanted += assigned;
    else if (record.out === undefined) wanted += target;
  }
  return wanted;
}

/** What `replicas` of a workload can be (API: int32). */
const MOST = 2 ** 31 - 1;

/** What is no number counts as nothing. */
function shareOf(division: ReadonlyMap<string, number>, cluster: string): number {
  return Math.min(MOST, Math.max(0, Math.floor(division.get(cluster) ?? 0))) || 0;
}

function slotOf({ sight, record }: Member, division: ReadonlyMap<string, number>, rules: SettledRules, now: number): Slot {
  const { cluster, reachable, assigned, ready } = sight;
  const { out, waiting, cap } = record;
  const isKept = out?.wellSince !== undefined && out.kind === 'Unreachable' && rules.onReturn === 'Keep';
  const used = out === undefined ? shareOf(division, cluster) : 0;
  const isStalled = waiting !== undefined && now - waiting.since >= rules.ready;
  const most = cap?.replicas ?? Number.POSITIVE_INFINITY;
  return {
    cluster,
    reachable,
    assigned,
    asked: record.asked,
    ready,
    target: isKept ? assigned : used,
    rank: rankOf(record),
    counts: reachable || out?.kind !== 'Unreachable',
    awaited: out === undefined ? most : 0,
    stalled: isStalled ? assigned : 0,
  };
}

function rankOf({ out, cap }: ClusterRecord): number {
  if (out !== undefined) return out.wellSince === undefined ? 0 : 1;
  return cap === undefined ? 3 : 2;
}

interface Outcome {
  readonly isCutOff: boolean;
  readonly isSettled: boolean;
  readonly isReplaced: boolean;
  /** Whether nothing is written, and nothing is waited for. */
  readonly isAtRest: boolean;
  readonly now: number;
  readonly rules: SettledRules;
}

/** Whether nothing is waited for in a cluster. Where nobody can see it that is so. */
function isQuietSlot({ sight }: Explained, slot: Slot | undefined): boolean {
  const { awaited = 0, stalled = 0 } = slot ?? {};
  return !sight.reachable || Math.max(sight.ready, stalled) >= Math.min(sight.assigned, awaited);
}

/** What is remembered once the step is on its way. */
function afterStep(each: Explained, { isCutOff, isSettled, isReplaced, isAtRest, now, rules }: Outcome): ClusterRecord {
  const { sight, record } = each;
  const isUnchanged = record.asked === undefined && record.back === undefined && record.out === undefined;
  if (isCutOff || (isUnchanged && each.replicas === sight.assigned)) return record;
  const { asked: _, back, out, ...rest } = record;
  const isGone = isReplaced && (sight.assigned === 0 || !sight.reachable);
  // What can't go anywhere must not keep others from being given up, which may be just what it waits for.
  const isOver = out !== undefined && (isGone || (isAtRest && now - out.since >= rules.ready));
  const asked = askedAfter(each, now + rules.gap);
  return {
    ...rest,
    ...(asked !== undefined && { asked }),
    ...(back === true && !isSettled && { back }),
    ...(out !== undefined && { out: isOver ? { ...out, moved: true } : out }),
  };
}

/** What stands to be seen: this step, and those before it that weren't seen to be carried out. */
function askedAfter({ sight, record, replicas }: Explained, doubtUntil: number): ClusterRecord['asked'] {
  const { asked } = record;
  if (!sight.reachable) return asked;
  const { assigned: from } = sight;
  if (asked === undefined) {
    return replicas === from ? undefined : { replicas, low: replicas, high: replicas, from, until: doubtUntil };
  }
  if (replicas === asked.replicas) return asked;
  return { replicas, low: Math.min(asked.low, replicas), high: Math.max(asked.high, replicas), from, until: doubtUntil };
}

function isSame(a: FailoverState, b: FailoverState): boolean {
  return a === b || deepEqual(a.clusters, b.clusters);
}
