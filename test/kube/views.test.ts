import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendOffline } from '../unit/testing/kinds-cases/offline.ts';
import { sendTo } from '../unit/testing/kinds-cases/send.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

type Send = ReturnType<typeof sendOffline>;

const GROUPED = '/apis/events.k8s.io/v1/namespaces/default/events';
const CORE = '/api/v1/namespaces/default/events';
const JSON_TYPE = 'application/json';
const as = (kind: string): string => `application/json;as=${kind};v=v1;g=meta.k8s.io`;

const told = {
  eventTime: '2026-01-01T00:00:00.000001Z',
  reportingController: 'example.com/watcher',
  reportingInstance: 'watcher-1',
  action: 'Watched',
  reason: 'Seen',
  type: 'Normal',
  regarding: { kind: 'Pod', name: 'web', namespace: 'default' },
  note: 'Seen at last',
};
const counted = {
  involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
  source: { component: 'kubelet', host: 'node-1' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:10:00Z',
  count: 5,
};
/** A watch that ends at once, with how far it is. */
const WATCH = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';

type Asked = readonly [method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown, accept?: string];

/** One after the other, of one cluster. */
const REQUESTS: readonly Asked[] = [
  ['GET', '/apis/events.k8s.io'],
  ['GET', '/apis/events.k8s.io/v1'],
  ['POST', GROUPED, { metadata: { name: 'a' }, ...told }],
  ['POST', CORE, { metadata: { name: 'b' }, ...counted }],
  ['GET', GROUPED],
  ['GET', CORE],
  ['GET', `${GROUPED}?limit=1`],
  ['GET', '/apis/events.k8s.io/v1/events'],
  ['GET', GROUPED, undefined, as('Table')],
  ['GET', CORE, undefined, as('Table')],
  ['GET', `${GROUPED}/b`, undefined, as('Table')],
  ['GET', `${GROUPED}?includeObject=Object`, undefined, as('Table')],
  ['GET', `${GROUPED}/b`, undefined, as('PartialObjectMetadata')],
  ['GET', GROUPED, undefined, as('PartialObjectMetadataList')],
  ['GET', GROUPED, undefined, as('PartialObjectMetadata')],
  ['GET', `${GROUPED}/a`, undefined, as('PartialObjectMetadataList')],
  ['GET', `${GROUPED}/none`],
  ['POST', GROUPED, { metadata: { name: 'a' }, ...told }],
  ['POST', '/apis/events.k8s.io/v1/namespaces/none/events', { metadata: { name: 'a' }, ...told }],
  ['POST', '/apis/events.k8s.io/v1/events', { metadata: { name: 'a' }, ...told }],
  ['POST', `${GROUPED}?dryRun=All`, { metadata: { name: 'dry' }, ...told }],
  ['POST', `${GROUPED}?fieldValidation=Strict`, { metadata: { name: 'strict' }, ...told, message: 'Seen' }],
  ['POST', GROUPED, { apiVersion: 'v1', kind: 'Event', metadata: { name: 'other' }, ...counted }],
  ['POST', CORE, { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'other' }, ...told }],
  ['POST', CORE, { apiVersion: 'events.k8s.io/v1', metadata: { name: 'other' }, ...told }],
  ['POST', GROUPED, { apiVersion: 'events.k8s.io/v2', kind: 'Event', metadata: { name: 'other' }, ...told }],
  ['PATCH', `${GROUPED}/a`, { metadata: { name: 'other' } }],
  ['PATCH', `${GROUPED}/a/status`, {}],
  ['GET', `${GROUPED}?${WATCH}&fieldSelector=type%3DNone`],
  ['GET', `${CORE}?${WATCH}&fieldSelector=type%3DNone`],
  ['GET', `${GROUPED}?fieldSelector=note%3Dx`],
];

/** What differs each time. */
const OWN: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'time',
  'manager',
  'continue',
  'description',
]);

function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.replace(/^\d+d$/, 'AGE') : value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, OWN.has(name) ? 'OWN' : normal(each)]));
}

describe('of what two groups serve, an offline cluster and a real API server say the same: ', () => {
  let planes: ControlPlanes;
  let real: Send;
  const offline = sendOffline();

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    real = sendTo(planes.kubeconfig);
  });

  afterAll(async () => {
    await planes?.stop();
  });

  it.each(REQUESTS.map((asked) => [`${asked[0]} ${asked[1]} ${asked[3] ?? ''}`, asked] as const))('%s', async (_, asked) => {
    const [method, path, body, accept = JSON_TYPE] = asked;
    const request = { method, path, accept, ...(body === undefined ? {} : { body }) };
    const [expected, answer] = [await real(request), await offline(request)];
    expect(normal(answer)).toEqual(normal(expected));
  });

  it('GET /api/v1 (of events)', async () => {
    const request = { method: 'GET', path: '/api/v1', accept: JSON_TYPE } as const;
    const eventsOf = async (send: Send): Promise<unknown> => {
      const { resources } = (await send(request)).body as { readonly resources: readonly { readonly name: string }[] };
      return resources.filter(({ name }) => name === 'events');
    };
    expect(await eventsOf(offline)).toEqual(await eventsOf(real));
  });
});
