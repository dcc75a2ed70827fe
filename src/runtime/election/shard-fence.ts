import type { Clock } from '../clock.ts';
import { type Fence, Term, watchful } from './fence.ts';

/** The right to act for one cluster: as long as the lease of the replica, unless it ends earlier. It needs no timer of its own. */
export class ShardFence implements Fence {
  readonly signal: AbortSignal;
  readonly #term: Term;
  readonly #controller = new AbortController();
  #isOver = false;

  constructor(term: Term) {
    this.#term = term;
    this.signal = watchful(this.#controller.signal, () => void this.isValid());
  }

  /** One that was never valid. */
  static over(clock: Clock): Fence {
    const term = new Term({ clock, epoch: -1, expiresAt: Number.NEGATIVE_INFINITY });
    const fence = new ShardFence(term);
    term.end('this replica does not act here');
    fence.end('this replica does not act here');
    return fence;
  }

  get epoch(): number {
    return this.#term.epoch;
  }

  get expiresAt(): number {
    return this.#term.expiresAt;
  }

  /** Where the lease is found to have run out, its owner ends this fence, too. */
  isValid(): boolean {
    return !this.#isOver && this.#term.isValid();
  }

  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.abort(new Error(reason));
  }
}
