import { type RetainOptions, retain } from 'clusterset/federation';
import { type AnyObject, builtIn, type JsonPatchOperation, resourceType, valueAt } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applied,
  deploymentTemplate,
  desiredOf,
  edited,
  frozen,
  liveDeployment,
  liveService,
  patched,
  updated,
} from './fixtures.ts';

const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const services = resourceType('v1', 'Service', 'services');
const desiredDeployment = desiredOf(liveDeployment, deploymentTemplate);

const replicasOf = (object: AnyObject): unknown => valueAt(object, ['spec', 'replicas']);
const scale = (replicas: number): JsonPatchOperation => ({ op: 'replace', path: '/spec/replicas', value: replicas });
const ofReplicas = { 'f:spec': { 'f:replicas': {} } };
const scaledByOthers = edited(liveDeployment, [scale(7)], ofReplicas, 'scale');

describe('retaining replicas', () => {
  const kept = (live: AnyObject, options: Partial<RetainOptions> = {}): ReturnType<typeof retain> =>
    retain(desiredDeployment, live, { target: deployments, retainReplicas: true, fieldManager: 'clusterset', ...options });

  it('happens on request only', () => {
    expect(kept(scaledByOthers, { retainReplicas: false })).toEqual({ object: desiredDeployment, readsLive: false });
  });

  it('leaves them out where somebody else has set them, so that they stay theirs', () => {
    const { object, readsLive } = kept(scaledByOthers);
    expect(object).toEqual(patched(desiredDeployment, { op: 'remove', path: '/spec/replicas' }));
    expect(readsLive).toBe(false);
  });

  it('leaves them out where somebody else has set them to the same', () => {
    const { managedFields = [] } = liveDeployment.metadata;
    const shared = [...managedFields, updated('kube-controller-manager', 'apps/v1', ofReplicas, 'scale')];
    const { object, readsLive } = kept({ ...liveDeployment, metadata: { ...liveDeployment.metadata, managedFields: shared } });
    expect(object.spec).not.toHaveProperty('replicas');
    expect(readsLive).toBe(false);
  });

  it('writes the live value where nobody else has set them, because leaving them out would remove them', () => {
    const { object, readsLive } = kept(patched(liveDeployment, scale(5)));
    expect(object).toEqual(patched(desiredDeployment, scale(5)));
    expect(readsLive).toBe(true);
  });

  it('leaves them out where we never applied them', () => {
    const live = { ...liveDeployment, metadata: { ...liveDeployment.metadata, managedFields: [applied('apps/v1', {})] } };
    expect(kept(live).object.spec).not.toHaveProperty('replicas');
  });

  it('goes by the field manager that it is told', () => {
    expect(kept(liveDeployment, { fieldManager: 'other' }).readsLive).toBe(false);
  });

  it('wants what is desired where the live object has none', () => {
    const live = patched(liveDeployment, { op: 'remove', path: '/spec/replicas' });
    expect(kept(live)).toEqual({ object: desiredDeployment, readsLive: false });
  });

  it('never ends with other replicas than the live ones', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), fc.boolean(), fc.boolean(), (wanted, running, isOurs, isTheirs) => {
        const managedFields = [
          applied('apps/v1', isOurs ? ofReplicas : { 'f:spec': { 'f:selector': {} } }),
          ...(isTheirs ? [updated('kubectl', 'apps/v1', ofReplicas, 'scale')] : []),
        ];
        const live = patched({ ...liveDeployment, metadata: { ...liveDeployment.metadata, managedFields } }, scale(running));
        const { object, readsLive } = retain(patched(desiredDeployment, scale(wanted)), live, {
          target: deployments,
          retainReplicas: true,
          fieldManager: 'clusterset',
        });
        expect([undefined, running]).toContain(replicasOf(object));
        expect(readsLive).toBe(replicasOf(object) !== undefined);
      }),
    );
  });
});

describe('retaining what a cluster has given to a Service', () => {
  const service = (spec: Record<string, unknown>): AnyObject => desiredOf(liveService, { spec });
  const kept = (spec: Record<string, unknown>, live: AnyObject = liveService, retainReplicas = false): unknown =>
    retain(service(spec), live, { target: services, retainReplicas, fieldManager: 'clusterset' }).object.spec;
  const withPorts = (...ports: unknown[]): AnyObject => ({ ...liveService, spec: { ports } });
  const http = { name: 'http', port: 80 };

  it.each<[string, Record<string, unknown>, AnyObject, Record<string, unknown>]>([
    ['an address above the template’s', { clusterIP: '10.0.3.3' }, liveService, { clusterIP: '10.0.119.152' }],
    [
      'all addresses',
      { clusterIP: '', clusterIPs: ['10.0.3.3'] },
      liveService,
      { clusterIP: '10.0.119.152', clusterIPs: ['10.0.119.152'] },
    ],
    ['that it is headless', { clusterIP: '10.0.3.3' }, { ...liveService, spec: { clusterIP: 'None' } }, { clusterIP: 'None' }],
    [
      'a port for health checks',
      { healthCheckNodePort: 30001 },
      { ...liveService, spec: { healthCheckNodePort: 31000 } },
      { healthCheckNodePort: 31000 },
    ],
    [
      'a node port of the same name, protocol and port',
      { ports: [{ ...http, nodePort: 30080, protocol: 'TCP' }] },
      liveService,
      { ports: [{ ...http, nodePort: 30991, protocol: 'TCP' }] },
    ],
    [
      'a node port where the template leaves the protocol to its default',
      { ports: [{ ...http, nodePort: 30080 }] },
      liveService,
      { ports: [{ ...http, nodePort: 30991 }] },
    ],
    [
      'a node port of a port without a name',
      { ports: [{ port: 80, nodePort: 30080 }] },
      withPorts({ port: 80, protocol: 'TCP', nodePort: 31000 }),
      { ports: [{ port: 80, nodePort: 31000 }] },
    ],
    [
      'the node port of each of two protocols',
      {
        ports: [
          { port: 53, nodePort: 1 },
          { port: 53, protocol: 'UDP', nodePort: 2 },
        ],
      },
      withPorts({ port: 53, protocol: 'UDP', nodePort: 30053 }, { port: 53, protocol: 'TCP', nodePort: 30054 }),
      {
        ports: [
          { port: 53, nodePort: 30054 },
          { port: 53, protocol: 'UDP', nodePort: 30053 },
        ],
      },
    ],
  ])('keeps %s', (_, wanted, live, expected) => {
    expect(kept(wanted, live)).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, AnyObject]>([
    ['an address that the cluster has not given', { clusterIP: '10.0.3.3' }, { ...liveService, spec: { clusterIP: '' } }],
    ['addresses that the cluster has not given', { clusterIPs: ['10.0.3.3'] }, { ...liveService, spec: { clusterIPs: [] } }],
    [
      'a port for health checks that the cluster has not given',
      { healthCheckNodePort: 30001 },
      { ...liveService, spec: { healthCheckNodePort: 0 } },
    ],
    ['a node port for another port', { ports: [{ name: 'http', port: 81, nodePort: 30080 }] }, liveService],
    ['a node port for another name', { ports: [{ name: 'web', port: 80, nodePort: 30080 }] }, liveService],
    ['a node port for another protocol', { ports: [{ ...http, protocol: 'UDP', nodePort: 30080 }] }, liveService],
    ['a node port that the cluster has not given', { ports: [{ port: 80, nodePort: 30080 }] }, withPorts({ port: 80 })],
    ['ports of a Service without any', { ports: [{ port: 80, nodePort: 30080 }] }, { ...liveService, spec: {} }],
  ])('takes from the template %s', (_, wanted, live) => {
    expect(kept(wanted, live)).toEqual(wanted);
  });

  it('leaves out what the template leaves out: apply keeps it', () => {
    const wanted = { type: 'NodePort', selector: { app: 'web' }, ports: [http] };
    expect(kept(wanted)).toEqual(wanted);
    expect(kept({ type: 'ExternalName', externalName: 'web.example.com' })).not.toHaveProperty('ports');
  });

  it('says that the live object was read, so that a node port that changes meanwhile is not written back', () => {
    const desired = service({ ports: [{ ...http, nodePort: 30080 }] });
    const options = { target: services, retainReplicas: false, fieldManager: 'clusterset' };
    expect(retain(desired, liveService, options).readsLive).toBe(true);
  });

  it('has nothing to do with replicas', () => {
    expect(kept({ clusterIP: '10.0.3.3' }, liveService, true)).toEqual({ clusterIP: '10.0.119.152' });
  });
});

describe('retain', () => {
  const kinds = ['ConfigMap', 'Secret', 'ServiceAccount', 'Namespace'].map((kind) => builtIn('', kind) ?? services);
  const knative = resourceType('serving.knative.dev/v1', 'Service', 'services');

  it.each([...kinds, deployments, knative])('keeps nothing of other types: $group/$kind', (target) => {
    const desired = desiredOf(liveService, { spec: { clusterIP: '10.0.3.3', ports: [{ port: 80, nodePort: 1 }] } });
    const options = { target, retainReplicas: false, fieldManager: 'clusterset' };
    expect(retain(desired, liveService, options)).toEqual({ object: desired, readsLive: false });
  });

  it('never changes what it was given', () => {
    const options = { retainReplicas: true, fieldManager: 'clusterset' };
    const desired = frozen(structuredClone(desiredDeployment));
    const live = frozen(structuredClone(patched(liveDeployment, scale(5))));
    expect(replicasOf(retain(desired, live, { ...options, target: deployments }).object)).toBe(5);
    const service = frozen(
      desiredOf(liveService, { spec: { clusterIP: '10.0.3.3', ports: [{ name: 'http', port: 80, nodePort: 1 }] } }),
    );
    const liveFrozen = frozen(structuredClone(liveService));
    const kept = retain(service, liveFrozen, { ...options, retainReplicas: false, target: services });
    expect(valueAt(kept.object, ['spec', 'ports', '0', 'nodePort'])).toBe(30991);
  });
});
