import { join } from 'node:path';
import { type AnyObject, type Cluster, resourceType } from 'clusterset/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { folder, type Ran, run } from './run.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const NAMES = ['eu-1', 'us-1'];

const configMap = (name: string, annotations = '{}'): string => `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: ${name}, namespace: default, annotations: ${annotations} }
spec:
  template: { data: { a: b } }
  placement: { clusterSelector: {} }
---
`;

let world: OfflineWorld;
let members: readonly Cluster[];

beforeEach(async () => {
  world = await startOffline(NAMES);
  members = NAMES.map((name) => world.cluster(name).connect());
});
afterEach(() => world[Symbol.asyncDispose]());

function over(command: string, content: string, ...more: string[]): Promise<Ran> {
  const file = join(folder({ 'app.yaml': content }), 'app.yaml');
  return run([command, '-f', file, '--kubeconfig', world.kubeconfig, '--contexts', NAMES.join(), ...more]);
}

async function left(name: string): Promise<readonly (AnyObject | undefined)[]> {
  return Promise.all(members.map((member) => member.get<AnyObject>(CONFIG_MAPS, { namespace: 'default', name })));
}

describe('delete', () => {
  it('takes objects away, and does nothing a second time', async () => {
    await over('apply', configMap('good'));
    const first = await over('delete', configMap('good'));
    expect(first.code).toBe(0);
    expect(first.stderr.split('\n')).toContain('eu-1: ConfigMap default/good deleted');
    expect(await left('good')).toEqual([undefined, undefined]);
    expect(await over('delete', configMap('good'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('takes away nothing that the federation has not made', async () => {
    const mine = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'good' }, data: { mine: 'x' } };
    await members[0]?.create(CONFIG_MAPS, mine);
    const { code } = await over('delete', configMap('good'));
    expect(code).toBe(0);
    expect((await left('good'))[0]).toMatchObject({ data: { mine: 'x' } });
  });

  it('leaves them where they are with the annotation of kubefed, and no longer calls them its own', async () => {
    const content = configMap('good', '{ kubefed.io/orphan: "true" }');
    await over('apply', content);
    expect((await over('delete', content)).code).toBe(0);
    for (const object of await left('good')) expect(object?.metadata.labels ?? {}).not.toHaveProperty(['kubefed.io/managed']);
  });

  it('deletes nothing where a file has a syntax error, and names the line', async () => {
    await over('apply', configMap('good'));
    const { code, stderr } = await over('delete', `${configMap('good')}a: [\n`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/app\.yaml:\d+: /);
    expect(await left('good')).not.toContain(undefined);
  });

  it('goes on without what cannot be read, and ends with 1', async () => {
    await over('apply', configMap('good'));
    const { code, stderr } = await over('delete', `${configMap('good')}apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: .*app\.yaml:\d+: Pod a: /);
    expect(await left('good')).toEqual([undefined, undefined]);
  });

  it('goes on where a member is away, and says what may be left there', async () => {
    await over('apply', configMap('good'));
    using _away = world.cluster('us-1').network.cut();
    const { code, stderr } = await over('delete', configMap('good'));
    expect(code).toBe(1);
    expect(stderr).toContain('error: us-1: ConfigMap default/good: ClusterNotReady');
    expect(await members[0]?.get(CONFIG_MAPS, { namespace: 'default', name: 'good' })).toBeUndefined();
  });

  it('says that the time is up where something holds an object', async () => {
    await over('apply', configMap('good'));
    const body = { metadata: { finalizers: ['example.com/held'] } };
    await members[0]?.patch(CONFIG_MAPS, { namespace: 'default', name: 'good' }, { type: 'merge', body });
    const { code, stderr } = await over('delete', configMap('good'), '--timeout', '0s');
    expect(code).toBe(1);
    expect(stderr).toContain('the time is up: not everything is gone (--timeout)');
    expect(stderr).toContain('eu-1: ConfigMap default/good: WaitingForRemoval');
  });
});
