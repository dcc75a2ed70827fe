import type { Cancel, Clock } from '../clock.ts';

/** What a {@link WorkQueue} is made with. */
export interface WorkQueueOptions {
  readonly clock: Clock;
  /** First delay of {@link WorkQueue.retry}, doubled with every failure in a row. Default 5 ms (client-go). */
  readonly retryBaseMs?: number;
  /** Longest delay. Default 60 s. */
  readonly retryMaxMs?: number;
}

/**
 * Keys that wait for work (client-go's work queue). A key is handed out to one worker at a time; however often it is added meanwhile, it comes
 * once more; among different keys the first added is the first handed out.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { readonly due: number; readonly cancel: Cancel }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idlers: (() => void)[] = [];
  #closed = false;

  constructor({ clock, retryBaseMs = 5, retryMaxMs = 60_000 }: WorkQueueOptions) {
    this.#clock = clock;
    this.#baseMs = retryBaseMs;
    this.#maxMs = retryMaxMs;
  }

  /** The clock of its delays. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Keys that are ready or worked on; those that wait for their time don't count. */
  get busy(): number {
    return this.#ready.size + this.#working.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Adds a key, now or later. Of two times the earlier counts. */
  add(key: string, afterMs = 0): void {
    if (this.#closed) return;
    if (afterMs > 0) {
      this.#addLater(key, afterMs);
      return;
    }
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#hand();
  }

  /** Adds a key again after a failure, later with every one in a row. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.add(key, Math.min(this.#maxMs, this.#baseMs * 2 ** failures));
  }

  /** Forgets the failures of a key. */
  forget(key: string): void {
    this.#failures.delete(key);
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
    this.#working.delete(key);
    if (this.#again.delete(key) && !this.#closed) {
      this.#ready.add(key);
      this.#hand();
    }
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
    this.#ready.delete(key);
    this.#again.delete(key);
    this.#failures.delete(key);
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
    this.#tellIdlers();
  }

  /** Ends the queue: waiting workers get `undefined`, and nothing is added any more. */
  close(): void {
    this.#closed = true;
    this.#ready.clear();
    this.#again.clear();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    this.#tellIdlers();
  }

  #tellIdlers(): void {
    if (this.busy === 0) for (const resolve of this.#idlers.splice(0)) resolve();
  }

  #addLater(key: string, afterMs: number): void {
    if (this.#ready.has(key) || this.#again.has(key)) return;
    const due = this.#clock.monotonic() + afterMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined && waiting.due <= due) return;
    waiting?.cancel();
    const cancel = this.#clock.after(afterMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, cancel });
  }

  #hand(): void {
    while (this.#takers.length > 0 && this.#ready.size > 0) {
      const [key] = this.#ready;
      if (key === undefined) return;
      this.#ready.delete(key);
      this.#working.add(key);
      this.#takers.shift()?.(key);
    }
  }
}
