import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PickPolicy, SpreadConstraint } from '../../../src/scheduling/policy/api.ts';
import { selectClusters } from '../../../src/scheduling/select/select.ts';
import type {
  ClusterSelectionInput,
  ClusterSelectionResult,
  SelectionCandidate,
} from '../../../src/scheduling/select/selection.ts';
import { topologyValue } from '../../../src/scheduling/select/topology.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'constructor'];
/** Names that objects inherit are regions like others. */
const REGIONS = ['eu', '__proto__', 'toString', undefined];
const RUNS = { numRuns: 1500 };

const candidate = (name: string) =>
  fc
    .record({
      score: fc.integer({ min: 0, max: 3 }),
      runs: fc.boolean(),
      room: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
      current: fc.integer({ min: 0, max: 4 }),
      keptOnly: fc.boolean(),
      tier: fc.integer({ min: 0, max: 1 }),
      region: fc.constantFrom(...REGIONS),
      rack: fc.constantFrom(...REGIONS),
    })
    .map(
      ({ region, rack, room: more, ...rest }): SelectionCandidate => ({
        name,
        ...rest,
        ...(more === undefined ? {} : { room: more }),
        entry: {
          name,
          ...(region === undefined ? {} : { region }),
          ...(rack === undefined ? {} : { labels: Object.fromEntries([['rack', rack]]) }),
        },
      }),
    );
const fleet = fc.subarray(NAMES).chain((names) => fc.tuple(...names.map(candidate)) as fc.Arbitrary<SelectionCandidate[]>);
const limits = (topologyKey: string): fc.Arbitrary<SpreadConstraint> =>
  fc.record(
    {
      topologyKey: fc.constant(topologyKey),
      minGroups: fc.integer({ min: 0, max: 4 }),
      maxGroups: fc.integer({ min: 0, max: 5 }),
      maxSkew: fc.integer({ min: 0, max: 3 }),
    },
    { requiredKeys: ['topologyKey'] },
  );
const soft = (each: SpreadConstraint): SpreadConstraint => ({ ...each, whenUnsatisfiable: 'ScheduleAnyway' });
const pick: fc.Arbitrary<PickPolicy> = fc.oneof(
  fc.constant<PickPolicy>({ type: 'All' }),
  fc.integer({ min: 0, max: 6 }).map((numberOfClusters): PickPolicy => ({ type: 'N', numberOfClusters })),
  fc.subarray(NAMES).map((clusterNames): PickPolicy => ({ type: 'Fixed', clusterNames })),
);
const hardOnly = fc.oneof(
  limits('cluster').map((each) => [each]),
  limits('region').map((each) => [each]),
  fc.tuple(limits('region'), limits('cluster')),
  fc.tuple(limits('rack'), limits('cluster'), limits('rack')),
);
const crossed = fc.oneof(
  fc.tuple(limits('region'), limits('rack')),
  fc.tuple(limits('region'), limits('rack'), limits('cluster')),
);

const groupOf = ({ entry }: SelectionCandidate, key: string): string | undefined => {
  if (key === 'cluster') return entry.name;
  return key === 'region' ? entry.region : Object.entries(entry.labels ?? {}).find(([name]) => name === key)?.[1];
};

/** The rules as the documentation has them, by hand. */
function holds(
  { topologyKey, minGroups = 1, maxGroups = Number.POSITIVE_INFINITY, maxSkew = Number.POSITIVE_INFINITY }: SpreadConstraint,
  eligible: readonly SelectionCandidate[],
  chosen: readonly SelectionCandidate[],
): boolean {
  const groups = [...new Set(eligible.map((each) => groupOf(each, topologyKey)))].filter((group) => group !== undefined);
  const counts = groups.map((group) => chosen.filter((each) => groupOf(each, topologyKey) === group).length);
  const present = counts.filter((count) => count > 0);
  const counted = maxGroups < groups.length ? present : counts;
  const skew = counted.length === 0 ? 0 : Math.max(...counted) - Math.min(...counted);
  return present.length >= minGroups && present.length <= maxGroups && skew <= maxSkew;
}

const room = ({ room: more = Number.POSITIVE_INFINITY, keptOnly }: SelectionCandidate): number => (keptOnly ? 0 : more);
const available = (each: SelectionCandidate): number => room(each) + each.current;
const isBetter = (a: SelectionCandidate, b: SelectionCandidate): boolean => {
  const first = [b.tier ?? 0, a.score, Number(a.runs), room(a)];
  const second = [a.tier ?? 0, b.score, Number(b.runs), room(b)];
  const at = first.findIndex((value, index) => value !== second[index]);
  return at < 0 ? a.name < b.name : (first[at] ?? 0) > (second[at] ?? 0);
};

interface Brute {
  readonly eligible: readonly SelectionCandidate[];
  /** All selections that keep the hard constraints, each as bits: the best cluster is the highest one. */
  readonly feasible: readonly { readonly bits: number; readonly chosen: readonly SelectionCandidate[] }[];
}

function brute({ candidates, pick: how = { type: 'All' }, spread = [] }: ClusterSelectionInput): Brute {
  const hard = spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway');
  const eligible = candidates
    .filter(({ name }) => how.type !== 'Fixed' || how.clusterNames?.includes(name))
    .filter((each) => hard.every(({ topologyKey }) => groupOf(each, topologyKey) !== undefined))
    .toSorted((a, b) => (isBetter(a, b) ? -1 : 1));
  const most = how.type === 'N' ? (how.numberOfClusters ?? 0) : eligible.length;
  const feasible = Array.from({ length: 2 ** eligible.length }, (_, bits) => ({
    bits,
    chosen: eligible.filter((__, at) => (bits >> (eligible.length - 1 - at)) & 1),
  })).filter(({ chosen }) => chosen.length <= most && hard.every((each) => holds(each, eligible, chosen)));
  return { eligible, feasible };
}

/** The largest and, of those, the preferred one. */
const bestOf = (feasible: Brute['feasible']): readonly string[] | undefined =>
  feasible.toSorted((a, b) => b.chosen.length - a.chosen.length || b.bits - a.bits)[0]?.chosen.map(({ name }) => name);

const namesOf = (result: ClusterSelectionResult): readonly string[] | undefined =>
  result.outcome === 'selected' ? result.clusters.map(({ cluster }) => cluster) : undefined;

describe('selectClusters against all subsets', () => {
  it('finds the largest and preferred selection with a constraint on groups and one on clusters, or none as there is none', () => {
    fc.assert(
      fc.property(fleet, pick, hardOnly, (candidates, how, spread) => {
        const input = { candidates, pick: how, spread };
        expect(namesOf(selectClusters(input))).toEqual(bestOf(brute(input).feasible));
      }),
      RUNS,
    );
  });

  it('does so with constraints that cross each other', () => {
    fc.assert(
      fc.property(fleet, pick, crossed, (candidates, how, spread) => {
        const input = { candidates, pick: how, spread };
        expect(namesOf(selectClusters(input))).toEqual(bestOf(brute(input).feasible));
      }),
      RUNS,
    );
  });

  it('keeps a soft constraint wherever that is possible', () => {
    fc.assert(
      fc.property(fleet, pick, fc.tuple(limits('rack').map(soft), limits('cluster')), (candidates, how, spread) => {
        const input = { candidates, pick: how, spread };
        const { eligible, feasible } = brute(input);
        const kept = feasible.filter(({ chosen }) => holds(spread[0], eligible, chosen));
        const result = selectClusters(input);
        if (kept.length > 0) expect(namesOf(result)).toEqual(bestOf(kept));
        else expect(result.outcome).toBe(feasible.length > 0 ? 'selected' : 'failed');
        const met = result.outcome === 'selected' && !result.notes.some(({ reason }) => reason === 'SoftUnmet');
        expect(met).toBe(kept.length > 0);
      }),
      RUNS,
    );
  });

  it('keeps of several soft constraints the first as far as possible, then the second', () => {
    fc.assert(
      fc.property(fleet, pick, fc.tuple(limits('rack').map(soft), limits('region').map(soft)), (candidates, how, spread) => {
        const input = { candidates, pick: how, spread };
        const { eligible, feasible } = brute(input);
        const first = feasible.filter(({ chosen }) => holds(spread[0], eligible, chosen));
        const both = first.filter(({ chosen }) => holds(spread[1], eligible, chosen));
        const result = selectClusters(input);
        expect(result.outcome).toBe('selected');
        if (both.length > 0) expect(namesOf(result)).toEqual(bestOf(both));
        const unmet =
          result.outcome === 'selected' ? result.notes.map((note) => (note.reason === 'SoftUnmet' ? note.constraint : -1)) : [];
        expect(unmet.includes(0)).toBe(first.length === 0);
      }),
      RUNS,
    );
  });

  it('finds room with clusters and at most one constraint on their number, wherever there is any', () => {
    fc.assert(
      fc.property(
        fleet,
        pick,
        fc.option(limits('cluster'), { nil: undefined }),
        fc.integer({ min: 0, max: 40 }),
        (candidates, how, limit, need) => {
          const input = { candidates, pick: how, spread: limit === undefined ? [] : [limit], need };
          const { feasible } = brute(input);
          const result = selectClusters(input);
          const size = bestOf(feasible)?.length;
          const rooms = feasible
            .filter(({ chosen }) => chosen.length === size)
            .map(({ chosen }) => chosen.reduce((sum, each) => sum + available(each), 0));
          const missing = Math.max(0, need - Math.max(0, ...rooms));
          if (result.outcome === 'selected') expect(result.missing).toBe(missing);
          else expect(feasible).toEqual([]);
        },
      ),
      RUNS,
    );
  });
});

const anySpread = fc.array(
  fc
    .oneof(limits('cluster'), limits('region'), limits('rack'), limits('zone'))
    .chain((each) => fc.constantFrom(each, soft(each))),
  { maxLength: 3 },
);
const input = fc.record({
  candidates: fleet,
  pick,
  spread: anySpread,
  need: fc.integer({ min: 0, max: 40 }),
}) satisfies fc.Arbitrary<ClusterSelectionInput>;

describe('selectClusters', () => {
  it('keeps hard constraints and the number, also where it makes room, and says of each cluster why', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { eligible, feasible } = brute(given);
        const result = selectClusters(given);
        if (result.outcome === 'failed') {
          expect(feasible).toEqual([]);
          return;
        }
        const names = result.clusters.map(({ cluster }) => cluster);
        const chosen = eligible.filter(({ name }) => names.includes(name));
        expect(feasible.map((each) => each.chosen)).toContainEqual(chosen);
        const rooms = chosen.reduce((sum, each) => sum + available(each), 0);
        expect(result.missing).toBe(Math.max(0, given.need - rooms));
        const named = given.pick.clusterNames ?? [];
        const everyone = [...new Set([...given.candidates.map(({ name }) => name), ...named])].sort();
        expect([...names, ...result.leftOut.map(({ cluster }) => cluster)].sort()).toEqual(everyone);
        expect(names).toEqual(chosen.map(({ name }) => name));
      }),
      RUNS,
    );
  });

  it('has less missing for the sake of room, never more', () => {
    fc.assert(
      fc.property(input, ({ need, ...given }) => {
        const without = selectClusters(given);
        const chosen = given.candidates.filter(({ name }) => namesOf(without)?.includes(name));
        const rooms = chosen.reduce((sum, each) => sum + available(each), 0);
        const result = selectClusters({ ...given, need });
        expect(result.outcome).toBe(without.outcome);
        if (result.outcome === 'selected') expect(result.missing).toBeLessThanOrEqual(Math.max(0, need - rooms));
      }),
      RUNS,
    );
  });

  it('never fails for soft constraints', () => {
    fc.assert(
      fc.property(input, (given) => {
        expect(selectClusters({ ...given, spread: given.spread.map(soft) }).outcome).toBe('selected');
      }),
      RUNS,
    );
  });

  it('names a constraint that really is in the way', () => {
    fc.assert(
      fc.property(input, (given) => {
        const result = selectClusters(given);
        if (result.outcome === 'selected') return;
        const spread = given.spread.slice(0, result.constraint + 1);
        const hard = spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway');
        // Clusters without a value for a later constraint are out of the question all the same.
        const { eligible } = brute(given);
        const most = given.pick.type === 'N' ? given.pick.numberOfClusters : undefined;
        const rest = {
          candidates: eligible,
          ...(most === undefined ? {} : { pick: { type: 'N', numberOfClusters: most } as const }),
        };
        expect(brute({ ...rest, spread: hard }).feasible).toEqual([]);
        expect(brute({ ...rest, spread: hard.slice(0, -1) }).feasible).not.toEqual([]);
        const { found } = result;
        if (found === undefined) return;
        const limit = (['minGroups', 'maxGroups', 'maxSkew'] as const).find((each) => result.field.endsWith(each)) ?? 'minGroups';
        const { [limit]: _, ...last } = spread.at(-1) ?? { topologyKey: 'cluster' };
        const nearer = limit === 'minGroups' ? found + 1 : found - 1;
        const wouldDo = (value: number) =>
          brute({ ...rest, spread: [...hard.slice(0, -1), { ...last, [limit]: value }] }).feasible.length > 0;
        expect([wouldDo(found), wouldDo(nearer)]).toEqual([true, false]);
      }),
      RUNS,
    );
  });

  it('does not depend on the order in which clusters are handed in', () => {
    fc.assert(
      fc.property(
        input.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray([...given.candidates], { minLength: given.candidates.length })),
        ),
        ([given, candidates]) => {
          expect(selectClusters({ ...given, candidates })).toEqual(selectClusters(given));
        },
      ),
      RUNS,
    );
  });

  it('stays where it is: selecting again with what was selected running changes nothing', () => {
    fc.assert(
      fc.property(input, ({ need: _, ...given }) => {
        const level = given.candidates.map((each) => ({ ...each, score: 1, tier: 0 }));
        const first = namesOf(selectClusters({ ...given, candidates: level }));
        const again = level.map((each) => ({ ...each, runs: first?.includes(each.name) === true }));
        const second = namesOf(selectClusters({ ...given, candidates: again }));
        expect(second?.toSorted()).toEqual(first?.toSorted());
      }),
      RUNS,
    );
  });

  it('stays where it is with room to find and hard constraints', () => {
    fc.assert(
      fc.property(input, (given) => {
        const spread = given.spread.map(({ whenUnsatisfiable: _, ...each }) => each);
        const level = given.candidates.map((each) => ({ ...each, score: 1, tier: 0 }));
        const first = namesOf(selectClusters({ ...given, spread, candidates: level }));
        const again = level.map((each) => ({ ...each, runs: first?.includes(each.name) === true }));
        const second = namesOf(selectClusters({ ...given, spread, candidates: again }));
        expect(second?.toSorted()).toEqual(first?.toSorted());
      }),
      RUNS,
    );
  });
});

describe('constraints that cross each other in large fleets', () => {
  const aSize = fc.record({ size: fc.constantFrom(100, 300, 1000), seed: fc.nat(2 ** 31 - 1) });

  /** Clusters all over, some regions and providers far larger than others. */
  function fleetOf({ size, seed }: { readonly size: number; readonly seed: number }): readonly SelectionCandidate[] {
    let state = seed;
    const next = (most: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    return Array.from({ length: size }, (_, index): SelectionCandidate => {
      const region = Math.min(next(6), next(6));
      const entry = {
        name: `c${index}`,
        region: `r${region}`,
        provider: `p${Math.min(next(3), next(3))}`,
        zones: [`r${region}-${next(3)}`],
      };
      return { name: entry.name, entry, score: next(100), runs: false, current: 0 };
    });
  }

  it('always leave a selection to be found, and nothing that could be added to it', () => {
    fc.assert(
      fc.property(
        aSize,
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        (size, skews) => {
          const candidates = fleetOf(size);
          const spread = ['region', 'provider', 'zone'].map((topologyKey, at) => ({ topologyKey, maxSkew: skews[at] ?? 1 }));
          const result = selectClusters({ candidates, spread });
          if (result.outcome === 'failed') throw new Error(result.message);
          const chosen = new Set(result.clusters.map(({ cluster }) => cluster));
          const isKept = (names: ReadonlySet<string>): boolean =>
            spread.every(({ topologyKey, maxSkew }) => {
              const counts = new Map(candidates.map(({ entry }) => [topologyValue(entry, topologyKey), 0]));
              for (const { name, entry } of candidates) {
                const group = topologyValue(entry, topologyKey);
                if (names.has(name)) counts.set(group, (counts.get(group) ?? 0) + 1);
              }
              return Math.max(...counts.values()) - Math.min(...counts.values()) <= maxSkew;
            });
          expect(isKept(chosen)).toBe(true);
          const others = result.leftOut.slice(0, 40).map(({ cluster }) => cluster);
          if (result.notes.some(({ reason }) => reason === 'SearchLimit')) {
            for (const name of others) expect(isKept(new Set([...chosen, name]))).toBe(false);
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});
