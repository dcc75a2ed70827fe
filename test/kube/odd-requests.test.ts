import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isRecord } from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';
import { ODD } from './odd-requests/cases.ts';
import { type RawAnswer, type RawRequest, sendRaw, type Target } from './odd-requests/raw.ts';
import { CONFIG_MAP, CRD, WIDGET } from './wire/cases.ts';

/** What an offline cluster answers otherwise, and is to: status and reason. */
const OTHERWISE: Readonly<Record<string, string>> = {
  // A Request has a path in which these are resolved.
  'two dots': '200 NamespaceList',
  'two dots, escaped': '200 NamespaceList',
  'a dot': '200 NamespaceList',
  'no UTF-8, escaped': '400 text',
  'half an escape in a query': '400 BadRequest',
  // Node's HTTP knows what there is, and so much of it.
  'OPTIONS of everything': '404 text',
  'small letters': '400 text',
  'a method that there is not': '400 text',
  'chunks that are none': '400 text',
  'POST of discovery of a group': '405 MethodNotAllowed',
  // JavaScript's stack holds less.
  '9000 levels of what may be anything': '400 BadRequest',
  'deep managed fields': '400 BadRequest',
  'an apply with 5000 levels': '400 BadRequest',
  'a JSON patch that removes the whole': '400 BadRequest',
  'a JSON patch through the data’s __proto__': '422 Invalid',
  'a JSON patch for data called constructor': '422 Invalid',
  'a JSON patch with a negative place': '422 Invalid',
  'a strategic patch with an order that is a text': '200 ConfigMap',
  'an apply with keys that are numbers': '422 Invalid',
  'an apply with keys that are lists': '422 Invalid',
};

/** What is said in other words. */
const REWORDED: ReadonlySet<string> = new Set([
  'a slash, escaped',
  'no path',
  'a kind that is a number',
  'a kind that is another',
  'a number beyond 64 bits',
  'a number without bounds',
  'an infinite number in a custom resource',
  'more than 1 MiB of data',
  'a JSON patch of the kind',
  'a JSON patch that doubles',
  'a merge patch of a number for data',
  'a merge patch of metadata to a text',
  'a strategic patch of finalizers that are objects',
  'a strategic patch of owners that are numbers',
  'a strategic patch with a directive that is a number',
  'an apply with 20000 levels',
  'an apply with an alias that there is not',
  'an apply with many aliases',
  'an apply with tabs',
  'a zero byte, escaped',
  'a manager that cannot be printed',
  'a match of a watch',
  'a token and a version',
  'a token of another version',
  'a token that is base64',
  'a token that is none',
  'a token that leads elsewhere',
]);

describe('odd requests', () => {
  let planes: ControlPlanes;
  let world: World;
  let served: ServedClusters;
  let real: Target;
  let offline: Target;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    world = await simulate({ members: { offline: { rbac: true } }, clock: systemClock });
    served = await serve([world.cluster('offline')]);
    offline = { server: served.clusters[0]?.server ?? '', ca: served.ca, token: served.token };
    const { clusters, users } = parse(readFileSync(planes.kubeconfig, 'utf8')) as {
      readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
      readonly users: readonly { readonly user: { readonly token: string } }[];
    };
    const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
    real = { server, ca: Buffer.from(ca, 'base64'), token: users[0]?.user.token ?? '' };
    for (const target of [real, offline]) {
      await create(target, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD);
      await create(target, '/apis/example.com/v1/namespaces/default/widgets', WIDGET);
      await create(target, '/api/v1/namespaces/default/configmaps', CONFIG_MAP);
    }
  });

  afterAll(async () => {
    await planes?.stop();
    await served?.close();
    await world?.[Symbol.asyncDispose]();
  });

  /** Creates an object, as soon as its definition is served. */
  async function create(target: Target, path: string, object: unknown): Promise<void> {
    const request: RawRequest = {
      method: 'POST',
      target: path,
      headers: [['content-type', 'application/json']],
      body: JSON.stringify(object),
    };
    for (let tries = 0; tries < 100; tries += 1) {
      const { status } = await sendRaw(target, request);
      if (status === 201) return;
      await setTimeout(100);
    }
    expect.fail(`${path} was not created`);
  }

  describe.each(Object.entries(ODD))('%s', (_, requests) => {
    it.each(requests)('%s', async (name, request) => {
      const [ours, theirs] = await Promise.all([sendRaw(offline, request), sendRaw(real, request)]);
      const wanted = OTHERWISE[name];
      if (wanted !== undefined) {
        expect(gist(ours)).toBe(wanted);
        // What isn't different any more is to leave the table.
        expect(gist(theirs)).not.toBe(wanted);
        return;
      }
      expect(gist(ours)).toBe(gist(theirs));
      if (!REWORDED.has(name)) expect(messageOf(ours)).toBe(messageOf(theirs));
    });
  });

  it('leave both servers as they were', async () => {
    for (const target of [real, offline]) {
      const { status, body } = await sendRaw(target, { method: 'GET', target: '/api/v1/namespaces/default/configmaps/one' });
      expect([status, (JSON.parse(body) as typeof CONFIG_MAP).data]).toEqual([200, CONFIG_MAP.data]);
    }
    expect(world.cluster('offline').violations()).toEqual([]);
  });
});

/** Status, and the reason or the kind of what came. */
function gist({ status, headers, body }: RawAnswer): string {
  if (body === '') return String(status);
  if (headers['content-type']?.startsWith('text/plain')) return `${status} text`;
  const object: unknown = JSON.parse(body);
  if (!isRecord(object)) return `${status} ${typeof object}`;
  if (object.kind === 'Status' && object.status === 'Failure') return `${status} ${String(object.reason ?? 'no reason')}`;
  return `${status} ${String(object.kind ?? 'document')}`;
}

/** What is said of a failure. */
function messageOf({ status, headers, body }: RawAnswer): unknown {
  if (status < 400 || body === '') return undefined;
  if (headers['content-type']?.startsWith('text/plain')) return body;
  return (JSON.parse(body) as { readonly message?: unknown }).message;
}
