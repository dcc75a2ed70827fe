import { CLUSTER_API_SECRETS, type KubeconfigSecrets, secretSource } from 'clusterset/client';
import type { Cluster } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { typeOf } from '../../runtime/fixtures.ts';

const SECRETS = typeOf('', 'Secret');
const MARK = 'top-secret-91c2';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function kubeconfig(server: string, user: Readonly<Record<string, unknown>> = { token: MARK }): string {
  return base64(
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
}

describe('kubeconfigs in Secrets as a source of clusters', () => {
  let world: World;
  let host: Cluster;
  let stopping: AbortController;
  let said: (readonly ClusterEntry[])[];
  let issues: string[];

  beforeEach(async () => {
    world = await simulate({ host: {}, members: {} });
    host = world.cluster('host').connect();
    stopping = new AbortController();
    said = [];
    issues = [];
  });
  afterEach(async () => {
    stopping.abort();
    await world[Symbol.asyncDispose]();
  });

  function follow(more: { readonly secrets?: KubeconfigSecrets; readonly namespace?: string } = { namespace: 'default' }): void {
    const onIssues = (found: readonly object[]): void => {
      issues = found.map((issue) => JSON.stringify(issue));
    };
    const source = secretSource({ host, clock: world.clock, random: () => 0, onIssues, ...more });
    void (async () => {
      for await (const entries of source.watch(stopping.signal)) said.push(entries);
    })();
  }

  const create = (
    name: string,
    labels: Readonly<Record<string, string>>,
    data: Readonly<Record<string, string>>,
  ): Promise<unknown> =>
    host.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default', labels }, data } as never);

  const ours = { 'sigs.k8s.io/multicluster-runtime-kubeconfig': 'true' };

  it('are those with the label of multicluster-runtime; others do not count', async () => {
    await create('eu-1', { ...ours, region: 'eu' }, { kubeconfig: kubeconfig('https://eu-1:6443') });
    await create('other', {}, { kubeconfig: kubeconfig('https://other') });
    follow();
    await world.settle();
    expect(said).toEqual([
      [
        {
          name: 'eu-1',
          labels: { ...ours, region: 'eu' },
          endpoints: [{ server: 'https://eu-1:6443' }],
          auth: { secret: { namespace: 'default', name: 'eu-1', key: 'kubeconfig' } },
        },
      ],
    ]);
  });

  it('of Cluster API are called like their cluster, with the namespace where all are read', async () => {
    const label = { 'cluster.x-k8s.io/cluster-name': 'blue' };
    await create('blue-kubeconfig', label, { value: kubeconfig('https://blue') });
    await create('blue-ca', label, { 'tls.crt': base64(MARK) });
    follow({ secrets: CLUSTER_API_SECRETS });
    await world.settle();
    expect(said.map((entries) => entries.map(({ name }) => name))).toEqual([['default/blue']]);
    expect(issues).toEqual([]);
  });

  it('change where the address changes, and not where only the token does: that is read when it is needed', async () => {
    await create('eu-1', ours, { kubeconfig: kubeconfig('https://a') });
    follow();
    await world.settle();
    const data = (text: string) => ({ type: 'merge', body: { data: { kubeconfig: text } } }) as const;
    await host.patch(SECRETS, { namespace: 'default', name: 'eu-1' }, data(kubeconfig('https://a', { token: 'another' })));
    await world.settle();
    await host.patch(SECRETS, { namespace: 'default', name: 'eu-1' }, data(kubeconfig('https://b')));
    await world.settle();
    const [first, second, third] = said;
    expect(second).toEqual(first);
    expect(third?.[0]?.endpoints).toEqual([{ server: 'https://b' }]);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['no kubeconfig', { token: base64(MARK) }, /there is no kubeconfig/],
    ['broken YAML', { kubeconfig: base64(`a: [${MARK}`) }, /a mistake in its YAML/],
    ['a program to run', { kubeconfig: kubeconfig('https://a', { exec: { command: MARK } }) }, /exec.*is not followed/],
    ['a file to read', { kubeconfig: kubeconfig('https://a', { 'client-key': MARK }) }, /client-key.*is not followed/],
    ['an address that is none', { kubeconfig: kubeconfig('ftp://a') }, /the address has the scheme/],
  ])('with %s are left out and reported, and the others count; nothing is quoted', async (_, data, message) => {
    await create('bad', ours, data);
    await create('good', ours, { kubeconfig: kubeconfig('https://good') });
    follow();
    await world.settle();
    expect(said.map((entries) => entries.map(({ name }) => name))).toEqual([['good']]);
    expect(issues.join()).toMatch(message);
    expect(issues.join() + JSON.stringify(said)).not.toContain(MARK);
  });
});
