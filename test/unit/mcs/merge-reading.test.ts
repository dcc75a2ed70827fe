import { type AnyObject, isClustersetError } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServiceExport } from '../../../src/mcs/api.ts';
import { exportedService, timeOf } from '../../../src/mcs/merge/exports.ts';
import { exported, merged, NOW, service, serviceExport } from './merge-fixtures.ts';

const fieldsOf = (each: ReturnType<typeof exportedService>): readonly string[] => (each.issues ?? []).map(({ field }) => field);

describe('exportedService', () => {
  it('takes from the objects what counts outside the cluster', () => {
    const spec = {
      ipFamilies: ['IPv6', 'IPv4'],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
      internalTrafficPolicy: 'Local',
      trafficDistribution: 'PreferClose',
    };
    expect(exported('east', 1, spec, { exportedLabels: { a: 'b' } })).toEqual({
      cluster: 'east',
      export: { creationTimestamp: '2026-06-01T10:00:01Z', generation: 1, exportedLabels: { a: 'b' } },
      service: {
        type: 'ClusterSetIP',
        ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
        ipFamilies: ['IPv6', 'IPv4'],
        sessionAffinity: 'ClientIP',
        sessionSeconds: 10,
        internalTrafficPolicy: 'Local',
        trafficDistribution: 'PreferClose',
      },
    });
  });

  it.each<[string, object, string]>([
    ['a Service', {}, 'ClusterSetIP'],
    ['clusterIP None', { clusterIP: 'None' }, 'Headless'],
    ['clusterIPs None', { clusterIP: undefined, clusterIPs: ['None'] }, 'Headless'],
    ['a node port', { type: 'NodePort' }, 'ClusterSetIP'],
    ['no type', { type: undefined }, 'ClusterSetIP'],
    ['an external name, whatever its clusterIP', { type: 'ExternalName', clusterIP: 'None' }, 'NotExportable'],
  ])('knows the type of %s (§1.7)', (_, spec, type) => {
    expect(exported('east', 1, { ...spec }).service?.type).toBe(type);
  });

  it.each<[string, object, string[], object]>([
    [
      'ports that are none',
      { ports: [{ port: 0 }, { port: 70_000 }, { port: 1.5 }, 'x', { port: 80 }] },
      ['Service spec.ports[0].port', 'Service spec.ports[1].port', 'Service spec.ports[2].port', 'Service spec.ports[3]'],
      { ports: [{ protocol: 'TCP', port: 80 }] },
    ],
    ['unknown protocols', { ports: [{ port: 80, protocol: 'QUIC' }] }, ['Service spec.ports[0].protocol'], { ports: [] }],
    [
      'port names that are none',
      {
        ports: [
          { port: 80, name: 'A b' },
          { port: 81, name: 7 },
        ],
      },
      ['Service spec.ports[0].name', 'Service spec.ports[1].name'],
      { ports: [] },
    ],
    [
      'ports twice',
      { ports: [{ port: 80 }, { port: 81 }, { port: 80, name: 'a' }] },
      ['Service spec.ports[1]', 'Service spec.ports[2]'],
      { ports: [{ protocol: 'TCP', port: 80 }] },
    ],
    [
      'only the application protocol, where that is none',
      { ports: [{ port: 80, appProtocol: '??' }] },
      ['Service spec.ports[0].appProtocol'],
      { ports: [{ protocol: 'TCP', port: 80 }] },
    ],
    ['ports that are no list', { ports: 80 }, ['Service spec.ports'], { ports: [] }],
    [
      'unknown families',
      { ipFamilies: ['IPv5', 'IPv6', 'IPv6'] },
      ['Service spec.ipFamilies[0]', 'Service spec.ipFamilies[2]'],
      { ipFamilies: ['IPv6'] },
    ],
    ['an unknown affinity', { sessionAffinity: 'Foo' }, ['Service spec.sessionAffinity'], { sessionAffinity: 'None' }],
    [
      'a session time out of range',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: -1 } } },
      ['Service spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
      { sessionSeconds: 10_800 },
    ],
    [
      'an unknown traffic policy',
      { internalTrafficPolicy: 'Moon' },
      ['Service spec.internalTrafficPolicy'],
      { internalTrafficPolicy: 'Cluster' },
    ],
  ])('leaves out %s, and says so', (_, spec, fields, facts) => {
    const read = exported('east', 1, { ...spec });
    expect(fieldsOf(read)).toEqual(fields);
    expect(read.service).toMatchObject(facts);
    const { issues } = merged([read]);
    expect(issues.map(({ code, cluster, severity, field }) => [code, cluster, severity, field])).toEqual(
      fields.map((field) => ['LeftOut', 'east', 'warning', field]),
    );
  });

  const loose = (value: object): ServiceExport => ({ ...serviceExport(1), ...value }) as unknown as ServiceExport;
  const condition = { type: 'Valid', status: 'True', reason: 'Valid', message: '', lastTransitionTime: NOW };

  it.each<[string, object, string[], object]>([
    [
      'entries of labels',
      { spec: { exportedLabels: { good: 'x', 'bad key': 'x', value: 'a b', n: 1 } } },
      ['spec.exportedLabels[bad key]', 'spec.exportedLabels[n]', 'spec.exportedLabels[value]'],
      { exportedLabels: { good: 'x' } },
    ],
    [
      'entries of annotations',
      { spec: { exportedAnnotations: { 'UPPER.case/Key': 'any text', '-': 'x' } } },
      ['spec.exportedAnnotations[-]'],
      { exportedAnnotations: { 'UPPER.case/Key': 'any text' } },
    ],
    [
      'keys that controllers keep',
      {
        spec: {
          exportedAnnotations: { 'multicluster.kubernetes.io/derived-service': 'kubernetes', 'clusterset.dev/type-from': 'x' },
        },
      },
      [
        'spec.exportedAnnotations[clusterset.dev/type-from]',
        'spec.exportedAnnotations[multicluster.kubernetes.io/derived-service]',
      ],
      {},
    ],
    [
      'annotations too large together',
      { spec: { exportedAnnotations: { a: 'x'.repeat(200_000), b: 'x'.repeat(200_000) } } },
      ['spec.exportedAnnotations'],
      {},
    ],
    [
      'maps that are none',
      { spec: { exportedLabels: ['a'], exportedAnnotations: 'b' } },
      ['spec.exportedLabels', 'spec.exportedAnnotations'],
      {},
    ],
    [
      'conditions that can’t be written again',
      {
        status: {
          conditions: [
            { ...condition, reason: '' },
            condition,
            condition,
            { ...condition, type: 'Ready', lastTransitionTime: 'today' },
          ],
        },
      },
      ['status.conditions[0]', 'status.conditions[2]', 'status.conditions[3]'],
      { conditions: [condition] },
    ],
    ['conditions that are no list', { status: { conditions: {} } }, ['status.conditions'], {}],
    ['an empty spec', { spec: null, status: null }, [], {}],
  ])('leaves out %s of an export', (_, value, fields, facts) => {
    const read = exportedService('east', loose(value), service());
    expect(fieldsOf(read)).toEqual(fields);
    expect(read.export).toEqual({ creationTimestamp: '2026-06-01T10:00:01Z', generation: 1, ...facts });
  });

  it('takes an export without a time for the youngest', () => {
    const { metadata, ...rest } = serviceExport(1);
    const read = exportedService('a', { ...rest, metadata: { ...metadata, creationTimestamp: 'yesterday' } }, service());
    expect(fieldsOf(read)).toEqual(['metadata.creationTimestamp']);
    expect(merged([read, exported('b', 9)]).exports.map(({ rank }) => rank)).toEqual([2, 1]);
  });

  it.each([null, undefined])('takes %s for no Service, here and in what others send', (none) => {
    const read = exportedService('a', serviceExport(1), none);
    expect(read).not.toHaveProperty('service');
    const sent = { ...read, service: none as never };
    expect(merged([sent, exported('b', 2)]).exports.map(({ standing }) => standing)).toEqual(['NoService', 'Counts']);
  });

  it('sees that an export is being deleted', () => {
    const { metadata, ...rest } = serviceExport(1);
    expect(
      exportedService('a', { ...rest, metadata: { ...metadata, deletionTimestamp: NOW } }, service()).export.isBeingDeleted,
    ).toBe(true);
  });

  it('refuses the Service of another name', () => {
    expect(() => exportedService('east', serviceExport(1), service({}, 'other'))).toThrowError(
      'the Service is shop/other, but an export is of the Service of its own namespace and name',
    );
  });

  it.each<[unknown, number | undefined]>([
    ['1970-01-01T00:00:01Z', 1000],
    ['1970-01-01T01:00:00.250+01:00', 250],
    ['1970-01-01', undefined],
    ['1970-01-01T00:00:00', undefined],
    ['1970-13-01T00:00:00Z', undefined],
    [0, undefined],
  ])('reads the time %j', (text, expected) => {
    expect(timeOf(text)).toBe(expected);
  });
});

describe('objects that upstream’s CRDs admit', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('a', 'x/y', '__proto__', 'constructor', 'None', 'ClusterIP', 'IPv4'),
  );
  const labels = fc.dictionary(text, text, { maxKeys: 4 });
  const anything = fc.jsonValue({ maxDepth: 3 });
  const exports = fc.record(
    {
      apiVersion: fc.constant('multicluster.x-k8s.io/v1beta1'),
      kind: fc.constant('ServiceExport'),
      metadata: fc.record(
        {
          name: fc.constant('web'),
          namespace: fc.constant('shop'),
          creationTimestamp: text,
          generation: fc.integer(),
          deletionTimestamp: text,
        },
        { requiredKeys: ['name', 'namespace'] },
      ),
      spec: fc.record({ exportedLabels: labels, exportedAnnotations: labels }, { requiredKeys: [] }),
      status: fc.record(
        { conditions: fc.array(fc.oneof(anything, fc.record({ type: text, status: text, reason: text }))) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['apiVersion', 'kind', 'metadata'] },
  );
  const port = fc.record(
    { name: text, port: fc.integer({ min: -1, max: 70_000 }), protocol: text, appProtocol: text },
    { requiredKeys: [] },
  );
  const services = fc.record(
    {
      metadata: fc.constant({ name: 'web', namespace: 'shop' }),
      spec: fc.oneof(
        anything,
        fc.record(
          {
            type: fc.oneof(text, anything),
            clusterIP: text,
            clusterIPs: fc.oneof(fc.array(text), anything),
            ports: fc.oneof(fc.array(fc.oneof(port, anything)), anything),
            ipFamilies: fc.oneof(fc.array(text), anything),
            sessionAffinity: fc.oneof(fc.constant('ClientIP'), anything),
            sessionAffinityConfig: fc.oneof(fc.record({ clientIP: fc.record({ timeoutSeconds: anything }) }), anything),
            internalTrafficPolicy: anything,
            trafficDistribution: anything,
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['metadata'] },
  );

  it('are read without a throw, and merged with a good export that stays as it is', () => {
    fc.assert(
      fc.property(exports, fc.option(services, { nil: undefined }), (each, found) => {
        const object = each as unknown as ServiceExport;
        const read = exportedService('bad', object, found as unknown as AnyObject | undefined);
        const plain = JSON.parse(JSON.stringify(read)) as typeof read;
        expect(plain).toEqual(read);
        const good = exported('good', 1);
        const result = merged([read, good]);
        const younger = result.exports.find(({ cluster }) => cluster === 'bad')?.rank !== 1;
        if (younger) expect(result.serviceImport?.spec?.ports[0]).toEqual({ name: 'http', protocol: 'TCP', port: 80 });
        expect(result.serviceImport?.status?.clusters).toContainEqual({ cluster: 'good' });
        for (const { conditions } of result.exports) for (const condition of conditions) expect(condition.reason).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });

  it('throw nothing but our own error for Services of other names', () => {
    fc.assert(
      fc.property(text, (name) => {
        try {
          exportedService('bad', serviceExport(1), service({}, name));
          expect(name).toBe('web');
        } catch (error) {
          expect(isClustersetError(error)).toBe(true);
        }
      }),
    );
  });
});
