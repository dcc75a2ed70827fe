import { describe, expect, it } from 'vitest';
import type { ServiceImportPort } from '../../../src/mcs/api.ts';
import { importableSources, importSlices, importSourceSlice } from '../../../src/mcs/slices/import-slices.ts';
import { importedSliceStem, parseImportedName, sourceOfSlice } from '../../../src/mcs/slices/names.ts';
import type { EndpointSlice, SliceEndpoint, SlicePort } from '../../../src/mcs/slices/types.ts';
import { addressesOf, HTTP, importFromEast, importOf, pod, pods, reasonsOf, sourceSlice, stepsOf } from './slices-fixtures.ts';

describe('an imported slice (KEP-1645, EndpointSlice)', () => {
  it('carries the labels, the owner and the way back to its source', () => {
    const { slices } = importFromEast([sourceSlice('web-abc', [pod('10.1.0.1')])], { derivedService: 'derived-1' });
    expect(slices).toEqual([
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: expect.stringMatching(/^imported-[0-9a-f]{32}-0$/),
          namespace: 'shop',
          labels: {
            'multicluster.kubernetes.io/service-name': 'web',
            'multicluster.kubernetes.io/source-cluster': 'east',
            'endpointslice.kubernetes.io/managed-by': 'mcs.clusterset.dev',
            'kubernetes.io/service-name': 'derived-1',
          },
          annotations: { 'clusterset.dev/source-slice': 'web-abc' },
          ownerReferences: [
            {
              apiVersion: 'multicluster.x-k8s.io/v1beta1',
              kind: 'ServiceImport',
              name: 'web',
              uid: 'uid-of-web',
              controller: false,
            },
          ],
        },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true, serving: true, terminating: false } }],
        ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      },
    ]);
    expect(slices.map(sourceOfSlice)).toEqual([{ cluster: 'east', slice: 'web-abc' }]);
  });

  it('calls an unnamed port beside others as the derived Service does, or kube-proxy finds no endpoints', () => {
    const dns: ServiceImportPort = { protocol: 'UDP', port: 53 };
    const other: ServiceImportPort = { name: 'dns', protocol: 'TCP', port: 53 };
    const source = sourceSlice('web-abc', [pod('10.1.0.1')], { ports: [{ name: '', protocol: 'UDP', port: 5353 }] });
    const sources = [{ cluster: 'east', ports: [dns], slices: [source] }];
    const ports = [other, dns];
    const imported = (derivedService?: string, merged = ports): unknown =>
      importSlices({
        serviceImport: importOf({ ports: [...merged] }),
        sources,
        current: [],
        ...(derivedService === undefined ? {} : { derivedService }),
      }).slices[0]?.ports;
    expect(imported('derived-1')).toEqual([{ name: 'udp-53', protocol: 'UDP', port: 5353 }]);
    expect(imported('derived-1', [dns])).toEqual([{ name: '', protocol: 'UDP', port: 5353 }]);
    expect(imported()).toEqual([{ name: '', protocol: 'UDP', port: 5353 }]);
  });

  it('has no label of a derived Service where none is given', () => {
    const { slices } = importFromEast([sourceSlice('web-abc', [pod('10.1.0.1')])]);
    expect(slices[0]?.metadata.labels).not.toHaveProperty('kubernetes.io/service-name');
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['ready that is unset stays unset', { conditions: {} }, { conditions: {} }],
    ['missing conditions stay unset', { conditions: null }, { conditions: {} }],
    ['not ready', { conditions: { ready: false } }, { conditions: { ready: false } }],
    [
      'serving and terminating as they are',
      { conditions: { ready: false, serving: true, terminating: true } },
      { conditions: { ready: false, serving: true, terminating: true } },
    ],
    ['hostname and zone', { conditions: {}, hostname: 'db-0', zone: 'z1' }, { conditions: {}, hostname: 'db-0', zone: 'z1' }],
    [
      'nothing that names objects of the other cluster',
      { conditions: {}, nodeName: 'n1', targetRef: { kind: 'Pod', name: 'p' }, hints: { forZones: [{ name: 'z1' }] } },
      { conditions: {} },
    ],
  ])('copies of an endpoint: %s', (_, more, expected) => {
    const { slices } = importFromEast([sourceSlice('web-abc', [pod('10.1.0.1', more)])]);
    expect(slices[0]?.endpoints).toEqual([{ addresses: ['10.1.0.1'], ...expected }]);
  });

  it('never mixes clusters, families or sets of ports', () => {
    const six = { addressType: 'IPv6' };
    const admin = { ports: [{ name: 'admin', protocol: 'TCP', port: 9090 }] };
    const ports = [HTTP, { name: 'admin', protocol: 'TCP', port: 81 }];
    const slices = [
      sourceSlice('web-4', [pod('10.1.0.1')]),
      sourceSlice('web-6', [pod('fd00::1')], six),
      sourceSlice('web-a', [pod('10.1.0.1')], admin),
    ];
    const plan = importSlices({
      serviceImport: importOf({ ports }),
      sources: ['east', 'west'].map((cluster) => ({ cluster, ports, slices })),
      current: [],
    });
    const seen = plan.slices.map(({ addressType, endpoints, ports: own, metadata }) =>
      [
        metadata.labels?.['multicluster.kubernetes.io/source-cluster'],
        addressType,
        addressesOf([{ endpoints } as EndpointSlice]).join(),
        own?.map(({ name }) => name).join(),
      ].join(' '),
    );
    expect(seen.toSorted()).toEqual(
      ['east', 'west'].flatMap((cluster) => [
        `${cluster} IPv4 10.1.0.1 admin`,
        `${cluster} IPv4 10.1.0.1 http`,
        `${cluster} IPv6 fd00::1 http`,
      ]),
    );
    expect(new Set(plan.slices.map(({ metadata }) => metadata.name)).size).toBe(6);
  });

  it('has a bounded name that tells every part apart', () => {
    const origin = { namespace: 'shop', service: 'web', cluster: 'east', slice: 's', addressType: 'IPv4' };
    const others = [
      origin,
      { ...origin, namespace: 'shop2' },
      { ...origin, service: 's', slice: 'web' },
      { ...origin, cluster: 'west' },
      { ...origin, slice: 'x'.repeat(253) },
      { ...origin, addressType: 'IPv6' },
    ].map(importedSliceStem);
    expect(new Set(others).size).toBe(others.length);
    expect(others.every((stem) => stem.length === 41)).toBe(true);
    expect(parseImportedName(`${others[0]}-12`)).toEqual({ stem: others[0], index: 12 });
    expect(parseImportedName(`${others[0]}-012`)).toBeUndefined();
    expect(parseImportedName('web-abc')).toBeUndefined();
  });
});

describe('ports of an imported slice (KEP-1645: traffic under a port conflict)', () => {
  const port = (name: string | undefined, number: number, protocol = 'TCP'): ServiceImportPort => ({
    ...(name === undefined ? {} : { name }),
    port: number,
    protocol,
  });
  it.each<[string, SlicePort[], ServiceImportPort[], ServiceImportPort[], string[] | undefined, string[]]>([
    ['the same port', [{ name: 'http', port: 8080 }], [port('http', 80)], [port('http', 80)], ['http'], []],
    ['an unnamed port', [{ port: 8080 }], [port(undefined, 80)], [port(undefined, 80)], [''], []],
    ['unset protocol is TCP', [{ name: 'a', port: 1 }], [{ name: 'a', port: 80 }], [port('a', 80)], ['a'], []],
    ['another number', [{ name: 'a', port: 1 }], [port('a', 81)], [port('a', 80)], undefined, ['PortDiffers', 'NoPortLeft']],
    [
      'another protocol',
      [{ name: 'a', port: 1 }],
      [port('a', 80, 'UDP')],
      [port('a', 80)],
      undefined,
      ['PortDiffers', 'NoPortLeft'],
    ],
    [
      'another protocol in the slice alone',
      [{ name: 'a', port: 1, protocol: 'UDP' }],
      [port('a', 80)],
      [port('a', 80)],
      undefined,
      ['PortDiffers', 'NoPortLeft'],
    ],
    [
      'the same number under another name is not renamed',
      [{ name: 'web', port: 1 }],
      [port('web', 80)],
      [port('http', 80)],
      undefined,
      ['PortNotMerged', 'NoPortLeft'],
    ],
    [
      'a name that the Service has no more',
      [{ name: 'a', port: 1 }],
      [port('b', 80)],
      [port('a', 80)],
      undefined,
      ['PortDiffers', 'NoPortLeft'],
    ],
    [
      'one of two, and the target number is free to differ',
      [
        { name: 'b', port: 7 },
        { name: 'a', port: 9999 },
      ],
      [port('a', 80), port('b', 81)],
      [port('a', 80), port('b', 82)],
      ['a'],
      ['PortDiffers'],
    ],
    [
      'two, by name',
      [
        { name: 'b', port: 7 },
        { name: 'a', port: 9 },
      ],
      [port('a', 80), port('b', 81)],
      [port('a', 80), port('b', 81)],
      ['a', 'b'],
      [],
    ],
    ['no number', [{ name: 'a', port: null }], [port('a', 80)], [port('a', 80)], undefined, ['BadPort', 'NoPortLeft']],
    ['a number beyond', [{ name: 'a', port: 65_536 }], [port('a', 80)], [port('a', 80)], undefined, ['BadPort', 'NoPortLeft']],
    [
      'a name twice',
      [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
      [port('a', 80)],
      [port('a', 80)],
      undefined,
      ['DuplicatePortName'],
    ],
    ['no ports', [], [], [], undefined, ['NoPortLeft']],
  ])('%s', (_, slicePorts, servicePorts, merged, carried, reasons) => {
    const plan = importSlices({
      serviceImport: importOf({ ports: merged }),
      sources: [{ cluster: 'east', ports: servicePorts, slices: [sourceSlice('s', [pod('10.1.0.1')], { ports: slicePorts })] }],
      current: [],
    });
    expect(plan.slices[0]?.ports?.map(({ name }) => name)).toEqual(carried);
    expect(reasonsOf(plan)).toEqual(reasons);
  });

  it('keeps the endpoints of a headless service that has no ports', () => {
    const serviceImport = importOf({ type: 'Headless', ports: [] });
    const slices = [sourceSlice('s', [pod('10.1.0.1')], { ports: null })];
    const plan = importSlices({ serviceImport, sources: [{ cluster: 'east', ports: [], slices }], current: [] });
    expect(plan.slices).toMatchObject([{ endpoints: [{ addresses: ['10.1.0.1'] }], ports: [] }]);
    expect(plan.leftOut).toEqual([]);
  });

  it('keeps appProtocol, and notices when only it changes', () => {
    const ports = (appProtocol: string) => ({ ports: [{ name: 'http', protocol: 'TCP', port: 8080, appProtocol }] });
    const first = importFromEast([sourceSlice('s', [pod('10.1.0.1')], ports('http'))]);
    expect(first.slices[0]?.ports).toEqual(ports('http').ports);
    const second = importFromEast([sourceSlice('s', [pod('10.1.0.1')], ports('kubernetes.io/h2c'))], { current: first.slices });
    expect(stepsOf(second)).toEqual(['update: PortsChanged']);
  });
});

describe('bad input (discovery.k8s.io/v1 validation) is left out and spoils nothing else', () => {
  const good = sourceSlice('good', [pod('10.1.0.1')]);
  const labelled = (labels: Record<string, string> | undefined) => ({ metadata: { namespace: 'shop', name: 'bad', labels } });
  it.each<[string, unknown, string]>([
    ['a domain name as address type', sourceSlice('bad', [pod('a.example')], { addressType: 'FQDN' }), 'UnknownAddressType'],
    ['an unknown address type', sourceSlice('bad', [pod('10.1.0.9')], { addressType: 'IPX' }), 'UnknownAddressType'],
    ['no labels', sourceSlice('bad', [pod('10.1.0.9')], labelled(undefined)), 'NoServiceLabel'],
    ['another Service', sourceSlice('bad', [pod('10.1.0.9')], labelled({ 'kubernetes.io/service-name': 'api' })), 'OtherService'],
    [
      'an imported slice',
      sourceSlice(
        'bad',
        [pod('10.1.0.9')],
        labelled({ 'kubernetes.io/service-name': 'web', 'multicluster.kubernetes.io/source-cluster': 'west' }),
      ),
      'AlreadyImported',
    ],
    ['another namespace', sourceSlice('bad', [], { metadata: { namespace: 'other', name: 'bad' } }), 'OtherNamespace'],
    ['no name', sourceSlice('bad', [], { metadata: {} }), 'NotASlice'],
    ['null', null, 'NotASlice'],
    ['a port name twice', sourceSlice('bad', [pod('10.1.0.9')], { ports: [HTTP, { ...HTTP, port: 81 }] }), 'DuplicatePortName'],
  ])('%s', (_, bad, reason) => {
    const plan = importFromEast([bad as EndpointSlice, good]);
    expect(reasonsOf(plan)).toEqual([reason]);
    expect(addressesOf(plan.slices)).toEqual(['10.1.0.1']);
  });

  it.each<[string, unknown, string]>([
    ['no addresses', { addresses: [] }, 'NoAddresses'],
    ['no list of addresses', {}, 'NoAddresses'],
    ['null', null, 'NoAddresses'],
    ['101 addresses', { addresses: pods(101).flatMap(({ addresses }) => addresses) }, 'TooManyAddresses'],
    ['no address', pod('10.1.0'), 'BadAddress'],
    ['a leading zero', pod('10.01.0.1'), 'BadAddress'],
    ['a number that is no byte', pod('10.1.0.256'), 'BadAddress'],
    ['five numbers', pod('10.1.0.1.1'), 'BadAddress'],
    ['an empty number', pod('10..0.1'), 'BadAddress'],
    ['IPv4 inside of IPv6', pod('::ffff:a01:1'), 'BadAddress'],
    ['the other family', pod('fd00::1'), 'WrongFamily'],
    ['loopback', pod('127.0.0.1'), 'SpecialAddress'],
    ['unspecified', pod('0.0.0.0'), 'SpecialAddress'],
    ['link-local', pod('169.254.1.1'), 'SpecialAddress'],
    ['link-local multicast', pod('224.0.0.1'), 'SpecialAddress'],
    ['one bad address of two', { addresses: ['10.1.0.9', 'x'] }, 'BadAddress'],
    ['conditions that are no flags', pod('10.1.0.9', { conditions: { ready: 'yes' } }), 'BadEndpoint'],
  ])('of endpoints: %s', (_, bad, reason) => {
    const plan = importFromEast([sourceSlice('s', [bad as SliceEndpoint, pod('10.1.0.1')])]);
    expect(plan.leftOut).toMatchObject([
      { reason, cluster: 'east', slice: 's', field: expect.stringMatching(/^endpoints\[0\]/) },
    ]);
    expect(addressesOf(plan.slices)).toEqual(['10.1.0.1']);
  });

  it.each<[string, string]>([
    ['::1', 'SpecialAddress'],
    ['::', 'SpecialAddress'],
    ['fe80::1', 'SpecialAddress'],
    ['ff02::1', 'SpecialAddress'],
    ['10.1.0.1', 'WrongFamily'],
    ['fd00::1%eth0', 'BadAddress'],
    ['fd00:::1', 'BadAddress'],
    ['1:2:3:4:5:6:7', 'BadAddress'],
    ['1:2:3:4:5:6:7:8::', 'BadAddress'],
    ['fd00::12345', 'BadAddress'],
  ])('of IPv6 endpoints: %s', (address, reason) => {
    const plan = importFromEast([sourceSlice('s', [pod(address), pod('fd00::1')], { addressType: 'IPv6' })]);
    expect(reasonsOf(plan)).toEqual([reason]);
    expect(addressesOf(plan.slices)).toEqual(['fd00::1']);
  });

  it('takes 100 addresses, and IPv6 in all its spellings', () => {
    const many = { addresses: pods(100).flatMap(({ addresses }) => addresses) };
    expect(addressesOf(importFromEast([sourceSlice('s', [many])]).slices)).toHaveLength(100);
    const six = ['fd00::', '1:2:3:4:5:6:7:8', 'FD00::A', '1::8', '::2'].map((address) => pod(address));
    expect(importFromEast([sourceSlice('s', six, { addressType: 'IPv6' })]).leftOut).toEqual([]);
  });

  it('drops a hostname that is no label, and keeps the endpoint', () => {
    const plan = importFromEast([sourceSlice('s', [pod('10.1.0.1', { hostname: 'No_Label' })])]);
    expect(reasonsOf(plan)).toEqual(['BadHostname']);
    expect(plan.slices[0]?.endpoints?.[0]).not.toHaveProperty('hostname');
    expect(addressesOf(plan.slices)).toEqual(['10.1.0.1']);
  });

  it('takes an endpoint that occurs twice once, as ready if it is ready in one place', () => {
    const plan = importFromEast([sourceSlice('s', [pod('10.1.0.1', { conditions: { ready: false } }), pod('10.1.0.1')])]);
    expect(reasonsOf(plan)).toEqual(['DuplicateEndpoint']);
    expect(plan.slices[0]?.endpoints).toMatchObject([{ conditions: { ready: true } }]);
  });

  it('keeps two names of one address', () => {
    const both = [pod('10.1.0.1', { hostname: 'a' }), pod('10.1.0.1', { hostname: 'b' })];
    expect(importFromEast([sourceSlice('s', both)]).slices[0]?.endpoints).toHaveLength(2);
  });

  it('writes nothing for a cluster id that is no label value', () => {
    const slices = [sourceSlice('s', [pod('10.1.0.1')])];
    for (const cluster of ['x'.repeat(64), '-x', '']) {
      const plan = importFromEast([], { sources: [{ cluster, ports: [HTTP], slices }] });
      expect(plan.slices).toEqual([]);
      expect(reasonsOf(plan)).toEqual(['ClusterIdDoesNotFit']);
    }
    const fits = importFromEast([], { sources: [{ cluster: `${'x'.repeat(57)}.west`, ports: [HTTP], slices }] });
    expect(fits.slices).toHaveLength(1);
  });

  it('withdraws what it imported from a slice that has become bad', () => {
    const { slices } = importFromEast([sourceSlice('s', [pod('10.1.0.1')]), good]);
    const bad = sourceSlice('s', [pod('10.1.0.1')], { ports: [{ name: 'other', port: 1 }] });
    const plan = importFromEast([bad, good], { current: slices });
    expect(stepsOf(plan)).toEqual(['delete: SourceLeftOut']);
    expect(plan.unchanged).toHaveLength(1);
  });

  it('tells which sources anything would be imported of', () => {
    const bad = sourceSlice('bad', [pod('10.1.0.9')], { ports: [] });
    const sources = [
      { cluster: 'east', ports: [HTTP], slices: [bad, good] },
      { cluster: '-', ports: [HTTP], slices: [good] },
    ];
    expect(importableSources({ serviceImport: importOf() }, sources)).toEqual([{ ...sources[0], slices: [good] }]);
  });
});

describe('which clusters count (KEP-1645, leases)', () => {
  const slices = [sourceSlice('s', [pod('10.1.0.1')])];
  const sources = ['east', 'west'].map((cluster) => ({ cluster, ports: [HTTP], slices }));
  const current = importFromEast([], { sources }).slices;

  it('deletes the slices of clusters that do not count any more, and nothing else', () => {
    const plan = importFromEast([], { sources, current, counting: ['east'] });
    expect(stepsOf(plan)).toEqual(['delete: ClusterWithdrawn']);
    expect(plan.unchanged).toHaveLength(1);
    expect(plan.unchanged[0]?.metadata.labels?.['multicluster.kubernetes.io/source-cluster']).toBe('east');
    const back = importFromEast([], { sources, current: plan.slices });
    expect(back.slices).toEqual(current);
  });

  it('leaves alone what came from a cluster that is not known yet, and does not take silence for emptiness', () => {
    const waiting = importFromEast([], { sources: sources.slice(0, 1), current, pending: ['west'] });
    expect(waiting.steps).toEqual([]);
    expect(waiting.slices).toEqual(current);
    const empty = importFromEast([], {
      sources: [...sources.slice(0, 1), { cluster: 'west', ports: [HTTP], slices: [] }],
      current,
    });
    expect(stepsOf(empty)).toEqual(['delete: SourceGone']);
  });

  it('touches only slices that it keeps, for this service', () => {
    const [first] = current;
    if (first === undefined) throw new Error('nothing was imported');
    const withLabels = (labels: Record<string, string>): EndpointSlice => ({
      ...first,
      metadata: { ...first.metadata, labels: { ...first.metadata.labels, ...labels } },
    });
    const foreign = [
      sourceSlice('web-local', [pod('10.1.0.1')]),
      withLabels({ 'endpointslice.kubernetes.io/managed-by': 'somebody' }),
      withLabels({ 'multicluster.kubernetes.io/service-name': 'api' }),
      { ...first, metadata: { ...first.metadata, namespace: 'other' } },
      { ...first, metadata: { ...first.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ];
    expect(importFromEast([], { sources: [], current: foreign })).toEqual({ steps: [], unchanged: [], slices: [], leftOut: [] });
  });

  it('takes another number where its name was claimed by somebody else, or is on its way out', () => {
    const [east] = importFromEast(slices).slices;
    if (east === undefined) throw new Error('nothing was imported');
    const { labels } = east.metadata;
    const claimed = { ...east.metadata, labels: { ...labels, 'endpointslice.kubernetes.io/managed-by': 'x' } };
    const leaving = { ...east.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    for (const metadata of [claimed, leaving]) {
      const plan = importFromEast(slices, { current: [{ ...east, metadata }] });
      expect(stepsOf(plan)).toEqual(['create: NewSource']);
      expect(plan.slices[0]?.metadata.name).toBe(east.metadata.name.replace(/0$/, '1'));
    }
  });

  it('mends its metadata, and leaves in place what others put there', () => {
    const [east] = importFromEast(slices).slices;
    if (east === undefined) throw new Error('nothing was imported');
    const metadata = {
      ...east.metadata,
      resourceVersion: '7',
      labels: { 'x/y': 'z' },
      annotations: { a: 'b' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'other' }],
    };
    const plan = importFromEast(slices, { current: [{ ...east, metadata }] });
    expect(stepsOf(plan)).toEqual(['update: MetadataChanged']);
    expect(plan.slices[0]?.metadata).toEqual({
      ...east.metadata,
      resourceVersion: '7',
      labels: { ...east.metadata.labels, 'x/y': 'z' },
      annotations: { ...east.metadata.annotations, a: 'b' },
      ownerReferences: [...metadata.ownerReferences, ...(east.metadata.ownerReferences ?? [])],
    });
  });
});

describe('families', () => {
  it('never changes the family of a slice: a source of the other family gets other slices', () => {
    const { slices } = importFromEast([sourceSlice('s', [pod('10.1.0.1')])]);
    const plan = importFromEast([sourceSlice('s', [pod('fd00::1')], { addressType: 'IPv6' })], { current: slices });
    expect(stepsOf(plan)).toEqual(['create: NewSource', 'delete: SourceGone']);
    expect(plan.slices.map(({ addressType }) => addressType)).toEqual(['IPv6']);
  });
});

describe('importSourceSlice', () => {
  const service = { serviceImport: importOf() };
  it('plans for one source slice, and deletes what came from one that is gone', () => {
    const source = { cluster: 'east', ports: [HTTP], slice: sourceSlice('s', [pod('10.1.0.1')]) };
    const first = importSourceSlice(service, source, []);
    expect(first.slices).toEqual(importFromEast([source.slice]).slices);
    expect(stepsOf(importSourceSlice(service, source, first.slices))).toEqual([]);
    expect(stepsOf(importSourceSlice(service, { ...source, slice: undefined }, first.slices))).toEqual(['delete: SourceGone']);
  });
});
