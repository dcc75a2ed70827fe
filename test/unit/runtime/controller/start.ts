import type { AnyObject, Cluster, ObjectKey } from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import {
  ClusterSet,
  type ClusterSetOptions,
  type Controller,
  type Environment,
  type Fact,
  type Logger,
  SharedCaches,
  staticSource,
} from 'clusterset/runtime';
import { simulate, type World, type WorldOptions } from 'clusterset/testing';
import { afterEach } from 'vitest';
import { CONFIG_MAPS } from '../fixtures.ts';

/** A world with a set of its members, and controllers that run in it. */
export class Stage {
  readonly world: World;
  readonly set: ClusterSet<ClusterEntry>;
  readonly facts: Fact[] = [];
  readonly #stopping = new AbortController();
  readonly #hard = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #made: Controller[] = [];
  /** What was logged: message and fields as text. */
  readonly lines: string[] = [];
  readonly environment: Environment;

  constructor(world: World, options: Partial<ClusterSetOptions<ClusterEntry>> = {}) {
    this.world = world;
    const { clock } = world;
    const random = (): number => 0.5;
    this.set = new ClusterSet<ClusterEntry>({
      source: staticSource(world.entries),
      connect: (entry) => world.connect(entry),
      clock,
      ...options,
    });
    this.environment = {
      clock,
      random,
      observe: (fact) => this.facts.push(fact),
      log: recorded(this.lines),
      caches: new SharedCaches({ clock, random }),
      hard: this.#hard.signal,
    };
  }

  /** Starts a controller, and the set. */
  run(controller: Controller, environment: Partial<Environment> = {}): void {
    this.#made.push(controller);
    this.#running.push(controller.run({ ...this.environment, ...environment }, this.#stopping.signal));
    void this.set.start();
  }

  /** A controller that was started. */
  made(index: number): Controller {
    const made = this.#made[index];
    if (made === undefined) throw new RangeError(`no controller ${index} was started`);
    return made;
  }

  /** No new work. */
  stop(): void {
    this.#stopping.abort();
  }

  /** What is under way ends, too. */
  kill(): void {
    this.#hard.abort(new Error('killed'));
  }

  /** Resolves when the controllers have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  as(manager: string, cluster: string): Cluster {
    return this.world.cluster(cluster).connect({ fieldManager: manager });
  }

  create(cluster: string, object: AnyObject): Promise<AnyObject> {
    return this.as('kubectl', cluster).create(CONFIG_MAPS, object);
  }

  get(cluster: string, key: ObjectKey): Promise<AnyObject | undefined> {
    return this.as('kubectl', cluster).get(CONFIG_MAPS, key);
  }

  /** Outcomes of calls, in order: `eu-1 default/a success`. */
  outcomes(): string[] {
    return this.facts.flatMap((fact) => (fact.fact === 'reconciled' ? [`${fact.cluster} ${fact.key} ${fact.outcome}`] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.kill();
    await this.set.stop();
    await this.ended();
    await this.world[Symbol.asyncDispose]();
  }
}

/** A logger that writes lines down. */
function recorded(lines: string[], fixed: Readonly<Record<string, unknown>> = {}): Logger {
  return {
    log: (level, message, fields = {}) => void lines.push(`${level} ${message} ${JSON.stringify({ ...fixed, ...fields })}`),
    with: (fields) => recorded(lines, { ...fixed, ...fields }),
  };
}

const stages: Stage[] = [];

afterEach(async () => {
  for (const each of stages.splice(0)) await each[Symbol.asyncDispose]();
});

/** A stage with a host and two members. */
export async function stage(
  options: Partial<WorldOptions> = {},
  set: Partial<ClusterSetOptions<ClusterEntry>> = {},
): Promise<Stage> {
  const made = new Stage(await simulate({ host: {}, members: { 'eu-1': {}, 'us-1': {} }, ...options }), set);
  stages.push(made);
  return made;
}

/** A ConfigMap in the namespace `default`. */
export function named(name: string, data: Record<string, string> = {}, metadata: Record<string, unknown> = {}): AnyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name, ...metadata }, data };
}
