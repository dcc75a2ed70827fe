import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classesEstimator, estimateOnClasses, nodeClasses } from '../../../src/scheduling/estimate/classes.ts';
import { nodeClassesSchema } from '../../../src/scheduling/estimate/classes-schema.ts';
import type { NodeObject, PodObject } from '../../../src/scheduling/estimate/cluster-state.ts';
import { estimateOnNodes } from '../../../src/scheduling/estimate/on-nodes.ts';
import { partition } from '../../../src/scheduling/estimate/partition.ts';
import type { ReplicaRequirements } from '../../../src/scheduling/estimate/replica.ts';

const ZONE = 'topology.kubernetes.io/zone';

function node(
  name: string,
  allocatable: object,
  labels: Record<string, string> = {},
  spec: object = {},
  ready = 'True',
): NodeObject {
  const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } };
  return {
    metadata,
    spec,
    status: { allocatable: { pods: '110', ...allocatable }, conditions: [{ type: 'Ready', status: ready }] },
  };
}

function pod(name: string, nodeName: string | undefined, requests: object): PodObject {
  const placed = nodeName === undefined ? {} : { nodeName };
  return { metadata: { name, namespace: 'shop' }, spec: { ...placed, containers: [{ resources: { requests } }] }, status: {} };
}

describe('nodeClasses', () => {
  it('puts together what scheduling can not tell apart', () => {
    const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };
    const nodes = [
      node('a', { cpu: '4' }, { [ZONE]: '1', rack: '7' }),
      node('b', { cpu: '4' }, { [ZONE]: '1', rack: '8' }),
      node('c', { cpu: '8' }, { [ZONE]: '1' }),
      node('d', { cpu: '4' }, { [ZONE]: '2' }),
      node('e', { cpu: '4' }, { [ZONE]: '2' }, { unschedulable: true }),
      node('f', { cpu: '4' }, { [ZONE]: '2' }, { taints: [taint, { key: 'k', effect: 'PreferNoSchedule' }] }),
      node('g', { cpu: '4' }, {}, {}, 'False'),
    ];
    const classes = nodeClasses(nodes, [pod('p', 'c', { cpu: '1' }), pod('q', 'd', { cpu: '9' })]);
    expect(classes).toEqual({
      labelKeys: [
        'kubernetes.io/arch',
        'kubernetes.io/os',
        'node.kubernetes.io/instance-type',
        'topology.kubernetes.io/region',
        ZONE,
      ],
      classes: [
        {
          labels: { [ZONE]: '1' },
          free: [
            { count: 2, amounts: { cpu: '4', pods: '110' } },
            { count: 1, amounts: { cpu: '7', pods: '109' } },
          ],
        },
        { labels: { [ZONE]: '2' }, taints: [taint], free: [{ count: 1, amounts: { cpu: '4', pods: '110' } }] },
        { labels: { [ZONE]: '2' }, unschedulable: true, free: [{ count: 1, amounts: { cpu: '4', pods: '110' } }] },
        { labels: { [ZONE]: '2' }, free: [{ count: 1, amounts: { pods: '109' } }] },
      ],
    });
    expect(nodeClassesSchema.parse(JSON.parse(JSON.stringify(classes)))).toEqual(classes);
  });

  it('counts as the least of them where there are too many', () => {
    const nodes = [1, 2, 3, 11, 12].map((cpu) => node(`n${cpu}`, { cpu: String(cpu) }));
    const free = (maxEntries: number) =>
      nodeClasses(nodes, [], { maxEntries }).classes.flatMap((each) =>
        each.free.map(({ count, amounts }) => `${count}×${amounts.cpu}`),
      );
    expect(free(1)).toEqual(['5×1']);
    expect(free(2)).toEqual(['3×1', '2×11']);
    expect(free(5)).toEqual(['1×1', '1×11', '1×12', '1×2', '1×3']);
  });

  it('leaves out the smallest classes where there are too many', () => {
    const nodes = [...'aabbbc'].map((zone, index) => node(`n${index}`, { cpu: '1' }, { [ZONE]: zone }));
    const { classes, leftOut } = nodeClasses(nodes, [], { maxEntries: 2 });
    expect(classes.map(({ labels }) => labels?.[ZONE])).toEqual(['a', 'b']);
    expect(leftOut).toBe(1);
    expect(nodeClasses(nodes, [], { maxEntries: 0 })).toMatchObject({ classes: [], leftOut: 6 });
  });

  it('stays small for a large cluster, and near to what it says of it', () => {
    const nodes = Array.from({ length: 5000 }, (_, index) =>
      node(
        `n${index}`,
        { cpu: String(8 << (index % 3)), memory: `${32 << (index % 4)}Gi`, 'ephemeral-storage': '100Gi' },
        { [ZONE]: `z${index % 3}`, 'node.kubernetes.io/instance-type': `m${index % 4}` },
      ),
    );
    const pods = nodes.flatMap((_, index) =>
      [0, 1, 2].map((at) =>
        pod(`p${index}-${at}`, `n${index}`, {
          cpu: `${(index * 7919 + at * 104729) % 2500}m`,
          memory: `${(index * 31 + at * 17) % 8000}Mi`,
        }),
      ),
    );
    const classes = nodeClasses(nodes, pods);
    expect(classes.classes.flatMap(({ free }) => free).length).toBeLessThanOrEqual(64);
    expect(JSON.stringify(classes).length).toBeLessThan(10_000);
    const replica = { requests: { cpu: '500m', memory: '2Gi' } };
    const exact = estimateOnNodes({ nodes, pods, replica }).replicas;
    const estimate = estimateOnClasses(classes, replica).replicas;
    expect(estimate).toBeLessThanOrEqual(exact);
    expect(estimate).toBeGreaterThan(exact * 0.75);
  });
});

describe('estimateOnClasses', () => {
  const nodes = [
    node('a', { cpu: '4' }, { [ZONE]: '1', rack: '7' }),
    node('b', { cpu: '4' }, { [ZONE]: '1', rack: '8' }),
    node('c', { cpu: '2' }, { [ZONE]: '2' }),
    node('d', { cpu: '2' }, { [ZONE]: '2' }, { unschedulable: true }),
    node('e', { cpu: '1' }, {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] }),
  ];
  const self = (topologyKey: string): ReplicaRequirements => ({
    labels: { app: 'web' },
    antiAffinity: [{ topologyKey, labelSelector: { matchLabels: { app: 'web' } } }],
  });
  const affinity = (key: string, operator: string, ...values: string[]) => ({
    nodeAffinity: [{ matchExpressions: [{ key, operator, values }] }],
  });
  it.each<[string, ReplicaRequirements, object]>([
    [
      'what is free',
      { requests: { cpu: '1' } },
      { replicas: 10, reason: 'Resource', resource: 'cpu', reasons: { Resource: 3, Unschedulable: 1, Taint: 1 } },
    ],
    ['whole replicas on each node', { requests: { cpu: '3' } }, { replicas: 2 }],
    [
      'cordoned nodes where that is tolerated',
      { requests: { cpu: '1' }, tolerations: [{ operator: 'Exists' }] },
      { replicas: 13 },
    ],
    ['nodes by a label that is kept', { requests: { cpu: '1' }, nodeSelector: { [ZONE]: '2' } }, { replicas: 2 }],
    ['no nodes by a label that is not', { nodeSelector: { rack: '7' } }, { replicas: 0, reason: 'Affinity' }],
    ['no nodes by the absence of a label that is not', affinity('rack', 'DoesNotExist'), { replicas: 0, reason: 'Affinity' }],
    [
      'nodes by the absence of a label that is',
      { ...affinity(ZONE, 'DoesNotExist'), tolerations: [{ operator: 'Exists' }] },
      { replicas: 110 },
    ],
    [
      'no nodes by name',
      { nodeAffinity: [{ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['a'] }] }] },
      { replicas: 0 },
    ],
    ['one for each node where a port is taken', { hostPorts: [{ port: 80 }] }, { replicas: 3, reason: 'HostPort' }],
    ['one for each node where each must be alone', self('kubernetes.io/hostname'), { replicas: 3, reason: 'AntiAffinity' }],
    ['one for each zone', self(ZONE), { replicas: 2, reason: 'AntiAffinity' }],
    ['one where topologies are not known', self('rack'), { replicas: 1, reason: 'AntiAffinity' }],
  ])('counts %s', (_, replica, expected) => {
    expect(estimateOnClasses(nodeClasses(nodes, []), replica)).toMatchObject(expected);
  });

  it('counts labels that are kept on demand', () => {
    const classes = nodeClasses(nodes, [], { labelKeys: ['rack', '__proto__'] });
    expect(estimateOnClasses(classes, { requests: { cpu: '1' }, nodeSelector: { rack: '7' } }).replicas).toBe(4);
    expect(estimateOnClasses(classes, JSON.parse('{"nodeSelector":{"__proto__":"x"}}')).replicas).toBe(0);
  });

  it('is nothing without nodes', () => {
    expect(estimateOnClasses(nodeClasses([], []), {})).toEqual({ replicas: 0, reason: 'NoNodes', reasons: {} });
  });
});

describe('estimateOnClasses beside estimateOnNodes', () => {
  const amount = fc.integer({ min: 0, max: 12 });
  const amounts = fc.record(
    { cpu: amount.map((x) => `${x}50m`), memory: amount.map((x) => `${x}Mi`), gpu: amount.map(String) },
    { requiredKeys: [] },
  );
  const someNodes = fc
    .array(fc.tuple(amounts, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 20,
    })
    .map((all) =>
      all.map(([has, zone, kind, pods], index) =>
        node(
          `n${String(index).padStart(2, '0')}`,
          { ...has, pods: String(pods) },
          zone === 0 ? {} : { [ZONE]: String(zone) },
          { unschedulable: kind === 0, taints: kind === 1 ? [{ key: 'k', effect: 'NoExecute' }] : [] },
          kind === 2 ? 'False' : 'True',
        ),
      ),
    );
  const somePods = fc
    .array(fc.tuple(amounts, fc.option(fc.integer({ min: 0, max: 19 }), { nil: undefined })), { maxLength: 12 })
    .map((all) =>
      all.map(([asked, on], index) => pod(`p${index}`, on === undefined ? undefined : `n${String(on).padStart(2, '0')}`, asked)),
    );
  const zoned = fc.constantFrom<ReplicaRequirements>(
    {},
    { nodeSelector: { [ZONE]: '1' } },
    { nodeAffinity: [{ matchExpressions: [{ key: ZONE, operator: 'NotIn', values: ['1'] }] }] },
    { tolerations: [{ operator: 'Exists' }] },
  );
  const little = fc.integer({ min: 0, max: 3 });
  const few = fc.record({ cpu: little.map((x) => `${x}50m`), memory: little.map((x) => `${x}Mi`) }, { requiredKeys: [] });
  const replicas = fc
    .tuple(fc.oneof(few, few, amounts), zoned)
    .map(([requests, rest]): ReplicaRequirements => ({ requests, ...rest }));

  it('is never above it, however few entries there are, and the same with enough of them', () => {
    const seen = { less: 0, same: 0 };
    fc.assert(
      fc.property(someNodes, somePods, replicas, fc.integer({ min: 1, max: 6 }), (nodes, pods, replica, maxEntries) => {
        const exact = estimateOnNodes({ nodes, pods, replica }).replicas;
        const estimate = (most: number) => estimateOnClasses(nodeClasses(nodes, pods, { maxEntries: most }), replica).replicas;
        const some = estimate(maxEntries);
        seen[some < exact ? 'less' : 'same'] += 1;
        expect(some).toBeLessThanOrEqual(exact);
        expect(estimate(30)).toBe(exact);
      }),
      { numRuns: 500 },
    );
    expect(seen.less).toBeGreaterThan(20);
    expect(seen.same).toBeGreaterThan(100);
  });

  it('depends neither on the order of nodes and pods, nor on what was asked before', () => {
    fc.assert(
      fc.property(
        someNodes,
        somePods,
        replicas,
        replicas,
        fc.integer({ min: 1, max: 8 }),
        (nodes, pods, one, other, maxEntries) => {
          const classes = nodeClasses(nodes, pods, { maxEntries });
          expect(nodeClasses(nodes.toReversed(), pods.toReversed(), { maxEntries })).toEqual(classes);
          const estimate = classesEstimator(classes);
          const first = estimate(one);
          estimate(other);
          expect(estimate(one)).toEqual(first);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('partition', () => {
  it('never makes more of anything, loses nobody, and has no more cells than allowed', () => {
    const vectors = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(fc.array(vectors, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 20 }), (groups, most) => {
        const cells = partition(groups, most);
        expect(cells.flat().length).toBeLessThanOrEqual(Math.max(most, groups.length));
        groups.forEach((group, index) => {
          const own = cells[index] ?? [];
          expect(own.reduce((sum, { count }) => sum + count, 0)).toBe(group.length);
          for (const at of [0, 1]) {
            const all = group.map((vector) => vector[at] ?? 0).toSorted((a, b) => a - b);
            const kept = own
              .flatMap(({ count, least }) => Array.from({ length: count }, () => least[at] ?? 0))
              .toSorted((a, b) => a - b);
            for (const [place, value] of kept.entries()) expect(value).toBeLessThanOrEqual(all[place] ?? 0);
          }
        });
      }),
    );
  });

  it('cuts where most is kept, measured by what there is of each', () => {
    const vectors = [
      [1, 1000],
      [1, 2000],
      [9, 1000],
      [9, 2000],
    ];
    expect(partition([vectors], 2)).toEqual([
      [
        { count: 2, least: [1, 1000] },
        { count: 2, least: [9, 1000] },
      ],
    ]);
  });
});
