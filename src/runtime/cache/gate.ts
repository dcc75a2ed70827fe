import type { Clock } from '../clock.ts';

/** What a {@link Gate} is made with. */
export interface GateOptions {
  readonly clock: Clock;
  /** How many may be in at a time. Default 4. */
  readonly places?: number | undefined;
  /** After how long a place goes to the next, whether or not it was given back. Default 1 s. */
  readonly patienceMs?: number | undefined;
}

interface Waiter {
  readonly who: string;
  readonly enter: () => void;
}

/** Those of one cluster who wait, in their order. */
type Line = Set<Waiter>;

/**
 * Lets in a few at a time, so that a thousand clusters don't all bring their first lists at once. Clusters take turns. A place that isn't given
 * back in time goes to the next, and its holder goes on without: then its cluster waits behind all others until it has answered. So a cluster that
 * hangs costs the others one place, once, for a bounded time.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #free: number;
  readonly #lines = new Map<string, Line>();
  readonly #slowLines = new Map<string, Line>();
  /** Clusters that have kept a place for too long, and how many times they do so now. */
  readonly #slow = new Map<string, number>();

  constructor({ clock, places = 4, patienceMs = 1000 }: GateOptions) {
    this.#clock = clock;
    this.#free = places;
    this.#patienceMs = patienceMs;
  }

  /** Waits for a place. Returns how to give it back, which may be done twice. Rejects with the signal's reason. */
  enter(who: string, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#leaveLine(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        who,
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.#hold(who));
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const lines = this.#slow.has(who) ? this.#slowLines : this.#lines;
      const line = lines.get(who);
      if (line === undefined) lines.set(who, new Set([waiter]));
      else line.add(waiter);
      this.#letIn();
    });
  }

  #hold(who: string): () => void {
    let state: 'in' | 'overdue' | 'out' = 'in';
    const cancel = this.#clock.after(this.#patienceMs, () => {
      state = 'overdue';
      this.#suspect(who, 1);
      this.#giveBack();
    });
    return () => {
      const before = state;
      state = 'out';
      if (before === 'overdue') this.#suspect(who, -1);
      if (before !== 'in') return;
      cancel();
      this.#giveBack();
    };
  }

  #giveBack(): void {
    this.#free += 1;
    this.#letIn();
  }

  #suspect(who: string, by: number): void {
    const times = (this.#slow.get(who) ?? 0) + by;
    if (times > 0) this.#slow.set(who, times);
    else this.#slow.delete(who);
    const [from, to] = times > 0 ? [this.#lines, this.#slowLines] : [this.#slowLines, this.#lines];
    const line = from.get(who);
    if (line === undefined) return;
    from.delete(who);
    to.set(who, line);
  }

  #letIn(): void {
    while (this.#free > 0) {
      const waiter = nextOf(this.#lines) ?? nextOf(this.#slowLines);
      if (waiter === undefined) return;
      this.#free -= 1;
      waiter.enter();
    }
  }

  #leaveLine(waiter: Waiter): void {
    for (const lines of [this.#lines, this.#slowLines]) {
      const line = lines.get(waiter.who);
      if (line?.delete(waiter) && line.size === 0) lines.delete(waiter.who);
    }
  }
}

/** The first of the line whose turn it is; the line goes to the end. */
function nextOf(lines: Map<string, Line>): Waiter | undefined {
  for (const [who, line] of lines) {
    lines.delete(who);
    for (const waiter of line) {
      line.delete(waiter);
      if (line.size > 0) lines.set(who, line);
      return waiter;
    }
  }
  return undefined;
}
