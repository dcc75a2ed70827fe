export { ReplicaSchedulingPreference } from './api.ts';
export { assignCompletions, type CompletionShare } from './assign/completions.ts';
export {
  type ObservedOrdinals,
  type OrdinalPlan,
  type OrdinalStep,
  type OrdinalStepsInput,
  type OrdinalWaitReason,
  ordinalSteps,
} from './assign/ordinal-steps.ts';
export {
  type AssignOrdinalsInput,
  assignOrdinals,
  type ClusterOrdinals,
  type OrdinalAssignment,
  type OrdinalMove,
  type OrdinalRange,
} from './assign/ordinals.ts';
export {
  DECISION_INDEX_LABEL,
  DECISION_KEY_LABEL,
  DECISION_REVISION_LABEL,
  LARGEST_SLICE,
  PLACEMENT_KEY_LABEL,
  PlacementDecision,
} from './decision/api.ts';
export {
  type AssembledDecision,
  type AssemblyReason,
  assembleDecisions,
  type DecidedCluster,
  type DecisionChanges,
  followDecision,
} from './decision/assemble.ts';
export { checkPlacementDecision } from './decision/check.ts';
export { type ChosenCluster, decisionKeyOf, type PlacementDecisionInput, placementDecisionsOf } from './decision/slices.ts';
export { type DecisionPlan, type DecisionStep, type HeldSlice, planDecisions } from './decision/steps.ts';
export {
  type DivideInput,
  type Division,
  type DivisionCluster,
  type DivisionLimit,
  type DivisionReason,
  type DivisionShare,
  type DivisionType,
  divideReplicas,
} from './divide/divide.ts';
export type { AntiAffinityTerm } from './estimate/anti-affinity.ts';
export {
  type ClassesEstimate,
  classesEstimator,
  DEFAULT_CLASS_LABELS,
  estimateOnClasses,
  type NodeClassesOptions,
  nodeClasses,
} from './estimate/classes.ts';
export type { NodeClass, NodeClasses } from './estimate/classes-schema.ts';
export type { NodeObject, PodObject } from './estimate/cluster-state.ts';
export type { HostPort } from './estimate/host-ports.ts';
export type { NodeRequirement, NodeTerm } from './estimate/node-selection.ts';
export {
  estimateOnNodes,
  type NodeEstimate,
  type NodesEstimate,
  type NodesEstimateInput,
  nodesEstimator,
} from './estimate/on-nodes.ts';
export type { EstimateProblem } from './estimate/problem.ts';
export { type PodTemplateOptions, podRequirements, type ReplicaRequirements } from './estimate/replica.ts';
export { type ClusterRoom, type RoomSource, roomOf } from './estimate/room.ts';
export type { EstimateReason, Room } from './estimate/room-on-node.ts';
export { type ClusterSummary, clusterSummarySchema, type SummaryOptions, summarizeCluster } from './estimate/summary.ts';
export type { NodeTaint, NodeToleration } from './estimate/taints.ts';
export { countUnschedulable, type UnschedulableQuery } from './estimate/unschedulable.ts';
export {
  APIS_FILTER,
  fieldsFilter,
  filtersOf,
  followFilter,
  groupsFilter,
  labelsFilter,
  namesFilter,
  propertiesFilter,
  READY_FILTER,
} from './filter/filters.ts';
export { type CompiledGroup, compileGroups, tierOf } from './filter/groups.ts';
export { type FilteredCluster, type FilterOptions, type FilterRun, runFilters } from './filter/run.ts';
export { type ClusterMatcher, compileSelection, selectionTest } from './filter/selection.ts';
export { taintFilter } from './filter/taint-filter.ts';
export type { FilterName, PolicyRejection, RejectionReason } from './filter/verdict.ts';
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
  graderOf,
  KARMADA_DEFAULT_MODELS,
  type KarmadaEstimate,
  type KarmadaEstimator,
  type KarmadaRequirements,
  type KarmadaResourceModel,
  type KarmadaResourceSummary,
  karmadaEstimator,
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
export {
  type ClusterAssigner,
  type ClusterFilter,
  type ClusterScore,
  type ClusterScorer,
  type ClusterSelector,
  type FilterVerdict,
  formatWorkload,
  type Rejection,
  type ReplicaDivider,
  type SchedulingContext,
  type SchedulingWorkload,
  type SelectedForStep,
} from './pipeline/contract.ts';
export type {
  ClusterDecision,
  ClusterOutcome,
  DivisionExplanation,
  FailureReason,
  GroupAttempt,
  ScheduleDecision,
  SelectionExplanation,
} from './pipeline/decision.ts';
export { type ClusterChange, type DecisionDiff, diffDecisions } from './pipeline/diff.ts';
export { explainCluster } from './pipeline/explain.ts';
export { compilePolicy, type ScheduleInput, type Scheduler, type SchedulerOptions, schedule } from './pipeline/schedule.ts';
export {
  type ClusterGroup,
  type ClusterSelection,
  type DivisionPolicy,
  type DivisionPreference,
  type PickPolicy,
  PlacementPolicy,
  type PlacementPolicySpec,
  type PropertyRequirement,
  type ScorePolicy,
  type SpreadConstraint,
  type Toleration,
  type WorkloadReference,
} from './policy/api.ts';
export { checkPolicy, checkReplicaSchedulingPreference } from './policy/check.ts';
export { closest } from './policy/check-finding.ts';
export type { ClusterStanding, ClusterTrouble, FailoverStep, FailoverStepReason } from './react/explain.ts';
export type { ClusterObservation, TroubleKind } from './react/observation.ts';
export type { WaitReason } from './react/pace.ts';
export { type ReactInput, type Reaction, react, type UsableCluster } from './react/react.ts';
export { checkFailoverRules, type FailoverRules, failoverRulesSchema } from './react/rules.ts';
export { type FailoverState, failoverStateSchema, parseFailoverState } from './react/state.ts';
export { runScores, type ScoreTable, scoreTable } from './score/run.ts';
export { builtInScorer, externalScorer, preferredScorer, propertyScorer, scorersOf } from './score/scorers.ts';
export { selectClusters } from './select/select.ts';
export {
  type ClusterSelectionFailure,
  type ClusterSelectionInput,
  type ClusterSelectionResult,
  type ConstraintReference,
  explainSelection,
  explainSelectionNote,
  type LeftOutCluster,
  type SelectedCluster,
  type SelectionCandidate,
  type SelectionNote,
  type SpreadLimit,
} from './select/selection.ts';
export {
  FLEET_SNAPSHOT,
  type FleetSnapshot,
  parseSnapshot,
  type SnapshotCluster,
  type SnapshotWorkload,
  snapshotIssues,
} from './snapshot/api.ts';
export { type SnapshotMember, type TakenSnapshot, type TakeSnapshotOptions, takeSnapshot } from './snapshot/client.ts';
export { type SnapshotInput, type SnapshotInputOptions, snapshotInput } from './snapshot/input.ts';
export type { ClusterAmount } from './waves/amount.ts';
export { type RolloutWave, type RolloutWaves, rolloutWavesSchema } from './waves/api.ts';
export { checkWaves } from './waves/check.ts';
export type {
  PlannedWave,
  WaveApproval,
  WaveObservation,
  WavePhase,
  WaveStatus,
  WaveStep,
  WavesInput,
  WavesPlan,
  WaveWait,
} from './waves/contract.ts';
export { REST_WAVE } from './waves/membership.ts';
export { planWaves } from './waves/plan.ts';
