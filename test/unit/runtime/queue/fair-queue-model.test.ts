import { type Adding, LOW_PRIORITY, type Taken } from 'clusterset/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FairBench, fairBench, flush, nameOf } from './fair-bench.ts';
import { NaiveLane, type NaiveTime } from './naive-lane.ts';

const BASE_MS = 5;
const MAX_MS = 100;
const BREAKER = { failures: 2, firstMs: 8, longestMs: 20 };
const IN_FLIGHT = 2;
const CLUSTERS = ['a', 'b', 'c'];

/** One cluster, with everything that a look at the others would not tell. */
interface NaiveCluster {
  readonly name: string;
  readonly lane: NaiveLane;
  isParked: boolean;
  state: 'closed' | 'open' | 'half-open';
  failures: number;
  openings: number;
  /** When it is half-open, and since which place in line it waits for that. */
  until: { readonly due: number; readonly place: number } | undefined;
  probe: number | undefined;
  credit: number;
  isKnown: boolean;
}

interface NaiveRun extends Taken {
  isUnderWay: boolean;
  isCurrent: boolean;
}

/** A fair queue as one would write it with no thought of speed: every question is answered by looking at everything. */
class NaiveFair {
  readonly time: NaiveTime = { now: 0, places: 0 };
  readonly clusters: readonly NaiveCluster[];
  /** Who takes turns; the first is at turn. */
  line: NaiveCluster[] = [];
  readonly handed: (NaiveRun | undefined)[] = [];
  /** How many of what was handed out were found to be the same. */
  compared = 0;
  takers = 0;
  isClosed = false;
  #isServed = false;
  readonly #quantum: number;

  constructor(quantum: number) {
    this.#quantum = quantum;
    this.clusters = CLUSTERS.map((name) => ({ name, lane: new NaiveLane(this.time, BASE_MS, MAX_MS), ...this.#fresh() }));
  }

  #fresh() {
    return {
      isParked: false,
      state: 'closed' as const,
      failures: 0,
      openings: 0,
      until: undefined,
      probe: undefined,
      credit: 0,
      isKnown: false,
    };
  }

  of(name: string): NaiveCluster {
    return this.clusters.find((each) => each.name === name) as NaiveCluster;
  }

  underWay(name?: string): readonly NaiveRun[] {
    return this.handed.filter(
      (run): run is NaiveRun => run?.isUnderWay === true && (name === undefined || (run.cluster === name && run.isCurrent)),
    );
  }

  isHeld({ isParked, state }: NaiveCluster): boolean {
    return isParked || state === 'open';
  }

  get busy(): number {
    const open = this.clusters.filter((each) => !this.isHeld(each));
    return open.reduce((sum, { lane }) => sum + lane.ready.length, 0) + this.underWay().length;
  }

  add(name: string, key: string, { afterMs = 0, priority = 0, cost = 1 }: Adding): void {
    if (this.isClosed) return;
    const cluster = this.of(name);
    cluster.isKnown = true;
    cluster.lane.add(key, afterMs, priority, cost);
    this.settle();
  }

  retry(name: string, key: string, priority: number): void {
    const cluster = this.of(name);
    if (!cluster.isKnown || this.isClosed) return;
    if (this.isHeld(cluster)) cluster.lane.add(key, 0, priority);
    else cluster.lane.retry(key, priority);
    this.settle();
  }

  forget(name: string, key: string): void {
    this.of(name).lane.failures[key] = 0;
  }

  take(): void {
    if (this.isClosed) this.handed.push(undefined);
    else this.takers += 1;
    this.settle();
  }

  done(index: number): void {
    const run = this.handed[index];
    if (!run?.isUnderWay) return;
    run.isUnderWay = false;
    const cluster = this.of(run.cluster);
    cluster.lane.done(run.key);
    if (cluster.probe === index) cluster.probe = undefined;
    this.settle();
  }

  park(name: string): void {
    if (this.isClosed) return;
    const cluster = this.of(name);
    cluster.isKnown = true;
    cluster.isParked = true;
    this.settle();
  }

  unpark(name: string): void {
    const cluster = this.of(name);
    if (!cluster.isParked) return;
    cluster.isParked = false;
    if (cluster.state === 'open') this.#become(cluster, 'half-open');
    this.settle();
  }

  succeeded(name: string): void {
    const cluster = this.of(name);
    cluster.failures = 0;
    cluster.openings = 0;
    if (cluster.state !== 'closed') this.#become(cluster, 'closed');
    this.settle();
  }

  failed(name: string): void {
    const cluster = this.of(name);
    if (!cluster.isKnown || this.isClosed || cluster.state === 'open') return;
    cluster.failures += 1;
    if (cluster.state === 'closed' && cluster.failures < BREAKER.failures) return;
    this.#become(cluster, 'open');
    this.time.places += 1;
    const due = this.time.now + Math.min(BREAKER.longestMs, BREAKER.firstMs * 2 ** cluster.openings);
    cluster.until = { due, place: this.time.places };
    cluster.openings += 1;
    this.settle();
  }

  remove(name: string): void {
    const cluster = this.of(name);
    for (const run of this.underWay(name)) run.isCurrent = false;
    cluster.lane.clear();
    Object.assign(cluster, this.#fresh());
    this.settle();
  }

  close(): void {
    for (const { name } of this.clusters) this.remove(name);
    this.isClosed = true;
    for (; this.takers > 0; this.takers -= 1) this.handed.push(undefined);
  }

  advance(ms: number): void {
    const end = this.time.now + ms;
    for (;;) {
      const times = this.clusters.flatMap((cluster) => [
        ...cluster.lane.waiting.map((pending) => ({
          due: pending.due ?? 0,
          place: pending.place,
          come: () => cluster.lane.come(pending),
        })),
        ...(cluster.until === undefined ? [] : [{ ...cluster.until, come: () => this.#become(cluster, 'half-open') }]),
      ]);
      const due = Math.min(...times.map((each) => each.due));
      if (due > end) break;
      this.time.now = due;
      for (const each of times.filter((other) => other.due === due).toSorted((a, b) => a.place - b.place)) {
        each.come();
        this.#seat();
      }
      this.settle();
    }
    this.time.now = end;
  }

  #become(cluster: NaiveCluster, state: NaiveCluster['state']): void {
    cluster.state = state;
    cluster.until = undefined;
    cluster.probe = undefined;
  }

  #canGo(cluster: NaiveCluster): boolean {
    const { lane, name, state, probe } = cluster;
    if (lane.ready.length === 0 || this.isHeld(cluster) || this.underWay(name).length >= IN_FLIGHT) return false;
    return state === 'closed' || probe === undefined;
  }

  #seat(): void {
    const [first] = this.line;
    for (const cluster of this.clusters) if (!this.#canGo(cluster)) cluster.credit = 0;
    this.line = this.line.filter((each) => this.#canGo(each));
    if (this.line[0] !== first) this.#isServed = false;
    this.line.push(...this.clusters.filter((each) => this.#canGo(each) && !this.line.includes(each)));
  }

  settle(): void {
    this.#seat();
    while (this.takers > 0) {
      const [cluster] = this.line;
      if (cluster === undefined) return;
      if (!this.#isServed) cluster.credit += this.#quantum;
      this.#isServed = true;
      const cost = cluster.lane.ready[0]?.cost ?? 1;
      if (cluster.credit < cost) {
        this.line = [...this.line.slice(1), cluster];
        this.#isServed = false;
        continue;
      }
      cluster.credit -= cost;
      this.#hand(cluster);
      this.#seat();
    }
  }

  #hand({ name, lane, ...rest }: NaiveCluster): void {
    const pending = lane.take();
    if (pending === undefined) throw new Error('nobody is at turn without a key');
    const { key, priority, since } = pending;
    const waitedMs = this.time.now - since;
    const attempt = (lane.failures[key] ?? 0) + 1;
    this.handed.push({ cluster: name, key, priority, attempt, waitedMs, isUnderWay: true, isCurrent: true });
    this.takers -= 1;
    if (rest.state === 'half-open') this.of(name).probe = this.handed.length - 1;
  }
}

/** One step, on the real queue and on the naive one. */
class Step implements fc.AsyncCommand<NaiveFair, FairBench> {
  readonly #name: string;
  readonly #act: (model: NaiveFair, real: FairBench) => unknown;

  constructor(name: string, act: (model: NaiveFair, real: FairBench) => unknown) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: NaiveFair, real: FairBench): Promise<void> {
    await this.#act(model, real);
    await flush();
    const { queue, clock, handed } = real;
    const news = model.handed.slice(model.compared).map((run) => {
      if (run === undefined) return undefined;
      const { isUnderWay, isCurrent, ...rest } = run;
      return rest;
    });
    const waiting = model.clusters.reduce((sum, { lane }) => sum + lane.waiting.length, 0);
    const hasTimer = waiting > 0 || model.clusters.some(({ until }) => until !== undefined);
    expect({
      handed: handed.slice(model.compared),
      sums: [queue.busy, queue.delayed, queue.inFlight(), clock.waiting],
      clusters: model.clusters.map(({ name }) => [name, queue.depth(name), queue.inFlight(name)]),
    }).toEqual({
      handed: news,
      sums: [model.busy, waiting, model.underWay().length, hasTimer ? 1 : 0],
      clusters: model.clusters.map(({ name, lane }) => [name, lane.ready.length, model.underWay(name).length]),
    });
    model.compared = model.handed.length;
    expect(Math.max(...CLUSTERS.map((name) => queue.inFlight(name)))).toBeLessThanOrEqual(IN_FLIGHT);
    const names = model.underWay().map(nameOf);
    expect(new Set(names).size).toBe(names.length);
  }

  toString(): string {
    return this.#name;
  }
}

const anyCluster = fc.constantFrom(...CLUSTERS);
const anyKey = fc.constantFrom('1', '2', '3', '4');
const anyPriority = fc.constantFrom(LOW_PRIORITY, 0, 0, 1);

function steps(): fc.Arbitrary<Step>[] {
  const adds = fc
    .record({
      name: anyCluster,
      key: anyKey,
      adding: fc.record({
        afterMs: fc.constantFrom(0, 0, 0, 3, 10),
        priority: anyPriority,
        cost: fc.constantFrom(1, 1, 1, 2, 5),
      }),
    })
    .map(
      ({ name, key: each, adding }) =>
        new Step(`add ${name}/${each} ${JSON.stringify(adding)}`, (model, { queue }) => {
          model.add(name, each, adding);
          queue.add(name, each, adding);
        }),
    );
  const retries = fc.tuple(anyCluster, anyKey, anyPriority).map(
    ([name, each, rank]) =>
      new Step(`retry ${name}/${each} ${rank}`, (model, { queue }) => {
        model.retry(name, each, rank);
        queue.retry(name, each, { priority: rank });
      }),
  );
  const forgets = fc.tuple(anyCluster, anyKey).map(
    ([name, each]) =>
      new Step(`forget ${name}/${each}`, (model, { queue }) => {
        model.forget(name, each);
        queue.forget(name, each);
      }),
  );
  const takes = fc.constant(
    new Step('take', (model, real) => {
      model.take();
      return real.take(1);
    }),
  );
  // Mostly what was handed out last, sometimes what was done long ago.
  const dones = fc.nat(6).map(
    (back) =>
      new Step(`done, ${back} from the end`, (model, { queue, handed }) => {
        const index = model.handed.length - 1 - back;
        const taken = handed[index];
        if (taken === undefined) return;
        expect(queue.isCurrent(taken)).toBe(model.handed[index]?.isUnderWay && model.handed[index]?.isCurrent);
        model.done(index);
        queue.done(taken);
      }),
  );
  const named = (what: 'park' | 'unpark' | 'remove' | 'failed' | 'succeeded') =>
    anyCluster.map(
      (name) =>
        new Step(`${what} ${name}`, (model, { queue }) => {
          model[what](name);
          queue[what](name);
        }),
    );
  const times = fc.integer({ min: 1, max: 12 }).map(
    (ms) =>
      new Step(`advance ${ms}`, (model, { clock }) => {
        model.advance(ms);
        return clock.advance(ms);
      }),
  );
  const close = fc.constant(
    new Step('close', (model, { queue }) => {
      model.close();
      queue.close();
    }),
  );
  const common = [adds, adds, adds, adds, takes, takes, takes, dones, dones, times, retries, named('failed')];
  const others = [forgets, named('park'), named('unpark'), named('remove'), named('succeeded'), named('failed')];
  return [...common, ...common, ...others, close];
}

describe('a fair queue beside a naive one', () => {
  it('hands out the same keys in the same order at the same times, whatever is asked of it', { timeout: 60_000 }, async () => {
    const sequences = fc.commands(steps(), { maxCommands: 80, size: 'max' });
    await fc.assert(
      fc.asyncProperty(sequences, fc.integer({ min: 1, max: 3 }), async (sequence, quantum) => {
        await fc.asyncModelRun(
          () => ({
            model: new NaiveFair(quantum),
            real: fairBench({
              quantum,
              inFlightPerCluster: IN_FLIGHT,
              retryBaseMs: BASE_MS,
              retryMaxMs: MAX_MS,
              breaker: BREAKER,
            }),
          }),
          sequence,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('loses no key, whatever was parked, held back, failed or removed before all is well again', {
    timeout: 60_000,
  }, async () => {
    const op = fc.record({
      what: fc.constantFrom(
        'add',
        'add',
        'add',
        'later',
        'take',
        'take',
        'park',
        'unpark',
        'fail',
        'answer',
        'remove',
        'advance',
      ),
      name: anyCluster,
      each: anyKey,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 80, size: 'max' }), async (ops) => {
        const { clock, queue } = fairBench({ inFlightPerCluster: IN_FLIGHT, breaker: BREAKER });
        const owed = new Set<string>();
        const workers: Promise<void>[] = [];
        const work = async (): Promise<void> => {
          const taken = await queue.take();
          if (taken === undefined) return;
          owed.delete(nameOf(taken));
          await clock.turn();
          queue.done(taken);
        };
        const act = {
          add: (name: string, each: string) => {
            owed.add(`${name}/${each}`);
            queue.add(name, each);
          },
          later: (name: string, each: string) => {
            owed.add(`${name}/${each}`);
            queue.add(name, each, { afterMs: 10 });
          },
          take: () => workers.push(work()),
          park: (name: string) => queue.park(name),
          unpark: (name: string) => queue.unpark(name),
          fail: (name: string) => queue.failed(name),
          answer: (name: string) => queue.succeeded(name),
          remove: (name: string) => {
            queue.remove(name);
            for (const each of owed) if (each.startsWith(`${name}/`)) owed.delete(each);
          },
          advance: () => clock.advance(5),
        };
        for (const { what, name, each } of ops) {
          await act[what](name, each);
          await flush();
        }
        for (const name of CLUSTERS) {
          queue.unpark(name);
          queue.succeeded(name);
        }
        for (let count = 0; count < owed.size + ops.length; count += 1) workers.push(work());
        await clock.advance(100);
        expect([...owed]).toEqual([]);
        expect([queue.busy, queue.delayed]).toEqual([0, 0]);
        queue.close();
        await Promise.all(workers);
      }),
      { numRuns: 300 },
    );
  });
});
