import { afterEach, describe, expect, it } from 'vitest';
import { federatedDeployment } from '../federation/fixtures.ts';
import { type Federation, federatedConfigMap, SHOP, start, WORKLOADS } from './start.ts';

const faults: Disposable[] = [];

afterEach(() => {
  for (const fault of faults.splice(0)) fault[Symbol.dispose]();
});

/** `/readyz` of one member says no from now on; everything else of it works. */
async function degrade(federation: Federation, name = 'eu-1', code = 500): Promise<() => Promise<void>> {
  const fault = federation.network(name).fail({ code }, { resources: ['/readyz'] });
  faults.push(fault);
  await federation.advance('31s');
  return async () => {
    fault[Symbol.dispose]();
    await federation.advance('11s');
  };
}

describe('a member that answers and is not ready', () => {
  it.each([
    ['its /readyz says no', 500],
    ['it does not let us see whether it is', 403],
  ])('has what it has looked after, where %s', async (_, code) => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await degrade(federation, 'eu-1', code);
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    await federation.remove('eu-1', 'ConfigMap');
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('gets nothing new until it is ready, and the status says why', async () => {
    const federation = await start();
    const mend = await degrade(federation);
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-2', 'us-1']);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({
      status: 'ClusterNotReady',
      message: expect.stringContaining('its /readyz does not say ok'),
    });
    await mend();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('holds up no deletion', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await degrade(federation);
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('keeps what it has of a division, which gives its share to others', async () => {
    const federation = await start({ types: WORKLOADS });
    await federation.create({
      apiVersion: 'scheduling.kubefed.io/v1alpha1',
      kind: 'ReplicaSchedulingPreference',
      metadata: SHOP,
      spec: { targetKind: 'FederatedDeployment', totalReplicas: 9, rebalance: true },
    });
    await federation.create(federatedDeployment());
    await federation.settle();
    const replicas = (): unknown[] =>
      ['eu-1', 'eu-2', 'us-1'].map(
        (name) => (federation.live(name, 'Deployment')?.spec as { replicas?: number } | undefined)?.replicas,
      );
    expect(replicas()).toEqual([3, 3, 3]);
    const mend = await degrade(federation);
    const [kept, ...others] = replicas() as number[];
    expect([kept, others.reduce((sum, each) => sum + each, 0)]).toEqual([3, 9]);
    expect(await federation.entry('Deployment', 'eu-1')).toMatchObject({ status: 'ClusterNotReady' });
    await mend();
    expect(replicas()).toEqual([3, 3, 3]);
  });
});
