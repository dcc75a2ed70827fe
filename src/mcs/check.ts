import { type Issue, keyOf } from '../kube/index.ts';
import { ServiceExport, ServiceImport, type ServiceImportSpec } from './api.ts';
import { readExportedAnnotations, readExportedLabels } from './merge/exported-metadata.ts';
import { isSessionTime, LONGEST_SESSION_SECONDS, readConditions } from './merge/exports.ts';
import { familyOf, readFamilies } from './merge/ip-families.ts';
import { readPorts } from './merge/ports.ts';
import { type ClusterIdForm, checkClusterId, checkServiceKey } from './name-limits.ts';

/**
 * Everything that is wrong with a ServiceExport, also what upstream's CRD admits: a name that no Service can have, entries of exported labels
 * and annotations that no object can have or that are reserved, conditions that can't be written again. Nothing for a good one.
 */
export function checkServiceExport(value: unknown): readonly Issue[] {
  const shape = ServiceExport.shapeIssues(value);
  if (shape.length > 0) return shape;
  const { spec, status, ...object } = value as ServiceExport;
  return [
    ...checkServiceKey(keyOf(object)),
    ...readExportedLabels(spec?.exportedLabels, 'spec.exportedLabels').issues,
    ...readExportedAnnotations(spec?.exportedAnnotations, 'spec.exportedAnnotations').issues,
    ...readConditions(status?.conditions, 'status.conditions').issues,
  ];
}

/** What {@link checkServiceImport} takes beside the import. */
export interface ImportCheckOptions {
  /** Which cluster ids are good. Default `one-label`. */
  readonly clusterIds?: ClusterIdForm;
}

/**
 * Everything that is wrong with a ServiceImport, also what upstream's CRD admits: ports that no Service can have, an unnamed one among
 * several, families that are none or twice there, addresses that are none, that have another family than the one in their place, or that a
 * headless import can't have, values of policies and session times, ids of clusters. Nothing for a good one.
 */
export function checkServiceImport(value: unknown, { clusterIds = 'one-label' }: ImportCheckOptions = {}): readonly Issue[] {
  const shape = ServiceImport.shapeIssues(value);
  if (shape.length > 0) return shape;
  const { spec, status, ...object } = value as ServiceImport;
  return [
    ...checkServiceKey(keyOf(object)),
    ...(spec === undefined ? [{ field: 'spec', message: 'is missing' }] : specIssues(spec)),
    ...clusterIssues(status?.clusters ?? [], clusterIds),
    ...readConditions(status?.conditions, 'status.conditions').issues,
  ];
}

function specIssues(spec: ServiceImportSpec): readonly Issue[] {
  return [
    ...portIssues(spec),
    ...addressIssues(spec),
    ...valueIssues(spec, 'sessionAffinity', ['None', 'ClientIP']),
    ...sessionIssues(spec),
    ...valueIssues(spec, 'internalTrafficPolicy', ['Cluster', 'Local']),
    ...valueIssues(spec, 'trafficDistribution', ['PreferClose', 'PreferSameZone', 'PreferSameNode']),
  ];
}

function portIssues({ ports }: ServiceImportSpec): readonly Issue[] {
  const unnamed = ports.findIndex(({ name }) => name === undefined || name === '');
  const { issues } = readPorts(ports, 'spec.ports');
  if (ports.length < 2 || unnamed < 0) return issues;
  const message = 'is needed where there are several ports';
  return [...issues, { field: `spec.ports[${unnamed}].name`, message, mend: 'name the port in the Service of every cluster' }];
}

function addressIssues({ type, ips = [], ipFamilies }: ServiceImportSpec): readonly Issue[] {
  const { value: families, issues } = readFamilies(ipFamilies, 'spec.ipFamilies');
  if (type === 'Headless') {
    const none = { field: 'spec.ips', message: 'must be empty: a headless service has no address of its own' };
    return ips.length === 0 ? issues : [...issues, none];
  }
  const found = ips.map(familyOf);
  const wrong = ips.flatMap((ip, index): Issue[] => {
    const field = `spec.ips[${index}]`;
    const family = found[index];
    if (family === undefined) return [{ field, message: `${JSON.stringify(ip)} is no IP address` }];
    if (found.indexOf(family) < index) return [{ field, message: `is a second ${family} address` }];
    const wanted = families[index];
    if (ipFamilies === undefined || wanted === family) return [];
    const place = wanted === undefined ? 'no family stands in its place' : `${wanted} stands in its place`;
    return [{ field, message: `is an ${family} address, and ${place}`, mend: 'keep spec.ips in the order of spec.ipFamilies' }];
  });
  const isShort = ips.length > 0 && ips.length < families.length;
  const missing = { field: 'spec.ips', message: `has ${ips.length} address for ${families.length} families` };
  return [...issues, ...wrong, ...(isShort ? [missing] : [])];
}

function valueIssues(
  spec: ServiceImportSpec,
  name: 'sessionAffinity' | 'internalTrafficPolicy' | 'trafficDistribution',
  values: readonly string[],
): readonly Issue[] {
  const value = spec[name];
  if (value === undefined || values.includes(value)) return [];
  return [{ field: `spec.${name}`, message: `must be ${values.join(' or ')}, not ${JSON.stringify(value)}` }];
}

function sessionIssues({ sessionAffinity, sessionAffinityConfig }: ServiceImportSpec): readonly Issue[] {
  if (sessionAffinityConfig === undefined) return [];
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity !== 'ClientIP') return [{ field, message: 'must be unset where sessionAffinity is not ClientIP' }];
  const seconds = sessionAffinityConfig.clientIP?.timeoutSeconds;
  if (seconds === undefined || isSessionTime(seconds)) return [];
  return [{ field: `${field}.clientIP.timeoutSeconds`, message: `must be from 1 to ${LONGEST_SESSION_SECONDS}, not ${seconds}` }];
}

function clusterIssues(clusters: readonly { readonly cluster: string }[], form: ClusterIdForm): readonly Issue[] {
  return clusters.flatMap(({ cluster }, index) => {
    const field = `status.clusters[${index}].cluster`;
    const isRepeated = clusters.findIndex((each) => each.cluster === cluster) < index;
    return [
      ...checkClusterId(cluster, form).map((message) => ({ field, message })),
      ...(isRepeated ? [{ field, message: `repeats "${cluster}"` }] : []),
    ];
  });
}
