import {
  type AnyObject,
  type ClusterReader,
  ClustersetError,
  type ClusterWatcher,
  hasCode,
  isAborted,
  isClustersetError,
  isExpired,
  isNotServed,
  type ResourceType,
} from '../../kube/plain/index.ts';
import { type Clock, sleep } from '../clock.ts';
import type { ObjectCache } from './object-cache.ts';

/** What {@link reflect} takes. */
export interface ReflectOptions {
  readonly cluster: ClusterReader & ClusterWatcher;
  readonly type: ResourceType;
  readonly cache: ObjectCache;
  readonly clock: Clock;
  /** Numbers from 0 up to 1: spreads retries and time-outs. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly labelSelector?: string | undefined;
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string | undefined;
  /** Whether a type that isn't served any more has no objects any more. Default true. */
  readonly emptyWhenNotServed?: boolean;
  /** Is told when the cache is filled, and why it isn't. */
  readonly onState?: (state: ReflectorState) => void;
}

/** How far a reflector is. */
export type ReflectorState = { readonly synced: true } | { readonly synced: false; readonly error: unknown };

/** Delays after failures (client-go's reflector): 800 ms, doubled up to 30 s, each up to twice as long by chance; forgotten after 2 min. */
const FIRST_DELAY_MS = 800;
const LONGEST_DELAY_MS = 30_000;
const FORGET_AFTER_MS = 120_000;
/** A type that isn't served yet is often about to be: its CRD was just applied. */
const NOT_SERVED_DELAY_MS = 250;
const NOT_SERVED_LONGEST_MS = 10_000;
/** A watch that ends sooner, and brings nothing, counts as a failure. */
const SHORTEST_USE_MS = 1000;
/** How long a watch is asked to last: from five to ten minutes, so that not all end at once. */
const SHORTEST_WATCH_S = 300;

/**
 * Keeps a cache like its cluster until the signal fires: lists once, then watches; after a break it watches on where it was, and lists again
 * where the history is gone. Nothing ends it but the signal.
 */
export async function reflect(options: ReflectOptions): Promise<void> {
  const { signal } = options;
  const reflector = new Reflector(options);
  while (!signal.aborted) {
    try {
      await reflector.listAndWatch();
    } catch (error) {
      // A connection that was closed never answers again.
      if (signal.aborted || isAborted(error)) return;
      await reflector.waitAfter(error);
    }
  }
}

class Reflector {
  readonly #options: ReflectOptions;
  /** Where a watch goes on; empty before the first list. */
  #version = '';
  /** Whether versions from before are of no use. */
  #lost = false;
  #failures = 0;
  #lastFailure = 0;
  /** How often in a row the history was gone, with nothing to be seen in between. */
  #timesGone = 0;
  /** Whether the last thing said was that the cache is like the cluster. */
  #isInStep = false;

  constructor(options: ReflectOptions) {
    this.#options = options;
  }

  async listAndWatch(): Promise<void> {
    if (this.#version === '' || this.#lost) await this.#list();
    const { clock, signal } = this.#options;
    const started = clock.monotonic();
    const events = await this.#watch();
    // A server that ends watches at once would be asked without end.
    const isUseless = events === 0 && clock.monotonic() - started < SHORTEST_USE_MS;
    if (isUseless) await sleep(clock, this.#delay(false), signal).catch(() => undefined);
  }

  async #list(): Promise<void> {
    const { cluster, type, cache, signal, labelSelector, namespace, onState } = this.#options;
    // What a server remembers will do for the first time; after a break only the newest.
    const resourceVersion = this.#version === '' && !this.#lost ? '0' : undefined;
    const list = await cluster.list<AnyObject>(type, { signal, labelSelector, namespace, resourceVersion });
    cache.replace(list.items, list.resourceVersion);
    this.#version = list.resourceVersion;
    this.#lost = false;
    this.#isInStep = true;
    onState?.({ synced: true });
  }

  /** Something was seen after a break: the cache is like the cluster again. */
  #progress(version: string): void {
    const { cluster, cache, onState } = this.#options;
    if (Number(version) < Number(this.#version)) {
      // Versions never go back, unless the cluster was restored from a backup.
      throw new ClustersetError({ code: 'Expired', message: 'its versions have gone back', cluster: cluster.name });
    }
    this.#version = version;
    this.#timesGone = 0;
    cache.advance(version);
    if (this.#isInStep) return;
    this.#isInStep = true;
    onState?.({ synced: true });
  }

  /** Returns how many events came. */
  async #watch(): Promise<number> {
    let events = 0;
    const { cluster, type, cache, signal, labelSelector, namespace, random } = this.#options;
    const timeoutSeconds = Math.round(SHORTEST_WATCH_S * (1 + random()));
    const watch = cluster.watch<AnyObject>(type, {
      signal,
      labelSelector,
      namespace,
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      timeoutSeconds,
    });
    for await (const event of watch) {
      events += 1;
      if (event.type === 'BOOKMARK') {
        this.#progress(event.resourceVersion);
        continue;
      }
      if (event.type === 'DELETED') cache.remove(event.object);
      else cache.put(event.object);
      this.#progress(event.object.metadata.resourceVersion ?? this.#version);
    }
    return events;
  }

  /** Decides where to go on after a failure, and waits as long as it takes. */
  async waitAfter(error: unknown): Promise<void> {
    const { clock, signal, cache, onState, emptyWhenNotServed = true } = this.#options;
    // Without the type there are no objects of it; but it may be away for a moment only, as behind a proxy.
    if (emptyWhenNotServed && isNotServed(error) && cache.synced) cache.replace([]);
    const isHistoryGone = isExpired(error) || isTooLarge(error);
    if (isHistoryGone || isNotServed(error)) this.#lost = true;
    if (!isHistoryGone) {
      this.#isInStep = false;
      onState?.({ synced: false, error });
    }
    // A list helps at once, once.
    const isFirstTime = isHistoryGone && this.#timesGone === 0;
    if (isHistoryGone) this.#timesGone += 1;
    const delay = isFirstTime ? 0 : this.#delay(isNotServed(error));
    await sleep(clock, Math.max(delay, retryAfterOf(error)), signal).catch(() => undefined);
  }

  #delay(isMissing: boolean): number {
    const { clock, random } = this.#options;
    const now = clock.monotonic();
    if (now - this.#lastFailure > FORGET_AFTER_MS) this.#failures = 0;
    this.#lastFailure = now;
    const [first, longest] = isMissing ? [NOT_SERVED_DELAY_MS, NOT_SERVED_LONGEST_MS] : [FIRST_DELAY_MS, LONGEST_DELAY_MS];
    const delay = Math.min(longest, first * 2 ** this.#failures);
    this.#failures += 1;
    return delay * (1 + random());
  }
}

function retryAfterOf(error: unknown): number {
  return isClustersetError(error) ? (error.retryAfterMs ?? 0) : 0;
}

/** The server is younger than our version: it was restored, or is another one. */
function isTooLarge(error: unknown): boolean {
  return hasCode(error, 'Timeout') && /too large resource version/i.test(error.detail);
}
