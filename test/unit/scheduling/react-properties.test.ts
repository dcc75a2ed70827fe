import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterObservation } from '../../../src/scheduling/react/observation.ts';
import { type ReactInput, react, type UsableCluster } from '../../../src/scheduling/react/react.ts';
import { type FailoverState, parseFailoverState } from '../../../src/scheduling/react/state.ts';

const NAMES = ['a', 'b', 'c', '__proto__', 'constructor', 'toString'];
const START = Date.parse('2026-01-01T00:00:00Z');

const observation: fc.Arbitrary<ClusterObservation> = fc
  .record(
    {
      cluster: fc.constantFrom(...NAMES),
      reachable: fc.boolean(),
      assigned: fc.nat(9),
      ready: fc.nat(9),
      unschedulable: fc.nat(3),
      healthy: fc.boolean(),
      taint: fc.record(
        {
          effect: fc.constantFrom('NoExecute' as const, 'NoSelectIfNew' as const),
          until: fc.constantFrom('2026-01-01T00:10:00Z', '2026-01-01T01:00:00Z', 'never'),
        },
        { requiredKeys: ['effect'] },
      ),
    },
    { requiredKeys: ['cluster', 'reachable', 'assigned'] },
  )
  .map((each) => ({ ...each, reachable: each.reachable || each.assigned > 3 }));

const fleet = fc.uniqueArray(observation, { selector: ({ cluster }) => cluster, maxLength: NAMES.length });
const rules = fc.record(
  {
    minReady: fc.constantFrom<number | string>(0, 1, 4, '50%', '100%'),
    maxReplicas: fc.constantFrom<number | string>(1, 3, '25%'),
    maxClusters: fc.constantFrom(1, 2),
    readySeconds: fc.constantFrom(0, 30, 600),
    onReturn: fc.constantFrom('Withdraw' as const, 'Keep' as const),
    observationGapSeconds: fc.constant(100_000),
    grace: fc.constant({ unreachableSeconds: 60, unhealthySeconds: 30, unschedulableSeconds: 10 }),
  },
  { requiredKeys: [] },
);
const looks = fc.array(fc.tuple(fleet, fc.integer({ min: -200, max: 800 })), { minLength: 1, maxLength: 12 });
const replicas = fc.option(fc.nat(20), { nil: undefined });

/** Every usable cluster gets an equal share, as far as its cap allows. */
const divideEqually =
  (total: number) =>
  (usable: readonly UsableCluster[]): ReadonlyMap<string, number> =>
    new Map(
      usable.map(({ cluster, cap = total }, index) => {
        const share = Math.floor(total / usable.length) + (index < total % usable.length ? 1 : 0);
        return [cluster, Math.min(cap, share)];
      }),
    );

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

interface Case {
  readonly state: FailoverState | undefined;
  readonly input: ReactInput;
}

/** All states that such a story leads to. */
function* casesOf(
  story: readonly (readonly [ClusterObservation[], number])[],
  ruled: NonNullable<ReactInput['rules']>,
  total: number | undefined,
): Iterable<Case> {
  let state: FailoverState | undefined;
  let now = START;
  for (const [observations, seconds] of story) {
    now += seconds * 1000;
    const input: ReactInput = {
      observations: freeze(observations),
      now: new Date(now).toISOString(),
      rules: freeze(ruled),
      ...(total !== undefined && { replicas: total }),
      divide: divideEqually(total ?? 6),
    };
    yield { state, input };
    state = freeze(react(state, input).state);
  }
}

const check = (holds: (each: Case, total: number | undefined) => void): void =>
  fc.assert(
    fc.property(looks, rules, replicas, (story, ruled, total) => {
      for (const each of casesOf(story, ruled, total)) holds(each, total);
    }),
    { numRuns: 100 },
  );

describe('react, whatever happens,', () => {
  it('changes nothing that it is given, and answers with plain JSON', () => {
    check(({ state, input }) => {
      const { divide: _, ...answer } = { divide: 0, ...react(state, input) };
      expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
      expect(parseFailoverState(answer.state)).toEqual(answer.state);
    });
  });

  it('does not depend on the order of observations', () => {
    check(({ state, input }) => {
      expect(react(state, { ...input, observations: input.observations.toReversed() })).toEqual(react(state, input));
    });
  });

  it('answers the same to the same question', () => {
    check(({ state, input }) => {
      const first = react(state, input);
      // It may say that it is to be asked again at once.
      if (first.nextAt === input.now) return;
      const second = react(first.state, input);
      expect(second.steps.map(({ cluster, replicas: n }) => [cluster, n])).toEqual(
        first.steps.map(({ cluster, replicas: n }) => [cluster, n]),
      );
      expect(react(second.state, input).isStateChanged).toBe(false);
    });
  });

  it('answers the same until the time that it names', () => {
    check(({ state, input }) => {
      const first = react(state, input);
      if (first.nextAt === input.now) return;
      const end = first.nextAt === undefined ? Date.parse(input.now) + 10_000_000 : Date.parse(first.nextAt);
      const later = Math.max(Date.parse(input.now), end - 1);
      const second = react(first.state, { ...input, now: new Date(later).toISOString() });
      expect(second.steps.map(({ cluster, replicas: n }) => [cluster, n])).toEqual(
        first.steps.map(({ cluster, replicas: n }) => [cluster, n]),
      );
    });
  });

  it('writes only where it can, and goes no farther than the target', () => {
    check(({ state, input }) => {
      const { steps, clusters, stopped } = react(state, input);
      if (stopped !== undefined) expect(steps).toEqual([]);
      for (const { cluster, replicas: n, from, reason } of steps) {
        const seen = input.observations.find((each) => each.cluster === cluster);
        const target = clusters.find((each) => each.cluster === cluster)?.target ?? Number.NaN;
        expect(seen?.reachable).toBe(true);
        expect(n).toBeGreaterThanOrEqual(Math.min(from, target));
        expect(n).toBeLessThanOrEqual(Math.max(from, target));
        if (n === from) expect(reason).toBe('TakeBack');
      }
    });
  });

  it('says for each cluster what it waits for, where it does not have what it should', () => {
    check(({ state, input }) => {
      for (const { target, replicas: n, waitsFor, standing } of react(state, input).clusters) {
        if (n !== target) expect(waitsFor).toBeDefined();
        if (standing === 'Suspected') expect(waitsFor).toBeDefined();
      }
    });
  });

  it('never takes more of what is ready, or of what is there, than may go', () => {
    check(({ state, input }, total) => {
      if (total === undefined) return;
      const { steps, clusters } = react(state, input);
      const asked = new Map(state?.clusters.map((each) => [each.cluster, each.asked]));
      const floor = Math.min(total, Math.max(1, amountOf(input.rules?.minReady ?? '100%', total)));
      const sums = { readyBefore: 0, ready: 0, thereBefore: 0, there: 0 };
      for (const { cluster, assigned = 0, ready = assigned, healthy, reachable } of input.observations) {
        const step = steps.find((each) => each.cluster === cluster)?.replicas ?? assigned;
        const before = Math.min(assigned, lowOf(asked.get(cluster), assigned, timeOf(state, input)));
        const known =
          healthy === false && input.observations.every((each) => each.cluster !== cluster || each.ready === undefined);
        const isReady = reachable && !known ? ready : 0;
        sums.readyBefore += Math.min(isReady, before);
        sums.ready += Math.min(isReady, before, step);
        const { standing, trouble } = clusters.find((each) => each.cluster === cluster) ?? {};
        if (!reachable && standing === 'GivenUp' && trouble === 'Unreachable') continue;
        sums.thereBefore += before;
        sums.there += Math.min(before, step);
      }
      if (sums.ready < sums.readyBefore) expect(sums.ready).toBeGreaterThanOrEqual(floor);
      if (sums.there < sums.thereBefore) expect(sums.there).toBeGreaterThanOrEqual(total);
    });
  });

  it('answers where all is well as it does where it has to think', () => {
    const well = fc.uniqueArray(fc.record({ cluster: fc.constantFrom(...NAMES), assigned: fc.nat(5) }), {
      selector: ({ cluster }) => cluster,
    });
    fc.assert(
      fc.property(well, fc.nat(), rules, replicas, (fleetOfOne, odd, ruled, total) => {
        const shares = new Map(fleetOfOne.map(({ cluster, assigned }) => [cluster, assigned]));
        const observations = fleetOfOne.map((each, index): ClusterObservation => {
          // Now and then one isn't quite well.
          const isOdd = odd % 20 === index;
          if (isOdd && odd % 3 === 0) shares.set(each.cluster, each.assigned + 1);
          if (isOdd && odd % 3 === 1) return { ...each, reachable: true, taint: { effect: 'NoSelectIfNew' } };
          return { ...each, reachable: true, ready: isOdd ? 0 : each.assigned };
        });
        const divide = (usable: readonly UsableCluster[]): ReadonlyMap<string, number> =>
          new Map(usable.map(({ cluster, cap = 99 }) => [cluster, Math.min(cap, shares.get(cluster) ?? 0)]));
        const input: ReactInput = {
          observations,
          now: new Date(START).toISOString(),
          rules: ruled,
          ...(total !== undefined && { replicas: total }),
          divide,
        };
        // A trouble that is forgotten at this very look, of a cluster that is no more.
        const troubled: FailoverState = { at: START - 1, clusters: [{ cluster: 'gone', began: [0], left: 0 }] };
        const { state, isStateChanged, ...answer } = react(troubled, input);
        const { state: quick, isStateChanged: isQuickChanged, ...quickAnswer } = react(undefined, input);
        expect(quickAnswer).toEqual(answer);
        expect([quick, isStateChanged, isQuickChanged]).toEqual([state, true, state.clusters.length > 0]);
      }),
      { numRuns: 500 },
    );
  });

  it('ends each move, whatever the budgets, where there is room', () => {
    const troubles = fc.constantFrom('Well', 'Well', 'Silent', 'Sick', 'Tainted');
    const clusters = fc.array(fc.tuple(fc.nat(6), troubles), { minLength: 1, maxLength: 4 });
    let longest = 0;
    fc.assert(
      fc.property(clusters, rules, fc.integer({ min: 1, max: 12 }), fc.nat(3), (drawn, ruled, total, lost) => {
        const fleetNow = drawn.map(([assigned, trouble], index) => ({
          cluster: `c${index}`,
          assigned,
          ready: assigned,
          trouble,
        }));
        const good = fleetNow.filter(({ trouble }) => trouble === 'Well');
        const silent = fleetNow.filter(({ trouble }) => trouble === 'Silent');
        // Silence of most clusters is taken for our own, and one must be left to go to.
        if (good.length === 0 || silent.length * 2 > fleetNow.length) return;
        let state: FailoverState | undefined;
        for (let look = 0; look < 150; look += 1) {
          for (const each of good) each.ready = each.assigned;
          const reaction = react(state, {
            observations: fleetNow.map(({ trouble, ...each }) => ({
              ...each,
              ready: trouble === 'Sick' ? 0 : Math.min(each.ready, each.assigned),
              reachable: trouble !== 'Silent',
              healthy: trouble !== 'Sick',
              ...(trouble === 'Tainted' && { taint: { effect: 'NoExecute' as const } }),
            })),
            now: new Date(START + look * 50_000).toISOString(),
            // A step that may yet be carried out is doubted for so long.
            rules: { ...ruled, observationGapSeconds: 120 },
            replicas: total,
            divide: divideEqually(total),
          });
          state = reaction.state;
          for (const [at, step] of reaction.steps.entries()) {
            const target = fleetNow.find(({ cluster }) => cluster === step.cluster);
            // A write that fails now and then.
            if (target !== undefined && (look + at) % 4 !== lost) target.assigned = step.replicas;
          }
          if (reaction.steps.length > 0) longest = Math.max(longest, look);
        }
        const wanted = divideEqually(total)(good);
        for (const { cluster, assigned, trouble } of fleetNow)
          if (trouble !== 'Silent') expect([cluster, assigned]).toEqual([cluster, wanted.get(cluster) ?? 0]);
      }),
      { numRuns: 300 },
    );
    expect(longest).toBeGreaterThan(10);
  });

  it('bears numbers that are none, and clusters that are there twice', () => {
    const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3, 1.5, 1e300, 2 ** 53);
    const strange = fc.array(
      fc.record({
        cluster: fc.constantFrom(...NAMES),
        reachable: fc.boolean(),
        assigned: odd,
        ready: odd,
        unschedulable: odd,
        healthy: fc.boolean(),
      }),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(strange, odd, odd, (observations, total, share) => {
        const input: ReactInput = {
          observations,
          now: '2026-01-01T00:00:00Z',
          replicas: total,
          divide: (usable) => new Map(usable.map(({ cluster }) => [cluster, share])),
        };
        const first = react(undefined, input);
        for (const { replicas: n } of first.steps) expect(Number.isSafeInteger(n) && n >= 0).toBe(true);
        expect(react(undefined, { ...input, observations: observations.toReversed() })).toEqual(first);
        expect(new Set(first.clusters.map(({ cluster }) => cluster)).size).toBe(first.clusters.length);
      }),
    );
  });
});

/** What a cluster may have by now; a step that is seen to be carried out is no longer open, unless that may be a view from before it. */
/** What a look takes for the present: where the clock has gone back, no time has passed, and all times that are kept go back with it. */
function timeOf(state: FailoverState | undefined, { now }: ReactInput): number {
  return Math.max(Date.parse(now), state?.at ?? Number.NEGATIVE_INFINITY);
}

function lowOf(asked: FailoverState['clusters'][number]['asked'], assigned: number, now: number): number {
  const isOpen = asked !== undefined && (asked.replicas !== assigned || (asked.replicas === asked.from && now < asked.until));
  return isOpen ? asked.low : assigned;
}

const amountOf = (value: number | string, total: number): number =>
  typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
