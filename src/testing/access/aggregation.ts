import {
  type AnyObject,
  compareText,
  deepEqual,
  isClustersetError,
  isRecord,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
  resourceType,
} from '../../kube/plain/index.ts';
import type { Cancel } from '../../runtime/time/index.ts';
import { Agenda } from '../actors/agenda.ts';
import { follow } from '../actors/follow.ts';
import { writtenBy } from '../actors/step.ts';
import type { ApiServer } from '../api/api-server.ts';
import { StatusError } from '../api/failures.ts';
import { CLUSTER_ROLES } from './roles.ts';

const TYPE = resourceType('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster');
const MANAGER = 'clusterrole-aggregation-controller';

/**
 * The rules of a ClusterRole that are gathered from others by their labels (API: rbac.authorization.k8s.io/v1 AggregationRule); nothing where it
 * gathers none.
 */
export function aggregatedRules(role: AnyObject, all: Iterable<AnyObject>): readonly unknown[] | undefined {
  const { aggregationRule } = role;
  if (!isRecord(aggregationRule)) return undefined;
  const selectors = Array.isArray(aggregationRule.clusterRoleSelectors) ? aggregationRule.clusterRoleSelectors : [];
  const others = [...all]
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .toSorted((a, b) => compareText(a.metadata.name, b.metadata.name));
  const rules: unknown[] = [];
  for (const selector of selectors.filter(isRecord)) {
    for (const other of others.filter((each) => isSelected(selector, each))) {
      for (const rule of rulesIn(other)) if (!rules.some((each) => deepEqual(each, rule))) rules.push(rule);
    }
  }
  return rules;
}

function isSelected(selector: LabelSelector, { metadata }: AnyObject): boolean {
  try {
    return matchesLabels(requirementsOf(selector), metadata.labels);
  } catch (error) {
    if (isClustersetError(error)) return false;
    throw error;
  }
}

const rulesIn = ({ rules }: AnyObject): readonly unknown[] => (Array.isArray(rules) ? rules : []);

/** Keeps the rules of all aggregated ClusterRoles as they should be: at once for those that are there, then whenever one changes. */
export function aggregateClusterRoles(server: ApiServer): Cancel {
  while (
    names(server)
      .map((name) => aggregate(server, name))
      .includes(true)
  );
  const agenda = new Agenda(server.state.clock, (name) => {
    aggregate(server, name);
    return undefined;
  });
  const stop = follow(server, ({ collection }) => {
    if (collection === CLUSTER_ROLES) for (const name of names(server)) agenda.add(name);
  });
  return () => {
    stop();
    agenda.stop();
  };
}

function names({ state }: ApiServer): readonly string[] {
  return [...state.storage.list(CLUSTER_ROLES)]
    .filter(({ aggregationRule }) => isRecord(aggregationRule))
    .map(({ metadata }) => metadata.name);
}

/** Whether the role had to be changed. */
function aggregate(server: ApiServer, name: string): boolean {
  const { storage } = server.state;
  const role = storage.get(CLUSTER_ROLES, { name });
  const served = server.served(TYPE);
  const rules = role === undefined ? undefined : aggregatedRules(role, storage.list(CLUSTER_ROLES));
  if (role === undefined || served === undefined || rules === undefined || deepEqual(rules, rulesIn(role))) return false;
  const wanted = { apiVersion: role.apiVersion, kind: role.kind, metadata: { name }, rules };
  const context = { ...writtenBy(MANAGER), force: true };
  try {
    server.apply(served, { name }, wanted, context);
    return true;
  } catch (error) {
    // What the server refuses is left as it is, until the role changes.
    if (error instanceof StatusError) return false;
    throw error;
  }
}
