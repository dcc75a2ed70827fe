import { type AnyObject, formatKey, keyOf, parseKey } from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { isHeld } from '../api/state.ts';
import { listOf } from '../kinds/kind.ts';
import { Addresses } from './addresses.ts';
import { Agenda } from './agenda.ts';
import { follow } from './follow.ts';
import { type PodBehaviour, runPod } from './kubelet.ts';
import { isLeaving, nodeOf, statusOf, textIn } from './pod-facts.ts';
import { carryOut, statusStep } from './step.ts';

const SECOND = 1000;
/** How long pods of a node that is gone are left alone (kube-controller-manager, pod garbage collector). */
const ORPHANED_MS = 40 * SECOND;

/** How long things take on nodes, in milliseconds, and what containers do there. */
export interface KubeletOptions {
  readonly startMs: number;
  readonly runMs: number;
  readonly stopMs: number;
  readonly behaviourOf: (pod: AnyObject) => PodBehaviour;
}

/** The kubelets of all nodes: pods that come to a node are run, and those that are deleted are stopped. */
export class Kubelets {
  readonly #server: ApiServer;
  readonly #options: KubeletOptions;
  readonly #agenda: Agenda;
  readonly #stop: Cancel;
  /** Since when a pod has been as it is. */
  readonly #since = new Map<string, number>();
  readonly #leaving = new Map<string, number>();
  readonly #addresses = new Map<string, string>();
  readonly #free: Addresses;

  constructor(server: ApiServer, options: KubeletOptions) {
    this.#server = server;
    this.#options = options;
    this.#free = new Addresses(server, 'pods', (index) => `10.244.${Math.floor(index / 254) % 256}.${(index % 254) + 1}`);
    this.#agenda = new Agenda(server.state.clock, (key) => this.#look(key));
    this.#stop = follow(server, ({ collection, type, object }) => {
      if (collection === 'nodes' && type !== 'MODIFIED') this.#lookAtPodsOf(object);
      if (collection !== 'pods') return;
      if (type === 'DELETED') this.#forget(object);
      else if (nodeOf(object) !== '') this.#agenda.add(formatKey(keyOf(object)));
    });
  }

  /** Looks at all pods again: what their containers do may have changed. */
  lookAgain(): void {
    for (const pod of this.#server.state.storage.list('pods')) this.#agenda.add(formatKey(keyOf(pod)));
  }

  stop(): void {
    this.#stop();
    this.#agenda.stop();
    this.#free.stop();
  }

  #lookAtPodsOf({ metadata }: AnyObject): void {
    for (const pod of this.#server.state.storage.list('pods')) {
      if (nodeOf(pod) === metadata.name) this.#agenda.add(formatKey(keyOf(pod)));
    }
  }

  #forget({ metadata }: AnyObject): void {
    const { uid = '' } = metadata;
    this.#since.delete(uid);
    this.#leaving.delete(uid);
    this.#addresses.delete(uid);
  }

  #look(key: string): number | undefined {
    const { storage, clock } = this.#server.state;
    const pod = storage.get('pods', parseKey(key));
    if (pod === undefined || nodeOf(pod) === '') return undefined;
    const node = storage.get('nodes', { name: nodeOf(pod) });
    if (isLeaving(pod) || node === undefined) return this.#end(pod, node === undefined);
    const { uid = '' } = pod.metadata;
    const time = clock.monotonic();
    const since = this.#since.get(uid) ?? time;
    this.#since.set(uid, since);
    const { status, againInMs } = runPod(pod, {
      ...this.#options,
      behaviour: this.#options.behaviourOf(pod),
      elapsed: time - since,
      podIp: this.#addressOf(pod),
      hostIp: hostIpOf(node),
      now: clock.now(),
    });
    if (status === undefined) return againInMs;
    this.#since.set(uid, time);
    carryOut(this.#server, [statusStep('pods', pod, status)], 'kubelet');
    return againInMs;
  }

  /** Lets a pod go after the time that its containers take, or its node's absence is waited for. */
  #end(pod: AnyObject, isOrphaned: boolean): number | undefined {
    const { storage, clock } = this.#server.state;
    const { uid = '', deletionGracePeriodSeconds = 0 } = pod.metadata;
    const since = this.#leaving.get(uid) ?? clock.monotonic();
    this.#leaving.set(uid, since);
    const wait = isOrphaned ? ORPHANED_MS : Math.min(this.#options.stopMs, deletionGracePeriodSeconds * SECOND);
    const left = since + wait - clock.monotonic();
    if (left > 0) return left;
    // A finalizer holds it; when that goes, the server lets the pod go by itself.
    if (!isHeld(pod)) storage.remove('pods', keyOf(pod));
    return undefined;
  }

  #addressOf(pod: AnyObject): string {
    const { uid = '' } = pod.metadata;
    const known = this.#addresses.get(uid) ?? textIn(statusOf(pod), 'podIP');
    if (known !== '') return known;
    const address = this.#free.next();
    this.#addresses.set(uid, address);
    return address;
  }
}

function hostIpOf(node: AnyObject): string {
  const internal = listOf(statusOf(node), 'addresses').find(({ type }) => type === 'InternalIP');
  return internal === undefined ? '10.0.0.1' : textIn(internal, 'address');
}
