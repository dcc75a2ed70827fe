import type { AnyObject } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { type ClusterSetOptions, controller, oneCluster, type ReconcileInput } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, typeOf } from '../fixtures.ts';
import { named, type Stage, stage } from './start.ts';

const SECRETS = typeOf('', 'Secret');
const SERVICES = typeOf('', 'Service');

const isOurs = { labelSelector: 'ours' };
const ours = (name: string, data: Record<string, string> = {}): AnyObject => named(name, data, { labels: { ours: '' } });
const secret = (name: string): AnyObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'default', name } });

/** A set whose connections take some seconds. */
async function slowly(seconds: Readonly<Record<string, number>>): Promise<Stage> {
  let world: Stage['world'] | undefined;
  const connect: ClusterSetOptions<ClusterEntry>['connect'] = ({ name }) =>
    new Promise((resolve) => {
      world?.clock.after((seconds[name] ?? 0) * 1000, () => world && resolve(world.connect(name)));
    });
  const scene = await stage({}, { connect });
  world = scene.world;
  return scene;
}

const key = ({ metadata }: AnyObject) => [{ namespace: metadata.namespace ?? '', name: metadata.name }];

describe('a cluster that comes later', () => {
  it('is not worked in before its own objects are known, whatever was seen elsewhere', async () => {
    const scene = await slowly({ 'eu-1': 5 });
    await scene.create('eu-1', ours('a'));
    await scene.create('host', ours('a'));
    using _slow = scene.world.cluster('eu-1').network.delay('2s');
    const seen: string[] = [];
    const host = oneCluster(scene.world.connect('host'));
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(CONFIG_MAPS, key, { on: host, ...isOurs })
        .on(scene.set)
        .reconcile(async ({ request, object }) => {
          seen.push(`${request.cluster} ${object === undefined ? 'gone' : 'there'}`);
        }),
    );
    await scene.world.advance('1m');
    expect(seen.filter((text) => text.startsWith('eu-1'))).toEqual(['eu-1 there']);
  });

  it('gets in, and the rest is heard of, where a mapping or a predicate fails for one object', async () => {
    const scene = await slowly({ 'us-1': 30 });
    const rejections: unknown[] = [];
    const onRejection = (error: unknown): void => void rejections.push(error);
    process.on('unhandledRejection', onRejection);
    const calls: string[] = [];
    const host = oneCluster(scene.world.connect('host'));
    const map = (object: AnyObject) => {
      if (object.metadata.name === 'broken') throw new TypeError('no such field');
      return key(object);
    };
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(CONFIG_MAPS, map, { on: host, ...isOurs })
        .on(scene.set)
        .reconcile(async ({ request }) => void calls.push(`${request.cluster} ${request.name}`)),
    );
    await scene.create('host', ours('broken'));
    await scene.create('host', ours('sound'));
    await scene.world.advance('1m');
    expect(calls.sort()).toEqual(['eu-1 sound', 'us-1 sound']);
    expect(scene.lines.some((line) => line.includes('no such field') && line.includes('default/broken'))).toBe(true);
    scene.stop();
    await scene.ended();
    await scene.world.settle();
    process.off('unhandledRejection', onRejection);
    expect(rejections).toEqual([]);
  });
});

describe('what is watched on the host', () => {
  it('is seen also where each type has a oneCluster of its own', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const host = scene.world.connect('host');
    const seen: number[][] = [];
    await scene.as('kubectl', 'host').create(SECRETS, secret('s'));
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(SECRETS, () => [], { on: oneCluster(host) })
        .watches(CONFIG_MAPS, () => [], { on: oneCluster(host), labelSelector: 'none' })
        .on(scene.set)
        .reconcile(async ({ cached }) => {
          seen.push([cached(SECRETS, 'host').size, cached(CONFIG_MAPS, 'host').size]);
        }),
    );
    await scene.world.advance('10s');
    expect(seen).toEqual([[1, 0]]);
    expect(scene.outcomes()).toEqual(['eu-1 default/a success']);
  });

  it('is seen also from the host itself, where that is a member', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('host', ours('a'));
    await scene.as('kubectl', 'host').create(SECRETS, secret('s'));
    const host = scene.world.connect('host');
    const seen: unknown[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(SECRETS, () => [], { on: oneCluster(host) })
        .watches(CONFIG_MAPS, () => [], { on: oneCluster(host), labelSelector: '!ours' })
        .on(oneCluster(host))
        .reconcile(async ({ cached, request }) => {
          seen.push([cached(SECRETS, 'host').size, cached(CONFIG_MAPS).get(request)?.metadata.name]);
          // What is watched elsewhere on purpose is meant where a cluster is named.
          seen.push(cached(CONFIG_MAPS, 'host').get(request)?.metadata.name);
        }),
    );
    await scene.world.advance('10s');
    expect(seen).toEqual([[1, 'a'], undefined]);
  });

  it('is waited for where it is down at first: what has failed for it comes at once when it is back', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('orphan'));
    const cut = scene.world.cluster('host').network.cut();
    const done: number[] = [];
    const { clock } = scene.world;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(CONFIG_MAPS, key, { on: oneCluster(scene.world.connect('host')), ...isOurs })
        .on(scene.set)
        .reconcile(async ({ cached }) => {
          if (cached(CONFIG_MAPS, 'host').size === 0) done.push(clock.now());
        }),
    );
    await scene.world.advance('1h');
    cut[Symbol.dispose]();
    const back = clock.now();
    await scene.world.advance('2m');
    expect(done.map((at) => at - back <= 60_000)).toEqual([true]);
  });
});

describe('a type that is watched twice in a cluster', () => {
  it('is seen by the selector that is asked for, and by none in silence', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    await scene.create('eu-1', named('b', {}, { labels: { other: '' } }));
    const seen: unknown[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(CONFIG_MAPS, () => [], { labelSelector: 'other' })
        .on(scene.set)
        .reconcile(async ({ cached }) => {
          const names = (labelSelector: string) =>
            [...cached(CONFIG_MAPS, { labelSelector }).values()].map(({ metadata }) => metadata.name);
          seen.push(names('ours'), names('other'));
          try {
            cached(CONFIG_MAPS);
          } catch (error) {
            seen.push((error as Error).message);
          }
        }),
    );
    await scene.world.settle();
    expect(seen).toEqual([['a'], ['b'], expect.stringContaining('labelSelector')]);
  });

  it('is one cache where only the mappings differ', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const seen: number[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .watches(SERVICES, () => [])
        .owns(SERVICES)
        .on(scene.set)
        .reconcile(async ({ cached }: ReconcileInput) => void seen.push(cached(SERVICES).size)),
    );
    await scene.world.settle();
    expect(seen).toHaveLength(1);
  });
});
