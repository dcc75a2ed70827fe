import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import type { StateReport } from '../../../src/cli/state-report.ts';
import { folder, type Ran, run } from './run.ts';

const APP = `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: good, namespace: default }
spec:
  template: { data: { a: b } }
  placement: { clusters: [{ name: eu-1 }] }
`;

let world: OfflineWorld;
let file: string;

beforeEach(async () => {
  world = await startOffline(['host', 'eu-1', 'us-1']);
  file = join(folder({ 'app.yaml': APP }), 'app.yaml');
});
afterEach(() => world[Symbol.asyncDispose]());

const status = (...args: string[]): Promise<Ran> => run(['status', '--kubeconfig', world.kubeconfig, ...args]);
const members = ['--contexts', 'eu-1,us-1'];

describe('status', () => {
  it('of members says what is missing, what is there, and what should not be', async () => {
    const before = await status('-f', file, ...members);
    expect(before.code).toBe(2);
    expect(before.stdout).toMatch(/ConfigMap default\/good +Missing +-/);

    await run(['apply', '-f', file, '--kubeconfig', world.kubeconfig, ...members]);
    const there = await status('-f', file, ...members);
    expect(there.code).toBe(0);
    expect(there.stdout).toMatch(/ConfigMap default\/good +ready +-/);

    const moved = join(folder({ 'app.yaml': APP.replace('eu-1', 'us-1') }), 'app.yaml');
    const after = await status('-f', moved, ...members);
    expect(after.code).toBe(2);
    expect(after.stdout).toMatch(/ConfigMap default\/good +Superfluous +Missing/);
  });

  it.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ])('is data with -o %s', async (format, read) => {
    const { code, stdout } = await status('-f', file, ...members, '-o', format);
    expect(code).toBe(2);
    const { clusters, states } = read(stdout) as StateReport;
    expect(clusters).toEqual(['eu-1', 'us-1']);
    expect(states).toMatchObject([{ cluster: 'eu-1', status: 'Missing', object: { kind: 'ConfigMap', name: 'good' } }]);
  });

  it('of a host without federated objects says so', async () => {
    expect(await status('--host', 'host')).toEqual({ code: 0, stdout: 'There are no federated objects.', stderr: '' });
    const { code, stdout } = await status('--host', 'host', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ clusters: [], states: [], problems: [] });
  });

  it('of a host says of whole objects what keeps them from their members', async () => {
    const other = `apiVersion: v1
kind: Namespace
metadata: { name: other }
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedNamespace
metadata: { name: other, namespace: other }
spec: { template: {}, placement: { clusterSelector: {} } }
---
${APP}`;
    const app = join(folder({ 'app.yaml': other }), 'app.yaml');
    await run(['apply', '-f', app, '--kubeconfig', world.kubeconfig, ...members, '--host', 'host', '--timeout', '1s']);
    const { code, stderr } = await status('--host', 'host');
    expect(code).toBe(2);
    expect(stderr).toContain('error: ConfigMap default/good: NamespaceNotFederated');
  });

  it('of a bad object is not good', async () => {
    const bad = join(folder({ 'app.yaml': APP.replace('[{ name: eu-1 }]', 'eu-1') }), 'app.yaml');
    const { code, stderr } = await status('-f', bad, ...members);
    expect(code).toBe(2);
    expect(stderr).toContain('app.yaml:6: FederatedConfigMap default/good: spec.placement.clusters');
  });

  it('of a member that is away names it, and shows the others', async () => {
    const both = join(folder({ 'app.yaml': APP.replace('{ name: eu-1 }', '{ name: eu-1 }, { name: us-1 }') }), 'app.yaml');
    await run(['apply', '-f', both, '--kubeconfig', world.kubeconfig, ...members]);
    using _away = world.cluster('us-1').network.cut();
    const { code, stdout } = await status('-f', both, ...members);
    expect(code).toBe(2);
    expect(stdout).toMatch(/ConfigMap default\/good +ready +ClusterNotReady/);
  });

  it('cannot be told where the host is away, or refuses the token', async () => {
    const wrong = readFileSync(world.kubeconfig, 'utf8').replace(/token: .*/, 'token: hunter2');
    const kubeconfig = join(folder({ kubeconfig: wrong }), 'kubeconfig');
    const refused = await run(['status', '--host', 'host', '--kubeconfig', kubeconfig]);
    expect(refused).toEqual({ code: 1, stdout: '', stderr: 'error: cluster host: Unauthorized' });
    using _away = world.cluster('host').network.cut();
    const away = await status('--host', 'host');
    expect({ code: away.code, stdout: away.stdout }).toEqual({ code: 1, stdout: '' });
    expect(away.stderr).toContain('error: cluster host: ');
  });

  it.each([
    ['nothing', [], 'nothing is named to look at; use --host host, or -f app/ --contexts a,b,c'],
    ['files without clusters', ['-f', 'APP'], 'no clusters are named'],
    ['a host and files', ['-f', 'APP', '--host', 'host', ...members], 'use one of them'],
    ['a host that is not there', ['--host', 'h'], 'has no context "h"; it has host, eu-1, us-1'],
    ['a host without a name', ['--host', ''], 'has no context ""'],
  ])('of %s is an error', async (_name, args, message) => {
    const { code, stdout, stderr } = await status(...args.map((arg) => (arg === 'APP' ? file : arg)));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });
});
