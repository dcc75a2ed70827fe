import { z } from 'zod';
import { conditionsSchema, defineResource, type Resource } from '../kube/index.ts';

/** On imported EndpointSlices: the name of the ServiceImport (KEP-1645, EndpointSlice). */
export const SERVICE_NAME_LABEL = 'multicluster.kubernetes.io/service-name';
/** On imported EndpointSlices: the id of the one cluster that the endpoints are in (KEP-1645, EndpointSlice). */
export const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster';
/** On EndpointSlices: who keeps them. On imported ones it must not be Kubernetes' own controller (MCS API conformance suite). */
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
/** On EndpointSlices: the Service that kube-proxy uses them for; on imported ones, the derived Service. */
export const KUBE_SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** On a ServiceImport: the name of the Service that holds its addresses in this cluster (MCS API, reference controllers). */
export const DERIVED_SERVICE_ANNOTATION = 'multicluster.kubernetes.io/derived-service';

/** Types of the conditions of a ServiceExport (API: multicluster.x-k8s.io/v1beta1). */
export type ServiceExportConditionType = 'Valid' | 'Ready' | 'Conflict';
/** Types of the conditions of a ServiceImport (API: multicluster.x-k8s.io/v1beta1). */
export type ServiceImportConditionType = 'Ready';

/** Why a ServiceExport is `Valid`, or isn't (API: multicluster.x-k8s.io/v1beta1). */
export type ServiceExportValidReason = 'Valid' | 'NoService' | 'InvalidServiceType';
/** Why a ServiceExport is `Ready`, or isn't (API: multicluster.x-k8s.io/v1beta1): `Exported` where it is pushed, `Ready` where others pull. */
export type ServiceExportReadyReason = 'Exported' | 'Ready' | 'Pending' | 'Failed';
/** Why a ServiceImport is `Ready`, or isn't (API: multicluster.x-k8s.io/v1beta1). */
export type ServiceImportReadyReason = 'Ready' | 'Pending' | 'IPFamilyNotSupported';

/** The reason of `Conflict=False` (API: multicluster.x-k8s.io/v1beta1). */
export const NO_CONFLICTS = 'NoConflicts';

/** Reasons of `Conflict=True`, in the order in which they are joined (API: multicluster.x-k8s.io/v1beta1). */
export const CONFLICT_REASONS = [
  'PortConflict',
  'TypeConflict',
  'SessionAffinityConflict',
  'SessionAffinityConfigConflict',
  'AnnotationsConflict',
  'LabelsConflict',
  'InternalTrafficPolicyConflict',
  'TrafficDistributionConflict',
  'IPFamilyConflict',
] as const;
/** One of {@link CONFLICT_REASONS}. */
export type ConflictReason = (typeof CONFLICT_REASONS)[number];

const exportSpec = z.object({
  exportedLabels: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe('Labels for the ServiceImport. Those of the Service itself are never exported.'),
  exportedAnnotations: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe('Annotations for the ServiceImport. Those of the Service itself are never exported.'),
});

const exportStatus = z.object({
  conditions: conditionsSchema.exactOptional().describe('Valid, Ready and Conflict.'),
});

const servicePort = z.object({
  name: z.string().exactOptional().describe('Unique among the ports. May be left out where there is one port.'),
  protocol: z.string().exactOptional().describe('TCP, UDP or SCTP. Default TCP.'),
  appProtocol: z.string().exactOptional().describe('What is spoken above the transport, as a hint.'),
  port: z.int32().describe('Port of the service.'),
});

const importSpec = z.object({
  ports: z
    .array(servicePort)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The ports of all clusters that export the service, put together.'),
  ips: z.array(z.string()).max(2).exactOptional().describe('Addresses of the service, one for each family. None when Headless.'),
  ipFamilies: z.array(z.string()).max(2).exactOptional().describe('IPv4, IPv6 or both, in the order of the addresses.'),
  type: z.enum(['ClusterSetIP', 'Headless']).describe('Whether the service has addresses of its own, or those of its endpoints.'),
  sessionAffinity: z.string().exactOptional().describe('ClientIP or None. Default None. Ignored when Headless.'),
  sessionAffinityConfig: z
    .object({
      clientIP: z
        .object({ timeoutSeconds: z.int32().exactOptional().describe('Seconds that a client stays with an endpoint.') })
        .exactOptional(),
    })
    .exactOptional()
    .describe('How long sessions last.'),
  internalTrafficPolicy: z.string().exactOptional().describe('Cluster or Local. Default Cluster.'),
  trafficDistribution: z.string().exactOptional().describe('Which endpoints are preferred, as a hint.'),
});

const importStatus = z.object({
  clusters: z
    .array(z.object({ cluster: z.string().describe('Id of a cluster that exports the service.') }))
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['cluster'] })
    .exactOptional()
    .describe('The clusters that the import is made of.'),
  conditions: conditionsSchema.exactOptional().describe('Ready.'),
});

/** `spec` of a ServiceExport. */
export type ServiceExportSpec = z.infer<typeof exportSpec>;
/** `status` of a ServiceExport. */
export type ServiceExportStatus = z.infer<typeof exportStatus>;
/** `spec` of a ServiceImport. */
export type ServiceImportSpec = z.infer<typeof importSpec>;
/** `status` of a ServiceImport. */
export type ServiceImportStatus = z.infer<typeof importStatus>;
/** One port of a ServiceImport: the port of the service; targets are a matter of each cluster. */
export type ServiceImportPort = z.infer<typeof servicePort>;
/** `spec.type` of a ServiceImport. */
export type ServiceImportType = ServiceImportSpec['type'];

/**
 * Exports the Service of the same namespace and name to all clusters of the set (API: multicluster.x-k8s.io/v1beta1, and v1alpha1, which is
 * the same). There is no reference field on purpose: who may write into a namespace decides what it exports. Upstream checks little, and
 * so does `read`; `checkServiceExport` is strict.
 */
export const ServiceExport = defineResource({
  group: 'multicluster.x-k8s.io',
  version: 'v1beta1',
  olderVersions: ['v1alpha1'],
  kind: 'ServiceExport',
  plural: 'serviceexports',
  scope: 'Namespaced',
  shortNames: ['svcex', 'svcexport'],
  printerColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
  description: 'Exports the Service of the same namespace and name to all clusters of the set.',
  spec: exportSpec,
  specOptional: true,
  status: exportStatus,
});

/** An object of {@link ServiceExport}. */
export type ServiceExport = Resource<ServiceExportSpec, ServiceExportStatus, true>;

/**
 * A service of the whole cluster set, as it is offered in one cluster (API: multicluster.x-k8s.io/v1beta1, and v1alpha1, which is the same).
 * Controllers write it, not users. Upstream checks little, and so does `read`; `checkServiceImport` is strict.
 */
export const ServiceImport = defineResource({
  group: 'multicluster.x-k8s.io',
  version: 'v1beta1',
  olderVersions: ['v1alpha1'],
  kind: 'ServiceImport',
  plural: 'serviceimports',
  scope: 'Namespaced',
  shortNames: ['svcim', 'svcimport'],
  printerColumns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'IP', type: 'string', jsonPath: '.spec.ips' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  description: 'A service of the whole cluster set: what its exporting clusters say of it, put together.',
  spec: importSpec,
  specOptional: true,
  status: importStatus,
});

/** An object of {@link ServiceImport}. */
export type ServiceImport = Resource<ServiceImportSpec, ServiceImportStatus, true>;
