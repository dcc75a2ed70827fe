import type { Fence } from '../election/fence.ts';

const over = AbortSignal.abort(new Error('this process does not lead'));

/**
 * A fence that outlasts terms: it is that of the present term while there is one, and over otherwise. So a cluster that is fenced with it once can
 * be read all the time, with its caches filled, and written to in every term of ours.
 */
export class StandingFence implements Fence {
  #term: Fence | undefined;

  /** The fence of the term that begins, or none at its end. */
  set term(term: Fence | undefined) {
    this.#term = term;
  }

  get epoch(): number {
    return this.#term?.epoch ?? 0;
  }

  get expiresAt(): number {
    return this.#term?.expiresAt ?? 0;
  }

  get signal(): AbortSignal {
    return this.#term?.signal ?? over;
  }

  isValid(): boolean {
    return this.#term?.isValid() ?? false;
  }
}
