export {
  CONFLICT_REASONS,
  type ConflictReason,
  DERIVED_SERVICE_ANNOTATION,
  KUBE_SERVICE_NAME_LABEL,
  MANAGED_BY_LABEL,
  NO_CONFLICTS,
  SERVICE_NAME_LABEL,
  ServiceExport,
  type ServiceExportConditionType,
  type ServiceExportReadyReason,
  type ServiceExportSpec,
  type ServiceExportStatus,
  type ServiceExportValidReason,
  ServiceImport,
  type ServiceImportConditionType,
  type ServiceImportPort,
  type ServiceImportReadyReason,
  type ServiceImportSpec,
  type ServiceImportStatus,
  type ServiceImportType,
  SOURCE_CLUSTER_LABEL,
} from './api.ts';
export { checkServiceExport, checkServiceImport, type ImportCheckOptions } from './check.ts';
export {
  type GatheredService,
  type GatheredServices,
  type GatherOptions,
  gatherServices,
  type ImportedServices,
  type MemberExports,
  readExports,
  readImports,
  readZone,
  type ServiceMember,
  type ServiceReadOptions,
} from './client.ts';
export {
  type DerivedPort,
  type DerivedService,
  type DerivedServiceOptions,
  derivedPorts,
  derivedService,
  derivedServiceName,
  type NoDerivedServiceReason,
} from './derived-service.ts';
export {
  DNS_ENDPOINT,
  type DnsEndpoint,
  type DnsEndpointOptions,
  type DnsEndpointRecord,
  dnsEndpoints,
} from './dns/external-dns.ts';
export { clustersetRecords, serviceRecords } from './dns/records.ts';
export {
  type ClustersetName,
  formatClustersetName,
  parseClustersetName,
  type Question,
  type Resolution,
  resolve,
} from './dns/resolve.ts';
export {
  type RecordData,
  type RecordLeftOut,
  type RecordLeftOutReason,
  type RecordType,
  type ServiceRecords,
  servicesOf,
  withoutServiceRecords,
  withServiceRecords,
  type Zone,
  type ZoneOptions,
  type ZoneRecord,
  zoneOf,
  zoneRecords,
} from './dns/zone.ts';
export {
  advanceExports,
  type ClusterAnswer,
  type ClusterObservation,
  type ClusterStanding,
  type ClusterState,
  type ExportChange,
  type ExportsInput,
  type ExportsState,
  type ExportsStep,
  type ImportVerdict,
  NO_EXPORTS,
  type StandingReason,
} from './lifecycle.ts';
export { explainConflict, formatDecided } from './merge/conditions.ts';
export type { DecisionReason, FieldDecision, MergedField } from './merge/decisions.ts';
export { isReservedKey } from './merge/exported-metadata.ts';
export {
  type ApiCondition,
  type ExportableService,
  type ExportedService,
  type ExportFacts,
  type ExportProgress,
  exportedService,
  type ServiceFacts,
} from './merge/exports.ts';
export { IP_FAMILIES, type IPFamily } from './merge/ip-families.ts';
export { type ExportOutcome, type MergedExports, type MergeInput, mergeExports } from './merge/merge.ts';
export { type DroppedPort, formatPort, type KeptPort, type MergedPorts } from './merge/ports.ts';
export type { ExportStanding, MergeIssue } from './merge/precedence.ts';
export { TYPE_FROM_ANNOTATION } from './merge/type-origin.ts';
export type { ClusterIdForm } from './name-limits.ts';
export {
  importableSources,
  importSlices,
  importSourceSlice,
  type SliceImportInput,
  type SliceImportPlan,
  type SourceSlice,
} from './slices/import-slices.ts';
export { importedSliceStem, type SliceOrigin, sourceOfSlice } from './slices/names.ts';
export type { SliceStep, SliceStepReason } from './slices/steps.ts';
export {
  ENDPOINT_SLICE,
  type EndpointConditions,
  type EndpointSlice,
  type ImportedService,
  type LeftOut,
  type LeftOutReason,
  SLICES_MANAGED_BY,
  type SliceEndpoint,
  type SlicePort,
  SOURCE_SLICE_ANNOTATION,
  type SourceCluster,
} from './slices/types.ts';
export {
  type ClusterChoice,
  type ClusterUse,
  type TrafficCluster,
  type TrafficPolicy,
  type TrafficQuestion,
  type TrafficReason,
  type TrafficRule,
  trafficPolicyOf,
} from './traffic/policy.ts';
export {
  type ClusterShare,
  type ClusterSlices,
  type ShapedTraffic,
  shapeTraffic,
  slicesByCluster,
  type TrafficInput,
} from './traffic/shape.ts';
