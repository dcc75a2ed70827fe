import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DivisionCluster, type DivisionShare, divideReplicas } from '../../../src/scheduling/divide/divide.ts';

const numbers = (shares: readonly DivisionShare[]) =>
  Object.fromEntries(shares.map(({ cluster, replicas }) => [cluster, replicas]));
const reasons = (shares: readonly DivisionShare[]) => Object.fromEntries(shares.map(({ cluster, reason }) => [cluster, reason]));

describe('divides by weight', () => {
  it.each<[string, readonly DivisionCluster[], number, Record<string, number>]>([
    ['evenly without weights', [{ name: 'a' }, { name: 'b' }, { name: 'c' }], 6, { a: 2, b: 2, c: 2 }],
    ['what is left over by name', [{ name: 'b' }, { name: 'a' }], 3, { a: 2, b: 1 }],
    [
      'of equal claims the heavier one first',
      [
        { name: 'a', weight: 1 },
        { name: 'b', weight: 3 },
      ],
      2,
      { a: 0, b: 2 },
    ],
    ['of equal claims first where replicas stay', [{ name: 'a' }, { name: 'b', current: 1 }], 1, { a: 0, b: 1 }],
    [
      'to the minimum and no more where a cluster weighs nothing',
      [{ name: 'a', weight: 0, minReplicas: 1 }, { name: 'b' }],
      5,
      { a: 1, b: 4 },
    ],
    ['minimums first, and they count as part of the share', [{ name: 'a', minReplicas: 3 }, { name: 'b' }], 6, { a: 3, b: 3 }],
    [
      'what a maximum keeps away from one to the others',
      [{ name: 'a', maxReplicas: 1 }, { name: 'b' }, { name: 'c' }],
      7,
      { a: 1, b: 3, c: 3 },
    ],
    ['within the room that there is, with what runs', [{ name: 'a', room: 1, current: 1 }, { name: 'b' }], 10, { a: 2, b: 8 }],
    ['below a minimum that there is no room for', [{ name: 'a', minReplicas: 5, room: 2 }, { name: 'b' }], 4, { a: 2, b: 2 }],
    [
      'as far as the total goes where minimums are too many',
      [
        { name: 'a', minReplicas: 3 },
        { name: 'b', minReplicas: 3 },
      ],
      4,
      { a: 2, b: 2 },
    ],
    ['nothing new to clusters that only keep', [{ name: 'a', current: 2, mayGrow: false }, { name: 'b' }], 8, { a: 2, b: 6 }],
    [
      'one tier after the other',
      [
        { name: 'a', tier: 1 },
        { name: 'b', maxReplicas: 3 },
        { name: 'c', maxReplicas: 2 },
      ],
      8,
      { a: 3, b: 3, c: 2 },
    ],
    [
      'minimums of later tiers first',
      [
        { name: 'a', tier: 1, minReplicas: 1 },
        { name: 'b', maxReplicas: 9 },
      ],
      4,
      { a: 1, b: 3 },
    ],
    [
      'minimums of who weighs nothing last',
      [
        { name: 'a', weight: 0, minReplicas: 2 },
        { name: 'b', minReplicas: 2 },
      ],
      3,
      { a: 1, b: 2 },
    ],
    ['nothing', [{ name: 'a' }], 0, { a: 0 }],
  ])('%s', (_, clusters, replicas, expected) => {
    const { shares, unplaced } = divideReplicas({ clusters, replicas });
    expect(numbers(shares)).toEqual(expected);
    expect(unplaced).toBe(0);
  });

  it('says how many have no place', () => {
    const { shares, unplaced } = divideReplicas({
      clusters: [
        { name: 'a', room: 2 },
        { name: 'b', weight: 0 },
      ],
      replicas: 5,
    });
    expect(numbers(shares)).toEqual({ a: 2, b: 0 });
    expect(unplaced).toBe(3);
    expect(divideReplicas({ clusters: [], replicas: 5 })).toEqual({ shares: [], unplaced: 5 });
  });

  it('says that nobody weighs anything, where that is why replicas have no place', () => {
    const { shares, unplaced } = divideReplicas({ clusters: [{ name: 'a', weight: 0 }], replicas: 5 });
    expect({ ...reasons(shares), unplaced }).toEqual({ a: 'NoWeight', unplaced: 5 });
  });

  it('says why each cluster has what it has', () => {
    const clusters = [
      { name: 'keeps', current: 1, mayGrow: false },
      { name: 'late', tier: 1 },
      { name: 'max', maxReplicas: 1 },
      { name: 'min', minReplicas: 6 },
      { name: 'room', room: 0 },
      { name: 'share' },
      { name: 'weightless', weight: 0 },
    ];
    const { shares } = divideReplicas({ clusters, replicas: 12 });
    expect(reasons(shares)).toEqual({
      keeps: 'AtMost',
      late: 'NotNeeded',
      max: 'AtMost',
      min: 'AtLeast',
      room: 'AtMost',
      share: 'Share',
      weightless: 'NoWeight',
    });
    expect(shares.map(({ limit }) => limit)).toEqual(['NoMore', undefined, 'Max', undefined, 'Room', undefined, undefined]);
    expect(shares.find(({ cluster }) => cluster === 'share')).toMatchObject({ replicas: 4, quota: 2.4, weight: 1 });
  });
});

describe('by capacity, aggregated, duplicated', () => {
  it.each<[string, readonly DivisionCluster[], number, Record<string, number>]>([
    [
      'by what is there and still fits',
      [
        { name: 'a', room: 10 },
        { name: 'b', room: 10, current: 20 },
      ],
      8,
      { a: 2, b: 6 },
    ],
    ['unknown room like the average', [{ name: 'a', room: 4 }, { name: 'b', room: 8 }, { name: 'c' }], 9, { a: 2, b: 4, c: 3 }],
    ['evenly where nothing is known', [{ name: 'a' }, { name: 'b' }], 4, { a: 2, b: 2 }],
    ['where it is not known, if there is no room elsewhere', [{ name: 'a', room: 0 }, { name: 'b' }], 4, { a: 0, b: 4 }],
  ])('%s', (_, clusters, replicas, expected) => {
    expect(numbers(divideReplicas({ clusters, replicas, type: 'ByCapacity' }).shares)).toEqual(expected);
  });

  it.each<[string, readonly DivisionCluster[], number, Record<string, number>]>([
    [
      'in one cluster where one will do',
      [
        { name: 'a', room: 9 },
        { name: 'b', room: 10 },
      ],
      8,
      { a: 0, b: 8 },
    ],
    [
      'in the one that runs it, of those that will do',
      [
        { name: 'a', room: 5, current: 4 },
        { name: 'b', room: 10 },
      ],
      8,
      { a: 8, b: 0 },
    ],
    [
      'in the largest where several are needed',
      [
        { name: 'a', room: 2 },
        { name: 'b', room: 6 },
        { name: 'c', room: 4 },
      ],
      10,
      { a: 0, b: 6, c: 4 },
    ],
    [
      'by how much each can take',
      [
        { name: 'a', room: 6 },
        { name: 'b', room: 6 },
        { name: 'c', room: 3 },
      ],
      10,
      { a: 5, b: 5, c: 0 },
    ],
    [
      'with those that must have some',
      [
        { name: 'a', minReplicas: 1, room: 3 },
        { name: 'b', room: 9 },
      ],
      9,
      { a: 2, b: 7 },
    ],
    [
      'not in one that is too small, for all that it holds, where room elsewhere is endless',
      [{ name: 'a' }, { name: 'b', maxReplicas: 2, current: 1 }],
      3,
      { a: 3, b: 0 },
    ],
    ['in one where room is endless', [{ name: 'a' }, { name: 'b', room: 10 }], 50, { a: 50, b: 0 }],
  ])('aggregated: %s', (_, clusters, replicas, expected) => {
    expect(numbers(divideReplicas({ clusters, replicas, type: 'Aggregated' }).shares)).toEqual(expected);
  });

  it('gives every cluster all of them', () => {
    const { shares, unplaced } = divideReplicas({
      clusters: [{ name: 'b' }, { name: 'a', room: 1 }],
      replicas: 3,
      type: 'Duplicated',
    });
    expect(numbers(shares)).toEqual({ a: 3, b: 3 });
    expect(unplaced).toBe(0);
  });

  it('gives a cluster that may not grow no copy larger than the one it has', () => {
    const { shares } = divideReplicas({
      clusters: [
        { name: 'a', current: 1, mayGrow: false },
        { name: 'b', current: 9, mayGrow: false },
      ],
      replicas: 3,
      type: 'Duplicated',
    });
    expect(shares).toMatchObject([
      { replicas: 1, reason: 'AtMost', most: 1, limit: 'NoMore' },
      { replicas: 3, reason: 'Duplicated', limit: undefined },
    ]);
  });
});

describe('sticky', () => {
  it.each<[string, readonly DivisionCluster[], number, Record<string, number>]>([
    [
      'leaves all where it is when nothing changes',
      [
        { name: 'a', current: 9 },
        { name: 'b', current: 1 },
      ],
      10,
      { a: 9, b: 1 },
    ],
    ['grows where there is too little', [{ name: 'a', current: 5 }, { name: 'b' }], 8, { a: 5, b: 3 }],
    [
      'shrinks where there is too much',
      [
        { name: 'a', current: 7 },
        { name: 'b', current: 1 },
      ],
      4,
      { a: 3, b: 1 },
    ],
    [
      'moves what bounds forbid',
      [
        { name: 'a', current: 7, maxReplicas: 4 },
        { name: 'b', current: 1 },
      ],
      8,
      { a: 4, b: 4 },
    ],
    [
      'takes for minimums from where most is too much',
      [
        { name: 'a', current: 6 },
        { name: 'b', minReplicas: 2 },
      ],
      6,
      { a: 4, b: 2 },
    ],
    [
      'stays in a later tier',
      [
        { name: 'a', room: 5 },
        { name: 'b', tier: 1, current: 3 },
      ],
      5,
      { a: 2, b: 3 },
    ],
  ])('%s', (_, clusters, replicas, expected) => {
    expect(numbers(divideReplicas({ clusters, replicas, sticky: true }).shares)).toEqual(expected);
  });
});

describe('refuses', () => {
  it.each<[string, readonly DivisionCluster[], number, string]>([
    ['negative counts', [{ name: 'a', minReplicas: -1 }], 1, 'minReplicas of cluster "a" is -1'],
    ['parts of replicas', [{ name: 'a', maxReplicas: 1.5 }], 1, 'maxReplicas of cluster "a" is 1.5'],
    ['numbers that are none', [{ name: 'a', room: Number.NaN }], 1, 'room of cluster "a" is NaN'],
    ['endless room', [{ name: 'a', current: Number.POSITIVE_INFINITY }], 1, 'current of cluster "a" is Infinity'],
    ['negative weights', [{ name: 'a', weight: -2 }], 1, 'weight of cluster "a" is -2'],
    ['broken tiers', [{ name: 'a', tier: 0.5 }], 1, 'tier of cluster "a" is 0.5'],
    ['a minimum above the maximum', [{ name: 'a', minReplicas: 3, maxReplicas: 2 }], 1, 'minReplicas of cluster "a" is 3'],
    ['two clusters of a name', [{ name: 'a' }, { name: 'b' }, { name: 'a' }], 1, 'cluster "a" is there twice'],
    ['weights that can not be added', [{ name: 'a', weight: 1e308 }], 1, 'weight of cluster "a" is 1e+308'],
    ['weights that are nothing beside others', [{ name: 'a', weight: 5e-324 }], 1, 'weight of cluster "a" is 5e-324'],
    ['counts that can not be counted up to', [{ name: 'a', maxReplicas: 1e300 }], 1, 'maxReplicas of cluster "a" is 1e+300'],
    ['a total that can not be counted up to', [{ name: 'a' }], 1e300, "1e+300 replicas can't be divided"],
    ['a negative total', [{ name: 'a' }], -1, "-1 replicas can't be divided"],
  ])('%s', (_, clusters, replicas, message) => {
    expect(() => divideReplicas({ clusters, replicas })).toThrow(message);
  });
});

const aCluster = (name: string) =>
  fc.record(
    {
      name: fc.constant(name),
      weight: fc.nat(4),
      minReplicas: fc.nat(2),
      maxReplicas: fc.integer({ min: 2, max: 6 }),
      room: fc.nat(5),
      current: fc.nat(4),
      tier: fc.constant(0),
      mayGrow: fc.boolean(),
    },
    { requiredKeys: ['name'] },
  ) as fc.Arbitrary<DivisionCluster>;
const aFleet = (most: number, tiers = 0) =>
  fc
    .integer({ min: 1, max: most })
    .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => aCluster(`c${index}`))))
    .chain((fleet) => fc.tuple(...fleet.map((each) => fc.nat(tiers).map((tier) => ({ ...each, tier })))));

const mostOf = ({ maxReplicas = 99, room = 99, current = 0, mayGrow = true }: DivisionCluster) =>
  Math.min(maxReplicas, room + current, mayGrow ? 99 : current);
const leastOf = (cluster: DivisionCluster) => Math.min(cluster.minReplicas ?? 0, mostOf(cluster));

/** Every way to divide so many replicas within bounds. */
function* ways(bounds: readonly (readonly [number, number])[], total: number): Generator<readonly number[]> {
  const [first, ...others] = bounds;
  if (first === undefined) {
    if (total === 0) yield [];
    return;
  }
  for (let seats = first[0]; seats <= Math.min(first[1], total); seats += 1) {
    for (const rest of ways(others, total - seats)) yield [seats, ...rest];
  }
}

describe('always', () => {
  it('has the least distance to the quotas, and then the fewest moves, of all ways to divide', () => {
    fc.assert(
      fc.property(aFleet(4), fc.nat(9), (clusters, replicas) => {
        const { shares, unplaced } = divideReplicas({ clusters, replicas });
        const minimums = clusters.reduce((sum, each) => sum + leastOf(each), 0);
        const bounds = clusters.map((each): [number, number] => {
          if (minimums > replicas) return [0, leastOf(each)];
          return [leastOf(each), each.weight === 0 ? leastOf(each) : mostOf(each)];
        });
        const placed = Math.min(
          replicas,
          bounds.reduce((sum, [, most]) => sum + most, 0),
        );
        expect(replicas - unplaced).toBe(placed);
        const cost = (way: readonly number[]): readonly [number, number] => {
          let distance = 0;
          let moved = 0;
          for (const [index, seats] of way.entries()) {
            const { weight = 1, current = 0 } = clusters[index] ?? { name: '' };
            // The sum of quotas is the same for all ways; what differs is the sum of squares by weight. In twelfths these are whole.
            // Who weighs nothing comes last where minimums are cut, and has its minimum else.
            distance += (12 * seats * seats) / (weight === 0 ? 1e-6 : weight);
            moved += Math.max(0, current - seats);
          }
          return [distance, moved];
        };
        const [distance, moved] = cost(shares.map((share) => share.replicas));
        for (const way of ways(bounds, placed)) {
          const [otherDistance, otherMoved] = cost(way);
          expect(otherDistance).toBeGreaterThanOrEqual(distance);
          if (otherDistance === distance) expect(otherMoved).toBeGreaterThanOrEqual(moved);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('when sticky, moves no more than bounds and the total demand', () => {
    fc.assert(
      fc.property(aFleet(4), fc.nat(9), (clusters, replicas) => {
        const { shares, unplaced } = divideReplicas({ clusters, replicas, sticky: true });
        const minimums = clusters.reduce((sum, each) => sum + leastOf(each), 0);
        fc.pre(minimums <= replicas);
        const bounds = clusters.map((each): [number, number] => [leastOf(each), mostOf(each)]);
        const lost = (way: readonly number[]) =>
          way.reduce((sum, seats, index) => sum + Math.max(0, (clusters[index]?.current ?? 0) - seats), 0);
        const moved = lost(shares.map((share) => share.replicas));
        for (const way of ways(bounds, replicas - unplaced)) expect(lost(way)).toBeGreaterThanOrEqual(moved);
      }),
      { numRuns: 300 },
    );
  });

  const types = fc.constantFrom('Weighted' as const, 'ByCapacity' as const, 'Aggregated' as const);

  it('keeps the bounds and the sum, whatever the order of the clusters', () => {
    fc.assert(
      fc.property(aFleet(8, 2), fc.nat(40), types, fc.boolean(), (clusters, replicas, type, sticky) => {
        const { shares, unplaced } = divideReplicas({ clusters, replicas, type, sticky });
        const minimums = clusters.reduce((sum, each) => sum + leastOf(each), 0);
        for (const share of shares) {
          const cluster = clusters.find(({ name }) => name === share.cluster) ?? { name: '' };
          expect(share.replicas).toBeLessThanOrEqual(mostOf(cluster));
          if (minimums <= replicas) expect(share.replicas).toBeGreaterThanOrEqual(leastOf(cluster));
        }
        expect(shares.reduce((sum, share) => sum + share.replicas, unplaced)).toBe(replicas);
        expect(divideReplicas({ clusters: clusters.toReversed(), replicas, type, sticky })).toEqual({ shares, unplaced });
      }),
      { numRuns: 500 },
    );
  });

  it('takes from nobody when there is more to divide, and changes nothing when there is not', () => {
    fc.assert(
      fc.property(aFleet(8, 2), fc.nat(30), fc.nat(5), types, fc.boolean(), (clusters, replicas, more, type, sticky) => {
        fc.pre(type !== 'Aggregated' || sticky);
        // What a cluster has room for is the same, however much of it is in use.
        const running = (shares: readonly DivisionShare[]): DivisionCluster[] =>
          clusters.map((each) => {
            const replicasNow = shares.find(({ cluster }) => cluster === each.name)?.replicas ?? 0;
            const { room, current = 0, mayGrow: _, ...others } = each;
            const left = room === undefined ? {} : { room: room + current - replicasNow };
            return { ...others, ...left, current: replicasNow };
          });
        const before = divideReplicas({
          clusters: running(
            clusters.map(({ name, current = 0 }) => ({ cluster: name, replicas: current }) as DivisionShare),
          ).filter(({ room = 0 }) => room >= 0),
          replicas,
          type,
          sticky,
        });
        const same = divideReplicas({ clusters: running(before.shares), replicas, type, sticky });
        expect(numbers(same.shares)).toEqual(numbers(before.shares));
        const after = divideReplicas({ clusters: running(before.shares), replicas: replicas + more, type, sticky });
        for (const [index, share] of after.shares.entries()) {
          expect(share.replicas).toBeGreaterThanOrEqual(before.shares[index]?.replicas ?? 0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('aggregates steadily, also where minimums are too many', () => {
    const clusters = [
      { name: 'a', minReplicas: 2 },
      { name: 'b', minReplicas: 1, current: 1 },
    ];
    const after = divideReplicas({ clusters, replicas: 2, type: 'Aggregated', sticky: true });
    expect(numbers(after.shares)).toEqual({ a: 1, b: 1 });
  });

  it('gives reasons that are true', () => {
    fc.assert(
      fc.property(aFleet(6, 2), fc.nat(25), types, fc.boolean(), (clusters, replicas, type, sticky) => {
        const { shares, unplaced } = divideReplicas({ clusters, replicas, type, sticky });
        for (const share of shares) {
          const { reason, replicas: has, quota, weight, least, most, limit } = share;
          const cluster: DivisionCluster = clusters.find(({ name }) => name === share.cluster) ?? { name: '' };
          expect(least).toBeLessThanOrEqual(has);
          expect(has).toBeLessThanOrEqual(most ?? has);
          expect(limit === undefined).toBe(most === undefined);
          if (reason === 'AtMost') expect(has).toBe(most);
          if (reason === 'AtLeast') expect(has).toBe(least);
          if (reason === 'AtLeast') expect(least).toBeGreaterThan(quota);
          if (reason === 'NoWeight') expect([weight, has]).toEqual([0, 0]);
          if (reason === 'NotNeeded') expect([has, unplaced]).toEqual([0, 0]);
          if (limit === 'Max') expect(most).toBe(cluster.maxReplicas);
          if (limit === 'Room') expect(most).toBe((cluster.room ?? 0) + (cluster.current ?? 0));
          if (limit === 'NoMore') expect([cluster.mayGrow, most]).toEqual([false, cluster.current ?? 0]);
          if (limit === 'Kept') expect(most).toBeLessThanOrEqual(Math.max(cluster.current ?? 0, leastOf(cluster)));
          if (limit === 'MinimumsTooMany') expect(most).toBe(leastOf(cluster));
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('gives of two clusters the next replica to the one with the larger claim, however large the numbers are', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 2 ** 20 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 2 ** 31 }), (weights, replicas) => {
        const clusters = weights.map((weight, index) => ({ name: `c${index}`, weight }));
        const { shares, unplaced } = divideReplicas({ clusters, replicas });
        expect(unplaced).toBe(0);
        for (const a of shares) {
          for (const b of shares) {
            // The last one that a has against the next one of b, as fractions.
            if (a.replicas === 0) continue;
            const last = BigInt(a.weight) * BigInt(2 * b.replicas + 1);
            expect(last >= BigInt(b.weight) * BigInt(2 * a.replicas - 1)).toBe(true);
          }
        }
      }),
    );
  });

  it('takes the fewest clusters for aggregation', () => {
    fc.assert(
      fc.property(aFleet(6), fc.nat(20), (clusters, replicas) => {
        const { shares, unplaced } = divideReplicas({ clusters, replicas, type: 'Aggregated' });
        fc.pre(unplaced === 0 && clusters.reduce((sum, each) => sum + leastOf(each), 0) <= replicas);
        const used = shares.filter((share) => share.replicas > 0).length;
        const forced = clusters.filter((each) => leastOf(each) > 0).length;
        let room = clusters.filter((each) => leastOf(each) > 0).reduce((sum, each) => sum + mostOf(each), 0);
        let needed = forced;
        for (const most of clusters
          .filter((each) => leastOf(each) === 0)
          .map(mostOf)
          .sort((a, b) => b - a)) {
          if (room >= replicas) break;
          room += most;
          needed += 1;
        }
        expect(used).toBeLessThanOrEqual(needed);
      }),
      { numRuns: 300 },
    );
  });

  it('divides a billion replicas as exactly as ten', () => {
    const clusters = [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 2 },
      { name: 'c', weight: 4 },
    ];
    expect(numbers(divideReplicas({ clusters, replicas: 700_000_000 }).shares)).toEqual({
      a: 100_000_000,
      b: 200_000_000,
      c: 400_000_000,
    });
  });
});
