import { CLUSTER_ID_PROPERTY, ClusterProperty, clusterProperty } from 'clusterset/about';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type OfflineWorld, startOffline } from '../../../src/cli/offline.ts';
import { install, withId, withSet } from '../about/fixtures.ts';
import { type Ran, run } from './run.ts';

let world: OfflineWorld;

beforeEach(async () => {
  world = await startOffline(['eu-1', 'us-1', 'bare']);
  for (const name of ['eu-1', 'us-1']) await install(world.cluster(name).connect());
  const eu = world.cluster('eu-1').connect();
  for (const property of [
    withId('eu-1'),
    withSet('shop'),
    clusterProperty('region.example.com', 'eu'),
    clusterProperty('long.example.com', 'x'.repeat(5000)),
  ]) {
    await eu.create(ClusterProperty, property);
  }
});
afterEach(() => world[Symbol.asyncDispose]());

const about = (...args: string[]): Promise<Ran> => run(['about', '--kubeconfig', world.kubeconfig, ...args]);
const join = (name: string, id: string): Promise<Ran> => about('--contexts', name, '--claim', id, '--clusterset', 'shop');

describe('about', () => {
  it('shows who each cluster is, and cuts what is long', async () => {
    const { code, stdout, stderr } = await about('--contexts', 'eu-1,us-1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'asking 2 clusters …' });
    expect(stdout).toMatch(/^CLUSTER +ID +CLUSTERSET +MCS +PROPERTIES$/m);
    expect(stdout).toMatch(/^eu-1 +eu-1 +shop +yes +long\.example\.com=x{39}…, region\.example\.com=eu$/m);
    expect(stdout).toMatch(/^us-1 +- +- +- +-$/m);
    expect(stdout).not.toContain('x'.repeat(41));
  });

  it('shows what is wrong with a cluster below, and what it can not be used for', async () => {
    await world.cluster('us-1').connect().create(ClusterProperty, withId('us.prod'));
    await world.cluster('us-1').connect().create(ClusterProperty, withSet(' '));
    const { code, stdout } = await about('--contexts', 'us-1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^us-1 +us\.prod +- +no +-$/m);
    expect(stdout).toMatch(/^us-1 +clusterset\.k8s\.io: " " must not hold control characters/m);
    expect(stdout).toMatch(/^us-1 +not for multi-cluster Services: it has two DNS labels/m);
  });

  it('has a row for a cluster that is away, and for one without the About API', async () => {
    using _away = world.cluster('us-1').network.cut();
    const { code, stdout } = await about('--contexts', 'eu-1,us-1,bare');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^eu-1 +eu-1 +shop/m);
    expect(stdout).toMatch(/^us-1 +\? +\? +\? +\?$/m);
    expect(stdout).toMatch(/^bare +\? +\? +\? +\?$/m);
    expect(stdout).toContain('clusterset about --print-crd');
  });

  it.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ])('is data with -o %s', async (format, read) => {
    const { code, stdout } = await about('--contexts', 'eu-1,bare', '-o', format);
    expect(code).toBe(1);
    expect(read(stdout)).toEqual({
      clusters: [
        {
          cluster: 'eu-1',
          state: 'read',
          id: 'eu-1',
          clusterSet: 'shop',
          mcs: { usable: true },
          properties: { 'long.example.com': 'x'.repeat(5000), 'region.example.com': 'eu' },
          problems: [],
        },
        { cluster: 'bare', state: 'notInstalled', properties: {}, problems: [expect.stringContaining('not installed')] },
      ],
    });
  });

  it('prints a CRD that can be applied', async () => {
    const { code, stdout, stderr } = await run(['about', '--print-crd']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(parse(stdout)).toEqual(ClusterProperty.crd());
  });
});

describe('about --verify', () => {
  it('is content with a sound set', async () => {
    await join('us-1', 'us-1');
    const { code, stdout } = await about('--contexts', 'eu-1,us-1', '--verify', '--clusterset', 'shop');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 clusters of shop: sound' });
  });

  it('finds an id that two have', async () => {
    await join('us-1', 'eu-1');
    const { code, stdout } = await about('--contexts', 'eu-1,us-1', '--verify');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^eu-1,us-1 +problem +DuplicateId +they have the same id "eu-1"; let all but one leave/m);
    expect(stdout).toMatch(/^2 clusters of shop: broken$/m);
  });

  it('can not say where one is away, and says what is wrong with the others', async () => {
    using _away = world.cluster('us-1').network.cut();
    const alone = await about('--contexts', 'eu-1,us-1', '--verify', '-o', 'json');
    expect(alone.code).toBe(1);
    expect(JSON.parse(alone.stdout)).toMatchObject({
      verdict: 'Unknown',
      clusterSet: 'shop',
      members: [
        { cluster: 'eu-1', state: 'read' },
        { cluster: 'us-1', state: 'unreadable' },
      ],
      findings: [{ reason: 'Unreadable', clusters: ['us-1'] }],
    });
    const { code, stdout } = await about('--contexts', 'eu-1,us-1,bare', '--verify');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^bare +problem +AboutApiMissing/m);
    expect(stdout).toMatch(/^us-1 +unknown +Unreadable/m);
  });

  it('finds members of another ClusterSet', async () => {
    const { code, stdout } = await about('--contexts', 'eu-1', '--verify', '--clusterset', 'test');
    expect(code).toBe(2);
    expect(stdout).toContain('it is a member of "shop", not of "test"');
  });
});

describe('about --claim', () => {
  it('gives a cluster its identity, once', async () => {
    expect(await join('us-1', 'us-1')).toEqual({
      code: 0,
      stdout: 'us-1 is us-1: created cluster.clusterset.k8s.io, clusterset.k8s.io',
      stderr: '',
    });
    expect(await join('us-1', 'us-1')).toEqual({ code: 0, stdout: 'us-1 is us-1 already', stderr: '' });
  });

  it('changes nothing that is there', async () => {
    const { code, stdout, stderr } = await join('eu-1', 'other');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`error: cluster eu-1: ${CLUSTER_ID_PROPERTY}: the cluster is a member of its ClusterSet as "eu-1"`);
    expect(await world.cluster('eu-1').connect().get(ClusterProperty, { name: CLUSTER_ID_PROPERTY })).toMatchObject({
      spec: { value: 'eu-1' },
    });
  });

  it('is data with -o json, also where it is refused', async () => {
    const { code, stdout } = await about('--contexts', 'eu-1', '--claim', 'EU', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ cluster: 'eu-1', claimed: false, created: [], refusal: { reason: 'IdInvalid' } });
  });

  it.each([
    ['of two clusters', ['--contexts', 'eu-1,us-1', '--claim', 'x'], "an id is one cluster's, and 2 are named"],
    ['and --verify', ['--contexts', 'eu-1', '--claim', 'x', '--verify'], '--verify and --claim: use one of them'],
    [
      'of a cluster without the About API',
      ['--contexts', 'bare', '--claim', 'x'],
      'cluster bare: the About API is not installed',
    ],
    ['of nothing', ['--claim', 'x'], 'no clusters are named'],
    ['that is only a ClusterSet', ['--contexts', 'eu-1', '--clusterset', 'shop'], '--clusterset: only with --verify or --claim'],
    ['of a context that is not there', ['--contexts', 'x', '--claim', 'x'], 'has no context "x"'],
  ])('%s is an error', async (_name, args, message) => {
    const { code, stdout, stderr } = await about(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });
});
