import type { ClusterEntry } from '../../registry/index.ts';
import type { ClusterFilter, FilterVerdict, SchedulingContext } from '../pipeline/contract.ts';
import type { PlacementPolicySpec, Toleration } from '../policy/api.ts';
import { type ClusterTaint, evicts, isPreference, millisecondsOf, NEVER, timeText, toleratedUntil } from './tolerations.ts';
import { ACCEPTED, type PolicyRejection, repelled } from './verdict.ts';
import { quoted } from './wording.ts';

/**
 * Taints and tolerations. A taint that isn't tolerated keeps new replicas away; `NoSelect` and `NoExecute` also drive away what runs, after
 * the seconds of the toleration, and until then the cluster is accepted with the time at which that ends: the earliest one of its taints.
 * `PreferNoSelect` and `PreferNoSchedule` only cost score.
 */
export function taintFilter({ tolerations = [] }: Pick<PlacementPolicySpec, 'tolerations'>): ClusterFilter {
  return {
    name: 'Taints',
    judge: (cluster, context) =>
      cluster.taints === undefined || cluster.taints.length === 0
        ? ACCEPTED
        : judge(cluster, cluster.taints, tolerations, context),
  };
}

function judge(
  cluster: ClusterEntry,
  taints: readonly ClusterTaint[],
  tolerations: readonly Toleration[],
  context: SchedulingContext,
): FilterVerdict {
  const now = millisecondsOf(context.now);
  let until = Number.POSITIVE_INFINITY;
  let worst: { readonly taint: ClusterTaint; readonly end: number } | undefined;
  for (const taint of taints) {
    if (isPreference(taint)) continue;
    const end = toleratedUntil(taint, tolerations);
    if (end > now) until = Math.min(until, end);
    else if (worst === undefined || isWorse(taint, worst.taint)) worst = { taint, end };
  }
  const limit = until === Number.POSITIVE_INFINITY ? {} : { until: timeText(until) };
  if (worst === undefined) return until === Number.POSITIVE_INFINITY ? ACCEPTED : { outcome: 'accepted', ...limit };
  const rejection = rejectionOf(worst.taint, worst.end);
  if (evicts(worst.taint)) return { outcome: 'rejected', rejection };
  const verdict = repelled(cluster, context, rejection);
  return verdict.outcome === 'kept' ? { ...verdict, ...limit } : verdict;
}

/** What drives away is worse than what keeps away; among equals the text decides, because taints are a set and come in any order. */
function isWorse(a: ClusterTaint, b: ClusterTaint): boolean {
  return evicts(a) === evicts(b) ? taintText(a) < taintText(b) : evicts(a);
}

function rejectionOf(taint: ClusterTaint, end: number): PolicyRejection {
  const name = quoted(taintText(taint));
  return end === NEVER
    ? { filter: 'Taints', reason: 'Tainted', message: `the taint ${name} isn't tolerated` }
    : { filter: 'Taints', reason: 'TolerationExpired', message: `the taint ${name} was tolerated until ${timeText(end)}` };
}

/** `key=value:Effect`, as kubectl writes it. */
function taintText({ key, value, effect }: ClusterTaint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
}
