/** One event, and who is to hear of it: whoever listened when it happened. */
interface News<Event> {
  readonly event: Event;
  readonly listeners: readonly ((event: Event) => void)[];
}

/**
 * Tells listeners what happens, to each in the order in which it happened, also where a listener sets off the next event. One that throws keeps
 * nobody else from hearing.
 */
export class Announcer<Event> {
  readonly #onError: (event: Event, error: unknown) => void;
  readonly #listeners = new Set<(event: Event) => void>();
  #pending: News<Event>[] = [];
  #isTelling = false;

  constructor(onError: (event: Event, error: unknown) => void) {
    this.#onError = onError;
  }

  /** Tells a new listener what is there, and from now on what happens. Returns how to stop that. */
  listen(listener: (event: Event) => void, present: readonly Event[]): () => void {
    // The same function may listen twice, and stop once.
    const own = (event: Event): void => listener(event);
    this.#listeners.add(own);
    if (present.length > 0) this.#enqueue(present.map((event) => ({ event, listeners: [own] })));
    return () => this.#listeners.delete(own);
  }

  tell(event: Event): void {
    if (this.#listeners.size > 0) this.#enqueue([{ event, listeners: [...this.#listeners] }]);
  }

  #enqueue(news: readonly News<Event>[]): void {
    for (const each of news) this.#pending.push(each);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      for (const { event, listeners } of batch) this.#pass(event, listeners);
    }
    this.#isTelling = false;
  }

  #take(): readonly News<Event>[] {
    const batch = this.#pending;
    this.#pending = [];
    return batch;
  }

  #pass(event: Event, listeners: readonly ((event: Event) => void)[]): void {
    for (const listener of listeners) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#onError(event, error);
      }
    }
  }
}
