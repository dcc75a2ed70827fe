import { type AnyObject, type Draft, deepEqual, type LabelSelector } from '../../kube/plain/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { replicasOf } from './deployment-budget.ts';
import {
  counted,
  isAvailable,
  isLeaving,
  isPodReady,
  isTerminal,
  numberIn,
  phaseOf,
  podFrom,
  specOf,
  statusOf,
  templateHash,
  textIn,
} from './pod-facts.ts';
import { type Decision, deleteStep, type Step, statusStep } from './step.ts';

const REVISION = 'controller-revision-hash';
const SECOND = 1000;

/** Pod templates by the name of their revision: a cluster keeps them as ControllerRevisions. */
export type Revisions = ReadonlyMap<string, Fields>;

/** The name of the revision that a workload's current template is. */
export function revisionName(owner: AnyObject): string {
  return `${owner.metadata.name}-${templateHash(part(specOf(owner), 'template'))}`;
}

const revisionOf = (pod: AnyObject): string => pod.metadata.labels?.[REVISION] ?? '';

/** What a round works with. */
interface Round {
  readonly set: AnyObject;
  readonly current: string;
  readonly update: string;
  readonly revisions: Revisions;
  /** The pod of each ordinal, from the first on. */
  readonly replicas: readonly (AnyObject | undefined)[];
  /** Pods beyond those that are asked for, the highest ordinal first. */
  readonly condemned: readonly AnyObject[];
  readonly claims: ReadonlySet<string>;
  readonly now: number;
}

/**
 * What the statefulset controller does next. Pods with an identity are made from the first to the last and taken away from the last to the
 * first, each when those before it are ready; all at once where `podManagementPolicy` is Parallel (API: apps/v1 StatefulSet).
 */
export function keepOrdinals(
  set: AnyObject,
  facts: { readonly pods: readonly AnyObject[]; readonly revisions: Revisions; readonly claims: ReadonlySet<string> },
  now: number,
): Decision {
  const update = revisionName(set);
  const recorded = textIn(statusOf(set), 'currentRevision');
  const current = facts.revisions.has(recorded) ? recorded : update;
  const start = numberIn(part(specOf(set), 'ordinals'), 'start');
  const count = replicasOf(set);
  const byOrdinal = new Map(facts.pods.map((pod) => [ordinalOf(pod, set), pod]));
  const isWanted = (ordinal: number): boolean => ordinal >= start && ordinal < start + count;
  const round: Round = {
    set,
    current,
    update,
    revisions: facts.revisions,
    claims: facts.claims,
    replicas: Array.from({ length: count }, (_, index) => byOrdinal.get(start + index)),
    condemned: [...byOrdinal]
      .filter(([ordinal]) => ordinal >= 0 && !isWanted(ordinal))
      .toSorted(([a], [b]) => b - a)
      .map(([, pod]) => pod),
    now,
  };
  const steps = set.metadata.deletionTimestamp === undefined ? podSteps(round) : [];
  const status = statusFor(round, facts.pods);
  const isWaiting = numberIn(status, 'readyReplicas') > numberIn(status, 'availableReplicas');
  return {
    steps: deepEqual(status, statusOf(set)) ? steps : [...steps, statusStep('statefulsets.apps', set, status)],
    againInMs: isWaiting ? minReadyOf(set) * SECOND : undefined,
  };
}

const minReadyOf = (set: AnyObject): number => numberIn(specOf(set), 'minReadySeconds');

function ordinalOf(pod: AnyObject, set: AnyObject): number {
  const match = /^(.*)-(\d+)$/.exec(pod.metadata.name);
  return match?.[1] === set.metadata.name ? Number(match[2]) : -1;
}

const isUp = (pod: AnyObject | undefined, { set, now }: Round): boolean =>
  pod !== undefined && !isLeaving(pod) && phaseOf(pod) === 'Running' && isAvailable(pod, minReadyOf(set), now);

function podSteps(round: Round): readonly Step[] {
  const isOrdered = specOf(round.set).podManagementPolicy !== 'Parallel';
  const steps: Step[] = [];
  for (const [index, pod] of round.replicas.entries()) {
    steps.push(...replicaSteps(round, index));
    if (isOrdered && !isUp(pod, round)) return steps;
  }
  const gone = condemnedSteps(round, isOrdered);
  // Those that are too many go before others change.
  if (isOrdered && round.condemned.length > 0) return [...steps, ...gone];
  return [...steps, ...gone, ...updateSteps(round)];
}

function replicaSteps(round: Round, index: number): readonly Step[] {
  const pod = round.replicas[index];
  if (pod === undefined) return creation(round, index);
  return isTerminal(pod) && !isLeaving(pod) ? [deleteStep('pods', pod)] : [];
}

function condemnedSteps(round: Round, isOrdered: boolean): readonly Step[] {
  const { condemned } = round;
  if (!isOrdered) return condemned.filter((pod) => !isLeaving(pod)).map((pod) => deleteStep('pods', pod));
  const [first] = condemned;
  if (first === undefined || isLeaving(first)) return [];
  // One that is in trouble may go only where it is the lowest of those in trouble.
  const lowestDown = [...round.replicas, ...condemned.toReversed()].find((pod) => !isUp(pod, round));
  return isUp(first, round) || first === lowestDown ? [deleteStep('pods', first)] : [];
}

const partitionOf = (set: AnyObject): number => numberIn(part(part(specOf(set), 'updateStrategy'), 'rollingUpdate'), 'partition');
const isOnDelete = (set: AnyObject): boolean => part(specOf(set), 'updateStrategy').type === 'OnDelete';

/** From the last ordinal down to the partition, one at a time. */
function updateSteps(round: Round): readonly Step[] {
  if (isOnDelete(round.set)) return [];
  for (let index = round.replicas.length - 1; index >= partitionOf(round.set); index -= 1) {
    const pod = round.replicas[index];
    if (pod !== undefined && revisionOf(pod) !== round.update && !isLeaving(pod)) return [deleteStep('pods', pod)];
    if (!isUp(pod, round)) return [];
  }
  return [];
}

function creation(round: Round, index: number): readonly Step[] {
  const { set, revisions } = round;
  const spec = specOf(set);
  const isOld = !isOnDelete(set) && index < partitionOf(set);
  const revision = isOld ? round.current : round.update;
  const template = (isOld ? revisions.get(revision) : undefined) ?? part(spec, 'template');
  const ordinal = numberIn(part(spec, 'ordinals'), 'start') + index;
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = {
    [REVISION]: revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  const pod = podFrom(set, template, labels);
  const claims = listOf(spec, 'volumeClaimTemplates').map((claim) => claimFor(set, claim, name));
  const missing = claims.filter((claim) => !round.claims.has(claim.metadata.name ?? ''));
  const subdomain = textIn(spec, 'serviceName');
  const { generateName, ...metadata } = pod.metadata;
  const object: Draft<AnyObject> = {
    ...pod,
    metadata: { ...metadata, ...(generateName === undefined ? {} : { generateName }), name },
    spec: {
      ...part(template, 'spec'),
      hostname: name,
      ...(subdomain === '' ? {} : { subdomain }),
      ...withVolumes(part(template, 'spec'), spec, name),
    },
  };
  return [
    ...missing.map((claim): Step => ({ op: 'create', of: 'persistentvolumeclaims', object: claim })),
    { op: 'create', of: 'pods', object },
  ];
}

function withVolumes(podSpec: Fields, spec: Fields, pod: string): Fields {
  const claims = listOf(spec, 'volumeClaimTemplates').map((claim) => textIn(part(claim, 'metadata'), 'name'));
  if (claims.length === 0) return {};
  const others = listOf(podSpec, 'volumes').filter(({ name }) => !claims.includes(String(name)));
  const own = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: `${name}-${pod}` } }));
  return { volumes: [...own, ...others] };
}

function claimFor(set: AnyObject, claim: Fields, pod: string): Draft<AnyObject> {
  const { matchLabels = {} } = specOf(set).selector as LabelSelector;
  const metadata = part(claim, 'metadata');
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `${textIn(metadata, 'name')}-${pod}`,
      namespace: set.metadata.namespace ?? '',
      labels: { ...(metadata.labels as Readonly<Record<string, string>> | undefined), ...matchLabels },
    },
    spec: part(claim, 'spec'),
  };
}

function statusFor(round: Round, pods: readonly AnyObject[]): Fields {
  const { set, current, update, now } = round;
  const staying = pods.filter((pod) => !isLeaving(pod));
  const ready = pods.filter((pod) => phaseOf(pod) === 'Running' && isPodReady(pod));
  const updated = staying.filter((pod) => revisionOf(pod) === update).length;
  const wanted = replicasOf(set);
  // The update is over when all are new and ready: then it is what is current.
  const isOver = !isOnDelete(set) && [updated, ready.length, pods.length].every((count) => count === wanted);
  return {
    replicas: pods.length,
    ...counted({
      observedGeneration: set.metadata.generation ?? 0,
      readyReplicas: ready.length,
      currentReplicas: isOver ? updated : staying.filter((pod) => revisionOf(pod) === current).length,
      updatedReplicas: updated,
    }),
    availableReplicas: ready.filter((pod) => isAvailable(pod, minReadyOf(set), now)).length,
    currentRevision: isOver ? update : current,
    updateRevision: update,
    collisionCount: numberIn(statusOf(set), 'collisionCount'),
  };
}
