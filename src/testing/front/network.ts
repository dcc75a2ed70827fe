import { ClustersetError } from '../../kube/plain/index.ts';
import { type Clock, milliseconds } from '../../runtime/time/index.ts';
import type { Subscription } from '../api/watch.ts';
import { type FailureAnswer, type Fault, failing } from './faults.ts';
import { type ClientRequest, isInScope, type RequestScope } from './request.ts';

/** A fault without its scope. */
type Trouble = Fault extends infer Each ? (Each extends Fault ? Omit<Each, 'scope'> : never) : never;

/** What a network knows of a watch. */
export interface OpenWatch {
  readonly request: ClientRequest;
  /** How many silences there were when it was opened. */
  readonly silencesBefore: number;
}

/**
 * What stands between a cluster and everybody who talks to it. Each method brings a fault, for the requests that are in its scope (all of them by
 * default), and returns what ends it:
 *
 * ```ts
 * using _ = cluster.network.fail({ code: 503, times: 3 }, { verbs: ['list'] });
 * ```
 */
export class Network {
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #cuts = new Set<symbol>();
  readonly #faults = new Set<Fault>();
  readonly #listeners = new Set<() => void>();
  /** The scopes of all silences that there were: what was open then is dead. */
  readonly #silences: RequestScope[] = [];
  /** Those who wait look again whenever faults come or go. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether nothing gets through. */
  get isCut(): boolean {
    return this.#cuts.size > 0;
  }

  /** A partition: refuses connections and breaks those that are open. */
  cut(): Disposable {
    const id = Symbol('cut');
    this.#cuts.add(id);
    for (const listener of [...this.#listeners]) listener();
    // Those who wait for an answer have open connections, too.
    this.#lookAgain();
    return { [Symbol.dispose]: () => void this.#cuts.delete(id) };
  }

  /** Takes requests and answers none; they are answered when it ends. */
  hang(scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'hang' }, scope);
  }

  /**
   * Half-open connections: requests are never answered, and open watches hear nothing any more, not even their end, also when it is over. Only
   * new connections fare better then.
   */
  silence(scope: RequestScope = {}): Disposable {
    this.#silences.push(scope);
    return this.#bring({ kind: 'silence' }, scope);
  }

  /**
   * Latency: requests, and events of watches, take so much longer: milliseconds, or text such as `2s`. Several add up. When it ends, whoever
   * still waits because of it goes on.
   */
  delay(duration: number | string, scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'delay', ms: milliseconds(duration) }, scope);
  }

  /** Connections break before a request is carried out, and those of watches in the middle of their next event. */
  reset(scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'reset' }, scope);
  }

  /** Requests are carried out, or refused, and the connection breaks before the answer is there: the client can't know. */
  loseAnswers(scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'lose' }, scope);
  }

  /** The readers of watches take nothing. A watch for which more than `buffer` events wait (default 100) is ended by the server. */
  slowReader({ buffer = 100 }: { readonly buffer?: number } = {}, scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'slow', buffer }, scope);
  }

  /** The server answers with a failure. 429 is plain text, as a server that sheds load sends it, where no message is given. */
  fail(answer: FailureAnswer, scope: RequestScope = {}): Disposable {
    return this.#bring({ kind: 'fail', answer: failing(answer), left: answer.times ?? Number.POSITIVE_INFINITY }, scope);
  }

  /**
   * How many silences there were.
   *
   * @internal
   */
  get silences(): number {
    return this.#silences.length;
  }

  /**
   * Fires when the cluster is let go of.
   *
   * @internal
   */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Calls back when the network is cut. Returns how to stop that. */
  onCut(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Lets one request through, or not.
   *
   * @internal
   */
  async pass(cluster: string, request: ClientRequest, signal?: AbortSignal): Promise<void> {
    if (this.isCut) throw this.refused(cluster);
    for (const fault of this.#met(request)) {
      if (fault.kind === 'delay') await this.#delayed(cluster, fault, fault.ms, signal);
    }
    await this.#until(cluster, () => !this.#met(request).some(({ kind }) => kind === 'hang'), signal);
    for (const fault of this.#met(request)) {
      if (fault.kind === 'silence') await this.#until(cluster, () => false, signal);
      if (fault.kind === 'reset') throw broken(cluster);
      if (fault.kind !== 'fail' || fault.left <= 0) continue;
      fault.left -= 1;
      throw fault.answer();
    }
  }

  /**
   * Lets the answer of a request through that was carried out, or not.
   *
   * @internal
   */
  passBack(cluster: string, request: ClientRequest): void {
    if (this.#met(request).some(({ kind }) => kind === 'lose')) throw broken(cluster);
  }

  /**
   * Lets an event of a watch through, or not.
   *
   * @internal
   */
  async deliver(cluster: string, watch: OpenWatch, subscription: Subscription, signal?: AbortSignal): Promise<void> {
    await this.deliverEnd(cluster, watch, signal);
    if (this.#faults.size === 0) return;
    const { request } = watch;
    let due = subscription.pushedAt;
    for (const fault of this.#met(request)) {
      if (fault.kind === 'reset') throw broken(cluster);
      if (fault.kind === 'delay') {
        due += fault.ms;
        await this.#delayed(cluster, fault, due - this.#clock.monotonic(), signal);
      }
      if (fault.kind === 'slow') {
        subscription.limit(fault.buffer);
        await this.#until(cluster, () => !this.#faults.has(fault), signal);
        subscription.limit(Number.POSITIVE_INFINITY);
      }
    }
  }

  /**
   * Lets the end of a watch through, or not.
   *
   * @internal
   */
  async deliverEnd(cluster: string, { request, silencesBefore }: OpenWatch, signal?: AbortSignal): Promise<void> {
    const isDead = this.#silences.slice(silencesBefore).some((scope) => isInScope(request, scope));
    if (isDead) await this.#until(cluster, () => false, signal);
  }

  /**
   * Ends what is open and whatever waits, for good.
   *
   * @internal
   */
  close(): void {
    this.#closing.abort();
    this.breakOff();
  }

  /**
   * Breaks all connections that are open; new ones can be made at once.
   *
   * @internal
   */
  breakOff(): void {
    this.cut()[Symbol.dispose]();
  }

  /** What a call fails with while the network is cut. */
  refused(cluster: string): ClustersetError {
    return new ClustersetError({ code: 'Unreachable', message: 'the connection was refused (offline, on purpose)', cluster });
  }

  #bring(trouble: Trouble, scope: RequestScope): Disposable {
    const fault: Fault = { ...trouble, scope };
    this.#faults.add(fault);
    this.#lookAgain();
    return {
      [Symbol.dispose]: () => {
        this.#faults.delete(fault);
        this.#lookAgain();
      },
    };
  }

  #met(request: ClientRequest): readonly Fault[] {
    if (this.#faults.size === 0) return [];
    return [...this.#faults].filter(({ scope }) => isInScope(request, scope));
  }

  #lookAgain(): void {
    for (const look of [...this.#waiting]) look();
  }

  async #delayed(cluster: string, fault: Fault, ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms <= 0) return;
    let isOver = false;
    const cancel = this.#clock.after(ms, () => {
      isOver = true;
      this.#lookAgain();
    });
    try {
      await this.#until(cluster, () => isOver || !this.#faults.has(fault), signal);
    } finally {
      cancel();
    }
  }

  /** Waits until something holds; the network's being cut and the caller's leaving end it earlier. */
  #until(cluster: string, holds: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(look);
        signal?.removeEventListener('abort', abort);
      };
      const look = (): void => {
        if (this.isCut) {
          done();
          reject(this.refused(cluster));
        } else if (holds()) {
          done();
          resolve();
        }
      };
      const abort = (): void => {
        done();
        reject(new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster, cause: signal?.reason }));
      };
      this.#waiting.add(look);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
    });
  }
}

/** What a call fails with whose connection broke on the way. */
function broken(cluster: string): ClustersetError {
  return new ClustersetError({ code: 'Unreachable', message: 'the connection was reset (offline, on purpose)', cluster });
}
