import { type AnyObject, type ClusterSource, resourceType } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { newestValues } from 'clusterset/runtime';
import { type OfflineCluster, simulate, VirtualClock, type World } from 'clusterset/testing';
import { expect } from 'vitest';
import { fault } from './fault.ts';
import { type Mode, Replica } from './replica.ts';
import { type Event, MEMBERS, NAMES, REPLICAS } from './story.ts';

const CONFIG_MAPS = resourceType('v1', 'ConfigMap', 'configmaps');
const ORIGINAL = 'mirror.example.dev/original';
const COPY = 'mirror.example.dev/copy';
/** Healthy members have what the host says after so much virtual time, whatever the others do. */
const PROMPT = '10s';

/** Who is a member, and whoever wants to know. */
class Roster implements ClusterSource<ClusterEntry> {
  readonly names = new Set<string>(MEMBERS);
  readonly #listeners = new Set<() => void>();

  change(name: string, isMember: boolean): void {
    if (isMember) this.names.add(name);
    else this.names.delete(name);
    for (const listener of this.#listeners) listener();
  }

  watch(signal: AbortSignal): AsyncIterable<readonly ClusterEntry[]> {
    return newestValues<readonly ClusterEntry[]>(async (say, stopping) => {
      const tell = (): void => say([...this.names].sort().map((name) => ({ name })));
      this.#listeners.add(tell);
      tell();
      await new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }));
      this.#listeners.delete(tell);
    }, signal);
  }
}

/** A world in which a story is told. */
export class Teller {
  readonly #world: World;
  readonly #mode: Mode;
  readonly #roster = new Roster();
  readonly #random: () => number;
  readonly #replicas = new Map<number, Replica>();
  readonly #everyone: Replica[] = [];
  readonly #broken = new Map<string, Disposable>();
  /** Writes of those who had no right to. */
  readonly #trespasses: string[] = [];

  private constructor(world: World, mode: Mode, random: () => number) {
    this.#world = world;
    this.#mode = mode;
    this.#random = random;
  }

  /** Tells a story and checks its end. */
  static async tell(events: readonly Event[], mode: Mode, random: () => number): Promise<void> {
    const members = Object.fromEntries(MEMBERS.map((name) => [name, {}]));
    const world = await simulate({ host: {}, members, clock: new VirtualClock() });
    const teller = new Teller(world, mode, random);
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
      await world[Symbol.asyncDispose]();
    }
  }

  async #end(): Promise<void> {
    this.#mend('host');
    // Nobody dies any more: who was about to has done so.
    for (const { life } of this.#everyone) if (life.isDoomed) life.endAfter(0);
    for (const index of REPLICAS) this.#start(index);
    // A watch that went silent is given up after two and a half minutes.
    await this.#world.advance('4m');
    await this.#expectPrompt();
    this.#mendAll();
    await this.#world.advance('3m');
    this.#expectRendered();
    for (const name of ['host', ...MEMBERS]) this.#cluster(name).requests.clear();
    await this.#world.advance('2m');
    // Where somebody else has an object of the name, the mirror asks now and then whether it is still there, and is refused.
    const granted = (name: string) =>
      this.#cluster(name)
        .requests.writes()
        .filter(({ code }) => code !== 409);
    for (const name of MEMBERS) expect(granted(name), `writes in ${name} when all is done`).toEqual([]);
    // A lease is renewed; nothing else is written.
    const onHost = this.#cluster('host')
      .requests.writes()
      .filter(({ resource }) => resource !== 'leases');
    expect(onHost, 'writes on the host when all is done').toEqual([]);
    expect(this.#trespasses).toEqual([]);
    this.#world.verify();
  }

  #cluster(name: string): OfflineCluster {
    return this.#world.cluster(name);
  }

  /** Somebody who is no controller, and whom no fault concerns. */
  #inside(name: string): OfflineCluster['server'] {
    return this.#cluster(name).server;
  }

  #start(index: number): void {
    const before = this.#replicas.get(index);
    if (before !== undefined && !before.life.isOver) return;
    const replica = new Replica({
      world: this.#world,
      mode: this.#mode,
      identity: `r${index}-${this.#everyone.length}`,
      source: this.#roster,
      random: this.#random,
      onWrite: (writer, cluster) => {
        const others = this.#everyone.filter((other) => other !== writer && other.mayWrite(cluster));
        if (!writer.mayWrite(cluster)) this.#trespasses.push(`${writer.identity} writes to ${cluster}, and may not`);
        for (const other of others) this.#trespasses.push(`${writer.identity} writes to ${cluster}, as ${other.identity} may`);
      },
    });
    this.#replicas.set(index, replica);
    this.#everyone.push(replica);
  }

  async #happen(event: Event): Promise<void> {
    switch (event.does) {
      case 'write':
        return this.#put('host', event.name, { data: { value: event.value }, label: ORIGINAL });
      case 'delete':
        return this.#remove('host', event.name);
      case 'squat':
        if (this.#stored(event.cluster, event.name) === undefined)
          this.#put(event.cluster, event.name, { data: { mine: 'yes' } });
        return;
      case 'edit':
        if (this.#isCopy(event.cluster, event.name))
          this.#put(event.cluster, event.name, { data: { value: 'edited' }, label: COPY });
        return;
      case 'remove':
        return this.#remove(event.cluster, event.name);
      case 'join':
      case 'leave':
        return this.#roster.change(event.cluster, event.does === 'join');
      case 'compact':
        return this.#cluster(event.cluster).compact();
      case 'break':
      case 'mend':
        this.#mend(event.cluster);
        if (event.does === 'break') this.#broken.set(event.cluster, fault(this.#cluster(event.cluster), event.how));
        return;
      case 'kill':
        return this.#replicas.get(event.replica)?.life.endAfter(event.steps);
      case 'stall':
        return this.#stall(event.replica, event.ms);
      case 'start':
        return this.#start(event.replica);
      case 'stop':
        return this.#stop(event.replica);
      case 'wait':
        return this.#world.advance(`${event.ms}ms`);
      default:
        return event satisfies never;
    }
  }

  /** A process stands still in the middle of its work, while the host says something new; then it goes on, as if no time had passed. */
  async #stall(index: number, ms: number): Promise<void> {
    const life = this.#replicas.get(index)?.life;
    this.#put('host', 'b', { data: { value: 'before' }, label: ORIGINAL });
    await this.#world.clock.turn();
    life?.stall();
    this.#put('host', 'c', { data: { value: 'meanwhile' }, label: ORIGINAL });
    await this.#world.advance(`${ms}ms`);
    life?.resume();
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
    await this.#world.advance('1m');
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

  #stored(cluster: string, name: string): AnyObject | undefined {
    const served = this.#inside(cluster).served(CONFIG_MAPS);
    return served && this.#inside(cluster).state.storage.get(served.collection, { namespace: 'default', name });
  }

  #isCopy(cluster: string, name: string): boolean {
    return this.#stored(cluster, name)?.metadata.labels?.[COPY] === 'true';
  }

  #put(cluster: string, name: string, { data, label }: { readonly data: Record<string, string>; readonly label?: string }): void {
    const server = this.#inside(cluster);
    const served = server.served(CONFIG_MAPS);
    if (served === undefined) return;
    const context = {
      fieldManager: 'somebody',
      dryRun: false,
      fieldValidation: 'Warn',
      subresource: undefined,
      warnings: [],
    } as const;
    const labels = label === undefined ? {} : { [label]: 'true' };
    const metadata = { namespace: 'default', name, labels };
    if (this.#stored(cluster, name) === undefined) {
      server.create(served, 'default', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, { ...context, warnings: [] });
    } else server.patch(served, metadata, { type: 'merge', body: { data } }, { ...context, warnings: [] });
  }

  #remove(cluster: string, name: string): void {
    const server = this.#inside(cluster);
    const served = server.served(CONFIG_MAPS);
    if (served !== undefined && this.#stored(cluster, name) !== undefined)
      server.delete(served, { namespace: 'default', name }, {});
  }

  /** Members have what the host says, worked out from scratch, and what others have made is as they made it. */
  #expectRendered(): void {
    for (const cluster of this.#roster.names) this.#expectRenderedIn(cluster);
  }

  #expectRenderedIn(cluster: string): void {
    for (const name of NAMES) {
      const [original, there] = [this.#stored('host', name), this.#stored(cluster, name)];
      const title = `${name} in ${cluster}`;
      if (there !== undefined && !this.#isCopy(cluster, name)) expect(there.data, title).toEqual({ mine: 'yes' });
      else expect(there?.data, title).toEqual(original?.data);
    }
  }

  /** What the host says now gets around in time to all that are well, whatever is the matter with the others. */
  async #expectPrompt(): Promise<void> {
    this.#put('host', 'a', { data: { value: 'at once' }, label: ORIGINAL });
    await this.#world.advance(PROMPT);
    for (const cluster of this.#roster.names) if (!this.#broken.has(cluster)) this.#expectRenderedIn(cluster);
  }
}
