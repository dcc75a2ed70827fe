import { getEventListeners } from 'node:events';
import { fenced, Metrics, type Runnable } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { named } from '../controller/start.ts';
import { CONFIG_MAPS, forever } from '../fixtures.ts';
import { election, managerIn, worker, worldOf } from './start.ts';

describe('a manager', () => {
  it('starts what others need first, and stops it last', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const resource = (name: string) => ({
      start: () => said.push(`${name} starts`),
      stop: async () => void said.push(`${name} has ended`),
    });
    const manager = managerIn(world)
      .use(resource('set'))
      .use(resource('server'))
      .add(worker('mirror', said, world));
    manager.start();
    await world.settle();
    const stopped = manager.stop();
    await world.settle();
    await stopped;
    expect(said).toEqual([
      'set starts',
      'server starts',
      'mirror starts',
      'mirror stops',
      'mirror has ended',
      'server has ended',
      'set has ended',
    ]);
  });

  it.each([
    ['finishes in time', 29_000, 'mirror has ended'],
    ['takes longer than 30 s', 31_000, 'mirror is ended'],
  ])('lets work that %s finish, or ends it', async (_, lastsMs, outcome) => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world).add(worker('mirror', said, world, lastsMs));
    manager.start();
    await world.settle();
    const stopped = manager.stop();
    await world.advance('40s');
    await stopped;
    expect(said.at(-1)).toBe(outcome);
  });

  it('stops everything when something fails, and says what', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world)
      .add(worker('mirror', said, world))
      .add({ name: 'broken', run: () => Promise.reject(new Error('no disk')) });
    const done = expect(manager.run(new AbortController().signal)).rejects.toThrow('no disk');
    await world.settle();
    await done;
    expect(said).toContain('mirror has ended');
  });

  it('goes on without what has nothing more to do', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world)
      .add(worker('mirror', said, world))
      .add({ name: 'once', run: () => Promise.resolve() });
    manager.start();
    await world.advance('1m');
    expect(said).toEqual(['mirror starts']);
  });

  it('refuses two of one name, and whoever comes late', async () => {
    const world = await worldOf();
    const manager = managerIn(world).add(worker('mirror', [], world));
    expect(() => manager.add(worker('mirror', [], world))).toThrow(/two of the name mirror/);
    manager.start();
    expect(() => manager.add(worker('late', [], world))).toThrow(/runs already/);
    expect(() => manager.fence).toThrow(/without an election/);
  });

  it('answers for its health and its numbers', async () => {
    const world = await worldOf();
    const readyz = { store: () => Promise.reject(new Error('token abc')) };
    const manager = managerIn(world, { metrics: new Metrics(), checks: { readyz }, election: election(world, 'a') });
    manager.start();
    await world.settle();
    const ask = async (path: string) => {
      const answer = await manager.handle(new Request(`http://localhost${path}`));
      return [answer.status, await answer.text()] as const;
    };
    expect(await ask('/healthz')).toEqual([200, 'ok']);
    expect(await ask('/readyz')).toEqual([500, '[-]store failed: reason withheld\nhealthz check failed\n']);
    expect((await ask('/metrics'))[1]).toContain('leader_election_master_status{name="default/fleet"} 1');
    expect((await ask('/other'))[0]).toBe(404);
  });
});

describe('with an election', () => {
  it('only one of several leads, and another takes over at once when it stops', async () => {
    const world = await worldOf();
    const [first, second]: [string[], string[]] = [[], []];
    const a = managerIn(world, { election: election(world, 'a') }).add(worker('mirror', first, world, 1000));
    const b = managerIn(world, { election: election(world, 'b') })
      .add(worker('mirror', second, world))
      .add(worker('metrics', second, world), { leads: false });
    a.start();
    await world.settle();
    b.start();
    await world.advance('1m');
    expect([first, second]).toEqual([['mirror starts'], ['metrics starts']]);
    expect([a.leader, b.leader]).toEqual(['a', 'a']);
    const stopped = a.stop();
    await world.advance('5s');
    await stopped;
    expect(first, 'it may finish before it gives the lease away').toEqual(['mirror starts', 'mirror stops', 'mirror has ended']);
    expect(second).toEqual(['metrics starts', 'mirror starts']);
  });

  it('ends its work by force when it loses the lease, refuses writes, and leads again later', async () => {
    const world = await worldOf('eu-1');
    const said: string[] = [];
    const manager = managerIn(world, { election: election(world, 'a') });
    manager.add(worker('mirror', said, world, 60_000));
    const member = fenced(world.connect('eu-1'), manager.fence);
    await expect(member.create(CONFIG_MAPS, named('a'))).rejects.toMatchObject({ code: 'Fenced' });
    manager.start();
    await world.settle();
    await member.create(CONFIG_MAPS, named('a'));
    const cut = world.cluster('host').network.cut();
    await world.advance('14s');
    expect(said).toEqual(['mirror starts', 'mirror stops', 'mirror is ended']);
    await expect(member.create(CONFIG_MAPS, named('b'))).rejects.toMatchObject({ code: 'Fenced' });
    cut[Symbol.dispose]();
    await world.advance('1m');
    expect(said.slice(3)).toEqual(['mirror starts']);
    await member.create(CONFIG_MAPS, named('b'));
  });

  it('fails where the work goes on although the lease is lost', async () => {
    const world = await worldOf();
    const manager = managerIn(world, { election: election(world, 'a') });
    manager.add({ name: 'stubborn', run: () => new Promise<void>(() => undefined) });
    const done = expect(manager.run(new AbortController().signal)).rejects.toMatchObject({ code: 'Timeout' });
    await world.settle();
    world.cluster('host').network.cut();
    await world.advance('2m');
    await done;
  });
});

describe('a manager of which something fails', () => {
  const broken = (how: 'throws' | 'rejects') => {
    if (how === 'throws') throw new Error('no port');
    return Promise.reject(new Error('no port'));
  };

  it.each(['throws', 'rejects'] as const)('stops what was started, where the start of a resource %s', async (how) => {
    const world = await worldOf();
    const said: string[] = [];
    const rejections: unknown[] = [];
    const onRejection = (error: unknown): void => void rejections.push(error);
    process.on('unhandledRejection', onRejection);
    const manager = managerIn(world)
      .use({ start: () => said.push('set starts'), stop: async () => void said.push('set has ended') })
      .use({ start: () => broken(how), stop: async () => void said.push('server has ended') })
      .add(worker('mirror', said, world));
    const done = expect(manager.run(new AbortController().signal)).rejects.toThrow('no port');
    await world.advance('1m');
    await done;
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', onRejection);
    expect(said[0]).toBe('set starts');
    expect(said.slice(-2)).toEqual(['server has ended', 'set has ended']);
    expect(rejections).toEqual([]);
  });

  it.each(['throws', 'rejects'] as const)('stops the rest, and says so, where the stop of a resource %s', async (how) => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world)
      .use({ stop: async () => void said.push('set has ended') })
      .use({ stop: () => broken(how) });
    const stopping = new AbortController();
    const done = expect(manager.run(stopping.signal)).rejects.toThrow('no port');
    await world.settle();
    stopping.abort();
    await world.settle();
    await done;
    expect(said).toEqual(['set has ended']);
  });

  it('says why it does not come to lead', async () => {
    const world = await worldOf();
    const lines: string[] = [];
    const log = { log: (level: string, message: string) => void lines.push(`${level} ${message}`), with: () => log };
    world.cluster('host').network.fail({ code: 403 });
    managerIn(world, { log, election: election(world, 'a') }).start();
    await world.settle();
    expect(lines).toEqual([expect.stringMatching(/^warn the lease could not be read or written: ./)]);
  });

  it('stops also where its log fails, too', async () => {
    const world = await worldOf();
    const log = {
      log: () => {
        throw new Error('the disk is full');
      },
      with: () => log,
    };
    const manager = managerIn(world, { log }).add({ name: 'broken', run: () => Promise.reject(new Error('no disk')) });
    const done = expect(manager.run(new AbortController().signal)).rejects.toThrow('no disk');
    await world.settle();
    await done;
  });
});

describe('the life of a manager', () => {
  it('ends before it begins where it is stopped first: nothing is started', async () => {
    const world = await worldOf();
    const said: string[] = [];
    const manager = managerIn(world)
      .use({ start: () => said.push('set starts'), stop: async () => void said.push('set has ended') })
      .add(worker('mirror', said, world));
    await manager.stop();
    await manager.run(new AbortController().signal);
    expect(said).toEqual(['set has ended']);
  });

  it('ends with its caches: nothing is watched any more, and no timer is left', async () => {
    const world = await worldOf('eu-1');
    const watching: Runnable = {
      name: 'watching',
      async run({ caches }, signal) {
        caches.open(world.connect('eu-1'), CONFIG_MAPS, {}, signal);
        await forever(signal).catch(() => undefined);
      },
    };
    const manager = managerIn(world).add(watching);
    manager.start();
    await world.settle();
    expect(manager.caches.size).toBe(1);
    const stopped = manager.stop();
    await world.settle();
    await stopped;
    expect(manager.caches.size).toBe(0);
  });

  it('leaves no listener on the signal that it runs under', async () => {
    const world = await worldOf();
    const stopping = new AbortController();
    const manager = managerIn(world).add({ name: 'broken', run: () => Promise.reject(new Error('no disk')) });
    const done = expect(manager.run(stopping.signal)).rejects.toThrow('no disk');
    await world.settle();
    await done;
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });
});

describe('the fence of a manager', () => {
  it.each([
    ['nothing is added that leads', []],
    ['what leads has done its work', [{ name: 'once', run: () => Promise.resolve() }]],
  ])('holds as long as it leads, also where %s', async (_, runnables: readonly Runnable[]) => {
    const world = await worldOf('eu-1');
    const manager = managerIn(world, { election: election(world, 'a') });
    for (const each of runnables) manager.add(each);
    manager.start();
    await world.advance('1m');
    expect(manager.leader).toBe('a');
    expect(manager.fence.isValid()).toBe(true);
    await fenced(world.connect('eu-1'), manager.fence).create(CONFIG_MAPS, named('a'));
  });

  it('is that of the new term where work of the old one has ended late, and two terms never work at the same time', async () => {
    const world = await worldOf();
    let [running, most, terms] = [0, 0, 0];
    const manager = managerIn(world, { election: election(world, 'a') }).add({
      name: 'slow to end',
      async run(_, signal) {
        running += 1;
        terms += 1;
        most = Math.max(most, running);
        await forever(signal).catch(() => undefined);
        await new Promise<void>((resolve) => world.clock.after(20_000, resolve));
        running -= 1;
      },
    });
    manager.start();
    await world.settle();
    const cut = world.cluster('host').network.cut();
    await world.advance('12s');
    cut[Symbol.dispose]();
    await world.advance('2m');
    expect([terms, most]).toEqual([2, 1]);
    expect(manager.fence.isValid()).toBe(true);
  });
});
