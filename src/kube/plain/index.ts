/** Everything of this folder that needs no schema library: loading one takes longer than all the rest. */

export { BUILT_IN, builtIn } from '../built-in.ts';
export { base64Encode, utf8 } from '../bytes.ts';
export type {
  Applied,
  ApplyOptions,
  Cluster,
  ClusterDiscovery,
  ClusterReader,
  ClusterSource,
  ClusterWatcher,
  ClusterWriter,
  DeleteOptions,
  DeleteOutcome,
  ListOptions,
  ObjectList,
  Patch,
  RequestOptions,
  SelectOptions,
  ServedResource,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../cluster.ts';
export { NEVER_VERSION } from '../cluster.ts';
export { contentHash, deepEqual, stableStringify } from '../compare.ts';
export { type Condition, findCondition, isConditionTrue, setCondition } from '../conditions.ts';
export type { CustomResourceDefinition, PrinterColumn, StructuralSchema } from '../crd.ts';
export { type Change, diff, masked, maskedChanges, maskedValue } from '../diff.ts';
export {
  ClustersetError,
  type ErrorCode,
  type ErrorDetails,
  formatReference,
  hasCode,
  type Issue,
  ifAbsentError,
  isAborted,
  isAlreadyExists,
  isClustersetError,
  isConflict,
  isExpired,
  isInvalid,
  isNotFound,
  isNotServed,
  isRetryable,
  isUnreachable,
  type ObjectReference,
} from '../errors.ts';
export {
  difference,
  differenceBelow,
  type FieldNode,
  type FieldSet,
  fieldElement,
  fieldPaths,
  formatElements,
  intersection,
  keyElement,
  NO_FIELDS,
  parseFieldsV1,
  sameFields,
  toFieldsV1,
  union,
  valueElement,
  withField,
} from '../field-set.ts';
export { type Health, type HealthThresholds, healthAfter } from '../health.ts';
export {
  applyJsonPatch,
  type CompiledOperation,
  type CompiledPatch,
  compileJsonPatch,
  type JsonPatchOperation,
  safePointer,
  type Unresolved,
  unresolved,
} from '../json-patch.ts';
export { applyMergePatch, createMergePatch } from '../merge-patch.ts';
export { checkDns1035Label, checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkLabelValue } from '../names.ts';
export { unsafeIntegers } from '../numbers.ts';
export {
  type AnyObject,
  compareKeys,
  compareText,
  type Draft,
  type FieldsV1,
  formatKey,
  isRecord,
  type Json,
  type KubeObject,
  keyOf,
  type ManagedFieldsEntry,
  type ObjectKey,
  type ObjectMeta,
  type OwnerReference,
  parseKey,
  withoutManagedFields,
} from '../object.ts';
export { controllerOf, controllerReference, isReferenceTo } from '../owners.ts';
export {
  FORBIDDEN_TOKENS,
  formatFieldPath,
  formatPointer,
  isIndex,
  memberOf,
  type Pointer,
  parsePointer,
  valueAt,
} from '../pointer.ts';
export {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantityToNumber,
  sameQuantity,
} from '../quantity.ts';
export {
  apiVersionOf,
  checkedKey,
  isSameResource,
  parseApiVersion,
  qualifiedPlural,
  type ResourceAddress,
  type ResourceType,
  resourcePath,
  resourceType,
  type Scope,
  type Subresource,
  untyped,
} from '../resource.ts';
export {
  type FieldRequirement,
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
} from '../selectors/field-selector.ts';
export {
  type LabelOperator,
  type LabelRequirement,
  type LabelRequirements,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from '../selectors/label-selector.ts';
export { formatLabelSelector, parseLabelSelector } from '../selectors/parse-labels.ts';
export { CODE_OF_REASON, codeOf, errorOfStatus, failure, isStatus, type Status, type StatusCause } from '../status.ts';
