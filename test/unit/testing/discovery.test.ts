import { systemClock } from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Handler } from '../../../src/testing/web/handler.ts';
import { chooseFormat } from '../../../src/testing/web/negotiate.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function widgets(versions: readonly string[], description = 'A widget.'): unknown {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', listKind: 'Widgetry', categories: ['gadgets'] },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', description } },
      })),
    },
  };
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly namespaced: boolean;
}

describe('the documents of an offline cluster', () => {
  let handler: Handler;

  beforeEach(() => {
    handler = new Handler(new OfflineCluster({ name: 'documents', clock: systemClock }));
  });

  const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    handler.handle(new Request(`https://offline${path}`, { headers }));

  async function json<T>(path: string, accept = 'application/json'): Promise<T> {
    const answer = await get(path, { accept });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  }

  async function send(method: string, path: string, body: unknown): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    const sent = new Request(`https://offline${path}`, { method, headers, body: JSON.stringify(body) });
    return (await handler.handle(sent)).status;
  }

  async function versionPaths(): Promise<readonly string[]> {
    const { groups } = await json<{
      readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
    }>('/apis');
    return ['/api/v1', ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))];
  }

  it('tell of nothing that there is no answer for', async () => {
    expect(await send('POST', CRDS, widgets(['v1']))).toBe(201);
    for (const path of await versionPaths()) {
      const { resources } = await json<{ readonly resources: readonly Resource[] }>(path);
      for (const { name, verbs } of resources.filter((each) => each.verbs.includes('list'))) {
        const answer = await get(`${path}/${name}`);
        expect([name, answer.status, verbs.includes('watch')]).toEqual([name, 200, true]);
      }
    }
  });

  it('say the same aggregated as one by one', async () => {
    expect(await send('POST', CRDS, widgets(['v1', 'v1alpha1']))).toBe(201);
    const said: string[] = [];
    for (const path of await versionPaths()) {
      const { resources } = await json<{ readonly resources: readonly Resource[] }>(path);
      said.push(...resources.map(({ name, kind, verbs }) => `${path} ${name} ${kind} ${verbs.join()}`));
    }
    const whole: string[] = [];
    for (const root of ['/api', '/apis']) {
      for (const { metadata, versions } of (await json<Aggregated>(root, AGGREGATED)).items) {
        for (const { version, resources } of versions) {
          const path = root === '/api' ? `/api/${version}` : `/apis/${metadata.name}/${version}`;
          for (const { resource, responseKind, verbs, subresources = [] } of resources) {
            whole.push(`${path} ${resource} ${responseKind.kind} ${verbs.join()}`);
            for (const part of subresources) {
              whole.push(`${path} ${resource}/${part.subresource} ${part.responseKind.kind} ${part.verbs.join()}`);
            }
          }
        }
      }
    }
    expect(whole.toSorted()).toEqual(said.toSorted());
  });

  it('name the versions of a group from the newest to the oldest, stable ones first', async () => {
    const versions = ['v1beta2', 'v1', 'v2alpha1', 'v10', 'v1beta10', 'v2'];
    expect(await send('POST', CRDS, widgets(versions))).toBe(201);
    const group = await json<{ readonly versions: readonly { readonly version: string }[] }>('/apis/example.com');
    expect(group.versions.map(({ version }) => version)).toEqual(['v10', 'v2', 'v1', 'v1beta10', 'v1beta2', 'v2alpha1']);
  });

  it('have another tag after every change, and the old one after its undoing', async () => {
    const tag = async (): Promise<string> => (await get('/apis', { accept: AGGREGATED })).headers.get('etag') ?? '';
    const before = await tag();
    expect(await send('POST', CRDS, widgets(['v1']))).toBe(201);
    expect(await tag()).not.toBe(before);
    expect((await get('/apis', { accept: AGGREGATED, 'if-none-match': before })).status).toBe(200);
    expect(await send('DELETE', `${CRDS}/widgets.example.com`, {})).toBe(200);
    expect(await tag()).toBe(before);
    expect((await get('/apis', { accept: AGGREGATED, 'if-none-match': before })).status).toBe(304);
  });

  it('refer to no schema that isn’t there', async () => {
    expect(await send('POST', CRDS, widgets(['v1', 'v1beta1']))).toBe(201);
    const { paths } = await json<OpenApiRoot>('/openapi/v3');
    expect(Object.keys(paths).length).toBeGreaterThan(10);
    for (const { serverRelativeURL } of Object.values(paths)) {
      const text = await (await get(serverRelativeURL)).text();
      const { components } = JSON.parse(text) as { readonly components: { readonly schemas: object } };
      const referred = [...text.matchAll(/#\/components\/schemas\/([^"]+)/g)].map(([, name]) => name);
      expect(new Set(referred).difference(new Set(Object.keys(components.schemas)))).toEqual(new Set());
    }
  });

  it('follow a CRD that changes, and leave the others where they are', async () => {
    const urls = async (): Promise<OpenApiRoot['paths']> => (await json<OpenApiRoot>('/openapi/v3')).paths;
    expect(await send('POST', CRDS, widgets(['v1']))).toBe(201);
    const before = await urls();
    const patch = new Request(`https://offline${CRDS}/widgets.example.com`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(widgets(['v1'], 'Something else.')),
    });
    expect((await handler.handle(patch)).status).toBe(200);
    const { 'apis/example.com/v1': own, ...others } = await urls();
    const { 'apis/example.com/v1': ownBefore, ...othersBefore } = before;
    expect(others).toEqual(othersBefore);
    expect(own).not.toEqual(ownBefore);
    const moved = await get(ownBefore?.serverRelativeURL ?? '');
    expect([moved.status, moved.headers.get('location')]).toEqual([301, own?.serverRelativeURL]);
    expect(await (await get(own?.serverRelativeURL ?? '')).text()).toContain('Something else.');
  });

  it('can be had as YAML, and failures too', async () => {
    for (const path of ['/api/v1', '/apis', '/api/v1/namespaces', '/api/v1/namespaces/default', '/api/v1/namespaces/nope']) {
      const answer = await get(path, { accept: 'application/yaml' });
      expect(answer.headers.get('content-type')).toBe('application/yaml');
      const whole = await get(path);
      expect([answer.status, parse(await answer.text())]).toEqual([whole.status, await whole.json()]);
    }
  });

  it('call a list what the CRD calls it', async () => {
    expect(await send('POST', CRDS, widgets(['v1']))).toBe(201);
    expect(await json('/apis/example.com/v1/widgets')).toMatchObject({ kind: 'Widgetry', items: [] });
  });
});

describe('the choice of a format', () => {
  const all = (): boolean => true;

  it.each([
    [null, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/yaml', 'yaml'],
    ['application/json;q=0.1,application/yaml;q=0.2', 'yaml'],
    ['*/*,application/yaml', 'yaml'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json'],
    ['application/vnd.kubernetes.protobuf', undefined],
    ['text/html;q=broken', undefined],
    [';;,,=,', undefined],
  ])('%s', (accept, type) => {
    expect(chooseFormat(accept, all)?.type).toBe(type);
  });
});

interface Aggregated {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly AggregatedResource[] }[];
  }[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind: { readonly kind: string };
  readonly verbs: readonly string[];
  readonly subresources?: readonly (Omit<AggregatedResource, 'resource'> & { readonly subresource: string })[];
}

interface OpenApiRoot {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}
