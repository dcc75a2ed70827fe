import { type FederatedType, MANAGED_LABEL, OWNER_ANNOTATION } from 'clusterset/federation';
import type { AnyObject, Cluster } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { deploymentTemplate, federatedDeployment } from '../federation/fixtures.ts';
import {
  configMap,
  type Federation,
  federatedConfigMap,
  federatedNamespace,
  placedIn,
  prepareWorld,
  SHOP,
  start,
  WORKLOADS,
} from './start.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];
const OWNER = 'clusterset/federatedconfigmaps.types.kubefed.io/shop/web';
const MARKS = { labels: { [MANAGED_LABEL]: 'true' }, annotations: { [OWNER_ANNOTATION]: OWNER } };

/** What each change of an object looks like, and what the federated object is afterwards. */
const changes: Readonly<Record<string, (federation: Federation) => Promise<unknown>>> = {
  'the template changes': (federation) => federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } }),
  'it is placed elsewhere': (federation) =>
    federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'us-1' }] } } }),
  'it is placed nowhere': (federation) => federation.change('ConfigMap', { spec: { placement: { clusters: [] } } }),
  'it is deleted': (federation) => federation.delete('ConfigMap'),
  'it is deleted and orphans its objects': async (federation) => {
    await federation.change('ConfigMap', { metadata: { annotations: { 'kubefed.io/orphan': 'true' } } });
    await federation.delete('ConfigMap');
  },
  'the controller is restarted': (federation) => federation.restart(),
  'its namespace is no longer federated': (federation) =>
    federation.change(
      'Namespace',
      { spec: { placement: { clusters: [{ name: 'us-1' }] } } },
      { namespace: 'shop', name: 'shop' },
    ),
};

/** A foreign object that could be taken for ours. */
const lookalikes: Readonly<Record<string, AnyObject>> = {
  'an object of the same name': configMap({ color: 'theirs' }),
  'an object of the same name that says the same': configMap({ color: 'red' }),
  'an object that carries our label': configMap({ color: 'theirs' }, { labels: { [MANAGED_LABEL]: 'true' } }),
  'a copy of ours, label and owner included': configMap({ color: 'theirs' }, MARKS),
  'an object of another owner': configMap(
    { color: 'theirs' },
    { ...MARKS, annotations: { [OWNER_ANNOTATION]: 'plane-b/x/shop/web' } },
  ),
};

const cases = Object.keys(lookalikes).flatMap((what) => Object.keys(changes).map((when) => [what, when] as const));

describe('an object that was in a member before', () => {
  it.each(cases)('is never touched: %s, when %s', async (what, when) => {
    const federation = await prepareWorld({ shop: false });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await federation.create(namespace);
    await federation.create(namespace, 'eu-1');
    const before = await federation.create(lookalikes[what] ?? configMap({}), 'eu-1');
    await federation.create(federatedNamespace());
    await federation.run();
    await federation.settle();
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'AlreadyExists' });
    expect(federation.live('eu-2', 'ConfigMap')?.data).toEqual({ color: 'red' });
    await changes[when]?.(federation);
    await federation.advance('40s');
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    if (when.includes('deleted')) expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('is taken for nothing of ours when the namespace was there before either', async () => {
    const federation = await prepareWorld({ shop: false });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await federation.create(namespace);
    const before = await federation.create(namespace, 'eu-1');
    await federation.create(federatedNamespace({ template: { metadata: { labels: { team: 'a' } } } }));
    await federation.run();
    await federation.settle();
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.live('eu-1', 'Namespace', { name: 'shop' })).toEqual(before);
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    await federation.delete('Namespace', { namespace: 'shop', name: 'shop' });
    await federation.advance('5s');
    expect(federation.live('eu-1', 'Namespace', { name: 'shop' })).toEqual(before);
    expect(federation.has('Namespace', { name: 'shop' })).toEqual(['eu-1']);
    expect(federation.has('ConfigMap')).toEqual([]);
  });

  it('makes room for ours when its owner deletes it, without anybody saying so', async () => {
    const federation = await start();
    await federation.create(configMap({ color: 'theirs' }), 'eu-1');
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.remove('eu-1', 'ConfigMap');
    await federation.advance('40s');
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('keeps nobody from having the object in the other members, and says what to do', async () => {
    const federation = await start();
    await federation.create(configMap({ color: 'theirs' }), 'eu-1');
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1: AlreadyExists', 'eu-2', 'us-1']);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([
      { type: 'Propagation', status: 'False', reason: 'CheckClusters', message: 'see eu-1' },
      {},
    ]);
  });
});

describe('an object that is created a moment before ours', () => {
  it('is never touched', async () => {
    const federation = await start();
    let before: AnyObject | undefined;
    federation.tamper = {
      async call(call, go) {
        if (call.verb === 'apply' && call.cluster === 'eu-1' && before === undefined) {
          before = await federation.create(configMap({ color: 'theirs' }), 'eu-1');
        }
        return go();
      },
    };
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(before).toBeDefined();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'AlreadyExists' });
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
  });

  /** Replaces our object by another of its name just before a write reaches the member. */
  const replaceBefore = (federation: Federation, verb: string): { readonly other: () => AnyObject | undefined } => {
    let other: AnyObject | undefined;
    federation.tamper = {
      async call(call, go) {
        if (call.verb === verb && call.cluster === 'eu-1' && other === undefined) {
          await federation.remove('eu-1', 'ConfigMap');
          other = await federation.create(configMap({ color: 'theirs' }, MARKS), 'eu-1');
        }
        return go();
      },
    };
    return { other: () => other };
  };

  it('is not updated in the place of ours', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const { other } = replaceBefore(federation, 'apply');
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.advance('40s');
    expect(other()).toBeDefined();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(other());
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ status: 'AlreadyExists' });
  });

  it('is not deleted in the place of ours', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const { other } = replaceBefore(federation, 'delete');
    await federation.delete('ConfigMap');
    await federation.advance('40s');
    expect(other()).toBeDefined();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(other());
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });

  it('is not released in the place of ours', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({}, { annotations: { 'kubefed.io/orphan': 'true' } }));
    await federation.settle();
    const { other } = replaceBefore(federation, 'patch');
    await federation.delete('ConfigMap');
    await federation.advance('40s');
    expect(other()).toBeDefined();
    expect(federation.live('eu-1', 'ConfigMap')).toEqual(other());
    expect(await federation.object('ConfigMap')).toBeUndefined();
  });
});

describe('a copy of our object', () => {
  it('is left alone under another name, in another namespace, and in another cluster', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: placedIn('eu-1') }));
    await federation.settle();
    const live = federation.live('eu-1', 'ConfigMap');
    const copy = (metadata: Record<string, unknown>): AnyObject => configMap({ color: 'copied' }, { ...MARKS, ...metadata });
    expect(live?.metadata).toMatchObject(MARKS);
    await federation.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bank' } }, 'eu-1');
    const copies = [
      ['eu-1', await federation.create(copy({ name: 'copy' }), 'eu-1')],
      ['eu-1', await federation.create(copy({ namespace: 'bank' }), 'eu-1')],
      ['eu-2', await federation.create(copy({}), 'eu-2')],
    ] as const;
    await federation.settle();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.settle();
    await federation.restart();
    await federation.settle();
    await federation.delete('ConfigMap');
    await federation.settle();
    expect(await federation.object('ConfigMap')).toBeUndefined();
    for (const [cluster, before] of copies) {
      const { name, namespace = '' } = before.metadata;
      expect(federation.live(cluster, 'ConfigMap', { name, namespace })).toEqual(before);
    }
    expect(federation.live('eu-1', 'ConfigMap')).toBeUndefined();
  });
});

describe('two control planes', () => {
  /** Two hosts over the same members: the second is a world of its own whose members lead to the first. */
  async function two(types?: readonly FederatedType[]): Promise<{ readonly a: Federation; readonly b: Federation }> {
    const given = types === undefined ? {} : { types };
    const a = await start({ ...given, controller: { fieldManager: 'plane-a' } });
    const b = await prepareWorld({ ...given, clock: a.world.clock });
    const connect = (entry: { readonly name: string }): Cluster => a.world.connect(entry);
    await b.run({ controller: { fieldManager: 'plane-b' }, connect });
    await a.settle();
    return { a, b };
  }

  it('leave each other’s objects alone', async () => {
    const { a, b } = await two();
    await a.create(federatedConfigMap());
    await a.settle();
    const before = a.live('eu-1', 'ConfigMap');
    await b.create(federatedConfigMap({ template: { data: { color: 'blue' } } }));
    await a.advance('40s');
    expect(a.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await b.entries('ConfigMap')).toEqual(MEMBERS.map((name) => `${name}: AlreadyExists`));
    await b.delete('ConfigMap');
    await a.settle();
    expect(await b.object('ConfigMap')).toBeUndefined();
    expect(a.live('eu-1', 'ConfigMap')).toEqual(before);
    expect(await a.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('take turns: the second gets its object when the first withdraws its own', async () => {
    const { a, b } = await two();
    await a.create(federatedConfigMap());
    await a.settle();
    await b.create(federatedConfigMap({ template: { data: { color: 'blue' } } }));
    await a.settle();
    await a.delete('ConfigMap');
    await a.advance('40s');
    expect(a.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect(await a.object('ConfigMap')).toBeUndefined();
    expect(await b.entries('ConfigMap')).toEqual(MEMBERS);
  });

  it('work side by side on objects of different names, and are quiet', async () => {
    const { a, b } = await two();
    await a.create(federatedConfigMap());
    await b.create(federatedConfigMap({}, { name: 'other' }));
    await a.advance('5s');
    expect(a.has('ConfigMap')).toEqual(MEMBERS);
    expect(a.has('ConfigMap', { namespace: 'shop', name: 'other' })).toEqual(MEMBERS);
    const before = a.versions('eu-1');
    await a.advance('5m');
    expect(a.versions('eu-1')).toEqual(before);
  });

  it('do not count each other’s replicas as their own', async () => {
    const { a, b } = await two(WORKLOADS);
    await b.create(federatedDeployment({ template: replicated(20), placement: placedIn('eu-1') }));
    await a.settle();
    await a.create(federatedDeployment({ template: replicated(1) }));
    await a.create(preference({ totalReplicas: 6 }));
    await a.settle();
    expect(replicasIn(a)).toEqual({ 'eu-1': 20, 'eu-2': 2, 'us-1': 2 });
  });
});

const replicated = (replicas: number): Record<string, unknown> => ({
  ...deploymentTemplate,
  spec: { ...deploymentTemplate.spec, replicas },
});

const preference = (spec: Record<string, unknown>): AnyObject => ({
  apiVersion: 'scheduling.kubefed.io/v1alpha1',
  kind: 'ReplicaSchedulingPreference',
  metadata: SHOP,
  spec: { targetKind: 'FederatedDeployment', ...spec },
});

function replicasIn(federation: Federation): Record<string, unknown> {
  const entries = MEMBERS.map((name) => [
    name,
    (federation.live(name, 'Deployment')?.spec as { replicas?: number } | undefined)?.replicas,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

describe('a host that is a member of its own federation', () => {
  it('keeps its own namespaces, whatever becomes of the FederatedNamespace', async () => {
    const federation = await prepareWorld();
    federation.roster.say([...federation.world.entries, { name: 'host' }]);
    await federation.run();
    await federation.create(federatedConfigMap());
    await federation.settle();
    const before = federation.live('host', 'Namespace', { name: 'shop' });
    expect(federation.live('host', 'ConfigMap')?.data).toEqual({ color: 'red' });
    await federation.change('Namespace', { spec: { placement: { clusters: [] } } }, { namespace: 'shop', name: 'shop' });
    await federation.settle();
    await federation.delete('Namespace', { namespace: 'shop', name: 'shop' });
    await federation.settle();
    expect(federation.live('host', 'Namespace', { name: 'shop' })).toEqual(before);
    expect(federation.live('host', 'ConfigMap')).toBeUndefined();
    expect(await federation.object('Namespace', { namespace: 'shop', name: 'shop' })).toBeUndefined();
  });
});
