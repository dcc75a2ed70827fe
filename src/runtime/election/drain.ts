import type { Clock } from '../clock.ts';

/** What a {@link Drain} is made with. */
export interface DrainOptions {
  readonly clock: Clock;
  /** How long what was broken off has to arrive, at least. */
  readonly marginMs: number;
  /** How long work may take to end, at most: then it is left to itself, as if the lease had run out. */
  readonly patienceMs: number;
  /** Is called when everything has ended. */
  readonly onDone: () => void;
}

/** Waits for the end of work that was told to stop, and a little longer, for writes that were broken off on their way. */
export class Drain {
  readonly #options: DrainOptions;
  #running = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#running === 0;
  }

  /** Work has been told to stop; the promises say when it has ended, however it has. */
  begin(work: readonly Promise<unknown>[]): void {
    const { clock, marginMs, patienceMs, onDone } = this.#options;
    this.#running += 1;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      cancel();
      this.#running -= 1;
      if (this.isOver) onDone();
    };
    const cancel = clock.after(Math.max(marginMs, patienceMs), done);
    const margin = new Promise<void>((resolve) => void clock.after(marginMs, resolve));
    void Promise.allSettled([...work, margin]).then(done);
  }
}
