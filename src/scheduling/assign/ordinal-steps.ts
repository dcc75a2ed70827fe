import { ClustersetError, compareText } from '../../kube/index.ts';
import type { ClusterOrdinals, OrdinalRange } from './ordinals.ts';
import { common, EMPTY, endOf, gapsIn, grownRange, holds, isWithin } from './ranges.ts';

/** What one cluster has of a StatefulSet. */
export interface ObservedOrdinals {
  /** What its spec says; no replicas where there is no StatefulSet. */
  readonly spec: OrdinalRange;
  /**
   * Ordinals that exist there, in whatever state: also a pod that is being deleted, and one whose volume is still attached. Read them after the
   * spec, from the cluster itself: an ordinal that isn't listed may start elsewhere.
   */
  readonly running: readonly number[];
  /** Those of them that serve. Default: all. */
  readonly ready?: readonly number[];
  /** Whether the cluster has acted on this spec (`status.observedGeneration`). Default true. */
  readonly settled?: boolean;
}

/** What {@link ordinalSteps} takes. */
export interface OrdinalStepsInput {
  /** Where the ordinals should be: `ranges` of `assignOrdinals`. Clusters that aren't named should have none. */
  readonly wanted: readonly ClusterOrdinals[];
  /** Clusters that could be looked at, also those that have nothing. Others aren't changed. */
  readonly observed: ReadonlyMap<string, ObservedOrdinals>;
  /**
   * All that clusters may have, by what was known of them last: one range around what the spec said, the pods that were there beyond it, and what
   * they were asked for since. One that isn't observed is taken to run all of that still, so that nobody else gets those ordinals; take it out
   * once it is certain that it doesn't. A cluster to which a write is on its way, with nobody knowing what became of it, isn't observed.
   */
  readonly previous?: ReadonlyMap<string, OrdinalRange>;
  /** How many of the wanted ordinals may be without a pod that serves because they move, in all clusters together. Default 1. */
  readonly maxMissing?: number;
}

/** A change of one StatefulSet: `start` and `replicas` in one write, or a pod too many or too few comes about. */
export interface OrdinalStep {
  readonly op: 'shrink' | 'grow';
  readonly cluster: string;
  /** What the spec says now: the write should fail where that isn't so any more. */
  readonly from: OrdinalRange;
  readonly to: OrdinalRange;
}

/** Why a cluster isn't changed further now. */
export type OrdinalWaitReason =
  /** It couldn't be looked at. */
  | 'NotObserved'
  /** A cluster hasn't acted on its last change yet. */
  | 'NotSettled'
  /** It gives up ordinals first, before it gets others. */
  | 'ShrinksFirst'
  /** Other clusters still have the ordinals that it gets. */
  | 'OrdinalsInUse'
  /** It gives up more ordinals once others serve again (`maxMissing`). */
  | 'TooManyMissing';

/** What {@link ordinalSteps} decides. */
export interface OrdinalPlan {
  /** At most one for each cluster, by name. They don't depend on one another. */
  readonly steps: readonly OrdinalStep[];
  /** Clusters that have other ordinals than they should, and what they wait for; a step may bring them a part of the way. */
  readonly waiting: readonly { readonly cluster: string; readonly reason: OrdinalWaitReason }[];
  /** Whether every cluster has what it should have, and nothing else is there. */
  readonly done: boolean;
}

const NO_RANGES: ReadonlyMap<string, OrdinalRange> = new Map();
/** So that a StatefulSet of absurd size costs one call no more than this; the next call goes on. */
const MOST_DROPS = 10_000;

interface Member {
  readonly name: string;
  readonly wanted: OrdinalRange;
  /** Nothing for a cluster that isn't observed. */
  readonly observed: ObservedOrdinals | undefined;
  readonly before: OrdinalRange;
  /** What its spec will say after the steps so far. */
  spec: OrdinalRange;
}

/**
 * What to change now, so that a StatefulSet that spans clusters (KEP-3335) comes to have its ordinals where they should be, and no ordinal ever
 * runs in two clusters: first one cluster gives ordinals up, from its top or its bottom, and when they are gone there another one gets them.
 *
 * It decides from what is observed alone, and may be asked again at any time. At most `maxMissing` wanted ordinals are without a serving pod
 * because they move; only where nothing else is under way, and no step could be taken otherwise, one more is given up (two clusters that change
 * places must do without some in between). Of ordinals to give up, those come first that their next cluster can take at once, then the highest.
 *
 * What moves with an ordinal, such as its volume and what the application has to do before it stops, is the caller's: between the two steps.
 *
 * @throws ClustersetError `Invalid` where two clusters should have the same ordinal.
 */
export function ordinalSteps(input: OrdinalStepsInput): OrdinalPlan {
  checkDisjoint(input.wanted);
  const members = membersOf(input);
  const grown = growing(members);
  const { maxMissing = 1 } = input;
  const isUnderWay = grown.length > 0 || members.some(hasWorkUnderWay);
  shrink(members, maxMissing - countMissing(members), isUnderWay);
  const steps = members.flatMap((member): OrdinalStep[] => {
    const { name, before, spec } = member;
    const larger = grown.find(({ cluster }) => cluster === name);
    if (larger !== undefined) return [larger];
    return spec === before ? [] : [{ op: 'shrink', cluster: name, from: before, to: spec }];
  });
  const left = members.filter(
    (member) => !isSame(grown.find(({ cluster }) => cluster === member.name)?.to ?? member.spec, member.wanted),
  );
  const waiting = left.map((member) => ({ cluster: member.name, reason: waitReason(member, members) }));
  return { steps, waiting, done: steps.length === 0 && waiting.length === 0 && !members.some(hasWorkUnderWay) };
}

function checkDisjoint(wanted: readonly ClusterOrdinals[]): void {
  const sorted = wanted.filter(({ replicas }) => replicas > 0).sort((a, b) => a.start - b.start);
  const second = sorted.find((range, index) => endOf(sorted[index - 1] ?? EMPTY) > range.start && index > 0);
  if (second === undefined) return;
  throw new ClustersetError({
    code: 'Invalid',
    message: `ordinal ${second.start} is wanted in two clusters`,
    cluster: second.cluster,
    field: 'wanted',
    mend: 'let assignOrdinals divide them',
  });
}

function membersOf({ wanted, observed, previous = NO_RANGES }: OrdinalStepsInput): readonly Member[] {
  const targets = new Map(wanted.map((each) => [each.cluster, each]));
  const names = [...new Set([...targets.keys(), ...observed.keys(), ...previous.keys()])].sort(compareText);
  return names.map((name) => {
    const { start, replicas } = targets.get(name) ?? EMPTY;
    const seen = observed.get(name);
    const before = seen?.spec ?? previous.get(name) ?? EMPTY;
    return { name, wanted: { start, replicas }, observed: seen, before, spec: before };
  });
}

const isSame = (a: OrdinalRange, b: OrdinalRange): boolean =>
  a.replicas === b.replicas && (a.replicas === 0 || a.start === b.start);

const isSettled = ({ observed }: Member): boolean => observed?.settled !== false;

/** Pods come or go there, or it isn't known whether. */
function hasWorkUnderWay(member: Member): boolean {
  const { observed, before } = member;
  if (observed === undefined) return before.replicas > 0;
  if (!isSettled(member) || observed.running.some((ordinal) => !holds(before, ordinal))) return true;
  return servingIn(member) < before.replicas;
}

function servingIn({ observed, before }: Member): number {
  if (observed === undefined) return 0;
  const running = new Set(observed.running.filter((ordinal) => holds(before, ordinal)));
  return observed.ready === undefined ? running.size : new Set(observed.ready.filter((each) => running.has(each))).size;
}

/** Whether an ordinal of a cluster serves, so that giving it up makes one more missing. */
function servingOrdinals({ observed, before }: Member): ReadonlySet<number> {
  const running = new Set(observed?.running.filter((ordinal) => holds(before, ordinal)));
  return observed?.ready === undefined ? running : new Set(observed.ready.filter((each) => running.has(each)));
}

function countMissing(members: readonly Member[]): number {
  const total = members.reduce((sum, { wanted }) => sum + wanted.replicas, 0);
  const serving = new Set(members.flatMap((member) => [...servingOrdinals(member)]));
  const isWanted = (ordinal: number): boolean => members.some(({ wanted }) => holds(wanted, ordinal));
  return total - [...serving].filter(isWanted).length;
}

/** Clusters that have nothing to give up get what nobody else has, or may still have. */
function growing(members: readonly Member[]): readonly OrdinalStep[] {
  return members.flatMap((member): OrdinalStep[] => {
    const { name, observed, before, wanted } = member;
    if (observed === undefined || !isWithin(before, wanted) || isSame(before, wanted)) return [];
    const others = members.filter((other) => other !== member);
    if (!others.every(isSettled)) return [];
    const taken = others.flatMap((other) => [
      other.before,
      ...(other.observed?.running ?? []).map((start) => ({ start, replicas: 1 })),
    ]);
    const to = grownRange(before, gapsIn(wanted, taken));
    return to === undefined || isSame(before, to) ? [] : [{ op: 'grow', cluster: name, from: before, to }];
  });
}

interface Drop {
  readonly member: Member;
  readonly ordinal: number;
  readonly isFree: boolean;
  readonly isTakeable: boolean;
}

/** Takes ordinals from those that should give some up, one after the other, within the budget. */
function shrink(members: readonly Member[], budget: number, isUnderWay: boolean): void {
  const serving = new Map(members.map((member) => [member, servingOrdinals(member)]));
  let rest = budget;
  let dropped = 0;
  for (; dropped < MOST_DROPS; dropped += 1) {
    const drops = members.flatMap((each) => dropsOf(each, members, serving.get(each)));
    const drop =
      firstOf(drops.filter(({ isFree }) => isFree)) ??
      firstOf(drops.filter(({ isTakeable }) => isTakeable && rest > 0)) ??
      (isUnderWay || dropped > 0 ? undefined : (firstOf(drops.filter(({ isTakeable }) => isTakeable)) ?? firstOf(drops)));
    if (drop === undefined) return;
    if (!drop.isFree) rest -= 1;
    const { member, ordinal } = drop;
    const { start, replicas } = member.spec;
    member.spec = { start: ordinal === start && replicas > 1 ? start + 1 : start, replicas: replicas - 1 };
  }
}

/** The highest. */
function firstOf(drops: readonly Drop[]): Drop | undefined {
  return drops.reduce<Drop | undefined>(
    (best, each) => (best === undefined || each.ordinal > best.ordinal ? each : best),
    undefined,
  );
}

/** The ordinals at either end of a cluster's range that it shouldn't have. */
function dropsOf(member: Member, members: readonly Member[], serving: ReadonlySet<number> | undefined): readonly Drop[] {
  const { observed, spec, wanted } = member;
  if (observed === undefined || spec.replicas === 0 || isWithin(spec, wanted)) return [];
  return [...new Set([endOf(spec) - 1, spec.start])]
    .filter((ordinal) => !holds(wanted, ordinal))
    .map((ordinal) => {
      const next = members.find((each) => holds(each.wanted, ordinal));
      const isFree = next === undefined || serving?.has(ordinal) !== true;
      return { member, ordinal, isFree, isTakeable: next === undefined || canTake(next, ordinal, members) };
    });
}

/** Whether an ordinal is next to what a cluster has, or will have as soon as pods are gone. */
function canTake(member: Member, ordinal: number, members: readonly Member[]): boolean {
  const part = common(member.spec, member.wanted);
  if (part.replicas === 0 && member.spec.replicas > 0) return false;
  const others = members.filter((other) => other !== member).map(({ spec }) => spec);
  const reach = grownRange(part, gapsIn(member.wanted, others));
  return reach === undefined || ordinal === reach.start - 1 || ordinal === endOf(reach);
}

function waitReason(member: Member, members: readonly Member[]): OrdinalWaitReason {
  if (member.observed === undefined) return 'NotObserved';
  const others = members.filter((other) => other !== member);
  const mustShrink = !isWithin(member.spec, member.wanted);
  if (mustShrink) return 'TooManyMissing';
  if (member.spec !== member.before) return 'ShrinksFirst';
  return others.every(isSettled) ? 'OrdinalsInUse' : 'NotSettled';
}
