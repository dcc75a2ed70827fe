import { ownerOf, type ShardMember } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvous } from '../../../../src/runtime/election/rendezvous.ts';

const clusters = (count: number, name = 'cluster'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);
const replicas = (count: number, name = 'ctrl'): readonly ShardMember[] =>
  Array.from({ length: count }, (_, index) => ({ identity: `${name}-${index}` }));

function counts(names: readonly string[], members: readonly ShardMember[]): Map<string, number> {
  const owner = rendezvous(members);
  const found = new Map(members.map(({ identity }) => [identity, 0]));
  for (const name of names) {
    const identity = owner(name) ?? '';
    found.set(identity, (found.get(identity) ?? 0) + 1);
  }
  return found;
}

describe('ownerOf', () => {
  it('is nobody where there is nobody, or only who has no weight', () => {
    expect(ownerOf('eu-1', [])).toBeUndefined();
    expect(ownerOf('eu-1', [{ identity: 'a', weight: 0 }])).toBeUndefined();
  });

  it.each([2, 3, 5, 8, 13])(
    'gives each of %i replicas of a StatefulSet at most 1.15 of its share of 500 clusters each',
    (count) => {
      const most = Math.max(...counts(clusters(500 * count), replicas(count)).values());
      expect(most / 500).toBeLessThanOrEqual(1.15);
    },
  );

  it('shares fairly whatever the names are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (count, a, b) => {
        const most = Math.max(...counts(clusters(600 * count, a), replicas(count, b)).values());
        expect(most / 600).toBeLessThanOrEqual(1.2);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [2, 2 / 3],
    [4, 4 / 5],
    [8, 8 / 9],
  ])('gives a weight of %i beside one of 1 its share', (weight, share) => {
    const found = counts(clusters(4000), [{ identity: 'big', weight }, { identity: 'small' }]);
    expect((found.get('big') ?? 0) / 4000).toBeCloseTo(share, 1.5);
    expect(Math.abs((found.get('big') ?? 0) / 4000 - share)).toBeLessThan(0.02);
  });

  const members = fc.uniqueArray(fc.record({ identity: fc.string({ minLength: 1 }), weight: fc.integer({ min: 1, max: 9 }) }), {
    selector: ({ identity }) => identity,
    minLength: 1,
    maxLength: 8,
  });

  it('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(members, fc.string(), (all, name) => {
        expect(ownerOf(name, all.toReversed())).toBe(ownerOf(name, all));
      }),
    );
  });

  it('moves only the clusters of a member that goes, and to one that comes only what it gets', () => {
    fc.assert(
      fc.property(members, fc.nat(), (all, which) => {
        const gone = all[which % all.length]?.identity;
        const rest = all.filter(({ identity }) => identity !== gone);
        for (const name of clusters(200)) {
          const before = ownerOf(name, all);
          if (before !== gone) expect(ownerOf(name, rest)).toBe(before);
        }
      }),
    );
  });
});
