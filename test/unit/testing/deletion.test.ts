import {
  type AnyObject,
  builtIn,
  type Cluster,
  type DeleteOptions,
  type OwnerReference,
  type ResourceType,
  resourceType,
} from 'clusterset/kube';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const CONFIG_MAPS = builtIn('', 'ConfigMap') as ResourceType;
const NAMESPACES = builtIn('', 'Namespace') as ResourceType;
const DEPLOYMENTS = builtIn('apps', 'Deployment') as ResourceType;
const REPLICA_SETS = builtIn('apps', 'ReplicaSet') as ResourceType;
const PODS = builtIn('', 'Pod') as ResourceType;
const STATEFUL_SETS = builtIn('apps', 'StatefulSet') as ResourceType;
const JOBS = builtIn('batch', 'Job') as ResourceType;

type Policy = NonNullable<DeleteOptions['propagationPolicy']>;

const namespace = 'default';
const map = (name: string, metadata: Partial<AnyObject['metadata']> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, ...metadata },
});

function ownedBy(owner: AnyObject, blockOwnerDeletion?: boolean): OwnerReference {
  const { name, uid = '' } = owner.metadata;
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }) };
}

interface Place {
  readonly port: Cluster;
  readonly clock: VirtualClock;
  names(): Promise<readonly string[]>;
  make(name: string, owners?: readonly OwnerReference[], finalizers?: readonly string[]): Promise<AnyObject>;
  end(name: string, propagationPolicy?: Policy): Promise<unknown>;
}

function place(garbageCollection: boolean): Place {
  const clock = new VirtualClock();
  const port = new OfflineCluster({ name: 'a', clock, garbageCollection }).connect();
  return {
    port,
    clock,
    names: async () => (await port.list(CONFIG_MAPS, { namespace })).items.map(({ metadata }) => metadata.name),
    make: (name, owners = [], finalizers = []) =>
      port.create(CONFIG_MAPS, map(name, { ownerReferences: [...owners], finalizers: [...finalizers] })),
    end: (name, propagationPolicy) => port.delete(CONFIG_MAPS, { namespace, name }, { propagationPolicy }),
  };
}

describe('a deletion', () => {
  it.each<[Policy, string]>([
    ['Foreground', 'foregroundDeletion'],
    ['Orphan', 'orphan'],
  ])('with the policy %s is held by a finalizer where nobody collects garbage', async (policy, finalizer) => {
    const { port, clock, make, end } = place(false);
    await make('a');
    expect(await end('a', policy)).toBe('terminating');
    await clock.advance('1h');
    const held = await port.get(CONFIG_MAPS, { namespace, name: 'a' });
    expect(held?.metadata).toMatchObject({ finalizers: [finalizer], deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(await end('a', 'Background')).toBe('gone');
  });

  it('of an owner in the foreground waits for the dependents that block it, and for no others', async () => {
    const { names, clock, make, end, port } = place(true);
    const owner = await make('owner');
    const child = await make('child', [ownedBy(owner, true)], ['example.com/hold']);
    await make('grandchild', [ownedBy(child, true)], ['example.com/hold']);
    await make('free', [ownedBy(owner)], ['example.com/hold']);
    await end('owner', 'Foreground');
    await clock.settle();
    expect(await names()).toEqual(['child', 'free', 'grandchild', 'owner']);
    const release = (name: string) =>
      port.patch(
        CONFIG_MAPS,
        { namespace, name },
        { type: 'json', operations: [{ op: 'remove', path: '/metadata/finalizers/0' }] },
      );
    await release('grandchild');
    await clock.settle();
    expect(await names()).toEqual(['child', 'free', 'owner']);
    await release('child');
    await clock.settle();
    expect(await names()).toEqual(['free']);
    await release('free');
    expect(await names()).toEqual([]);
  });

  it('of an owner that orphans leaves its dependents without it', async () => {
    const { names, clock, make, end, port } = place(true);
    const [one, other] = [await make('one'), await make('other')];
    await make('child', [ownedBy(one, true), ownedBy(other)]);
    await end('one', 'Orphan');
    await clock.settle();
    expect(await names()).toEqual(['child', 'other']);
    expect((await port.get(CONFIG_MAPS, { namespace, name: 'child' }))?.metadata.ownerReferences).toEqual([ownedBy(other)]);
    await end('other', 'Orphan');
    await clock.settle();
    expect((await port.get(CONFIG_MAPS, { namespace, name: 'child' }))?.metadata.ownerReferences).toBeUndefined();
  });

  it.each<Policy>(['Foreground', 'Background'])('of one of a circle takes them all: %s', async (policy) => {
    const { names, clock, make, end, port } = place(true);
    const a = await make('a');
    const b = await make('b', [ownedBy(a, true)]);
    const c = await make('c', [ownedBy(b, true)]);
    await port.patch(
      CONFIG_MAPS,
      { namespace, name: 'a' },
      {
        type: 'merge',
        body: { metadata: { ownerReferences: [{ ...ownedBy(c, true) }] } },
      },
    );
    await clock.settle();
    expect(await names()).toEqual(['a', 'b', 'c']);
    await end('a', policy);
    await clock.settle();
    expect(await names()).toEqual([]);
  });

  it('of an owner of a kind that comes later is found out then', async () => {
    const { names, clock, make, port } = place(true);
    const owner = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'nobody' };
    await make('child', [owner]);
    await clock.advance('1h');
    expect(await names()).toEqual(['child']);
    await port.create(builtIn('apiextensions.k8s.io', 'CustomResourceDefinition') as ResourceType, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    });
    await clock.settle();
    expect(await names()).toEqual([]);
  });

  it('of a namespace says what is left, and takes what waits for a collector with it', async () => {
    const { port, clock, make } = place(false);
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await port.create(NAMESPACES, shop);
    await port.create(CONFIG_MAPS, map('held', { namespace: 'shop', finalizers: ['example.com/hold'] }));
    await port.create(CONFIG_MAPS, map('orphan', { namespace: 'shop' }));
    await port.delete(CONFIG_MAPS, { namespace: 'shop', name: 'orphan' }, { propagationPolicy: 'Orphan' });
    await make('elsewhere');
    expect(await port.delete(NAMESPACES, { name: 'shop' })).toBe('terminating');
    await clock.settle();
    const { status } = (await port.get(NAMESPACES, { name: 'shop' })) as unknown as {
      status: { phase: string; conditions: readonly { type: string; status: string; message: string }[] };
    };
    expect(status.phase).toBe('Terminating');
    expect(status.conditions.map(({ type, status: is, message }) => `${type} ${is}: ${message}`)).toEqual([
      'NamespaceDeletionDiscoveryFailure False: All resources successfully discovered',
      'NamespaceDeletionGroupVersionParsingFailure False: All legacy kube types successfully parsed',
      'NamespaceDeletionContentFailure False: All content successfully deleted, may be waiting on finalization',
      'NamespaceContentRemaining True: Some resources are remaining: configmaps. has 1 resource instances',
      'NamespaceFinalizersRemaining True: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ]);
    const key = { namespace: 'shop', name: 'held' };
    await port.patch(CONFIG_MAPS, key, { type: 'merge', body: { metadata: { finalizers: null } } });
    await clock.settle();
    expect(await port.get(NAMESPACES, { name: 'shop' })).toBeUndefined();
  });

  it('of a namespace counts Events twice, since two groups serve them', async () => {
    const { port, clock } = place(false);
    await port.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const involvedObject = { kind: 'Pod', namespace: 'shop', name: 'web' };
    const metadata = { namespace: 'shop', name: 'held', finalizers: ['example.com/hold'] };
    const event = { apiVersion: 'v1', kind: 'Event', metadata, involvedObject } as AnyObject;
    await port.create(resourceType('v1', 'Event', 'events'), event);
    await port.delete(NAMESPACES, { name: 'shop' });
    await clock.settle();
    const { status } = (await port.get(NAMESPACES, { name: 'shop' })) as unknown as {
      status: { conditions: readonly { message: string }[] };
    };
    expect(status.conditions.slice(-2).map(({ message }) => message)).toEqual([
      'Some resources are remaining: events. has 1 resource instances, events.events.k8s.io has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances',
    ]);
  });

  it('of a Job leaves its pods behind, if nothing else is said', async () => {
    const clock = new VirtualClock();
    const port = new OfflineCluster({ name: 'a', clock, nodes: 1 }).connect();
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'shop/job:1' }] } };
    await port.create(JOBS, { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace, name: 'once' }, spec: { template } });
    await clock.advance('10s');
    expect(await port.delete(JOBS, { namespace, name: 'once' })).toBe('terminating');
    await clock.advance('10s');
    expect(await port.get(JOBS, { namespace, name: 'once' })).toBeUndefined();
    const [pod] = (await port.list(PODS, { namespace })).items;
    expect(pod?.metadata).toMatchObject({ labels: { 'job-name': 'once' } });
    expect(pod?.metadata.ownerReferences).toBeUndefined();
  });

  it.each<[string, ResourceType]>([
    ['Deployment', DEPLOYMENTS],
    ['StatefulSet', STATEFUL_SETS],
  ])('of a %s in the foreground ends after that of its pods', async (kind, type) => {
    const clock = new VirtualClock();
    const port = new OfflineCluster({ name: 'a', clock, nodes: 2 }).connect();
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'shop/web:1' }] } };
    const key = { namespace, name: 'web' };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template };
    await port.create(type, { apiVersion: 'apps/v1', kind, metadata: key, spec });
    await clock.advance('1m');
    expect((await port.list(PODS, { namespace })).items).toHaveLength(2);
    expect(await port.delete(type, key, { propagationPolicy: 'Foreground' })).toBe('terminating');
    await clock.settle();
    expect((await port.list(PODS, { namespace })).items.every(({ metadata }) => metadata.deletionTimestamp !== undefined)).toBe(
      true,
    );
    expect(await port.get(type, key)).toBeDefined();
    await clock.advance('1m');
    expect(await port.get(type, key)).toBeUndefined();
    expect((await port.list(PODS, { namespace })).items).toEqual([]);
    expect((await port.list(REPLICA_SETS, { namespace })).items).toEqual([]);
  });

  it('of a Deployment that orphans leaves its ReplicaSet and its pods at work', async () => {
    const clock = new VirtualClock();
    const port = new OfflineCluster({ name: 'a', clock, nodes: 2 }).connect();
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'shop/web:1' }] } };
    const key = { namespace, name: 'web' };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template };
    await port.create(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: key, spec });
    await clock.advance('1m');
    await port.delete(DEPLOYMENTS, key, { propagationPolicy: 'Orphan' });
    await clock.advance('1m');
    expect(await port.get(DEPLOYMENTS, key)).toBeUndefined();
    const [set] = (await port.list(REPLICA_SETS, { namespace })).items;
    expect(set?.metadata.ownerReferences).toBeUndefined();
    expect((await port.list(PODS, { namespace })).items).toHaveLength(2);
  });
});

/** Who owns whom: each object may belong to those before and behind it, also in circles. */
interface Graph {
  readonly owners: readonly (readonly { readonly of: number; readonly blocks: boolean }[])[];
  readonly deletions: readonly { readonly of: number; readonly policy: Policy }[];
}

const COUNT = 7;
const index = fc.nat({ max: COUNT - 1 });
const graphs: fc.Arbitrary<Graph> = fc.record({
  owners: fc.array(fc.uniqueArray(fc.record({ of: index, blocks: fc.boolean() }), { selector: ({ of }) => of, maxLength: 3 }), {
    minLength: COUNT,
    maxLength: COUNT,
  }),
  deletions: fc.array(fc.record({ of: index, policy: fc.constantFrom<Policy>('Foreground', 'Background', 'Orphan') }), {
    minLength: 1,
    maxLength: 4,
  }),
});

/** What nobody has deleted and has no owner, or an owner of which the same holds. */
function safe(owners: Graph['owners'], deleted: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set<number>();
  for (let round = 0; round < COUNT; round += 1) {
    for (const [at, list] of owners.entries()) {
      const others = list.filter(({ of }) => of !== at);
      if (!deleted.has(at) && (others.length === 0 || others.some(({ of }) => found.has(of)))) found.add(at);
    }
  }
  return found;
}

describe('whatever owns what,', () => {
  const name = (at: number): string => `object-${at}`;

  async function grown({ owners }: Graph, { make, port, clock }: Place): Promise<readonly AnyObject[]> {
    const made: AnyObject[] = [];
    for (let at = 0; at < COUNT; at += 1) made.push(await make(name(at)));
    for (const [at, list] of owners.entries()) {
      const ownerReferences = list
        .filter(({ of }) => of !== at)
        .map(({ of, blocks }) => ({ ...ownedBy(made[of] as AnyObject, blocks) }));
      await port.patch(CONFIG_MAPS, { namespace, name: name(at) }, { type: 'merge', body: { metadata: { ownerReferences } } });
    }
    await clock.settle();
    return made;
  }

  it('nothing is left whose owners are all gone, nothing waits for ever, and what has an owner left stays', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const here = place(true);
        await grown(graph, here);
        const gone: string[] = [];
        const stop = new AbortController();
        const { resourceVersion } = await here.port.list(CONFIG_MAPS, { namespace });
        const watching = (async () => {
          for await (const event of here.port.watch(CONFIG_MAPS, { namespace, resourceVersion, signal: stop.signal }))
            if (event.type === 'DELETED') gone.push(event.object.metadata.name);
        })().catch(() => undefined);
        for (const { of, policy } of graph.deletions) {
          await here.end(name(of), policy);
          await here.clock.settle();
        }
        stop.abort();
        await watching;
        const left = (await here.port.list(CONFIG_MAPS, { namespace })).items as readonly AnyObject[];
        const uids = new Set(left.map(({ metadata }) => metadata.uid));
        for (const { metadata } of left) {
          expect(metadata.deletionTimestamp).toBeUndefined();
          expect((metadata.ownerReferences ?? []).every(({ uid }) => uids.has(uid))).toBe(true);
        }
        const stays = new Set(left.map(({ metadata }) => metadata.name));
        expect(gone.toSorted()).toEqual(Array.from({ length: COUNT }, (_, at) => name(at)).filter((each) => !stays.has(each)));
        const deleted = new Set(graph.deletions.map(({ of }) => of));
        for (const at of deleted) expect(stays).not.toContain(name(at));
        for (const at of safe(graph.owners, deleted)) expect(stays).toContain(name(at));
      }),
      { numRuns: 60 },
    );
  });

  it('an owner that is deleted in the foreground goes after what blocks it, where there are no circles', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const here = place(true);
        const owners = graph.owners.map((list, at) => list.filter(({ of }) => of < at));
        const made = await grown({ ...graph, owners }, here);
        const order: string[] = [];
        const stop = new AbortController();
        const { resourceVersion } = await here.port.list(CONFIG_MAPS, { namespace });
        const watching = (async () => {
          for await (const event of here.port.watch(CONFIG_MAPS, { namespace, resourceVersion, signal: stop.signal }))
            if (event.type === 'DELETED') order.push(event.object.metadata.uid ?? '');
        })().catch(() => undefined);
        await here.end(name(0), 'Foreground');
        await here.clock.settle();
        stop.abort();
        await watching;
        const root = made[0]?.metadata.uid ?? '';
        const blocking = owners.flatMap((list, at) =>
          list.some(({ of, blocks }) => of === 0 && blocks) && list.length === 1 ? [made[at]?.metadata.uid ?? ''] : [],
        );
        expect(order).toContain(root);
        for (const uid of blocking) {
          expect(order).toContain(uid);
          expect(order.indexOf(uid)).toBeLessThan(order.indexOf(root));
        }
      }),
      { numRuns: 60 },
    );
  });
});
