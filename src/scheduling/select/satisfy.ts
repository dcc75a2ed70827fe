import { type Choice, choose } from './choose.ts';
import { type Constraint, demandsOf } from './constraints.ts';
import type { SpreadLimit } from './selection.ts';
import type { Topology } from './topology.ts';

/** What is chosen, and what of the constraints it keeps: soft ones are loosened where they can't be met. */
export interface Satisfied {
  readonly ranks: readonly number[];
  readonly constraints: readonly Constraint[];
  readonly wasCut: boolean;
}

/** The first hard constraint that can't be met beside those before it. */
export interface Unsatisfied {
  readonly blamed: Constraint;
  /** The limit that would have to give way, and how far; absent where that wouldn't help, or isn't known since the search was cut short. */
  readonly loosened?: { readonly limit: SpreadLimit; readonly found: number };
  readonly wasCut: boolean;
}

/** What choosing is about. */
export interface Problem {
  readonly topology: Topology;
  /** Clusters that may be selected at most, beside what constraints say. */
  readonly number: number;
}

/** Chooses by the constraints: {@link choose}. */
export function chooseBy({ topology, number }: Problem, constraints: readonly Constraint[]): Choice {
  return choose(topology, demandsOf(topology, constraints, number), topology.order);
}

/** Meets all hard constraints; then, one after the other, as much of the soft ones as goes with what is met already. */
export function satisfy(problem: Problem, constraints: readonly Constraint[]): Satisfied | Unsatisfied {
  const all = chooseBy(problem, constraints);
  if (all.ranks !== undefined) return { ranks: all.ranks, constraints, wasCut: all.wasCut };
  const hard = constraints.filter((each) => each.hard);
  const start = hard.length === constraints.length ? all : chooseBy(problem, hard);
  if (start.ranks === undefined) return blame(problem, hard, start.wasCut);
  let found: Satisfied = { ranks: start.ranks, constraints: hard, wasCut: start.wasCut };
  for (const soft of constraints) if (!soft.hard) found = withSoft(problem, found, soft);
  return found;
}

function withSoft(problem: Problem, found: Satisfied, soft: Constraint): Satisfied {
  const loosened = loosen(problem, found.constraints, soft);
  if (loosened === undefined) return found;
  return { ...loosened, wasCut: found.wasCut || loosened.wasCut };
}

/** As much of a constraint as can be met: first by one limit alone, then without a least number of groups, then without a most. */
function loosen(problem: Problem, before: readonly Constraint[], wanted: Constraint): Satisfied | undefined {
  const whole = chooseBy(problem, [...before, wanted]);
  if (whole.ranks !== undefined) return { ranks: whole.ranks, constraints: [...before, wanted], wasCut: whole.wasCut };
  const without: Constraint = { ...wanted, minGroups: 0 };
  return (
    loosenOne(problem, before, wanted, 'minGroups') ??
    loosenOne(problem, before, wanted, 'maxSkew') ??
    loosenOne(problem, before, wanted, 'maxGroups') ??
    loosenOne(problem, before, without, 'maxSkew') ??
    loosenOne(problem, before, without, 'maxGroups') ??
    loosenOne(problem, before, { ...without, maxGroups: Number.POSITIVE_INFINITY }, 'maxSkew')
  );
}

/** Moves one limit as little as will do: by halves, for whoever gets by with less gets by with more. */
function loosenOne(
  problem: Problem,
  before: readonly Constraint[],
  wanted: Constraint,
  limit: SpreadLimit,
): Satisfied | undefined {
  const values = loosenedValues(problem, wanted, limit);
  let best: Satisfied | undefined;
  let from = 0;
  let to = values.length - 1;
  while (from <= to) {
    // The loosest value first: mostly a limit alone doesn't help.
    const middle = best === undefined ? to : (from + to) >> 1;
    const constraints = [...before, { ...wanted, [limit]: values[middle] ?? 0 }];
    const { ranks, wasCut } = chooseBy(problem, constraints);
    if (ranks === undefined && best === undefined) return undefined;
    if (ranks === undefined) from = middle + 1;
    else {
      best = { ranks, constraints, wasCut };
      to = middle - 1;
    }
  }
  return best;
}

/** Looser values of a limit that make a difference, the nearest first. */
function loosenedValues({ topology }: Problem, wanted: Constraint, limit: SpreadLimit): readonly number[] {
  const clusters = topology.ranked.length;
  const groups = topology.partitions[wanted.partition]?.groups.length ?? clusters;
  if (limit === 'minGroups') {
    const first = Math.min(wanted.minGroups, groups + 1) - 1;
    return Array.from({ length: Math.max(0, first + 1) }, (_, at) => first - at);
  }
  const last = limit === 'maxGroups' ? groups : clusters;
  return Array.from({ length: Math.max(0, last - wanted[limit]) }, (_, at) => wanted[limit] + 1 + at);
}

function blame(problem: Problem, hard: readonly Constraint[], wasCut: boolean): Unsatisfied {
  // Whether fewer constraints can be met would have to be searched for as long, and would say no more.
  if (wasCut) return { blamed: hard[hard.length - 1] as Constraint, wasCut };
  const at = hard.findIndex((_, index) => chooseBy(problem, hard.slice(0, index + 1)).ranks === undefined);
  const before = hard.slice(0, at < 0 ? -1 : at);
  const blamed = hard[before.length] as Constraint;
  for (const limit of ['minGroups', 'maxSkew', 'maxGroups'] as const) {
    const found = loosenOne(problem, before, blamed, limit)?.constraints.at(-1)?.[limit];
    if (found !== undefined) return { blamed, loosened: { limit, found }, wasCut: false };
  }
  return { blamed, wasCut: false };
}
