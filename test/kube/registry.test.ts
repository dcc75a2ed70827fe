import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { connectEntry } from 'clusterset/client';
import { registrySource } from 'clusterset/controllers/registry';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import {
  ClusterProfile,
  KubeFedCluster,
  labelCluster,
  listClusters,
  publishProfile,
  REGISTRY_KINDS,
  RegistryCluster,
  registerCluster,
  removeCluster,
  setClusterCondition,
} from 'clusterset/registry';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const CRDS = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
const SECRETS = resourceType('v1', 'Secret', 'secrets');
const SERVICE_ACCOUNTS = resourceType('v1', 'ServiceAccount', 'serviceaccounts');
const BINDINGS = resourceType('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', 'Cluster');
const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NOW = '2026-01-01T00:00:00Z';

interface Ran {
  readonly code: number;
  readonly out: string;
}

describe('registries on real API servers', () => {
  let planes: ControlPlanes;
  let host: Cluster;
  let member: Cluster;

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'host' }, { name: 'eu-1' }]);
    host = planes.connect('host');
    member = planes.connect('eu-1');
    for (const type of [RegistryCluster, ClusterProfile, KubeFedCluster]) await host.create(CRDS, type.crd() as never);
    await host.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fleet' } });
    for (const kind of Object.values(REGISTRY_KINDS)) {
      await vi.waitFor(() => listClusters(host, kind), { timeout: 30_000, interval: 100 });
    }
  });
  afterAll(async () => {
    await host?.close();
    await member?.close();
    await planes?.stop();
  });

  function run(program: string, args: readonly string[]): Promise<Ran> {
    const { promise, resolve } = Promise.withResolvers<Ran>();
    execFile(program, [...args], { timeout: 60_000, env: { ...process.env, HOME: planes.folder } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: `${stdout}${stderr}` });
    });
    return promise;
  }

  it('takes the CRDs as they are, without a word', async () => {
    const found = await host.list<AnyObject>(CRDS);
    const conditions = found.items.flatMap(({ metadata, status }) =>
      (status as { conditions: { type: string; status: string }[] }).conditions
        .filter(({ status: is, type }) => is === 'True' && type === 'NonStructuralSchema')
        .map(({ type }) => `${metadata.name} ${type}`),
    );
    expect(found.items).toHaveLength(3);
    expect(conditions).toEqual([]);
  });

  it('registers, labels, judges and removes a cluster; a source sees all of it', async () => {
    const { cluster: kind } = REGISTRY_KINDS;
    const key = { namespace: 'fleet', name: 'blue' };
    const stopping = new AbortController();
    const source = registrySource({ host, kind, namespace: 'fleet' }).watch(stopping.signal)[Symbol.asyncIterator]();
    expect((await source.next()).value).toEqual([]);
    const spec = { kubernetesApiEndpoints: { serverEndpoints: [{ serverAddress: 'blue.example.com' }] } };
    await registerCluster(host, kind, { metadata: key, spec });
    expect((await source.next()).value).toEqual([{ name: 'blue', endpoints: [{ server: 'https://blue.example.com' }] }]);
    await expect(registerCluster(host, kind, { metadata: key, spec })).rejects.toMatchObject({ code: 'AlreadyExists' });
    await labelCluster(host, kind, key, { region: 'eu' });
    expect((await source.next()).value).toMatchObject([{ labels: { region: 'eu' } }]);
    const ok = { type: 'OK', status: 'True', reason: 'Fine', message: '' };
    expect(await setClusterCondition(host, kind, key, ok, NOW)).toBe(true);
    expect(await setClusterCondition(host, kind, key, ok, '2027-01-01T00:00:00Z')).toBe(false);
    expect((await source.next()).value).toMatchObject([{ conditions: [{ type: 'OK' }, { type: 'Ready', status: 'True' }] }]);
    await removeCluster(host, kind, key);
    expect((await source.next()).value).toEqual([]);
    stopping.abort();
    await source.return?.();
  });

  it('publishes a profile once, and again only where something changed; its manager never changes', async () => {
    const key = { namespace: 'fleet', name: 'green' };
    const healthy = { type: 'ControlPlaneHealthy', status: 'True', reason: 'Healthy', message: '' };
    const properties = [
      { name: 'cluster.clusterset.k8s.io', value: 'green' },
      { name: 'long.example.com', value: 'x'.repeat(1025) },
    ];
    const profile = {
      key,
      manager: 'tests',
      displayName: 'Green',
      kubernetesVersion: 'v1.36.3',
      properties,
      conditions: [healthy],
    };
    expect(await publishProfile(host, profile, NOW)).toBe(true);
    expect(await publishProfile(host, profile, '2027-01-01T00:00:00Z')).toBe(false);
    expect(await publishProfile(host, { ...profile, kubernetesVersion: 'v1.37.0' }, NOW)).toBe(true);
    const { entries, issues } = await listClusters(host, REGISTRY_KINDS.clusterprofile, { namespace: 'fleet' });
    expect(issues).toEqual([]);
    expect(entries).toMatchObject([
      { name: 'green', kubernetesVersion: 'v1.37.0', properties: { 'cluster.clusterset.k8s.io': 'green' } },
    ]);
    const conditions = entries[0]?.conditions?.map(({ type, status }) => `${type}=${status}`);
    expect(conditions).toEqual(['ControlPlaneHealthy=True', 'PropertiesComplete=False', 'Ready=True']);
    await expect(publishProfile(host, { ...profile, manager: 'somebody' }, NOW)).rejects.toMatchObject({ code: 'Forbidden' });
    const body = { spec: { clusterManager: { name: 'somebody' } } };
    await expect(host.patch(ClusterProfile, key, { type: 'merge', body })).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.stringContaining('ClusterManager is immutable'),
    });
  });

  /** A service account that may do everything in the member, and a token of it in the Secret of the host. */
  async function rotate(): Promise<string> {
    await member.delete(SERVICE_ACCOUNTS, { namespace: 'default', name: 'agent' });
    await member.create(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'default', name: 'agent' },
    });
    const { out } = await run(planes.kubectl, [
      '--kubeconfig',
      planes.kubeconfig,
      '--context',
      'eu-1',
      'create',
      'token',
      'agent',
    ]);
    const token = out.trim();
    const data = { token: Buffer.from(token).toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'fleet', name: 'eu-1' }, data };
    await host.apply(SECRETS, secret as never, { fieldManager: 'tests', force: true });
    return token;
  }

  it('leads kubectl to a member through a managed kubeconfig, also after its token was rotated', async () => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ kind: 'ServiceAccount', namespace: 'default', name: 'agent' }];
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'agent' },
      roleRef,
      subjects,
    };
    await member.create(BINDINGS, binding as never);
    const first = await rotate();
    const { clusters } = parse(readFileSync(planes.kubeconfig, 'utf8')) as {
      clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[];
    };
    const { server, 'certificate-authority-data': caBundle } =
      clusters.find(({ name }) => name === 'eu-1')?.cluster ?? ({} as never);
    await registerCluster(host, REGISTRY_KINDS.kubefedcluster, {
      metadata: { namespace: 'fleet', name: 'eu-1' },
      spec: { apiEndpoint: server, caBundle, secretRef: { name: 'eu-1' } },
    });
    const to = join(planes.folder, 'managed.kubeconfig');
    const words = ['--host', 'host', '--kind', 'kubefedcluster', '--namespace', 'fleet', '--kubeconfig', planes.kubeconfig];
    expect(await run(process.execPath, [COMMAND, 'kubeconfig', '--to', to, ...words])).toEqual({
      code: 0,
      out: `${to}: 1 context; added eu-1\n`,
    });
    expect(readFileSync(to, 'utf8')).not.toContain(first);
    const kubectl = (): Promise<Ran> =>
      run(planes.kubectl, ['--kubeconfig', to, '--context', 'eu-1', 'get', 'namespace', 'default', '-o', 'name']);
    expect(await kubectl()).toEqual({ code: 0, out: 'namespace/default\n' });

    const { entries } = await listClusters(host, REGISTRY_KINDS.kubefedcluster, { namespace: 'fleet' });
    const [entry] = entries;
    if (entry === undefined) throw new TypeError('it was registered');
    const connection = await connectEntry(entry, { host });
    expect(await connection.get(NAMESPACES, { name: 'default' })).toMatchObject({ metadata: { name: 'default' } });

    const second = await rotate();
    expect(second).not.toBe(first);
    expect(await kubectl()).toEqual({ code: 0, out: 'namespace/default\n' });
    // The connection from before has the old token, which is refused; it gets the new one by itself.
    await expect
      .poll(() => connection.get(NAMESPACES, { name: 'default' }).then((found) => found?.metadata.name, String), {
        timeout: 30_000,
      })
      .toBe('default');
    await connection.close();
  });

  it('lets in with short-lived tokens of a service account', async () => {
    await rotate();
    const entry = {
      name: 'eu-1',
      auth: {
        context: 'eu-1',
        kubeconfig: planes.kubeconfig,
        serviceAccount: { namespace: 'default', name: 'agent', expirationSeconds: 600 },
      },
    };
    const connection = await connectEntry(entry);
    const review = resourceType<AnyObject & { status: { userInfo: { username: string } } }>(
      'authentication.k8s.io/v1',
      'SelfSubjectReview',
      'selfsubjectreviews',
      'Cluster',
    );
    const answer = await connection.create(review, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: {},
    } as never);
    expect(answer.status.userInfo.username).toBe('system:serviceaccount:default:agent');
    await connection.close();
  });
});
