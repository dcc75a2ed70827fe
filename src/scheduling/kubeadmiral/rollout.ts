import { compareText } from '../../kube/index.ts';
import type { RolloutBudget } from './rollout-budget.ts';
import { type RolloutDirection, type RolloutTarget, type Slot, slotOf } from './rollout-target.ts';

/** What {@link planRollout} decides from. */
export interface RolloutInput {
  /** Replicas of the workload over all clusters, those included that aren't among the targets. */
  readonly totalReplicas: number;
  /** For all clusters together. */
  readonly budget: RolloutBudget;
  /** Clusters that have the workload or should have it, each once. */
  readonly targets: readonly RolloutTarget[];
}

/** What to write to a member now. A field that isn't there takes its final value: the desired replicas, the pace of the template. */
export interface RolloutChange {
  readonly replicas?: number;
  readonly maxSurge?: number;
  readonly maxUnavailable?: number;
  /** Only `spec.replicas` is written; the member keeps the template and the pace that it has. */
  readonly replicasOnly: boolean;
}

/**
 * Why a member gets what it gets, or nothing:
 *
 * - `onlyScaling`: every pod is of the newest template, and replicas change in one direction alone, so all values are final.
 * - `paced`: the newest template, at a pace out of the budget.
 * - `onePod`: nothing is left for a member whose update has begun; a Deployment can't stand still, so it replaces one pod at a time.
 * - `updated`: all its pods are new, so its pace is final.
 * - `scalesIn`, `scalesOut`: replicas go in the direction of what is desired, as far as the budget allows.
 * - `holdsReplicas`: replicas stay what they are for now.
 * - `waitsForBudget`: others use the budget up.
 * - `waitsForTemplate`: it gets more replicas once it has the newest template, lest old pods are started only to be replaced.
 * - `refused`: the whole plan is refused.
 */
export type RolloutReason =
  | 'onlyScaling'
  | 'paced'
  | 'onePod'
  | 'updated'
  | 'scalesIn'
  | 'scalesOut'
  | 'holdsReplicas'
  | 'waitsForBudget'
  | 'waitsForTemplate'
  | 'refused';

/** What one cluster does now. */
export interface RolloutStep {
  readonly cluster: string;
  readonly direction: RolloutDirection;
  /** Absent where the cluster waits for its turn: write nothing there. */
  readonly change?: RolloutChange;
  /** In the order in which they were found. */
  readonly reasons: readonly RolloutReason[];
}

/**
 * Why nothing may be done, and by how many replicas too many:
 *
 * - `desiredTooFew`: what is desired falls short of the total by more than may be unavailable; are clusters missing that aren't ready?
 * - `plannedTooFew`, `plannedTooMany`: the plan would leave what is desired and what there is by more than the budget.
 */
export interface RolloutRefusal {
  readonly code: 'desiredTooFew' | 'plannedTooFew' | 'plannedTooMany';
  readonly by: number;
}

/** The next step of a rollout. */
export interface RolloutPlan {
  /** One for each target, by name. */
  readonly steps: readonly RolloutStep[];
  readonly refused?: RolloutRefusal;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

interface Turn {
  readonly slot: Slot;
  readonly reasons: RolloutReason[];
  change?: Draft<RolloutChange>;
}

/** What is left of the budget. Below 0 where more is used than is allowed. */
interface Purse {
  surge: number;
  unavailable: number;
}

/**
 * The next step of a rollout over clusters that share one budget, while replicas move between them: exactly what KubeAdmiral's planner did
 * until it was removed (2023-07, before v1.0.0). Targets that get replicas update first, then those that lose some shrink as far as others
 * may miss them, then those that stay update, then the first ones grow, and at last the second ones update; each takes of the budget what
 * those before have left, in the order of names. Write what it says, look again, and ask again: it knows nothing but what is observed, so
 * a rollout goes on wherever it stands, and whoever has nothing to do gets the final values.
 *
 * What surprises, and is so in the original:
 *
 * - Where only scaling is left nothing is paced: pods that were added elsewhere and aren't available yet aren't waited for, so the fleet may
 *   lack more pods than `maxUnavailable` for a moment.
 * - With both budgets, a member has its final pace as soon as all its new pods are there, available or not. It may take old pods away at that
 *   pace while others use the budget, so the fleet may again lack more than `maxUnavailable`. With one budget alone it doesn't.
 * - A member whose update has begun goes on with one pod at a time when the budget is overdrawn, so that members overdraw it further.
 * - The budget counts what members report: what is written and not observed yet is unknown to it, so wait until it is.
 * - A plan of final values isn't checked.
 */
export function planRollout({ totalReplicas, budget, targets }: RolloutInput): RolloutPlan {
  const turns = targets
    .map((target): Turn => ({ slot: slotOf(target), reasons: [] }))
    .toSorted((a, b) => compareText(a.slot.cluster, b.slot.cluster));
  const addsFirst = budget.maxSurge !== 0 && budget.maxUnavailable === 0;
  if (isOnlyScaling(turns, addsFirst)) {
    return { steps: turns.map((turn) => stepOf({ ...turn, change: { replicasOnly: false }, reasons: ['onlyScaling'] })) };
  }
  const purse = whatIsLeft(turns, totalReplicas, budget);
  const of = (direction: RolloutDirection): Turn[] => turns.filter(({ slot }) => slot.direction === direction);
  const [out, shrinking, level] = [of('out'), of('in'), of('update')];
  for (const turn of out) update(turn, purse, addsFirst, turn.slot.replicas);
  for (const turn of shrinking) scaleIn(turn, purse);
  for (const turn of level) update(turn, purse, addsFirst, undefined);
  for (const turn of out) scaleOut(turn, purse);
  for (const turn of shrinking) updateShrinking(turn, purse, addsFirst);
  const refused = refusalOf(turns, totalReplicas, budget);
  if (refused === undefined) return { steps: turns.map(stepOf) };
  return { steps: turns.map(({ slot }) => stepOf({ slot, reasons: ['refused'] })), refused };
}

function stepOf({ slot, change, reasons }: Turn): RolloutStep {
  return { cluster: slot.cluster, direction: slot.direction, ...(change === undefined ? {} : { change }), reasons };
}

function isOnlyScaling(turns: readonly Turn[], addsFirst: boolean): boolean {
  const directions = new Set(turns.map(({ slot }) => slot.direction));
  if (directions.has('out') === directions.has('in')) return false;
  return turns.every(({ slot }) => slot.toUpdate === 0 && !isTurning(slot, addsFirst));
}

/** Whether the member adds pods first where the fleet doesn't, with pods on their way that the final pace would take back. */
function isTurning(slot: Slot, addsFirst: boolean): boolean {
  return slot.addsFirst && !addsFirst && slot.toUpdateAvailable > 0;
}

function whatIsLeft(turns: readonly Turn[], total: number, budget: RolloutBudget): Purse {
  const purse = { surge: budget.maxSurge + total, unavailable: budget.maxUnavailable - total };
  for (const { slot } of turns) {
    purse.surge -= slot.replicas + slot.leastSurge;
    purse.unavailable += slot.replicas - slot.leastUnavailable;
  }
  return purse;
}

/** Takes up to `most` of the budget, counting only what goes beyond `least`. An overdrawn budget doesn't raise a member's own bound. */
function take(purse: Purse, kind: keyof Purse, least: number, most: number, own?: number): number {
  const left = purse[kind];
  const taken = Math.max(0, Math.min(left + least, most));
  purse[kind] = left - Math.max(0, taken - least);
  return own !== undefined && left < 0 && least > own && taken > own ? own : taken;
}

/** Whether nothing is left for a member that hasn't begun. */
function isIdle({ isUpdated, isUpdating }: Slot, purse: Purse): boolean {
  return purse.surge <= 0 && purse.unavailable <= 0 && !isUpdated && !isUpdating;
}

function update(turn: Turn, purse: Purse, addsFirst: boolean, replicas: number | undefined): void {
  const { slot, reasons } = turn;
  if (isIdle(slot, purse) && slot.leastSurge === 0 && slot.leastUnavailable === 0) {
    reasons.push('waitsForBudget');
    return;
  }
  turn.change = { ...(replicas === undefined ? {} : { replicas }), replicasOnly: false };
  pace(turn, turn.change, purse, addsFirst, slot.leastUnavailable);
}

/** How fast a member may replace its pods. */
function pace(turn: Turn, change: Draft<RolloutChange>, purse: Purse, addsFirst: boolean, leastUnavailable: number): void {
  const { slot, reasons } = turn;
  const surge = take(purse, 'surge', slot.leastSurge, slot.toUpdate, slot.maxSurge);
  const unavailable = take(purse, 'unavailable', leastUnavailable, slot.toUpdateAvailable, slot.maxUnavailable);
  if (slot.toUpdate === 0 && !isTurning(slot, addsFirst)) {
    reasons.push('updated');
    return;
  }
  const isStill = surge === 0 && unavailable === 0;
  change.maxSurge = isStill && slot.addsFirst ? 1 : surge;
  change.maxUnavailable = isStill && !slot.addsFirst ? 1 : unavailable;
  reasons.push(isStill ? 'onePod' : 'paced');
}

/** Pods that aren't available go first. A member that replaces pods right now may take others instead. */
function scaleIn(turn: Turn, purse: Purse): void {
  const { slot, reasons } = turn;
  if (purse.unavailable <= 0 && slot.leastUnavailable === 0) {
    reasons.push('holdsReplicas');
    return;
  }
  const least = slot.isUpdating ? 0 : slot.leastUnavailable;
  const fewer = take(purse, 'unavailable', least, slot.replicas - slot.desired);
  turn.change = { replicas: slot.replicas - fewer, replicasOnly: true };
  reasons.push(fewer > 0 ? 'scalesIn' : 'holdsReplicas');
}

function scaleOut(turn: Turn, purse: Purse): void {
  const { slot, reasons } = turn;
  if (purse.surge <= 0 && slot.leastSurge === 0) {
    if (turn.change !== undefined) reasons.push('holdsReplicas');
    return;
  }
  if (!slot.isUpdated && slot.replicas !== 0) {
    reasons.push('waitsForTemplate');
    return;
  }
  const more = take(purse, 'surge', slot.isUpdating ? 0 : slot.leastSurge, slot.desired - slot.replicas);
  turn.change = { ...(turn.change ?? { replicasOnly: false }), replicas: slot.replicas + more };
  reasons.push(more > 0 ? 'scalesOut' : 'holdsReplicas');
}

function updateShrinking(turn: Turn, purse: Purse, addsFirst: boolean): void {
  const { slot, reasons } = turn;
  const change = { ...(turn.change ?? { replicas: slot.replicas }), replicasOnly: false };
  const gone = slot.isUpdating ? 0 : slot.replicas - (change.replicas ?? slot.replicas);
  const least = Math.max(0, slot.leastUnavailable - gone);
  if (isIdle(slot, purse) && least === 0) {
    reasons.push('waitsForBudget');
    return;
  }
  turn.change = change;
  pace(turn, change, purse, addsFirst, least);
}

/** Whether the plan strays too far. */
function refusalOf(turns: readonly Turn[], total: number, budget: RolloutBudget): RolloutRefusal | undefined {
  let desired = 0;
  let current = 0;
  let planned = 0;
  for (const { slot, change } of turns) {
    desired += slot.desired;
    current += slot.replicas;
    planned += change === undefined ? slot.replicas : (change.replicas ?? slot.desired);
  }
  const checks: readonly RolloutRefusal[] = [
    { code: 'desiredTooFew', by: total - desired - budget.maxUnavailable },
    { code: 'plannedTooFew', by: Math.min(desired, current) - planned - budget.maxUnavailable },
    { code: 'plannedTooMany', by: planned - Math.max(desired, current) - budget.maxSurge },
  ];
  return checks.find(({ by }) => by > 0);
}
