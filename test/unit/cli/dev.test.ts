import { existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { connectContext } from 'clusterset/client';
import { resourceType } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Child } from './child.ts';
import { folder, type Ran, run } from './run.ts';

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
  readonly contexts: readonly { readonly name: string }[];
}

/** Runs `dev` until `use` is done with its kubeconfig, as Ctrl-C ends it. */
async function whileServing(args: readonly string[], use: (path: string, kubeconfig: Kubeconfig) => Promise<void>): Promise<Ran> {
  const path = join(folder({}), 'kubeconfig');
  const stop = new AbortController();
  const running = run(['dev', '--write-kubeconfig', path, ...args], stop.signal);
  try {
    await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8')).toContain('current-context');
    await use(path, parse(readFileSync(path, 'utf8')) as Kubeconfig);
  } finally {
    stop.abort();
    await running;
  }
  return running;
}

function ask({ clusters }: Kubeconfig, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const { server, 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? { server: '' };
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false, ca: Buffer.from(ca, 'base64') };
    const sent = request(`${server}/api/v1/namespaces`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject).end();
  });
}

const nodes = resourceType('v1', 'Node', 'nodes', 'Cluster');
const definitions = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const withRule = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
            'x-kubernetes-validations': [{ rule: '!has(self.spec.size) || self.spec.size > 0' }],
          },
        },
      },
    ],
  },
};

describe('dev', () => {
  it('serves on loopback only, with a certificate, behind a token that is another one each time', async () => {
    const tokens: string[] = [];
    for (const _ of [1, 2]) {
      await whileServing(['-n', '1'], async (_path, kubeconfig) => {
        const token = kubeconfig.users[0]?.user.token ?? '';
        tokens.push(token);
        expect(await ask(kubeconfig, {})).toBe(401);
        expect(await ask(kubeconfig, { authorization: 'Bearer wrong' })).toBe(401);
        expect(await ask(kubeconfig, { authorization: `Bearer ${token}` })).toBe(200);
        const { hostname, port } = new URL(kubeconfig.clusters[0]?.cluster.server ?? '');
        expect(hostname).toBe('127.0.0.1');
        // Who listens on all addresses answers on these, too.
        for (const host of ['127.0.0.2', '::1']) expect(await isOpen(host, Number(port))).toBe(false);
      });
    }
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32,}$/);
  });

  it('writes a kubeconfig that only its owner can read, and takes it away in the end', async () => {
    let path = '';
    const { code, stdout, stderr } = await whileServing(['-n', '2'], async (written, { contexts }) => {
      path = written;
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(contexts.map(({ name }) => name)).toEqual(['host', 'member-1', 'member-2']);
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`export KUBECONFIG=${path}`);
    expect(stderr).toContain('stopped');
    expect(existsSync(path)).toBe(false);
  });

  it('runs workloads in members with --nodes, and takes CRDs with rules', async () => {
    await whileServing(['-n', '1', '--nodes', '2'], async (path) => {
      const [host, member] = await Promise.all(
        ['host', 'member-1'].map((context) => connectContext({ kubeconfig: path, context })),
      );
      await member?.create(definitions, withRule);
      expect((await member?.list(nodes))?.items).toHaveLength(2);
      expect((await host?.list(nodes))?.items).toHaveLength(0);
      await Promise.all([host?.close(), member?.close()]);
    });
  });

  it('prints data with -o json, and leaves the host out', async () => {
    const { stdout } = await whileServing(['-n', '1', '--no-host', '-o', 'json'], async () => undefined);
    expect(JSON.parse(stdout)).toMatchObject({ clusters: [{ name: 'member-1', server: expect.stringMatching(/^https:/) }] });
  });

  it('prints its path as a shell takes it', async () => {
    const path = join(folder({}), "it's; mine");
    const stop = new AbortController();
    const running = run(['dev', '-n', '1', '--write-kubeconfig', path], stop.signal);
    await expect.poll(() => existsSync(path)).toBe(true);
    stop.abort();
    expect((await running).stdout).toContain(`export KUBECONFIG='${path.replace("'", "'\\''")}'`);
  });

  it('never writes over a file, nor where a link leads', async () => {
    const path = folder({ mine: 'precious' });
    const [mine, link, far] = [join(path, 'mine'), join(path, 'link'), join(path, 'far')];
    symlinkSync(far, link);
    for (const file of [mine, link, path]) {
      const { code, stderr } = await run(['dev', '-n', '1', '--write-kubeconfig', file]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `error: ${file}: there is a file already; name another, or remove it`,
      });
    }
    expect(readFileSync(mine, 'utf8')).toBe('precious');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(far)).toBe(false);
  });

  it('says in a line that there is no such folder', async () => {
    const path = join(folder({}), 'nowhere', 'kubeconfig');
    const { code, stderr } = await run(['dev', '-n', '1', '--write-kubeconfig', path]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: ${path}: the kubeconfig can't be written: no such file or directory`,
    });
  });

  it('says in a line that a port is taken, and leaves nothing behind', async () => {
    const path = join(folder({}), 'kubeconfig');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const args = ['dev', '-n', '1', '--no-host', '--port', String(port), '--write-kubeconfig', path];
    // Above 65,000 the command says itself that it takes none.
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr.split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/address already in use|from 1 to 65000/);
    expect(existsSync(path)).toBe(false);
    other.close();
  });

  it.each([
    ['-n', '0'],
    ['-n', '101'],
    ['-n', '1.5'],
    ['-n', '1e1'],
    ['-n', ''],
    ['--port', '0'],
    ['--port', '-1'],
    ['-o', 'xml'],
  ])('refuses %s %j', async (...args) => {
    const { code, stdout, stderr } = await run(['dev', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`argument '${args[1]}' is invalid`);
  });

  it.each([
    ['SIGTERM', 1],
    ['SIGINT', 2],
  ] as const)('takes its temporary file away after %s (%i times)', async (signal, times) => {
    await using child = new Child(['dev', '-n', '1']);
    await child.until('Ctrl-C ends');
    const path = /^export KUBECONFIG=(.*)$/m.exec(child.stdout)?.[1] ?? '';
    expect(existsSync(path)).toBe(true);
    for (let time = 0; time < times; time += 1) child.process.kill(signal);
    // Who asks twice may have been heard twice, or once the tidy end was there.
    expect([0, 130]).toContain(await child.ended());
    expect(existsSync(dirname(path))).toBe(false);
  });
});

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
