import { type ClusterEntry, isReady } from '../../registry/index.ts';
import { type ClusterFilter, formatWorkload, type SchedulingContext } from '../pipeline/contract.ts';
import type { PlacementPolicySpec, WorkloadReference } from '../policy/api.ts';
import { compileGroups } from './groups.ts';
import { propertyRules } from './property-rules.ts';
import { fieldRules, foundAs, labelRules, listRule, nameRules, type SelectionRule } from './rules.ts';
import { taintFilter } from './taint-filter.ts';
import { ACCEPTED, type FilterName, type PolicyRejection, repelled } from './verdict.ts';
import { quoted } from './wording.ts';

/**
 * The filters that a policy asks for, read once for any number of clusters and workloads: first what the policy says of clusters (names,
 * labels, fields, properties, groups, follow), which counts also where the workload runs; then taints, readiness and APIs, which as a rule
 * keep only new replicas away. Filters of a user's own come after them.
 *
 * @throws ClustersetError `Invalid`, with its field, for a label selector that Kubernetes would refuse, and for a comparison that hasn't
 * exactly one amount to compare with.
 */
export function filtersOf(policy: PlacementPolicySpec): readonly ClusterFilter[] {
  return [
    namesFilter(policy),
    labelsFilter(policy),
    fieldsFilter(policy),
    propertiesFilter(policy),
    groupsFilter(policy),
    followFilter(policy),
    taintFilter(policy),
    READY_FILTER,
    APIS_FILTER,
  ].filter((filter) => filter !== undefined);
}

/** By name: `clusterNames`, `exclude`, and the names of a pick of type `Fixed`. Nothing for a policy that doesn't say any. */
export function namesFilter(policy: Pick<PlacementPolicySpec, 'clusterNames' | 'exclude' | 'pick'>): ClusterFilter | undefined {
  const { pick } = policy;
  const picked = pick?.type === 'Fixed' ? [listRule('NotPicked', 'pick.clusterNames', pick.clusterNames ?? [])] : [];
  return ruleFilter('Names', [...nameRules(policy), ...picked]);
}

/** By labels. Nothing for a policy that asks for none. */
export function labelsFilter(policy: Pick<PlacementPolicySpec, 'labelSelector'>): ClusterFilter | undefined {
  return ruleFilter('Labels', labelRules(policy, 'spec'));
}

/** By provider, region and zone. Nothing for a policy that asks for none. */
export function fieldsFilter(policy: Pick<PlacementPolicySpec, 'fields'>): ClusterFilter | undefined {
  return ruleFilter('Fields', fieldRules(policy));
}

/** By properties. Nothing for a policy that asks for none. */
export function propertiesFilter(policy: Pick<PlacementPolicySpec, 'properties'>): ClusterFilter | undefined {
  return ruleFilter('Properties', propertyRules(policy, 'spec'));
}

function ruleFilter(name: FilterName, rules: readonly SelectionRule[]): ClusterFilter | undefined {
  if (rules.length === 0) return undefined;
  return {
    name,
    judge: (cluster) => {
      for (const rule of rules) {
        if (!rule.holds(cluster)) return { outcome: 'rejected', rejection: rule.rejection(cluster) };
      }
      return ACCEPTED;
    },
  };
}

/** Only clusters that are in one of the groups. Nothing for a policy without groups. */
export function groupsFilter(policy: Pick<PlacementPolicySpec, 'groups'>): ClusterFilter | undefined {
  const groups = compileGroups(policy).map(({ name, why }) => ({ name: quoted(name), why }));
  if (groups.length === 0) return undefined;
  return {
    name: 'Groups',
    judge: (cluster) => {
      let message = 'in none of the groups';
      let separator = ' ';
      for (const { name, why } of groups) {
        const rejection = why(cluster);
        if (rejection === undefined) return ACCEPTED;
        message += `${separator}${name} (${rejection.message})`;
        separator = ', ';
      }
      return { outcome: 'rejected', rejection: rejectionOf('Groups', 'InNoGroup', message) };
    },
  };
}

/**
 * Only clusters that another workload is in. A reference without a namespace means one in the namespace of the workload itself, or, where
 * there is none of that kind, one that has no namespace. Nothing for a policy that follows none.
 */
export function followFilter({ follow }: Pick<PlacementPolicySpec, 'follow'>): ClusterFilter | undefined {
  if (follow === undefined) return undefined;
  const prepared = perContext((context) => followed(follow, context));
  return {
    name: 'Follow',
    judge: (cluster, context) => {
      const { clusters, rejection } = prepared(context);
      return clusters.has(cluster.name) ? ACCEPTED : { outcome: 'rejected', rejection };
    },
  };
}

function followed(
  follow: WorkloadReference,
  { placements, workload }: SchedulingContext,
): { readonly clusters: ReadonlySet<string>; readonly rejection: PolicyRejection } {
  const { namespace = workload.namespace } = follow;
  const own = formatWorkload(namespace === undefined ? follow : { ...follow, namespace });
  const clusterScoped = formatWorkload(follow);
  const key = !placements.has(own) && placements.has(clusterScoped) ? clusterScoped : own;
  const clusters = new Set(placements.get(key));
  const name = quoted(key);
  return {
    clusters,
    rejection:
      clusters.size === 0
        ? rejectionOf('Follow', 'FollowedNotPlaced', `${name} is followed, and isn't placed in any cluster (yet)`)
        : rejectionOf('Follow', 'FollowedElsewhere', `${name} is followed, and isn't in this cluster`),
  };
}

/** A cluster that isn't ready gets nothing new, and keeps what it has: moving away takes patience, and is decided elsewhere. */
export const READY_FILTER: ClusterFilter = {
  name: 'Ready',
  judge: (cluster, context) => (isReady(cluster) ? ACCEPTED : repelled(cluster, context, notReady(cluster))),
};

function notReady({ conditions = [] }: ClusterEntry): PolicyRejection {
  const { status, reason } = conditions.find(({ type }) => type === 'Ready') ?? {};
  const because = reason === undefined || reason === '' ? '' : ` (${reason})`;
  return rejectionOf('Ready', 'NotReady', `condition "Ready" ${foundAs(status)}${because}, wanted "True"`);
}

/**
 * A cluster that doesn't serve the workload's kind gets nothing new, and keeps what it has: a list of APIs may be incomplete for a while.
 * Where no list is known the kind counts as served.
 */
export const APIS_FILTER: ClusterFilter = {
  name: 'Apis',
  judge: (cluster, context) => {
    if (cluster.apis === undefined) return ACCEPTED;
    const api = apiOf(context);
    return serves(cluster.apis, api)
      ? ACCEPTED
      : repelled(cluster, context, rejectionOf('Apis', 'ApiNotServed', `the cluster doesn't serve ${quoted(api)}`));
  },
};

const apiOf = perContext(({ workload: { apiVersion, kind } }) => `${apiVersion}/${kind}`);

/** Most kinds that are remembered for a list: who makes up kinds must not fill the memory. */
const MOST_ANSWERS = 64;
/** What was asked of lists before. They are long, they never change, and each workload asks about all of them; each goes with its cluster. */
const ANSWERS = new WeakMap<readonly string[], Map<string, boolean>>();

function serves(apis: readonly string[], api: string): boolean {
  const known = ANSWERS.get(apis);
  const answer = known?.get(api) ?? apis.includes(api);
  if (known === undefined) ANSWERS.set(apis, new Map([[api, answer]]));
  else if (known.size < MOST_ANSWERS) known.set(api, answer);
  return answer;
}

function rejectionOf(filter: FilterName, reason: PolicyRejection['reason'], message: string): PolicyRejection {
  return { filter, reason, message };
}

/** Does once for a context what would be the same for all of its clusters; forgets it with the context. */
function perContext<T>(prepare: (context: SchedulingContext) => T): (context: SchedulingContext) => T {
  const known = new WeakMap<SchedulingContext, T>();
  return (context) => {
    const before = known.get(context);
    if (before !== undefined) return before;
    const prepared = prepare(context);
    known.set(context, prepared);
    return prepared;
  };
}
