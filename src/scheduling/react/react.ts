import { ClustersetError, deepEqual } from '../../kube/index.ts';
import { type ClusterStanding, type Explained, explain, type FailoverStep, nextLook, stepOf, text } from './explain.ts';
import { type ClusterObservation, type Sight, sightsOf } from './observation.ts';
import { type Pace, pace, type Slot } from './pace.ts';
import { type FailoverRules, type SettledRules, settleRules } from './rules.ts';
import { dueTrouble, giveUp, isEviction, isObserverCutOff, type Look, recordAfter, recordUnseen } from './standing.ts';
import { type ClusterRecord, type FailoverState, recordsAt, stateOf } from './state.ts';

/** A cluster that may be used, and how many replicas it may have at most. */
export interface UsableCluster {
  readonly cluster: string;
  /** Default: no limit. */
  readonly cap?: number;
}

/** What {@link react} decides from. */
export interface ReactInput {
  /** One for each cluster that may have the workload or has it. */
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
  const before = recordsAt(state, now);
  const sights = sightsOf(input.observations, now);
  const isCutOff = isObserverCutOff(sights, before, rules);
  const look: Look = { now, rules, isCutOff, isGap: state !== undefined && now - state.at > rules.gap };
  const { records, held } = recordsAfter(before, sights, look);
  const fleet = sights.map((sight) => ({ sight, record: records.get(sight.cluster) ?? { cluster: sight.cluster } }));
  const plan = planOf(fleet, input, rules);
  const isSettled = !isCutOff && plan.slots.every(({ assigned, target }) => assigned === target);
  const explained = fleet.map(({ sight, record }, index): Explained => {
    const [slot, paced] = [plan.slots[index], plan.paces[index]];
    const target = slot?.target ?? 0;
    const base = record.asked?.replicas ?? sight.assigned;
    const replicas = isCutOff ? base : (paced?.replicas ?? base);
    const waitsFor = isCutOff && target !== base ? 'ObserverCutOff' : paced?.waitsFor;
    return { sight, record, target, replicas, waitsFor, isHeld: held.has(sight.cluster) };
  });
  const steps = isCutOff ? [] : explained.flatMap((each) => stepOf(each, explained) ?? []);
  const outcome = { isCutOff, isSettled, isReplaced: plan.isReplaced, doubtUntil: now + rules.gap };
  for (const each of explained) records.set(each.sight.cluster, afterStep(each, outcome));
  const isFreed = [...held].length > 0 && explained.some((each) => isNewlyMoved(each, records));
  const next = stateOf(records.values(), now);
  const isEmpty = next.clusters.length === 0 && (state === undefined || state.clusters.length === 0);
  const kept = state !== undefined && isEmpty ? state : next;
  const after = explained.flatMap((each) => {
    const record = records.get(each.sight.cluster) ?? each.record;
    return record === each.record ? [each] : [{ ...each, record }];
  });
  const nextAt = isFreed ? now : nextLook(after, look);
  return {
    state: kept,
    isStateChanged: state === undefined ? next.clusters.length > 0 : !isSame(state, kept),
    steps,
    clusters: explained.map((each) => explain(each, look)),
    ...(isCutOff && { stopped: 'ObserverCutOff' as const }),
    ...(nextAt !== undefined && { nextAt: text(nextAt) }),
  };
}

interface Records {
  readonly records: Map<string, ClusterRecord>;
  /** Clusters that would be given up, were others not being given up already. */
  readonly held: ReadonlySet<string>;
}

function recordsAfter(before: ReadonlyMap<string, ClusterRecord>, sights: readonly Sight[], look: Look): Records {
  const records = new Map<string, ClusterRecord>();
  const seen = new Set(sights.map(({ cluster }) => cluster));
  for (const [cluster, record] of before) {
    if (!seen.has(cluster)) records.set(cluster, recordUnseen(record, look));
  }
  const due: { readonly cluster: string; readonly since: number; readonly giveUp: () => ClusterRecord }[] = [];
  let under = 0;
  for (const sight of sights) {
    const record = recordAfter(before.get(sight.cluster), sight, look);
    records.set(sight.cluster, record);
    if (record.out !== undefined && record.out.wellSince === undefined && record.out.moved !== true) under += 1;
    const trouble = dueTrouble(record, sight, look);
    if (trouble !== undefined && isEviction(trouble.kind)) {
      const { kind, since } = trouble;
      due.push({ cluster: sight.cluster, since, giveUp: () => giveUp(record, kind, look.now) });
    }
  }
  const held = new Set<string>();
  // Sights come by name, and the sort is stable.
  for (const each of due.sort((a, b) => a.since - b.since)) {
    if (look.isCutOff || under >= look.rules.maxClusters) {
      held.add(each.cluster);
      continue;
    }
    records.set(each.cluster, each.giveUp());
    under += 1;
  }
  return { records, held };
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

function planOf(fleet: readonly Member[], input: ReactInput, rules: SettledRules): Plan {
  const usable = fleet.filter(({ record }) => record.out === undefined);
  const division = input.divide(usable.map(usableOf));
  const slots = fleet.map((member) => slotOf(member, division, rules, Date.parse(input.now)));
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

function slotOf({ sight, record }: Member, division: ReadonlyMap<string, number>, rules: SettledRules, now: number): Slot {
  const { cluster, reachable, assigned, ready } = sight;
  const { out, waiting, cap } = record;
  const isKept = out?.wellSince !== undefined && out.kind === 'Unreachable' && rules.onReturn === 'Keep';
  const share = Math.min(MOST, Math.max(0, Math.floor(division.get(cluster) ?? 0))) || 0;
  const used = out === undefined ? share : 0;
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
    awaited: out !== undefined || isStalled ? 0 : most,
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
  readonly doubtUntil: number;
}

/** What is remembered once the step is on its way. */
function afterStep(each: Explained, { isCutOff, isSettled, isReplaced, doubtUntil }: Outcome): ClusterRecord {
  const { sight, record } = each;
  const isUnchanged = record.asked === undefined && record.back === undefined && record.out === undefined;
  if (isCutOff || (isUnchanged && each.replicas === sight.assigned)) return record;
  const { asked: _, back, out, ...rest } = record;
  const isGone = out !== undefined && isReplaced && (sight.assigned === 0 || !sight.reachable);
  const asked = askedAfter(each, doubtUntil);
  return {
    ...rest,
    ...(asked !== undefined && { asked }),
    ...(back === true && !isSettled && { back }),
    ...(out !== undefined && { out: isGone ? { ...out, moved: true } : out }),
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

function isNewlyMoved({ record, sight }: Explained, records: ReadonlyMap<string, ClusterRecord>): boolean {
  return record.out !== undefined && record.out.moved !== true && records.get(sight.cluster)?.out?.moved === true;
}

function isSame(a: FailoverState, b: FailoverState): boolean {
  return a === b || deepEqual(a.clusters, b.clusters);
}
