/**
 * What most programs need first; everything else is in the subpaths. Nothing here touches a network.
 *
 * @module
 */
export { type FederatedObject, type FederatedType, federate, type Rendering, render, renderAll } from './federation/index.ts';
export {
  type Cluster,
  ClustersetError,
  defineResource,
  hasCode,
  isClustersetError,
  type ResourceType,
  resourceType,
} from './kube/index.ts';
export type { ClusterEntry } from './registry/index.ts';
export { planReplicas, type ReplicaPlan } from './scheduling/index.ts';
