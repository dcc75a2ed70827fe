import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { installTypes } from 'clusterset/controllers/propagation';
import { MANAGED_LABEL } from 'clusterset/federation';
import {
  type AnyObject,
  type Cluster,
  hasCode,
  isClustersetError,
  type ResourceType,
  resourceType,
  untyped,
} from 'clusterset/kube';
import { type ControlPlanes, startControlPlanes } from '../harness/control-planes.ts';
import { type Program, startProgram } from '../harness/program.ts';
import { CONFIG_MAPS } from './arrivals.ts';
import { HOST, MEMBERS, NAMESPACE, TAKEN, TYPES } from './federated.ts';
import { type Act, federatedConfigMap } from './waves.ts';

export const NAMESPACES = resourceType('v1', 'Namespace', 'namespaces', 'Cluster');
export const FEDERATED_NAMESPACE = federatedTypeOf('Namespace');
/** The federated type that is propagated. */
export const FEDERATED = federatedTypeOf('ConfigMap');
const IN_FLIGHT = 30;
const CONTROLLER = fileURLToPath(new URL('./controller.ts', import.meta.url));
const PAUSE_MS = 100;
const PATIENCE_MS = 60_000;
/** An API server that isn't ready again by then is started anew. */
const COMES_BACK_MS = 20_000;

/** What is killed: a process of a cluster, or the controller. */
export type Victim = 'controller' | `${'member' | 'host'}'s ${'etcd' | 'kube-apiserver'}`;

/** A host, two members and a controller, each a process that can be killed. */
export class Fleet {
  readonly host: Cluster;
  readonly members: readonly Cluster[];
  readonly #planes: ControlPlanes;
  readonly #log: string;
  #controller: Program;
  /** How often an API server was found dead, or did not come back by itself, after its etcd had been killed. */
  restarted = 0;

  private constructor(planes: ControlPlanes, host: Cluster) {
    this.#planes = planes;
    this.host = host;
    this.members = MEMBERS.map((name) => planes.connect(name));
    this.#log = join(planes.folder, 'controller.log');
    this.#controller = this.#startController();
  }

  static async start(): Promise<Fleet> {
    const planes = await startControlPlanes([HOST, ...MEMBERS].map((name) => ({ name, ownEtcd: true })));
    try {
      const host = planes.connect(HOST);
      await installTypes(host, TYPES);
      await host.create(NAMESPACES, namespace(NAMESPACE));
      return new Fleet(planes, host);
    } catch (error) {
      await planes.stop();
      throw error;
    }
  }

  get log(): string {
    return this.#log;
  }

  /** Whether the controller has not ended by itself. */
  get isControllerRunning(): boolean {
    return this.#controller.isRunning;
  }

  #startController(): Program {
    return startProgram('controller', process.execPath, [CONTROLLER, this.#planes.kubeconfig], this.#log);
  }

  /** Writes the FederatedNamespace, and what belongs to somebody else. */
  async furnish(): Promise<readonly AnyObject[]> {
    const spec = { template: {}, placement: { clusters: MEMBERS.map((name) => ({ name })) } };
    const { apiVersion } = federatedConfigMap({ name: '', value: '', clusters: [] });
    const shop = { apiVersion, kind: 'FederatedNamespace', metadata: { namespace: NAMESPACE, name: NAMESPACE }, spec };
    await this.#write(FEDERATED_NAMESPACE, shop);
    const [first] = this.members;
    if (first === undefined) throw new TypeError('there are members');
    const isThere = async (): Promise<boolean> => (await first.get(NAMESPACES, { name: NAMESPACE })) !== undefined;
    if (!(await untilTrue(isThere, PATIENCE_MS))) throw new Error(`the namespace has not come: see ${this.#log}`);
    const theirs = [
      configMap('theirs'),
      configMap('labelled', { [MANAGED_LABEL]: 'true' }),
      ...TAKEN.map((name) => configMap(name)),
    ];
    const made = await Promise.all(theirs.map((each) => first.create(CONFIG_MAPS, each)));
    for (const name of TAKEN) await this.#write(FEDERATED, federatedConfigMap({ name, value: 'ours', clusters: MEMBERS }));
    return made;
  }

  /** Does all of it, as somebody would who does not give up: what is not confirmed is done again. */
  async carryOut(acts: readonly Act[], signal: AbortSignal): Promise<void> {
    const left = [...acts].reverse();
    const work = async (): Promise<void> => {
      for (let act = left.pop(); act !== undefined; act = left.pop()) await this.#insist(act, signal);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  }

  async #insist(act: Act, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        if (act.does === 'put') await this.#write(FEDERATED, federatedConfigMap(act.wish), signal);
        else await this.host.delete(FEDERATED, { namespace: NAMESPACE, name: act.name }, { signal });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isClustersetError(error) || hasCode(error, 'Invalid', 'Forbidden', 'BadRequest')) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  async #write(type: ResourceType<AnyObject>, object: AnyObject, signal?: AbortSignal): Promise<void> {
    await this.host.apply(type, object, { fieldManager: 'somebody', force: true, signal });
  }

  async kill(victim: Victim): Promise<void> {
    if (victim === 'controller') await this.#controller.kill();
    else await this.#planes.kill(...partOf(victim));
  }

  /** Starts again what was killed, as whoever supervises it would. */
  async restart(victim: Victim): Promise<void> {
    if (victim === 'controller') {
      this.#controller = this.#startController();
      return;
    }
    const [name, part] = partOf(victim);
    await this.#planes.start(name, part);
    if (part === 'etcd') await this.#untilBack(name);
  }

  /** An API server whose etcd was away comes back by itself, or is started again as a kubelet would. */
  async #untilBack(name: string): Promise<void> {
    const cluster = this.#planes.connect(name);
    const isReady = (): Promise<boolean> => cluster.ready().catch(() => false);
    try {
      const isRunning = (): boolean => this.#planes.isRunning(name, 'kube-apiserver');
      const isDecided = await untilTrue(async () => !isRunning() || (await isReady()), COMES_BACK_MS);
      if (isDecided && isRunning()) return;
      this.restarted += 1;
      await this.#planes.kill(name, 'kube-apiserver');
      await this.#planes.start(name, 'kube-apiserver');
    } finally {
      await cluster.close();
    }
  }

  async stop(): Promise<void> {
    await this.#controller.stop();
    await Promise.all([this.host, ...this.members].map((cluster) => cluster.close()));
    await this.#planes.stop();
  }
}

function federatedTypeOf(kind: string): ResourceType<AnyObject> {
  const type = TYPES.find(({ target }) => target.kind === kind);
  if (type === undefined) throw new TypeError(`${kind} is federated`);
  return untyped(type.federated);
}

function partOf(victim: Exclude<Victim, 'controller'>): ['host' | 'eu-1', 'etcd' | 'kube-apiserver'] {
  const name = victim.startsWith('host') ? HOST : MEMBERS[0];
  return [name, victim.endsWith('etcd') ? 'etcd' : 'kube-apiserver'];
}

function namespace(name: string): AnyObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function configMap(name: string, labels: Readonly<Record<string, string>> = {}): AnyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: NAMESPACE, name, labels }, data: { value: 'theirs' } };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again; false where the answer was never yes. */
export async function untilTrue(ask: () => Promise<boolean>, patienceMs: number, pauseMs = PAUSE_MS): Promise<boolean> {
  const end = performance.now() + patienceMs;
  while (!(await ask())) {
    if (performance.now() > end) return false;
    await pause(pauseMs);
  }
  return true;
}
