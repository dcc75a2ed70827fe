import { hasCode } from '../../kube/plain/index.ts';
import type { Clock } from '../clock.ts';
import { pause } from './back-off.ts';
import type { ConnectedMember } from './member.ts';

/**
 * Works with one member until the signal fires; or sets something up that ends with the signal, and returns. A promise that it returns is waited
 * for before the connection is closed, for a while.
 */
export type EngageHandler<Entry> = (member: ConnectedMember<Entry>, signal: AbortSignal) => void | Promise<void>;

/** What an {@link Engagement} is made with. */
export interface EngagementOptions<Entry> {
  readonly handler: EngageHandler<Entry>;
  /** The member as it is now. */
  readonly member: () => ConnectedMember<Entry>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** A handler that has worked for this long begins with a short wait again when it fails. */
const STEADY_MS = 60_000;

/** One handler and one connection. A handler that fails is called again, less and less often, for as long as the engagement lasts. */
export class Engagement<Entry> {
  readonly #ending = new AbortController();
  readonly #options: EngagementOptions<Entry>;
  #running: Promise<void> | undefined;

  constructor(options: EngagementOptions<Entry>) {
    this.#options = options;
  }

  /** What the handler works at, or waits for to be called again; `undefined` where it has done all that it has to. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Calls the handler, at once: it may lead back to whoever calls this. */
  start(): void {
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Fires the signal; the handler may take its time. */
  end(reason: unknown): void {
    this.#ending.abort(reason);
  }

  async #run(): Promise<void> {
    const { handler, member, clock, random, onError } = this.#options;
    const { signal } = this.#ending;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const began = clock.monotonic();
      try {
        await handler(member(), signal);
        return;
      } catch (error) {
        // That it was ended is no failure of whoever was.
        if (!signal.aborted || !isEnd(error, signal)) onError(error);
        if (signal.aborted) return;
        if (clock.monotonic() - began >= STEADY_MS) failures = 0;
        await pause(clock, failures, signal, random);
      }
    }
  }
}

function isEnd(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || hasCode(error, 'Aborted') || (error instanceof Error && error.name === 'AbortError');
}
