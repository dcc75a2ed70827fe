import { describe, expect, it } from 'vitest';
import { dnsEndpoints } from '../../../src/mcs/dns/external-dns.ts';
import { clustersetRecords } from '../../../src/mcs/dns/records.ts';
import { clusterSetIp, headless, importedSlice, tcp } from './records-fixtures.ts';

const imports = [
  headless('db', [tcp('pg', 5432)]),
  clusterSetIp('api', ['10.99.0.1', 'fd00::1'], [tcp('http', 80)]),
  headless('none'),
];
const slices = [
  importedSlice('db', 'west', ['10.2.0.1=db-0']),
  importedSlice('db', 'east', ['10.10.0.1=db-1', '10.1.0.1=db-0', '!10.1.0.9=db-9']),
];
const options = { zone: 'example.com', ttl: 30 };
const zone = clustersetRecords(imports, slices, options);

describe('dnsEndpoints (API: externaldns.k8s.io/v1alpha1 DNSEndpoint)', () => {
  it('makes one object for each import, with sorted names and targets', () => {
    expect(dnsEndpoints(zone)).toEqual([
      {
        apiVersion: 'externaldns.k8s.io/v1alpha1',
        kind: 'DNSEndpoint',
        metadata: {
          name: 'clusterset-api',
          namespace: 'prod',
          labels: { 'multicluster.kubernetes.io/service-name': 'api', 'app.kubernetes.io/managed-by': 'clusterset' },
        },
        spec: {
          endpoints: [
            { dnsName: 'api.prod.svc.example.com', recordType: 'A', targets: ['10.99.0.1'], recordTTL: 30 },
            { dnsName: 'api.prod.svc.example.com', recordType: 'AAAA', targets: ['fd00::1'], recordTTL: 30 },
          ],
        },
      },
      {
        apiVersion: 'externaldns.k8s.io/v1alpha1',
        kind: 'DNSEndpoint',
        metadata: {
          name: 'clusterset-db',
          namespace: 'prod',
          labels: { 'multicluster.kubernetes.io/service-name': 'db', 'app.kubernetes.io/managed-by': 'clusterset' },
        },
        spec: {
          endpoints: [
            { dnsName: 'db-0.east.db.prod.svc.example.com', recordType: 'A', targets: ['10.1.0.1'], recordTTL: 30 },
            { dnsName: 'db-0.west.db.prod.svc.example.com', recordType: 'A', targets: ['10.2.0.1'], recordTTL: 30 },
            { dnsName: 'db-1.east.db.prod.svc.example.com', recordType: 'A', targets: ['10.10.0.1'], recordTTL: 30 },
            {
              dnsName: 'db.prod.svc.example.com',
              recordType: 'A',
              targets: ['10.1.0.1', '10.10.0.1', '10.2.0.1'],
              recordTTL: 30,
            },
          ],
        },
      },
      {
        apiVersion: 'externaldns.k8s.io/v1alpha1',
        kind: 'DNSEndpoint',
        metadata: {
          name: 'clusterset-none',
          namespace: 'prod',
          labels: { 'multicluster.kubernetes.io/service-name': 'none', 'app.kubernetes.io/managed-by': 'clusterset' },
        },
        spec: { endpoints: [] },
      },
    ]);
  });

  it('sorts SRV targets as text, weights and ports included', () => {
    const ports = [tcp('b', 443), tcp('a', 80), tcp('c', 1000)];
    const [object] = dnsEndpoints(clustersetRecords([clusterSetIp('web', ['10.0.0.1'], ports)], [], options), {
      recordTypes: ['SRV'],
    });
    const own = object?.spec.endpoints.find(({ dnsName }) => dnsName === 'web.prod.svc.example.com');
    expect(own?.targets.map((target) => target.split(' ')[2])).toEqual(['1000', '443', '80']);
  });

  it('does not depend on the order of objects', () => {
    expect(dnsEndpoints(clustersetRecords(imports.toReversed(), slices.toReversed(), options))).toEqual(dnsEndpoints(zone));
  });

  it('publishes SRV records where asked to, with a TTL of its own', () => {
    const [api, db] = dnsEndpoints(zone, { recordTypes: ['SRV'], ttl: 300 });
    expect(api?.spec.endpoints).toEqual([
      {
        dnsName: '_http._tcp.api.prod.svc.example.com',
        recordType: 'SRV',
        targets: ['0 50 80 api.prod.svc.example.com.'],
        recordTTL: 300,
      },
      { dnsName: 'api.prod.svc.example.com', recordType: 'SRV', targets: ['0 50 80 api.prod.svc.example.com.'], recordTTL: 300 },
    ]);
    expect(db?.spec.endpoints[0]?.targets).toEqual([
      '0 33 5432 db-0.east.db.prod.svc.example.com.',
      '0 33 5432 db-0.west.db.prod.svc.example.com.',
      '0 33 5432 db-1.east.db.prod.svc.example.com.',
    ]);
  });
});
