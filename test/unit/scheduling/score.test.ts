import { ClustersetError } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterScorer, SchedulingContext } from '../../../src/scheduling/pipeline/contract.ts';
import type { PlacementPolicySpec, ScorePolicy } from '../../../src/scheduling/policy/api.ts';
import { runScores, scoreTable } from '../../../src/scheduling/score/run.ts';
import {
  builtInScorer,
  externalScorer,
  preferredScorer,
  propertyScorer,
  scorersOf,
} from '../../../src/scheduling/score/scorers.ts';

const context = (rest: Partial<SchedulingContext> = {}): SchedulingContext => ({
  policy: {},
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  current: new Map(),
  room: new Map(),
  scores: {},
  placements: new Map(),
  ...rest,
});
const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** Clusters a, b, c … with the values of a property; none where it is undefined. */
const withProperty = (values: readonly (string | undefined)[]): readonly ClusterEntry[] =>
  values.map((value, index) => ({ name: NAMES[index] ?? '', ...(value === undefined ? {} : { properties: { cost: value } }) }));
const byName = (values: readonly (number | undefined)[]): ReadonlyMap<string, number> =>
  new Map(values.flatMap((value, index) => (value === undefined ? [] : [[NAMES[index] ?? '', value] as const])));
const fleetOf = (count: number): readonly ClusterEntry[] => NAMES.slice(0, count).map((name) => ({ name }));

describe('by a property', () => {
  it.each<[string, readonly (string | undefined)[], highest: readonly number[], lowest: readonly number[]]>([
    ['from the worst to the best', ['10', '20', '15'], [0, 100, 50], [100, 0, 50]],
    ['as amounts', ['1Gi', '0', '512Mi'], [100, 0, 50], [0, 100, 50]],
    ['all the same', ['3', '3000m'], [100, 100], [100, 100]],
    ['a single one', ['0'], [100], [100]],
    ['missing', [undefined, '1', '2'], [0, 0, 100], [0, 100, 0]],
    ['no amount', ['fast', '1', '2'], [0, 0, 100], [0, 100, 0]],
    ['missing beside the same ones', [undefined, '7'], [0, 100], [0, 100]],
    ['nobody has it', [undefined, 'fast'], [0, 0], [0, 0]],
    ['negative', ['-10', '10', '0'], [0, 100, 50], [100, 0, 50]],
    ['more than a number holds', ['-1e999', '0', '1e999'], [0, 50, 100], [100, 50, 0]],
    ['no clusters', [], [], []],
  ])('%s', (_, values, highest, lowest) => {
    const clusters = withProperty(values);
    expect(propertyScorer({ name: 'cost' }).score(clusters, context())).toEqual(highest);
    expect(propertyScorer({ name: 'cost', order: 'HighestFirst' }).score(clusters, context())).toEqual(highest);
    expect(propertyScorer({ name: 'cost', order: 'LowestFirst' }).score(clusters, context())).toEqual(lowest);
  });

  it('looks at members of their own only', () => {
    expect(propertyScorer({ name: 'constructor' }).score(withProperty(['1', '2']), context())).toEqual([0, 0]);
  });
});

describe('preferred', () => {
  it('is all or nothing', () => {
    const clusters: readonly ClusterEntry[] = [{ name: 'a', region: 'eu' }, { name: 'b', region: 'us' }, { name: 'c' }];
    const scorer = preferredScorer({ fields: [{ field: 'region', operator: 'In', values: ['eu'] }] });
    expect(scorer.score(clusters, context())).toEqual([100, 0, 0]);
    expect(preferredScorer({}).score(clusters, context())).toEqual([100, 100, 100]);
  });
});

describe('from outside', () => {
  it.each<[string, readonly (number | undefined)[], readonly number[]]>([
    ['as they are', [0, 12.5, -30], [0, 12.5, -30]],
    ['nothing for a cluster', [undefined, 1], [0, 1]],
    ['no number', [Number.NaN, 1], [0, 1]],
    ['beyond the ends', [1e9, -1e9, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], [100, -100, 100, -100]],
  ])('%s', (_, given, expected) => {
    const rest = context({ scores: { latency: byName(given) } });
    expect(externalScorer('latency').score(fleetOf(given.length), rest)).toEqual(expected);
  });

  it.each(['unknown', 'constructor', '__proto__'])('has no scores of the name %s', (name) => {
    expect(externalScorer(name).score(fleetOf(2), context({ scores: { latency: byName([1, 2]) } }))).toEqual([0, 0]);
  });
});

describe('built in', () => {
  it.each<[string, readonly (number | undefined)[], readonly number[]]>([
    ['beside the largest', [10, 5, 0], [100, 50, 0]],
    ['not known: neither none nor most', [10, undefined, 0], [100, 50, 0]],
    ['none anywhere', [0, 0], [0, 0]],
    ['none anywhere that is known', [0, undefined], [0, 50]],
    ['nothing known', [undefined, undefined], [50, 50]],
    ['no sensible number', [-5, Number.NaN, 10], [0, 50, 100]],
    ['without end', [Number.POSITIVE_INFINITY, 10], [100, expect.closeTo(0)]],
  ])('room: %s', (_, room, expected) => {
    expect(builtInScorer('FreeCapacity').score(fleetOf(room.length), context({ room: byName(room) }))).toEqual(expected);
  });

  it('current: wherever it has an entry, also of none', () => {
    const current = new Map([
      ['a', 3],
      ['b', 0],
    ]);
    expect(builtInScorer('Current').score(fleetOf(3), context({ current }))).toEqual([100, 100, 0]);
  });

  const prefer = (key: string): NonNullable<ClusterEntry['taints']>[number] => ({ key, effect: 'PreferNoSchedule' });
  it.each<[string, readonly NonNullable<ClusterEntry['taints']>[], PlacementPolicySpec['tolerations'], readonly number[]]>([
    ['none anywhere', [[], []], [], [100, 100]],
    ['by their number', [[prefer('x'), prefer('y')], [prefer('x')], []], [], [0, 50, 100]],
    ['that are not tolerated', [[prefer('x'), prefer('y')], [prefer('y')], []], [{ key: 'x', operator: 'Exists' }], [0, 0, 100]],
    ['of the other kind', [[{ key: 'x', effect: 'PreferNoSelect' }], []], [], [0, 100]],
    [
      'that only prefer',
      [
        [
          { key: 'x', effect: 'NoSchedule' },
          { key: 'x', effect: 'NoExecute' },
        ],
        [],
      ],
      [],
      [100, 100],
    ],
    [
      'that were tolerated for some time',
      [[{ key: 'x', effect: 'PreferNoSelect', timeAdded: '2026-01-01T00:00:00Z' }], [{ key: 'y', effect: 'PreferNoSelect' }], []],
      [
        { key: 'x', operator: 'Exists', tolerationSeconds: 60 },
        { key: 'y', operator: 'Exists', tolerationSeconds: 60 },
      ],
      [0, 100, 100],
    ],
  ])('taints: %s', (_, taints, tolerations, expected) => {
    const clusters = taints.map((each, index): ClusterEntry => ({ name: NAMES[index] ?? '', taints: each }));
    expect(builtInScorer('Taints', tolerations).score(clusters, context({ now: '2026-01-01T00:01:00Z' }))).toEqual(expected);
  });
});

describe('scorersOf', () => {
  it('makes a scorer of each thing that is said, with the weight of its entry', () => {
    const scorers = scorersOf({
      scores: [
        { property: { name: 'cost', order: 'LowestFirst' }, weight: -2 },
        { preferred: { clusterNames: ['a'] }, external: 'latency', weight: 0.5 },
        { builtIn: 'Current' },
        { weight: 7 },
      ],
    });
    expect(scorers.map(({ name, weight }) => [name, weight])).toEqual([
      ['property cost', -2],
      ['preferred[1]', 0.5],
      ['external latency', 0.5],
      ['Current', 1],
    ]);
    expect(scorersOf({})).toEqual([]);
  });

  it('passes the tolerations of the policy on', () => {
    const policy: PlacementPolicySpec = { scores: [{ builtIn: 'Taints' }], tolerations: [{ operator: 'Exists' }] };
    const clusters: readonly ClusterEntry[] = [{ name: 'a', taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }, { name: 'b' }];
    const totals = (given: PlacementPolicySpec): readonly number[] => scoreTable(scorersOf(given), clusters, context()).totals;
    expect(totals(policy)).toEqual([100, 100]);
    expect(totals({ scores: policy.scores ?? [] })).toEqual([0, 100]);
  });

  it.each<[string, ScorePolicy, string]>([
    ['a weight beyond a million', { weight: 1_000_001, builtIn: 'Current' }, 'spec.scores[1].weight'],
    ['a weight that is none', { weight: Number.NaN, builtIn: 'Current' }, 'spec.scores[1].weight'],
    [
      'a selector that is none',
      { preferred: { labelSelector: { matchLabels: { 'a b': '' } } } },
      'spec.scores[1].preferred.labelSelector',
    ],
  ])('refuses %s, and names the field', (_, score, field) => {
    expect(() => scorersOf({ scores: [{ builtIn: 'Current' }, score] })).toThrow(
      expect.objectContaining({ code: 'Invalid', field }),
    );
  });
});

const giving = (name: string, scores: readonly (number | undefined)[], weight?: number): ClusterScorer => ({
  name,
  score: () => scores,
  ...(weight === undefined ? {} : { weight }),
});

describe('runScores', () => {
  it('adds up, and says what the sum is made of', () => {
    const scorers = [giving('one', [10, 20]), giving('two', [1, undefined], -2)];
    expect(runScores(scorers, fleetOf(2), context())).toEqual([
      {
        total: 8,
        parts: [
          { scorer: 'one', score: 10, weight: 1 },
          { scorer: 'two', score: 1, weight: -2 },
        ],
      },
      {
        total: 20,
        parts: [
          { scorer: 'one', score: 20, weight: 1 },
          { scorer: 'two', score: 0, weight: -2 },
        ],
      },
    ]);
  });

  it.each<[string, readonly ClusterScorer[], readonly number[]]>([
    ['nothing asked', [], [0, 0]],
    ['a short list', [giving('one', [5])], [5, 0]],
    ['what is equal on paper', [giving('one', [0.1, 0.3]), giving('two', [0.2, 0])], [0.3, 0.3]],
    ['zero without a sign', [giving('one', [0, 1e-12], -1)], [0, 0]],
    ['large sums', [giving('one', [123_456_789.25, -1e12])], [123_456_789.25, -1e12]],
    ['sums that are too large to be rounded', [giving('one', [1e300, -1e300])], [1e300, -1e300]],
  ])('%s', (_, scorers, expected) => {
    const found = runScores(scorers, fleetOf(2), context());
    expect(found.map(({ total }) => total)).toEqual(expected);
    expect(scoreTable(scorers, fleetOf(2), context()).totals).toEqual(expected);
  });

  it.each<[string, ClusterScorer, cluster: string | undefined, string]>([
    ['gives NaN', giving('mine', [1, Number.NaN]), 'b', 'cluster b: scorer "mine" gave the score NaN'],
    ['gives Infinity', giving('mine', [Number.POSITIVE_INFINITY]), 'a', 'cluster a: scorer "mine" gave the score Infinity'],
    ['gives a text', giving('mine', ['5' as unknown as number]), 'a', 'cluster a: scorer "mine" gave the score 5'],
    ['has no weight', giving('mine', [1], Number.NaN), 'a', 'cluster a: scorer "mine" has the weight NaN'],
    [
      'gives too much',
      giving('mine', [1e300], 1e300),
      'a',
      'cluster a: scorer "mine" gave the score 1e+300 with the weight 1e+300',
    ],
    [
      'gives no list',
      { name: 'mine', score: () => undefined as unknown as number[] },
      undefined,
      'scorer "mine" gave no list of scores',
    ],
    [
      'throws',
      {
        name: 'mine',
        score: () => {
          throw new Error('no such thing');
        },
      },
      undefined,
      'scorer "mine" threw no such thing',
    ],
  ])('names the scorer where it %s', (_, scorer, cluster, words) => {
    const failing = () => runScores([giving('good', [1, 2]), scorer], fleetOf(2), context());
    expect(failing).toThrow(ClustersetError);
    expect(failing).toThrow(expect.objectContaining({ code: 'Invalid', cluster, message: expect.stringContaining(words) }));
    expect(() => scoreTable([scorer], fleetOf(2), context())).toThrow(ClustersetError);
  });
});

const entries = fc.uniqueArray(
  fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor'),
      properties: fc.record({ cost: fc.constantFrom('1', '2500m', '1Gi', '0.3', 'none', '1e1000') }, { requiredKeys: [] }),
      taints: fc.array(fc.constant({ key: 'x', effect: 'PreferNoSchedule' as const }), { maxLength: 3 }),
    },
    { requiredKeys: ['name'] },
  ) as fc.Arbitrary<ClusterEntry>,
  { selector: ({ name }) => name, maxLength: 6 },
);
const numbers = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.double())).map((pairs) => new Map(pairs));
const scorePolicies: fc.Arbitrary<ScorePolicy[]> = fc.array(
  fc.oneof(
    fc.constantFrom<ScorePolicy>(
      { property: { name: 'cost' } },
      { property: { name: 'cost', order: 'LowestFirst' }, weight: 3 },
      { builtIn: 'FreeCapacity', weight: -0.7 },
      { builtIn: 'Current' },
      { builtIn: 'Taints', weight: 0.1 },
      { preferred: { clusterNames: ['a', 'b'] } },
      { preferred: { clusterNames: ['__proto__'] } },
      { external: 'latency' },
      { external: 'toString' },
    ),
  ),
  { maxLength: 4 },
);

describe('runScores: always', () => {
  it('gives each cluster the same score, whatever the order of the list', () => {
    fc.assert(
      fc.property(entries, scorePolicies, numbers, numbers, (clusters, scores, room, latency) => {
        const rest = context({ room, scores: { latency }, current: latency });
        const scorers = scorersOf({ scores });
        const found = runScores(scorers, clusters, rest);
        expect(runScores(scorers, clusters.toReversed(), rest).toReversed()).toEqual(found);
        expect(scoreTable(scorers, clusters, rest).totals).toEqual(found.map(({ total }) => total));
      }),
    );
  });

  it('stays between the ends, and adds up', () => {
    fc.assert(
      fc.property(entries, scorePolicies, numbers, numbers, (clusters, scores, room, latency) => {
        const rest = context({ room, scores: { latency }, current: latency });
        for (const { total, parts } of runScores(scorersOf({ scores }), clusters, rest)) {
          expect(total).toBeCloseTo(
            parts.reduce((sum, { score, weight }) => sum + score * weight, 0),
            8,
          );
          for (const { scorer, score } of parts) {
            expect(score).toBeLessThanOrEqual(100);
            expect(score).toBeGreaterThanOrEqual(scorer.startsWith('external') ? -100 : 0);
          }
        }
      }),
    );
  });

  it('gives the same totals for the same scorers in another order', () => {
    fc.assert(
      fc.property(entries, scorePolicies, numbers, (clusters, scores, room) => {
        const totals = (list: readonly ScorePolicy[]): readonly number[] =>
          scoreTable(scorersOf({ scores: [...list] }), clusters, context({ room })).totals;
        for (const [index, total] of totals(scores.toReversed()).entries())
          expect(total).toBeCloseTo(totals(scores)[index] ?? 0, 8);
      }),
    );
  });

  it('turns the order of a property round', () => {
    fc.assert(
      fc.property(entries, (clusters) => {
        const up = propertyScorer({ name: 'cost' }).score(clusters, context());
        const down = propertyScorer({ name: 'cost', order: 'LowestFirst' }).score(clusters, context());
        for (const [index, score] of up.entries()) {
          const sum = (score ?? 0) + (down[index] ?? 0);
          // All the same is best in either order, and nothing readable worst.
          expect([0, 100, 200].some((end) => Math.abs(sum - end) < 1e-9)).toBe(true);
        }
      }),
    );
  });
});
