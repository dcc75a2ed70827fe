import type { AnyObject, Json } from 'clusterset/kube';
import { ReplicaSchedulingPreference } from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import { deploymentTemplate, federatedDeployment } from '../federation/fixtures.ts';
import { type Federation, placedIn, prepareWorld, SHOP, type StartOptions, start, WORKLOADS } from './start.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];
const preferences = ReplicaSchedulingPreference as unknown as Parameters<ReturnType<Federation['as']>['patch']>[0];

function preference(spec: Record<string, unknown>): AnyObject {
  return {
    apiVersion: 'scheduling.kubefed.io/v1alpha1',
    kind: 'ReplicaSchedulingPreference',
    metadata: SHOP,
    spec: { targetKind: 'FederatedDeployment', ...spec },
  };
}

const prefer = (federation: Federation, spec: Json): Promise<unknown> =>
  federation.as('kubectl', 'host').patch(preferences, SHOP, { type: 'merge', body: { spec } });

/** Replicas by cluster; clusters without the object are left out. */
function replicas(federation: Federation): Record<string, number> {
  const found = [...federation.world.members.keys()].flatMap((name) => {
    const live = federation.live(name, 'Deployment');
    return live === undefined ? [] : [[name, (live.spec as { replicas: number }).replicas]];
  });
  return Object.fromEntries(found) as Record<string, number>;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, count) => total + count, 0);

async function divided(
  spec: Record<string, unknown>,
  deployment: Record<string, unknown> = {},
  options: StartOptions = {},
): Promise<Federation> {
  const federation = await prepareWorld({ types: WORKLOADS, ...options });
  await federation.create(preference(spec));
  await federation.run(options);
  await federation.settle();
  await federation.create(federatedDeployment(deployment));
  await federation.settle();
  return federation;
}

describe('a ReplicaSchedulingPreference', () => {
  it('divides by weight, in place of what the template says', async () => {
    const federation = await divided({
      totalReplicas: 12,
      clusters: { 'eu-1': { weight: 1 }, 'eu-2': { weight: 2 }, 'us-1': { weight: 3 } },
    });
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 4, 'us-1': 6 });
  });

  it('divides evenly where it says nothing of clusters', async () => {
    const federation = await divided({ totalReplicas: 9 });
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });

  it('keeps to minimums and maximums', async () => {
    const federation = await divided({
      totalReplicas: 20,
      rebalance: true,
      clusters: { 'eu-1': { weight: 1, maxReplicas: 3 }, 'eu-2': { minReplicas: 5 }, 'us-1': { weight: 1 } },
    });
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 5, 'us-1': 12 });
  });

  it('uses every ready cluster, whatever the placement says', async () => {
    const federation = await divided({ totalReplicas: 6 }, { placement: placedIn('eu-1') });
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 2, 'us-1': 2 });
  });

  it('stays within the selector of the placement where it is told to', async () => {
    const selector = { clusterSelector: { matchLabels: { region: 'eu' } } };
    const federation = await divided({ totalReplicas: 6, intersectWithClusterSelector: true }, { placement: selector });
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3 });
  });

  it('stays within the namespace', async () => {
    const federation = await divided({ totalReplicas: 6 });
    const key = { namespace: 'shop', name: 'shop' };
    await federation.change('Namespace', { spec: { placement: { clusters: [{ name: 'eu-1' }, { name: 'us-1' }] } } }, key);
    await federation.advance('5s');
    expect(federation.has('Deployment')).toEqual(['eu-1', 'us-1']);
    expect(sum(replicas(federation))).toBe(6);
  });

  it('stands above overrides of replicas, and leaves other overrides alone', async () => {
    const federation = await divided(
      { totalReplicas: 6 },
      {
        overrides: [
          {
            clusterName: 'eu-1',
            clusterOverrides: [
              { path: '/spec/replicas', value: 50 },
              { op: 'add', path: '/spec/paused', value: true },
            ],
          },
        ],
      },
    );
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 2, 'us-1': 2 });
    expect(federation.live('eu-1', 'Deployment')?.spec).toMatchObject({ paused: true });
  });

  it('says in the status how many replicas a cluster gets, and why', async () => {
    const federation = await divided(
      { totalReplicas: 6, clusters: { 'eu-1': { weight: 1 }, 'us-1': { minReplicas: 2 } } },
      {},
      { rollouts: {} },
    );
    await federation.advance('5s');
    const messages = await Promise.all(MEMBERS.map(async (name) => (await federation.entry('Deployment', name))?.message ?? ''));
    expect(messages[0]).toMatch(/4/);
    expect(messages[1]).not.toBe('');
    expect(messages[2]).toMatch(/minimum|minReplicas/i);
    expect(replicas(federation)).toEqual({ 'eu-1': 4, 'eu-2': 0, 'us-1': 2 });
  });

  it('counts from the moment it is created, and until it is deleted', async () => {
    const federation = await start({ types: WORKLOADS });
    await federation.create(federatedDeployment());
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
    await federation.create(preference({ totalReplicas: 30, rebalance: true }));
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 10, 'eu-2': 10, 'us-1': 10 });
    await federation.as('kubectl', 'host').delete(preferences, SHOP);
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });

  it('concerns only the kind that it names', async () => {
    const federation = await divided({ totalReplicas: 30, targetKind: 'FederatedReplicaSet' });
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });

  it('writes nothing anywhere where it makes no sense, and says so', async () => {
    const federation = await divided({ totalReplicas: 6, clusters: { 'eu-1': { minReplicas: -4 }, '*': { weight: 1 } } });
    expect(replicas(federation)).toEqual({});
    expect((await federation.status('Deployment')).conditions).toMatchObject([{ status: 'False', reason: 'InvalidObject' }, {}]);
  });

  it('leaves everything as it is where nobody may have the object', async () => {
    const federation = await divided({ totalReplicas: 6 });
    await prefer(federation, { intersectWithClusterSelector: true });
    await federation.change('Deployment', { spec: { placement: { clusterSelector: { matchLabels: { region: 'moon' } } } } });
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 2, 'us-1': 2 });
  });

  it('is repaired where somebody scales a member by hand', async () => {
    const federation = await divided({ totalReplicas: 6 });
    await federation.edit('eu-1', 'Deployment', { spec: { replicas: 9 } });
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 2, 'us-1': 2 });
  });

  it('leaves what runs where it runs without rebalance', async () => {
    const federation = await divided({ totalReplicas: 9 });
    await prefer(federation, { clusters: { 'eu-1': { weight: 8 }, '*': { weight: 1 } } });
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
    await prefer(federation, { totalReplicas: 12 });
    await federation.settle();
    expect(sum(replicas(federation))).toBe(12);
    expect(replicas(federation)).toMatchObject({ 'eu-2': 3, 'us-1': 3 });
  });

  it('moves what runs with rebalance', async () => {
    const federation = await divided({ totalReplicas: 10, rebalance: true });
    await prefer(federation, { clusters: { 'eu-1': { weight: 8 }, '*': { weight: 1 } } });
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 8, 'eu-2': 1, 'us-1': 1 });
  });
});

describe('a member that is lost', () => {
  it('has its replicas elsewhere, keeps its object, and the status says why', async () => {
    const federation = await divided({ totalReplicas: 9 });
    const before = federation.live('us-1', 'Deployment');
    using _ = federation.world.partition('us-1');
    await federation.advance('60s');
    const { 'us-1': kept, ...others } = replicas(federation);
    expect(kept).toBe(3);
    expect(sum(others)).toBe(9);
    expect(federation.live('us-1', 'Deployment')).toEqual(before);
    expect(await federation.entry('Deployment', 'us-1')).toMatchObject({
      status: 'ClusterNotReady',
      message: expect.stringContaining('its replicas are elsewhere'),
    });
  });

  it('gets its replicas back with rebalance when it returns', async () => {
    const federation = await divided({ totalReplicas: 9, rebalance: true });
    const cut = federation.world.partition('us-1');
    await federation.advance('60s');
    expect(sum(replicas(federation))).toBe(12);
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
    expect((await federation.status('Deployment')).conditions).toMatchObject([{ type: 'Propagation', status: 'True' }, {}]);
  });

  it('is back to the total without rebalance when it returns, and nothing is deleted', async () => {
    const federation = await divided({ totalReplicas: 9 });
    const cut = federation.world.partition('us-1');
    await federation.advance('60s');
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(sum(replicas(federation))).toBe(9);
    expect(federation.has('Deployment')).toEqual(MEMBERS);
    expect(federation.calls.filter(({ verb }) => verb === 'delete')).toEqual([]);
  });

  it('loses nothing to a short hiccup', async () => {
    const federation = await divided({ totalReplicas: 9 });
    federation.forget();
    const cut = federation.world.partition('us-1');
    await federation.advance('5s');
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(MEMBERS.flatMap((name) => federation.writes(name))).toEqual([]);
  });

  it('loses its object where it is taken out of the placement while it is away', async () => {
    const federation = await divided(
      { totalReplicas: 9, intersectWithClusterSelector: true },
      { placement: placedIn('eu-1', 'us-1') },
    );
    expect(federation.has('Deployment')).toEqual(['eu-1', 'us-1']);
    const cut = federation.world.partition('us-1');
    await federation.advance('60s');
    await federation.change('Deployment', { spec: { placement: { clusters: [{ name: 'eu-1' }] } } });
    await federation.settle();
    cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(replicas(federation)).toEqual({ 'eu-1': 9 });
  });

  it('takes nothing along where all are lost', async () => {
    const federation = await divided({ totalReplicas: 9 });
    const cuts = MEMBERS.map((name) => federation.world.partition(name));
    await federation.advance('60s');
    for (const cut of cuts) cut[Symbol.dispose]();
    await federation.advance('60s');
    expect(sum(replicas(federation))).toBe(9);
    expect(federation.has('Deployment')).toEqual(MEMBERS);
  });
});

describe('a restart of the controller', () => {
  /** Asks one member later than the others, as over a long line. */
  const slow = (federation: Federation, name: string, ms: number): void => {
    federation.tamper = {
      async call(call, go) {
        if (call.cluster === name) await new Promise<void>((resolve) => federation.world.clock.after(ms, resolve));
        return go();
      },
    };
  };

  it('moves no replicas', async () => {
    const federation = await divided({ totalReplicas: 9 });
    const before = federation.versions();
    await federation.restart();
    await federation.advance('5s');
    expect(federation.versions()).toEqual(before);
  });

  it('moves no replicas that are where the plan from nothing would not have them', async () => {
    const federation = await divided({ totalReplicas: 9 });
    await prefer(federation, { clusters: { 'eu-1': { weight: 8 }, '*': { weight: 1 } } });
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
    federation.forget();
    await federation.restart();
    await federation.advance('5s');
    expect(MEMBERS.flatMap((name) => federation.changes(name))).toEqual([]);
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });

  it.each([50, 300, 1500])('moves no replicas when one member answers %i ms later than the others', async (ms) => {
    const federation = await divided({ totalReplicas: 9, rebalance: true });
    await federation.halt();
    slow(federation, 'us-1', ms);
    federation.forget();
    await federation.run();
    await federation.advance('30s');
    expect(MEMBERS.flatMap((name) => federation.changes(name))).toEqual([]);
  });

  it.each([50, 300, 1500])('moves no replicas without rebalance when lists take %i ms', async (ms) => {
    const federation = await divided({ totalReplicas: 9 });
    await prefer(federation, { clusters: { 'eu-1': { weight: 8 }, '*': { weight: 1 } } });
    await federation.settle();
    await federation.halt();
    federation.tamper = {
      async call(call, go) {
        if (call.verb === 'list' && call.cluster !== 'host') {
          await new Promise<void>((resolve) => federation.world.clock.after(ms, resolve));
        }
        return go();
      },
    };
    federation.forget();
    await federation.run();
    await federation.advance('30s');
    expect(MEMBERS.flatMap((name) => federation.changes(name))).toEqual([]);
  });

  it('gives a member that is just joining nothing to lose: all get their share, however late they answer', async () => {
    const federation = await prepareWorld({ types: WORKLOADS });
    await federation.create(preference({ totalReplicas: 9, rebalance: true }));
    await federation.create(federatedDeployment({ template: deploymentTemplate }));
    slow(federation, 'us-1', 1500);
    await federation.run();
    await federation.advance('30s');
    expect(replicas(federation)).toEqual({ 'eu-1': 3, 'eu-2': 3, 'us-1': 3 });
  });
});

describe('replicas of an autoscaler', () => {
  it('are the division’s as long as there is one', async () => {
    const federation = await divided({ totalReplicas: 6 }, { retainReplicas: true });
    await federation.edit('eu-1', 'Deployment', { spec: { replicas: 9 } }, SHOP, 'horizontal-pod-autoscaler');
    await federation.settle();
    expect(replicas(federation)).toEqual({ 'eu-1': 2, 'eu-2': 2, 'us-1': 2 });
  });
});
