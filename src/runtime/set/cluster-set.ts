import { type Cluster, ClustersetError, deepEqual, type HealthThresholds, type Json } from '../../kube/plain/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type Observe, told } from '../observe/facts.ts';
import { patiently } from '../patiently.ts';
import { Announcer } from './announcer.ts';
import { askAll, type MapFunction, type MapOptions } from './ask-all.ts';
import type { EngageHandler } from './engagement.ts';
import { followSource } from './follow-source.ts';
import type { Member, SetEvent } from './member.ts';
import type { ClusterSetOptions } from './options.ts';
import { type ClusterResult, ClusterResults } from './results.ts';
import { type Registration, Slot } from './slot.ts';

/** A connection that takes longer to close is left to itself. */
const CLOSE_PATIENCE_MS = 10_000;

/**
 * The clusters that a source names, connected and asked how they are. Clusters join, leave and change while it runs; none waits for another,
 * and one that can't be connected is a member too: it is unreachable, and the reason says why.
 */
export class ClusterSet<Entry extends { readonly name: string }> {
  readonly #options: ClusterSetOptions<Entry> & { readonly clock: Clock; readonly random: () => number };
  readonly #thresholds: HealthThresholds;
  readonly #observe: Observe;
  readonly #slots = new Map<string, Slot<Entry>>();
  readonly #members = new Map<string, Member<Entry>>();
  /** Those that have been let go of, while somebody is still engaged with them; of one name there is one at most. */
  readonly #leaving = new Map<string, Slot<Entry>>();
  readonly #registrations = new Set<Registration<Entry>>();
  readonly #announcer: Announcer<SetEvent<Entry>>;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Names that the source repeats, of which somebody was told. */
  #repeated: ReadonlySet<string> = new Set();
  #known: Promise<void> | undefined;

  constructor(options: ClusterSetOptions<Entry>) {
    this.#options = { ...options, clock: options.clock ?? systemClock, random: options.random ?? (() => 0.5) };
    this.#thresholds = { successes: options.probe?.successes ?? 1, failures: options.probe?.failures ?? 3 };
    this.#observe = told(options.observe);
    this.#announcer = new Announcer(({ member }, error) => this.#fail(member.name, error));
  }

  /**
   * The members, by name: a view that follows the set, so that asking for it costs nothing. Those that are leaving are members no more. Copy it
   * where it must stay as it is.
   */
  get members(): ReadonlyMap<string, Member<Entry>> {
    return this.#members;
  }

  /** A member by its name, as it is now. */
  get(name: string): Member<Entry> | undefined {
    return this.#members.get(name);
  }

  /**
   * Starts following the source, unless that was done before. Resolves when the first membership is known, or the set is stopped; connecting
   * goes on in the background.
   */
  start(): Promise<void> {
    this.#known ??= new Promise((resolve) => {
      const { signal } = this.#stopping;
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener('abort', () => resolve(), { once: true });
      const { source, clock, random } = this.#options;
      const onEntries = (entries: readonly Entry[]): void => {
        this.#become(entries);
        resolve();
      };
      this.#run('', followSource(source, { clock, random, signal, onEntries, onError: (error) => this.#fail('', error) }));
    });
    return this.#known;
  }

  /**
   * Calls back for every member that is there, and on every change from now on. Each listener hears of one event after the other; what it throws
   * is told as an error.
   */
  listen(listener: (event: SetEvent<Entry>) => void): () => void {
    const present = [...this.#members.values()].map((member) => ({ type: 'joined', member }) as const);
    return this.#announcer.listen(listener, present);
  }

  /**
   * Has a handler called for every member that there is a connection to, now or later, once for each connection. Its signal fires when the member
   * leaves, when its connection is made anew, when the set is stopped, and when the engagement is ended. The connection is closed when the
   * handler's promise has settled, or after `leaveTimeoutMs`; nobody else waits for that, also not a cluster of the same name.
   *
   * A handler that throws is told as an error, and called again: after 1 s, then less and less often. It may engage others, and stop the set.
   *
   * @returns what ends all engagements of the handler.
   */
  engage(handler: EngageHandler<Entry>): () => void {
    const registration = { handler };
    this.#registrations.add(registration);
    for (const slot of [...this.#slots.values()]) this.#begin(slot, registration);
    return () => {
      this.#registrations.delete(registration);
      for (const slot of this.#slots.values()) slot.disengage(registration);
    };
  }

  /** A handler that was called just before may have ended this engagement. */
  #begin(slot: Slot<Entry>, registration: Registration<Entry>): void {
    if (this.#registrations.has(registration)) slot.engage(registration);
  }

  /**
   * Does something for all members, some at the same time, and says what came of each. That some fail is the normal case: a member that there is no
   * connection to is a failure, and so is one that takes too long or leaves meanwhile.
   *
   * @throws ClustersetError `Aborted` where the caller's signal fires.
   */
  async map<T>(work: MapFunction<Entry, T>, options: MapOptions = {}): Promise<ClusterResults<T>> {
    const order = [...this.#members.keys()];
    const found = new Map<string, ClusterResult<T>>();
    for await (const result of this.stream(work, options)) found.set(result.cluster, result);
    const results = order.flatMap((name) => found.get(name) ?? []);
    return new ClusterResults(new Map(results.map((result) => [result.cluster, result])));
  }

  /** As {@link ClusterSet.map}, with the results as they come: the quickest first. Leaving the loop ends what is under way. */
  stream<T>(work: MapFunction<Entry, T>, options: MapOptions = {}): AsyncGenerator<ClusterResult<T>, void, undefined> {
    return askAll({ clock: this.#options.clock, members: this.#members }, work, options);
  }

  /** Leaves all clusters and closes their connections. Resolves when that is done, or has taken too long. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the set is stopped'));
    for (const slot of [...this.#slots.values()]) this.#release(slot, 'the set is stopped');
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Stops the set. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Goes on in the background; what goes wrong is told. */
  #run(name: string, work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#fail(name, error)).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  #fail(name: string, error: unknown): void {
    try {
      this.#options.onError?.(name, error);
    } catch {
      // Who is told may fail; the work goes on.
    }
  }

  #become(entries: readonly Entry[]): void {
    const wanted = this.#unique(entries);
    for (const slot of [...this.#slots.values()]) {
      if (!wanted.has(slot.member.name)) this.#release(slot, 'the source does not name it any more');
    }
    for (const entry of wanted.values()) this.#welcome(entry);
  }

  /** The entries by name. Where a source repeats one, the first counts, as of several sources. */
  #unique(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
    const unique = new Map<string, Entry>();
    const repeated = new Set<string>();
    for (const entry of entries) {
      if (unique.has(entry.name)) repeated.add(entry.name);
      else unique.set(entry.name, entry);
    }
    for (const name of repeated) {
      const message = 'the source names it more than once; the first entry counts';
      if (!this.#repeated.has(name)) this.#fail(name, new ClustersetError({ code: 'Invalid', message, cluster: name }));
    }
    this.#repeated = repeated;
    return unique;
  }

  #welcome(entry: Entry): void {
    const { name } = entry;
    const before = this.#slots.get(name);
    const connection = this.#connectionOf(entry, before);
    if (before?.connection === connection) {
      if (!isSame(before.member.entry, entry)) before.change({ entry });
      return;
    }
    if (before !== undefined) this.#release(before, 'its connection is made anew');
    // Its former self may not have finished: nobody shall mix them up.
    const former = this.#leaving.get(name);
    if (former !== undefined) this.#depart(former, former.member);
    // A listener may have stopped the set.
    if (!this.#stopping.signal.aborted) this.#join(entry, connection);
  }

  #join(entry: Entry, connection: string): void {
    const { name } = entry;
    const slot = new Slot<Entry>(entry, connection, {
      options: this.#options,
      thresholds: this.#thresholds,
      onChange: (changed, previous, isNews) => this.#follow(changed, previous, isNews),
      onConnected: (connected) => {
        for (const registration of [...this.#registrations]) this.#begin(connected, registration);
      },
      onError: (error) => this.#fail(name, error),
      close: (cluster) => this.#run(name, this.#close(cluster)),
    });
    const { member } = slot;
    this.#slots.set(name, slot);
    this.#members.set(name, member);
    this.#observe({ fact: 'member', cluster: name, state: member.state, reason: member.reason });
    this.#announcer.tell({ type: 'joined', member });
    this.#run(name, slot.attend());
  }

  #connectionOf(entry: Entry, before: Slot<Entry> | undefined): string {
    try {
      return this.#options.connectionOf?.(entry) ?? '';
    } catch (error) {
      this.#fail(entry.name, error);
      return before?.connection ?? '';
    }
  }

  #follow({ member }: Slot<Entry>, previous: Member<Entry>, isNews: boolean): void {
    const { name, state, reason } = member;
    if (state !== 'leaving') this.#members.set(name, member);
    if (previous.state !== state) this.#observe({ fact: 'member', cluster: name, before: previous.state, state, reason });
    if (isNews) this.#announcer.tell({ type: 'changed', member, previous });
  }

  #release(slot: Slot<Entry>, reason: string): void {
    const previous = slot.member;
    const { name, cluster } = previous;
    if (this.#slots.get(name) !== slot) return;
    this.#slots.delete(name);
    this.#members.delete(name);
    const isUsed = slot.leave(reason);
    if (isUsed) {
      this.#leaving.set(name, slot);
      this.#follow(slot, previous, true);
    } else this.#tellLeft(slot, previous);
    if (cluster !== undefined) this.#run(name, this.#finish(slot, cluster));
  }

  async #finish(slot: Slot<Entry>, cluster: Cluster): Promise<void> {
    await slot.finish();
    this.#depart(slot, slot.member);
    await this.#close(cluster);
  }

  /** Says of a member that it has left, unless that was said before. */
  #depart(slot: Slot<Entry>, previous: Member<Entry>): void {
    const { name } = previous;
    if (this.#leaving.get(name) !== slot) return;
    this.#leaving.delete(name);
    this.#tellLeft(slot, previous);
  }

  #tellLeft({ member }: Slot<Entry>, previous: Member<Entry>): void {
    this.#observe({ fact: 'member', cluster: member.name, before: previous.state, reason: member.reason });
    this.#announcer.tell({ type: 'left', member, previous });
  }

  #close(cluster: Cluster): Promise<void> {
    const overdue = (): Error => new Error('its connection did not close');
    return patiently(() => cluster.close(), { clock: this.#options.clock, ms: CLOSE_PATIENCE_MS, overdue });
  }
}

/** Entries are plain data. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || deepEqual(a as Json, b as Json);
}
