import { hasCode } from 'clusterset/kube';
import type { Fence } from 'clusterset/runtime';
import { fenced, Shards, type ShardsOptions } from 'clusterset/runtime';
import { type OfflineCluster, simulate, type World } from 'clusterset/testing';
import { CONFIG_MAPS } from '../fixtures.ts';
import { ProcessClock, type Writing } from './fixtures.ts';

const WRITTEN = { namespace: 'default', name: 'written' };

/** A host, and clusters with something that can be written to. */
export async function worldOf(clusters: readonly string[]): Promise<World> {
  const world = await simulate({ host: {}, members: Object.fromEntries(clusters.map((name) => [name, {}])) });
  for (const name of clusters) {
    const { requests } = world.cluster(name);
    await world.connect(name).create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: WRITTEN });
    requests.clear();
  }
  return world;
}

/** One run of a replica, which writes to all clusters that it may write to, all the time. */
export class Replica {
  readonly identity: string;
  readonly clock: ProcessClock;
  readonly shards: Shards;
  readonly failures: unknown[] = [];
  readonly #world: World;
  readonly #clusters: readonly string[];
  readonly #stopping = new AbortController();
  readonly #killed = new AbortController();
  readonly #client: string;
  ended: Promise<void> = Promise.resolve();

  constructor(
    world: World,
    identity: string,
    clusters: readonly string[],
    options: Partial<ShardsOptions> & { readonly random?: () => number; readonly run?: number } = {},
  ) {
    const { run = 1, ...rest } = options;
    this.identity = identity;
    this.clock = new ProcessClock(world.clock, { wall: run * 1234, monotonic: run * 1e6 });
    this.#client = `${identity}.${run}`;
    this.#world = world;
    this.#clusters = clusters;
    this.shards = new Shards({
      cluster: world.cluster('host').connect({ fieldManager: this.#client }),
      group: 'fleet',
      namespace: 'default',
      identity,
      clock: this.clock,
      random: () => 0.25,
      onError: (error) => void this.failures.push(error),
      ...rest,
    });
  }

  /** How the host's log and its faults call this run. */
  get client(): string {
    return this.#client;
  }

  start(): this {
    this.ended = this.shards.run(this.#stopping.signal);
    return this;
  }

  /** The clusters for which it may act. */
  get owned(): readonly string[] {
    return this.#clusters.filter((name) => this.shards.owns(name)?.isValid() === true);
  }

  /** A clean stop. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Its calls never come back, and it does nothing any more. */
  kill(): void {
    this.#killed.abort();
    this.#world.cluster('host').network.hang({ clients: [this.#client] });
  }

  /** Writes to each cluster that it has; a writer is one term of one run at one cluster. */
  write(everyMs: number): void {
    const numbers = new Map<Fence, number>();
    let count = 0;
    const round = (): void => {
      if (this.#killed.signal.aborted) return;
      for (const name of this.#clusters) {
        const fence = this.shards.owns(name);
        if (fence === undefined) continue;
        const term = numbers.get(fence) ?? numbers.size + 1;
        numbers.set(fence, term);
        count += 1;
        const body = { data: { count: `${this.#client} ${count}` } };
        void fenced(this.#world.cluster(name).connect(), fence)
          .patch(CONFIG_MAPS, WRITTEN, { type: 'merge', body }, { fieldManager: `${this.#client}/${term}` })
          .catch((error: unknown) => {
            if (!hasCode(error, 'Fenced')) this.failures.push(error);
          });
      }
      if (!this.#stopping.signal.aborted) this.#world.clock.after(everyMs, round);
    };
    round();
  }
}

/** Who has written to a cluster, by the log, and from when to when. */
export function terms(cluster: OfflineCluster): readonly Writing[] {
  const found = new Map<string, Writing>();
  for (const { client, at } of cluster.requests.changes({ resources: ['configmaps'] })) {
    const before = found.get(client);
    found.set(client, { writer: client, from: before?.from ?? at, to: at });
  }
  return [...found.values()];
}

/** For each cluster how many of the replicas may act for it. */
export function owners(replicas: readonly Replica[], clusters: readonly string[]): readonly number[] {
  return clusters.map((name) => replicas.filter(({ shards }) => shards.owns(name)?.isValid() === true).length);
}
