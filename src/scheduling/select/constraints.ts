import type { SpreadConstraint } from '../policy/api.ts';
import type { Topology } from './topology.ts';

/** A spread constraint with its defaults filled in. */
export interface Constraint {
  /** In `spec.spread`. */
  readonly index: number;
  readonly topologyKey: string;
  /** The partition that it is about; −1 for clusters themselves. */
  readonly partition: number;
  readonly hard: boolean;
  readonly minGroups: number;
  readonly maxGroups: number;
  readonly maxSkew: number;
}

/** What the constraints on one partition demand together. Without a limit it is infinite. */
export interface GroupRule {
  readonly minGroups: number;
  readonly maxGroups: number;
  /** By how much any two groups may differ. */
  readonly skewOfAll: number;
  /** By how much two groups may differ that have a cluster. */
  readonly skewOfChosen: number;
}

/** What constraints demand of a selection. */
export interface Demands {
  /** Clusters, at least and at most. */
  readonly least: number;
  readonly most: number;
  /** All clusters or none: they may not differ in whether they are selected. */
  readonly allOrNone: boolean;
  /** By partition. */
  readonly rules: readonly GroupRule[];
}

/** Keys of the partitions, each once, in their order. */
export function partitionKeys(spread: readonly SpreadConstraint[]): readonly string[] {
  return [...new Set(spread.map(({ topologyKey }) => topologyKey))].filter((key) => key !== 'cluster');
}

/** Fills defaults in. A number that is none counts as not given, a negative one as 0. */
export function constraintsOf(spread: readonly SpreadConstraint[]): readonly Constraint[] {
  const keys = partitionKeys(spread);
  return spread.map(({ topologyKey, minGroups, maxGroups, maxSkew, whenUnsatisfiable }, index) => ({
    index,
    topologyKey,
    partition: keys.indexOf(topologyKey),
    hard: whenUnsatisfiable !== 'ScheduleAnyway',
    minGroups: Math.ceil(countOr(minGroups, 1)),
    maxGroups: Math.floor(countOr(maxGroups, Number.POSITIVE_INFINITY)),
    maxSkew: Math.floor(countOr(maxSkew, Number.POSITIVE_INFINITY)),
  }));
}

/** A count of a policy, or the default where it isn't given or is no number. */
export function countOr(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : Math.max(0, value);
}

/** Puts constraints together: the narrowest limit counts. `number` is how many clusters may be selected besides. */
export function demandsOf(topology: Topology, constraints: readonly Constraint[], number: number): Demands {
  const { length } = topology.ranked;
  let least = 0;
  let allOrNone = false;
  let most = Math.min(length, number);
  for (const { partition, minGroups, maxGroups, maxSkew } of constraints) {
    if (partition >= 0) continue;
    least = Math.max(least, minGroups);
    most = Math.min(most, maxGroups);
    if (maxSkew === 0 && maxGroups >= length) allOrNone = true;
  }
  const rules = topology.partitions.map(({ groups }, at) =>
    constraints.filter(({ partition }) => partition === at).reduce((rule, each) => narrowed(rule, each, groups.length), NO_RULE),
  );
  return { least, most, allOrNone, rules };
}

const NONE = Number.POSITIVE_INFINITY;
/** Demands nothing. */
export const NO_RULE: GroupRule = { minGroups: 0, maxGroups: NONE, skewOfAll: NONE, skewOfChosen: NONE };

/** Where a constraint admits fewer groups than there are, the groups that aren't chosen don't count for its skew. */
function narrowed(rule: GroupRule, { minGroups, maxGroups, maxSkew }: Constraint, groups: number): GroupRule {
  const all = maxGroups >= groups;
  return {
    minGroups: Math.max(rule.minGroups, minGroups),
    maxGroups: Math.min(rule.maxGroups, maxGroups),
    skewOfAll: Math.min(rule.skewOfAll, all ? maxSkew : NONE),
    skewOfChosen: Math.min(rule.skewOfChosen, all ? NONE : maxSkew),
  };
}
