import { join } from 'node:path';
import { type Cluster, resourceType } from 'clusterset/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import type { StateReport } from '../../../src/cli/state-report.ts';
import { folder, type Ran, run } from './run.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const DEPLOYMENTS = resourceType('apps/v1', 'Deployment', 'deployments');

const federated = (kind: string, name: string, template: string, more = ''): string => `apiVersion: types.kubefed.io/v1beta1
kind: ${kind}
metadata: { name: ${name}, namespace: default }
spec:
  template: ${template}
  placement: { clusterSelector: {} }
${more}---
`;

const GOOD = federated('FederatedConfigMap', 'good', '{ data: { a: b } }');
const NAMESPACE = federated('FederatedNamespace', 'default', '{}');
const WEB = federated(
  'FederatedDeployment',
  'web',
  '{ spec: { replicas: 3, selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } }, spec: { containers: [{ name: web, image: nginx }] } } } }',
);

let world: OfflineWorld;
let members: ReadonlyMap<string, Cluster>;

beforeEach(async () => {
  world = await startOffline(['host', 'eu-1', 'us-1']);
  members = new Map(['eu-1', 'us-1'].map((name) => [name, world.cluster(name).connect()]));
});
afterEach(() => world[Symbol.asyncDispose]());

/** Runs a command over both members with what stands in a file. */
function over(command: string, content: string, ...more: string[]): Promise<Ran> {
  return runOver(command, content, more, new AbortController().signal);
}

function runOver(command: string, content: string, more: readonly string[], signal: AbortSignal): Promise<Ran> {
  const file = join(folder({ 'app.yaml': content }), 'app.yaml');
  return run([command, '-f', file, '--kubeconfig', world.kubeconfig, '--contexts', 'eu-1,us-1', ...more], signal);
}

/** The ConfigMaps that members have of the federation. */
async function configMaps(): Promise<readonly string[]> {
  const found = await Promise.all(
    [...members].map(async ([cluster, member]) => {
      const { items } = await member.list(CONFIG_MAPS, { namespace: 'default', labelSelector: 'kubefed.io/managed=true' });
      return items.map(({ metadata }) => `${cluster} ${metadata.name}`);
    }),
  );
  return found.flat();
}

const EVERYWHERE = ['eu-1 good', 'us-1 good'];

describe('apply', () => {
  it('prints data with -o json and yaml, and what goes on elsewhere', async () => {
    const reads = [
      ['json', JSON.parse as (text: string) => unknown],
      ['yaml', parse as (text: string) => unknown],
    ] as const;
    for (const [format, read] of reads) {
      const { code, stdout, stderr } = await over('apply', GOOD, '-o', format);
      expect(code).toBe(0);
      if (format === 'json') expect(stderr).toContain('eu-1: ConfigMap default/good created');
      const { clusters, states } = read(stdout) as StateReport;
      expect(clusters).toEqual(['eu-1', 'us-1']);
      expect(states.map(({ cluster, rollout }) => [cluster, rollout])).toEqual(clusters.map((name) => [name, 'Complete']));
    }
  });

  it.each([[[]], [['--host', 'host']]])('writes bad objects nowhere, and the others everywhere (%j)', async (host) => {
    const bad = {
      operation: 'op: move, path: /data/a',
      pointer: 'path: /data/x/y, value: z',
      protected: 'path: /metadata/name, value: z',
      ancestor: 'path: /metadata, value: { name: z }',
    };
    const objects = Object.entries(bad).map(([name, operation]) => {
      const overrides = `  overrides: [{ clusterName: us-1, clusterOverrides: [{ ${operation} }] }]\n`;
      return federated('FederatedConfigMap', name, '{ data: { a: b } }', overrides);
    });
    const { code, stdout, stderr } = await over('apply', `${NAMESPACE}${objects.join('')}${GOOD}`, ...host);
    expect(code).toBe(1);
    for (const name of Object.keys(bad)) {
      expect(stderr).toMatch(new RegExp(`^error: .*app\\.yaml:\\d+: FederatedConfigMap default/${name}: `, 'm'));
      expect(stdout).not.toContain(`default/${name}`);
    }
    expect(await configMaps()).toEqual(EVERYWHERE);
  });

  it('writes an object that two files give two meanings nowhere', async () => {
    const twice = (value: string): string => federated('FederatedConfigMap', 'twice', `{ data: { a: ${value} } }`);
    const { code, stderr } = await over('apply', `${twice('x')}${GOOD}${twice('y')}`);
    expect(code).toBe(1);
    expect(stderr.match(/says something else in/g)).toHaveLength(2);
    expect(await configMaps()).toEqual(EVERYWHERE);
  });

  it('starts nothing where a file has a syntax error', async () => {
    const { code, stdout, stderr } = await over('apply', `${GOOD}a: [\n`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*app\.yaml:\d+: /);
    expect(await configMaps()).toEqual([]);
  });

  it('starts nothing where a context is missing', async () => {
    const file = join(folder({ 'app.yaml': GOOD }), 'app.yaml');
    const { code, stderr } = await run(['apply', '-f', file, '--kubeconfig', world.kubeconfig, '--contexts', 'eu-1,us-9']);
    expect(code).toBe(1);
    expect(stderr).toContain('has no context "us-9"; it has host, eu-1, us-1');
    expect(await configMaps()).toEqual([]);
  });

  describe('with a cluster that nobody knows', () => {
    const content = `${NAMESPACE}${GOOD.replace('clusterSelector: {}', 'clusters: [{ name: eu-1 }, { name: eu-9 }]')}`;

    it.each([[[]], [['--host', 'host']]])('writes nothing (%j)', async (host) => {
      const { code, stderr } = await over('apply', content, ...host);
      expect(code).toBe(1);
      expect(stderr).toContain('there is no cluster "eu-9"');
      expect(await configMaps()).toEqual([]);
    });

    it.each([[[]], [['--host', 'host']]])('goes on in the others where that is allowed (%j)', async (host) => {
      const { code, stderr } = await over('apply', content, '--allow-unknown-clusters', ...host);
      expect(code).toBe(0);
      expect(stderr).toContain('note: ');
      expect(await configMaps()).toEqual(['eu-1 good']);
    });
  });

  it('says which member lacks a type, and goes on with what is there', async () => {
    const config = `apiVersion: core.kubefed.io/v1beta1
kind: FederatedTypeConfig
metadata: { name: widgets.example.com, namespace: default }
spec:
  propagation: Enabled
  targetType: { group: example.com, version: v1, kind: Widget, pluralName: widgets, scope: Namespaced }
  federatedType: { group: types.kubefed.io, version: v1beta1, kind: FederatedWidget, pluralName: federatedwidgets, scope: Namespaced }
---
`;
    const { code, stdout } = await over('apply', `${config}${federated('FederatedWidget', 'w', '{ spec: {} }')}${GOOD}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/Widget default\/w +TypeNotServed +TypeNotServed/);
    expect(stdout).toContain('it does not serve example.com/v1 Widget');
    expect(await configMaps()).toEqual(EVERYWHERE);
  });

  it('says that the time is up', async () => {
    const { code, stdout, stderr } = await over('apply', WEB, '--timeout', '0s');
    expect(code).toBe(1);
    expect(stderr).toContain('the time is up: not everything is rolled out (--timeout)');
    expect(stdout).toMatch(/Deployment default\/web +progressing/);
  });

  it.each([[[]], [['--host', 'host']]])('ends with 130 on Ctrl-C, and can be taken up again (%j)', async (host) => {
    const content = `${NAMESPACE}${WEB}`;
    const stop = new AbortController();
    const running = runOver('apply', content, host, stop.signal);
    const deployment = (): Promise<unknown> | undefined =>
      members.get('eu-1')?.get(DEPLOYMENTS, { namespace: 'default', name: 'web' });
    await expect.poll(deployment, { timeout: 10_000 }).toBeDefined();
    stop.abort();
    const { code, stdout, stderr } = await running;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).not.toContain('error');
    expect((await over('apply', content, ...host)).stdout).toMatch(/Deployment default\/web +ready 3\/3 +ready 3\/3/);
  });

  it.each(['--watch', '--force-conflicts', '--watch, --force-conflicts'])('takes %s only with a host', async (options) => {
    const { code, stderr } = await over('apply', GOOD, ...options.split(', '));
    expect({ code, stderr }).toEqual({ code: 1, stderr: `error: ${options}: only with --host` });
    expect(await configMaps()).toEqual([]);
  });

  it.each([
    ['--timeout', '5', 'is no duration'],
    ['--timeout', '-5s', 'is no duration'],
    ['--timeout', '', 'is no duration'],
    ['--probe-interval', '0s', 'from 100ms to 24h'],
    ['--probe-interval', '1000h', 'from 100ms to 24h'],
    ['--replace-missing', 'maybe', 'error, add'],
    ['--contexts', ',', 'name at least one'],
    ['--contexts', 'eu-1', '"eu-1" is named twice'],
  ])('refuses %s %j', async (option, value, message) => {
    const { code, stdout, stderr } = await over('apply', GOOD, option, value);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('takes over what somebody else has written on the host only when it is told to', async () => {
    expect((await over('apply', `${NAMESPACE}${GOOD}`, '--host', 'host')).code).toBe(0);
    const type = resourceType('types.kubefed.io/v1beta1', 'FederatedConfigMap', 'federatedconfigmaps');
    const body = { spec: { template: { data: { a: 'by hand' } } } };
    const options = { fieldManager: 'hand' };
    await world.cluster('host').connect().patch(type, { namespace: 'default', name: 'good' }, { type: 'merge', body }, options);
    const refused = await over('apply', `${NAMESPACE}${GOOD}`, '--host', 'host');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/error: .*app\.yaml:\d+: .*hand.*--force-conflicts takes the fields over/);
    expect((await over('apply', `${NAMESPACE}${GOOD}`, '--host', 'host', '--force-conflicts')).code).toBe(0);
    expect((await members.get('eu-1')?.get(CONFIG_MAPS, { namespace: 'default', name: 'good' }))?.data).toEqual({ a: 'b' });
  });
});
