import { ownerOf } from 'clusterset/runtime';
import type { World } from 'clusterset/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlaps } from './fixtures.ts';
import { owners, Replica, terms, worldOf } from './replicas.ts';

type Trouble = 'refuse' | 'hang' | 'silence' | 'lose' | 'slow' | 'writes fail' | 'lists fail';
type What = Trouble | 'heal' | 'stop' | 'kill' | 'join' | 'restart' | 'stall' | 'wait';

interface Step {
  readonly what: What;
  readonly who: number;
  readonly forMs: number;
}

const WHAT: readonly What[] = [
  ...(['refuse', 'hang', 'silence', 'lose', 'slow', 'writes fail', 'lists fail', 'heal'] as const),
  ...(['stop', 'kill', 'join', 'restart', 'restart', 'stall', 'wait'] as const),
];

const story = fc.record({
  replicas: fc.integer({ min: 3, max: 5 }),
  clusters: fc.integer({ min: 20, max: 60 }),
  chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  steps: fc.array(
    fc.record({ what: fc.constantFrom(...WHAT), who: fc.nat({ max: 9 }), forMs: fc.integer({ min: 1, max: 18_000 }) }),
    { minLength: 4, maxLength: 12 },
  ),
});

const STALL_MS = 20_000;
const TICK_MS = 100;

/** A story, while it is told: replicas come, go and suffer, and everybody writes all the time. */
class Telling {
  readonly world: World;
  readonly clusters: readonly string[];
  readonly all: Replica[] = [];
  readonly #chance: number;
  readonly #runs = new Map<string, number>();
  readonly #faults: Disposable[] = [];
  #alive: Replica[] = [];
  #stalledUntil = 0;

  constructor(world: World, clusters: readonly string[], chance: number) {
    this.world = world;
    this.clusters = clusters;
    this.#chance = chance;
  }

  get alive(): readonly Replica[] {
    return this.#alive;
  }

  /** Lets time pass, and looks all the while that no cluster has two. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TICK_MS) {
      await this.world.advance(Math.min(TICK_MS, left));
      const most = Math.max(...owners(this.all, this.clusters));
      if (most > 1) throw new Error(`${most} replicas may act for one cluster at ${this.world.clock.monotonic()} ms`);
    }
  }

  join(identity: string): void {
    const run = (this.#runs.get(identity) ?? 0) + 1;
    this.#runs.set(identity, run);
    let draws = 0;
    const random = (): number => (this.#chance + (draws++ + this.all.length) * 0.618) % 1;
    const replica = new Replica(this.world, identity, this.clusters, { run, random });
    this.all.push(replica);
    this.#alive.push(replica);
    replica.start();
    replica.write(700 + this.all.length * 13);
  }

  step({ what, who }: Step): void {
    const replica = this.#alive[who % this.#alive.length];
    if (replica === undefined || what === 'wait') return;
    if (what === 'heal') this.heal();
    else if (what === 'join') this.#joinAnother();
    else if (what === 'stop' || what === 'kill' || what === 'restart') this.#end(replica, what);
    else if (what === 'stall') this.#stall(replica);
    else this.#trouble(replica, what, who);
  }

  #joinAnother(): void {
    if (this.#alive.length < 5) this.join(`r${this.#runs.size}`);
  }

  #stall(replica: Replica): void {
    replica.clock.stall(STALL_MS);
    this.#stalledUntil = this.world.clock.monotonic() + STALL_MS;
  }

  #trouble(replica: Replica, what: Trouble, who: number): void {
    const { network } = this.world.cluster('host');
    const scope = { clients: [replica.client] };
    const faults = {
      refuse: () => network.reset(scope),
      hang: () => network.hang(scope),
      silence: () => network.silence(scope),
      lose: () => network.loseAnswers(scope),
      slow: () => network.delay(1000 + who * 700, scope),
      'writes fail': () => network.fail({ code: 500 }, { ...scope, verbs: ['update', 'create'] }),
      'lists fail': () => network.fail({ code: 500 }, { ...scope, verbs: ['list'] }),
    };
    this.#faults.push(faults[what]());
  }

  #end(replica: Replica, what: 'stop' | 'kill' | 'restart'): void {
    // One that stays keeps the story going.
    if (what !== 'restart' && this.#alive.length < 2) return;
    this.#alive = this.#alive.filter((each) => each !== replica);
    if (what === 'stop') replica.stop();
    else replica.kill();
    if (what === 'restart') this.join(replica.identity);
  }

  heal(): void {
    for (const fault of this.#faults.splice(0)) fault[Symbol.dispose]();
  }

  /** How long some clock still stalls. */
  get stalledMs(): number {
    return Math.max(0, this.#stalledUntil - this.world.clock.monotonic());
  }

  async end(): Promise<void> {
    this.heal();
    for (const replica of this.all) replica.stop();
    await this.world.advance('60s');
    await this.world[Symbol.asyncDispose]();
  }
}

const RUNS = 20;

describe('whatever happens to replicas and their way to the host', () => {
  it('no two write to one cluster at the same time, and after healing each cluster has one within two durations of a lease', async () => {
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(story, async ({ replicas, clusters: count, chance, steps }) => {
        const clusters = Array.from({ length: count }, (_, index) => `member-${index}`);
        const telling = new Telling(await worldOf(clusters), clusters, chance);
        try {
          for (let index = 0; index < replicas; index += 1) telling.join(`r${index}`);
          for (const step of steps) {
            await telling.pass(step.forMs);
            telling.step(step);
          }
          await telling.pass(telling.stalledMs);
          telling.heal();
          await telling.pass(30_000);
          const members = telling.alive.map(({ identity }) => ({ identity }));
          for (const replica of telling.alive)
            expect(replica.owned).toEqual(clusters.filter((name) => ownerOf(name, members) === replica.identity));
          for (const name of clusters) {
            const found = terms(telling.world.cluster(name));
            changes += found.length - 1;
            expect(overlaps(found)).toEqual([]);
          }
          telling.world.verify();
        } finally {
          await telling.end();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // Stories in which nothing ever changes hands would show nothing.
    expect(changes).toBeGreaterThan(RUNS * 20);
  }, 120_000);
});
