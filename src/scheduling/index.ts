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
export {
  estimateKarmada,
  gradeOf,
  KARMADA_DEFAULT_MODELS,
  type KarmadaEstimate,
  type KarmadaRequirements,
  type KarmadaResourceModel,
  type KarmadaResourceSummary,
  type ResourceAmounts,
} from './karmada/estimate.ts';
export {
  type KarmadaLeftOut,
  type KarmadaSelectable,
  type KarmadaSelected,
  type KarmadaSelectFailure,
  type KarmadaSelectInput,
  type KarmadaSelection,
  selectKarmada,
} from './karmada/select.ts';
export type { KarmadaSpread } from './karmada/spread-groups.ts';
export { type Party, webster } from './karmada/webster.ts';
export { divideKubeAdmiralBinpack, type KubeAdmiralBinpackInput } from './kubeadmiral/binpack.ts';
export {
  planRollout,
  type RolloutChange,
  type RolloutInput,
  type RolloutPlan,
  type RolloutReason,
  type RolloutRefusal,
  type RolloutStep,
} from './kubeadmiral/rollout.ts';
export { type RollingUpdate, type RolloutBudget, rolloutBudget } from './kubeadmiral/rollout-budget.ts';
export type { RolloutDirection, RolloutObservation, RolloutTarget } from './kubeadmiral/rollout-target.ts';
export {
  explainKubeAdmiralShare,
  type KubeAdmiralBasis,
  type KubeAdmiralInput,
  type KubeAdmiralLimit,
  type KubeAdmiralPlan,
  type KubeAdmiralPreference,
  type KubeAdmiralShare,
} from './kubeadmiral/share.ts';
export { divideKubeAdmiral, type KubeAdmiralSpreadInput } from './kubeadmiral/spread.ts';
export { type KubeAdmiralResources, kubeAdmiralDynamicWeights } from './kubeadmiral/weights.ts';
export {
  type ClusterPreference,
  explainShare,
  type PlanReplicasInput,
  planReplicas,
  type ReplicaPlan,
  type ReplicaShare,
} from './kubefed/planner.ts';
