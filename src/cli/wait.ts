import { sleep, systemClock } from '../runtime/index.ts';

/** What {@link until} takes beside the question. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Default 250. */
  readonly intervalMs?: number;
}

/** Looks again and again until there is an answer; `undefined` where the time is up. */
export async function until<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T | undefined> {
  const { timeoutMs, signal, intervalMs = 250 } = options;
  const deadline = systemClock.monotonic() + timeoutMs;
  for (;;) {
    const answer = await look();
    if (answer !== undefined || systemClock.monotonic() > deadline) return answer;
    await sleep(systemClock, intervalMs, signal);
  }
}

/** Resolves when the signal fires. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
