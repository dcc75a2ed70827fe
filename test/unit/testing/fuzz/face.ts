import { expect } from 'vitest';
import { OfflineCluster } from '../../../../src/testing/offline-cluster.ts';
import { Handler } from '../../../../src/testing/web/handler.ts';

const TOKEN = 'known';
export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
export const ONE = `${CONFIG_MAPS}/one`;
export const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
export const WIDGET = `${WIDGETS}/one`;
export const GADGETS = '/apis/example.com/v1/gadgets';
export const TYPES = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  jsonPatch: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
}

const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const definition = (plural: string, kind: string, scope: string, spec: unknown) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com` },
  spec: {
    group: 'example.com',
    scope,
    names: { plural, kind },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: free } } },
      },
    ],
  },
});
const list = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
const part = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, value: { type: 'integer' } } };
const SPEC = { type: 'object', properties: { size: { type: 'integer', default: 3 }, free, parts: { ...list, items: part } } };

/** A cluster with one object of each of three kinds, and how to ask it. */
export class Face {
  readonly cluster = new OfflineCluster({ name: 'offline', rollouts: false });
  readonly #handler = new Handler({
    server: this.cluster.server,
    door: this.cluster.door,
    access: this.cluster.access,
    token: TOKEN,
  });

  static async open(): Promise<Face> {
    const face = new Face();
    const create = async (path: string, object: unknown): Promise<void> => {
      const { status } = await face.ask({ method: 'POST', path, body: JSON.stringify(object) });
      expect(status).toBe(201);
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await create(crds, definition('widgets', 'Widget', 'Namespaced', SPEC));
    await create(crds, definition('gadgets', 'Gadget', 'Cluster', free));
    await create(CONFIG_MAPS, { metadata: { name: 'one', finalizers: ['example.com/a'] }, data: { a: 'b' } });
    const spec = { size: 2, free: { a: [1] }, parts: [{ name: 'x', value: 1 }] };
    await create(WIDGETS, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' }, spec });
    await create(GADGETS, { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'one' }, spec: {} });
    return face;
  }

  async ask({ method, path, headers = {}, body }: Asked): Promise<{ readonly status: number; readonly text: string }> {
    const all = { authorization: `Bearer ${TOKEN}`, 'content-type': TYPES.json, ...headers };
    const leaving = new AbortController();
    const init = { method, headers: all, signal: leaving.signal, ...(body === undefined ? {} : { body, duplex: 'half' }) };
    const answer = await this.#handler.handle(new Request(`https://127.0.0.1${path}`, init as RequestInit));
    const isWatch = answer.status === 200 && /[?&]watch(?:=(?!0|false)|&|$)/i.test(path);
    if (!isWatch) return { status: answer.status, text: await answer.text() };
    leaving.abort();
    await answer.body?.cancel();
    return { status: answer.status, text: '' };
  }

  /** Asks, and checks what must hold of every answer. */
  async check(asked: Asked): Promise<number> {
    const { status, text } = await this.ask(asked);
    const said = text.slice(0, 300);
    expect(status, said).toBeGreaterThanOrEqual(200);
    expect(status, said).toBeLessThan(600);
    expect(said).not.toContain('an error on the server has prevented');
    if (status >= 400 && text.startsWith('{')) {
      expect(JSON.parse(text)).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status });
    } else if (status >= 400 && text.startsWith('apiVersion: v1\n')) {
      expect(text).toContain(`\ncode: ${status}\n`);
      expect(text).toContain('\nkind: Status\n');
    } else if (status >= 400) expect(said).toMatch(/^(|404 page not found\n|400 Bad Request)$/);
    expectCleanPrototypes();
    return status;
  }

  /** Everything that is stored, and that what must hold of it does. */
  stored(): string {
    expect(this.cluster.violations()).toEqual([]);
    return JSON.stringify(this.cluster.snapshot());
  }

  async works(): Promise<void> {
    const path = `${CONFIG_MAPS}?dryRun=All`;
    expect((await this.ask({ method: 'POST', path, body: '{"metadata":{"name":"good"},"data":{"a":"b"}}' })).status).toBe(201);
    expect((await this.ask({ method: 'GET', path: WIDGET })).status).toBe(200);
  }
}

const BEFORE = new Map(
  [Object.prototype, Array.prototype, Object, Function.prototype].map((each) => [each, Reflect.ownKeys(each)]),
);

function expectCleanPrototypes(): void {
  for (const [each, keys] of BEFORE) expect(Reflect.ownKeys(each)).toEqual(keys);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
}

/** Asks for all, none of which writes anything. */
export async function checkAll(requests: readonly Asked[]): Promise<readonly number[]> {
  const face = await Face.open();
  const before = face.stored();
  const statuses: number[] = [];
  for (const asked of requests) statuses.push(await face.check(asked));
  expect(face.stored()).toBe(before);
  await face.works();
  face.cluster.stop();
  return statuses;
}

const dry = (path: string): string => `${path}?dryRun=All&fieldManager=fuzz`;
export const post = (body: NonNullable<Asked['body']>, type: string = TYPES.json, path = CONFIG_MAPS): Asked => ({
  method: 'POST',
  path: dry(path),
  headers: { 'content-type': type },
  body,
});
export const patch = (body: NonNullable<Asked['body']>, type: string, path = ONE): Asked => ({
  method: 'PATCH',
  path: dry(path),
  headers: { 'content-type': type },
  body,
});
const PATCHES = [TYPES.jsonPatch, TYPES.merge, TYPES.strategic, TYPES.apply];
/** A body sent in every way there is. */
export const everyWay = (body: string | Uint8Array<ArrayBuffer>): readonly Asked[] => [
  ...[TYPES.json, TYPES.yaml, TYPES.protobuf, 'text/plain', ''].map((type) => post(body, type)),
  post(body, TYPES.json, WIDGETS),
  ...PATCHES.map((type) => patch(body, type)),
  ...PATCHES.map((type) => patch(body, type, WIDGET)),
  patch(body, TYPES.merge, `${WIDGET}/status`),
  { method: 'PUT', path: dry(ONE), body },
  // With a body, the server doesn't look at the query: this may be no dry run.
  { method: 'DELETE', path: dry(`${CONFIG_MAPS}/gone`), body },
];

export const nested = (levels: number, open: string, close: string): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
export const widget = (value: string): string =>
  `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"one"},"spec":{"free":{"a":${value}}}}`;
export const withFields = (fields: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","managedFields":[{"manager":"a","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${fields}}]}}`;
export function chunks(size: number, count: number): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    pull: (controller) => {
      if (left === 0) controller.close();
      else controller.enqueue(new Uint8Array(size).fill(0x20));
      left -= 1;
    },
  });
}

export const BAD_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];
