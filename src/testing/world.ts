import { type Cluster, ClustersetError } from '../kube/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { RolloutOptions } from './actors/deployments.ts';
import { OfflineCluster } from './offline-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What a world is made of. */
export interface WorldOptions {
  /** The host cluster. Leave it out for a world of members. */
  readonly host?: Record<string, never>;
  /** Member clusters: their names, and what is known of them. */
  readonly members?: Readonly<Record<string, Omit<ClusterEntry, 'name'>>>;
  /** Default: a clock that stands still until it is told to go on. */
  readonly clock?: Clock;
  readonly rollouts?: RolloutOptions | false;
}

/** Offline clusters that share a clock. */
export class World implements AsyncDisposable {
  readonly clock: Clock;
  readonly host: OfflineCluster | undefined;
  readonly members: ReadonlyMap<string, OfflineCluster>;
  /** The members as a fleet. */
  readonly entries: readonly ClusterEntry[];

  constructor({ host, members = {}, clock = new VirtualClock(), rollouts }: WorldOptions) {
    this.clock = clock;
    const shared = { clock, ...(rollouts === undefined ? {} : { rollouts }) };
    this.host = host === undefined ? undefined : new OfflineCluster({ name: 'host', ...shared });
    this.members = new Map(Object.keys(members).map((name) => [name, new OfflineCluster({ name, ...shared })]));
    this.entries = Object.entries(members).map(([name, entry]) => ({ ...entry, name }));
  }

  /** A cluster by its name; `host` is the host. @throws ClustersetError `UnknownCluster`. */
  cluster(name: string): OfflineCluster {
    const found = this.members.get(name) ?? (name === 'host' ? this.host : undefined);
    if (found !== undefined) return found;
    throw new ClustersetError({
      code: 'UnknownCluster',
      message: `there is no cluster "${name}" in this world`,
      mend: `it has ${[...(this.host === undefined ? [] : ['host']), ...this.members.keys()].join(', ')}`,
    });
  }

  /** A cluster behind the port. */
  connect(entry: string | { readonly name: string }): Cluster {
    return this.cluster(typeof entry === 'string' ? entry : entry.name).connect();
  }

  /** Refuses all connections to a cluster, and breaks those that are open, until the result is disposed of. */
  partition(name: string): Disposable {
    return this.cluster(name).network.cut();
  }

  /** Lets virtual time pass: a number of milliseconds, or text such as `5m`. */
  async advance(duration: number | string): Promise<void> {
    if (!(this.clock instanceof VirtualClock)) throw new TypeError('only a world with a virtual clock can be told to advance');
    await this.clock.advance(duration);
  }

  /** Lets everything run that needs no time to pass. */
  async settle(): Promise<void> {
    if (this.clock instanceof VirtualClock) await this.clock.settle();
  }

  /** Lets go of all clusters. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.host?.stop();
    for (const member of this.members.values()) member.stop();
  }
}

/**
 * Starts a world of offline clusters in this process:
 *
 * ```ts
 * await using world = await simulate({ host: {}, members: { 'eu-1': { labels: { region: 'eu' } }, 'us-1': {} } });
 * ```
 */
export async function simulate(options: WorldOptions): Promise<World> {
  return new World(options);
}
