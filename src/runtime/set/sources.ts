import type { ClusterSource } from '../../kube/plain/index.ts';
import { type Clock, sleep, systemClock } from '../clock.ts';
import { newestValues } from '../newest-values.ts';

/** What {@link combineSources} takes. */
export interface CombineSourcesOptions<Entry extends { readonly name: string }> {
  /** In the order of their precedence. */
  readonly sources: readonly ClusterSource<Entry>[];
  /** Makes one list of several: `combineEntries` of `clusterset/registry`, for one. Names must be unique in what comes out. */
  readonly combine: (lists: readonly (readonly Entry[])[]) => readonly Entry[];
  /**
   * Whether sources that have said nothing yet count as empty. Default false: nothing is said before all have spoken, because a cluster that
   * isn't named is taken for one that has left.
   */
  readonly partial?: boolean;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Is told which source failed, by its place, and why. */
  readonly onError?: (source: number, error: unknown) => void;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

/**
 * Several sources as one. A source that fails is asked again, and what it said last counts until then: not to know isn't the same as to know
 * of nobody.
 */
export function combineSources<Entry extends { readonly name: string }>(
  options: CombineSourcesOptions<Entry>,
): ClusterSource<Entry> {
  const { sources, combine, partial = false } = options;
  return {
    watch: (signal) =>
      newestValues<readonly Entry[]>(async (say, stopping) => {
        const lists: (readonly Entry[] | undefined)[] = sources.map(() => undefined);
        const update = (index: number, entries: readonly Entry[]): void => {
          lists[index] = entries;
          if (!partial && lists.includes(undefined)) return;
          say(combine(lists.map((list) => list ?? [])));
        };
        if (sources.length === 0) say(combine([]));
        await Promise.all(sources.map((source, index) => follow(source, index, update, options, stopping)));
      }, signal as globalThis.AbortSignal),
  };
}

async function follow<Entry extends { readonly name: string }>(
  source: ClusterSource<Entry>,
  index: number,
  update: (index: number, entries: readonly Entry[]) => void,
  { clock = systemClock, onError }: CombineSourcesOptions<Entry>,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      for await (const entries of source.watch(signal)) {
        failures = 0;
        update(index, entries);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      onError?.(index, error);
      await sleep(clock, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures), signal).catch(() => undefined);
    }
  }
}
