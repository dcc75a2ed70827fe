import { readFileSync } from 'node:fs';
import type { ClustersetError } from 'clusterset/kube';
import {
  estimateOnNodes,
  FLEET_SNAPSHOT,
  type NodeObject,
  type PodObject,
  parseSnapshot,
  podRequirements,
  snapshotInput,
  snapshotIssues,
  summarizeCluster,
} from 'clusterset/scheduling';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { trimNode, trimPod } from '../../../src/scheduling/snapshot/trim.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' } as const;
const cache = { ...web, name: 'cache' };
const half = { requests: { cpu: '500m' } };

const snapshot = (parts: object): unknown => ({ ...FLEET_SNAPSHOT, clusters: [], ...parts });

const node = (name: string, cpu: string, more: object = {}): NodeObject => ({
  metadata: { name },
  status: { allocatable: { cpu, memory: '8Gi', pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }] },
  ...more,
});

const pod = (name: string, nodeName: string, cpu: string): PodObject => ({
  metadata: { namespace: 'shop', name },
  spec: { nodeName, containers: [{ name: 'a', resources: { requests: { cpu } } }] },
});

describe('a snapshot', () => {
  it('is read with its clusters in the order of their names, and unknown fields', () => {
    const read = parseSnapshot(snapshot({ takenAt: '2026-01-31T12:00:00Z', clusters: [{ name: 'b', extra: 1 }, { name: 'a' }] }));
    expect(read).toEqual({
      ...FLEET_SNAPSHOT,
      takenAt: '2026-01-31T12:00:00Z',
      clusters: [{ name: 'a' }, { name: 'b', extra: 1 }],
    });
  });

  it('is not changed by being read', () => {
    const value = snapshot({ clusters: [{ name: 'b', summary: { allocatable: { cpu: 4 } } }, { name: 'a' }] });
    const before = structuredClone(value);
    expect(parseSnapshot(value).clusters[1]?.summary).toEqual({ allocatable: { cpu: '4' } });
    expect(value).toEqual(before);
  });

  it('is the example', () => {
    expect(snapshotIssues(parse(readFileSync('examples/schedule/snapshot.yaml', 'utf8')))).toEqual([]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['no object', 5, '', /expected object/],
    ['another kind', { ...FLEET_SNAPSHOT, kind: 'Fleet', clusters: [] }, 'kind', /FleetSnapshot/],
    ['another version', { ...FLEET_SNAPSHOT, apiVersion: 'v1', clusters: [] }, 'apiVersion', /v1alpha1/],
    ['no clusters', { ...FLEET_SNAPSHOT }, 'clusters', /expected array/],
    ['a cluster that is none', snapshot({ clusters: ['eu-1'] }), 'clusters[0]', /expected object/],
    ['a cluster without a name', snapshot({ clusters: [{}] }), 'clusters[0].name', /expected string/],
    ['a name with blanks', snapshot({ clusters: [{ name: 'a b' }] }), 'clusters[0].name', /must not contain blanks/],
    [
      'a name that is there twice',
      snapshot({ clusters: [{ name: 'a' }, { name: 'a' }] }),
      'clusters[1].name',
      /of clusters\[0\]/,
    ],
    ['a bad label', snapshot({ clusters: [{ name: 'a', labels: { '-x': '' } }] }), 'clusters[0].labels[-x]', /./],
    ['room below nothing', snapshot({ clusters: [{ name: 'a', room: -1 }] }), 'clusters[0].room', />=0/],
    ['half a room', snapshot({ clusters: [{ name: 'a', room: 0.5 }] }), 'clusters[0].room', /int/],
    ['room without end', snapshot({ clusters: [{ name: 'a', room: Number.POSITIVE_INFINITY }] }), 'clusters[0].room', /./],
    [
      'an amount that is none',
      snapshot({ clusters: [{ name: 'a', summary: { allocatable: { cpu: 'much' } } }] }),
      'clusters[0].summary.allocatable',
      /quantities/,
    ],
    ['a node without a name', snapshot({ clusters: [{ name: 'a', nodes: [{}] }] }), 'clusters[0].nodes[0].metadata', /./],
    ['a time that is none', snapshot({ takenAt: 'yesterday' }), 'takenAt', /RFC 3339/],
    ['a day that is none', snapshot({ takenAt: '2026-13-40T00:00:00Z' }), 'takenAt', /RFC 3339/],
    ['a workload without a name', snapshot({ workloads: [{ ...web, name: '', clusters: {} }] }), 'workloads[0].name', /./],
    ['replicas below nothing', snapshot({ workloads: [{ ...web, clusters: { a: -1 } }] }), 'workloads[0].clusters.a', />=0/],
    [
      'replicas below nothing in a cluster that is called as JavaScript calls its own things',
      JSON.parse(JSON.stringify(snapshot({ workloads: [{ ...web, clusters: { x: -5 } }] })).replace('"x"', '"__proto__"')),
      'workloads[0].clusters.__proto__',
      /whole number/,
    ],
    [
      'a workload that is there twice',
      snapshot({ workloads: [web, web].map((each) => ({ ...each, clusters: {} })) }),
      'workloads[1].name',
      /is also workloads\[0\]/,
    ],
  ])('is refused: %s', (_name, value, field, message) => {
    const issues = snapshotIssues(value);
    expect(issues.map((issue) => issue.field)).toContain(field);
    expect(issues.find((issue) => issue.field === field)?.message).toMatch(message);
    expect(() => parseSnapshot(value)).toThrow(expect.objectContaining({ code: 'Invalid', issues }));
  });

  it('names everything that is wrong, not the first thing alone', () => {
    const value = snapshot({ takenAt: 'never', clusters: [{ name: 'a', room: -1 }, { name: '' }], workloads: [{}] });
    const fields = snapshotIssues(value).map(({ field }) => field);
    for (const field of ['takenAt', 'clusters[0].room', 'clusters[1].name', 'workloads[0].apiVersion'])
      expect(fields).toContain(field);
  });

  it('may name clusters and labels as JavaScript calls its own things', () => {
    const text = `{"apiVersion": "${FLEET_SNAPSHOT.apiVersion}", "kind": "FleetSnapshot",
      "clusters": [{"name": "__proto__", "room": 2}, {"name": "constructor", "labels": {"constructor": "x"}}],
      "workloads": [{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web",
        "clusters": {"__proto__": 2, "constructor": 3}}]}`;
    const input = snapshotInput(parseSnapshot(JSON.parse(text)), web);
    expect(input.clusters.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect([...input.current]).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ]);
    expect([...input.room]).toEqual([['__proto__', 2]]);
    expect({}).not.toHaveProperty('room');
  });
});

describe('what a snapshot says of a workload', () => {
  const workloads = [
    { ...web, clusters: { 'eu-1': 3, 'us-1': 0 } },
    { ...cache, clusters: { 'eu-1': 1 } },
    { apiVersion: 'v1', kind: 'Namespace', name: 'shop', clusters: { 'us-1': 0 } },
  ];

  it('is where it runs, and where all others are', () => {
    const { current, placements } = snapshotInput({ clusters: [{ name: 'eu-1' }], workloads }, web);
    expect([...current]).toEqual([
      ['eu-1', 3],
      ['us-1', 0],
    ]);
    expect([...placements]).toEqual([
      ['apps/v1/Deployment shop/web', ['eu-1', 'us-1']],
      ['apps/v1/Deployment shop/cache', ['eu-1']],
      ['v1/Namespace shop', ['us-1']],
    ]);
  });

  it('is nothing of one in another namespace', () => {
    expect(snapshotInput({ clusters: [], workloads }, { ...web, namespace: 'other' }).current.size).toBe(0);
  });

  it('gives way to what somebody says that runs', () => {
    const current = new Map([['us-1', 7]]);
    expect(snapshotInput({ clusters: [], workloads }, web, { current }).current).toEqual(current);
  });

  it.each<[string, object, number | undefined]>([
    ['nothing', {}, undefined],
    ['what is said', { room: 7, nodes: [node('n', '1')] }, 7],
    ['no room at all, because it is said', { room: 0, capacity: { cpu: '100' } }, 0],
    ['nodes and pods', { nodes: [node('n', '2')], pods: [pod('p', 'n', '500m')], summary: { allocatable: { cpu: '100' } } }, 3],
    ['nodes without pods', { nodes: [node('n', '2')] }, 4],
    ['sums', { summary: { allocatable: { cpu: '4', pods: '110' }, allocated: { cpu: '1' } }, capacity: { cpu: '100' } }, 6],
    ['capacity, without what runs', { capacity: { cpu: '4' } }, 5],
    ['less capacity than what runs', { capacity: { cpu: '1' } }, 0],
    ['nothing that is asked for', { capacity: { memory: '4Gi' } }, undefined],
  ])('has the room that there is by %s', (_basis, parts, expected) => {
    const clusters = [{ name: 'eu-1', ...parts }];
    expect(snapshotInput({ clusters, workloads }, web, { replica: half }).room.get('eu-1')).toBe(expected);
    expect(snapshotInput({ clusters, workloads }, { ...web, ...half }).room.get('eu-1')).toBe(expected);
  });

  it('counts pods that wait once, whether it has them or their sums', () => {
    const waiting = ['p', 'q'].map((name) => ({
      metadata: { namespace: 'shop', name, labels: { app: 'web' } },
      spec: { containers: [{ resources: { requests: { cpu: '1' } } }] },
    }));
    const nodes = [node('n', '4')];
    const replica = { requests: { cpu: '1' }, selector: { matchLabels: { app: 'web' } }, namespace: 'shop' };
    const clusters = [
      { name: 'raw', nodes, pods: waiting },
      { name: 'sums', summary: summarizeCluster(nodes, waiting) },
    ];
    const current = new Map([
      ['raw', 2],
      ['sums', 2],
    ]);
    // Four fit in all, two of which are among what runs.
    expect([...snapshotInput({ clusters }, web, { replica, current }).room.values()]).toEqual([2, 2]);
  });

  it('leaves room unknown where nobody says what a replica asks for, but for what is said', () => {
    const clusters = [
      { name: 'a', nodes: [node('n', '2')] },
      { name: 'b', room: 2 },
    ];
    expect([...snapshotInput({ clusters }, web).room]).toEqual([['b', 2]]);
  });

  it('names the cluster whose amounts make no sense', () => {
    const clusters = [{ name: 'eu-1', capacity: { cpu: '-1' } }];
    const failed = (): unknown => snapshotInput({ clusters }, web, { replica: half });
    expect(failed).toThrow(/cluster eu-1: capacity\[cpu\]: must not be negative/);
    expect(failed).toThrow(expect.objectContaining({ code: 'Invalid' } satisfies Partial<ClustersetError>));
  });

  it('holds entries, and neither nodes nor summaries', () => {
    const clusters = [{ name: 'a', region: 'eu', nodes: [], pods: [], summary: {}, room: 1 }];
    expect(snapshotInput({ clusters }, web).clusters).toEqual([{ name: 'a', region: 'eu' }]);
  });
});

describe('nodes and pods, trimmed', () => {
  const secret = { name: 'PASSWORD', value: 'hunter2' };
  const full: PodObject = {
    metadata: {
      name: 'p',
      namespace: 'shop',
      labels: { app: 'web' },
      annotations: { note: 'hunter2' },
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [],
      uid: 'u',
    } as PodObject['metadata'],
    spec: {
      nodeName: 'n',
      priority: 5,
      hostNetwork: true,
      serviceAccountName: 'private',
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
      volumes: [{ name: 'v', secret: { secretName: 'private' } }],
      containers: [
        {
          name: 'web',
          image: 'registry.example/private',
          env: [secret],
          command: ['--token=hunter2'],
          resources: { requests: { cpu: '1' }, claims: [{ name: 'private' }] },
          ports: [{ name: 'private', containerPort: 80 }],
        },
      ],
      initContainers: [{ name: 'side', image: 'private', restartPolicy: 'Always', env: [secret] }],
      affinity: { podAffinity: { private: true }, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    },
    status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True', message: 'private' }] },
  };

  it('hold nothing private', () => {
    expect(trimPod(full)).toEqual({
      metadata: { name: 'p', namespace: 'shop', labels: { app: 'web' }, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        nodeName: 'n',
        hostNetwork: true,
        priority: 5,
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ operator: 'Exists' }],
        containers: [{ resources: { requests: { cpu: '1' } }, ports: [{ containerPort: 80 }] }],
        initContainers: [{ restartPolicy: 'Always' }],
      },
      status: { phase: 'Running' },
    });
    const metadata = { name: 'n', labels: { a: 'b' }, annotations: { private: '' } } as NodeObject['metadata'];
    const spec = { unschedulable: true, taints: [], providerID: 'private' };
    const status = {
      allocatable: { cpu: '1' },
      images: ['private'],
      conditions: [{ type: 'Ready', status: 'True', message: 'private' }],
    };
    expect(trimNode({ metadata, spec, status })).toEqual({
      metadata: { name: 'n', labels: { a: 'b' } },
      spec: { unschedulable: true, taints: [] },
      status: { allocatable: { cpu: '1' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
    expect(JSON.stringify(trimPod(full))).not.toMatch(/hunter2|private/);
  });

  const cpu = fc.constantFrom('100m', '500m', '1', '2', 'nonsense');
  const labels = fc.constantFrom({ app: 'web' }, { app: 'cache' }, {});
  const term = {
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchLabels: { app: 'web' } },
  };
  const podSpec = fc.record(
    {
      containers: fc.array(
        fc.record({
          image: fc.constant('private'),
          resources: fc.record({ requests: fc.record({ cpu }), limits: fc.record({ memory: fc.constant('1Gi') }) }),
          ports: fc.constantFrom([], [{ hostPort: 80 }], [{ containerPort: 80 }]),
        }),
        { maxLength: 2 },
      ),
      initContainers: fc.array(
        fc.record({ restartPolicy: fc.constantFrom('Always', 'Never'), resources: fc.record({ requests: fc.record({ cpu }) }) }),
        { maxLength: 2 },
      ),
      nodeName: fc.constantFrom('a', 'b', 'elsewhere'),
      hostNetwork: fc.boolean(),
      priority: fc.integer({ min: 0, max: 3 }),
      overhead: fc.record({ cpu }),
      resources: fc.record({ requests: fc.record({ cpu }) }),
      schedulingGates: fc.constantFrom([], [{ name: 'wait' }]),
      nodeSelector: fc.constantFrom({}, { disk: 'ssd' }),
      tolerations: fc.constantFrom([], [{ key: 'gpu', operator: 'Exists' }]),
      affinity: fc.constantFrom(
        { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
        {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
            },
          },
        },
      ),
    },
    { requiredKeys: [] },
  );
  const pods = fc.array(
    fc.record({
      metadata: fc.record({ name: fc.stringMatching(/^[a-z]{1,3}$/), namespace: fc.constantFrom('shop', 'other'), labels }),
      spec: podSpec,
      status: fc.record({
        phase: fc.constantFrom('Running', 'Pending', 'Succeeded'),
        podIP: fc.constant('10.0.0.1'),
        conditions: fc.constantFrom(
          [],
          [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              lastTransitionTime: '2025-12-31T00:00:00Z',
              message: 'x',
            },
          ],
        ),
      }),
    }),
    { maxLength: 8 },
  );
  const nodes = fc.tuple(
    ...['a', 'b'].map((name) =>
      fc.record({
        metadata: fc.record({
          name: fc.constant(name),
          labels: fc.constantFrom({ 'kubernetes.io/hostname': name }, { 'kubernetes.io/hostname': name, disk: 'ssd' }),
        }),
        spec: fc.constantFrom({}, { unschedulable: true }, { taints: [{ key: 'gpu', effect: 'NoSchedule' }], podCIDR: 'x' }),
        status: fc.record({
          allocatable: fc.constantFrom({ cpu: '4', memory: '16Gi', pods: '110' }, { cpu: '8', memory: '4Gi', pods: '3' }),
          conditions: fc.constantFrom([{ type: 'Ready', status: 'True' }], [{ type: 'Ready', status: 'False' }], []),
          images: fc.constant(['private']),
        }),
      }),
    ),
  );

  it('say the same to every estimate', () => {
    fc.assert(
      fc.property(nodes, pods, podSpec, (allNodes, allPods, spec) => {
        const [few, little] = [allNodes.map(trimNode), allPods.map(trimPod)];
        const options = { labelKeys: ['disk'] };
        expect(summarizeCluster(few, little, options)).toEqual(summarizeCluster(allNodes, allPods, options));
        let replica: ReturnType<typeof podRequirements>;
        try {
          replica = podRequirements(spec, { labels: { app: 'web' }, namespace: 'shop' });
        } catch {
          // An amount that is nonsense: nothing is asked then.
          return;
        }
        const unschedulableSince = { now: '2026-01-01T00:00:00Z', seconds: 0 };
        const input = { replica: { ...replica, selector: { matchLabels: { app: 'web' } } }, unschedulableSince };
        expect(estimateOnNodes({ nodes: few, pods: little, ...input })).toEqual(
          estimateOnNodes({ nodes: allNodes, pods: allPods, ...input }),
        );
      }),
    );
  });
});
