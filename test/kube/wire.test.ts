import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { BUILT_IN, qualifiedPlural } from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { type ServedClusters, serve } from 'clusterset/testing/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';
import { ACCEPTED, AGGREGATED, BODIES, CONFIG_MAP, CRD, PROTOBUF, shape, WIDGET } from './wire/cases.ts';
import { type Aggregated, normal, type Resources, restrict, withoutOldVersions } from './wire/compare.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

describe('the wire', () => {
  let planes: ControlPlanes;
  let world: World;
  let served: ServedClusters;
  let folder: string;
  let real: string;
  let offline: string;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    world = await simulate({ members: { offline: {} }, clock: systemClock });
    served = await serve([world.cluster('offline')]);
    folder = mkdtempSync(join(tmpdir(), 'clusterset-wire-'));
    offline = join(folder, 'offline');
    writeFileSync(offline, stringify(served.kubeconfig()), { mode: 0o600 });
    real = planes.kubeconfig;
    writeFileSync(join(folder, 'crd.yaml'), stringify(CRD));
    writeFileSync(join(folder, 'objects.yaml'), [CONFIG_MAP, WIDGET].map((each) => stringify(each)).join('---\n'));
    for (const kubeconfig of [real, offline]) {
      expect(await kubectl(kubeconfig, ['create', '-f', 'crd.yaml'])).toContain('created');
      await kubectl(kubeconfig, ['wait', '--for=condition=Established', 'crd/widgets.example.com']);
    }
    // Discovery and OpenAPI of a real server follow a CRD by and by.
    for (let tries = 0; tries < 60; tries += 1) {
      if ((await ask(real, '/openapi/v3')).body.includes('example.com/v1beta1')) break;
      await setTimeout(300);
    }
    for (const kubeconfig of [real, offline]) await kubectl(kubeconfig, ['create', '-f', 'objects.yaml']);
  });

  afterAll(async () => {
    await planes?.stop();
    await served?.close();
    await world?.[Symbol.asyncDispose]();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function ask(kubeconfig: string, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as {
      readonly clusters: readonly {
        readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
      }[];
      readonly users: readonly { readonly user: { readonly token: string } }[];
    };
    const cluster = config.clusters[0]?.cluster ?? expect.fail('no cluster');
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = request(
      `${cluster.server}${path}`,
      {
        method,
        ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
        headers: { authorization: `Bearer ${config.users[0]?.user.token}`, 'user-agent': 'wire/1', ...length, ...headers },
        agent: false,
        timeout: 20_000,
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        const [type = ''] = (answer.headers['content-type'] ?? '').split(', ');
        if (status === 200 && path.includes('watch=1')) {
          resolve({ status, type, headers: answer.headers, body: '' });
          sent.destroy();
          return;
        }
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status, type, headers: answer.headers, body: Buffer.concat(parts).toString() }));
      },
    );
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    sent.end(body);
    return promise;
  }

  function kubectl(kubeconfig: string, line: readonly string[]): Promise<string> {
    const args = ['--kubeconfig', kubeconfig, '--request-timeout=20s', ...line];
    const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 60_000, maxBuffer: 1 << 26 };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(planes.kubectl, args, options, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}exit code ${error === null ? 0 : error.code}`);
    });
    return promise;
  }

  /** An answer without what differs from one server to another. */
  function comparable({ status, type, body }: Answer): unknown {
    if (type.startsWith('text/')) return { status, type, body };
    return { status, type, body: body === '' ? '' : normal(parse(body)) };
  }

  describe('discovery', () => {
    const jsonOf = async (
      kubeconfig: string,
      path: string,
      accept = 'application/json',
    ): Promise<Readonly<Record<string, unknown>>> => {
      const { status, body } = await ask(kubeconfig, path, { headers: { accept } });
      expect(status).toBe(200);
      return JSON.parse(body) as Readonly<Record<string, unknown>>;
    };

    it('tells of the same groups and versions, in the same order', async () => {
      const ours = await jsonOf(offline, '/apis');
      const names = (ours.groups as readonly { readonly name: string }[]).map(({ name }) => name);
      const theirs = await jsonOf(real, '/apis');
      const groups = (theirs.groups as readonly { readonly name: string; readonly versions: readonly unknown[] }[]).filter(
        ({ name }) => names.includes(name),
      );
      expect(withoutOldVersions(ours)).toEqual(withoutOldVersions({ ...theirs, groups }));
      expect((await jsonOf(offline, '/api')).versions).toEqual((await jsonOf(real, '/api')).versions);
    });

    it('tells of every group and version what a real server does', async () => {
      const { groups } = (await jsonOf(offline, '/apis')) as unknown as {
        readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
      };
      const paths = ['/api/v1', ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))];
      expect(paths.length).toBeGreaterThan(10);
      for (const path of paths) {
        const ours = (await jsonOf(offline, path)) as unknown as Resources;
        const theirs = (await jsonOf(real, path)) as unknown as Resources;
        const names = new Set(ours.resources.map(({ name }) => name));
        const resources = theirs.resources.filter(({ name }) => names.has(name));
        expect({ path, ...ours }).toEqual({ path, ...theirs, resources });
      }
    });

    it.each(['/api', '/apis'])('aggregates %s as a real server does', async (path) => {
      const ours = (await jsonOf(offline, path, AGGREGATED)) as unknown as Aggregated;
      const theirs = (await jsonOf(real, path, AGGREGATED)) as unknown as Aggregated;
      expect(ours).toEqual({ ...theirs, items: restrict(theirs.items, ours.items) });
    });

    it.each(['/api', '/apis'])('%s is not sent again to who has it', async (path) => {
      for (const kubeconfig of [real, offline]) {
        const first = await ask(kubeconfig, path, { headers: { accept: AGGREGATED } });
        const etag = String(first.headers.etag);
        expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
        expect([first.headers['content-type'], first.headers.vary]).toEqual([AGGREGATED, 'Accept']);
        const again = await ask(kubeconfig, path, { headers: { accept: AGGREGATED, 'if-none-match': etag } });
        expect([again.status, again.body, again.headers.etag]).toEqual([304, '', etag]);
      }
    });

    const old = AGGREGATED.replace('v2', 'v2beta1');
    it.each(
      ['/api', '/apis'].flatMap((path) =>
        ['', 'application/yaml', 'text/html', old, `${old},application/json`].map((accept) => [path, accept]),
      ),
    )('answers %s in the format that is asked for: %s', async (path, accept) => {
      const [ours, theirs] = [await ask(offline, path, { headers: { accept } }), await ask(real, path, { headers: { accept } })];
      expect([ours.status, ours.type]).toEqual([theirs.status, theirs.type]);
      if (ours.status !== 200) expect(comparable(ours)).toEqual(comparable(theirs));
    });

    it.each([
      '/apis/apps/',
      '/apis/nope',
      '/apis/apps/v2',
      '/api/v2',
      '/apis/apps/v1/nope',
      '/api/v1/nope',
      '/apis/example.com/v1/nope',
      '/apis/example.com/v3',
      '/nope',
      '/healthz/ping',
    ])('answers %s as a real server does', async (path) => {
      for (const accept of ['application/json', 'application/yaml', 'text/html']) {
        const headers = { accept };
        expect(comparable(await ask(offline, path, { headers }))).toEqual(comparable(await ask(real, path, { headers })));
      }
    });
  });

  const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
  const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
  const OBJECTS = [`${CONFIG_MAPS}/one`, `${WIDGETS}/one`, `${WIDGETS}?limit=10`, `${WIDGETS}?watch=1&timeoutSeconds=1`];

  describe.each(OBJECTS)('%s', (path) => {
    it.each(ACCEPTED)('is written as the header says: %s', async (accept) => {
      const headers = accept === '' ? {} : { accept };
      const [ours, theirs] = [await ask(offline, path, { headers }), await ask(real, path, { headers })];
      if (path.includes('watch') && ours.status === 200) expect([ours.status, ours.type]).toEqual([theirs.status, theirs.type]);
      else expect(comparable(ours)).toEqual(comparable(theirs));
    });

    it('takes no other rows than there are', async () => {
      const headers = { accept: shape('Table') };
      for (const included of ['None', 'Object', 'Foo']) {
        const at = `${path}${path.includes('?') ? '&' : '?'}includeObject=${included}`;
        const [ours, theirs] = [await ask(offline, at, { headers }), await ask(real, at, { headers })];
        if (!path.includes('watch')) expect(comparable(ours)).toEqual(comparable(theirs));
      }
    });
  });

  describe.each([CONFIG_MAPS, WIDGETS])('what is sent to %s', (path) => {
    // A real server breaks the connection where a custom resource comes as protobuf.
    const bodies = BODIES.filter(([type]) => type !== PROTOBUF || path === CONFIG_MAPS);
    it.each(bodies)('as %j: %j', async (type, body) => {
      const asked = { method: 'POST', headers: type === '' ? {} : { 'content-type': type }, body: Buffer.from(body, 'latin1') };
      expect(comparable(await ask(offline, path, asked))).toEqual(comparable(await ask(real, path, asked)));
    });
  });

  describe('OpenAPI', () => {
    it('is found by its hash, and not sent again to who has it', async () => {
      for (const kubeconfig of [real, offline]) {
        const { paths } = JSON.parse((await ask(kubeconfig, '/openapi/v3')).body) as {
          readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
        };
        const at = paths['apis/apps/v1']?.serverRelativeURL ?? '';
        const document = await ask(kubeconfig, at);
        expect([document.status, document.type, document.headers.etag]).toEqual([
          200,
          'application/json',
          `"${at.split('=')[1]}"`,
        ]);
        expect(document.headers['cache-control']).toContain('immutable');
        const headers = { 'if-none-match': String(document.headers.etag) };
        expect((await ask(kubeconfig, at, { headers })).status).toBe(304);
        const moved = await ask(kubeconfig, '/openapi/v3/apis/apps/v1?hash=OLD');
        expect([moved.status, moved.headers.location]).toEqual([301, at]);
        expect((await ask(kubeconfig, '/openapi/v3/apis/nope/v1')).status).toBe(404);
        expect((await ask(kubeconfig, '/openapi/v3/apis/apps/v1', { headers: { accept: 'text/html' } })).status).toBe(406);
      }
    });

    const KINDS = [...BUILT_IN.map(qualifiedPlural), 'events', 'widgets', 'widgets --api-version=example.com/v1beta1'];
    it.each(KINDS)('explains %s with the same fields and types', async (kind) => {
      const fields = async (kubeconfig: string, ...line: readonly string[]): Promise<readonly string[]> => {
        const printed = await kubectl(kubeconfig, ['explain', ...kind.split(' '), ...line]);
        return printed.split('\n').filter((text) => /^(GROUP|KIND|VERSION):|^\s+\S+\t<|^\s+enum|exit code/.test(text));
      };
      const ours = await fields(offline, '--recursive');
      expect(ours.length).toBeGreaterThan(20);
      expect(ours).toEqual(await fields(real, '--recursive'));
      expect(await fields(offline)).toEqual(await fields(real));
    });

    it.each(['widgets.spec', 'widgets.spec.size', 'widgets.spec.parts.name', 'widgets.nope', 'nope'])(
      'explains %s',
      async (path) => {
        expect(await kubectl(offline, ['explain', path])).toBe(await kubectl(real, ['explain', path]));
      },
    );
  });
});
