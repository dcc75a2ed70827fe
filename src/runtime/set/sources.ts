import type { ClusterSource } from '../../kube/plain/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { newestValues } from '../newest-values.ts';
import { followSource } from './follow-source.ts';

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

/**
 * Several sources as one. A source that fails is asked again, and what it said last counts until then: not to know isn't the same as to know
 * of nobody.
 */
export function combineSources<Entry extends { readonly name: string }>(
  options: CombineSourcesOptions<Entry>,
): ClusterSource<Entry> {
  const { sources, combine, partial = false, clock = systemClock, onError } = options;
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
        const following = sources.map((source, index) =>
          followSource(source, {
            clock,
            signal: stopping,
            onEntries: (entries) => update(index, entries),
            onError: (error) => onError?.(index, error),
          }),
        );
        await Promise.all(following);
      }, signal as globalThis.AbortSignal),
  };
}

/** A source that never changes. */
export function staticSource<Entry extends { readonly name: string }>(entries: readonly Entry[]): ClusterSource<Entry> {
  return {
    async *watch(signal) {
      yield entries;
      await new Promise<void>((resolve) => {
        const stop = signal as globalThis.AbortSignal;
        if (stop.aborted) resolve();
        else stop.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
