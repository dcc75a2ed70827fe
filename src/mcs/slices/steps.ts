import type { KubeObject, ObjectMeta, OwnerReference } from '../../kube/index.ts';
import { KUBE_SERVICE_NAME_LABEL, MANAGED_BY_LABEL, SERVICE_NAME_LABEL, SOURCE_CLUSTER_LABEL } from '../api.ts';
import type { PackedSlice } from './packing.ts';
import { samePorts } from './ports.ts';
import { type ReadSlice, recordsOf } from './reading.ts';
import { type EndpointSlice, type ImportedService, SLICES_MANAGED_BY, SOURCE_SLICE_ANNOTATION } from './types.ts';

/** Why a slice is created, updated or deleted. */
export type SliceStepReason =
  | 'NewSource'
  | 'NoRoom'
  | 'EndpointsAdded'
  | 'EndpointsRemoved'
  | 'EndpointsChanged'
  | 'PortsChanged'
  | 'MetadataChanged'
  | 'Emptied'
  | 'SourceGone'
  | 'SourceLeftOut'
  | 'ClusterWithdrawn';

/** One write. An update carries the whole object, with the version that was seen; a deletion names the slice that was seen. */
export interface SliceStep {
  readonly op: 'create' | 'update' | 'delete';
  readonly reasons: readonly SliceStepReason[];
  readonly slice: EndpointSlice;
}

/** What all slices imported from one source slice have in common. */
export interface SliceContent {
  readonly service: ImportedService;
  readonly cluster: string;
  readonly source: ReadSlice;
}

/** What becomes of one slice: its next content, and the step that leads there. */
export interface SliceOutcome {
  readonly step?: SliceStep;
  /** Absent where the slice is deleted. */
  readonly slice?: EndpointSlice;
}

/** The deletion of a slice. */
export function deletion(slice: EndpointSlice, reason: SliceStepReason): SliceStep {
  return { op: 'delete', reasons: [reason], slice };
}

/** The step that brings one slice to its content. A slice that is as it should be comes back itself. */
export function stepFor(content: SliceContent, packed: PackedSlice, name: string, isFirst: boolean): SliceOutcome {
  const { current, endpoints } = packed;
  if (current === undefined) {
    const slice = newSlice(content, packed, name);
    return { step: { op: 'create', reasons: [isFirst ? 'NewSource' : 'NoRoom'], slice }, slice };
  }
  if (endpoints.length === 0) return { step: deletion(current, 'Emptied') };
  const { ports } = content.source;
  const metadata = metadataFor(content, current.metadata);
  const reasons: SliceStepReason[] = [];
  if (packed.added > 0) reasons.push('EndpointsAdded');
  if (packed.removed > 0) reasons.push('EndpointsRemoved');
  if (packed.changed > 0) reasons.push('EndpointsChanged');
  if (!samePorts(ports, recordsOf(current.ports))) reasons.push('PortsChanged');
  if (metadata !== current.metadata) reasons.push('MetadataChanged');
  if (reasons.length === 0) return { slice: current };
  const slice: EndpointSlice = { ...current, metadata, endpoints, ports };
  return { step: { op: 'update', reasons, slice }, slice };
}

function newSlice(content: SliceContent, { endpoints }: PackedSlice, name: string): EndpointSlice {
  const { namespace } = content.service.serviceImport.metadata;
  const metadata: ObjectMeta = { name, ...(namespace === undefined ? {} : { namespace }) };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadataFor(content, metadata),
    addressType: content.source.addressType,
    endpoints,
    ports: content.source.ports,
  };
}

/** With our labels, annotation and owner; what others have put there stays. The very same metadata where all is there already. */
function metadataFor({ service, cluster, source }: SliceContent, metadata: ObjectMeta): ObjectMeta {
  const { serviceImport, derivedService } = service;
  const labels = {
    [SERVICE_NAME_LABEL]: serviceImport.metadata.name,
    [SOURCE_CLUSTER_LABEL]: cluster,
    [MANAGED_BY_LABEL]: SLICES_MANAGED_BY,
    ...(derivedService === undefined ? {} : { [KUBE_SERVICE_NAME_LABEL]: derivedService }),
  };
  const annotations = { [SOURCE_SLICE_ANNOTATION]: source.name };
  const owner = ownerOf(serviceImport);
  const owned = owner === undefined || (metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.uid);
  if (owned && hasAll(metadata.labels, labels) && hasAll(metadata.annotations, annotations)) return metadata;
  return {
    ...metadata,
    labels: { ...metadata.labels, ...labels },
    annotations: { ...metadata.annotations, ...annotations },
    ...(owned ? {} : { ownerReferences: [...(metadata.ownerReferences ?? []), owner] }),
  };
}

/** As in the sample of KEP-1645: the import owns its slices, and is not their controller. */
function ownerOf({ apiVersion, kind, metadata }: KubeObject): OwnerReference | undefined {
  const { name, uid } = metadata;
  return uid === undefined ? undefined : { apiVersion, kind, name, uid, controller: false };
}

function hasAll(values: Readonly<Record<string, string>> | undefined, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => values?.[key] === value);
}
