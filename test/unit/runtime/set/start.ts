import { type Cluster, type ClusterSource, ClustersetError } from 'clusterset/kube';
import { ClusterSet, type ClusterSetOptions, type Member } from 'clusterset/runtime';
import { VirtualClock } from 'clusterset/testing';
import { afterEach, expect } from 'vitest';
import { failed, forever, handMade } from '../fixtures.ts';

export interface Entry {
  readonly name: string;
  readonly server?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export type Answer = 'ok' | 'bad' | 'unauthorized' | 'forbidden' | 'busy' | 'gateway' | 'refused' | 'broken' | 'silent' | 'deaf';

/** A cluster that answers as it is told, and remembers what it was asked. */
export class Fake {
  readonly entry: Entry;
  readonly cluster: Cluster;
  answer: Answer = 'ok';
  /** What `close` waits for. */
  closing: Promise<void> = Promise.resolve();
  closed = 0;
  readonly probes: number[] = [];
  readonly signals: AbortSignal[] = [];

  constructor(entry: Entry, clock: VirtualClock) {
    this.entry = entry;
    this.cluster = handMade(
      {
        ready: (signal) => {
          this.probes.push(clock.monotonic());
          this.signals.push(signal);
          return this.#ready(signal);
        },
        close: () => {
          this.closed += 1;
          return this.closing;
        },
      },
      entry.name,
    );
  }

  async #ready(signal: AbortSignal): Promise<boolean> {
    switch (this.answer) {
      case 'ok':
        return true;
      case 'bad':
        return false;
      case 'refused':
        throw failed('Unreachable', 'the connection was refused');
      case 'unauthorized':
        throw failed('Unauthorized', 'the token has ended');
      case 'forbidden':
        throw failed('Forbidden', 'user may not get /readyz');
      case 'busy':
        throw new ClustersetError({ code: 'TooManyRequests', message: 'too many requests', status: 429 });
      case 'gateway':
        throw new ClustersetError({ code: 'Timeout', message: 'the gateway waited for too long', status: 504 });
      case 'broken':
        throw new TypeError('not one of our errors');
      case 'silent':
        return forever(signal);
      case 'deaf':
        return held(true).promise;
    }
  }
}

/** A source that says what the test says. */
export class Told implements ClusterSource<Entry> {
  #next = Promise.withResolvers<readonly Entry[]>();
  #latest: readonly Entry[] | undefined;
  watching: AbortSignal | undefined;

  constructor(...first: readonly Entry[][]) {
    for (const entries of first) this.say(...entries);
  }

  say(...entries: readonly Entry[]): void {
    this.#latest = entries;
    this.#next.resolve(entries);
  }

  fail(error: Error): void {
    this.#next.promise.catch(() => undefined);
    this.#next.reject(error);
  }

  /** Ends a failure. */
  mend(): void {
    this.#next = Promise.withResolvers();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly Entry[]> {
    this.watching = signal;
    const stopped = forever(signal).catch(() => undefined);
    for (;;) {
      const next = await Promise.race([this.#next.promise, stopped]);
      if (next === undefined) return;
      this.#next = Promise.withResolvers();
      yield this.#latest ?? next;
    }
  }
}

export interface Running {
  readonly clock: VirtualClock;
  readonly source: Told;
  readonly set: ClusterSet<Entry>;
  /** Every connection that was made. */
  readonly fakes: Fake[];
  readonly errors: string[];
  /** What the set has told since this was asked last: of all members, or of one. */
  news(name?: string): string[];
  /** The newest connection of a member. */
  fake(name: string): Fake;
  member(name: string): Member<Entry>;
}

const begun: Running[] = [];
/** What is called before the sets of a test are stopped. */
export const cleanUps: (() => void)[] = [];

export function prepare(entries: readonly Entry[], options: Partial<ClusterSetOptions<Entry>> = {}): Running {
  const clock = options.clock instanceof VirtualClock ? options.clock : new VirtualClock();
  const source = new Told([...entries]);
  const fakes: Fake[] = [];
  const errors: string[] = [];
  const told: { readonly name: string; readonly text: string }[] = [];
  const set = new ClusterSet<Entry>({
    source,
    clock,
    connect: (entry) => {
      const fake = new Fake(entry, clock);
      fakes.push(fake);
      return fake.cluster;
    },
    onError: (name, error) => errors.push(`${name}: ${(error as Error).message}`),
    ...options,
  });
  set.listen(({ type, member: { name, state, cluster } }) => {
    told.push({ name, text: `${type} ${name} ${cluster === undefined ? 'unconnected' : state}` });
  });
  const self: Running = {
    clock,
    source,
    set,
    fakes,
    errors,
    news: (name) =>
      told
        .splice(0)
        .filter((event) => name === undefined || event.name === name)
        .map(({ text }) => text),
    fake(name) {
      const found = fakes.findLast(({ entry }) => entry.name === name);
      if (found === undefined) throw new TypeError(`nobody has connected to ${name}`);
      return found;
    },
    member(name) {
      const found = set.get(name);
      if (found === undefined) throw new TypeError(`${name} is no member`);
      return found;
    },
  };
  begun.push(self);
  return self;
}

export async function start(entries: readonly Entry[], options: Partial<ClusterSetOptions<Entry>> = {}): Promise<Running> {
  const self = prepare(entries, options);
  await self.set.start();
  await self.clock.settle();
  return self;
}

export const named = (...names: readonly string[]): Entry[] => names.map((name) => ({ name }));

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
  for (const { set, clock } of begun.splice(0)) {
    await set.stop();
    expect(clock.waiting).toBe(0);
  }
});

/** A promise that the clean-up resolves at the latest. */
export function held(): { readonly promise: Promise<undefined>; readonly release: () => void };
export function held<T>(value: T): { readonly promise: Promise<T>; readonly release: () => void };
export function held<T>(value?: T): { readonly promise: Promise<T | undefined>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<T | undefined>();
  const release = (): void => resolve(value);
  cleanUps.push(release);
  return { promise, release };
}
