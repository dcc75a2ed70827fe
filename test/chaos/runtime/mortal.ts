import type { Cluster } from 'clusterset/kube';
import type { Clock } from 'clusterset/runtime';

/**
 * The life of a process. It can end at any point at which the process waits for something outside: just before a request leaves, or just before its
 * answer is read. From then on nothing of it happens any more: no answer arrives, no timer fires.
 */
export class Life {
  #stepsLeft = Number.POSITIVE_INFINITY;

  get isOver(): boolean {
    return this.#stepsLeft <= 0;
  }

  /** It ends after so many steps. */
  endAfter(steps: number): void {
    this.#stepsLeft = Math.min(this.#stepsLeft, steps);
  }

  /** One step: resolves where there is life left, and never where there isn't. */
  step(): Promise<void> {
    this.#stepsLeft -= 1;
    return this.isOver ? new Promise<never>(() => undefined) : Promise.resolve();
  }
}

/** A clock that stands still for whoever is dead. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) =>
      clock.after(ms, () => {
        if (!life.isOver) callback();
      }),
    turn: () => (life.isOver ? new Promise(() => undefined) : clock.turn()),
  };
}

/** A way to a cluster that ends with its process. `onWrite` is told of each write before it leaves. */
export function mortalPort(cluster: Cluster, life: Life, onWrite: () => void): Cluster {
  const guarded = async <T>(
    call: () => Promise<T>,
    write?: { readonly signal?: { readonly aborted: boolean } | undefined },
  ): Promise<T> => {
    await life.step();
    // One that was broken off meanwhile isn't sent.
    if (write !== undefined && write.signal?.aborted !== true) onWrite();
    const settled = await Promise.allSettled([call()]);
    await life.step();
    const [outcome] = settled;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  };
  return {
    name: cluster.name,
    get: (type, key, options) => guarded(() => cluster.get(type, key, options)),
    list: (type, options) => guarded(() => cluster.list(type, options)),
    resources: (options) => guarded(() => cluster.resources(options)),
    version: (options) => guarded(() => cluster.version(options)),
    ready: (options) => guarded(() => cluster.ready(options)),
    create: (type, object, options) => guarded(() => cluster.create(type, object, options), options ?? {}),
    update: (type, object, options) => guarded(() => cluster.update(type, object, options), options ?? {}),
    patch: (type, key, patch, options) => guarded(() => cluster.patch(type, key, patch, options), options ?? {}),
    apply: (type, object, options) => guarded(() => cluster.apply(type, object, options), options ?? {}),
    delete: (type, key, options) => guarded(() => cluster.delete(type, key, options), options ?? {}),
    async *watch(type, options) {
      await life.step();
      for await (const event of cluster.watch(type, options)) {
        await life.step();
        yield event;
      }
    },
    close: () => cluster.close(),
  };
}
