import type { AnyObject, Cluster, ErrorCode } from 'clusterset/kube';
import { hasCode } from 'clusterset/kube';
import type { Cancel, Clock, Fence } from 'clusterset/runtime';
import { Elector, type ElectorOptions, fenced } from 'clusterset/runtime';
import type { OfflineCluster, World } from 'clusterset/testing';
import { CONFIG_MAPS, typeOf } from '../fixtures.ts';

export const LEASE = typeOf('coordination.k8s.io', 'Lease');

/** The clock of one process: its timers can stall while time goes on, and what it shows can be wrong. */
export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #skew: { readonly wall: number; readonly monotonic: number };
  #stalledUntil = 0;

  constructor(clock: Clock, skew: { readonly wall?: number; readonly monotonic?: number } = {}) {
    this.#clock = clock;
    this.#skew = { wall: 0, monotonic: 0, ...skew };
  }

  /** No timer fires before so many milliseconds have passed. */
  stall(ms: number): void {
    this.#stalledUntil = this.#clock.monotonic() + ms;
  }

  now(): number {
    return this.#clock.now() + this.#skew.wall;
  }

  monotonic(): number {
    return this.#clock.monotonic() + this.#skew.monotonic;
  }

  after(ms: number, callback: () => void): Cancel {
    let cancel: Cancel = () => undefined;
    const fire = (): void => {
      const rest = this.#stalledUntil - this.#clock.monotonic();
      if (rest > 0) cancel = this.#clock.after(rest, callback);
      else callback();
    };
    cancel = this.#clock.after(ms, fire);
    return () => cancel();
  }

  turn(): Promise<void> {
    return this.#clock.turn();
  }
}

export function hostOf(world: World): OfflineCluster {
  return world.cluster('host');
}

/** One process that wants to lead, and what happened to it. */
export class Candidate {
  readonly identity: string;
  readonly clock: ProcessClock;
  readonly elector: Elector;
  readonly told: string[] = [];
  readonly failures: unknown[] = [];
  readonly #stopping = new AbortController();
  fence: Fence | undefined;
  outcome: string | undefined;
  ended: Promise<void> = Promise.resolve();

  constructor(
    world: World,
    identity: string,
    options: Partial<ElectorOptions> & { readonly skew?: { readonly wall?: number; readonly monotonic?: number } } = {},
  ) {
    this.identity = identity;
    this.clock = new ProcessClock(world.clock, options.skew);
    const say = (what: string): void => void this.told.push(`${world.clock.monotonic()} ${what}`);
    this.elector = new Elector({
      cluster: hostOf(world).connect({ fieldManager: identity }),
      namespace: 'default',
      name: 'work',
      identity,
      clock: this.clock,
      random: () => 0,
      onError: (error) => void this.failures.push(error),
      onLeader: (leader) => say(`sees ${leader === '' ? 'nobody' : leader}`),
      onStopped: () => say('stopped'),
      ...options,
      onStarted: (fence) => {
        say(`leads ${fence.epoch}`);
        this.fence = fence;
        fence.signal.addEventListener('abort', () => say('fence over'));
        return options.onStarted?.(fence);
      },
    });
  }

  start(): this {
    this.ended = this.elector.run(this.#stopping.signal).then(
      (outcome) => {
        this.outcome = outcome;
      },
      (error: unknown) => {
        this.outcome = `failed: ${String(error)}`;
      },
    );
    return this;
  }

  stop(): void {
    this.#stopping.abort();
  }
}

/** What one client asked of the host, with times since the start of the world. */
export function asked(world: World, client: string, start: number): readonly string[] {
  return hostOf(world)
    .requests.all({ clients: [client] })
    .map(({ at, verb, code }) => `${at - start} ${verb} ${code}`);
}

export async function lease(world: World, name = 'work'): Promise<Record<string, unknown> | undefined> {
  const found = await hostOf(world).connect({ fieldManager: 'test' }).get<AnyObject>(LEASE, { namespace: 'default', name });
  return found?.spec as Record<string, unknown> | undefined;
}

/** Writes to a cluster all the time, as long as the fence lets it: as somebody would who never looks at its signal. */
export async function writeOn(
  cluster: Cluster,
  fence: Fence,
  {
    clock,
    everyMs,
    as,
    until,
  }: { readonly clock: Clock; readonly everyMs: number; readonly as: string; readonly until: AbortSignal },
): Promise<ErrorCode | 'stopped'> {
  const behind = fenced(cluster, fence);
  for (let count = 1; !until.aborted; count += 1) {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: 'work' },
      data: { [as]: String(count) },
    };
    try {
      await behind.apply(CONFIG_MAPS, object, { fieldManager: as, force: true });
    } catch (error) {
      if (hasCode(error, 'Fenced')) return 'Fenced';
    }
    await new Promise<void>((resolve) => void clock.after(everyMs, resolve));
  }
  return 'stopped';
}

/** One who has written, from the first to the last time. */
export interface Writing {
  readonly writer: string;
  readonly from: number;
  readonly to: number;
}

/** Who has written to a cluster, by its log. */
export function writings(cluster: OfflineCluster): readonly Writing[] {
  const found = new Map<string, Writing>();
  for (const { client, at } of cluster.requests.changes({ resources: ['configmaps'] })) {
    const before = found.get(client);
    found.set(client, { writer: client, from: before?.from ?? at, to: at });
  }
  return [...found.values()];
}

/** Two whose times overlap, in words; empty where there are none. A writer is one term of one process. */
export function overlaps(all: readonly Writing[]): readonly string[] {
  let last: Writing | undefined;
  const found: string[] = [];
  for (const one of all.toSorted((a, b) => a.from - b.from)) {
    if (last !== undefined && last.to >= one.from) found.push(`${last.writer} until ${last.to}, ${one.writer} from ${one.from}`);
    if (last === undefined || one.to > last.to) last = one;
  }
  return found;
}
