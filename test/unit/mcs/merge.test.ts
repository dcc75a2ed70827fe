import { compareText, utf8 } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { DERIVED_SERVICE_ANNOTATION, type ServiceImport } from '../../../src/mcs/api.ts';
import { checkServiceImport } from '../../../src/mcs/check.ts';
import { exportedService } from '../../../src/mcs/merge/exports.ts';
import { formatPort, mergePorts } from '../../../src/mcs/merge/ports.ts';
import {
  conditionOf,
  exported,
  LATER,
  merged,
  NOW,
  port,
  reasonOf,
  service,
  serviceExport,
  settled,
  stored,
} from './merge-fixtures.ts';

const portsOf = (result: ReturnType<typeof merged>): readonly string[] =>
  (result.serviceImport?.spec?.ports ?? []).map(formatPort);
const withPorts = (cluster: string, second: number, ports: readonly string[]) =>
  exported(cluster, second, { ports: ports.map(port) });

describe('the import', () => {
  it('is made of what one Service says, with everything explicit that has a default (§1.3, §2.2)', () => {
    const result = merged([
      exported('east', 1, { ports: [{ port: 80 }], internalTrafficPolicy: undefined, sessionAffinity: undefined }),
    ]);
    expect(result.serviceImport).toEqual({
      apiVersion: 'multicluster.x-k8s.io/v1beta1',
      kind: 'ServiceImport',
      metadata: { namespace: 'shop', name: 'web' },
      spec: {
        type: 'ClusterSetIP',
        ports: [{ port: 80, protocol: 'TCP' }],
        ipFamilies: ['IPv4'],
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
      },
      status: {
        clusters: [{ cluster: 'east' }],
        conditions: [
          { type: 'Ready', status: 'False', reason: 'Pending', message: 'waiting for an address', lastTransitionTime: NOW },
        ],
      },
    });
    expect(result.changes).toEqual({ object: true, status: true });
    expect(result.issues).toEqual([]);
  });

  it('has all clusters that count in its status, by name (§2.2)', () => {
    const result = merged([exported('west', 1), exported('east', 2), exported('gone', 0, { type: 'ExternalName' })]);
    expect(result.serviceImport?.status?.clusters).toEqual([{ cluster: 'east' }, { cluster: 'west' }]);
  });

  it('leaves alone what else is in the status (§1.3)', () => {
    const first = stored(merged([exported('east', 1)]));
    const foreign = { type: 'acme.com/Seen', status: 'True', reason: 'Seen', message: '', lastTransitionTime: NOW };
    const status = {
      ...first?.status,
      endpointSliceObjects: 'Present',
      conditions: [foreign, ...(first?.status?.conditions ?? [])],
    };
    const present = { ...first, status } as unknown as ServiceImport;
    const result = merged([exported('east', 1)], { present, now: LATER });
    expect(result.serviceImport?.status).toEqual(status);
    expect(result.changes).toEqual({ object: false, status: false });
  });

  it('is not there when nobody exports (§1.7)', () => {
    expect(merged([])).toMatchObject({ serviceImport: undefined, changes: { object: false, status: false }, decisions: [] });
    const present = stored(merged([exported('east', 1)]));
    expect(merged([], { present }).changes).toEqual({ object: true, status: false });
  });
});

describe('changes', () => {
  const first = stored(merged([exported('east', 1, {}, { exportedLabels: { a: '1' } })]));

  it.each<[string, ReturnType<typeof exported>, { object: boolean; status: boolean }]>([
    ['nothing', exported('east', 1, {}, { exportedLabels: { a: '1' } }), { object: false, status: false }],
    ['other labels', exported('east', 1), { object: true, status: false }],
    [
      'another spec',
      exported('east', 1, { internalTrafficPolicy: 'Local' }, { exportedLabels: { a: '1' } }),
      { object: true, status: false },
    ],
    ['another cluster', exported('west', 1, {}, { exportedLabels: { a: '1' } }), { object: false, status: true }],
  ])('are what has to be written for %s', (_, each, changes) => {
    expect(merged([each], { present: first }).changes).toEqual(changes);
  });
});

describe('an import that is null in JSON', () => {
  const exports = [exported('a', 1)];

  it('is none', () => {
    expect(merged(exports, { present: null })).toEqual(merged(exports));
    expect(merged([], { present: null }).changes).toEqual({ object: false, status: false });
  });

  it('is no trouble in its parts either', () => {
    const metadata = { namespace: 'shop', name: 'web', labels: null, annotations: null };
    const present = { apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceImport', metadata, spec: null, status: null };
    expect(merged(exports, { present: present as never })).toEqual(merged(exports));
  });
});

describe('precedence (§2.1)', () => {
  it.each<[string, [string, number][], string[]]>([
    [
      'the oldest export comes first, whatever its cluster',
      [
        ['a', 2],
        ['b', 1],
      ],
      ['b', 'a'],
    ],
    [
      'exports of the same second are ordered by cluster',
      [
        ['b', 1],
        ['a', 1],
        ['c', 0],
      ],
      ['c', 'a', 'b'],
    ],
  ])('%s', (_, exports, order) => {
    const result = merged(exports.map(([cluster, second]) => exported(cluster, second)));
    const ranked = result.exports.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0)).map(({ cluster }) => cluster);
    expect(ranked).toEqual(order);
  });

  it('compares times, not their text', () => {
    const at = (cluster: string, creationTimestamp: string) => {
      const { metadata, ...rest } = serviceExport(0);
      return exportedService(cluster, { ...rest, metadata: { ...metadata, creationTimestamp } }, service());
    };
    const result = merged([
      at('a', '2026-06-01T10:00:00.5Z'),
      at('b', '2026-06-01T12:00:00+02:00'),
      at('c', 'yesterday'),
      at('d', '2026-06-01T09:00:00-02:00'),
    ]);
    expect(result.exports.map(({ cluster, rank }) => [cluster, rank])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', 4],
      ['d', 3],
    ]);
  });

  it.each<[string, Parameters<typeof merged>[0][number], string]>([
    ['no Service', exportedService('bad', serviceExport(0), undefined), 'NoService'],
    ['an ExternalName Service', exported('bad', 0, { type: 'ExternalName', externalName: 'x.y' }), 'InvalidServiceType'],
    ['a Service of a type that nobody knows', exported('bad', 0, { type: 'Teleport' }), 'InvalidServiceType'],
    ['a cluster id that is no label', exported('Bad_id', 0), 'InvalidClusterId'],
    ['a cluster id of two labels', exported('bad.id', 0), 'InvalidClusterId'],
    [
      'an export that is being deleted',
      { ...exported('bad', 0), export: { creationTimestamp: NOW, isBeingDeleted: true } },
      'BeingDeleted',
    ],
  ])('%s takes no part, and stops nobody', (_, bad, standing) => {
    const good = [exported('east', 1), exported('west', 2, { clusterIP: 'None' })];
    const alone = merged(good);
    const result = merged([bad, ...good]);
    expect(result.serviceImport).toEqual(alone.serviceImport);
    expect(result.decisions).toEqual(alone.decisions);
    expect(result.exports.find(({ cluster }) => cluster === bad.cluster)).toMatchObject({ standing });
    expect(result.exports.filter(({ cluster }) => cluster !== bad.cluster)).toEqual(alone.exports);
  });

  it.each(['ClusterIP', 'NodePort', 'LoadBalancer', undefined])('exports a Service of type %s (§1.7)', (type) => {
    expect(merged([exported('east', 1, { type })]).serviceImport?.spec?.type).toBe('ClusterSetIP');
  });
});

describe('ports (§2.3)', () => {
  it.each<[string, string[][], string[], string[]]>([
    [
      'equal ports are no conflict',
      [
        ['http 80', 'dns 53/UDP'],
        ['http 80', 'dns 53/UDP'],
      ],
      ['http 80/TCP', 'dns 53/UDP'],
      [],
    ],
    [
      'order alone is no conflict',
      [
        ['http 80', 'dns 53/UDP'],
        ['dns 53/UDP', 'http 80'],
      ],
      ['http 80/TCP', 'dns 53/UDP'],
      [],
    ],
    ['no protocol is TCP', [['http 80'], ['http 80/TCP']], ['http 80/TCP'], []],
    ['different ports are put together, and both disagree', [['a 1'], ['b 2']], ['a 1/TCP', 'b 2/TCP'], ['c0', 'c1']],
    ['a superset is a conflict, of those that have less', [['a 1', 'b 2'], ['a 1']], ['a 1/TCP', 'b 2/TCP'], ['c1']],
    ['the same name with another number goes to the oldest (rule 1)', [['http 80'], ['http 81']], ['http 80/TCP'], ['c1']],
    ['the same name with another protocol goes to the oldest (rule 1)', [['http 80'], ['http 80/UDP']], ['http 80/TCP'], ['c1']],
    ['the same number with another name goes to the oldest (rule 2)', [['http 80'], ['web 80']], ['http 80/TCP'], ['c1']],
    ['no name is a name, too (rule 1)', [['80'], ['81']], ['80/TCP'], ['c1']],
    ['an unnamed port joins named ones (rule 3)', [['80'], ['http 8080']], ['80/TCP', 'http 8080/TCP'], ['c0', 'c1']],
    ['53/TCP and 53/UDP are two ports (rule 3)', [['a 53/TCP'], ['b 53/UDP']], ['a 53/TCP', 'b 53/UDP'], ['c0', 'c1']],
    [
      'a name that rule 2 dropped stays free for a younger export',
      [['http 80'], ['web 80'], ['web 81']],
      ['http 80/TCP', 'web 81/TCP'],
      ['c0', 'c1', 'c2'],
    ],
    ['no ports at all are no conflict', [[], []], [], []],
  ])('%s', (_, exports, ports, disagreeing) => {
    const result = merged(exports.map((each, index) => withPorts(`c${index}`, index, each)));
    expect(portsOf(result)).toEqual(ports);
    expect(result.decisions[0]).toMatchObject({ field: 'ports', disagreeing });
    const reason = disagreeing.length === 0 ? 'False NoConflicts' : 'True PortConflict';
    expect(exports.map((_each, index) => reasonOf(result, `c${index}`, 'Conflict'))).toEqual(exports.map(() => reason));
  });

  it('takes another application protocol for a conflict (rule 1 and 2)', () => {
    const result = merged([
      exported('a', 1, { ports: [{ name: 'http', port: 80, appProtocol: 'kubernetes.io/h2c' }] }),
      exported('b', 2, { ports: [{ name: 'http', port: 80 }] }),
    ]);
    expect(portsOf(result)).toEqual(['http 80/TCP (kubernetes.io/h2c)']);
    expect(reasonOf(result, 'a', 'Conflict')).toBe('True PortConflict');
  });

  it('takes ports as plain JSON may have them: no protocol is TCP, and nothing is an empty name', () => {
    const plain = mergePorts([
      { cluster: 'a', ports: [{ port: 80 }] },
      { cluster: 'b', ports: [{ port: 80, protocol: 'TCP', name: '', appProtocol: '' }] },
      { cluster: 'c', ports: [{ port: 80 }, { port: 80 }] },
    ]);
    expect(plain).toEqual({ kept: [{ cluster: 'a', port: { port: 80 } }], dropped: [], disagreeing: [] });
  });

  it('says whose each port is, and what was dropped for which', () => {
    const { ports } = merged([
      withPorts('a', 1, ['http 80']),
      withPorts('b', 2, ['web 80', 'grpc 90']),
      withPorts('c', 3, ['http 81']),
    ]);
    expect(ports.kept.map(({ cluster, port: each }) => [cluster, formatPort(each)])).toEqual([
      ['a', 'http 80/TCP'],
      ['b', 'grpc 90/TCP'],
    ]);
    expect(
      ports.dropped.map(({ cluster, port: each, reason, keptFrom }) => [cluster, formatPort(each), reason, keptFrom]),
    ).toEqual([
      ['b', 'web 80/TCP', 'SameNumber', 'a'],
      ['c', 'http 81/TCP', 'SameName', 'a'],
    ]);
  });
});

const clientIP = (timeoutSeconds: number) => ({
  sessionAffinity: 'ClientIP',
  sessionAffinityConfig: { clientIP: { timeoutSeconds } },
});

describe('properties of the oldest export (§2.2)', () => {
  it.each<[string, object, object, string, object]>([
    ['type', { clusterIP: 'None' }, {}, 'TypeConflict', { type: 'Headless' }],
    ['type', {}, { clusterIP: 'None' }, 'TypeConflict', { type: 'ClusterSetIP' }],
    [
      'session affinity, with its time',
      {},
      clientIP(10),
      'SessionAffinityConflict,SessionAffinityConfigConflict',
      { sessionAffinity: 'None' },
    ],
    [
      'session time',
      clientIP(10),
      clientIP(20),
      'SessionAffinityConfigConflict',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } } },
    ],
    [
      'internal traffic policy',
      { internalTrafficPolicy: 'Local' },
      {},
      'InternalTrafficPolicyConflict',
      { internalTrafficPolicy: 'Local' },
    ],
    ['traffic distribution', {}, { trafficDistribution: 'PreferClose' }, 'TrafficDistributionConflict', {}],
    [
      'traffic distribution',
      { trafficDistribution: 'PreferClose' },
      {},
      'TrafficDistributionConflict',
      { trafficDistribution: 'PreferClose' },
    ],
    ['families without a common one', { ipFamilies: ['IPv6'] }, {}, 'IPFamilyConflict', { ipFamilies: ['IPv6'] }],
  ])('%s: the oldest decides, and both are told', (_, oldest, younger, reason, spec) => {
    const result = merged([exported('younger', 2, { ...younger }), exported('oldest', 1, { ...oldest })]);
    expect(result.serviceImport?.spec).toMatchObject(spec);
    expect(reasonOf(result, 'oldest', 'Conflict')).toBe(`True ${reason}`);
    expect(conditionOf(result, 'younger', 'Conflict')).toEqual(conditionOf(result, 'oldest', 'Conflict'));
  });

  it.each<[string, object, object]>([
    ['no internal traffic policy is Cluster', { internalTrafficPolicy: undefined }, { internalTrafficPolicy: 'Cluster' }],
    ['no session affinity is None', { sessionAffinity: undefined }, {}],
    ['no session time is the default', { sessionAffinity: 'ClientIP' }, clientIP(10_800)],
    ['session affinity means nothing when headless', { clusterIP: 'None', ...clientIP(5) }, { clusterIP: 'None' }],
    ['families in another order', { ipFamilies: ['IPv4', 'IPv6'] }, { ipFamilies: ['IPv6', 'IPv4'] }],
    ['some families in common', { ipFamilies: ['IPv4', 'IPv6'] }, { ipFamilies: ['IPv6'] }],
    ['no families say nothing', { ipFamilies: undefined }, { ipFamilies: ['IPv6'] }],
  ])('%s: no conflict', (_, oldest, younger) => {
    const result = merged([exported('a', 1, { ...oldest }), exported('b', 2, { ...younger })]);
    expect(reasonOf(result, 'a', 'Conflict')).toBe('False NoConflicts');
    expect(reasonOf(result, 'b', 'Conflict')).toBe('False NoConflicts');
  });

  it('writes no affinity for a headless import (§1.3)', () => {
    const { serviceImport } = merged([exported('a', 1, { clusterIP: 'None', ...clientIP(5) })]);
    expect(serviceImport?.spec?.sessionAffinity).toBe('None');
    expect(serviceImport?.spec).not.toHaveProperty('sessionAffinityConfig');
  });

  it('takes the whole maps of the oldest, and nothing of the objects themselves (§2.2, §1.2)', () => {
    const result = merged([
      exported('a', 1, {}, { exportedLabels: { a: '1' }, exportedAnnotations: { x: '1' } }),
      exported('b', 2, {}, { exportedLabels: { a: '2', b: '2' }, exportedAnnotations: { y: '2' } }),
    ]);
    expect(result.serviceImport?.metadata).toEqual({
      namespace: 'shop',
      name: 'web',
      labels: { a: '1' },
      annotations: { x: '1' },
    });
    expect(reasonOf(result, 'b', 'Conflict')).toBe('True AnnotationsConflict,LabelsConflict');
  });

  it('takes no map for an empty one', () => {
    const result = merged([exported('a', 1, {}, { exportedLabels: {} }), exported('b', 2)]);
    expect(reasonOf(result, 'a', 'Conflict')).toBe('False NoConflicts');
  });

  it('replaces what else is on the import, but for what controllers keep there (§2.2)', () => {
    const present = {
      ...stored(merged([exported('a', 1)])),
      metadata: {
        name: 'web',
        labels: { foreign: 'x' },
        annotations: { [DERIVED_SERVICE_ANNOTATION]: 'derived-x', foreign: 'x', 'clusterset.dev/owner': 'y' },
      },
    } as unknown as ServiceImport;
    const result = merged([exported('a', 1, {}, { exportedAnnotations: { mine: 'z' } })], { present });
    expect(result.serviceImport?.metadata).toEqual({
      namespace: 'shop',
      name: 'web',
      annotations: { mine: 'z', [DERIVED_SERVICE_ANNOTATION]: 'derived-x', 'clusterset.dev/owner': 'y' },
    });
    expect(result.changes).toEqual({ object: true, status: false });
  });
});

describe('families and addresses (§2.2)', () => {
  const families = (...lists: string[][]) => lists.map((ipFamilies, index) => exported(`c${index}`, index, { ipFamilies }));

  it.each<[string, string[][], string[] | undefined, string[], string]>([
    [
      'the order is the oldest’s',
      [
        ['IPv6', 'IPv4'],
        ['IPv4', 'IPv6'],
      ],
      ['IPv6', 'IPv4'],
      [],
      'AllAgree',
    ],
    ['what all have in common', [['IPv4', 'IPv6'], ['IPv6']], ['IPv6'], [], 'Intersection'],
    ['one that would leave nothing is passed over', [['IPv4', 'IPv6'], ['IPv6'], ['IPv4']], ['IPv6'], ['c2'], 'Intersection'],
    ['nobody names any', [[], []], undefined, [], 'AllAgree'],
    ['the first that names any decides', [[], ['IPv6'], ['IPv4']], ['IPv6'], ['c2'], 'Intersection'],
  ])('%s', (_, lists, expected, disagreeing, reason) => {
    const result = merged(families(...lists));
    expect(result.serviceImport?.spec?.ipFamilies).toEqual(expected);
    expect(result.decisions.at(-1)).toMatchObject({ field: 'ipFamilies', disagreeing, reason });
  });

  const withAddresses = (ips: string[], type = 'ClusterSetIP') => {
    const first = stored(merged(families(['IPv4', 'IPv6'])));
    return { ...first, spec: { ...first?.spec, type, ips } } as ServiceImport;
  };

  it.each<[string, string[], string[], object, string[] | undefined]>([
    ['stay', ['10.0.0.1', 'fd00::1'], ['IPv4', 'IPv6'], {}, ['10.0.0.1', 'fd00::1']],
    ['follow the order of the families', ['10.0.0.1', 'fd00::1'], ['IPv6', 'IPv4'], {}, ['fd00::1', '10.0.0.1']],
    ['go with their family', ['10.0.0.1', 'fd00::1'], ['IPv6'], {}, ['fd00::1']],
    ['are never invented', ['10.0.0.1'], ['IPv4', 'IPv6'], {}, ['10.0.0.1']],
    ['stay where no family is known', ['fd00::1', '10.0.0.1', 'fd00::2'], [], {}, ['fd00::1', '10.0.0.1']],
    ['go when they are none', ['not-an-ip'], ['IPv4'], {}, undefined],
    ['go when headless', ['10.0.0.1'], ['IPv4'], { clusterIP: 'None' }, undefined],
  ])('addresses %s', (_, ips, ipFamilies, more, expected) => {
    const result = merged([exported('a', 1, { ipFamilies, ...more })], { present: withAddresses(ips) });
    expect(result.serviceImport?.spec?.ips).toEqual(expected);
  });

  it.each<[string, string[], object, ('IPv4' | 'IPv6')[] | undefined, string, string[]]>([
    ['has all it needs', ['10.0.0.1', 'fd00::1'], {}, undefined, 'True Ready', ['IPv4', 'IPv6']],
    ['waits for an address', ['10.0.0.1'], {}, undefined, 'False Pending', ['IPv4', 'IPv6']],
    ['needs none when headless', [], { clusterIP: 'None' }, undefined, 'True Ready', ['IPv4', 'IPv6']],
    ['uses the families that its cluster has', ['10.0.0.1'], {}, ['IPv4'], 'True Ready', ['IPv4']],
    [
      'can’t be used where there is none of its families',
      [],
      { ipFamilies: ['IPv6'] },
      ['IPv4'],
      'False IPFamilyNotSupported',
      ['IPv6'],
    ],
    [
      'can’t be used there when headless, too',
      [],
      { clusterIP: 'None', ipFamilies: ['IPv6'] },
      ['IPv4'],
      'False IPFamilyNotSupported',
      ['IPv6'],
    ],
    ['may be used where no family is known', ['10.0.0.1'], { ipFamilies: [] }, ['IPv6'], 'True Ready', []],
  ])('an import %s', (_, ips, more, supported, ready, ipFamilies) => {
    const exports = [exported('a', 1, { ipFamilies: ['IPv4', 'IPv6'], ...more })];
    const present = withAddresses(ips);
    const { serviceImport } = merged(exports, {
      present,
      ...(supported === undefined ? {} : { supportedIPFamilies: supported }),
    });
    const condition = serviceImport?.status?.conditions?.[0];
    expect(`${condition?.status} ${condition?.reason}`).toBe(ready);
    expect(serviceImport?.spec?.ipFamilies ?? []).toEqual(ipFamilies);
  });
});

describe('conditions of exports (§1.4, §2.4)', () => {
  it.each<[string, ReturnType<typeof exported>, string, string, string]>([
    ['a good one', exported('a', 1), 'True Valid', 'True Exported', 'False NoConflicts'],
    ['one without Service', exportedService('a', serviceExport(1), undefined), 'False NoService', 'False Pending', 'none'],
    [
      'one of an ExternalName Service',
      exported('a', 1, { type: 'ExternalName' }),
      'False InvalidServiceType',
      'False Failed',
      'none',
    ],
    ['one of a cluster with a bad id', exported('A', 1), 'True Valid', 'False Failed', 'none'],
    [
      'one that is on its way',
      { ...exported('a', 1), progress: { status: 'Unknown', reason: 'Pending', message: 'not yet' } },
      'True Valid',
      'Unknown Pending',
      'False NoConflicts',
    ],
  ])('%s', (_, each, valid, ready, conflict) => {
    const result = merged([each]);
    expect(['Valid', 'Ready', 'Conflict'].map((type) => reasonOf(result, each.cluster, type))).toEqual([valid, ready, conflict]);
  });

  it('are in no conflict any more when the export no longer counts', () => {
    const both = [exported('a', 1), exported('b', 2, { clusterIP: 'None' })];
    const [a, b] = settled(both, merged(both));
    expect(b).toBeDefined();
    if (a === undefined || b === undefined) return;
    const { service: _, ...without } = b;
    const result = merged([a, without], { now: LATER });
    expect(conditionOf(result, 'b', 'Conflict')).toMatchObject({
      status: 'False',
      reason: 'NoConflicts',
      lastTransitionTime: LATER,
    });
    expect(conditionOf(result, 'a', 'Conflict')).toMatchObject({
      status: 'False',
      reason: 'NoConflicts',
      lastTransitionTime: LATER,
    });
  });

  it('keep their times until their status changes, and other types as they are', () => {
    const other = { type: 'acme.com/Seen', status: 'True', reason: 'Seen', message: '', lastTransitionTime: NOW } as const;
    const first = [{ ...exported('a', 1), export: { ...exported('a', 1).export, conditions: [other] } }, exported('b', 2)];
    const before = settled(first, merged(first));
    const result = merged([...before.slice(0, 1), exported('b', 2, { clusterIP: 'None' })], { now: LATER });
    expect(
      result.exports[0]?.conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    ).toEqual([
      ['acme.com/Seen', 'True', NOW],
      ['Valid', 'True', NOW],
      ['Ready', 'True', NOW],
      ['Conflict', 'True', LATER],
    ]);
  });

  it('are the very same list when nothing changes', () => {
    const exports = [exported('a', 1), exported('b', 2, { clusterIP: 'None' })];
    const before = settled(exports, merged(exports));
    const result = merged(before, { now: LATER });
    expect(result.exports.map(({ conditions }) => conditions)).toEqual(before.map((each) => each.export.conditions));
    for (const [index, { conditions }] of result.exports.entries()) expect(conditions).toBe(before[index]?.export.conditions);
  });

  it('leave an export alone that is being deleted', () => {
    const conditions = [{ type: 'Valid', status: 'True', reason: 'Valid', message: '', lastTransitionTime: NOW } as const];
    const going = { ...exported('a', 1), export: { isBeingDeleted: true, conditions } };
    expect(merged([going], { now: LATER }).exports[0]?.conditions).toBe(conditions);
  });

  it('tell every conflict at once, in the order of the API (§1.4)', () => {
    const result = merged([
      exported('a', 1, { ipFamilies: ['IPv4'] }, { exportedLabels: { a: '1' } }),
      exported(
        'b',
        2,
        {
          clusterIP: 'None',
          ipFamilies: ['IPv6'],
          ...clientIP(5),
          internalTrafficPolicy: 'Local',
          trafficDistribution: 'PreferClose',
          ports: [port('http 81')],
        },
        { exportedAnnotations: { x: '1' } },
      ),
      exported('c', 3, {}, { exportedLabels: { a: '1' } }),
    ]);
    expect(reasonOf(result, 'a', 'Conflict')).toBe(
      'True PortConflict,TypeConflict,SessionAffinityConflict,SessionAffinityConfigConflict,AnnotationsConflict,LabelsConflict,InternalTrafficPolicyConflict,TrafficDistributionConflict,IPFamilyConflict',
    );
    expect(conditionOf(result, 'c', 'Conflict')?.message.split('; ')).toEqual([
      'ports: using all ports, those of the oldest export (cluster "a") first: http 80/TCP, 1/3 clusters disagree',
      'type: using "ClusterSetIP" of the oldest export (cluster "a"), 1/3 clusters disagree',
      'sessionAffinity: using "None" of the oldest export (cluster "a"), 1/3 clusters disagree',
      'sessionAffinityConfig: using no value of the oldest export (cluster "a"), 1/3 clusters disagree',
      'exportedAnnotations: using {} of the oldest export (cluster "a"), 1/3 clusters disagree',
      'exportedLabels: using {"a":"1"} of the oldest export (cluster "a"), 1/3 clusters disagree',
      'internalTrafficPolicy: using "Cluster" of the oldest export (cluster "a"), 1/3 clusters disagree',
      'trafficDistribution: using no value of the oldest export (cluster "a"), 1/3 clusters disagree',
      'ipFamilies: using IPv4, following the oldest export that names any (cluster "a"), 1/3 clusters disagree',
    ]);
  });

  it('fit into a condition, however much is in conflict (§1.4)', () => {
    const ports = Array.from({ length: 3000 }, (_, index) => port(`p-${'x'.repeat(20)} ${index + 1}`)).map((each, index) => ({
      ...each,
      name: `p${index}`,
    }));
    const loud = '\u{1F600}'.repeat(20_000);
    const long = (letter: string): string => letter.repeat(63);
    const result = merged([
      exported(long('a'), 1, { ports }, { exportedAnnotations: { loud, louder: loud } }),
      exported('b', 2, { clusterIP: 'None', ...clientIP(1) }, { exportedLabels: { a: '1' } }),
    ]);
    const message = conditionOf(result, 'b', 'Conflict')?.message ?? '';
    expect(utf8(message).length).toBeLessThanOrEqual(32_768);
    expect(message).toContain('…');
    expect(message.isWellFormed()).toBe(true);
    expect(message.endsWith('1/2 clusters disagree')).toBe(true);
  });
});

describe('after the oldest export has left (§2.5)', () => {
  const headless = exported('old', 1, { clusterIP: 'None', internalTrafficPolicy: 'Local' });
  const others = [exported('a', 2), exported('b', 3)];

  it('the next oldest decides everything, by default', () => {
    const present = stored(merged([headless, ...others]));
    expect(present?.spec?.type).toBe('Headless');
    expect(merged(others, { present }).serviceImport?.spec).toMatchObject({
      type: 'ClusterSetIP',
      internalTrafficPolicy: 'Cluster',
    });
  });

  const keep = { afterOldestLeaves: 'keep-type' } as const;

  it('the type stays where that is asked for, and the rest is the next oldest’s', () => {
    const present = stored(merged([headless, ...others], keep));
    const result = merged(others, { present, ...keep });
    expect(result.serviceImport?.spec).toMatchObject({ type: 'Headless', internalTrafficPolicy: 'Cluster' });
    expect(result.decisions[1]).toEqual({
      field: 'type',
      value: 'Headless',
      cluster: 'old',
      reason: 'Kept',
      disagreeing: ['a', 'b'],
    });
    expect(reasonOf(result, 'a', 'Conflict')).toBe('False NoConflicts');
    const again = merged(settled(others, result), { present: stored(result), ...keep, now: LATER });
    expect(again.serviceImport).toEqual(result.serviceImport);
    expect(again.changes).toEqual({ object: false, status: false });
  });

  it.each<[string, ReturnType<typeof exported>[], string]>([
    ['an older export comes', [exported('older', 0), ...others], 'ClusterSetIP'],
    ['the export that set it changes its mind', [exported('old', 1), ...others], 'ClusterSetIP'],
    ['it comes back younger', [exported('old', 9), ...others], 'Headless'],
  ])('a kept type: %s', (_, exports, type) => {
    const present = stored(merged([headless, ...others], keep));
    expect(merged(exports, { present, ...keep }).serviceImport?.spec?.type).toBe(type);
  });

  it('who is of the kept type answers for it from then on, and may change its mind', () => {
    const heir = merged([exported('a', 2, { clusterIP: 'None' })], {
      present: stored(merged([headless, ...others], keep)),
      ...keep,
    });
    expect(heir.decisions[1]).toMatchObject({ value: 'Headless', cluster: 'a', reason: 'AllAgree' });
    expect(merged([exported('a', 2)], { present: stored(heir), ...keep }).serviceImport?.spec?.type).toBe('ClusterSetIP');
  });

  it('those who are left are in conflict with each other only', () => {
    const rest = [exported('a', 2), exported('b', 3, { clusterIP: 'None' })];
    const present = stored(merged([headless, ...rest], keep));
    const result = merged(rest, { present, ...keep });
    expect(conditionOf(result, 'a', 'Conflict')).toMatchObject({
      reason: 'TypeConflict',
      message: 'type: keeping "Headless" of an export that is gone (cluster "old"), 1/2 clusters disagree',
    });
  });

  it('nothing is remembered without the option', () => {
    const present = stored(merged([headless, ...others], keep));
    expect(present?.metadata.annotations).toEqual({ 'clusterset.dev/type-from': '2026-06-01T10:00:01Z old' });
    expect(merged(others, { present }).serviceImport?.metadata).not.toHaveProperty('annotations');
    expect(merged(others, { present }).serviceImport?.spec?.type).toBe('ClusterSetIP');
  });
});

describe('names (§1.8, §2.7)', () => {
  it('takes ids of two labels where it is told to, with a warning', () => {
    const result = merged([exported('eu.west', 1)], { clusterIds: 'two-labels' });
    expect(result.exports[0]?.standing).toBe('Counts');
    expect(result.issues.map(({ code, severity, cluster }) => [code, severity, cluster])).toEqual([
      ['TwoLabelClusterId', 'warning', 'eu.west'],
    ]);
  });

  it.each(['a.b.c', '', 'A', `${'a'.repeat(40)}.${'b'.repeat(40)}`, 'x'.repeat(64)])('never takes the id "%s"', (cluster) => {
    const result = merged([exported(cluster, 1), exported('good', 2)], { clusterIds: 'two-labels' });
    expect(result.serviceImport?.status?.clusters).toEqual([{ cluster: 'good' }]);
    expect(new Set(result.issues.map(({ code }) => code))).toEqual(new Set(['InvalidClusterId']));
  });

  it.each<[string, string, string[]]>([
    ['shop', 'a.b', ['metadata.name']],
    ['shop', 'x'.repeat(64), ['metadata.name']],
    ['Shop', 'web', ['metadata.namespace']],
  ])('makes nothing for %s/%s', (namespace, name, fields) => {
    const result = merged([exported('east', 1)], { namespace, name });
    expect(result.serviceImport).toBeUndefined();
    expect(result.issues.map(({ field, code, severity }) => [field, code, severity])).toEqual(
      fields.map((field) => [field, 'InvalidName', 'error']),
    );
    expect(reasonOf(result, 'east', 'Valid')).toBe('False NoService');
  });

  it('warns of host names that would be too long for DNS, where a headless service has them', () => {
    const [cluster, name] = ['c'.repeat(63), 'n'.repeat(63)];
    const namespace = 's'.repeat(60);
    const codes = (spec: object): string[] =>
      merged([exported(cluster, 1, { ...spec })], { namespace, name }).issues.map(({ code }) => code);
    expect(codes({ clusterIP: 'None' })).toEqual(['LongHostNames']);
    expect(codes({})).toEqual([]);
  });

  it('takes the older of two exports of one cluster, and tells', () => {
    const exports = [exported('a', 2, { clusterIP: 'None' }), exported('a', 1), exported('a', 3)];
    const result = merged(exports);
    expect(result.serviceImport?.spec?.type).toBe('ClusterSetIP');
    expect(result.exports).toHaveLength(1);
    expect(result.issues.map(({ code }) => code)).toEqual(['DuplicateCluster']);
  });
});

describe('decisions', () => {
  it('say for every property who won and who disagrees', () => {
    const { decisions } = merged([
      exported('b', 1, { clusterIP: 'None' }),
      exported('a', 2),
      exported('c', 3, { clusterIP: 'None' }),
    ]);
    expect(decisions.map(({ field }) => field)).toEqual([
      'ports',
      'type',
      'exportedAnnotations',
      'exportedLabels',
      'internalTrafficPolicy',
      'trafficDistribution',
      'ipFamilies',
    ]);
    expect(decisions[1]).toEqual({
      field: 'type',
      value: 'Headless',
      cluster: 'b',
      reason: 'Oldest',
      disagreeing: ['a'],
      conflict: 'TypeConflict',
    });
    expect(decisions.filter(({ reason }) => reason !== 'AllAgree')).toHaveLength(1);
  });

  it('make imports that nothing is wrong with', () => {
    const result = merged([exported('a', 1, clientIP(7)), exported('b', 2, { ipFamilies: ['IPv6'] })]);
    expect(checkServiceImport(result.serviceImport)).toEqual([]);
    expect(result.exports.map(({ cluster }) => cluster)).toEqual(['a', 'b'].toSorted(compareText));
  });
});
