export { ReplicaSchedulingPreference } from './api.ts';
export {
  type ClusterPreference,
  explainShare,
  type PlanReplicasInput,
  planReplicas,
  type ReplicaPlan,
  type ReplicaShare,
} from './planner.ts';
