import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRollout, type RolloutPlan } from '../../../src/scheduling/kubeadmiral/rollout.ts';
import { type RolloutBudget, rolloutBudget } from '../../../src/scheduling/kubeadmiral/rollout-budget.ts';
import type { RolloutObservation, RolloutTarget } from '../../../src/scheduling/kubeadmiral/rollout-target.ts';

/** Replicas, desired, updated, available of those updated, own surge, own unavailable. */
type Row = readonly [cluster: string, isUpdated: boolean, ...numbers: [number, number, number, number, number, number]];

function target([
  cluster,
  isUpdated,
  replicas,
  desired,
  updated,
  updatedAvailable,
  maxSurge,
  maxUnavailable,
]: Row): RolloutTarget {
  const current = isUpdated ? updated : replicas;
  const counts = { updated, updatedAvailable, currentNew: current, currentNewAvailable: current };
  const observed = { replicas, actual: replicas, available: replicas, isUpdated, maxSurge, maxUnavailable, ...counts };
  return { cluster, desired, observed };
}

/** Replicas, surge, unavailable, replicas only; `null` is the final value. */
function changes({ steps }: RolloutPlan): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    steps.flatMap(({ cluster, change }) =>
      change === undefined
        ? []
        : [[cluster, [change.replicas ?? null, change.maxSurge ?? null, change.maxUnavailable ?? null, change.replicasOnly]]],
    ),
  );
}

describe('planRollout', () => {
  it.each<[string, RolloutBudget, readonly Row[], Readonly<Record<string, readonly unknown[]>>]>([
    [
      'updates what grows and shrinks others, and lets the rest wait',
      { maxSurge: 0, maxUnavailable: 10 },
      [
        ['f', false, 5, 5, 0, 0, 0, 0],
        ['d', false, 10, 10, 0, 0, 0, 0],
        ['c', false, 0, 5, 0, 0, 0, 0],
        ['a', false, 5, 15, 0, 0, 0, 0],
        ['b', false, 20, 10, 0, 0, 0, 0],
        ['e', false, 5, 0, 0, 0, 0, 0],
      ],
      { a: [5, 0, 5, false], b: [15, null, null, true], c: [0, null, null, false] },
    ],
    [
      'goes on where it finds things, and grows by what was given up elsewhere',
      { maxSurge: 0, maxUnavailable: 10 },
      [
        ['f', true, 5, 5, 5, 3, 5, 0],
        ['d', true, 10, 10, 10, 10, 0, 10],
        ['c', true, 0, 5, 0, 0, 0, 10],
        ['a', true, 5, 15, 5, 5, 0, 10],
        ['b', true, 10, 10, 10, 8, 5, 0],
        ['e', false, 5, 0, 0, 0, 0, 0],
      ],
      {
        a: [15, null, null, false],
        b: [null, 1, 0, false],
        c: [0, null, null, false],
        d: [null, null, null, false],
        f: [null, 1, 0, false],
      },
    ],
    [
      'gives final values to all where only scaling is left',
      { maxSurge: 0, maxUnavailable: 10 },
      [
        ['a', true, 15, 15, 15, 14, 0, 1],
        ['c', true, 0, 5, 0, 0, 0, 10],
      ],
      { a: [null, null, null, false], c: [null, null, null, false] },
    ],
  ])('%s', (_, budget, rows, expected) => {
    const totalReplicas = rows.reduce((sum, row) => sum + row[3], 0);
    const plan = planRollout({ totalReplicas, budget, targets: rows.map(target) });
    expect(changes(plan)).toEqual(expected);
    expect(planRollout({ totalReplicas, budget, targets: rows.map(target).toReversed() })).toEqual(plan);
  });

  it('says why, for each cluster', () => {
    const targets = [
      target(['a', false, 4, 8, 0, 0, 0, 1]),
      target(['b', false, 8, 4, 0, 0, 0, 1]),
      { cluster: 'c', desired: 0 },
    ];
    const { steps } = planRollout({ totalReplicas: 12, budget: { maxSurge: 0, maxUnavailable: 2 }, targets });
    expect(steps.map(({ reasons }) => reasons)).toEqual([
      ['paced', 'holdsReplicas'],
      ['holdsReplicas', 'waitsForBudget'],
      ['waitsForBudget'],
    ]);
  });

  it('creates a workload that is nowhere yet', () => {
    const plan = planRollout({
      totalReplicas: 3,
      budget: { maxSurge: 1, maxUnavailable: 0 },
      targets: [{ cluster: 'a', desired: 3 }],
    });
    expect(plan.steps[0]).toMatchObject({ direction: 'out', change: { replicasOnly: false }, reasons: ['onlyScaling'] });
  });

  it('refuses to go where too few replicas are desired', () => {
    const targets = [target(['a', false, 10, 5, 0, 0, 0, 1]), target(['b', false, 1, 2, 0, 0, 0, 1])];
    const plan = planRollout({ totalReplicas: 10, budget: { maxSurge: 0, maxUnavailable: 1 }, targets });
    expect(plan.refused).toEqual({ code: 'desiredTooFew', by: 2 });
    expect(plan.steps.map(({ change, reasons }) => [change, reasons])).toEqual([
      [undefined, ['refused']],
      [undefined, ['refused']],
    ]);
  });

  it('leads every rollout of templates to its end within the budget, however fast pods become available', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 0, 1, 3, 8),
        fc.constantFrom(0, 0, 1, 3, 8),
        fc.infiniteStream(fc.nat(0xffff)),
        (sizes, surge, unavailable, dice) => {
          const budget = rolloutBudget({ maxSurge: surge, maxUnavailable: unavailable }, 100);
          const fleet = sizes.map((size, index) => new Member(`c${index}`, size, size, budget));
          const { ended, above, below } = simulate(fleet, budget, dice);
          expect({ ended, above }).toEqual({ ended: true, above: 0 });
          // With both budgets, the final pace of a member whose new pods aren't available yet lets it take old ones away.
          if (budget.maxSurge === 0 || budget.maxUnavailable === 0) expect(below).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leads rollouts that move replicas to their end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 0, 1, 3, 8),
        fc.constantFrom(0, 0, 1, 3, 8),
        fc.infiniteStream(fc.nat(0xffff)),
        (sizes, surge, unavailable, dice) => {
          const budget = rolloutBudget({ maxSurge: surge, maxUnavailable: unavailable }, 100);
          const replicas = sizes.map(([now]) => now);
          const desired = replicas.toSorted((a, b) => ((a * 7 + 3) % 13) - ((b * 7 + 3) % 13));
          const fleet = replicas.map((now, index) => new Member(`c${index}`, now, desired[index] ?? 0, budget));
          expect(simulate(fleet, budget, dice).ended).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface Pods {
  pods: number;
  available: number;
}

/** A Deployment and its controller, one small action at a time. */
class Member {
  readonly name: string;
  readonly desired: number;
  replicas: number;
  pace: RolloutBudget;
  isUpdated = false;
  readonly old: Pods;
  readonly young: Pods = { pods: 0, available: 0 };

  constructor(name: string, replicas: number, desired: number, pace: RolloutBudget) {
    this.name = name;
    this.replicas = replicas;
    this.desired = desired;
    this.pace = pace;
    this.old = { pods: replicas, available: replicas };
  }

  get pods(): number {
    return this.old.pods + this.young.pods;
  }

  get available(): number {
    return this.old.available + this.young.available;
  }

  observe(): RolloutObservation {
    const current = this.isUpdated ? this.young : this.old;
    return {
      replicas: this.replicas,
      actual: this.pods,
      available: this.available,
      isUpdated: this.isUpdated,
      updated: this.young.pods,
      updatedAvailable: this.young.available,
      currentNew: current.pods,
      currentNewAvailable: current.available,
      ...this.pace,
    };
  }

  act(dice: number): void {
    const { maxSurge, maxUnavailable } = this.pace;
    const [current, other] = this.isUpdated ? [this.young, this.old] : [this.old, this.young];
    if (dice % 3 === 0) {
      const room = this.replicas + (other.pods > 0 ? maxSurge : 0) - this.pods;
      current.pods += Math.max(0, Math.min(room, this.replicas - current.pods));
      remove(current, current.pods - this.replicas);
    } else if (dice % 3 === 1) {
      const least = this.replicas - maxUnavailable;
      const fewer = this.pods - least - (current.pods - current.available);
      remove(other, Math.min(fewer, other.pods - other.available));
      remove(other, Math.min(fewer, this.available - least));
    } else if (current.available < current.pods) current.available += 1;
    else if (other.available < other.pods) other.available += 1;
  }

  get isDone(): boolean {
    const { pods, available } = this.young;
    return this.replicas === this.desired && this.old.pods === 0 && pods === this.desired && available === pods;
  }
}

/** Pods that aren't available go first. */
function remove(from: Pods, count: number): void {
  from.pods -= Math.max(0, Math.min(count, from.pods));
  from.available = Math.min(from.available, from.pods);
}

/** Whether it came to an end, and the worst that happened on the way, in pods beyond the budget. */
function simulate(fleet: readonly Member[], budget: RolloutBudget, dice: Iterable<number>) {
  const total = fleet.reduce((sum, { desired }) => sum + desired, 0);
  const throws = dice[Symbol.iterator]();
  const next = (): number => throws.next().value ?? 0;
  let [above, below] = [0, 0];
  for (let round = 0; round < 2000; round += 1) {
    if (fleet.every(({ isDone }) => isDone)) return { ended: true, above, below };
    const targets = fleet.map((member) => ({ cluster: member.name, desired: member.desired, observed: member.observe() }));
    for (const { cluster, change } of planRollout({ totalReplicas: total, budget, targets }).steps) {
      const member = fleet.find(({ name }) => name === cluster);
      if (member === undefined || change === undefined) continue;
      member.replicas = change.replicas ?? member.desired;
      if (change.replicasOnly) continue;
      member.isUpdated = true;
      member.pace = {
        maxSurge: change.maxSurge ?? budget.maxSurge,
        maxUnavailable: change.maxUnavailable ?? budget.maxUnavailable,
      };
    }
    for (let action = 0; action < 8; action += 1) {
      const number = next();
      fleet[(number >> 4) % fleet.length]?.act(number);
      above = Math.max(above, fleet.reduce((sum, { pods }) => sum + pods, 0) - total - budget.maxSurge);
      below = Math.max(below, total - budget.maxUnavailable - fleet.reduce((sum, { available }) => sum + available, 0));
    }
  }
  return { ended: false, above, below };
}

describe('rolloutBudget', () => {
  it.each([
    ['rounds surge up and unavailability down', { maxSurge: '25%', maxUnavailable: '25%' }, 10, [3, 2]],
    ['lets one pod be missing where both are nothing', { maxSurge: 0, maxUnavailable: '10%' }, 5, [0, 1]],
    ['takes numbers as they are', { maxSurge: 4, maxUnavailable: 0 }, 5, [4, 0]],
    ['has no pods below zero', { maxSurge: -4, maxUnavailable: 2 }, 5, [0, 2]],
    ['has no default but one pod', {}, 5, [0, 1]],
  ] as const)('%s', (_, update, replicas, [maxSurge, maxUnavailable]) => {
    expect(rolloutBudget(update, replicas)).toEqual({ maxSurge, maxUnavailable });
  });

  it('refuses a text that is no percentage', () => {
    expect(() => rolloutBudget({ maxSurge: 'some' }, 5)).toThrow(expect.objectContaining({ code: 'Invalid', field: 'maxSurge' }));
  });
});
