import type { ClusterSource } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { patiently } from '../patiently.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { pause } from './back-off.ts';

/** How a source is followed. */
export interface FollowSourceOptions<Entry> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly random?: (() => number) | undefined;
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly onError: (error: unknown) => void;
}

/** A source that takes longer to end is left to itself. */
const END_PATIENCE_MS = 10_000;

/**
 * Passes on what a source says until the signal fires, whether the source minds it or not. A source that fails is asked again, less and less
 * often; so is one that ends without a word, because not to know isn't the same as to know of nobody. One that ends after it has said something
 * has said its last word.
 */
export async function followSource<Entry extends { readonly name: string }>(
  source: ClusterSource<Entry>,
  { clock, signal, random, onEntries, onError }: FollowSourceOptions<Entry>,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      let hasSpoken = false;
      await readUntil(source, clock, signal, (entries) => {
        hasSpoken = true;
        failures = 0;
        onEntries(entries);
      });
      if (hasSpoken || signal.aborted) return;
      throw new Error('the source of clusters has ended without a word');
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await pause(clock, failures, signal, random);
    }
  }
}

async function readUntil<Entry extends { readonly name: string }>(
  source: ClusterSource<Entry>,
  clock: Clock,
  signal: AbortSignal,
  onEntries: (entries: readonly Entry[]) => void,
): Promise<void> {
  const iterator = source.watch(signal)[Symbol.asyncIterator]();
  // One that ended by itself, or threw, is not told to end.
  let isOver = false;
  const step = async (): Promise<IteratorResult<readonly Entry[]>> => {
    try {
      const next = await iterator.next();
      isOver = next.done === true;
      return next;
    } catch (error) {
      isOver = true;
      throw error;
    }
  };
  try {
    for (;;) {
      const coming = step();
      // Nobody may wait for it any more.
      coming.catch(() => undefined);
      const next = await unlessAborted(() => coming, signal);
      if (signal.aborted || next.done) return;
      onEntries(next.value);
    }
  } finally {
    // A generator ends when it has come to its next step, which it may never do.
    const end = async (): Promise<void> => void (isOver || (await iterator.return?.()));
    const overdue = (): Error => new Error('the source of clusters did not end');
    await patiently(end, { clock, ms: END_PATIENCE_MS, overdue }).catch(() => undefined);
  }
}
