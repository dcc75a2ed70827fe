import { type AnyObject, type Cluster, formatKey, keyOf } from 'clusterset/kube';
import { type CacheEvent, type Fact, ObjectCache, reflect } from 'clusterset/runtime';
import { OfflineCluster, VirtualClock } from 'clusterset/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { CONFIG_MAPS } from '../fixtures.ts';

/** Who writes, past the faults, which are for the reflector. */
const WRITER = 'writer';
const READER = 'reader';
const FOR_READER = { clients: [READER] };

interface Followed {
  readonly clock: VirtualClock;
  readonly cluster: OfflineCluster;
  readonly writer: Cluster;
  readonly cache: ObjectCache;
  readonly facts: readonly Fact[];
  /** What a listener makes of what it is told. */
  readonly replay: Map<string, AnyObject>;
  /** What does not fit into the story of a listener. */
  readonly gaps: string[];
  readonly stop: () => Promise<void>;
}

const running: Followed[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

const byValue = ({ data }: AnyObject): readonly string[] => [String((data as { value?: string } | undefined)?.value)];

function follow(watchList: boolean): Followed {
  const clock = new VirtualClock();
  const cluster = new OfflineCluster({ name: 'eu-1', clock, rollouts: false });
  const stopping = new AbortController();
  const facts: Fact[] = [];
  const replay = new Map<string, AnyObject>();
  const gaps: string[] = [];
  const cache = new ObjectCache({ clock, indexes: { value: byValue }, onError: (error) => gaps.push(String(error)) });
  cache.listen((event) => keepStory(replay, gaps, event));
  const port = cluster.connect({ fieldManager: READER });
  const { signal } = stopping;
  const observe = (fact: Fact): void => void facts.push(fact);
  const done = reflect({ cluster: port, type: CONFIG_MAPS, cache, clock, random: () => 0, signal, watchList, observe });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await done;
    cluster.stop();
  };
  const followed = { clock, cluster, writer: cluster.connect({ fieldManager: WRITER }), cache, facts, replay, gaps, stop };
  running.push(followed);
  return followed;
}

function keepStory(replay: Map<string, AnyObject>, gaps: string[], event: CacheEvent): void {
  const object = 'object' in event ? event.object : event.previous;
  const key = formatKey(keyOf(object));
  const before = 'previous' in event ? event.previous : undefined;
  if (replay.get(key) !== before) gaps.push(`${event.type} ${key}`);
  if (event.type === 'removed') replay.delete(key);
  else replay.set(key, event.object);
}

async function write(writer: Cluster, name: string, value: string): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name }, data: { value } };
  await writer.apply(CONFIG_MAPS, object, { fieldManager: WRITER, force: true });
}

const remove = (writer: Cluster, name: string): Promise<unknown> => writer.delete(CONFIG_MAPS, { namespace: 'default', name });
const sorted = (objects: Iterable<AnyObject>): AnyObject[] =>
  [...objects].toSorted((a, b) => (formatKey(keyOf(a)) < formatKey(keyOf(b)) ? -1 : 1));

async function expectInStep({ cache, writer, replay, gaps }: Followed): Promise<void> {
  const { items, resourceVersion } = await writer.list(CONFIG_MAPS);
  const objects = sorted(items);
  expect(sorted(cache.values())).toEqual(objects);
  expect(sorted(replay.values())).toEqual(objects);
  expect(gaps).toEqual([]);
  expect(Number(cache.freshness().version)).toBeLessThanOrEqual(Number(resourceVersion));
  const values = new Set(objects.flatMap(byValue));
  for (const value of values) {
    expect(sorted(cache.byIndex('value', value))).toEqual(objects.filter((object) => byValue(object).includes(value)));
  }
}

const listsOf = ({ facts }: Followed): string[] => facts.flatMap((fact) => (fact.fact === 'listed' ? [fact.reason] : []));

const modes: readonly (readonly [string, boolean])[] = [
  ['listed', false],
  ['streamed', true],
];

describe.each(modes)('a reflector of what is %s', (_mode, watchList) => {
  it.each<[string, (cluster: OfflineCluster) => Disposable, readonly string[]]>([
    ['the network is cut', ({ network }) => network.cut(), ['first']],
    ['requests hang', ({ network }) => network.hang(FOR_READER), ['first']],
    ['connections are half open', ({ network }) => network.silence(FOR_READER), ['first']],
    ['everything takes 20 seconds', ({ network }) => network.delay('20s', FOR_READER), ['first']],
    ['connections are reset', ({ network }) => network.reset(FOR_READER), ['first']],
    ['answers are lost', ({ network }) => network.loseAnswers(FOR_READER), ['first']],
    ['it reads too slowly', ({ network }) => network.slowReader({ buffer: 2 }, FOR_READER), ['first']],
    ['everything is answered with 401', ({ network }) => network.fail({ code: 401 }, FOR_READER), ['first']],
    ['everything is answered with 403', ({ network }) => network.fail({ code: 403 }, FOR_READER), ['first']],
    ['everything is answered with 429', ({ network }) => network.fail({ code: 429 }, FOR_READER), ['first']],
    ['everything is answered with 500', ({ network }) => network.fail({ code: 500 }, FOR_READER), ['first', 'broken']],
    ['everything is answered with 503', ({ network }) => network.fail({ code: 503 }, FOR_READER), ['first']],
    ['everything is answered with 504', ({ network }) => network.fail({ code: 504 }, FOR_READER), ['first']],
  ])('misses nothing while %s, and takes no more anew than it must', async (_, bring, lists) => {
    const followed = follow(watchList);
    const { clock, cluster, writer } = followed;
    for (const name of ['stays', 'changes', 'goes', 'is-made-anew']) await write(writer, name, 'before');
    await clock.settle();
    const fault = bring(cluster);
    // Long enough for the watch to end and be asked for again; the cut is for everybody.
    const during = cluster.network.isCut ? [] : ['a', 'b', 'c', 'd'];
    for (const name of during) {
      await write(writer, name, 'during');
      await clock.advance('2m');
    }
    if (during.length > 0) {
      await write(writer, 'changes', 'during');
      await remove(writer, 'goes');
      await remove(writer, 'is-made-anew');
      await write(writer, 'is-made-anew', 'during');
    }
    await clock.advance('4m');
    fault[Symbol.dispose]();
    await write(writer, 'comes', 'after');
    await clock.advance('5m');
    await expectInStep(followed);
    expect(listsOf(followed)).toEqual(lists);
  });

  it('takes everything anew where the history was forgotten while it could not look', async () => {
    const followed = follow(watchList);
    const { clock, cluster, writer } = followed;
    await write(writer, 'a', 'before');
    await write(writer, 'b', 'before');
    await clock.settle();
    const fault = cluster.network.silence(FOR_READER);
    await remove(writer, 'a');
    await write(writer, 'c', 'during');
    cluster.compact();
    await clock.advance('4m');
    fault[Symbol.dispose]();
    await clock.advance('5m');
    await expectInStep(followed);
    expect(listsOf(followed)).toEqual(['first', 'expired']);
  });

  it('notices that the cluster was restored, and has what was restored', async () => {
    const followed = follow(watchList);
    const { clock, cluster, writer } = followed;
    await write(writer, 'a', 'saved');
    const snapshot = cluster.snapshot();
    await clock.settle();
    for (const name of ['a', 'b', 'c']) await write(writer, name, 'lost');
    await clock.settle();
    cluster.restore(snapshot);
    await clock.advance('10m');
    await expectInStep(followed);
    expect(listsOf(followed)[0]).toBe('first');
    expect(followed.cache.size).toBe((await writer.list(CONFIG_MAPS)).items.length);
  });

  it('hears of its own write at last, also where nothing else happens', async () => {
    const { clock, cache, writer } = follow(watchList);
    await clock.settle();
    const other = await writer.apply(
      { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced' },
      { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'default', name: 'elsewhere' } },
      { fieldManager: WRITER },
    );
    const version = String(other.object.metadata.resourceVersion);
    let isThere = false;
    void cache.waitForVersion(version).then(() => {
      isThere = true;
    });
    await clock.advance('59s');
    expect(isThere).toBe(false);
    await clock.advance('1s');
    expect(isThere).toBe(true);
  });

  it('is in step in the end, whatever happens to the cluster, its network and its history', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const fault = fc.constantFrom('cut', 'hang', 'silence', 'delay', 'reset', 'lose', 'slow', '401', '429', '500', '503');
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ does: fc.constant('write' as const), name }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constant('remove' as const), name }) },
      { weight: 4, arbitrary: fc.record({ does: fc.constant('fault' as const), fault }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('heal' as const, 'compact' as const) }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('save' as const, 'restore' as const) }) },
      {
        weight: 6,
        arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(1, 900, 9000, 65_000, 400_000) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
        const followed = follow(watchList);
        const { clock, cluster, writer } = followed;
        let faults: Disposable[] = [];
        let saved = cluster.snapshot();
        let written = 0;
        const act = async (each: (typeof steps)[number]): Promise<void> => {
          written += 1;
          if (each.does === 'write') await write(writer, each.name, String(written));
          if (each.does === 'remove') await remove(writer, each.name);
          if (each.does === 'fault') faults.push(faultOf(cluster, each.fault));
          if (each.does === 'compact') cluster.compact();
          if (each.does === 'save') saved = cluster.snapshot();
          if (each.does === 'wait') await clock.advance(each.ms);
          if (each.does !== 'heal' && each.does !== 'restore') return;
          for (const one of faults) one[Symbol.dispose]();
          faults = [];
          if (each.does === 'heal') return;
          // Nobody can tell a version from one that was given out a second time: no write before the first bookmark shows what has happened.
          cluster.restore(saved);
          await clock.advance('5m');
        };
        for (const each of steps) await act(each);
        await act({ does: 'heal' });
        await clock.advance('5m');
        await write(writer, 'last', 'word');
        await clock.advance('5m');
        await expectInStep(followed);
        await followed.stop();
      }),
      { numRuns: 40 },
    );
  });
});

function faultOf({ network }: OfflineCluster, which: string): Disposable {
  switch (which) {
    case 'cut':
      // For the reflector alone: whoever writes goes on.
      return network.reset(FOR_READER);
    case 'hang':
      return network.hang(FOR_READER);
    case 'silence':
      return network.silence(FOR_READER);
    case 'delay':
      return network.delay('3s', FOR_READER);
    case 'reset':
      network.cut()[Symbol.dispose]();
      return network.reset({ ...FOR_READER, verbs: ['watch'] });
    case 'lose':
      return network.loseAnswers(FOR_READER);
    case 'slow':
      return network.slowReader({ buffer: 1 }, FOR_READER);
    default:
      return network.fail({ code: Number(which), times: 7 }, FOR_READER);
  }
}
