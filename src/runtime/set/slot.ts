import { type Cluster, ClustersetError, type HealthThresholds } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';
import { attend } from './attend.ts';
import { type EngageHandler, Engagement } from './engagement.ts';
import type { ConnectedMember, Member } from './member.ts';
import { type Look, nextState, type Standing } from './member-state.ts';
import type { ClusterSetOptions } from './options.ts';

/** Somebody who is engaged with members: each call of `engage` is one. */
export interface Registration<Entry> {
  readonly handler: EngageHandler<Entry>;
}

/** What a {@link Slot} needs of its set. */
export interface SlotContext<Entry extends { readonly name: string }> {
  readonly options: ClusterSetOptions<Entry> & Required<Pick<ClusterSetOptions<Entry>, 'clock' | 'random'>>;
  readonly thresholds: HealthThresholds;
  /** The member is another now; `isNews` where somebody should be told. */
  readonly onChange: (slot: Slot<Entry>, previous: Member<Entry>, isNews: boolean) => void;
  readonly onConnected: (slot: Slot<Entry>) => void;
  readonly onError: (error: unknown) => void;
  /** Takes a connection that came too late. */
  readonly close: (cluster: Cluster) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const LEAVE_TIMEOUT_MS = 10_000;
const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 3_000;

/** One stay of a cluster in a set, with one connection: a member that comes back under its old name has another. */
export class Slot<Entry extends { readonly name: string }> {
  readonly connection: string;
  readonly #context: SlotContext<Entry>;
  readonly #ending = new AbortController();
  readonly #engagements = new Map<Registration<Entry>, Engagement<Entry>>();
  #member: Member<Entry>;
  #standing: Standing | undefined;

  constructor(entry: Entry, connection: string, context: SlotContext<Entry>) {
    this.connection = connection;
    this.#context = context;
    this.#member = {
      name: entry.name,
      cluster: undefined,
      entry,
      state: 'joining',
      reason: 'it has not been asked yet',
      since: context.options.clock.now(),
      lastSeen: undefined,
      signal: this.#ending.signal,
    };
  }

  /** The member as it is now. */
  get member(): Member<Entry> {
    return this.#member;
  }

  get #clock(): Clock {
    return this.#context.options.clock;
  }

  /** Connects, and asks how the member is, until it leaves. */
  attend(): Promise<void> {
    const { options, close, onError, onConnected } = this.#context;
    const { clock, random, connect, connectTimeoutMs = CONNECT_TIMEOUT_MS, probe = {} } = options;
    const { intervalMs = INTERVAL_MS, timeoutMs = TIMEOUT_MS, ask = (cluster, signal) => cluster.ready({ signal }) } = probe;
    return attend({
      name: this.#member.name,
      clock,
      random,
      signal: this.#ending.signal,
      connect: (signal) => connect(this.#member.entry, signal),
      connectTimeoutMs,
      probe: ask,
      intervalMs,
      timeoutMs,
      onConnected: (cluster) => {
        // What was thought of attempts to connect says nothing of the connection.
        this.#standing = undefined;
        this.change({ cluster });
        onConnected(this);
      },
      onLook: (look) => this.#judge(look),
      onError,
      close,
    });
  }

  /** Changes the member, and says so unless it is no news. */
  change(change: Partial<Member<Entry>>, isNews = true): void {
    const previous = this.#member;
    this.#member = { ...previous, ...change };
    this.#context.onChange(this, previous, isNews);
  }

  #judge(look: Look): void {
    if (this.#ending.signal.aborted) return;
    this.#standing = nextState(this.#standing, look, this.#context.thresholds);
    const now = this.#clock.now();
    const seen = look.seen === 'ready' ? { lastSeen: now } : {};
    const { state, reason } = this.#standing;
    if (this.#member.state !== state) this.change({ ...seen, state, reason, since: now });
    else if (look.seen === 'ready') this.change(seen, false);
  }

  /** Calls a handler for this connection, unless there is none, or that was done before. */
  engage(registration: Registration<Entry>): void {
    const isOver = this.#ending.signal.aborted || this.#member.cluster === undefined;
    if (isOver || this.#engagements.has(registration)) return;
    const { onError, options } = this.#context;
    const engagement = new Engagement<Entry>({
      handler: registration.handler,
      member: () => this.#member as ConnectedMember<Entry>,
      clock: options.clock,
      random: options.random,
      onError,
    });
    this.#engagements.set(registration, engagement);
    engagement.start();
  }

  /** Fires the signal of a handler. As long as it works, it is waited for when the member leaves. */
  disengage(registration: Registration<Entry>): void {
    const engagement = this.#engagements.get(registration);
    if (engagement === undefined) return;
    engagement.end(new Error('the handler is engaged no more'));
    const forget = (): void => void this.#engagements.delete(registration);
    if (engagement.running === undefined) forget();
    else void engagement.running.finally(forget);
  }

  /** Fires all signals. Says whether somebody is still engaged; then {@link finish} waits for them. */
  leave(reason: string): boolean {
    const { name } = this.#member;
    this.#member = { ...this.#member, state: 'leaving', reason, since: this.#clock.now() };
    const why = new ClustersetError({ code: 'Unreachable', message: `it has left the set: ${reason}`, cluster: name });
    for (const engagement of this.#engagements.values()) engagement.end(why);
    this.#ending.abort(why);
    return this.#users().length > 0;
  }

  /** Waits for those who are engaged, for as long as they may take. */
  async finish(): Promise<void> {
    const { leaveTimeoutMs: ms = LEAVE_TIMEOUT_MS, clock } = this.#context.options;
    const overdue = (): Error => new Error(`those who are engaged with it did not finish within ${ms / 1000} s`);
    await patiently(() => Promise.all(this.#users()), { clock, ms, overdue }).catch(this.#context.onError);
  }

  #users(): readonly Promise<void>[] {
    return [...this.#engagements.values()].flatMap(({ running }) => running ?? []);
  }
}
