import type { Cluster } from '../kube/index.ts';
import { type Cancel, type Clock, systemClock } from '../runtime/index.ts';
import { type RolloutOptions, rollOutDeployments } from './actors/deployments.ts';
import { emptyNamespaces } from './actors/namespaces.ts';
import { ApiServer } from './api/api-server.ts';
import { Network } from './network.ts';
import { OfflinePort } from './offline-port.ts';
import { seededRandom } from './random.ts';

/** What an {@link OfflineCluster} is made with. */
export interface OfflineClusterOptions {
  readonly name: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Decides uids and generated names. Default: made of the name, so that the same cluster is the same each time. */
  readonly seed?: number;
  /** Whether and how Deployments are rolled out. Default: they are. */
  readonly rollouts?: RolloutOptions | false;
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
  readonly network = new Network();
  readonly #actors: readonly Cancel[];

  constructor(options: OfflineClusterOptions) {
    this.name = options.name;
    const seed =
      options.seed ?? [...options.name].reduce((hash, letter) => (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0, 7);
    this.server = new ApiServer(options.clock ?? systemClock, seededRandom(seed));
    this.#actors = [
      emptyNamespaces(this.server),
      ...(options.rollouts === false ? [] : [rollOutDeployments(this.server, options.rollouts)]),
    ];
  }

  /** The cluster behind the port, as a controller sees it. `fieldManager` is who writes where a call doesn't say. */
  connect(options: { readonly name?: string; readonly fieldManager?: string } = {}): Cluster {
    return new OfflinePort(options.name ?? this.name, this.server, this.network, options.fieldManager ?? 'clusterset');
  }

  /** Forgets the history: watches that start in the past get 410, as after a compaction. */
  compact(): void {
    this.server.state.storage.compact();
  }

  /** Ends the actors. What is stored can still be read. */
  stop(): void {
    for (const cancel of this.#actors) cancel();
  }
}
