import { describe, expect, it } from 'vitest';
import { clustersetRecords } from '../../../src/mcs/dns/records.ts';
import { formatClustersetName, parseClustersetName, resolve } from '../../../src/mcs/dns/resolve.ts';
import { clusterSetIp, dataOf, headless, importedSlice, tcp, told } from './records-fixtures.ts';

const six = { addressType: 'IPv6' };
const imports = [
  clusterSetIp('api', ['10.99.0.1'], [tcp('http', 80), tcp('grpc', 9090)]),
  clusterSetIp('dual', ['10.99.0.2', 'fd00:99::2'], [tcp('https', 443)]),
  clusterSetIp('noip', [], [tcp('http', 80)]),
  clusterSetIp('noport', ['10.99.0.3'], []),
  clusterSetIp('unnamed', ['10.99.0.4'], [{ protocol: 'TCP', port: 80 }]),
  clusterSetIp('both', ['10.99.0.5'], [tcp('tcp', 42), { name: 'udp', protocol: 'UDP', port: 42 }]),
  headless('db', [tcp('pg', 5432)]),
  headless('none', [tcp('pg', 5432)]),
  headless('down', [tcp('pg', 5432)]),
  headless('portless'),
  headless('dotted', [tcp('pg', 5432)]),
  headless('nosource', [tcp('pg', 5432)]),
  headless('onlysix', [tcp('pg', 5432)]),
  headless('twoports', [tcp('pg', 5432), tcp('admin', 99)]),
];
const slices = [
  importedSlice('api', 'east', ['10.1.9.1=a0']),
  importedSlice('db', 'east', ['10.1.0.1=db-0', '10.1.0.2=db-1', '!10.1.0.3=db-2']),
  importedSlice('db', 'west', ['?10.2.0.1=db-0', '10.2.0.2']),
  importedSlice('down', 'east', ['!10.1.0.1=down-0']),
  importedSlice('portless', 'east', ['10.1.0.1=p-0'], { ports: [] }),
  importedSlice('dotted', 'eu.west', ['10.1.0.1=h0']),
  importedSlice('nosource', undefined, ['10.1.0.1=h0']),
  importedSlice('onlysix', 'east', ['fd00::5'], six),
  importedSlice('twoports', 'east', ['10.1.0.1=h0', '10.1.0.2=h1'], { ports: [tcp('pg', 5432), tcp('admin', 99)] }),
];
const zone = clustersetRecords(imports, slices, { namespaces: ['empty'] });
const PROD = 'prod.svc.clusterset.local';

describe('answers (KEP-1645, Multicluster Service DNS; CoreDNS 1.15.0 where a row says nothing else)', () => {
  it.each<[string, string, string]>([
    ['api', 'A', '10.99.0.1'],
    ['api', 'AAAA', 'NODATA'],
    ['api', 'TXT', 'NODATA'],
    ['api', 'PTR', 'NODATA'],
    ['api', 'ANY', 'NODATA'],
    ['api', 'a', '10.99.0.1'],
    ['_http._tcp.api', 'SRV', '0 100 80 api'],
    ['_HTTP._TCP.Api', 'srv', '0 100 80 api'],
    ['_http._udp.api', 'SRV', 'NXDOMAIN'],
    ['_nope._tcp.api', 'SRV', 'NXDOMAIN'],
    ['api', 'SRV', '0 50 80 api | 0 50 9090 api'],
    ['east.api', 'A', 'NXDOMAIN'],
    ['dual', 'A', '10.99.0.2'],
    ['dual', 'AAAA', 'fd00:99::2'],
    ['dual', 'SRV', '0 50 443 dual'],
    ['_https._tcp.dual', 'SRV', '0 50 443 dual'],
    ['both', 'SRV', '0 50 42 both'],
    ['noip', 'A', 'NODATA'],
    ['noip', 'SRV', 'NODATA'],
    ['_http._tcp.noip', 'SRV', 'NODATA'],
    ['noport', 'SRV', 'NODATA'],
    ['unnamed', 'A', '10.99.0.4'],
    ['db', 'A', '10.1.0.1 | 10.1.0.2 | 10.2.0.1 | 10.2.0.2'],
    ['db', 'AAAA', 'NODATA'],
    [
      '_pg._tcp.db',
      'SRV',
      '0 25 5432 10-2-0-2.west.db | 0 25 5432 db-0.east.db | 0 25 5432 db-0.west.db | 0 25 5432 db-1.east.db',
    ],
    ['db', 'SRV', '0 25 5432 10-2-0-2.west.db | 0 25 5432 db-0.east.db | 0 25 5432 db-0.west.db | 0 25 5432 db-1.east.db'],
    [
      'twoports',
      'SRV',
      '0 25 99 h0.east.twoports | 0 25 5432 h0.east.twoports | 0 25 99 h1.east.twoports | 0 25 5432 h1.east.twoports',
    ],
    ['_admin._tcp.twoports', 'SRV', '0 50 99 h0.east.twoports | 0 50 99 h1.east.twoports'],
    ['db-0.east.db', 'A', '10.1.0.1'],
    ['DB-0.East.db', 'A', '10.1.0.1'],
    ['db-0.west.db', 'A', '10.2.0.1'],
    ['db-0.west.db', 'AAAA', 'NODATA'],
    ['10-2-0-2.west.db', 'A', '10.2.0.2'],
    ['db-2.east.db', 'A', 'NXDOMAIN'],
    ['10-1-0-1.east.db', 'A', 'NXDOMAIN'],
    ['db-0.db', 'A', 'NXDOMAIN'],
    ['east.db', 'A', 'NXDOMAIN'],
    ['x.db-0.east.db', 'A', 'NXDOMAIN'],
    ['x.y.db-0.east.db', 'A', 'NXDOMAIN'],
    ['pg.tcp.db', 'A', 'NXDOMAIN'],
    ['pg._tcp.db', 'SRV', 'NXDOMAIN'],
    ['_pg.tcp.db', 'SRV', 'NXDOMAIN'],
    ['_tcp.db', 'SRV', 'NXDOMAIN'],
    ['none', 'A', 'NXDOMAIN'],
    ['down', 'A', 'NXDOMAIN'],
    ['_pg._tcp.down', 'SRV', 'NXDOMAIN'],
    ['onlysix', 'A', 'NODATA'],
    ['onlysix', 'AAAA', 'fd00::5'],
    ['fd00--5.east.onlysix', 'AAAA', 'fd00::5'],
    ['portless', 'A', '10.1.0.1'],
    ['portless', 'SRV', 'NODATA'],
    ['p-0.east.portless', 'A', '10.1.0.1'],
    ['nosource', 'A', '10.1.0.1'],
    ['nowhere', 'A', 'NXDOMAIN'],
    ['db-0.east.nowhere', 'A', 'NXDOMAIN'],
  ])('%s %s: %s', (name, type, expected) => {
    expect(told(zone, `${name}.${PROD}`, type)).toBe(expected);
  });

  it.each<[string, string, string, string]>([
    ['a port has no addresses (CoreDNS gives those of the service)', '_http._tcp.api', 'A', 'NODATA'],
    ['an address is enough for A (CoreDNS wants a port)', 'noport', 'A', '10.99.0.3'],
    ['an unnamed port has no SRV record (CoreDNS gives one)', '_._tcp.unnamed', 'SRV', 'NXDOMAIN'],
    ['an unnamed port has none at the name of the service either', 'unnamed', 'SRV', 'NODATA'],
    ['a service with an address has no names of endpoints (CoreDNS has them)', 'a0.east.api', 'A', 'NXDOMAIN'],
    ['the target of a cluster id of two labels', '_pg._tcp.dotted', 'SRV', '0 100 5432 h0.eu.west.dotted'],
    ['and the target resolves (in CoreDNS it does not exist)', 'h0.eu.west.dotted', 'A', '10.1.0.1'],
    ['a part of such a cluster id is no cluster', 'h0.eu.dotted', 'A', 'NXDOMAIN'],
    ['a cluster id of two labels is reserved too', 'eu.west.dotted', 'A', 'NXDOMAIN'],
    ['without a source cluster there is no SRV record (CoreDNS never answers)', 'nosource', 'SRV', 'NODATA'],
    ['and no name of the port', '_pg._tcp.nosource', 'SRV', 'NXDOMAIN'],
  ])('other than CoreDNS: %s', (_, name, type, expected) => {
    expect(told(zone, `${name}.${PROD}`, type)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ['dns-version.clusterset.local', 'TXT', '1.0.0'],
    ['dns-version.clusterset.local', 'A', 'NODATA'],
    ['clusterset.local', 'A', 'NODATA'],
    ['clusterset.local', 'TXT', 'NODATA'],
    ['clusterset.local', 'NS', 'ns.dns.clusterset.local'],
    ['clusterset.local.', 'SOA', 'ns.dns.clusterset.local hostmaster.clusterset.local 1'],
    ['ns.dns.clusterset.local', 'A', 'NODATA'],
    ['svc.clusterset.local', 'A', 'NODATA'],
    ['prod.svc.clusterset.local', 'A', 'NODATA'],
    ['empty.svc.clusterset.local', 'A', 'NODATA'],
    ['unknown.svc.clusterset.local', 'A', 'NXDOMAIN'],
    ['api.unknown.svc.clusterset.local', 'A', 'NXDOMAIN'],
    ['api.empty.svc.clusterset.local', 'A', 'NXDOMAIN'],
    ['pod.clusterset.local', 'A', 'NXDOMAIN'],
    ['api.prod.svc.cluster.local', 'A', 'REFUSED'],
    ['local', 'A', 'REFUSED'],
    ['', 'A', 'REFUSED'],
    ['.', 'A', 'REFUSED'],
    ['xclusterset.local', 'A', 'REFUSED'],
    ['clusterset.local', 'AXFR', 'REFUSED'],
    ['api..prod.svc.clusterset.local', 'A', 'NXDOMAIN'],
    ['.api.prod.svc.clusterset.local', 'A', 'NXDOMAIN'],
    ['.clusterset.local', 'A', 'NODATA'],
    ['api.prod.svc.cluster\u017fet.local', 'A', 'REFUSED'],
    ['fran\u212aa.prod.svc.clusterset.local', 'A', 'REFUSED'],
  ])('of the zone: %j %s: %s', (name, type, expected) => {
    expect(told(zone, name, type)).toBe(expected);
  });

  it('keeps the case of the question in the owner name, and only there', () => {
    const { answers, additional } = resolve(zone, { name: '_HTTP._tcp.API.Prod.svc.ClusterSet.local.', type: 'SRV' });
    expect(answers.map(({ name }) => name)).toEqual(['_HTTP._tcp.API.Prod.svc.ClusterSet.local']);
    expect(additional).toEqual([{ name: `api.${PROD}`, ttl: 5, type: 'A', address: '10.99.0.1' }]);
  });

  it('adds the addresses of every target once, of both families', () => {
    const dual = resolve(zone, { name: `dual.${PROD}`, type: 'SRV' });
    expect(dual.additional.map((record) => dataOf(record))).toEqual(['10.99.0.2', 'fd00:99::2']);
    const two = resolve(zone, { name: `twoports.${PROD}`, type: 'SRV' });
    expect(two.additional.map(({ name }) => name)).toEqual([`h0.east.twoports.${PROD}`, `h1.east.twoports.${PROD}`]);
    expect(resolve(zone, { name: `api.${PROD}`, type: 'A' }).additional).toEqual([]);
  });

  it('has the SOA record in the authority of what is not there, and nowhere else', () => {
    const soa = {
      name: 'clusterset.local',
      ttl: 5,
      type: 'SOA',
      nameServer: 'ns.dns.clusterset.local',
      mailbox: 'hostmaster.clusterset.local',
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: 5,
    };
    const empty = { authoritative: true, answers: [], authority: [soa], additional: [] };
    expect(resolve(zone, { name: `api.${PROD}`, type: 'AAAA' })).toEqual({ code: 'NOERROR', ...empty });
    expect(resolve(zone, { name: `east.db.${PROD}`, type: 'A' })).toEqual({ code: 'NXDOMAIN', ...empty });
    expect(resolve(zone, { name: `api.${PROD}`, type: 'A' }).authority).toEqual([]);
    const refused = { code: 'REFUSED', authoritative: false, answers: [], authority: [], additional: [] };
    expect(resolve(zone, { name: 'example.com', type: 'A' })).toEqual(refused);
  });

  it('answers a thousand endpoints in full: cutting is the server’s', () => {
    const endpoints = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const large = clustersetRecords([headless('db')], [importedSlice('db', 'east', endpoints)]);
    expect(resolve(large, { name: `db.${PROD}`, type: 'A' }).answers).toHaveLength(1000);
    const srv = resolve(large, { name: `db.${PROD}`, type: 'SRV' });
    expect(srv.answers).toHaveLength(1000);
    expect(srv.answers[0]).toMatchObject({ priority: 0, weight: 1 });
    expect(srv.additional).toHaveLength(1000);
  });
});

describe('names', () => {
  it.each([
    ['clusterset.local', { kind: 'Zone', name: '' }],
    ['Dns-Version.clusterset.local.', { kind: 'Zone', name: 'dns-version' }],
    ['svc.clusterset.local', { kind: 'Zone', name: 'svc' }],
    [PROD, { kind: 'Namespace', namespace: 'prod' }],
    [`api.${PROD}`, { kind: 'Service', namespace: 'prod', service: 'api' }],
    [`_http._tcp.api.${PROD}`, { kind: 'Port', namespace: 'prod', service: 'api', port: 'http', protocol: 'tcp' }],
    [`http.tcp.api.${PROD}`, { kind: 'Endpoint', namespace: 'prod', service: 'api', hostname: 'http', cluster: 'tcp' }],
    [`h0.eu.west.db.${PROD}`, { kind: 'Endpoint', namespace: 'prod', service: 'db', hostname: 'h0', cluster: 'eu.west' }],
    [`east.db.${PROD}`, undefined],
    [`a.b.c.d.db.${PROD}`, undefined],
    [`_http.tcp.db.${PROD}`, undefined],
    [`_http._tcp.x.db.${PROD}`, undefined],
    [`a..db.${PROD}`, undefined],
    ['api.prod.svc.cluster.local', undefined],
  ])('%s', (name, expected) => {
    const parsed = parseClustersetName('clusterset.local', name);
    expect(parsed).toEqual(expected);
    if (parsed === undefined) return;
    expect(formatClustersetName('clusterset.local', parsed)).toBe(name.toLowerCase().replace(/\.$/, ''));
  });
});
