import type { Clock } from '../clock.ts';

/** What {@link fanOut} works on. */
export interface FanOutOptions {
  /** How many pieces of work there are; they are numbered from 0. */
  readonly count: number;
  /** Never rejects. */
  readonly work: (index: number) => Promise<void>;
  /** How many places there are. */
  readonly concurrency: number;
  /** After this time a piece of work that goes on loses its place. */
  readonly holdMs: number;
  readonly clock: Clock;
  /** Nothing is begun any more when it fires. */
  readonly signal: AbortSignal;
}

/**
 * Works on many pieces, some at the same time, in their order. Whoever takes longer than `holdMs` goes on, but somebody else begins in its
 * place: so those that hang hold up the others by a bounded time. Resolves when all that were begun are done.
 */
export function fanOut({ count, work, concurrency, holdMs, clock, signal }: FanOutOptions): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    let working = 0;
    let taken = 0;
    const begin = (): void => {
      while (taken < concurrency && next < count && !signal.aborted) one(next++);
      if (working === 0) resolve();
    };
    const one = (index: number): void => {
      let hasPlace = true;
      taken += 1;
      working += 1;
      const giveBack = (): void => {
        if (!hasPlace) return;
        hasPlace = false;
        taken -= 1;
      };
      const cancel = clock.after(holdMs, () => {
        giveBack();
        begin();
      });
      void work(index).finally(() => {
        cancel();
        giveBack();
        working -= 1;
        begin();
      });
    };
    begin();
  });
}
