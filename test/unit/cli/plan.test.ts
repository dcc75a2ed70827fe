import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { folder, run } from './run.ts';

const SHOP = ['-f', 'examples/shop/app', '--fleet', 'examples/shop/fleet.yaml'];

const FLEET = `
- name: eu-1
  labels: { region: eu }
- name: us-1
  labels: { region: us }
`;

const GOOD = `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata:
  name: good
  namespace: shop
spec:
  template:
    data:
      colour: green
  placement:
    clusters:
      - name: eu-1
`;

/** A FederatedConfigMap with a bad spec; the line of `spec:` is 6. */
const withSpec = (spec: string): string => `apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata:
  name: bad
  namespace: shop
spec:
${spec.replace(/^(?=.)/gm, '  ')}`;

async function planned(bad: string, ...more: string[]): Promise<Awaited<ReturnType<typeof run>> & { readonly file: string }> {
  const path = folder({ 'fleet.yaml': FLEET, 'bad.yaml': bad, 'good.yaml': GOOD });
  const [file, good] = [join(path, 'bad.yaml'), join(path, 'good.yaml')];
  return { file, ...(await run(['plan', '-f', file, good, '--fleet', join(path, 'fleet.yaml'), ...more])) };
}

describe('plan with a fleet file and no cluster', () => {
  it('shows every write with its reason, and ends with 2 where there are any', async () => {
    const { code, stdout, stderr } = await run(['plan', ...SHOP]);
    expect(code).toBe(2);
    expect(stderr).toBe('');
    expect(stdout).toContain('Deployment shop/web  examples/shop/app/30-web.yaml:1');
    expect(stdout).toContain('+ eu-1  create: 6 replicas: 6 by weight 2');
    expect(stdout).toContain('~ spec.template.spec.containers[web].image: "nginx:1.28" → "nginx:1.29"');
    expect(stdout).toContain('~ spec.discountPercent: 10 → 15');
    expect(stdout).toContain('Plan: 21 to create, 0 left as they are.');
  });

  it.each(['table', 'json', 'yaml'])('never shows the value of a Secret (%s)', async (format) => {
    const { stdout } = await run(['plan', ...SHOP, '-o', format]);
    expect(stdout).toContain('sha256:');
    expect(stdout).not.toContain('not-a-real-key');
    expect(stdout).not.toContain(Buffer.from('not-a-real-key').toString('base64'));
  });

  it.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ])('is data with -o %s', async (format, read) => {
    const { code, stdout } = await run(['plan', ...SHOP, '-o', format]);
    expect(code).toBe(2);
    const report = read(stdout) as { summary: unknown; objects: { object: unknown; steps: unknown[] }[] };
    expect(report.summary).toEqual({ create: 21, update: 0, delete: 0, release: 0, none: 0, blocked: 0 });
    expect(report.objects.find(({ object }) => (object as { kind: string }).kind === 'Service')).toMatchObject({
      object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
      source: 'examples/shop/app/30-web.yaml:65',
      steps: [
        { cluster: 'eu-1', op: 'create', reason: 'its labels match the placement', create: { spec: { ports: [{ port: 80 }] } } },
        {},
        {},
      ],
    });
  });

  it('ends with 0 where there is nothing to do', async () => {
    const { code, stdout } = await planned(GOOD.replace('eu-1', 'us-1').replace('name: good', 'name: other'), '-o', 'table');
    expect(code).toBe(2);
    const nowhere = folder({ 'fleet.yaml': FLEET, 'app.yaml': GOOD.replace(/clusters:[\s\S]*$/, 'clusters: []\n') });
    const empty = await run(['plan', '-f', join(nowhere, 'app.yaml'), '--fleet', join(nowhere, 'fleet.yaml')]);
    expect(empty).toMatchObject({ code: 0, stderr: '' });
    expect(empty.stdout).toContain('Nothing to do');
    expect(stdout).not.toContain('Nothing to do');
  });

  it('reads folders and files in their order, and several documents of one file', async () => {
    const names = readdirSync('examples/shop/app').map((name) => join('examples/shop/app', name));
    const byFile = await run(['plan', '-f', ...names, '--fleet', 'examples/shop/fleet.yaml']);
    const byFolder = await run(['plan', ...SHOP]);
    expect(byFile.stdout).toBe(byFolder.stdout);
  });
});

describe('a bad object is named with its line, and the others go on', () => {
  const cases: readonly (readonly [string, string, number, readonly string[]])[] = [
    [
      'an unknown operation',
      'template: { data: { a: b } }\nplacement: { clusters: [{ name: eu-1 }] }\noverrides:\n  - clusterName: eu-1\n    clusterOverrides:\n      - op: move\n        path: /data/a\n',
      12,
      ['spec.overrides[0].clusterOverrides[0].op', 'unknown operation "move"', 'use "add", "remove" or "replace"'],
    ],
    [
      'a pointer that does not resolve',
      'template: { data: { a: b } }\nplacement: { clusters: [{ name: eu-1 }] }\noverrides:\n  - clusterName: eu-1\n    clusterOverrides:\n      - path: /data/nothing\n        value: x\n',
      12,
      ['cluster eu-1', 'spec.overrides[0].clusterOverrides[0].path', '/data/nothing'],
    ],
    [
      'a protected field',
      'template: { data: { a: b } }\nplacement: { clusters: [{ name: eu-1 }] }\noverrides:\n  - clusterName: eu-1\n    clusterOverrides:\n      - path: /metadata/name\n        value: x\n',
      12,
      ['spec.overrides[0].clusterOverrides[0].path', "metadata.name can't be overridden"],
    ],
    [
      'a protected field through what holds it',
      'template: { data: { a: b } }\nplacement: { clusters: [{ name: eu-1 }] }\noverrides:\n  - clusterName: eu-1\n    clusterOverrides:\n      - path: /metadata\n        value: {}\n',
      12,
      ['spec.overrides[0].clusterOverrides[0].path', '/metadata'],
    ],
    [
      'a selector that does not parse',
      'template: { data: { a: b } }\nplacement:\n  clusterSelector:\n    matchExpressions:\n      - { key: region, operator: Like, values: [e] }\n',
      10,
      ['spec.placement.clusterSelector', 'Like', 'use In, NotIn, Exists or DoesNotExist'],
    ],
    ['a spec of another shape', 'template: { data: { a: b } }\nplacement: { clusters: eu-1 }\n', 8, ['spec.placement.clusters']],
  ];

  it.each(cases)('%s', async (_name, spec, line, words) => {
    const { code, stdout, stderr, file } = await planned(withSpec(spec));
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${file}:${line}: `);
    expect(stderr).toContain('FederatedConfigMap shop/bad');
    for (const word of words) expect(stderr).toContain(word);
    expect(stdout).toContain('ConfigMap shop/good');
    expect(stdout).not.toContain('shop/bad');
  });

  it('an object that is not federated', async () => {
    const { code, stderr, stdout, file } = await planned('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n');
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${file}:`);
    expect(stderr).toContain('ConfigMap plain');
    expect(stdout).toContain('ConfigMap shop/good');
  });

  it('takes what depends on it along: the objects of a namespace, the workload of a preference', async () => {
    const bad = `apiVersion: types.kubefed.io/v1beta1
kind: FederatedNamespace
metadata: { name: shop, namespace: shop }
spec:
  placement: { clusters: nowhere }
`;
    const { code, stderr, stdout } = await planned(bad);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'FederatedConfigMap shop/good: nothing is written for it, because it depends on FederatedNamespace shop/shop',
    );
    expect(stdout).not.toContain('shop/good');
  });

  it('a preference that cannot be read', async () => {
    const path = folder({
      'fleet.yaml': FLEET,
      'app.yaml': `apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: { name: web, namespace: shop }
spec:
  template: { spec: { replicas: 3 } }
  placement: { clusterSelector: {} }
---
apiVersion: scheduling.kubefed.io/v1alpha1
kind: ReplicaSchedulingPreference
metadata: { name: web, namespace: shop }
spec: { targetKind: FederatedDeployment, totalReplicas: many }
`,
    });
    const { code, stderr, stdout } = await run(['plan', '-f', join(path, 'app.yaml'), '--fleet', join(path, 'fleet.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toContain('app.yaml:11: ReplicaSchedulingPreference shop/web: spec.totalReplicas');
    expect(stderr).toContain('FederatedDeployment shop/web: nothing is written for it');
    expect(stdout).not.toContain('create');
  });
});

describe('an unknown cluster', () => {
  const unknown = withSpec('template: { data: { a: b } }\nplacement:\n  clusters:\n    - name: eu-1\n    - name: eu-9\n');

  it('is an error, with the names that are known', async () => {
    const { code, stderr, stdout, file } = await planned(unknown);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error: ${file}:11: FederatedConfigMap shop/bad: spec.placement.clusters[1].name: there is no cluster "eu-9"`,
    );
    expect(stderr).toContain('known are eu-1, us-1');
    expect(stdout).not.toContain('shop/bad');
    expect(stdout).toContain('shop/good');
  });

  it('is worth a note where it is allowed', async () => {
    const { code, stderr, stdout } = await planned(unknown, '--allow-unknown-clusters');
    expect(code).toBe(2);
    expect(stderr).toContain('note: ');
    expect(stderr).toContain('there is no cluster "eu-9"');
    expect(stdout).toContain('ConfigMap shop/bad');
  });

  it('is found in preferences too', async () => {
    const { code, stderr } = await planned(`apiVersion: scheduling.kubefed.io/v1alpha1
kind: ReplicaSchedulingPreference
metadata: { name: web, namespace: shop }
spec:
  targetKind: FederatedDeployment
  totalReplicas: 3
  clusters:
    eu-9: { weight: 1 }
`);
    expect(code).toBe(1);
    expect(stderr).toContain('bad.yaml:8: ReplicaSchedulingPreference shop/web: spec.clusters[eu-9]: there is no cluster "eu-9"');
  });
});

describe('files that cannot be read end the command before anything is started', () => {
  it.each([
    ['a YAML syntax error', 'apiVersion: v1\nkind: [oops\nmetadata: {}\n', /bad\.yaml:\d+: /],
    [
      'an object without a kind',
      'apiVersion: v1\nmetadata: { name: a }\n',
      /bad\.yaml:1: is no Kubernetes object: it has no kind/,
    ],
    ['an object without a name', 'apiVersion: v1\nkind: Namespace\nmetadata: {}\n', /bad\.yaml:1: .*metadata\.name/],
    ['text', 'just text\n', /bad\.yaml:1: is no Kubernetes object/],
  ])('%s', async (_name, bad, message) => {
    const { code, stdout, stderr } = await planned(bad);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('a syntax error does not show the lines around it, which may hold a secret', async () => {
    const { stderr } = await planned('stringData:\n  password: hunter2\n  - oops: [\n');
    expect(stderr).toContain('error: ');
    expect(stderr).not.toContain('hunter2');
  });

  it.each([
    [
      'a file that is not there',
      ['-f', 'nowhere.yaml', '--fleet', 'examples/shop/fleet.yaml'],
      'nowhere.yaml: there is no such file',
    ],
    [
      'a fleet file that is not there',
      ['-f', 'examples/shop/app', '--fleet', 'nowhere.yaml'],
      'nowhere.yaml: there is no such fleet file',
    ],
    ['no clusters', ['-f', 'examples/shop/app'], 'no clusters are named; use --contexts a,b,c or --fleet fleet.yaml'],
    ['a context twice', ['-f', 'examples/shop/app', '--contexts', 'a,a'], '"a" is named twice'],
    ['an unknown format', ['-f', 'examples/shop/app', '--contexts', 'a', '-o', 'xml'], 'table, json, yaml'],
    ['an unknown option', ['-f', 'examples/shop/app', '--colour'], '--colour'],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(['plan', ...args]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  it('a fleet with problems is named with its lines', async () => {
    const path = folder({ 'fleet.yaml': '- name: a\n- labels: { x: y }\n- name: a\n', 'app.yaml': GOOD });
    const { code, stderr } = await run(['plan', '-f', join(path, 'app.yaml'), '--fleet', join(path, 'fleet.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toContain('fleet.yaml:2: [1].name');
  });
});

describe('help', () => {
  it.each(['demo', 'dev', 'plan', 'apply', 'status', 'delete'])('of %s has examples', async (command) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: clusterset ${command}`);
    expect(stdout).toContain(`clusterset ${command}`);
    expect(stdout).toContain('Examples:');
  });

  it('is printed where there is no command, and names all of them', async () => {
    const { stdout, stderr } = await run([]);
    expect(`${stdout}${stderr}`).toContain('plan [options]');
  });

  it('suggests what may have been meant', async () => {
    const { code, stderr } = await run(['plann']);
    expect(code).toBe(1);
    expect(stderr).toContain('plan');
  });

  it('knows its version', async () => {
    const { code, stdout } = await run(['--version']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });
});
