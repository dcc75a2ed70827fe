import { type ClusterWriter, hasCode, isRetryable, type KubeObject } from '../../kube/plain/index.ts';
import type { Cancel, Clock } from '../clock.ts';
import {
  checkedController,
  cutNote,
  cutWord,
  EVENTS,
  type EventObject,
  eventName,
  microTime,
  namespaceOfEvent,
  type ObjectPointer,
  pointerTo,
} from './event-record.ts';
import { type Observe, told } from './facts.ts';
import { Line } from './line.ts';
import { within } from './within.ts';

/** What an {@link EventRecorder} is made with. */
export interface EventRecorderOptions {
  /** Where events are written: the cluster that the objects are in. */
  readonly cluster: ClusterWriter;
  /** Who reports: a qualified name, such as `example.com/placement`. */
  readonly controller: string;
  /** Which of its processes: a host's name. The event says `<controller>-<instance>`, cut to 128 bytes. */
  readonly instance: string;
  readonly clock: Clock;
  /** From 0 up to 1: a part of the names of events. */
  readonly random: () => number;
  /** Is told `event-dropped`. */
  readonly observe?: Observe | undefined;
  /** How many events may wait to be written; more are dropped. Default 1,000. */
  readonly capacity?: number;
  /** How long {@link EventRecorder.close} may take, in milliseconds. Default 5,000. */
  readonly closeMs?: number;
}

/** Something that happened to an object, for whoever looks at it with `kubectl describe`. */
export interface RecordedEvent {
  /** What it is about; the event lives in its namespace. */
  readonly regarding: KubeObject;
  /** Another object that had a part in it. */
  readonly related?: KubeObject | undefined;
  /** Default `Normal`. */
  readonly type?: 'Normal' | 'Warning';
  /** Why, in one word for machines: `FailedPlacement`. At most 128 bytes. */
  readonly reason: string;
  /** What was done: `Place`. At most 128 bytes. Default: the reason. */
  readonly action?: string;
  /**
   * What happened, for people: at most 1,024 bytes, longer ones are cut. It is written as it is, and whoever may read events reads it: never put
   * the content of a Secret, a header or a token into it. Nothing is ever added to it.
   */
  readonly note: string;
}

/** Events that are one: the first of them, and how often it has happened. */
interface Series {
  readonly key: string;
  readonly event: Omit<EventObject, 'series'>;
  count: number;
  /** By the clock that never goes back; so is `writtenMs`. */
  lastMs: number;
  /** The same as time of day. */
  lastTime: number;
  /** How often it had happened, as the server knows; 0 while it knows nothing. */
  written: number;
  writtenMs: number;
  waits: boolean;
}

/** Whoever does the same within this time goes on with a series (client-go). */
const SERIES_MS = 360_000;
/** A series that goes on is written again after this time (client-go). */
const REFRESH_MS = 1_800_000;
const MOST_TRIES = 12;
const BETWEEN_TRIES_MS = 10_000;
const LONGEST_TRY_MS = 30_000;
/** Different events that are remembered: as many as client-go's older recorder remembers. */
const MOST_SERIES = 4096;

/**
 * Writes events of one cluster (events.k8s.io/v1), as client-go's recorder does. {@link EventRecorder.record} returns at once and never throws:
 * events wait in a line, are written one after the other, and are lost where the cluster doesn't take them. Use one recorder for each cluster:
 * then one that hangs holds up its own events only.
 *
 * The same thing happening again within 6 minutes of the last time (same type, action, reason, regarding and related object; the first note
 * stays) becomes a series: it is written with the count 2, then at most each 30 minutes, and once more when it has ended. A write that may
 * succeed later is tried 12 times, 10 s apart, while the others wait; anything else drops the event.
 *
 * What client-go does and this doesn't: an event is also tried again after an answer of 429, 500 or 503, not only where there was none.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #controller: string;
  readonly #instance: string;
  readonly #capacity: number;
  /** By key; those that happened last are at the end. */
  readonly #series = new Map<string, Series>();
  readonly #line = new Line<Series>();
  /** Ends waiting between tries, when the recorder closes. */
  readonly #hurry = new AbortController();
  /** Ends everything. */
  readonly #end = new AbortController();
  #isWriting = false;
  #writing: Promise<void> | undefined;
  #cancelSweep: Cancel | undefined;
  #closed: Promise<void> | undefined;

  /** @throws ClustersetError `Invalid` for a controller that has no qualified name. */
  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#observe = told(options.observe);
    this.#controller = checkedController(options.controller);
    this.#instance = cutWord(`${options.controller}-${options.instance}`);
    this.#capacity = options.capacity ?? 1000;
  }

  /** Takes an event and returns at once. Never throws: an event that can't be taken is dropped. */
  record(recorded: RecordedEvent): void {
    if (this.#closed !== undefined) return;
    try {
      this.#take(recorded);
    } catch (error) {
      // An object that isn't one must not end the reconcile that reports it.
      this.#drop('failed', error);
    }
  }

  /**
   * Takes no more events, and writes those that wait and what series still have to say: each is tried once more, until the signal fires or
   * `closeMs` are over. Never rejects.
   */
  close(signal?: AbortSignal): Promise<void> {
    this.#closed ??= this.#close(signal);
    return this.#closed;
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    this.#cancelSweep?.();
    for (const series of this.#series.values()) if (isUntold(series)) this.#enqueue(series);
    this.#hurry.abort();
    const end = (): void => this.#end.abort();
    const cancel = this.#clock.after(this.#options.closeMs ?? 5000, end);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    await this.#writing;
    cancel();
    signal?.removeEventListener('abort', end);
    this.#series.clear();
  }

  #take(recorded: RecordedEvent): void {
    const { type = 'Normal', reason, action = reason, related } = recorded;
    const regarding = pointerTo(recorded.regarding);
    const other = related === undefined ? undefined : pointerTo(related);
    const key = JSON.stringify([type, action, reason, identity(regarding), other && identity(other)]);
    const now = this.#clock.monotonic();
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastMs <= SERIES_MS) {
      this.#repeat(known, now);
      return;
    }
    if (known !== undefined) this.#finish(known);
    if (this.#line.size >= this.#capacity) {
      this.#drop('full');
      return;
    }
    const time = this.#clock.now();
    const event = this.#event({ type, reason, action, note: recorded.note }, regarding, other, time);
    const series: Series = { key, event, count: 1, lastMs: now, lastTime: time, written: 0, writtenMs: now, waits: false };
    const [oldest] = this.#series.values();
    if (oldest !== undefined && this.#series.size >= MOST_SERIES) this.#finish(oldest);
    this.#series.set(key, series);
    this.#enqueue(series);
    this.#sweepLater();
  }

  #event(
    { note, action, reason, type }: Required<Pick<RecordedEvent, 'note' | 'action' | 'reason' | 'type'>>,
    regarding: ObjectPointer,
    related: ObjectPointer | undefined,
    time: number,
  ): Series['event'] {
    // Two processes may report of one object in one millisecond.
    const chance = Math.floor(this.#options.random() * 0x1000000);
    const hex = `${Math.floor(time).toString(16)}${chance.toString(16).padStart(6, '0')}`;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: eventName(regarding.name, hex), namespace: namespaceOfEvent(regarding) },
      eventTime: microTime(time),
      reportingController: this.#controller,
      reportingInstance: this.#instance,
      action: cutWord(action),
      reason: cutWord(reason),
      type,
      note: cutNote(note),
      regarding,
      ...(related === undefined ? {} : { related }),
    };
  }

  #repeat(series: Series, now: number): void {
    series.count += 1;
    series.lastMs = now;
    series.lastTime = this.#clock.now();
    // Those that happened last stand at the end: who looks for what has ended looks at the front.
    this.#series.delete(series.key);
    this.#series.set(series.key, series);
    const isDue = series.count === 2 || now - series.writtenMs >= REFRESH_MS;
    if (isDue && this.#line.size < this.#capacity) this.#enqueue(series);
  }

  /** A series has ended: the server learns of the rest of it. */
  #finish(series: Series): void {
    this.#series.delete(series.key);
    if (!isUntold(series) || series.waits) return;
    if (this.#line.size < this.#capacity) this.#enqueue(series);
    else this.#drop('full');
  }

  #sweepLater(): void {
    if (this.#cancelSweep !== undefined) return;
    const [oldest] = this.#series.values();
    if (oldest === undefined) return;
    // A millisecond later: until then the series could have gone on.
    this.#cancelSweep = this.#clock.after(oldest.lastMs + SERIES_MS + 1 - this.#clock.monotonic(), () => {
      this.#cancelSweep = undefined;
      const now = this.#clock.monotonic();
      for (const series of this.#series.values()) {
        if (now - series.lastMs <= SERIES_MS) break;
        this.#finish(series);
      }
      this.#sweepLater();
    });
  }

  #enqueue(series: Series): void {
    if (series.waits) return;
    series.waits = true;
    this.#line.push(series);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // Whoever records several events in a row sees none of them written in between.
    await Promise.resolve();
    for (let series = this.#line.shift(); series !== undefined; series = this.#line.shift()) {
      series.waits = false;
      // It went on while it was tried again, and the server knows that already.
      if (series.written >= series.count) continue;
      await this.#deliver(series);
    }
    this.#isWriting = false;
  }

  async #deliver(series: Series): Promise<void> {
    let failure: unknown;
    for (let tries = 1; ; tries += 1) {
      // Once more also where it is tried again because the recorder closes.
      const isLast = tries >= MOST_TRIES || this.#hurry.signal.aborted;
      if (this.#end.signal.aborted) {
        this.#drop('failed', failure);
        return;
      }
      const { count, lastTime } = series;
      try {
        const write = (signal: AbortSignal): Promise<void> => this.#write(series, { count, lastTime }, signal);
        await within(this.#clock, LONGEST_TRY_MS, write, this.#end.signal);
        series.written = count;
        series.writtenMs = this.#clock.monotonic();
        // It went on while it was written, and nobody comes back to it any more.
        if (this.#closed !== undefined && isUntold(series)) this.#enqueue(series);
        return;
      } catch (error) {
        failure = error;
        if (isLast || !isRetryable(error)) {
          series.writtenMs = this.#clock.monotonic();
          this.#drop('failed', error);
          return;
        }
      }
      await this.#pause();
    }
  }

  /** Waits for the next try, or until there is no more time to wait. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#hurry.signal.aborted) {
        resolve();
        return;
      }
      const go = (): void => {
        cancel();
        this.#hurry.signal.removeEventListener('abort', go);
        resolve();
      };
      const cancel = this.#clock.after(BETWEEN_TRIES_MS, go);
      this.#hurry.signal.addEventListener('abort', go, { once: true });
    });
  }

  async #write(series: Series, { count, lastTime }: Pick<Series, 'count' | 'lastTime'>, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    const { name, namespace = 'default' } = series.event.metadata;
    const more = count > 1 ? { series: { count, lastObservedTime: microTime(lastTime) } } : {};
    const patch = (): Promise<unknown> => cluster.patch(EVENTS, { name, namespace }, { type: 'merge', body: more }, { signal });
    if (series.written > 0) {
      try {
        await patch();
        return;
      } catch (error) {
        // Servers forget events after a while: then it is written anew.
        if (!hasCode(error, 'NotFound')) throw error;
      }
    }
    try {
      await cluster.create(EVENTS, { ...series.event, ...more }, { signal });
    } catch (error) {
      // An earlier try got through, and its answer didn't: names are as good as unique.
      if (!hasCode(error, 'AlreadyExists')) throw error;
      if (count > 1) await patch();
    }
  }

  #drop(reason: 'full' | 'failed', error?: unknown): void {
    const why = error === undefined ? {} : { error };
    this.#observe({ fact: 'event-dropped', cluster: this.#options.cluster.name, reason, ...why });
  }
}

/** Whether the server knows less of a series than there is. An event that could not even be created isn't followed up. */
function isUntold({ count, written }: Series): boolean {
  return written > 0 && count > written;
}

/** What makes two objects the same for a series: one of another version is still the same. */
function identity({ apiVersion, kind, namespace, name, uid }: ObjectPointer): readonly unknown[] {
  return [apiVersion, kind, namespace, name, uid];
}
