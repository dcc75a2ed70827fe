import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rotation, type Seat } from '../../../../src/runtime/queue/rotation.ts';

/** A seat that counts how often it is looked at. */
class Chair implements Seat<Chair> {
  readonly name: string;
  readonly #cost: number;
  credit = 0;
  before: Chair | undefined;
  after: Chair | undefined;
  looks = 0;

  constructor(name: string, cost = 1) {
    this.name = name;
    this.#cost = cost;
  }

  get cost(): number {
    this.looks += 1;
    return this.#cost;
  }
}

function seated(quantum: number, costs: readonly number[]): { readonly rotation: Rotation<Chair>; readonly chairs: Chair[] } {
  const rotation = new Rotation<Chair>(quantum);
  const chairs = costs.map((cost, index) => new Chair(String.fromCharCode(97 + index), cost));
  for (const chair of chairs) rotation.join(chair);
  return { rotation, chairs };
}

function picks(rotation: Rotation<Chair>, count: number): string {
  return Array.from({ length: count }, () => rotation.pick()?.name ?? '-').join('');
}

describe('a rotation', () => {
  it.each([
    ['one after the other with a quantum of 1', 1, [1, 1, 1], 'abcabcabc'],
    ['two each with a quantum of 2', 2, [1, 1, 1], 'aabbccaab'],
    ['the cheaper more often, in inverse proportion', 1, [1, 2], 'aabaabaab'],
    ['by what was saved up where a quantum is not enough', 2, [3, 3], 'ababab'],
    ['by what was left over', 3, [2, 3], 'abaababaaba'],
    ['as soon as somebody can pay, where all are dear', 1, [1000, 500], 'babbabbab'],
    ['half keys, two at a time', 1, [0.5, 1], 'aabaabaab'],
    ['the only one', 1, [7], 'aaaa'],
    ['nobody where there is nobody', 1, [], '--'],
  ])('picks %s', (_, quantum, costs, expected) => {
    const { rotation } = seated(quantum, costs);
    expect(picks(rotation, expected.length)).toBe(expected);
  });

  it('puts who comes at the end of the round', () => {
    const { rotation } = seated(1, [1, 1, 1]);
    expect(picks(rotation, 1)).toBe('a');
    const late = new Chair('x');
    rotation.join(late);
    rotation.join(late);
    expect(picks(rotation, 7)).toBe('bcxabcx');
  });

  it('lets who leaves forfeit the turn and the credit', () => {
    const { rotation, chairs } = seated(3, [2, 2]);
    const [first, second] = chairs as [Chair, Chair];
    expect(picks(rotation, 1)).toBe('a');
    expect(first.credit).toBe(1);
    rotation.leave(first);
    rotation.leave(first);
    expect([first.credit, rotation.has(first), rotation.has(second)]).toEqual([0, false, true]);
    expect(picks(rotation, 3)).toBe('bbb');
    rotation.leave(second);
    expect(picks(rotation, 1)).toBe('-');
    rotation.join(first);
    expect(picks(rotation, 2)).toBe('aa');
  });

  it('looks at nobody who does not take part', () => {
    const { rotation, chairs } = seated(
      1,
      Array.from({ length: 1000 }, () => 1),
    );
    for (const chair of chairs.slice(1)) rotation.leave(chair);
    picks(rotation, 100);
    expect(chairs.slice(1).reduce((sum, { looks }) => sum + looks, 0)).toBe(0);
    expect(chairs[0]?.looks).toBeLessThanOrEqual(500);
  });

  it('does not go through the rounds in which everybody only saves', () => {
    const { rotation, chairs } = seated(1, [1_000_000_000, 1_000_000_000]);
    expect(picks(rotation, 4)).toBe('abab');
    expect(chairs.reduce((sum, { looks }) => sum + looks, 0)).toBeLessThan(100);
  });

  it('does not go through them either where many have left', () => {
    const { rotation, chairs } = seated(
      1,
      Array.from({ length: 1000 }, () => 1_000_000_000),
    );
    for (const chair of chairs.slice(1)) rotation.leave(chair);
    expect(picks(rotation, 4)).toBe('aaaa');
    expect(chairs[0]?.looks).toBeLessThan(100);
  });

  it('gives everybody the same share of what was spent, but for a quantum and two keys', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        costs,
        fc.integer({ min: 1, max: 7 }),
        fc.nat(60),
        fc.integer({ min: 1, max: 200 }),
        (each, quantum, skip, take) => {
          const { rotation, chairs } = seated(quantum, each);
          picks(rotation, skip);
          const spent = new Map(chairs.map((chair) => [chair, 0]));
          for (let count = 0; count < take; count += 1) {
            const chair = rotation.pick();
            if (chair !== undefined) spent.set(chair, (spent.get(chair) ?? 0) + chair.cost);
          }
          const shares = [...spent.values()];
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(quantum + 2 * Math.max(...each));
        },
      ),
      { numRuns: 300 },
    );
  });
});
