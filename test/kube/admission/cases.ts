import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import type { AdmissionHook, AdmissionResponse, AdmissionReview } from 'clusterset/testing';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const deployments = resourceType('apps/v1', 'Deployment', 'deployments');

/** A webhook, and what is done while it is there. */
export interface AdmissionCase {
  readonly name: string;
  readonly hooks: readonly Omit<AdmissionHook, 'name'>[];
  act(cluster: Cluster, namespace: string): Promise<unknown>;
}

const patchOf = (operations: readonly unknown[]): AdmissionResponse => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: btoa(JSON.stringify(operations)),
});

const answering =
  (response: AdmissionResponse): AdmissionHook['review'] =>
  () =>
    response;

const configMap = (namespace: string, data: Record<string, string> = { colour: 'green' }): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name: 'made' },
  data,
});

const deployment = (namespace: string): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name: 'made' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
});

const creating =
  (make: (namespace: string) => AnyObject = configMap): AdmissionCase['act'] =>
  (cluster, namespace) =>
    cluster.create(make === configMap ? configMaps : deployments, make(namespace), { fieldManager: 'tester' });

/** Everything that a webhook is told, but what differs each time. */
const telling = ({ request }: AdmissionReview): AdmissionResponse => {
  const { uid: _, ...rest } = request;
  const { object, oldObject } = rest;
  const told = {
    ...rest,
    userInfo: undefined,
    object: object === null ? null : { kind: object.kind, apiVersion: object.apiVersion, spec: object.spec, data: object.data },
    oldObject: oldObject === null ? null : { kind: oldObject.kind, apiVersion: oldObject.apiVersion, data: oldObject.data },
    options: undefined,
  };
  return { allowed: false, status: { message: JSON.stringify(told, Object.keys(told).toSorted().concat(NAMES)) } };
};

/** Names of fields below the first level that are written down. */
const NAMES = ['apiVersion', 'colour', 'data', 'group', 'kind', 'replicas', 'resource', 'spec', 'version'];

/** What webhooks do, with the answers of which an offline cluster and a real API server are compared. */
export const ADMISSION_CASES: readonly AdmissionCase[] = [
  { name: 'allows', hooks: [{ type: 'Validating', review: answering({ allowed: true }) }], act: creating() },
  {
    name: 'denies with a message',
    hooks: [{ type: 'Validating', review: answering({ allowed: false, status: { message: 'not like this' } }) }],
    act: creating(),
  },
  { name: 'denies without a word', hooks: [{ type: 'Validating', review: answering({ allowed: false }) }], act: creating() },
  {
    name: 'denies with a reason only',
    hooks: [{ type: 'Validating', review: answering({ allowed: false, status: { reason: 'Forbidden' } }) }],
    act: creating(),
  },
  {
    name: 'denies with code, reason and details',
    hooks: [
      {
        type: 'Validating',
        review: answering({
          allowed: false,
          status: {
            message: 'too many',
            reason: 'TooManyRequests',
            code: 429,
            details: { causes: [{ field: 'data.colour', message: 'is taken', reason: 'FieldValueDuplicate' }] },
          },
        }),
      },
    ],
    act: creating(),
  },
  {
    name: 'denies with a code that is none',
    hooks: [{ type: 'Validating', review: answering({ allowed: false, status: { message: 'hm', code: 200 } }) }],
    act: creating(),
  },
  {
    name: 'warns',
    hooks: [{ type: 'Validating', review: answering({ allowed: true, warnings: ['green is so last year'] }) }],
    act: creating(),
  },
  {
    name: 'mutates',
    hooks: [
      { type: 'Mutating', review: answering(patchOf([{ op: 'add', path: '/metadata/labels', value: { hooked: 'yes' } }])) },
      { type: 'Mutating', review: answering(patchOf([{ op: 'add', path: '/data/shape', value: 'round' }])) },
    ],
    act: creating(),
  },
  {
    name: 'mutates so that defaults and rules apply again',
    hooks: [
      {
        type: 'Mutating',
        review: answering(
          patchOf([
            { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'sidecar', image: 'mesh/proxy:1' } },
            { op: 'replace', path: '/spec/replicas', value: 3 },
          ]),
        ),
      },
    ],
    act: creating(deployment),
  },
  {
    name: 'mutates into something invalid',
    hooks: [{ type: 'Mutating', review: answering(patchOf([{ op: 'replace', path: '/spec/replicas', value: -1 }])) }],
    act: creating(deployment),
  },
  {
    name: 'sends a patch that does not fit',
    hooks: [{ type: 'Mutating', review: answering(patchOf([{ op: 'replace', path: '/spec/nothing/here', value: 1 }])) }],
    act: creating(deployment),
  },
  {
    name: 'sends a patch without its type',
    hooks: [{ type: 'Mutating', review: answering({ allowed: true, patch: btoa('[]') }) }],
    act: creating(),
  },
  {
    name: 'is told of a creation',
    hooks: [{ type: 'Validating', review: telling }],
    act: creating(),
  },
  {
    name: 'is told of an update, with the object before',
    hooks: [{ type: 'Validating', operations: ['UPDATE'], review: telling }],
    act: async (cluster, namespace) => {
      await creating()(cluster, namespace);
      await cluster.patch(configMaps, { namespace, name: 'made' }, { type: 'merge', body: { data: { colour: 'blue' } } });
    },
  },
  {
    name: 'is asked of server-side apply, of an object that is there',
    hooks: [
      { type: 'Mutating', operations: ['UPDATE'], review: answering(patchOf([{ op: 'add', path: '/data/by', value: 'hook' }])) },
    ],
    act: async (cluster, namespace) => {
      await cluster.apply(configMaps, configMap(namespace), { fieldManager: 'one' });
      const { object } = await cluster.apply(configMaps, configMap(namespace, { colour: 'red' }), { fieldManager: 'one' });
      return object;
    },
  },
  {
    name: 'is not asked of what it did not name',
    hooks: [{ type: 'Validating', operations: ['DELETE'], review: answering({ allowed: false }) }],
    act: creating(),
  },
  {
    name: 'refuses a deletion',
    hooks: [{ type: 'Validating', operations: ['DELETE'], review: telling }],
    act: async (cluster, namespace) => {
      await creating()(cluster, namespace);
      await cluster.delete(configMaps, { namespace, name: 'made' });
    },
  },
  ...(
    [
      ['name', 'other'],
      ['namespace', 'default'],
      ['uid', 'another'],
      ['creationTimestamp', '2020-01-01T00:00:00Z'],
      ['deletionTimestamp', '2020-01-01T00:00:00Z'],
      ['generation', 7],
    ] as const
  ).flatMap(([field, value]): readonly AdmissionCase[] => {
    const review = answering(patchOf([{ op: 'add', path: `/metadata/${field}`, value }]));
    return [
      ...(field === 'deletionTimestamp'
        ? []
        : [{ name: `gives what is created another ${field}`, hooks: [{ type: 'Mutating' as const, review }], act: creating() }]),
      {
        name: `gives what is changed another ${field}`,
        hooks: [{ type: 'Mutating', operations: ['UPDATE'], review }],
        act: async (cluster, namespace) => {
          await creating()(cluster, namespace);
          const patch = { type: 'merge', body: { data: { colour: 'blue' } } } as const;
          return cluster.patch(configMaps, { namespace, name: 'made' }, patch, { fieldManager: 'tester' });
        },
      },
    ];
  }),
];
