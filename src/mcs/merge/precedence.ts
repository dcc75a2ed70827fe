import { compareText, type Issue, type ObjectKey, stableStringify } from '../../kube/index.ts';
import { type ClusterIdForm, checkClusterId, checkServiceKey, fitsEveryHostname, longestHostname } from '../name-limits.ts';
import { type ExportableService, type ExportedService, timeOf } from './exports.ts';

/** Whether an export counts, or why it doesn't. */
export type ExportStanding = 'Counts' | 'NoService' | 'InvalidServiceType' | 'BeingDeleted' | 'InvalidClusterId' | 'InvalidName';

/**
 * Something that was found on the way. Those marked `error` keep an export, or all of them, from taking part; the others are for people to
 * know.
 */
export interface MergeIssue extends Issue {
  readonly severity: 'error' | 'warning';
  readonly code: 'InvalidName' | 'InvalidClusterId' | 'TwoLabelClusterId' | 'DuplicateCluster' | 'LongHostNames' | 'LeftOut';
  /** The cluster of the export; absent where all are concerned. */
  readonly cluster?: string;
}

/** An export that counts. */
export interface Participant {
  readonly cluster: string;
  /** Milliseconds since 1970; infinite where it isn't known. */
  readonly time: number;
  readonly exported: ExportedService;
  readonly service: ExportableService;
}

/** Who counts, and in which order. */
export interface Precedence {
  /** Oldest first; by cluster where exports are of the same age. */
  readonly oldestFirst: readonly Participant[];
  /** By cluster, one for each. */
  readonly all: readonly { readonly exported: ExportedService; readonly standing: ExportStanding }[];
  readonly issues: readonly MergeIssue[];
}

/**
 * Who takes part in the merge, oldest export first (KEP-1645, Constraints and Conflict Resolution; for exports of the same second the KEP
 * says nothing, and the cluster's name decides as in Cilium and lighthouse). What keeps one export out never touches the others.
 */
export function precedenceOf(key: ObjectKey, exports: readonly ExportedService[], form: ClusterIdForm): Precedence {
  const nameIssues = checkServiceKey(key).map((issue): MergeIssue => ({ ...issue, severity: 'error', code: 'InvalidName' }));
  const issues = [...nameIssues];
  const all = oneForEachCluster(exports, issues).map((exported) => {
    const standing = nameIssues.length > 0 ? 'InvalidName' : standingOf(exported, form);
    issues.push(...issuesOf(key, exported, form));
    return { exported, standing };
  });
  const participants = all.flatMap(({ exported, standing }): Participant[] => {
    const { cluster, service } = exported;
    if (standing !== 'Counts' || service === undefined || service.type === 'NotExportable') return [];
    return [{ cluster, time: ageOf(exported), exported, service }];
  });
  return { oldestFirst: participants.toSorted(compareAges), all, issues };
}

/** Orders exports by age, then by cluster. */
export function compareAges(a: Pick<Participant, 'time' | 'cluster'>, b: Pick<Participant, 'time' | 'cluster'>): number {
  if (a.time === b.time) return compareText(a.cluster, b.cluster);
  return a.time < b.time ? -1 : 1;
}

function standingOf({ cluster, export: facts, service }: ExportedService, form: ClusterIdForm): ExportStanding {
  if (facts.isBeingDeleted === true) return 'BeingDeleted';
  // JSON of others may say null.
  if (service === undefined || service === null) return 'NoService';
  if (service.type === 'NotExportable') return 'InvalidServiceType';
  return checkClusterId(cluster, form).length > 0 ? 'InvalidClusterId' : 'Counts';
}

/** Two exports of one cluster can't be: the older one is taken, whatever the order they came in. */
function oneForEachCluster(exports: readonly ExportedService[], issues: MergeIssue[]): readonly ExportedService[] {
  const byCluster = new Map<string, ExportedService>();
  const repeated = new Set<string>();
  for (const exported of exports) {
    const other = byCluster.get(exported.cluster);
    if (other !== undefined) repeated.add(exported.cluster);
    byCluster.set(exported.cluster, other === undefined ? exported : firstOf(other, exported));
  }
  issues.push(...[...repeated].toSorted(compareText).map(duplicate));
  return [...byCluster.values()].toSorted((a, b) => compareText(a.cluster, b.cluster));
}

const duplicate = (cluster: string): MergeIssue => ({
  severity: 'warning',
  code: 'DuplicateCluster',
  cluster,
  field: 'cluster',
  message: 'there are several exports of this cluster; the oldest counts',
  mend: 'give every cluster its own id',
});

function firstOf(a: ExportedService, b: ExportedService): ExportedService {
  if (ageOf(a) !== ageOf(b)) return ageOf(a) < ageOf(b) ? a : b;
  return compareText(stableStringify(a), stableStringify(b)) <= 0 ? a : b;
}

const ageOf = ({ export: facts }: ExportedService): number => timeOf(facts.creationTimestamp) ?? Number.POSITIVE_INFINITY;

function issuesOf(
  key: ObjectKey,
  { cluster, service, issues = [] }: ExportedService,
  form: ClusterIdForm,
): readonly MergeIssue[] {
  const leftOut = issues.map((issue): MergeIssue => ({ ...issue, severity: 'warning', code: 'LeftOut', cluster }));
  const problems = checkClusterId(cluster, form);
  if (problems.length > 0) {
    const mend = 'give the cluster an id that is one DNS label';
    return [
      ...leftOut,
      ...problems.map(
        (message): MergeIssue => ({ severity: 'error', code: 'InvalidClusterId', cluster, field: 'cluster', message, mend }),
      ),
    ];
  }
  return [...leftOut, ...nameWarnings(key, cluster, service?.type === 'Headless')];
}

function nameWarnings(key: ObjectKey, cluster: string, isHeadless: boolean): readonly MergeIssue[] {
  const base = { severity: 'warning', cluster, field: 'cluster' } as const;
  const warnings: MergeIssue[] = [];
  if (cluster.includes('.')) {
    const message = 'is an id of two labels; DNS servers such as CoreDNS do not resolve names of single hosts with it';
    warnings.push({ ...base, code: 'TwoLabelClusterId', message });
  }
  if (isHeadless && !fitsEveryHostname(key, cluster)) {
    const message = `host names of more than ${longestHostname(key, cluster)} characters make names that are too long for DNS`;
    warnings.push({ ...base, code: 'LongHostNames', message });
  }
  return warnings;
}
