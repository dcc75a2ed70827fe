/** What several naive lanes share: the time, and the next place in line. */
export interface NaiveTime {
  now: number;
  places: number;
}

/** A run that is ahead of a key. */
export interface Pending {
  readonly key: string;
  priority: number;
  cost: number;
  /** When its time comes; `undefined` where it has come. */
  due: number | undefined;
  place: number;
  since: number;
}

/** The keys of a cluster as one would write them down with no thought of speed: lists, and a look at each of them. */
export class NaiveLane {
  pending: Pending[] = [];
  working: string[] = [];
  failures: Record<string, number> = {};
  readonly #time: NaiveTime;
  readonly #baseMs: number;
  readonly #maxMs: number;

  constructor(time: NaiveTime, baseMs: number, maxMs: number) {
    this.#time = time;
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  /** Keys that can be taken, the first first. */
  get ready(): readonly Pending[] {
    return this.pending
      .filter(({ key, due }) => due === undefined && !this.working.includes(key))
      .toSorted((a, b) => b.priority - a.priority || a.place - b.place);
  }

  get waiting(): readonly Pending[] {
    return this.pending.filter(({ due }) => due !== undefined);
  }

  add(key: string, afterMs: number, priority: number, cost = 1): void {
    const due = afterMs > 0 ? this.#time.now + afterMs : undefined;
    const known = this.pending.find((each) => each.key === key);
    if (known === undefined) {
      this.pending.push({ key, priority, cost, due, place: this.#place(), since: this.#time.now });
      return;
    }
    const isRaised = priority > known.priority;
    known.priority = Math.max(priority, known.priority);
    known.cost = Math.max(cost, known.cost);
    if (known.due === undefined) {
      if (isRaised) known.place = this.#place();
    } else if (due === undefined) this.come(known);
    else if (due < known.due) {
      known.due = due;
      known.place = this.#place();
    }
  }

  retry(key: string, priority: number, cost = 1): void {
    const failures = this.failures[key] ?? 0;
    this.failures[key] = failures + 1;
    let delay = this.#baseMs;
    for (let failure = 0; failure < failures; failure += 1) delay *= 2;
    this.add(key, Math.min(delay, this.#maxMs), priority, cost);
  }

  take(): Pending | undefined {
    const [first] = this.ready;
    if (first === undefined) return undefined;
    this.pending = this.pending.filter((each) => each !== first);
    this.working.push(first.key);
    return first;
  }

  done(key: string): void {
    if (!this.working.includes(key)) return;
    this.working = this.working.filter((each) => each !== key);
    const again = this.pending.find((each) => each.key === key && each.due === undefined);
    if (again !== undefined) this.come(again);
  }

  remove(key: string): void {
    this.pending = this.pending.filter((each) => each.key !== key);
    this.failures[key] = 0;
  }

  clear(): void {
    this.pending = [];
    this.failures = {};
  }

  come(pending: Pending): void {
    pending.due = undefined;
    pending.place = this.#place();
    pending.since = this.#time.now;
  }

  #place(): number {
    this.#time.places += 1;
    return this.#time.places;
  }
}
