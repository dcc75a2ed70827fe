import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeObject, PodObject } from '../../../src/scheduling/estimate/cluster-state.ts';
import { estimateOnNodes, nodesEstimator } from '../../../src/scheduling/estimate/on-nodes.ts';
import { podRequirements, type ReplicaRequirements } from '../../../src/scheduling/estimate/replica.ts';
import { countUnschedulable } from '../../../src/scheduling/estimate/unschedulable.ts';

const READY = [{ type: 'Ready', status: 'True' }];

interface NodeExtras {
  readonly labels?: Record<string, string>;
  readonly spec?: object;
  readonly conditions?: unknown;
}

function node(
  name: string,
  allocatable: object = {},
  { labels = {}, spec = {}, conditions = READY }: NodeExtras = {},
): NodeObject {
  const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } };
  return { metadata, spec, status: { allocatable: { cpu: '10', memory: '10Gi', pods: '110', ...allocatable }, conditions } };
}

interface PodExtras {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

function pod(
  name: string,
  nodeName: string | undefined,
  requests: object = {},
  { metadata, spec, status }: PodExtras = {},
): PodObject {
  const placed = nodeName === undefined ? {} : { nodeName };
  return {
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { ...placed, containers: [{ name: 'c', resources: { requests } }], ...spec },
    status: { phase: nodeName === undefined ? 'Pending' : 'Running', ...status },
  };
}

const one: ReplicaRequirements = { requests: { cpu: '1' } };

function rooms(nodes: readonly NodeObject[], pods: readonly PodObject[] = [], replica: ReplicaRequirements = one): string {
  return estimateOnNodes({ nodes, pods, replica })
    .nodes.map(
      ({ node: name, replicas, reason, resource }) =>
        `${name} ${replicas} ${reason}${resource === undefined ? '' : ` ${resource}`}`,
    )
    .join(', ');
}

describe('estimateOnNodes: resources', () => {
  it.each<[string, string, readonly NodeObject[], readonly PodObject[], ReplicaRequirements]>([
    ['what is free', 'a 7 Resource cpu', [node('a')], [pod('p', 'a', { cpu: '2500m' })], one],
    [
      'each node on its own',
      'a 1 Resource cpu, b 1 Resource cpu',
      [node('a', { cpu: '1900m' }), node('b', { cpu: '1900m' })],
      [],
      one,
    ],
    ['the scarcest', 'a 5 Resource memory', [node('a')], [], { requests: { cpu: '1', memory: '2Gi' } }],
    ['of equally scarce ones the first by name', 'a 10 Resource cpu', [node('a')], [], { requests: { memory: '1Gi', cpu: '1' } }],
    ['pods', 'a 3 Pods', [node('a', { pods: '4' })], [pod('p', 'a')], one],
    ['pods before what is as scarce', 'a 10 Pods', [node('a', { pods: '10' })], [], one],
    ['pods where nothing is asked for', 'a 110 Pods', [node('a')], [], {}],
    ['several pods where so many are asked for', 'a 55 Pods', [node('a')], [], { requests: { pods: '2' } }],
    ['nothing of what a node lacks', 'a 0 Resource gpu', [node('a')], [], { requests: { gpu: '1' } }],
    [
      'nothing of what is named like a part of objects',
      'a 0 Resource constructor',
      [node('a')],
      [],
      { requests: { constructor: '1' } },
    ],
    ['nothing where pods hold more than there is', 'a 0 Resource cpu', [node('a')], [pod('p', 'a', { cpu: '11' })], one],
    ['nothing where a node says of no pods', 'a 0 Pods', [node('a', { pods: undefined })], [], one],
    ['a request of nothing as none', 'a 110 Pods', [node('a')], [], { requests: { gpu: '0' } }],
    [
      'pods that have come to their end as none',
      'a 10 Resource cpu',
      [node('a')],
      [
        pod('p', 'a', { cpu: '4' }, { status: { phase: 'Succeeded' } }),
        pod('q', 'a', { cpu: '4' }, { status: { phase: 'Failed' } }),
      ],
      one,
    ],
    [
      'pods that are being deleted',
      'a 6 Resource cpu',
      [node('a')],
      [pod('p', 'a', { cpu: '4' }, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
      one,
    ],
    ['no pods of nodes that are not there', 'a 10 Resource cpu', [node('a')], [pod('p', 'gone', { cpu: '4' })], one],
  ])('count %s', (_, expected, nodes, pods, replica) => {
    expect(rooms(nodes, pods, replica)).toBe(expected);
  });

  it('says of all nodes what most of them say', () => {
    const nodes = [node('c', { cpu: '1' }), node('a', {}, { conditions: [] }), node('b', { cpu: '2' })];
    expect(estimateOnNodes({ nodes, pods: [], replica: one })).toEqual({
      replicas: 3,
      reason: 'Resource',
      resource: 'cpu',
      reasons: { NotReady: 1, Resource: 2 },
      nodes: [
        { node: 'a', replicas: 0, reason: 'NotReady' },
        { node: 'b', replicas: 2, reason: 'Resource', resource: 'cpu' },
        { node: 'c', replicas: 1, reason: 'Resource', resource: 'cpu' },
      ],
      problems: [],
    });
    expect(estimateOnNodes({ nodes: [], pods: [], replica: one })).toEqual({
      replicas: 0,
      reason: 'NoNodes',
      reasons: {},
      nodes: [],
      problems: [],
    });
  });
});

const tainted = (effect: string, value?: string): NodeObject =>
  node('a', {}, { spec: { taints: [{ key: 'k', effect, ...(value === undefined ? {} : { value }) }] } });
const tolerating = (...tolerations: readonly object[]): ReplicaRequirements => podRequirements({ tolerations });
const OPEN = 'a 110 Pods';

describe('estimateOnNodes: nodes that are not for everyone', () => {
  const cordoned = node('a', {}, { spec: { unschedulable: true } });
  it.each<[string, NodeObject, ReplicaRequirements, string]>([
    ['no node whose conditions are none', node('a', {}, { conditions: null }), {}, 'a 0 NotReady'],
    ['a node that is ready', node('a'), {}, OPEN],
    ['no node without conditions', node('a', {}, { conditions: [] }), {}, 'a 0 NotReady'],
    ['no node that is Unknown', node('a', {}, { conditions: [{ type: 'Ready', status: 'Unknown' }] }), {}, 'a 0 NotReady'],
    ['no cordoned node', cordoned, {}, 'a 0 Unschedulable'],
    [
      'a cordoned node for who tolerates it',
      cordoned,
      tolerating({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }),
      OPEN,
    ],
    ['a cordoned node for who tolerates all', cordoned, tolerating({ operator: 'Exists' }), OPEN],
    [
      'no cordoned node for who tolerates something else',
      cordoned,
      tolerating({ key: 'k', operator: 'Exists' }),
      'a 0 Unschedulable',
    ],
    ['no tainted node', tainted('NoSchedule'), {}, 'a 0 Taint'],
    ['no node with NoExecute', tainted('NoExecute'), {}, 'a 0 Taint'],
    ['a node that would rather not', tainted('PreferNoSchedule'), {}, OPEN],
    ['a taint that is tolerated', tainted('NoSchedule', 'v'), tolerating({ key: 'k', value: 'v' }), OPEN],
    [
      'a taint that is tolerated for some time',
      tainted('NoExecute'),
      tolerating({ key: 'k', operator: 'Exists', tolerationSeconds: 5 }),
      OPEN,
    ],
    [
      'no taint of another value',
      tainted('NoSchedule', 'v'),
      tolerating({ key: 'k', value: 'w', operator: 'Equal' }),
      'a 0 Taint',
    ],
    ['a taint of any value', tainted('NoSchedule', 'v'), tolerating({ key: 'k', operator: 'Exists' }), OPEN],
    ['no taint of another effect', tainted('NoSchedule'), tolerating({ key: 'k', effect: 'NoExecute' }), 'a 0 Taint'],
    ['no taint by an operator that is none', tainted('NoSchedule'), tolerating({ key: 'k', operator: 'Like' }), 'a 0 Taint'],
    ['no taint by another key', tainted('NoSchedule'), tolerating({ key: 'constructor', operator: 'Exists' }), 'a 0 Taint'],
  ])('take %s', (_, given, replica, expected) => {
    expect(rooms([given], [], replica)).toBe(expected);
  });

  const labelled = node('a', {}, { labels: { zone: 'z1', size: '8' } });
  const term = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });
  const field = (operator: string, ...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator, values }] });
  it.each<[string, ReplicaRequirements, boolean]>([
    ['its labels', { nodeSelector: { zone: 'z1', size: '8' } }, true],
    ['one label that is something else', { nodeSelector: { zone: 'z1', size: '9' } }, false],
    ['a label that it has not', { nodeSelector: { constructor: 'x' } }, false],
    ['In', { nodeAffinity: [term('zone', 'In', 'z0', 'z1')] }, true],
    ['In, of others', { nodeAffinity: [term('zone', 'In', 'z0')] }, false],
    ['NotIn', { nodeAffinity: [term('zone', 'NotIn', 'z0')] }, true],
    ['NotIn, of itself', { nodeAffinity: [term('zone', 'NotIn', 'z1')] }, false],
    ['NotIn of a label that it has not', { nodeAffinity: [term('rack', 'NotIn', 'z1')] }, true],
    ['Exists', { nodeAffinity: [term('zone', 'Exists')] }, true],
    ['Exists, of a label that it has not', { nodeAffinity: [term('rack', 'Exists')] }, false],
    ['DoesNotExist', { nodeAffinity: [term('rack', 'DoesNotExist')] }, true],
    ['DoesNotExist, of its label', { nodeAffinity: [term('zone', 'DoesNotExist')] }, false],
    ['Gt', { nodeAffinity: [term('size', 'Gt', '7')] }, true],
    ['Gt, of as much', { nodeAffinity: [term('size', 'Gt', '8')] }, false],
    ['Lt', { nodeAffinity: [term('size', 'Lt', '9')] }, true],
    ['Gt, of no number', { nodeAffinity: [term('zone', 'Gt', '1')] }, false],
    ['one of several terms', { nodeAffinity: [term('zone', 'In', 'z0'), term('zone', 'In', 'z1')] }, true],
    [
      'all of a term',
      {
        nodeAffinity: [
          {
            matchExpressions: [
              { key: 'zone', operator: 'Exists' },
              { key: 'rack', operator: 'Exists' },
            ],
          },
        ],
      },
      false,
    ],
    ['its name', { nodeAffinity: [field('In', 'a')] }, true],
    ['another name', { nodeAffinity: [field('In', 'b')] }, false],
    ['every name but its own', { nodeAffinity: [field('NotIn', 'a')] }, false],
    ['every name but another', { nodeAffinity: [field('NotIn', 'b')] }, true],
    ['its name and another label', { nodeAffinity: [{ ...field('In', 'a'), ...term('rack', 'Exists') }] }, false],
    ['a term that says nothing', { nodeAffinity: [{}] }, false],
    ['no term at all', { nodeAffinity: [] }, false],
    [
      'a selector and an affinity of which one is wrong',
      { nodeSelector: { zone: 'z0' }, nodeAffinity: [term('zone', 'In', 'z1')] },
      false,
    ],
  ])('are chosen by %s', (_, replica, isChosen) => {
    expect(rooms([labelled], [], replica)).toBe(isChosen ? OPEN : 'a 0 Affinity');
  });

  it.each<[ReplicaRequirements, string]>([
    [{ nodeAffinity: [term('zone', 'Like', 'z')] }, 'nodeAffinity[0].matchExpressions[0]'],
    [{ nodeAffinity: [term('zone', 'Exists'), term('zone', 'In')] }, 'nodeAffinity[1].matchExpressions[0]'],
    [{ nodeAffinity: [term('zone', 'Exists', 'z')] }, 'nodeAffinity[0].matchExpressions[0]'],
    [{ nodeAffinity: [term('size', 'Gt', 'big')] }, 'nodeAffinity[0].matchExpressions[0]'],
    [{ nodeAffinity: [field('In', 'a', 'b')] }, 'nodeAffinity[0].matchFields[0]'],
    [
      { antiAffinity: [{ topologyKey: 'zone', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Gt' }] } }] },
      'antiAffinity[0].labelSelector',
    ],
    [{ selector: { matchExpressions: [{ key: 'a', operator: 'Gt' }] } }, 'selector'],
    [{ requests: { cpu: 'lots' } }, 'requests[cpu]'],
    [{ requests: { cpu: '-1' } }, 'requests[cpu]'],
  ])('can not be chosen by %j', (replica, where) => {
    expect(() => rooms([labelled], [], replica)).toThrow(expect.objectContaining({ code: 'Invalid', field: where }));
  });
});

describe('estimateOnNodes: ports of nodes', () => {
  const taking = (port: object) => pod('p', 'a', {}, { spec: { containers: [{ ports: [port] }] } });
  it.each<[string, object | undefined, ReplicaRequirements, string]>([
    ['one replica', undefined, { hostPorts: [{ port: 80 }] }, 'a 1 HostPort'],
    ['no replica where the port is taken', { hostPort: 80 }, { hostPorts: [{ port: 80 }] }, 'a 0 HostPort'],
    ['another port', { hostPort: 81 }, { hostPorts: [{ port: 80 }] }, 'a 1 HostPort'],
    ['another protocol', { hostPort: 80, protocol: 'UDP' }, { hostPorts: [{ port: 80 }] }, 'a 1 HostPort'],
    ['another address', { hostPort: 80, hostIP: '10.0.0.1' }, { hostPorts: [{ port: 80, hostIP: '10.0.0.2' }] }, 'a 1 HostPort'],
    ['not one of every address', { hostPort: 80, hostIP: '10.0.0.1' }, { hostPorts: [{ port: 80 }] }, 'a 0 HostPort'],
    [
      'not an address of every',
      { hostPort: 80, hostIP: '0.0.0.0' },
      { hostPorts: [{ port: 80, hostIP: '10.0.0.2' }] },
      'a 0 HostPort',
    ],
    ['no ports that are only of a container', { containerPort: 80 }, { hostPorts: [{ port: 80 }] }, 'a 1 HostPort'],
    ['what is scarce where that is less', undefined, { hostPorts: [{ port: 80 }], requests: { gpu: '1' } }, 'a 0 Resource gpu'],
  ])('allow %s', (_, port, replica, expected) => {
    expect(rooms([node('a')], port === undefined ? [] : [taking(port)], replica)).toBe(expected);
  });
});

describe('estimateOnNodes: anti-affinity', () => {
  const HOSTNAME = 'kubernetes.io/hostname';
  const web = { app: 'web' };
  const against = (topologyKey: string, more: object = {}) => ({ topologyKey, labelSelector: { matchLabels: web }, ...more });
  const replica = (...terms: readonly object[]): ReplicaRequirements =>
    podRequirements(
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
      { labels: web, namespace: 'shop' },
    );
  const zones = [
    node('a', {}, { labels: { zone: '1' } }),
    node('b', {}, { labels: { zone: '1' } }),
    node('c', {}, { labels: { zone: '2' } }),
  ];
  const running = (name: string, metadata: object = { labels: web }, spec: object = {}) => pod(name, 'b', {}, { metadata, spec });
  const shy = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [against('zone')] } } };
  const [ONE, NONE, MANY, LESS] = ['1 AntiAffinity', '0 AntiAffinity', '110 Pods', '109 Pods'];
  it.each<[string, ReplicaRequirements, readonly PodObject[], readonly string[]]>([
    ['one on each node', replica(against(HOSTNAME)), [], [ONE, ONE, ONE]],
    ['one in each zone', replica(against('zone')), [], [ONE, NONE, ONE]],
    ['none beside those that run', replica(against(HOSTNAME)), [running('p')], [ONE, NONE, ONE]],
    ['none in their zone', replica(against('zone')), [running('p')], [NONE, NONE, ONE]],
    ['all beside others', replica(against('zone')), [running('p', { labels: { app: 'db' } })], [ONE, NONE, ONE]],
    [
      'all beside those of another namespace',
      replica(against(HOSTNAME)),
      [running('p', { labels: web, namespace: 'other' })],
      [ONE, ONE, ONE],
    ],
    [
      'none beside those of a namespace that is named',
      replica(against(HOSTNAME, { namespaces: ['other'] })),
      [running('p', { labels: web, namespace: 'other' })],
      [MANY, NONE, MANY],
    ],
    [
      'none beside those of any namespace',
      replica(against(HOSTNAME, { namespaceSelector: {} })),
      [running('p', { labels: web, namespace: 'other' })],
      [ONE, NONE, ONE],
    ],
    ['all where no pods are meant', replica({ topologyKey: HOSTNAME }), [running('p')], [MANY, LESS, MANY]],
    [
      'none near a pod that keeps it away',
      { labels: web, namespace: 'shop' },
      [running('p', { labels: { app: 'db' } }, shy)],
      [NONE, NONE, MANY],
    ],
    [
      'all near a pod that keeps others away',
      { labels: { app: 'x' }, namespace: 'shop' },
      [running('p', { labels: { app: 'db' } }, shy)],
      [MANY, LESS, MANY],
    ],
    [
      'all beside those that have its own value of a label that must not match (KEP-3633)',
      replica(against('zone', { mismatchLabelKeys: ['app'], labelSelector: {} })),
      [running('p'), pod('q', 'c', {}, { metadata: { labels: { app: 'db' } } })],
      [MANY, LESS, NONE],
    ],
    [
      'all beside those that have another value of a label that must match (KEP-3633)',
      replica(against('zone', { matchLabelKeys: ['app', 'missing'], labelSelector: {} })),
      [running('p', { labels: { app: 'db' } })],
      [ONE, NONE, ONE],
    ],
    ['all where nodes have no such label', replica(against('rack')), [running('p')], [MANY, LESS, MANY]],
    [
      'one where nobody knows the namespace',
      {
        ...podRequirements(
          { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [against(HOSTNAME)] } } },
          { labels: web },
        ),
      },
      [running('p')],
      [ONE, NONE, ONE],
    ],
  ])('allows %s', (_, given, pods, expected) => {
    expect(rooms(zones, pods, given)).toBe(['a', 'b', 'c'].map((name, index) => `${name} ${expected[index]}`).join(', '));
  });
});

describe('estimateOnNodes: pods that wait', () => {
  const waits = (name: string, cpu: string, extras: PodExtras = {}) => pod(name, undefined, { cpu }, extras);
  const two = [node('a', { cpu: '4' }), node('b', { cpu: '4' })];
  it.each<[string, readonly PodObject[], ReplicaRequirements, readonly [number, number]]>([
    ['take the first node that has room', [waits('p', '3')], one, [1, 4]],
    ['take the next', [waits('p', '3'), waits('q', '3')], one, [1, 1]],
    ['take nothing where they fit nowhere', [waits('p', '5')], one, [4, 4]],
    [
      'take their turn by age',
      [
        waits('p', '3', { metadata: { creationTimestamp: '2026-01-02T00:00:00Z' } }),
        waits('q', '4', { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } }),
      ],
      one,
      [0, 1],
    ],
    ['take their turn by priority', [waits('p', '3'), waits('q', '2', { spec: { priority: 9 } }), waits('r', '2')], one, [0, 1]],
    ['go back to smaller gaps', [waits('p', '3'), waits('q', '3'), waits('r', '1')], one, [0, 1]],
    [
      'are left out when they are its own',
      [waits('p', '3', { metadata: { labels: { app: 'web' } } })],
      { ...one, selector: { matchLabels: { app: 'web' } }, namespace: 'shop' },
      [4, 4],
    ],
    [
      'are not its own in another namespace',
      [waits('p', '3', { metadata: { labels: { app: 'web' } } })],
      { ...one, selector: { matchLabels: { app: 'web' } }, namespace: 'other' },
      [1, 4],
    ],
    [
      'do not wait while they are being deleted',
      [waits('p', '3', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
      one,
      [4, 4],
    ],
    ['do not wait behind a gate', [waits('p', '3', { spec: { schedulingGates: [{ name: 'quota' }] } })], one, [4, 4]],
    [
      'go where they may',
      [
        waits('p', '3', {
          spec: { containers: [{ resources: { requests: { cpu: '3' } } }], nodeSelector: { 'kubernetes.io/hostname': 'b' } },
        }),
      ],
      one,
      [4, 1],
    ],
  ])('%s', (_, pods, replica, expected) => {
    const { nodes } = estimateOnNodes({ nodes: two, pods, replica });
    expect(nodes.map(({ replicas }) => replicas)).toEqual(expected);
  });

  it('keep away from each other as they ask', () => {
    const affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
        ],
      },
    };
    const db = ['p', 'q', 'r'].map((name) =>
      waits(name, '1', {
        metadata: { labels: { app: 'db' } },
        spec: { affinity, containers: [{ resources: { requests: { cpu: '1' } } }] },
      }),
    );
    expect(rooms(two, db)).toBe('a 3 Resource cpu, b 3 Resource cpu');
  });

  it('are told apart by their labels where somebody keeps away from some of them', () => {
    const affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
        ],
      },
    };
    const shy = pod('s', 'a', {}, { spec: { affinity } });
    const [other, db] = ['other', 'db'].map((app) =>
      waits(app, '1', { metadata: { creationTimestamp: app === 'db' ? '2' : '1', labels: { app } } }),
    );
    expect(other !== undefined && db !== undefined && rooms(two, [shy, other, db])).toBe('a 3 Resource cpu, b 3 Resource cpu');
  });

  it('keep away from each other and from what runs, whoever of the two asks for it and comes first', () => {
    const names = ['a', 'b', 'c'];
    const app = fc.constantFrom('x', 'y', 'z');
    const some = fc.record({ app, avoids: fc.option(app, { nil: undefined }), version: fc.constantFrom('1', '2') });
    type Some = { readonly app: string; readonly avoids: string | undefined; readonly version: string };
    const written = ({ app: own, avoids, version }: Some, name: string, on: string | undefined): PodObject => {
      const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: avoids } } };
      const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
      return pod(
        name,
        on,
        { cpu: '1' },
        {
          metadata: { labels: { app: own, version } },
          spec: { ...(avoids === undefined ? {} : { affinity }), containers: [{ resources: { requests: { cpu: '1' } } }] },
        },
      );
    };
    const collide = (a: Some, b: Some): boolean => a.avoids === b.app || b.avoids === a.app;
    fc.assert(
      fc.property(fc.array(some, { maxLength: 3 }), fc.array(some, { maxLength: 8 }), (running, waiting) => {
        const on = new Map(names.map((name): [string, Some[]] => [name, []]));
        const pods = running.map((each, index) => {
          const name = names[index % 3] ?? 'a';
          on.get(name)?.push(each);
          return written(each, `r-${index}`, name);
        });
        for (const each of waiting) {
          const free = names.find((name) => {
            const there = on.get(name) ?? [];
            return there.length < 4 && !there.some((other) => collide(each, other));
          });
          if (free !== undefined) on.get(free)?.push(each);
        }
        const { nodes } = estimateOnNodes({
          nodes: names.map((name) => node(name, { cpu: '4' })),
          pods: [...pods, ...waiting.map((each, index) => written(each, `w-${index}`, undefined))],
          replica: one,
        });
        expect(nodes.map(({ replicas }) => replicas)).toEqual(names.map((name) => 4 - (on.get(name) ?? []).length));
      }),
    );
  });

  it('take ports', () => {
    const port = { ports: [{ hostPort: 80 }] };
    expect(rooms(two, [waits('p', '1', { spec: { containers: [port] } })], { hostPorts: [{ port: 80 }] })).toBe(
      'a 0 HostPort, b 1 HostPort',
    );
  });
});

describe('countUnschedulable', () => {
  const now = '2026-01-01T01:00:00Z';
  const stuck = (lastTransitionTime: string | undefined, extras: PodExtras = {}, reason = 'Unschedulable') =>
    pod(
      'p',
      undefined,
      {},
      {
        ...extras,
        status: {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason,
              ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
            },
          ],
          ...extras.status,
        },
      },
    );
  const web = { labels: { app: 'web' } };
  it.each<[string, number, PodObject]>([
    ['has waited for so long', 1, stuck('2026-01-01T00:59:00Z', { metadata: web })],
    ['has waited for less', 0, stuck('2026-01-01T00:59:01Z', { metadata: web })],
    ['is somebody else’s', 0, stuck('2026-01-01T00:00:00Z')],
    ['is of another namespace', 0, stuck('2026-01-01T00:00:00Z', { metadata: { ...web, namespace: 'other' } })],
    ['waits for something else', 0, stuck('2026-01-01T00:00:00Z', { metadata: web }, 'SchedulingGated')],
    ['is being deleted', 0, stuck('2026-01-01T00:00:00Z', { metadata: { ...web, deletionTimestamp: now } })],
    ['has a node after all', 0, stuck('2026-01-01T00:00:00Z', { metadata: web, spec: { nodeName: 'a' } })],
    ['has failed', 0, stuck('2026-01-01T00:00:00Z', { metadata: web, status: { phase: 'Failed' } })],
    ['says not since when, and is old', 1, stuck(undefined, { metadata: { ...web, creationTimestamp: '2026-01-01T00:00:00Z' } })],
    ['says not since when, and has no age', 0, stuck(undefined, { metadata: web })],
    ['says nothing', 0, pod('p', undefined, {}, { metadata: web })],
  ])('counts a pod that %s as %j', (_, expected, given) => {
    const query = { selector: { matchLabels: { app: 'web' } }, namespace: 'shop' };
    expect(countUnschedulable([given], { ...query, now, seconds: 60 })).toBe(expected);
    const estimate = estimateOnNodes({ nodes: [], pods: [given], replica: query, unschedulableSince: { now, seconds: 60 } });
    expect(estimate.unschedulable).toBe(expected);
  });
});

describe('countUnschedulable: the time', () => {
  it.each([
    ['soon', 60],
    ['2026-01-01T00:00:00Z', Number.NaN],
  ])('can not be %j with %j seconds', (now, seconds) => {
    expect(() => countUnschedulable([], { now, seconds })).toThrow(expect.objectContaining({ code: 'Invalid', field: 'now' }));
  });
});

describe('estimateOnNodes: what can not be read', () => {
  it('counts as not said, and is reported', () => {
    const broken = {
      metadata: { name: 'b', labels: { zone: 7 } },
      spec: { taints: 'x' },
      status: { allocatable: { cpu: 'lots', memory: '-1', pods: 5 }, conditions: READY },
    };
    const pods = [
      pod('z', 'a', { cpu: 'much' }),
      pod('y', 'a', { cpu: '-1', memory: '1Gi' }),
      pod(
        'x',
        'a',
        {},
        {
          spec: {
            affinity: {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z', labelSelector: { matchExpressions: [{}] } }],
              },
            },
          },
        },
      ),
    ];
    const { replicas, problems } = estimateOnNodes({ nodes: [node('a'), broken], pods, replica: one });
    expect(replicas).toBe(10);
    expect(problems.map(({ object, field, message }) => `${object.kind} ${object.name} ${field}: ${message}`)).toEqual([
      'Node b status.allocatable[cpu]: "lots" is no quantity',
      'Node b status.allocatable[memory]: must not be negative',
      expect.stringMatching(/^Pod x antiAffinity\[0\]\.labelSelector: /),
      'Pod y spec.containers[0].resources.requests[cpu]: must not be negative',
      'Pod z spec.containers[0].resources.requests[cpu]: "much" is no quantity',
    ]);
  });

  it('stops at a hundred reports', () => {
    const pods = Array.from({ length: 150 }, (_, index) => pod(`p${String(index).padStart(3, '0')}`, 'a', { cpu: 'x' }));
    const { problems } = estimateOnNodes({ nodes: [node('a')], pods, replica: one });
    expect(problems).toHaveLength(100);
    expect(problems.at(-1)?.object.name).toBe('p099');
  });

  it('never throws', () => {
    const odd = [
      null,
      7,
      'x',
      [],
      {},
      { metadata: {} },
      { metadata: { name: 'n' } },
      { metadata: { name: 'n' }, spec: 1, status: [] },
    ];
    const mixed = odd as unknown as readonly NodeObject[];
    expect(rooms(mixed, mixed)).toBe('n 0 NotReady');
  });

  it('counts one of two nodes of a name, whatever their order', () => {
    const nodes = [node('a', { cpu: '2' }), node('a', { cpu: '3' })];
    expect(rooms(nodes)).toBe(rooms(nodes.toReversed()));
    expect(estimateOnNodes({ nodes, pods: [], replica: one }).problems).toHaveLength(1);
  });
});

describe('estimateOnNodes against placing replicas one by one', () => {
  const amount = fc.integer({ min: 0, max: 40 });
  const requests = fc.record(
    { cpu: amount.map((x) => `${x}00m`), memory: amount.map(String), gpu: fc.integer({ min: 0, max: 3 }).map(String) },
    { requiredKeys: [] },
  );
  const extras = fc.record({
    ready: fc.boolean(),
    cordoned: fc.integer({ max: 5, min: 0 }).map((x) => x === 0),
    tainted: fc.integer({ max: 4, min: 0 }).map((x) => x === 0),
  });
  const someNodes = fc
    .array(fc.tuple(requests, fc.integer({ min: 0, max: 9 }), extras), { maxLength: 5 })
    .map((all) =>
      all.map(([allocatable, pods, { cordoned, tainted: isTainted }], index) =>
        node(
          `n${index}`,
          { cpu: '0', memory: '0', ...allocatable, pods: String(pods) },
          { spec: { unschedulable: cordoned, taints: isTainted ? [{ key: 'k', effect: 'NoSchedule' }] : [] } },
        ),
      ),
    );
  const somePods = fc
    .array(fc.tuple(requests, fc.integer({ min: 0, max: 5 })), { maxLength: 8 })
    .map((all) => all.map(([asked, on], index) => pod(`p${index}`, `n${on}`, asked)));
  const total = (nodes: readonly NodeObject[], pods: readonly PodObject[], asked: Record<string, string>) =>
    estimateOnNodes({ nodes, pods, replica: { requests: asked } }).replicas;

  it('finds room for as many, and for no more', () => {
    let placedInAll = 0;
    const names = ['cpu', 'memory', 'gpu', 'pods'] as const;
    type Numbers = Readonly<Partial<Record<(typeof names)[number], number>>>;
    const numbers = (max: number) => {
      const each = fc.integer({ min: 0, max });
      return fc.record({ cpu: each, memory: each, gpu: each }, { requiredKeys: [] });
    };
    const pods = fc.integer({ min: 0, max: 9 });
    const written = (some: Numbers): object => {
      const { cpu, ...rest } = some;
      return { ...rest, ...(cpu === undefined ? {} : { cpu: `${cpu}00m` }) };
    };
    /** One after the other, until the next would be too much. */
    const fill = (has: Numbers, held: readonly Numbers[], asked: Numbers): number => {
      const left = new Map(names.map((name) => [name, has[name] ?? 0]));
      for (const each of held)
        for (const name of names) left.set(name, (left.get(name) ?? 0) - (name === 'pods' ? 1 : (each[name] ?? 0)));
      for (let count = 0; ; count += 1) {
        for (const name of names) {
          const need = name === 'pods' ? 1 : (asked[name] ?? 0);
          if (need > 0 && (left.get(name) ?? 0) < need) return count;
          left.set(name, (left.get(name) ?? 0) - need);
        }
      }
    };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(numbers(60), pods, fc.array(numbers(9), { maxLength: 3 }), fc.boolean()), { maxLength: 5 }),
        numbers(9),
        (all, asked) => {
          const nodes = all.map(([has, room, , cordoned], index) =>
            node(`n${index}`, { cpu: '0', memory: '0', ...written(has), pods: room }, { spec: { unschedulable: cordoned } }),
          );
          const running = all.flatMap(([, , held], index) =>
            held.map((each, at) => pod(`p${index}-${at}`, `n${index}`, written(each))),
          );
          const expected = all.map(([has, room, held, cordoned]) => (cordoned ? 0 : fill({ ...has, pods: room }, held, asked)));
          const estimate = estimateOnNodes({
            nodes,
            pods: running,
            replica: podRequirements({ containers: [{ resources: { requests: written(asked) } }] }),
          });
          expect(estimate.nodes.map(({ replicas }) => replicas)).toEqual(expected);
          placedInAll += estimate.replicas;
        },
      ),
      { numRuns: 600 },
    );
    expect(placedInAll).toBeGreaterThan(500);
  });

  it('never falls with another node, never rises with another pod on a node', () => {
    fc.assert(
      fc.property(someNodes, somePods, requests, (nodes, pods, asked) => {
        const all = total(nodes, pods, asked);
        expect(total(nodes.slice(1), pods, asked)).toBeLessThanOrEqual(all);
        expect(total(nodes, pods.slice(1), asked)).toBeGreaterThanOrEqual(all);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of nodes and pods, and changes neither', () => {
    const someWaiting = fc
      .array(fc.tuple(requests, fc.integer({ min: 0, max: 2 })), { maxLength: 6 })
      .map((all) => all.map(([asked, priority], index) => pod(`w${index}`, undefined, asked, { spec: { priority } })));
    fc.assert(
      fc.property(someNodes, somePods, someWaiting, requests, (nodes, pods, waiting, asked) => {
        const given = JSON.stringify([nodes, pods, waiting]);
        const replica = { requests: asked };
        const estimate = estimateOnNodes({ nodes, pods: [...pods, ...waiting], replica });
        expect(
          estimateOnNodes({ nodes: nodes.toReversed(), pods: [...waiting.toReversed(), ...pods.toReversed()], replica }),
        ).toEqual(estimate);
        expect(estimate.replicas).toBeLessThanOrEqual(total(nodes, pods, asked));
        expect(JSON.stringify([nodes, pods, waiting])).toBe(given);
        const estimator = nodesEstimator(nodes, [...pods, ...waiting]);
        expect([estimator(replica), estimator({}), estimator(replica)]).toEqual([
          estimate,
          estimateOnNodes({ nodes, pods: [...pods, ...waiting], replica: {} }),
          estimate,
        ]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('tolerations of a replica', () => {
  it('mean the same with empty fields as without them, as for clusters', () => {
    const spec = { taints: [{ key: 'spot', effect: 'NoSchedule' }] };
    const status = { allocatable: { cpu: '2', pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }] };
    const containers = [{ resources: { requests: { cpu: '1' } } }];
    const room = (toleration: object) =>
      estimateOnNodes({
        nodes: [{ metadata: { name: 'n1' }, spec, status }],
        pods: [],
        replica: podRequirements({ containers, tolerations: [toleration] }),
      }).replicas;
    expect(room({ key: 'spot', operator: '', value: '', effect: '' })).toBe(2);
    expect(room({ key: 'spot' })).toBe(2);
    expect(room({ key: 'other', operator: '' })).toBe(0);
  });
});
