/** Something that stands in at most one {@link Heap} and knows where, so that it can be taken out of the middle. */
export interface HeapEntry {
  /** Its index in the heap; -1 outside of one. Only the heap writes it. */
  at: number;
}

/** A binary heap: the entry that comes before all others is on top. Adding and removing cost O(log n), also from the middle. */
export class Heap<T extends HeapEntry> {
  readonly #entries: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The first entry, which stays. */
  get top(): T | undefined {
    return this.#entries[0];
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#rise(entry, this.#entries.length - 1);
  }

  /** Takes the first entry out. */
  pop(): T | undefined {
    const first = this.#entries[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes an entry out, wherever it stands; nothing happens to one that isn't in the heap. */
  remove(entry: T): void {
    const { at } = entry;
    if (this.#entries[at] !== entry) return;
    entry.at = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    const above = this.#entries[(at - 1) >> 1];
    if (at > 0 && above !== undefined && this.#isBefore(last, above)) this.#rise(last, at);
    else this.#sink(last, at);
  }

  /** Moves a hole up from an index until the entry fits into it. */
  #rise(entry: T, from: number): void {
    let at = from;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = this.#entries[up];
      if (above === undefined || !this.#isBefore(entry, above)) break;
      this.#entries[at] = above;
      above.at = at;
      at = up;
    }
    this.#entries[at] = entry;
    entry.at = at;
  }

  /** Moves a hole down from an index until the entry fits into it. */
  #sink(entry: T, from: number): void {
    let at = from;
    for (;;) {
      let down = 2 * at + 1;
      let below = this.#entries[down];
      const other = this.#entries[down + 1];
      if (below === undefined) break;
      if (other !== undefined && this.#isBefore(other, below)) {
        below = other;
        down += 1;
      }
      if (!this.#isBefore(below, entry)) break;
      this.#entries[at] = below;
      below.at = at;
      at = down;
    }
    this.#entries[at] = entry;
    entry.at = at;
  }
}
