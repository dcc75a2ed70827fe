import {
  type ClusterPreference,
  explainShare,
  type PlanReplicasInput,
  planReplicas,
  ReplicaSchedulingPreference,
} from 'clusterset/scheduling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownLookup } from '../../../src/scheduling/kubefed/own-lookup.ts';
import answers from '../../fixtures/kubefed-answers.json' with { type: 'json' };

interface Answer {
  readonly key: string;
  readonly total: number;
  readonly rebalance: boolean;
  readonly clusters: Readonly<Record<string, ClusterPreference>>;
  readonly candidates: readonly string[];
  readonly current: Readonly<Record<string, number>>;
  readonly capacity: Readonly<Record<string, number>>;
  readonly plan: Readonly<Record<string, number>>;
  readonly overflow: Readonly<Record<string, number>>;
}

function plan(question: Partial<PlanReplicasInput>): Readonly<Record<string, number>> {
  const { shares } = planReplicas({
    key: '',
    totalReplicas: 0,
    preferences: { '*': { weight: 1 } },
    candidates: [],
    ...question,
  });
  return Object.fromEntries(shares.map(({ cluster, replicas }) => [cluster, replicas]));
}

describe('planReplicas', () => {
  it('gives every answer that kubefed gave', () => {
    for (const answer of answers as unknown as readonly Answer[]) {
      const { shares } = planReplicas({
        key: answer.key,
        totalReplicas: answer.total,
        rebalance: answer.rebalance,
        preferences: answer.clusters,
        candidates: answer.candidates,
        current: new Map(Object.entries(answer.current)),
        capacity: new Map(Object.entries(answer.capacity)),
      });
      const replicas = Object.fromEntries(shares.map((share) => [share.cluster, share.replicas]));
      const overflow = Object.fromEntries(
        shares.filter((share) => share.overflow > 0).map((share) => [share.cluster, share.overflow]),
      );
      expect({ ...answer, plan: replicas, overflow }).toEqual(answer);
    }
    expect(answers.length).toBeGreaterThanOrEqual(600);
  });

  it.each<[string, Partial<PlanReplicasInput>, Readonly<Record<string, number>>]>([
    ['splits evenly', { totalReplicas: 9, candidates: ['a', 'b', 'c'] }, { a: 3, b: 3, c: 3 }],
    ['rounds up in the order of the hash', { totalReplicas: 50, candidates: ['A', 'B', 'C'] }, { A: 16, B: 17, C: 17 }],
    [
      'divides by weight what is left after the minimums',
      {
        totalReplicas: 10,
        candidates: ['c1', 'c2'],
        preferences: { c1: { minReplicas: 2, weight: 2 }, c2: { minReplicas: 4, weight: 3 } },
      },
      { c1: 3, c2: 7 },
    ],
    [
      'holds a cluster at its maximum and gives the rest to others',
      { totalReplicas: 10, candidates: ['a', 'b'], preferences: { a: { maxReplicas: 2, weight: 1 }, b: { weight: 1 } } },
      { a: 2, b: 8 },
    ],
    [
      'stays below the total where nobody may grow',
      { totalReplicas: 10, candidates: ['a', 'b'], preferences: { '*': { maxReplicas: 2, weight: 1 } } },
      { a: 2, b: 2 },
    ],
    [
      'places only minimums without weights',
      { totalReplicas: 10, candidates: ['a', 'b'], preferences: { a: { minReplicas: 1 }, b: {} } },
      { a: 1, b: 0 },
    ],
    [
      'gives nothing to a cluster that no preference names',
      { totalReplicas: 4, candidates: ['a', 'b'], preferences: { a: { weight: 1 } } },
      { a: 4, b: 0 },
    ],
    [
      'leaves replicas where they run, greedily',
      { totalReplicas: 50, candidates: ['A', 'B'], current: new Map(Object.entries({ A: 10, B: 70 })) },
      { A: 0, B: 50 },
    ],
    [
      'moves them when told to rebalance',
      { totalReplicas: 50, candidates: ['A', 'B'], current: new Map(Object.entries({ A: 10, B: 70 })), rebalance: true },
      { A: 25, B: 25 },
    ],
  ])('%s', (_, asked, expected) => {
    expect(plan(asked)).toEqual(expected);
  });

  it('reports overflow where replicas should wait for room', () => {
    const { shares, unplaced } = planReplicas({
      key: '',
      totalReplicas: 10,
      preferences: { '*': { weight: 1 } },
      candidates: ['a'],
      capacity: new Map([['a', 6]]),
    });
    expect(shares[0]).toMatchObject({ replicas: 6, overflow: 4, limit: 'capacity' });
    expect(unplaced).toBe(4);
  });

  const preference = fc.record({ minReplicas: fc.nat(10), maxReplicas: fc.nat(50), weight: fc.nat(9) }, { requiredKeys: [] });
  const question = fc
    .record({
      key: fc.string(),
      totalReplicas: fc.nat(200),
      rebalance: fc.boolean(),
      candidates: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 12 }),
      fallback: preference,
      capacities: fc.array(fc.option(fc.nat(60)), { maxLength: 12 }),
      running: fc.array(fc.option(fc.nat(60)), { maxLength: 12 }),
    })
    .map(({ fallback, capacities, running, candidates, ...rest }): PlanReplicasInput => {
      const some = (values: readonly (number | null)[]): Map<string, number> =>
        new Map(candidates.flatMap((name, index) => (typeof values[index] === 'number' ? [[name, values[index]] as const] : [])));
      return { ...rest, candidates, preferences: { '*': fallback }, capacity: some(capacities), current: some(running) };
    });

  it('never gives more than the total or a negative number, explains every replica, and ignores the order of candidates', () => {
    fc.assert(
      fc.property(question, (input) => {
        const { shares, unplaced } = planReplicas(input);
        const sum = shares.reduce((total, share) => total + share.replicas, 0);
        expect(sum + unplaced).toBe(input.totalReplicas);
        for (const share of shares) {
          expect(share.replicas).toBe(share.minimum + share.kept + share.share);
          expect(share.replicas).toBeGreaterThanOrEqual(0);
          expect(share.replicas).toBeLessThanOrEqual(input.capacity?.get(share.cluster) ?? share.replicas);
        }
        const reversed = planReplicas({ ...input, candidates: input.candidates.toReversed() });
        expect(reversed.shares.toReversed()).toEqual(shares);
      }),
    );
  });
});

describe('explainShare', () => {
  it.each<[string, Partial<PlanReplicasInput>, string]>([
    ['a share', { totalReplicas: 4 }, '4 replicas: 4 by weight 1'],
    [
      'everything',
      { totalReplicas: 9, preferences: { a: { minReplicas: 2, weight: 1, maxReplicas: 8 } }, current: new Map([['a', 5]]) },
      '8 replicas: 2 minimum + 3 running there + 3 by weight 1, at its maximum',
    ],
    ['no preference', { preferences: {} }, '0 replicas: no preference names it, and there is none for "*"'],
    ['nothing', { preferences: { a: {} } }, '0 replicas: weight 0'],
    [
      'overflow',
      { totalReplicas: 3, capacity: new Map([['a', 1]]) },
      '1 replica: 1 by weight 1, at its capacity, and 2 more that wait for room',
    ],
  ])('puts %s in words', (_, question, text) => {
    const { shares } = planReplicas({
      key: '',
      totalReplicas: 0,
      preferences: { '*': { weight: 1 } },
      candidates: ['a'],
      ...question,
    });
    expect(shares.map(explainShare)).toEqual([text]);
  });
});

describe('ReplicaSchedulingPreference', () => {
  it('has the structure that kubefed gave it', () => {
    const schema = ReplicaSchedulingPreference.crd().spec.versions[0]?.schema.openAPIV3Schema as {
      properties: { spec: unknown };
    };
    expect(
      JSON.parse(JSON.stringify(schema.properties.spec, (name, value) => (name === 'description' ? undefined : value))),
    ).toEqual({
      type: 'object',
      required: ['targetKind', 'totalReplicas'],
      properties: {
        targetKind: { type: 'string' },
        totalReplicas: { type: 'integer', format: 'int32' },
        rebalance: { type: 'boolean' },
        intersectWithClusterSelector: { type: 'boolean' },
        clusters: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: {
              minReplicas: { type: 'integer', format: 'int64' },
              maxReplicas: { type: 'integer', format: 'int64' },
              weight: { type: 'integer', format: 'int64' },
            },
          },
        },
      },
    });
  });
});

describe('ownLookup', () => {
  const names = ['a', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'b'];

  it.each<[string, Readonly<Record<string, object>>, readonly string[]]>([
    ['a plain object', { a: {} }, ['a']],
    ['an object without a prototype', Object.assign(Object.create(null) as Record<string, object>, { a: {} }), ['a']],
    ['an object that inherits one', Object.create({ a: {} }, { b: { value: {} } }) as Record<string, object>, ['b']],
    ['one with the names that all inherit', JSON.parse('{"__proto__":{},"constructor":{}}'), ['__proto__', 'constructor']],
  ])('finds what %s has itself', (_, record, expected) => {
    const find = ownLookup(record);
    expect(names.filter((name) => find(name) !== undefined)).toEqual(expected);
    expect(expected.every((name) => find(name) === Object.getOwnPropertyDescriptor(record, name)?.value)).toBe(true);
  });
});
