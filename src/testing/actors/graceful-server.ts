import { type AnyObject, type DeleteOptions, keyOf, type ObjectKey } from '../../kube/index.ts';
import { timestamp } from '../../runtime/index.ts';
import { ApiServer } from '../api/api-server.ts';
import type { Served } from '../api/catalogue.ts';
import type { Deleted } from '../api/delete.ts';
import { isHeld } from '../api/state.ts';
import { isTerminal, nodeOf, numberIn, specOf } from './pod-facts.ts';

/** Seconds that a pod has which says nothing of it (API: core/v1 PodSpec.terminationGracePeriodSeconds). */
const GRACE = 30;
const SECOND = 1000;

/**
 * How many seconds a pod has to stop, before it is gone: none where nobody runs it, and none where the caller says so (API: meta/v1
 * DeleteOptions.gracePeriodSeconds).
 */
function gracePeriod(pod: AnyObject, asked: number | undefined): number {
  if (nodeOf(pod) === '' || isTerminal(pod)) return 0;
  return Math.max(0, asked ?? numberIn(specOf(pod), 'terminationGracePeriodSeconds', GRACE));
}

/** An API server whose pods are deleted with grace: they are marked, and stay until their kubelet has stopped them. */
export class GracefulServer extends ApiServer {
  override delete(served: Served, key: ObjectKey, options: Omit<DeleteOptions, 'signal'>): Deleted {
    const pod = served.collection === 'pods' ? this.state.storage.get('pods', key) : undefined;
    if (pod === undefined) return super.delete(served, key, options);
    const grace = gracePeriod(pod, options.gracePeriodSeconds);
    const isMarked = pod.metadata.deletionTimestamp !== undefined;
    if (grace === 0 && !isMarked) return super.delete(served, key, options);
    // Whether it may be deleted at all is for the server to say.
    const answer = super.delete(served, key, { ...options, dryRun: true });
    const left = pod.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY;
    if (options.dryRun === true || grace >= left) return { gone: false, object: answer.object };
    if (grace === 0 && !isHeld(pod)) return this.#removed(pod, answer);
    return { gone: false, object: this.state.storage.put('pods', this.#marked(pod, grace)) };
  }

  #marked(pod: AnyObject, grace: number): AnyObject {
    const { generation = 1, deletionTimestamp } = pod.metadata;
    return {
      ...pod,
      metadata: {
        ...pod.metadata,
        deletionTimestamp: timestamp(this.state.clock.now() + grace * SECOND),
        deletionGracePeriodSeconds: grace,
        generation: deletionTimestamp === undefined ? generation + 1 : generation,
      },
    };
  }

  #removed(pod: AnyObject, { object }: Deleted): Deleted {
    const last = this.state.storage.remove('pods', keyOf(pod)) ?? object;
    const { name, uid = '' } = pod.metadata;
    const details = { name, kind: 'pods', uid };
    return { gone: true, object: last, status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
  }
}
