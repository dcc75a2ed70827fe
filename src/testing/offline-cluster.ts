import { type Cluster, ClustersetError } from '../kube/plain/index.ts';
import { type Cancel, type Clock, milliseconds, systemClock } from '../runtime/time/index.ts';
import { Access, type Tokens, type User } from './access/index.ts';
import { Dependents } from './actors/dependents.ts';
import { type RolloutOptions, rollOutDeployments } from './actors/deployments.ts';
import { keepBudgets } from './actors/disruption-budgets.ts';
import { collectGarbage } from './actors/garbage.ts';
import { GracefulServer } from './actors/graceful-server.ts';
import type { PodBehaviour } from './actors/kubelet.ts';
import { emptyNamespaces } from './actors/namespaces.ts';
import type { OfflineNode } from './actors/node.ts';
import { type WorkloadOptions, Workloads } from './actors/workloads.ts';
import type { AdmissionHook } from './api/admission.ts';
import { ApiServer } from './api/api-server.ts';
import { Door } from './front/door.ts';
import { RequestLog } from './front/log.ts';
import { Network } from './front/network.ts';
import { ADMIN, type Credentials, type RequestScope } from './front/request.ts';
import { SkewedClock } from './front/skewed-clock.ts';
import { type Violation, violations } from './invariants.ts';
import { OfflinePort } from './offline-port.ts';
import { type Random, seededRandom } from './random.ts';
import type { CelEvaluator } from './schema/cel.ts';
import { type ClusterSnapshot, readSnapshot, takeSnapshot } from './snapshot.ts';

/** What an {@link OfflineCluster} is made with. */
export interface OfflineClusterOptions {
  readonly name: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Decides uids and generated names. Default: made of the name, so that the same cluster is the same each time. */
  readonly seed?: number;
  /** Whether and how the status of Deployments pretends a rollout, where no workloads run. Default: it does. */
  readonly rollouts?: RolloutOptions | false;
  /**
   * Runs controllers, a scheduler and kubelets, so that Deployments have ReplicaSets and pods, and pods have nodes. Default: only where `nodes`
   * are given.
   */
  readonly workloads?: WorkloadOptions | boolean;
  /** How many nodes there are, or which; short for `workloads: { nodes }`. */
  readonly nodes?: number | readonly OfflineNode[];
  /** Whether objects go when their owners are gone, in the background. Default: where workloads run. */
  readonly garbageCollection?: boolean;
  /**
   * Whether roles and bindings decide who may do what (RBAC); the cluster starts with the most usual of a real server's roles then. Default: everybody
   * may do everything.
   */
  readonly rbac?: boolean;
  /** Understands the rules of CRDs: `celEvaluator()` of `clusterset/testing/cel`. Default: nobody does, and CRDs with rules are refused. */
  readonly cel?: CelEvaluator;
}

/** How somebody sees an offline cluster. */
export interface OfflineConnectOptions {
  /** How errors call the cluster. Default: its name. */
  readonly name?: string;
  /** Who writes where a call doesn't say. Default `clusterset`. */
  readonly fieldManager?: string;
  /** As whom, taken at its word: `{ name: 'system:serviceaccount:shop:web', groups: [] }`. Default: an administrator. */
  readonly user?: User;
  /** With which token, in place of a user: it is looked at with every call. */
  readonly token?: string;
}

function credentialsOf({ user = ADMIN, token }: OfflineConnectOptions): Credentials {
  if (token === undefined) return { user };
  return { headers: new Headers({ authorization: `Bearer ${token}` }), adminToken: '' };
}

/** A Kubernetes API server in memory, with the little that makes it look alive. */
export class OfflineCluster {
  readonly name: string;
  /**
   * The server itself, for faces such as HTTP.
   *
   * @internal
   */
  readonly server: ApiServer;
  /**
   * The way in for every client.
   *
   * @internal
   */
  readonly door: Door;
  /**
   * Who is who here, and who may do what.
   *
   * @internal
   */
  readonly access: Access;
  /** Faults on the way to this cluster. */
  readonly network: Network;
  /** What clients have asked of this cluster. */
  readonly requests: RequestLog;
  readonly #clock: SkewedClock;
  readonly #seed: number;
  readonly #isCollecting: boolean;
  #random: Random;
  #restored = 0;
  readonly #actors: readonly Cancel[];
  readonly #workloads: Workloads | undefined;

  /** @throws ClustersetError `Invalid` where `nodes` are none that a cluster can have. */
  constructor(options: OfflineClusterOptions) {
    this.name = options.name;
    const running = workloadsOf(options);
    const seed =
      options.seed ?? [...options.name].reduce((hash, letter) => (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0, 7);
    const Server = running === undefined ? ApiServer : GracefulServer;
    const clock = options.clock ?? systemClock;
    this.#clock = new SkewedClock(clock);
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.server = new Server(this.#clock, () => this.#random(), options.cel);
    this.network = new Network(clock);
    this.requests = new RequestLog(clock);
    this.access = new Access(this.server, { rbac: options.rbac ?? false });
    this.door = new Door({
      cluster: options.name,
      network: this.network,
      log: this.requests,
      storage: this.server.state.storage,
      gatekeeper: this.access,
    });
    const isCollecting = options.garbageCollection ?? running !== undefined;
    this.#isCollecting = isCollecting;
    const dependents = new Dependents(this.server.state.storage, isCollecting || running !== undefined);
    this.#workloads = running === undefined ? undefined : new Workloads(this.server, dependents, running);
    const isPretending = running === undefined && options.rollouts !== false;
    this.#actors = [
      emptyNamespaces(this.server),
      ...(isPretending ? [rollOutDeployments(this.server, options.rollouts || {})] : []),
      ...(isCollecting ? [collectGarbage(this.server, dependents)] : []),
      ...(running === undefined ? [] : [keepBudgets(this.server, dependents)]),
      () => dependents.stop(),
      () => this.access.stop(),
    ];
  }

  /** The tokens of this cluster: they can be issued, and revoked. */
  get tokens(): Tokens {
    return this.access.tokens;
  }

  /** The cluster behind the port, as a controller sees it. */
  connect(options: OfflineConnectOptions = {}): Cluster {
    const { name = this.name, fieldManager = 'clusterset' } = options;
    return new OfflinePort({ name, server: this.server, door: this.door, fieldManager, credentials: credentialsOf(options) });
  }

  /**
   * Puts the cluster's clock forward, or back with a minus: milliseconds, or text such as `-5m`. Its time stamps are of another time until the result
   * is disposed of.
   */
  skew(by: number | string): Disposable {
    const isBack = typeof by === 'string' ? by.startsWith('-') : by < 0;
    const size = milliseconds(typeof by === 'string' ? by.replace(/^-/, '') : Math.abs(by));
    return this.#clock.skew(isBack ? -size : size);
  }

  /** Refuses all credentials with 401, until the result is disposed of. Watches that are open go on, as on a real server. */
  revoke(scope: RequestScope = {}): Disposable {
    return this.network.fail({ code: 401 }, scope);
  }

  /** Asks a hook about writes from now on, as a webhook is asked, until the result is disposed of. */
  admit(hook: AdmissionHook): Disposable {
    return this.server.state.admission.add(hook);
  }

  /** Everything that is stored, for {@link OfflineCluster.restore}, or to be looked at. */
  snapshot(): ClusterSnapshot {
    return takeSnapshot(this.name, this.server.state);
  }

  /**
   * Makes the cluster hold what a snapshot holds, as when etcd is restored from a backup: versions go back, too, all connections break, and the
   * history is forgotten.
   *
   * @throws ClustersetError `Invalid` for an object of no kind that is built in or that the snapshot defines; then nothing is changed.
   */
  restore(snapshot: ClusterSnapshot): void {
    this.prepareRestore(snapshot)();
  }

  /**
   * Reads a snapshot; the result restores it.
   *
   * @internal
   */
  prepareRestore(snapshot: ClusterSnapshot): () => void {
    const restore = readSnapshot(this.server.state, snapshot);
    return () => {
      // Nobody hears over an old connection of what wasn't there before.
      this.network.breakOff();
      restore();
      // What is created from now on must not be what was created then, nor after another restore.
      this.#restored += 1;
      const version = Math.imul(Number(snapshot.resourceVersion), 0x9e3779b1);
      this.#random = seededRandom(this.#seed ^ version ^ Math.imul(this.#restored, 0x85ebca6b));
    };
  }

  /**
   * What must not be, and is: see {@link World.verify}.
   */
  violations(): readonly Violation[] {
    return violations(this.name, this.server.state, { owners: this.#isCollecting });
  }

  /** Forgets the history: watches that start in the past get 410, as after a compaction. */
  compact(): void {
    this.server.state.storage.compact();
  }

  /**
   * A new node, where workloads run.
   *
   * @throws ClustersetError `Invalid` where no workloads run or no node can have the name, `AlreadyExists` where there is one of that name.
   */
  addNode(node?: OfflineNode): void {
    this.#running().addNode(node);
  }

  /**
   * Makes the containers of pods with these labels behave in this way, until the result is disposed of. The newest call counts, and more than the
   * annotation `clusterset.dev/simulate` of a pod.
   *
   * @throws ClustersetError `Invalid` where no workloads run.
   */
  behave(labels: Readonly<Record<string, string>>, behaviour: PodBehaviour): Disposable {
    return this.#running().behave(labels, behaviour);
  }

  #running(): Workloads {
    if (this.#workloads !== undefined) return this.#workloads;
    throw new ClustersetError({
      code: 'Invalid',
      message: 'no workloads run here',
      cluster: this.name,
      mend: 'make the cluster with nodes, or with workloads: true',
    });
  }

  /** Ends the actors, all open watches, and whatever waits. What is stored can still be read. */
  stop(): void {
    this.network.close();
    this.#workloads?.stop();
    for (const cancel of this.#actors) cancel();
  }
}

/** What workloads are to run, if any. */
function workloadsOf({ workloads, nodes }: OfflineClusterOptions): WorkloadOptions | undefined {
  if (workloads === false || (workloads === undefined && nodes === undefined)) return undefined;
  const options = typeof workloads === 'object' ? workloads : {};
  return nodes === undefined ? options : { ...options, nodes };
}
