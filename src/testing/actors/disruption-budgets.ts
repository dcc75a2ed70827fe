import { type AnyObject, deepEqual, formatKey, keyOf, parseKey, resourceType } from '../../kube/plain/index.ts';
import { type Cancel, timestamp } from '../../runtime/time/index.ts';
import type { ApiServer } from '../api/api-server.ts';
import { selects } from '../api/disruptions.ts';
import { StatusError } from '../api/failures.ts';
import { part } from '../kinds/kind.ts';
import { Agenda } from './agenda.ts';
import { controllerOf, type Dependents } from './dependents.ts';
import { budgetStatus, type Covered, FORGET_MS } from './disruption-budget.ts';
import { follow } from './follow.ts';
import { writtenBy } from './step.ts';

const BUDGETS = resourceType('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets');
const COLLECTION = 'poddisruptionbudgets.policy';

/** Counts for each budget how many of its pods are healthy, and how many may be evicted, as the disruption controller does. */
export function keepBudgets(server: ApiServer, dependents: Dependents): Cancel {
  const { storage, clock } = server.state;
  const agenda = new Agenda(clock, (key) => {
    const budget = storage.get(COLLECTION, parseKey(key));
    if (budget === undefined) return undefined;
    return count(server, dependents, budget) ? FORGET_MS : undefined;
  });
  const stop = follow(server, ({ collection, type, object, previous }) => {
    if (collection === COLLECTION && type !== 'DELETED') agenda.add(formatKey(keyOf(object)));
    if (collection !== 'pods') return;
    for (const budget of storage.list(COLLECTION)) {
      const isHere = budget.metadata.namespace === object.metadata.namespace;
      const { selector } = part(budget, 'spec');
      const isMeant = selects(selector, object) || (previous !== undefined && selects(selector, previous));
      if (isHere && isMeant) agenda.add(formatKey(keyOf(budget)));
    }
  });
  return () => {
    stop();
    agenda.stop();
  };
}

/** Writes the status of a budget where it has changed. Says whether evictions are under way that may come to nothing. */
function count(server: ApiServer, dependents: Dependents, budget: AnyObject): boolean {
  const { storage, clock } = server.state;
  const served = server.served(BUDGETS);
  if (served === undefined) return false;
  const status = budgetStatus(budget, covered(server, dependents, budget), clock.now(), timestamp(clock.now()));
  const isDisrupted = Object.keys(part(status, 'disruptedPods')).length > 0;
  if (deepEqual(status, part(budget, 'status'))) return isDisrupted;
  const context = { ...writtenBy('kube-controller-manager'), subresource: 'status' } as const;
  try {
    server.update(served, keyOf(budget), { ...(storage.get(COLLECTION, keyOf(budget)) ?? budget), status }, context);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
  return isDisrupted;
}

function covered(server: ApiServer, dependents: Dependents, budget: AnyObject): Covered {
  const { namespace } = budget.metadata;
  const pods = [...server.state.storage.list('pods')].filter(
    (pod) => pod.metadata.namespace === namespace && selects(part(budget, 'spec').selector, pod),
  );
  const controllers = new Map<string, number>();
  for (const pod of pods) {
    const top = topOf(dependents, pod);
    if (top !== undefined) controllers.set(top.metadata.uid ?? '', replicasOf(top));
  }
  return { pods, wanted: [...controllers.values()].reduce((all, each) => all + each, 0) };
}

/** The controller of a pod or, of a ReplicaSet, its Deployment. */
function topOf(dependents: Dependents, object: AnyObject): AnyObject | undefined {
  const owner = controllerOf(object);
  const found = owner === undefined ? undefined : dependents.get(owner.uid)?.object;
  return found === undefined ? undefined : (topOf(dependents, found) ?? found);
}

function replicasOf(object: AnyObject): number {
  const { replicas } = part(object, 'spec');
  return typeof replicas === 'number' ? replicas : 0;
}
