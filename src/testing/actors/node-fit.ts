import { type AnyObject, isRecord, parseQuantity, quantityToNumber } from '../../kube/plain/index.ts';
import { type Fields, listOf, part } from '../kinds/kind.ts';
import { isTerminal, nodeOf, specOf, statusOf, textIn } from './pod-facts.ts';

/** Amounts by resource name. */
export type Amounts = Readonly<Record<string, number>>;

function amountsIn(fields: Fields): Amounts {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, amountOf(value)]));
}

function amountOf(value: unknown): number {
  try {
    return quantityToNumber(parseQuantity(String(value)));
  } catch {
    return 0;
  }
}

/** What a pod asks of its node: its containers together, or the init container that asks for more (API: core/v1 ResourceRequirements). */
export function requestsOf(podSpec: Fields): Amounts {
  const inits = listOf(podSpec, 'initContainers');
  const sidecars = inits.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const running = [...listOf(podSpec, 'containers'), ...sidecars].map(containerRequests).reduce(plus, {});
  const highest = inits.filter((each) => !sidecars.includes(each)).map(containerRequests);
  const most = highest.reduce(
    (top, each) =>
      Object.fromEntries(
        [...Object.keys(top), ...Object.keys(each)].map((name) => [name, Math.max(top[name] ?? 0, each[name] ?? 0)]),
      ),
    running,
  );
  return plus(most, amountsIn(part(podSpec, 'overhead')));
}

function containerRequests(container: Fields): Amounts {
  const resources = part(container, 'resources');
  return amountsIn({ ...part(resources, 'limits'), ...part(resources, 'requests') });
}

function plus(a: Amounts, b: Amounts): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

/** A node, and what the pods on it ask for. */
export interface Room {
  readonly node: AnyObject;
  readonly allocatable: Amounts;
  readonly used: Amounts;
  readonly pods: number;
}

/** A node that nothing runs on. */
export function emptyRoom(node: AnyObject): Room {
  return { node, allocatable: amountsIn(part(statusOf(node), 'allocatable')), used: {}, pods: 0 };
}

/** What is used of each node. Pods that have ended use nothing. */
export function roomsOf(nodes: readonly AnyObject[], pods: Iterable<AnyObject>): readonly Room[] {
  const rooms = new Map(nodes.map((node): [string, Room] => [node.metadata.name, emptyRoom(node)]));
  for (const pod of pods) {
    const room = rooms.get(nodeOf(pod));
    if (room !== undefined && !isTerminal(pod)) rooms.set(nodeOf(pod), taken(room, pod));
  }
  return [...rooms.values()];
}

/** The node with one pod more. */
export function taken(room: Room, pod: AnyObject, requests = requestsOf(specOf(pod))): Room {
  return { ...room, used: plus(room.used, requests), pods: room.pods + 1 };
}

/** Why a pod can't be on a node, in the words of kube-scheduler. `isFinal`: the pod couldn't be there if other pods went, either. */
export interface Refusal {
  readonly reasons: readonly string[];
  readonly isFinal: boolean;
}

/** Why a pod can't be on a node, or nothing. The first kind of reason counts, as for kube-scheduler. */
export function refusal(pod: AnyObject, room: Room, requests = requestsOf(specOf(pod))): Refusal | undefined {
  const { node } = room;
  const podSpec = specOf(pod);
  const never = (reason: string): Refusal => ({ reasons: [reason], isFinal: true });
  const named = namedNodes(podSpec);
  if (named !== undefined && !named.includes(node.metadata.name)) return never("node(s) didn't satisfy plugin(s) [NodeAffinity]");
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  if (specOf(node).unschedulable === true && !isTolerated(cordon, podSpec)) return never('node(s) were unschedulable');
  if (!toleratesNode(podSpec, node)) return never('node(s) had untolerated taint(s)');
  if (!isWantedNode(podSpec, node)) return never("node(s) didn't match Pod's node affinity/selector");
  return shortage(requests, room);
}

function shortage(requests: Amounts, { allocatable, used, pods }: Room): Refusal | undefined {
  const isFull = pods + 1 > (allocatable.pods ?? 0);
  const short = ['cpu', 'memory', 'ephemeral-storage', ...Object.keys(requests).toSorted()]
    .filter((name, index, all) => all.indexOf(name) === index)
    .filter((name) => (requests[name] ?? 0) > 0 && (requests[name] ?? 0) > (allocatable[name] ?? 0) - (used[name] ?? 0));
  const reasons = [...(isFull ? ['Too many pods'] : []), ...short.map((name) => `Insufficient ${name}`)];
  if (reasons.length === 0) return undefined;
  return { reasons, isFinal: short.some((name) => (requests[name] ?? 0) > (allocatable[name] ?? 0)) };
}

/** The nodes that a required affinity names, as those of a DaemonSet's pods do. */
function namedNodes(podSpec: Fields): readonly string[] | undefined {
  const terms = requiredTerms(podSpec);
  if (terms === undefined || terms.length === 0) return undefined;
  const names = terms.map((term) =>
    listOf(term, 'matchFields').find(({ key, operator }) => key === 'metadata.name' && operator === 'In'),
  );
  if (names.some((each) => each === undefined)) return undefined;
  return names.flatMap((each) => (Array.isArray(each?.values) ? (each.values as readonly string[]) : []));
}

function requiredTerms(podSpec: Fields): readonly Fields[] | undefined {
  const affinity = part(part(podSpec, 'affinity'), 'nodeAffinity');
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  return isRecord(required) ? listOf(required, 'nodeSelectorTerms') : undefined;
}

/** Whether a node has the labels that a pod asks for: its selector, and one of the terms of its required affinity. */
export function isWantedNode(podSpec: Fields, node: AnyObject): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(part(podSpec, 'nodeSelector')).every(([name, value]) => labels[name] === value);
  const terms = requiredTerms(podSpec);
  return selected && (terms === undefined || terms.some((term) => matchesTerm(term, node)));
}

function matchesTerm(term: Fields, { metadata }: AnyObject): boolean {
  const expressions = listOf(term, 'matchExpressions');
  const fields = listOf(term, 'matchFields');
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every((each) => matchesExpression(each, metadata.labels?.[textIn(each, 'key')])) &&
    fields.every((each) => matchesExpression(each, metadata.name))
  );
}

function matchesExpression({ operator, values }: Fields, value: string | undefined): boolean {
  const wanted = Array.isArray(values) ? (values as readonly string[]) : [];
  switch (operator) {
    case 'In':
      return value !== undefined && wanted.includes(value);
    case 'NotIn':
      return value === undefined || !wanted.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(wanted[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(wanted[0]);
    default:
      return false;
  }
}

/** Whether a pod tolerates all taints of a node that keep pods away. */
export function toleratesNode(podSpec: Fields, node: AnyObject): boolean {
  return listOf(specOf(node), 'taints').every((taint) => taint.effect === 'PreferNoSchedule' || isTolerated(taint, podSpec));
}

/** Whether a taint is tolerated (API: core/v1 Toleration). */
export function isTolerated(taint: Fields, podSpec: Fields): boolean {
  return listOf(podSpec, 'tolerations').some((toleration) => {
    const { key = '', operator = 'Equal', effect = '' } = toleration;
    const isKey = (key === '' && operator === 'Exists') || key === taint.key;
    const isEffect = effect === '' || effect === taint.effect;
    return isKey && isEffect && (operator === 'Exists' || textIn(toleration, 'value') === textIn(taint, 'value'));
  });
}
