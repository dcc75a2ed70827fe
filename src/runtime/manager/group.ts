import type { Environment, Runnable } from '../controller/environment.ts';

/** Things that run together: they are started at once, and stopped at once. */
export class Group {
  readonly #soft = new AbortController();
  readonly #hard = new AbortController();
  /** Resolves when all have ended, however they did. */
  readonly done: Promise<void>;

  /** Starts them. `onFailure` is told of one that fails; the others go on. */
  constructor(
    runnables: readonly Runnable[],
    environment: Omit<Environment, 'hard'>,
    onFailure: (runnable: Runnable, error: unknown) => void,
  ) {
    const own = { ...environment, hard: this.#hard.signal };
    this.done = Promise.all(
      runnables.map(async (runnable) => {
        try {
          await runnable.run(own, this.#soft.signal);
        } catch (error) {
          // What is ended by force may say so.
          if (!this.#hard.signal.aborted) onFailure(runnable, error);
        }
      }),
    ).then(() => undefined);
  }

  /** No new work; what is under way may finish. */
  stop(): void {
    this.#soft.abort();
  }

  /** What is under way ends, too. */
  kill(reason: unknown): void {
    this.#soft.abort();
    this.#hard.abort(reason);
  }
}
