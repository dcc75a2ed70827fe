import {
  divideCompletions,
  divideKarmada,
  type KarmadaDivision,
  type KarmadaInput,
  type Party,
  webster,
} from 'clusterset/scheduling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** FNV-1a in whole numbers of any size. */
function isOdd(uid: string): boolean {
  let hash = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(uid)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return (hash & 1n) === 1n;
}

/** One seat after the other, with fractions compared exactly: the description word by word. */
function oneByOne(seats: number, parties: readonly Party[], uid: string): readonly number[] {
  const given = parties.map(() => 0);
  if (parties.every(({ votes }) => votes === 0)) return given;
  const wins = (a: number, b: number): boolean => {
    const [x, y] = [a, b].map((index) => BigInt(parties[index]?.votes ?? 0));
    const [s, t] = [a, b].map((index) => given[index] ?? 0);
    const left = (x ?? 0n) * BigInt(2 * (t ?? 0) + 1);
    const right = (y ?? 0n) * BigInt(2 * (s ?? 0) + 1);
    if (left !== right) return left > right;
    if (s !== t) return (s ?? 0) < (t ?? 0);
    const [n, m] = [parties[a]?.name ?? '', parties[b]?.name ?? ''];
    return uid !== '' && isOdd(uid) ? n > m : n < m;
  };
  for (let seat = 0; seat < seats; seat += 1) {
    const winner = parties.reduce((best, _, index) => (wins(index, best) ? index : best), 0);
    given[winner] = (given[winner] ?? 0) + 1;
  }
  return given;
}

const arbitraryParties = fc.uniqueArray(
  fc.record({ name: fc.stringMatching(/^[a-z]{1,3}$/), votes: fc.oneof(fc.nat(5), fc.nat(1000), fc.nat(1_000_000)) }),
  { selector: ({ name }) => name, maxLength: 20 },
);
const arbitraryUid = fc.constantFrom('', 'a', 'b', '5f3c', 'uid-1');

describe('webster', () => {
  it.each<[string, number, readonly [string, number][], string, readonly number[]]>([
    [
      'in proportion',
      6,
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ],
      '',
      [1, 2, 3],
    ],
    [
      'ties to fewer seats, then by name',
      1,
      [
        ['b', 1],
        ['a', 1],
      ],
      '',
      [0, 1],
    ],
    [
      'ties to the last name for an odd hash',
      1,
      [
        ['b', 1],
        ['a', 1],
      ],
      'b',
      isOdd('b') ? [1, 0] : [0, 1],
    ],
    [
      'nothing without votes',
      3,
      [
        ['a', 0],
        ['b', 0],
      ],
      '',
      [0, 0],
    ],
    ['nothing of nothing', 0, [['a', 1]], '', [0]],
    ['nobody', 3, [], '', []],
  ])('gives seats: %s', (_, seats, votes, uid, expected) => {
    expect(
      webster(
        seats,
        votes.map(([name, count]) => ({ name, votes: count })),
        uid,
      ),
    ).toEqual(expected);
  });

  it('agrees with the description, seat by seat and tie by tie', () => {
    fc.assert(
      fc.property(arbitraryParties, fc.nat(300), arbitraryUid, (parties, seats, uid) => {
        expect(webster(seats, parties, uid)).toEqual(oneByOne(seats, parties, uid));
      }),
      { numRuns: 500 },
    );
  });

  it('gives all seats where anybody has votes, in the same way whatever the order, and takes none when there are more', () => {
    fc.assert(
      fc.property(arbitraryParties, fc.nat(100_000), arbitraryUid, (parties, seats, uid) => {
        const given = webster(seats, parties, uid);
        const hasVotes = parties.some(({ votes }) => votes > 0);
        expect(given.reduce((sum, each) => sum + each, 0)).toBe(hasVotes ? seats : 0);
        expect(webster(seats, parties.toReversed(), uid).toReversed()).toEqual(given);
        const more = webster(seats + 1, parties, uid);
        expect(more.every((each, index) => each >= (given[index] ?? 0))).toBe(true);
      }),
    );
  });
});

describe('the division of Karmada', () => {
  const candidates = (rooms: Readonly<Record<string, number>>) =>
    Object.entries(rooms).map(([name, allocatable]) => ({ name, allocatable }));
  const shares = (division: KarmadaDivision): unknown =>
    division.outcome === 'divided'
      ? Object.fromEntries(division.shares.map(({ cluster, replicas }) => [cluster, replicas]))
      : division;
  const previous = (held: Readonly<Record<string, number>>): ReadonlyMap<string, number> => new Map(Object.entries(held));

  it.each<[string, KarmadaInput, unknown]>([
    ['nobody', { candidates: [], replicas: 3, strategy: { type: 'DynamicWeighted' } }, { outcome: 'no-candidates' }],
    [
      'a copy for each',
      { candidates: candidates({ a: 0, b: 0 }), replicas: 3, strategy: { type: 'Duplicated' } },
      { a: 3, b: 3 },
    ],
    [
      'weight 1 for all without rules',
      { candidates: candidates({ a: 0, b: 0 }), replicas: 4, strategy: { type: 'StaticWeighted' } },
      { a: 2, b: 2 },
    ],
    [
      'the largest weight that matches; who matches none is left out',
      {
        candidates: candidates({ a: 0, b: 0, c: 0 }),
        replicas: 4,
        strategy: {
          type: 'StaticWeighted',
          rules: [
            { clusters: ['a', 'b'], weight: 1 },
            { clusters: ['b'], weight: 3 },
          ],
        },
      },
      { a: 1, b: 3 },
    ],
    [
      'weight 1 for all where no rule matches',
      {
        candidates: candidates({ a: 0, b: 0 }),
        replicas: 2,
        strategy: { type: 'StaticWeighted', rules: [{ clusters: ['z'], weight: 9 }] },
      },
      { a: 1, b: 1 },
    ],
    [
      'static weights whatever was there before',
      { candidates: candidates({ a: 0, b: 0 }), replicas: 4, strategy: { type: 'StaticWeighted' }, previous: previous({ a: 4 }) },
      { a: 2, b: 2 },
    ],
    ['by room', { candidates: candidates({ a: 10, b: 30 }), replicas: 8, strategy: { type: 'DynamicWeighted' } }, { a: 2, b: 6 }],
    [
      'none at all where there is no room for all',
      { candidates: candidates({ a: 1, b: 1 }), replicas: 5, strategy: { type: 'DynamicWeighted' } },
      { outcome: 'unschedulable', missing: 3 },
    ],
    [
      'what is added by room, to what was there (steady)',
      {
        candidates: candidates({ a: 0, b: 10 }),
        replicas: 6,
        strategy: { type: 'DynamicWeighted' },
        previous: previous({ a: 4 }),
      },
      { a: 4, b: 2 },
    ],
    [
      'less in proportion to what was there (steady)',
      {
        candidates: candidates({ a: 0, b: 90 }),
        replicas: 4,
        strategy: { type: 'DynamicWeighted' },
        previous: previous({ a: 6, b: 2 }),
      },
      { a: 3, b: 1 },
    ],
    [
      'the same for the same sum (steady)',
      {
        candidates: candidates({ a: 0, b: 90 }),
        replicas: 8,
        strategy: { type: 'DynamicWeighted' },
        previous: previous({ a: 6, b: 2 }),
      },
      { a: 6, b: 2 },
    ],
    [
      'anew by all room, also that which is taken (fresh)',
      {
        candidates: candidates({ a: 2, b: 8 }),
        replicas: 8,
        strategy: { type: 'DynamicWeighted' },
        previous: previous({ a: 6 }),
        mode: 'Fresh',
      },
      { a: 4, b: 4 },
    ],
    [
      'what a cluster held that is no candidate any more, elsewhere',
      {
        candidates: candidates({ a: 9 }),
        replicas: 4,
        strategy: { type: 'DynamicWeighted' },
        previous: previous({ a: 1, gone: 3 }),
      },
      { a: 4 },
    ],
    [
      'as few clusters as will do',
      { candidates: candidates({ a: 3, b: 9, c: 5 }), replicas: 8, strategy: { type: 'Aggregated' } },
      { b: 8 },
    ],
    [
      'as few as will do, by room among them',
      { candidates: candidates({ a: 3, b: 9, c: 6 }), replicas: 10, strategy: { type: 'Aggregated' } },
      { b: 6, c: 4 },
    ],
    [
      'first the clusters that hold replicas',
      { candidates: candidates({ a: 3, b: 9 }), replicas: 4, strategy: { type: 'Aggregated' }, previous: previous({ a: 2 }) },
      { a: 4 },
    ],
    [
      'the largest, whoever holds replicas, when it is divided anew',
      {
        candidates: candidates({ a: 3, b: 9 }),
        replicas: 4,
        strategy: { type: 'Aggregated' },
        previous: previous({ a: 2 }),
        mode: 'Fresh',
      },
      { b: 4 },
    ],
    [
      'the next tier only what has no room in the first',
      {
        candidates: [
          { name: 'cloud', allocatable: 100, overflowOrder: 1 },
          { name: 'own', allocatable: 3 },
        ],
        replicas: 5,
        strategy: { type: 'DynamicWeighted' },
      },
      { own: 3, cloud: 2 },
    ],
    [
      'no tier with room',
      {
        candidates: [
          { name: 'own', allocatable: 3 },
          { name: 'cloud', overflowOrder: 1 },
        ],
        replicas: 5,
        strategy: { type: 'Aggregated' },
      },
      { outcome: 'unschedulable', missing: 2 },
    ],
    [
      'clusters without any, where that is wanted',
      { candidates: candidates({ a: 0, b: 3 }), replicas: 3, strategy: { type: 'DynamicWeighted' }, keepEmpty: true },
      { a: 0, b: 3 },
    ],
    [
      'clusters that no rule matches, where that is wanted',
      {
        candidates: candidates({ a: 0, b: 3 }),
        replicas: 3,
        strategy: { type: 'StaticWeighted', rules: [{ clusters: ['b'], weight: 1 }] },
        keepEmpty: true,
      },
      { a: 0, b: 3 },
    ],
    [
      'clusters that aggregation leaves out, where that is wanted',
      { candidates: candidates({ a: 2, b: 3 }), replicas: 3, strategy: { type: 'Aggregated' }, keepEmpty: true },
      { a: 0, b: 3 },
    ],
    [
      'weight 1 for all where the rules give none',
      {
        candidates: candidates({ a: 0, b: 0 }),
        replicas: 2,
        strategy: { type: 'StaticWeighted', rules: [{ clusters: ['a'], weight: 0 }] },
      },
      { a: 1, b: 1 },
    ],
  ])('gives %s', (_, input, expected) => {
    expect(shares(divideKarmada(input))).toEqual(expected);
  });

  it('says why', () => {
    const input = {
      candidates: candidates({ a: 0, b: 10 }),
      replicas: 6,
      strategy: { type: 'DynamicWeighted' as const },
      previous: previous({ a: 4 }),
    };
    expect(divideKarmada(input)).toEqual({
      outcome: 'divided',
      shares: [
        { cluster: 'a', replicas: 4, previous: 4, reason: 'KeptAndGrown' },
        { cluster: 'b', replicas: 2, previous: 0, reason: 'KeptAndGrown' },
      ],
    });
  });

  it('places all or nothing, never more than fits, and the same whatever the order', () => {
    const room = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,2}$/), allocatable: fc.nat(50) }), {
      selector: ({ name }) => name,
      minLength: 1,
      maxLength: 12,
    });
    const strategy = fc.constantFrom({ type: 'DynamicWeighted' as const }, { type: 'Aggregated' as const });
    fc.assert(
      fc.property(
        room,
        strategy,
        fc.nat(200),
        fc.constantFrom('Steady' as const, 'Fresh' as const),
        (list, how, replicas, mode) => {
          const held = new Map(list.filter((_, index) => index % 3 === 0).map(({ name }, index) => [name, index]));
          const input = { candidates: list, strategy: how, replicas, mode, previous: held };
          const division = divideKarmada(input);
          expect(divideKarmada({ ...input, candidates: list.toReversed() })).toEqual(division);
          if (division.outcome !== 'divided') return;
          expect(division.shares.reduce((sum, each) => sum + each.replicas, 0)).toBe(replicas);
          for (const { cluster, replicas: got } of division.shares) {
            const fits = (list.find(({ name }) => name === cluster)?.allocatable ?? 0) + (held.get(cluster) ?? 0);
            expect(got).toBeLessThanOrEqual(fits);
          }
        },
      ),
    );
  });

  it('divides the completions of a Job by the replicas', () => {
    const parts = divideCompletions(
      [
        { cluster: 'a', replicas: 1 },
        { cluster: 'b', replicas: 3 },
      ],
      8,
    );
    expect(parts).toEqual([
      { cluster: 'a', completions: 2 },
      { cluster: 'b', completions: 6 },
    ]);
  });
});
