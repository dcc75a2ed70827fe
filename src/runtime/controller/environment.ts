import type { SharedCaches } from '../cache/shared-caches.ts';
import type { Clock } from '../clock.ts';
import type { Observe } from '../observe/facts.ts';
import type { GaugeSource } from '../observe/gauges.ts';
import type { Logger } from '../observe/log.ts';

/** What whatever runs is given: time, chance, and who is told. A `Manager` makes one for all that it runs. */
export interface Environment {
  readonly clock: Clock;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  readonly observe: Observe;
  readonly log: Logger;
  /** One watch per cluster and type, whoever looks. */
  readonly caches: SharedCaches;
  /** Ends what is under way, too: the time to finish is over, or it isn't ours to write any more. */
  readonly hard: AbortSignal;
}

/** Something that runs until it is stopped. It may have numbers for metrics, too. */
export interface Runnable {
  /** Unique among those that run together. */
  readonly name: string;
  /** Its numbers, at this moment. */
  readonly gauges?: GaugeSource['gauges'];
  /** Resolves when the signal has fired and what was under way is finished, or ended by `environment.hard`. */
  run(environment: Environment, signal: AbortSignal): Promise<void>;
}
