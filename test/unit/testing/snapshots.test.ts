import { type AnyObject, type Cluster, isClustersetError, resourceType } from 'clusterset/kube';
import { OfflineCluster, simulate, snapshotFromYaml, snapshotToYaml, VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';

const configMaps = resourceType('v1', 'ConfigMap', 'configmaps');
const services = resourceType('v1', 'Service', 'services');
const pods = resourceType('v1', 'Pod', 'pods');
const deployments = resourceType('apps/v1', 'Deployment', 'deployments');
const definitions = resourceType('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');
const widgets = resourceType('example.com/v1', 'Widget', 'widgets');

const metadata = (name: string) => ({ namespace: 'default', name });
const configMap = (name: string): AnyObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data: {} });
const service = (name: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(name),
  spec: { ports: [{ port: 80 }], type: 'LoadBalancer' },
});
const deployment: AnyObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata('web'),
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
};
const definition: AnyObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};
const widget: AnyObject = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: metadata('gear') };

const namesOf = async (cluster: Cluster, type = configMaps): Promise<string[]> =>
  (await cluster.list(type, { namespace: 'default' })).items.map((each) => each.metadata.name);

describe('a snapshot', () => {
  it('brings a cluster back to what it was, versions included, as a restored etcd does', async () => {
    await using world = await simulate({ members: { a: {} } });
    const [offline, cluster] = [world.cluster('a'), world.connect('a')];
    await cluster.create(configMaps, configMap('kept'));
    const before = offline.snapshot();
    const first = await cluster.create(configMaps, configMap('lost'));
    await cluster.delete(configMaps, metadata('kept'));
    let end: unknown;
    const watching = (async () => {
      for await (const _ of cluster.watch(configMaps)) await world.settle();
    })().catch((error: unknown) => {
      end = error;
    });
    await world.settle();
    offline.restore(before);
    await watching;
    expect(isClustersetError(end) && end.code).toBe('Unreachable');
    expect(await namesOf(cluster)).toEqual(['kept']);
    expect(offline.snapshot()).toEqual(before);
    const { resourceVersion } = await cluster.list(configMaps);
    expect(resourceVersion).toBe(before.resourceVersion);
    // Whoever goes on from a version of the lost future has to wait, or is told that it is too large.
    await expect(cluster.list(configMaps, { resourceVersion: first.metadata.resourceVersion })).rejects.toMatchObject({
      status: 504,
    });
    const again = await cluster.create(configMaps, configMap('lost'));
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(again.metadata.uid).not.toBe(first.metadata.uid);
    world.verify();
  });

  it('is text that starts another world, which goes on where the first one was', async () => {
    await using world = await simulate({ host: {}, members: { a: { nodes: 2 } } });
    const cluster = world.connect('a');
    await cluster.create(definitions, definition);
    await cluster.create(widgets, widget);
    await cluster.create(deployments, deployment);
    await cluster.create(services, service('first'));
    await world.advance('1m');
    const text = await snapshotToYaml(world.snapshot());
    const from = await snapshotFromYaml(text);
    expect(from).toEqual(world.snapshot());
    await using second = await simulate({ host: {}, members: { a: { nodes: 2 } }, from });
    expect(second.snapshot()).toEqual(world.snapshot());
    expect(second.clock.now()).toBe(world.clock.now());
    const restored = second.connect('a');
    expect(await namesOf(restored, widgets)).toEqual(['gear']);
    // Its controllers go on from there.
    await restored.patch(deployments, metadata('web'), { type: 'merge', body: { spec: { replicas: 4 } } });
    await second.advance('1m');
    const running = (await restored.list(pods, { labelSelector: 'app=web' })).items;
    expect(running.map(({ status }) => (status as { phase: string }).phase)).toEqual([
      'Running',
      'Running',
      'Running',
      'Running',
    ]);
    // And nothing gets an address, a port or a uid that is taken.
    for (const name of ['second', 'third']) await restored.create(services, service(name));
    const taken = (await restored.list(services, { namespace: 'default' })).items.map(({ spec }) => {
      const { clusterIP, ports } = spec as { clusterIP: string; ports: { nodePort: number }[] };
      return [clusterIP, ports[0]?.nodePort];
    });
    expect(new Set(taken.flat()).size).toBe(6);
    const podIps = running.map(({ status }) => (status as { podIP: string }).podIP);
    expect(new Set(podIps).size).toBe(4);
    await second.advance('1m');
    const balanced = (await restored.list(services, { namespace: 'default' })).items.map(
      ({ status }) => (status as { loadBalancer: { ingress: { ip: string }[] } }).loadBalancer.ingress[0]?.ip,
    );
    expect(new Set(balanced).size).toBe(3);
    expect(balanced).not.toContain(undefined);
    second.verify();
  });

  it('stays its owner’s: nothing of it is frozen, and nothing that its owner does to it later counts', async () => {
    await using world = await simulate({ members: { a: {} } });
    const offline = world.cluster('a');
    const before = offline.snapshot();
    const data = { colour: 'green' };
    const own = { ...configMap('own'), data };
    // Only the outside of it is frozen.
    const shell = Object.freeze({ ...configMap('shell'), data: { ...data } });
    offline.restore({ ...before, objects: [...before.objects, own, shell] });
    data.colour = 'blue';
    shell.data.colour = 'blue';
    const { items } = await world.connect('a').list(configMaps, { namespace: 'default' });
    expect(items.map((each) => (each as { readonly data?: unknown }).data)).toEqual([{ colour: 'green' }, { colour: 'green' }]);
  });

  it('leads to other objects each time that it is restored', async () => {
    await using world = await simulate({ members: { a: {} } });
    const [offline, cluster] = [world.cluster('a'), world.connect('a')];
    const before = offline.snapshot();
    const uids = new Set<string | undefined>();
    for (let turn = 0; turn < 4; turn += 1) {
      uids.add((await cluster.create(configMaps, configMap('x'))).metadata.uid);
      offline.restore(before);
    }
    expect(uids.size).toBe(4);
  });

  it('is not heard of over connections that were open before', async () => {
    await using world = await simulate({ members: { a: {} } });
    const [offline, cluster] = [world.cluster('a'), world.connect('a')];
    const before = offline.snapshot();
    await cluster.create(configMaps, configMap('x'));
    const heard: string[] = [];
    const watching = (async () => {
      for await (const event of cluster.watch(configMaps)) heard.push(event.type);
    })();
    const end = watching.catch((error: unknown) => isClustersetError(error) && error.code);
    await world.settle();
    offline.restore(before);
    expect([await end, heard]).toEqual(['Unreachable', ['ADDED']]);
  });

  it('brings back definitions with their objects, whatever became of them', async () => {
    await using world = await simulate({ members: { a: { nodes: 1 } } });
    const [offline, cluster] = [world.cluster('a'), world.connect('a')];
    await cluster.create(definitions, definition);
    await cluster.create(widgets, widget);
    const full = offline.snapshot();
    await cluster.delete(definitions, { name: 'widgets.example.com' });
    const empty = offline.snapshot();
    await cluster.create(definitions, definition);
    await cluster.create(widgets, { ...widget, metadata: metadata('other') });
    offline.restore(full);
    expect(await namesOf(cluster, widgets)).toEqual(['gear']);
    expect(offline.snapshot()).toEqual(full);
    offline.restore(empty);
    await expect(cluster.list(widgets)).rejects.toMatchObject({ code: 'NotServed' });
    offline.restore(full);
    await world.advance('1m');
    expect(await namesOf(cluster, widgets)).toEqual(['gear']);
    world.verify();
    // Objects without their definition are nothing that a cluster could hold, also where it is there now.
    const objects = full.objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    expect(() => offline.restore({ ...full, objects })).toThrowError(/Widget.*CustomResourceDefinition/s);
    expect(await namesOf(cluster, widgets)).toEqual(['gear']);
  });

  it('goes on with what was under way: a namespace that was being deleted goes', async () => {
    await using world = await simulate({ members: { a: {} } });
    const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
    const cluster = world.connect('a');
    await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await cluster.create(configMaps, { ...configMap('x'), metadata: { namespace: 'shop', name: 'x' } });
    await cluster.delete(namespaces, { name: 'shop' });
    await using second = await simulate({ members: { a: {} }, from: world.snapshot() });
    await second.settle();
    expect(await second.connect('a').get(namespaces, { name: 'shop' })).toBeUndefined();
    second.verify();
  });

  it('of several clusters is restored as a whole, or not at all', async () => {
    await using world = await simulate({ members: { a: {}, b: {} } });
    const before = world.snapshot();
    await world.connect('a').create(configMaps, configMap('x'));
    const [first, second] = before.clusters;
    const broken = { ...before, clusters: [first, { ...second, objects: [widget] }] } as typeof before;
    expect(() => world.restore(broken)).toThrowError('no cluster here serves');
    expect(await namesOf(world.connect('a'))).toEqual(['x']);
  });

  it('may be written by hand, without what servers fill in', async () => {
    const from = await snapshotFromYaml(`
apiVersion: testing.clusterset.dev/v1
kind: WorldSnapshot
time: 2026-03-01T12:00:00Z
clusters:
  - name: a
    resourceVersion: "10"
    objects:
      - { apiVersion: v1, kind: Namespace, metadata: { name: default } }
      - { apiVersion: v1, kind: ConfigMap, metadata: { namespace: default, name: one }, data: { x: "1" } }
      - { apiVersion: v1, kind: ConfigMap, metadata: { namespace: default, name: two } }
`);
    await using world = await simulate({ members: { a: {} }, from });
    const found = await world.connect('a').get(configMaps, metadata('one'));
    expect(found).toMatchObject({ data: { x: '1' }, metadata: { creationTimestamp: '2026-03-01T12:00:00Z' } });
    expect(await namesOf(world.connect('a'))).toEqual(['one', 'two']);
    world.verify();
  });

  it.each([
    ['no YAML', '{', 'it is no YAML', undefined],
    ['something else', 'kind: Pod\napiVersion: v1', 'it is no WorldSnapshot', 'kind'],
    ['no time', 'kind: WorldSnapshot\napiVersion: testing.clusterset.dev/v1\nclusters: []', 'RFC 3339', 'time'],
    [
      'no clusters',
      'kind: WorldSnapshot\napiVersion: testing.clusterset.dev/v1\ntime: 2026-03-01T12:00:00Z',
      'a list',
      'clusters',
    ],
    [
      'an object without a name',
      'kind: WorldSnapshot\napiVersion: testing.clusterset.dev/v1\ntime: 2026-03-01T12:00:00Z\nclusters: [{name: a, resourceVersion: "1", objects: [{apiVersion: v1, kind: Pod}]}]',
      'it must be text',
      'clusters[0].objects[0].metadata.name',
    ],
  ])('is refused where it is %s', async (_, text, message, field) => {
    await expect(snapshotFromYaml(text)).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.stringContaining(message),
      ...(field === undefined ? {} : { field }),
    });
  });

  it('is refused as a whole where it holds what is not served, or a version that is none', async () => {
    const offline = new OfflineCluster({ name: 'a', clock: new VirtualClock() });
    const before = offline.snapshot();
    expect(() => offline.restore({ ...before, objects: [...before.objects, widget] })).toThrowError(
      /Widget.*example\.com\/v1.*CustomResourceDefinition/s,
    );
    expect(() => offline.restore({ ...before, resourceVersion: '-1' })).toThrowError('no version that a cluster can have');
    expect(offline.snapshot()).toEqual(before);
    offline.stop();
  });

  it('of a cluster that the world has not is refused', async () => {
    await using world = await simulate({ members: { a: {} } });
    await using other = await simulate({ members: { b: {} } });
    expect(() => other.restore(world.snapshot())).toThrowError('there is no cluster "a" in this world');
  });
});

describe('Events, which two groups serve', () => {
  const grouped = resourceType('events.k8s.io/v1', 'Event', 'events');
  const core = resourceType('v1', 'Event', 'events');
  const told = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: metadata('said'),
    regarding: { kind: 'Pod', namespace: 'default', name: 'web' },
    note: 'Seen at last',
    eventTime: '2026-01-01T00:00:00.000001Z',
    reportingController: 'example.com/watcher',
    reportingInstance: 'watcher-1',
    action: 'Watched',
    reason: 'Seen',
    type: 'Normal',
  } as AnyObject;

  it('stand in a snapshot once, as those of the core group', async () => {
    await using world = await simulate({ members: { a: {} } });
    await world.connect('a').create(grouped, told);
    const { objects } = world.cluster('a').snapshot();
    const events = objects.filter(({ kind }) => kind === 'Event');
    expect(events.map(({ apiVersion, message, note }) => [apiVersion, message, note])).toEqual([
      ['v1', 'Seen at last', undefined],
    ]);
    world.verify();
  });

  it('may be of either group in a snapshot that somebody has written', async () => {
    await using world = await simulate({ members: { a: {} } });
    const offline = world.cluster('a');
    const snapshot = offline.snapshot();
    offline.restore({ ...snapshot, objects: [...snapshot.objects, told] });
    const found = await world.connect('a').get(core, metadata('said'));
    expect(found).toMatchObject({ apiVersion: 'v1', message: 'Seen at last', involvedObject: { name: 'web' } });
    expect(found).not.toHaveProperty('note');
    expect(await world.connect('a').get(grouped, metadata('said'))).toMatchObject(told);
    world.verify();
  });
});

describe('the invariants of a world', () => {
  it('hold after all sorts of work', async () => {
    await using world = await simulate({ host: {}, members: { a: { nodes: 2 } } });
    const cluster = world.connect('a');
    await cluster.create(deployments, deployment);
    await world.advance('1m');
    await cluster.delete(deployments, metadata('web'));
    await world.advance('5m');
    world.verify();
    expect(world.cluster('a').violations()).toEqual([]);
  });

  it('hold for what the garbage collector leaves alone for good', async () => {
    await using world = await simulate({ members: { a: { nodes: 1 } } });
    const cluster = world.connect('a');
    const { uid = '' } = (await cluster.create(configMaps, configMap('owner'))).metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
    const namespaces = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
    const events = resourceType('v1', 'Event', 'events');
    await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'owned', ownerReferences } });
    const about = { involvedObject: { namespace: 'default', name: 'owner' } };
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { ...metadata('said'), ownerReferences }, ...about };
    await cluster.create(events, event as AnyObject);
    await cluster.delete(configMaps, metadata('owner'));
    await world.advance('10m');
    expect(await cluster.get(namespaces, { name: 'owned' })).toBeDefined();
    expect(await cluster.get(events, metadata('said'))).toBeDefined();
    world.verify();
  });

  it('are named where they are broken', async () => {
    await using world = await simulate({ members: { a: { nodes: 1 } } });
    const offline = world.cluster('a');
    const { uid } = await world
      .connect('a')
      .create(configMaps, configMap('x'))
      .then((made) => made.metadata);
    const snapshot = offline.snapshot();
    const { resourceVersion } = snapshot;
    offline.restore({
      ...snapshot,
      objects: [
        ...snapshot.objects,
        {
          ...configMap('twin'),
          metadata: { ...metadata('twin'), uid: uid ?? '', resourceVersion: String(Number(resourceVersion) + 7) },
        },
        { ...configMap('lost'), metadata: { namespace: 'nowhere', name: 'lost' } },
        { ...configMap('going'), metadata: { ...metadata('going'), deletionTimestamp: '2026-01-01T00:00:00Z' } },
        {
          ...configMap('orphan'),
          metadata: {
            ...metadata('orphan'),
            ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' }],
          },
        },
      ],
    });
    const found = offline.violations().map(({ object, message }) => `${object}: ${message}`);
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        'configmaps default/going: it is being deleted, and nothing holds it',
        'configmaps default/orphan: all its owners are gone: ConfigMap gone',
        expect.stringMatching(/^configmaps default\/twin: its version \d+ is newer than its cluster/),
        `configmaps default/twin: it has the uid ${uid} of configmaps default/x`,
        'configmaps nowhere/lost: its namespace nowhere is not there',
      ]),
    );
    expect(() => world.verify()).toThrowError(/a: configmaps default\/going: it is being deleted/);
  });
});
