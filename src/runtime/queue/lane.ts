import type { Agenda, Due } from './agenda.ts';
import { Heap } from './heap.ts';

/** The priority of what can wait: objects of the first list, and events that change nothing (controller-runtime's `LowPriority`). */
export const LOW_PRIORITY = -100;

/** How a key is added. */
export interface Adding {
  /** 0 or less: now. */
  readonly afterMs?: number;
  /** The higher, the earlier. Default 0. */
  readonly priority?: number;
  /** What working on it costs, in shares of its cluster. Default 1. */
  readonly cost?: number;
}

/** How failures of a key hold it back. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** client-go's `DefaultTypedItemBasedRateLimiter`: 5 ms, doubled with every failure in a row, up to 1000 s. */
export const BACKOFF: Backoff = { baseMs: 5, maxMs: 1_000_000 };

/** 2 to this power is still a number, so that nothing times it is one, too. */
const MOST_DOUBLINGS = 1000;

/** The delay after so many failures in a row before this one. */
export function backoff({ baseMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(failures, MOST_DOUBLINGS));
}

/** A key of a {@link Lane}, as long as there is something to know of it. */
export class Item implements Due {
  readonly key: string;
  readonly #come: (item: Item) => void;
  at = -1;
  due = 0;
  order = 0;
  /** Where its next run stands: there is none, it is ready, it waits for its time, or it comes when this run is done. */
  next: 'none' | 'ready' | 'waiting' | 'again' = 'none';
  isWorking = false;
  priority = 0;
  cost = 1;
  /** Failures in a row. */
  failures = 0;
  /** Since when it has been ready. */
  since = 0;

  constructor(key: string, come: (item: Item) => void) {
    this.key = key;
    this.#come = come;
  }

  come(): void {
    this.#come(this);
  }
}

/**
 * The keys of one cluster, with client-go's rules for who gets them (dirty and processing) and controller-runtime's for their order (priority,
 * then first in first out):
 *
 * - However often a key is added before it is taken, it comes once; added while it is worked on, it comes once more, after it is done.
 * - Adding merges: the higher priority counts, the earlier time, and ready beats waiting.
 * - A key takes its place in line when it becomes ready, or when its priority is raised.
 *
 * It holds one entry per key, so an entry per object is the most it ever holds.
 */
export class Lane {
  readonly #agenda: Agenda;
  readonly #backoff: Backoff;
  readonly #onDue: () => void;
  readonly #items = new Map<string, Item>();
  readonly #ready = new Heap<Item>((a, b) => a.priority > b.priority || (a.priority === b.priority && a.order < b.order));
  readonly #come = (item: Item): void => {
    this.#waiting -= 1;
    this.#offer(item);
    this.#onDue();
  };
  #waiting = 0;
  #working = 0;

  /** `onDue` is called when a key has become ready by itself. */
  constructor(agenda: Agenda, delays: Backoff, onDue: () => void = () => undefined) {
    this.#agenda = agenda;
    this.#backoff = delays;
    this.#onDue = onDue;
  }

  /** Keys that can be taken. */
  get ready(): number {
    return this.#ready.size;
  }

  /** Keys that wait for their time, worked on or not. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Keys that are worked on. */
  get working(): number {
    return this.#working;
  }

  /** The key that {@link Lane.take} would hand out. */
  get top(): Item | undefined {
    return this.#ready.top;
  }

  /** Adds a key; whether it had no run ahead of it before. */
  add(key: string, { afterMs = 0, priority = 0, cost = 1 }: Adding = {}): boolean {
    const item = this.#items.get(key) ?? this.#create(key);
    const isNew = item.next === 'none';
    const isRaised = !isNew && priority > item.priority;
    const before = item.next;
    if (before === 'ready' && isRaised) this.#ready.remove(item);
    item.priority = isNew || isRaised ? priority : item.priority;
    item.cost = isNew ? cost : Math.max(cost, item.cost);
    if (before === 'ready') {
      if (isRaised) this.#stand(item);
    } else if (before !== 'again') this.#schedule(item, afterMs);
    return isNew;
  }

  /** Adds a key after a failure: later with every one in a row. */
  retry(key: string, { priority = 0, cost = 1 }: Omit<Adding, 'afterMs'> = {}): boolean {
    const item = this.#items.get(key) ?? this.#create(key);
    const afterMs = backoff(this.#backoff, item.failures);
    item.failures += 1;
    return this.add(key, { afterMs, priority, cost });
  }

  /** Forgets the failures of a key, and nothing else of it. */
  forget(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    item.failures = 0;
    this.#tidy(item);
  }

  /** Forgets all failures: what waits because of one is ready at once. Looks at each key, so it is for rare moments. */
  forgive(): void {
    for (const item of this.#items.values()) {
      if (item.failures === 0) continue;
      item.failures = 0;
      if (item.next === 'waiting') {
        this.#unschedule(item);
        this.#offer(item);
      }
      this.#tidy(item);
    }
  }

  /** Hands out the first key; it comes to nobody else before {@link Lane.done}. */
  take(): Item | undefined {
    const item = this.#ready.pop();
    if (item === undefined) return undefined;
    item.next = 'none';
    item.isWorking = true;
    this.#working += 1;
    return item;
  }

  /** The work on a key is over. Nothing happens for a key that nobody has. */
  done(key: string): void {
    const item = this.#items.get(key);
    if (!item?.isWorking) return;
    item.isWorking = false;
    this.#working -= 1;
    if (item.next === 'again') this.#stand(item);
    this.#tidy(item);
  }

  /** Forgets a key in every way but that it is worked on. */
  remove(key: string): void {
    const item = this.#items.get(key);
    if (item !== undefined) this.#remove(item);
  }

  /** Forgets all keys in every way but that they are worked on. */
  clear(): void {
    for (const item of this.#items.values()) this.#remove(item);
  }

  #create(key: string): Item {
    const item = new Item(key, this.#come);
    this.#items.set(key, item);
    return item;
  }

  #schedule(item: Item, afterMs: number): void {
    const due = afterMs > 0 ? this.#agenda.now() + afterMs : 0;
    if (item.next === 'waiting') {
      if (afterMs > 0 && item.due <= due) return;
      this.#unschedule(item);
    }
    if (afterMs > 0) {
      item.next = 'waiting';
      this.#waiting += 1;
      this.#agenda.put(item, due);
    } else this.#offer(item);
  }

  #unschedule(item: Item): void {
    this.#agenda.drop(item);
    this.#waiting -= 1;
  }

  /** Its time has come: it can be taken, or comes when the work on it is done. */
  #offer(item: Item): void {
    if (item.isWorking) item.next = 'again';
    else this.#stand(item);
  }

  /** Goes to the end of the line of its priority. A raise doesn't make it wait for a shorter time. */
  #stand(item: Item): void {
    if (item.next !== 'ready') item.since = this.#agenda.now();
    item.next = 'ready';
    item.order = this.#agenda.ticket();
    this.#ready.push(item);
  }

  #remove(item: Item): void {
    if (item.next === 'ready') this.#ready.remove(item);
    if (item.next === 'waiting') this.#unschedule(item);
    item.next = 'none';
    item.failures = 0;
    this.#tidy(item);
  }

  #tidy(item: Item): void {
    if (item.next === 'none' && !item.isWorking && item.failures === 0) this.#items.delete(item.key);
  }
}
