import type { GroupRule } from './constraints.ts';

/**
 * How many clusters each group of one partition may still get, while clusters are taken one by one. `witness` is one way to a whole
 * selection: numbers per group within the bounds that keep the rule and add up, so that most steps need no search.
 */
export interface GroupBounds {
  readonly rule: GroupRule;
  /** Taken already. */
  readonly lower: Int32Array;
  /** Taken or still to be had. */
  readonly upper: Int32Array;
  /** The same for clusters that are in no group. */
  freeLower: number;
  freeUpper: number;
  readonly witness: Int32Array;
  freeWitness: number;
  /** Groups, the one with the highest upper bound first. */
  readonly bySize: Int32Array;
  /** How the last answer of {@link fullest} is reached. */
  readonly window: Window;
}

/** `groups` groups with `base` to `top` clusters each, and none in the others. */
interface Window {
  base: number;
  top: number;
  groups: number;
  total: number;
}

/** Bounds before anything is taken. */
export function groupBounds(rule: GroupRule, sizes: Int32Array, free: number): GroupBounds {
  return {
    rule,
    lower: new Int32Array(sizes.length),
    upper: sizes.slice(),
    freeLower: 0,
    freeUpper: free,
    witness: new Int32Array(sizes.length),
    freeWitness: 0,
    bySize: Int32Array.from(sizes.keys()).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b),
    window: { base: 1, top: 0, groups: 0, total: -1 },
  };
}

/**
 * The most clusters, up to `most`, with which the bounds and the rule can be kept; −1 where they can't. It is exact: groups that have a
 * cluster have between `base` and `base + skew` of them, so every base is tried, with every number of groups; of those that aren't needed
 * the largest come first. It costs as much as there are clusters, at worst.
 */
export function fullest(bounds: GroupBounds, most: number): number {
  const { rule, upper, window } = bounds;
  restoreOrder(bounds);
  window.total = -1;
  const taken = countTaken(bounds.lower);
  if (taken === 0 && rule.minGroups <= 0 && bounds.freeLower <= most) {
    record(window, { base: 1, top: 0, groups: 0, total: Math.min(most, bounds.freeUpper) });
  }
  const largest = upper[bounds.bySize[0] ?? 0] ?? 0;
  const top = rule.skewOfAll;
  const lastBase = Math.min(largest, top, Number.isFinite(rule.skewOfChosen) ? largest : 1);
  for (let base = 1; base <= lastBase && window.total < most; base += 1) {
    tryWindow(bounds, {
      base,
      top: Math.min(base + rule.skewOfChosen, top),
      from: rule.minGroups,
      to: rule.maxGroups,
      taken,
      most,
    });
  }
  if (Number.isFinite(top)) tryFull(bounds, { taken, most });
  return window.total;
}

/** Where any two groups count and none is empty. */
function tryFull(bounds: GroupBounds, { taken, most }: { readonly taken: number; readonly most: number }): void {
  const { rule, upper, bySize, window } = bounds;
  const groups = upper.length;
  if (groups === 0 || groups < rule.minGroups || groups > rule.maxGroups) return;
  const skew = Math.min(rule.skewOfAll, rule.skewOfChosen);
  const smallest = upper[bySize[groups - 1] ?? 0] ?? 0;
  for (let base = 1; base <= smallest && base * groups <= most && window.total < most; base += 1) {
    tryWindow(bounds, { base, top: base + skew, from: groups, to: groups, taken, most });
  }
}

interface Attempt {
  readonly base: number;
  readonly top: number;
  readonly from: number;
  readonly to: number;
  readonly taken: number;
  readonly most: number;
}

function tryWindow(bounds: GroupBounds, attempt: Attempt): void {
  const { base, top, taken, most } = attempt;
  const { lower, upper, bySize, window } = bounds;
  const between = takenIn(bounds, base, top, taken);
  if (between === undefined) return;
  let groups = taken;
  if (!offer(window, attempt, groups, between)) return;
  for (const group of bySize) {
    if ((lower[group] ?? 0) > 0) continue;
    const may = upper[group] ?? 0;
    if (may < base || window.total === most) return;
    groups += 1;
    between.low += base;
    between.high += Math.min(may, top);
    if (!offer(window, attempt, groups, between)) return;
  }
}

/** Records what can be had with so many groups. Whether more of them may be tried. */
function offer(window: Window, { base, top, from, to, most }: Attempt, groups: number, { low, high }: Between): boolean {
  if (low > most || groups > to) return false;
  if (groups >= from && groups > 0) record(window, { base, top, groups, total: Math.min(most, high) });
  return true;
}

/** How many clusters there must and may be, if the groups that have one have between `base` and `top`; nothing where one of them can't be there. */
function takenIn(bounds: GroupBounds, base: number, top: number, taken: number): Between | undefined {
  const { lower, upper, bySize, freeLower, freeUpper } = bounds;
  let low = freeLower;
  let high = freeUpper;
  let met = 0;
  for (let at = 0; at < bySize.length && met < taken; at += 1) {
    const group = bySize[at] ?? 0;
    const has = lower[group] ?? 0;
    if (has === 0) continue;
    const may = upper[group] ?? 0;
    if (has > top || may < base) return undefined;
    met += 1;
    low += Math.max(has, base);
    high += Math.min(may, top);
  }
  return { low, high };
}

interface Between {
  low: number;
  high: number;
}

function record(window: Window, found: Window): void {
  if (found.total > window.total) Object.assign(window, found);
}

function countTaken(lower: Int32Array): number {
  let taken = 0;
  for (let at = 0; at < lower.length; at += 1) if ((lower[at] ?? 0) > 0) taken += 1;
  return taken;
}

/** Bounds change little from one time to the next, so the groups are nearly in order. */
function restoreOrder({ upper, bySize }: GroupBounds): void {
  for (let at = 1; at < bySize.length; at += 1) {
    const group = bySize[at] ?? 0;
    const size = upper[group] ?? 0;
    let to = at;
    while (to > 0 && isAfter(bySize[to - 1] ?? 0, group, size, upper)) {
      bySize[to] = bySize[to - 1] ?? 0;
      to -= 1;
    }
    bySize[to] = group;
  }
}

function isAfter(other: number, group: number, size: number, upper: Int32Array): boolean {
  const otherSize = upper[other] ?? 0;
  return otherSize < size || (otherSize === size && other > group);
}

/** The groups of the clusters that may still be taken, the preferred one first; −1 for clusters in none. */
export type OpenGroups = (visit: (group: number) => boolean) => void;

/**
 * Makes the witness one of exactly `total` clusters, where there is one. Beyond what is needed it takes the preferred clusters, so that it
 * seldom has to change afterwards.
 */
export function findWitness(bounds: GroupBounds, total: number, openGroups: OpenGroups): boolean {
  if (fullest(bounds, total) !== total) return false;
  let missing = total - bounds.freeLower - reserve(bounds);
  bounds.freeWitness = bounds.freeLower;
  const add = witnessBuilder(bounds);
  openGroups((group) => {
    if (missing > 0 && add(group)) missing -= 1;
    return missing > 0;
  });
  return true;
}

/** Adds one cluster of a group after the other to the witness, where it isn't in it yet and the group may have more. */
function witnessBuilder(bounds: GroupBounds): (group: number) => boolean {
  const { rule, lower, upper, witness, window } = bounds;
  const reserved = witness.map((count, group) => count - (lower[group] ?? 0));
  const groupLimit = window.base > 1 ? 0 : rule.maxGroups;
  let { groups } = window;
  return (group) => {
    if (group < 0) {
      bounds.freeWitness += 1;
      return true;
    }
    const waiting = reserved[group] ?? 0;
    if (waiting > 0) {
      reserved[group] = waiting - 1;
      return false;
    }
    const count = witness[group] ?? 0;
    if (count >= window.top || count >= (upper[group] ?? 0) || (count === 0 && groups >= groupLimit)) return false;
    if (count === 0) groups += 1;
    witness[group] = count + 1;
    return true;
  };
}

/** Gives each group of the window its least number. Returns the sum. */
function reserve({ lower, upper, bySize, witness, window }: GroupBounds): number {
  const { base, groups } = window;
  let sum = 0;
  let open = groups - countTaken(lower);
  for (const group of bySize) {
    const has = lower[group] ?? 0;
    let count = 0;
    if (has > 0) count = Math.max(has, base);
    else if (open > 0 && (upper[group] ?? 0) >= base) {
      count = base;
      open -= 1;
    }
    witness[group] = count;
    sum += count;
  }
  return sum;
}
