export type { RolloutOptions } from './actors/deployments.ts';
export { BEHAVIOURS, type Behaviour, type BehaviourContext } from './behaviours/index.ts';
export type { Network } from './network.ts';
export { OfflineCluster, type OfflineClusterOptions } from './offline-cluster.ts';
export { VirtualClock } from './virtual-clock.ts';
export { simulate, World, type WorldOptions } from './world.ts';
