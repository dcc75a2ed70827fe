import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignCompletions } from '../../../src/scheduling/assign/completions.ts';
import { type ObservedOrdinals, ordinalSteps } from '../../../src/scheduling/assign/ordinal-steps.ts';
import { assignOrdinals, type ClusterOrdinals, type OrdinalRange } from '../../../src/scheduling/assign/ordinals.ts';

type Ranges = Readonly<Record<string, readonly [start: number, replicas: number]>>;

const rangesOf = (ranges: Ranges): ReadonlyMap<string, OrdinalRange> =>
  new Map(Object.entries(ranges).map(([cluster, [start, replicas]]) => [cluster, { start, replicas }]));
const sharesOf = (shares: Readonly<Record<string, number>>) =>
  Object.entries(shares).map(([cluster, replicas]) => ({ cluster, replicas }));
const shown = (ranges: readonly ClusterOrdinals[]): Ranges =>
  Object.fromEntries(ranges.map(({ cluster, start, replicas }) => [cluster, [start, replicas]]));
const ordinalsOf = ({ start, replicas }: OrdinalRange): readonly number[] =>
  Array.from({ length: replicas }, (_, index) => start + index);

describe('assignOrdinals', () => {
  it.each<[string, Readonly<Record<string, number>>, Ranges, number, Ranges, number]>([
    ['names, where nobody has any', { b: 2, a: 3 }, {}, 0, { a: [0, 3], b: [3, 2] }, 0],
    ['a start of its own', { a: 3 }, {}, 5, { a: [5, 3] }, 0],
    ['the order of before', { a: 3, b: 2 }, { b: [0, 2], a: [2, 3] }, 0, { b: [0, 2], a: [2, 3] }, 0],
    ['new clusters behind', { a: 2, b: 2, c: 1 }, { b: [0, 2], c: [2, 3] }, 0, { b: [0, 2], c: [2, 1], a: [3, 2] }, 2],
    ['a new cluster in front, where that moves less', { a: 4, b: 6 }, { b: [4, 6], c: [0, 4] }, 0, { a: [0, 4], b: [4, 6] }, 4],
    ['a new cluster in between', { a: 3, b: 4, n: 2 }, { a: [0, 5], b: [5, 4] }, 0, { a: [0, 3], n: [3, 2], b: [5, 4] }, 2],
    [
      'the ordinals that stay, when the last move to another cluster',
      { old: 2, new: 3 },
      { old: [0, 5] },
      0,
      { old: [0, 2], new: [2, 3] },
      3,
    ],
    [
      'nothing for a cluster without replicas, which stays in its place',
      { a: 0, b: 4 },
      { a: [0, 4] },
      0,
      { a: [0, 0], b: [0, 4] },
      4,
    ],
    ['nothing for anybody', { b: 0, a: 0 }, {}, 0, { a: [0, 0], b: [0, 0] }, 0],
    ['no clusters', {}, { a: [0, 3] }, 0, {}, 0],
    ['a start that moved', { a: 4 }, { a: [0, 4] }, 2, { a: [2, 4] }, 0],
    [
      'names of another kind',
      { constructor: 1, ['__proto__']: 2 },
      {},
      0,
      { ['__proto__']: [0, 2] as const, constructor: [2, 1] as const },
      0,
    ],
  ])('takes %s', (_, shares, previous, start, expected, moved) => {
    const input = { shares: sharesOf(shares), previous: rangesOf(previous), start };
    const result = assignOrdinals(input);
    expect(shown(result.ranges)).toEqual(expected);
    expect(result.moved).toBe(moved);
    expect(assignOrdinals({ ...input, shares: input.shares.toReversed() })).toEqual(result);
  });

  it('says which ordinals move, begin and end', () => {
    const previous = rangesOf({ a: [0, 5], b: [5, 5], lost: [10, 2] });
    const { moves } = assignOrdinals({ shares: sharesOf({ a: 3, b: 7, c: 1 }), previous });
    expect(moves).toEqual([
      { first: 3, last: 4, from: 'a', to: 'b' },
      { first: 10, last: 10, from: 'lost', to: 'c' },
      { first: 11, last: 11, from: 'lost', to: undefined },
    ]);
    const twice = assignOrdinals({ shares: sharesOf({ a: 5 }), previous: rangesOf({ a: [0, 4], x: [2, 1] }) });
    expect(twice.moves).toEqual([
      { first: 2, last: 2, from: 'x', to: 'a' },
      { first: 4, last: 4, from: undefined, to: 'a' },
    ]);
  });

  it.each<[string, Parameters<typeof assignOrdinals>[0], string]>([
    ['a negative share', { shares: [{ cluster: 'a', replicas: -1 }] }, 'cluster a: shares[0].replicas'],
    ['a broken share', { shares: [{ cluster: 'a', replicas: Number.NaN }] }, 'shares[0].replicas'],
    [
      'a cluster twice',
      {
        shares: [
          { cluster: 'a', replicas: 1 },
          { cluster: 'a', replicas: 1 },
        ],
      },
      'shares[1].cluster',
    ],
    ['a negative start', { shares: [], start: -1 }, 'start'],
    ['ordinals beyond 32 bits', { shares: [{ cluster: 'a', replicas: 2 }], start: 2 ** 31 - 1 }, 'start'],
  ])('refuses %s', (_, input, text) => {
    expect(() => assignOrdinals(input)).toThrowError(text);
  });

  const arbitrary = fc.record({
    before: fc.array(fc.nat(6), { maxLength: 6 }),
    after: fc.array(fc.nat(6), { maxLength: 6 }),
    shift: fc.nat(6),
    start: fc.nat(3),
  });
  const previousOf = (replicas: readonly number[], shift: number): ReadonlyMap<string, OrdinalRange> => {
    const before = (index: number): number => replicas.slice(0, index).reduce((sum, count) => sum + count, 0);
    return new Map(replicas.map((count, index) => [`c${(index + shift) % 6}`, { start: before(index), replicas: count }]));
  };

  it('moves as few ordinals as any order of the clusters would, and leaves no gap', () => {
    fc.assert(
      fc.property(arbitrary, ({ before, after, shift, start }) => {
        const shares = after.map((replicas, index) => ({ cluster: `c${index}`, replicas }));
        const previous = previousOf(before, shift);
        const { ranges, moved } = assignOrdinals({ shares, previous, start });
        let next = start;
        for (const range of ranges.filter(({ replicas }) => replicas > 0)) {
          expect(range.start).toBe(next);
          next += range.replicas;
        }
        expect(new Map(ranges.map(({ cluster, replicas }) => [cluster, replicas]))).toEqual(
          new Map(shares.map(({ cluster, replicas }) => [cluster, replicas])),
        );
        const owner = (ordinal: number): string | undefined =>
          [...previous].find(([, range]) => ordinalsOf(range).includes(ordinal))?.[0];
        const best = Math.min(
          ...orders(shares).map((order) => {
            let at = start;
            return order
              .flatMap(({ cluster, replicas }) => {
                at += replicas;
                return ordinalsOf({ start: at - replicas, replicas }).map((ordinal) => [owner(ordinal), cluster]);
              })
              .filter(([from, to]) => from !== undefined && from !== to).length;
          }),
        );
        expect(moved).toBe(best);
      }),
      { numRuns: 150 },
    );
  });

  it('moves nothing where nothing changed', () => {
    fc.assert(
      fc.property(arbitrary, ({ after, start }) => {
        const shares = after.map((replicas, index) => ({ cluster: `c${index}`, replicas }));
        const first = assignOrdinals({ shares, start });
        const previous = new Map(first.ranges.map((range) => [range.cluster, range]));
        expect(assignOrdinals({ shares: shares.toReversed(), start, previous })).toMatchObject({
          ranges: first.ranges,
          moves: [],
        });
      }),
    );
  });

  it('keeps the order of before for many clusters, within the blink of an eye', () => {
    const shares = Array.from({ length: 1000 }, (_, index) => ({ cluster: `c${String(index).padStart(4, '0')}`, replicas: 2 }));
    const { ranges } = assignOrdinals({ shares, previous: rangesOf({ c0500: [0, 1] }) });
    expect(ranges.slice(0, 3).map(({ cluster }) => cluster)).toEqual(['c0500', 'c0000', 'c0001']);
  });
});

function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

const seen = (start: number, replicas: number, more: Partial<ObservedOrdinals> = {}): ObservedOrdinals => ({
  spec: { start, replicas },
  running: ordinalsOf({ start, replicas }),
  ...more,
});
const wantedOf = (ranges: Ranges): readonly ClusterOrdinals[] =>
  Object.entries(ranges).map(([cluster, [start, replicas]]) => ({ cluster, start, replicas }));

describe('ordinalSteps', () => {
  it.each<[string, Ranges, Readonly<Record<string, ObservedOrdinals>>, number, readonly string[], readonly string[]]>([
    ['nothing, where all is as it should be', { a: [0, 3], b: [3, 2] }, { a: seen(0, 3), b: seen(3, 2) }, 1, [], []],
    [
      'what nobody has',
      { a: [0, 3], b: [3, 2] },
      { a: seen(0, 0), b: seen(0, 0) },
      1,
      ['a grow 0+0 → 0+3', 'b grow 0+0 → 3+2'],
      [],
    ],
    [
      'one ordinal after the other, from the top',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 5), b: seen(0, 0) },
      1,
      ['a shrink 0+5 → 0+4'],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'as many as may be missing',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 5), b: seen(0, 0) },
      2,
      ['a shrink 0+5 → 0+3'],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'nothing, while the ordinal still runs where it was',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 4, { running: [0, 1, 2, 3, 4] }), b: seen(0, 0) },
      1,
      [],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'the ordinal to the other cluster, once it is gone',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 4), b: seen(0, 0) },
      1,
      ['b grow 0+0 → 4+1'],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'start and replicas at once',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 3), b: seen(4, 1) },
      1,
      ['b grow 4+1 → 3+2'],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'nothing, before what has moved serves',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 3), b: seen(3, 2, { ready: [4] }) },
      1,
      [],
      ['a TooManyMissing', 'b OrdinalsInUse'],
    ],
    [
      'from the bottom, where the next cluster stands there',
      { a: [0, 4], b: [4, 2] },
      { a: seen(0, 2), b: seen(2, 4) },
      1,
      ['b shrink 2+4 → 3+3'],
      ['a OrdinalsInUse', 'b TooManyMissing'],
    ],
    [
      'ordinals that end at once',
      { a: [0, 2] },
      { a: seen(0, 5), b: seen(5, 3) },
      1,
      ['a shrink 0+5 → 0+2', 'b shrink 5+3 → 5+0'],
      [],
    ],
    [
      'ordinals that serve nobody at once',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 5, { ready: [0, 1] }), b: seen(0, 0) },
      1,
      ['a shrink 0+5 → 0+2'],
      ['b OrdinalsInUse'],
    ],
    [
      'one more than may be missing, where two change places and nothing else is under way',
      { a: [2, 2], b: [0, 2] },
      { a: seen(0, 2), b: seen(2, 2) },
      0,
      ['b shrink 2+2 → 2+1'],
      ['a TooManyMissing', 'b TooManyMissing'],
    ],
    [
      'nothing, while a cluster has not acted on its spec',
      { a: [0, 2], b: [2, 3] },
      { a: seen(0, 2, { settled: false }), b: seen(0, 0) },
      1,
      [],
      ['b NotSettled'],
    ],
  ])('changes %s', (_, wanted, observed, maxMissing, steps, waiting) => {
    const plan = ordinalSteps({ wanted: wantedOf(wanted), observed: new Map(Object.entries(observed)), maxMissing });
    const text = ({ start, replicas }: OrdinalRange): string => `${start}+${replicas}`;
    expect(plan.steps.map(({ op, cluster, from, to }) => `${cluster} ${op} ${text(from)} → ${text(to)}`)).toEqual(steps);
    expect(plan.waiting.map(({ cluster, reason }) => `${cluster} ${reason}`)).toEqual(waiting);
    expect(plan.done).toBe(steps.length === 0 && waiting.length === 0);
  });

  it('takes a cluster that can not be seen to run what it had, and moves nothing else meanwhile', () => {
    const wanted = wantedOf({ a: [0, 2], b: [2, 4] });
    const observed = new Map([
      ['a', seen(0, 3)],
      ['b', seen(5, 1)],
    ]);
    const previous = rangesOf({ lost: [3, 2] });
    const plan = ordinalSteps({ wanted, observed, previous });
    expect(plan.steps).toEqual([]);
    expect(plan.waiting).toEqual([
      { cluster: 'a', reason: 'TooManyMissing' },
      { cluster: 'b', reason: 'OrdinalsInUse' },
      { cluster: 'lost', reason: 'NotObserved' },
    ]);
    const without = ordinalSteps({ wanted, observed });
    expect(without.steps).toEqual([{ op: 'grow', cluster: 'b', from: { start: 5, replicas: 1 }, to: { start: 3, replicas: 3 } }]);
    expect(ordinalSteps({ wanted, observed: new Map() })).toMatchObject({ steps: [], done: false });
  });

  it('refuses to have an ordinal in two clusters', () => {
    expect(() => ordinalSteps({ wanted: wantedOf({ a: [0, 3], b: [2, 3] }), observed: new Map() })).toThrowError('ordinal 2');
  });

  it('takes a StatefulSet of absurd size in bounded time', () => {
    const observed = new Map([['a', { spec: { start: 0, replicas: 2 ** 31 - 1 }, running: [] }]]);
    const { steps } = ordinalSteps({ wanted: [], observed });
    expect(steps[0]?.to.replicas).toBeLessThan(2 ** 31 - 1);
  });

  it('leads from any ranges to any others, and never runs an ordinal twice', () => {
    let busiest = 0;
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
        fc.nat(4),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        (before, after, shift, isReversed, maxMissing, seed) => {
          const dice = rolling(seed);
          const members = new Map<string, Member>();
          let next = 0;
          for (const [index, replicas] of before.entries()) {
            members.set(`c${(index + shift) % 5}`, new Member({ start: next, replicas }));
            next += replicas;
          }
          for (const index of after.keys())
            if (!members.has(`c${index}`)) members.set(`c${index}`, new Member({ start: 0, replicas: 0 }));
          const shares = after.map((replicas, index) => ({ cluster: `c${index}`, replicas }));
          // Reversed: an order that nobody would choose, in which clusters change places.
          const wanted = isReversed
            ? assignOrdinals({
                shares: shares.map(({ cluster, replicas }) => ({ cluster: `${9 - Number(cluster.slice(1))}`, replicas })),
              }).ranges.map((range) => ({ ...range, cluster: `c${9 - Number(range.cluster)}` }))
            : assignOrdinals({ shares, previous: new Map([...members].map(([name, { spec }]) => [name, spec])) }).ranges;
          let rounds = 0;
          for (; rounds < 3000; rounds += 1) {
            const observed = new Map([...members].map(([name, member]) => [name, member.observed()]));
            const plan = ordinalSteps({ wanted, observed, maxMissing });
            expect(
              ordinalSteps({ wanted: wanted.toReversed(), observed: new Map([...observed].toReversed()), maxMissing }),
            ).toEqual(plan);
            if (plan.done) break;
            for (const { cluster, from, to } of plan.steps) {
              if (dice() % 3 === 0) continue;
              const member = members.get(cluster);
              expect(member?.spec).toEqual(from);
              member?.write(to);
            }
            for (const member of members.values()) member.work(dice);
            const running = [...members.values()].flatMap((member) => member.observed().running);
            expect(new Set(running).size).toBe(running.length);
          }
          expect(rounds).toBeLessThan(3000);
          for (const { cluster, start, replicas } of wanted) {
            expect(
              members
                .get(cluster)
                ?.observed()
                .running.toSorted((a, b) => a - b),
            ).toEqual(ordinalsOf({ start, replicas }));
          }
          busiest = Math.max(busiest, rounds);
        },
      ),
      { numRuns: 200 },
    );
    expect(busiest).toBeGreaterThan(10);
  });

  it('keeps all but the ordinals that move serving, wherever the next cluster can take them', () => {
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.nat(8),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.nat(),
        (a, b, maxMissing, isUp, seed) => {
          const dice = rolling(seed);
          const total = a + b;
          const moved = Math.min(isUp ? a : b, 5);
          const members = new Map([
            ['a', new Member({ start: 0, replicas: a })],
            ['b', new Member({ start: a, replicas: b })],
          ]);
          const at = isUp ? a - moved : a + moved;
          const wanted = wantedOf({ a: [0, at], b: [at, total - at] });
          for (let round = 0; round < 500; round += 1) {
            const observed = new Map([...members].map(([name, member]) => [name, member.observed()]));
            const plan = ordinalSteps({ wanted, observed, maxMissing });
            if (plan.done) return;
            for (const { cluster, to } of plan.steps) members.get(cluster)?.write(to);
            for (const member of members.values()) member.work(dice);
            const serving = [...members.values()].flatMap((member) => member.observed().ready ?? []);
            expect(total - serving.length).toBeLessThanOrEqual(maxMissing);
          }
          throw new Error('it does not end');
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Numbers that look random, from a seed. */
function rolling(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 16;
  };
}

/** A cluster with one StatefulSet: pods go and come in their own time. */
class Member {
  spec: OrdinalRange;
  readonly #pods = new Map<number, boolean>();

  constructor(spec: OrdinalRange) {
    this.spec = spec;
    for (const ordinal of ordinalsOf(spec)) this.#pods.set(ordinal, true);
  }

  write(spec: OrdinalRange): void {
    this.spec = spec;
    // What isn't wanted any more serves no longer from then on.
    for (const ordinal of this.#pods.keys()) if (!ordinalsOf(spec).includes(ordinal)) this.#pods.set(ordinal, false);
  }

  observed(): ObservedOrdinals {
    return {
      spec: this.spec,
      running: [...this.#pods.keys()],
      ready: [...this.#pods].filter(([, ready]) => ready).map(([each]) => each),
    };
  }

  work(dice: () => number): void {
    const wanted = new Set(ordinalsOf(this.spec));
    for (const ordinal of [...this.#pods.keys()]) {
      if (dice() % 2 === 0) continue;
      if (wanted.has(ordinal)) this.#pods.set(ordinal, true);
      else this.#pods.delete(ordinal);
    }
    for (const ordinal of wanted) if (!this.#pods.has(ordinal) && dice() % 2 === 0) this.#pods.set(ordinal, false);
  }
}

describe('assignCompletions', () => {
  it.each<[string, Readonly<Record<string, number>>, number, readonly number[]]>([
    ['in proportion to parallelism', { a: 1, b: 3 }, 8, [2, 6]],
    ['nothing without parallelism', { a: 0, b: 2 }, 5, [0, 5]],
    ['fewer than there are clusters', { a: 1, b: 1, c: 1 }, 2, [1, 1, 0]],
    ['nothing at all', { a: 2 }, 0, [0]],
    ['where nobody has parallelism', { a: 0, b: 0 }, 3, [0, 0]],
  ])('divides %s', (_, shares, completions, expected) => {
    const result = assignCompletions(sharesOf(shares), completions);
    expect(result.map((each) => each.completions)).toEqual(expected);
    expect(result.map((each) => each.parallelism)).toEqual(Object.values(shares));
  });

  it('gives out all completions, to whoever has parallelism, in the order of the shares', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }),
        fc.nat(500),
        fc.string(),
        (replicas, completions, uid) => {
          const shares = replicas.map((each, index) => ({ cluster: `c${index}`, replicas: each }));
          const result = assignCompletions(shares, completions, uid);
          const sum = result.reduce((all, each) => all + each.completions, 0);
          expect(sum).toBe(replicas.some((each) => each > 0) ? completions : 0);
          expect(result.filter(({ parallelism, completions: some }) => parallelism === 0 && some > 0)).toEqual([]);
          const more = assignCompletions(shares, completions + 1, uid);
          expect(more.every((each, index) => each.completions >= (result[index]?.completions ?? 0))).toBe(true);
        },
      ),
    );
  });
});
