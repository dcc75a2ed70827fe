interface Link<T> {
  readonly value: T;
  next?: Link<T>;
}

/** First in, first out; both cost the same however many there are. */
export class Fifo<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  push(value: T): void {
    const link: Link<T> = { value };
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
  }

  shift(): T | undefined {
    const first = this.#first;
    this.#first = first?.next;
    if (this.#first === undefined) this.#last = undefined;
    return first?.value;
  }
}
