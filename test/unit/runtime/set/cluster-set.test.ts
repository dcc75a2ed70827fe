import type { Cluster, ClusterSource } from 'clusterset/kube';
import { ClusterSet, type Fact, type SetEvent, staticSource } from 'clusterset/runtime';
import { simulate, VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { handMade } from '../fixtures.ts';
import { type Answer, cleanUps, type Entry, Fake, held, named, prepare, type Running, start, Told } from './start.ts';

describe('a cluster set', () => {
  it('connects to the clusters that its source names, and asks each at once how it is', async () => {
    const { set, news, member } = await start(named('eu-1', 'us-1'));
    expect([...set.members.keys()]).toEqual(['eu-1', 'us-1']);
    expect(news('eu-1')).toEqual(['joined eu-1 unconnected', 'changed eu-1 joining', 'changed eu-1 ready']);
    expect(member('eu-1')).toMatchObject({ name: 'eu-1', entry: { name: 'eu-1' }, state: 'ready', reason: '' });
    expect(member('eu-1').signal.aborted).toBe(false);
    expect(set.get('eu-2')).toBeUndefined();
  });

  it('says of a member that it has not been asked yet until there is an answer', async () => {
    const { news, member, set, clock, fakes } = prepare(named('eu-1'), {
      connect: (entry) => {
        const fake = new Fake(entry, clock);
        fake.answer = 'silent';
        fakes.push(fake);
        return fake.cluster;
      },
    });
    await set.start();
    await clock.settle();
    expect(member('eu-1')).toMatchObject({ state: 'joining', reason: 'it has not been asked yet' });
    expect(news()).toEqual(['joined eu-1 unconnected', 'changed eu-1 joining']);
  });

  it('can be started twice, and follows its source once', async () => {
    const { set, fakes } = await start(named('eu-1'));
    await set.start();
    expect(fakes).toHaveLength(1);
  });

  it('takes a promise for a connection', async () => {
    const clock = new VirtualClock();
    const fake = new Fake({ name: 'eu-1' }, clock);
    const { set } = await start(named('eu-1'), { connect: () => Promise.resolve(fake.cluster) });
    expect(set.get('eu-1')?.cluster).toBe(fake.cluster);
  });

  it('tells a late listener of every member that is there, and nobody who has had enough', async () => {
    const { set, source, clock } = await start(named('eu-1', 'us-1'));
    const events: SetEvent<Entry>[] = [];
    const stop = set.listen((event) => events.push(event));
    expect(events.map(({ type, member }) => [type, member.name, member.state])).toEqual([
      ['joined', 'eu-1', 'ready'],
      ['joined', 'us-1', 'ready'],
    ]);
    stop();
    source.say(...named('eu-1'));
    await clock.settle();
    expect(events).toHaveLength(2);
  });

  it('works on a source that never changes', async () => {
    const clock = new VirtualClock();
    const fake = new Fake({ name: 'eu-1' }, clock);
    const set = new ClusterSet<Entry>({ source: staticSource(named('eu-1')), connect: () => fake.cluster, clock });
    await set.start();
    await clock.advance('1m');
    expect(set.get('eu-1')?.state).toBe('ready');
    await set.stop();
    expect(fake.closed).toBe(1);
  });

  it('sees what becomes of offline clusters', async () => {
    await using world = await simulate({ members: { 'eu-1': {}, 'us-1': {} } });
    const set = new ClusterSet({
      source: staticSource(world.entries),
      connect: (entry) => world.connect(entry),
      clock: world.clock,
    });
    await set.start();
    await world.settle();
    const states = (): string[] => [...set.members.values()].map(({ name, state }) => `${name} ${state}`);
    expect(states()).toEqual(['eu-1 ready', 'us-1 ready']);
    {
      using _ = world.partition('eu-1');
      await world.advance('31s');
      expect(states()).toEqual(['eu-1 unreachable', 'us-1 ready']);
      expect(set.get('eu-1')?.reason).toBe('the connection was refused (offline, on purpose)');
    }
    await world.advance('11s');
    expect(states()).toEqual(['eu-1 ready', 'us-1 ready']);
    await set.stop();
  });
});

describe('members of a cluster set that are asked how they are', () => {
  it('are asked every ten seconds', async () => {
    const { clock, fake } = await start(named('eu-1'));
    await clock.advance('35s');
    expect(fake('eu-1').probes).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it('count as unreachable after three bad answers in a row, and as ready after one good one', async () => {
    const { clock, fake, news, member } = await start(named('eu-1'));
    news();
    fake('eu-1').answer = 'refused';
    await clock.advance('20s');
    expect(member('eu-1')).toMatchObject({ state: 'ready', reason: '' });
    await clock.advance('10s');
    expect(member('eu-1')).toMatchObject({ state: 'unreachable', reason: 'the connection was refused' });
    fake('eu-1').answer = 'ok';
    await clock.advance('10s');
    expect(member('eu-1')).toMatchObject({ state: 'ready', reason: '' });
    expect(news()).toEqual(['changed eu-1 unreachable', 'changed eu-1 ready']);
  });

  it('are believed the first time', async () => {
    const { fake, source, clock, member } = await start([]);
    source.say(...named('eu-1'));
    await clock.settle();
    expect(member('eu-1').state).toBe('ready');
    expect(fake('eu-1').probes).toHaveLength(1);
  });

  it('are judged by the thresholds, interval and patience that the set was given', async () => {
    const { clock, fake, member } = await start(named('eu-1'), {
      probe: { intervalMs: 1000, timeoutMs: 100, failures: 2, successes: 3 },
    });
    fake('eu-1').answer = 'silent';
    await clock.advance(1100);
    expect(member('eu-1').state).toBe('ready');
    await clock.advance(1100);
    expect(member('eu-1')).toMatchObject({ state: 'unreachable', reason: 'no answer within 100 ms' });
    fake('eu-1').answer = 'ok';
    await clock.advance(2000);
    expect(member('eu-1').state).toBe('unreachable');
    await clock.advance(1000);
    expect(member('eu-1').state).toBe('ready');
  });

  it.each<[Answer, string, string]>([
    ['bad', 'degraded', 'its /readyz does not say ok'],
    ['unauthorized', 'degraded', 'the token has ended'],
    ['forbidden', 'degraded', 'user may not get /readyz'],
    ['busy', 'degraded', 'too many requests'],
    ['gateway', 'unreachable', 'the gateway waited for too long'],
    ['refused', 'unreachable', 'the connection was refused'],
    ['broken', 'unreachable', 'not one of our errors'],
    ['silent', 'unreachable', 'no answer within 3000 ms'],
    ['deaf', 'unreachable', 'no answer within 3000 ms'],
  ])('give a reason in words when their answer is %s: they are %s', async (answer, state, reason) => {
    const { clock, fake, member } = await start(named('eu-1'));
    fake('eu-1').answer = answer;
    await clock.advance('40s');
    expect(member('eu-1')).toMatchObject({ state, reason });
  });

  it('keep their first reason while they are unreachable: every change would be written into all statuses', async () => {
    const { clock, fake, member } = await start(named('eu-1'));
    fake('eu-1').answer = 'refused';
    await clock.advance('30s');
    fake('eu-1').answer = 'bad';
    await clock.advance('10s');
    expect(member('eu-1')).toMatchObject({ state: 'unreachable', reason: 'the connection was refused' });
  });

  it('have their question ended when they are too slow', async () => {
    const { clock, fake } = await start(named('eu-1'));
    fake('eu-1').answer = 'silent';
    await clock.advance('10s');
    expect(fake('eu-1').signals.at(-1)?.aborted).toBe(false);
    await clock.advance('3s');
    expect(fake('eu-1').signals.at(-1)?.aborted).toBe(true);
  });

  it.each<Answer>(['silent', 'deaf'])('never wait for another that is %s', async (answer) => {
    const { clock, fake, member, source } = await start(named('eu-1', 'us-1'));
    fake('eu-1').answer = answer;
    await clock.advance('30s');
    expect(fake('us-1').probes).toEqual([0, 10_000, 20_000, 30_000]);
    source.say(...named('eu-1', 'us-1', 'us-2'));
    await clock.settle();
    expect(member('us-2').state).toBe('ready');
  });

  it('count as unreachable also where they do not mind the signal that ends the question', async () => {
    const { clock, fake, member } = await start(named('eu-1'));
    fake('eu-1').answer = 'deaf';
    await clock.advance('1m');
    expect(member('eu-1').state).toBe('unreachable');
  });
});

describe('a cluster set whose source changes', () => {
  it('lets clusters join and leave, and closes what it leaves', async () => {
    const [eu1, us1, us2] = [{ name: 'eu-1' }, { name: 'us-1' }, { name: 'us-2' }];
    const { source, clock, news, set, fake, member } = await start([eu1, us1]);
    const left = member('eu-1');
    news();
    source.say(us1, us2);
    await clock.settle();
    expect(news()).toEqual(['left eu-1 leaving', 'joined us-2 unconnected', 'changed us-2 joining', 'changed us-2 ready']);
    expect([...set.members.keys()]).toEqual(['us-1', 'us-2']);
    expect(fake('eu-1').closed).toBe(1);
    expect(left.signal.aborted).toBe(true);
    expect(member('us-1').signal.aborted).toBe(false);
    await clock.advance('1m');
    expect(fake('eu-1').probes).toEqual([0]);
  });

  it('fires the signal of a member and forgets it before it says that the member has left', async () => {
    const { source, clock, set } = await start(named('eu-1'));
    const seen: unknown[] = [];
    set.listen(({ type, member }) => {
      if (type === 'left') seen.push([member.signal.aborted, set.get('eu-1')]);
    });
    source.say();
    await clock.settle();
    expect(seen).toEqual([[true, undefined]]);
  });

  it('ends the question that a leaving member is being asked, and says nothing of it afterwards', async () => {
    const { source, clock, fake, news } = await start(named('eu-1'), { probe: { failures: 1 } });
    fake('eu-1').answer = 'silent';
    await clock.advance('10s');
    news();
    source.say();
    await clock.settle();
    expect(fake('eu-1').signals.at(-1)?.aborted).toBe(true);
    expect(news()).toEqual(['left eu-1 leaving']);
  });

  it('passes on what a source says of a member, on the same connection', async () => {
    const { source, clock, news, fakes, member } = await start([{ name: 'eu-1' }]);
    const before = member('eu-1');
    news();
    source.say({ name: 'eu-1', labels: { region: 'eu' } });
    await clock.settle();
    expect(news()).toEqual(['changed eu-1 ready']);
    expect(member('eu-1').entry.labels).toEqual({ region: 'eu' });
    expect(member('eu-1').cluster).toBe(before.cluster);
    expect(before.signal.aborted).toBe(false);
    expect(fakes).toHaveLength(1);
  });

  it('gives members as of one moment: those from before stay as they were', async () => {
    const { source, clock, member, fake } = await start([{ name: 'eu-1' }]);
    const before = member('eu-1');
    source.say({ name: 'eu-1', labels: { region: 'eu' } });
    fake('eu-1').answer = 'refused';
    await clock.advance('1m');
    expect(member('eu-1')).toMatchObject({ entry: { labels: { region: 'eu' } }, state: 'unreachable' });
    expect(before).toMatchObject({ entry: { name: 'eu-1' }, state: 'ready', reason: '' });
    expect(before.entry).not.toHaveProperty('labels');
  });

  it('says nothing of a member whose entry is the same', async () => {
    const entry = { name: 'eu-1' };
    const { source, clock, news } = await start([entry]);
    news();
    source.say(entry, { name: 'us-1' });
    await clock.settle();
    expect(news('eu-1')).toEqual([]);
  });

  it('says nothing of a member whose entry was read anew and says the same', async () => {
    const { source, clock, news } = await start([{ name: 'eu-1', labels: { region: 'eu' } }]);
    news();
    source.say({ name: 'eu-1', labels: { region: 'eu' } });
    await clock.settle();
    expect(news()).toEqual([]);
  });

  it('connects anew where what decides about the connection changes', async () => {
    const { source, clock, news, fakes, member } = await start([{ name: 'eu-1', server: 'https://old' }], {
      connectionOf: ({ server = '' }) => server,
    });
    const before = member('eu-1');
    source.say({ name: 'eu-1', server: 'https://old', labels: { region: 'eu' } });
    await clock.settle();
    expect(fakes).toHaveLength(1);
    news();
    source.say({ name: 'eu-1', server: 'https://new' });
    await clock.settle();
    expect(fakes.map(({ entry, closed }) => [entry.server, closed])).toEqual([
      ['https://old', 1],
      ['https://new', 0],
    ]);
    expect(before.signal.aborted).toBe(true);
    expect(member('eu-1').signal.aborted).toBe(false);
    expect(news()).toEqual(['left eu-1 leaving', 'joined eu-1 unconnected', 'changed eu-1 joining', 'changed eu-1 ready']);
  });

  it('takes a cluster that left and came back for a new one', async () => {
    const { source, clock, fakes, member } = await start(named('eu-1'));
    const before = member('eu-1');
    source.say();
    await clock.settle();
    source.say(...named('eu-1'));
    await clock.settle();
    expect(fakes).toHaveLength(2);
    expect(member('eu-1').cluster).not.toBe(before.cluster);
    expect(member('eu-1').signal.aborted).toBe(false);
  });

  it('says that its source has failed, keeps what it has, and asks the source again', async () => {
    const { source, clock, errors, set, news } = await start(named('eu-1'));
    news();
    source.fail(new Error('the registry is gone'));
    await clock.settle();
    expect(errors).toEqual([': the registry is gone']);
    expect(set.get('eu-1')?.state).toBe('ready');
    source.mend();
    source.say(...named('us-1'));
    await clock.advance('31s');
    expect([...set.members.keys()]).toEqual(['us-1']);
    expect(set.get('us-1')?.state).toBe('ready');
    expect(errors).toHaveLength(1);
  });

  it('asks a source that fails again and again less and less often', async () => {
    const { source, clock, errors } = await start(named('eu-1'));
    source.fail(new Error('the registry is gone'));
    await clock.advance('5m');
    expect(errors.length).toBeGreaterThan(5);
    expect(errors.length).toBeLessThan(20);
  });

  it('waits for a source that fails before it has said anything', async () => {
    const clock = new VirtualClock();
    const source = new Told();
    const set = new ClusterSet<Entry>({ source, connect: (entry) => new Fake(entry, clock).cluster, clock });
    cleanUps.push(() => set.stop());
    source.fail(new Error('the registry is gone'));
    const started = set.start();
    await clock.advance('10s');
    source.mend();
    source.say(...named('eu-1'));
    await clock.advance('31s');
    await started;
    expect(set.get('eu-1')?.state).toBe('ready');
  });
});

describe('a cluster set that can not connect', () => {
  /** Connections that fail for some names, as long as they do. */
  function refusing(...names: readonly string[]) {
    const clock = new VirtualClock();
    const refused = new Set(names);
    const attempts: number[] = [];
    const connect = (entry: Entry): Cluster => {
      if (!refused.has(entry.name)) return new Fake(entry, clock).cluster;
      attempts.push(clock.monotonic());
      throw new Error('no such kubeconfig');
    };
    return { clock, refused, attempts, connect };
  }

  it.each<[string, (connect: (entry: Entry) => Cluster) => (entry: Entry) => Cluster | Promise<Cluster>]>([
    ['the connection throws', (connect) => connect],
    ['the connection is a promise that rejects', (connect) => async (entry) => connect(entry)],
  ])('says so of the member, and lets the others join, where %s', async (_, wrap) => {
    const { connect, clock } = refusing('b');
    const { set, errors, news } = await start(named('a', 'b', 'c'), { connect: wrap(connect), clock });
    expect([...set.members.values()].map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ['a', 'ready', ''],
      ['b', 'unreachable', 'no such kubeconfig'],
      ['c', 'ready', ''],
    ]);
    expect(set.get('b')?.cluster).toBeUndefined();
    expect(news('b')).toEqual(['joined b unconnected', 'changed b unconnected']);
    expect(errors).toEqual(['b: no such kubeconfig']);
  });

  it('tries again less and less often, until there is a connection', async () => {
    const { connect, clock, refused, attempts } = refusing('a');
    const { set } = await start(named('a'), { connect, clock });
    await clock.advance('2m');
    expect(attempts).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000]);
    refused.clear();
    await clock.advance('30s');
    expect(set.get('a')).toMatchObject({ state: 'ready', reason: '' });
    expect(set.get('a')?.cluster?.name).toBe('a');
  });

  it('takes what the source says meanwhile for the next attempt', async () => {
    const clock = new VirtualClock();
    const { set, source } = await start([{ name: 'a', server: 'https://old' }], {
      clock,
      connect: (entry) => {
        if (entry.server === 'https://old') throw new Error('it has moved');
        return new Fake(entry, clock).cluster;
      },
    });
    source.say({ name: 'a', server: 'https://new' });
    await clock.advance('10s');
    expect(set.get('a')?.state).toBe('ready');
  });

  it('gives up on a member that leaves', async () => {
    const { connect, clock, attempts } = refusing('a');
    const { set, source, news } = await start(named('a'), { connect, clock });
    news();
    source.say();
    await clock.advance('2m');
    expect(attempts).toEqual([0]);
    expect(set.members.size).toBe(0);
    expect(news()).toEqual(['left a unconnected']);
    expect(clock.waiting).toBe(0);
  });

  it('starts, and lets the others join, while one connection is being made', async () => {
    const clock = new VirtualClock();
    const fake = new Fake({ name: 'a' }, clock);
    const slow = held(fake.cluster);
    const { set } = prepare(named('a', 'b'), {
      clock,
      connect: (entry) => (entry.name === 'a' ? slow.promise : new Fake(entry, clock).cluster),
    });
    await set.start();
    await clock.settle();
    expect(set.get('b')?.state).toBe('ready');
    expect(set.get('a')).toMatchObject({ state: 'joining', cluster: undefined });
    await clock.advance('10s');
    expect(set.get('a')).toMatchObject({ state: 'unreachable', reason: 'no connection within 10 s' });
    slow.release();
    await clock.settle();
    expect(set.get('a')).toMatchObject({ state: 'ready', reason: '', cluster: fake.cluster });
  });

  it('lets others join while one that leaves is being closed', async () => {
    const { set, source, clock, fake } = await start(named('a'));
    fake('a').closing = held(undefined).promise;
    source.say(...named('b'));
    await clock.settle();
    expect(set.get('b')?.state).toBe('ready');
  });

  it('closes a connection that is made when the member leaves, to the very moment', async () => {
    for (let turns = 0; turns < 16; turns += 1) {
      const clock = new VirtualClock();
      const fake = new Fake({ name: 'a' }, clock);
      const slow = held(fake.cluster);
      const { set, source, news } = await start(named('a'), { clock, connect: () => slow.promise });
      source.say();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      slow.release();
      await clock.settle();
      expect(set.members.size).toBe(0);
      expect(fake.closed, `after ${turns} turns`).toBe(1);
      expect(news().at(-1)).toMatch(/^left a/);
    }
  });

  it('bears with a connection that can not be closed', async () => {
    const { set, source, clock, fake, errors } = await start(named('a'));
    fake('a').closing = Promise.reject(new Error('it does not let go'));
    source.say(...named('b'));
    await clock.settle();
    expect(errors).toEqual(['a: it does not let go']);
    expect(set.get('b')?.state).toBe('ready');
  });
});

describe('a cluster set that is stopped', () => {
  it('leaves every cluster, closes every connection, and asks nobody any more', async () => {
    const { set, clock, fakes, news, source, member } = await start(named('eu-1', 'us-1'));
    news();
    const signals = ['eu-1', 'us-1'].map((name) => member(name).signal);
    await set.stop();
    expect(set.members.size).toBe(0);
    expect(fakes.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(source.watching?.aborted).toBe(true);
    expect(news()).toEqual(['left eu-1 leaving', 'left us-1 leaving']);
    expect(clock.waiting).toBe(0);
    await clock.advance('1m');
    expect(fakes.map(({ probes }) => probes)).toEqual([[0], [0]]);
    await set.stop();
  });

  it('does not wait for the answer of a member that gives none', async () => {
    const { set, clock, fake } = await start(named('eu-1'));
    fake('eu-1').answer = 'silent';
    await clock.advance('10s');
    await set.stop();
    expect(fake('eu-1').closed).toBe(1);
  });

  it('closes a connection that comes after it was stopped', async () => {
    const clock = new VirtualClock();
    const fake = new Fake({ name: 'a' }, clock);
    const slow = held(fake.cluster);
    const { set } = prepare(named('a'), { clock, connect: () => slow.promise });
    await set.start();
    await clock.settle();
    const stopped = set.stop();
    slow.release();
    await stopped;
    expect(set.members.size).toBe(0);
    expect(fake.closed).toBe(1);
    expect(fake.probes).toEqual([]);
  });

  it('does not wait for a connection that is being made', async () => {
    const clock = new VirtualClock();
    const slow = held(new Fake({ name: 'a' }, clock).cluster);
    const { set } = await start(named('a'), { clock, connect: () => slow.promise });
    await set.stop();
    expect(set.members.size).toBe(0);
  });

  it('does not wait for ever for a connection that can not be closed', async () => {
    const { set, clock, fake } = await start(named('a'));
    fake('a').closing = held(undefined).promise;
    let isStopped = false;
    void set.stop().then(() => {
      isStopped = true;
    });
    await clock.advance('1h');
    expect(isStopped).toBe(true);
  });

  it.each([
    ['when nothing was known yet', false],
    ['before it was stopped', true],
  ])('does not leave a caller waiting that started it %s', async (_, isKnown) => {
    const clock = new VirtualClock();
    const source = isKnown ? new Told([]) : new Told();
    const set = new ClusterSet<Entry>({ source, connect: () => handMade({}), clock });
    const started = set.start();
    await clock.settle();
    await set.stop();
    await started;
  });

  it('does not leave a caller waiting that starts it afterwards', async () => {
    const clock = new VirtualClock();
    const set = new ClusterSet<Entry>({ source: new Told([]), connect: () => handMade({}), clock });
    await set.stop();
    let isOver = false;
    void set.start().then(() => {
      isOver = true;
    });
    await clock.settle();
    expect(isOver).toBe(true);
  });
});

describe('a cluster set with a listener that throws', () => {
  function explosive(type: SetEvent<Entry>['type'], running: Running): void {
    running.set.listen((event) => {
      if (event.type === type) throw new Error('boom in a listener');
    });
  }

  it('goes on asking a member whose joining the listener could not bear', async () => {
    const self = prepare(named('a', 'b'));
    explosive('joined', self);
    await self.set.start();
    await self.clock.advance('1m');
    expect(self.errors).toEqual(['a: boom in a listener', 'b: boom in a listener']);
    expect([...self.set.members.values()].map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  it('goes on asking a member whose change the listener could not bear', async () => {
    const self = prepare(named('a'));
    explosive('changed', self);
    await self.set.start();
    await self.clock.advance('1m');
    expect(self.fake('a').probes.length).toBeGreaterThan(5);
  });

  it('goes on following its source when the listener could not bear a leaving', async () => {
    const self = await start(named('a'));
    explosive('left', self);
    self.source.say(...named('b'));
    await self.clock.settle();
    expect(self.fake('a').closed).toBe(1);
    expect(self.set.get('b')?.state).toBe('ready');
  });
});

describe('what a cluster set knows of its members', () => {
  it('says since when a member is in its state, and when it was last seen ready', async () => {
    const { clock, fake, member, news } = await start(named('eu-1'));
    const began = clock.now();
    expect(member('eu-1')).toMatchObject({ state: 'ready', since: began, lastSeen: began });
    news();
    await clock.advance('20s');
    expect(member('eu-1')).toMatchObject({ since: began, lastSeen: began + 20_000 });
    expect(news(), 'a good answer is no news').toEqual([]);
    fake('eu-1').answer = 'bad';
    await clock.advance('30s');
    expect(member('eu-1')).toMatchObject({ state: 'degraded', since: began + 50_000, lastSeen: began + 20_000 });
  });

  it('says what a member was before each change', async () => {
    const { set, clock, fake, source } = await start(named('eu-1'));
    const steps: string[] = [];
    set.listen(({ type, member, previous }) => steps.push(`${type}: ${previous?.state} → ${member.state}`));
    fake('eu-1').answer = 'refused';
    await clock.advance('30s');
    fake('eu-1').answer = 'bad';
    await clock.advance('30s');
    fake('eu-1').answer = 'ok';
    await clock.advance('10s');
    source.say();
    await clock.settle();
    expect(steps).toEqual([
      'joined: undefined → ready',
      'changed: ready → unreachable',
      'changed: unreachable → degraded',
      'changed: degraded → ready',
      'left: ready → leaving',
    ]);
  });

  it('tells facts of states, and of nothing else', async () => {
    const facts: Fact[] = [];
    const { clock, fake, source } = await start(named('eu-1'), {
      observe: (fact) => {
        facts.push(fact);
        throw new Error('an observer that fails');
      },
    });
    fake('eu-1').answer = 'refused';
    await clock.advance('30s');
    source.say({ name: 'eu-1', labels: { region: 'eu' } });
    await clock.settle();
    source.say();
    await clock.settle();
    const member = { fact: 'member', cluster: 'eu-1' };
    expect(facts).toEqual([
      { ...member, state: 'joining', reason: 'it has not been asked yet' },
      { ...member, before: 'joining', state: 'ready', reason: '' },
      { ...member, before: 'ready', state: 'unreachable', reason: 'the connection was refused' },
      { ...member, before: 'unreachable', reason: 'the source does not name it any more' },
    ]);
  });

  it('gives one view of the members that follows the set', async () => {
    const { set, source, clock } = await start(named('eu-1'));
    const { members } = set;
    source.say(...named('us-1'));
    await clock.settle();
    expect(set.members).toBe(members);
    expect([...members].map(([name, { state }]) => [name, state])).toEqual([['us-1', 'ready']]);
    expect(members.get('us-1')).toBe(set.get('us-1'));
  });

  it('asks its members a tenth sooner or later than they are due, as chance has it', async () => {
    const chance = [0, 1, 0.5, 0.25];
    const { clock, fake } = await start(named('eu-1'), { random: () => chance.shift() ?? 0.5 });
    await clock.advance('50s');
    expect(fake('eu-1').probes).toEqual([0, 9_000, 20_000, 30_000, 39_500, 49_500]);
  });

  it('asks what it was told to ask', async () => {
    const asked: Cluster[] = [];
    const { member, fake, clock } = await start(named('eu-1'), {
      probe: {
        ask: (cluster, signal) => {
          asked.push(cluster);
          expect(signal.aborted).toBe(false);
          return Promise.resolve(false);
        },
        intervalMs: 1000,
      },
    });
    await clock.advance('1500ms');
    expect(member('eu-1').state).toBe('degraded');
    expect(asked).toEqual([member('eu-1').cluster, member('eu-1').cluster]);
    expect(fake('eu-1').probes).toEqual([]);
  });

  it('hears the news in their order, whoever sets off the next', async () => {
    const { set, source, clock } = await start([]);
    const heard: string[] = [];
    set.listen(({ type }) => {
      if (type === 'joined') void set.stop();
    });
    set.listen(({ type, member }) => heard.push(`${type} ${member.name}`));
    source.say(...named('a', 'b'));
    await clock.settle();
    expect(heard).toEqual(['joined a', 'left a']);
    expect(set.members.size).toBe(0);
  });

  it('bears with whoever is told of errors and throws', async () => {
    const { set, clock } = await start(named('a', 'b'), {
      connect: () => {
        throw new Error('no such kubeconfig');
      },
      onError: () => {
        throw new Error('boom in an error handler');
      },
    });
    await clock.advance('1m');
    expect([...set.members.values()].map(({ state }) => state)).toEqual(['unreachable', 'unreachable']);
  });

  it('can be disposed of', async () => {
    const { fake, set } = await start(named('eu-1'));
    {
      await using _ = set;
    }
    expect(fake('eu-1').closed).toBe(1);
    expect(set.members.size).toBe(0);
  });
});

describe('a cluster set with an odd source', () => {
  it('takes the first of two entries with one name, and says so once', async () => {
    const { member, errors, source, clock, fakes } = await start([
      { name: 'a', server: 'first' },
      { name: 'a', server: 'second' },
    ]);
    expect(member('a').entry.server).toBe('first');
    source.say({ name: 'a', server: 'first' }, { name: 'a', server: 'third' });
    await clock.settle();
    expect(errors).toEqual(['a: cluster a: the source names it more than once; the first entry counts']);
    expect(fakes).toHaveLength(1);
  });

  it('keeps the members of a source that has ended', async () => {
    const source: ClusterSource<Entry> = {
      async *watch() {
        yield named('a');
        yield named('a', 'b');
      },
    };
    const { set, clock, errors } = await start([], { source });
    await clock.advance('1m');
    expect([...set.members.keys()]).toEqual(['a', 'b']);
    expect(errors).toEqual([]);
  });

  it('asks a source again that ends without a word: not to know is not the same as to know of nobody', async () => {
    let watches = 0;
    const source: ClusterSource<Entry> = {
      async *watch() {
        watches += 1;
        if (watches === 3) yield named('a');
      },
    };
    const { set, clock, errors } = prepare([], { source });
    let isKnown = false;
    void set.start().then(() => {
      isKnown = true;
    });
    await clock.advance('2900ms');
    expect([isKnown, watches]).toEqual([false, 2]);
    await clock.advance('200ms');
    expect([isKnown, watches]).toEqual([true, 3]);
    expect(set.get('a')?.state).toBe('ready');
    expect(errors).toEqual(Array(2).fill(': the source of clusters has ended without a word'));
  });

  it.each<[string, () => AsyncIterator<readonly Entry[]>]>([
    ['says nothing ever', () => ({ next: () => held<never>(undefined as never).promise })],
    [
      'does not end',
      () => ({ next: () => held<never>(undefined as never).promise, return: () => held<never>(undefined as never).promise }),
    ],
  ])('can be stopped though its source minds no signal and %s', async (_, iterator) => {
    const { set, clock } = prepare([], { source: { watch: () => ({ [Symbol.asyncIterator]: iterator }) } });
    const started = set.start();
    await clock.settle();
    let isStopped = false;
    void set.stop().then(() => {
      isStopped = true;
    });
    await started;
    await clock.advance('10s');
    expect(isStopped).toBe(true);
  });

  it('bears with an entry of which nobody can say how it is reached', async () => {
    const { set, errors, source, clock, fakes } = await start([{ name: 'a' }, { name: 'b', server: 'bad' }], {
      connectionOf: ({ server = '' }) => {
        if (server === 'bad') throw new Error('a bad address');
        return server;
      },
    });
    expect([...set.members.values()].map(({ name, state }) => [name, state])).toEqual([
      ['a', 'ready'],
      ['b', 'ready'],
    ]);
    expect(errors).toEqual(['b: a bad address']);
    source.say({ name: 'a', server: 'bad' });
    await clock.settle();
    expect(fakes).toHaveLength(2);
    expect(set.get('a')?.entry.server).toBe('bad');
  });
});

describe('a connection that never comes', () => {
  it('is given up after a minute and tried again, and closed where it comes after all', async () => {
    const clock = new VirtualClock();
    const late = new Fake({ name: 'a' }, clock);
    const good = new Fake({ name: 'a' }, clock);
    const hanging = held(late.cluster);
    const signals: AbortSignal[] = [];
    const { set, errors } = await start(named('a'), {
      clock,
      connect: (_, signal) => {
        signals.push(signal);
        return signals.length === 1 ? hanging.promise : good.cluster;
      },
    });
    await clock.advance('59s');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance('2s');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(set.get('a')).toMatchObject({ state: 'ready', cluster: good.cluster });
    expect(errors).toEqual(['a: cluster a: no connection within 60 s']);
    hanging.release();
    await clock.settle();
    expect([late.closed, good.closed]).toEqual([1, 0]);
    expect(set.get('a')?.cluster).toBe(good.cluster);
  });

  it('is told when the member leaves', async () => {
    let seen: AbortSignal | undefined;
    const { source, clock } = await start(named('a'), {
      connect: (_, signal) => {
        seen = signal;
        return held<never>(undefined as never).promise;
      },
    });
    expect(seen?.aborted).toBe(false);
    source.say();
    await clock.settle();
    expect(seen?.aborted).toBe(true);
  });
});

describe('a thousand members', () => {
  const thousand = named(...Array.from({ length: 1000 }, (_, index) => `c-${index}`));

  it('join in one value of the source without a look at all for each', async () => {
    const steps = { connectionOf: 0, connect: 0, told: 0 };
    const self = prepare(thousand, {
      connectionOf: () => {
        steps.connectionOf += 1;
        return '';
      },
    });
    const { members } = self.set;
    self.set.listen(() => {
      steps.told += 1;
      // Were it made anew for each event, this would be a million steps.
      expect(self.set.members).toBe(members);
    });
    await self.set.start();
    await self.clock.settle();
    expect(steps).toEqual({ connectionOf: 1000, connect: 0, told: 3000 });
    expect([...members.values()].every(({ state }) => state === 'ready')).toBe(true);
  });

  it('are ready at once though a tenth of them never connect, and a tenth never answer', async () => {
    const clock = new VirtualClock();
    const { set } = await start(thousand, {
      clock,
      connect: (entry) => {
        const index = Number(entry.name.slice(2));
        if (index % 10 === 0) return held<never>(undefined as never).promise;
        const fake = new Fake(entry, clock);
        if (index % 10 === 1) fake.answer = 'deaf';
        return fake.cluster;
      },
    });
    const count = (state: string): number => [...set.members.values()].filter((member) => member.state === state).length;
    expect([count('ready'), count('joining')]).toEqual([800, 200]);
    // One timer for each: to the next question, or to the end of patience; two where a connection is being made.
    expect(clock.waiting).toBeLessThanOrEqual(1100);
    await set.stop();
    expect(clock.waiting).toBe(0);
  });
});
