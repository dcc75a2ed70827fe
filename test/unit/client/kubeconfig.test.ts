import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { type ConnectOptions, connectContext, readKubeconfig } from 'clusterset/client';
import type { Cluster } from 'clusterset/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bench, failureOf, soon } from './bench.ts';
import { answer, answerFailure, type Handler, type Received } from './server.ts';

const SECRET = 'planted-secret-nobody-may-see';
const fine: Handler = (_, response) => answer(response, 200, { gitVersion: 'v1.36.3' });

const tools = bench();

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clusterset-kubeconfig-'));
  vi.stubEnv('HOME', folder);
  vi.stubEnv('KUBECONFIG', join(folder, 'config'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Writes a file of the test's own folder, and says where it is. */
async function write(name: string, content: unknown, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(path, mode);
  return path;
}

interface Parts {
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly more?: Record<string, unknown>;
}

/** A kubeconfig with the context `work`. JSON is YAML, too. */
function kubeconfig({ cluster, user, more }: Parts): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'work',
    contexts: [{ name: 'work', context: { cluster: 'far', user: 'me' } }],
    clusters: [{ name: 'far', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
    users: [{ name: 'me', user: { ...user } }],
    ...more,
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function connect(
  options: ConnectOptions & { readonly context?: string; readonly kubeconfig?: string } = {},
): Promise<Cluster> {
  const cluster = await connectContext(options);
  tools.afterwards(() => cluster.close());
  return cluster;
}

/** What a server hears from a user who asks for its version. */
async function heard(user: Record<string, unknown>, cluster: Record<string, unknown> = {}, clientCa?: string): Promise<Received> {
  const server = await tools.serve(fine, { certificate: tools.signed.server, ...(clientCa === undefined ? {} : { clientCa }) });
  const trust = { 'certificate-authority-data': base64(tools.signed.ca) };
  await write('config', kubeconfig({ cluster: { server: server.url, ...trust, ...cluster }, user }));
  await (await connect()).version();
  const [request] = server.received;
  if (request === undefined) throw new TypeError('nobody has asked');
  return request;
}

describe('the credentials of a kubeconfig', () => {
  it('may be certificates in files beside it', async () => {
    await write('pki/ca.crt', tools.signed.ca);
    await write('pki/me.crt', tools.signed.client.cert);
    await write('me.key', tools.signed.client.key);
    const request = await heard(
      { 'client-certificate': 'pki/me.crt', 'client-key': './me.key' },
      { 'certificate-authority-data': undefined, 'certificate-authority': 'pki/ca.crt' },
      tools.signed.ca,
    );
    expect(request.client).toBe('admin');
    expect(request.headers).not.toHaveProperty('authorization');
  });

  it('may be certificates within it', async () => {
    const { cert, key } = tools.signed.client;
    const request = await heard({ 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }, {}, tools.signed.ca);
    expect(request.client).toBe('admin');
  });

  it('may be a token', async () => {
    expect((await heard({ token: SECRET })).headers.authorization).toBe(`Bearer ${SECRET}`);
  });

  it('may be a name and a password', async () => {
    const { headers } = await heard({ username: 'me', password: 'pass:word' });
    expect(headers.authorization).toBe(`Basic ${base64('me:pass:word')}`);
  });

  it('may be those of a user who acts as another', async () => {
    expect((await heard({ token: SECRET, as: 'jane' })).headers).toMatchObject({ 'impersonate-user': 'jane' });
  });

  it('may be none at all', async () => {
    expect((await heard({})).headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['by its full path', (path: string) => path],
    ['beside the kubeconfig', (path: string) => relative(folder, path)],
  ])('may be a token in a file, %s', async (_, name) => {
    const path = await write('token', SECRET);
    expect((await heard({ tokenFile: name(path) })).headers.authorization).toBe(`Bearer ${SECRET}`);
  });

  it('may be those of several contexts, each with its own, at the same time', async () => {
    const server = await tools.serve(fine);
    const names = ['a', 'b', 'c'];
    await write(
      'config',
      kubeconfig({
        cluster: { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) },
        more: {
          contexts: names.map((name) => ({ name, context: { cluster: 'far', user: name } })),
          users: names.map((name) => ({ name, user: { token: `token-${name}` } })),
        },
      }),
    );
    const file = await readKubeconfig();
    const headers = await Promise.all(names.map(async (name) => (await file.access(name).provider.current()).headers));
    expect(headers).toEqual(names.map((name) => ({ Authorization: `Bearer token-${name}` })));
    const clusters = await Promise.all(names.map((context) => connect({ context })));
    await Promise.all(clusters.map((cluster) => cluster.version()));
    expect(server.received.map((request) => request.headers.authorization).toSorted()).toEqual(
      names.map((name) => `Bearer token-${name}`),
    );
  });
});

describe('the server of a kubeconfig', () => {
  it('need not be trusted where the kubeconfig says so', async () => {
    expect((await heard({}, { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true })).path).toBe(
      '/version',
    );
  });

  it('is not trusted where it says nothing', async () => {
    const error = await failureOf(heard({}, { 'certificate-authority-data': undefined }));
    expect(error).toMatchObject({ code: 'Unreachable', cluster: 'work' });
    expect(error.message).toContain('its certificate was not accepted');
  });

  it('may have a certificate for another name', async () => {
    const server = await tools.serve(fine, { certificate: tools.signed.elsewhere });
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    await write('config', kubeconfig({ cluster }));
    expect((await failureOf((await connect()).version())).message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    await write('config', kubeconfig({ cluster: { ...cluster, 'tls-server-name': 'kubernetes.test' } }));
    expect(await (await connect()).version()).toBe('v1.36.3');
  });

  it('may be behind a proxy, which passes on what it can not read', async () => {
    const asked: (string | undefined)[] = [];
    const sockets = new Set<Duplex>();
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      asked.push(url);
      const [host, port] = url.split(':');
      const upstream = createConnection({ host, port: Number(port) }, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const each of [socket, upstream]) {
        sockets.add(each);
        each.on('error', () => undefined);
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    tools.afterwards(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const request = await heard({ token: SECRET }, { 'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect(request.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(asked).toEqual([request.headers[':authority'] ?? request.headers.host]);
  });

  it('is called by its context, or as it is told', async () => {
    await write('config', kubeconfig({}));
    expect((await connect()).name).toBe('work');
    expect((await connect({ name: 'eu-1' })).name).toBe('eu-1');
  });

  it('must have an address', async () => {
    await write('config', kubeconfig({ cluster: { server: 'far-away' } }));
    expect(await failureOf(connect())).toMatchObject({ code: 'Invalid', cluster: 'work' });
  });
});

describe('a plugin for credentials', () => {
  /** A plugin that gives `token-1`, `token-2` and so on, and writes down that it ran. */
  async function plugin(body = ''): Promise<{ readonly exec: Record<string, unknown>; readonly runs: () => Promise<number> }> {
    const log = join(folder, 'runs');
    const path = await write(
      'bin/plugin',
      `#!/bin/sh
echo run >> '${log}'
${body}
count=$(grep -c run '${log}')
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-'$count$1$SUFFIX'"}}'
`,
      0o700,
    );
    return {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path, interactiveMode: 'Never' },
      runs: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '').length,
    };
  }

  async function connectWith(
    exec: Record<string, unknown>,
    handler: Handler,
    options: ConnectOptions = {},
  ): Promise<{ readonly cluster: Cluster; readonly received: readonly Received[] }> {
    const server = await tools.serve(handler);
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    await write('config', kubeconfig({ cluster, user: { exec } }));
    return { cluster: await connect(options), received: server.received };
  }

  const accepting =
    (accepted: string): Handler =>
    ({ headers }, response) =>
      headers.authorization === `Bearer ${accepted}`
        ? answer(response, 200, { gitVersion: 'v1' })
        : answerFailure(response, 'Unauthorized');

  const many = (cluster: Cluster): Promise<string[]> => Promise.all(Array.from({ length: 20 }, () => cluster.version()));

  it('is not started before it is needed, and once for however many calls', async () => {
    const { exec, runs } = await plugin();
    const { cluster, received } = await connectWith(exec, accepting('token-1'));
    expect(await runs()).toBe(0);
    await many(cluster);
    await many(cluster);
    expect(received).toHaveLength(40);
    expect(await runs()).toBe(1);
  });

  it('is given its arguments and variables', async () => {
    const { exec } = await plugin();
    const { cluster } = await connectWith(
      { ...exec, args: ['-a'], env: [{ name: 'SUFFIX', value: '-b' }] },
      accepting('token-1-a-b'),
    );
    expect(await cluster.version()).toBe('v1');
  });

  it('may give a certificate', async () => {
    const { cert, key } = tools.signed.client;
    const credential = { kind: 'ExecCredential', status: { clientCertificateData: cert, clientKeyData: key } };
    const path = await write('credential.json', credential);
    const server = await tools.serve(fine, { certificate: tools.signed.server, clientCa: tools.signed.ca });
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    await write('config', kubeconfig({ cluster, user: { exec: { command: '/bin/cat', args: [path] } } }));
    await (await connect()).version();
    expect(server.received[0]?.client).toBe('admin');
  });

  it('is asked again when the server refuses what it gave', async () => {
    const { exec, runs } = await plugin();
    const { cluster, received } = await connectWith(exec, accepting('token-2'));
    expect(await cluster.version()).toBe('v1');
    expect(received.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(await runs()).toBe(2);
    await many(cluster);
    expect(await runs()).toBe(2);
  });

  it('is asked again once, however many calls were refused', async () => {
    const { exec, runs } = await plugin();
    let refused = 0;
    const { cluster } = await connectWith(exec, (request, response) => {
      refused += 1;
      return refused <= 20 ? answerFailure(response, 'Unauthorized') : fine(request, response);
    });
    await many(cluster);
    expect(await runs()).toBe(2);
  });

  it('that fails is an error which says what to do, and not what it wrote', async () => {
    const { exec, runs } = await plugin(`echo '${SECRET}' >&2; exit 1`);
    const { cluster, received } = await connectWith(exec, fine);
    const error = await failureOf(cluster.version());
    expect(error).toMatchObject({ code: 'Unauthorized', cluster: 'work' });
    expect(error.message).toBe(
      'cluster work: its credentials could not be had; run the credential plugin of the context "work" by hand to see why, or check its token file',
    );
    expect(received).toEqual([]);
    await failureOf(cluster.version());
    expect(await runs()).toBe(2);
  });

  it.each<[string, (exec: Record<string, unknown>) => Record<string, unknown>]>([
    ['is not there', (exec) => ({ ...exec, command: '/nowhere/plugin' })],
    ['gives no JSON', (exec) => ({ ...exec, command: '/bin/echo', args: [SECRET] })],
    ['gives something else', (exec) => ({ ...exec, command: '/bin/echo', args: ['{}'] })],
  ])('that %s is such an error, too', async (_, change) => {
    const { exec } = await plugin();
    const { cluster } = await connectWith(change(exec), fine);
    const error = await failureOf(cluster.version());
    expect(error.code).toBe('Unauthorized');
    expect(error.message).not.toContain(SECRET);
  });

  it('that fails is an error of the cluster as it is called here', async () => {
    const { exec } = await plugin('exit 1');
    const { cluster } = await connectWith(exec, fine, { name: 'eu-1' });
    expect((await failureOf(cluster.version())).message).toMatch(/^cluster eu-1: /);
  });

  it('that hangs is not waited for longer than the call has', async () => {
    const { exec } = await plugin(`while [ -d '${folder}' ]; do sleep 0.05; done`);
    const { cluster } = await connectWith(exec, fine, { timeoutMs: 50 });
    expect(await soon(failureOf(cluster.version()))).toMatchObject({ cluster: 'work' });
  });

  it('that hangs is left when the signal of the call fires', async () => {
    const { exec } = await plugin(`while [ -d '${folder}' ]; do sleep 0.05; done`);
    const { cluster } = await connectWith(exec, fine);
    expect(await soon(failureOf(cluster.version({ signal: AbortSignal.timeout(50) })))).toMatchObject({ code: 'Aborted' });
  });

  it('is found beside the kubeconfig, as kubectl finds it', async () => {
    const { exec } = await plugin();
    const { cluster } = await connectWith({ ...exec, command: './bin/plugin' }, accepting('token-1'));
    expect(await cluster.version()).toBe('v1');
  });

  it('is told what kubectl tells it', async () => {
    const { exec } = await plugin(`printf %s "$KUBERNETES_EXEC_INFO" > '${folder}/info'`);
    const { cluster } = await connectWith(exec, fine);
    await cluster.version();
    expect(JSON.parse(await readFile(join(folder, 'info'), 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
    });
  });
});

describe('credentials that the server refuses', () => {
  it('are read from the kubeconfig again', async () => {
    const server = await tools.serve(({ headers }, response) =>
      headers.authorization === 'Bearer new'
        ? answer(response, 200, { gitVersion: 'v1' })
        : answerFailure(response, 'Unauthorized'),
    );
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    await write('config', kubeconfig({ cluster, user: { token: 'old' } }));
    const connection = await connect();
    await write('config', kubeconfig({ cluster, user: { token: 'new' } }));
    expect(await connection.version()).toBe('v1');
    expect(server.received).toHaveLength(2);
  });

  it.each([
    ['is broken by now', () => write('config', `clusters: [\ntoken: ${SECRET}`)],
    ['has lost its context by now', () => write('config', kubeconfig({ more: { contexts: [], users: [] } }))],
  ])('are an error of ours where the kubeconfig %s', async (_, spoil) => {
    const server = await tools.serve((_request, response) => answerFailure(response, 'Unauthorized'));
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    await write('config', kubeconfig({ cluster, user: { token: SECRET } }));
    const connection = await connect();
    await spoil();
    const error = await failureOf(connection.version());
    expect(error.message).not.toContain(SECRET);
  });

  it('are an error of ours where the kubeconfig is gone by now', async () => {
    const server = await tools.serve((_, response) => answerFailure(response, 'Unauthorized'));
    const cluster = { server: server.url, 'certificate-authority-data': base64(tools.signed.ca) };
    const path = await write('config', kubeconfig({ cluster, user: { token: 'old' } }));
    const connection = await connect();
    await rm(path);
    await failureOf(connection.version());
  });
});

describe('a kubeconfig with something missing', () => {
  it.each<[string, Record<string, unknown>, string | undefined, string]>([
    ['has no such context', {}, 'play', 'has no context "play"; it has work'],
    ['has no context at all', { contexts: [] }, 'play', 'has no context "play"; it has none at all'],
    ['has no current context', { 'current-context': undefined }, undefined, 'has no context ""; it has work'],
    ['lacks the cluster', { clusters: [] }, undefined, 'context "work" names the cluster "far", which is missing; add it'],
    ['lacks the user', { users: [] }, undefined, 'context "work" names the user "me", which is missing; add it'],
  ])('%s, and the error says so', async (_, more, context, message) => {
    const path = await write('config', kubeconfig({ more, user: { token: SECRET } }));
    const error = await failureOf(connect(context === undefined ? {} : { context }));
    expect(error).toMatchObject({ code: 'Invalid', message: `kubeconfig ${path}: ${message}` });
  });
});

describe('a file that is no kubeconfig', () => {
  it.each<[string, string, number]>([
    ['a bracket is open', `users:\n- name: me\n  user: {token: ${SECRET}\ncontexts: []\n`, 4],
    ['a quote is open', `apiVersion: v1\ntoken: "${SECRET}\n`, 3],
    ['a key comes twice', `token: ${SECRET}\nusers: []\ntoken: ${SECRET}\n`, 3],
    ['a line is indented with a tab', `users:\n- name: me\n\tuser: {token: ${SECRET}}\n`, 3],
    ['a line is no pair', `apiVersion: v1\n${SECRET}\n`, 2],
  ])('is named with the line where %s, without anything that is in it', async (_, content, line) => {
    const path = await write('config', content);
    const error = await failureOf(readKubeconfig());
    expect(error.code).toBe('Invalid');
    expect(error.message).toMatch(new RegExp(`^kubeconfig ${path}, line ${line}: is no kubeconfig: .+; correct the file$`));
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it.each([
    ['an alias', `token: *${SECRET}\n`],
    ['a tag', `token: !${SECRET}\n`],
  ])('does not get its token into the message where that looks like %s', async (_, content) => {
    await write('config', content);
    expect((await failureOf(readKubeconfig())).message).not.toContain(SECRET);
  });

  it.each([
    ['a list', '[]', 'has no context ""'],
    ['just text', SECRET, 'has no context ""'],
    ['empty', '', 'is no kubeconfig'],
    ['a cluster without a name', 'clusters: [{cluster: {server: x}}]', 'is no kubeconfig'],
    ['a cluster without a server', `clusters: [{name: ${SECRET}, cluster: {}}]`, 'is no kubeconfig'],
  ])('is an error of ours where it is %s', async (_, content, message) => {
    const path = await write('config', content);
    const error = await failureOf(connect());
    expect(error.code).toBe('Invalid');
    expect(error.message).toContain(`kubeconfig ${path}: ${message}`);
    expect(error.message).not.toContain(SECRET);
  });
});

describe('where a kubeconfig comes from', () => {
  const named = (context: string): Record<string, unknown> =>
    kubeconfig({
      cluster: { server: `https://${context}:6443` },
      more: { 'current-context': context, contexts: [{ name: context, context: { cluster: 'far', user: 'me' } }] },
    });

  it('is the file that is named, and no other', async () => {
    const path = await write('other', named('other'));
    await write('config', named('work'));
    expect(await readKubeconfig(path)).toMatchObject({ files: [path], contexts: ['other'], currentContext: 'other' });
  });

  it('is $KUBECONFIG', async () => {
    const path = await write('config', named('work'));
    expect(await readKubeconfig()).toMatchObject({ files: [path], contexts: ['work'], currentContext: 'work' });
  });

  it('is ~/.kube/config where $KUBECONFIG is empty or not set', async () => {
    const path = await write('.kube/config', named('home'));
    for (const value of ['', undefined]) {
      vi.stubEnv('KUBECONFIG', value);
      expect(await readKubeconfig()).toMatchObject({ files: [path], contexts: ['home'] });
    }
  });

  it('may be several files, of which the first that knows a name wins; those that are missing are passed over', async () => {
    const first = await write('first', {
      ...kubeconfig({ cluster: { server: 'https://first:6443' }, user: { token: 'first' } }),
      'current-context': '',
    });
    const second = await write('second', {
      ...kubeconfig({ cluster: { server: 'https://second:6443' }, user: { token: 'second' } }),
      'current-context': 'play',
      contexts: [
        { name: 'work', context: { cluster: 'lost', user: 'lost' } },
        { name: 'play', context: { cluster: 'far', user: 'you' } },
      ],
      users: [
        { name: 'me', user: { token: 'second' } },
        { name: 'you', user: { token: 'yours' } },
      ],
    });
    vi.stubEnv('KUBECONFIG', ['', join(folder, 'missing'), first, second, ''].join(delimiter));
    const file = await readKubeconfig();
    expect(file).toMatchObject({ files: [first, second], contexts: ['work', 'play'], currentContext: 'play' });
    const [work, play] = [file.access('work'), file.access('play')];
    expect([work.server, play.server]).toEqual(['https://first:6443', 'https://first:6443']);
    expect((await work.provider.current()).headers).toEqual({ Authorization: 'Bearer first' });
    expect((await play.provider.current()).headers).toEqual({ Authorization: 'Bearer yours' });
  });

  it('takes the files of each kubeconfig from its own folder', async () => {
    await write('a/ca.crt', 'authority of a');
    await write('b/ca.crt', 'authority of b');
    const one = (name: string): Record<string, unknown> => ({
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster: { server: 'https://x', 'certificate-authority': 'ca.crt' } }],
      users: [{ name, user: {} }],
    });
    const paths = [await write('a/config', one('a')), await write('b/config', one('b'))];
    vi.stubEnv('KUBECONFIG', paths.join(delimiter));
    const file = await readKubeconfig();
    for (const name of ['a', 'b']) {
      expect(String((await file.access(name).provider.current()).tls.ca)).toBe(`authority of ${name}`);
    }
  });

  it('is an error where the named file is missing', async () => {
    const path = join(folder, 'missing');
    const error = await failureOf(connect({ kubeconfig: path }));
    expect(error).toMatchObject({ code: 'Invalid', message: `kubeconfig ${path}: there is no such file; check the path` });
  });

  it('is an error where it is a folder', async () => {
    vi.stubEnv('KUBECONFIG', folder);
    for (const name of [folder, undefined]) {
      expect(await failureOf(readKubeconfig(name))).toMatchObject({
        code: 'Invalid',
        message: `kubeconfig ${folder}: is a folder; name a file`,
      });
    }
  });

  it.each([
    ['where $KUBECONFIG leads', () => join(folder, 'config'), () => join(folder, 'config')],
    ['at home', () => '', () => join(folder, '.kube', 'config')],
  ])('is an error that says how to go on where there is none %s', async (_, variable, path) => {
    vi.stubEnv('KUBECONFIG', variable());
    const error = await failureOf(connect());
    expect(error.code).toBe('Invalid');
    expect(error.message).toBe(`kubeconfig ${path()}: there is no kubeconfig; name one with --kubeconfig, or set KUBECONFIG`);
  });
});
