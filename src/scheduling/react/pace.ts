import { compareText } from '../../kube/index.ts';
import { amountIn, type SettledRules } from './rules.ts';

/** What a move waits for. */
export type WaitReason =
  /** The trouble hasn't lasted long enough yet. */
  | 'Grace'
  /** Enough clusters are given up at this time (`maxClusters`). */
  | 'BudgetClusters'
  /** Enough replicas are being started (`maxReplicas`). */
  | 'BudgetInFlight'
  /** Too few replicas are ready to spare one, and none is being started (`minReady`). */
  | 'BudgetMinReady'
  /** No other replica is ready. */
  | 'LastHealthyCopy'
  /** Replicas elsewhere aren't there or aren't ready yet. */
  | 'WaitsForReady'
  /** Nowhere else is there room. */
  | 'NoRoom'
  /** Nothing can be written to the cluster; it is done when it returns. */
  | 'Unreachable'
  | 'ObserverCutOff';

/** A cluster, as far as pacing goes. */
export interface Slot {
  readonly cluster: string;
  readonly reachable: boolean;
  readonly assigned: number;
  /** What was asked for and isn't seen yet; between `low` and `high` is what the cluster may have by now. */
  readonly asked: { readonly replicas: number; readonly low: number; readonly high: number } | undefined;
  readonly ready: number;
  readonly target: number;
  /** The lowest shrink first. */
  readonly rank: number;
  /** Whether its replicas count as being there. */
  readonly counts: boolean;
  /** Replicas that were started there and are waited for: of those that are assigned, the ones up to here. */
  readonly awaited: number;
  /** Of those that are assigned so many aren't waited for any more, ready or not. */
  readonly stalled: number;
}

/** What a cluster is asked for now. */
export interface Pace {
  readonly replicas: number;
  readonly waitsFor?: WaitReason;
}

interface Purse {
  /** Replicas beyond what is wanted: so many may go at most. */
  surplus: number;
  /** Replicas beyond what must be ready: so many of the ready ones may go at most. */
  spare: number;
  /** So many more may be started. */
  starts: number;
}

/**
 * How far each cluster goes towards its target now, in the order of the slots.
 *
 * Clusters grow first, as far as `maxReplicas` allows. They shrink by what others have already, so that the fleet never has fewer replicas
 * than are wanted; replicas that aren't ready go first (as a ReplicaSet removes them), and ready ones only while enough others are ready.
 * What was asked for and isn't seen yet counts as done where that is worse, and as not done where that is: so asking twice asks the same.
 */
export function pace(slots: readonly Slot[], wanted: number, rules: SettledRules): readonly Pace[] {
  const floor = Math.min(wanted, Math.max(1, amountIn(rules.minReady, wanted)));
  const bases = takeBack(slots, wanted, floor, rules);
  const purse = purseOf(slots, wanted, floor, rules);
  const paces = slots.map((slot, index): Pace => ({ replicas: bases[index] ?? slot.assigned }));
  for (const [index, slot] of slots.entries()) {
    const base = bases[index] ?? slot.assigned;
    if (slot.target > base) paces[index] = grow(slot, base, purse);
  }
  const shrinking = slots.flatMap((slot, index) => (slot.target < (bases[index] ?? slot.assigned) ? [index] : []));
  if (shrinking.length === 0) return paces;
  const isMoving = slots.some((slot) => slot.target > slot.assigned || inFlight(slot) > 0);
  const placed = slots.reduce((sum, { target }) => sum + target, 0);
  const why = (): WaitReason => {
    if (purse.surplus <= 0) return placed < wanted ? 'NoRoom' : 'WaitsForReady';
    if (floor <= 1) return 'LastHealthyCopy';
    return isMoving ? 'WaitsForReady' : 'BudgetMinReady';
  };
  for (const [index, slot] of byRank(slots, shrinking)) paces[index] = shrink(slot, bases[index] ?? slot.assigned, purse, why);
  return paces;
}

function byRank(slots: readonly Slot[], indexes: readonly number[]): readonly (readonly [number, Slot])[] {
  return indexes
    .flatMap((index): (readonly [number, Slot])[] => {
      const slot = slots[index];
      return slot === undefined ? [] : [[index, slot]];
    })
    .sort(([, a], [, b]) => a.rank - b.rank || compareText(a.cluster, b.cluster));
}

/**
 * What each cluster was asked for, after taking back of the steps that aren't seen yet what is no longer meant, and what can no longer be
 * afforded: replicas elsewhere may have been lost since, or the budget may have shrunk. The most urgent shrinking is taken back last.
 */
function takeBack(slots: readonly Slot[], wanted: number, floor: number, rules: SettledRules): readonly number[] {
  if (slots.every(({ asked }) => asked === undefined)) return slots.map(({ assigned }) => assigned);
  const bases = slots.map(({ asked, assigned, target, reachable }) => {
    if (asked === undefined || !reachable) return asked?.replicas ?? assigned;
    return Math.min(Math.max(asked.replicas, Math.min(assigned, target)), Math.max(assigned, target));
  });
  const meant = slots.map((slot, index): Slot => {
    const base = bases[index] ?? slot.assigned;
    return { ...slot, asked: { replicas: base, low: base, high: base } };
  });
  const purse = purseOf(meant, wanted, floor, rules);
  const stepped = meant.flatMap(({ assigned }, index) => (bases[index] === assigned ? [] : [index]));
  for (const [index, slot] of byRank(meant, stepped).toReversed()) {
    const { assigned, ready, reachable, counts } = slot;
    const base = bases[index] ?? assigned;
    if (!reachable || base === assigned) continue;
    if (base > assigned) {
      const fewer = Math.max(0, Math.min(inFlight(slot), base - assigned, -purse.starts));
      purse.starts += fewer;
      bases[index] = base - fewer;
      continue;
    }
    const lacksReady = Math.min(Math.max(0, ready - base), -purse.spare);
    const lacks = counts ? Math.min(assigned - base, -purse.surplus) : 0;
    const more = Math.max(0, lacksReady, lacks);
    purse.spare += Math.min(ready, base + more) - Math.min(ready, base);
    if (counts) purse.surplus += more;
    bases[index] = base + more;
  }
  return bases;
}

const lowest = ({ assigned, asked }: Slot): number => Math.min(assigned, asked?.low ?? assigned);
const highest = ({ assigned, asked }: Slot): number => Math.max(assigned, asked?.high ?? assigned);

/** Replicas that are sure to be ready, whichever of the last steps are carried out. */
const surelyReady = (slot: Slot): number => Math.min(slot.ready, lowest(slot));

function inFlight(slot: Slot): number {
  return slot.reachable ? Math.max(0, Math.min(highest(slot), slot.awaited) - Math.max(slot.ready, slot.stalled)) : 0;
}

function purseOf(slots: readonly Slot[], wanted: number, floor: number, rules: SettledRules): Purse {
  const purse = { surplus: -wanted, spare: -floor, starts: Math.max(1, amountIn(rules.maxReplicas, wanted)) };
  for (const slot of slots) {
    if (slot.counts) purse.surplus += lowest(slot);
    purse.spare += surelyReady(slot);
    purse.starts -= inFlight(slot);
  }
  return purse;
}

function grow(slot: Slot, base: number, purse: Purse): Pace {
  const { reachable, target } = slot;
  if (!reachable) return { replicas: base, waitsFor: 'Unreachable' };
  // What an earlier step may have started already is accounted for.
  const from = purse.starts >= 0 ? Math.max(base, Math.min(target, highest(slot))) : base;
  const more = Math.min(target - from, Math.max(0, purse.starts));
  purse.starts -= more;
  return { replicas: from + more, ...(from + more < target && { waitsFor: 'BudgetInFlight' as const }) };
}

function shrink(slot: Slot, base: number, purse: Purse, why: () => WaitReason): Pace {
  if (!slot.reachable) return { replicas: base, waitsFor: 'Unreachable' };
  // What an earlier step may have taken already is accounted for.
  const lowestFree = Math.max(slot.target, lowest(slot), purse.spare < 0 ? slot.ready : 0);
  const from = purse.surplus < 0 ? base : Math.min(base, lowestFree);
  const [need, there] = [from - slot.target, Math.min(from, slot.assigned)];
  const idle = Math.max(0, Math.min(need, there - Math.min(slot.ready, there), purse.surplus));
  purse.surplus -= idle;
  const ready = Math.max(0, Math.min(need - idle, purse.spare, purse.surplus));
  purse.surplus -= ready;
  purse.spare -= ready;
  const replicas = from - idle - ready;
  return { replicas, ...(replicas > slot.target && { waitsFor: why() }) };
}
