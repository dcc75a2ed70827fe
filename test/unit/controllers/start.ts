import { installTypes, PropagationController, type PropagationOptions } from 'clusterset/controllers/propagation';
import {
  BUILT_IN_FEDERATED_TYPES,
  type ClusterStatus,
  type FederatedStatus,
  type FederatedType,
  FINALIZER,
} from 'clusterset/federation';
import {
  type AnyObject,
  type Cluster,
  type ClusterSource,
  formatKey,
  type Json,
  keyOf,
  type ObjectKey,
  type Patch,
  type ResourceType,
} from 'clusterset/kube';
import type { ClusterEntry } from 'clusterset/registry';
import { ClusterSet, type ClusterSetOptions } from 'clusterset/runtime';
import { ReplicaSchedulingPreference } from 'clusterset/scheduling';
import { type OfflineCluster, simulate, VirtualClock, type World, type WorldOptions } from 'clusterset/testing';
import { afterEach } from 'vitest';
import { type Call, describeCall, isWrite, type Tamper, Tap } from './tap.ts';

/** Few types make fast tests: each is watched in each member. */
export const TYPES: readonly FederatedType[] = typesOf('Namespace', 'ConfigMap');

/** Federated types of built-in kinds. */
export function typesOf(...kinds: readonly string[]): readonly FederatedType[] {
  return BUILT_IN_FEDERATED_TYPES.filter(({ target }) => kinds.includes(target.kind));
}

export const WORKLOADS: readonly FederatedType[] = typesOf('Namespace', 'ConfigMap', 'Deployment');

/** What a test says where it says nothing else. */
export const SHOP: ObjectKey = { namespace: 'shop', name: 'web' };

export interface StartOptions extends Omit<WorldOptions, 'host'>, ControllerOptions {
  readonly types?: readonly FederatedType[];
  /** Whether the namespace `shop` is on the host, and federated everywhere. Default true. */
  readonly shop?: boolean;
}

export interface ControllerOptions {
  readonly controller?: Partial<PropagationOptions>;
  readonly tamper?: Tamper;
  readonly probe?: ClusterSetOptions<ClusterEntry>['probe'];
  /** Stands in for the connection of a member. */
  readonly connect?: Connect;
  /** Runs the controller before it starts the set. Default false. */
  readonly beforeSet?: boolean;
}

export type Connect = (entry: ClusterEntry, otherwise: () => Cluster) => Cluster | Promise<Cluster>;

/** A controller with a set of its own, as a process would have them. */
export interface Process {
  readonly controller: PropagationController;
  readonly set: ClusterSet<ClusterEntry>;
  stop(): Promise<void>;
}

/** A source that can be told what to say. */
class Roster implements ClusterSource<ClusterEntry> {
  entries: readonly ClusterEntry[];
  readonly #listeners = new Set<() => void>();

  constructor(entries: readonly ClusterEntry[]) {
    this.entries = entries;
  }

  say(entries: readonly ClusterEntry[]): void {
    this.entries = entries;
    for (const listener of this.#listeners) listener();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly ClusterEntry[], void, undefined> {
    let seen: readonly ClusterEntry[] | undefined;
    while (!signal.aborted) {
      if (seen !== this.entries) {
        seen = this.entries;
        yield seen;
        continue;
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#listeners.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#listeners.add(done);
        signal.addEventListener('abort', done);
      });
    }
  }
}

/** A world with a host, and the controllers that work on it. */
export class Federation {
  readonly world: World;
  readonly types: readonly FederatedType[];
  readonly roster: Roster;
  /** What controllers have asked of clusters, in order. */
  readonly calls: Call[] = [];
  readonly errors: string[] = [];
  tamper: Tamper = {};
  readonly #running = new Set<Process>();

  constructor(world: World, types: readonly FederatedType[]) {
    this.world = world;
    this.types = types;
    this.roster = new Roster(world.entries);
  }

  /** A cluster as somebody sees it who is no controller of ours. */
  as(manager: string, cluster: string): Cluster {
    return this.world.cluster(cluster).connect({ fieldManager: manager });
  }

  network(cluster: string): OfflineCluster['network'] {
    return this.world.cluster(cluster).network;
  }

  target(kind: string): ResourceType {
    return this.#typeOf(kind).target;
  }

  federated(kind: string): ResourceType {
    return this.#typeOf(kind).federated as unknown as ResourceType;
  }

  #typeOf(kind: string): FederatedType {
    const found = this.types.find(({ target }) => target.kind === kind);
    if (found === undefined) throw new Error(`no type ${kind}`);
    return found;
  }

  /** The way to a cluster that controllers are given. */
  tapped(cluster: Cluster): Cluster {
    return new Tap(cluster, this.world.cluster(cluster.name), this.calls, () => this.tamper);
  }

  /** Starts a controller and a set. */
  async run({ controller: options, tamper, probe, connect, beforeSet = false }: ControllerOptions = {}): Promise<Process> {
    if (tamper !== undefined) this.tamper = tamper;
    const { world } = this;
    const tap = (cluster: Cluster): Cluster => this.tapped(cluster);
    const set = new ClusterSet<ClusterEntry>({
      source: this.roster,
      connect: (entry) => {
        const otherwise = (): Cluster => tap(world.connect(entry));
        return connect === undefined ? otherwise() : connect(entry, otherwise);
      },
      clock: world.clock,
      connectionOf: ({ auth }) => auth?.context ?? '',
      ...(probe === undefined ? {} : { probe }),
      onError: (name, error) => this.errors.push(`${name}: ${String(error)}`),
    });
    const controller = new PropagationController({
      host: tap(world.connect('host')),
      members: set,
      types: this.types,
      clock: world.clock,
      onError: (cluster, object, error) => this.errors.push(`${cluster}: ${object}: ${String(error)}`),
      ...options,
    });
    const stopping = new AbortController();
    if (!beforeSet) await set.start();
    const done = controller.run(stopping.signal);
    if (beforeSet) void set.start();
    const process: Process = {
      controller,
      set,
      stop: async () => {
        if (!this.#running.delete(process)) return;
        stopping.abort();
        await set.stop();
        await done;
      },
    };
    this.#running.add(process);
    return process;
  }

  /** Ends all controllers as a crash would, except that what is under way is let finish or fail. */
  async halt(): Promise<void> {
    for (const process of [...this.#running]) await process.stop();
  }

  async restart(options: ControllerOptions = {}): Promise<Process> {
    await this.world.settle();
    await this.halt();
    return this.run(options);
  }

  advance(duration: string): Promise<void> {
    return this.world.advance(duration);
  }

  /** Long enough for everything but broken members. */
  settle(): Promise<void> {
    return this.world.advance('2s');
  }

  /** Writes an object on the host, or in another cluster, as a user does. */
  create(object: AnyObject, cluster = 'host'): Promise<AnyObject> {
    const type = this.#typeOfObject(object);
    return this.as('kubectl', cluster).create(type, object);
  }

  #typeOfObject({ kind }: AnyObject): ResourceType {
    if (kind === 'ReplicaSchedulingPreference') return ReplicaSchedulingPreference as unknown as ResourceType;
    const federated = this.types.find((type) => type.federated.kind === kind)?.federated;
    return (federated as unknown as ResourceType | undefined) ?? this.target(kind);
  }

  /** Changes a federated object by a merge patch. */
  change(kind: string, body: Json, key: ObjectKey = SHOP): Promise<AnyObject> {
    return this.as('kubectl', 'host').patch(this.federated(kind), this.#keyFor(kind, key), { type: 'merge', body });
  }

  /** Changes a member object by a merge patch. */
  edit(cluster: string, kind: string, body: Json, key: ObjectKey = SHOP, manager = 'kubectl-edit'): Promise<AnyObject> {
    return this.as(manager, cluster).patch(this.target(kind), this.#memberKey(kind, key), { type: 'merge', body });
  }

  /** Changes an object inside of its cluster, whatever the network does. */
  editInside(cluster: string, type: ResourceType, body: Json, key: ObjectKey): AnyObject {
    return this.patchInside(cluster, type, { type: 'merge', body }, key);
  }

  patchInside(cluster: string, type: ResourceType, patch: Patch, key: ObjectKey): AnyObject {
    return this.world.cluster(cluster).server.patch(this.#served(cluster, type), key, patch, context());
  }

  createInside(cluster: string, type: ResourceType, object: AnyObject): AnyObject {
    const { namespace } = object.metadata;
    return this.world.cluster(cluster).server.create(this.#served(cluster, type), namespace, object, context());
  }

  removeInside(cluster: string, type: ResourceType, key: ObjectKey): void {
    this.world.cluster(cluster).server.delete(this.#served(cluster, type), key, {});
  }

  #served(cluster: string, type: ResourceType): Served {
    const served = this.world.cluster(cluster).server.served(type);
    if (served === undefined) throw new Error(`${type.kind} is not served in ${cluster}`);
    return served;
  }

  /** Deletes a federated object. */
  async delete(kind: string, key: ObjectKey = SHOP): Promise<void> {
    await this.as('kubectl', 'host').delete(this.federated(kind), this.#keyFor(kind, key));
  }

  /** Deletes a member object. */
  async remove(cluster: string, kind: string, key: ObjectKey = SHOP): Promise<void> {
    await this.as('kubectl', cluster).delete(this.target(kind), this.#memberKey(kind, key));
  }

  /** A federated object; that of the namespace by `shop/shop`. */
  async object(kind: string, key: ObjectKey = SHOP): Promise<AnyObject | undefined> {
    return this.stored('host', this.federated(kind), this.#keyFor(kind, key));
  }

  /** A member object, also of a member that can't be reached. */
  live(cluster: string, kind: string, key: ObjectKey = SHOP): AnyObject | undefined {
    return this.stored(cluster, this.target(kind), this.#memberKey(kind, key));
  }

  /** Names of the members that have an object. */
  has(kind: string, key: ObjectKey = SHOP): string[] {
    return [...this.world.members.keys()].filter((name) => this.live(name, kind, key) !== undefined);
  }

  async status(kind: string, key: ObjectKey = SHOP): Promise<FederatedStatus> {
    return ((await this.object(kind, key))?.status ?? {}) as FederatedStatus;
  }

  /** What the status says of one cluster. */
  async entry(kind: string, cluster: string, key: ObjectKey = SHOP): Promise<ClusterStatus | undefined> {
    return (await this.status(kind, key)).clusters?.find(({ name }) => name === cluster);
  }

  /** What the status says of all clusters, in short: `eu-1`, or `eu-1: AlreadyExists`. */
  async entries(kind: string, key: ObjectKey = SHOP): Promise<string[]> {
    return ((await this.status(kind, key)).clusters ?? []).map(({ name, status }) =>
      status === undefined ? name : `${name}: ${status}`,
    );
  }

  async isHeld(kind: string, key: ObjectKey = SHOP): Promise<boolean> {
    return (await this.object(kind, key))?.metadata.finalizers?.includes(FINALIZER) ?? false;
  }

  /** Forgets the record of calls. */
  forget(): void {
    this.calls.length = 0;
  }

  /** Writes since the record was last forgotten: all of them, or those of one cluster. */
  writes(cluster?: string): string[] {
    return this.calls.filter((call) => isWrite(call) && (cluster === undefined || call.cluster === cluster)).map(describe);
  }

  /** Writes that changed anything. */
  changes(cluster?: string): string[] {
    return this.calls.filter((call) => call.changed && (cluster === undefined || call.cluster === cluster)).map(describe);
  }

  /** Everything that a cluster has, or all clusters have, with its version. */
  versions(cluster?: string): Record<string, string> {
    const names = cluster === undefined ? ['host', ...this.world.members.keys()] : [cluster];
    const found = names.flatMap((name) => {
      const { storage } = this.world.cluster(name).server.state;
      return [...storage.collections()].flatMap((collection) =>
        [...storage.list(collection)].map((object) => [
          `${name}: ${collection} ${formatKey(keyOf(object))}`,
          object.metadata.resourceVersion ?? '',
        ]),
      );
    });
    return Object.fromEntries(found) as Record<string, string>;
  }

  stored(cluster: string, type: ResourceType, key: ObjectKey): AnyObject | undefined {
    const { server } = this.world.cluster(cluster);
    const served = server.served(type);
    return served === undefined ? undefined : server.state.storage.get(served.collection, key);
  }

  #keyFor(kind: string, key: ObjectKey): ObjectKey {
    return this.#typeOf(kind).federated.scope === 'Cluster' ? { name: key.name } : key;
  }

  #memberKey(kind: string, key: ObjectKey): ObjectKey {
    return this.#typeOf(kind).target.scope === 'Cluster' ? { name: key.name } : key;
  }
}

type Server = OfflineCluster['server'];
type Served = NonNullable<ReturnType<Server['served']>>;

/** Somebody who writes, and says so. */
function context(): Parameters<Server['create']>[3] {
  return { fieldManager: 'kubectl-edit', dryRun: false, fieldValidation: 'Warn', subresource: undefined, warnings: [] };
}

function describe(call: Call): string {
  return `${call.cluster}: ${describeCall(call)}`;
}

const started: Federation[] = [];

afterEach(async () => {
  for (const each of started.splice(0)) {
    await each.halt();
    each.world.verify();
    await each.world[Symbol.asyncDispose]();
  }
});

const THREE: Readonly<Record<string, Omit<ClusterEntry, 'name'>>> = {
  'eu-1': { labels: { region: 'eu' } },
  'eu-2': { labels: { region: 'eu' } },
  'us-1': { labels: { region: 'us' } },
};

/** Makes a world without a controller. */
export async function prepareWorld(options: StartOptions = {}): Promise<Federation> {
  const federation = await newWorld(options);
  started.push(federation);
  return federation;
}

/** Makes a world without a controller, of which whoever asks for it disposes. */
export async function newWorld(options: StartOptions = {}): Promise<Federation> {
  const { types = TYPES, shop = true, members = THREE, rollouts = false, clock = new VirtualClock() } = options;
  const world = await simulate({ host: {}, members, rollouts, clock });
  const federation = new Federation(world, types);
  const host = world.connect('host');
  await installTypes(host, types, { clock: world.clock });
  if (shop) {
    await host.create(federation.target('Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    await host.create(federation.federated('Namespace'), federatedNamespace());
  }
  return federation;
}

/** Makes a world, starts a controller in it, and waits until it has nothing to do. */
export async function start(options: StartOptions = {}): Promise<Federation> {
  const federation = await prepareWorld(options);
  await federation.run(options);
  await federation.settle();
  return federation;
}

export function federatedNamespace(spec: Record<string, unknown> = {}, name = 'shop'): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedNamespace',
    metadata: { name, namespace: name },
    spec: { template: {}, placement: { clusterSelector: {} }, ...spec },
  };
}

/** A federated ConfigMap `shop/web`, placed everywhere. */
export function federatedConfigMap(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): AnyObject {
  return {
    apiVersion: 'types.kubefed.io/v1beta1',
    kind: 'FederatedConfigMap',
    metadata: { ...SHOP, ...metadata },
    spec: { template: { data: { color: 'red' } }, placement: { clusterSelector: {} }, ...spec },
  };
}

export function configMap(data: Record<string, string>, metadata: Record<string, unknown> = {}): AnyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...SHOP, ...metadata }, data };
}

export const placedIn = (...names: readonly string[]) => ({ clusters: names.map((name) => ({ name })) });
