import { type Clock, sleep } from '../clock.ts';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
/** How much longer or shorter a jittered wait may be. */
const JITTER = 0.1;

/** A wait that is up to a tenth longer or shorter: what began at the same moment spreads out. A random number of 0.5 changes nothing. */
export function jittered(ms: number, random: () => number): number {
  return ms * (1 + JITTER * (2 * random() - 1));
}

/** Waits after a failure: 1 s, doubled with every one in a row up to 30 s. Ends when the signal fires, and never rejects. */
export async function pause(clock: Clock, failures: number, signal: AbortSignal, random = (): number => 0.5): Promise<void> {
  const ms = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
  await sleep(clock, jittered(ms, random), signal).catch(() => undefined);
}
