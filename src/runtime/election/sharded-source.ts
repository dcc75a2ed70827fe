import type { ClusterSource } from '../../kube/plain/index.ts';
import { newestValues } from '../newest-values.ts';
import type { Fence } from './fence.ts';

/** The part of `Shards` that says for which clusters one may act. */
export interface Ownership {
  /** The right to act for a cluster; `undefined` where there is none. */
  owns(cluster: string): Fence | undefined;
  /** Calls back whenever that may have changed; returns how to stop. */
  onChange(listener: () => void): () => void;
  /** Ends the right to act for a cluster that there is no more. */
  disown(cluster: string): void;
}

/**
 * The clusters of a source for which this replica may act, so that a `ClusterSet` engages them when they come to it, and releases them when they
 * go. A cluster that went and came back between two looks is left out once, so that it is engaged anew, behind its new fence.
 *
 * ```ts
 * const set = new ClusterSet({
 *   source: shardedSource(source, shards),
 *   connect: (entry) => fenced(connect(entry), shards.fence(entry.name)),
 * });
 * ```
 */
export function shardedSource<Entry extends { readonly name: string }>(
  source: ClusterSource<Entry>,
  shards: Ownership,
): ClusterSource<Entry> {
  return { watch: (signal) => owned(source, shards, signal as globalThis.AbortSignal) };
}

async function* owned<Entry extends { readonly name: string }>(
  source: ClusterSource<Entry>,
  shards: Ownership,
  signal: AbortSignal,
): AsyncGenerator<readonly Entry[]> {
  const memberships = newestValues<Membership<Entry>>(async (say, stopping) => {
    let newest: Membership<Entry> | undefined;
    const stop = shards.onChange(() => {
      if (newest !== undefined) say(newest);
    });
    try {
      for await (const entries of source.watch(stopping)) {
        newest = { entries };
        say(newest);
      }
      // What has said its last word is still divided.
      if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
    } finally {
      stop();
    }
  }, signal);
  let said: Said<Entry> | undefined;
  for await (const { entries } of memberships) {
    const now = { entries, fences: fencesOf(entries, shards, said) };
    yield* changes(said, now);
    said = now;
  }
}

interface Membership<Entry> {
  readonly entries: readonly Entry[];
}

/** What was said last: of these entries those with a fence. */
interface Said<Entry> extends Membership<Entry> {
  readonly fences: ReadonlyMap<string, Fence>;
}

function fencesOf<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  shards: Ownership,
  before: Said<Entry> | undefined,
): ReadonlyMap<string, Fence> {
  const names = new Set(entries.map(({ name }) => name));
  for (const name of before?.fences.keys() ?? []) if (!names.has(name)) shards.disown(name);
  const fences = new Map<string, Fence>();
  for (const name of names) {
    const fence = shards.owns(name);
    if (fence !== undefined) fences.set(name, fence);
  }
  return fences;
}

/** What is to be said: nothing where nothing has changed, and first without those whose fence is another than before. */
function* changes<Entry extends { readonly name: string }>(
  before: Said<Entry> | undefined,
  now: Said<Entry>,
): Generator<readonly Entry[]> {
  const mine = now.entries.filter(({ name }) => now.fences.has(name));
  const isAnew = ({ name }: Entry): boolean =>
    before?.fences.has(name) === true && before.fences.get(name) !== now.fences.get(name);
  if (mine.some(isAnew)) yield mine.filter((entry) => !isAnew(entry));
  if (before === undefined || before.entries !== now.entries || !haveSame(before.fences, now.fences)) yield mine;
}

function haveSame(a: ReadonlyMap<string, Fence>, b: ReadonlyMap<string, Fence>): boolean {
  return a.size === b.size && [...a].every(([name, fence]) => b.get(name) === fence);
}
