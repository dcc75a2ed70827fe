import { type Environment, fenced, Manager, type ManagerOptions, Metrics, type Runnable } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { named } from '../controller/start.ts';
import { CONFIG_MAPS, forever } from '../fixtures.ts';

const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of cleanup.splice(0).reverse()) await each();
});

async function worldOf(...members: readonly string[]): Promise<World> {
  const world = await simulate({ host: {}, members: Object.fromEntries(members.map((name) => [name, {}])) });
  cleanup.push(() => world[Symbol.asyncDispose]());
  return world;
}

/** A manager in a world; stopped at the end of the test. */
function managerIn(world: World, options: Partial<ManagerOptions> = {}): Manager {
  const manager = new Manager({ clock: world.clock, random: () => 0, ...options });
  cleanup.push(async () => {
    const stopped = manager.stop().catch(() => undefined);
    await world.advance('2m');
    await stopped;
  });
  return manager;
}

const election = (world: World, identity: string): NonNullable<ManagerOptions['election']> => ({
  cluster: world.cluster('host').connect({ name: identity }),
  namespace: 'default',
  name: 'fleet',
  identity,
});

/** Says what becomes of it; ends when it is stopped, after a while, or by force at once. */
function worker(name: string, said: string[], world: World, lastsMs = 0): Runnable {
  return {
    name,
    async run({ hard }: Environment, signal: AbortSignal) {
      said.push(`${name} starts`);
      await forever(signal).catch(() => undefined);
      said.push(`${name} stops`);
      await new Promise<void>((resolve) => {
        if (hard.aborted) resolve();
        world.clock.after(lastsMs, resolve);
        hard.addEventListener('abort', () => resolve(), { once: true });
      });
      said.push(hard.aborted ? `${name} is ended` : `${name} has ended`);
    },
  };
}

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
