import {
  type AnyObject,
  type ClusterReader,
  type ClusterWatcher,
  compareText,
  formatKey,
  keyOf,
  type ResourceType,
} from '../../kube/plain/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { newestValues } from '../newest-values.ts';
import { ObjectCache } from './object-cache.ts';
import { reflect } from './reflector.ts';

/** What {@link watchedObjects} takes. */
export interface WatchedObjectsOptions {
  readonly cluster: ClusterReader & ClusterWatcher;
  readonly type: ResourceType;
  /** One namespace; all of them where it is absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 up to 1, which spread retries. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Is told when the objects can't be read. What was known stays. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * All objects of a type, in the order of their keys, now and whenever they change, until the signal fires. Where they can't be read, or the type
 * isn't served for a while, nothing is said: not to know isn't the same as to know of none.
 */
export function watchedObjects(options: WatchedObjectsOptions, signal: AbortSignal): AsyncGenerator<readonly AnyObject[]> {
  const { clock = systemClock, random = Math.random, onError, ...which } = options;
  return newestValues<readonly AnyObject[]>(async (say, stopping) => {
    const cache = new ObjectCache();
    let isWaiting = false;
    // A list changes many objects at once: that is one change.
    const change = (): void => {
      if (isWaiting) return;
      isWaiting = true;
      void clock.turn().then(() => {
        isWaiting = false;
        if (cache.synced && !stopping.aborted) say(inOrder(cache));
      });
    };
    cache.listen(change);
    await reflect({
      ...which,
      cache,
      clock,
      random,
      signal: stopping,
      emptyWhenNotServed: false,
      onState: (state) => {
        if (state.synced) change();
        else onError?.(state.error);
      },
    });
  }, signal);
}

function inOrder(cache: ObjectCache): readonly AnyObject[] {
  const keyed = [...cache.values()].map((object) => ({ key: formatKey(keyOf(object)), object }));
  return keyed.sort((a, b) => compareText(a.key, b.key)).map(({ object }) => object);
}
