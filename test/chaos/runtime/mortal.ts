import type { Cluster } from 'clusterset/kube';
import type { Clock } from 'clusterset/runtime';

/**
 * The life of a process. It can end at any point at which the process waits for something outside: just before a request leaves, or just before its
 * answer is read. From then on nothing of it happens any more: no answer arrives, no timer fires. It can also stand still for a while, as a process
 * does that is out of memory, or whose machine sleeps: then everything happens late, and at once.
 */
export class Life {
  #stepsLeft = Number.POSITIVE_INFINITY;
  #isStill = false;
  #late: (() => void)[] = [];

  get isOver(): boolean {
    return this.#stepsLeft <= 0;
  }

  /** Whether anything of it can happen at this moment. */
  get isRunning(): boolean {
    return !this.isOver && !this.#isStill;
  }

  /** Whether it ends after some more steps. */
  get isDoomed(): boolean {
    return Number.isFinite(this.#stepsLeft);
  }

  /** It ends after so many steps. */
  endAfter(steps: number): void {
    this.#stepsLeft = Math.min(this.#stepsLeft, steps);
  }

  /** It stands still from now on. */
  stall(): void {
    this.#isStill = true;
  }

  /** It goes on. */
  resume(): void {
    this.#isStill = false;
    for (const each of this.#late.splice(0)) each();
  }

  /** Calls back as soon as the process runs, and never where it is over. */
  whenRunning(callback: () => void): void {
    if (this.#isStill) this.#late.push(() => this.whenRunning(callback));
    else if (!this.isOver) callback();
  }

  /** One step: resolves where there is life left, and never where there isn't. */
  step(): Promise<void> {
    this.#stepsLeft -= 1;
    return new Promise((resolve) => this.whenRunning(resolve));
  }
}

/** A clock whose timers are late for whoever stands still, and never fire for whoever is dead. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, callback) {
      let isWanted = true;
      const cancel = clock.after(ms, () =>
        life.whenRunning(() => {
          if (isWanted) callback();
        }),
      );
      return () => {
        isWanted = false;
        cancel();
      };
    },
    turn: async () => {
      await clock.turn();
      await new Promise<void>((resolve) => life.whenRunning(resolve));
    },
  };
}

/** A way to a cluster that ends with its process. `onWrite` is told of each write before it leaves. */
export function mortalPort(cluster: Cluster, life: Life, onWrite: () => void): Cluster {
  const guarded = async <T>(
    call: () => Promise<T>,
    write?: { readonly signal?: { readonly aborted: boolean } | undefined },
  ): Promise<T> => {
    await life.step();
    // Another step of the same turn may have been its last.
    if (life.isOver) await new Promise(() => undefined);
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
