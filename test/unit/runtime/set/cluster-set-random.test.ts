import type { Cluster, ClusterSource } from 'clusterset/kube';
import { ClusterSet, type EngageHandler, type SetEvent } from 'clusterset/runtime';
import { simulate, type World } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forever } from '../fixtures.ts';
import type { Entry } from './start.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;

/** What handlers do: the hanging ones never end, whatever their signal says. */
const DEEDS = ['return', 'wait', 'hang', 'throw', 'reject'] as const;
type Deed = (typeof DEEDS)[number];

const FAULTS = ['cut', 'hang', 'fail', 'refuse'] as const;
type Fault = (typeof FAULTS)[number];

type Step =
  | {
      readonly do: 'say';
      readonly members: readonly { readonly name: string; readonly server: number; readonly label: number }[];
    }
  | { readonly do: 'break'; readonly name: string; readonly fault: Fault }
  | { readonly do: 'heal'; readonly name: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'engage'; readonly deed: Deed }
  | { readonly do: 'fail' };

const name = fc.constantFrom(...NAMES);
const few = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      members: fc.uniqueArray(fc.record({ name, server: few, label: few }), { selector: (each) => each.name }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), name, fault: fc.constantFrom(...FAULTS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 500, 3_000, 12_000, 40_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('engage' as const), deed: fc.constantFrom(...DEEDS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
);

/** How connecting goes, attempt by attempt. */
const attempts = fc.array(fc.constantFrom('at once', 'later', 'throw', 'never'), { maxLength: 12 });

/** A source that can be told what to say, and to fail once. */
class Roster implements ClusterSource<Entry> {
  #entries: readonly Entry[] = [];
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  say(entries: readonly Entry[]): void {
    this.#entries = entries;
    this.#wake();
  }

  fail(failure: Error): void {
    this.#failure = failure;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly Entry[]> {
    const stopped = forever(signal).catch(() => undefined);
    let seen: readonly Entry[] | undefined;
    while (!signal.aborted) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure;
      if (seen === this.#entries) await Promise.race([this.#changed.promise, stopped]);
      else {
        seen = this.#entries;
        yield seen;
      }
    }
  }
}

interface Connection {
  readonly name: string;
  readonly cluster: Cluster;
  closed: number;
}

interface Engaged {
  readonly handler: number;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/** A set over offline clusters, and everything that has become of it. */
class Story {
  readonly world: World;
  readonly source = new Roster();
  readonly set: ClusterSet<Entry>;
  readonly connections: Connection[] = [];
  readonly engaged: Engaged[] = [];
  readonly events: SetEvent<Entry>[] = [];
  readonly #attempts: string[];
  readonly #broken = new Map<string, Disposable[]>();
  last: readonly Entry[] = [];
  handlers = 0;
  isHanging = false;

  constructor(world: World, plan: readonly string[]) {
    this.world = world;
    this.#attempts = [...plan];
    this.set = new ClusterSet<Entry>({
      source: this.source,
      clock: world.clock,
      connectionOf: ({ server = '' }) => server,
      connect: (entry) => this.#connect(entry),
    });
    this.set.listen((event) => this.events.push(event));
  }

  async #connect(entry: Entry): Promise<Cluster> {
    const way = entry.name === 'fresh' ? 'at once' : (this.#attempts.shift() ?? 'at once');
    if (way === 'throw') throw new Error('no such kubeconfig');
    if (way === 'never') return new Promise(() => undefined);
    if (way === 'later') await new Promise<void>((resolve) => this.world.clock.after(15_000, resolve));
    const inner = this.world.cluster(entry.name).connect();
    const connection: Connection = {
      name: entry.name,
      closed: 0,
      cluster: Object.assign(Object.create(inner) as Cluster, {
        name: entry.name,
        ready: (options: { readonly signal: AbortSignal }) => inner.ready(options),
        close: () => {
          connection.closed += 1;
          return inner.close();
        },
      }),
    };
    this.connections.push(connection);
    return connection.cluster;
  }

  async take(each: Step): Promise<void> {
    switch (each.do) {
      case 'say':
        this.last = each.members.map(({ name: own, server, label }) => ({
          name: own,
          server: `${server}`,
          labels: { label: `${label}` },
        }));
        this.source.say(this.last);
        return this.world.settle();
      case 'fail':
        this.source.fail(new Error('the registry is away'));
        return this.world.settle();
      case 'break':
        return this.#break(each.name, each.fault);
      case 'heal':
        return this.heal(each.name);
      case 'wait':
        return this.world.advance(`${each.ms}ms`);
      case 'engage':
        this.engage(each.deed);
    }
  }

  #break(own: string, fault: Fault): void {
    const { network } = this.world.cluster(own);
    const kinds: Readonly<Record<Fault, () => Disposable>> = {
      cut: () => network.cut(),
      hang: () => network.hang(),
      fail: () => network.fail({ code: 503 }),
      refuse: () => network.fail({ code: 401 }),
    };
    this.#broken.set(own, [...(this.#broken.get(own) ?? []), kinds[fault]()]);
  }

  heal(own: string): void {
    for (const fault of this.#broken.get(own) ?? []) fault[Symbol.dispose]();
    this.#broken.delete(own);
  }

  engage(deed: Deed): void {
    const handler = this.handlers;
    this.handlers += 1;
    this.isHanging ||= deed === 'hang';
    const deeds: Readonly<Record<Deed, EngageHandler<Entry>>> = {
      return: () => undefined,
      wait: (_, signal) => forever(signal).catch(() => undefined),
      hang: () => new Promise(() => undefined),
      throw: () => {
        throw new Error('boom');
      },
      reject: () => Promise.reject(new Error('boom')),
    };
    this.set.engage((member, signal) => {
      this.engaged.push({ handler, cluster: member.cluster, signal });
      return deeds[deed](member, signal);
    });
  }

  /** What must hold whenever nothing is under way. */
  check(): void {
    const live = [...this.set.members.values()].flatMap(({ cluster }) => cluster ?? []);
    for (let handler = 0; handler < this.handlers; handler += 1) {
      const own = this.engaged.filter((each) => each.handler === handler);
      const signals = new Set(own.filter(({ signal }) => !signal.aborted).map(({ signal }) => signal));
      const clusters = own.filter(({ signal }) => !signal.aborted).map(({ cluster }) => cluster);
      // Exactly one live engagement for each live connection, and none for any other.
      expect(new Set(clusters)).toEqual(new Set(live));
      expect(signals.size).toBe(live.length);
    }
    for (const { cluster, closed } of this.connections) {
      expect(closed).toBeLessThanOrEqual(1);
      if (live.includes(cluster)) expect(closed).toBe(0);
    }
    this.checkEvents();
  }

  /** Of each name, one joins, changes, and leaves before the next joins; what is told adds up to what there is. */
  checkEvents(): void {
    const there = new Map<string, AbortSignal>();
    const leaving = new Set<string>();
    for (const { type, member, previous } of this.events) {
      const { name: own, signal, state } = member;
      if (type === 'joined') {
        expect(there.has(own)).toBe(false);
        expect(previous).toBeUndefined();
        there.set(own, signal);
        continue;
      }
      expect(there.get(own)).toBe(signal);
      expect(previous?.signal).toBe(signal);
      if (state === 'leaving') leaving.add(own);
      if (type !== 'left') continue;
      expect(state).toBe('leaving');
      there.delete(own);
      leaving.delete(own);
    }
    expect(new Set([...there.keys()].filter((own) => !leaving.has(own)))).toEqual(new Set(this.set.members.keys()));
  }
}

describe('a cluster set in random stories', () => {
  it('ends with what its source said last, engages each connection once, closes each once, and waits for nobody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), attempts, async (steps, plan) => {
        await using world = await simulate({ members: Object.fromEntries([...NAMES, 'fresh'].map((each) => [each, {}])) });
        const story = new Story(world, plan);
        const { set } = story;
        await set.start();
        for (const each of steps) {
          await story.take(each);
          await world.settle();
          story.check();
        }
        // Whatever is broken, somebody new waits for nobody.
        const before = world.clock.monotonic();
        story.last = [...story.last, { name: 'fresh', server: '0' }];
        story.source.say(story.last);
        // A source that has failed is asked again after a while.
        await world.advance(steps.some((each) => each.do === 'fail') ? '31s' : '0s');
        expect(set.get('fresh')?.state).toBe('ready');
        expect(world.clock.monotonic() - before).toBeLessThanOrEqual(31_000);
        for (const each of NAMES) story.heal(each);
        // Attempts that hang are given up after a minute; there may be one after the other.
        await world.advance(`${2 + 2 * plan.length}m`);
        story.check();
        expect(new Map([...set.members].map(([own, { entry }]) => [own, entry]))).toEqual(
          new Map(story.last.map((entry) => [entry.name, entry])),
        );
        expect([...set.members.values()].map(({ state, reason }) => [state, reason])).toEqual(
          story.last.map(() => ['ready', '']),
        );
        let isStopped = false;
        const stopped = set.stop().then(() => {
          isStopped = true;
        });
        await world.advance(story.isHanging ? '10s' : '0s');
        expect(isStopped, 'handlers that hang are waited for for 10 s').toBe(true);
        await stopped;
        // Connections that were late in coming.
        await world.advance('15s');
        expect(story.connections.map(({ closed }) => closed)).toEqual(story.connections.map(() => 1));
        expect(story.engaged.every(({ signal }) => signal.aborted)).toBe(true);
        expect(set.members.size).toBe(0);
        story.checkEvents();
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
