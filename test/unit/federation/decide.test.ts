import {
  type DecideInput,
  type Decision,
  decide,
  type FederatedObject,
  OWNER_ANNOTATION,
  type Prepared,
  planStep,
  prepare,
  replicasOf,
} from 'clusterset/federation';
import { type AnyObject, compareText } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ReplicaSchedulingPreference } from 'clusterset/scheduling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applied, federatedDeployment, federatedNamespace, fleet, frozen, liveDeployment, owner } from './fixtures.ts';

const selecting = (matchLabels: Record<string, string>): Record<string, unknown> => ({
  placement: { clusterSelector: { matchLabels } },
});
const listing = (...names: string[]): Record<string, unknown> => ({ placement: { clusters: names.map((name) => ({ name })) } });
const namespace = (placement?: Record<string, unknown>): FederatedObject => prepare(federatedNamespace(placement)).object;
const preference = (spec: Record<string, unknown> = {}): ReplicaSchedulingPreference =>
  ReplicaSchedulingPreference.read({
    apiVersion: 'scheduling.kubefed.io/v1alpha1',
    kind: 'ReplicaSchedulingPreference',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { targetKind: 'FederatedDeployment', totalReplicas: 9, ...spec },
  });
const notReady = (...names: string[]): readonly ClusterEntry[] =>
  fleet.map((entry) => (names.includes(entry.name) ? { ...entry, conditions: [{ type: 'Ready', status: 'False' }] } : entry));
const decided = (spec: Record<string, unknown>, more: Partial<DecideInput> = {}): Decision =>
  decide({ prepared: prepare(federatedDeployment(spec)), clusters: fleet, ...more });

const placed = ({ clusters }: Decision): string[] =>
  clusters.filter(({ desired }) => desired !== undefined).map(({ cluster }) => cluster.name);
const replicas = ({ clusters }: Decision): Record<string, number | undefined> =>
  Object.fromEntries(
    clusters.filter(({ desired }) => desired !== undefined).map((each) => [each.cluster.name, replicasOf(each.desired)]),
  );
const whys = ({ clusters }: Decision): Record<string, string> =>
  Object.fromEntries(clusters.map(({ cluster, why }) => [cluster.name, why]));

describe('decide', () => {
  it('says for every cluster, in their order, what it should have and why', () => {
    const prepared = prepare(federatedDeployment(selecting({ region: 'eu' })));
    expect(decide({ prepared, clusters: fleet })).toEqual({
      prepared,
      issues: [],
      unknown: [],
      namespaceNotFederated: false,
      clusters: fleet.map((cluster) => ({
        cluster,
        ...(cluster.labels?.region === 'eu' ? { want: 'present', desired: prepared.renderFor(cluster) } : { want: 'absent' }),
        why: cluster.labels?.region === 'eu' ? 'its labels match the placement' : 'its labels do not match the placement',
        share: undefined,
      })),
    });
  });

  it('places by membership: whether a cluster is ready plays no part', () => {
    expect(placed(decided({}, { clusters: notReady('eu-1', 'us-1') }))).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('renders for each cluster what its overrides say', () => {
    const clusterOverrides = [{ path: '/spec/replicas', value: 5 }];
    expect(replicas(decided({ overrides: [{ clusterName: 'eu-2', clusterOverrides }] }))).toEqual({
      'eu-1': 3,
      'eu-2': 5,
      'us-1': 3,
    });
  });

  it('wants nothing anywhere without a cluster', () => {
    expect(decided({}, { clusters: [] })).toMatchObject({ clusters: [], issues: [], unknown: [] });
  });

  it.each<[string, Partial<DecideInput>, string[], boolean]>([
    ['namespaces are not federated', {}, ['eu-1', 'eu-2', 'us-1'], false],
    ['the namespace is federated to some', { namespace: namespace({ clusters: [{ name: 'us-1' }] }) }, ['us-1'], false],
    ['the namespace is federated to none', { namespace: namespace({}) }, [], false],
    ['the namespace is not federated', { namespace: undefined }, [], true],
  ])('stays within the namespace: %s', (_, more, expected, namespaceNotFederated) => {
    const decision = decided({}, more);
    expect(placed(decision)).toEqual(expected);
    expect(decision.namespaceNotFederated).toBe(namespaceNotFederated);
  });

  it('says why the namespace keeps an object from a cluster', () => {
    expect(whys(decided({}, { namespace: namespace({ clusters: [{ name: 'us-1' }] }) }))).toEqual({
      'eu-1': 'its FederatedNamespace is not placed there',
      'eu-2': 'its FederatedNamespace is not placed there',
      'us-1': 'its labels match the placement',
    });
    expect(whys(decided({}, { namespace: undefined }))['eu-1']).toBe('its namespace has no FederatedNamespace');
  });

  it('tells the clusters that nobody knows, and where they are named', () => {
    const { unknown } = decided({
      ...listing('mars', 'eu-1'),
      overrides: [
        { clusterName: 'us-1', clusterOverrides: [] },
        { clusterName: 'mars', clusterOverrides: [] },
        { clusterSelector: {}, clusterOverrides: [] },
      ],
    });
    const message = 'there is no cluster "mars"';
    const mend = 'correct the name, or take it out; known are eu-1, eu-2, us-1';
    expect(unknown).toEqual([
      { name: 'mars', field: 'spec.placement.clusters[0].name', message, mend },
      { name: 'mars', field: 'spec.overrides[1].clusterName', message, mend },
    ]);
    expect(decided(listing('mars'), { clusters: [] }).unknown[0]?.mend).toContain('known are none');
  });

  it('tells the known clusters in the same order whatever theirs', () => {
    const { unknown } = decided(listing('mars'), { clusters: fleet.toReversed() });
    expect(unknown).toEqual(decided(listing('mars')).unknown);
  });

  describe('where something is wrong with the object', () => {
    const replaceMissing = { clusterOverrides: [{ op: 'replace', path: '/spec/nothing', value: 1 }] };

    it('wants nothing anywhere, and says what is wrong', () => {
      const decision = decided({ overrides: [{ clusterName: 'eu-1', clusterOverrides: [{ path: 'spec' }] }] });
      expect(decision).toMatchObject({ clusters: [], unknown: [], namespaceNotFederated: false });
      expect(decision.issues).toMatchObject([{ field: 'spec.overrides[0].clusterOverrides[0].path' }]);
    });

    it('renders nothing at all where one cluster’s overrides can’t be carried out', () => {
      const decision = decided({ overrides: [{ clusterName: 'eu-2', ...replaceMissing }] });
      expect(placed(decision)).toEqual([]);
      expect(decision.issues).toMatchObject([{ cluster: 'eu-2', field: 'spec.overrides[0].clusterOverrides[0].path' }]);
    });

    it('does not look at overrides for clusters that are not selected', () => {
      const decision = decided({ ...listing('eu-1'), overrides: [{ clusterName: 'eu-2', ...replaceMissing }] });
      expect(decision.issues).toEqual([]);
      expect(placed(decision)).toEqual(['eu-1']);
    });

    it('has no word on any cluster, so that nobody takes a missing object for an unwanted one', () => {
      expect(decided({ overrides: [{ clusterName: 'eu-2', ...replaceMissing }] }).clusters).toEqual([]);
    });

    it.each([
      ['is no text', { op: 'add', path: '/apiVersion', value: 0 }],
      ['is gone', { op: 'remove', path: '/apiVersion' }],
    ])('tells of an override after which the apiVersion %s, in place of throwing', (_, operation) => {
      const { issues } = decided({ overrides: [{ clusterName: 'eu-1', clusterOverrides: [operation] }] });
      expect(issues).toMatchObject([{ cluster: 'eu-1' }]);
    });

    it('tells of a selector of the namespace that does not parse, in place of throwing', () => {
      const broken = { clusterSelector: { matchExpressions: [{ key: 'x', operator: 'Nope' }] } };
      const decision = decided({}, { namespace: federatedNamespace(broken) as unknown as FederatedObject });
      expect(decision.issues).not.toEqual([]);
    });

    it('tells of a selector that only a preference looks at, in place of throwing', () => {
      const clusterSelector = { matchExpressions: [{ key: 'x', operator: 'Nope' }] };
      const decision = decided(
        { placement: { clusters: [{ name: 'eu-1' }], clusterSelector } },
        { preference: preference({ intersectWithClusterSelector: true }) },
      );
      expect(decision.issues).not.toEqual([]);
    });
  });
});

describe('decide, with a preference', () => {
  it('divides over every ready cluster, whatever the placement says', () => {
    const decision = decided(listing('eu-1'), { preference: preference() });
    expect(replicas(decision)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
    expect(whys(decision)['eu-2']).toBe('3 replicas: 3 by weight 1');
    expect(decision.clusters[0]?.share).toMatchObject({ cluster: 'eu-1', replicas: 3, preferred: true });
  });

  it('moves replicas away from a cluster that is not ready', () => {
    const decision = decided({}, { preference: preference({ totalReplicas: 8 }), clusters: notReady('eu-1') });
    expect(replicas(decision)).toEqual({ 'eu-2': 4, 'us-1': 4 });
    expect(whys(decision)['eu-1']).toBe('its replicas are elsewhere, because it is not ready');
    expect(decision.clusters[0]?.share).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, Record<string, number>]>([
    [
      'by weight',
      { totalReplicas: 6, clusters: { 'eu-1': { weight: 2 }, 'eu-2': { weight: 1 } } },
      { 'eu-1': 4, 'eu-2': 2, 'us-1': 0 },
    ],
    [
      'with minimums and maximums',
      { totalReplicas: 10, clusters: { '*': { minReplicas: 2, weight: 1 }, 'us-1': { weight: 1, maxReplicas: 1 } } },
      { 'eu-1': 4, 'eu-2': 5, 'us-1': 1 },
    ],
    ['evenly where it names nobody', { totalReplicas: 6, clusters: {} }, { 'eu-1': 2, 'eu-2': 2, 'us-1': 2 }],
    ['nothing', { totalReplicas: 0 }, { 'eu-1': 0, 'eu-2': 0, 'us-1': 0 }],
  ])('divides %s; a cluster with no share keeps the object without replicas', (_, spec, expected) => {
    expect(replicas(decided({}, { preference: preference(spec) }))).toEqual(expected);
  });

  it('stands above template and overrides', () => {
    const overrides = [{ clusterName: 'eu-1', clusterOverrides: [{ path: '/spec/replicas', value: 5 }] }];
    expect(replicas(decided({ overrides }, { preference: preference() }))).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });

  it('leaves replicas where they run, unless it may rebalance', () => {
    const running = new Map([['eu-1', 9]]);
    expect(replicas(decided({}, { preference: preference(), running }))).toEqual({ 'eu-1': 9, 'eu-2': 0, 'us-1': 0 });
    expect(replicas(decided({}, { preference: preference({ rebalance: true }), running }))).toEqual({
      'eu-1': 3,
      'eu-2': 3,
      'us-1': 3,
    });
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['its selector', selecting({ region: 'eu' }), ['eu-1', 'eu-2']],
    [
      'its selector also where it has a list',
      { placement: { clusters: [{ name: 'us-1' }], clusterSelector: { matchLabels: { region: 'eu' } } } },
      ['eu-1', 'eu-2'],
    ],
    ['its list where it has no selector', listing('us-1', 'mars'), ['us-1']],
    ['nothing where it has neither', { placement: {} }, []],
  ])('stays within the placement where it says so: %s', (_, spec, expected) => {
    expect(placed(decided(spec, { preference: preference({ intersectWithClusterSelector: true }) }))).toEqual(expected);
  });

  it('stays within the namespace', () => {
    const within = namespace({ clusters: [{ name: 'us-1' }, { name: 'eu-2' }] });
    expect(placed(decided({}, { preference: preference(), namespace: within }))).toEqual(['eu-2', 'us-1']);
    const decision = decided({}, { preference: preference(), namespace: undefined });
    expect(placed(decision)).toEqual([]);
    expect(decision.namespaceNotFederated).toBe(true);
  });

  it('says that a placement keeps a ready cluster out', () => {
    const intersecting = preference({ intersectWithClusterSelector: true });
    expect(whys(decided(selecting({ region: 'eu' }), { preference: intersecting }))['us-1']).toBe(
      'its labels do not match the placement',
    );
  });

  it('says that the namespace keeps a ready cluster out', () => {
    const within = namespace({ clusters: [{ name: 'us-1' }] });
    expect(whys(decided({}, { preference: preference(), namespace: within }))['eu-1']).toBe(
      'its FederatedNamespace is not placed there',
    );
  });

  it.each<[string, Record<string, unknown>, readonly ClusterEntry[]]>([
    ['no cluster is ready', {}, notReady('eu-1', 'eu-2', 'us-1')],
    ['no ready cluster is in the placement', { intersectWithClusterSelector: true }, notReady('eu-1', 'eu-2')],
  ])('takes nothing away where %s, as kubefed left the old placement', (_, spec, clusters) => {
    const decision = decided(selecting({ region: 'eu' }), { preference: preference(spec), clusters });
    const { prepared } = decision;
    const steps = decision.clusters.map((each) =>
      planStep({ prepared, decision: each, observed: { reachable: true, live: liveDeployment }, fieldManager: 'clusterset' }),
    );
    expect(decision.issues.length > 0 || steps.every(({ op }) => op !== 'delete')).toBe(true);
  });
});

describe('decide, of any object', () => {
  const name = fc.constantFrom('c0', 'c1', 'c2', 'c3', 'c4', 'nowhere');
  const labels = fc.dictionary(fc.constantFrom('region', 'tier'), fc.constantFrom('x', 'y'));
  const placement = fc.oneof(
    fc.record({
      clusters: fc.array(
        name.map((each) => ({ name: each })),
        { maxLength: 3 },
      ),
    }),
    fc.record({ clusterSelector: fc.record({ matchLabels: labels }) }),
    fc.constant({}),
  );
  const override = fc.record({
    clusterSelector: fc.record({ matchLabels: labels }),
    clusterOverrides: fc.constantFrom([{ path: '/spec/replicas', value: 8 }], [{ path: '/spec/nothing', value: 1 }], []),
  });
  const clusters = fc
    .array(fc.record({ labels, status: fc.constantFrom('True', 'False', 'Unknown', undefined) }), { maxLength: 5 })
    .map((entries) =>
      entries.map(
        (each, index): ClusterEntry => ({
          name: `c${index}`,
          labels: each.labels,
          ...(each.status === undefined ? {} : { conditions: [{ type: 'Ready', status: each.status }] }),
        }),
      ),
    );
  const clusterPreference = fc.record(
    { minReplicas: fc.nat(3), maxReplicas: fc.nat(9), weight: fc.nat(4) },
    { requiredKeys: [] },
  );
  const given = fc.option(
    fc.record({
      totalReplicas: fc.nat(20),
      rebalance: fc.boolean(),
      intersectWithClusterSelector: fc.boolean(),
      clusters: fc.dictionary(fc.constantFrom('*', 'c0', 'c1', 'c2'), clusterPreference),
    }),
    { nil: undefined },
  );
  const input = fc
    .record({
      spec: fc.record({ placement, overrides: fc.array(override, { maxLength: 2 }) }),
      clusters,
      given,
      running: fc.dictionary(name, fc.nat(9)),
      within: fc.option(placement, { nil: undefined }),
      isNamespaced: fc.boolean(),
    })
    .map(
      ({ spec, given: wanted, running, within, isNamespaced, ...rest }): DecideInput => ({
        prepared: prepare(federatedDeployment(spec)),
        clusters: rest.clusters,
        preference: wanted === undefined ? undefined : preference(wanted),
        running: new Map(Object.entries(running)),
        ...(isNamespaced ? { namespace: within === undefined ? undefined : namespace(within) } : {}),
      }),
    );

  it('does not depend on the order of the clusters', () => {
    fc.assert(
      fc.property(
        input.chain((each) =>
          fc.tuple(fc.constant(each), fc.shuffledSubarray([...each.clusters], { minLength: each.clusters.length })),
        ),
        ([each, shuffled]) => {
          const [one, other] = [decide(each), decide({ ...each, clusters: shuffled })];
          const byName = ({ clusters: all }: Decision): unknown =>
            all.toSorted((a, b) => compareText(a.cluster.name, b.cluster.name));
          expect(byName(other)).toEqual(byName(one));
          expect(other.issues).toEqual(one.issues);
          expect(other.unknown.map(({ field }) => field)).toEqual(one.unknown.map(({ field }) => field));
        },
      ),
    );
  });

  it('does not depend on the order of what is running', () => {
    fc.assert(
      fc.property(input, (each) => {
        const reversed = new Map([...(each.running ?? [])].toReversed());
        expect(decide({ ...each, running: reversed }).clusters).toEqual(decide(each).clusters);
      }),
    );
  });

  it('has one word on every cluster, or none at all with issues', () => {
    fc.assert(
      fc.property(input, (each) => {
        const decision = decide(each);
        if (decision.issues.length > 0) expect(placed(decision)).toEqual([]);
        else expect(decision.clusters.map(({ cluster }) => cluster)).toEqual(each.clusters);
        for (const { why } of decision.clusters) expect(why).not.toBe('');
      }),
    );
  });

  it('gives no replicas to clusters that are not ready, and none beyond the total', () => {
    fc.assert(
      fc.property(input, (each) => {
        const decision = decide({ ...each, running: new Map() });
        fc.pre(each.preference !== undefined && decision.issues.length === 0);
        const shares = decision.clusters.filter(({ desired }) => desired !== undefined);
        for (const { cluster } of shares) {
          expect(cluster.conditions?.every(({ status }) => status === 'True') ?? true).toBe(true);
        }
        const sum = Object.values(replicas(decision)).reduce<number>((total, count) => total + (count ?? 0), 0);
        expect(sum).toBeLessThanOrEqual(each.preference.spec.totalReplicas);
      }),
    );
  });

  it('never changes what it was given, and decides the same again', () => {
    fc.assert(
      fc.property(input, (each) => {
        const running = [...(each.running ?? [])];
        const decision = decide(frozen(each));
        expect(decide(each)).toEqual(decision);
        expect([...(each.running ?? [])]).toEqual(running);
      }),
    );
  });

  it('marks every object as ours', () => {
    fc.assert(
      fc.property(input, (each) => {
        for (const { desired } of decide(each).clusters) {
          if (desired !== undefined) expect(desired.metadata.annotations?.[OWNER_ANNOTATION]).toBe(owner);
        }
      }),
    );
  });
});

describe('decide and planStep', () => {
  it('come to rest on what was applied', () => {
    const decision = decided({});
    const steps = decision.clusters.map((each) =>
      planStep({
        prepared: decision.prepared,
        decision: each,
        observed: { reachable: true, live: liveDeployment },
        fieldManager: 'clusterset',
      }),
    );
    expect(steps.map(({ op }) => op)).toEqual(['none', 'none', 'none']);
  });

  it('need nothing but the entries of a fleet', () => {
    const prepared: Prepared = prepare(federatedDeployment(), { fieldManager: 'other' });
    const [decision] = decide({ prepared, clusters: fleet }).clusters;
    const live: AnyObject = {
      ...liveDeployment,
      metadata: { ...liveDeployment.metadata, managedFields: [applied('apps/v1', {}, 'other')] },
    };
    expect(decision?.desired?.metadata.annotations?.[OWNER_ANNOTATION]).toBe(owner.replace('clusterset', 'other'));
    const step = decision && planStep({ prepared, decision, observed: { reachable: true, live }, fieldManager: 'other' });
    expect(step).toMatchObject({ op: 'blocked', code: 'AlreadyExists' });
  });
});

describe('replicasOf', () => {
  it.each<[string, AnyObject | undefined, number | undefined]>([
    ['an object with replicas', liveDeployment, 3],
    ['an object without replicas', { ...liveDeployment, spec: {} }, undefined],
    ['an object with zero', { ...liveDeployment, spec: { replicas: 0 } }, 0],
    ['replicas that are no number', { ...liveDeployment, spec: { replicas: '3' } }, undefined],
    ['an object without a spec', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' } }, undefined],
    ['no object', undefined, undefined],
  ])('reads %s', (_, object, expected) => {
    expect(replicasOf(object)).toBe(expected);
  });
});
