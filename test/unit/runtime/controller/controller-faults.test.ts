import { ClustersetError } from 'clusterset/kube';
import { type Answer, controller, type Fact, type ReconcileInput } from 'clusterset/runtime';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, typeOf } from '../fixtures.ts';
import { named, stage } from './start.ts';

const SECRETS = typeOf('', 'Secret');

const isOurs = { labelSelector: 'ours' };
const ours = (name: string) => named(name, {}, { labels: { ours: '' } });
const KEY = { namespace: 'default', name: 'a' };

describe('a controller goes on', () => {
  it('where whoever observes it throws', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const observe = (fact: Fact): void => {
      if (fact.fact === 'reconciled') throw new Error('the disk is full');
    };
    let calls = 0;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async () => {
          calls += 1;
        }),
      { observe },
    );
    await scene.world.settle();
    await scene.as('kubectl', 'eu-1').patch(CONFIG_MAPS, KEY, { type: 'merge', body: { data: { x: '1' } } });
    await scene.world.settle();
    expect(calls).toBe(2);
  });

  it.each([
    ['no number', { requeueAfterMs: Number.NaN }],
    ['no time', {}],
    ['a time that is none', { requeueAfterMs: '5s' }],
    ['a priority that is none', { requeueAfterMs: 1000, priority: Number.NaN }],
  ])('where the answer is %s: that counts as a failure, and is told', async (_, answer) => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    let calls = 0;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async () => {
          calls += 1;
          return (calls < 100 ? answer : undefined) as Answer | undefined;
        }),
    );
    await scene.world.advance('30ms');
    // At once, after 5 ms and after 10 ms more.
    expect(calls).toBe(3);
    const fact = scene.facts.find((each) => each.fact === 'reconciled');
    expect(fact).toMatchObject({ outcome: 'error', error: expect.objectContaining({ name: 'TypeError' }) });
  });

  it('where a call throws before its first await', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    let calls = 0;
    const made = controller(CONFIG_MAPS, isOurs)
      .on(scene.set)
      .reconcile(() => {
        calls += 1;
        if (calls === 1) throw new Error('at once');
        return Promise.resolve(undefined);
      });
    scene.run(made);
    await scene.world.advance('1s');
    expect(scene.outcomes()).toEqual(['eu-1 default/a error', 'eu-1 default/a success']);
    expect(made.idle).toBe(true);
  });
});

describe('a controller that cannot work', () => {
  it('fails, rather than to say nothing, where two watches have different indexes of one name', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    const index = () => ({ byOwner: () => ['x'] });
    const made = controller(CONFIG_MAPS, isOurs)
      .owns(SECRETS, { indexes: index() })
      .watches(SECRETS, () => [], { indexes: index() })
      .on(scene.set)
      .reconcile(async () => undefined);
    const failed = expect(made.run(scene.environment, new AbortController().signal)).rejects.toThrow(/another index "byOwner"/);
    void scene.set.start();
    await scene.world.settle();
    await failed;
    await scene.world.advance('10s');
    expect(scene.environment.caches.size, 'nothing of it is watched any more').toBe(0);
  });
});

describe('a cluster that leaves', () => {
  it('gets no new call on its way out, though it is parked no more', async () => {
    const scene = await stage({ members: { 'eu-1': {} } }, { probe: { intervalMs: 1000, failures: 1 } });
    const calls: string[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async ({ request }) => void calls.push(request.name)),
    );
    await scene.world.settle();
    const { network } = scene.world.cluster('eu-1');
    using _refused = network.fail({ code: 500 });
    await scene.create('eu-1', ours('a')).catch(() => undefined);
    const cut = network.cut();
    await scene.world.advance('5s');
    expect(scene.set.get('eu-1')?.state).toBe('unreachable');
    scene.made(0).enqueue({ cluster: 'eu-1', ...KEY });
    const stopped = scene.set.stop();
    await scene.world.advance('1m');
    await stopped;
    cut[Symbol.dispose]();
    expect(calls).toEqual([]);
  });
});

describe('the end', () => {
  it('lets what finishes read its own writes', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const seen: unknown[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async ({ cluster, cached, signal, request }: ReconcileInput) => {
          await new Promise<void>((resolve) => scene.world.clock.after(20_000, resolve));
          const { metadata } = await cluster.patch(CONFIG_MAPS, request, { type: 'merge', body: { data: { x: '1' } } });
          await cached(CONFIG_MAPS).waitForVersion(metadata.resourceVersion ?? '', { signal });
          seen.push(cached(CONFIG_MAPS).get(request)?.data);
        }),
    );
    await scene.world.settle();
    scene.stop();
    await scene.world.advance('30s');
    expect(seen).toEqual([{ x: '1' }]);
    await scene.ended();
  });

  it('by force comes when calls that do not mind their signal have really ended: no two terms work on one object', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    let end = (): void => undefined;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          () =>
            new Promise<void>((resolve) => {
              end = resolve;
            }),
        ),
    );
    await scene.world.settle();
    let isOver = false;
    const ended = scene.ended().then(() => {
      isOver = true;
    });
    scene.kill();
    scene.stop();
    await scene.world.advance('1m');
    expect(isOver).toBe(false);
    end();
    await ended;
  });

  it('comes also where no more calls may be under way, and none of them minds', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    for (const name of ['a', 'b', 'c']) await scene.create('eu-1', ours(name));
    const calls: string[] = [];
    const ends: (() => void)[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          ({ request }) => {
            calls.push(request.name);
            return new Promise<void>((resolve) => ends.push(resolve));
          },
          { inFlight: 1 },
        ),
    );
    await scene.world.settle();
    expect(calls).toHaveLength(1);
    scene.stop();
    for (const end of ends) end();
    await scene.ended();
    expect(calls).toHaveLength(1);
  });
});

describe('how many calls are under way', () => {
  it('is no more than the controller may have in all', async () => {
    const scene = await stage();
    for (let index = 0; index < 20; index += 1) await scene.create(index % 2 === 0 ? 'eu-1' : 'us-1', ours(`a-${index}`));
    let [running, most, done] = [0, 0, 0];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          async () => {
            running += 1;
            most = Math.max(most, running);
            await new Promise<void>((resolve) => scene.world.clock.after(100, resolve));
            running -= 1;
            done += 1;
          },
          { inFlight: 3 },
        ),
    );
    await scene.world.advance('10s');
    expect([most, done]).toEqual([3, 20]);
  });
});

describe('failures of an object', () => {
  it('are forgotten when it succeeds', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    await scene.create('eu-1', ours('a'));
    const attempts: number[] = [];
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(async ({ attempt }) => {
          attempts.push(attempt);
          if (attempts.length === 1 || attempts.length === 3) throw new Error('no');
          return { requeueAfterMs: 1000 };
        }),
    );
    await scene.world.advance('2s');
    expect(attempts).toEqual([1, 2, 1, 2]);
  });

  it.each([
    ['an answer, whatever it says, closes the breaker', { code: 'Forbidden', status: 403 } as const, 3],
    ['what says nothing about the cluster leaves it as it was', undefined, 2],
  ])('%s', async (_, answer, failed) => {
    const scene = await stage({ members: { 'eu-1': {} } });
    for (const name of ['a', 'b']) await scene.create('eu-1', ours(name));
    let count = 0;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          async () => {
            count += 1;
            if (count === 2 && answer === undefined) throw new TypeError('no');
            if (count === 2 && answer) throw new ClustersetError({ ...answer, message: 'no', cluster: 'eu-1' });
            throw new ClustersetError({ code: 'Unreachable', message: 'no', cluster: 'eu-1' });
          },
          { inFlight: 1, retryBaseMs: 60_000, breaker: { failures: 2, firstMs: 600_000 } },
        ),
    );
    await scene.world.advance('61s');
    const opened = scene.facts.findIndex((fact) => fact.fact === 'breaker' && fact.state === 'open');
    const failures = scene.facts.slice(0, opened).filter(({ fact }) => fact === 'reconciled').length;
    expect(failures).toBe(failed);
  });

  it('a success between two failures keeps the breaker closed', async () => {
    const scene = await stage({ members: { 'eu-1': {} } });
    for (const name of ['a', 'b']) await scene.create('eu-1', ours(name));
    let count = 0;
    scene.run(
      controller(CONFIG_MAPS, isOurs)
        .on(scene.set)
        .reconcile(
          async () => {
            count += 1;
            if (count !== 2) throw new ClustersetError({ code: 'Unreachable', message: 'no', cluster: 'eu-1' });
          },
          { inFlight: 1, retryBaseMs: 60_000, breaker: { failures: 2 } },
        ),
    );
    await scene.world.advance('61s');
    expect(count).toBe(3);
    expect(scene.facts.some(({ fact }) => fact === 'breaker')).toBe(false);
  });
});
