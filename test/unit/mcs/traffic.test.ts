import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importSlices } from '../../../src/mcs/slices/import-slices.ts';
import type { EndpointSlice, SliceEndpoint } from '../../../src/mcs/slices/types.ts';
import { type TrafficPolicy, type TrafficRule, trafficPolicyOf } from '../../../src/mcs/traffic/policy.ts';
import { type ClusterShare, shapeTraffic, slicesByCluster } from '../../../src/mcs/traffic/shape.ts';
import { HTTP, importOf, pod, sourceSlice } from './slices-fixtures.ts';

const labels = { 'eu-1': { region: 'eu' }, 'eu-2': { region: 'eu' }, 'us-1': { region: 'us' } };
const EU = { matchLabels: { region: 'eu' } };
const US = { matchLabels: { region: 'us' } };

/** So many ready endpoints in each cluster, and one that is not. */
function sourcesOf(ready: Readonly<Record<string, number>>) {
  return Object.entries(ready).map(([cluster, count], number) => ({
    cluster,
    ports: [HTTP],
    slices: [
      sourceSlice(cluster, [
        ...Array.from({ length: count }, (_, index) => pod(`10.${number}.${index >> 8}.${index & 255}`)),
        pod(`10.${number}.255.255`, { conditions: { ready: false } }),
      ]),
    ],
  }));
}

const shapeOf = (rule: TrafficRule | TrafficPolicy, ready: Readonly<Record<string, number>>, local = 'eu-1') =>
  shapeTraffic({
    policy: typeof rule === 'function' ? rule : trafficPolicyOf(rule),
    local,
    labels,
    sources: sourcesOf(ready),
  });

const told = (shares: readonly ClusterShare[]): readonly string[] =>
  shares.map(({ cluster, used, reason }) => `${cluster} ${used} ${reason}`);

const readyIn = (slices: readonly EndpointSlice[]): number =>
  slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length;

describe('traffic policies', () => {
  it.each<[string, TrafficRule, Record<string, number>, string[]]>([
    [
      'every cluster: all ready endpoints count the same',
      { type: 'EveryCluster' },
      { 'eu-1': 1, 'us-1': 3, 'eu-2': 0 },
      ['eu-1 1 EveryCluster', 'eu-2 0 NoReadyEndpoint', 'us-1 3 EveryCluster'],
    ],
    [
      'prefer local: one local endpoint suffices',
      { type: 'PreferLocal' },
      { 'eu-1': 1, 'us-1': 9 },
      ['eu-1 1 Local', 'us-1 0 LocalPreferred'],
    ],
    [
      'prefer local: nothing local is ready',
      { type: 'PreferLocal' },
      { 'eu-1': 0, 'us-1': 9 },
      ['eu-1 0 NoReadyEndpoint', 'us-1 9 NoLocalEndpoints'],
    ],
    ['prefer local: no local cluster at all', { type: 'PreferLocal' }, { 'us-1': 2 }, ['us-1 2 NoLocalEndpoints']],
    [
      'overflow: at the threshold all stays local',
      { type: 'LocalWithOverflow', readyAtLeast: 3 },
      { 'eu-1': 3, 'us-1': 9 },
      ['eu-1 3 Local', 'us-1 0 LocalSuffices'],
    ],
    [
      'overflow: below it the others join',
      { type: 'LocalWithOverflow', readyAtLeast: 3 },
      { 'eu-1': 2, 'us-1': 9 },
      ['eu-1 2 Local', 'us-1 9 Overflow'],
    ],
    [
      'weights: as many endpoints as possible, in proportion',
      { type: 'Weights', weights: { 'eu-1': 1, 'us-1': 3 } },
      { 'eu-1': 10, 'us-1': 15 },
      ['eu-1 5 Weighted', 'us-1 15 Weighted'],
    ],
    [
      'weights: at least one each',
      { type: 'Weights', weights: { 'eu-1': 1, 'us-1': 1000 } },
      { 'eu-1': 10, 'us-1': 10 },
      ['eu-1 1 Weighted', 'us-1 10 Weighted'],
    ],
    [
      'weights: none for who is not named, for 0 and for what is no weight',
      { type: 'Weights', weights: { 'eu-1': 1, 'us-1': 0, 'eu-2': Number.NaN } },
      { 'eu-1': 3, 'us-1': 3, 'eu-2': 3, 'ap-1': 3 },
      ['ap-1 0 NoWeight', 'eu-1 3 Weighted', 'eu-2 0 NoWeight', 'us-1 0 NoWeight'],
    ],
    [
      'weights: a default for who is not named, and nothing lost for who has no ready endpoint',
      { type: 'Weights', weights: { 'eu-1': 2, 'us-1': 8 }, otherwise: 1 },
      { 'eu-1': 8, 'us-1': 0, 'eu-2': 4 },
      ['eu-1 8 Weighted', 'eu-2 4 Weighted', 'us-1 0 NoReadyEndpoint'],
    ],
    [
      'failover: the first choice with a ready endpoint',
      { type: 'Failover', order: ['Local', EU, US] },
      { 'eu-1': 0, 'eu-2': 1, 'us-1': 5 },
      ['eu-1 0 NoReadyEndpoint', 'eu-2 1 FirstInOrder', 'us-1 0 LaterInOrder'],
    ],
    [
      'failover: all clusters of the choice together, and none that no choice matches',
      { type: 'Failover', order: [EU] },
      { 'eu-1': 2, 'eu-2': 1, 'us-1': 5, 'ap-1': 5 },
      ['ap-1 0 MatchesNone', 'eu-1 2 FirstInOrder', 'eu-2 1 FirstInOrder', 'us-1 0 MatchesNone'],
    ],
    [
      'failover: the last choice',
      { type: 'Failover', order: ['Local', EU, US] },
      { 'eu-1': 0, 'eu-2': 0, 'us-1': 5 },
      ['eu-1 0 NoReadyEndpoint', 'eu-2 0 NoReadyEndpoint', 'us-1 5 FirstInOrder'],
    ],
    [
      'drain: the others share',
      { type: 'Drain', clusters: ['eu-1'] },
      { 'eu-1': 5, 'us-1': 2 },
      ['eu-1 0 Drained', 'us-1 2 EveryCluster'],
    ],
    [
      'drain: another rule decides as if the drained cluster were not there',
      { type: 'Drain', clusters: ['eu-1'], others: { type: 'PreferLocal' } },
      { 'eu-1': 5, 'us-1': 2 },
      ['eu-1 0 Drained', 'us-1 2 NoLocalEndpoints'],
    ],
  ])('%s', (_, rule, ready, expected) => {
    const { shares, sources } = shapeOf(rule, ready);
    expect(told(shares)).toEqual(expected);
    for (const { cluster, slices } of sources) {
      expect(readyIn(slices)).toBe(shares.find((share) => share.cluster === cluster)?.used);
    }
  });

  it('tells the share that was wanted beside the one that can be told by counting endpoints', () => {
    const { shares } = shapeOf({ type: 'Weights', weights: { 'eu-1': 1, 'us-1': 2 } }, { 'eu-1': 2, 'us-1': 3 });
    expect(shares).toMatchObject([
      { cluster: 'eu-1', used: 2, share: 2 / 5, perEndpoint: 1 / 5, wanted: 1 / 3 },
      { cluster: 'us-1', used: 3, share: 3 / 5, perEndpoint: 1 / 5, wanted: 2 / 3 },
    ]);
  });

  it('refuses a selector that does not parse when the policy is made', () => {
    const order = [{ matchExpressions: [{ key: 'x', operator: 'Nope' }] }];
    expect(() => trafficPolicyOf({ type: 'Failover', order })).toThrow(/Nope/);
  });

  it('takes any function for a policy, and gives nothing to clusters that it does not speak of', () => {
    const policy: TrafficPolicy = ({ clusters }) =>
      new Map(clusters.filter(({ ready }) => ready > 2).map(({ name }) => [name, { use: 'All', reason: 'Big' }]));
    expect(told(shapeOf(policy, { 'eu-1': 2, 'us-1': 3 }).shares)).toEqual(['eu-1 0 NotDecided', 'us-1 3 Big']);
  });

  it('decides for each family on its own', () => {
    const six = sourceSlice('six', [pod('fd00::1')], { addressType: 'IPv6' });
    const sources = [
      { cluster: 'eu-1', slices: [six] },
      { cluster: 'us-1', slices: [sourceSlice('four', [pod('10.0.0.1')]), six] },
    ];
    const { shares } = shapeTraffic({ policy: trafficPolicyOf({ type: 'PreferLocal' }), local: 'eu-1', sources });
    expect(shares.map(({ addressType, cluster, used }) => `${addressType} ${cluster} ${used}`)).toEqual([
      'IPv4 us-1 1',
      'IPv6 eu-1 1',
      'IPv6 us-1 0',
    ]);
  });
});

describe('slices that say so', () => {
  const serving = { conditions: { ready: false, serving: true, terminating: true } };
  const drain = trafficPolicyOf({ type: 'Drain', clusters: ['b'] });
  const sources = [
    { cluster: 'a', slices: [sourceSlice('a', [pod('10.0.0.1'), pod('10.0.0.2', serving)])] },
    { cluster: 'b', slices: [sourceSlice('b', [pod('10.1.0.1'), pod('10.1.0.2', serving), { addresses: [] }])] },
  ];

  it('marks what is not used as not ready, also what still serves, and leaves the rest as the very same objects', () => {
    const shaped = shapeTraffic({ policy: drain, local: 'a', sources }).sources;
    expect(shaped[0]).toBe(sources[0]);
    expect(shaped[1]?.slices[0]?.endpoints).toEqual([
      { addresses: ['10.1.0.1'], conditions: { ready: false, serving: false, terminating: false } },
      { addresses: ['10.1.0.2'], conditions: { ready: false, serving: false, terminating: true } },
      { addresses: [] },
    ]);
  });

  it('leaves it out where that is asked for', () => {
    const shaped = shapeTraffic({ policy: drain, local: 'a', sources, unused: 'LeftOut' }).sources;
    expect(shaped[1]?.slices[0]?.endpoints).toEqual([{ addresses: [] }]);
  });

  it('leaves what still serves where nothing is ready, as long as the policy does not keep the cluster out', () => {
    const going = [{ cluster: 'a', slices: [sourceSlice('a', [pod('10.0.0.2', serving)])] }];
    for (const rule of [{ type: 'EveryCluster' }, { type: 'PreferLocal' }, { type: 'Failover', order: ['Local'] }] as const) {
      expect(shapeTraffic({ policy: trafficPolicyOf(rule), local: 'a', sources: going }).sources[0]).toBe(going[0]);
    }
  });

  it('groups imported slices by their cluster, so that DNS can follow a policy too', () => {
    const { slices } = importSlices({
      serviceImport: importOf(),
      sources: sources.map((source) => ({ ...source, ports: [HTTP] })),
      current: [],
    });
    const grouped = slicesByCluster([...slices, sourceSlice('local', [])]);
    expect(grouped.map(({ cluster, slices: own }) => `${cluster} ${own.length}`)).toEqual(['a 1', 'b 1']);
    expect(readyIn(shapeTraffic({ policy: drain, local: 'a', sources: grouped }).sources.flatMap((each) => each.slices))).toBe(1);
  });

  it('changes one slice in the cluster for one change of the policy, when it is imported', () => {
    const all = sourcesOf({ 'eu-1': 5, 'us-1': 5 });
    const policy = trafficPolicyOf({ type: 'Drain', clusters: ['us-1'] });
    const serviceImport = importOf();
    const current = importSlices({ serviceImport, sources: all, current: [] }).slices;
    const shaped = shapeTraffic({ policy, local: 'eu-1', sources: all }).sources;
    const plan = importSlices({ serviceImport, sources: shaped, current });
    expect(plan.steps.map(({ op, reasons }) => [op, ...reasons])).toEqual([['update', 'EndpointsChanged']]);
    expect(importSlices({ serviceImport, sources: shaped, current: plan.slices }).steps).toEqual([]);
  });
});

describe('properties', () => {
  const rule: fc.Arbitrary<TrafficRule> = fc.oneof(
    fc.constantFrom<TrafficRule>(
      { type: 'EveryCluster' },
      { type: 'PreferLocal' },
      { type: 'Failover', order: ['Local', EU, {}] },
      { type: 'Drain', clusters: ['us-1'], others: { type: 'PreferLocal' } },
    ),
    fc.nat(5).map((readyAtLeast): TrafficRule => ({ type: 'LocalWithOverflow', readyAtLeast })),
    fc
      .record({ 'eu-1': fc.nat(9), 'eu-2': fc.double({ min: 0, max: 5, noNaN: true }), 'us-1': fc.nat(9) })
      .map((weights): TrafficRule => ({ type: 'Weights', weights })),
  );
  const ready = fc.record({ 'eu-1': fc.nat(20), 'eu-2': fc.nat(20), 'us-1': fc.nat(20) });

  it('shares add up to one where anything is used, and the order of sources and endpoints does not matter', () => {
    fc.assert(
      fc.property(rule, ready, (each, counts) => {
        const { shares, sources } = shapeOf(each, counts);
        const sum = shares.reduce((all, { share }) => all + share, 0);
        if (shares.some(({ used }) => used > 0)) expect(sum).toBeCloseTo(1);
        else expect(sum).toBe(0);
        const reversed = sourcesOf(counts)
          .map((source) => ({
            ...source,
            slices: source.slices.map((slice) => ({ ...slice, endpoints: (slice.endpoints ?? []).toReversed() })),
          }))
          .toReversed();
        const again = shapeTraffic({ policy: trafficPolicyOf(each), local: 'eu-1', labels, sources: reversed });
        expect(again.shares).toEqual(shares);
        const usedIn = (list: typeof sources): unknown =>
          list
            .flatMap(({ slices }) => slices)
            .flatMap(({ endpoints }) => endpoints ?? [])
            .filter(({ conditions }) => conditions?.ready !== false)
            .flatMap(({ addresses }) => addresses)
            .toSorted();
        expect(usedIn(again.sources)).toEqual(usedIn(sources));
      }),
    );
  });

  it('chooses other endpoints from another cluster, and nearly the same ones after one more has come', () => {
    const weights = { type: 'Weights', weights: { 'eu-1': 1, 'us-1': 1 } } as const;
    const used = (counts: Record<string, number>, local: string): ReadonlySet<string> => {
      const { sources } = shapeOf(weights, counts, local);
      const slices = sources.find(({ cluster }) => cluster === 'us-1')?.slices ?? [];
      const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
      return new Set(endpoints.filter((each) => each.conditions?.ready === true).flatMap(({ addresses }) => addresses));
    };
    const here = used({ 'eu-1': 10, 'us-1': 100 }, 'eu-1');
    expect(here.size).toBe(10);
    expect(here.difference(used({ 'eu-1': 10, 'us-1': 101 }, 'eu-1')).size).toBeLessThanOrEqual(1);
    expect(here.difference(used({ 'eu-1': 10, 'us-1': 100 }, 'ap-1')).size).toBeGreaterThan(3);
  });

  it('takes any endpoints and any answer of a policy without throwing', () => {
    const loose = fc.oneof(
      fc.anything(),
      fc.record({ addresses: fc.oneof(fc.anything(), fc.array(fc.anything())), conditions: fc.anything() }, { requiredKeys: [] }),
    );
    const use = fc.record({ use: fc.constantFrom('All', 'None', 'Weight'), weight: fc.double(), reason: fc.constant('x') });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(loose)), use, use, (endpoints, first, second) => {
        const policy = (() =>
          new Map([
            ['a', first],
            ['b', second],
          ])) as unknown as TrafficPolicy;
        const sources = ['a', 'b'].map((cluster) => ({
          cluster,
          slices: [sourceSlice('s', endpoints as readonly SliceEndpoint[]), null as unknown as EndpointSlice],
        }));
        const { shares } = shapeTraffic({ policy, local: 'a', sources });
        expect(shares.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
