import { type ClusterDecision, type DecisionDiff, explainCluster, type ScheduleDecision } from '../scheduling/index.ts';
import { count, indent, table } from './output.ts';
import type { Terminal } from './terminal.ts';

/** A decision; with `before` and `diff` it is what would be if something were otherwise than the files say. */
export interface ScheduleReport {
  readonly decision: ScheduleDecision;
  readonly before?: ScheduleDecision;
  readonly diff?: DecisionDiff;
  /** Whether each cluster gets all replicas. */
  readonly isDuplicated: boolean;
}

/** What programs get: the decision itself, or two and what is between them. */
export function reportData({ decision, before, diff }: ScheduleReport): unknown {
  return before === undefined ? decision : { before, after: decision, diff };
}

/** A decision as text: what becomes of the workload, then each cluster with what it gets and why. */
export function reportText(
  report: ScheduleReport,
  { style, explain }: { readonly style: Terminal['style']; readonly explain: boolean },
): string {
  const { decision } = report;
  const lines = [
    style('bold', line(`${workloadName(decision)}: ${headline(report)}`, 0)),
    ...notesOf(report).map((note) => line(note, 2)),
  ];
  if (decision.clusters.length === 0) return lines.join('\n');
  const hasReplicas = decision.replicas !== undefined;
  const isCompared = report.before !== undefined || decision.clusters.some(({ current }) => current !== undefined);
  const head = ['CLUSTER', hasReplicas ? 'REPLICAS' : 'PLACED', ...(isCompared ? ['BEFORE', 'CHANGE'] : []), 'WHY'];
  const rows = decision.clusters.map((each) => [
    each.cluster,
    ...numbersOf(each, { hasReplicas, isCompared }),
    explain ? labelOf(each) : whyOf(each),
  ]);
  const [first = '', ...others] = table([head, ...rows]).split('\n');
  lines.push(first);
  for (const [index, row] of others.entries()) {
    const cluster = decision.clusters[index];
    lines.push(row.trimEnd(), ...(explain && cluster !== undefined ? reasonsOf(cluster).map((each) => line(each, 4)) : []));
  }
  return lines.join('\n');
}

/** One line, whatever is in it: names come from files, and must not forge lines. */
function line(text: string, by: number): string {
  return indent(text.replace(/\s*[\r\n]\s*/g, ' '), by);
}

/** `Deployment shop/web` of `apps/v1/Deployment shop/web`. */
function workloadName({ workload }: ScheduleDecision): string {
  return workload.replace(/^[^ ]*\//, '');
}

function headline({ decision, isDuplicated }: Pick<ScheduleReport, 'decision' | 'isDuplicated'>): string {
  const { outcome, replicas, unplaced, clusters, message = '' } = decision;
  const all = clusters.filter((each) => each.outcome !== 'Gone').length;
  const used = clusters.filter((each) => each.outcome === 'Placed').length;
  const where = `${used} of ${count(all, 'cluster')}`;
  if (outcome === 'Unschedulable') return `has no place: ${message}`;
  if (replicas === undefined) return `in ${where}`;
  if (isDuplicated) return `${count(replicas, 'replica')} in each of ${where}`;
  return unplaced > 0
    ? `${replicas - unplaced} of ${count(replicas, 'replica')} over ${where}`
    : `${count(replicas, 'replica')} over ${where}`;
}

function notesOf(report: ScheduleReport): readonly string[] {
  const { decision, before, diff, isDuplicated } = report;
  const { group, attempts, unplaced, notes, until, outcome } = decision;
  return [
    ...(before === undefined ? [] : [`as the files say: ${headline({ decision: before, isDuplicated })}`]),
    ...(diff === undefined || diff.moved === 0 ? [] : [`moved: ${count(diff.moved, 'replica')}`]),
    ...(group === undefined ? [] : [`group: ${group}${changeOfGroup(group, diff)}`]),
    ...attempts.map((attempt) => `not ${attempt.group}: ${attempt.message}`),
    ...(unplaced > 0 && outcome === 'Incomplete' ? [`no place for ${count(unplaced, 'replica')}`] : []),
    ...notes,
    ...(until === undefined ? [] : [`until ${until}: then a toleration ends, and the answer may be another`]),
  ];
}

function changeOfGroup(group: string, diff: DecisionDiff | undefined): string {
  const before = diff?.group.before;
  return before === undefined || before === group ? '' : ` (was ${before})`;
}

function numbersOf(
  { outcome, replicas, current }: ClusterDecision,
  { hasReplicas, isCompared }: { readonly hasReplicas: boolean; readonly isCompared: boolean },
): readonly string[] {
  if (hasReplicas) return [String(replicas), ...(isCompared ? [String(current ?? 0), signed(replicas - (current ?? 0))] : [])];
  const [is, was] = [outcome === 'Placed', current !== undefined];
  const word = (there: boolean): string => (there ? 'yes' : 'no');
  return [word(is), ...(isCompared ? [word(was), signed(Number(is) - Number(was))] : [])];
}

function signed(number: number): string {
  return number > 0 ? `+${number}` : String(number);
}

const LABELS = {
  Placed: 'placed',
  NoReplicas: 'no replicas',
  NotSelected: 'not selected',
  Rejected: 'rejected',
  Gone: 'gone',
} as const;

function labelOf({ outcome, rejections = [] }: ClusterDecision): string {
  const isKept = rejections.length > 0 && (outcome === 'Placed' || outcome === 'NoReplicas');
  return isKept ? 'no more' : LABELS[outcome];
}

/** How many replicas it has stands beside it; and some workloads have none. */
function reasonsOf(decision: ClusterDecision): readonly string[] {
  return decision.outcome === 'Gone' ? ["it isn't among the clusters any more"] : explainCluster(decision);
}

/** What became of a cluster, and the reason that decided it: the first objection, or else what the last step says. */
function whyOf(decision: ClusterDecision): string {
  const { score: _score, completions: _completions, ordinals: _ordinals, ...rest } = decision;
  const reasons = reasonsOf(rest);
  const objections = decision.rejections?.length ?? 0;
  const reason = (objections > 0 ? reasons[0] : reasons.at(-1))?.replace(/^(?:not )?selected: /, '');
  const more = objections > 1 ? ` (and ${objections - 1} more)` : '';
  return reason === undefined ? labelOf(decision) : `${labelOf(decision)}: ${reason}${more}`;
}
