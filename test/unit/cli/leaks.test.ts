import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  connectContext,
  connectEntry,
  connectServer,
  ExecPlugins,
  kubeconfigFilesSource,
  readKubeconfig,
  secretSource,
} from 'clusterset/client';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { KubeFedCluster, REGISTRY_KINDS, RegistryCluster, registerCluster } from 'clusterset/registry';
import { ClusterSet, staticSource } from 'clusterset/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { run } from './run.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const SECRETS = resourceType('v1', 'Secret', 'secrets');

/** What must be nowhere: planted wherever credentials are. */
const MARK = 'planted-4711';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Everything that inspecting, printing or sending a value would show. */
function shown(value: unknown): string {
  const error = value instanceof Error ? `${value.stack} ${shown(value.cause)}` : '';
  return [inspect(value, { depth: 20, showHidden: true, maxStringLength: null }), String(value), json(value), error].join('\n');
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );

describe('secrets that were planted everywhere', () => {
  let world: OfflineWorld;
  let place: string;
  let host: Cluster;
  /** The real tokens of the kubeconfig, and the mark. */
  let secrets: readonly string[];

  beforeAll(async () => {
    world = await startOffline(['host', 'eu-1', 'us-1']);
    place = mkdtempSync(join(tmpdir(), 'clusterset-leaks-'));
    host = world.cluster('host').connect();
    for (const type of [RegistryCluster, KubeFedCluster]) await host.create(CRDS, type.crd() as never);
    const kubeconfig = parse(readFileSync(world.kubeconfig, 'utf8')) as {
      users: { name: string; user: Record<string, unknown> }[];
      clusters: { name: string; cluster: { server: string } }[];
      contexts: { name: string; context: Record<string, string> }[];
    };
    secrets = [MARK, ...kubeconfig.users.map(({ user }) => String(user.token))];

    // Contexts whose credentials are wrong in every way, all of them marked.
    const users: Record<string, Record<string, unknown>> = {
      refused: { token: MARK },
      basic: { username: 'admin', password: MARK },
      broken: { 'client-certificate-data': base64(MARK), 'client-key-data': base64(MARK) },
      plugin: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'sh',
          args: ['-c', `echo ${MARK}; echo ${MARK} >&2; exit 3`],
          interactiveMode: 'Never',
        },
      },
      missing: { tokenFile: `/nowhere/${MARK}` },
    };
    const cluster = kubeconfig.contexts.find(({ name }) => name === 'eu-1')?.context.cluster ?? '';
    for (const [name, user] of Object.entries(users)) {
      kubeconfig.users.push({ name, user });
      kubeconfig.contexts.push({ name, context: { cluster, user: name } });
    }
    writeFileSync(join(place, 'marked'), stringify(kubeconfig), { mode: 0o600 });
    writeFileSync(join(place, 'broken.yaml'), `users:\n- name: a\n  user: {token: ${MARK}\n`, { mode: 0o600 });
    writeFileSync(
      join(place, 'providers.json'),
      JSON.stringify({ providers: [{ name: 'corp', execConfig: { command: 'sh', env: [{ name: 'T', value: MARK }] } }] }),
    );
    writeFileSync(join(place, 'fleet.yaml'), ['eu-1', 'us-1', ...Object.keys(users)].map((name) => `- name: ${name}\n`).join(''));
    writeFileSync(
      join(place, 'secret.yaml'),
      stringify({
        apiVersion: 'types.kubefed.io/v1beta1',
        kind: 'FederatedSecret',
        metadata: { namespace: 'default', name: 'db' },
        spec: { template: { stringData: { password: MARK } }, placement: { clusterSelector: {} } },
      }),
    );

    const labels = { 'sigs.k8s.io/multicluster-runtime-kubeconfig': 'true' };
    const contents: Record<string, Record<string, string>> = {
      good: {
        kubeconfig: stringify({
          clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
          users: [{ name: 'u', user: { token: MARK } }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'x',
        }),
      },
      broken: { kubeconfig: `a: [${MARK}` },
      exec: { kubeconfig: stringify({ ...kubeconfig, 'current-context': 'plugin' }) },
      none: { other: MARK },
      token: { token: MARK },
    };
    for (const [name, content] of Object.entries(contents)) {
      const data = Object.fromEntries(Object.entries(content).map(([key, text]) => [key, base64(text)]));
      await host.create<AnyObject>(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: 'default', name, labels },
        data,
      } as never);
    }
    const server = kubeconfig.clusters.find(({ name }) => name === cluster)?.cluster.server ?? '';
    for (const [name, spec] of Object.entries({
      token: { apiEndpoint: server, secretRef: { name: 'token' } },
      none: { apiEndpoint: server, secretRef: { name: 'none' }, proxyURL: `http://user:${MARK}@proxy:3128` },
      gone: { apiEndpoint: `https://user:${MARK}@host`, secretRef: { name: 'gone' } },
    })) {
      await registerCluster(host, REGISTRY_KINDS.kubefedcluster, { metadata: { namespace: 'default', name }, spec });
    }
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function expectNone(text: string): void {
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(base64(secret));
    }
  }

  const marked = (): readonly string[] => ['--kubeconfig', join(place, 'marked')];
  const contexts = 'eu-1,us-1,refused,basic,broken,plugin,missing';

  it.each<[string, () => readonly string[]]>([
    ['plan', () => ['plan', '-f', join(place, 'secret.yaml'), '--contexts', contexts, ...marked(), '-o', 'yaml']],
    ['plan of one that answers', () => ['plan', '-f', join(place, 'secret.yaml'), '--contexts', 'eu-1', ...marked()]],
    ['status', () => ['status', '-f', join(place, 'secret.yaml'), '--contexts', contexts, ...marked()]],
    ['apply', () => ['apply', '-f', join(place, 'secret.yaml'), '--contexts', contexts, ...marked(), '--timeout', '2s']],
    ['about', () => ['about', '--contexts', contexts, ...marked(), '--verify', '-o', 'json']],
    ['services', () => ['services', '--contexts', contexts, ...marked(), '-o', 'json']],
    ['resolve with a token that is refused', () => ['resolve', 'web.shop', '--from', 'refused', ...marked()]],
    ['resolve with a plugin that fails', () => ['resolve', 'web.shop', '--from', 'plugin', ...marked()]],
    [
      'resolve with a broken kubeconfig',
      () => ['resolve', 'web.shop', '--from', 'a', '--kubeconfig', join(place, 'broken.yaml')],
    ],
    [
      'kubeconfig of a fleet',
      () => ['kubeconfig', '--to', join(place, 'fleet.out'), '--fleet', join(place, 'fleet.yaml'), ...marked()],
    ],
    [
      'kubeconfig of Secrets',
      () => ['kubeconfig', '--to', join(place, 'secrets.out'), '--host', 'host', '--kind', 'secret', ...marked()],
    ],
    [
      'kubeconfig of kubefed clusters',
      () => [
        'kubeconfig',
        '--to',
        join(place, 'kubefed.out'),
        '--host',
        'host',
        '--kind',
        'kubefedcluster',
        '--namespace',
        'default',
        ...marked(),
      ],
    ],
    [
      'kubeconfig into a broken file',
      () => ['kubeconfig', '--to', join(place, 'broken.yaml'), '--fleet', join(place, 'fleet.yaml'), ...marked()],
    ],
    ['credential that fails', () => ['credential', '--cluster', 'plugin', '--fleet', join(place, 'fleet.yaml'), ...marked()]],
    [
      'credential from a Secret without any',
      () => [
        'credential',
        '--cluster',
        'none',
        '--host',
        'host',
        '--kind',
        'kubefedcluster',
        '--namespace',
        'default',
        ...marked(),
      ],
    ],
    [
      'credential with providers',
      () => [
        'credential',
        '--cluster',
        'eu-9',
        '--fleet',
        join(place, 'fleet.yaml'),
        '--providers',
        join(place, 'providers.json'),
        ...marked(),
      ],
    ],
    ['delete', () => ['delete', '-f', join(place, 'secret.yaml'), '--contexts', contexts, ...marked(), '--timeout', '2s']],
  ])('are in nothing that the command says: %s', { timeout: 60_000 }, async (_, args) => {
    const { stdout, stderr } = await run(args());
    expect(stdout + stderr).not.toBe('');
    expectNone(stdout + stderr);
  });

  it('are in no file that the command has written', () => {
    const written = readdirSync(place).filter((name) => name.endsWith('.out'));
    expect(written).toEqual(['fleet.out', 'kubefed.out', 'secrets.out']);
    for (const name of written) {
      const text = readFileSync(join(place, name), 'utf8');
      expect(text).toContain('credential');
      expectNone(text);
    }
  });

  it('are in what "credential" prints when it succeeds, and nowhere beside it', async () => {
    const args = [
      'credential',
      '--cluster',
      'token',
      '--host',
      'host',
      '--kind',
      'kubefedcluster',
      '--namespace',
      'default',
      ...marked(),
    ];
    const { stdout, stderr } = await run(args);
    expect(JSON.parse(stdout)).toMatchObject({ status: { token: MARK } });
    expectNone(stderr);
  });

  it('are in no error of a connection, and not in the connection itself', async () => {
    const file = join(place, 'marked');
    for (const context of ['refused', 'basic', 'plugin', 'missing', 'eu-1']) {
      const cluster = await connectContext({ context, kubeconfig: file });
      const outcome = await cluster.version().catch((error: unknown) => error);
      expectNone(shown(outcome) + shown(cluster));
      await cluster.close();
      expectNone(shown(await failureOf(cluster.version())));
    }
    const { server } = (await readKubeconfig(file)).access('eu-1');
    const cluster = connectServer({ server, token: MARK });
    expectNone(shown(await failureOf(cluster.version())) + shown(cluster));
    await cluster.close();
  });

  it('are in no access that is printed, and in no kubeconfig that was read', async () => {
    const kubeconfig = await readKubeconfig(join(place, 'marked'));
    const { provider } = kubeconfig.access('refused');
    const access = await provider.current();
    expect(access.headers.Authorization ?? access.headers.authorization).toBe(`Bearer ${MARK}`);
    expectNone(shown(access) + shown(provider) + shown(kubeconfig));
  });

  it('are in nothing that sources and sets say', async () => {
    const said: string[] = [];
    const tell = (...values: readonly unknown[]): void => void said.push(...values.map(shown));
    const options = { host, namespace: 'default', onIssues: tell, onError: tell };
    for await (const entries of secretSource(options).watch(AbortSignal.timeout(10_000))) {
      tell(entries);
      break;
    }
    const files = kubeconfigFilesSource({ files: ['marked', 'broken.yaml'].map((name) => join(place, name)), onIssues: tell });
    for await (const entries of files.watch(AbortSignal.timeout(10_000))) {
      tell(entries);
      break;
    }
    const plugins = new ExecPlugins({ run: () => Promise.reject(new Error(MARK)) });
    const providers = [{ name: 'corp', execConfig: { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' } }];
    const secret = (name: string) => ({ secret: { namespace: 'default', name } });
    const [server = ''] = world.clusters.map((each) => each.server);
    const endpoints = [{ server }];
    const entries = [
      { name: 'token', endpoints, auth: secret('token') },
      { name: 'none', endpoints, auth: secret('none') },
      { name: 'exec', endpoints, auth: secret('exec') },
      { name: 'plugin', endpoints, auth: { accessProviders: [{ name: 'corp' }] } },
    ];
    const connect = (entry: (typeof entries)[number]): Promise<Cluster> => connectEntry(entry, { host, plugins, providers });
    const set = new ClusterSet({ source: staticSource(entries), connect, probe: { failures: 1 }, onError: tell });
    set.listen(tell);
    await set.start();
    await expect.poll(() => [...set.members.values()].every(({ state }) => state !== 'joining'), { timeout: 10_000 }).toBe(true);
    tell([...set.members.values()], plugins, set);
    await set.stop();
    expect(said.join('')).toContain('unreachable');
    expectNone(said.join('\n'));
  });
});
