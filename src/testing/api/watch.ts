import { type AnyObject, compareKeys, type Status, type WatchEvent, type WatchOptions } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { Served } from './catalogue.ts';
import { crude, tooOld } from './failures.ts';
import { forbiddenOption, readVersion } from './list.ts';
import { checkSyntax, type Matcher, matcher } from './select.ts';
import { inVersion, type State } from './state.ts';
import type { StoredEvent } from './storage.ts';

/** What comes over a watch: events, then perhaps the reason why there are no more. */
export type Sent = WatchEvent<AnyObject> | { readonly type: 'ERROR'; readonly object: Status };

/** A watch: events wait until they are taken. */
export interface Subscription {
  /** The next event; `undefined` when the watch has ended. */
  next(): Promise<Sent | undefined>;
  /** When the event that was taken last came about, on the clock that never goes back. */
  readonly pushedAt: number;
  /** How many events may wait to be taken; a watch with more of them is ended. */
  limit(waiting: number): void;
  /** Ends it, as the server does: what was sent can still be read. */
  end(): void;
}

/** How often a quiet watch is told how far the cluster is. */
const BOOKMARK_MS = 60_000;
/** How long a watch lasts where the client doesn't say: from half an hour to an hour. */
const SHORTEST_MS = 1_800_000;

/** GET of a collection with `watch=true`. What is wrong with the options is thrown; what is wrong with the version is sent. */
export function watch(state: State, served: Served, options: WatchOptions): Subscription {
  checkSyntax(options);
  checkOptions(options);
  const queue = new EventQueue(() => state.clock.monotonic());
  const matches = matcher(served, options);
  const stop = [start(state, served, options, matches, queue)];
  const { timeoutSeconds = 0 } = options;
  const lifetime = timeoutSeconds > 0 ? timeoutSeconds * 1000 : SHORTEST_MS * (1 + state.random());
  stop.push(state.clock.after(lifetime, () => queue.end()));
  if (options.allowWatchBookmarks) stop.push(bookmarks(state, queue));
  queue.onEnd(() => {
    for (const each of stop) each();
  });
  return queue;
}

function checkOptions({ sendInitialEvents, resourceVersionMatch }: WatchOptions): void {
  const isForbidden = resourceVersionMatch !== undefined && sendInitialEvents === undefined;
  const isMissing = sendInitialEvents !== undefined && resourceVersionMatch !== 'NotOlderThan';
  if (!isForbidden && !isMissing) return;
  throw forbiddenOption(
    'resourceVersionMatch',
    isForbidden
      ? 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'
      : 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  );
}

function start(state: State, served: Served, options: WatchOptions, matches: Matcher, queue: EventQueue): Cancel {
  const { storage } = state;
  const { resourceVersion = '', sendInitialEvents } = options;
  const isFromNow = resourceVersion === '' || resourceVersion === '0';
  const version = isFromNow ? 0 : readVersion(resourceVersion, crude);
  const send = (event: StoredEvent): void => {
    const translated = event.version > version ? translate(event, served, matches) : undefined;
    if (translated !== undefined) queue.push(translated);
  };
  if (!isFromNow) {
    const events = sendInitialEvents ? [] : storage.since(version);
    if (events === undefined) {
      queue.push({ type: 'ERROR', object: tooOld(resourceVersion, storage.oldest).status });
      queue.end();
      return () => undefined;
    }
    for (const event of events) send(event);
  }
  if ((isFromNow && sendInitialEvents !== false) || sendInitialEvents) sendPresent(state, served, matches, queue);
  if (sendInitialEvents) queue.push({ type: 'BOOKMARK', resourceVersion: String(storage.version), initialEventsEnd: true });
  return storage.listen(send);
}

function sendPresent({ storage }: State, served: Served, matches: Matcher, queue: EventQueue): void {
  const present = [...storage.list(served.collection)].map((object) => inVersion(object, served)).filter(matches);
  for (const object of present.toSorted((a, b) => compareKeys(a.metadata, b.metadata))) queue.push({ type: 'ADDED', object });
}

/** What a change looks like to a watch with selectors: an object that comes into view is added, one that leaves it is deleted. */
function translate({ collection, type, object, previous }: StoredEvent, served: Served, matches: Matcher): Sent | undefined {
  if (collection !== served.collection) return undefined;
  const now = inVersion(object, served);
  const isSeen = type !== 'DELETED' && matches(now);
  const wasSeen = previous !== undefined && matches(inVersion(previous, served));
  if (isSeen) return { type: wasSeen ? 'MODIFIED' : 'ADDED', object: now };
  if (!wasSeen) return undefined;
  // What leaves the view is shown as it was when it was last seen.
  const { resourceVersion } = now.metadata;
  const last = inVersion(previous, served);
  return {
    type: 'DELETED',
    object: { ...last, metadata: { ...last.metadata, ...(resourceVersion ? { resourceVersion } : {}) } },
  };
}

function bookmarks(state: State, queue: EventQueue): Cancel {
  let cancel: Cancel = () => undefined;
  const again = (): void => {
    cancel = state.clock.after(BOOKMARK_MS, () => {
      queue.push({ type: 'BOOKMARK', resourceVersion: String(state.storage.version), initialEventsEnd: false });
      again();
    });
  };
  again();
  return () => cancel();
}

/** Events on their way to one reader. */
class EventQueue implements Subscription {
  readonly #monotonic: () => number;
  readonly #waiting: { readonly event: Sent; readonly at: number }[] = [];
  #limit = Number.POSITIVE_INFINITY;
  #pushedAt = 0;
  #reader: ((event: Sent | undefined) => void) | undefined;
  #ended = false;
  #cleanUp: () => void = () => undefined;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get pushedAt(): number {
    return this.#pushedAt;
  }

  limit(waiting: number): void {
    this.#limit = waiting;
    if (this.#waiting.length > waiting) this.end();
  }

  onEnd(cleanUp: () => void): void {
    if (this.#ended) cleanUp();
    else this.#cleanUp = cleanUp;
  }

  push(event: Sent): void {
    if (this.#ended) return;
    const reader = this.#reader;
    this.#reader = undefined;
    const at = this.#monotonic();
    if (reader !== undefined) {
      this.#pushedAt = at;
      reader(event);
      return;
    }
    this.#waiting.push({ event, at });
    if (this.#waiting.length > this.#limit) this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cleanUp();
    this.#reader?.(undefined);
    this.#reader = undefined;
  }

  next(): Promise<Sent | undefined> {
    const first = this.#waiting.shift();
    if (first !== undefined) this.#pushedAt = first.at;
    if (first !== undefined || this.#ended) return Promise.resolve(first?.event);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}
