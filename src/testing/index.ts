export type { RolloutOptions } from './actors/deployments.ts';
export type { PodBehaviour } from './actors/kubelet.ts';
export type { OfflineNode } from './actors/node.ts';
export type { WorkloadOptions } from './actors/workloads.ts';
export { BEHAVIOURS, type Behaviour, type BehaviourContext } from './behaviours/index.ts';
export type { Network } from './network.ts';
export { OfflineCluster, type OfflineClusterOptions } from './offline-cluster.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type ClusterContents, simulate, World, type WorldOptions } from './world.ts';
