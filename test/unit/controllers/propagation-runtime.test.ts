import { PropagationController, type PropagationOptions } from 'clusterset/controllers/propagation';
import { ClustersetError } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import {
  ClusterSet,
  type Environment,
  type Fact,
  GAUGES,
  type GaugeReading,
  type Logger,
  Manager,
  Metrics,
  SharedCaches,
  staticSource,
} from 'clusterset/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { type Federation, federatedConfigMap, prepareWorld, SHOP, start } from './start.ts';
import { isWrite } from './tap.ts';

const MEMBERS = ['eu-1', 'eu-2', 'us-1'];
const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

type Reconciled = Extract<Fact, { readonly fact: 'reconciled' }>;

/** A controller in an environment, and all that it tells. */
async function stage(given: Partial<PropagationOptions> = {}) {
  const federation = await prepareWorld();
  const { world } = federation;
  const { clock } = world;
  const random = (): number => 0.5;
  const facts: Reconciled[] = [];
  const lines: string[] = [];
  const log: Logger = {
    log: (level, message, fields) => lines.push(`${level} ${message} ${fields?.cluster} ${fields?.resource} ${fields?.error}`),
    with: () => log,
  };
  const members = new ClusterSet<ClusterEntry>({
    source: staticSource(world.entries),
    connect: (entry) => federation.tapped(world.connect(entry)),
    clock,
  });
  const host = federation.tapped(world.connect('host'));
  const controller = new PropagationController({ host, members, types: federation.types, ...given });
  const [soft, hard] = [new AbortController(), new AbortController()];
  const environment: Environment = {
    clock,
    random,
    observe: (fact) => fact.fact === 'reconciled' && facts.push(fact),
    log,
    caches: new SharedCaches({ clock, random }),
    hard: hard.signal,
  };
  let isOver = false;
  const run = (): Promise<void> => controller.run(environment, soft.signal);
  const done = run().then(() => {
    isOver = true;
  });
  ended.push(
    () => done,
    () => environment.caches.close(),
    () => members.stop(),
    () => hard.abort(new Error('the test is over')),
  );
  await federation.settle();
  return { federation, controller, facts, lines, soft, hard, run, isOver: () => isOver };
}

const later = (federation: Federation, ms: number): Promise<void> =>
  new Promise((resolve) => federation.world.clock.after(ms, resolve));

const refused = (code: 'Forbidden' | 'NotServed'): ClustersetError =>
  new ClustersetError({ code, message: 'the member said no', cluster: 'eu-1', status: code === 'NotServed' ? 404 : 403 });

describe('the controller in a manager', () => {
  it('works, is counted by cluster, and ends with it', async () => {
    const federation = await prepareWorld();
    const { clock } = federation.world;
    const members = new ClusterSet<ClusterEntry>({
      source: staticSource(federation.world.entries),
      connect: (entry) => federation.tapped(federation.world.connect(entry)),
      clock,
    });
    const host = federation.tapped(federation.world.connect('host'));
    const manager = new Manager({ clock, random: () => 0.5, metrics: new Metrics() });
    manager.use(members).add(new PropagationController({ host, members, types: federation.types }));
    manager.start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    const text = await (await manager.handle(new Request('http://localhost/metrics'))).text();
    for (const cluster of [...MEMBERS, 'host']) {
      expect(text).toMatch(new RegExp(`controller_runtime_reconcile_total\\{[^}]*cluster="${cluster}"[^}]*\\} [1-9]`));
    }
    expect(text).toMatch(/controller_runtime_max_concurrent_reconciles\{controller="propagation"\} 20/);
    const stopped = manager.stop();
    await federation.advance('1m');
    await stopped;
    federation.forget();
    await federation.change('ConfigMap', { spec: { template: { data: { color: 'blue' } } } });
    await federation.advance('1m');
    expect(federation.calls).toEqual([]);
  });

  it('shares its watches with another that looks at the same', async () => {
    const federation = await prepareWorld();
    const { clock } = federation.world;
    const members = new ClusterSet<ClusterEntry>({
      source: staticSource(federation.world.entries),
      connect: (entry) => federation.tapped(federation.world.connect(entry)),
      clock,
    });
    const host = federation.tapped(federation.world.connect('host'));
    const named = (name: string, fieldManager: string) =>
      new PropagationController({ host, members, types: federation.types, name, fieldManager });
    const manager = new Manager({ clock, random: () => 0.5 });
    manager.use(members).add(named('one', 'clusterset')).add(named('other', 'another')).start();
    await federation.settle();
    const watched = federation.calls.filter(({ verb }) => verb === 'watch').map(({ cluster, kind }) => `${cluster} ${kind}`);
    expect(watched).toHaveLength(new Set(watched).size);
    const stopped = manager.stop();
    await federation.advance('1m');
    await stopped;
  });

  it('streams its lists', async () => {
    const { federation } = await stage();
    const bodies = federation.calls.filter(({ verb }) => verb === 'watch').map(({ body }) => body);
    expect(bodies.length).toBe(3 + 2 * 3);
    expect(bodies).toEqual(bodies.map(() => expect.objectContaining({ sendInitialEvents: true })));
  });

  it('may run once more with an empty memory when it has ended, and not twice at a time', async () => {
    const federation = await prepareWorld();
    const { clock } = federation.world;
    const set = (): ClusterSet<ClusterEntry> =>
      new ClusterSet({
        source: staticSource(federation.world.entries),
        connect: (entry) => federation.world.connect(entry),
        clock,
      });
    const members = set();
    const controller = new PropagationController({
      host: federation.world.connect('host'),
      members,
      types: federation.types,
      clock,
    });
    for (const color of ['red', 'blue']) {
      const stopping = new AbortController();
      const done = controller.run(stopping.signal);
      await expect(controller.run(stopping.signal)).rejects.toThrow(/runs already/);
      if (color === 'red') await federation.create(federatedConfigMap());
      else await federation.change('ConfigMap', { spec: { template: { data: { color } } } });
      await federation.settle();
      expect(MEMBERS.map((name) => federation.live(name, 'ConfigMap')?.data)).toEqual(MEMBERS.map(() => ({ color })));
      stopping.abort();
      await done;
    }
    await members.stop();
  });
});

describe('what the controller tells', () => {
  it('is a fact for each look at an object in a member, and for each on the host', async () => {
    const { federation, facts } = await stage();
    facts.length = 0;
    await federation.create(federatedConfigMap());
    await federation.settle();
    const told = facts.filter(({ key }) => key === 'shop/web');
    expect(new Set(told.map(({ cluster }) => cluster))).toEqual(new Set(['host', ...MEMBERS]));
    expect(told).toEqual(
      told.map(() =>
        expect.objectContaining({ controller: 'propagation', outcome: 'success', attempt: 1, durationMs: expect.any(Number) }),
      ),
    );
  });

  it('counts failures in a row, with the error, until it works', async () => {
    const { federation, facts } = await stage({ name: 'mine' });
    let isRefusing = true;
    federation.tamper = {
      call(call, go) {
        if (!isRefusing || call.cluster !== 'eu-1' || !isWrite(call)) return go();
        throw refused('Forbidden');
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('500ms');
    isRefusing = false;
    await federation.advance('1s');
    const told = facts.filter(({ cluster, key }) => cluster === 'eu-1' && key === 'shop/web');
    expect(told.slice(0, 4).map(({ attempt, outcome }) => `${attempt} ${outcome}`)).toEqual([
      '1 error',
      '2 error',
      '3 error',
      '4 success',
    ]);
    expect(told[0]).toMatchObject({ controller: 'mine', error: { code: 'Forbidden' } });
  });

  it('says of a call that is given up that it took too long', async () => {
    const { federation, facts } = await stage({ stepTimeoutMs: 1000 });
    using _ = federation.network('eu-1').hang();
    await federation.create(federatedConfigMap());
    await federation.advance('1500ms');
    const told = facts.filter(({ cluster, key }) => cluster === 'eu-1' && key === 'shop/web');
    expect(told).toMatchObject([{ outcome: 'timeout', durationMs: 1000, error: { code: 'Timeout' } }]);
  });

  it('has numbers of what is under way', async () => {
    const { federation, controller } = await stage({ workers: 2 });
    const reading = (gauge: GaugeReading['gauge'], cluster: string): number | undefined =>
      [...controller.gauges()].find((each) => each.gauge === gauge && each.labels.cluster === cluster)?.value;
    using _ = federation.network('eu-1').hang();
    for (const name of ['a', 'b', 'c']) await federation.create(federatedConfigMap({}, { name }));
    await federation.advance('2s');
    expect(reading(GAUGES.activeWorkers, 'eu-1')).toBe(2);
    expect(reading(GAUGES.depth, 'eu-1')).toBe(1);
    expect(reading(GAUGES.longestRunning, 'eu-1')).toBe(2);
    expect(reading(GAUGES.unfinishedWork, 'eu-1')).toBe(4);
    expect(reading(GAUGES.activeWorkers, 'eu-2')).toBe(0);
  });

  it('warns of a type that a member lets nobody read, once', async () => {
    const { federation, lines } = await stage();
    federation.tamper = {
      endsWatch: async ({ cluster, kind }) => {
        if (cluster === 'eu-1' && kind === 'ConfigMap') throw refused('Forbidden');
        return false;
      },
    };
    const reset = federation.network('eu-1').cut();
    await federation.advance('100ms');
    reset[Symbol.dispose]();
    await federation.advance('5m');
    expect(lines.filter((line) => line.includes('the member said no') && line.includes('eu-1 configmaps'))).toHaveLength(1);
  });
});

describe('a controller that is told to stop', () => {
  const slowWrite = async () => {
    const staged = await stage();
    const { federation } = staged;
    federation.tamper = {
      async call(call, go) {
        if (call.cluster === 'eu-1' && isWrite(call)) await later(federation, 2000);
        return go();
      },
    };
    await federation.create(federatedConfigMap());
    await federation.advance('1s');
    return staged;
  };

  it('finishes what is under way, and begins nothing new', async () => {
    const { federation, soft, isOver } = await slowWrite();
    soft.abort();
    federation.forget();
    await federation.create(federatedConfigMap({}, { name: 'new' }));
    await federation.advance('500ms');
    expect(isOver()).toBe(false);
    await federation.advance('600ms');
    expect(isOver()).toBe(true);
    expect(federation.has('ConfigMap')).toEqual(MEMBERS);
    expect(federation.writes()).toEqual([]);
  });

  it('ends what is under way when it must, also a call that does not mind', async () => {
    const { federation, soft, hard, isOver, facts } = await slowWrite();
    soft.abort();
    await federation.world.settle();
    expect(isOver()).toBe(false);
    const before = facts.length;
    hard.abort(new Error('the lease was lost'));
    await federation.world.settle();
    expect(isOver()).toBe(true);
    expect(facts).toHaveLength(before);
    expect(federation.errors).toEqual([]);
  });
});

describe('a type that a member does not serve', () => {
  /** Nobody finds the type, neither in the cluster's discovery nor under its path. */
  const takeAway = async (federation: Federation, forMs: string): Promise<void> => {
    federation.tamper = {
      async call(call, go) {
        if (call.cluster !== 'eu-1') return go();
        if (call.kind === 'ConfigMap') throw refused('NotServed');
        const answer = await go();
        if (call.verb !== 'resources') return answer;
        return (answer as unknown as readonly { plural: string }[]).filter(
          ({ plural }) => plural !== 'configmaps',
        ) as typeof answer;
      },
      endsWatch: async ({ cluster, kind }) => {
        if (cluster === 'eu-1' && kind === 'ConfigMap') throw refused('NotServed');
        return false;
      },
    };
    const cut = federation.network('eu-1').cut();
    await federation.advance('100ms');
    cut[Symbol.dispose]();
    await federation.advance(forMs);
  };

  const placed = async (): Promise<Federation> => {
    const federation = await start();
    await federation.create(federatedConfigMap());
    await federation.settle();
    federation.forget();
    return federation;
  };

  it('for a moment looks like nothing at all: nothing is written, there or on the host', async () => {
    const federation = await placed();
    await takeAway(federation, '5s');
    federation.tamper = {};
    await federation.advance('2m');
    expect(federation.writes()).toEqual([]);
  });

  it('for a moment leaves no orphan of an object that is deleted then', async () => {
    const federation = await placed();
    await takeAway(federation, '3s');
    await federation.delete('ConfigMap');
    await federation.advance('2s');
    expect(federation.has('ConfigMap')).toEqual(['eu-1']);
    expect(await federation.isHeld('ConfigMap')).toBe(true);
    federation.tamper = {};
    await federation.advance('2m');
    expect(federation.has('ConfigMap')).toEqual([]);
    expect(await federation.object('ConfigMap', SHOP)).toBeUndefined();
  });

  it('for long is told of, and everything goes on when it is back', async () => {
    const federation = await placed();
    await takeAway(federation, '2m');
    expect(await federation.entries('ConfigMap')).toEqual(['eu-1: TypeNotServed', 'eu-2', 'us-1']);
    federation.tamper = {};
    await federation.advance('2m');
    expect(await federation.entries('ConfigMap')).toEqual(MEMBERS);
  });
});
