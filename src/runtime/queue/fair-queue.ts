import type { Clock } from '../clock.ts';
import { type Observe, told } from '../observe/facts.ts';
import { Agenda } from './agenda.ts';
import type { BreakerOptions } from './breaker.ts';
import { FairMember, type MemberRules, type Sums } from './fair-member.ts';
import { Fifo } from './fifo.ts';
import { type Adding, BACKOFF } from './lane.ts';
import { Rotation } from './rotation.ts';

/** What a {@link FairQueue} is made with. */
export interface FairQueueOptions {
  /** What facts call it: the controller's name. */
  readonly name: string;
  readonly clock: Clock;
  /** How much a cluster may spend when it is its turn. A key costs 1 unless it is added with another `cost`. Default 1: one key each. */
  readonly quantum?: number;
  /** Keys of one cluster that are under way at the same time at most. Default 10. */
  readonly inFlightPerCluster?: number;
  /** First delay of {@link FairQueue.retry} in milliseconds, doubled with every failure in a row. Default 5 (client-go). */
  readonly retryBaseMs?: number;
  /** Longest delay in milliseconds. Default 1,000,000 (client-go). */
  readonly retryMaxMs?: number;
  readonly breaker?: BreakerOptions;
  /** Is told of `queued`, `taken` and `breaker`. */
  readonly observe?: Observe;
  /** Numbers from 0 up to 1, which spread the probes of open breakers over the second half of their time. Default: they aren't spread. */
  readonly random?: () => number;
}

/** A key that was handed out; the object itself is the receipt for {@link FairQueue.done}. */
export interface Taken {
  readonly cluster: string;
  readonly key: string;
  /** The priority with which it was added: what is added again because of it should have the same. */
  readonly priority: number;
  /** 1 for the first try, one more for every failure in a row before it. */
  readonly attempt: number;
  /** How many milliseconds it was ready, and held back or in line. */
  readonly waitedMs: number;
}

/** What is known of a key that is under way, and nobody else's business. */
interface Handed {
  readonly member: FairMember;
  readonly era: number;
}

/**
 * Keys of many clusters that wait for work, so that no cluster holds up another. Neither controller-runtime nor multicluster-runtime has this.
 *
 * **Each cluster** has a queue with the rules of {@link WorkQueue}: a key is handed out to one worker at a time, however often it is added it comes
 * once, added during work it comes once more; higher priorities first, then first in first out; delays that double with every failure of a key.
 *
 * **Between clusters** there is deficit round-robin: whoever has a key that could be handed out takes its turn, and spends its `quantum`. With K
 * clusters that have keys and room all the while, any K·c keys handed out in a row hold, of each cluster, at least
 * `q·⌊c/q⌋ + max(0, K·(c mod q) − (K−1)·q)` for a whole quantum q and keys that cost 1; with the quantum of 1 that is exactly c of each. A
 * cluster whose first key becomes ready waits for one round at most, however many keys others have. Priorities hold within one cluster; between
 * clusters fairness wins, so that a flood of high priority in one never starves another.
 *
 * **A cluster that doesn't answer** costs nobody anything. Its breaker opens after some failures in a row, which whoever works reports with
 * {@link FairQueue.failed}; its keys are held back, then one of them is handed out as a probe. Whatever answer comes closes the breaker, and
 * all keys that were held back are ready at once; a failure opens it for twice as long. {@link FairQueue.park} holds keys back, too, for whoever
 * knows from elsewhere that the cluster is unreachable. While keys are held back, {@link FairQueue.retry} neither counts failures nor delays: that
 * they failed was the cluster's fault. Handing out a key costs the same however many clusters are held back or have nothing to do, and delays
 * and breakers of all clusters together have one timer.
 *
 * **Back-pressure**: adding never blocks. The queue holds one entry per key, so that it never grows beyond the number of objects;
 * {@link FairQueue.depth} tells how far workers are behind.
 */
export class FairQueue {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #tell: Observe | undefined;
  readonly #rules: MemberRules;
  readonly #rotation: Rotation<FairMember>;
  readonly #members = new Map<string, FairMember>();
  readonly #handed = new Map<Taken, Handed>();
  readonly #takers = new Fifo<(taken: Taken | undefined) => void>();
  readonly #sums: Sums = { ready: 0, open: 0, waiting: 0 };
  #idlers: (() => void)[] = [];
  #closed = false;

  /** @throws RangeError for a quantum or a number of keys in flight that would never let anything out. */
  constructor(options: FairQueueOptions) {
    const { name, clock, quantum = 1, inFlightPerCluster = 10, observe, random = () => 1, breaker = {} } = options;
    const { retryBaseMs = BACKOFF.baseMs, retryMaxMs = BACKOFF.maxMs } = options;
    checkPositive('quantum', quantum);
    if (!(inFlightPerCluster >= 1)) throw new RangeError(`inFlightPerCluster is ${inFlightPerCluster}: it must be 1 or more`);
    this.#name = name;
    this.#clock = clock;
    this.#tell = observe === undefined ? undefined : told(observe);
    this.#rotation = new Rotation(quantum);
    this.#rules = {
      agenda: new Agenda(clock, () => this.#hand()),
      backoff: { baseMs: retryBaseMs, maxMs: retryMaxMs },
      breaker: { failures: 5, firstMs: 1000, longestMs: 30_000, ...breaker },
      random,
      inFlight: inFlightPerCluster,
      onDue: (member) => this.#refresh(member),
      onBreaker: (member, state) => {
        this.#refresh(member);
        this.#tell?.({ fact: 'breaker', queue: this.#name, cluster: member.cluster, state });
      },
    };
  }

  /** The clock of its delays. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Keys that are ready or under way. Those that wait for their time, or for a cluster to answer, don't count. */
  get busy(): number {
    return this.#sums.open + this.#handed.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#sums.waiting;
  }

  /** Keys that are ready, of one cluster or of all, also those that are held back. */
  depth(cluster?: string): number {
    return cluster === undefined ? this.#sums.ready : (this.#known(cluster)?.lane.ready ?? 0);
  }

  /** Keys that are under way, of one cluster or of all. What began before a cluster was removed counts only among all. */
  inFlight(cluster?: string): number {
    return cluster === undefined ? this.#handed.size : (this.#known(cluster)?.inFlight ?? 0);
  }

  /**
   * Adds a key, now or later; a cluster that isn't known is from now on. Of two times the earlier counts, of two priorities and costs the higher.
   *
   * @throws RangeError for a cost that isn't above 0.
   */
  add(cluster: string, key: string, { afterMs = 0, priority = 0, cost = 1 }: Adding = {}): void {
    checkPositive('cost', cost);
    if (this.#closed) return;
    const member = this.#member(cluster);
    this.#added(member, member.lane.add(key, { afterMs, priority, cost }), priority, false);
  }

  /**
   * Adds a key again after a failure, later with every one in a row; without delay while the cluster's keys are held back, and without counting
   * it. What the failure says about the cluster must have been told before. Nothing happens where the cluster was removed.
   *
   * @throws RangeError for a cost that isn't above 0.
   */
  retry(cluster: string, key: string, { priority = 0, cost = 1 }: Omit<Adding, 'afterMs'> = {}): void {
    checkPositive('cost', cost);
    const member = this.#known(cluster);
    if (member === undefined) return;
    const { lane } = member;
    const isNew = member.isHeld ? lane.add(key, { priority, cost }) : lane.retry(key, { priority, cost });
    this.#added(member, isNew, priority, true);
  }

  /** Forgets the failures of a key, and nothing else of it. */
  forget(cluster: string, key: string): void {
    this.#known(cluster)?.lane.forget(key);
  }

  /**
   * Forgets the failures of all keys of a cluster: what waits because of one is ready at once. For the moment at which a cluster is well again:
   * whatever has failed meanwhile may go well now, and would otherwise wait for up to `retryMaxMs`.
   */
  forgive(cluster: string): void {
    const member = this.#known(cluster);
    if (member === undefined) return;
    member.lane.forgive();
    this.#refresh(member);
    this.#hand();
  }

  /** The next key; waits for one. `undefined` when the queue is closed. Whoever takes a key must say {@link FairQueue.done}. */
  take(): Promise<Taken | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  /**
   * The work on a key is over; where it was added meanwhile, it is ready again. Takes the very object that {@link FairQueue.take} gave; nothing
   * happens for another, and the second time. A verdict on the cluster, and {@link FairQueue.retry}, come before.
   */
  done(taken: Taken): void {
    const handed = this.#handed.get(taken);
    if (handed === undefined) return;
    const { member, era } = handed;
    this.#handed.delete(taken);
    member.lane.done(taken.key);
    if (member.era === era) member.inFlight -= 1;
    // A probe that nobody has judged: the next key is the probe then, so that the cluster isn't held back for ever.
    if (member.probe === taken) member.probe = undefined;
    this.#refresh(member);
    if (member.isGone && member.lane.working === 0) this.#forgetGone(member);
    this.#hand();
    this.#tellIdlers();
  }

  /** Whether a key that was handed out is of a cluster that is still here: where it was removed since, nothing should be added for it. */
  isCurrent(taken: Taken): boolean {
    const handed = this.#handed.get(taken);
    return handed !== undefined && handed.member.era === handed.era;
  }

  /** The cluster has answered, whatever the answer was. */
  succeeded(cluster: string): void {
    this.#known(cluster)?.breaker.succeeded();
    this.#hand();
  }

  /** The cluster hasn't answered: it is unreachable, or a time ran out. Failures that say nothing about the cluster don't belong here. */
  failed(cluster: string): void {
    this.#known(cluster)?.breaker.failed();
    this.#tellIdlers();
  }

  /** Holds back the keys of a cluster that is known not to answer, also those that are added. What is under way goes on. */
  park(cluster: string): void {
    if (this.#closed) return;
    const member = this.#member(cluster);
    member.isParked = true;
    this.#refresh(member);
    this.#tellIdlers();
  }

  /** Ends {@link FairQueue.park}: all keys that are ready can go out. Where the breaker is open, it is tried at once. */
  unpark(cluster: string): void {
    const member = this.#known(cluster);
    if (!member?.isParked) return;
    member.isParked = false;
    member.breaker.tryNow();
    this.#refresh(member);
    this.#hand();
  }

  /**
   * Forgets a cluster: its keys, their failures, its breaker. What is under way goes on, and its {@link FairQueue.done} does no harm, also when a
   * cluster of that name is added anew meanwhile; a key that is still under way then comes when that is over, never to two workers at once.
   */
  remove(cluster: string): void {
    const member = this.#known(cluster);
    if (member === undefined) return;
    member.clear();
    this.#refresh(member);
    if (member.lane.working > 0) member.isGone = true;
    else this.#members.delete(cluster);
    this.#tellIdlers();
  }

  /** Resolves when nothing is ready or under way. What waits for its time, or for a cluster to answer, doesn't count. */
  idle(): Promise<void> {
    if (this.busy === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
    });
  }

  /** Ends the queue: waiting workers get `undefined`, what is ready or waits is dropped, and nothing is added any more. */
  close(): void {
    this.#closed = true;
    for (const member of this.#members.values()) {
      member.clear();
      this.#refresh(member);
    }
    this.#members.clear();
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) taker(undefined);
    this.#tellIdlers();
  }

  /** {@link FairQueue.close | Closes} the queue, and resolves when nothing is under way any more. */
  drain(): Promise<void> {
    this.close();
    return this.idle();
  }

  #known(cluster: string): FairMember | undefined {
    const member = this.#members.get(cluster);
    return member?.isGone ? undefined : member;
  }

  #member(cluster: string): FairMember {
    let member = this.#members.get(cluster);
    if (member === undefined) {
      member = new FairMember(cluster, this.#rules);
      this.#members.set(cluster, member);
    }
    member.isGone = false;
    return member;
  }

  #forgetGone(member: FairMember): void {
    if (this.#members.get(member.cluster) === member) this.#members.delete(member.cluster);
  }

  #added(member: FairMember, isNew: boolean, priority: number, isRetry: boolean): void {
    this.#refresh(member);
    if (isNew) this.#tell?.({ fact: 'queued', queue: this.#name, cluster: member.cluster, priority, isRetry });
    this.#hand();
  }

  /** Brings sums and rotation up to date with what has happened to a cluster. */
  #refresh(member: FairMember): void {
    member.count(this.#sums);
    if (member.isReady) this.#rotation.join(member);
    else this.#rotation.leave(member);
  }

  #hand(): void {
    while (!this.#takers.isEmpty) {
      const member = this.#rotation.pick();
      if (member === undefined) return;
      const taken = this.#take(member);
      this.#takers.shift()?.(taken);
    }
  }

  #take(member: FairMember): Taken | undefined {
    const item = member.lane.take();
    if (item === undefined) return undefined;
    const { cluster } = member;
    const waitedMs = this.#clock.monotonic() - item.since;
    const taken: Taken = { cluster, key: item.key, priority: item.priority, attempt: item.failures + 1, waitedMs };
    this.#handed.set(taken, { member, era: member.era });
    member.inFlight += 1;
    if (member.breaker.state === 'half-open') member.probe = taken;
    this.#refresh(member);
    this.#tell?.({ fact: 'taken', queue: this.#name, cluster, waitedMs });
    return taken;
  }

  #tellIdlers(): void {
    if (this.busy > 0) return;
    const idlers = this.#idlers;
    this.#idlers = [];
    for (const resolve of idlers) resolve();
  }
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new RangeError(`${name} is ${value}: it must be above 0`);
}
