import { type ClusterReader, type ClusterWriter, hasCode, isConflict } from '../../kube/plain/index.ts';
import { type Clock, sleep, systemClock } from '../clock.ts';
import { type Observe, told } from '../observe/facts.ts';
import { bounded } from './bounded.ts';
import { type Fence, Term } from './fence.ts';
import {
  decideLease,
  LEASES,
  type Lease,
  type LeaseDecision,
  type LeaseRecord,
  type Observed,
  observe,
  readRecord,
  releasedRecord,
  withRecord,
} from './lease.ts';
import { explainedLeaseError } from './lease-error.ts';
import { type CheckedTimings, callTimeout, checkedTimings, checkIdentity, JITTER_FACTOR, type LeaseTimings } from './timings.ts';

/** What an {@link Elector} is made with. */
export interface ElectorOptions extends LeaseTimings {
  /** Where the lease is. The lease is read and written past any cache. */
  readonly cluster: ClusterReader & ClusterWriter;
  readonly namespace: string;
  /** Of the lease: all who compete for one thing use the same. */
  readonly name: string;
  /** Who this process is: no other, and no earlier one, may have the same. `<hostname>_<uuid>` is what others use. */
  readonly identity: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads the tries of those who wait. */
  readonly random: () => number;
  /** Whether the lease is given back in the end, so that another needn't wait for it to run out. Default true. */
  readonly releaseOnStop?: boolean;
  /**
   * Begins to lead. Where a promise is returned, it is the work: it should end when the fence does. The lease is given back only after that, and
   * where the work takes too long, not at all. A work that fails ends the leading, and {@link Elector.run} rejects with its error.
   */
  readonly onStarted?: (fence: Fence) => void | Promise<void>;
  /** Is called at the end of a run, also where it never led (client-go). */
  readonly onStopped?: () => void;
  /** Is told who leads, whenever somebody else is seen to; empty: nobody. */
  readonly onLeader?: (identity: string) => void;
  readonly observe?: Observe;
  /** Is told of calls that fail; they are tried again. */
  readonly onError?: (error: unknown) => void;
}

/** A lease that was written. */
interface Held {
  readonly epoch: number;
  /** Monotonic time before the request left. */
  readonly sentAt: number;
}

/**
 * One of several processes leads: it holds a lease, and renews it (client-go's algorithm and default times). Who leads has a {@link Fence} that ends
 * before another may lead; `fenced` holds the writes to it.
 *
 * ```ts
 * const elector = new Elector({ cluster: host, namespace: 'fleet', name: 'propagation', identity, random: Math.random, onStarted: work });
 * await elector.run(signal);
 * ```
 *
 * @throws ClustersetError `Invalid` for times that don't fit together, and for an empty identity.
 */
export class Elector {
  readonly #options: ElectorOptions & { readonly clock: Clock };
  readonly #timings: CheckedTimings;
  readonly #tell: Observe;
  #lease: Lease | undefined;
  #observed: Observed | undefined;
  #leader = '';
  #term: Term | undefined;
  #isRunning = false;

  constructor(options: ElectorOptions) {
    this.#timings = checkedTimings(options);
    checkIdentity(options.identity);
    this.#options = { ...options, clock: options.clock ?? systemClock };
    this.#tell = told(options.observe);
  }

  /** Who leads, as was last seen; empty where nobody is known to. */
  get leader(): string {
    return this.#leader;
  }

  /** The right to act, while this process leads. */
  get fence(): Fence | undefined {
    return this.#term?.isValid() ? this.#term : undefined;
  }

  /**
   * Waits to lead, and leads, until the signal fires or the lease is lost; which of both it was, is the result. One who has lost may run again.
   * At the end the fence is over, the work is waited for, and the lease is given back.
   */
  async run(signal: AbortSignal): Promise<'stopped' | 'lost'> {
    if (this.#isRunning) throw new TypeError('this elector is running already');
    this.#isRunning = true;
    try {
      const held = await this.#acquire(signal);
      return held === undefined ? 'stopped' : await this.#lead(held, signal);
    } finally {
      this.#isRunning = false;
      this.#shield(() => this.#options.onStopped?.());
    }
  }

  async #acquire(signal: AbortSignal): Promise<Held | undefined> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      const held = await this.#tryAcquireOrRenew(signal);
      if (held !== undefined) return held;
      await sleep(clock, this.#timings.retryPeriodMs * (1 + JITTER_FACTOR * random()), signal).catch(() => undefined);
    }
    return undefined;
  }

  async #lead(held: Held, signal: AbortSignal): Promise<'stopped' | 'lost'> {
    const { clock, onStarted } = this.#options;
    const term = new Term({ clock, epoch: held.epoch, expiresAt: this.#endOf(held) });
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    this.#term = term;
    signal.addEventListener('abort', stop, { once: true });
    term.signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#say(true, term.epoch);
    let failure: { readonly error: unknown } | undefined;
    const work = (async () => onStarted?.(term))().catch((error: unknown) => {
      failure = { error };
      term.end('the work has failed');
    });
    while (!stopping.signal.aborted && (await this.#keep(term, stopping.signal))) {
      await sleep(clock, this.#timings.retryPeriodMs, stopping.signal).catch(() => undefined);
    }
    signal.removeEventListener('abort', stop);
    const outcome = signal.aborted ? 'stopped' : 'lost';
    term.end(outcome === 'stopped' ? 'the elector was stopped' : 'the lease was lost');
    this.#term = undefined;
    this.#say(false, term.epoch);
    // The lease must not be another's while the work goes on. One that doesn't end in time leaves it to run out.
    if ((await this.#isOver(work, term.expiresAt)) && this.#options.releaseOnStop !== false) await this.#release();
    if (failure !== undefined) throw failure.error;
    return outcome;
  }

  /** Renews, with one try in each period, until it succeeds or the deadline is there. False: the lease is lost. */
  async #keep(term: Term, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const { renewDeadlineMs, retryPeriodMs } = this.#timings;
    const deadline = new AbortController();
    const end = (): void => deadline.abort();
    const cancel = clock.after(renewDeadlineMs, end);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      let tick = clock.monotonic();
      while (!deadline.signal.aborted) {
        const held = await this.#tryAcquireOrRenew(deadline.signal);
        // What was answered after the fence had ended comes too late, also where it says yes: the work was told to stop.
        if (held !== undefined) return held.epoch === term.epoch && term.extend(this.#endOf(held));
        tick = Math.max(tick + retryPeriodMs, clock.monotonic());
        await sleep(clock, tick - clock.monotonic(), deadline.signal).catch(() => undefined);
      }
      return false;
    } finally {
      cancel();
      signal.removeEventListener('abort', end);
    }
  }

  #endOf({ sentAt }: Held): number {
    return sentAt + this.#timings.leaseDurationMs - this.#timings.safetyMarginMs;
  }

  /** One try (client-go's function of this name). `undefined`: the lease is another's, or it could not be told. */
  async #tryAcquireOrRenew(signal: AbortSignal): Promise<Held | undefined> {
    const blindly = this.#decide(undefined);
    if (blindly.action === 'renew' && this.#lease !== undefined) {
      const held = await this.#attempt(() =>
        this.#write(withRecord(this.#lease as Lease, blindly.record), blindly.record, signal),
      );
      if (held !== undefined || signal.aborted) return held;
    }
    return this.#attempt(async () => {
      const { namespace, name } = this.#options;
      const lease = await this.#bounded(
        (each) => this.#options.cluster.get(LEASES, { namespace, name }, { signal: each }),
        signal,
      );
      const decision = this.#decide(lease ?? null);
      if (lease !== undefined) this.#see(lease);
      if (decision.action === 'create') return this.#create(decision.record, signal);
      if (decision.action === 'acquire' || decision.action === 'renew')
        return this.#write(withRecord(lease as Lease, decision.record), decision.record, signal);
      return undefined;
    });
  }

  #decide(lease: Lease | null | undefined): LeaseDecision {
    const { clock, identity } = this.#options;
    return decideLease({
      record: lease ? readRecord(lease) : (lease as null | undefined),
      observed: this.#observed,
      identity,
      now: clock.monotonic(),
      wallNow: clock.now(),
      leaseDurationSeconds: this.#timings.leaseDurationMs / 1000,
    });
  }

  async #create(record: LeaseRecord, signal: AbortSignal): Promise<Held> {
    const { clock, cluster, namespace, name } = this.#options;
    const sentAt = clock.monotonic();
    const draft: Lease = withRecord(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } },
      record,
    );
    const written = await this.#bounded((each) => cluster.create(LEASES, draft, { signal: each }), signal);
    return this.#written(written, record, sentAt);
  }

  async #write(lease: Lease, record: LeaseRecord, signal: AbortSignal): Promise<Held> {
    const { clock, cluster } = this.#options;
    const sentAt = clock.monotonic();
    const written = await this.#bounded((each) => cluster.update(LEASES, lease, { signal: each }), signal);
    return this.#written(written, record, sentAt);
  }

  #written(lease: Lease, record: LeaseRecord, sentAt: number): Held {
    this.#see(lease);
    // A holder has seen its record anew with each renewal, also where it says the same in the same millisecond.
    this.#observed = { record, at: this.#options.clock.monotonic() };
    return { epoch: record.leaseTransitions, sentAt };
  }

  #see(lease: Lease): void {
    const { clock, onLeader } = this.#options;
    this.#lease = lease;
    this.#observed = observe(this.#observed, readRecord(lease), clock.monotonic());
    const { holderIdentity } = this.#observed.record;
    if (holderIdentity === this.#leader) return;
    this.#leader = holderIdentity;
    this.#shield(() => onLeader?.(holderIdentity));
  }

  /** Gives the lease back: nobody holds it, for one second (client-go). Bounded by the deadline; where it fails, the lease runs out. */
  async #release(): Promise<void> {
    const { clock, cluster, identity, namespace, name } = this.#options;
    const deadline = new AbortController();
    const cancel = clock.after(this.#timings.renewDeadlineMs, () => deadline.abort());
    const { signal } = deadline;
    try {
      for (let isAgain = true; isAgain && !signal.aborted && this.#observed?.record.holderIdentity === identity; ) {
        isAgain = false;
        const lease = await this.#bounded((each) => cluster.get(LEASES, { namespace, name }, { signal: each }), signal);
        if (lease !== undefined) this.#see(lease);
        if (lease === undefined || readRecord(lease).holderIdentity !== identity) return;
        const released = withRecord(lease, releasedRecord(readRecord(lease), clock.now()));
        try {
          this.#see(await this.#bounded((each) => cluster.update(LEASES, released, { signal: each }), signal));
        } catch (error) {
          if (!isConflict(error)) throw error;
          isAgain = true;
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      cancel();
    }
  }

  /** Whether work ends before a monotonic time. */
  async #isOver(work: Promise<void>, until: number): Promise<boolean> {
    const { clock } = this.#options;
    const waiting = new AbortController();
    const patience = sleep(clock, Math.max(0, until - clock.monotonic()), waiting.signal).then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([work.then(() => true), patience]);
    } finally {
      waiting.abort();
    }
  }

  #bounded<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return bounded(call, { clock: this.#options.clock, ms: callTimeout(this.#timings.renewDeadlineMs), signal });
  }

  async #attempt(call: () => Promise<Held | undefined>): Promise<Held | undefined> {
    try {
      return await call();
    } catch (error) {
      // To be beaten to it is what others are there for.
      if (!hasCode(error, 'Conflict', 'AlreadyExists', 'Aborted')) this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    const { namespace, name, identity, onError } = this.#options;
    const explained = explainedLeaseError(error, namespace, ['get', 'create', 'update']);
    this.#tell({ fact: 'lease-failed', lease: `${namespace}/${name}`, identity, error: explained });
    this.#shield(() => onError?.(explained));
  }

  #say(isLeading: boolean, epoch: number): void {
    const { namespace, name, identity } = this.#options;
    this.#tell({ fact: 'leading', lease: `${namespace}/${name}`, identity, isLeading, epoch });
  }

  /** Whoever listens may fail; the lease must be kept all the same. */
  #shield(call: () => void): void {
    try {
      call();
    } catch {
      // There is nobody to tell.
    }
  }
}
