import type { ClusterSource } from 'clusterset/kube';
import {
  ClusterSet,
  type Fact,
  fenced,
  ownerOf,
  Shards,
  type ShardsOptions,
  shardedSource,
  staticSource,
} from 'clusterset/runtime';
import type { World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEASE, lease, overlaps } from './fixtures.ts';
import { owners, Replica, terms, worldOf } from './replicas.ts';

const CLUSTERS = Array.from({ length: 20 }, (_, index) => `eu-${index}`);
/** Many clusters are written to all the time, which takes a while on a machine that has other things to do. */
const PATIENT = { timeout: 60_000 };

let world: World;
let start: number;
const running: Replica[] = [];

beforeEach(async () => {
  world = await worldOf(CLUSTERS);
  start = world.clock.now();
});

afterEach(async () => {
  for (const replica of running.splice(0)) replica.stop();
  await world.advance('60s');
  for (const name of CLUSTERS) expect(overlaps(terms(world.cluster(name)))).toEqual([]);
  world.verify();
  await world[Symbol.asyncDispose]();
});

function join(identity: string, options: ConstructorParameters<typeof Replica>[3] = {}): Replica {
  const made = new Replica(world, identity, CLUSTERS, options);
  running.push(made);
  made.start();
  made.write(500);
  return made;
}

const host = () => world.cluster('host');
const shareOf = (identity: string, ...all: readonly string[]) =>
  CLUSTERS.filter(
    (name) =>
      ownerOf(
        name,
        all.map((each) => ({ identity: each })),
      ) === identity,
  );

/** How long after a moment each cluster was without a writer, at most. */
function longestGap(from: number, to: number): number {
  const gaps = CLUSTERS.map((name) => {
    const times = world
      .cluster(name)
      .requests.writes()
      .map(({ at }) => at)
      .filter((at) => at >= from && at <= to);
    return Math.max(...[from, ...times].map((at, index) => ([...times, to][index] ?? to) - at));
  });
  return Math.max(...gaps);
}

describe('a replica', PATIENT, () => {
  it('alone has all clusters at once', async () => {
    const a = join('a');
    await world.advance(0);
    expect(a.owned).toEqual(CLUSTERS);
    expect(a.shards.members()).toEqual([{ identity: 'a', weight: 1 }]);
    expect(a.shards.owns('eu-1')).toBe(a.shards.owns('eu-1'));
  });

  it('says what it divides by in a lease of its own', async () => {
    join('a', { weight: 2 });
    await world.advance(0);
    const found = await host().connect().get(LEASE, { namespace: 'default', name: 'fleet-a' });
    expect(found?.metadata.labels).toEqual({ 'clusterset.dev/shard-group': 'fleet' });
    expect(JSON.parse(found?.metadata.annotations?.['clusterset.dev/shard'] ?? '')).toMatchObject({
      weight: 2,
      view: [['a', 2]],
    });
    expect(await lease(world, 'fleet-a')).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  it.each([1, 3, 5])(
    'makes one renewal and one list in a period when nothing changes, however many clusters there are: %i replicas',
    async (count) => {
      for (let index = 0; index < count; index += 1) join(`r${index}`);
      await world.advance('40s');
      host().requests.clear();
      await world.advance('60s');
      const found = new Map<string, number>();
      for (const { verb } of host().requests.all()) found.set(verb, (found.get(verb) ?? 0) + 1);
      expect(Object.fromEntries(found)).toEqual({ update: 30 * count, list: 30 * count });
      expect(
        host()
          .requests.all()
          .every(({ code }) => code === 200),
      ).toBe(true);
    },
  );

  it('asks for leases without a version, so that the answer holds whatever was stored before', async () => {
    const asked: unknown[] = [];
    const cluster = host().connect();
    const list: typeof cluster.list = (type, options) => {
      asked.push(options);
      return cluster.list(type, options);
    };
    const shards = new Shards({
      cluster: new Proxy(cluster, {
        get: (target, field) => (field === 'list' ? list : Reflect.get(target, field).bind(target)),
      }),
      group: 'other',
      namespace: 'default',
      identity: 'z',
      clock: world.clock,
      random: () => 0,
    });
    const stopping = new AbortController();
    const ended = shards.run(stopping.signal);
    await world.advance('3s');
    stopping.abort();
    await world.advance('5s');
    await ended;
    expect(asked.length).toBeGreaterThan(2);
    for (const options of asked) {
      expect(options).toMatchObject({ namespace: 'default', labelSelector: 'clusterset.dev/shard-group=other' });
      expect(options).not.toHaveProperty('resourceVersion');
    }
  });

  it('tells of its share as facts', async () => {
    const facts: Fact[] = [];
    join('a', { observe: (fact) => void facts.push(fact) });
    await world.advance('10s');
    join('b');
    await world.advance('20s');
    const shares = facts.filter(({ fact }) => fact === 'shard');
    expect(shares.at(-1)).toEqual({
      fact: 'shard',
      group: 'fleet',
      identity: 'a',
      clusters: shareOf('a', 'a', 'b').length,
      members: 2,
    });
    expect(facts[0]).toMatchObject({ fact: 'leading', lease: 'default/fleet-a', isLeading: true, epoch: 0 });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ group: 'No Good' }, 'group'],
    [{ identity: '' }, 'identity'],
    [{ identity: 'host_1' }, 'identity'],
    [{ weight: 0 }, 'weight'],
    [{ leaseDurationMs: 1500 }, 'leaseDurationMs'],
    [{ renewPeriodMs: 0 }, 'renewPeriodMs'],
    [{ safetyMarginMs: 13_000 }, 'safetyMarginMs'],
    [{ forgetAfterMs: -1 }, 'forgetAfterMs'],
  ])('can not be made with %j', (options, field) => {
    const good: ShardsOptions = { cluster: host().connect(), group: 'g', namespace: 'default', identity: 'a', random: () => 0 };
    expect(() => new Shards({ ...good, ...options })).toThrow(expect.objectContaining({ code: 'Invalid', field }));
  });
});

describe('one that comes', PATIENT, () => {
  it('gets its share within 10 s, and the others go on without a break with what they keep', async () => {
    const a = join('a');
    const b = join('b');
    await world.advance('40s');
    const kept = new Map(
      ['a', 'b'].map((name) => [name, shareOf(name, 'a', 'b', 'c').map((each) => (name === 'a' ? a : b).shards.owns(each))]),
    );
    const c = join('c');
    await world.advance('10s');
    expect([a.owned, b.owned, c.owned]).toEqual(['a', 'b', 'c'].map((name) => shareOf(name, 'a', 'b', 'c')));
    for (const [name, fences] of kept) {
      expect(fences.every((fence) => fence?.isValid())).toBe(true);
      expect(shareOf(name, 'a', 'b', 'c').map((each) => (name === 'a' ? a : b).shards.owns(each))).toEqual(fences);
    }
  });

  it('waits until work for what it gets has ended, and 2 s longer than that was told to stop', async () => {
    let finish = (): void => undefined;
    const a = new Replica(world, 'a', CLUSTERS);
    running.push(a);
    const ended: string[] = [];
    a.shards.onChange((change) => {
      ended.push(...change.ended);
      return change.ended.length === 0 ? undefined : new Promise<void>((resolve) => (finish = resolve));
    });
    a.start();
    await world.advance('5s');
    expect(a.owned).toEqual(CLUSTERS);
    const b = join('b');
    await world.advance('10s');
    expect(ended).toEqual(shareOf('b', 'a', 'b'));
    expect([a.owned, b.owned]).toEqual([shareOf('a', 'a', 'b'), []]);
    finish();
    await world.advance('5s');
    expect(b.owned).toEqual(shareOf('b', 'a', 'b'));
  });

  it('waits for work that never ends as long as for a lease', async () => {
    const a = new Replica(world, 'a', CLUSTERS);
    running.push(a);
    a.shards.onChange(({ ended }) => (ended.length === 0 ? undefined : new Promise<void>(() => undefined)));
    a.start();
    await world.advance('5s');
    expect(a.owned.length).toBe(20);
    const b = join('b');
    await world.advance('14s');
    expect(b.owned).toEqual([]);
    await world.advance('10s');
    expect(b.owned).toEqual(shareOf('b', 'a', 'b'));
  });

  it('gets what its weight is', async () => {
    join('a');
    const b = join('b', { weight: 3 });
    await world.advance('40s');
    const members = [{ identity: 'a' }, { identity: 'b', weight: 3 }];
    expect(b.owned).toEqual(CLUSTERS.filter((name) => ownerOf(name, members) === 'b'));
  });
});

describe('one that goes', PATIENT, () => {
  it('gives everything back, and the others have it within 7 s', async () => {
    const a = join('a');
    const b = join('b');
    await world.advance('40s');
    b.stop();
    await world.advance('7s');
    await b.ended;
    expect([a.owned, b.owned]).toEqual([CLUSTERS, []]);
    expect(await lease(world, 'fleet-b')).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(longestGap(start + 40_000, start + 47_000)).toBeLessThanOrEqual(5_000);
  });

  it('by being killed moves only its clusters, and within two durations of a lease', async () => {
    const all = ['a', 'b', 'c'].map((name) => join(name));
    await world.advance('40s');
    const [a, b, c] = all as [Replica, Replica, Replica];
    const before = [a, b].flatMap(({ owned, shards }) => owned.map((name) => shards.owns(name)));
    c.kill();
    await world.advance('20s');
    expect([a.owned, b.owned]).toEqual([shareOf('a', 'a', 'b'), shareOf('b', 'a', 'b')]);
    expect(before.every((fence) => fence?.isValid())).toBe(true);
    expect(longestGap(start + 40_000, start + 60_000)).toBeLessThanOrEqual(20_000);
  });

  it('and comes back by the same name has its clusters again after its old lease, and nobody else has moved', async () => {
    const a = join('a');
    const b = join('b');
    await world.advance('40s');
    b.kill();
    const again = join('b', { run: 2 });
    const fences = a.owned.map((name) => a.shards.owns(name));
    await world.advance('14900ms');
    expect(again.owned).toEqual([]);
    await world.advance('3s');
    expect(again.owned).toEqual(shareOf('b', 'a', 'b'));
    expect(a.owned).toEqual(shareOf('a', 'a', 'b'));
    expect(fences.every((fence) => fence?.isValid())).toBe(true);
    expect(again.shards.fence('eu-1').epoch === 1 || again.shards.owns('eu-1') === undefined).toBe(true);
    expect(again.shards.owns(shareOf('b', 'a', 'b')[0] ?? '')?.epoch).toBe(1);
  });

  it('and is replaced by a process of its name while it still runs, gives way to it, and does not fight back', async () => {
    const old = join('a');
    join('b');
    await world.advance('40s');
    const fresh = join('a', { run: 2 });
    await world.advance('30s');
    expect(old.owned).toEqual([]);
    expect(fresh.owned).toEqual(shareOf('a', 'a', 'b'));
    await world.advance('60s');
    expect([old.owned, fresh.owned]).toEqual([[], shareOf('a', 'a', 'b')]);
  });

  it('for good leaves a lease that one other removes', async () => {
    for (const name of ['a', 'b', 'c']) join(name, { forgetAfterMs: 60_000 });
    const dead = join('d', { forgetAfterMs: 60_000 });
    await world.advance('40s');
    dead.kill();
    await world.advance('70s');
    expect(await lease(world, 'fleet-d')).toBeDefined();
    await world.advance('20s');
    expect(await lease(world, 'fleet-d')).toBeUndefined();
    expect(
      host()
        .requests.all()
        .filter(({ verb }) => verb === 'delete'),
    ).toHaveLength(1);
  });
});

describe('one that is cut off from the host', PATIENT, () => {
  it.each<[string, (replica: Replica) => Disposable]>([
    ['connections are refused', ({ client }) => host().network.reset({ clients: [client] })],
    ['nothing is answered', ({ client }) => host().network.hang({ clients: [client] })],
    ['connections are half-open', ({ client }) => host().network.silence({ clients: [client] })],
    ['lists fail', ({ client }) => host().network.fail({ code: 500 }, { clients: [client], verbs: ['list'] })],
    ['writes fail', ({ client }) => host().network.fail({ code: 500 }, { clients: [client], verbs: ['update'] })],
    ['answers are lost', ({ client }) => host().network.loseAnswers({ clients: [client] })],
    ['answers take 4 s', ({ client }) => host().network.delay('4s', { clients: [client] })],
  ])('writes to no cluster at the same time as another, and shares again afterwards: %s', async (_, trouble) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(name)) as [Replica, Replica, Replica];
    await world.advance('40s');
    const over = trouble(a);
    await world.advance('45s');
    const d = join('d');
    await world.advance('45s');
    over[Symbol.dispose]();
    await world.advance('30s');
    expect(owners([a, b, c, d], CLUSTERS)).toEqual(CLUSTERS.map(() => 1));
    expect([a, b, c, d].map(({ owned }) => owned)).toEqual(['a', 'b', 'c', 'd'].map((name) => shareOf(name, 'a', 'b', 'c', 'd')));
  });

  it('loses everything 13 s after its last renewal was sent, though it reaches its clusters', async () => {
    const a = join('a');
    await world.advance('10s');
    const fence = a.shards.owns('eu-1');
    const over = host().network.hang({ clients: [a.client] });
    await world.advance('12900ms');
    expect(a.owned.length).toBe(20);
    await world.advance('100ms');
    expect([a.owned, fence?.isValid(), fence?.signal.aborted]).toEqual([[], false, true]);
    over[Symbol.dispose]();
    await world.advance('10s');
    expect(a.owned.length).toBe(20);
    expect([fence?.isValid(), a.shards.owns('eu-1')?.epoch]).toEqual([false, 1]);
  });

  it('has a fence until 13 s after its last renewal was sent, however late the answer was', async () => {
    const a = join('a');
    await world.advance('9900ms');
    const slow = host().network.delay('4s', { clients: [a.client], verbs: ['update'] });
    const sentAt = a.clock.monotonic() + 100;
    await world.advance('4200ms');
    expect(a.shards.owns('eu-1')?.expiresAt).toBe(sentAt + 13_000);
    slow[Symbol.dispose]();
  });

  it('and stalls, has lost everything by the clock, whatever its timers do', async () => {
    const a = join('a');
    const b = join('b');
    await world.advance('41s');
    a.clock.stall(40_000);
    await world.advance('13s');
    expect(a.owned).toEqual([]);
    await world.advance('10s');
    expect(b.owned).toEqual(CLUSTERS);
    await world.advance('40s');
    expect(owners([a, b], CLUSTERS)).toEqual(CLUSTERS.map(() => 1));
  });
});

describe('a lease in the group', PATIENT, () => {
  it('that can not be read keeps others from beginning anything for as long as it lives, and no longer', async () => {
    const spec = { holderIdentity: 'odd', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' };
    const metadata = { namespace: 'default', name: 'fleet-odd', labels: { 'clusterset.dev/shard-group': 'fleet' } };
    await host().connect().create(LEASE, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
    const a = join('a');
    await world.advance('14s');
    expect(a.owned).toEqual([]);
    await world.advance('4s');
    expect(a.owned).toEqual(CLUSTERS);
  });

  it('that is taken away from its replica costs it everything, until it has another', async () => {
    const a = join('a');
    await world.advance('5s');
    const fence = a.shards.owns('eu-1');
    await host().connect().delete(LEASE, { namespace: 'default', name: 'fleet-a' });
    await world.advance('2s');
    expect(fence?.isValid()).toBe(false);
    await world.advance('10s');
    expect(a.owned).toEqual(CLUSTERS);
  });
});

describe('shardedSource', PATIENT, () => {
  interface Entry {
    readonly name: string;
  }
  const entries: readonly Entry[] = CLUSTERS.map((name) => ({ name }));

  async function listen(source: ClusterSource<Entry>, signal: AbortSignal): Promise<(readonly string[])[]> {
    const said: (readonly string[])[] = [];
    void (async () => {
      for await (const each of source.watch(signal)) said.push(each.map(({ name }) => name));
    })();
    return said;
  }

  it('names what the replica may act for, again whenever that changes, and not otherwise', async () => {
    const a = join('a');
    const stopping = new AbortController();
    const said = await listen(shardedSource(staticSource(entries), a.shards), stopping.signal);
    await world.advance('10s');
    expect(said).toEqual([[], CLUSTERS]);
    const b = join('b');
    await world.advance('20s');
    expect(said.slice(2)).toEqual([shareOf('a', 'a', 'b')]);
    b.stop();
    await world.advance('10s');
    expect(said.slice(3)).toEqual([CLUSTERS]);
    stopping.abort();
  });

  it('leaves out once what went and came back, so that it is engaged anew behind its new fence', async () => {
    const a = new Replica(world, 'a', CLUSTERS);
    running.push(a);
    a.start();
    await world.advance('1s');
    const stopping = new AbortController();
    const iterator = shardedSource(staticSource(entries), a.shards).watch(stopping.signal)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual(entries);
    // Nobody reads while everything is lost and regained.
    const over = host().network.reset({ clients: [a.client] });
    await world.advance('15s');
    over[Symbol.dispose]();
    await world.advance('15s');
    expect((await iterator.next()).value).toEqual([]);
    expect((await iterator.next()).value).toEqual(entries);
    stopping.abort();
    await iterator.return?.();
  });

  it('makes a set engage what comes, release what goes, and write only behind the fence', async () => {
    const a = join('a');
    const set = new ClusterSet<Entry>({
      source: shardedSource(staticSource(entries), a.shards),
      connect: ({ name }) => fenced(world.connect(name), a.shards.fence(name)),
      clock: world.clock,
    } as ConstructorParameters<typeof ClusterSet<Entry>>[0]);
    void set.start();
    await world.advance('10s');
    expect([...set.members.keys()]).toEqual(CLUSTERS);
    const left = set.get(shareOf('b', 'a', 'b')[0] ?? '');
    join('b');
    await world.advance('20s');
    expect([...set.members.keys()]).toEqual(shareOf('a', 'a', 'b'));
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'late' } };
    const write = left?.cluster?.apply(
      { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced' },
      object,
      {
        fieldManager: 'late',
      },
    );
    await expect(write).rejects.toMatchObject({ code: 'Fenced' });
    const stopped = set.stop();
    await world.advance('20s');
    await stopped;
  });
});
