import { versionOrder } from './version.ts';

interface Waiter {
  readonly version: string;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Those who wait until a cache has come to a version; the empty version is for who waits for its first fill. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  /** Nobody waits for less: most events concern nobody. */
  #least = '';

  /** Resolves when the version is reached, and rejects with the signal's reason. */
  wait(version: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const done = (): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        version,
        resolve: () => {
          done();
          resolve();
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      };
      const onAbort = (): void => waiter.reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (this.#waiting.size === 0 || versionOrder(version, this.#least) < 0) this.#least = version;
      this.#waiting.add(waiter);
    });
  }

  /** Wakes whoever waits for this version or less. */
  reach(version: string): void {
    if (this.#waiting.size === 0 || versionOrder(this.#least, version) > 0) return;
    for (const waiter of [...this.#waiting]) if (!(versionOrder(waiter.version, version) > 0)) waiter.resolve();
    this.#least = [...this.#waiting].reduce(
      (least, waiter) => (least === '' || versionOrder(waiter.version, least) < 0 ? waiter.version : least),
      '',
    );
  }

  /** Tells everybody who still waits that it is of no use. */
  fail(reason: () => unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(reason());
  }
}
