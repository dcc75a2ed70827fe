import {
  type AnyObject,
  ClustersetError,
  type Condition,
  conditionsSchema,
  formatKey,
  type Issue,
  isRecord,
  keyOf,
} from '../../kube/index.ts';
import type { ServiceExport, ServiceExportStatus, ServiceImportPort, ServiceImportType } from '../api.ts';
import { readExportedAnnotations, readExportedLabels } from './exported-metadata.ts';
import { type IPFamily, readFamilies } from './ip-families.ts';
import { readPorts } from './ports.ts';

/** A condition as the CRDs of the MCS API take it: nothing is left out. */
export type ApiCondition = NonNullable<ServiceExportStatus['conditions']>[number];

/** How long sessions last where a Service doesn't say, in seconds (API: core/v1 ClientIPConfig). */
const DEFAULT_SESSION_SECONDS = 10_800;
/** Longest session that a Service can ask for, in seconds (API: core/v1 ClientIPConfig). */
export const LONGEST_SESSION_SECONDS = 86_400;

/** What an export says for itself. */
export interface ExportFacts {
  /** RFC 3339. Without one the export is younger than all others. */
  readonly creationTimestamp?: string;
  /** For `observedGeneration`. */
  readonly generation?: number;
  /** Whether it is being deleted: then it takes no part any more. */
  readonly isBeingDeleted?: boolean;
  readonly exportedLabels?: Readonly<Record<string, string>>;
  readonly exportedAnnotations?: Readonly<Record<string, string>>;
  /** The conditions that it has now, of all types. */
  readonly conditions?: readonly ApiCondition[];
}

/** What a Service says that can be exported. */
export interface ExportableService {
  readonly type: ServiceImportType;
  /** Each with its protocol. No name, and no pair of protocol and number, twice. */
  readonly ports: readonly ServiceImportPort[];
  /** None where the Service names none. */
  readonly ipFamilies?: readonly IPFamily[];
  readonly sessionAffinity: 'ClientIP' | 'None';
  /** Seconds, 1 to 86400; there with `ClientIP`. */
  readonly sessionSeconds?: number;
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  readonly trafficDistribution?: string;
}

/** The part of a Service that counts outside its cluster. */
export type ServiceFacts = ExportableService | { readonly type: 'NotExportable'; readonly serviceType: string };

/** How far it has come to carry out an export, as the controller knows it; for the condition `Ready`. */
export interface ExportProgress {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: 'Exported' | 'Ready' | 'Pending' | 'Failed';
  readonly message: string;
}

/**
 * One cluster's export of a service, as plain JSON: what every other cluster has to know of it to come to the same result (KEP-1645,
 * Constraints and Conflict Resolution).
 */
export interface ExportedService {
  /** Id of the cluster. */
  readonly cluster: string;
  readonly export: ExportFacts;
  /** Absent where the cluster has no Service of that name. */
  readonly service?: ServiceFacts;
  /** Default: `True`, `Exported`. */
  readonly progress?: ExportProgress;
  /** What {@link exportedService} couldn't use. */
  readonly issues?: readonly Issue[];
}

/**
 * Reads an export from its objects, as loose as they are: the MCS CRDs admit label keys that are none, and Services may come from an API
 * server newer than this. What can't be used is left out and told in `issues`; the rest counts, and nobody else's export is touched.
 *
 * - Single bad entries of exported labels and annotations, bad ports and unknown families are left out; an unknown session affinity or
 *   traffic policy counts as the default, and so does a session time that is out of range.
 * - Without a readable creationTimestamp the export is younger than all others.
 * - Conditions that the CRD refuses are left out, so that the status can be written again.
 *
 * @param service The Service of the same namespace and name; `undefined`, or `null` as JSON has it, where there is none.
 * @throws ClustersetError `Invalid` for a Service of another name.
 */
export function exportedService(
  cluster: string,
  serviceExport: ServiceExport,
  service: AnyObject | null | undefined,
): ExportedService {
  const issues: Issue[] = [];
  const facts = exportFacts(serviceExport, issues);
  if (service === undefined || service === null) return { cluster, export: facts, ...(issues.length === 0 ? {} : { issues }) };
  mustBeNamesakes(cluster, serviceExport, service);
  const found = serviceFacts(service, issues);
  return { cluster, export: facts, service: found, ...(issues.length === 0 ? {} : { issues }) };
}

function mustBeNamesakes(cluster: string, serviceExport: ServiceExport, service: AnyObject): void {
  const [wanted, found] = [keyOf(serviceExport), keyOf(service)].map(formatKey);
  if (wanted === found) return;
  throw new ClustersetError({
    code: 'Invalid',
    message: `the Service is ${found}, but an export is of the Service of its own namespace and name`,
    cluster,
    object: { kind: 'ServiceExport', ...keyOf(serviceExport) },
    field: 'metadata.name',
  });
}

function exportFacts({ metadata, spec, status }: ServiceExport, issues: Issue[]): ExportFacts {
  const { creationTimestamp, generation, deletionTimestamp } = metadata;
  const labels = readExportedLabels(spec?.exportedLabels, 'spec.exportedLabels');
  const annotations = readExportedAnnotations(spec?.exportedAnnotations, 'spec.exportedAnnotations');
  const conditions = readConditions(status?.conditions, 'status.conditions');
  const hasTime = timeOf(creationTimestamp) !== undefined;
  if (!hasTime) issues.push({ field: 'metadata.creationTimestamp', message: 'is no time; the export counts as the youngest' });
  issues.push(...labels.issues, ...annotations.issues, ...conditions.issues);
  return {
    ...(hasTime && creationTimestamp !== undefined ? { creationTimestamp } : {}),
    ...(Number.isSafeInteger(generation) && generation !== undefined ? { generation } : {}),
    ...(deletionTimestamp === undefined || deletionTimestamp === null ? {} : { isBeingDeleted: true }),
    ...(Object.keys(labels.value).length === 0 ? {} : { exportedLabels: labels.value }),
    ...(Object.keys(annotations.value).length === 0 ? {} : { exportedAnnotations: annotations.value }),
    ...(conditions.value.length === 0 ? {} : { conditions: conditions.value }),
  };
}

/** The conditions that the CRD takes, each type once. */
export function readConditions(
  value: unknown,
  field: string,
): { readonly value: readonly ApiCondition[]; readonly issues: readonly Issue[] } {
  if (value === undefined || value === null) return { value: [], issues: [] };
  if (!Array.isArray(value)) return { value: [], issues: [{ field, message: 'is no list' }] };
  const issues: Issue[] = [];
  const byType = new Map<string, ApiCondition>();
  for (const [index, item] of value.entries()) {
    const message = conditionProblem(item, byType);
    if (message === undefined) byType.set((item as ApiCondition).type, item as ApiCondition);
    else issues.push({ field: `${field}[${index}]`, message });
  }
  return { value: [...byType.values()], issues };
}

function conditionProblem(item: unknown, earlier: ReadonlyMap<string, Condition>): string | undefined {
  const read = conditionsSchema.element.safeParse(item);
  if (!read.success) return 'is no condition that an API server would take';
  if (timeOf(read.data.lastTransitionTime) === undefined) return 'has no time';
  return earlier.has(read.data.type) ? `repeats the type ${read.data.type}` : undefined;
}

function serviceFacts(service: AnyObject, issues: Issue[]): ServiceFacts {
  const spec = isRecord(service.spec) ? service.spec : {};
  const type = exportedType(spec);
  if (type === undefined) return { type: 'NotExportable', serviceType: textOf(spec.type) };
  const ports = readPorts(spec.ports, 'Service spec.ports');
  const families = readFamilies(spec.ipFamilies, 'Service spec.ipFamilies');
  issues.push(...ports.issues, ...families.issues);
  const distribution = spec.trafficDistribution;
  return {
    type,
    ports: ports.value,
    ...(families.value.length === 0 ? {} : { ipFamilies: families.value }),
    ...sessions(spec, issues),
    internalTrafficPolicy: oneOf(spec, 'internalTrafficPolicy', ['Cluster', 'Local'], issues),
    ...(typeof distribution === 'string' && distribution !== '' ? { trafficDistribution: distribution } : {}),
  };
}

const EXPORTED_TYPES: ReadonlySet<unknown> = new Set([undefined, null, '', 'ClusterIP', 'NodePort', 'LoadBalancer']);

function exportedType({ type, clusterIP, clusterIPs }: Readonly<Record<string, unknown>>): ServiceImportType | undefined {
  if (!EXPORTED_TYPES.has(type)) return undefined;
  const isHeadless = clusterIP === 'None' || (Array.isArray(clusterIPs) && clusterIPs[0] === 'None');
  return isHeadless ? 'Headless' : 'ClusterSetIP';
}

function sessions(
  spec: Readonly<Record<string, unknown>>,
  issues: Issue[],
): Pick<ExportableService, 'sessionAffinity' | 'sessionSeconds'> {
  if (oneOf(spec, 'sessionAffinity', ['None', 'ClientIP'], issues) === 'None') return { sessionAffinity: 'None' };
  const config = isRecord(spec.sessionAffinityConfig) ? spec.sessionAffinityConfig : {};
  const clientIP = isRecord(config.clientIP) ? config.clientIP : {};
  const seconds = clientIP.timeoutSeconds ?? DEFAULT_SESSION_SECONDS;
  if (isSessionTime(seconds)) return { sessionAffinity: 'ClientIP', sessionSeconds: seconds };
  issues.push({
    field: 'Service spec.sessionAffinityConfig.clientIP.timeoutSeconds',
    message: `must be from 1 to ${LONGEST_SESSION_SECONDS}; ${DEFAULT_SESSION_SECONDS} is used`,
  });
  return { sessionAffinity: 'ClientIP', sessionSeconds: DEFAULT_SESSION_SECONDS };
}

/** Whether a Service can have sessions of so many seconds. */
export function isSessionTime(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_SESSION_SECONDS;
}

/** The value of a field that has a few; the first is the default. */
function oneOf<T extends string>(
  spec: Readonly<Record<string, unknown>>,
  name: string,
  values: readonly [T, ...T[]],
  issues: Issue[],
): T {
  const value = spec[name];
  const known = values.find((each) => each === value);
  if (known !== undefined) return known;
  if (value !== undefined && value !== null && value !== '') {
    issues.push({ field: `Service spec.${name}`, message: `must be ${values.join(' or ')}; ${values[0]} is used` });
  }
  return values[0];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of a time in RFC 3339; nothing for anything else. */
export function timeOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !RFC_3339.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
