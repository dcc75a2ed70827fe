import type { Clock } from '../clock.ts';
import { Agenda } from './agenda.ts';
import { Fifo } from './fifo.ts';
import { Lane } from './lane.ts';

/** What a {@link WorkQueue} is made with. */
export interface WorkQueueOptions {
  readonly clock: Clock;
  /** First delay of {@link WorkQueue.retry}, doubled with every failure in a row. Default 5 ms (client-go). */
  readonly retryBaseMs?: number;
  /** Longest delay. Default 60 s. */
  readonly retryMaxMs?: number;
}

/**
 * Keys that wait for work (client-go's work queue, with the order of controller-runtime's priority queue). A key is handed out to one worker at
 * a time; however often it is added meanwhile, it comes once more; among different keys of the same priority the first added is the first
 * handed out. Adding never blocks: the queue holds one entry per key, so it never grows beyond the number of objects.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #lane: Lane;
  readonly #takers = new Fifo<(key: string | undefined) => void>();
  #idlers: (() => void)[] = [];
  #closed = false;

  constructor({ clock, retryBaseMs = 5, retryMaxMs = 60_000 }: WorkQueueOptions) {
    this.#clock = clock;
    const agenda = new Agenda(clock, () => this.#hand());
    this.#lane = new Lane(agenda, { baseMs: retryBaseMs, maxMs: retryMaxMs });
  }

  /** The clock of its delays. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Keys that are ready or worked on; those that wait for their time don't count. */
  get busy(): number {
    return this.#lane.ready + this.#lane.working;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#lane.waiting;
  }

  /**
   * Adds a key, now or later. Of two times the earlier counts, of two priorities the higher: keys of a higher priority come first, whenever they
   * were added. A priority that is raised puts the key at the end of the line of its new priority. Default priority 0.
   */
  add(key: string, afterMs = 0, { priority = 0 }: { readonly priority?: number } = {}): void {
    if (this.#closed) return;
    this.#lane.add(key, { afterMs, priority });
    this.#hand();
  }

  /** Adds a key again after a failure, later with every one in a row. */
  retry(key: string, { priority = 0 }: { readonly priority?: number } = {}): void {
    if (this.#closed) return;
    this.#lane.retry(key, { priority });
    this.#hand();
  }

  /** Forgets the failures of a key. */
  forget(key: string): void {
    this.#lane.forget(key);
  }

  /** The next key; waits for one. `undefined` when the queue is closed. Whoever takes a key must say {@link WorkQueue.done}. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  /** The key's work is over; where it was added meanwhile, it is ready again. */
  done(key: string): void {
    this.#lane.done(key);
    this.#hand();
    this.#tellIdlers();
  }

  /** Resolves when nothing is ready or worked on. */
  idle(): Promise<void> {
    if (this.busy === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
    });
  }

  /** Forgets a key in every way; if it is worked on, that goes on. */
  remove(key: string): void {
    this.#lane.remove(key);
    this.#tellIdlers();
  }

  /** Ends the queue: waiting workers get `undefined`, and nothing is added any more. */
  close(): void {
    this.#closed = true;
    this.#lane.clear();
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) taker(undefined);
    this.#tellIdlers();
  }

  #tellIdlers(): void {
    if (this.busy > 0) return;
    const idlers = this.#idlers;
    this.#idlers = [];
    for (const resolve of idlers) resolve();
  }

  #hand(): void {
    while (!this.#takers.isEmpty) {
      const item = this.#lane.take();
      if (item === undefined) return;
      this.#takers.shift()?.(item.key);
    }
  }
}
