import type { AnyObject } from '../../kube/plain/index.ts';
import { listOf, part } from '../kinds/kind.ts';
import { specOf, statusOf } from './pod-facts.ts';
import { type Step, statusStep } from './step.ts';

/** Gives a Service of type LoadBalancer its address, and takes it from one that is of another type now. */
export function balanceLoad(service: AnyObject, nextAddress: () => string): readonly Step[] {
  const status = statusOf(service);
  const isBalanced = specOf(service).type === 'LoadBalancer' && service.metadata.deletionTimestamp === undefined;
  const hasAddress = listOf(part(status, 'loadBalancer'), 'ingress').length > 0;
  if (isBalanced === hasAddress) return [];
  const loadBalancer = isBalanced ? { ingress: [{ ip: nextAddress(), ipMode: 'VIP' }] } : {};
  return [statusStep('services', service, { ...status, loadBalancer })];
}
