import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideKubeAdmiralBinpack, type KubeAdmiralBinpackInput } from '../../../src/scheduling/kubeadmiral/binpack.ts';
import { explainKubeAdmiralShare, type KubeAdmiralPlan } from '../../../src/scheduling/kubeadmiral/share.ts';
import { divideKubeAdmiral, type KubeAdmiralSpreadInput } from '../../../src/scheduling/kubeadmiral/spread.ts';
import { kubeAdmiralDynamicWeights } from '../../../src/scheduling/kubeadmiral/weights.ts';

type Counts = Readonly<Record<string, number>>;

const map = (record: Counts): ReadonlyMap<string, number> => new Map(Object.entries(record));

function counts({ shares }: KubeAdmiralPlan): Counts {
  return Object.fromEntries(shares.map(({ cluster, replicas }) => [cluster, replicas]));
}

const EVEN: KubeAdmiralSpreadInput = { key: '', totalReplicas: 0, preferences: { '*': { weight: 1 } }, candidates: ['a', 'b'] };

describe('divideKubeAdmiral', () => {
  it.each<[string, Partial<KubeAdmiralSpreadInput>, Counts, string]>([
    ['divides evenly', { totalReplicas: 4, avoidDisruption: false }, { a: 2, b: 2 }, 'preferences'],
    ['grows from nothing', { totalReplicas: 4 }, { a: 2, b: 2 }, 'scaledUp'],
    ['moves nothing while the totals agree', { totalReplicas: 4, current: map({ a: 4 }) }, { a: 4, b: 0 }, 'kept'],
    ['takes only where there is too much', { totalReplicas: 6, current: map({ a: 6, b: 2 }) }, { a: 4, b: 2 }, 'scaledDown'],
    ['adds only where there is too little', { totalReplicas: 8, current: map({ a: 5, b: 1 }) }, { a: 5, b: 3 }, 'scaledUp'],
    [
      'gives minimums first',
      { totalReplicas: 5, avoidDisruption: false, preferences: { a: { minReplicas: 4 }, b: { weight: 1 } } },
      { a: 4, b: 1 },
      'preferences',
    ],
    [
      'holds a cluster at its maximum',
      { totalReplicas: 9, avoidDisruption: false, preferences: { a: { weight: 2, maxReplicas: 3 }, '*': { weight: 1 } } },
      { a: 3, b: 6 },
      'preferences',
    ],
    [
      'moves what is limited',
      { totalReplicas: 6, limitedCapacity: map({ a: 1 }), current: map({ a: 3, b: 3 }) },
      { a: 1, b: 5 },
      'scaledUp',
    ],
    ['places nothing without weights', { totalReplicas: 6, preferences: { '*': {} } }, { a: 0, b: 0 }, 'kept'],
    ['takes all from a cluster that no preference names', { preferences: {}, current: map({ a: 3 }) }, { a: 0, b: 0 }, 'kept'],
  ])('%s', (_, asked, expected, basis) => {
    const plan = divideKubeAdmiral({ ...EVEN, ...asked });
    expect(counts(plan)).toEqual(expected);
    expect(plan.basis).toBe(basis);
  });

  it.each([
    [true, 4, 0],
    [false, 0, 0],
  ])('keeps pending replicas where they are (%s), and gives them to others, too', (keepUnschedulable, overflow, unplaced) => {
    const plan = divideKubeAdmiral({ ...EVEN, totalReplicas: 10, estimatedCapacity: map({ a: 1 }), keepUnschedulable });
    expect(plan.shares).toMatchObject([
      { replicas: 1, overflow, scheduled: 1 + overflow },
      { replicas: 9, overflow: 0 },
    ]);
    expect(plan.unplaced).toBe(unplaced);
  });

  it('divides amounts beyond what doubles count exactly, and ends with negative weights', () => {
    const large = divideKubeAdmiral({ ...EVEN, totalReplicas: 2 ** 52, preferences: { a: { weight: 3 }, b: { weight: 1 } } });
    expect(counts(large)).toEqual({ a: 3 * 2 ** 50, b: 2 ** 50 });
    const negative = divideKubeAdmiral({ ...EVEN, totalReplicas: 10, preferences: { a: { weight: 2 }, b: { weight: -1 } } });
    expect(negative.shares).toHaveLength(2);
  });

  it('places everything where nothing is in the way, and then moves nothing until something changes', () => {
    const free = fc.record({ minReplicas: fc.nat(6), weight: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(question, free, some, ({ estimatedCapacity: _, limitedCapacity: __, ...input }, fallback, current) => {
        fc.pre(input.candidates.length > 0);
        const asked = { ...input, preferences: { '*': fallback }, current, avoidDisruption: true };
        const plan = divideKubeAdmiral(asked);
        expect(plan.shares.reduce((sum, { replicas }) => sum + replicas, 0)).toBe(input.totalReplicas);
        const again = divideKubeAdmiral({ ...asked, current: map(counts(plan)) });
        expect(again.basis).toBe('kept');
        expect(counts(again)).toEqual(counts(plan));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives what the pseudo code gives, whatever the order of candidates, and explains each number', () => {
    let compared = 0;
    fc.assert(
      fc.property(question, (input) => {
        const plan = divideKubeAdmiral(input);
        const [replicas, overflow] = naive(input);
        for (const share of plan.shares) {
          expect([share.cluster, share.replicas, share.overflow]).toEqual([
            share.cluster,
            replicas[share.cluster] ?? 0,
            overflow[share.cluster] ?? 0,
          ]);
          expect(share.desired).toBe(share.minimum + share.share);
          expect(share.replicas).toBe(plan.basis === 'preferences' ? share.desired : share.kept + share.moved);
        }
        expect(divideKubeAdmiral({ ...input, candidates: input.candidates.toReversed() })).toEqual(plan);
        const sum = plan.shares.reduce((total, share) => total + share.replicas, 0);
        expect(Math.max(0, input.totalReplicas - sum)).toBe(plan.unplaced);
        compared += 1;
      }),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThanOrEqual(3000);
  });
});

const preference = fc.record({ minReplicas: fc.nat(6), maxReplicas: fc.nat(20), weight: fc.nat(5) }, { requiredKeys: [] });
const NAMES = ['a', 'b', 'c', 'd', 'e', 'ü'] as const;
const some = fc.dictionary(fc.constantFrom(...NAMES), fc.nat(15)).map(map);
const question: fc.Arbitrary<KubeAdmiralSpreadInput> = fc.record({
  key: fc.string({ maxLength: 5 }),
  totalReplicas: fc.nat(60),
  preferences: fc.dictionary(fc.constantFrom('*', ...NAMES), preference),
  candidates: fc.uniqueArray(fc.constantFrom(...NAMES)),
  current: some,
  estimatedCapacity: some,
  limitedCapacity: some,
  avoidDisruption: fc.boolean(),
  keepUnschedulable: fc.boolean(),
});

interface Naive {
  readonly name: string;
  readonly w: number;
  readonly min: number;
  readonly max: number;
}

function hash(text: string): number {
  let value = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(text)) value = ((value * 0x01000193n) & 0xffffffffn) ^ BigInt(byte);
  return Number(value);
}

type Known = ReadonlyMap<string, number>;

function naiveDesired(given: readonly Naive[], key: string, est: Known, lim: Known, total: number, keep: boolean) {
  const order = given.toSorted((a, b) => b.w - a.w || hash(a.name + key) - hash(b.name + key));
  const cap = (known: Known, name: string): number => known.get(name) ?? Number.POSITIVE_INFINITY;
  const plan: Record<string, number> = {};
  const overflow: Record<string, number> = {};
  let rem = total;
  const settle = (name: string, wanted: number): boolean => {
    const allowed = Math.min(wanted, cap(lim, name));
    const fits = Math.min(allowed, cap(est, name));
    if (allowed > fits) overflow[name] = (overflow[name] ?? 0) + allowed - fits;
    rem -= fits - (plan[name] ?? 0);
    plan[name] = fits;
    return fits < wanted;
  };
  for (const { name, min } of order) settle(name, Math.min(min, rem));
  let open = order;
  for (let changed = true; changed && rem > 0; ) {
    changed = false;
    const sum = open.reduce((all, { w }) => all + w, 0);
    if (sum <= 0) break;
    const dist = rem;
    open = open.filter(({ name, w, max }) => {
      const start = plan[name] ?? 0;
      const wanted = start + Math.min(Math.ceil((dist * w) / sum), rem);
      const isFull = settle(name, Math.min(wanted, max)) || wanted > max;
      if ((plan[name] ?? 0) > start) changed = true;
      return !isFull;
    });
  }
  for (const name of keep ? [] : Object.keys(overflow)) overflow[name] = Math.max(0, Math.min(overflow[name] ?? 0, rem));
  return [plan, overflow] as const;
}

function naive(input: KubeAdmiralSpreadInput): readonly [Record<string, number>, Record<string, number>] {
  const { key, preferences, totalReplicas, candidates, avoidDisruption: avoid = true, keepUnschedulable = false } = input;
  const none: Known = new Map();
  const { current = none, estimatedCapacity: est = none, limitedCapacity: lim = none } = input;
  const given = candidates.flatMap((name): Naive[] => {
    const {
      weight: w = 0,
      minReplicas: min = 0,
      maxReplicas: max = Number.POSITIVE_INFINITY,
    } = preferences[name] ?? preferences['*'] ?? {};
    return preferences[name] === undefined && preferences['*'] === undefined ? [] : [{ name, w, min, max }];
  });
  const [due, overflow] = naiveDesired(given, key, est, lim, totalReplicas, keepUnschedulable || !avoid);
  if (!avoid) return [due, overflow];
  const plan = Object.fromEntries(
    given.map(({ name }) => [name, Math.min(current.get(name) ?? 0, lim.get(name) ?? 99, est.get(name) ?? 99)]),
  );
  const more = Object.keys(due).reduce((sum, name) => sum + (due[name] ?? 0) - (plan[name] ?? 0), 0);
  const differences = given.flatMap(({ name }): Naive[] => {
    const [d, c] = [due[name] ?? 0, plan[name] ?? 0];
    if (more < 0) return d < c ? [{ name, w: c - d, min: 0, max: c }] : [];
    return d > c ? [{ name, w: d - c, min: 0, max: (preferences[name]?.maxReplicas ?? Number.POSITIVE_INFINITY) - c }] : [];
  });
  const [moves] = naiveDesired(differences, key, none, none, Math.abs(more), false);
  for (const [name, count] of Object.entries(moves)) plan[name] = (plan[name] ?? 0) + Math.sign(more) * count;
  return [plan, overflow];
}

describe('divideKubeAdmiralBinpack', () => {
  it.each<[string, Partial<KubeAdmiralBinpackInput>, Counts, string]>([
    ['fills one cluster before the next', { preferences: { b: { maxReplicas: 4 } } }, { b: 4, a: 6 }, 'scaledUp'],
    ['gives minimums first', { preferences: { a: { minReplicas: 2 } }, avoidDisruption: false }, { b: 8, a: 2 }, 'preferences'],
    ['leaves what is there', { current: map({ a: 10 }) }, { b: 0, a: 10 }, 'kept'],
    ['takes from the last one first', { totalReplicas: 3, current: map({ b: 2, a: 6 }) }, { b: 2, a: 1 }, 'scaledDown'],
    [
      'waits until it is known what became of earlier replicas',
      { current: map({ b: 4 }), scheduledReplicas: map({ b: 3 }) },
      { b: 4, a: 0 },
      'waiting',
    ],
    [
      'plans anyway when a cluster is lost',
      { current: map({ b: 4, lost: 1 }), scheduledReplicas: map({ b: 3 }) },
      { b: 10, a: 0 },
      'scaledUp',
    ],
    [
      'gives pending replicas up once all others run',
      { current: map({ b: 9, a: 3 }), estimatedCapacity: map({ b: 7 }), scheduledReplicas: map({ b: 7, a: 3 }) },
      { b: 7, a: 3 },
      'settled',
    ],
    ['does not know "*"', { preferences: { '*': { maxReplicas: 1 } } }, { b: 10, a: 0 }, 'scaledUp'],
  ])('%s', (_, asked, expected, basis) => {
    const plan = divideKubeAdmiralBinpack({ totalReplicas: 10, preferences: {}, candidates: ['b', 'a'], ...asked });
    expect(counts(plan)).toEqual(expected);
    expect(plan.basis).toBe(basis);
    expect(plan.shares.map(({ cluster }) => cluster)).toEqual(['b', 'a']);
  });

  it('leaves pending replicas as overflow, at most as many as are not running', () => {
    const input = { totalReplicas: 10, preferences: {}, candidates: ['a', 'b'], estimatedCapacity: map({ a: 4 }) };
    const ask = (more: Partial<KubeAdmiralBinpackInput>) => divideKubeAdmiralBinpack({ ...input, ...more }).shares[0]?.overflow;
    expect(ask({ keepUnschedulable: true })).toBe(6);
    expect(ask({ scheduledReplicas: map({ a: 4 }), current: map({ a: 8 }) })).toBe(6);
    expect(ask({ scheduledReplicas: map({ a: 4, b: 5 }), current: map({ a: 8, b: 5 }) })).toBe(1);
  });
});

describe('kubeAdmiralDynamicWeights', () => {
  it.each<[string, readonly (readonly [number, number])[], readonly number[]]>([
    [
      'follows what is free',
      [
        [100, 30],
        [100, 70],
      ],
      [300, 700],
    ],
    [
      'limits a cluster to 1.4 times its part',
      [
        [100, 0],
        [100, 90],
        [200, 10],
      ],
      [0, 778, 222],
    ],
    [
      'gives the remainder to the largest',
      [
        [9, 3],
        [9, 3],
        [9, 3],
      ],
      [334, 333, 333],
    ],
    [
      'treats all alike where nothing is free',
      [
        [9, 0],
        [9, -3],
        [1, 0],
      ],
      [333, 333, 333],
    ],
    [
      'treats all alike where every limit is 0',
      [
        [9, 0],
        [0, 5],
      ],
      [500, 500],
    ],
    [
      'limits evenly where nothing is offered',
      [
        [0, 9],
        [0, 1],
      ],
      [833, 167],
    ],
  ])('%s', (_, clusters, expected) => {
    const input = clusters.map(([allocatable, available], index) => ({ cluster: `c${index}`, allocatable, available }));
    expect([...kubeAdmiralDynamicWeights(input.toReversed()).values()]).toEqual(expected);
  });
});

describe('explainKubeAdmiralShare', () => {
  it.each<[string, Partial<KubeAdmiralSpreadInput>]>([
    ['2 replicas: 2 by weight 1', { totalReplicas: 2, avoidDisruption: false }],
    ['3 replicas: 1 there already + 2 more on the way to 3', { totalReplicas: 3, current: map({ a: 1 }) }],
    ['1 replica: 4 there already − 3 fewer on the way to 1', { totalReplicas: 1, current: map({ a: 4 }) }],
    ['0 replicas: no preference names it', { preferences: {} }],
    ['0 replicas: nothing is due', {}],
    [
      '1 replica: 1 minimum, at its capacity, and 3 more that wait for room',
      { totalReplicas: 4, avoidDisruption: false, preferences: { a: { minReplicas: 4 } }, estimatedCapacity: map({ a: 1 }) },
    ],
  ])('says %j', (text, asked) => {
    expect(divideKubeAdmiral({ ...EVEN, candidates: ['a'], ...asked }).shares.map(explainKubeAdmiralShare)).toEqual([text]);
  });
});
