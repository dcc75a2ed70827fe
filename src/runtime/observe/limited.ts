/** What stands in a label where there are more values than there may be (controller-runtime). */
export const EXCEEDED = 'exceeded_cardinality_limit';

/** Lets in so many different values, and no more: each value of a label costs whoever stores the series. */
export class Limited {
  readonly #most: number;
  readonly #values = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a value is one of those that are let in; it becomes one while there is room. */
  admit(value: string): boolean {
    if (this.#values.has(value)) return true;
    if (this.#values.size >= this.#most) return false;
    this.#values.add(value);
    return true;
  }

  /** Makes room again. */
  release(value: string): void {
    this.#values.delete(value);
  }
}
