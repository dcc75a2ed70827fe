import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServiceImport } from '../../../src/mcs/api.ts';
import { clustersetRecords, serviceRecords } from '../../../src/mcs/dns/records.ts';
import { parseClustersetName, resolve } from '../../../src/mcs/dns/resolve.ts';
import { withoutServiceRecords, withServiceRecords, type Zone, zoneOf, zoneRecords } from '../../../src/mcs/dns/zone.ts';
import { importSlices } from '../../../src/mcs/slices/import-slices.ts';
import type { EndpointSlice } from '../../../src/mcs/slices/types.ts';
import { clusterSetIp, dataOf, headless, importedSlice, serviceImport, tcp, told } from './records-fixtures.ts';
import { HTTP, importOf, pod, sourceSlice } from './slices-fixtures.ts';

const PROD = 'prod.svc.clusterset.local';
const reasonsOf = (zone: Zone): readonly string[] => [
  ...zone.leftOut.map(({ reason }) => reason),
  ...[...zone.namespaces.values()].flatMap((services) =>
    [...services.values()].flatMap(({ leftOut }) => leftOut.map(({ reason }) => reason)),
  ),
];

describe('a zone', () => {
  it('takes its name, times, version and name server from options', () => {
    const zone = clustersetRecords([clusterSetIp('api', ['10.0.0.1'], [])], [], {
      zone: 'Example.COM.',
      ttl: 60,
      dnsVersion: '1.1.0',
      dnsVersionTtl: 9,
      serial: 7,
      nameServerAddresses: ['10.0.0.53', 'fd00::53', 'nonsense'],
    });
    const lines = zoneRecords(zone).map((record) => `${record.name} ${record.ttl} ${record.type} ${dataOf(record)}`);
    expect(lines).toEqual([
      'api.prod.svc.example.com 60 A 10.0.0.1',
      'dns-version.example.com 9 TXT 1.1.0',
      'example.com 60 SOA ns.dns.example.com hostmaster.example.com 7',
      'example.com 60 NS ns.dns.example.com',
      'ns.dns.example.com 60 A 10.0.0.53',
      'ns.dns.example.com 60 AAAA fd00::53',
    ]);
    expect(resolve(zone, { name: 'example.com', type: 'NS' }).additional.map((record) => dataOf(record))).toEqual([
      '10.0.0.53',
      'fd00::53',
    ]);
  });

  it('has the TTLs of KEP-1645 and CoreDNS by default', () => {
    const zone = clustersetRecords([clusterSetIp('api', ['10.0.0.1'], [])], []);
    expect(resolve(zone, { name: `api.${PROD}`, type: 'A' }).answers[0]?.ttl).toBe(5);
    expect(resolve(zone, { name: 'dns-version.clusterset.local', type: 'TXT' }).answers[0]?.ttl).toBe(28_800);
  });

  it('refuses a name that is none', () => {
    expect(() => clustersetRecords([], [], { zone: 'not a zone' })).toThrow(/zone/);
  });

  it('changes one service at a time, and shares the others', () => {
    const db = headless('db');
    const before = clustersetRecords([clusterSetIp('api', ['10.0.0.1'], []), db], []);
    const records = serviceRecords(db, [importedSlice('db', 'east', ['10.1.0.1']), importedSlice('api', 'east', ['10.9.0.1'])]);
    const after = withServiceRecords(before, records);
    expect(told(before, `db.${PROD}`, 'A')).toBe('NXDOMAIN');
    expect(told(after, `db.${PROD}`, 'A')).toBe('10.1.0.1');
    expect(after).toEqual(
      clustersetRecords([db, clusterSetIp('api', ['10.0.0.1'], [])], [importedSlice('db', 'east', ['10.1.0.1'])]),
    );
    expect(after.namespaces.get('prod')?.get('api')).toBe(before.namespaces.get('prod')?.get('api'));
    const without = withoutServiceRecords(withoutServiceRecords(after, records), { namespace: 'prod', service: 'api' });
    expect(told(without, PROD, 'A')).toBe('NXDOMAIN');
    expect(withoutServiceRecords(without, records)).toBe(without);
    const declared = withoutServiceRecords(zoneOf([records], { namespaces: ['prod'] }), records);
    expect(told(declared, PROD, 'A')).toBe('NODATA');
  });
});

describe('records of a headless service', () => {
  const zoneOfSlices = (...slices: EndpointSlice[]): Zone => clustersetRecords([headless('db', [tcp('pg', 5432)])], slices);

  it('a hostname may have several addresses, of both families', () => {
    const zone = zoneOfSlices(
      importedSlice('db', 'east', ['10.1.0.2=db-0', '10.1.0.1=db-0']),
      importedSlice('db', 'east', ['FD00::1=db-0'], { addressType: 'IPv6' }),
    );
    expect(told(zone, `db-0.east.db.${PROD}`, 'A')).toBe('10.1.0.1 | 10.1.0.2');
    expect(told(zone, `db-0.east.db.${PROD}`, 'AAAA')).toBe('fd00::1');
    expect(told(zone, `db.${PROD}`, 'SRV')).toBe('0 33 5432 db-0.east.db');
  });

  it.each([
    ['10.1.0.1', '10-1-0-1'],
    ['fd00::1', 'fd00--1'],
    ['fd00::', 'fd00--0'],
  ])('an endpoint without a hostname is named after its address: %s is %s', (address, name) => {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    const zone = zoneOfSlices(importedSlice('db', 'east', [address], { addressType: family }));
    expect(told(zone, `${name}.east.db.${PROD}`, family === 'IPv4' ? 'A' : 'AAAA')).toBe(address);
  });

  it('an endpoint that is ready in one slice of two is ready: Kubernetes moves endpoints', () => {
    const other = importedSlice('db', 'east', ['!10.1.0.1=db-0']);
    const zone = zoneOfSlices(importedSlice('db', 'east', ['10.1.0.1=db-0']), {
      ...other,
      metadata: { ...other.metadata, name: 'x' },
    });
    expect(told(zone, `db.${PROD}`, 'A')).toBe('10.1.0.1');
  });

  it('slices of other namespaces and services are others’', () => {
    const slice = importedSlice('db', 'east', ['10.1.0.1=db-0']);
    const zone = zoneOfSlices(
      { ...slice, metadata: { ...slice.metadata, namespace: 'test' } },
      importedSlice('api', 'east', ['10.1.0.1']),
    );
    expect(told(zone, `db.${PROD}`, 'A')).toBe('NXDOMAIN');
    expect(zone.leftOut).toMatchObject([
      { reason: 'NoServiceImport', namespace: 'prod', service: 'api' },
      { reason: 'NoServiceImport', namespace: 'test', service: 'db' },
    ]);
  });

  it('follows from what was imported', () => {
    const { slices } = importSlices({
      serviceImport: importOf({ type: 'Headless' }),
      sources: ['east', 'eu.west'].map((cluster, number) => ({
        cluster,
        ports: [HTTP],
        slices: [
          sourceSlice('s', [
            pod(`10.${number}.0.1`, { hostname: 'web-0' }),
            pod(`10.${number}.0.2`, { conditions: { ready: false } }),
          ]),
        ],
      })),
      current: [],
    });
    const zone = clustersetRecords([importOf({ type: 'Headless' })], slices);
    expect(told(zone, 'web.shop.svc.clusterset.local', 'A')).toBe('10.0.0.1 | 10.1.0.1');
    expect(told(zone, 'web-0.eu.west.web.shop.svc.clusterset.local', 'A')).toBe('10.1.0.1');
  });
});

describe('what has no record is left out with a reason, and spoils nothing else', () => {
  const good = clusterSetIp('api', ['10.99.0.1'], [tcp('http', 80)]);
  it.each<[string, unknown, readonly EndpointSlice[], string[]]>([
    ['an address that is none', clusterSetIp('bad', ['10.0.0'], []), [], ['BadAddress']],
    ['a port number beyond', clusterSetIp('bad', ['10.0.0.1'], [tcp('http', 70_000)]), [], ['BadPort']],
    ['a port name that is no label', clusterSetIp('bad', ['10.0.0.1'], [tcp('a b', 80)]), [], ['BadPort']],
    ['a port name of 63 characters', clusterSetIp('bad', ['10.0.0.1'], [tcp('p'.repeat(63), 80)]), [], ['NameTooLong']],
    ['a service name with a dot', clusterSetIp('bad.name', ['10.0.0.1'], []), [], ['BadName']],
    ['a service name of 64 characters', clusterSetIp('x'.repeat(64), ['10.0.0.1'], []), [], ['BadName']],
    ['no namespace', serviceImport('bad', { type: 'ClusterSetIP', ports: [] }, ''), [], ['BadName']],
    ['an unknown type', serviceImport('bad', { type: 'Other' as 'Headless', ports: [] }), [], ['BadType']],
    ['no spec', { ...good, metadata: { namespace: 'prod', name: 'bad' }, spec: undefined }, [], ['BadType']],
    ['no metadata', {}, [], ['BadName']],
    ['null', null, [], ['BadName']],
    ['the same import twice', good, [], ['DuplicateImport']],
    ['no source cluster', headless('bad'), [importedSlice('bad', undefined, ['10.0.0.1'])], ['NoSourceCluster']],
    ['a cluster id that is no name', headless('bad'), [importedSlice('bad', 'No_Name', ['10.0.0.1'])], ['BadClusterId']],
    ['a cluster id of three labels', headless('bad'), [importedSlice('bad', 'a.b.c', ['10.0.0.1'])], ['BadClusterId']],
    ['an address of the other family', headless('bad'), [importedSlice('bad', 'east', ['fd00::1'])], ['BadAddress']],
    ['a hostname that is no label', headless('bad'), [importedSlice('bad', 'east', ['10.0.0.1=No_Label'])], ['BadHostname']],
    [
      'domain names for addresses',
      headless('bad'),
      [importedSlice('bad', 'east', ['a.example'], { addressType: 'FQDN' })],
      ['UnknownAddressType'],
    ],
  ])('%s', (_, bad, slices, reasons) => {
    const zone = clustersetRecords([good, bad as ServiceImport], slices);
    expect(reasonsOf(zone)).toEqual(reasons);
    expect(told(zone, `_http._tcp.api.${PROD}`, 'SRV')).toBe('0 100 80 api');
  });

  it('names of more than 253 characters (KEP-1645 has no limit): the endpoint keeps its address', () => {
    const [service, namespace, host] = ['s'.repeat(63), 'n'.repeat(63), 'h'.repeat(63)];
    const slice = importedSlice(service, 'east', []);
    const cluster = (length: number) => ({ 'multicluster.kubernetes.io/source-cluster': 'c'.repeat(length) });
    const withCluster = (length: number): EndpointSlice => ({
      ...slice,
      metadata: { ...slice.metadata, namespace, labels: { ...slice.metadata.labels, ...cluster(length) } },
      endpoints: [{ addresses: ['10.0.0.1'], hostname: host }],
    });
    const name = `${service}.${namespace}.svc.clusterset.local`;
    const fits = 253 - name.length - 2 - host.length;
    const zoneFor = (length: number): Zone =>
      clustersetRecords([serviceImport(service, { type: 'Headless', ports: [] }, namespace)], [withCluster(length)]);
    expect(told(zoneFor(fits), `${host}.${'c'.repeat(fits)}.${name}`, 'A')).toBe('10.0.0.1');
    const tooLong = zoneFor(fits + 1);
    expect(told(tooLong, `${host}.${'c'.repeat(fits + 1)}.${name}`, 'A')).toBe('NXDOMAIN');
    expect(told(tooLong, name, 'A')).toBe('10.0.0.1');
    expect(told(tooLong, name, 'SRV')).toBe('NODATA');
    expect(reasonsOf(tooLong)).toEqual(['NameTooLong']);
    const zone = `${'z'.repeat(60)}.${'z'.repeat(60)}.example`;
    const beyond = clustersetRecords(
      [serviceImport(service, { type: 'ClusterSetIP', ips: ['10.0.0.1'], ports: [] }, namespace)],
      [],
      { zone },
    );
    expect(reasonsOf(beyond)).toEqual(['NameTooLong']);
    expect(told(beyond, `${service}.${namespace}.svc.${zone}`, 'A')).toBe('NXDOMAIN');
  });
});

it('takes one of two imports of one name, whichever comes first', () => {
  const twice = [clusterSetIp('api', ['10.99.0.1'], []), clusterSetIp('api', ['10.99.0.2'], [])];
  const zone = clustersetRecords(twice, []);
  expect(clustersetRecords(twice.toReversed(), [])).toEqual(zone);
  expect(zone.leftOut).toMatchObject([{ reason: 'DuplicateImport', namespace: 'prod', service: 'api' }]);
});

describe('properties', () => {
  const name = fc.constantFrom('api', 'db', 'web');
  const port = fc.record({
    name: fc.constantFrom('http', 'pg', ''),
    protocol: fc.constantFrom('TCP', 'UDP'),
    port: fc.integer({ min: 1, max: 99 }),
  });
  const anImport = fc
    .record({
      name,
      type: fc.constantFrom('ClusterSetIP', 'Headless'),
      ips: fc.uniqueArray(fc.constantFrom('10.0.0.1', 'fd00::1')),
      ports: fc.array(port, { maxLength: 3 }),
    })
    .map(({ name: service, type, ips, ports }) => serviceImport(service, { type: type as 'Headless', ports, ips }));
  const aSlice = fc
    .record({
      service: name,
      cluster: fc.constantFrom('east', 'west', 'eu.west', undefined),
      endpoints: fc.array(
        fc
          .record({
            state: fc.constantFrom('', '!', '?'),
            last: fc.integer({ min: 1, max: 20 }),
            hostname: fc.constantFrom('', '=a', '=b'),
          })
          .map(({ state, last, hostname }) => `${state}10.1.0.${last}${hostname}`),
        { maxLength: 6 },
      ),
      ports: fc.array(port, { maxLength: 3 }),
    })
    .map(({ service, cluster, endpoints, ports }) => importedSlice(service, cluster, endpoints, { ports }));
  const world = fc.record({
    imports: fc.uniqueArray(anImport, { selector: ({ metadata }) => metadata.name }),
    slices: fc.array(aSlice, { maxLength: 6 }),
  });

  it('records do not depend on the order of objects, endpoints or ports', () => {
    fc.assert(
      fc.property(world, ({ imports, slices }) => {
        const zone = clustersetRecords(imports, slices);
        const reversed = clustersetRecords(
          imports
            .toReversed()
            .map((each) => ({ ...each, spec: { ...each.spec, ports: each.spec?.ports.toReversed() } }) as ServiceImport),
          slices.toReversed().map((slice) => ({
            ...slice,
            endpoints: (slice.endpoints ?? []).toReversed(),
            ports: (slice.ports ?? []).toReversed(),
          })),
        );
        expect(zoneRecords(reversed)).toEqual(zoneRecords(zone));
      }),
    );
  });

  it('every SRV target resolves, every record answers, and each name is in the grammar and short enough', () => {
    fc.assert(
      fc.property(world, ({ imports, slices }) => {
        const zone = clustersetRecords(imports, slices);
        for (const { name: owner, type, ...data } of zoneRecords(zone)) {
          expect(parseClustersetName(zone.origin, owner)).toBeDefined();
          expect(resolve(zone, { name: owner.toUpperCase(), type }).answers).toContainEqual({
            name: owner.toUpperCase(),
            type,
            ...data,
          });
          if (!('target' in data) || type !== 'SRV') continue;
          const families = ['A', 'AAAA'].map((family) => resolve(zone, { name: data.target, type: family }));
          expect(families.every(({ code }) => code === 'NOERROR')).toBe(true);
          expect(families.flatMap(({ answers }) => answers).length).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('a cluster id in front of a service never exists, and no name without records of its service does', () => {
    const label = fc.constantFrom(
      'east',
      'west',
      'eu',
      'a',
      'b',
      '10-1-0-1',
      '_http',
      '_pg',
      '_tcp',
      '_udp',
      'db',
      'prod',
      'svc',
      '',
    );
    fc.assert(
      fc.property(world, fc.array(label, { maxLength: 5 }), name, ({ imports, slices }, prefix, service) => {
        const zone = clustersetRecords(imports, slices);
        const asked = [...prefix, service, PROD].join('.');
        const { code, answers } = resolve(zone, { name: asked, type: 'A' });
        const parsed = parseClustersetName(zone.origin, asked);
        if (prefix.length === 1 || prefix.length > 3 || parsed === undefined) expect(code).toBe('NXDOMAIN');
        const listed = zoneRecords(zone).filter((record) => record.name === asked && record.type === 'A');
        expect(answers).toEqual(listed);
        if (code === 'NXDOMAIN') expect(answers).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('takes any objects and any question without throwing', () => {
    const metadata = fc.record(
      {
        name: fc.oneof(fc.constant('db'), fc.anything()),
        namespace: fc.oneof(fc.constant('prod'), fc.anything()),
        labels: fc.oneof(
          fc.anything(),
          fc.record({
            'multicluster.kubernetes.io/service-name': fc.oneof(fc.constant('db'), fc.anything()),
            'multicluster.kubernetes.io/source-cluster': fc.anything(),
          }),
        ),
      },
      { requiredKeys: [] },
    );
    const looseImport = fc.oneof(
      fc.anything(),
      fc.record(
        {
          metadata,
          spec: fc.oneof(
            fc.anything(),
            fc.record(
              {
                type: fc.constantFrom('Headless', 'ClusterSetIP', 5),
                ips: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), fc.ipV4(), fc.ipV6()))),
                ports: fc.oneof(fc.anything(), fc.array(fc.anything())),
              },
              { requiredKeys: [] },
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    const looseSlice = fc.oneof(
      fc.anything(),
      fc.record(
        {
          metadata,
          addressType: fc.constantFrom('IPv4', 'IPv6', 5),
          ports: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), port))),
          endpoints: fc.oneof(
            fc.anything(),
            fc.array(
              fc.oneof(
                fc.anything(),
                fc.record(
                  {
                    addresses: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), fc.ipV4()))),
                    hostname: fc.anything(),
                    conditions: fc.anything(),
                  },
                  { requiredKeys: [] },
                ),
              ),
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    const good = clusterSetIp('api', ['10.99.0.1'], []);
    fc.assert(
      fc.property(
        fc.array(looseImport, { maxLength: 3 }),
        fc.array(looseSlice, { maxLength: 3 }),
        fc.oneof(fc.string(), fc.constantFrom('\u212a', '\ud800', '..', '_.')),
        fc.string(),
        (imports, slices, asked, type) => {
          const zone = clustersetRecords([...(imports as ServiceImport[]), good], slices as EndpointSlice[]);
          expect(told(zone, `api.${PROD}`, 'A')).toBe('10.99.0.1');
          zoneRecords(zone);
          resolve(zone, { name: asked, type });
          resolve(zone, { name: `${asked}.${PROD}`, type });
        },
      ),
      { numRuns: 200 },
    );
  });
});
