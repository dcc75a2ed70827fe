import { type AnyObject, ClustersetError, formatKey, keyOf } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import type { Fields } from '../kinds/kind.ts';
import { part } from '../kinds/kind.ts';
import { RECORDED_VERSION } from '../schema/built-in.ts';
import { Addresses } from './addresses.ts';
import { Agenda } from './agenda.ts';
import { keepDaemons } from './daemon-set.ts';
import type { Dependents } from './dependents.ts';
import { rollOut } from './deployment.ts';
import { sliceEndpoints } from './endpoints.ts';
import { follow, type Heard, runLoop } from './follow.ts';
import { runJob } from './job.ts';
import { behaviourOf, type PodBehaviour, SIMULATE } from './kubelet.ts';
import { Kubelets } from './kubelets.ts';
import { balanceLoad } from './load-balancer.ts';
import { CONTENTS, fillNamespace } from './namespace-contents.ts';
import { nodeObject, nodeStatus, nodesOf, type OfflineNode } from './node.ts';
import { roomsOf } from './node-fit.ts';
import { isTerminal, specOf } from './pod-facts.ts';
import { keepReplicas } from './replica-set.ts';
import { bound, isWaiting, schedule, unschedulable } from './scheduling.ts';
import { keepOrdinals, revisionName } from './stateful-set.ts';
import { carryOut, statusStep, TYPES, writtenBy } from './step.ts';

/** How workloads of an offline cluster run. Times are in milliseconds of the cluster's clock. */
export interface WorkloadOptions {
  /** How many nodes there are in the beginning, or which. Default 3. */
  readonly nodes?: number | readonly OfflineNode[];
  /** From a pod's coming to a node to its being ready. Default 1000. */
  readonly startMs?: number;
  /** How long containers run that end, such as those of Jobs. Default 1000. */
  readonly runMs?: number;
  /** How long containers take to stop, within the pod's grace period. Default 1000. */
  readonly stopMs?: number;
  /** What containers of pods do that have no annotation `clusterset.dev/simulate`. Default: those of Jobs complete, all others run. */
  readonly behaviour?: (pod: AnyObject) => PodBehaviour | undefined;
  /** Whether Services of type LoadBalancer get addresses. Default true. */
  readonly loadBalancers?: boolean;
}

const DEFAULT_NODES = 3;
const DEFAULT_MS = 1000;

/** The certificate that a cluster without TLS of its own hands out. */
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';

/** Of 198.18.0.0/15, which nobody on the internet has (RFC 2544); another cluster starts elsewhere in it. */
function balancerAddress(index: number): string {
  const at = index % 2 ** 17;
  return `198.${18 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
}

interface Rule {
  readonly labels: Readonly<Record<string, string>>;
  readonly behaviour: PodBehaviour;
}

/** Controllers, a scheduler and kubelets over an offline API server. */
export class Workloads {
  readonly #server: ApiServer;
  readonly #dependents: Dependents;
  readonly #kubelets: Kubelets;
  readonly #stops: readonly Cancel[];
  readonly #known = new Map<string, OfflineNode>();
  readonly #rules = new Set<Rule>();
  #nodes = 0;
  readonly #balancers: Addresses;
  readonly #hosts: Addresses;

  constructor(server: ApiServer, dependents: Dependents, options: WorkloadOptions = {}) {
    this.#server = server;
    this.#dependents = dependents;
    this.#balancers = new Addresses(server, 'services', balancerAddress, Math.floor(server.state.random() * 2 ** 16));
    this.#hosts = new Addresses(server, 'nodes', (index) => `10.0.${Math.floor(index / 250) % 256}.${(index % 250) + 1}`);
    this.#kubelets = new Kubelets(server, {
      startMs: options.startMs ?? DEFAULT_MS,
      runMs: options.runMs ?? DEFAULT_MS,
      stopMs: options.stopMs ?? DEFAULT_MS,
      behaviourOf: (pod) => this.#behaviourOf(pod, options.behaviour),
    });
    this.#stops = [
      this.#fillNamespaces(),
      this.#startNodes(),
      this.#keepWorkloads(),
      this.#schedulePods(),
      this.#serve(options.loadBalancers ?? true),
    ];
    for (const node of nodesOf(options.nodes ?? DEFAULT_NODES)) this.addNode(node);
  }

  /** A new node. @throws ClustersetError `AlreadyExists` where there is one of that name, `Invalid` for a name that no node can have. */
  addNode(node: OfflineNode = {}): void {
    const [named = { name: '' }] = nodesOf([node.name === undefined ? { ...node, name: `node-${this.#nodes}` } : node]);
    this.#nodes += 1;
    const served = this.#server.served(TYPES.nodes);
    if (served === undefined) return;
    this.#known.set(named.name, named);
    try {
      this.#server.create(served, undefined, nodeObject(named), writtenBy('kubelet'));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new ClustersetError({ code: 'AlreadyExists', message: error.message, object: { kind: 'Node', name: named.name } });
    }
  }

  /** Makes the containers of pods with these labels behave in this way, until the result is disposed of. */
  behave(labels: Readonly<Record<string, string>>, behaviour: PodBehaviour): Disposable {
    const rule = { labels, behaviour };
    this.#rules.add(rule);
    this.#kubelets.lookAgain();
    return {
      [Symbol.dispose]: () => {
        this.#rules.delete(rule);
        this.#kubelets.lookAgain();
      },
    };
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#balancers.stop();
    this.#hosts.stop();
    this.#kubelets.stop();
  }

  /** The newest call on the cluster counts more than the pod, and the pod more than the options. */
  #behaviourOf(pod: AnyObject, fallback: WorkloadOptions['behaviour']): PodBehaviour {
    const matches = ({ labels }: Rule): boolean =>
      Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value);
    const rule = [...this.#rules].findLast(matches);
    if (rule !== undefined) return rule.behaviour;
    const isSaid = pod.metadata.annotations?.[SIMULATE] !== undefined;
    return (isSaid ? undefined : fallback?.(pod)) ?? behaviourOf(pod);
  }

  #list(collection: string): readonly AnyObject[] {
    return [...this.#server.state.storage.list(collection)];
  }

  #inNamespace(collection: string, namespace: string | undefined): readonly AnyObject[] {
    return this.#list(collection).filter(({ metadata }) => metadata.namespace === namespace);
  }

  #now(): number {
    return this.#server.state.clock.now();
  }

  #keepWorkloads(): Cancel {
    const owned = (object: AnyObject, collection: string) => this.#dependents.controlled(object, collection);
    const revisions = new Map<string, Map<string, Fields>>();
    const stops = [
      runLoop(this.#server, {
        of: 'deployments.apps',
        decide: (object) => rollOut(object, owned(object, 'replicasets.apps'), this.#now()),
      }),
      runLoop(this.#server, {
        of: 'replicasets.apps',
        decide: (object) => keepReplicas(object, owned(object, 'pods'), this.#now()),
      }),
      runLoop(this.#server, {
        of: 'statefulsets.apps',
        decide: (object) => {
          const { uid = '', namespace } = object.metadata;
          const known = revisions.get(uid) ?? new Map<string, Fields>();
          revisions.set(uid, known.set(revisionName(object), part(specOf(object), 'template')));
          const claims = new Set(this.#inNamespace('persistentvolumeclaims', namespace).map(({ metadata }) => metadata.name));
          return keepOrdinals(object, { pods: owned(object, 'pods'), revisions: known, claims }, this.#now());
        },
        forget: ({ metadata }) => void revisions.delete(metadata.uid ?? ''),
      }),
      runLoop(this.#server, {
        of: 'daemonsets.apps',
        decide: (object) => keepDaemons(object, this.#list('nodes'), owned(object, 'pods'), this.#now()),
        keysOf: ({ collection }) => (collection === 'nodes' ? this.#keys('daemonsets.apps') : []),
      }),
      runLoop(this.#server, { of: 'jobs.batch', decide: (object) => runJob(object, owned(object, 'pods'), this.#now()) }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #keys(collection: string, namespace?: string): readonly string[] {
    const all = namespace === undefined ? this.#list(collection) : this.#inNamespace(collection, namespace);
    return all.map((object) => formatKey(keyOf(object)));
  }

  #startNodes(): Cancel {
    return runLoop(this.#server, {
      of: 'nodes',
      fieldManager: 'kubelet',
      decide: (node) => {
        const known = this.#known.get(node.metadata.name);
        const status = nodeStatus(node, known, this.#hosts.next(), RECORDED_VERSION, this.#now());
        return { steps: status === undefined ? [] : [statusStep('nodes', node, status)] };
      },
    });
  }

  #schedulePods(): Cancel {
    const agenda = new Agenda(this.#server.state.clock, () => {
      this.#placePods();
      return undefined;
    });
    const stop = follow(this.#server, (event) => {
      if (makesRoom(event)) agenda.add('all');
    });
    return () => {
      stop();
      agenda.stop();
    };
  }

  #placePods(): void {
    const pods = this.#list('pods');
    const waiting = pods.filter(isWaiting);
    if (waiting.length === 0) return;
    for (const placing of schedule(waiting, roomsOf(this.#list('nodes'), pods))) {
      if (placing.fits) this.#server.state.storage.put('pods', bound(placing.pod, placing.node, this.#now()));
      else {
        const object = unschedulable(placing.pod, placing.message, this.#now());
        if (object !== placing.pod) carryOut(this.#server, [{ op: 'status', of: 'pods', object }], 'kube-scheduler');
      }
    }
  }

  #serve(hasBalancers: boolean): Cancel {
    return runLoop(this.#server, {
      of: 'services',
      decide: (service) => {
        const { namespace } = service.metadata;
        const pods = this.#inNamespace('pods', namespace);
        const nodes = new Map(this.#list('nodes').map((node) => [node.metadata.name, node]));
        const slices = this.#dependents.controlled(service, 'endpointslices.discovery.k8s.io');
        const addresses = hasBalancers ? balanceLoad(service, () => this.#balancers.next()) : [];
        return { steps: [...addresses, ...sliceEndpoints(service, { pods, nodes, slices })] };
      },
      keysOf: ({ collection, object }) => (collection === 'pods' ? this.#keys('services', object.metadata.namespace) : []),
    });
  }

  #fillNamespaces(): Cancel {
    const { storage } = this.#server.state;
    const agenda = new Agenda(this.#server.state.clock, (name) => {
      const namespace = storage.get('namespaces', { name });
      const has = (collection: keyof typeof CONTENTS): boolean =>
        storage.get(collection, { namespace: name, name: CONTENTS[collection] }) !== undefined;
      if (namespace !== undefined) carryOut(this.#server, fillNamespace(namespace, CERTIFICATE, has));
      return undefined;
    });
    const stop = follow(this.#server, ({ collection, type, object }) => {
      if (collection === 'namespaces' && type === 'ADDED') agenda.add(object.metadata.name);
      const isContent = Object.entries(CONTENTS).some(([each, name]) => each === collection && name === object.metadata.name);
      if (isContent && type === 'DELETED') agenda.add(object.metadata.namespace ?? '');
    });
    return () => {
      stop();
      agenda.stop();
    };
  }
}

/** Whether an event may let a pod come to a node: it waits, another went, or nodes are other than before. */
function makesRoom({ collection, type, object, previous }: Heard): boolean {
  if (collection === 'nodes') return true;
  if (collection !== 'pods') return false;
  const hasEnded = isTerminal(object) && previous !== undefined && !isTerminal(previous);
  return type === 'DELETED' || hasEnded || isWaiting(object);
}
