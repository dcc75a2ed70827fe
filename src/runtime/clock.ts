/** Ends a timer that a {@link Clock} started. */
export type Cancel = () => void;

/**
 * Time as an argument. Everything here that waits takes a clock, so that tests can drive it: `systemClock` is the machine's, and
 * `clusterset/testing` has one that stands still until it is told to go on.
 */
export interface Clock {
  /** Milliseconds since 1970: for time stamps. */
  now(): number;
  /** Milliseconds that never go back: for measuring. */
  monotonic(): number;
  /** Calls back once after `ms` milliseconds. */
  after(ms: number, callback: () => void): Cancel;
  /** Resolves when everything else that is ready to run has had its turn: for whoever works on and on. */
  turn(): Promise<void>;
}

/** Longer timers fire at once in JavaScript; longer waits are cut into pieces. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** `setTimeout` waits for a millisecond at least, and what can be set off in thousands of turns is many of them. Browsers know no other. */
const { setImmediate: soon = (callback: () => void): unknown => setTimeout(callback, 0) } = globalThis as {
  readonly setImmediate?: (callback: () => void) => unknown;
};

/** Resolves when everything that is ready to run has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    soon(resolve);
  });
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    let rest = ms;
    let timer: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      const piece = Math.min(rest, LONGEST_TIMER);
      rest -= piece;
      timer = setTimeout(rest > 0 ? wait : callback, piece);
    };
    wait();
    return () => clearTimeout(timer);
  },
  turn: nextTurn,
};

/** Resolves after `ms` milliseconds, or rejects with the signal's reason when it fires first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The last second that was asked for: most are asked for again and again. */
let last = { second: Number.NaN, text: '' };

/** RFC 3339 with seconds, as Kubernetes writes `metadata.creationTimestamp`. */
export function timestamp(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== last.second) last = { second, text: `${new Date(ms).toISOString().slice(0, 19)}Z` };
  return last.text;
}
