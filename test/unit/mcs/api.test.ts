import { describe, expect, it } from 'vitest';
import {
  CONFLICT_REASONS,
  DERIVED_SERVICE_ANNOTATION,
  KUBE_SERVICE_NAME_LABEL,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
  ServiceExport,
  ServiceImport,
  SOURCE_CLUSTER_LABEL,
} from '../../../src/mcs/api.ts';
import { checkServiceExport, checkServiceImport } from '../../../src/mcs/check.ts';
import { ourSpec, upstreamSpec } from '../upstream.ts';

const apiVersion = 'multicluster.x-k8s.io/v1beta1';
const metadata = { namespace: 'shop', name: 'web' };
const time = '2026-06-01T12:00:00Z';
const condition = { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: time };
const anExport = (rest: object): object => ({ apiVersion, kind: 'ServiceExport', metadata, ...rest });
const anImport = (spec: object, rest: object = {}): object => ({
  apiVersion,
  kind: 'ServiceImport',
  metadata,
  spec: { ports: [], type: 'ClusterSetIP', ...spec },
  ...rest,
});

/** Upstream leaves `listKind` to the API server, which fills it in like this. */
function comparable(spec: unknown): unknown {
  const { names, ...rest } = spec as { readonly names: { readonly kind: string; readonly listKind?: string } };
  return { ...rest, names: { listKind: `${names.kind}List`, ...names } };
}

describe('the CRDs', () => {
  it.each([
    ['serviceexports.multicluster.x-k8s.io', ServiceExport.crd()],
    ['serviceimports.multicluster.x-k8s.io', ServiceImport.crd()],
  ])('%s has the structure of upstream', (name, crd) => {
    expect(crd.metadata.name).toBe(name);
    expect(comparable(ourSpec(crd))).toEqual(comparable(upstreamSpec(name)));
  });

  it('use the names of the standard', () => {
    expect([
      SERVICE_NAME_LABEL,
      SOURCE_CLUSTER_LABEL,
      MANAGED_BY_LABEL,
      KUBE_SERVICE_NAME_LABEL,
      DERIVED_SERVICE_ANNOTATION,
    ]).toEqual([
      'multicluster.kubernetes.io/service-name',
      'multicluster.kubernetes.io/source-cluster',
      'endpointslice.kubernetes.io/managed-by',
      'kubernetes.io/service-name',
      'multicluster.kubernetes.io/derived-service',
    ]);
    expect(CONFLICT_REASONS).toHaveLength(9);
  });
});

describe('read is as tolerant as upstream (§1.2, §1.3)', () => {
  it.each<[string, typeof ServiceExport | typeof ServiceImport, object]>([
    ['an export without spec', ServiceExport, anExport({})],
    ['an export of the older version', ServiceExport, { ...anExport({}), apiVersion: 'multicluster.x-k8s.io/v1alpha1' }],
    ['labels whose keys are none', ServiceExport, anExport({ spec: { exportedLabels: { 'not a label key!!': 'x y' } } })],
    ['an import without spec', ServiceImport, { apiVersion, kind: 'ServiceImport', metadata }],
    [
      'ports out of range, unknown protocols',
      ServiceImport,
      anImport({ ports: [{ port: 0 }, { port: 70000, protocol: 'HTTP' }] }),
    ],
    ['families and addresses that are none', ServiceImport, anImport({ ipFamilies: ['IPv5', 'IPv5'], ips: ['not-an-ip'] })],
    ['unknown affinities', ServiceImport, anImport({ sessionAffinity: 'Foo' })],
    ['fields of newer versions', ServiceImport, anImport({ later: 1 }, { status: { endpointSliceObjects: 'Present' } })],
  ])('reads %s', (_, type, object) => {
    expect(type.read(object)).toBe(object);
  });

  it.each<[string, typeof ServiceExport | typeof ServiceImport, object, string]>([
    ['another kind', ServiceExport, anImport({}), 'kind'],
    ['another type of import', ServiceImport, anImport({ type: 'Super' }), 'spec.type'],
    ['a spec without ports', ServiceImport, anImport({ ports: undefined }), 'spec.ports'],
    ['three addresses', ServiceImport, anImport({ ips: ['a', 'b', 'c'] }), 'spec.ips'],
    ['a label that is no text', ServiceExport, anExport({ spec: { exportedLabels: { a: 1 } } }), 'spec.exportedLabels.a'],
    [
      'a condition without reason',
      ServiceExport,
      anExport({ status: { conditions: [{ ...condition, reason: '' }] } }),
      'status.conditions[0].reason',
    ],
  ])('refuses %s', (_, type, object, field) => {
    expect(type.shapeIssues(object).map((issue) => issue.field)).toContain(field);
  });
});

describe('checkServiceExport', () => {
  it.each<[string, object]>([
    ['nothing', {}],
    ['labels and annotations', { spec: { exportedLabels: { 'a.b/c': 'd' }, exportedAnnotations: { 'A.b/c': 'any text\n' } } }],
    ['conditions', { status: { conditions: [condition] } }],
  ])('finds nothing wrong with %s', (_, rest) => {
    expect(checkServiceExport(anExport(rest))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['names that no Service has (§1.3)', { metadata: { namespace: 'shop', name: 'a.b' } }, ['metadata.name']],
    ['a missing namespace', { metadata: { name: 'web' } }, ['metadata.namespace']],
    ['label keys that are none (§1.2)', { spec: { exportedLabels: { 'a key': 'x' } } }, ['spec.exportedLabels[a key]']],
    ['label values that are none', { spec: { exportedLabels: { key: 'a b' } } }, ['spec.exportedLabels[key]']],
    [
      'annotation keys that are none',
      { spec: { exportedAnnotations: { '': 'x' } } },
      ['spec.exportedAnnotations[]', 'spec.exportedAnnotations[]'],
    ],
    [
      'keys that controllers keep',
      { spec: { exportedAnnotations: { [DERIVED_SERVICE_ANNOTATION]: 'mine' } } },
      [`spec.exportedAnnotations[${DERIVED_SERVICE_ANNOTATION}]`],
    ],
    [
      'annotations too large for an object',
      { spec: { exportedAnnotations: { a: 'x'.repeat(300_000) } } },
      ['spec.exportedAnnotations'],
    ],
    ['conditions twice (§1.4)', { status: { conditions: [condition, condition] } }, ['status.conditions[1]']],
    ['the shape first', { spec: { exportedLabels: 'x' } }, ['spec.exportedLabels']],
  ])('tells %s', (_, rest, fields) => {
    expect(checkServiceExport(anExport(rest)).map(({ field }) => field)).toEqual(fields);
  });
});

describe('checkServiceImport (§1.3)', () => {
  const good = {
    ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' }],
    ips: ['10.0.0.1', 'fd00::1'],
    ipFamilies: ['IPv4', 'IPv6'],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } },
    internalTrafficPolicy: 'Local',
    trafficDistribution: 'PreferClose',
  };

  it.each<[string, object, object?]>([
    ['a full import', good, { status: { clusters: [{ cluster: 'eu-1' }], conditions: [condition] } }],
    ['a headless import', { type: 'Headless', ipFamilies: ['IPv6'] }],
    ['one unnamed port', { ports: [{ port: 65535 }] }],
    ['an import that waits for addresses', { ipFamilies: ['IPv4', 'IPv6'] }],
  ])('finds nothing wrong with %s', (_, spec, rest) => {
    expect(checkServiceImport(anImport(spec, rest))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['port 0', { ports: [{ port: 0 }] }, ['spec.ports[0].port']],
    ['port 65536', { ports: [{ port: 65536 }] }, ['spec.ports[0].port']],
    ['an unknown protocol', { ports: [{ port: 80, protocol: 'HTTP' }] }, ['spec.ports[0].protocol']],
    ['a port name that is none', { ports: [{ name: 'A b', port: 80 }] }, ['spec.ports[0].name']],
    ['an application protocol that is none', { ports: [{ port: 80, appProtocol: 'a b' }] }, ['spec.ports[0].appProtocol']],
    [
      'names twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
      ['spec.ports[1]'],
    ],
    [
      'numbers twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1, protocol: 'TCP' },
        ],
      },
      ['spec.ports[1]'],
    ],
    ['an unnamed port among several', { ports: [{ name: 'a', port: 1 }, { port: 2 }] }, ['spec.ports[1].name']],
    ['unknown families', { ipFamilies: ['IPv5'] }, ['spec.ipFamilies[0]']],
    ['families twice', { ipFamilies: ['IPv4', 'IPv4'] }, ['spec.ipFamilies[1]']],
    ['addresses that are none', { ips: ['not-an-ip'] }, ['spec.ips[0]']],
    [
      'addresses in another order than families',
      { ips: ['fd00::1', '10.0.0.1'], ipFamilies: ['IPv4', 'IPv6'] },
      ['spec.ips[0]', 'spec.ips[1]'],
    ],
    ['an address without family', { ips: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4'] }, ['spec.ips[1]']],
    ['a family without address', { ips: ['10.0.0.1'], ipFamilies: ['IPv4', 'IPv6'] }, ['spec.ips']],
    ['two addresses of a family', { ips: ['10.0.0.1', '10.0.0.2'] }, ['spec.ips[1]']],
    ['addresses of a headless import', { type: 'Headless', ips: ['10.0.0.1'] }, ['spec.ips']],
    ['unknown session affinity', { sessionAffinity: 'Foo' }, ['spec.sessionAffinity']],
    ['a session time without sessions', { sessionAffinityConfig: {} }, ['spec.sessionAffinityConfig']],
    [
      'session times out of range',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
      ['spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
    ],
    ['unknown traffic policy', { internalTrafficPolicy: 'local' }, ['spec.internalTrafficPolicy']],
    ['unknown traffic distribution', { trafficDistribution: 'PreferMoon' }, ['spec.trafficDistribution']],
  ])('tells %s', (_, spec, fields) => {
    expect(checkServiceImport(anImport(spec)).map(({ field }) => field)).toEqual(fields);
  });

  it('tells a missing spec, ids that are none, and ids twice (§1.8)', () => {
    const status = { clusters: [{ cluster: 'eu.west' }, { cluster: 'eu' }, { cluster: 'eu' }, { cluster: 'a.b.c' }] };
    const value = { apiVersion, kind: 'ServiceImport', metadata, status };
    const fields = (options: Parameters<typeof checkServiceImport>[1]): string[] =>
      checkServiceImport(value, options).map(({ field }) => field);
    expect(fields({})).toEqual(['spec', ...[0, 2, 3].map((index) => `status.clusters[${index}].cluster`)]);
    expect(fields({ clusterIds: 'two-labels' })).toEqual(['spec', ...[2, 3].map((index) => `status.clusters[${index}].cluster`)]);
  });
});
