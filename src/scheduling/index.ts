export { ReplicaSchedulingPreference } from './api.ts';
export {
  divideCompletions,
  divideKarmada,
  type KarmadaCandidate,
  type KarmadaDivision,
  type KarmadaInput,
  type KarmadaReason,
  type KarmadaShare,
  type KarmadaStrategy,
  type KarmadaWeightRule,
} from './karmada/divide.ts';
export { type Party, webster } from './karmada/webster.ts';
export {
  type ClusterPreference,
  explainShare,
  type PlanReplicasInput,
  planReplicas,
  type ReplicaPlan,
  type ReplicaShare,
} from './planner.ts';
