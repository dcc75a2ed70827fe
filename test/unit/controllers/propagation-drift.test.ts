import { MANAGED_LABEL, OWNER_ANNOTATION } from 'clusterset/federation';
import { describe, expect, it } from 'vitest';
import { federatedDeployment } from '../federation/fixtures.ts';
import { type Federation, federatedConfigMap, SHOP, start, typesOf, WORKLOADS } from './start.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];

async function placed(): Promise<Federation> {
  const federation = await start();
  await federation.create(federatedConfigMap({ template: { metadata: { labels: { tier: 'front' } }, data: { color: 'red' } } }));
  await federation.settle();
  federation.forget();
  return federation;
}

describe('drift in a member', () => {
  it('is repaired where a field is ours, with one write to that member and none to the others', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { data: { color: 'green' } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
    expect(MEMBERS.flatMap((name) => federation.writes(name))).toEqual(['eu-1: apply ConfigMap shop/web']);
  });

  it('is repaired where a field of ours was removed', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { data: { color: null }, metadata: { labels: { tier: null } } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toMatchObject({
      data: { color: 'red' },
      metadata: { labels: { tier: 'front' } },
    });
  });

  it('is repaired as often as somebody makes it', async () => {
    const federation = await placed();
    for (const color of ['green', 'blue', 'black']) {
      await federation.edit('eu-1', 'ConfigMap', { data: { color } });
      await federation.settle();
      expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
    }
    expect(federation.writes('eu-1')).toHaveLength(3);
  });

  it('is left alone where a field is somebody else’s', async () => {
    const federation = await placed();
    const edited = await federation.edit('eu-1', 'ConfigMap', {
      data: { size: 'l' },
      metadata: { labels: { team: 'a' }, annotations: { note: 'mine' }, finalizers: ['shop.dev/hold'] },
    });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(edited);
    expect(federation.writes('eu-1')).toEqual([]);
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toMatchObject({
      data: { color: 'blue', size: 'l' },
      metadata: { labels: { team: 'a', tier: 'front' }, annotations: { note: 'mine' }, finalizers: ['shop.dev/hold'] },
    });
  });

  it('leaves a restart by kubectl alone', async () => {
    const federation = await start({ types: WORKLOADS });
    await federation.create(federatedDeployment());
    await federation.settle();
    federation.forget();
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
    await federation.edit('eu-1', 'Deployment', { spec: { template: { metadata: { annotations } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'Deployment')?.spec).toMatchObject({ template: { metadata: { annotations } } });
    expect(federation.writes('eu-1')).toEqual([]);
  });

  it('leaves a container alone that somebody has added, and repairs one of ours', async () => {
    const federation = await start({ types: WORKLOADS });
    await federation.create(federatedDeployment());
    await federation.settle();
    await federation.as('injector', 'eu-1').patch(federation.target('Deployment'), SHOP, {
      type: 'json',
      operations: [
        { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'side', image: 'side:1' } },
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'shop/web:hacked' },
      ],
    });
    await federation.settle();
    const live = federation.live('eu-1', 'Deployment') as { spec?: { template?: { spec?: { containers?: readonly object[] } } } };
    expect(live.spec?.template?.spec?.containers).toMatchObject([
      { name: 'web', image: 'shop/web:1' },
      { name: 'log', image: 'shop/log:1' },
      { name: 'side', image: 'side:1' },
    ]);
  });

  it('brings a member object back that somebody has deleted', async () => {
    const federation = await placed();
    await federation.remove('eu-1', 'ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(MEMBERS.flatMap((name) => federation.writes(name))).toEqual(['eu-1: apply ConfigMap shop/web']);
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('waits for a member object that is being deleted, says so, and brings it back when it is gone', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { finalizers: ['shop.dev/hold'] } });
    await federation.remove('eu-1', 'ConfigMap');
    await federation.settle();
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'WaitingForRemoval' });
    await federation.edit('eu-1', 'ConfigMap', { metadata: { finalizers: null } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.metadata.deletionTimestamp).toBeUndefined();
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('is repaired when a member returns that was out of reach', async () => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance('60s');
    await federation.edit('eu-2', 'ConfigMap', { data: { color: 'green' } });
    federation.editInside('eu-1', federation.target('ConfigMap'), { data: { color: 'green' } }, SHOP);
    await federation.settle();
    expect(federation.live('eu-2', 'ConfigMap')?.data).toEqual({ color: 'red' });
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'green' });
    cut[Symbol.dispose]();
    await federation.advance('90s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
  });

  it('is repaired after a compaction of the history, too', async () => {
    const federation = await placed();
    const cut = federation.world.partition('eu-1');
    await federation.advance('1s');
    cut[Symbol.dispose]();
    await federation.remove('eu-1', 'ConfigMap');
    federation.world.cluster('eu-1').compact();
    await federation.advance('90s');
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
  });
});

describe('the mark of ownership', () => {
  it('is what counts: where somebody takes the owner annotation away, the object is left to them', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { annotations: { [OWNER_ANNOTATION]: null } } });
    const before = federation.live('eu-1', 'ConfigMap');
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.advance('90s');
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'AlreadyExists' });
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('is put back where somebody takes the label away', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { labels: { [MANAGED_LABEL]: null } } });
    await federation.advance('90s');
    expect(federation.live('eu-1', 'ConfigMap')?.metadata.labels).toHaveProperty([MANAGED_LABEL], 'true');
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('leaves no orphan of an object whose label somebody has taken away', async () => {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { labels: { [MANAGED_LABEL]: null } } });
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
  });
});

describe(`the label ${MANAGED_LABEL}=false`, () => {
  async function released(): Promise<Federation> {
    const federation = await placed();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { labels: { [MANAGED_LABEL]: 'false' } }, data: { color: 'green' } });
    await federation.settle();
    return federation;
  }

  it('stops management in its cluster, and in no other', async () => {
    const federation = await released();
    const before = federation.live('eu-1', 'ConfigMap');
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.advance('90s');
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(federation.live('eu-2', 'ConfigMap')?.data).toEqual({ color: 'blue' });
  });

  it('is in the status', async () => {
    const federation = await released();
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'ManagedLabelFalse' });
  });

  it('keeps the object where it is no longer placed, and when the federated object is deleted', async () => {
    const federation = await released();
    const before = federation.live('eu-1', 'ConfigMap');
    await federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'us-1' }] } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'us-1']);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('gives the object back where it is taken away again', async () => {
    const federation = await released();
    await federation.edit('eu-1', 'ConfigMap', { metadata: { labels: { [MANAGED_LABEL]: 'true' } } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });
});

describe('replicas that belong to an autoscaler', () => {
  const scale = (federation: Federation, cluster: string, count: number): Promise<unknown> =>
    federation.edit(cluster, 'Deployment', { spec: { replicas: count } }, SHOP, 'horizontal-pod-autoscaler');
  const replicas = (federation: Federation, cluster: string): unknown =>
    (federation.live(cluster, 'Deployment')?.spec as { replicas?: number } | undefined)?.replicas;

  async function retained(spec: Record<string, unknown> = {}): Promise<Federation> {
    const federation = await start({ types: WORKLOADS });
    await federation.create(federatedDeployment({ retainReplicas: true, ...spec }));
    await federation.settle();
    federation.forget();
    return federation;
  }

  it('start as the template says, and are never fought over', async () => {
    const federation = await retained();
    expect(replicas(federation, 'eu-1')).toBe(3);
    for (const count of [5, 8, 2, 3, 7]) {
      await scale(federation, 'eu-1', count);
      await federation.settle();
      expect(replicas(federation, 'eu-1')).toBe(count);
    }
    expect(federation.writes('eu-1')).toEqual([]);
  });

  it('stay through a change of the image, and through a restart', async () => {
    const federation = await retained();
    await scale(federation, 'eu-1', 7);
    await federation.settle();
    await federation.change('Deployment', { spec: { template: { metadata: { labels: { version: '2' } } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'Deployment')?.metadata.labels).toMatchObject({ version: '2' });
    expect([replicas(federation, 'eu-1'), replicas(federation, 'us-1')]).toEqual([7, 3]);
    await federation.restart();
    await federation.change('Deployment', { spec: { template: { spec: { replicas: 4, paused: true } } } });
    await federation.settle();
    expect([replicas(federation, 'eu-1'), replicas(federation, 'us-1')]).toEqual([7, 3]);
  });

  it('stay where they were scaled at the very moment of a change', async () => {
    const federation = await retained();
    let count = 10;
    federation.tamper = {
      async call(call, go) {
        if (call.verb === 'apply' && call.cluster === 'eu-1' && count === 10) {
          count = 11;
          await scale(federation, 'eu-1', count);
        }
        return go();
      },
    };
    await federation.change('Deployment', { spec: { template: { metadata: { labels: { version: '2' } } } } });
    await federation.settle();
    expect(replicas(federation, 'eu-1')).toBe(11);
    expect(federation.live('eu-1', 'Deployment')?.metadata.labels).toMatchObject({ version: '2' });
  });

  it('are ours where an override says what they should be', async () => {
    const federation = await retained({
      overrides: [{ clusterName: 'eu-1', clusterOverrides: [{ path: '/spec/replicas', value: 6 }] }],
    });
    await scale(federation, 'eu-1', 9);
    await scale(federation, 'us-1', 9);
    await federation.settle();
    expect([replicas(federation, 'eu-1'), replicas(federation, 'us-1')]).toEqual([6, 9]);
  });

  it('are repaired where they are not retained', async () => {
    const federation = await retained({ retainReplicas: false });
    await scale(federation, 'eu-1', 9);
    await federation.settle();
    expect(replicas(federation, 'eu-1')).toBe(3);
  });

  it('are taken over when they are no longer retained, and given away when they are', async () => {
    const federation = await retained();
    await scale(federation, 'eu-1', 9);
    await federation.change('Deployment', { spec: { retainReplicas: false } });
    await federation.settle();
    expect(replicas(federation, 'eu-1')).toBe(3);
    await federation.change('Deployment', { spec: { retainReplicas: true } });
    await federation.settle();
    expect(replicas(federation, 'eu-1')).toBe(3);
    await scale(federation, 'eu-1', 9);
    await federation.settle();
    expect(replicas(federation, 'eu-1')).toBe(9);
  });
});

describe('a Service', () => {
  it('keeps the addresses and node ports that its cluster has given it', async () => {
    const federation = await start({ types: typesOf('Namespace', 'Service') });
    await federation.create({
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedService',
      metadata: SHOP,
      spec: {
        placement: { clusterSelector: {} },
        template: { spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] } },
      },
    });
    await federation.settle();
    const before = federation.live('eu-1', 'Service')?.spec;
    federation.forget();
    await federation.change('Service', { spec: { template: { spec: { selector: { app: 'shop' } } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'Service')?.spec).toEqual({ ...(before as object), selector: { app: 'shop' } });
    expect(federation.writes('eu-1')).toEqual(['eu-1: apply Service shop/web']);
  });
});
