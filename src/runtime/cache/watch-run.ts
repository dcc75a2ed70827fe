import { type AnyObject, hasCode, isExpired, type WatchEvent } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import type { WatchEnd } from '../observe/facts.ts';
import { Patience } from './deadlines.ts';

/** How a watch went. */
export interface WatchOutcome {
  readonly end: WatchEnd;
  /** How many events came, bookmarks included. */
  readonly events: number;
  /** Whether it has ended so soon that to begin the next at once, again and again, would be a burden to the server. */
  readonly isBrief: boolean;
  readonly error?: unknown;
}

/** What {@link runWatch} takes. */
export interface WatchRun {
  readonly open: (signal: AbortSignal) => AsyncIterable<WatchEvent<AnyObject>>;
  /** Takes an event. What it throws ends the watch; the next event waits for what it returns. */
  readonly onEvent: (event: WatchEvent<AnyObject>, patience: Patience, signal: AbortSignal) => undefined | Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long nothing may be heard at first. */
  readonly patienceMs: number;
}

/** A watch that ends sooner, and brings nothing, counts as a failure (client-go: "very short watch"). */
export const SHORTEST_USE_MS = 1000;
/** Events that are there already are taken without a pause; others in the process have their turn after so many. */
const EVENTS_PER_TURN = 500;

/**
 * Reads a watch until it ends, breaks, falls silent, or the signal fires, and says which. It never waits for the watch itself: one that hangs is left
 * to itself.
 */
export function runWatch({ open, onEvent, clock, signal, patienceMs }: WatchRun): Promise<WatchOutcome> {
  return new Promise((resolve) => {
    const own = new AbortController();
    const started = clock.monotonic();
    let events = 0;
    let isOver = false;
    const finish = (end: WatchEnd, error?: unknown): void => {
      if (isOver) return;
      isOver = true;
      patience.stop();
      signal.removeEventListener('abort', onAbort);
      const isBrief = clock.monotonic() - started < SHORTEST_USE_MS;
      resolve({ end, events, isBrief, ...(error === undefined ? {} : { error }) });
      own.abort();
    };
    const fail = (error: unknown): void => finish(endOf(error), error);
    const onAbort = (): void => finish('stopped');
    const patience = new Patience(clock, patienceMs, () => finish('silent'));
    signal.addEventListener('abort', onAbort, { once: true });
    const take = async (event: WatchEvent<AnyObject>): Promise<void> => {
      events += 1;
      patience.sign();
      const pending = onEvent(event, patience, own.signal);
      if (pending !== undefined) await pending;
      if (events % EVENTS_PER_TURN === 0) await clock.turn();
    };
    const read = async (): Promise<void> => {
      for await (const event of open(own.signal)) {
        // What is wrong with an event is said before the stream is left: leaving it may take for ever.
        if (!isOver) await take(event).catch(fail);
        if (isOver) return;
      }
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    read().then(() => finish(events === 0 && clock.monotonic() - started < SHORTEST_USE_MS ? 'short' : 'time'), fail);
  });
}

/** The server is younger than our version: it was restored, or is another one (API: cause `ResourceVersionTooLarge`). */
export function isTooLarge(error: unknown): boolean {
  return hasCode(error, 'Timeout') && /too large resource version/i.test(error.detail);
}

function endOf(error: unknown): WatchEnd {
  return isExpired(error) || isTooLarge(error) ? 'expired' : 'failed';
}
