import type { OfflineCluster } from 'clusterset/testing';
import { expect } from 'vitest';
import { check, checkMembers, MEMBERS, Teller as Meddler, NAMES } from '../../unit/controllers/random.ts';
import { type Federation, federatedConfigMap, newWorld } from '../../unit/controllers/start.ts';
import { fault } from '../runtime/fault.ts';
import { Replica } from './replica.ts';
import { type Event, REPLICAS } from './story.ts';

/** Healthy members have what the host says after so much virtual time, whatever the others do. */
const PROMPT = '10s';
/** After so long what was out of order is forgotten: a watch that has fallen silent is given up after 150 s, and failures wait for up to a minute. */
const RECOVERY = '5m';

/** A world in which a story is told. */
export class Teller {
  readonly #federation: Federation;
  readonly #meddler: Meddler;
  readonly #random: () => number;
  readonly #replicas = new Map<number, Replica>();
  readonly #everyone: Replica[] = [];
  /** Those who will die after so many steps. */
  readonly #doomed = new Set<Replica>();
  readonly #broken = new Map<string, Disposable>();
  /** Writes of those who had no right to. */
  readonly #trespasses: string[] = [];

  private constructor(federation: Federation, random: () => number) {
    this.#federation = federation;
    this.#meddler = new Meddler(federation);
    this.#random = random;
  }

  /** Tells a story and checks its end. */
  static async tell(events: readonly Event[], random: () => number): Promise<void> {
    const federation = await newWorld();
    const teller = new Teller(federation, random);
    try {
      for (const index of REPLICAS) teller.#start(index);
      for (const event of events) {
        await teller.#happen(event);
        expect(teller.#trespasses).toEqual([]);
      }
      await teller.#end();
    } finally {
      for (const each of teller.#everyone) each.life.endAfter(0);
      teller.#mendAll();
      await federation.world[Symbol.asyncDispose]();
    }
  }

  async #end(): Promise<void> {
    const federation = this.#federation;
    this.#mend('host');
    // Nobody dies any more after the end of the story.
    for (const each of this.#doomed) each.life.endAfter(0);
    for (const index of REPLICAS) this.#start(index);
    await federation.advance(RECOVERY);
    await this.#checkPrompt();
    this.#mendAll();
    await federation.advance(RECOVERY);
    expect(this.#everyone.filter(({ leads }) => leads)).toHaveLength(1);
    await check(federation, this.#meddler, [...NAMES, 'prompt']);
    await this.#checkQuiet();
    expect(this.#trespasses).toEqual([]);
    federation.world.verify();
  }

  /** What the host says now gets around in time to all that are well, whatever is the matter with the others. */
  async #checkPrompt(): Promise<void> {
    const federation = this.#federation;
    const healthy = MEMBERS.filter((name) => !this.#broken.has(name));
    federation.createInside('host', federation.federated('ConfigMap'), federatedConfigMap({}, { name: 'prompt' }));
    await federation.advance(PROMPT);
    await checkMembers(federation, this.#meddler, healthy, [...NAMES, 'prompt']);
  }

  /** Nothing is written any more, but for the lease. Where somebody else has an object of the name, a creation may be tried, and is refused. */
  async #checkQuiet(): Promise<void> {
    const before = this.#versions();
    for (const name of ['host', ...MEMBERS]) this.#cluster(name).requests.clear();
    await this.#federation.advance('2m');
    for (const name of ['host', ...MEMBERS]) {
      const writes = this.#cluster(name).requests.writes();
      const granted = writes.filter(({ code, resource }) => code !== 409 && resource !== 'leases');
      expect(granted, `writes in ${name} when all is done`).toEqual([]);
    }
    expect(this.#versions()).toEqual(before);
  }

  #versions(): Record<string, string> {
    const all = Object.entries(this.#federation.versions());
    return Object.fromEntries(all.filter(([name]) => !name.startsWith('host: leases')));
  }

  #cluster(name: string): OfflineCluster {
    return this.#federation.world.cluster(name);
  }

  #start(index: number): void {
    const before = this.#replicas.get(index);
    if (before !== undefined && !before.life.isOver) return;
    const replica = new Replica({
      federation: this.#federation,
      identity: `r${index}-${this.#everyone.length}`,
      random: this.#random,
      onWrite: (writer, cluster) => {
        const others = this.#everyone.filter((other) => other !== writer && other.leads);
        if (!writer.mayWrite) this.#trespasses.push(`${writer.identity} writes to ${cluster}, and does not lead`);
        for (const other of others)
          this.#trespasses.push(`${writer.identity} writes to ${cluster}, while ${other.identity} leads`);
      },
    });
    this.#replicas.set(index, replica);
    this.#everyone.push(replica);
  }

  async #happen(event: Event): Promise<void> {
    switch (event.does) {
      case 'common':
        return this.#meddler.tell(event.event);
      case 'break':
      case 'mend':
        this.#mend(event.cluster);
        if (event.does === 'break') this.#broken.set(event.cluster, fault(this.#cluster(event.cluster), event.how));
        return;
      case 'kill':
        return this.#kill(event.replica, event.steps);
      case 'start':
        return this.#start(event.replica);
      case 'stop':
        return this.#stop(event.replica);
      default:
        return event satisfies never;
    }
  }

  #kill(index: number, steps: number): void {
    const replica = this.#replicas.get(index);
    if (replica === undefined) return;
    replica.life.endAfter(steps);
    this.#doomed.add(replica);
  }

  async #stop(index: number): Promise<void> {
    const replica = this.#replicas.get(index);
    if (replica === undefined || replica.life.isOver) return;
    this.#replicas.delete(index);
    let isStopped = false;
    void replica.stop().then(() => {
      isStopped = true;
    });
    // A graceful end takes its time of grace and the closing of connections, and no longer.
    await this.#federation.advance('1m');
    expect(isStopped || replica.life.isOver, `${replica.identity} has ended`).toBe(true);
    replica.life.endAfter(0);
  }

  #mend(cluster: string): void {
    this.#broken.get(cluster)?.[Symbol.dispose]();
    this.#broken.delete(cluster);
  }

  #mendAll(): void {
    for (const cluster of [...this.#broken.keys()]) this.#mend(cluster);
  }
}
