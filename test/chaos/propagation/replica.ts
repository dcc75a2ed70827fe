import { PropagationController } from 'clusterset/controllers/propagation';
import type { Cluster } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, fenced, Manager } from 'clusterset/runtime';
import type { Federation } from '../../unit/controllers/start.ts';
import { Life, mortalClock, mortalPort } from '../runtime/mortal.ts';

/** What a replica is made with. */
export interface ReplicaOptions {
  readonly federation: Federation;
  /** Other in each run. */
  readonly identity: string;
  readonly random: () => number;
  /** Is told of each write before it leaves, but for those of leases. */
  readonly onWrite: (replica: Replica, cluster: string) => void;
}

/** One process: a manager with an election and the propagation controller, and its own connections. */
export class Replica {
  readonly identity: string;
  readonly life = new Life();
  readonly #manager: Manager;

  constructor({ federation, identity, random, onWrite }: ReplicaOptions) {
    const { world, roster, types } = federation;
    const clock = mortalClock(world.clock, this.life);
    const connect = (name: string, tell: () => void): Cluster =>
      mortalPort(world.cluster(name).connect({ name }), this.life, tell);
    const lease = { cluster: connect('host', () => undefined), namespace: 'default', name: 'propagation', identity };
    const manager = new Manager({ clock, random, election: lease, graceMs: 5_000 });
    const port = (name: string): Cluster =>
      fenced(
        connect(name, () => onWrite(this, name)),
        manager.fence,
      );
    const members = new ClusterSet<ClusterEntry>({ source: roster, connect: ({ name }) => port(name), clock, random });
    manager
      .use(members)
      .add(new PropagationController({ host: port('host'), members, types }))
      .start();
    this.identity = identity;
    this.#manager = manager;
  }

  /** Whether it may write at this moment: also what leaves in the very moment of its death. */
  get mayWrite(): boolean {
    return this.#manager.fence.isValid();
  }

  get leads(): boolean {
    return !this.life.isOver && this.mayWrite;
  }

  /** Ends as a process that is told to. */
  async stop(): Promise<void> {
    if (!this.life.isOver) await this.#manager.stop();
  }
}
