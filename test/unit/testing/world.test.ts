import {
  type AnyObject,
  builtIn,
  type Cluster,
  ClustersetError,
  hasCode,
  type ResourceType,
  type WatchEvent,
} from 'clusterset/kube';
import { systemClock } from 'clusterset/runtime';
import { OfflineCluster, simulate, VirtualClock, World } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';

function typeOf(group: string, kind: string): ResourceType {
  const type = builtIn(group, kind);
  if (type === undefined) throw new TypeError(`${kind} is not built in`);
  return type;
}

const CONFIG_MAPS = typeOf('', 'ConfigMap');
const DEPLOYMENTS = typeOf('apps', 'Deployment');

const configMap = (metadata: Partial<AnyObject['metadata']>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', ...metadata },
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'shop/web:1' }] } },
  },
};

/** What becomes of a promise, without waiting for it. */
function outcome(promise: Promise<unknown>): { readonly now: () => string } {
  let state = 'under way';
  promise.then(
    () => {
      state = 'answered';
    },
    (error: unknown) => {
      state = error instanceof ClustersetError ? error.code : String(error);
    },
  );
  return { now: () => state };
}

describe('a world of offline clusters', () => {
  it('has the clusters that it was asked for, and their entries', async () => {
    await using world = await simulate({ host: {}, members: { 'eu-1': { labels: { region: 'eu' } }, 'us-1': {} } });
    expect([...world.members.keys()]).toEqual(['eu-1', 'us-1']);
    expect(world.entries).toEqual([{ name: 'eu-1', labels: { region: 'eu' } }, { name: 'us-1' }]);
    expect(world.host?.name).toBe('host');
    expect(world.cluster('host')).toBe(world.host);
    expect(world.cluster('eu-1').name).toBe('eu-1');
    for (const entry of world.entries) expect(world.connect(entry).name).toBe(entry.name);
    expect(world.connect('us-1').name).toBe('us-1');
  });

  it('names what it has where it is asked for another cluster', async () => {
    await using world = await simulate({ host: {}, members: { 'eu-1': {} } });
    expect(() => world.cluster('eu-2')).toThrowError('there is no cluster "eu-2" in this world; it has host, eu-1');
    expect(() => world.connect('eu-2')).toThrowError(expect.objectContaining({ code: 'UnknownCluster' }));
    await using fleet = await simulate({ members: { a: {} } });
    expect(() => fleet.cluster('host')).toThrowError('it has a');
    expect(fleet.host).toBeUndefined();
  });

  it('lets a member be called host where there is no host', async () => {
    await using world = await simulate({ members: { host: {} } });
    expect(world.cluster('host')).toBe(world.members.get('host'));
  });

  it('shares one clock, which stands still until the world advances', async () => {
    await using world = await simulate({ host: {}, members: { 'eu-1': {} } });
    const times: unknown[] = [];
    for (const name of ['host', 'eu-1']) {
      const { metadata } = await world.connect(name).create(CONFIG_MAPS, configMap({ name: 'a' }));
      times.push(metadata.creationTimestamp);
    }
    await world.advance('1h');
    const later = await world.connect('eu-1').create(CONFIG_MAPS, configMap({ name: 'b' }));
    expect([...times, later.metadata.creationTimestamp]).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00Z',
      '2026-01-01T01:00:00Z',
    ]);
  });

  it('can not be told to advance when its clock is the machine’s', async () => {
    await using world = new World({ members: { a: {} }, clock: systemClock, rollouts: false });
    await expect(world.advance(1)).rejects.toThrowError('only a world with a virtual clock can be told to advance');
    await world.settle();
  });

  it('rolls Deployments out step by step, unless it was told not to', async () => {
    await using world = await simulate({ members: { a: {} }, rollouts: { stepMs: 1000 } });
    await using still = await simulate({ members: { a: {} }, rollouts: false });
    const ready = async (each: World): Promise<unknown> => {
      const live = await each.connect('a').get(DEPLOYMENTS, { namespace: 'default', name: 'web' });
      return (live?.status as { readonly readyReplicas?: number } | undefined)?.readyReplicas ?? 0;
    };
    for (const each of [world, still]) {
      await each.connect('a').create(DEPLOYMENTS, deployment);
      await each.settle();
      expect(await ready(each)).toBe(0);
      await each.advance('1m');
    }
    expect(await ready(world)).toBe(2);
    expect(await ready(still)).toBe(0);
  });

  it('leaves no timer when it is disposed of', async () => {
    const clock = new VirtualClock();
    const world = await simulate({ host: {}, members: { a: {} }, clock });
    await world.connect('a').create(DEPLOYMENTS, deployment);
    await world.settle();
    expect(clock.waiting).toBeGreaterThan(0);
    await world[Symbol.asyncDispose]();
    expect(clock.waiting).toBe(0);
  });
});

describe('chance in offline clusters', () => {
  const uids = async (cluster: OfflineCluster, count: number): Promise<string[]> => {
    const port = cluster.connect();
    const all: string[] = [];
    for (let number = 0; number < count; number += 1) {
      const { metadata } = await port.create(CONFIG_MAPS, configMap({ generateName: 'made-' }));
      all.push(`${metadata.name} ${metadata.uid}`);
    }
    cluster.stop();
    return all;
  };
  const made = (name: string, seed?: number): OfflineCluster =>
    new OfflineCluster({ name, clock: new VirtualClock(), ...(seed === undefined ? {} : { seed }) });

  it('is the same for the same name or seed, and another for another', async () => {
    const first = await uids(made('eu-1'), 3);
    expect(await uids(made('eu-1'), 3)).toEqual(first);
    expect(await uids(made('us-1'), 3)).not.toEqual(first);
    expect(await uids(made('eu-1', 1), 3)).toEqual(await uids(made('us-1', 1), 3));
    expect(await uids(made('eu-1', 1), 3)).not.toEqual(await uids(made('eu-1', 2), 3));
  });

  it('makes uids of version 4, and names of letters and digits that make no words', async () => {
    const all = await uids(made('eu-1'), 500);
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
    for (const each of all) expect(each).toMatch(new RegExp(`^made-[bcdfghjklmnpqrstvwxz2456789]{5} ${uuid}$`));
    expect(new Set(all.map((each) => each.split(' ')[1])).size).toBe(500);
    const letters = new Set(all.flatMap((each) => [...(each.slice('made-'.length).split(' ')[0] ?? '')]));
    expect(letters.size).toBe('bcdfghjklmnpqrstvwxz2456789'.length);
  });
});

describe('the network of an offline cluster', () => {
  const hanging: Disposable[] = [];
  afterEach(() => {
    for (const each of hanging.splice(0)) each[Symbol.dispose]();
  });

  function offline(): { readonly cluster: OfflineCluster; readonly port: Cluster; readonly clock: VirtualClock } {
    const clock = new VirtualClock();
    const cluster = new OfflineCluster({ name: 'eu-1', clock });
    return { cluster, port: cluster.connect(), clock };
  }

  function hang(cluster: OfflineCluster): Disposable {
    const each = cluster.network.hang();
    hanging.push(each);
    return each;
  }

  it('refuses everything while it is cut, with an error that names the cluster', async () => {
    const { cluster, port } = offline();
    expect(cluster.network.isCut).toBe(false);
    const cut = cluster.network.cut();
    expect(cluster.network.isCut).toBe(true);
    const key = { namespace: 'default', name: 'a' };
    const calls = [
      port.ready(),
      port.version(),
      port.resources(),
      port.get(CONFIG_MAPS, key),
      port.list(CONFIG_MAPS),
      port.create(CONFIG_MAPS, configMap({ name: 'a' })),
      port.delete(CONFIG_MAPS, key),
    ];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({
        code: 'Unreachable',
        message: expect.stringMatching(/^cluster eu-1: .*connection was refused/),
      });
    }
    cut[Symbol.dispose]();
    expect(await port.ready()).toBe(true);
    expect(await port.get(CONFIG_MAPS, key)).toBeUndefined();
  });

  it('is cut until the last of several cuts is mended', async () => {
    const { cluster, port } = offline();
    const [first, second] = [cluster.network.cut(), cluster.network.cut()];
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await expect(port.ready()).rejects.toMatchObject({ code: 'Unreachable' });
    second[Symbol.dispose]();
    expect(await port.ready()).toBe(true);
  });

  it('breaks watches that are open when it is cut, and no others', async () => {
    const { cluster, port } = offline();
    const other = offline();
    const follow = async (each: Cluster, events: WatchEvent<AnyObject>[]): Promise<void> => {
      for await (const event of each.watch(CONFIG_MAPS)) events.push(event);
    };
    const seen: WatchEvent<AnyObject>[] = [];
    const [here, there] = [outcome(follow(port, seen)), outcome(follow(other.port, []))];
    await port.create(CONFIG_MAPS, configMap({ name: 'a' }));
    await other.clock.settle();
    expect(seen.map(({ type }) => type)).toEqual(['ADDED']);
    cluster.network.cut();
    await other.clock.settle();
    expect([here.now(), there.now()]).toEqual(['Unreachable', 'under way']);
    await other.port.close();
    await other.clock.settle();
    expect(there.now()).toBe('Aborted');
  });

  it('is cut for one cluster of a world only, as long as that is partitioned', async () => {
    await using world = await simulate({ members: { a: {}, b: {} } });
    {
      using _ = world.partition('a');
      await expect(world.connect('a').ready()).rejects.toSatisfy((error) => hasCode(error, 'Unreachable'));
      expect(await world.connect('b').ready()).toBe(true);
    }
    expect(await world.connect('a').ready()).toBe(true);
    expect(() => world.partition('c')).toThrowError('there is no cluster "c" in this world');
  });

  it('answers nothing while it hangs, and everything afterwards', async () => {
    const { cluster, port, clock } = offline();
    const [first, second] = [hang(cluster), hang(cluster)];
    const write = port.create(CONFIG_MAPS, configMap({ name: 'a' }));
    const asked = outcome(write);
    await clock.advance('1h');
    expect(asked.now()).toBe('under way');
    first[Symbol.dispose]();
    await clock.settle();
    expect(asked.now()).toBe('under way');
    second[Symbol.dispose]();
    expect((await write).metadata.name).toBe('a');
  });

  it('lets the caller end a call that hangs', async () => {
    const { cluster, port, clock } = offline();
    hang(cluster);
    const controller = new AbortController();
    const asked = outcome(port.ready({ signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(asked.now()).toBe('Aborted');
    await expect(port.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'Aborted' });
  });

  it('refuses what hung until it was cut', async () => {
    const { cluster, port, clock } = offline();
    const hung = hang(cluster);
    const asked = outcome(port.ready());
    cluster.network.cut();
    hung[Symbol.dispose]();
    await clock.settle();
    expect(asked.now()).toBe('Unreachable');
  });

  it('breaks calls that hang as soon as it is cut: their connections are open', async () => {
    const { cluster, port, clock } = offline();
    hang(cluster);
    const asked = outcome(port.ready());
    await clock.settle();
    cluster.network.cut();
    await clock.settle();
    expect(asked.now()).toBe('Unreachable');
  });

  it('lets go of a call that hangs when its connection is closed', async () => {
    const { cluster, port, clock } = offline();
    hang(cluster);
    const asked = outcome(port.ready());
    await clock.settle();
    await port.close();
    await clock.settle();
    expect(asked.now()).toBe('Aborted');
  });

  it('sends the reader of a watch back to the list when its history was compacted', async () => {
    const { cluster, port } = offline();
    const first = await port.create(CONFIG_MAPS, configMap({ name: 'a' }));
    await port.create(CONFIG_MAPS, configMap({ name: 'b' }));
    const { resourceVersion = '' } = first.metadata;
    const watch = (version: string): Promise<IteratorResult<WatchEvent<AnyObject>, unknown>> =>
      port.watch(CONFIG_MAPS, { resourceVersion: version })[Symbol.asyncIterator]().next();
    expect((await watch(resourceVersion)).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' } } });
    cluster.compact();
    await expect(watch(resourceVersion)).rejects.toMatchObject({ code: 'Expired' });
    const newest = watch((await port.list(CONFIG_MAPS)).resourceVersion);
    await port.create(CONFIG_MAPS, configMap({ name: 'c' }));
    expect((await newest).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'c' } } });
    await port.close();
  });

  it('is not there for a connection that was closed', async () => {
    const { cluster, port } = offline();
    await port.close();
    await port.close();
    await expect(port.ready()).rejects.toMatchObject({ code: 'Aborted' });
    expect(await cluster.connect().ready()).toBe(true);
  });
});
