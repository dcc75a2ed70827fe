import { type Cluster, isAborted } from 'clusterset/kube';
import { type ConnectedMember, type EngageHandler, type Fact, nextTurn } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { describe, expect, it } from 'vitest';
import { failed, forever } from '../fixtures.ts';
import { type Entry, Fake, held, named, prepare, start } from './start.ts';

interface Call {
  readonly name: string;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** A handler that remembers its calls, and then does as it is told. */
function recorder(then: EngageHandler<Entry> = () => undefined) {
  const calls: Call[] = [];
  const handler: EngageHandler<Entry> = (member: ConnectedMember<Entry>, signal) => {
    calls.push({ name: member.name, cluster: member.cluster, signal });
    return then(member, signal);
  };
  return { calls, handler, live: () => calls.filter(({ signal }) => !signal.aborted).map(({ name }) => name) };
}

/** Works until its signal fires, and then as long as it is held up. */
const until =
  (finished: Promise<void>): EngageHandler<Entry> =>
  async (_, signal) => {
    await forever(signal).catch(() => undefined);
    await finished;
  };

describe('engaging with members', () => {
  it('calls a handler for each connection that there is, and for each that comes', async () => {
    const { set, source, clock, fake } = await start(named('a', 'b'));
    const { calls, handler } = recorder();
    set.engage(handler);
    expect(calls.map(({ name, cluster }) => [name, cluster])).toEqual([
      ['a', fake('a').cluster],
      ['b', fake('b').cluster],
    ]);
    source.say(...named('a', 'b', 'c'));
    await clock.advance('1m');
    expect(calls.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('engages a handler that comes late with the members that are there, as those before', async () => {
    const { set, clock } = prepare(named('a'));
    const [early, late] = [recorder(), recorder()];
    set.engage(early.handler);
    await set.start();
    await clock.advance('1m');
    set.engage(late.handler);
    expect([early.live(), late.live()]).toEqual([['a'], ['a']]);
  });

  it('waits with a member until there is a connection', async () => {
    const clock = new VirtualClock();
    const fake = new Fake({ name: 'a' }, clock);
    const slow = held(fake.cluster);
    const { set } = await start(named('a'), { clock, connect: () => slow.promise });
    const { calls, handler } = recorder();
    set.engage(handler);
    await clock.advance('20s');
    expect(calls).toEqual([]);
    slow.release();
    await clock.settle();
    expect(calls.map(({ cluster }) => cluster)).toEqual([fake.cluster]);
  });

  it('calls nobody again for a change of an entry, of a state, or of credentials', async () => {
    const { set, source, clock, fake, member } = await start([{ name: 'a', server: 'x' }], {
      connectionOf: ({ server = '' }) => server,
    });
    const { calls, handler } = recorder();
    set.engage(handler);
    source.say({ name: 'a', server: 'x', labels: { region: 'eu' } });
    fake('a').answer = 'refused';
    await clock.advance('1m');
    expect(member('a').state).toBe('unreachable');
    expect(calls).toHaveLength(1);
    expect(calls[0]?.signal.aborted).toBe(false);
  });

  it('fires the signal and calls anew where the connection is made anew', async () => {
    const { set, source, clock, fakes } = await start([{ name: 'a', server: 'x' }], {
      connectionOf: ({ server = '' }) => server,
    });
    const { calls, handler } = recorder();
    set.engage(handler);
    source.say({ name: 'a', server: 'y' });
    await clock.settle();
    expect(calls.map(({ cluster, signal }) => [cluster, signal.aborted])).toEqual([
      [fakes[0]?.cluster, true],
      [fakes[1]?.cluster, false],
    ]);
  });

  it('fires the signals of a handler that is engaged no more, and calls it no more', async () => {
    const { set, source, clock, member } = await start(named('a'));
    const [one, other] = [recorder(), recorder()];
    const end = set.engage(one.handler);
    set.engage(other.handler);
    end();
    source.say(...named('a', 'b'));
    await clock.settle();
    expect([one.calls.length, one.live(), other.live()]).toEqual([1, [], ['a', 'b']]);
    expect(member('a').signal.aborted).toBe(false);
  });

  it('waits also for a handler that is engaged no more and has not finished, when the member leaves', async () => {
    const { set, source, clock, fake } = await start(named('a'));
    const finishing = held();
    const end = set.engage(until(finishing.promise));
    end();
    await clock.settle();
    source.say();
    await clock.advance('1s');
    expect(fake('a').closed).toBe(0);
    finishing.release();
    await clock.settle();
    expect(fake('a').closed).toBe(1);
  });

  it('says why in the signal, in an error of ours', async () => {
    const { set, source, clock } = await start(named('a'));
    const { calls, handler } = recorder();
    set.engage(handler);
    source.say();
    await clock.settle();
    expect(calls[0]?.signal.reason).toMatchObject({
      code: 'Unreachable',
      message: 'cluster a: it has left the set: the source does not name it any more',
    });
  });

  it('bears with handlers that engage others, and that stop the set', async () => {
    const { set, fakes, clock } = await start(named('a', 'b'));
    const inner = recorder();
    const outer = recorder(() => {
      set.engage(inner.handler);
    });
    set.engage(outer.handler);
    expect(inner.live().toSorted()).toEqual(['a', 'a', 'b', 'b']);
    const last = recorder(() => set.stop());
    set.engage(last.handler);
    await clock.advance('20s');
    expect(last.calls).toHaveLength(1);
    expect([outer.live(), inner.live(), last.live()]).toEqual([[], [], []]);
    expect(fakes.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});

describe('a handler that throws', () => {
  it.each<[string, EngageHandler<Entry>]>([
    [
      'at once',
      () => {
        throw new Error('no rights');
      },
    ],
    ['later', () => Promise.reject(new Error('no rights'))],
  ])('%s is told, and called again less and less often, with the same signal', async (_, then) => {
    const { set, clock, errors } = await start(named('a'));
    const times: number[] = [];
    const { calls, handler } = recorder((member, signal) => {
      times.push(clock.monotonic());
      return then(member, signal);
    });
    set.engage(handler);
    await clock.advance('20s');
    expect(times).toEqual([0, 1000, 3000, 7000, 15_000]);
    expect(errors).toEqual(Array(5).fill('a: no rights'));
    expect(new Set(calls.map(({ signal }) => signal)).size).toBe(1);
  });

  it('begins with a short wait again after it has worked for a minute', async () => {
    const { set, clock } = await start(named('a'));
    const times: number[] = [];
    set.engage(async () => {
      times.push(clock.monotonic());
      if (times.length === 4) await new Promise<void>((resolve) => clock.after(60_000, resolve));
      throw new Error('it broke');
    });
    await clock.advance('71s');
    // It broke at 67 s.
    expect(times).toEqual([0, 1000, 3000, 7000, 68_000, 70_000]);
  });

  it('is called no more when the member leaves', async () => {
    const { set, clock, source } = await start(named('a'));
    const { calls, handler } = recorder(() => Promise.reject(new Error('no rights')));
    set.engage(handler);
    await clock.settle();
    source.say();
    await clock.advance('5m');
    expect(calls).toHaveLength(1);
  });

  it('keeps no other from being called', async () => {
    const { set } = await start(named('a', 'b'));
    const other = recorder();
    set.engage(() => {
      throw new Error('boom');
    });
    set.engage(other.handler);
    expect(other.live()).toEqual(['a', 'b']);
  });

  it.each<[string, (signal: AbortSignal) => unknown, string[]]>([
    ['its signal’s own reason', (signal) => signal.reason, []],
    ['an ended call', () => failed('Aborted'), []],
    ['an AbortError', () => new DOMException('ended', 'AbortError'), []],
    ['anything else', () => new Error('it can not let go'), ['a: it can not let go']],
  ])('with %s when it is ended', async (_, error, told) => {
    const { set, clock, source, errors } = await start(named('a'));
    set.engage(async (_member, signal) => {
      await forever(signal).catch(() => undefined);
      throw error(signal);
    });
    source.say();
    await clock.settle();
    expect(errors).toEqual(told);
  });
});

describe('a member that leaves while somebody is engaged', () => {
  it('is leaving until they have finished, and its connection is closed then', async () => {
    const facts: Fact[] = [];
    const { set, clock, source, fake, news } = await start(named('a'), { observe: (fact) => facts.push(fact) });
    const finishing = held();
    set.engage(until(finishing.promise));
    await clock.settle();
    news();
    facts.length = 0;
    source.say();
    await clock.advance('5s');
    expect(news()).toEqual(['changed a leaving']);
    expect([set.members.size, fake('a').closed]).toEqual([0, 0]);
    finishing.release();
    await clock.settle();
    expect(news()).toEqual(['left a leaving']);
    expect(fake('a').closed).toBe(1);
    const reason = 'the source does not name it any more';
    expect(facts).toEqual([
      { fact: 'member', cluster: 'a', before: 'ready', state: 'leaving', reason },
      { fact: 'member', cluster: 'a', before: 'leaving', reason },
    ]);
  });

  it('is not waited for longer than they may take, and they are told of', async () => {
    const { set, clock, source, fake, news, errors } = await start(named('a', 'b'), { leaveTimeoutMs: 4_000 });
    const fakeA = fake('a');
    set.engage(() => held().promise);
    news();
    source.say(...named('b', 'c'));
    await clock.settle();
    // Nobody else has waited.
    expect(set.get('c')?.state).toBe('ready');
    await clock.advance('3900ms');
    expect([fakeA.closed, errors]).toEqual([0, []]);
    await clock.advance('200ms');
    expect([fakeA.closed, errors]).toEqual([1, ['a: those who are engaged with it did not finish within 4 s']]);
    expect(news('a')).toEqual(['changed a leaving', 'left a leaving']);
    expect(fake('b').closed).toBe(0);
  });

  it('is not mixed up with one of its name that comes at once', async () => {
    const { set, clock, source, fakes, news } = await start(named('a'));
    const finishing = held();
    const { calls, handler } = recorder(until(finishing.promise));
    set.engage(handler);
    await clock.settle();
    news();
    source.say();
    await clock.settle();
    source.say(...named('a'));
    await clock.settle();
    expect(news()).toEqual([
      'changed a leaving',
      'left a leaving',
      'joined a unconnected',
      'changed a joining',
      'changed a ready',
    ]);
    expect(calls.map(({ cluster, signal }) => [cluster, signal.aborted])).toEqual([
      [fakes[0]?.cluster, true],
      [fakes[1]?.cluster, false],
    ]);
    expect(fakes.map(({ closed }) => closed)).toEqual([0, 0]);
    finishing.release();
    await clock.settle();
    expect(news()).toEqual([]);
    expect(fakes.map(({ closed }) => closed)).toEqual([1, 0]);
    expect(set.get('a')?.state).toBe('ready');
  });

  it('goes at once where its handlers have nothing more to do', async () => {
    const { set, clock, source, fake, news } = await start(named('a'));
    const { calls, handler } = recorder();
    set.engage(handler);
    await clock.settle();
    news();
    source.say();
    await nextTurn();
    expect(news()).toEqual(['left a leaving']);
    expect(fake('a').closed).toBe(1);
    expect(calls[0]?.signal.aborted).toBe(true);
    await clock.settle();
  });

  it('lets a call that is under way end, before its connection is closed', async () => {
    const { set, clock, source, fake, errors } = await start(named('a'));
    const ends: unknown[] = [];
    set.engage(async ({ cluster }, signal) => {
      fake('a').answer = 'silent';
      await cluster.ready({ signal }).catch((error: unknown) => ends.push([isAborted(error), fake('a').closed]));
    });
    await clock.settle();
    source.say();
    await clock.settle();
    expect(ends).toEqual([[true, 0]]);
    expect(fake('a').closed).toBe(1);
    expect(errors).toEqual([]);
  });

  it('holds up the stopping of the set for as long as it may take, and no longer', async () => {
    const { set, clock, fakes } = await start(named('a', 'b', 'c'));
    set.engage(({ name }) => (name === 'a' ? held().promise : undefined));
    await clock.settle();
    let isStopped = false;
    void set.stop().then(() => {
      isStopped = true;
    });
    await clock.advance('9900ms');
    expect([isStopped, fakes.map(({ closed }) => closed)]).toEqual([false, [0, 1, 1]]);
    await clock.advance('200ms');
    expect([isStopped, fakes.map(({ closed }) => closed)]).toEqual([true, [1, 1, 1]]);
  });
});
