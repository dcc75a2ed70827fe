import { isRecord, resourceType } from 'clusterset/kube';
import { PlacementPolicy } from 'clusterset/scheduling';
import { simulate } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy, checkReplicaSchedulingPreference } from '../../../src/scheduling/policy/check.ts';
import { closest } from '../../../src/scheduling/policy/check-finding.ts';

const policy = (spec: unknown): unknown => ({
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'PlacementPolicy',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});
const preference = (spec: unknown): unknown => ({
  apiVersion: 'scheduling.kubefed.io/v1alpha1',
  kind: 'ReplicaSchedulingPreference',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});

/** `field: message`, without what the specs have in common. */
const said = (issues: ReturnType<typeof checkPolicy>): readonly string[] =>
  issues.map(({ field, message }) => `${field.replace(/^spec\.?/, '')}: ${message}`);

const GOOD = {
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
  follow: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'db' },
  replicas: 10,
  exclude: ['eu-9'],
  labelSelector: { matchLabels: { env: 'prod' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
  fields: [
    { field: 'region', operator: 'In', values: ['eu', 'us'] },
    { field: 'zone', operator: 'Exists' },
  ],
  properties: [
    { name: 'cpu', operator: 'Gt', values: ['500m'] },
    { name: 'gpu', operator: 'NotIn', values: ['a', 'b'] },
  ],
  groups: [{ name: 'near', clusterNames: ['eu-1'] }, { name: 'far' }],
  groupMode: 'Overflow',
  failBack: 'Automatic',
  tolerations: [
    { operator: 'Exists' },
    { key: 'example.com/down', value: 'yes', effect: 'NoExecute', tolerationSeconds: 30 },
    { key: 'a', operator: 'Exists', effect: 'NoSelect', tolerationSeconds: 0 },
  ],
  pick: { type: 'N', numberOfClusters: 4 },
  spread: [
    { topologyKey: 'cluster', maxGroups: 4 },
    { topologyKey: 'region', minGroups: 2, maxSkew: 1 },
    { topologyKey: 'example.com/rack', minGroups: 9, whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  scores: [{ property: { name: 'cpu' } }, { preferred: { clusterNames: ['eu-1'] }, weight: -1 }, { builtIn: 'Current' }],
  division: {
    type: 'Weighted',
    clusters: { 'eu-1': { minReplicas: 1, maxReplicas: 5, weight: 0, tier: 1 }, '*': { weight: 2 } },
    sticky: true,
  },
};

describe('checkPolicy', () => {
  it.each<[string, unknown]>([
    ['one with everything', GOOD],
    ['an empty one', {}],
    ['one that picks by name', { clusterNames: ['a', 'b'], pick: { type: 'Fixed', clusterNames: ['a'] } }],
    [
      'weights of 0 for some, where others weigh 1 by default',
      { division: { type: 'Weighted', clusters: { a: { weight: 0 } } } },
    ],
    [
      'minimums that are all there is',
      { replicas: 2, division: { type: 'Weighted', algorithm: 'kubefed', clusters: { a: { minReplicas: 2 } } } },
    ],
    ['names as contexts of a kubeconfig have them', { clusterNames: ['gke_project/eu-1', 'admin@eu'] }],
  ])('has nothing to say of %s', (_, spec) => {
    expect(checkPolicy(policy(spec))).toEqual([]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['negative replicas', { replicas: -1 }, ['replicas: must not be negative']],
    ['no name at all', { clusterNames: [] }, ['clusterNames: names no cluster, so that none is left']],
    [
      'bad names, and names twice',
      { clusterNames: ['a b', 'c', 'c'] },
      ['clusterNames[0]: "a b" is no name of a cluster', 'clusterNames[2]: "c" stands in [1] already'],
    ],
    ['names that are excluded', { clusterNames: ['a', 'b'], exclude: ['b'] }, ['clusterNames[1]: "b" is excluded as well']],
    [
      'a selector that does not parse',
      { labelSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } },
      ['labelSelector: "Near" is not a valid label selector operator'],
    ],
    [
      'fields with values missing and surplus',
      {
        fields: [
          { field: 'region', operator: 'In' },
          { field: 'zone', operator: 'Exists', values: ['a'] },
          { field: 'zone', operator: 'NotIn', values: ['a', 'a'] },
        ],
      },
      [
        'fields[0].values: In needs values',
        'fields[1].values: Exists takes no values',
        'fields[2].values[1]: "a" stands in [0] already',
      ],
    ],
    [
      'properties that can not be compared',
      {
        properties: [
          { name: 'cpu', operator: 'Gt' },
          { name: 'cpu', operator: 'Le', values: ['1', '2'] },
          { name: 'cpu', operator: 'Eq', values: ['many'] },
          { name: 'cpu', operator: 'DoesNotExist', values: ['1'] },
          { name: 'cpu', operator: 'In', values: [] },
        ],
      },
      [
        'properties[0].values: Gt compares with exactly one value, found 0',
        'properties[1].values: Le compares with exactly one value, found 2',
        'properties[2].values[0]: "many" is no quantity',
        'properties[3].values: DoesNotExist takes no values',
        'properties[4].values: In needs values',
      ],
    ],
    [
      'groups without sense',
      { groups: [{ name: 'a', clusterNames: ['x'], exclude: ['x'] }, { name: 'a' }], groupMode: 'Overflow' },
      [
        'groups[1].name: "a" stands in [0] already',
        'groups[0].clusterNames[0]: "x" is excluded as well',
        'groupMode: means nothing here: how the replicas are divided knows no tiers, so that nothing flows over',
      ],
    ],
    [
      'groups that are filled one after the other by whom that does not count, or with a way back',
      {
        groups: [{ name: 'a' }],
        groupMode: 'Overflow',
        failBack: 'Never',
        division: { type: 'Weighted', algorithm: 'kubefed' },
      },
      [
        'groupMode: means nothing here: how the replicas are divided knows no tiers, so that nothing flows over',
        'failBack: means nothing where groups are filled one after the other',
      ],
    ],
    [
      'weights of scores that schedule refuses, or that count nothing',
      {
        scores: [
          { builtIn: 'Current', weight: -2_000_000 },
          { builtIn: 'Taints', weight: 0 },
        ],
      },
      ['scores[0].weight: is beyond a million, which is refused', 'scores[1].weight: is 0, so that the score counts nothing'],
    ],
    [
      'words about groups that are not there',
      { groups: [], groupMode: 'Fallback', failBack: 'Automatic' },
      ['groups: has no group', 'groupMode: means nothing without groups', 'failBack: means nothing without groups'],
    ],
    ['a workload that follows itself', { workload: GOOD.workload, follow: GOOD.workload }, ['follow: is the workload itself']],
    [
      'tolerations that Kubernetes refuses',
      {
        tolerations: [
          { key: 'a', operator: 'Exists', value: 'b' },
          { value: 'b' },
          { key: 'a', tolerationSeconds: 5 },
          { key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 },
        ],
      },
      [
        'tolerations[0].value: must be empty where the operator is Exists',
        'tolerations[1].operator: must be Exists where there is no key',
        'tolerations[2].tolerationSeconds: counts only for an effect that drives away what runs',
        'tolerations[3].tolerationSeconds: counts only for an effect that drives away what runs',
      ],
    ],
    ['a choice of names without names', { pick: { type: 'Fixed' } }, ['pick.clusterNames: is needed where type is Fixed']],
    [
      'a choice of names that the policy rules out',
      { clusterNames: ['a'], exclude: ['b'], pick: { type: 'Fixed', clusterNames: ['a', 'b', 'a'] } },
      [
        'pick.clusterNames[2]: "a" stands in [0] already',
        'pick.clusterNames[1]: "b" is excluded as well',
        'pick.clusterNames[1]: "b" is not among the clusterNames of the policy',
      ],
    ],
    [
      'a choice of all with names and a number',
      { pick: { type: 'All', clusterNames: ['a'], numberOfClusters: 1 } },
      ['pick.clusterNames: means nothing where type is All', 'pick.numberOfClusters: means nothing where type is All'],
    ],
    ['a choice of N without a number', { pick: { type: 'N' } }, ['pick.numberOfClusters: is needed where type is N']],
    ['a choice of none', { pick: { type: 'N', numberOfClusters: 0 } }, ['pick.numberOfClusters: must be at least 1']],
    [
      'constraints that are broken in themselves',
      {
        spread: [
          { topologyKey: 'region', minGroups: 3, maxGroups: 2 },
          { topologyKey: 'region', minGroups: -1, maxSkew: 0 },
          { topologyKey: 'zone', maxGroups: 0 },
        ],
      },
      [
        'spread[1].topologyKey: "region" stands in [0] already',
        'spread[0].minGroups: is more than maxGroups, 2',
        'spread[1].minGroups: must not be negative',
        'spread[1].maxSkew: must be at least 1',
        'spread[2].maxGroups: must be at least 1',
      ],
    ],
    [
      'more groups than clusters',
      {
        spread: [
          { topologyKey: 'region', minGroups: 3 },
          { topologyKey: 'cluster', maxGroups: 2 },
        ],
      },
      ['spread[0].minGroups: 3 are more groups than there may be clusters, 2 by spread[1].maxGroups'],
    ],
    [
      'more groups than clusters that are picked',
      { pick: { type: 'N', numberOfClusters: 2 }, spread: [{ topologyKey: 'zone', minGroups: 3 }] },
      ['spread[0].minGroups: 3 are more groups than there may be clusters, 2 by pick.numberOfClusters'],
    ],
    [
      'more groups than clusters that are named',
      { clusterNames: ['a', 'b'], exclude: ['c'], spread: [{ topologyKey: 'cluster', minGroups: 3 }] },
      ['spread[0].minGroups: 3 are more groups than there may be clusters, 2 by clusterNames'],
    ],
    [
      'scores of nothing, of several things, and of everything',
      { scores: [{}, { external: 'cost', builtIn: 'Taints' }, { preferred: {} }, { preferred: { clusterNames: ['a', 'a'] } }] },
      [
        'scores[0]: says nothing to score by',
        'scores[1]: scores by several things at once: external, builtIn',
        'scores[2].preferred: matches every cluster, so that none is better',
        'scores[3].preferred.clusterNames[1]: "a" stands in [0] already',
      ],
    ],
    [
      'broken numbers of a division',
      {
        replicas: 5,
        division: {
          type: 'Weighted',
          clusters: {
            a: { minReplicas: -1, maxReplicas: -2, weight: -1 },
            b: { minReplicas: 6, maxReplicas: 2 },
            'x y': { weight: 1 },
          },
        },
      },
      [
        'division.clusters.a.minReplicas: must not be negative',
        'division.clusters.a.maxReplicas: must not be negative',
        'division.clusters.a.weight: must not be negative',
        'division.clusters.b.minReplicas: is more than maxReplicas, 2',
        'division.clusters[x y]: "x y" is no name of a cluster',
        'division.clusters: all minReplicas together are 6, more than the 5 replicas that there are',
      ],
    ],
    [
      'weights that give nobody anything',
      { division: { type: 'Weighted', clusters: { a: { weight: 0 }, '*': { weight: 0 } } } },
      ['division.clusters: all weights are 0: beyond minimums nobody gets anything'],
    ],
    [
      'no weights, where others weigh nothing',
      { division: { type: 'Weighted', algorithm: 'kubeadmiral', clusters: { a: { minReplicas: 1 } } } },
      ['division.clusters: all weights are 0: beyond minimums nobody gets anything'],
    ],
    [
      'weights of 0 for all clusters that are named',
      { clusterNames: ['a'], division: { type: 'Weighted', clusters: { a: { weight: 0 } } } },
      ['division.clusters: all weights are 0: beyond minimums nobody gets anything'],
    ],
    [
      'preferences for clusters that are kept out',
      { clusterNames: ['a'], exclude: ['c'], division: { type: 'Weighted', clusters: { a: {}, b: {}, '*': {} } } },
      ['division.clusters.b: is a cluster that the policy keeps out'],
    ],
    [
      'preferences where all get the same',
      { division: { clusters: { a: { weight: 2 } }, sticky: true } },
      ['division.sticky: means nothing for type Duplicated', 'division.clusters: means nothing for type Duplicated'],
    ],
    [
      'preferences that count for shares only',
      { division: { type: 'ByCapacity', clusters: { a: { weight: 2, maxReplicas: 3 } } } },
      ['division.clusters.a.weight: means nothing for type ByCapacity of clusterset'],
    ],
    [
      'types that kubefed does not have',
      { division: { type: 'ByCapacity', algorithm: 'kubefed' } },
      ['division.type: kubefed has no type ByCapacity'],
    ],
    ['no type for kubefed', { division: { algorithm: 'kubefed' } }, ['division.type: kubefed has no type Duplicated']],
    [
      'types that KubeAdmiral does not have',
      { division: { type: 'ByCapacity', algorithm: 'kubeadmiral' } },
      ['division.type: kubeadmiral has no type ByCapacity'],
    ],
    [
      'tiers that kubefed does not have',
      { division: { type: 'Weighted', algorithm: 'kubefed', clusters: { a: { weight: 1, tier: 2 } } } },
      ['division.clusters.a.tier: means nothing for type Weighted of kubefed'],
    ],
    [
      'bounds that Karmada does not have',
      { division: { type: 'Weighted', algorithm: 'karmada', clusters: { a: { minReplicas: 1, weight: 1 } }, sticky: false } },
      [
        'division.sticky: means nothing for type Weighted of karmada',
        'division.clusters.a.minReplicas: means nothing for type Weighted of karmada',
      ],
    ],
    [
      'preferences that Karmada ignores',
      { division: { type: 'Aggregated', algorithm: 'karmada', clusters: { a: { weight: 1 } } } },
      ['division.clusters.a.weight: means nothing for type Aggregated of karmada'],
    ],
    [
      'fields that nobody reads, wherever they are',
      {
        maxReplica: 3,
        pik: {},
        division: { type: 'Weighted', clusters: { a: { maxReplica: 3, weight: 1 } } },
        groups: [{ name: 'a', label: {} }],
      },
      [
        'maxReplica: is no field',
        'pik: is no field',
        'division.clusters.a.maxReplica: is no field',
        'groups[0].label: is no field',
      ],
    ],
    [
      'names that reach into JavaScript',
      JSON.parse(
        '{"division": {"type": "Weighted", "clusters": {"__proto__": {"weight": -1}, "constructor": {"minReplicas": -1}}}, "toString": 1}',
      ),
      [
        'toString: is no field',
        'division.clusters.__proto__.weight: must not be negative',
        'division.clusters.constructor.minReplicas: must not be negative',
      ],
    ],
  ])('complains about %s', (_, spec, expected) => {
    expect(said(checkPolicy(policy(spec)))).toEqual(expected);
  });

  it('says what may have been meant', () => {
    const issues = checkPolicy(policy({ spred: [], division: { type: 'Weighted', clusters: { '*': { maxReplica: 3 } } } }));
    expect(issues.map(({ mend }) => mend)).toEqual(['did you mean spread?', 'did you mean maxReplicas?']);
    expect(checkPolicy(policy({ xyz: 1 }))[0]?.mend).toBe('take it out: nobody reads it');
  });

  it.each<[string, unknown, readonly string[]]>([
    ['another kind', { kind: 'Policy' }, ['apiVersion', 'kind']],
    ['no object', 'web', ['']],
    ['no spec', policy(undefined), ['spec']],
    ['weights that are no numbers', policy({ scores: [{ builtIn: 'Taints', weight: Number.NaN }] }), ['spec.scores[0].weight']],
    [
      'weights without end',
      policy({ scores: [{ builtIn: 'Taints', weight: Number.POSITIVE_INFINITY }] }),
      ['spec.scores[0].weight'],
    ],
    ['counts beyond 32 bits', policy({ replicas: 2 ** 31 }), ['spec.replicas']],
    ['empty names', policy({ clusterNames: [''] }), ['spec.clusterNames[0]']],
    ['a bad shape and a typo', policy({ replicas: '5', tolerationz: [] }), ['spec.replicas', 'spec.tolerationz']],
  ])('complains about the shape: %s', (_, value, fields) => {
    expect(checkPolicy(value).map(({ field }) => field)).toEqual(fields);
  });

  it('gives every issue a message, and never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom(...Object.keys(GOOD), '__proto__', 'a'), maxDepth: 3 }), (spec) => {
        for (const { message } of checkPolicy(policy(spec))) expect(message).not.toBe('');
      }),
    );
    const damaged = fc.constantFrom(...Object.keys(GOOD)).chain((name) => fc.tuple(fc.constant(name), fc.jsonValue()));
    fc.assert(
      fc.property(damaged, ([name, value]) => {
        const issues = checkPolicy(policy({ ...GOOD, [name]: value }));
        expect(issues.every(({ field, message }) => field.startsWith('spec') && message !== '')).toBe(true);
      }),
    );
  });
});

describe('checkReplicaSchedulingPreference', () => {
  it.each<[string, unknown]>([
    ['weights', { targetKind: 'FederatedDeployment', totalReplicas: 9, clusters: { a: { weight: 1 }, '*': { weight: 2 } } }],
    ['no preferences', { targetKind: 'FederatedReplicaSet', totalReplicas: 0 }],
    [
      'minimums that are all there is',
      { targetKind: 'FederatedReplicaSet', totalReplicas: 3, clusters: { a: { minReplicas: 3 } } },
    ],
  ])('has nothing to say of %s', (_, spec) => {
    expect(checkReplicaSchedulingPreference(preference(spec))).toEqual([]);
  });

  const good = { targetKind: 'FederatedDeployment', totalReplicas: 9 };
  it.each<[string, unknown, readonly string[]]>([
    [
      'a kind that kubefed does not divide',
      { ...good, targetKind: 'Deployment' },
      ['targetKind: kubefed divides nothing of kind "Deployment"'],
    ],
    ['negative replicas', { ...good, totalReplicas: -1 }, ['totalReplicas: must not be negative']],
    [
      'broken numbers',
      {
        ...good,
        clusters: {
          'a b': { minReplicas: -1, weight: 1 },
          b: { minReplicas: 20, maxReplicas: 3, weight: -2 },
          c: { maxReplicas: -1 },
        },
      },
      [
        'clusters[a b]: "a b" is no name of a cluster',
        'clusters[a b].minReplicas: must not be negative',
        'clusters.b.minReplicas: is more than maxReplicas, 3',
        'clusters.b.weight: must not be negative',
        'clusters.c.maxReplicas: must not be negative',
        'clusters: all minReplicas together are 20, more than the 9 replicas that there are',
      ],
    ],
    [
      'no weights',
      { ...good, clusters: { a: { minReplicas: 1 } } },
      ['clusters: all weights are 0: beyond minimums nobody gets anything'],
    ],
    [
      'fields that nobody reads',
      { ...good, totalReplica: 1, clusters: { a: { wieght: 1, weight: 1 } } },
      ['totalReplica: is no field', 'clusters.a.wieght: is no field'],
    ],
    [
      'its shape',
      { targetKind: 5, rebalanced: true },
      [
        'targetKind: expected string, received number',
        'totalReplicas: expected number, received undefined',
        'rebalanced: is no field',
      ],
    ],
  ])('complains about %s', (_, spec, expected) => {
    expect(said(checkReplicaSchedulingPreference(preference(spec)))).toEqual(expected);
  });

  it('guesses kinds', () => {
    const [issue] = checkReplicaSchedulingPreference(preference({ ...good, targetKind: 'FederatedDeploymnet' }));
    expect(issue?.mend).toBe('did you mean FederatedDeployment?');
  });
});

describe('PlacementPolicy', () => {
  it('is a kind that an API server takes, with objects of it', async () => {
    await using world = await simulate({ host: {}, members: {} });
    const host = world.cluster('host').connect();
    await host.create(
      resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster'),
      PlacementPolicy.crd() as never,
    );
    const web = { ...(policy(GOOD) as object), metadata: { name: 'web', namespace: 'default' } };
    const created = await host.create(PlacementPolicy, web as never);
    expect(created).toMatchObject({ kind: 'PlacementPolicy', spec: GOOD });
  });

  it('says of every field what it is', () => {
    const walk = (node: unknown, path: string): readonly string[] => {
      if (!isRecord(node)) return [];
      const own = node.type === undefined && node['x-kubernetes-int-or-string'] !== true ? [path] : [];
      const below = isRecord(node.properties) ? Object.entries(node.properties) : [];
      const others = [node.items, node.additionalProperties].filter(isRecord).flatMap((each) => walk(each, `${path}[]`));
      return [...own, ...below.flatMap(([name, each]) => walk(each, `${path}.${name}`)), ...others];
    };
    expect(walk(PlacementPolicy.crd().spec.versions[0]?.schema.openAPIV3Schema, '')).toEqual([]);
  });
});

describe('closest', () => {
  it.each([
    ['maxReplica', 'maxReplicas'],
    ['MAXREPLICAS', 'maxReplicas'],
    ['wieght', 'weight'],
    ['tir', 'tier'],
    ['xy', undefined],
    ['te', undefined],
    ['', undefined],
    ['weights-and-more', undefined],
  ])('takes %j for %j', (text, expected) => {
    expect(closest(text, ['minReplicas', 'maxReplicas', 'weight', 'tier'])).toBe(expected);
  });

  it('takes no time for texts of absurd length', () => {
    expect(closest('x'.repeat(1_000_000), ['weight'])).toBeUndefined();
  });
});
