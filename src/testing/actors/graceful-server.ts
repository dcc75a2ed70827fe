import type { AnyObject } from '../../kube/plain/index.ts';
import { ApiServer } from '../api/api-server.ts';
import type { Served } from '../api/catalogue.ts';
import { isTerminal, nodeOf, numberIn, specOf } from './pod-facts.ts';

/** Seconds that a pod has which says nothing of it (API: core/v1 PodSpec.terminationGracePeriodSeconds). */
const GRACE = 30;

/** An API server whose pods are deleted with grace: they are marked, and stay until their kubelet has stopped them. */
export class GracefulServer extends ApiServer {
  /**
   * How many seconds a pod has to stop, before it is gone: none where nobody runs it, and none where the caller says so (API: meta/v1
   * DeleteOptions.gracePeriodSeconds).
   */
  protected override graceOf(served: Served, object: AnyObject, asked: number | undefined): number | undefined {
    if (served.collection !== 'pods') return super.graceOf(served, object, asked);
    if (nodeOf(object) === '' || isTerminal(object)) return 0;
    const seconds = asked ?? numberIn(specOf(object), 'terminationGracePeriodSeconds', GRACE);
    return seconds < 0 ? 1 : seconds;
  }
}
