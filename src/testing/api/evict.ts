import { type AnyObject, failure, isRecord, type ObjectKey, resourceType, type Status } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { type Fields, listOf, numberOf, part, textOf } from '../kinds/kind.ts';
import type { ApiServer } from './api-server.ts';
import type { Served } from './catalogue.ts';
import { checkPreconditions, type Deleted } from './delete.ts';
import { type Removal, readRemoval } from './delete-options.ts';
import { isReady, selects, withDisruptionCondition } from './disruptions.ts';
import { badRequest, forbidden, StatusError } from './failures.ts';
import { decodedPart, done, type PartKind, unreasoned } from './part.ts';
import type { WriteContext } from './write.ts';

/** API: policy/v1 Eviction */
const EVICTION: PartKind = { group: 'policy', version: 'v1', kind: 'Eviction', others: ['v1beta1'] };
const BUDGETS = resourceType('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets');

/** The most evictions of one budget that nobody has confirmed. */
const MOST_DISRUPTED = 2000;
const WHY = "Cannot evict pod as it would violate the pod's disruption budget.";

/**
 * POST of an eviction: deletes a pod, if its disruption budget allows it (API: policy/v1 Eviction).
 *
 * @throws StatusError 429 where the budget is used up, or not counted yet.
 */
export function evict(server: ApiServer, served: Served, key: ObjectKey, body: unknown, context: WriteContext): Status {
  const eviction = decodedPart(body, EVICTION, key);
  if ((eviction.metadata.name ?? '') !== key.name) throw badRequest('name in URL does not match name in Eviction object');
  const given = isRecord(eviction.deleteOptions) ? readRemoval(eviction.deleteOptions, new URLSearchParams()) : {};
  const dryRun = context.dryRun || given.dryRun === true;
  const removal: Removal = { ...given, dryRun, ...(context.user === undefined ? {} : { user: context.user }) };
  const pod = server.get(served, key);
  if (!isHarmless(pod)) spend(server, pod, dryRun);
  checkPreconditions(served, pod, removal.preconditions);
  end(server, served, pod, removal);
  return done(CREATED);
}

const CREATED = 201;

/** Pods that don't run yet, or don't run any more, can go without asking. */
function isHarmless(pod: AnyObject): boolean {
  const phase = textOf(part(pod, 'status'), 'phase');
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
}

/** Takes one disruption from the budget of a pod, if it has one. */
function spend(server: ApiServer, pod: AnyObject, dryRun: boolean): void {
  const [budget, another] = budgetsOf(server, pod);
  if (another !== undefined)
    throw unreasoned('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  if (budget === undefined || isSpared(pod, budget)) return;
  const status = part(budget, 'status');
  checkBudget(budget, status);
  if (dryRun) return;
  const now = timestamp(server.state.clock.now());
  const disruptionsAllowed = numberOf(status, 'disruptionsAllowed') - 1;
  const disruptedPods = { ...part(status, 'disruptedPods'), [pod.metadata.name]: now };
  const spent = { ...status, disruptionsAllowed, disruptedPods };
  const served = server.served(BUDGETS);
  if (served === undefined) return;
  const { namespace = '', name } = budget.metadata;
  const after = disruptionsAllowed === 0 ? withDisruptionCondition(spent, now) : spent;
  const context = {
    fieldManager: 'kube-apiserver',
    dryRun: false,
    fieldValidation: 'Ignore',
    warnings: [],
    subresource: 'status',
  } as const;
  server.update(served, { namespace, name }, { ...budget, status: after }, { ...context, warnings: [] });
}

function budgetsOf(server: ApiServer, pod: AnyObject): readonly AnyObject[] {
  return [...server.state.storage.list('poddisruptionbudgets.policy')].filter(
    (budget) => budget.metadata.namespace === pod.metadata.namespace && selects(part(budget, 'spec').selector, pod),
  );
}

/** A pod that isn't ready doesn't count, and may go where its budget says so, or is met without it. */
function isSpared(pod: AnyObject, budget: AnyObject): boolean {
  if (isReady(pod)) return false;
  const status = part(budget, 'status');
  const desired = numberOf(status, 'desiredHealthy');
  const isMet = desired > 0 && numberOf(status, 'currentHealthy') >= desired;
  return isMet || part(budget, 'spec').unhealthyPodEvictionPolicy === 'AlwaysAllow';
}

function checkBudget({ metadata }: AnyObject, status: Fields): void {
  const { name, generation = 0 } = metadata;
  if (numberOf(status, 'observedGeneration') < generation)
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  const allowed = numberOf(status, 'disruptionsAllowed');
  const type = { ...BUDGETS, plural: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(type, name, 'pdb disruptions allowed is negative');
  if (Object.keys(part(status, 'disruptedPods')).length > MOST_DISRUPTED)
    throw forbidden(type, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (allowed === 0) throw tooMany(reasonOf(name, status));
}

function reasonOf(name: string, status: Fields): string {
  const condition = listOf(status, 'conditions').find(({ type }) => type === 'DisruptionAllowed') ?? {};
  const message = condition.status === 'False' ? textOf(condition, 'message') : '';
  const [desired, current] = [numberOf(status, 'desiredHealthy'), numberOf(status, 'currentHealthy')];
  const text = `The disruption budget ${name}`;
  if (message !== '' && condition.reason === 'SyncFailed')
    return `${text} does not allow evicting pods currently because it failed sync: ${message}`;
  if (current <= desired) return `${text} needs ${desired} healthy pods and has ${current} currently`;
  const detail = message === '' ? '' : ` (${textOf(condition, 'reason')}): ${message}`;
  return `${text} does not allow evicting pods currently${detail}`;
}

function tooMany(message: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  return new StatusError(
    failure('TooManyRequests', WHY, { causes, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }),
  );
}

/** Says in the pod why it goes, and deletes it. */
function end(server: ApiServer, served: Served, pod: AnyObject, removal: Removal): Deleted {
  const { preconditions, ...rest } = removal;
  const { uid } = preconditions ?? {};
  const { namespace = '', name } = pod.metadata;
  if (removal.dryRun !== true) server.state.storage.put('pods', withReason(pod, timestamp(server.state.clock.now())));
  return server.delete(served, { namespace, name }, { ...rest, ...(uid === undefined ? {} : { preconditions: { uid } }) });
}

function withReason(pod: AnyObject, now: string): AnyObject {
  const status = part(pod, 'status');
  const conditions = listOf(status, 'conditions');
  const type = 'DisruptionTarget';
  const old = conditions.find((each) => each.type === type);
  const reason = {
    type,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: old?.status === 'True' ? old.lastTransitionTime : now,
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  const after = old === undefined ? [...conditions, reason] : conditions.map((each) => (each === old ? reason : each));
  return { ...pod, status: { ...status, conditions: after } };
}
