import { ClustersetError } from '../kube/index.ts';

/** What stands between a cluster and everybody who talks to it. */
export class Network {
  readonly #cuts = new Set<symbol>();
  readonly #hangs = new Set<symbol>();
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Set<() => void>();

  /** Whether nothing gets through. */
  get isCut(): boolean {
    return this.#cuts.size > 0;
  }

  /** Refuses connections and breaks those that are open, until the result is disposed of. */
  cut(): Disposable {
    const id = Symbol('cut');
    this.#cuts.add(id);
    for (const listener of [...this.#listeners]) listener();
    // Those who wait for an answer have open connections, too.
    for (const go of [...this.#waiting]) go();
    return { [Symbol.dispose]: () => void this.#cuts.delete(id) };
  }

  /** Takes requests and answers none, until the result is disposed of; then they are answered. */
  hang(): Disposable {
    const id = Symbol('hang');
    this.#hangs.add(id);
    return {
      [Symbol.dispose]: () => {
        this.#hangs.delete(id);
        if (this.#hangs.size > 0) return;
        for (const go of [...this.#waiting]) go();
      },
    };
  }

  /** Calls back when the network is cut. Returns how to stop that. */
  onCut(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets one request through, or not. */
  async pass(cluster: string, signal?: AbortSignal): Promise<void> {
    if (this.isCut) throw this.error(cluster);
    if (this.#hangs.size > 0) await this.#wait(cluster, signal);
  }

  /** What a call fails with while the network is cut. */
  error(cluster: string): ClustersetError {
    return new ClustersetError({ code: 'Unreachable', message: 'the connection was refused (offline, on purpose)', cluster });
  }

  #wait(cluster: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(go);
        signal?.removeEventListener('abort', abort);
      };
      const go = (): void => {
        done();
        if (this.isCut) reject(this.error(cluster));
        else resolve();
      };
      const abort = (): void => {
        done();
        reject(new ClustersetError({ code: 'Aborted', message: 'the call was ended', cluster, cause: signal?.reason }));
      };
      this.#waiting.add(go);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
