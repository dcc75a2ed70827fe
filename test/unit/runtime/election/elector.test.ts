import { Elector, type Fact } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asked, Candidate, hostOf, lease, overlaps, writeOn, writings } from './fixtures.ts';

let world: World;
let start: number;
const running: Candidate[] = [];
const stopping = new AbortController();

beforeEach(async () => {
  world = await simulate({ host: {}, members: { 'eu-1': {} } });
  start = world.clock.now();
});

afterEach(async () => {
  for (const one of running.splice(0)) one.stop();
  await world.advance('60s');
  world.verify();
  await world[Symbol.asyncDispose]();
});

function join(...[identity, options]: [identity: string, options?: ConstructorParameters<typeof Candidate>[2]]): Candidate {
  const made = new Candidate(world, identity, options);
  running.push(made);
  return made;
}

const write = (one: Candidate) => async (fence: Parameters<typeof writeOn>[1]) => {
  const as = `${one.identity}-${fence.epoch}`;
  void writeOn(world.cluster('eu-1').connect(), fence, { clock: world.clock, everyMs: 100, as, until: stopping.signal });
};

describe('who wants to lead', () => {
  it('creates the lease, renews it at once, and then in every period, with one request each', async () => {
    join('a').start();
    await world.advance('6s');
    expect(asked(world, 'a', start)).toEqual([
      '0 get 404',
      '0 create 201',
      '0 update 200',
      '2000 update 200',
      '4000 update 200',
      '6000 update 200',
    ]);
    expect(await lease(world)).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:06.000000Z',
      leaseTransitions: 0,
    });
  });

  it.each([
    [0, [0, 2000, 4000, 6000, 8000]],
    [0.5, [0, 3200, 6400]],
    [0.999, [0, 4397.6, 8795.2]],
  ])('tries again after the period and up to 1.2 of it more, by chance: %f', async (chance, times) => {
    join('a').start();
    await world.advance(0);
    join('b', { random: () => chance }).start();
    await world.advance('9s');
    const tried = asked(world, 'b', start).map((line) => Number(line.split(' ')[0]));
    expect(tried.map((at) => Math.round(at * 10) / 10)).toEqual(times);
  });

  it('takes over when nothing new was seen of the leader for 15 s, at its next try', async () => {
    const a = join('a').start();
    const b = join('b').start();
    await world.advance('4500ms');
    hostOf(world).network.reset({ clients: ['a'] });
    await world.advance('40s');
    // The last renewal was at 4 s; b tries every 2 s, saw it at 6 s, and waits until 21 s have passed.
    expect(b.told).toEqual(['2000 sees a', '22000 sees b', '22000 leads 1']);
    expect(a.told).toContain('16000 fence over');
    expect(a.outcome).toBe('lost');
  });

  it('leads with the next epoch whenever the holder changes', async () => {
    const a = join('a').start();
    await world.advance('1s');
    a.stop();
    await world.advance('1s');
    const b = join('b').start();
    await world.advance('1s');
    expect([a.fence?.epoch, b.fence?.epoch]).toEqual([0, 1]);
    b.stop();
    await world.advance('1s');
    const again = join('a').start();
    await world.advance('1s');
    expect(again.fence?.epoch).toBe(2);
    expect(await lease(world)).toMatchObject({ holderIdentity: 'a', leaseTransitions: 2 });
  });

  it('is one of many that race to create, and one wins', async () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => join(name).start());
    await world.advance('10s');
    expect(all.filter(({ fence }) => fence?.isValid()).length).toBe(1);
    expect(new Set(all.map(({ elector }) => elector.leader)).size).toBe(1);
    expect(all.flatMap(({ failures }) => failures)).toEqual([]);
  });
});

describe('who leads', () => {
  it.each<[string, (network: ReturnType<typeof hostOf>['network']) => unknown, number]>([
    ['is refused', (network) => network.reset({ clients: ['a'] }), 16_000],
    ['gets no answer', (network) => network.hang({ clients: ['a'] }), 16_000],
    ['gets errors', (network) => network.fail({ code: 500 }, { clients: ['a'] }), 16_000],
  ])('gives up 10 s after the period in which the first renewal failed: it %s', async (_, trouble, at) => {
    const a = join('a').start();
    await world.advance('4s');
    trouble(hostOf(world).network);
    await world.advance('30s');
    expect(a.told.slice(0, 3)).toEqual(['0 sees a', '0 leads 0', `${at} fence over`]);
    expect(a.outcome).toBe('lost');
    expect(a.told.at(-1)).toMatch(/ stopped$/);
  });

  it('asks again in every period while it fails, and no answer is waited for longer than 5 s', async () => {
    join('a').start();
    await world.advance('4s');
    hostOf(world).requests.clear();
    const over = hostOf(world).network.hang({ clients: ['a'] });
    await world.advance('12s');
    over[Symbol.dispose]();
    expect(asked(world, 'a', start)).toEqual(['11000 update 0', '16000 get 0']);
  });

  it('goes on when a renewal succeeds in time, and the fence with it', async () => {
    const a = join('a').start();
    await world.advance('4s');
    const over = hostOf(world).network.reset({ clients: ['a'] });
    await world.advance('9s');
    over[Symbol.dispose]();
    await world.advance('20s');
    expect(a.fence?.isValid()).toBe(true);
    expect(a.fence?.expiresAt).toBe(32_000 + 13_000);
  });

  it('has a fence until 13 s after its last renewal was sent, however late the answer was', async () => {
    const a = join('a').start();
    await world.advance('3900ms');
    const slow = hostOf(world).network.delay('4s', { clients: ['a'] });
    await world.advance('4200ms');
    // Sent at 4 s, answered at 8 s.
    expect(asked(world, 'a', start).at(-1)).toBe('8000 update 200');
    expect(a.fence?.expiresAt).toBe(17_000);
    slow[Symbol.dispose]();
    hostOf(world).network.hang({ clients: ['a'] });
    await world.advance('30s');
    // The deadline of client-go would be at 10 s + 10 s, which is after others may take over at 19 s.
    expect(a.told).toContain('17000 fence over');
  });

  it('loses to a stall: the fence is over by the clock before any timer has fired, and a renewal afterwards does not bring it back', async () => {
    const a = join('a').start();
    const b = join('b').start();
    await world.advance('5s');
    a.clock.stall(60_000);
    await world.advance('11999ms');
    expect([a.fence?.isValid(), a.fence?.signal.aborted]).toEqual([true, false]);
    await world.advance(1);
    expect(a.fence?.signal.aborted).toBe(true);
    expect(a.fence?.isValid()).toBe(false);
    await world.advance('3s');
    expect(b.fence?.isValid()).toBe(true);
    await world.advance('60s');
    expect(a.fence?.isValid()).toBe(false);
    expect(a.outcome).toBe('lost');
    expect(await lease(world)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('finds its renewal beaten by a change from outside, looks, and renews all the same', async () => {
    const a = join('a').start();
    await world.advance('3s');
    const host = hostOf(world).connect({ fieldManager: 'somebody' });
    const { LEASE } = await import('./fixtures.ts');
    await host.patch(
      LEASE,
      { namespace: 'default', name: 'work' },
      { type: 'merge', body: { metadata: { labels: { seen: 'yes' } } } },
    );
    hostOf(world).requests.clear();
    await world.advance('3s');
    expect(asked(world, 'a', start)).toEqual(['4000 update 409', '4000 get 200', '4000 update 200', '6000 update 200']);
    expect(a.fence?.isValid()).toBe(true);
  });

  it('renews although the answer to a renewal was lost', async () => {
    const a = join('a').start();
    await world.advance('3s');
    const over = hostOf(world).network.loseAnswers({ clients: ['a'], verbs: ['update'] });
    await world.advance('3s');
    over[Symbol.dispose]();
    await world.advance('10s');
    expect(a.fence?.isValid()).toBe(true);
    expect(a.fence?.epoch).toBe(0);
  });

  it('tells of its leading as facts', async () => {
    const facts: Fact[] = [];
    const a = join('a', { observe: (fact) => void facts.push(fact) }).start();
    await world.advance('1s');
    a.stop();
    await world.advance('1s');
    const common = { fact: 'leading', lease: 'default/work', identity: 'a', epoch: 0 };
    expect(facts).toEqual([
      { ...common, isLeading: true },
      { ...common, isLeading: false },
    ]);
  });
});

describe('who stops', () => {
  it('gives the lease back, and another that tries has it at once', async () => {
    const a = join('a').start();
    await world.advance('3s');
    a.stop();
    await world.advance(0);
    expect(a.outcome).toBe('stopped');
    expect(asked(world, 'a', start).slice(-2)).toEqual(['3000 get 200', '3000 update 200']);
    expect(await lease(world)).toEqual({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: '2026-01-01T00:00:03.000000Z',
      renewTime: '2026-01-01T00:00:03.000000Z',
      leaseTransitions: 0,
    });
    const b = join('b').start();
    await world.advance(0);
    expect(b.fence?.epoch).toBe(1);
  });

  it('leaves the lease to run out where it is told to', async () => {
    const a = join('a', { releaseOnStop: false }).start();
    await world.advance('3s');
    a.stop();
    await world.advance(0);
    expect(await lease(world)).toMatchObject({ holderIdentity: 'a' });
  });

  it('tries again when somebody else wrote in between', async () => {
    const a = join('a').start();
    await world.advance('3s');
    hostOf(world).network.fail({ code: 409, times: 1 }, { clients: ['a'], verbs: ['update'] });
    a.stop();
    await world.advance('1s');
    expect(await lease(world)).toMatchObject({ holderIdentity: '' });
  });

  it('waits for no host that does not answer longer than a call may take', async () => {
    const a = join('a').start();
    await world.advance('3s');
    hostOf(world).network.hang({ clients: ['a'] });
    a.stop();
    await world.advance('5s');
    expect(a.outcome).toBe('stopped');
  });

  it('ends the work first: the fence is over, and the lease is given back only when the work has ended', async () => {
    let finish = (): void => undefined;
    const work = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const a = join('a', { onStarted: () => work }).start();
    await world.advance('3s');
    a.stop();
    await world.advance('5s');
    expect(a.fence?.isValid()).toBe(false);
    expect(await lease(world)).toMatchObject({ holderIdentity: 'a' });
    finish();
    await world.advance(0);
    expect(await lease(world)).toMatchObject({ holderIdentity: '' });
  });

  it('does not give the lease back where the work does not end before it runs out', async () => {
    const a = join('a', { onStarted: () => new Promise(() => undefined) }).start();
    await world.advance('3s');
    a.stop();
    await world.advance('30s');
    expect(a.outcome).toBe('stopped');
    expect(await lease(world)).toMatchObject({ holderIdentity: 'a' });
  });

  it('fails with the error of its work, after the lease is given back', async () => {
    const a = join('a', { onStarted: () => Promise.reject(new Error('no such thing')) }).start();
    await world.advance('3s');
    expect(a.outcome).toBe('failed: Error: no such thing');
    expect(await lease(world)).toMatchObject({ holderIdentity: '' });
  });

  it('is told so although it never led', async () => {
    join('a').start();
    await world.advance(0);
    const b = join('b').start();
    await world.advance('3s');
    b.stop();
    await world.advance(0);
    expect([b.outcome, b.told]).toEqual(['stopped', ['0 sees a', '3000 stopped']]);
  });
});

describe('clocks that show another time', () => {
  it.each([
    [0, 0, 0],
    [3_600_000, -3_600_000, 0],
    [-86_400_000, 86_400_000, -7_200_000],
  ])('make no difference: leader by %i ms, heir by %i ms, host by %i ms', async (leader, heir, host) => {
    hostOf(world).skew(host);
    const a = join('a', { skew: { wall: leader, monotonic: 5e9 } }).start();
    const b = join('b', { skew: { wall: heir, monotonic: 17 } }).start();
    await world.advance('9s');
    expect([a.fence?.isValid(), b.fence?.isValid()]).toEqual([true, undefined]);
    hostOf(world).network.reset({ clients: ['a'] });
    await world.advance('60s');
    expect(a.told).toContain('20000 fence over');
    expect(b.told).toContain('26000 leads 1');
  });
});

describe('two holders', () => {
  it.each<[string, number, (a: Candidate) => void]>([
    ['the leader is cut off from the host', 23_800, () => void hostOf(world).network.reset({ clients: ['a'] })],
    ['the host hangs for the leader', 23_800, () => void hostOf(world).network.hang({ clients: ['a'] })],
    ['the connections of the leader are half-open', 23_800, () => void hostOf(world).network.silence({ clients: ['a'] })],
    ['the answers to the leader are lost', 35_800, () => void hostOf(world).network.loseAnswers({ clients: ['a'] })],
    ['the timers of the leader stall for a minute', 23_800, (a) => a.clock.stall(60_000)],
    ['the leader gives up of itself', 4_400, (a) => a.stop()],
  ])('never write to a member at the same time, and there is a new one in time: %s, within %i ms', async (_, bound, trouble) => {
    const a = join('a', { onStarted: (fence) => write(a)(fence) });
    const b = join('b', { random: () => 0.999, onStarted: (fence) => write(b)(fence) });
    a.start();
    await world.advance('1s');
    b.start();
    await world.advance('10s');
    trouble(a);
    await world.advance('60s');
    const found = writings(world.cluster('eu-1'));
    expect(overlaps(found)).toEqual([]);
    const [first, second] = found;
    if (first === undefined) throw new Error('nobody has written');
    // An heir looks every 4.4 s at most: once to see the last renewal, and once after 15 s have passed. A leader that hears no answers still renews
    // for as long as it tries.
    expect((second?.from ?? Number.POSITIVE_INFINITY) - start - 11_000).toBeLessThanOrEqual(bound);
    expect(second?.writer).toBe('b-1');
    expect(first.to).toBeLessThan(second?.from ?? 0);
  });
});

describe('an elector', () => {
  const good = { namespace: 'default', name: 'work', identity: 'a', random: () => 0 };

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ leaseDurationMs: 10_000 }, 'leaseDurationMs', /not more than renewDeadlineMs \(10000\)/],
    [{ leaseDurationMs: 15_500 }, 'leaseDurationMs', /multiple of 1000/],
    [{ leaseDurationMs: 0 }, 'leaseDurationMs', /more than 0/],
    [{ renewDeadlineMs: 2_400 }, 'renewDeadlineMs', /1.2 times retryPeriodMs/],
    [{ renewDeadlineMs: Number.NaN }, 'renewDeadlineMs', /more than 0/],
    [{ retryPeriodMs: 0 }, 'retryPeriodMs', /more than 0/],
    [{ retryPeriodMs: -1 }, 'retryPeriodMs', /more than 0/],
    [{ safetyMarginMs: 13_000 }, 'safetyMarginMs', /less than/],
    [{ safetyMarginMs: -1 }, 'safetyMarginMs', /0 or more/],
    [{ identity: '' }, 'identity', /hostname/],
  ])('refuses %j and names the field and the mend', (options, field, text) => {
    const make = (): Elector => new Elector({ ...good, cluster: hostOf(world).connect(), ...options });
    expect(make).toThrow(expect.objectContaining({ code: 'Invalid', field, message: expect.stringMatching(text) }));
  });

  it('runs once at a time', async () => {
    const a = join('a').start();
    await expect(a.elector.run(new AbortController().signal)).rejects.toThrow(/running already/);
  });

  it('may run again after it has lost', async () => {
    const a = join('a').start();
    await world.advance('1s');
    const over = hostOf(world).network.reset({ clients: ['a'] });
    await world.advance('30s');
    over[Symbol.dispose]();
    expect(a.outcome).toBe('lost');
    a.start();
    await world.advance('1s');
    expect(a.fence?.isValid()).toBe(true);
  });
});

describe('why nobody leads', () => {
  it.each<[string, (host: ReturnType<typeof hostOf>) => unknown, Record<string, unknown>, RegExp]>([
    [
      'nobody may read leases',
      ({ network }) => network.fail({ code: 403 }),
      {},
      /grant get, create, update on leases\.coordination\.k8s\.io in the namespace default/,
    ],
    ['there is no such namespace', () => undefined, { namespace: 'missing' }, /create the namespace missing/],
  ])('is told as a fact, with what to do about it: %s', async (_, happens, options, mend) => {
    happens(hostOf(world));
    const facts: Fact[] = [];
    const a = join('a', { ...options, observe: (fact) => facts.push(fact) }).start();
    await world.advance('1s');
    a.stop();
    await a.ended;
    expect(facts).toMatchObject([{ fact: 'lease-failed', identity: 'a', error: { message: expect.stringMatching(mend) } }]);
    expect(a.failures).toHaveLength(1);
  });
});
