import { setTimeout } from 'node:timers/promises';
import { connectServer } from 'clusterset/client';
import { type AnyObject, type Cluster, failure, resourceType } from 'clusterset/kube';
import { type Clock, type Fact, ObjectCache, type ReflectorSettings, reflect, systemClock } from 'clusterset/runtime';
import { OfflineCluster } from 'clusterset/testing';
import { serve } from 'clusterset/testing/http';
import { afterEach, describe, expect, it } from 'vitest';
import { bench } from './bench.ts';
import { answer, beginStream, type Outgoing, sendEvent, writeTo } from './server.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const CLIENT = 'under-test';
/** Whose requests meet the faults: those who change the objects aren't concerned. */
const OURS = { clients: [CLIENT] };
const MOST_TRIES = 1000;
/** Back-offs and deadlines of minutes take seconds here. */
const FASTER = 10;
const SILENCE_MS = 3000;

/** The machine's clock, and so many times faster: sockets know no virtual time. */
const clock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * FASTER,
  after: (ms, callback) => systemClock.after(ms / FASTER, callback),
};

interface ConfigMap extends AnyObject {
  readonly data: { readonly value: string };
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES && !holds(); tries += 1) await setTimeout(10);
  expect(holds()).toBe(true);
}

/** A reflector of ConfigMaps, and everything that it says. */
function started(cluster: Cluster, settings: ReflectorSettings) {
  const cache = new ObjectCache();
  const heard: string[] = [];
  const facts: Fact[] = [];
  const stopping = new AbortController();
  cache.listen((event) => {
    const { metadata, data } = (event.type === 'removed' ? event.previous : event.object) as ConfigMap;
    heard.push(event.type === 'removed' ? `gone ${metadata.name}` : `there ${metadata.name} ${data.value}`);
  });
  const done = reflect({
    cluster,
    type: CONFIG_MAPS,
    cache,
    clock,
    random: () => 0,
    signal: stopping.signal,
    observe: (fact) => facts.push(fact),
    ...settings,
  });
  closers.push(async () => {
    stopping.abort();
    await done;
  });
  return {
    cache,
    heard,
    lists: () => facts.flatMap((fact) => (fact.fact === 'listed' ? [fact.reason] : [])),
    watches: () => facts.filter(({ fact }) => fact === 'watch-began').length,
    ends: () => facts.flatMap((fact) => (fact.fact === 'watch-ended' ? [fact.reason] : [])),
  };
}

/** An offline cluster over HTTPS with 30 objects, a reflector that looks at it, and somebody who changes things. */
async function reflected(settings: ReflectorSettings, before: (offline: OfflineCluster) => unknown = () => undefined) {
  const offline = new OfflineCluster({ name: 'eu-1', rollouts: false });
  closers.push(() => offline.stop());
  const served = await serve([offline]);
  closers.push(() => served.close());
  const inside = offline.connect();
  const object = (name: string, value: string): AnyObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name },
    data: { value },
  });
  for (let index = 0; index < 30; index += 1) await inside.create(CONFIG_MAPS, object(`old-${index}`, 'old'));
  before(offline);
  const { server = '' } = served.clusters[0] ?? {};
  const cluster = connectServer({ name: 'eu-1', server, ca: served.ca, token: served.token, userAgent: CLIENT });
  closers.push(() => cluster.close());
  const looking = started(cluster, settings);
  let changes = 0;
  const due: string[] = [];
  return {
    ...looking,
    offline,
    /** How many requests of ours were answered so. */
    answered: (verb: string, code: number): number =>
      offline.requests.all().filter((each) => each.client === CLIENT && each.verb === verb && each.code === code).length,
    /** Adds an object, changes another, and deletes a third. */
    async change(): Promise<void> {
      const key = (name: string) => ({ namespace: 'default', name });
      const [changed, deleted] = [`old-${changes}`, `old-${29 - changes}`];
      await inside.create(CONFIG_MAPS, object(`new-${changes}`, 'new'));
      await inside.patch(CONFIG_MAPS, key(changed), { type: 'merge', body: { data: { value: 'changed' } } });
      await inside.delete(CONFIG_MAPS, key(deleted));
      due.push(`there new-${changes} new`, `there ${changed} changed`, `gone ${deleted}`);
      changes += 1;
    },
    /** Breaks the connections; they can be made again at once. */
    breakOff: () => offline.network.cut()[Symbol.dispose](),
    /** Everything was heard of, once, and the cache has what the server has. */
    async expectAll(): Promise<void> {
      await until(() => due.every((each) => looking.heard.includes(each)));
      expect(looking.heard.filter((each) => !each.endsWith(' old')).toSorted()).toEqual(due.toSorted());
      const sorted = (objects: Iterable<AnyObject>): AnyObject[] =>
        [...objects].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      expect(sorted(looking.cache.values())).toEqual(sorted((await inside.list(CONFIG_MAPS)).items));
    },
  };
}

describe.each([
  ['a list', false],
  ['a streamed list', true],
])('a reflector over HTTPS that begins with %s', (_, watchList) => {
  it('hears of everything, with one list and one watch', async () => {
    const { change, expectAll, lists, watches, cache } = await reflected({ watchList });
    await until(() => cache.synced && watches() === 1);
    await change();
    await change();
    await expectAll();
    expect(lists()).toEqual(['first']);
    expect(watches()).toBe(1);
  });

  it.each([429, 503, 500])('hears of everything when its watches are answered with %s for a while', async (code) => {
    const { change, expectAll, lists, answered, breakOff, offline, cache } = await reflected({ watchList });
    await until(() => cache.synced && answered('watch', 200) === 1);
    await change();
    {
      using _fault = offline.network.fail({ code }, { ...OURS, verbs: ['watch'] });
      breakOff();
      await change();
      await until(() => answered('watch', code) >= 2);
      await change();
    }
    await expectAll();
    // A server that sheds load has nothing against the version; what else is wrong isn't known, and everything is taken anew (client-go).
    if (code === 500) expect(lists().length).toBeGreaterThan(1);
    else expect(lists()).toEqual(['first']);
  });

  it('takes everything anew when its version is too old, and hears of what was deleted meanwhile', async () => {
    const { change, expectAll, lists, answered, breakOff, offline, cache } = await reflected({ watchList });
    await until(() => cache.synced && answered('watch', 200) === 1);
    {
      using _fault = offline.network.fail({ code: 503 }, { ...OURS, verbs: ['watch'] });
      breakOff();
      await change();
      await until(() => answered('watch', 503) >= 1);
      await change();
      offline.compact();
    }
    await expectAll();
    await change();
    await expectAll();
    expect(lists()).toEqual(['first', 'expired']);
  });

  it('watches on where it was when its connection breaks with an event on its way', async () => {
    const { change, expectAll, lists, ends, answered, offline, cache } = await reflected({ watchList });
    await until(() => cache.synced && answered('watch', 200) === 1);
    await change();
    await expectAll();
    {
      using _fault = offline.network.reset({ ...OURS, verbs: ['watch'] });
      await change();
      await until(() => ends().length > 0);
      await change();
    }
    await expectAll();
    expect(ends()).toContain('failed');
    expect(lists()).toEqual(['first']);
  });

  it('gives a connection up that has fallen silent, and hears of everything with the next one', async () => {
    const { change, expectAll, lists, ends, answered, offline, cache } = await reflected({ watchList, silenceMs: SILENCE_MS });
    await until(() => cache.synced && answered('watch', 200) === 1);
    await change();
    await expectAll();
    {
      using _fault = offline.network.silence(OURS);
      await change();
      // The first was open before, and nobody answers the second.
      await until(() => ends().length >= 2);
      await change();
    }
    await expectAll();
    expect(ends().slice(0, 2)).toEqual(['silent', 'silent']);
    expect(lists()).toEqual(['first']);
  });

  it('lists nothing while nothing happens', async () => {
    const { change, expectAll, lists, ends, answered, cache } = await reflected({ watchList, silenceMs: SILENCE_MS });
    await until(() => cache.synced && answered('watch', 200) === 1);
    await until(() => ends().length >= 3);
    await change();
    await expectAll();
    expect(new Set(ends())).toEqual(new Set(['silent']));
    expect(lists()).toEqual(['first']);
  });

  it('waits for a server that is not ready when it begins', async () => {
    const { change, expectAll, answered, lists, cache } = await reflected({ watchList }, ({ network }) => {
      network.fail({ code: 503, retryAfterSeconds: 0, times: 3 }, OURS);
    });
    await until(() => cache.synced);
    expect(answered('list', 503) + answered('watch', 503)).toBe(3);
    await until(() => answered('watch', 200) === 1);
    await change();
    await expectAll();
    expect(lists()).toHaveLength(1);
  });
});

describe('a reflector over HTTPS', () => {
  const test = bench();
  const object = (name: string, version: number): AnyObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, uid: name, resourceVersion: String(version) },
    data: { value: String(version) },
  });

  /** A server that lists `a` in its version 1, and whose watches say what they are given, one after the other; the last stays open. */
  async function scripted(...watches: readonly ((response: Outgoing, drop: () => void) => unknown)[]) {
    const asked: string[] = [];
    let next = 0;
    const { server, cluster } = await test.both(async ({ path }, response) => {
      const { searchParams } = new URL(path, 'https://server');
      const isWatch = searchParams.get('watch') === 'true';
      asked.push(`${isWatch ? 'watch' : 'list'} ${searchParams.get('resourceVersion')}`);
      const version = asked.length === 1 ? 1 : 3;
      const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: String(version) } };
      if (!isWatch) return answer(response, 200, { ...list, items: [object('a', version)] });
      beginStream(response);
      next += 1;
      await watches[next - 1]?.(response, server.drop);
    });
    return { ...started(cluster, { watchList: false }), asked };
  }

  it('takes everything anew when a watch says that the server has failed', async () => {
    const { asked, heard } = await scripted((response) => {
      sendEvent(response, 'MODIFIED', object('a', 2));
      sendEvent(response, 'ERROR', failure('InternalError', 'etcdserver: request timed out'));
      response.end();
    });
    await until(() => heard.includes('there a 3') && asked.length === 4);
    expect(heard).toEqual(['there a 1', 'there a 2', 'there a 3']);
    expect(asked).toEqual(['list 0', 'watch 1', 'list 2', 'watch 3']);
  });

  it('asks again for an event of which only the half has come', async () => {
    const { asked, heard } = await scripted(
      async (response, drop) => {
        sendEvent(response, 'MODIFIED', object('a', 2));
        const text = JSON.stringify({ type: 'MODIFIED', object: object('a', 3) });
        writeTo(response, text.slice(0, text.length / 2));
        // What is written has to leave before the connection breaks.
        await until(() => heard.length === 2);
        drop();
      },
      (response) => sendEvent(response, 'MODIFIED', object('a', 3)),
    );
    await until(() => heard.includes('there a 3'));
    expect(heard).toEqual(['there a 1', 'there a 2', 'there a 3']);
    expect(asked).toEqual(['list 0', 'watch 1', 'watch 2']);
  });
});
