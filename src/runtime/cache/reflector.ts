import {
  type AnyObject,
  type ClusterReader,
  ClustersetError,
  type ClusterWatcher,
  isAborted,
  isClustersetError,
  isNotServed,
  qualifiedPlural,
  type ResourceType,
  type WatchEvent,
} from '../../kube/plain/index.ts';
import { type Clock, sleep } from '../clock.ts';
import { type ListReason, type Observe, told } from '../observe/facts.ts';
import { BackOff } from './back-off.ts';
import type { Patience } from './deadlines.ts';
import type { Gate } from './gate.ts';
import { listPages } from './list-pages.ts';
import type { CacheFilling, ObjectCache } from './object-cache.ts';
import { afterList, afterStream, afterWatch, type Circumstances, type Reaction, VERSIONS_WENT_BACK } from './reactions.ts';
import { shielded } from './shielded.ts';
import { versionOrder } from './version.ts';
import { WatchListRefusals } from './watch-list-refusals.ts';
import { runWatch, SHORTEST_USE_MS, type WatchOutcome } from './watch-run.ts';

/** Timings and habits of a reflector; each has a default. */
export interface ReflectorSettings {
  /**
   * Whether objects come as a stream at first (`sendInitialEvents`, KEP-3157), which costs the server less than a list. Who refuses is asked for a
   * list. Default false, and true in shared caches.
   */
  readonly watchList?: boolean | undefined;
  /** How many objects a page has, where there are pages. Default 500. */
  readonly pageSize?: number | undefined;
  /** How long a list, or a page of one, may take. Default 60 s. */
  readonly listTimeoutMs?: number | undefined;
  /** How long a streamed list may be silent before its end. Default 60 s. */
  readonly initialSilenceMs?: number | undefined;
  /** A watch that brings neither event nor bookmark for so long is begun anew: servers send a bookmark about every minute. Default 150 s. */
  readonly silenceMs?: number | undefined;
}

/** What {@link reflect} takes. */
export interface ReflectOptions extends ReflectorSettings {
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
  /** Is told of lists and watches. */
  readonly observe?: Observe | undefined;
  /** Lets few take everything at a time; shared by many reflectors. Default: there is none. */
  readonly gate?: Gate | undefined;
  /** Remembers who refuses streamed lists; shared by many reflectors. */
  readonly refusals?: WatchListRefusals | undefined;
}

/** How far a reflector is. */
export type ReflectorState = { readonly synced: true } | { readonly synced: false; readonly error: unknown };

const PAGE_SIZE = 500;
const LIST_TIMEOUT_MS = 60_000;
const INITIAL_SILENCE_MS = 60_000;
const SILENCE_MS = 150_000;
/** Servers may ask for more time than that, as for the length of a maintenance; but it may be over sooner. */
const LONGEST_RETRY_AFTER_MS = 300_000;
/** How long a watch is asked to last: from five to ten minutes, so that not all end at once. */
const SHORTEST_WATCH_S = 300;

/**
 * Keeps a cache like its cluster until the signal fires: takes everything once, then watches; after a break it watches on where it was, and takes
 * everything anew where the history is gone. It is client-go's algorithm, with deadlines: a connection that nothing comes over any more is
 * given up. Nothing ends it but the signal, and a connection that was closed.
 */
export async function reflect(options: ReflectOptions): Promise<void> {
  const { signal, clock } = options;
  const reflector = new Reflector(options);
  while (!signal.aborted && !reflector.isClosed) {
    const pauseMs = await reflector.round();
    if (pauseMs > 0) await sleep(clock, pauseMs, signal).catch(() => undefined);
  }
}

class Reflector {
  readonly #options: ReflectOptions;
  readonly #observe: Observe;
  readonly #onState: (state: ReflectorState) => void;
  readonly #backOff: BackOff;
  readonly #refusals: WatchListRefusals;
  readonly #resource: string;
  /** Where a watch goes on; empty before the first list. */
  #version = '';
  /** How everything is to be taken before the next watch; `watch` where it needn't be. */
  #next: Reaction['next'] = 'relist';
  #reason: ListReason = 'first';
  #timesGone = 0;
  #timesShort = 0;
  #timesBrief = 0;
  /** Whether the last thing said was that the cache is like the cluster. */
  #isInStep = false;
  /** Whether this server has ever sent a bookmark: only then its silence says something. */
  #sendsBookmarks = false;
  /** Whether the watch began nowhere in the history: then objects that are there come first, in no order of versions. */
  #isUnordered = false;
  /** What has come of a streamed list. */
  #filling: CacheFilling | undefined;
  /** Ends the connection's part in all this: it never answers again. */
  isClosed = false;

  constructor(options: ReflectOptions) {
    this.#options = options;
    this.#observe = told(options.observe);
    this.#onState = shielded(options.onState);
    this.#backOff = new BackOff(options.clock, options.random);
    this.#refusals = options.refusals ?? new WatchListRefusals();
    this.#resource = qualifiedPlural(options.type);
  }

  /** Takes everything where that is needed, and watches once. Returns how long to wait before the next round. */
  async round(): Promise<number> {
    const { cluster, type, watchList = false } = this.#options;
    if (this.#next === 'watch') return this.#follow(undefined);
    if (watchList && !this.#refusals.has(cluster, type)) return this.#follow(this.#options.cache.filling());
    return this.#list(this.#reason);
  }

  /** Lists; the watch is the next round. */
  async #list(reason: ListReason): Promise<number> {
    const { cluster, cache, clock, signal, gate, listTimeoutMs = LIST_TIMEOUT_MS, pageSize = PAGE_SIZE } = this.#options;
    const { type, labelSelector, namespace } = this.#options;
    const filling = cache.filling();
    let leave: (() => void) | undefined;
    try {
      leave = await gate?.enter(cluster.name, signal);
      const began = clock.monotonic();
      // What a server remembers will do for the first time.
      const version = this.#next === 'newest' ? '' : this.#version || '0';
      const what = { cluster, type, labelSelector, namespace };
      const seen = await listPages({ ...what, version, pageSize, timeoutMs: listTimeoutMs, clock, signal }, filling);
      if (signal.aborted) return 0;
      this.#filled(filling, seen, reason, began);
      return 0;
    } catch (error) {
      return this.#endedBy(error) ? 0 : this.#react(afterList(error, this.#circumstances()), error);
    } finally {
      leave?.();
    }
  }

  #filled(filling: CacheFilling, version: string, reason: ListReason, began: number): void {
    const { cluster, clock } = this.#options;
    const objects = filling.size;
    filling.finish(version);
    this.#version = version;
    this.#next = 'watch';
    const durationMs = clock.monotonic() - began;
    this.#observe({ fact: 'listed', cluster: cluster.name, resource: this.#resource, reason, objects, durationMs });
    this.#isInStep = true;
    this.#isUnordered = isNowhere(version);
    this.#onState({ synced: true });
  }

  /** Watches on, or takes everything as a stream and stays with it. */
  async #follow(filling: CacheFilling | undefined): Promise<number> {
    const { cluster, clock, signal, gate, initialSilenceMs = INITIAL_SILENCE_MS, silenceMs = SILENCE_MS } = this.#options;
    const name = { cluster: cluster.name, resource: this.#resource };
    const began = clock.monotonic();
    const asked = this.#next === 'newest' ? '' : this.#version;
    const reason = this.#reason;
    const isStream = filling !== undefined;
    let leave: (() => void) | undefined;
    this.#filling = filling;
    this.#isUnordered = !isStream && isNowhere(asked);
    this.#observe({ fact: 'watch-began', ...name });
    const initial = (event: WatchEvent<AnyObject>, patience: Patience): undefined => {
      if (!this.#collect(event, asked, reason, began)) return;
      leave?.();
      patience.lasts(silenceMs);
    };
    const outcome = await runWatch({
      open: (own) => this.#open(own, asked, isStream),
      clock,
      signal,
      patienceMs: isStream ? initialSilenceMs : silenceMs,
      onEvent: (event, patience, own) => {
        if (this.#filling === undefined) return this.#take(event);
        if (leave !== undefined || gate === undefined) return initial(event, patience);
        // The server has begun to answer. Only now there is something to do, for which few have a place at a time.
        patience.lasts(Number.POSITIVE_INFINITY);
        return gate.enter(cluster.name, own).then((place) => {
          leave = place;
          if (own.aborted) {
            place();
            return;
          }
          patience.lasts(initialSilenceMs);
          initial(event, patience);
        });
      },
    });
    leave?.();
    const { error } = outcome;
    const isStopped = this.#endedBy(error);
    const end = isStopped ? 'stopped' : outcome.end;
    this.#observe({
      fact: 'watch-ended',
      ...name,
      reason: end,
      events: outcome.events,
      ...(error === undefined ? {} : { error }),
    });
    if (isStopped) return 0;
    return this.#filling === undefined ? this.#afterWatch(outcome) : this.#afterStream(outcome);
  }

  #open(signal: AbortSignal, version: string, isStream: boolean): AsyncIterable<WatchEvent<AnyObject>> {
    const { cluster, type, labelSelector, namespace, random } = this.#options;
    return cluster.watch<AnyObject>(type, {
      signal,
      labelSelector,
      namespace,
      resourceVersion: version === '' ? undefined : version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(SHORTEST_WATCH_S * (1 + random())),
      ...(isStream ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {}),
    });
  }

  /** Takes a part of a streamed list; returns whether that was its end. */
  #collect(event: WatchEvent<AnyObject>, asked: string, reason: ListReason, began: number): boolean {
    const filling = this.#filling;
    if (filling === undefined) return true;
    if (event.type !== 'BOOKMARK') {
      if (event.type === 'DELETED') filling.remove(event.object);
      else filling.add(event.object);
      return false;
    }
    const { resourceVersion, initialEventsEnd } = event;
    // It is what a plain watch sends after a minute: the server doesn't know what it was asked for.
    if (!initialEventsEnd) throw this.#error('NotImplemented', 'it does not stream lists');
    if (versionOrder(resourceVersion, asked) < 0) throw this.#wentBack();
    this.#filling = undefined;
    this.#sendsBookmarks = true;
    this.#filled(filling, resourceVersion, reason, began);
    return true;
  }

  #take(event: WatchEvent<AnyObject>): undefined {
    const { cache } = this.#options;
    if (event.type === 'BOOKMARK') {
      this.#sendsBookmarks = true;
      this.#progress(event.resourceVersion);
      return;
    }
    const { resourceVersion = this.#version } = event.object.metadata;
    const isPresent = this.#isUnordered && event.type === 'ADDED';
    if (!isPresent && versionOrder(resourceVersion, this.#version) < 0) throw this.#wentBack();
    if (event.type === 'DELETED') cache.remove(event.object);
    else cache.put(event.object);
    if (isPresent) return;
    this.#isUnordered = false;
    this.#progress(resourceVersion);
  }

  /** Something was seen, perhaps after a break: the cache is like the cluster again. */
  #progress(version: string): void {
    if (versionOrder(version, this.#version) < 0) throw this.#wentBack();
    this.#version = version;
    this.#options.cache.advance(version);
    if (this.#isInStep) return;
    this.#isInStep = true;
    this.#onState({ synced: true });
  }

  #afterWatch(outcome: WatchOutcome): number {
    const { end, events, isBrief } = outcome;
    this.#timesShort = end === 'short' ? this.#timesShort + 1 : 0;
    this.#timesBrief = end === 'time' && isBrief ? this.#timesBrief + 1 : 0;
    if (events > 0 && !isBrief) this.#timesGone = 0;
    const reaction = afterWatch(outcome, this.#circumstances());
    // Without bookmarks a quiet type is as silent as a dead connection.
    const isBlind = end === 'silent' ? this.#sendsBookmarks : reaction.isBlind;
    const error = outcome.error ?? (end === 'silent' ? this.#error('Unreachable', 'the watch has fallen silent') : undefined);
    // A server that gives no versions can't say what happened in between.
    const next = reaction.next === 'watch' && isNowhere(this.#version) ? 'relist' : reaction.next;
    return this.#react({ ...reaction, next, isBlind }, error);
  }

  #afterStream(outcome: WatchOutcome): number | Promise<number> {
    const { cluster, type } = this.#options;
    this.#filling = undefined;
    const reaction = afterStream(outcome, this.#circumstances());
    if (reaction.next !== 'list') return this.#react(reaction, outcome.error);
    if (reaction.isRefused) this.#refusals.add(cluster, type);
    return this.#list('fallback');
  }

  #circumstances(): Circumstances {
    const [timesGone, timesShort, timesBrief] = [this.#timesGone, this.#timesShort, this.#timesBrief];
    return { timesGone, timesShort, timesBrief, isNewest: this.#next === 'newest' };
  }

  /** Carries out what was decided, and returns how long to wait for it. */
  #react({ next, wait, reason, isBlind }: Reaction, error: unknown): number {
    const { cache, emptyWhenNotServed = true } = this.#options;
    // Without the type there are no objects of it; but it may be away for a moment only, as behind a proxy.
    if (emptyWhenNotServed && isNotServed(error) && cache.synced) cache.replace([]);
    if (reason === 'expired' || reason === 'restored') this.#timesGone += 1;
    // What failed on the way doesn't say why there is a list at all.
    const isNews = this.#next === 'watch' || reason !== 'broken';
    if (next !== 'watch' && this.#version !== '' && isNews) this.#reason = reason;
    this.#next = next;
    if (isBlind) {
      this.#isInStep = false;
      this.#onState({ synced: false, error });
    }
    if (wait === 'not') return 0;
    if (wait === 'pause') return SHORTEST_USE_MS;
    const delay = this.#backOff.next(wait);
    const asked = isClustersetError(error) ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(delay, Math.min(asked, LONGEST_RETRY_AFTER_MS));
  }

  /** Whether there is nothing more to do: the signal has fired, or the connection was closed. */
  #endedBy(error: unknown): boolean {
    if (!this.#options.signal.aborted && isAborted(error)) this.isClosed = true;
    return this.#options.signal.aborted || this.isClosed;
  }

  #wentBack(): ClustersetError {
    return this.#error('Expired', 'its versions have gone back', VERSIONS_WENT_BACK);
  }

  #error(code: 'Expired' | 'NotImplemented' | 'Unreachable', message: string, reason?: string): ClustersetError {
    return new ClustersetError({ code, message, cluster: this.#options.cluster.name, reason });
  }
}

/** Whether a version is no place in the history: a watch from there begins with what is there, in no order. */
function isNowhere(version: string): boolean {
  return version === '' || version === '0';
}
