import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceType } from 'clusterset/kube';
import { REGISTRY_KINDS, RegistryCluster, registerCluster, removeCluster } from 'clusterset/registry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
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
  afterEach(() => world[Symbol.asyncDispose]());

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

  describe('and credential', () => {
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
