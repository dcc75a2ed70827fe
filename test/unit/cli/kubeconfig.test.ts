import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceType } from 'clusterset/kube';
import { REGISTRY_KINDS, RegistryCluster, registerCluster, removeCluster } from 'clusterset/registry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { runCommand } from '../../../src/cli/command.ts';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { folder, run } from './run.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const { cluster: KIND } = REGISTRY_KINDS;

interface Written {
  readonly contexts?: readonly { readonly name: string }[];
  readonly users?: readonly { readonly user: { readonly exec?: { readonly args: readonly string[] } } }[];
  readonly 'current-context'?: string;
}

describe('clusterset kubeconfig', () => {
  let world: OfflineWorld;
  let place: string;
  let to: string;

  beforeEach(async () => {
    world = await startOffline(['host', 'eu-1', 'us-1']);
    place = folder({ 'fleet.yaml': '- name: eu-1\n- name: us-1\n' });
    to = join(place, 'sub', 'fleet.kubeconfig');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await world[Symbol.asyncDispose]();
  });

  const fleet = (): readonly string[] => ['--fleet', join(place, 'fleet.yaml'), '--kubeconfig', world.kubeconfig];
  const written = (): Written => parse(readFileSync(to, 'utf8')) as Written;
  const token = (): string =>
    (parse(readFileSync(world.kubeconfig, 'utf8')) as { users: { user: { token: string } }[] }).users[0]?.user.token ?? '';

  it('writes a context for each cluster, for its owner only, and no secret', async () => {
    const { code, stdout } = await run(['kubeconfig', '--to', to, ...fleet()]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${to}: 2 contexts; added eu-1, us-1`);
    expect(written().contexts?.map(({ name }) => name)).toEqual(['eu-1', 'us-1']);
    expect(written().users?.[0]?.user.exec?.args).toEqual(expect.arrayContaining(['credential', '--cluster', 'eu-1']));
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(token()).not.toBe('');
    expect(readFileSync(to, 'utf8')).not.toContain(token());
  });

  it('writes nothing where nothing changed, and leaves what others have written', async () => {
    await run(['kubeconfig', '--to', to, ...fleet()]);
    const foreign = { name: 'mine', context: { cluster: 'mine', namespace: 'x' }, 'x-note': 1 };
    const own = written();
    writeFileSync(
      to,
      JSON.stringify({
        ...own,
        contexts: [foreign, ...(own.contexts ?? [])],
        'current-context': 'mine',
        preferences: { colors: true },
      }),
    );
    const before = statSync(to).ino;
    const { stdout } = await run(['kubeconfig', '--to', to, ...fleet(), '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ added: [], changed: [], removed: [], problems: [] });
    expect(statSync(to).ino).toBe(before);
    writeFileSync(join(place, 'fleet.yaml'), '- name: us-1\n');
    expect((await run(['kubeconfig', '--to', to, ...fleet()])).stdout).toBe(`${to}: 1 context; removed eu-1`);
    expect(written()).toMatchObject({ 'current-context': 'mine', preferences: { colors: true } });
    expect(written().contexts).toEqual([foreign, expect.objectContaining({ name: 'us-1' })]);
  });

  it('leaves a cluster out whose name somebody else uses, and ends with 1', async () => {
    await run(['kubeconfig', '--to', to, ...fleet()]);
    const { contexts: _, ...rest } = written();
    writeFileSync(to, JSON.stringify({ ...rest, contexts: [{ name: 'eu-1', context: { cluster: 'theirs' } }] }));
    const { code, stderr } = await run(['kubeconfig', '--to', to, ...fleet()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/eu-1: contexts has an entry "eu-1" that somebody else has written/);
    expect(written().contexts).toEqual([
      { name: 'eu-1', context: { cluster: 'theirs' } },
      expect.objectContaining({ name: 'us-1' }),
    ]);
  });

  it('touches no file that it does not understand', async () => {
    const file = join(folder({ 'k.yaml': 'users: [secret-of-mine' }), 'k.yaml');
    const { code, stderr } = await run(['kubeconfig', '--to', file, ...fleet()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/a mistake in its YAML/);
    expect(stderr).not.toContain('secret-of-mine');
    expect(readFileSync(file, 'utf8')).toBe('users: [secret-of-mine');
  });

  it('waits for whoever holds the file, and says so when it takes too long', async () => {
    await run(['kubeconfig', '--to', to, ...fleet()]);
    writeFileSync(`${to}.lock`, '');
    const { code, stderr } = await run(['kubeconfig', '--to', to, ...fleet()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/somebody else holds the kubeconfig/);
  }, 15_000);

  it('writes what a link leads to, and leaves the link', async () => {
    const real = join(place, 'real.kubeconfig');
    const link = join(place, 'link.kubeconfig');
    symlinkSync('real.kubeconfig', link);
    expect((await run(['kubeconfig', '--to', link, ...fleet()])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('eu-1');
  });

  it('does not wait for itself in a folder that has two names', async () => {
    const other = `${place}-other`;
    symlinkSync(place, other);
    writeFileSync(join(place, 'mine.kubeconfig'), '');
    expect(await run(['kubeconfig', '--to', join(other, 'mine.kubeconfig'), ...fleet()])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(place).filter((name) => /\.(?:lock|tmp)$/.test(name))).toEqual([]);
  });

  it('waits for who holds the link to the file, as kubectl does', async () => {
    writeFileSync(join(place, 'real.kubeconfig'), '');
    symlinkSync('real.kubeconfig', join(place, 'link.kubeconfig'));
    writeFileSync(join(place, 'link.kubeconfig.lock'), '');
    const { code, stderr } = await run(['kubeconfig', '--to', join(place, 'link.kubeconfig'), ...fleet()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/link\.kubeconfig\.lock: somebody else holds the kubeconfig/);
    expect(existsSync(join(place, 'real.kubeconfig.lock'))).toBe(false);
  }, 15_000);

  it.each<[string, (path: string) => void, RegExp]>([
    ['a pipe', (path) => void execFileSync('mkfifo', [path]), /is no file/],
    ['a folder', (path) => void mkdirSync(path), /is no file/],
    ['a file with an alias of what it stands in', (path) => writeFileSync(path, 'x: &a [*a]\n'), /an alias that leads/],
  ])('leaves %s as it is, and says so', async (_, make, message) => {
    const path = join(place, 'odd');
    make(path);
    const { code, stderr } = await run(['kubeconfig', '--to', path, ...fleet()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ at .*\.ts/);
  });

  it('keeps what others have written, in whatever way', async () => {
    const file = join(place, 'odd.yaml');
    const text = ['# mine', 'x-a: &a {n: 1.50, t: "0123", u: "\u00fc\\u202e"}', 'x-b: *a', 'users: null', ''].join('\r\n');
    writeFileSync(file, `\ufeff${text}`);
    expect((await run(['kubeconfig', '--to', file, ...fleet()])).code).toBe(0);
    const theirs = { n: 1.5, t: '0123', u: '\u00fc\u202e' };
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ 'x-a': theirs, 'x-b': theirs });
  });

  it('leaves out a cluster whose kubeconfig can not be read, and writes the others', async () => {
    writeFileSync(join(place, 'fleet.yaml'), '- name: eu-1\n- name: us-1\n  auth: {context: us-1, kubeconfig: /nowhere}\n');
    const args = ['--fleet', join(place, 'fleet.yaml')];
    vi.stubEnv('KUBECONFIG', world.kubeconfig);
    const { code, stderr } = await run(['kubeconfig', '--to', to, ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/us-1: .*there is no such file/);
    expect(written().contexts?.map(({ name }) => name)).toEqual(['eu-1']);
    expect(await run(['credential', '--cluster', 'eu-1', ...args])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['nothing to read', [], /say where the clusters are/],
    ['two places to read', ['--fleet', 'a', '--host', 'b'], /say where the clusters are/],
    ['an unknown kind', ['--host', 'host', '--kind', 'star'], /Allowed choices are/],
    ['providers that are none', ['--fleet', 'f', '--providers', '/dev/null'], /is no JSON/],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await run(['kubeconfig', '--to', to, ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('follows a registry as clusters come and go', async () => {
    const host = world.cluster('host').connect();
    await host.create(CRDS, RegistryCluster.crd() as never);
    const register = (name: string): Promise<unknown> =>
      registerCluster(host, KIND, {
        metadata: { name, namespace: 'default' },
        spec: { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: `${name}.example.com` }] } },
      });
    await register('eu-1');
    const stopping = new AbortController();
    const args = ['--host', 'host', '--namespace', 'default', '--kubeconfig', world.kubeconfig, '--watch'];
    const running = run(['kubeconfig', '--to', to, ...args], stopping.signal);
    const contexts = (): string => {
      try {
        return (written().contexts ?? []).map(({ name }) => name).join(' ');
      } catch {
        return 'nothing yet';
      }
    };
    await expect.poll(contexts, { timeout: 10_000 }).toBe('eu-1');
    await register('us-1');
    await expect.poll(contexts, { timeout: 10_000 }).toBe('eu-1 us-1');
    await removeCluster(host, KIND, { namespace: 'default', name: 'eu-1' });
    await expect.poll(contexts, { timeout: 10_000 }).toBe('us-1');
    stopping.abort();
    expect((await running).stdout.split('\n')).toEqual([
      `${to}: 1 context; added eu-1`,
      `${to}: 2 contexts; added us-1`,
      `${to}: 1 context; removed eu-1`,
    ]);
  });

  it('goes on following where somebody has broken the file, until it is mended', async () => {
    const host = world.cluster('host').connect();
    await host.create(CRDS, RegistryCluster.crd() as never);
    await registerCluster(host, KIND, {
      metadata: { name: 'eu-1', namespace: 'default' },
      spec: { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'eu-1.example.com' }] } },
    });
    const stopping = new AbortController();
    const file = join(place, 'mine.kubeconfig');
    writeFileSync(file, 'users: [half');
    const complaints: string[] = [];
    const nothing = (): void => undefined;
    const complain = (line: string): void => void complaints.push(line);
    const terminal = { print: nothing, say: nothing, complain, progress: nothing, endProgress: nothing, style: String };
    const args = ['--host', 'host', '--namespace', 'default', '--kubeconfig', world.kubeconfig, '--watch'];
    const running = runCommand(['kubeconfig', '--to', file, ...args], { terminal, signal: stopping.signal });
    await expect.poll(() => complaints.join(), { timeout: 10_000 }).toMatch(/a mistake in its YAML/);
    writeFileSync(file, '');
    await expect.poll(() => readFileSync(file, 'utf8'), { timeout: 10_000 }).toContain('eu-1');
    stopping.abort();
    await running;
  }, 20_000);

  describe('and credential', () => {
    it.each(['client.authentication.k8s.io/v1beta1', 'client.authentication.k8s.io/v1'])('answers in %s', async (apiVersion) => {
      vi.stubEnv('KUBERNETES_EXEC_INFO', JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } }));
      const { stdout } = await run(['credential', '--cluster', 'eu-1', ...fleet()]);
      expect(JSON.parse(stdout)).toMatchObject({ apiVersion });
    });

    it('never waits for itself, where $KUBECONFIG is the managed kubeconfig', async () => {
      const args = ['--fleet', join(place, 'fleet.yaml')];
      vi.stubEnv('KUBECONFIG', world.kubeconfig);
      await run(['kubeconfig', '--to', to, ...args]);
      // What stands in the file would run the program that runs the tests: here it runs a script that counts.
      const runs = join(place, 'runs');
      const script = join(place, 'again.sh');
      writeFileSync(script, `echo "$CLUSTERSET_CREDENTIAL_WAITING" >> ${runs}\nexit 1\n`);
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: [script], interactiveMode: 'Never' };
      writeFileSync(to, JSON.stringify({ ...written(), users: [{ name: 'clusterset:eu-1', user: { exec } }] }));
      vi.stubEnv('KUBECONFIG', to);
      expect((await run(['credential', '--cluster', 'eu-1', ...args])).code).toBe(1);
      const waiting = readFileSync(runs, 'utf8').split('\n')[0] ?? '';
      expect(waiting).not.toBe('');
      expect(process.env.CLUSTERSET_CREDENTIAL_WAITING).toBeUndefined();
      vi.stubEnv('CLUSTERSET_CREDENTIAL_WAITING', waiting);
      const { code, stderr } = await run(['credential', '--cluster', 'eu-1', ...args]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/asks this very command for credentials/);
      expect(readFileSync(runs, 'utf8').trim().split('\n')).toHaveLength(1);
      vi.stubEnv('KUBECONFIG', world.kubeconfig);
      expect((await run(['credential', '--cluster', 'us-1', ...args])).code).toBe(0);
    });

    it('gives nothing of a context to a cluster that a registry says is somewhere', async () => {
      const host = world.cluster('host').connect();
      await host.create(CRDS, RegistryCluster.crd() as never);
      await registerCluster(host, KIND, {
        metadata: { name: 'us-1', namespace: 'default' },
        spec: { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'somewhere.example.com' }] } },
      });
      vi.stubEnv('KUBECONFIG', world.kubeconfig);
      const args = ['--host', 'host', '--namespace', 'default'];
      for (const more of [[], ['--kubeconfig', world.kubeconfig]]) {
        const { code, stdout, stderr } = await run(['credential', '--cluster', 'us-1', ...args, ...more]);
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toMatch(/says where it is, and not how to get in/);
      }
    });

    it('takes names that begin like an option', async () => {
      const { stderr } = await run(['credential', '--cluster', '-x', ...fleet()]);
      expect(stderr).toMatch(/there is no cluster "-x"/);
    });

    it('prints what the contexts ask for', async () => {
      const { code, stdout } = await run(['credential', '--cluster', 'eu-1', ...fleet()]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status: { token: expect.any(String) },
      });
    });

    it('says which cluster there is none of', async () => {
      const { code, stderr, stdout } = await run(['credential', '--cluster', 'mars', ...fleet()]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/there is no cluster "mars"/);
    });
  });
});
