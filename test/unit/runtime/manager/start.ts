import { type Environment, Manager, type ManagerOptions, type Runnable } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import { afterEach } from 'vitest';
import { forever } from '../fixtures.ts';

const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of cleanup.splice(0).reverse()) await each();
});

/** A world that ends with the test. */
export async function worldOf(...members: readonly string[]): Promise<World> {
  const world = await simulate({ host: {}, members: Object.fromEntries(members.map((name) => [name, {}])) });
  cleanup.push(() => world[Symbol.asyncDispose]());
  return world;
}

/** A manager in a world; stopped at the end of the test. */
export function managerIn(world: World, options: Partial<ManagerOptions> = {}): Manager {
  const manager = new Manager({ clock: world.clock, random: () => 0, ...options });
  cleanup.push(async () => {
    const stopped = manager.stop().catch(() => undefined);
    await world.advance('2m');
    await stopped;
  });
  return manager;
}

/** Who competes for the lease of the tests. */
export const election = (world: World, identity: string): NonNullable<ManagerOptions['election']> => ({
  cluster: world.cluster('host').connect({ name: identity }),
  namespace: 'default',
  name: 'fleet',
  identity,
});

/** Says what becomes of it; ends when it is stopped, after a while, or by force at once. */
export function worker(name: string, said: string[], world: World, lastsMs = 0): Runnable {
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
