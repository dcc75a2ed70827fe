import { type Cluster, ClustersetError } from '../kube/plain/index.ts';
import type { ClusterEntry } from '../registry/index.ts';
import type { Clock } from '../runtime/time/index.ts';
import type { RolloutOptions } from './actors/deployments.ts';
import { OfflineCluster, type OfflineClusterOptions } from './offline-cluster.ts';
import { type ClusterSnapshot, SNAPSHOT, type WorldSnapshot } from './snapshot.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What runs in one cluster of a world. */
export type ClusterContents = Pick<OfflineClusterOptions, 'nodes' | 'workloads' | 'garbageCollection' | 'rbac'>;

/** What a world is made of. */
export interface WorldOptions {
  /** The host cluster. Leave it out for a world of members. */
  readonly host?: ClusterContents;
  /** Member clusters: their names, what is known of them, and what runs there. */
  readonly members?: Readonly<Record<string, Omit<ClusterEntry, 'name'> & ClusterContents>>;
  /** Default: a clock that stands still until it is told to go on. */
  readonly clock?: Clock;
  /** Whether and how the status of Deployments pretends a rollout, where no workloads run. Default: it does. */
  readonly rollouts?: RolloutOptions | false;
  /** Default for all clusters: see {@link OfflineClusterOptions.workloads}. */
  readonly workloads?: OfflineClusterOptions['workloads'];
  /** For all clusters: see {@link OfflineClusterOptions.cel}. */
  readonly cel?: OfflineClusterOptions['cel'];
  /** What the clusters hold in the beginning, by their names; a virtual clock starts when it was taken. Default: nothing. */
  readonly from?: WorldSnapshot;
}

/** Offline clusters that share a clock. */
export class World implements AsyncDisposable {
  readonly clock: Clock;
  readonly host: OfflineCluster | undefined;
  readonly members: ReadonlyMap<string, OfflineCluster>;
  /** The members as a fleet. */
  readonly entries: readonly ClusterEntry[];

  constructor({ host, members = {}, from, clock = clockOf(from), rollouts, workloads, cel }: WorldOptions) {
    this.clock = clock;
    const shared = {
      clock,
      ...(rollouts === undefined ? {} : { rollouts }),
      ...(workloads === undefined ? {} : { workloads }),
      ...(cel === undefined ? {} : { cel }),
    };
    const split = Object.entries(members).map(([name, member]) => ({ name, ...parted(member) }));
    this.host = host === undefined ? undefined : new OfflineCluster({ name: 'host', ...shared, ...parted(host).contents });
    this.members = new Map(split.map(({ name, contents }) => [name, new OfflineCluster({ name, ...shared, ...contents })]));
    this.entries = split.map(({ name, known }) => ({ ...known, name }));
    if (from !== undefined) this.restore(from);
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

  /** Everything that the clusters have stored. */
  snapshot(): WorldSnapshot {
    const clusters = this.#clusters().map((cluster) => cluster.snapshot());
    return { ...SNAPSHOT, time: new Date(this.clock.now()).toISOString(), clusters };
  }

  /**
   * Makes the clusters of a snapshot hold what they held then: see {@link OfflineCluster.restore}. Those that are not in it stay as they are.
   *
   * @throws ClustersetError `UnknownCluster` for one that is not in this world, `Invalid` for an object of no kind that is built in or that its
   * cluster's snapshot defines; then nothing is changed.
   */
  restore({ clusters }: WorldSnapshot): void {
    const found = clusters.map((each): readonly [OfflineCluster, ClusterSnapshot] => [this.cluster(each.name), each]);
    const restores = found.map(([cluster, snapshot]) => cluster.prepareRestore(snapshot));
    for (const restore of restores) restore();
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

  /**
   * Looks for what must not be in any cluster, whoever has written to it: versions or uids that two objects share, objects without their namespace
   * or, where a garbage collector runs, without any of their owners, and histories that lead to something else than what is stored. Call it at the
   * end of a test, when everything has settled.
   *
   * @throws Error that names the objects.
   */
  verify(): void {
    const found = this.#clusters().flatMap((cluster) => cluster.violations());
    if (found.length === 0) return;
    const lines = found.map(({ cluster, object, message }) => `  ${cluster}: ${object}: ${message}`);
    throw new Error(`the world is not as a world can be:\n${lines.join('\n')}`);
  }

  #clusters(): readonly OfflineCluster[] {
    return [...(this.host === undefined ? [] : [this.host]), ...this.members.values()];
  }

  /** Lets go of all clusters. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.host?.stop();
    for (const member of this.members.values()) member.stop();
  }
}

function clockOf(from: WorldSnapshot | undefined): VirtualClock {
  return from === undefined ? new VirtualClock() : new VirtualClock(Date.parse(from.time));
}

/** What runs in a cluster, and what is known of it. */
function parted({ nodes, workloads, garbageCollection, rbac, ...known }: Omit<ClusterEntry, 'name'> & ClusterContents): {
  readonly contents: ClusterContents;
  readonly known: Omit<ClusterEntry, 'name'>;
} {
  const contents: ClusterContents = {
    ...(nodes === undefined ? {} : { nodes }),
    ...(workloads === undefined ? {} : { workloads }),
    ...(garbageCollection === undefined ? {} : { garbageCollection }),
    ...(rbac === undefined ? {} : { rbac }),
  };
  return { contents, known };
}

/**
 * Starts a world of offline clusters in this process:
 *
 * ```ts
 * await using world = await simulate({ host: {}, members: { 'eu-1': { labels: { region: 'eu' }, nodes: 3 }, 'us-1': {} } });
 * ```
 */
export async function simulate(options: WorldOptions): Promise<World> {
  return new World(options);
}
