import { type FederatedType, federatedTypeOf, OWNER_ANNOTATION } from 'clusterset/federation';
import { type AnyObject, resourceType } from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import { federatedDeployment } from '../federation/fixtures.ts';
import { federatedConfigMap, federatedNamespace, placedIn, SHOP, start, typesOf, WORKLOADS } from './start.ts';

const EU = { clusterSelector: { matchLabels: { region: 'eu' } } };

describe('the propagation controller', () => {
  it('brings an object to the members that its placement selects, and says on the host how far it is', async () => {
    const federation = await start({ types: WORKLOADS, rollouts: {} });
    await federation.create(federatedDeployment({ placement: EU }));
    await federation.advance('10s');
    expect(federation.has('Deployment')).toEqual(['eu-1', 'eu-2']);
    expect(federation.live('eu-1', 'Deployment')?.spec).toMatchObject({ replicas: 3 });
    expect(await federation.status('Deployment')).toMatchObject({
      observedGeneration: 1,
      conditions: [
        { type: 'Propagation', status: 'True' },
        { type: 'RolledOut', status: 'True' },
      ],
      clusters: [
        { name: 'eu-1', rollout: 'Complete', replicas: 3, readyReplicas: 3 },
        { name: 'eu-2', rollout: 'Complete', replicas: 3, readyReplicas: 3 },
      ],
    });
    expect(federation.errors).toEqual([]);
  });

  it('says that a rollout goes on while it does', async () => {
    const federation = await start({ types: WORKLOADS, rollouts: { stepMs: 5000 } });
    await federation.create(federatedDeployment());
    await federation.settle();
    expect((await federation.status('Deployment')).conditions).toMatchObject([
      { type: 'Propagation', status: 'True' },
      { type: 'RolledOut', status: 'False', reason: 'Progressing', message: 'waiting for eu-1, eu-2, us-1' },
    ]);
    await federation.advance('30s');
    expect((await federation.status('Deployment')).conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('writes with its own field manager, and marks what it writes with label and owner', async () => {
    const federation = await start({ controller: { fieldManager: 'plane-a' } });
    await federation.create(federatedConfigMap());
    await federation.settle();
    const live = federation.live('eu-1', 'ConfigMap');
    expect(live?.metadata.labels).toEqual({ 'kubefed.io/managed': 'true' });
    expect(live?.metadata.annotations).toEqual({
      [OWNER_ANNOTATION]: 'plane-a/federatedconfigmaps.types.kubefed.io/shop/web',
    });
    expect(live?.metadata.managedFields).toMatchObject([{ manager: 'plane-a', operation: 'Apply' }]);
  });

  it('brings a change of the template to all members', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue', size: 'l' } } } });
    await federation.settle();
    for (const name of ['eu-1', 'eu-2', 'us-1']) {
      expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'blue', size: 'l' });
    }
    expect((await federation.status('ConfigMap')).observedGeneration).toBe(2);
  });

  it('removes a field that the template no longer has', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ template: { data: { color: 'red', size: 'l' } } }));
    await federation.settle();
    await federation.change('ConfigMap', { spec: { template: { data: { size: null } } } });
    await federation.settle();
    expect(federation.live('us-1', 'ConfigMap')?.data).toEqual({ color: 'red' });
  });

  it('takes an object away where it is no longer placed, and brings it back where it is placed again', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'us-1' }] } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['us-1']);
    expect(await federation.entries('ConfigMap')).toEqual(['us-1']);
    await federation.change('ConfigMap', { spec: { placement: { clusters: [{ name: 'eu-2' }] } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-2']);
    await federation.change('ConfigMap', { spec: { placement: { clusters: [] } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await federation.entries('ConfigMap')).toEqual([]);
    await federation.change('ConfigMap', { spec: { placement: { clusters: null } } });
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('puts an object nowhere that has no placement, and says so without an error', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: {} }));
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ type: 'Propagation', status: 'True' }, {}]);
  });

  it('follows labels of clusters as they change, and clusters as they join', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: EU }));
    const [first, ...others] = federation.roster.entries;
    federation.roster.say(others);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-2']);
    federation.roster.say([
      ...(first === undefined ? [] : [first]),
      ...others.map((entry) => ({ ...entry, labels: { region: 'eu' } })),
    ]);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    federation.roster.say(federation.world.entries);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2']);
  });

  it('leaves the objects of a member that leaves the set, and takes it out of the status', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.roster.say(federation.world.entries.filter(({ name }) => name !== 'us-1'));
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1', 'eu-2']);
    federation.roster.say(federation.world.entries);
    federation.forget();
    await federation.settle();
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.writes('us-1')).toEqual([]);
  });

  it('connects anew where the connection of a cluster changes, and rewrites nothing', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    federation.roster.say(federation.world.entries.map((entry) => ({ ...entry, auth: { context: 'another' } })));
    await federation.settle();
    expect(federation.writes('eu-1')).toEqual([]);
    await federation.remove('eu-1', 'ConfigMap');
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('gives each member its overrides: those by selector first, then those by name', async () => {
    const federation = await start();
    await federation.create(
      federatedConfigMap({
        overrides: [
          { clusterName: 'eu-1', clusterOverrides: [{ path: '/data/color', value: 'blue' }] },
          {
            clusterSelector: { matchLabels: { region: 'eu' } },
            clusterOverrides: [
              { path: '/data/color', value: 'green' },
              { op: 'add', path: '/data/zone', value: 'eu' },
            ],
          },
          { clusterName: 'us-1', clusterOverrides: [{ op: 'remove', path: '/data/color' }] },
        ],
      }),
    );
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'blue', zone: 'eu' });
    expect(federation.live('eu-2', 'ConfigMap')?.data).toEqual({ color: 'green', zone: 'eu' });
    expect(federation.live('us-1', 'ConfigMap')?.data ?? {}).toEqual({});
    await federation.change('ConfigMap', { spec: { overrides: null } });
    await federation.settle();
    for (const name of ['eu-1', 'eu-2', 'us-1']) expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'red' });
  });

  it('takes a replace of something missing for an add where it is told to', async () => {
    const federation = await start({ controller: { replaceMissing: 'add' } });
    await federation.create(
      federatedConfigMap({ overrides: [{ clusterName: 'eu-1', clusterOverrides: [{ path: '/data/zone', value: 'a' }] }] }),
    );
    await federation.settle();
    expect(federation.live('eu-1', 'ConfigMap')?.data).toEqual({ color: 'red', zone: 'a' });
  });

  it('brings cluster-scoped objects to members, without a namespace in between', async () => {
    const federation = await start({ shop: false, types: typesOf('Namespace', 'ClusterRole') });
    await federation.create({
      apiVersion: 'types.kubefed.io/v1beta1',
      kind: 'FederatedClusterRole',
      metadata: { name: 'web' },
      spec: { template: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }, placement: EU },
    });
    await federation.settle();
    expect(federation.has('ClusterRole')).toEqual(['eu-1', 'eu-2']);
    await federation.delete('ClusterRole');
    await federation.settle();
    expect(federation.has('ClusterRole')).toEqual([]);
    expect(await federation.object('ClusterRole')).toBeUndefined();
  });

  it('says of an unknown cluster that it is unknown, and goes on with the others', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ placement: placedIn('eu-1', 'moon') }));
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(await federation.entry('ConfigMap', 'moon')).toMatchObject({
      status: 'UnknownCluster',
      message: 'there is no cluster "moon"',
    });
    expect(await federation.entry('ConfigMap', 'eu-1')).toMatchObject({ rollout: 'Complete' });
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ status: 'False', reason: 'CheckClusters' }, {}]);
  });

  it('finds an unknown cluster in an override, too', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap({ overrides: [{ clusterName: 'moon', clusterOverrides: [] }] }));
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(await federation.entries('ConfigMap')).toContain('moon: UnknownCluster');
  });

  it('brings a custom resource and its definition to members in the same run, by configuration', async () => {
    const federation = await start({ types: [...typesOf('Namespace', 'CustomResourceDefinition'), widgets] });
    await federation.create(federatedWidget);
    await federation.advance('1s');
    expect(await federation.entry('Widget', 'eu-1')).toMatchObject({ status: 'TypeNotServed' });
    await federation.create(federatedWidgetDefinition);
    await federation.advance('30s');
    expect(federation.has('CustomResourceDefinition', { name: 'widgets.shop.dev' })).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.has('Widget')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.live('eu-1', 'Widget')?.spec).toEqual({ size: 3 });
    expect((await federation.status('Widget')).conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('repairs a custom resource like any other object', async () => {
    const federation = await start({ types: [...typesOf('Namespace', 'CustomResourceDefinition'), widgets] });
    await federation.create(federatedWidgetDefinition);
    await federation.create(federatedWidget);
    await federation.advance('30s');
    await federation.edit('us-1', 'Widget', { spec: { size: 9, extra: 'kept' } });
    await federation.settle();
    expect(federation.live('us-1', 'Widget')?.spec).toEqual({ size: 3, extra: 'kept' });
    await federation.delete('Widget');
    await federation.settle();
    expect(federation.has('Widget')).toEqual([]);
    expect(await federation.object('Widget')).toBeUndefined();
  });
});

const definitions = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

const widgets: FederatedType = federatedTypeOf({
  apiVersion: 'core.kubefed.io/v1beta1',
  kind: 'FederatedTypeConfig',
  metadata: { name: 'widgets.shop.dev', namespace: 'kube-federation-system' },
  spec: {
    targetType: { version: 'v1', kind: 'Widget', scope: 'Namespaced' },
    federatedType: { group: 'types.shop.dev', version: 'v1', kind: 'FederatedWidget', scope: 'Namespaced' },
    propagation: 'Enabled',
  },
});

const federatedWidget: AnyObject = {
  apiVersion: 'types.shop.dev/v1',
  kind: 'FederatedWidget',
  metadata: SHOP,
  spec: { template: { spec: { size: 3 } }, placement: { clusterSelector: {} } },
};

const federatedWidgetDefinition: AnyObject = {
  apiVersion: 'types.kubefed.io/v1beta1',
  kind: 'FederatedCustomResourceDefinition',
  metadata: { name: 'widgets.shop.dev' },
  spec: {
    placement: { clusterSelector: {} },
    template: {
      spec: {
        group: 'shop.dev',
        scope: 'Namespaced',
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: { type: 'object', properties: { size: { type: 'integer' }, extra: { type: 'string' } } },
                },
              },
            },
          },
        ],
      },
    },
  },
};

const SHOP_NAMESPACE = { namespace: 'shop', name: 'shop' };

describe('namespaces', () => {
  const host = async (federation: Awaited<ReturnType<typeof start>>, name = 'shop'): Promise<void> => {
    await federation.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  };

  it('leaves an object nowhere whose namespace has no FederatedNamespace, and says why', async () => {
    const federation = await start({ shop: false });
    await host(federation);
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([
      { type: 'Propagation', status: 'False', reason: 'NamespaceNotFederated' },
      { type: 'RolledOut', status: 'False', reason: 'NotPropagated' },
    ]);
  });

  it('places an object as soon as its namespace is federated: the namespace comes first', async () => {
    const federation = await start({ shop: false });
    await host(federation);
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    await federation.create(federatedNamespace());
    await federation.advance('5s');
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    for (const name of ['eu-1', 'eu-2', 'us-1']) {
      const done = federation.changes(name);
      expect(done).toEqual([`${name}: apply Namespace shop`, `${name}: apply ConfigMap shop/web`]);
    }
  });

  it('places an object only where its namespace is placed as well', async () => {
    const federation = await start({ shop: false });
    await host(federation);
    await federation.create(federatedNamespace({ placement: EU }));
    await federation.create(federatedConfigMap({ placement: placedIn('eu-2', 'us-1') }));
    await federation.settle();
    expect(federation.has('Namespace', SHOP_NAMESPACE)).toEqual(['eu-1', 'eu-2']);
    expect(federation.has('ConfigMap')).toEqual(['eu-2']);
  });

  it('decides everything in a namespace anew when its FederatedNamespace changes', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.create(federatedConfigMap({}, { name: 'other' }));
    await federation.settle();
    await federation.change('Namespace', { spec: { placement: { clusters: [{ name: 'us-1' }] } } }, SHOP_NAMESPACE);
    await federation.settle();
    expect(federation.has('Namespace', SHOP_NAMESPACE)).toEqual(['us-1']);
    expect(federation.has('ConfigMap')).toEqual(['us-1']);
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'other' })).toEqual(['us-1']);
    await federation.change('Namespace', { spec: { placement: { clusters: null } } }, SHOP_NAMESPACE);
    await federation.advance('5s');
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'other' })).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('concerns nothing in other namespaces', async () => {
    const federation = await start();
    await host(federation, 'bank');
    await federation.create(federatedNamespace({}, 'bank'));
    await federation.create(federatedConfigMap({}, { namespace: 'bank' }));
    await federation.settle();
    federation.forget();
    await federation.change('Namespace', { spec: { placement: { clusters: [] } } }, SHOP_NAMESPACE);
    await federation.settle();
    expect(federation.has('ConfigMap', { namespace: 'bank', name: 'web' })).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.writes().filter((write) => write.includes('bank'))).toEqual([]);
  });

  it('withdraws everything in a namespace whose FederatedNamespace is deleted', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.delete('Namespace', SHOP_NAMESPACE);
    await federation.advance('5s');
    expect(await federation.object('Namespace', SHOP_NAMESPACE)).toBeUndefined();
    expect(federation.has('Namespace', SHOP_NAMESPACE)).toEqual([]);
    expect(federation.has('ConfigMap')).toEqual([]);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ reason: 'NamespaceNotFederated' }, {}]);
  });

  it('puts nothing into a namespace again whose FederatedNamespace is being deleted', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    using _ = federation.world.partition('us-1');
    await federation.advance('60s');
    federation.forget();
    await federation.delete('Namespace', SHOP_NAMESPACE);
    await federation.advance('60s');
    expect(federation.has('ConfigMap')).toEqual(['us-1']);
    expect(federation.writes('eu-1').filter((write) => write.includes('apply ConfigMap'))).toEqual([]);
  });

  it('lets go of everything when the namespace itself is deleted on the host', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.as('kubectl', 'host').delete(federation.target('Namespace'), { name: 'shop' });
    await federation.advance('5s');
    expect(federation.live('host', 'Namespace', { name: 'shop' })).toBeUndefined();
    expect(federation.has('Namespace', { name: 'shop' })).toEqual([]);
    expect(federation.has('ConfigMap')).toEqual([]);
  });

  it('says that a namespace is missing where somebody has deleted it, and mends it', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    await federation.remove('eu-1', 'Namespace', { name: 'shop' });
    await federation.advance('5s');
    expect(federation.has('Namespace', SHOP_NAMESPACE)).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
  });

  it('takes a FederatedNamespace of another name than its namespace for a mistake', async () => {
    const federation = await start();
    await federation.create({ ...federatedNamespace(), metadata: { name: 'bank', namespace: 'shop' } });
    await federation.settle();
    expect(federation.has('Namespace', { name: 'bank' })).toEqual([]);
    expect((await federation.status('Namespace', { namespace: 'shop', name: 'bank' })).conditions).toMatchObject([
      { type: 'Propagation', status: 'False', reason: 'InvalidObject' },
      {},
    ]);
  });

  it('never touches a namespace that every cluster has', async () => {
    const federation = await start({ shop: false });
    await federation.create(federatedNamespace({ template: { metadata: { labels: { a: 'b' } } } }, 'default'));
    await federation.create(federatedConfigMap({}, { namespace: 'default' }));
    await federation.settle();
    expect(federation.live('eu-1', 'Namespace', { name: 'default' })?.metadata.labels).not.toHaveProperty('a');
    expect(federation.has('ConfigMap', { namespace: 'default', name: 'web' })).toEqual(['eu-1', 'eu-2', 'us-1']);
    const key = { namespace: 'default', name: 'default' };
    await federation.delete('Namespace', key);
    await federation.settle();
    expect(await federation.object('Namespace', key)).toBeUndefined();
    expect(federation.has('Namespace', { name: 'default' })).toEqual(['eu-1', 'eu-2', 'us-1']);
  });
});

describe('a FederatedNamespace of a namespace that every cluster has', () => {
  it('is said to be as it should be', async () => {
    const federation = await start({ shop: false });
    await federation.create(federatedNamespace({}, 'default'));
    await federation.settle();
    const { conditions } = await federation.status('Namespace', { namespace: 'default', name: 'default' });
    expect(conditions).toMatchObject([
      { type: 'Propagation', status: 'True' },
      { type: 'RolledOut', status: 'True' },
    ]);
  });
});

describe('bad input', () => {
  const bad: Readonly<Record<string, Record<string, unknown>>> = {
    'a pointer that does not resolve for one cluster': {
      overrides: [{ clusterName: 'us-1', clusterOverrides: [{ path: '/data/none/deep', value: 1 }] }],
    },
    'a replace of something missing': {
      overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'replace', path: '/data/size', value: 'l' }] }],
    },
    'a pointer that is none': { overrides: [{ clusterName: 'us-1', clusterOverrides: [{ path: 'data', value: {} }] }] },
    'a protected field': {
      overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'replace', path: '/metadata/name', value: 'x' }] }],
    },
    'a selector of a placement that does not parse': {
      placement: { clusterSelector: { matchExpressions: [{ key: 'region', operator: 'Near', values: ['eu'] }] } },
    },
    'a selector of an override that does not parse': {
      overrides: [{ clusterSelector: { matchLabels: { 'not a key': 'x' } }, clusterOverrides: [] }],
    },
    'a prototype in a path': {
      overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'add', path: '/__proto__/x', value: 1 }] }],
    },
    'an override for two kinds of subject': {
      overrides: [{ clusterName: 'us-1', clusterSelector: {}, clusterOverrides: [] }],
    },
  };

  it.each(Object.entries(bad))('writes nothing anywhere for %s, and goes on with other objects', async (_, spec) => {
    const federation = await start();
    federation.forget();
    await federation.create(federatedConfigMap(spec));
    await federation.create(federatedConfigMap({}, { name: 'other' }));
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(federation.has('ConfigMap', { namespace: 'shop', name: 'other' })).toEqual(['eu-1', 'eu-2', 'us-1']);
    const { conditions } = await federation.status('ConfigMap');
    expect(conditions).toMatchObject([{ type: 'Propagation', status: 'False', message: expect.stringMatching(/.{10}/) }, {}]);
    expect(federation.writes().filter((write) => write.includes('shop/web'))).toEqual([
      'host: patch FederatedConfigMap shop/web status',
    ]);
  });

  it.each(Object.entries(bad))('leaves what is there as it is when an object becomes bad by %s', async (_, spec) => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    await federation.change('ConfigMap', { spec: { ...(spec as object), template: { data: { color: 'blue' } } } });
    await federation.settle();
    for (const name of ['eu-1', 'eu-2', 'us-1']) {
      expect(federation.live(name, 'ConfigMap')?.data).toEqual({ color: 'red' });
      expect(federation.writes(name)).toEqual([]);
    }
    await federation.change('ConfigMap', {
      spec: { overrides: null, placement: { clusterSelector: { matchExpressions: null } } },
    });
    await federation.settle();
    expect(federation.live('us-1', 'ConfigMap')?.data).toEqual({ color: 'blue' });
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ status: 'True' }, {}]);
  });

  it('is refused by the host already where it is an unknown operation', async () => {
    const federation = await start();
    const odd = federatedConfigMap({
      overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'merge', path: '/data', value: {} }] }],
    });
    await expect(federation.create(odd)).rejects.toMatchObject({ code: 'Invalid' });
  });

  it('takes a FederatedNamespace whose selector does not parse for a reason to touch nothing in it', async () => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    const clusterSelector = { matchExpressions: [{ key: 'region', operator: 'Near', values: ['eu'] }] };
    await federation.change('Namespace', { spec: { placement: { clusterSelector } } }, SHOP_NAMESPACE);
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(['eu-1', 'eu-2', 'us-1']);
    expect(federation.has('Namespace', SHOP_NAMESPACE)).toEqual(['eu-1', 'eu-2', 'us-1']);
    for (const name of ['eu-1', 'eu-2', 'us-1']) expect(federation.writes(name)).toEqual([]);
    expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ reason: 'ComputePlacementFailed' }, {}]);
  });

  describe('on a host whose CRDs are as loose as those of kubefed', () => {
    const loosen = async (federation: Awaited<ReturnType<typeof start>>): Promise<void> => {
      const operations = [
        {
          op: 'replace' as const,
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec',
          value: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      ];
      const key = { name: 'federatedconfigmaps.types.kubefed.io' };
      await federation.as('kubectl', 'host').patch(definitions, key, { type: 'json', operations });
    };
    const loose: Readonly<Record<string, Record<string, unknown>>> = {
      'an unknown operation': {
        overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'merge', path: '/data', value: {} }] }],
      },
      'an override without a path': { overrides: [{ clusterName: 'us-1', clusterOverrides: [{ op: 'add', value: 1 }] }] },
      'a template that is text': { template: 'data' },
    };

    it.each(Object.entries(loose))('writes nothing for %s, and goes on with other objects', async (_, spec) => {
      const federation = await start();
      await loosen(federation);
      await federation.create(federatedConfigMap(spec));
      await federation.create(federatedConfigMap({}, { name: 'other' }));
      await federation.settle();
      expect(federation.has('ConfigMap')).toEqual([]);
      expect(federation.has('ConfigMap', { namespace: 'shop', name: 'other' })).toEqual(['eu-1', 'eu-2', 'us-1']);
    });

    it.each(Object.entries(loose))('says in the status what is wrong with %s', async (_, spec) => {
      const federation = await start();
      await loosen(federation);
      await federation.create(federatedConfigMap(spec));
      await federation.settle();
      expect((await federation.status('ConfigMap')).conditions).toMatchObject([{ type: 'Propagation', status: 'False' }, {}]);
    });

    it.each(Object.entries(loose))('cleans up an object that became bad by %s, when it is deleted', async (_, spec) => {
      const federation = await start();
      await loosen(federation);
      await federation.create(federatedConfigMap());
      await federation.settle();
      await federation.change('ConfigMap', { spec: spec as object as Record<string, never> });
      await federation.settle();
      await federation.delete('ConfigMap');
      await federation.settle();
      expect(federation.has('ConfigMap')).toEqual([]);
      expect(await federation.object('ConfigMap')).toBeUndefined();
    });
  });
});
