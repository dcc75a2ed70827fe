import { type LabelRequirements, type LabelSelector, matchesLabels, requirementsOf } from '../../kube/index.ts';
import type { IPFamily } from '../merge/ip-families.ts';

/** What a policy knows of one cluster. */
export interface TrafficCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its endpoints of the family that are ready. */
  readonly ready: number;
  readonly isLocal: boolean;
}

/** What a policy decides about: one service, one address family, as seen from one cluster. */
export interface TrafficQuestion {
  readonly addressType: IPFamily;
  /** By name. The local cluster is among them only where it has endpoints. */
  readonly clusters: readonly TrafficCluster[];
}

/** Why a cluster gets traffic, or doesn't. Policies of one's own may use words of their own. */
export type TrafficReason =
  | 'Local'
  | 'Overflow'
  | 'NoLocalEndpoints'
  | 'LocalPreferred'
  | 'LocalSuffices'
  | 'EveryCluster'
  | 'Weighted'
  | 'NoWeight'
  | 'FirstInOrder'
  | 'LaterInOrder'
  | 'MatchesNone'
  | 'NoReadyEndpoint'
  | 'Drained'
  | 'NotDecided'
  | (string & {});

/**
 * What a policy says of one cluster: all of its ready endpoints are used, none, or as many as its weight stands for, beside the other
 * clusters with weights. Weights are relative numbers above 0.
 */
export type ClusterUse =
  | { readonly use: 'All'; readonly reason: TrafficReason }
  | { readonly use: 'None'; readonly reason: TrafficReason }
  | { readonly use: 'Weight'; readonly weight: number; readonly reason: TrafficReason };

/** Decides for each cluster, by name; a cluster that isn't spoken of gets nothing. Pure: the same question, the same answer. */
export type TrafficPolicy = (question: TrafficQuestion) => ReadonlyMap<string, ClusterUse>;

/** The local cluster, or the clusters whose labels match. */
export type ClusterChoice = 'Local' | LabelSelector;

/**
 * A policy as plain data:
 *
 * - `EveryCluster`: every endpoint counts the same, wherever it is. What happens without a policy.
 * - `PreferLocal`: only the local cluster, as long as it has a ready endpoint; else every cluster.
 * - `LocalWithOverflow`: only the local cluster, as long as it has `readyAtLeast` ready endpoints; else every cluster, the local one included.
 * - `Weights`: relative weights by cluster name; `otherwise` (default 0) for those that aren't named.
 * - `Failover`: the first choice of `order` that has a ready endpoint gets everything (the direction of KEP-5939).
 * - `Drain`: the named clusters get nothing; `others` (default `EveryCluster`) decides about the rest.
 */
export type TrafficRule =
  | { readonly type: 'EveryCluster' }
  | { readonly type: 'PreferLocal' }
  | { readonly type: 'LocalWithOverflow'; readonly readyAtLeast: number }
  | { readonly type: 'Weights'; readonly weights: Readonly<Record<string, number>>; readonly otherwise?: number }
  | { readonly type: 'Failover'; readonly order: readonly ClusterChoice[] }
  | { readonly type: 'Drain'; readonly clusters: readonly string[]; readonly others?: TrafficRule };

/**
 * The policy that a rule describes. A function of one's own can stand wherever this one can.
 *
 * @throws ClustersetError `Invalid` for a selector that doesn't parse.
 */
export function trafficPolicyOf(rule: TrafficRule): TrafficPolicy {
  switch (rule.type) {
    case 'EveryCluster':
      return everyCluster;
    case 'PreferLocal':
      return localFirst(1);
    case 'LocalWithOverflow':
      return localFirst(rule.readyAtLeast);
    case 'Weights':
      return weighted(rule.weights, rule.otherwise ?? 0);
    case 'Failover':
      return failover(rule.order);
    case 'Drain':
      return drained(rule.clusters, trafficPolicyOf(rule.others ?? { type: 'EveryCluster' }));
    default:
      return rule satisfies never;
  }
}

function everyCluster({ clusters }: TrafficQuestion): ReadonlyMap<string, ClusterUse> {
  return forEach(clusters, ({ ready }) => allReady(ready, 'EveryCluster'));
}

/** A threshold of 1 is "prefer local": below it there is nothing to add to. */
function localFirst(readyAtLeast: number): TrafficPolicy {
  return ({ clusters }) => {
    const local = clusters.find(({ isLocal }) => isLocal)?.ready ?? 0;
    const suffices = local > 0 && local >= readyAtLeast;
    const staysBehind = readyAtLeast <= 1 ? 'LocalPreferred' : 'LocalSuffices';
    const joins = local > 0 ? 'Overflow' : 'NoLocalEndpoints';
    return forEach(clusters, ({ isLocal, ready }) => {
      if (isLocal) return allReady(ready, 'Local');
      return suffices ? { use: 'None', reason: staysBehind } : allReady(ready, joins);
    });
  };
}

function weighted(weights: Readonly<Record<string, number>>, otherwise: number): TrafficPolicy {
  return ({ clusters }) =>
    forEach(clusters, ({ name, ready }) => {
      const weight = Object.hasOwn(weights, name) ? (weights[name] ?? 0) : otherwise;
      if (!isWeight(weight)) return { use: 'None', reason: 'NoWeight' };
      return ready === 0 ? { use: 'None', reason: 'NoReadyEndpoint' } : { use: 'Weight', weight, reason: 'Weighted' };
    });
}

/** Whether a number can be divided by: above 0, and not infinite. */
export function isWeight(weight: unknown): weight is number {
  return typeof weight === 'number' && Number.isFinite(weight) && weight > 0;
}

function failover(order: readonly ClusterChoice[]): TrafficPolicy {
  const choices = order.map((choice) => (choice === 'Local' ? choice : requirementsOf(choice)));
  return ({ clusters }) => {
    const rankOf = (cluster: TrafficCluster): number => choices.findIndex((choice) => isChosen(choice, cluster));
    const ranked = clusters.filter((cluster) => cluster.ready > 0 && rankOf(cluster) >= 0);
    const first = ranked.length === 0 ? -1 : Math.min(...ranked.map(rankOf));
    return forEach(clusters, (cluster) => {
      const rank = rankOf(cluster);
      if (rank < 0) return { use: 'None', reason: 'MatchesNone' };
      return rank <= first || first < 0 ? allReady(cluster.ready, 'FirstInOrder') : { use: 'None', reason: 'LaterInOrder' };
    });
  };
}

function isChosen(choice: 'Local' | LabelRequirements, cluster: TrafficCluster): boolean {
  return choice === 'Local' ? cluster.isLocal : matchesLabels(choice, cluster.labels);
}

function drained(names: readonly string[], others: TrafficPolicy): TrafficPolicy {
  const out = new Set(names);
  return (question) => {
    const decided = others({ ...question, clusters: question.clusters.filter(({ name }) => !out.has(name)) });
    return forEach(question.clusters, ({ name }) => {
      if (out.has(name)) return { use: 'None', reason: 'Drained' };
      return decided.get(name) ?? { use: 'None', reason: 'NotDecided' };
    });
  };
}

function allReady(ready: number, reason: TrafficReason): ClusterUse {
  return ready > 0 ? { use: 'All', reason } : { use: 'None', reason: 'NoReadyEndpoint' };
}

function forEach(
  clusters: readonly TrafficCluster[],
  decide: (cluster: TrafficCluster) => ClusterUse,
): ReadonlyMap<string, ClusterUse> {
  return new Map(clusters.map((cluster) => [cluster.name, decide(cluster)]));
}
