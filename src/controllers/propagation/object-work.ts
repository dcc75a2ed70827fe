import { hasCode, isRetryable } from '../../kube/index.ts';
import {
  type Environment,
  GAUGES,
  type GaugeReading,
  type Observe,
  type ReconcileOutcome,
  type ReconcileResult,
  runWorkers,
  told,
  WorkQueue,
} from '../../runtime/index.ts';
import type { ObjectId } from './object-id.ts';

/** What came of a look at an object: whether there is to be another, and what is in the way. */
export type Looked = ReconcileResult & { readonly error?: unknown };

/** What {@link ObjectWork} is made with. */
export interface ObjectWorkOptions {
  readonly environment: Environment;
  /** The controller's name. */
  readonly controller: string;
  /** Where the work is done. */
  readonly cluster: string;
  /** How many objects are worked on at the same time. */
  readonly workers: number;
  /** First delay after a failure. */
  readonly retryBaseMs?: number;
  /** The signal ends calls that are under way. */
  readonly reconcile: (id: ObjectId, signal: AbortSignal) => Promise<Looked | undefined>;
  /** Which failures are tried again. Default: those that may pass by themselves. */
  readonly retry?: (error: unknown) => boolean;
  readonly onError: (id: ObjectId, error: unknown) => void;
}

/** Objects that wait to be worked on in one place, and whoever works on them, with facts and numbers about it. */
export class ObjectWork {
  readonly #options: ObjectWorkOptions;
  readonly #queue: WorkQueue;
  readonly #observe: Observe;
  /** What is worked on, and since when. */
  readonly #begun = new Map<ObjectId, number>();
  /** Failures in a row. */
  readonly #failures = new Map<ObjectId, number>();

  constructor(options: ObjectWorkOptions) {
    this.#options = options;
    const { environment, retryBaseMs } = options;
    this.#observe = told(environment.observe);
    this.#queue = new WorkQueue({ clock: environment.clock, ...(retryBaseMs === undefined ? {} : { retryBaseMs }) });
  }

  /** Objects that are ready or worked on. */
  get busy(): number {
    return this.#queue.busy;
  }

  /** Objects that wait for their time. */
  get delayed(): number {
    return this.#queue.delayed;
  }

  add(id: ObjectId, afterMs = 0): void {
    this.#queue.add(id, afterMs);
  }

  remove(id: ObjectId): void {
    this.#queue.remove(id);
    this.#failures.delete(id);
  }

  /** Works until the first signal fires, and finishes what is under way; the second ends that, too. */
  run(signal: AbortSignal, hard: AbortSignal): Promise<void> {
    const { workers, retry = isRetryable, onError } = this.#options;
    return runWorkers({
      queue: this.#queue,
      workers,
      signal,
      retry: (error) => !hard.aborted && retry(error),
      reconcile: (id) => this.#work(id as ObjectId, hard),
      onError: (id, error) => onError(id as ObjectId, error),
    });
  }

  *gauges(): Iterable<GaugeReading> {
    const { environment, controller, cluster } = this.#options;
    const now = environment.clock.monotonic();
    const working = [...this.#begun.values()].map((since) => (now - since) / 1000);
    const own = { name: controller, controller, cluster };
    const sum = working.reduce((total, each) => total + each, 0);
    yield { gauge: GAUGES.depth, labels: { ...own, priority: '' }, value: Math.max(0, this.busy - working.length) };
    yield { gauge: GAUGES.activeWorkers, labels: { controller, cluster }, value: working.length };
    yield { gauge: GAUGES.unfinishedWork, labels: own, value: sum };
    yield { gauge: GAUGES.longestRunning, labels: own, value: Math.max(0, ...working) };
  }

  async #work(id: ObjectId, hard: AbortSignal): Promise<Looked | undefined> {
    const { environment, reconcile, retry = isRetryable } = this.#options;
    const began = environment.clock.monotonic();
    this.#begun.set(id, began);
    try {
      const looked = await reconcile(id, hard);
      // What was ended by us says nothing.
      if (!hard.aborted) this.#tell(id, began, outcomeOf(looked), looked?.error);
      return looked;
    } catch (error) {
      if (hard.aborted) return undefined;
      this.#tell(id, began, retry(error) ? failureOf(error) : 'terminal', error);
      throw error;
    } finally {
      this.#begun.delete(id);
    }
  }

  #tell(id: ObjectId, began: number, outcome: ReconcileOutcome, error: unknown): void {
    const { environment, controller, cluster } = this.#options;
    const attempt = (this.#failures.get(id) ?? 0) + 1;
    if (outcome === 'success' || outcome === 'requeue_after' || outcome === 'terminal') this.#failures.delete(id);
    else this.#failures.set(id, attempt);
    const durationMs = environment.clock.monotonic() - began;
    const key = id.slice(id.indexOf('|') + 1);
    const fact = { fact: 'reconciled', controller, cluster, key, attempt, outcome, durationMs } as const;
    this.#observe(error === undefined ? fact : { ...fact, error });
  }
}

function outcomeOf(looked: Looked | undefined): ReconcileOutcome {
  if (looked === undefined) return 'success';
  if (looked.error !== undefined) return failureOf(looked.error);
  return 'retry' in looked ? 'requeue' : 'requeue_after';
}

/** A call that has taken too long has been given up by us; a server says so with a status. */
function failureOf(error: unknown): ReconcileOutcome {
  return hasCode(error, 'Timeout') && error.status === undefined ? 'timeout' : 'error';
}
