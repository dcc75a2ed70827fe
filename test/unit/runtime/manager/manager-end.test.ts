import { controller, Metrics, oneCluster } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { StandingFence } from '../../../../src/runtime/manager/standing-fence.ts';
import { named } from '../controller/start.ts';
import { CONFIG_MAPS, forever } from '../fixtures.ts';
import { election, managerIn, worker, worldOf } from './start.ts';

/** Ends when it is told to, by throwing; without force it goes on. */
const throwing = (name: string, error: Error) => ({
  name,
  run: ({ hard }: { readonly hard: AbortSignal }) =>
    forever(hard).catch(() => {
      throw error;
    }),
});

describe('the end of a manager', () => {
  it('comes first for what leads, then for the rest, then the lease is given back', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world, { election: election(world, 'a') })
      .add(worker('metrics', said, world, 1000), { leads: false })
      .add(worker('mirror', said, world, 1000));
    manager.start();
    await world.settle();
    let isOver = false;
    const stopped = manager.stop().then(() => {
      isOver = true;
    });
    const given = world.cluster('host').network.delay('1s');
    await world.advance('2s');
    expect(isOver, 'before the lease is given back').toBe(false);
    await world.advance('10s');
    given[Symbol.dispose]();
    await stopped;
    expect(said.slice(2)).toEqual(['mirror stops', 'mirror has ended', 'metrics stops', 'metrics has ended']);
  });

  it('comes first for what leads also without an election', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world)
      .add(worker('metrics', said, world, 1000))
      .add(worker('mirror', said, world, 1000), { leads: true });
    manager.start();
    await world.settle();
    const stopped = manager.stop();
    await world.advance('10s');
    await stopped;
    expect(said.slice(2)).toEqual(['mirror stops', 'mirror has ended', 'metrics stops', 'metrics has ended']);
  });

  it('takes no longer than the time of grace, a second for each group, and as long again for a resource that hangs', async () => {
    const world = await worldOf();
    const stubborn = (name: string) => ({ name, run: () => new Promise<void>(() => undefined) });
    const manager = managerIn(world, { graceMs: 5000 })
      .use({ stop: () => new Promise(() => undefined) })
      .add(stubborn('metrics'))
      .add(stubborn('mirror'), { leads: true });
    manager.start();
    await world.settle();
    let overAt: number | undefined;
    const began = world.clock.now();
    void manager.stop().then(() => {
      overAt = world.clock.now() - began;
    });
    await world.advance('1m');
    expect(overAt).toBe(5000 + 1000 + 1000 + 5000);
  });

  it('tells of what failed first, and not of what was ended by force', async () => {
    const world = await worldOf();
    const manager = managerIn(world, { graceMs: 1000 })
      .add(throwing('forced', new Error('I was ended')))
      .add({ name: 'first', run: () => Promise.reject(new Error('first')) })
      .use({ stop: () => Promise.reject(new Error('later')) });
    const done = expect(manager.run(new AbortController().signal)).rejects.toThrow('first');
    await world.advance('10s');
    await done;
    const forced = managerIn(world, { graceMs: 1000 }).add(throwing('forced', new Error('I was ended')));
    forced.start();
    await world.settle();
    const stopped = forced.stop();
    await world.advance('10s');
    await expect(stopped).resolves.toBeUndefined();
  });

  it('is there at once under a signal that has fired', async () => {
    const world = await worldOf();
    const said: string[] = [];
    await managerIn(world)
      .add(worker('mirror', said, world))
      .run(AbortSignal.abort());
    expect(said).toEqual([]);
  });

  it('takes up no new lease that it has lost meanwhile', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world, { graceMs: 60_000, election: election(world, 'a') })
      .add(worker('mirror', said, world))
      .add(worker('metrics', said, world, 50_000), { leads: false });
    manager.start();
    await world.settle();
    const stopped = manager.stop();
    using cut = world.cluster('host').network.cut();
    await world.advance('15s');
    cut[Symbol.dispose]();
    world.cluster('host').requests.clear();
    await world.advance('30s');
    expect(world.cluster('host').requests.writes()).toEqual([]);
    await world.advance('1m');
    await stopped;
  });
});

describe('the answers of a manager', () => {
  it('hold the numbers of its controllers', async () => {
    const world = await worldOf();
    const mirror = controller(CONFIG_MAPS)
      .on(oneCluster(world.connect('host')))
      .reconcile(async () => undefined, { name: 'mirror', inFlight: 7 });
    const manager = managerIn(world, { metrics: new Metrics() }).add(mirror);
    manager.start();
    await world.settle();
    const text = await (await manager.handle(new Request('http://localhost/metrics'))).text();
    expect(text).toContain('controller_runtime_max_concurrent_reconciles{controller="mirror"} 7');
  });

  it('say that all is not well while work goes on although the lease is lost', async () => {
    const world = await worldOf();
    const manager = managerIn(world, { election: election(world, 'a') }).add({
      name: 'stubborn',
      run: (_, signal) => forever(signal).catch(() => new Promise<void>((resolve) => world.clock.after(10_000, resolve))),
    });
    manager.start();
    await world.settle();
    const health = async () => (await manager.handle(new Request('http://localhost/healthz'))).status;
    expect(await health()).toBe(200);
    using _cut = world.cluster('host').network.cut();
    await world.advance('16s');
    expect(await health()).toBe(500);
    await world.advance('20s');
    expect(await health(), 'whoever only waits is well').toBe(200);
  });

  it('are also in the log where an index fails', async () => {
    const world = await worldOf();
    const lines: string[] = [];
    const log = { log: (_: string, message: string) => void lines.push(message), with: () => log };
    const broken = () => {
      throw new Error('no such field');
    };
    await world.connect('host').create(CONFIG_MAPS, named('a'));
    const mirror = controller(CONFIG_MAPS, { indexes: { broken } })
      .on(oneCluster(world.connect('host')))
      .reconcile(async () => undefined);
    managerIn(world, { log }).add(mirror).start();
    await world.settle();
    expect(lines).toContain('an index, a shape or a listener of a cache has failed: no such field');
  });
});

describe('a fence that outlasts terms', () => {
  it('is that of the present term, and over between two', () => {
    const fence = new StandingFence();
    expect([fence.epoch, fence.expiresAt, fence.isValid(), fence.signal.aborted]).toEqual([0, 0, false, true]);
    const { signal } = new AbortController();
    fence.term = { epoch: 3, expiresAt: 5, signal, isValid: () => true };
    expect([fence.epoch, fence.expiresAt, fence.isValid(), fence.signal === signal]).toEqual([3, 5, true, true]);
    fence.term = undefined;
    expect([fence.epoch, fence.isValid(), fence.signal.aborted]).toEqual([0, false, true]);
  });
});
