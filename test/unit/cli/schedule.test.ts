import { join } from 'node:path';
import { planReplicas } from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Child } from './child.ts';
import { folder, type Ran, run } from './run.ts';

const NOW = '2026-01-31T12:00:00Z';
const EXAMPLE = 'examples/schedule';
const example = (name: string): string => `${EXAMPLE}/${name}.yaml`;

/** Schedules by files of a new folder, named as they are; the one called fleet.yaml with `--fleet`. */
async function schedule(files: Readonly<Record<string, unknown>>, ...more: readonly string[]): Promise<Ran> {
  const texts = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === 'string' ? content : stringify(content),
  ]);
  const path = folder(Object.fromEntries(texts));
  const named = Object.keys(files).filter((name) => name !== 'fleet.yaml');
  const fleet = 'fleet.yaml' in files ? ['--fleet', join(path, 'fleet.yaml')] : [];
  const ran = await run(['schedule', ...named.flatMap((name) => ['-f', join(path, name)]), ...fleet, '--at', NOW, ...more]);
  const near = (text: string): string => text.replaceAll(`${path}/`, '');
  return { code: ran.code, stdout: near(ran.stdout), stderr: near(ran.stderr) };
}

const key = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const policy = (spec: object = {}, name = 'web') => ({
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'PlacementPolicy',
  metadata: { name, namespace: 'shop' },
  spec: { workload: key, ...spec },
});
const weighted = { division: { type: 'Weighted' } };
const preference = (spec: object = {}) => ({
  apiVersion: 'scheduling.kubefed.io/v1alpha1',
  kind: 'ReplicaSchedulingPreference',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { targetKind: 'FederatedDeployment', totalReplicas: 10, ...spec },
});
const deployment = (spec: object = {}, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 10, ...spec },
  ...more,
});
const template = (cpu: string) => ({ template: { spec: { containers: [{ resources: { requests: { cpu } } }] } } });
const fleet = (...names: readonly string[]) => names.map((name) => ({ name }));
const snapshot = (clusters: readonly object[], workloads: readonly object[] = []) => ({
  apiVersion: 'scheduling.clusterset.dev/v1alpha1',
  kind: 'FleetSnapshot',
  clusters,
  workloads,
});

/** How many replicas each cluster gets. */
const shares = ({ stdout }: Ran): Readonly<Record<string, number>> => {
  const read = JSON.parse(stdout) as Decision & { readonly after?: Decision };
  return Object.fromEntries((read.after ?? read).clusters.map(({ cluster, replicas }) => [cluster, replicas]));
};
interface Decision {
  readonly workload: string;
  readonly replicas?: number;
  readonly outcome: string;
  readonly clusters: readonly { readonly cluster: string; readonly replicas: number; readonly outcome: string }[];
}

describe('what is printed', () => {
  const shop = ['-f', example('policy'), '-f', example('deployment')];

  it('is one line for each cluster, with what it gets and why', async () => {
    const { code, stdout, stderr } = await run(['schedule', ...shop, '--fleet', example('fleet'), '--at', NOW]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `
Deployment shop/web: 10 replicas over 3 of 4 clusters
CLUSTER   REPLICAS   WHY
eu-1      5          placed: its share by weight 2 is 5
eu-2      3          placed: its share by weight 1 is 2.5
us-1      2          placed: its share by weight 1 is 2.5
us-2      0          rejected: Labels: label "environment" is "testing", wanted "production"
`.trim(),
    );
  });

  it('is what changes, where something runs already', async () => {
    const { code, stdout } = await run(['schedule', ...shop, '-f', example('snapshot'), '--at', NOW]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `
Deployment shop/web: 10 replicas over 3 of 4 clusters
CLUSTER   REPLICAS   BEFORE   CHANGE   WHY
eu-1      5          3        +2       placed: its share by weight 2 is 5
eu-2      2          0        +2       placed: its share by weight 1 is 2.5
us-1      3          4        -1       no more: Taints: the taint "maintenance:NoSelectIfNew" isn't tolerated
us-2      0          0        0        rejected: Labels: label "environment" is "testing", wanted "production"
`.trim(),
    );
  });

  it('is what would move, and every reason, where that is asked; what has no place ends with 2', async () => {
    const { code, stdout } = await run(['schedule', ...shop, '-f', example('snapshot'), '--without', 'eu-1', '--explain']);
    expect(code).toBe(2);
    expect(stdout).toBe(
      `
Deployment shop/web: 7 of 10 replicas over 2 of 3 clusters
  as the files say: 10 replicas over 3 of 4 clusters
  moved: 2 replicas
  no place for 3 replicas
CLUSTER   REPLICAS   BEFORE   CHANGE   WHY
eu-1      0          5        -5       gone
    it isn't among the clusters any more
eu-2      4          2        +2       placed
    its share by weight 1 is 3.5
us-1      3          3        0        no more
    Taints: the taint "maintenance:NoSelectIfNew" isn't tolerated
    so it keeps what it has and gets no more
    its share by weight 1 is 3.5; it has at most 3: what it has
us-2      0          0        0        rejected
    Labels: label "environment" is "testing", wanted "production"
`.trim(),
    );
  });

  it('says that each cluster gets all replicas where they are not divided', async () => {
    const { stdout } = await schedule({ 'p.yaml': policy(), 'd.yaml': deployment(), 'fleet.yaml': fleet('a', 'b') });
    expect(stdout.split('\n')[0]).toBe('Deployment shop/web: 10 replicas in each of 2 of 2 clusters');
  });

  it('is yes or no for what has no replicas', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' } };
    const workload = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' };
    const clusters = snapshot(fleet('a', 'b'), [{ ...workload, namespace: 'shop', clusters: { b: 0 } }]);
    const files = { 'p.yaml': policy({ workload, clusterNames: ['a'] }), 'c.yaml': config, 's.yaml': clusters };
    const { code, stdout } = await schedule(files);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).toEqual([
      ['ConfigMap shop/c: in 1 of 2 clusters'],
      ['CLUSTER', 'PLACED', 'BEFORE', 'CHANGE', 'WHY'],
      ['a', 'yes', 'no', '+1', 'placed'],
      ['b', 'no', 'yes', '-1', expect.stringMatching(/^rejected: /)],
    ]);
  });

  it('says of a cluster that is gone no number of replicas that there never were', async () => {
    const files = {
      'p.yaml': policy({ workload: { apiVersion: 'v1', kind: 'ConfigMap', name: 'web' } }),
      'fleet.yaml': fleet('a', 'b'),
    };
    const { stdout } = await schedule(files, '--without', 'a');
    expect(stdout).toMatch(/^a +no +yes +-1 +gone: it isn't among the clusters any more$/m);
  });

  it('says which group is used, and why others are not', async () => {
    const groups = [
      { name: 'near', clusterNames: ['a'] },
      { name: 'far', clusterNames: ['b'] },
    ];
    const clusters = [{ name: 'a', room: 2 }, { name: 'b' }];
    const ran = await schedule({ 'p.yaml': policy({ ...weighted, groups, replicas: 4 }), 's.yaml': snapshot(clusters) });
    expect(ran.code).toBe(0);
    expect(ran.stdout.split('\n').slice(0, 3)).toEqual([
      'Deployment shop/web: 4 replicas over 1 of 2 clusters',
      '  group: far',
      '  not near: there is no room for 2 of the replicas',
    ]);
    const back = await schedule(
      { 'p.yaml': policy({ ...weighted, groups, replicas: 4 }), 's.yaml': snapshot(clusters) },
      '--replicas',
      '2',
    );
    expect(back.stdout.split('\n').slice(0, 4)).toEqual([
      'Deployment shop/web: 2 replicas over 1 of 2 clusters',
      '  as the files say: 4 replicas over 1 of 2 clusters',
      '  moved: 2 replicas',
      '  group: near (was far)',
    ]);
  });

  it('says why nothing has a place, and ends with 2', async () => {
    const clusters = [{ name: 'a', conditions: [{ type: 'Ready', status: 'False', reason: 'Down' }] }];
    const { code, stdout } = await schedule({ 'p.yaml': policy({ ...weighted, replicas: 2 }), 'fleet.yaml': clusters });
    expect(code).toBe(2);
    expect(stdout).toBe(
      `
Deployment shop/web: has no place: no cluster passes the filters
CLUSTER   REPLICAS   WHY
a         0          rejected: Ready: condition "Ready" is "False" (Down), wanted "True"
`.trim(),
    );
  });

  it('says when the answer may change', async () => {
    const clusters = [
      { name: 'a', taints: [{ key: 'k', effect: 'NoExecute', timeAdded: '2026-01-31T11:59:00Z' }] },
      { name: 'b' },
    ];
    const tolerations = [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }];
    const files = { 'p.yaml': policy({ ...weighted, replicas: 2, tolerations }), 'fleet.yaml': clusters };
    const { stdout } = await schedule(files);
    expect(stdout).toContain('\n  until 2026-01-31T12:04:00Z: then a toleration ends, and the answer may be another\n');
    const later = await schedule(files, '--at', '2026-01-31T12:04:00Z', '-o', 'json');
    expect(shares(later)).toEqual({ a: 0, b: 2 });
  });

  it('says why a cluster is not selected', async () => {
    const spec = { ...weighted, replicas: 4, pick: { type: 'N', numberOfClusters: 1 } };
    const clusters = snapshot([{ name: 'a' }, { name: 'b' }], [{ ...key, namespace: 'shop', clusters: { b: 4 } }]);
    const ran = await schedule({ 'p.yaml': policy(spec), 's.yaml': clusters });
    const why = ran.stdout.split('\n').map((row) => row.split(/ {3,}/).at(-1));
    expect(why.slice(2)).toEqual([
      expect.stringMatching(/^(placed|not selected): (?!not selected|selected)/),
      expect.stringMatching(/^(placed|not selected): (?!not selected|selected)/),
    ]);
    expect(ran.stdout).toContain('not selected: ');
  });

  it('counts further objections of one cluster', async () => {
    const clusters = [{ name: 'a', taints: [{ key: 'k', effect: 'NoSelect' }] }, { name: 'b' }];
    const spec = { ...weighted, replicas: 1, clusterNames: ['b'] };
    const one = await schedule({ 'p.yaml': policy(spec), 'fleet.yaml': clusters });
    expect(one.stdout).toMatch(/^a .*rejected: [^)]*$/m);
    const all = await schedule({ 'p.yaml': policy(spec), 'fleet.yaml': clusters }, '--explain');
    expect(all.stdout).toMatch(/^a .*rejected\n {4}\w+: .*\n {4}Taints: /m);
  });
});

describe('as data', () => {
  const files = { 'p.yaml': policy({ ...weighted, replicas: 3 }), 'fleet.yaml': fleet('a', 'b') };

  it.each(['json', 'yaml'])('is the decision itself (%s)', async (format) => {
    const { code, stdout } = await schedule(files, '-o', format);
    expect(code).toBe(0);
    expect(parse(stdout)).toMatchObject({
      workload: 'apps/v1/Deployment shop/web',
      outcome: 'Scheduled',
      replicas: 3,
      unplaced: 0,
      clusters: [
        { cluster: 'a', outcome: 'Placed', replicas: 2, division: { algorithm: 'clusterset' } },
        { cluster: 'b', outcome: 'Placed', replicas: 1 },
      ],
    });
  });

  it('is two decisions and what is between them, for what if', async () => {
    const { stdout } = await schedule(files, '--without', 'b', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      before: { clusters: [{ replicas: 2 }, { replicas: 1 }] },
      after: {
        clusters: [
          { cluster: 'a', replicas: 3, current: 2 },
          { cluster: 'b', outcome: 'Gone', current: 1 },
        ],
      },
      diff: {
        changes: [
          { cluster: 'a', before: { replicas: 2 }, after: { replicas: 3 } },
          { cluster: 'b', before: { replicas: 1 }, after: { replicas: 0, outcome: 'Gone' } },
        ],
        moved: 1,
        unplaced: { before: 0, after: 0 },
      },
    });
  });

  it('is a list of decisions for several policies, in their order', async () => {
    const second = policy({ replicas: 4, division: { type: 'Weighted' }, workload: { ...key, name: 'api' } }, 'api');
    const { stdout } = await schedule(
      { 'p.yaml': `${stringify(second)}---\n${stringify(files['p.yaml'])}`, ...{ 'fleet.yaml': fleet('a') } },
      '-o',
      'json',
    );
    expect((JSON.parse(stdout) as Decision[]).map(({ workload, replicas }) => [workload, replicas])).toEqual([
      ['apps/v1/Deployment shop/api', 4],
      ['apps/v1/Deployment shop/web', 3],
    ]);
    const text = await schedule({ 'a.yaml': second, 'p.yaml': files['p.yaml'], 'fleet.yaml': fleet('a') });
    expect(text.stdout).toMatch(/^Deployment shop\/api: [\s\S]*\n\nDeployment shop\/web: /);
  });
});

describe('a workload', () => {
  const counted = async (object: object, spec: object = {}): Promise<Decision> => {
    const { stdout } = await schedule({ 'p.yaml': policy(spec), 'w.yaml': object, 'fleet.yaml': fleet('a', 'b') }, '-o', 'json');
    return JSON.parse(stdout) as Decision;
  };

  it.each<[string, object, number | undefined]>([
    ['Deployment', { replicas: 7 }, 7],
    ['Deployment', {}, 1],
    ['StatefulSet', {}, 1],
    ['Job', { parallelism: 4, completions: 8 }, 4],
    ['Job', {}, 1],
    ['DaemonSet', {}, undefined],
    ['CronJob', {}, undefined],
    ['Whatever', { replicas: 2 }, 2],
    ['Whatever', {}, undefined],
  ])('of kind %s with %j has %s replicas', async (kind, spec, replicas) => {
    const object = { ...deployment({}, { kind }), spec };
    expect((await counted(object, { workload: { ...key, kind } })).replicas).toBe(replicas);
  });

  it('that is a Job gets its completions divided, and a StatefulSet its ordinals', async () => {
    const job = { ...deployment(), kind: 'Job', spec: { parallelism: 2, completions: 10 } };
    expect((await counted(job, { ...weighted, workload: { ...key, kind: 'Job' } })).clusters).toMatchObject([
      { replicas: 1, completions: 5 },
      { replicas: 1, completions: 5 },
    ]);
    const set = { ...deployment(), kind: 'StatefulSet', spec: { replicas: 4, ordinals: { start: 3 } } };
    const { clusters } = await counted(set, { ...weighted, workload: { ...key, kind: 'StatefulSet' } });
    expect(clusters).toMatchObject([{ ordinals: { start: 3, replicas: 2 } }, { ordinals: { start: 5, replicas: 2 } }]);
  });

  it('may be the template of a federated object', async () => {
    const federated = {
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedDeployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { template: { spec: { replicas: 5, ...template('1') } } },
    };
    const clusters = [
      { name: 'a', capacity: { cpu: '1' } },
      { name: 'b', capacity: { cpu: '8' } },
    ];
    const ran = await schedule({ 'p.yaml': policy(weighted), 'w.yaml': federated, 'fleet.yaml': clusters }, '-o', 'json');
    expect(shares(ran)).toEqual({ a: 1, b: 4 });
  });

  it('is found among others by type, name and namespace, in a List too', async () => {
    const others = [
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
      deployment({ replicas: 8 }, { metadata: { name: 'web', namespace: 'other' } }),
      deployment({ replicas: 6 }),
    ];
    const list = { apiVersion: 'v1', kind: 'List', items: others };
    const ran = await schedule({ 'p.yaml': policy(weighted), 'w.yaml': list, 'fleet.yaml': fleet('a') }, '-o', 'json');
    expect(shares(ran)).toEqual({ a: 6 });
  });

  it('needs no name in a policy where it is the only one', async () => {
    const spec = { workload: undefined, ...weighted };
    const ran = await schedule({ 'p.yaml': policy(spec), 'w.yaml': deployment(), 'fleet.yaml': fleet('a') }, '-o', 'json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ workload: 'apps/v1/Deployment shop/web', replicas: 10 });
  });

  it('is in the namespace default where nobody says another', async () => {
    const plain = { ...deployment(), metadata: { name: 'web' } };
    const free = { ...policy(weighted), metadata: { name: 'web' } };
    const ran = await schedule({ 'p.yaml': free, 'w.yaml': plain, 'fleet.yaml': fleet('a') });
    expect(ran.stdout.split('\n')[0]).toBe('Deployment default/web: 10 replicas over 1 of 1 cluster');
  });
});

describe('room', () => {
  const clusters = [
    { name: 'a', capacity: { cpu: '2' } },
    { name: 'b', capacity: { cpu: '100' } },
  ];

  it('comes from the capacity of a plain fleet, for what asks for something', async () => {
    const files = (spec: object) => ({ 'p.yaml': policy(weighted), 'w.yaml': deployment(spec), 'fleet.yaml': clusters });
    expect(shares(await schedule(files(template('1')), '-o', 'json'))).toEqual({ a: 2, b: 8 });
    expect(shares(await schedule(files({}), '-o', 'json'))).toEqual({ a: 5, b: 5 });
  });

  it('of capacity is less what runs there already', async () => {
    const files = { 'p.yaml': policy(weighted), 'w.yaml': deployment(template('1')), 'fleet.yaml': clusters };
    expect(shares(await schedule(files, '--current', 'a=2', '-o', 'json'))).toEqual({ a: 2, b: 8 });
  });

  it('is not known without the workload, and that is said', async () => {
    const known = snapshot([
      { name: 'a', summary: { allocatable: { cpu: '1', pods: '10' } } },
      { name: 'b', room: 1 },
    ]);
    const ran = await schedule({ 'p.yaml': policy({ ...weighted, replicas: 10 }), 's.yaml': known }, '-o', 'json');
    expect(shares(ran)).toEqual({ a: 9, b: 1 });
    expect(ran.stderr).toBe(
      'note: p.yaml:8: PlacementPolicy shop/web: spec.workload: what a replica asks for is not known, so it is not known either how many fit; give the file of the workload with -f',
    );
  });

  it('is what is left once the first decision is carried out, for what if', async () => {
    const known = snapshot([
      { name: 'a', room: 4 },
      { name: 'b', room: 4 },
      { name: 'c', room: 4 },
    ]);
    const ran = await schedule(
      { 'p.yaml': policy({ ...weighted, replicas: 9 }), 's.yaml': known },
      '--without',
      'c',
      '-o',
      'json',
    );
    expect(ran.code).toBe(2);
    expect(shares(ran)).toEqual({ a: 4, b: 4, c: 0 });
  });
});

describe('a preference of kubefed', () => {
  it.each<[string, object, Readonly<Record<string, number>>]>([
    ['without clusters', {}, {}],
    ['with an empty list', { clusters: {} }, {}],
    ['by weight', { clusters: { a: { weight: 3 }, b: { weight: 1 }, '*': { weight: 1 } } }, {}],
    ['with bounds', { totalReplicas: 17, clusters: { a: { minReplicas: 2, maxReplicas: 4, weight: 3 }, b: { weight: 2 } } }, {}],
    ['that leaves what runs', { clusters: { '*': { weight: 1 } } }, { a: 7, b: 2 }],
    ['that moves what runs', { rebalance: true, clusters: { '*': { weight: 1 } } }, { a: 7, b: 2 }],
  ])('divides as kubefed does: %s', async (_name, spec, current) => {
    const running = Object.entries(current).map(([name, number]) => `${name}=${number}`);
    const given = running.length === 0 ? [] : ['--current', running.join(',')];
    const names = ['a', 'b', 'c'];
    const ran = await schedule({ 'p.yaml': preference(spec), 'fleet.yaml': fleet(...names) }, '-o', 'json', ...given);
    const {
      totalReplicas,
      rebalance = false,
      clusters = {},
    } = preference(spec).spec as {
      readonly totalReplicas: number;
      readonly rebalance?: boolean;
      readonly clusters?: Readonly<Record<string, object>>;
    };
    const plan = planReplicas({
      key: 'shop/web',
      totalReplicas,
      preferences: Object.keys(clusters).length === 0 ? { '*': { weight: 1 } } : clusters,
      rebalance,
      candidates: names,
      current: new Map(Object.entries(current)),
    });
    expect(shares(ran)).toEqual(Object.fromEntries(plan.shares.map((share) => [share.cluster, share.replicas + share.overflow])));
    expect(JSON.parse(ran.stdout)).toMatchObject({ workload: 'apps/v1/Deployment shop/web', replicas: totalReplicas });
  });

  it('says that placement is not looked at', async () => {
    const ran = await schedule({ 'p.yaml': preference({ intersectWithClusterSelector: true }), 'fleet.yaml': fleet('a') });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/^note: p\.yaml:9: ReplicaSchedulingPreference shop\/web: spec\.intersectWithClusterSelector: /);
  });

  it('is checked', async () => {
    const ran = await schedule({ 'p.yaml': preference({ totalReplicas: -1 }), 'fleet.yaml': fleet('a') });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toBe('error: p.yaml:8: ReplicaSchedulingPreference shop/web: spec.totalReplicas: must not be negative');
  });

  it('can be asked what if', async () => {
    const files = { 'p.yaml': preference(), 'fleet.yaml': fleet('a', 'b') };
    expect(shares(await schedule(files, '--weight', 'a=4', '-o', 'json'))).toEqual({ a: 5, b: 5 });
    const moving = { ...files, 'p.yaml': preference({ rebalance: true }) };
    expect(shares(await schedule(moving, '--weight', 'a=4', '-o', 'json'))).toEqual({ a: 8, b: 2 });
  });
});

describe('what if', () => {
  const files = { 'p.yaml': policy({ ...weighted, replicas: 12 }), 'fleet.yaml': fleet('a', 'b', 'c') };

  it.each<[readonly string[], Readonly<Record<string, number>>]>([
    [['--replicas', '6'], { a: 2, b: 2, c: 2 }],
    [['--replicas', '0'], { a: 0, b: 0, c: 0 }],
    [['--without', 'a'], { a: 0, b: 6, c: 6 }],
    [['--without', 'a,b'], { a: 0, b: 0, c: 12 }],
    [['--without', 'a', '--without', 'b'], { a: 0, b: 0, c: 12 }],
    [['--weight', 'a=2'], { a: 6, b: 3, c: 3 }],
    [['--weight', 'a=2,b=0'], { a: 8, b: 0, c: 4 }],
    [['--weight', 'a=2', '--weight', 'b=0'], { a: 8, b: 0, c: 4 }],
    [['--weight', '*=0', '--weight', 'a=1'], { a: 12, b: 0, c: 0 }],
    [['--min', 'a=6'], { a: 6, b: 3, c: 3 }],
    [['--max', 'a=2'], { a: 2, b: 5, c: 5 }],
    [['--without', 'a', '--max', 'b=2', '--replicas', '5'], { a: 0, b: 2, c: 3 }],
  ])('%s', async (options, expected) => {
    const ran = await schedule(files, ...options, '-o', 'json');
    expect(shares(ran)).toEqual(expected);
    const { before } = JSON.parse(ran.stdout) as { readonly before: Decision };
    expect(before.clusters.map(({ replicas }) => replicas)).toEqual([4, 4, 4]);
  });

  it('starts from where the first decision has placed the replicas, not from what runs', async () => {
    const sticky = { ...files, 'p.yaml': policy({ replicas: 12, division: { type: 'Weighted', sticky: true } }) };
    const ran = await schedule(sticky, '--current', 'a=12', '--weight', 'b=2', '-o', 'json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      before: { clusters: [{ current: 12, replicas: 12 }, { replicas: 0 }, { replicas: 0 }] },
      after: { clusters: [{ current: 12, replicas: 12 }, { replicas: 0 }, { replicas: 0 }] },
      diff: { moved: 0, changes: [] },
    });
  });

  it.each([
    ['ByCapacity', '--max', 'b=1', { a: 5, b: 1 }],
    ['ByCapacity', '--min', 'b=5', { a: 1, b: 5 }],
    ['Aggregated', '--max', 'a=4', { a: 0, b: 6 }],
  ])('needs no weights: %s %s %s', async (type, option, value, expected) => {
    const rooms = snapshot([
      { name: 'a', room: 8 },
      { name: 'b', room: 7 },
    ]);
    const given = { 'p.yaml': policy({ replicas: 6, division: { type } }), 'w.yaml': deployment(), 'snapshot.yaml': rooms };
    const ran = await schedule(given, option, value, '-o', 'json');
    expect(ran.stderr).toBe('');
    expect(shares(ran)).toEqual(expected);
  });

  it('knows which group was used, for a policy that never falls back', async () => {
    const groups = [
      { name: 'near', clusterNames: ['a'] },
      { name: 'far', clusterNames: ['b'] },
    ];
    const grouped = (failBack: string) => ({
      'p.yaml': policy({ replicas: 4, groups, failBack, ...weighted }),
      's.yaml': snapshot([{ name: 'a', room: 2 }, { name: 'b' }]),
    });
    expect(shares(await schedule(grouped('Automatic'), '--replicas', '2', '-o', 'json'))).toEqual({ a: 2, b: 0 });
    expect(shares(await schedule(grouped('Never'), '--replicas', '2', '-o', 'json'))).toEqual({ a: 0, b: 2 });
  });

  it('leaves ordinals where they are as far as that goes', async () => {
    const set = { ...deployment(), kind: 'StatefulSet', spec: { replicas: 6 } };
    const clusters = { a: { weight: 0 }, '*': { weight: 1 } };
    const spec = { division: { type: 'Weighted', clusters }, workload: { ...key, kind: 'StatefulSet' } };
    const stateful = { 'p.yaml': policy(spec), 'w.yaml': set, 'fleet.yaml': fleet('a', 'b', 'c') };
    const ran = await schedule(stateful, '--weight', 'a=1', '-o', 'json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      before: { clusters: [{ replicas: 0 }, { ordinals: { start: 0, replicas: 3 } }, { ordinals: { start: 3, replicas: 3 } }] },
      // By name alone a would have the first ones, and all but one would move.
      after: {
        clusters: [{ ordinals: { replicas: 2 } }, { ordinals: { start: 0, replicas: 2 } }, { ordinals: { replicas: 2 } }],
      },
    });
  });

  it('keeps what else the preference of a cluster says, or that of all', async () => {
    const clusters = { a: { weight: 1, maxReplicas: 5 }, '*': { weight: 1, minReplicas: 2 } };
    const bounded = { ...files, 'p.yaml': policy({ replicas: 12, division: { type: 'Weighted', clusters } }) };
    const ran = await schedule(bounded, '--weight', 'a=100,b=0', '-o', 'json');
    expect(shares(ran)).toEqual({ a: 5, b: 2, c: 5 });
  });

  it('of replicas is no change where nothing else says how many there are', async () => {
    const open = { ...files, 'p.yaml': policy(weighted) };
    const plain = await schedule(open, '--replicas', '6', '-o', 'json');
    expect(JSON.parse(plain.stdout)).not.toHaveProperty('before');
    expect(shares(plain)).toEqual({ a: 2, b: 2, c: 2 });
    const both = await schedule(open, '--replicas', '6', '--without', 'a', '-o', 'json');
    expect(JSON.parse(both.stdout)).toMatchObject({ before: { replicas: 6 }, after: { replicas: 6 }, diff: { moved: 2 } });
  });
});

describe('--current', () => {
  it('goes before what a snapshot says', async () => {
    const sticky = policy({ replicas: 4, division: { type: 'Weighted', sticky: true } });
    const known = snapshot(fleet('a', 'b'), [{ ...key, namespace: 'shop', clusters: { a: 4 } }]);
    expect(shares(await schedule({ 'p.yaml': sticky, 's.yaml': known }, '-o', 'json'))).toEqual({ a: 4, b: 0 });
    const ran = await schedule({ 'p.yaml': sticky, 's.yaml': known }, '--current', 'a=1', '--current', 'b=3', '-o', 'json');
    expect(shares(ran)).toEqual({ a: 1, b: 3 });
  });
});

describe('without a fleet', () => {
  it('decides for the clusters that the policy names, and says so', async () => {
    const spec = {
      replicas: 5,
      exclude: ['d'],
      division: { type: 'Weighted', clusters: { b: { weight: 1 }, a: { weight: 4 }, '*': { weight: 1 } } },
    };
    const { code, stdout, stderr } = await schedule({ 'p.yaml': policy(spec) }, '-o', 'json');
    expect({ code, shares: shares({ code, stdout, stderr }) }).toEqual({ code: 0, shares: { a: 4, b: 1 } });
    expect(stderr).toBe(
      'note: p.yaml:7: PlacementPolicy shop/web: spec: there is no fleet: decided for the clusters that the policy names, a, b; give the fleet with --fleet',
    );
  });

  it('asks for one where the policy names no clusters', async () => {
    const ran = await schedule({ 'p.yaml': policy({ ...weighted, replicas: 1 }) });
    expect(ran).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: p.yaml:7: PlacementPolicy shop/web: spec: names no clusters, and there is no fleet; give the fleet with --fleet',
    });
  });
});

describe('clusters that a policy names and the fleet does not have', () => {
  it('are noted, each with its line: a slip would count for nothing', async () => {
    const spec = {
      replicas: 3,
      exclude: ['us1'],
      groups: [{ name: 'g', clusterNames: ['eu-1', 'elsewhere'], exclude: ['us-2'] }],
      scores: [{ preferred: { clusterNames: ['eu1'] } }],
      division: { type: 'Weighted', clusters: { 'eu-2': { weight: 2 }, '*': { weight: 1 } } },
    };
    const { code, stderr } = await schedule({ 'p.yaml': policy(spec), 'fleet.yaml': fleet('eu-1', 'us-1') });
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'note: p.yaml:13: PlacementPolicy shop/web: spec.exclude[0]: there is no cluster "us1" in the fleet; did you mean us-1?',
      'note: p.yaml:18: PlacementPolicy shop/web: spec.groups[0].clusterNames[1]: there is no cluster "elsewhere" in the fleet',
      'note: p.yaml:20: PlacementPolicy shop/web: spec.groups[0].exclude[0]: there is no cluster "us-2" in the fleet; did you mean us-1?',
      'note: p.yaml:24: PlacementPolicy shop/web: spec.scores[0].preferred.clusterNames[0]: there is no cluster "eu1" in the fleet; did you mean eu-1?',
      'note: p.yaml:29: PlacementPolicy shop/web: spec.division.clusters.eu-2: there is no cluster "eu-2" in the fleet; did you mean eu-1?',
    ]);
  });

  it('are noted of a preference of kubefed where they stand', async () => {
    const clusters = { a: { weight: 1 }, b: { weight: 1 } };
    const { stderr } = await schedule({ 'p.yaml': preference({ clusters }), 'fleet.yaml': fleet('a') });
    expect(stderr).toBe(
      'note: p.yaml:13: ReplicaSchedulingPreference shop/web: spec.clusters.b: there is no cluster "b" in the fleet',
    );
  });

  it('are counted where they are many', async () => {
    const exclude = Array.from({ length: 14 }, (_, index) => `gone-${index}`);
    const { stderr } = await schedule({ 'p.yaml': policy({ ...weighted, replicas: 1, exclude }), 'fleet.yaml': fleet('a') });
    expect(stderr.split('\n')).toHaveLength(11);
    expect(stderr).toMatch(/spec: names 4 more clusters that the fleet doesn't have$/);
  });
});

describe('a folder', () => {
  it('is all of its files; the fleet that is named may be among them', async () => {
    const path = folder({
      'policy.yaml': stringify(policy(weighted)),
      'web.json': JSON.stringify(deployment()),
      'fleet.yaml': stringify(fleet('a', 'b')),
      'README.md': 'no YAML: {',
    });
    const alone = await run(['schedule', '-f', path, '-o', 'json']);
    expect({ code: alone.code, stderr: alone.stderr }).toEqual({ code: 0, stderr: '' });
    expect(shares(alone)).toEqual({ a: 5, b: 5 });
    const named = await run([
      'schedule',
      '-f',
      path,
      '--fleet',
      join(path, '..', path.replace(/.*\//, ''), 'fleet.yaml'),
      '-o',
      'json',
    ]);
    expect({ ...named }).toEqual({ ...alone });
  });
});

describe('standard input', () => {
  it('is a file, too', async () => {
    await using child = new Child(['schedule', '-f', '-', '--fleet', example('fleet'), '-o', 'json']);
    child.process.stdin?.end(`${stringify(policy({ ...weighted, replicas: 4 }))}---\n${stringify(deployment())}`);
    expect(await child.ended()).toBe(0);
    expect(JSON.parse(child.stdout)).toMatchObject({ replicas: 4, outcome: 'Scheduled' });
  });
});

describe('what is wrong', () => {
  const good = policy({ ...weighted, replicas: 2 });
  const where = 'PlacementPolicy shop/web';

  it.each<[string, Readonly<Record<string, unknown>>, string | RegExp]>([
    ['a file without anything', { 'p.yaml': '# nothing\n' }, 'p.yaml: there is nothing in there'],
    ['no YAML', { 'p.yaml': 'a: [' }, /^p\.yaml:1: /],
    ['no object', { 'p.yaml': '5\n' }, 'p.yaml:1: is no Kubernetes object and no fleet: it has no fields'],
    [
      'an object without a kind',
      { 'p.yaml': 'apiVersion: v1\n' },
      'p.yaml:1: is no Kubernetes object and no fleet: it has no kind',
    ],
    [
      'a name that forges lines',
      { 'p.yaml': 'apiVersion: v1\nkind: X\nmetadata: { name: "a\\nb" }\n' },
      'p.yaml:1: is no Kubernetes object and no fleet: its names have control characters',
    ],
    [
      'a namespace that is a number',
      { 'p.yaml': 'apiVersion: v1\nkind: X\nmetadata: { name: a, namespace: 5 }\n' },
      'p.yaml:1: is no Kubernetes object and no fleet: its metadata.namespace is no text',
    ],
    [
      'a kind with a slip',
      { 'p.yaml': { ...good, kind: 'PlacementPolcy' } },
      'p.yaml: there is no PlacementPolicy and no ReplicaSchedulingPreference in there\n' +
        'error: p.yaml:2: kind: "PlacementPolcy" is no kind of a policy; did you mean PlacementPolicy?',
    ],
    ['no policy', { 'w.yaml': deployment() }, 'w.yaml: there is no PlacementPolicy and no ReplicaSchedulingPreference in there'],
    [
      'a policy of another version',
      { 'p.yaml': { ...good, apiVersion: 'scheduling.clusterset.dev/v9' }, 'fleet.yaml': fleet('a') },
      /^p\.yaml:1: PlacementPolicy shop\/web: apiVersion: expected .*v1alpha1/,
    ],
    [
      'a policy that makes no sense',
      { 'p.yaml': policy({ pick: { type: 'N' } }), 'fleet.yaml': fleet('a') },
      `p.yaml:12: ${where}: spec.pick.numberOfClusters: is needed where type is N; say how many`,
    ],
    [
      'a fleet that makes no sense',
      { 'p.yaml': good, 'f.yaml': '- name: a\n- name: a\n' },
      'f.yaml:2: [1].name: "a" is also the name of [0]',
    ],
    [
      'an empty fleet',
      { 'p.yaml': good, 'f.yaml': '[]\n' },
      'f.yaml:1: there are no clusters in there; start each with "- name: …"',
    ],
    [
      'a snapshot that makes no sense',
      { 'p.yaml': good, 's.yaml': snapshot([{ name: 'a' }, { name: 'b', room: -1 }]) },
      /^s\.yaml:6: clusters\[1\]\.room: /,
    ],
    [
      'two fleets',
      { 'p.yaml': good, 'f.yaml': fleet('a'), 's.yaml': snapshot(fleet('a')) },
      's.yaml:1: is a second fleet, beside f.yaml:1; give one of them',
    ],
    [
      'a --fleet that is none',
      { 'p.yaml': good, 'fleet.yaml': deployment() },
      'fleet.yaml:1: is no fleet: write a list of clusters, or a FleetSnapshot',
    ],
    [
      'no number of replicas',
      { 'p.yaml': policy(weighted), 'fleet.yaml': fleet('a') },
      `p.yaml:7: ${where}: spec.replicas: is missing, and nothing else says how many replicas there are; say it, use --replicas, or give the file of the workload with -f`,
    ],
    [
      'no workload at all',
      { 'p.yaml': policy({ workload: undefined }), 'fleet.yaml': fleet('a') },
      `p.yaml:6: ${where}: spec.workload: is missing, and there is no workload in the files; say it, or give the file of the workload with -f`,
    ],
    [
      'two workloads, and nothing that says which',
      {
        'p.yaml': policy({ workload: undefined, replicas: 1 }),
        'w.yaml': deployment(),
        'v.yaml': { ...deployment(), kind: 'Job' },
        'fleet.yaml': fleet('a'),
      },
      `p.yaml:7: ${where}: spec.workload: is missing, and it may be for each of apps/v1/Deployment shop/web (w.yaml:1), apps/v1/Job shop/web (v.yaml:1); say which`,
    ],
    [
      'a workload that is there twice',
      { 'p.yaml': good, 'w.yaml': deployment(), 'v.yaml': deployment({ replicas: 3 }), 'fleet.yaml': fleet('a') },
      `p.yaml:8: ${where}: spec.workload: is in the files more than once: apps/v1/Deployment shop/web (w.yaml:1), apps/v1/Deployment shop/web (v.yaml:1); keep one of them, or say the namespace`,
    ],
    [
      'replicas that are no number',
      { 'p.yaml': policy(weighted), 'w.yaml': deployment({ replicas: 'ten' }), 'fleet.yaml': fleet('a') },
      'w.yaml:7: Deployment shop/web: spec.replicas: must be a whole number from 0 to 2147483647',
    ],
    [
      'requests that are no quantities',
      { 'p.yaml': policy(weighted), 'w.yaml': deployment(template('much')), 'fleet.yaml': fleet('a') },
      'w.yaml:13: Deployment shop/web: spec.template.spec.containers[0].resources.requests[cpu]: "much" is no quantity',
    ],
    [
      'capacity below nothing',
      { 'p.yaml': policy(weighted), 'w.yaml': deployment(template('1')), 'fleet.yaml': [{ name: 'a', capacity: { cpu: '-1' } }] },
      /^p\.yaml:\d+: PlacementPolicy shop\/web: capacity\[cpu\]: cluster a: must not be negative/,
    ],
  ])('%s', async (_name, files, message) => {
    const { code, stdout, stderr } = await schedule(files);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.replace(/^error: /, '')).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it.each([
    ['there is no such file', ['schedule', '-f', '/nowhere/p.yaml'], '/nowhere/p.yaml: there is no such file or folder'],
    [
      'a folder with two fleets',
      ['schedule', '-f', EXAMPLE],
      `${EXAMPLE}/snapshot.yaml:2: is a second fleet, beside ${EXAMPLE}/fleet.yaml:2; give one of them`,
    ],
    ['a folder without files', ['schedule', '-f', 'examples'], 'examples: there are no files in this folder'],
    ['no file at all', ['schedule'], /required option '-f, --filename/],
  ])('%s', async (_name, args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('of one policy does not hold up another', async () => {
    const bad = policy({ replicas: -1, workload: { ...key, name: 'api' } }, 'api');
    const { code, stdout, stderr } = await schedule({ 'a.yaml': bad, 'p.yaml': good, 'fleet.yaml': fleet('a') });
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 1,
      first: 'Deployment shop/web: 2 replicas over 1 of 1 cluster',
    });
    expect(stderr).toBe('error: a.yaml:11: PlacementPolicy shop/api: spec.replicas: must not be negative');
  });

  it.each<[readonly string[], string | RegExp]>([
    [['--without', 'c'], '--without: there is no cluster "c" in the fleet; use a, b'],
    [['--weight', 'c=1'], '--weight: there is no cluster "c" in the fleet; use a, b'],
    [['--min', 'hasOwnProperty=1'], '--min: there is no cluster "hasOwnProperty" in the fleet; use a, b'],
    [['--max', 'c=1'], '--max: there is no cluster "c" in the fleet; use a, b'],
    [['--current', '*=1'], '--current: there is no cluster "*" in the fleet; use a, b'],
    [['--weight', 'a'], /"a" is not of the form cluster=number/],
    [['--weight', 'a=-1'], /"a=-1" is not of the form cluster=number/],
    [['--weight', 'a=1.5'], /is not of the form cluster=number/],
    [['--weight', 'a=99999999999'], /a number from 0 to 2147483647/],
    [['--weight', '=1'], /is not of the form cluster=number/],
    [['--weight', 'a=1,a=2'], /"a" is named twice/],
    [['--current', 'a=1', '--current', 'a=1'], /"a" is named twice/],
    [['--without', ','], /name at least one cluster/],
    [['--replicas', '-1'], /use a whole number from 0 to 2147483647/],
    [['--replicas', 'many'], /use a whole number from 0 to 2147483647/],
    [['--at', 'noon'], /use a time as in 2026-01-31T12:00:00Z/],
    [['--at', '2026-13-01T00:00:00Z'], /use a time as in/],
    [['-o', 'xml'], /Allowed choices are table, json, yaml/],
    [
      ['--min', 'a=3', '--max', 'a=2'],
      /^p\.yaml:\d+: PlacementPolicy shop\/web: spec\.division\.clusters\.a\.minReplicas: is more .*\(with these options\)/,
    ],
  ])('in the options: %j', async (options, message) => {
    const { code, stdout, stderr } = await schedule({ 'p.yaml': good, 'fleet.yaml': fleet('a', 'b') }, ...options);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const said = stderr.replace(/^error: /, '');
    expect(said).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('is a slip in the name of a cluster', async () => {
    const ran = await schedule({ 'p.yaml': good, 'fleet.yaml': fleet('eu-1', 'us-1') }, '--without', 'eu1', '--min', 'us=1');
    expect(ran.stderr).toBe(
      'error: --without: there is no cluster "eu1" in the fleet; did you mean eu-1?\n' +
        'error: --min: there is no cluster "us" in the fleet; use eu-1, us-1',
    );
  });

  it('in a large fleet names some of the clusters', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `c-${String(index).padStart(2, '0')}`);
    const { stderr } = await schedule({ 'p.yaml': good, 'fleet.yaml': fleet(...names) }, '--without', 'x');
    expect(stderr).toContain('use one of c-00, c-01, c-02, c-03, c-04, c-05, c-06, c-07, c-08, c-09 and 2 more');
  });

  it('is a weight for replicas that are not divided', async () => {
    const { code, stderr } = await schedule({ 'p.yaml': policy({ replicas: 2 }), 'fleet.yaml': fleet('a') }, '--weight', 'a=2');
    expect(code).toBe(1);
    expect(stderr).toMatch(/spec\.division\.clusters: means nothing for type Duplicated \(with these options\)/);
  });

  it('of the options for one policy does not hold up another', async () => {
    const files = { 'a.yaml': policy({ replicas: 2 }, 'api'), 'p.yaml': good, 'fleet.yaml': fleet('a') };
    const { code, stdout, stderr } = await schedule(files, '--weight', 'a=2');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Deployment shop\/web: 2 replicas/);
    expect(stderr).toMatch(/^error: a\.yaml:\d+: PlacementPolicy shop\/api: [^\n]*$/);
  });
});

describe('hostile files', () => {
  it('forge no lines', async () => {
    const groups = [{ name: 'a\nDeployment x: 1 replica', clusterNames: ['a'] }];
    const spec = { ...weighted, replicas: 1, groups, workload: { ...key, name: 'web\nDeployment y: 1 replica' } };
    const { stdout } = await schedule({ 'p.yaml': policy(spec), 'fleet.yaml': fleet('a') });
    expect(stdout.split('\n').filter((row) => row.startsWith('Deployment'))).toHaveLength(1);
    expect(stdout.split('\n')).toHaveLength(4);
  });

  it('may name clusters as JavaScript calls its own things', async () => {
    const clusters = { __proto__: null, constructor: { weight: 1 }, __proto__x: { weight: 1 } };
    const spec = { replicas: 4, division: { type: 'Weighted', clusters } };
    const ran = await schedule({ 'p.yaml': policy(spec), 'fleet.yaml': fleet('constructor', 'toString') }, '-o', 'json');
    expect(shares(ran)).toMatchObject({ constructor: expect.any(Number), toString: expect.any(Number) });
    const changed = await schedule(
      { 'p.yaml': policy(spec), 'fleet.yaml': '- name: __proto__\n- name: constructor\n' },
      '--weight',
      '__proto__=3',
      '-o',
      'json',
    );
    const { after } = JSON.parse(changed.stdout) as { readonly after: Decision };
    expect(after.clusters.map(({ cluster, replicas }) => [cluster, replicas])).toEqual([
      ['__proto__', 3],
      ['constructor', 1],
    ]);
    expect({}).not.toHaveProperty('weight');
  });
});
