import type { FederatedType, ReplaceMissing } from '../../federation/index.ts';
import type { Cluster } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import {
  type Clock,
  type ClusterSet,
  type Environment,
  type GaugeReading,
  type Runnable,
  SharedCaches,
  silent,
  systemClock,
} from '../../runtime/index.ts';
import { PropagationRun } from './run.ts';

/** What a {@link PropagationController} is made with. */
export interface PropagationOptions {
  /** Where federated objects are written. */
  readonly host: Cluster;
  readonly members: ClusterSet<ClusterEntry>;
  /** What is federated. Their CRDs must be on the host: see `installTypes`. */
  readonly types: readonly FederatedType[];
  /** Its name in a `Manager`, in metrics and in logs. Default `propagation`. */
  readonly name?: string;
  /** Used where it runs by itself; a `Manager` has its own. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1: spreads retries. Used where it runs by itself; a `Manager` has its own. Default: always 0.5. */
  readonly random?: () => number;
  /** Name of the control plane: field manager and mark of ownership. Default `clusterset`. */
  readonly fieldManager?: string;
  /** What a `replace` in an override does where there is nothing to replace. Default: `error`. */
  readonly replaceMissing?: ReplaceMissing;
  /** How many objects are worked on at the same time in each member, and on the host. Default 20. */
  readonly workers?: number;
  /** How long a change waits for others before it is written into a status, in milliseconds. Default 500. */
  readonly statusDelayMs?: number;
  /** How long a call may take, in a member or on the host, in milliseconds. Default 30,000. */
  readonly stepTimeoutMs?: number;
  /** Is told of failures, all of which are also in a status and tried again. `cluster` is the host's name for those of the host. */
  readonly onError?: (cluster: string, object: string, error: unknown) => void;
}

const DEFAULTS = {
  name: 'propagation',
  clock: systemClock,
  random: () => 0.5,
  fieldManager: 'clusterset',
  replaceMissing: 'error',
  workers: 20,
  statusDelayMs: 500,
  stepTimeoutMs: 30_000,
  onError: () => undefined,
} satisfies Partial<PropagationOptions>;

/**
 * Makes member clusters what federated objects on the host say, and says on the host how far it has come: placement, overrides and division of
 * replicas decide, server-side apply writes, and only what differs. Each member is worked on by itself; one that is down, or hangs, or lacks a
 * type, holds up no other.
 *
 * It runs by itself, or in a `Manager`: there with shared caches, metrics, and an election where several replicas run. Hand it ways to the host and
 * to the members that are `fenced` then: what was sent before the lease was lost is all that may arrive.
 *
 * ```ts
 * const manager = new Manager({ random: Math.random, election: { cluster: host, namespace: 'fleet', name: 'propagation', identity } });
 * const members = new ClusterSet({ source, connect: async (entry) => fenced(await connectEntry(entry), manager.fence) });
 * manager.use(members).add(new PropagationController({ host: fenced(host, manager.fence), members, types }));
 * await manager.run(signal);
 * ```
 */
export class PropagationController implements Runnable {
  readonly name: string;
  readonly #options: Required<PropagationOptions>;
  #run: PropagationRun | undefined;

  constructor(options: PropagationOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.name = this.#options.name;
  }

  /** Whether nothing is ready to be worked on. What waits for its time, such as a retry, doesn't count, but for a status to be written. */
  get idle(): boolean {
    return this.#run?.idle ?? true;
  }

  /** Numbers of this moment, for metrics. Deciding and writing statuses are the work of the host's cluster. */
  gauges(): Iterable<GaugeReading> {
    return this.#run?.gauges() ?? [];
  }

  /**
   * Works by itself until the signal fires, which also ends the calls that are under way. Starts the set of members, if nobody has.
   *
   * @throws TypeError where it runs already.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Works in an environment, as a `Manager` has it do, with a memory that is empty at the beginning. When the signal fires, nothing new begins, and
   * what is under way is finished; `environment.hard` ends that, too, and then whoever doesn't mind is not waited for.
   *
   * @throws TypeError where it runs already.
   */
  run(environment: Environment, signal: AbortSignal): Promise<void>;
  async run(given: Environment | AbortSignal, signal?: AbortSignal): Promise<void> {
    if (this.#run !== undefined) throw new TypeError(`the controller ${this.name} runs already`);
    if ('aborted' in given) await this.#runAlone(given);
    else await this.#runIn(given, signal ?? given.hard);
  }

  async #runAlone(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    await using caches = new SharedCaches({ clock, random });
    await this.#runIn({ clock, random, observe: () => undefined, log: silent, caches, hard: signal }, signal);
  }

  async #runIn(environment: Environment, signal: AbortSignal): Promise<void> {
    const run = new PropagationRun(this.#options, environment);
    this.#run = run;
    try {
      await run.work(signal);
    } finally {
      this.#run = undefined;
    }
  }
}
