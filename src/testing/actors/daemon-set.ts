import { type AnyObject, type Draft, deepEqual, isRecord } from '../../kube/plain/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { isTolerated, isWantedNode, toleratesNode } from './node-fit.ts';
import {
  byAge,
  counted,
  isAvailable,
  isLeaving,
  isPodReady,
  isTerminal,
  nodeOf,
  numberIn,
  podFrom,
  scaledValue,
  specOf,
  statusOf,
  templateHash,
} from './pod-facts.ts';
import { type Decision, deleteStep, type Step, statusStep } from './step.ts';

const REVISION = 'controller-revision-hash';
const GENERATION = 'deprecated.daemonset.template.generation';
const SECOND = 1000;

/** What every pod of a DaemonSet tolerates (API: apps/v1 DaemonSet, taints and tolerations). */
const ALWAYS: readonly Fields[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

/** A node and the set's pods there, the oldest first. */
interface Place {
  readonly node: AnyObject;
  readonly pods: readonly AnyObject[];
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

/** What the daemonset controller does next: one pod on each node that wants it (API: apps/v1 DaemonSet). */
export function keepDaemons(set: AnyObject, nodes: readonly AnyObject[], pods: readonly AnyObject[], now: number): Decision {
  const spec = specOf(set);
  const podSpec = daemonSpec(part(part(spec, 'template'), 'spec'));
  const hash = templateHash(part(spec, 'template'));
  const places = nodes.map((node) => placeOf(node, pods, podSpec));
  const minReadySeconds = numberIn(spec, 'minReadySeconds');
  const isUp = (pod: AnyObject): boolean => !isLeaving(pod) && isAvailable(pod, minReadySeconds, now);
  const steps =
    set.metadata.deletionTimestamp === undefined
      ? [...placeSteps(set, places, hash), ...updateSteps(set, places, hash, isUp), ...strayed(nodes, pods)]
      : [];
  const status = statusFor(set, places, hash, isUp);
  const isWaiting = minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0);
  return {
    steps: deepEqual(status, statusOf(set)) ? steps : [...steps, statusStep('daemonsets.apps', set, status)],
    againInMs: isWaiting ? minReadySeconds * SECOND : undefined,
  };
}

/** The node that a pod is on, or is meant for. */
function targetOf(pod: AnyObject): string {
  const bound = nodeOf(pod);
  if (bound !== '') return bound;
  const required = part(part(part(specOf(pod), 'affinity'), 'nodeAffinity'), 'requiredDuringSchedulingIgnoredDuringExecution');
  const [field] = listOf(listOf(required, 'nodeSelectorTerms')[0] ?? {}, 'matchFields');
  return Array.isArray(field?.values) ? String(field.values[0]) : '';
}

function placeOf(node: AnyObject, pods: readonly AnyObject[], podSpec: Fields): Place {
  const fits = isWantedNode(podSpec, node);
  const evicts = listOf(specOf(node), 'taints').some((taint) => taint.effect === 'NoExecute' && !isTolerated(taint, podSpec));
  return {
    node,
    pods: pods.filter((pod) => targetOf(pod) === node.metadata.name).toSorted(byAge),
    shouldRun: fits && toleratesNode(podSpec, node),
    mayStay: fits && !evicts,
  };
}

/** Pods that wait for nodes that are gone. */
function strayed(nodes: readonly AnyObject[], pods: readonly AnyObject[]): readonly Step[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  return pods.filter((pod) => !names.has(targetOf(pod)) && !isLeaving(pod)).map((pod) => deleteStep('pods', pod));
}

function placeSteps(set: AnyObject, places: readonly Place[], hash: string): readonly Step[] {
  return places.flatMap(({ node, pods, shouldRun, mayStay }): readonly Step[] => {
    const staying = pods.filter((pod) => !isLeaving(pod));
    if (!shouldRun) return mayStay ? [] : staying.map((pod) => deleteStep('pods', pod));
    if (pods.length === 0) return [{ op: 'create', of: 'pods', object: daemonPod(set, node.metadata.name, hash) }];
    const ended = staying.filter(isTerminal);
    // Of several pods of one revision the oldest stays.
    const twice = staying.filter((pod, index) => !isTerminal(pod) && staying.findIndex((each) => isSame(each, pod)) !== index);
    return [...ended, ...twice].map((pod) => deleteStep('pods', pod));
  });
}

const isSame = (a: AnyObject, b: AnyObject): boolean =>
  !isTerminal(a) && a.metadata.labels?.[REVISION] === b.metadata.labels?.[REVISION];

function updateSteps(set: AnyObject, places: readonly Place[], hash: string, isUp: (pod: AnyObject) => boolean): readonly Step[] {
  const strategy = part(specOf(set), 'updateStrategy');
  if (strategy.type === 'OnDelete') return [];
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  const rolling = part(strategy, 'rollingUpdate');
  const surge = scaledValue(rolling.maxSurge ?? 0, wanted.length, true);
  const given = scaledValue(rolling.maxUnavailable ?? 1, wanted.length, true);
  const views = wanted.map(({ node, pods }) => {
    const staying = pods.filter((pod) => !isLeaving(pod) && !isTerminal(pod));
    return {
      name: node.metadata.name,
      fresh: staying.find((pod) => pod.metadata.labels?.[REVISION] === hash),
      old: staying.find((pod) => pod.metadata.labels?.[REVISION] !== hash),
      up: staying.some(isUp),
    };
  });
  if (surge === 0) {
    const spare = Math.max(given, 1) - views.filter(({ up }) => !up).length;
    const replaceable = views.filter(({ old, fresh, up }) => old !== undefined && fresh === undefined && up);
    const broken = views.filter(({ old, fresh, up }) => old !== undefined && fresh === undefined && !up);
    return [...broken, ...replaceable.slice(0, Math.max(0, spare))].flatMap(({ old }) =>
      old === undefined ? [] : [deleteStep('pods', old)],
    );
  }
  const done = views.filter(({ old, fresh }) => old !== undefined && fresh !== undefined && isUp(fresh));
  const under = views.filter(({ old, fresh }) => old !== undefined && fresh !== undefined && !isUp(fresh));
  const next = views
    .filter(({ old, fresh }) => old !== undefined && fresh === undefined)
    .slice(0, Math.max(0, surge - under.length));
  return [
    ...done.flatMap(({ old }) => (old === undefined ? [] : [deleteStep('pods', old)])),
    ...next.map(({ name }): Step => ({ op: 'create', of: 'pods', object: daemonPod(set, name, hash) })),
  ];
}

function daemonSpec(podSpec: Fields): Fields {
  const network = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' };
  const added = podSpec.hostNetwork === true ? [...ALWAYS, network] : ALWAYS;
  const given = listOf(podSpec, 'tolerations').filter(
    (each) => !added.some(({ key, effect }) => key === each.key && effect === each.effect),
  );
  return { ...podSpec, tolerations: [...given, ...added] };
}

function daemonPod(set: AnyObject, node: string, hash: string): Draft<AnyObject> {
  const template = part(specOf(set), 'template');
  const labels = { [REVISION]: hash, 'pod-template-generation': set.metadata.annotations?.[GENERATION] ?? '1' };
  const pod = podFrom(set, template, labels);
  const spec = daemonSpec(part(template, 'spec'));
  const affinity = part(spec, 'affinity');
  const nodeAffinity = part(affinity, 'nodeAffinity');
  const given = isRecord(nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution)
    ? nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
    : {};
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }];
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { ...given, nodeSelectorTerms } };
  return { ...pod, spec: { ...spec, affinity: { ...affinity, nodeAffinity: { ...nodeAffinity, ...required } } } };
}

function statusFor(set: AnyObject, places: readonly Place[], hash: string, isUp: (pod: AnyObject) => boolean): Fields {
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  const first = wanted.flatMap(({ pods }) => pods.slice(0, 1));
  const available = first.filter(isUp).length;
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isPodReady).length,
    ...counted({
      observedGeneration: set.metadata.generation ?? 0,
      updatedNumberScheduled: first.filter((pod) => pod.metadata.labels?.[REVISION] === hash).length,
      numberAvailable: available,
      numberUnavailable: wanted.length - available,
    }),
  };
}
