import type { Cancel, Clock } from '../../runtime/time/index.ts';

/**
 * What is to be looked at, and when: each key once, at the earliest time that anybody asked for. One timer serves them all. `work` may say
 * after how many milliseconds it wants to look at the same key again.
 */
export class Agenda {
  readonly #clock: Clock;
  readonly #work: (key: string) => number | undefined;
  readonly #due = new Map<string, number>();
  #timer: { readonly due: number; readonly cancel: Cancel } | undefined;
  #isStopped = false;

  constructor(clock: Clock, work: (key: string) => number | undefined) {
    this.#clock = clock;
    this.#work = work;
  }

  add(key: string, delayMs = 0): void {
    if (this.#isStopped) return;
    const due = this.#clock.monotonic() + delayMs;
    const known = this.#due.get(key);
    if (known !== undefined && known <= due) return;
    this.#due.set(key, due);
    this.#wakeAt(due);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#due.clear();
  }

  #wakeAt(due: number): void {
    if (this.#timer !== undefined && this.#timer.due <= due) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#run());
    this.#timer = { due, cancel };
  }

  #run(): void {
    const now = this.#clock.monotonic();
    // A timer of the machine may fire a fraction of a millisecond early.
    const ready = [...this.#due].filter(([, due]) => due - now < 1).map(([key]) => key);
    this.#timer = undefined;
    for (const key of ready) this.#due.delete(key);
    for (const key of ready) {
      if (this.#isStopped) return;
      const again = this.#work(key);
      if (again !== undefined) this.add(key, Math.max(1, again));
    }
    const next = Math.min(...this.#due.values());
    if (Number.isFinite(next)) this.#wakeAt(next);
  }
}
