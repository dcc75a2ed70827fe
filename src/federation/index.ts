export {
  CLUSTERS_ANNOTATION,
  type ClusterStatus,
  DELETE_OPTIONS_ANNOTATION,
  type FederatedObject,
  type FederatedSpec,
  type FederatedStatus,
  FederatedTypeConfig,
  FINALIZER,
  MANAGED_LABEL,
  ORPHAN_ANNOTATION,
  type Override,
  type OverrideOperation,
  OWNER_ANNOTATION,
  type PlacementSpec,
  readStatus,
} from './api.ts';
export { appliedFields, changesTo } from './changes.ts';
export { type ClusterDecision, type DecideInput, type Decision, decide, replicasOf, type UnknownCluster } from './decide.ts';
export { type DeletionOptions, deletionOptions } from './deletion-options.ts';
export {
  BUILT_IN_FEDERATED_TYPES,
  FEDERATED_GROUP,
  type FederatedType,
  type FederateOptions,
  federate,
  federatedTypeOf,
  typeOfObject,
  withTypes,
} from './federated-type.ts';
export type { RenderIssue } from './issue.ts';
export { applyOverrides, type CompiledOverrides, compileOverrides, type OverrideItem, type ReplaceMissing } from './overrides.ts';
export {
  type ClusterPlacement,
  explainPlacement,
  type Placement,
  type PlacementOptions,
  type PlacementReason,
  placementOf,
} from './placement.ts';
export {
  type BlockedCode,
  changesHash,
  isOwned,
  type Observed,
  type PlanStepInput,
  planStep,
  type Step,
  type StepBase,
} from './plan.ts';
export { formatRecord, recordedClusters } from './record.ts';
export {
  DEFAULT_FIELD_MANAGER,
  ownerOf,
  type Prepared,
  type PrepareOptions,
  prepare,
  type Rendering,
  type RenderOptions,
  render,
  renderAll,
} from './render.ts';
export { type Retained, type RetainOptions, retain } from './retain.ts';
export { type Rollout, rolloutOf } from './rollout.ts';
export { codeOfFailure, entryOf, explainIssue, type StatusInput, type StepResult, statusOf } from './status.ts';
