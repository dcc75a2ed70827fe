import type { AnyObject } from '../../kube/plain/index.ts';

/**
 * A change that a cache has seen. An object that was deleted and made anew under its name while nobody watched is one `changed` with another
 * `metadata.uid`, as in client-go: only a list brings that, a watch says both.
 */
export type CacheEvent =
  | {
      readonly type: 'added';
      readonly object: AnyObject;
      /** It was there when the cache was filled first, or when the listener came: less urgent than news. */
      readonly isInitial?: true;
    }
  | { readonly type: 'changed'; readonly object: AnyObject; readonly previous: AnyObject }
  | { readonly type: 'removed'; readonly previous: AnyObject };

/** Is told of changes, after the cache has them. */
export type CacheListener = (event: CacheEvent) => void;

/** Options of `ObjectCache.listen`. */
export interface ListenOptions {
  /** Whether the listener is first told of everything that is there, as `added`. Default false. */
  readonly replay?: boolean | undefined;
  /** Ends the listening. */
  readonly signal?: AbortSignal | undefined;
}

interface Subscription {
  readonly listener: CacheListener;
  /** The first event that is meant for it: what was before is part of what it found. */
  readonly from: number;
}

/**
 * Tells everybody everything in the order in which it happened, also where a listener sets off more: that waits until all have heard what came
 * before.
 */
export class CacheListeners {
  readonly #subscriptions = new Set<Subscription>();
  readonly #onError: (error: unknown) => void;
  #untold: CacheEvent[] = [];
  /** The number of the first event that waits. */
  #first = 0;
  #isTelling = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a listener, which is told first of the objects that there are. */
  add(listener: CacheListener, present: readonly AnyObject[], signal: AbortSignal | undefined): () => void {
    if (signal?.aborted) return () => undefined;
    const subscription = { listener, from: this.#first + this.#untold.length };
    this.#subscriptions.add(subscription);
    const stop = (): void => {
      this.#subscriptions.delete(subscription);
      signal?.removeEventListener('abort', stop);
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (present.length > 0) this.#inOrder(() => this.#replay(subscription, present));
    return stop;
  }

  tell(events: readonly CacheEvent[]): void {
    // Nobody to tell, and nobody to come in between: large lists needn't be walked.
    if (this.#subscriptions.size === 0) return;
    for (const event of events) this.#untold.push(event);
    this.#inOrder(() => undefined);
  }

  #replay(subscription: Subscription, present: readonly AnyObject[]): void {
    for (const object of present) {
      if (!this.#subscriptions.has(subscription)) return;
      this.#call(subscription.listener, { type: 'added', object, isInitial: true });
    }
  }

  #inOrder(first: () => void): void {
    if (this.#isTelling) {
      first();
      return;
    }
    this.#isTelling = true;
    try {
      first();
      for (let at = 0; at < this.#untold.length; at += 1) this.#tellAll(this.#untold[at] as CacheEvent, this.#first + at);
    } finally {
      this.#first += this.#untold.length;
      this.#untold = [];
      this.#isTelling = false;
    }
  }

  #tellAll(event: CacheEvent, number: number): void {
    for (const { listener, from } of this.#subscriptions) if (number >= from) this.#call(listener, event);
  }

  /** One listener that fails keeps nobody else from hearing. */
  #call(listener: CacheListener, event: CacheEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#onError(error);
    }
  }
}
