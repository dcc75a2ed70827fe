import type { Cluster, ClusterSource } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, fenced, Manager, Shards, shardedSource } from 'clusterset/runtime';
import type { World } from 'clusterset/testing';
import { mirror } from '../../../examples/mirror/mirror.ts';
import { Life, mortalClock, mortalPort } from './mortal.ts';

/** How several replicas get along: one leads, or they share the clusters. */
export type Mode = 'election' | 'shards';

/** What a replica is made with. */
export interface ReplicaOptions {
  readonly world: World;
  readonly mode: Mode;
  /** Other in each run. */
  readonly identity: string;
  readonly source: ClusterSource<ClusterEntry>;
  readonly random: () => number;
  /** Is told of each write to a member before it leaves. */
  readonly onWrite: (replica: Replica, cluster: string) => void;
}

/** One process: a manager with the mirror of examples/mirror, and its own connections. */
export class Replica {
  readonly identity: string;
  readonly life = new Life();
  readonly #manager: Manager;
  readonly #shards: Shards | undefined;

  constructor({ world, mode, identity, source, random, onWrite }: ReplicaOptions) {
    this.identity = identity;
    const clock = mortalClock(world.clock, this.life);
    const port = (cluster: string, tell: () => void): Cluster =>
      mortalPort(world.cluster(cluster).connect({ name: cluster, fieldManager: identity }), this.life, tell);
    const host = port('host', () => undefined);
    const lease = { cluster: host, namespace: 'default', identity };
    const timing = { clock, random };
    const election = mode === 'election' ? { election: { ...lease, name: 'mirror' } } : {};
    this.#manager = new Manager({ ...timing, ...election, graceMs: 5_000 });
    this.#shards = mode === 'shards' ? new Shards({ ...lease, ...timing, group: 'mirror' }) : undefined;
    const shards = this.#shards;
    const members = new ClusterSet<ClusterEntry>({
      source: shards === undefined ? source : shardedSource(source, shards),
      connect: ({ name }) =>
        fenced(
          port(name, () => onWrite(this, name)),
          shards?.fence(name) ?? this.#manager.fence,
        ),
      clock,
      random,
      probe: { intervalMs: 10_000 },
    });
    this.#manager.use(members).add(mirror(host, members));
    if (shards !== undefined) this.#manager.add({ name: 'shards', run: (_, signal) => shards.run(signal) });
    this.#manager.start();
  }

  /** Whether it may write to a cluster at this moment. One that is dead, or stands still, can't; nor must it be asked: it would have to do something. */
  mayWrite(cluster: string): boolean {
    if (!this.life.isRunning) return false;
    return this.#shards === undefined ? this.#manager.fence.isValid() : this.#shards.owns(cluster)?.isValid() === true;
  }

  /** Ends as a process that is told to. */
  async stop(): Promise<void> {
    if (!this.life.isOver) await this.#manager.stop();
  }
}
