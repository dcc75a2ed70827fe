/** First in, first out, at the same cost however many wait: `shift` of a long array moves all the others. */
export class Line<T> {
  #incoming: T[] = [];
  /** The other way round: its last is the next. */
  #outgoing: T[] = [];

  get size(): number {
    return this.#incoming.length + this.#outgoing.length;
  }

  push(item: T): void {
    this.#incoming.push(item);
  }

  shift(): T | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.reverse();
      this.#incoming = [];
    }
    return this.#outgoing.pop();
  }
}
