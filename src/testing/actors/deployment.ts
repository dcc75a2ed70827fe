import { type AnyObject, deepEqual, type LabelSelector } from '../../kube/plain/index.ts';
import { type Fields, part } from '../kinds/kind.ts';
import { controllerReference } from './dependents.ts';
import {
  annotated,
  budgetOf,
  DESIRED,
  isRolling,
  MOST,
  nextReplicas,
  replicasOf,
  type Sizes,
  scaledSizes,
  shrunkSizes,
  sum,
} from './deployment-budget.ts';
import {
  type Conditions,
  countedStatus,
  deploymentConditions,
  hasDeadline,
  isComplete,
  pausedConditions,
  progressing,
  rolloutStatus,
  untilDeadline,
  withCondition,
} from './deployment-status.ts';
import { byAge, numberIn, specOf, statusOf, templateHash } from './pod-facts.ts';
import { type Decision, deleteStep, type Step, statusStep } from './step.ts';

const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const HISTORY = 'deployment.kubernetes.io/revision-history';
/** Annotations that a Deployment keeps to itself. */
const OWN: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  HISTORY,
  DESIRED,
  MOST,
]);

const revisionOf = (object: AnyObject): number => annotated(object, REVISION) ?? 0;

/** What a round of the controller works with. ReplicaSets are those that the Deployment controls, as they will be after the round. */
interface Round {
  readonly deployment: AnyObject;
  readonly fresh: AnyObject | undefined;
  /** From old to new. */
  readonly old: readonly AnyObject[];
  readonly conditions: Conditions;
  readonly now: number;
}

/**
 * What the deployment controller does next: ReplicaSets are made, grown, shrunk and cleaned up, one round at a time, and the status says how far
 * it got (API: apps/v1 Deployment).
 */
export function rollOut(deployment: AnyObject, replicaSets: readonly AnyObject[], now: number): Decision {
  const sets = replicaSets.toSorted(byAge);
  const found = sets.find((set) => hasTemplate(set, deployment));
  const old = sets.filter((set) => set !== found);
  const round: Round = {
    deployment,
    old,
    fresh: found === undefined ? undefined : refreshed(found, deployment, old),
    conditions: pausedConditions(deployment, deploymentConditions(deployment), now),
    now,
  };
  const isQuiet = deployment.metadata.deletionTimestamp !== undefined;
  if (isQuiet) return finished(round, sets, countedStatus({ ...round, all: allOf(round) }));
  if (specOf(deployment).paused === true || isScaling(round)) return scaled(round, sets);
  return isRolling(deployment) ? rolled(round, sets) : recreated(round, sets);
}

const allOf = ({ old, fresh }: Round): readonly AnyObject[] => (fresh === undefined ? old : [...old, fresh]);

function hasTemplate(set: AnyObject, deployment: AnyObject): boolean {
  const plain = (object: AnyObject): Fields => {
    const template = part(specOf(object), 'template');
    const metadata = part(template, 'metadata');
    const { [HASH]: _, ...labels } = part(metadata, 'labels');
    return { ...template, metadata: { ...metadata, labels } };
  };
  return deepEqual(plain(set), plain(deployment));
}

/** The ReplicaSet of the current template, with the annotations of the Deployment and the newest revision. */
function refreshed(set: AnyObject, deployment: AnyObject, old: readonly AnyObject[]): AnyObject {
  const next = Math.max(0, ...old.map(revisionOf)) + 1;
  const before = revisionOf(set);
  const earlier = set.metadata.annotations?.[HISTORY] ?? '';
  const revisions =
    before < next
      ? {
          [REVISION]: String(next),
          ...(before > 0 ? { [HISTORY]: earlier === '' ? String(before) : `${earlier},${before}` } : {}),
        }
      : {};
  const annotations = { ...set.metadata.annotations, ...sharedAnnotations(deployment), ...revisions };
  const { minReadySeconds } = specOf(deployment);
  const spec = specOf(set);
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: spec.minReadySeconds === minReadySeconds ? spec : { ...spec, minReadySeconds },
  };
}

function sharedAnnotations({ metadata }: AnyObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !OWN.has(name)));
}

/** Whether `spec.replicas` has changed since the ReplicaSets were last told. */
function isScaling(round: Round): boolean {
  const wanted = replicasOf(round.deployment);
  return allOf(round).some((set) => replicasOf(set) > 0 && (annotated(set, DESIRED) ?? wanted) !== wanted);
}

function scaled(round: Round, sets: readonly AnyObject[]): Decision {
  const sizes = scaledSizes(round.deployment, round.fresh, round.old);
  const next = resized(round, sizes);
  const cleaned = specOf(round.deployment).paused === true ? cleanUp(next) : [];
  return finished(next, sets, countedStatus({ ...round, all: allOf(round) }), cleaned);
}

function rolled(round: Round, sets: readonly AnyObject[]): Decision {
  const { fresh, deployment } = round;
  if (fresh === undefined) return created(round, sets);
  const size = replicasOf(fresh);
  const wanted = replicasOf(deployment);
  const grown = size > wanted ? wanted : nextReplicas(deployment, allOf(round), size);
  const sizes =
    grown === size
      ? shrunkSizes(
          deployment,
          fresh,
          round.old.filter((set) => replicasOf(set) > 0),
        )
      : new Map([[fresh.metadata.name, grown]]);
  return progressed(round, sets, sizes);
}

/** First all old pods go, then the new ones come. */
function recreated(round: Round, sets: readonly AnyObject[]): Decision {
  const active = round.old.filter((set) => replicasOf(set) > 0);
  if (active.length > 0) return progressed(round, sets, new Map(active.map((set) => [set.metadata.name, 0])));
  const remains = (set: AnyObject): number =>
    numberIn(statusOf(set), 'replicas') + numberIn(statusOf(set), 'terminatingReplicas');
  if (sum(round.old, remains) > 0) return progressed(round, sets, new Map());
  if (round.fresh === undefined) return created(round, sets);
  return progressed(round, sets, new Map([[round.fresh.metadata.name, replicasOf(round.deployment)]]));
}

function progressed(round: Round, sets: readonly AnyObject[], sizes: Sizes): Decision {
  const next = resized(round, sizes);
  const isIdle = [...sizes].every(([name, size]) => sets.some((set) => set.metadata.name === name && replicasOf(set) === size));
  const cleaned = isIdle && isComplete(round.deployment, statusOf(round.deployment)) ? cleanUp(next) : [];
  return finished(next, sets, rolloutStatus({ ...round, all: allOf(round) }), cleaned);
}

function created(round: Round, sets: readonly AnyObject[]): Decision {
  const { deployment, now } = round;
  const fresh = newReplicaSet(round);
  const message = `Created new replica set "${fresh.metadata.name}"`;
  const conditions = hasDeadline(deployment)
    ? withCondition(round.conditions, progressing('True', 'NewReplicaSetCreated', message), now)
    : round.conditions;
  const next = { ...round, fresh, conditions };
  return finished(next, sets, rolloutStatus({ ...next, all: allOf(next) }), [
    { op: 'create', of: 'replicasets.apps', object: fresh },
  ]);
}

function newReplicaSet({ deployment, old }: Round): AnyObject {
  const spec = specOf(deployment);
  const template = part(spec, 'template');
  const hash = templateHash(template, numberIn(statusOf(deployment), 'collisionCount'));
  const metadata = part(template, 'metadata');
  const labels = { ...(metadata.labels as Readonly<Record<string, string>> | undefined), [HASH]: hash };
  const selector = spec.selector as LabelSelector;
  const { name, namespace = '' } = deployment.metadata;
  const replicas = nextReplicas(deployment, old, 0);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...sharedAnnotations(deployment),
        [REVISION]: String(Math.max(0, ...old.map(revisionOf)) + 1),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
}

function sizeAnnotations(deployment: AnyObject): Readonly<Record<string, string>> {
  const wanted = replicasOf(deployment);
  return { [DESIRED]: String(wanted), [MOST]: String(wanted + budgetOf(deployment).surge) };
}

function resized(round: Round, sizes: Sizes): Round {
  const resize = (set: AnyObject): AnyObject => {
    const size = sizes.get(set.metadata.name);
    const wanted = replicasOf(round.deployment);
    if (size === undefined || (size === replicasOf(set) && annotated(set, DESIRED) === wanted)) return set;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(round.deployment) };
    return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...specOf(set), replicas: size } };
  };
  return { ...round, old: round.old.map(resize), fresh: round.fresh === undefined ? undefined : resize(round.fresh) };
}

/** ReplicaSets without pods beyond those that the history keeps. */
function cleanUp({ deployment, old }: Round): readonly Step[] {
  const limit = numberIn(specOf(deployment), 'revisionHistoryLimit', Number.POSITIVE_INFINITY);
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (alive.length <= limit) return [];
  const byRevision = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b));
  const isDone = (set: AnyObject): boolean =>
    replicasOf(set) === 0 &&
    numberIn(statusOf(set), 'replicas') === 0 &&
    (set.metadata.generation ?? 0) <= numberIn(statusOf(set), 'observedGeneration');
  return byRevision
    .slice(0, alive.length - limit)
    .filter(isDone)
    .map((set) => deleteStep('replicasets.apps', set));
}

/** The writes of a round: ReplicaSets that came out of it changed, the revision, and the status. */
function finished(round: Round, before: readonly AnyObject[], status: Fields, more: readonly Step[] = []): Decision {
  const { deployment, fresh, now } = round;
  const known = new Map(before.map((set) => [set.metadata.name, set]));
  const changed = allOf(round).filter((set) => {
    const old = known.get(set.metadata.name);
    return old !== undefined && !deepEqual(old, set);
  });
  const revision = fresh?.metadata.annotations?.[REVISION];
  const isRevised = revision !== undefined && deployment.metadata.annotations?.[REVISION] !== revision;
  const { collisionCount } = statusOf(deployment);
  const next = collisionCount === undefined ? status : { ...status, collisionCount };
  const isSaid = deepEqual(next, statusOf(deployment));
  // The revision goes with the status: another write of annotations would count as a change of the Deployment.
  const said: Step = {
    ...statusStep('deployments.apps', deployment, next),
    ...(isRevised ? { annotations: { [REVISION]: revision } } : {}),
  };
  const steps: Step[] = [
    ...more,
    ...changed.map((object): Step => ({ op: 'update', of: 'replicasets.apps', object })),
    ...(isRevised || !isSaid ? [said] : []),
  ];
  return { steps, againInMs: untilDeadline(deployment, next, now) };
}
