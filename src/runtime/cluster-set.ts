import { type Cluster, type ClusterSource, isAborted } from '../kube/index.ts';
import { type Clock, sleep } from './clock.ts';
import { type Health, type HealthThresholds, healthAfter } from './health.ts';

/** How a member is doing. */
export type MemberState = 'joining' | 'ready' | 'unreachable';

/** A cluster of a {@link ClusterSet}. The same object for as long as the cluster is connected in the same way. */
export interface Member<Entry> {
  readonly name: string;
  readonly cluster: Cluster;
  /** What the source says of it now. */
  readonly entry: Entry;
  readonly state: MemberState;
  /** Why it isn't ready, in words; empty where it is. */
  readonly reason: string;
  /** Fires when the member leaves the set, or the set is stopped. */
  readonly signal: AbortSignal;
}

/** A change in a set. */
export interface SetEvent<Entry> {
  readonly type: 'joined' | 'changed' | 'left';
  readonly member: Member<Entry>;
}

/** What a {@link ClusterSet} is made with. */
export interface ClusterSetOptions<Entry extends { readonly name: string }> {
  readonly source: ClusterSource<Entry>;
  /** Connects to a cluster; nothing needs to be sent yet. */
  readonly connect: (entry: Entry) => Cluster | Promise<Cluster>;
  readonly clock: Clock;
  /** What of an entry decides how a cluster is reached: where it changes, the connection is made anew. Default: nothing. */
  readonly connectionOf?: (entry: Entry) => string;
  /** How often, and how patiently, members are asked how they are. Default: every 10 s, 3 s for an answer. */
  readonly probe?: { readonly intervalMs?: number; readonly timeoutMs?: number } & Partial<HealthThresholds>;
  readonly onError?: (name: string, error: unknown) => void;
}

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 3_000;

interface Slot<Entry> {
  readonly name: string;
  readonly controller: AbortController;
  readonly connection: string;
  member: MutableMember<Entry>;
  health: Health | undefined;
}

type MutableMember<Entry> = { -readonly [Field in keyof Member<Entry>]: Member<Entry>[Field] };

/**
 * The clusters that a source names, connected and asked how they are. Clusters join, leave and change while it runs; none waits for another.
 */
export class ClusterSet<Entry extends { readonly name: string }> {
  readonly #options: ClusterSetOptions<Entry>;
  readonly #thresholds: HealthThresholds;
  readonly #slots = new Map<string, Slot<Entry>>();
  readonly #listeners = new Set<(event: SetEvent<Entry>) => void>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #announced: (() => void)[] = [];
  #started = false;

  constructor(options: ClusterSetOptions<Entry>) {
    this.#options = options;
    this.#thresholds = { successes: options.probe?.successes ?? 1, failures: options.probe?.failures ?? 3 };
  }

  /** The members, by name. */
  get members(): ReadonlyMap<string, Member<Entry>> {
    return new Map([...this.#slots].map(([name, { member }]) => [name, member]));
  }

  get(name: string): Member<Entry> | undefined {
    return this.#slots.get(name)?.member;
  }

  /** Starts following the source. Resolves when its first membership is known; connecting goes on in the background. */
  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const known = new Promise<void>((resolve) => {
      this.#announced.push(resolve);
    });
    this.#run(this.#follow());
    await known;
  }

  /** Calls back for every member that is there, and on every change from now on. */
  listen(listener: (event: SetEvent<Entry>) => void): () => void {
    this.#listeners.add(listener);
    for (const { member } of this.#slots.values()) listener({ type: 'joined', member });
    return () => this.#listeners.delete(listener);
  }

  /** Leaves all clusters and closes their connections. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const name of [...this.#slots.keys()]) await this.#release(name);
    await Promise.allSettled(this.#running);
  }

  #run(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #follow(): Promise<void> {
    const { source } = this.#options;
    for await (const entries of source.watch(this.#stopping.signal)) {
      await this.#become(entries);
      for (const resolve of this.#announced.splice(0)) resolve();
    }
  }

  async #become(entries: readonly Entry[]): Promise<void> {
    const wanted = new Map(entries.map((entry) => [entry.name, entry]));
    for (const name of [...this.#slots.keys()]) if (!wanted.has(name)) await this.#release(name);
    for (const entry of wanted.values()) await this.#engage(entry);
  }

  async #engage(entry: Entry): Promise<void> {
    const connection = this.#options.connectionOf?.(entry) ?? '';
    const slot = this.#slots.get(entry.name);
    if (slot?.connection === connection) {
      if (slot.member.entry !== entry) this.#change(slot, { entry });
      return;
    }
    if (slot !== undefined) await this.#release(entry.name);
    try {
      const cluster = await this.#options.connect(entry);
      const controller = new AbortController();
      const member: MutableMember<Entry> = {
        name: entry.name,
        cluster,
        entry,
        state: 'joining',
        reason: 'it has not been asked yet',
        signal: controller.signal,
      };
      const joined: Slot<Entry> = { name: entry.name, controller, connection, member, health: undefined };
      this.#slots.set(entry.name, joined);
      this.#tell({ type: 'joined', member });
      this.#run(this.#probe(joined));
    } catch (error) {
      this.#options.onError?.(entry.name, error);
    }
  }

  async #release(name: string): Promise<void> {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    this.#slots.delete(name);
    slot.controller.abort();
    this.#tell({ type: 'left', member: slot.member });
    await slot.member.cluster.close().catch((error: unknown) => this.#options.onError?.(name, error));
  }

  /** Asks one member again and again. */
  async #probe(slot: Slot<Entry>): Promise<void> {
    const { clock, probe } = this.#options;
    const { signal } = slot.controller;
    while (!signal.aborted) {
      const reason = await this.#ask(slot);
      if (signal.aborted) return;
      this.#judge(slot, reason);
      await sleep(clock, probe?.intervalMs ?? INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** Why the member isn't ready; empty where it is. */
  async #ask({ member, controller }: Slot<Entry>): Promise<string> {
    const { clock, probe } = this.#options;
    const timeoutMs = probe?.timeoutMs ?? TIMEOUT_MS;
    const patience = new AbortController();
    const cancel = clock.after(timeoutMs, () => patience.abort());
    try {
      const ready = await member.cluster.ready({ signal: AbortSignal.any([patience.signal, controller.signal]) });
      return ready ? '' : 'its /readyz does not say ok';
    } catch (error) {
      if (isAborted(error)) return `no answer within ${timeoutMs} ms`;
      return error instanceof Error ? error.message.replace(`cluster ${member.name}: `, '') : String(error);
    } finally {
      cancel();
    }
  }

  #judge(slot: Slot<Entry>, reason: string): void {
    slot.health = healthAfter(slot.health, reason === '', this.#thresholds);
    const state: MemberState = slot.health.ready ? 'ready' : 'unreachable';
    if (slot.member.state === state) return;
    this.#change(slot, { state, reason: slot.health.ready ? '' : reason });
  }

  #change(slot: Slot<Entry>, change: Partial<Member<Entry>>): void {
    slot.member = { ...slot.member, ...change };
    this.#tell({ type: 'changed', member: slot.member });
  }

  #tell(event: SetEvent<Entry>): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** A source that never changes. */
export function staticSource<Entry extends { readonly name: string }>(entries: readonly Entry[]): ClusterSource<Entry> {
  return {
    async *watch(signal) {
      yield entries;
      await new Promise<void>((resolve) => {
        const stop = signal as globalThis.AbortSignal;
        if (stop.aborted) resolve();
        else stop.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
