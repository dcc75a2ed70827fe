import { type ResourceType, resourceType } from '../../kube/plain/index.ts';

/** Built-in kinds that offline clusters serve beside those that federations carry: they belong to one cluster. */
export const UNFEDERATED: readonly ResourceType[] = [
  resourceType('v1', 'Event', 'events'),
  resourceType('events.k8s.io/v1', 'Event', 'events'),
];
