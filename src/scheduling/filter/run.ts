import { ClustersetError, compareText, stableStringify } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ClusterFilter, FilterVerdict, Rejection, SchedulingContext } from '../pipeline/contract.ts';
import { timeOf } from './tolerations.ts';
import { ACCEPTED, type PolicyRejection } from './verdict.ts';
import { quoted } from './wording.ts';

/** What all filters together say of a cluster. */
export type FilteredCluster =
  | { readonly cluster: ClusterEntry; readonly outcome: 'accepted'; readonly until?: string }
  | {
      readonly cluster: ClusterEntry;
      /** It keeps what it has and gets no more. */
      readonly outcome: 'kept';
      /** Every reason for which it gets no more. */
      readonly rejections: readonly Rejection[];
      readonly until?: string;
    }
  | {
      readonly cluster: ClusterEntry;
      readonly outcome: 'rejected';
      /** First those that reject, in the order of the filters, then those that would only keep it from getting more. */
      readonly rejections: readonly Rejection[];
    };

/** What {@link runFilters} found. */
export interface FilterRun {
  /** One for each name, in the order of names. */
  readonly clusters: readonly FilteredCluster[];
  /** The earliest time at which a cluster that isn't rejected will be (RFC 3339): look again then. Absent where time changes nothing. */
  readonly until?: string;
}

/** How much {@link runFilters} finds out. */
export interface FilterOptions {
  /**
   * Ask every filter about every cluster, so that all reasons are known. Otherwise the first filter that rejects a cluster is the last one
   * that is asked about it; outcomes and times are the same. Default false.
   */
  readonly explain?: boolean;
}

/**
 * Asks all filters about all clusters. Filters of a user's own go to the end of the list.
 *
 * A filter that keeps a cluster which doesn't run the workload rejects it. Where several clusters that aren't equal have one name, nobody
 * can tell which of them is meant: the name gets nothing new, and no filter is asked.
 *
 * @throws ClustersetError `Invalid`, naming filter and cluster, where a filter throws or answers with nothing that is a verdict.
 */
export function runFilters(
  filters: readonly ClusterFilter[],
  clusters: readonly ClusterEntry[],
  context: SchedulingContext,
  { explain = false }: FilterOptions = {},
): FilterRun {
  const ordered = inOrder(clusters);
  const found: FilteredCluster[] = [];
  let earliest: string | undefined;
  for (let index = 0; index < ordered.length; ) {
    const first = ordered[index] as ClusterEntry;
    let end = index + 1;
    while (end < ordered.length && ordered[end]?.name === first.name) end += 1;
    const result =
      end === index + 1
        ? judge(filters, first, context, explain)
        : judgeNamesakes(filters, ordered.slice(index, end), context, explain);
    found.push(result);
    if (result.outcome !== 'rejected') earliest = earlier(earliest, result.until);
    index = end;
  }
  return { clusters: found, ...(earliest === undefined ? {} : { until: earliest }) };
}

/** Fleets come in the order of names as a rule. */
function inOrder(clusters: readonly ClusterEntry[]): readonly ClusterEntry[] {
  let before = '';
  for (const { name } of clusters) {
    if (name < before) return clusters.toSorted((a, b) => compareText(a.name, b.name));
    before = name;
  }
  return clusters;
}

const NONE: readonly Rejection[] = [];

function judge(
  filters: readonly ClusterFilter[],
  cluster: ClusterEntry,
  context: SchedulingContext,
  explain: boolean,
): FilteredCluster {
  let rejecting = NONE;
  let keeping = NONE;
  let until: string | undefined;
  for (const filter of filters) {
    const verdict = verdictOf(filter, cluster, context);
    // By far the most frequent one, and one value for all clusters.
    if (verdict === ACCEPTED) continue;
    if (verdict.outcome === 'rejected') {
      rejecting = [...rejecting, verdict.rejection];
      if (!explain) break;
      continue;
    }
    if (verdict.outcome === 'kept') keeping = [...keeping, verdict.rejection];
    until = earlier(until, verdict.until);
  }
  if (rejecting !== NONE) {
    return { cluster, outcome: 'rejected', rejections: keeping === NONE ? rejecting : [...rejecting, ...keeping] };
  }
  return remaining(cluster, keeping, until);
}

function remaining(cluster: ClusterEntry, rejections: readonly Rejection[], until: string | undefined): FilteredCluster {
  if (rejections === NONE)
    return until === undefined ? { cluster, outcome: 'accepted' } : { cluster, outcome: 'accepted', until };
  return until === undefined ? { cluster, outcome: 'kept', rejections } : { cluster, outcome: 'kept', rejections, until };
}

/** Equal entries are one; of different ones the first by content stands for the name, so that the order of the list doesn't matter. */
function judgeNamesakes(
  filters: readonly ClusterFilter[],
  namesakes: readonly ClusterEntry[],
  context: SchedulingContext,
  explain: boolean,
): FilteredCluster {
  const byContent = new Map(namesakes.map((each) => [stableStringify(each), each]));
  const [text = ''] = [...byContent.keys()].sort(compareText);
  const cluster = byContent.get(text) as ClusterEntry;
  if (byContent.size === 1) return judge(filters, cluster, context, explain);
  const message = `${byContent.size} different clusters have this name`;
  const rejection: PolicyRejection = { filter: 'Names', reason: 'AmbiguousName', message };
  return { cluster, outcome: context.current.has(cluster.name) ? 'kept' : 'rejected', rejections: [rejection] };
}

/** The answer of a filter, which may be a user's. */
function verdictOf(filter: ClusterFilter, cluster: ClusterEntry, context: SchedulingContext): FilterVerdict {
  let verdict: FilterVerdict;
  try {
    verdict = filter.judge(cluster, context);
  } catch (error) {
    throw failed(filter, cluster, `threw ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return verdict === ACCEPTED ? verdict : checked(verdict, filter, cluster, context);
}

function checked(
  verdict: FilterVerdict,
  filter: ClusterFilter,
  cluster: ClusterEntry,
  context: SchedulingContext,
): FilterVerdict {
  switch (verdict?.outcome) {
    case 'accepted':
      if (verdict.until !== undefined) checkTime(verdict.until, filter, cluster);
      return verdict;
    case 'kept':
      if (verdict.until !== undefined) checkTime(verdict.until, filter, cluster);
      return context.current.has(cluster.name) ? verdict : { outcome: 'rejected', rejection: verdict.rejection };
    case 'rejected':
      return verdict;
    default:
      throw failed(filter, cluster, 'gave no verdict');
  }
}

function checkTime(until: string, filter: ClusterFilter, cluster: ClusterEntry): void {
  if (Number.isNaN(timeOf(until))) throw failed(filter, cluster, `gave ${quoted(String(until))} for a time`);
}

function failed(filter: ClusterFilter, cluster: ClusterEntry, what: string, cause?: unknown): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    cluster: cluster.name,
    message: `filter ${quoted(filter.name)} ${what}`,
    mend: 'correct the filter, or leave it out',
    cause,
  });
}

/** The earlier of two times, of which either may be missing. Of two texts for the same time it takes the smaller, whichever comes first. */
function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  const difference = timeOf(a) - timeOf(b);
  return difference < 0 || (difference === 0 && a < b) ? a : b;
}
