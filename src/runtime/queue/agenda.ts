import type { Cancel, Clock } from '../clock.ts';
import { Heap, type HeapEntry } from './heap.ts';

/** Something whose time will come. */
export interface Due extends HeapEntry {
  /** When, on the monotonic clock. */
  due: number;
  /** Its place among those of the same time. */
  order: number;
  /** Is called when the time has come; the entry isn't on the agenda any more. */
  come(): void;
}

/** What is due when, for any number of entries with one timer. */
export class Agenda {
  readonly #clock: Clock;
  readonly #onCome: () => void;
  readonly #entries = new Heap<Due>((a, b) => a.due < b.due || (a.due === b.due && a.order < b.order));
  #orders = 0;
  /** Never later than the first entry, sometimes earlier: a timer that comes too early costs less than one that is set anew each time. */
  #timer: { readonly due: number; readonly cancel: Cancel } | undefined;

  /** `onCome` is called once after all that was due at the same time. */
  constructor(clock: Clock, onCome: () => void) {
    this.#clock = clock;
    this.#onCome = onCome;
  }

  now(): number {
    return this.#clock.monotonic();
  }

  /** A number that is higher than all before: a place in a line. */
  ticket(): number {
    this.#orders += 1;
    return this.#orders;
  }

  /** Puts down an entry that isn't on the agenda. */
  put(entry: Due, due: number): void {
    entry.due = due;
    entry.order = this.ticket();
    this.#entries.push(entry);
    this.#wake(due);
  }

  /** Strikes an entry off; nothing happens to one that isn't there. */
  drop(entry: Due): void {
    this.#entries.remove(entry);
    if (this.#entries.size === 0) this.#rest();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wake(due: number): void {
    if (this.#timer !== undefined && this.#timer.due <= due) return;
    this.#timer?.cancel();
    this.#timer = { due, cancel: this.#clock.after(Math.max(0, due - this.now()), () => this.#come(due)) };
  }

  /** The timer has the last word on whether a time has come: machines' timers fire a fraction of a millisecond early. */
  #come(due: number): void {
    this.#timer = undefined;
    const until = Math.max(due, this.now());
    for (let first = this.#entries.top; first !== undefined && first.due <= until; first = this.#entries.top) {
      this.#entries.remove(first);
      first.come();
    }
    if (this.#entries.top !== undefined) this.#wake(this.#entries.top.due);
    this.#onCome();
  }
}
