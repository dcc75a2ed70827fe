import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceImport, type ServiceImportPort } from '../../../src/mcs/api.ts';
import { derivedPorts, derivedService, derivedServiceName } from '../../../src/mcs/derived-service.ts';

const anImport = (spec: object | undefined, metadata: object = {}): ServiceImport =>
  ServiceImport.read({
    apiVersion: 'multicluster.x-k8s.io/v1beta1',
    kind: 'ServiceImport',
    metadata: { namespace: 'demo', name: 'serve', uid: 'u-1', ...metadata },
    ...(spec === undefined
      ? {}
      : { spec: { type: 'ClusterSetIP', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec } }),
  });
const serviceSpec = (spec: object, options = {}): unknown => {
  const derived = derivedService(anImport(spec), options);
  return derived.op === 'have' ? derived.service.spec : derived.reason;
};

describe('derivedServiceName (§1.6)', () => {
  it.each([
    ['default', 'port-filter', 'derived-rot6lodnc8'],
    ['demo', 'serve', 'derived-ovtkn0laet'],
    ['my-ns', 'my-svc', 'derived-a2v4k9sqn6'],
  ])('of %s/%s is %s', (namespace, name, expected) => {
    expect(derivedServiceName(namespace, name)).toBe(expected);
  });
});

describe('derivedService (§1.6)', () => {
  it('is a Service without selector that belongs to the import', () => {
    expect(derivedService(anImport({ ipFamilies: ['IPv4'] }))).toEqual({
      op: 'have',
      issues: [],
      service: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          namespace: 'demo',
          name: 'derived-ovtkn0laet',
          ownerReferences: [{ apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceImport', name: 'serve', uid: 'u-1' }],
        },
        spec: {
          type: 'ClusterIP',
          ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          sessionAffinity: 'None',
        },
      },
    });
  });

  it.each<[string, ServiceImport, string]>([
    ['a headless import', anImport({ type: 'Headless' }), 'Headless'],
    ['an import that is being deleted', anImport({}, { deletionTimestamp: '2026-06-01T12:00:00Z' }), 'BeingDeleted'],
    ['an import without spec', anImport(undefined), 'NoSpec'],
    ['an import without ports', anImport({ ports: [] }), 'NoPorts'],
    ['an import without a port that a Service can have', anImport({ ports: [{ port: 0 }] }), 'NoPorts'],
    ['an import that has not been stored', anImport({}, { uid: undefined }), 'NotStored'],
    ['an import without namespace', anImport({}, { namespace: undefined }), 'NoNamespace'],
  ])('is not there for %s', (_, serviceImport, reason) => {
    expect(derivedService(serviceImport)).toMatchObject({ op: 'none', reason });
  });

  it.each<[string, object, object, object]>([
    ['two families', { ipFamilies: ['IPv6', 'IPv4'] }, {}, { ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: 'PreferDualStack' }],
    [
      'the families that the cluster has',
      { ipFamilies: ['IPv6', 'IPv4'] },
      { supportedIPFamilies: ['IPv4'] },
      { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    ],
    ['no family twice', { ipFamilies: ['IPv4', 'IPv4'] }, {}, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }],
    [
      'session affinity and its time',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
      {},
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
    ],
    [
      'traffic policies',
      { internalTrafficPolicy: 'Local', trafficDistribution: 'PreferSameZone' },
      {},
      { internalTrafficPolicy: 'Local', trafficDistribution: 'PreferSameZone' },
    ],
  ])('carries %s', (_, spec, options, expected) => {
    expect(serviceSpec(spec, options)).toMatchObject(expected);
  });

  it('leaves out what an API server would refuse', () => {
    const spec = serviceSpec({
      ipFamilies: ['IPv5'],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: -1 } },
      internalTrafficPolicy: 'Moon',
      trafficDistribution: 'PreferMoon',
    });
    expect(spec).toEqual({
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      sessionAffinity: 'ClientIP',
    });
  });

  it('is not there where the cluster has none of the families', () => {
    expect(serviceSpec({ ipFamilies: ['IPv6'] }, { supportedIPFamilies: ['IPv4'] })).toBe('IPFamilyNotSupported');
  });
});

describe('derivedPorts', () => {
  const names = (ports: ServiceImportPort[]): (string | undefined)[] => derivedPorts(ports).ports.map(({ name }) => name);

  it.each<[string, ServiceImportPort[], (string | undefined)[]]>([
    ['a single port needs no name', [{ port: 80 }], [undefined]],
    [
      'a port without name among several is called after its protocol and number',
      [{ port: 80 }, { name: 'http', port: 8080 }],
      ['tcp-80', 'http'],
    ],
    [
      '… of UDP',
      [
        { name: 'http', port: 80 },
        { port: 53, protocol: 'UDP' },
      ],
      ['http', 'udp-53'],
    ],
    ['… with a number behind it where that is taken', [{ port: 80 }, { name: 'tcp-80', port: 81 }], ['tcp-80-2', 'tcp-80']],
    [
      '… and with the next where that is taken as well',
      [{ port: 80 }, { name: 'tcp-80', port: 81 }, { name: 'tcp-80-2', port: 82 }],
      ['tcp-80-3', 'tcp-80', 'tcp-80-2'],
    ],
    ['what no Service can have is left out', [{ port: 80 }, { port: 0 }, { name: 'a', port: 80 }], [undefined]],
  ])('%s', (_, ports, expected) => {
    expect(names(ports)).toEqual(expected);
  });

  it('are always what a Service can have, the same for the same ports in any order', () => {
    const port = fc.record(
      {
        name: fc.constantFrom('a', 'tcp-1', 'tcp-1-2', 'udp-2', ''),
        port: fc.integer({ min: 0, max: 4 }),
        protocol: fc.constantFrom('TCP', 'UDP', 'HTTP'),
      },
      { requiredKeys: ['port'] },
    );
    fc.assert(
      fc.property(fc.array(port, { maxLength: 6 }), (ports) => {
        const { ports: derived } = derivedPorts(ports as ServiceImportPort[]);
        const unnamed = derived.filter(({ name }) => name === undefined).length;
        expect(unnamed).toBeLessThanOrEqual(derived.length === 1 ? 1 : 0);
        expect(new Set(derived.map(({ name }) => name)).size).toBe(derived.length);
        expect(new Set(derived.map(({ port: number, protocol }) => `${number}/${protocol}`)).size).toBe(derived.length);
        const again = derivedPorts(derived.toReversed());
        expect(again.ports.toReversed()).toEqual(derived);
        expect(again.issues).toEqual([]);
      }),
    );
  });
});
