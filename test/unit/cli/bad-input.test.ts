import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from './child.ts';
import { folder, type Ran, run } from './run.ts';

const FLEET = '- name: eu-1\n- name: us-1\n';

const configMap = (name: string, value: string): string => `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: { name: ${name}, namespace: shop }
spec:
  template: { data: { a: ${value} } }
  placement: { clusters: [{ name: eu-1 }] }
`;

/** Plans files of a new folder, named as they are. */
async function plan(files: Readonly<Record<string, string>>, ...more: string[]): Promise<Ran> {
  const path = folder({ 'fleet.yaml': FLEET, ...files });
  const named = Object.keys(files).filter((name) => name !== 'fleet.yaml');
  const ran = await run(['plan', '-f', ...named.map((name) => join(path, name)), '--fleet', join(path, 'fleet.yaml'), ...more]);
  const near = (text: string): string => text.replaceAll(`${path}/`, '');
  return { code: ran.code, stdout: near(ran.stdout), stderr: near(ran.stderr) };
}

describe('nothing to read is an error, not an empty plan', () => {
  it.each([
    ['an empty file', ''],
    ['comments', '# nothing\n---\n# here\n'],
    ['an empty list', 'apiVersion: v1\nkind: List\nitems: []\n'],
  ])('%s', async (_name, content) => {
    const { code, stdout, stderr } = await plan({ 'a.yaml': content });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: 'error: a.yaml: there are no objects in there' });
  });

  it('a folder without files of ours', async () => {
    const path = folder({ 'fleet.yml': FLEET });
    const empty = join(path, 'app');
    mkdirSync(join(empty, 'sub.yaml'), { recursive: true });
    const { code, stderr } = await run(['plan', '-f', empty, '--fleet', join(path, 'fleet.yml')]);
    expect(code).toBe(1);
    expect(stderr).toBe(`error: ${empty}: there are no files in this folder that end in .yaml, .yml or .json`);
  });

  it('a fleet without clusters', async () => {
    const { code, stderr } = await plan({ 'a.yaml': configMap('a', 'b'), 'fleet.yaml': '[]\n' });
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('fleet.yaml: there are no clusters') });
  });
});

describe('one object in two files', () => {
  it('is one where both say the same', async () => {
    const { code, stdout, stderr } = await plan({ 'a.yaml': configMap('same', 'x'), 'b.yaml': configMap('same', 'x') });
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(stdout).toContain('Plan: 1 to create');
  });

  it('is refused in both places where they differ, and the others go on', async () => {
    const { code, stdout, stderr } = await plan({
      'a.yaml': configMap('twice', 'x'),
      'b.yaml': `# first line\n${configMap('twice', 'y')}---\n${configMap('good', 'z')}`,
    });
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([
      'error: a.yaml:1: FederatedConfigMap shop/twice: says something else in b.yaml:2; keep one of them',
      'error: b.yaml:2: FederatedConfigMap shop/twice: says something else in a.yaml:1; keep one of them',
    ]);
    expect(stdout).not.toContain('shop/twice');
    expect(stdout).toContain('ConfigMap shop/good');
  });
});

describe('objects', () => {
  it('of a List are named with their own lines', async () => {
    const items = [configMap('good', 'x'), configMap('bad', 'x').replace('eu-1', 'nowhere')];
    const list = `apiVersion: v1\nkind: List\nitems:\n${items.map((item) => `- ${item.trimEnd().replaceAll('\n', '\n  ')}\n`).join('')}`;
    const { code, stdout, stderr } = await plan({ 'list.yaml': list });
    expect(code).toBe(1);
    expect(stderr).toContain('list.yaml:15: FederatedConfigMap shop/bad: spec.placement.clusters[0].name: there is no cluster');
    expect(stdout).toContain('ConfigMap shop/good  list.yaml:4');
  });

  it('may be JSON, or have a byte order mark and lines of Windows', async () => {
    const json = JSON.stringify({
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedConfigMap',
      metadata: { name: 'json', namespace: 'shop' },
      spec: { template: { data: { a: 'b' } }, placement: { clusters: [{ name: 'eu-1' }] } },
    });
    const windows = `\uFEFF${configMap('windows', 'x').replaceAll('\n', '\r\n')}`;
    const { code, stdout } = await plan({ 'a.json': json, 'w.yaml': windows });
    expect(code).toBe(2);
    expect(stdout).toContain('Plan: 2 to create');
  });

  it.each([
    ['a kind that is no federated one', 'apiVersion: types.kubefed.io/v1beta1\nkind: FederatedWidget', 'a.yaml:2:'],
    ['another version', 'apiVersion: types.kubefed.io/v9\nkind: FederatedConfigMap', 'add a FederatedTypeConfig that names it'],
    ['a plain object', 'apiVersion: apps/v1\nkind: Deployment', 'a.yaml:2:'],
  ])('%s', async (_name, type, message) => {
    const { code, stderr } = await plan({ 'a.yaml': `${type}\nmetadata: { name: a, namespace: shop }\nspec: {}\n` });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain('is no federated type');
  });

  it.each([
    ['a name that would forge lines', 'name: "a\\nb", namespace: shop', 'its metadata.name'],
    ['a namespace that is a number', 'name: a, namespace: 5', 'its metadata.namespace'],
    ['a namespace that speaks to the terminal', 'name: a, namespace: "\\e[31m"', 'its metadata.namespace'],
  ])('%s', async (_name, metadata, message) => {
    const { code, stdout, stderr } = await plan({
      'a.yaml': configMap('a', 'b').replace('name: a, namespace: shop', metadata),
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`a.yaml:1: is no Kubernetes object: ${message} is no text, or has control characters`);
  });

  it('that try to reach into JavaScript reach nothing', async () => {
    const evil = configMap('evil', 'x').replace(
      'data: { a: x }',
      'data: { __proto__: x, constructor: y }, __proto__: { polluted: yes }',
    );
    const { code, stdout } = await plan({ 'a.yaml': evil }, '-o', 'json');
    expect(code).toBe(2);
    const { create } =
      (JSON.parse(stdout) as { objects: { steps: { create: { data: object } }[] }[] }).objects[0]?.steps[0] ?? {};
    expect(Object.entries(create?.data ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect({} as { polluted?: unknown }).not.toHaveProperty('polluted');
    const named = await plan({ 'a.yaml': configMap('a', 'x').replace('eu-1', 'hasOwnProperty') });
    expect(named.stderr).toContain('there is no cluster "hasOwnProperty"');
  });

  it('that depend on a bad preference are those that it is for', async () => {
    const of = (kind: string, template: string): string => `apiVersion: types.kubefed.io/v1beta1
kind: ${kind}
metadata: { name: web, namespace: shop }
spec:
  template: ${template}
  placement: { clusters: [{ name: eu-1 }] }
`;
    const preference = `apiVersion: scheduling.kubefed.io/v1alpha1
kind: ReplicaSchedulingPreference
metadata: { name: web, namespace: shop }
spec: { targetKind: FederatedDeployment, totalReplicas: many }
`;
    const { code, stdout, stderr } = await plan({
      'a.yaml': of('FederatedDeployment', '{ spec: { replicas: 1 } }'),
      'b.yaml': of('FederatedService', '{ spec: { ports: [{ port: 80 }] } }'),
      'c.yaml': preference,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('FederatedDeployment shop/web: nothing is written for it');
    expect(stderr).not.toContain('FederatedService');
    expect(stdout).toContain('Service shop/web');
    expect(stdout).not.toContain('Deployment');
  });
});

describe('YAML that cannot be read is named with its line, without a stack', () => {
  const alias = (depth: number): string =>
    Array.from(
      { length: depth },
      (_, index) => `k${index}: &a${index} [${Array(9).fill(index === 0 ? 'x' : `*a${index - 1}`)}]\n`,
    ).join('');

  it.each([
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 'error: a.yaml:3: Map keys must be unique'],
    ['tabs', 'a:\n\tb: c\n', 'error: a.yaml:2: Tabs are not allowed as indentation'],
    ['broken JSON', '{"a": ', 'error: a.yaml:1: Flow map'],
    ['an alias that leads nowhere', 'a: b\nc: *x\n', 'error: a.yaml:2: An alias that leads nowhere'],
    ['a bomb of aliases', alias(7), 'error: a.yaml:1: More aliases than any manifest needs'],
    ['what holds itself', 'a: &a { b: *a }\n', 'error: a.yaml:1: Nested too deeply, or holding itself'],
    ['deep nesting', `a: ${'{a: '.repeat(400)}x${'}'.repeat(400)}\n`, 'error: a.yaml:1: Nested too deeply'],
    ['nesting deeper than any stack', `a: ${'['.repeat(30_000)}\n`, 'Nested too deeply'],
    ['bytes that are no text', '\u0000\u0001\uFFFD', 'error: a.yaml:1: '],
  ])('%s', async (_name, content, message) => {
    const { code, stdout, stderr } = await plan({ 'a.yaml': content });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
    const fleet = await plan({ 'b.yaml': configMap('a', 'b'), 'fleet.yaml': content });
    expect(fleet.code).toBe(1);
    expect(fleet.stderr).toContain(message.replace('a.yaml', 'fleet.yaml'));
  });

  it.each([
    'password: |hunter2\n',
    'password: >9hunter2\n x\n',
    'password: *hunter2\n',
    'password: "ab\\uhunter2"\n',
    'password: "a"hunter2\n',
    'password: [hunter2\n',
    'password: !<hunter2\n',
    '- hunter2\nb: hunter2\n',
    'a: b\n  password: hunter2\n',
  ])('and without what stands there: %j', async (content) => {
    const { code, stderr } = await plan({ 'a.yaml': content });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: a\.yaml:\d+: /);
    expect(stderr).not.toContain('hunt');
    const fleet = await plan({ 'b.yaml': configMap('a', 'b'), 'fleet.yaml': content });
    expect(fleet.stderr).toContain('error: fleet.yaml:');
    expect(fleet.stderr).not.toContain('hunt');
  });

  it('a folder in place of a file', async () => {
    const path = folder({ 'a.yaml': configMap('a', 'b') });
    const { code, stderr } = await run(['plan', '-f', join(path, 'a.yaml'), '--fleet', path]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `error: ${path}: can't be read: illegal operation on a directory` });
  });

  it('a fleet of several documents', async () => {
    const { code, stderr } = await plan({ 'a.yaml': configMap('a', 'b'), 'fleet.yaml': '- name: a\n---\n- name: b\n' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: fleet.yaml:3: a fleet is one document, and here is another' });
  });
});

describe('a kubeconfig', () => {
  const planWith = (kubeconfig: string, ...args: string[]): Promise<Ran> => {
    const path = folder({ kubeconfig, 'a.yaml': configMap('a', 'b') });
    return run(['plan', '-f', join(path, 'a.yaml'), '--kubeconfig', join(path, 'kubeconfig'), ...args]);
  };

  it.each([
    'users:\n- name: a\n  user: { token: hunter2\nclusters: hunter2\n',
    'users:\n- name: a\n  user: { token: *hunter2 }\n',
    'users:\n- name: a\n  user:\n    token: |hunter2\n',
    'users: hunter2\nclusters: [hunter2]\n',
    '',
  ])('that is none is never quoted: %j', async (kubeconfig) => {
    const { code, stdout, stderr } = await planWith(kubeconfig, '--contexts', 'a');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('is no kubeconfig');
    expect(stderr).not.toContain('hunter2');
  });

  it('without the context says which it has', async () => {
    const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:9' } }]
users: [{ name: u, user: { token: hunter2 } }]
contexts: [{ name: eu-1, context: { cluster: c, user: u } }]
`;
    const missing = await planWith(kubeconfig, '--contexts', 'eu-1,us-9');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('has no context "us-9"; it has eu-1');
    // Several --contexts add up, so that none is forgotten without a word.
    const twice = await planWith(kubeconfig, '--contexts', 'us-9', '--contexts', 'eu-1');
    expect(twice.stderr).toContain('has no context "us-9"');
  });

  it('makes a plan look at the clusters of a fleet file', async () => {
    const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:9' } }]
users: [{ name: u, user: { token: hunter2 } }]
contexts: [{ name: eu-1, context: { cluster: c, user: u } }]
`;
    const path = folder({ kubeconfig, 'a.yaml': configMap('a', 'b'), 'fleet.yaml': '- name: eu-1\n' });
    const args = ['plan', '-f', join(path, 'a.yaml'), '--fleet', join(path, 'fleet.yaml')];
    expect((await run(args)).code).toBe(2);
    const { code, stdout, stderr } = await run([...args, '--kubeconfig', join(path, 'kubeconfig')]);
    expect(code).toBe(1);
    expect(stdout).toContain('! eu-1  blocked: ClusterNotReady');
    expect(`${stdout}${stderr}`).not.toContain('hunter2');
  });
});

describe('standard input', () => {
  const args = (): string[] => ['plan', '-f', '-', '--fleet', join(folder({ 'fleet.yaml': FLEET }), 'fleet.yaml')];

  /** Resolves when the child reads: no pipe holds as much as this. */
  const isRead = (child: Child): Promise<unknown> =>
    new Promise((resolve) => child.process.stdin?.write(`# ${'x'.repeat(3_000_000)}\n`, resolve));

  it('may take its time', async () => {
    await using child = new Child(args());
    await isRead(child);
    child.process.stdin?.write(configMap('slow', 'x').slice(0, 40));
    // Time for the reader to meet an empty pipe, which is not the end.
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.process.stdin?.end(configMap('slow', 'x').slice(40));
    expect(await child.ended()).toBe(2);
    expect(child.stdout).toContain('ConfigMap shop/slow  (standard input):2');
    expect(child.stderr).toBe('');
  });

  it('is not waited for after Ctrl-C', async () => {
    await using child = new Child(args());
    await isRead(child);
    child.process.kill('SIGINT');
    expect(await child.ended()).toBe(130);
    expect(child.stderr).toBe('');
  });

  it('that is empty is an error', async () => {
    await using child = new Child(args());
    child.process.stdin?.end();
    expect(await child.ended()).toBe(1);
    expect(child.stderr).toBe('error: (standard input): there are no objects in there\n');
  });
});

// No API server takes these, but a plan without clusters shows them.
it.each(['hunter2', '[hunter2]', '{ a: { b: [hunter2] } }', '{ a: [hunter2] }'])(
  'the plan hides the data of a Secret also where it has the wrong shape: %s',
  async (data) => {
    const secret = configMap('a', 'b').replace('FederatedConfigMap', 'FederatedSecret');
    for (const field of ['data', 'stringData']) {
      for (const format of ['table', 'json']) {
        const { stdout } = await plan({ 'a.yaml': secret.replace('data: { a: b }', `${field}: ${data}`) }, '-o', format);
        expect(stdout).not.toMatch(/hunter2|aHVudGVyMg/);
        expect(stdout).toContain('sha256:');
      }
    }
  },
);
