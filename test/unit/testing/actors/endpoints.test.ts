import type { AnyObject } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { sliceEndpoints } from '../../../../src/testing/actors/endpoints.ts';

type Value = Readonly<Record<string, unknown>>;

const service = (spec: Value = {}, labels: Record<string, string> = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', labels },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
});

interface Given {
  readonly ip?: string;
  readonly up?: boolean;
  readonly leaving?: boolean;
  readonly phase?: string;
  readonly port?: number;
  readonly app?: string;
}

const pod = (
  name: string,
  { ip = `10.1.0.${name.length}`, up = true, leaving = false, phase = 'Running', port = 8080, app = 'web' }: Given = {},
): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: name, labels: { app }, ...(leaving ? { deletionTimestamp: 'now' } : {}) },
  spec: { nodeName: 'n', containers: [{ ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }] }] },
  status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: up ? 'True' : 'False' }] },
});

const node: AnyObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } },
};
const decide = (of: AnyObject, pods: readonly AnyObject[], slices: readonly AnyObject[] = []) =>
  sliceEndpoints(of, { pods, slices, nodes: new Map([['n', node]]) });
const made = (of: AnyObject, pods: readonly AnyObject[]): readonly AnyObject[] =>
  decide(of, pods).flatMap((step) => (step.op === 'create' ? [step.object as AnyObject] : []));

describe('the endpointslice controller', () => {
  it.each<[string, Value, Given, Value | undefined]>([
    ['ready as its pod is', {}, {}, { ready: true, serving: true, terminating: false }],
    ['unready as its pod is', {}, { up: false }, { ready: false, serving: false, terminating: false }],
    ['no longer ready while its pod leaves', {}, { leaving: true }, { ready: false, serving: true, terminating: true }],
    [
      'ready in any case where the Service wants that',
      { publishNotReadyAddresses: true },
      { up: false },
      { ready: true, serving: false, terminating: false },
    ],
    ['not there without an address', {}, { ip: '' }, undefined],
    ['not there once its pod has ended', {}, { phase: 'Succeeded' }, undefined],
    ['not there for a pod that is not selected', {}, { app: 'other' }, undefined],
  ])('has an endpoint %s', (_, spec, given, conditions) => {
    const [slice] = made(service(spec), [pod('a', given)]);
    const endpoints = slice?.endpoints as readonly Value[];
    expect(endpoints.map((each) => each.conditions)).toEqual(conditions === undefined ? [] : [conditions]);
  });

  it('says where an endpoint is', () => {
    expect(made(service(), [pod('a')])).toMatchObject([
      {
        metadata: { generateName: 'web-', ownerReferences: [{ kind: 'Service', uid: 's', controller: true }] },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: ['10.1.0.1'],
            nodeName: 'n',
            zone: 'z',
            targetRef: { kind: 'Pod', name: 'a', namespace: 'shop', uid: 'a' },
          },
        ],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ]);
  });

  it('gives pods slices of their own where they name the port differently, and no slice more than a hundred', () => {
    const pods = [...Array.from({ length: 101 }, (_, index) => pod(`p${index}`)), pod('other', { port: 9090 })];
    const sizes = made(service(), pods).map(({ ports, endpoints }) => [
      (ports as readonly Value[])[0]?.port,
      (endpoints as readonly Value[]).length,
    ]);
    expect(sizes.toSorted()).toEqual([
      [8080, 1],
      [8080, 100],
      [9090, 1],
    ]);
  });

  it('takes over the labels of the Service, but those that are its own', () => {
    const labels = { team: 'shop', 'kubernetes.io/service-name': 'lie', 'endpointslice.kubernetes.io/managed-by': 'me' };
    expect(made(service({ clusterIP: 'None' }, labels), [])[0]?.metadata.labels).toEqual({
      team: 'shop',
      'service.kubernetes.io/headless': '',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
  });

  it('keeps a slice that is right, changes one that isn’t, and deletes one too many', () => {
    const [right] = made(service(), [pod('a')]);
    const stored = (name: string): AnyObject => ({
      ...(right as AnyObject),
      metadata: { ...(right as AnyObject).metadata, name, uid: name },
    });
    expect(decide(service(), [pod('a')], [stored('web-1')])).toEqual([]);
    expect(decide(service(), [pod('a'), pod('bb')], [stored('web-1')])).toMatchObject([
      { op: 'update', object: { metadata: { name: 'web-1' } } },
    ]);
    expect(decide(service(), [pod('a')], [stored('web-1'), stored('web-2')])).toMatchObject([
      { op: 'delete', key: { name: 'web-2' } },
    ]);
  });

  it('leaves Services alone that select nothing', () => {
    expect(decide(service({ selector: {} }), [pod('a')])).toEqual([]);
    expect(decide(service({ type: 'ExternalName' }), [pod('a')])).toEqual([]);
  });
});
