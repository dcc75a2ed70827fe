import { type Cluster, hasCode, isRetryable } from 'clusterset/kube';
import { fenced } from 'clusterset/runtime';
import { simulate, VirtualClock, type World } from 'clusterset/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Term } from '../../../../src/runtime/election/fence.ts';
import { CONFIG_MAPS, configMap, handMade } from '../fixtures.ts';

let world: World;
let term: Term;
let behind: Cluster;

beforeEach(async () => {
  world = await simulate({ members: { 'eu-1': {} } });
  term = new Term({ clock: world.clock, epoch: 1, expiresAt: 10_000 });
  behind = fenced(world.connect('eu-1'), term);
});

afterEach(async () => {
  term.end('the test is over');
  await world.advance('60s');
  world.verify();
  await world[Symbol.asyncDispose]();
});

const draft = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'a' }, data: { a: '1' } };
const key = { namespace: 'default', name: 'a' };

const WRITES: readonly (readonly [string, (cluster: Cluster) => Promise<unknown>])[] = [
  ['create', (cluster) => cluster.create(CONFIG_MAPS, { ...draft, metadata: { namespace: 'default', name: 'b' } })],
  ['update', (cluster) => cluster.update(CONFIG_MAPS, { ...draft, data: { a: '2' } })],
  ['patch', (cluster) => cluster.patch(CONFIG_MAPS, key, { type: 'merge', body: { data: { a: '3' } } })],
  ['apply', (cluster) => cluster.apply(CONFIG_MAPS, { ...draft, data: { a: '4' } }, { fieldManager: 'me', force: true })],
  ['delete', (cluster) => cluster.delete(CONFIG_MAPS, key)],
];

describe('a fenced cluster', () => {
  beforeEach(async () => {
    await world.connect('eu-1').create(CONFIG_MAPS, draft);
    world.cluster('eu-1').requests.clear();
  });

  it.each(WRITES)('lets a write through while the fence is valid: %s', async (_, write) => {
    await write(behind);
    expect(world.cluster('eu-1').requests.changes()).toHaveLength(1);
  });

  it.each(WRITES)('refuses a write once it is not, and nothing is sent: %s', async (_, write) => {
    await world.advance('10s');
    const error: unknown = await write(behind).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'Fenced', cluster: 'eu-1' });
    expect(isRetryable(error)).toBe(false);
    expect(world.cluster('eu-1').requests.all()).toEqual([]);
  });

  it.each(WRITES)('breaks off a write that is under way when it ends, and it never arrives: %s', async (_, write) => {
    const slow = world.cluster('eu-1').network.delay('5s');
    await world.advance('8s');
    const failure = write(behind).catch((thrown: unknown) => thrown);
    await world.advance('1999ms');
    expect(world.cluster('eu-1').requests.all()).toEqual([]);
    await world.advance('1ms');
    expect(hasCode(await failure, 'Fenced')).toBe(true);
    slow[Symbol.dispose]();
    await world.advance('20s');
    expect(world.cluster('eu-1').requests.changes()).toEqual([]);
  });

  it('does not wait for an adapter that minds no signal', async () => {
    const deaf = fenced(Object.assign(handMade({}), { create: () => new Promise<never>(() => undefined) }), term);
    const failure = deaf.create(CONFIG_MAPS, draft).catch((thrown: unknown) => thrown);
    await world.advance('10s');
    expect(hasCode(await failure, 'Fenced')).toBe(true);
  });

  it('lets reads and watches pass when the fence is over', async () => {
    term.end('lost');
    expect(await behind.get(CONFIG_MAPS, key)).toMatchObject(draft);
    expect((await behind.list(CONFIG_MAPS)).items.length).toBeGreaterThan(0);
    expect(await behind.ready()).toBe(true);
    expect(await behind.version()).toMatch(/^v1/);
    expect((await behind.resources()).length).toBeGreaterThan(0);
    for await (const event of behind.watch(CONFIG_MAPS, { namespace: 'default' })) {
      expect(event.type).toBe('ADDED');
      break;
    }
  });

  it('passes on what the server says, and what the caller ends', async () => {
    await expect(behind.create(CONFIG_MAPS, draft)).rejects.toMatchObject({ code: 'AlreadyExists' });
    const caller = new AbortController();
    const slow = world.cluster('eu-1').network.hang();
    const failure = behind.create(CONFIG_MAPS, draft, { signal: caller.signal }).catch((thrown: unknown) => thrown);
    await world.advance('1s');
    caller.abort();
    await world.advance(0);
    expect(await failure).toMatchObject({ code: 'Aborted' });
    slow[Symbol.dispose]();
    const before = behind.create(CONFIG_MAPS, draft, { signal: caller.signal });
    await expect(before).rejects.toMatchObject({ code: 'Aborted' });
  });

  it('does not send again what a server has put off, when the fence ends in between and no timer has told so yet', async () => {
    // As after a stall of the process: time has gone on, and the timer of the fence is behind others.
    const late = new VirtualClock();
    const stalled = new Term({ clock: { ...clockOf(late), after: () => () => undefined }, epoch: 1, expiresAt: 10 });
    let signal: AbortSignal | undefined;
    const asking = Object.assign(handMade({}), {
      create: (_type: unknown, _object: unknown, options: { readonly signal: AbortSignal }) => {
        ({ signal } = options);
        return new Promise<never>(() => undefined);
      },
    });
    const failure = fenced(asking, stalled)
      .create(CONFIG_MAPS, draft)
      .catch((thrown: unknown) => thrown);
    await late.settle();
    expect(signal?.aborted).toBe(false);
    await late.advance(10);
    expect(signal?.aborted).toBe(true);
    expect(hasCode(await failure, 'Fenced')).toBe(true);
  });

  it('leaves nothing behind at the signals of a fence and a caller', async () => {
    const caller = new AbortController();
    let listening = 0;
    for (const signal of [caller.signal, term.signal]) {
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...rest: Parameters<typeof add>) => {
        listening += 1;
        add(...rest);
      };
      signal.removeEventListener = (...rest: Parameters<typeof remove>) => {
        listening -= 1;
        remove(...rest);
      };
    }
    for (let count = 0; count < 20; count += 1)
      await behind
        .apply(CONFIG_MAPS, configMap(`c${count}`, 0), { fieldManager: 'me', signal: caller.signal })
        .catch(() => undefined);
    expect(listening).toBe(0);
  });
});

describe('a fence', () => {
  it('needs one timer, however often it is renewed', async () => {
    const clock = new VirtualClock();
    const fence = new Term({ clock, epoch: 3, expiresAt: 10 });
    for (let count = 0; count < 100; count += 1) {
      await clock.advance(5);
      expect(fence.extend(clock.monotonic() + 10)).toBe(true);
      expect(clock.waiting).toBe(1);
    }
    await clock.advance(9);
    expect([fence.isValid(), fence.signal.aborted]).toEqual([true, false]);
    await clock.advance(1);
    expect([fence.isValid(), fence.signal.aborted, clock.waiting]).toEqual([false, true, 0]);
  });

  it('is over for good: no renewal brings it back', async () => {
    const clock = new VirtualClock();
    const fence = new Term({ clock, epoch: 3, expiresAt: 10 });
    await clock.advance(10);
    expect([fence.extend(100), fence.isValid()]).toEqual([false, false]);
  });

  it('never gets shorter by a renewal that was answered out of order', async () => {
    const clock = new VirtualClock();
    const fence = new Term({ clock, epoch: 3, expiresAt: 10 });
    fence.extend(5);
    expect(fence.expiresAt).toBe(10);
    fence.end('done');
  });
});

function clockOf(clock: VirtualClock) {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms: number, callback: () => void) => clock.after(ms, callback),
    turn: () => clock.turn(),
  };
}
