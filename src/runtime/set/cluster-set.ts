import {
  type Cluster,
  type ClusterSource,
  deepEqual,
  type Health,
  type HealthThresholds,
  healthAfter,
  type Json,
} from '../../kube/plain/index.ts';
import { type Clock, sleep, systemClock } from '../clock.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** How a member is doing: `joining` until it has been asked for the first time. */
export type MemberState = 'joining' | 'ready' | 'unreachable';

/** A cluster of a {@link ClusterSet}, as of one moment. */
export interface Member<Entry> {
  readonly name: string;
  /** `undefined` until there is a connection; then the same for as long as the member is in the set. */
  readonly cluster: Cluster | undefined;
  /** What the source says of it now. */
  readonly entry: Entry;
  readonly state: MemberState;
  /** Why it isn't ready, in words; empty where it is. */
  readonly reason: string;
  /** Fires when the member leaves the set, or the set is stopped. */
  readonly signal: AbortSignal;
}

/** A change in a set. A member whose connection is made anew leaves and joins. */
export interface SetEvent<Entry> {
  readonly type: 'joined' | 'changed' | 'left';
  readonly member: Member<Entry>;
}

/** What a {@link ClusterSet} is made with. */
export interface ClusterSetOptions<Entry extends { readonly name: string }> {
  readonly source: ClusterSource<Entry>;
  /** Connects to a cluster; nothing needs to be sent yet. Is tried again where it fails. */
  readonly connect: (entry: Entry) => Cluster | Promise<Cluster>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** What of an entry decides how a cluster is reached: where it changes, the connection is made anew. Default: nothing. */
  readonly connectionOf?: (entry: Entry) => string;
  /** How often, and how patiently, members are asked how they are. Default: every 10 s, 3 s for an answer. */
  readonly probe?: { readonly intervalMs?: number; readonly timeoutMs?: number } & Partial<HealthThresholds>;
  /** Is told what goes wrong with a member, or with the source: then the name is empty. */
  readonly onError?: (name: string, error: unknown) => void;
}

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 3_000;
/** A connection that takes longer counts as failed for now; it may still come. */
const CONNECT_PATIENCE_MS = 10_000;
/** A connection that takes longer to close is left to itself. */
const CLOSE_PATIENCE_MS = 10_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

interface Slot<Entry> {
  readonly controller: AbortController;
  readonly connection: string;
  member: Member<Entry>;
}

/**
 * The clusters that a source names, connected and asked how they are. Clusters join, leave and change while it runs; none waits for another,
 * and one that can't be connected is a member too: it is unreachable, and the reason says why.
 */
export class ClusterSet<Entry extends { readonly name: string }> {
  readonly #options: ClusterSetOptions<Entry> & { readonly clock: Clock };
  readonly #thresholds: HealthThresholds;
  readonly #slots = new Map<string, Slot<Entry>>();
  readonly #listeners = new Set<(event: SetEvent<Entry>) => void>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #known: Promise<void> | undefined;

  constructor(options: ClusterSetOptions<Entry>) {
    this.#options = { ...options, clock: options.clock ?? systemClock };
    this.#thresholds = { successes: options.probe?.successes ?? 1, failures: options.probe?.failures ?? 3 };
  }

  /** The members, by name. */
  get members(): ReadonlyMap<string, Member<Entry>> {
    return new Map([...this.#slots].map(([name, { member }]) => [name, member]));
  }

  /** A member by its name, as it is now. */
  get(name: string): Member<Entry> | undefined {
    return this.#slots.get(name)?.member;
  }

  /**
   * Starts following the source, unless that was done before. Resolves when the first membership is known, or the set is stopped; connecting
   * goes on in the background.
   */
  start(): Promise<void> {
    this.#known ??= new Promise((resolve) => {
      if (this.#stopping.signal.aborted) {
        resolve();
        return;
      }
      this.#stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#run('', this.#follow(resolve));
    });
    return this.#known;
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
    for (const name of [...this.#slots.keys()]) this.#release(name);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Goes on in the background; what goes wrong is told. */
  #run(name: string, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#options.onError?.(name, error))
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #follow(onKnown: () => void): Promise<void> {
    const { source, clock } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const entries of source.watch(signal)) {
          if (signal.aborted) return;
          failures = 0;
          this.#become(entries);
          onKnown();
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onError?.('', error);
        await pause(clock, failures, signal);
      }
    }
  }

  #become(entries: readonly Entry[]): void {
    const wanted = new Map(entries.map((entry) => [entry.name, entry]));
    for (const name of [...this.#slots.keys()]) if (!wanted.has(name)) this.#release(name);
    for (const entry of wanted.values()) this.#engage(entry);
  }

  #engage(entry: Entry): void {
    const connection = this.#options.connectionOf?.(entry) ?? '';
    const before = this.#slots.get(entry.name);
    if (before?.connection === connection) {
      if (!isSame(before.member.entry, entry)) this.#change(before, { entry });
      return;
    }
    if (before !== undefined) this.#release(entry.name);
    const controller = new AbortController();
    const member: Member<Entry> = {
      name: entry.name,
      cluster: undefined,
      entry,
      state: 'joining',
      reason: 'it has not been asked yet',
      signal: controller.signal,
    };
    const slot: Slot<Entry> = { controller, connection, member };
    this.#slots.set(entry.name, slot);
    this.#tell({ type: 'joined', member });
    this.#run(entry.name, this.#attend(slot));
  }

  #release(name: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    this.#slots.delete(name);
    slot.controller.abort();
    this.#tell({ type: 'left', member: slot.member });
    if (slot.member.cluster !== undefined) this.#close(slot.member.cluster);
  }

  #close(cluster: Cluster): void {
    const patience = new AbortController();
    const cancel = this.#options.clock.after(CLOSE_PATIENCE_MS, () => patience.abort(new Error('its connection did not close')));
    this.#run(cluster.name, unlessAborted(() => cluster.close(), patience.signal).finally(cancel));
  }

  /** Connects one member, and asks it again and again how it is. */
  async #attend(slot: Slot<Entry>): Promise<void> {
    const { clock, probe } = this.#options;
    const { signal } = slot.controller;
    const cluster = await this.#connect(slot);
    if (cluster === undefined) return;
    if (signal.aborted) {
      this.#close(cluster);
      return;
    }
    this.#change(slot, { cluster });
    let health: Health | undefined;
    while (!signal.aborted) {
      const reason = await this.#ask(cluster, signal);
      if (signal.aborted) return;
      health = healthAfter(health, reason === '', this.#thresholds);
      this.#judge(slot, health.ready, reason);
      await sleep(clock, probe?.intervalMs ?? INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** A connection, however many attempts it takes; `undefined` where the member has left meanwhile. */
  async #connect(slot: Slot<Entry>): Promise<Cluster | undefined> {
    const { clock, connect, onError } = this.#options;
    const { signal } = slot.controller;
    const { name } = slot.member;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const cancel = clock.after(CONNECT_PATIENCE_MS, () => {
        this.#judge(slot, false, `no connection within ${CONNECT_PATIENCE_MS / 1000} s`);
      });
      try {
        return await unlessAborted(
          () => connect(slot.member.entry),
          signal,
          (late) => this.#close(late),
        );
      } catch (error) {
        if (signal.aborted) return undefined;
        onError?.(name, error);
        this.#judge(slot, false, messageOf(error, name));
        await pause(clock, failures, signal);
      } finally {
        cancel();
      }
    }
    return undefined;
  }

  /** Why the member isn't ready; empty where it is. */
  async #ask(cluster: Cluster, signal: AbortSignal): Promise<string> {
    const { clock, probe } = this.#options;
    const timeoutMs = probe?.timeoutMs ?? TIMEOUT_MS;
    const patience = new AbortController();
    const cancel = clock.after(timeoutMs, () => patience.abort());
    const either = AbortSignal.any([patience.signal, signal]);
    try {
      const ready = await unlessAborted(() => cluster.ready({ signal: either }), either);
      return ready ? '' : 'its /readyz does not say ok';
    } catch (error) {
      return patience.signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error, cluster.name);
    } finally {
      cancel();
    }
  }

  #judge(slot: Slot<Entry>, isReady: boolean, reason: string): void {
    const state: MemberState = isReady ? 'ready' : 'unreachable';
    // The first reason stays: others would be told all objects' statuses, again and again.
    if (slot.controller.signal.aborted || slot.member.state === state) return;
    this.#change(slot, { state, reason: isReady ? '' : reason });
  }

  #change(slot: Slot<Entry>, change: Partial<Member<Entry>>): void {
    slot.member = { ...slot.member, ...change };
    this.#tell({ type: 'changed', member: slot.member });
  }

  /** One listener that fails keeps nobody else from hearing. */
  #tell(event: SetEvent<Entry>): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#options.onError?.(event.member.name, error);
      }
    }
  }
}

/** Entries are plain data. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || deepEqual(a as Json, b as Json);
}

function messageOf(error: unknown, name: string): string {
  return error instanceof Error ? error.message.replace(`cluster ${name}: `, '') : String(error);
}

/** Waits after a failure: 1 s, doubled with every one in a row up to 30 s. */
async function pause(clock: Clock, failures: number, signal: AbortSignal): Promise<void> {
  await sleep(clock, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures), signal).catch(() => undefined);
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
