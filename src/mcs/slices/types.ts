import { type KubeObject, type ResourceType, resourceType } from '../../kube/index.ts';
import type { ServiceImport, ServiceImportPort } from '../api.ts';

/** Whether an endpoint takes traffic (API: discovery.k8s.io/v1 EndpointConditions). `ready` that is unset means ready. */
export interface EndpointConditions {
  readonly ready?: boolean | null;
  readonly serving?: boolean | null;
  readonly terminating?: boolean | null;
}

/** One endpoint of a slice (API: discovery.k8s.io/v1 Endpoint). Other fields are there, and name objects of the endpoint's own cluster. */
export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: EndpointConditions | null;
  readonly hostname?: string | null;
  readonly zone?: string | null;
  readonly [field: string]: unknown;
}

/** One port of a slice: that of the endpoints, not of the Service (API: discovery.k8s.io/v1 EndpointPort). */
export interface SlicePort {
  readonly name?: string | null;
  readonly protocol?: string | null;
  readonly port?: number | null;
  readonly appProtocol?: string | null;
}

/** API: discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSlice extends KubeObject {
  /** `IPv4`, `IPv6` or `FQDN`; never changes. */
  readonly addressType: string;
  readonly endpoints?: readonly SliceEndpoint[] | null;
  readonly ports?: readonly SlicePort[] | null;
}

/** The resource type of EndpointSlices. */
export const ENDPOINT_SLICE: ResourceType<EndpointSlice> = resourceType<EndpointSlice>(
  'discovery.k8s.io/v1',
  'EndpointSlice',
  'endpointslices',
);

/** Our value of the label that says who keeps a slice. */
export const SLICES_MANAGED_BY = 'mcs.clusterset.dev';
/** On imported slices: the name of the slice in its own cluster. An annotation, because such a name may be longer than a label's value. */
export const SOURCE_SLICE_ANNOTATION = 'clusterset.dev/source-slice';

/** The service that slices are imported for. */
export interface ImportedService {
  /** The merged service: its namespace, name, uid, type and ports count. */
  readonly serviceImport: ServiceImport;
  /** The Service that kube-proxy takes the slices for. Left out: that label of a slice stays as it is. */
  readonly derivedService?: string;
  /** Most endpoints in one imported slice, cut to 1…1,000. Default 100, as in Kubernetes' own slices. */
  readonly maxEndpoints?: number;
}

/** What one cluster has for the service. */
export interface SourceCluster {
  /** Cluster id. */
  readonly cluster: string;
  /** `spec.ports` of its own Service: they decide which ports its slices carry. */
  readonly ports: readonly ServiceImportPort[];
  /** Its EndpointSlices of the service. */
  readonly slices: readonly EndpointSlice[];
}

/** Why a source slice, or a part of it, isn't imported. */
export type LeftOutReason =
  | 'ClusterIdDoesNotFit'
  | 'NotASlice'
  | 'AlreadyImported'
  | 'OtherNamespace'
  | 'NoServiceLabel'
  | 'OtherService'
  | 'UnknownAddressType'
  | 'DuplicateSource'
  | 'DuplicatePortName'
  | 'BadPort'
  | 'PortNotMerged'
  | 'PortDiffers'
  | 'NoPortLeft'
  | 'NoAddresses'
  | 'TooManyAddresses'
  | 'BadAddress'
  | 'WrongFamily'
  | 'SpecialAddress'
  | 'BadEndpoint'
  | 'DuplicateEndpoint'
  | 'BadHostname';

/** Something that isn't imported, and why. Everything else is. */
export interface LeftOut {
  readonly reason: LeftOutReason;
  readonly cluster: string;
  /** Name of the source slice; absent where the whole cluster is left out. */
  readonly slice?: string;
  /** Path in the source slice: `endpoints[3].addresses[0]`. */
  readonly field?: string;
  readonly message: string;
}
