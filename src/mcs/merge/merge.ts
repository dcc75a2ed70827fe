import { apiVersionOf, compareText, type Draft, deepEqual, type ObjectMeta } from '../../kube/index.ts';
import { ServiceImport, type ServiceImportSpec, type ServiceImportStatus } from '../api.ts';
import type { ClusterIdForm } from '../name-limits.ts';
import { conflictVerdict, exportConditions, importConditions } from './conditions.ts';
import { type Decided, decideFields, type FieldDecision, type KeptType } from './decisions.ts';
import { isReservedKey } from './exported-metadata.ts';
import { type ApiCondition, type ExportedService, readConditions } from './exports.ts';
import { type IPFamily, keptAddresses } from './ip-families.ts';
import type { MergedPorts } from './ports.ts';
import { type ExportStanding, type MergeIssue, type Participant, precedenceOf } from './precedence.ts';
import { keptTypeOf, TYPE_FROM_ANNOTATION, typeOrigin } from './type-origin.ts';

/** What {@link mergeExports} takes. */
export interface MergeInput {
  readonly namespace: string;
  readonly name: string;
  /** The exports of this service, one for each cluster, in any order. */
  readonly exports: readonly ExportedService[];
  /** The import as it is in the importing cluster, where there is one; `null`, as JSON has it, is none. */
  readonly present?: ServiceImport | null | undefined;
  /** RFC 3339; for conditions that change. */
  readonly now: string;
  /** IP families of the importing cluster. Default: nothing is known, and any will do. */
  readonly supportedIPFamilies?: readonly IPFamily[];
  /**
   * What happens to the type when the oldest export goes and the others are of another type.
   *
   * - `rederive` (default): the next oldest decides, as for every other property. The result depends on the exports alone, so that it is
   *   the same in every cluster, also in one that joins later or has lost its import; Cilium and lighthouse do the same.
   * - `keep-type`: the type stays as long as all exports are younger than the one that set it, because clients notice a change between
   *   addresses and none (KEP-1645 allows it). The import then carries who set it in the annotation `clusterset.dev/type-from`. A cluster
   *   without that memory comes to another result: use it where all imports are written in one place.
   */
  readonly afterOldestLeaves?: 'rederive' | 'keep-type';
  /** Which cluster ids are taken. Default `one-label`. Exports of other clusters take no part. */
  readonly clusterIds?: ClusterIdForm;
}

/** One cluster's export after the merge. */
export interface ExportOutcome {
  readonly cluster: string;
  readonly standing: ExportStanding;
  /** 1 for the oldest; absent where the export doesn't count. */
  readonly rank?: number;
  /** For the status of the ServiceExport; the very list that came in where nothing changes. */
  readonly conditions: readonly ApiCondition[];
}

/** What {@link mergeExports} returns. */
export interface MergedExports {
  /**
   * The import with its status, as it should be in the importing cluster; `undefined` where there should be none. Its labels and
   * annotations are all that it should have: write them in place of the present ones.
   */
  readonly serviceImport: Draft<ServiceImport> | undefined;
  /** What has to be written; both false where nothing does, also where there is no import and none should be. */
  readonly changes: { readonly object: boolean; readonly status: boolean };
  /** By cluster. */
  readonly exports: readonly ExportOutcome[];
  /** One for each property, with who decided and who disagrees. Empty where there is no import. */
  readonly decisions: readonly FieldDecision[];
  /** Whose port each port is, and which ports are left out. */
  readonly ports: MergedPorts;
  readonly issues: readonly MergeIssue[];
}

const NO_PORTS: MergedPorts = { kept: [], dropped: [], disagreeing: [] };

/**
 * Puts the exports of one service together (KEP-1645, Constraints and Conflict Resolution): one ServiceImport, and the conditions of every
 * export. The oldest export decides, ports are put together, every conflict is told at once and on every export that counts. An export that
 * doesn't count (no Service, ExternalName, an id that can't be used) never changes what becomes of the others.
 *
 * Addresses (`spec.ips`) are never invented: those of the present import stay where they fit. Never throws.
 */
export function mergeExports(input: MergeInput): MergedExports {
  const { exports, present, now, clusterIds = 'one-label' } = input;
  const { oldestFirst, all, issues } = precedenceOf(input, exports, clusterIds);
  const [oldest] = oldestFirst;
  const kept = oldest === undefined || input.afterOldestLeaves !== 'keep-type' ? undefined : keptTypeOf(present, oldest);
  const decided = oldest === undefined ? undefined : decideFields(oldest, oldestFirst, kept);
  const conflicts = conflictVerdict(decided?.decisions ?? [], oldestFirst.length);
  const ranks = new Map(oldestFirst.map(({ cluster }, index) => [cluster, index + 1]));
  const serviceImport =
    oldest === undefined || decided === undefined ? undefined : importOf(input, { oldest, oldestFirst, decided, kept });
  return {
    serviceImport,
    changes: changesOf(present, serviceImport),
    exports: all.map(({ exported, standing }) => {
      const rank = ranks.get(exported.cluster);
      const conditions = exportConditions(exported, standing, conflicts, now);
      return { cluster: exported.cluster, standing, ...(rank === undefined ? {} : { rank }), conditions };
    }),
    decisions: decided?.decisions ?? [],
    ports: decided?.ports ?? NO_PORTS,
    issues,
  };
}

interface Agreed {
  readonly oldest: Participant;
  readonly oldestFirst: readonly Participant[];
  readonly decided: Decided;
  readonly kept: KeptType | undefined;
}

function importOf(input: MergeInput, agreed: Agreed): Draft<ServiceImport> {
  const spec = specOf(input, agreed);
  return {
    apiVersion: apiVersionOf(ServiceImport),
    kind: ServiceImport.kind,
    metadata: metadataOf(input, agreed),
    spec,
    status: statusOf(input, agreed, spec),
  };
}

function metadataOf(input: MergeInput, { oldest, kept }: Agreed): Partial<ObjectMeta> {
  const { namespace, name, present } = input;
  const { exportedLabels, exportedAnnotations } = oldest.exported.export;
  const { [TYPE_FROM_ANNOTATION]: before, ...annotations } = present?.metadata.annotations ?? {};
  const origin = kept === undefined ? typeOrigin(oldest) : before;
  return {
    namespace,
    name,
    ...entries('labels', exportedLabels, present?.metadata.labels),
    ...entries('annotations', exportedAnnotations, {
      ...annotations,
      ...(input.afterOldestLeaves === 'keep-type' && origin !== undefined ? { [TYPE_FROM_ANNOTATION]: origin } : {}),
    }),
  };
}

/** What is exported, whole, beside what controllers keep there. Everything else goes. */
function entries(
  field: 'labels' | 'annotations',
  exported: Readonly<Record<string, string>> = {},
  present?: Readonly<Record<string, string>> | null,
): Partial<Pick<ObjectMeta, 'labels' | 'annotations'>> {
  const all = { ...exported, ...Object.fromEntries(Object.entries(present ?? {}).filter(([key]) => isReservedKey(key))) };
  return Object.keys(all).length === 0 ? {} : { [field]: all };
}

function specOf({ present, supportedIPFamilies }: MergeInput, { oldest, decided }: Agreed): ServiceImportSpec {
  const { type, ports } = decided;
  const { sessionAffinity, sessionSeconds, internalTrafficPolicy, trafficDistribution } = oldest.service;
  const ipFamilies = usableFamilies(decided.families.families, supportedIPFamilies);
  const ips = type === 'Headless' ? [] : keptAddresses(present?.spec?.ips ?? [], ipFamilies);
  const hasSessions = type === 'ClusterSetIP' && sessionAffinity === 'ClientIP' && sessionSeconds !== undefined;
  return {
    ports: ports.kept.map(({ port }) => port),
    ...(ips.length === 0 ? {} : { ips: [...ips] }),
    ...(ipFamilies.length === 0 ? {} : { ipFamilies: [...ipFamilies] }),
    type,
    sessionAffinity: hasSessions ? 'ClientIP' : 'None',
    ...(hasSessions ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: sessionSeconds } } } : {}),
    internalTrafficPolicy,
    ...(trafficDistribution === undefined ? {} : { trafficDistribution }),
  };
}

/** Where a cluster can do some of the families, it offers those; where it can do none, the import says what would be needed. */
function usableFamilies(families: readonly IPFamily[], supported: readonly IPFamily[] | undefined): readonly IPFamily[] {
  const usable = families.filter((family) => supported === undefined || supported.includes(family));
  return usable.length === 0 ? families : usable;
}

function statusOf(
  { present, supportedIPFamilies: supported, now }: MergeInput,
  { oldestFirst, decided }: Agreed,
  spec: ServiceImportSpec,
): ServiceImportStatus {
  const before = present?.status?.conditions;
  const readable = readConditions(before, 'status.conditions').value;
  const clusters = oldestFirst.map(({ cluster }) => ({ cluster })).toSorted((a, b) => compareText(a.cluster, b.cluster));
  const conditions = importConditions(readable, { spec, families: decided.families.families, supported }, now);
  // Whatever else is in the status is somebody else's, such as `endpointSliceObjects`.
  return { ...present?.status, clusters, conditions: [...conditions] };
}

function changesOf(present: ServiceImport | null | undefined, next: Draft<ServiceImport> | undefined): MergedExports['changes'] {
  const isThere = present !== undefined && present !== null;
  if (!isThere || next === undefined) {
    const differs = isThere || next !== undefined;
    return { object: differs, status: next !== undefined };
  }
  const { labels = {}, annotations = {} } = present.metadata;
  return {
    object: !(
      deepEqual(present.spec, next.spec) &&
      deepEqual(labels, next.metadata.labels ?? {}) &&
      deepEqual(annotations, next.metadata.annotations ?? {})
    ),
    status: !deepEqual(present.status, next.status),
  };
}
