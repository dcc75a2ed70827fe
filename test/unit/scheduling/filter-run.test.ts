import { ClustersetError } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  APIS_FILTER,
  fieldsFilter,
  filtersOf,
  followFilter,
  groupsFilter,
  labelsFilter,
  namesFilter,
  propertiesFilter,
  READY_FILTER,
} from '../../../src/scheduling/filter/filters.ts';
import { type FilteredCluster, type FilterRun, runFilters } from '../../../src/scheduling/filter/run.ts';
import type { ClusterFilter, FilterVerdict, SchedulingContext } from '../../../src/scheduling/pipeline/contract.ts';
import type { PlacementPolicySpec } from '../../../src/scheduling/policy/api.ts';

const context = (rest: Partial<SchedulingContext> = {}): SchedulingContext => ({
  policy: {},
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  current: new Map(),
  room: new Map(),
  scores: {},
  placements: new Map(),
  ...rest,
});
const RUNNING = new Map([['a', 0]]);

/** `a rejected Excluded`, `b kept NotReady Tainted until …`. */
const line = (each: FilteredCluster): string => {
  const until = each.outcome !== 'rejected' && each.until !== undefined ? ['until', each.until] : [];
  const reasons = each.outcome === 'accepted' ? [] : each.rejections.map(({ reason }) => reason);
  return [each.cluster.name, each.outcome, ...reasons, ...until].join(' ');
};
const lines = ({ clusters }: FilterRun): readonly string[] => clusters.map(line);
const run = (
  policy: PlacementPolicySpec,
  clusters: readonly ClusterEntry[],
  rest: Partial<SchedulingContext> = {},
): readonly string[] => lines(runFilters(filtersOf(policy), clusters, context({ policy, ...rest })));

const DOWN: ClusterEntry = { name: 'a', conditions: [{ type: 'Ready', status: 'Unknown', reason: 'ClusterNotReachable' }] };
const message = (verdict: FilterVerdict | undefined): string | undefined =>
  verdict === undefined || verdict.outcome === 'accepted' ? undefined : verdict.rejection.message;

describe('filtersOf', () => {
  const policy: PlacementPolicySpec = {
    clusterNames: ['a'],
    labelSelector: { matchLabels: { env: 'prod' } },
    fields: [{ field: 'region', operator: 'Exists' }],
    properties: [{ name: 'nodes', operator: 'Gt', values: ['1'] }],
    groups: [{ name: 'g', clusterNames: ['a'] }],
    follow: { apiVersion: 'v1', kind: 'Secret', name: 'x' },
  };
  it('asks what a policy says first, then what every policy asks', () => {
    expect(filtersOf(policy).map(({ name }) => name)).toEqual([
      'Names',
      'Labels',
      'Fields',
      'Properties',
      'Groups',
      'Follow',
      'Taints',
      'Ready',
      'Apis',
    ]);
    expect(filtersOf({}).map(({ name }) => name)).toEqual(['Taints', 'Ready', 'Apis']);
  });

  it('has nothing to ask for what a policy does not say', () => {
    expect(namesFilter({ exclude: [] })).toBeUndefined();
    expect(labelsFilter({ labelSelector: {} })).toBeUndefined();
    expect(fieldsFilter({ fields: [] })).toBeUndefined();
    expect(propertiesFilter({})).toBeUndefined();
    expect(groupsFilter({ groups: [] })).toBeUndefined();
    expect(followFilter({})).toBeUndefined();
  });

  it('puts its own name on each rejection', () => {
    const [found] = runFilters(
      filtersOf(policy),
      [{ ...DOWN, name: 'b', taints: [{ key: 'k', effect: 'NoSchedule' }], apis: [] }],
      context(),
      {
        explain: true,
      },
    ).clusters;
    expect(found).toMatchObject({ outcome: 'rejected' });
    const rejections = found === undefined || found.outcome === 'accepted' ? [] : found.rejections;
    expect(rejections.map(({ filter }) => filter)).toEqual(filtersOf(policy).map(({ name }) => name));
  });

  it.each<[string, PlacementPolicySpec, string]>([
    ['labels', { labelSelector: { matchLabels: { 'a b': '' } } }, 'spec.labelSelector'],
    ['properties', { properties: [{ name: 'a', operator: 'Lt', values: ['b'] }] }, 'spec.properties[0].values[0]'],
    ['groups', { groups: [{ name: 'a', labelSelector: { matchLabels: { 'a b': '' } } }] }, 'spec.groups[0].labelSelector'],
  ])('names the field of what can not be read: %s', (_, bad, field) => {
    expect(() => filtersOf(bad)).toThrow(expect.objectContaining({ code: 'Invalid', field }));
  });
});

describe('what a policy says counts also where the workload runs', () => {
  it.each<[string, PlacementPolicySpec, string]>([
    ['clusterNames', { clusterNames: ['b'] }, 'NotListed'],
    ['exclude', { exclude: ['a'] }, 'Excluded'],
    ['a fixed pick', { pick: { type: 'Fixed', clusterNames: ['b'] } }, 'NotPicked'],
    ['a fixed pick of nothing', { pick: { type: 'Fixed' } }, 'NotPicked'],
    ['labels', { labelSelector: { matchLabels: { env: 'prod' } } }, 'LabelsDoNotMatch'],
    ['fields', { fields: [{ field: 'region', operator: 'Exists' }] }, 'FieldMissing'],
    ['properties', { properties: [{ name: 'nodes', operator: 'Gt', values: ['1'] }] }, 'PropertyMissing'],
    ['groups', { groups: [{ name: 'g', clusterNames: ['b'] }] }, 'InNoGroup'],
    ['following', { follow: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'db' } }, 'FollowedNotPlaced'],
  ])('%s', (_, policy, reason) => {
    expect(run(policy, [{ name: 'a' }])).toEqual([`a rejected ${reason}`]);
    expect(run(policy, [{ name: 'a' }], { current: RUNNING })).toEqual([`a rejected ${reason}`]);
  });

  it('names of a pick count for Fixed alone', () => {
    expect(run({ pick: { type: 'All', clusterNames: ['b'] } }, [{ name: 'a' }])).toEqual(['a accepted']);
    expect(run({ pick: { type: 'Fixed', clusterNames: ['a'] } }, [{ name: 'a' }])).toEqual(['a accepted']);
  });

  it('says for each group why it is not that', () => {
    const groups = groupsFilter({
      groups: [
        { name: 'near', fields: [{ field: 'region', operator: 'In', values: ['eu'] }] },
        { name: 'rest', exclude: ['a'] },
      ],
    });
    expect(message(groups?.judge({ name: 'a', region: 'us' }, context()))).toBe(
      'in none of the groups "near" (region is "us", wanted "eu"), "rest" (the name is in exclude: "a")',
    );
    expect(groups?.judge({ name: 'b' }, context())).toEqual({ outcome: 'accepted' });
  });
});

describe('what keeps only new replicas away', () => {
  it.each<[string, ClusterEntry, string]>([
    ['a condition', DOWN, 'NotReady'],
    ['a missing API', { name: 'a', apis: ['v1/Pod', 'apps/v1/StatefulSet'] }, 'ApiNotServed'],
    ['a taint', { name: 'a', taints: [{ key: 'k', effect: 'NoSchedule' }] }, 'Tainted'],
  ])('%s', (_, cluster, reason) => {
    expect(run({}, [cluster])).toEqual([`a rejected ${reason}`]);
    expect(run({}, [cluster], { current: RUNNING })).toEqual([`a kept ${reason}`]);
  });

  it.each<[string, ClusterEntry]>([
    ['ready', { name: 'a', conditions: [{ type: 'Ready', status: 'True' }] }],
    ['nothing is known of it', { name: 'a' }],
    ['conditions, but not of readiness', { name: 'a', conditions: [{ type: 'Offline', status: 'False' }] }],
    ['it serves the kind', { name: 'a', apis: ['v1/Pod', 'apps/v1/Deployment'] }],
  ])('accepts a cluster: %s', (_, cluster) => {
    expect(run({}, [cluster])).toEqual(['a accepted']);
  });

  it('names a core kind by its version alone', () => {
    const workload = { apiVersion: 'v1', kind: 'Pod', name: 'x' };
    expect(run({}, [{ name: 'a', apis: ['v1/Pod'] }], { workload })).toEqual(['a accepted']);
    expect(run({}, [{ name: 'a', apis: ['/v1/Pod', 'v1/Pods', 'Pod', 'x/v1/Pod'] }], { workload })).toEqual([
      'a rejected ApiNotServed',
    ]);
  });

  it('asks the same list for one kind after the other', () => {
    const apis = ['k/v1/K7', 'k/v1/K99'];
    for (let round = 0; round < 2; round += 1) {
      const served = Array.from({ length: 120 }, (_, index) => {
        const workload = { apiVersion: 'k/v1', kind: `K${index}`, name: 'x' };
        return APIS_FILTER.judge({ name: 'a', apis }, context({ workload })).outcome === 'accepted' ? [index] : [];
      });
      expect(served.flat()).toEqual([7, 99]);
    }
  });

  it('says what it found', () => {
    expect(message(READY_FILTER.judge(DOWN, context()))).toBe(
      'condition "Ready" is "Unknown" (ClusterNotReachable), wanted "True"',
    );
    expect(message(APIS_FILTER.judge({ name: 'a', apis: [] }, context()))).toBe(
      'the cluster doesn\'t serve "apps/v1/Deployment"',
    );
  });
});

describe('follow', () => {
  const follow = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'db' };
  const placed = (key: string, ...clusters: string[]): Partial<SchedulingContext> => ({ placements: new Map([[key, clusters]]) });
  it.each<[string, PlacementPolicySpec, Partial<SchedulingContext>, string, string | undefined]>([
    ['where it is', { follow }, placed('apps/v1/Deployment shop/db', 'b', 'a'), 'a accepted', undefined],
    [
      'where it is not',
      { follow },
      placed('apps/v1/Deployment shop/db', 'b'),
      'a rejected FollowedElsewhere',
      '"apps/v1/Deployment shop/db" is followed, and isn\'t in this cluster',
    ],
    [
      'where it is nowhere',
      { follow },
      placed('apps/v1/Deployment shop/db'),
      'a rejected FollowedNotPlaced',
      '"apps/v1/Deployment shop/db" is followed, and isn\'t placed in any cluster (yet)',
    ],
    ['where nothing is known of it', { follow }, {}, 'a rejected FollowedNotPlaced', undefined],
    [
      'in a namespace that is said',
      { follow: { ...follow, namespace: 'x' } },
      placed('apps/v1/Deployment x/db', 'a'),
      'a accepted',
      undefined,
    ],
    [
      'in no other namespace',
      { follow: { ...follow, namespace: 'x' } },
      placed('apps/v1/Deployment shop/db', 'a'),
      'a rejected FollowedNotPlaced',
      undefined,
    ],
    [
      'of cluster scope',
      { follow: { apiVersion: 'v1', kind: 'Node', name: 'n' } },
      placed('v1/Node n', 'a'),
      'a accepted',
      undefined,
    ],
    [
      'for a workload without a namespace',
      { follow },
      { ...placed('apps/v1/Deployment db', 'a'), workload: { apiVersion: 'v1', kind: 'Node', name: 'n' } },
      'a accepted',
      undefined,
    ],
  ])('%s', (_, policy, rest, expected, words) => {
    expect(run(policy, [{ name: 'a' }], rest)).toEqual([expected]);
    if (words !== undefined) expect(message(followFilter(policy)?.judge({ name: 'a' }, context(rest)))).toBe(words);
  });

  it('tells contexts apart', () => {
    const filter = followFilter({ follow });
    const outcomes = ['a', 'b', 'a'].map(
      (cluster) => filter?.judge({ name: 'a' }, context(placed('apps/v1/Deployment shop/db', cluster))).outcome,
    );
    expect(outcomes).toEqual(['accepted', 'rejected', 'accepted']);
  });
});

const accepting = (until?: string): ClusterFilter => ({
  name: 'own',
  judge: () => ({ outcome: 'accepted', ...(until === undefined ? {} : { until }) }),
});
const saying = (outcome: 'kept' | 'rejected', reason: string): ClusterFilter => ({
  name: 'own',
  judge: () => ({ outcome, rejection: { filter: 'own', reason, message: reason } }),
});

describe('runFilters', () => {
  it.each<[string, readonly ClusterFilter[], string, explained: string]>([
    ['nothing asked', [], 'a accepted', 'a accepted'],
    [
      'the first rejection is enough',
      [saying('rejected', 'One'), saying('rejected', 'Two')],
      'a rejected One',
      'a rejected One Two',
    ],
    ['kept for every reason', [saying('kept', 'One'), saying('kept', 'Two')], 'a kept One Two', 'a kept One Two'],
    [
      'rejected after it was kept',
      [saying('kept', 'One'), saying('rejected', 'Two')],
      'a rejected Two One',
      'a rejected Two One',
    ],
    ['rejected before it is kept', [saying('rejected', 'One'), saying('kept', 'Two')], 'a rejected One', 'a rejected One Two'],
    [
      'the earliest time',
      [accepting('2026-01-02T00:00:00Z'), accepting('2026-01-02T00:30:00+01:00')],
      'a accepted until 2026-01-02T00:30:00+01:00',
      'a accepted until 2026-01-02T00:30:00+01:00',
    ],
    [
      'a time and a reason',
      [accepting('2026-01-02T00:00:00Z'), saying('kept', 'One')],
      'a kept One until 2026-01-02T00:00:00Z',
      'a kept One until 2026-01-02T00:00:00Z',
    ],
    ['a time, and rejected', [accepting('2026-01-02T00:00:00Z'), saying('rejected', 'One')], 'a rejected One', 'a rejected One'],
  ])('%s', (_, filters, expected, explained) => {
    const rest = context({ current: RUNNING });
    expect(lines(runFilters(filters, [{ name: 'a' }], rest))).toEqual([expected]);
    expect(lines(runFilters(filters, [{ name: 'a' }], rest, { explain: true }))).toEqual([explained]);
  });

  it('writes one time in one way, whichever filter says it first', () => {
    const filters = [accepting('2026-01-02T01:00:00+01:00'), accepting('2026-01-02T00:00:00Z')];
    for (const order of [filters, filters.toReversed()]) {
      expect(runFilters(order, [{ name: 'a' }], context()).until).toBe('2026-01-02T00:00:00Z');
    }
  });

  it('keeps nothing where nothing runs', () => {
    expect(lines(runFilters([saying('kept', 'One')], [{ name: 'a' }, { name: 'b' }], context({ current: RUNNING })))).toEqual([
      'a kept One',
      'b rejected One',
    ]);
  });

  it('says when to look again: the earliest time of a cluster that is not rejected', () => {
    const filter: ClusterFilter = {
      name: 'own',
      judge: ({ name }) =>
        name === 'a'
          ? { outcome: 'accepted', until: '2026-01-03T00:00:00Z' }
          : {
              outcome: 'kept',
              until: `2026-01-0${name === 'b' ? 2 : 1}T00:00:00Z`,
              rejection: { filter: 'own', reason: 'R', message: '' },
            },
    };
    const clusters = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
    expect(runFilters([filter], clusters, context({ current: new Map([['b', 1]]) })).until).toBe('2026-01-02T00:00:00Z');
    expect(runFilters([], clusters, context())).not.toHaveProperty('until');
  });

  it('takes the same entry twice for one', () => {
    const clusters = [{ name: 'a', region: 'eu' }, { name: 'b' }, { region: 'eu', name: 'a' }];
    expect(run({}, clusters)).toEqual(['a accepted', 'b accepted']);
  });

  it('gives nothing new to a name that several different clusters have', () => {
    const clusters = [{ name: 'a', region: 'us' }, { name: 'b' }, { name: 'a', region: 'eu' }, { name: 'a' }];
    const asked = runFilters(filtersOf({}), clusters, context());
    expect(lines(asked)).toEqual(['a rejected AmbiguousName', 'b accepted']);
    expect(asked.clusters[0]).toMatchObject({
      rejections: [{ filter: 'Names', message: '3 different clusters have this name' }],
    });
    expect(run({ exclude: ['a'] }, clusters, { current: RUNNING })).toEqual(['a kept AmbiguousName', 'b accepted']);
    expect(runFilters([], clusters.toReversed(), context())).toEqual(asked);
  });

  it('takes no clusters', () => {
    expect(runFilters(filtersOf({}), [], context())).toEqual({ clusters: [] });
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new TypeError('no such thing');
      },
      'cluster eu-1: filter "mine" threw no such thing; correct the filter, or leave it out',
    ],
    [
      'throws what is no error',
      () => {
        throw 'text';
      },
      'cluster eu-1: filter "mine" threw text; correct the filter, or leave it out',
    ],
    ['says nothing', () => undefined, 'cluster eu-1: filter "mine" gave no verdict; correct the filter, or leave it out'],
    ['says null', () => null, 'cluster eu-1: filter "mine" gave no verdict; correct the filter, or leave it out'],
    [
      'says something else',
      () => ({ outcome: 'perhaps' }),
      'cluster eu-1: filter "mine" gave no verdict; correct the filter, or leave it out',
    ],
    [
      'gives no time',
      () => ({ outcome: 'accepted', until: 'soon' }),
      'cluster eu-1: filter "mine" gave "soon" for a time; correct the filter, or leave it out',
    ],
  ])('names filter and cluster where a filter %s', (_, judge, words) => {
    const mine = { name: 'mine', judge } as ClusterFilter;
    const failing = () => runFilters([mine], [{ name: 'eu-1' }], context());
    expect(failing).toThrow(ClustersetError);
    expect(failing).toThrow(expect.objectContaining({ code: 'Invalid', cluster: 'eu-1', message: words }));
  });
});

const clusterName: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor');
const fleet = fc.uniqueArray(
  fc.record(
    {
      name: clusterName,
      region: fc.constantFrom('eu', 'us'),
      labels: fc.constantFrom({ env: 'prod' }, { env: 'dev' }),
      conditions: fc.constantFrom([{ type: 'Ready', status: 'True' }], [{ type: 'Ready', status: 'False' }]),
      apis: fc.constantFrom(['apps/v1/Deployment'], ['v1/Pod']),
      taints: fc.array(
        fc.record({
          key: fc.constantFrom('k', 'l'),
          effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
          timeAdded: fc.constant('2026-01-01T00:00:00Z'),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: ['name'] },
  ) as fc.Arbitrary<ClusterEntry>,
  { selector: (each) => each.name, maxLength: 6 },
);
const policies = fc.record(
  {
    clusterNames: fc.array(clusterName),
    exclude: fc.array(clusterName, { maxLength: 2 }),
    labelSelector: fc.constant({ matchLabels: { env: 'prod' } }),
    groups: fc.constant([{ name: 'g', fields: [{ field: 'region' as const, operator: 'In' as const, values: ['eu'] }] }]),
    tolerations: fc.constantFrom(
      [{ key: 'k', operator: 'Exists' as const, tolerationSeconds: 60 }],
      [{ operator: 'Exists' as const }],
    ),
    pick: fc.record({ type: fc.constant('Fixed' as const), clusterNames: fc.array(clusterName) }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<PlacementPolicySpec>;
const currents = fc.array(clusterName).map((names) => new Map(names.map((each) => [each, 1])));
const NOW = '2026-01-01T00:00:30Z';

describe('runFilters: always', () => {
  it('gives each name one answer, in the order of names, whatever the order of the list', () => {
    fc.assert(
      fc.property(fleet, policies, currents, fc.boolean(), (clusters, policy, current, explain) => {
        const rest = context({ policy, current, now: NOW });
        const found = runFilters(filtersOf(policy), clusters, rest, { explain });
        expect(found.clusters.map(({ cluster }) => cluster.name)).toEqual(clusters.map((each) => each.name).sort());
        expect(runFilters(filtersOf(policy), clusters.toReversed(), rest, { explain })).toEqual(found);
        for (const each of found.clusters) {
          if (each.outcome === 'kept') expect(current.has(each.cluster.name)).toBe(true);
          if (each.outcome !== 'accepted') expect(each.rejections.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('decides the same with and without all reasons', () => {
    fc.assert(
      fc.property(fleet, policies, currents, (clusters, policy, current) => {
        const rest = context({ policy, current, now: NOW });
        const brief = runFilters(filtersOf(policy), clusters, rest);
        const full = runFilters(filtersOf(policy), clusters, rest, { explain: true });
        expect(full.until).toBe(brief.until);
        expect(full.clusters.map(({ outcome }) => outcome)).toEqual(brief.clusters.map(({ outcome }) => outcome));
        for (const [index, each] of brief.clusters.entries()) {
          const other = full.clusters[index];
          if (each.outcome === 'accepted' || other === undefined || other.outcome === 'accepted') continue;
          expect(other.rejections).toEqual(expect.arrayContaining([...each.rejections]));
        }
      }),
    );
  });

  it('changes nothing that it was given, and gives what can be printed', () => {
    fc.assert(
      fc.property(fleet, policies, currents, (clusters, policy, current) => {
        const before = JSON.stringify([clusters, policy]);
        const found = runFilters(filtersOf(policy), clusters, context({ policy, current }));
        expect(JSON.stringify([clusters, policy])).toBe(before);
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
      }),
    );
  });

  it('accepts no more clusters with one more filter', () => {
    fc.assert(
      fc.property(fleet, policies, currents, (clusters, policy, current) => {
        const rest = context({ policy, current, now: NOW });
        const filters = filtersOf(policy);
        const rank = { rejected: 0, kept: 1, accepted: 2 };
        const fewer = runFilters(filters.slice(1), clusters, rest).clusters;
        const all = runFilters(filters, clusters, rest).clusters;
        for (const [index, each] of all.entries()) {
          expect(rank[each.outcome]).toBeLessThanOrEqual(rank[fewer[index]?.outcome ?? 'rejected']);
        }
      }),
    );
  });
});
