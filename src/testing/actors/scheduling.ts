import { type AnyObject, compareText, findCondition, setCondition } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { listOf } from '../kinds/kind.ts';
import { type Amounts, type Refusal, type Room, refusal, requestsOf, taken } from './node-fit.ts';
import { byAge, conditionsOf, isLeaving, isTerminal, nodeOf, specOf, statusOf } from './pod-facts.ts';

/** What becomes of a pod that has no node. */
export type Placing =
  | { readonly pod: AnyObject; readonly fits: true; readonly node: AnyObject }
  | { readonly pod: AnyObject; readonly fits: false; readonly message: string };

/** Whether the scheduler has to find a node for a pod. */
export function isWaiting(pod: AnyObject): boolean {
  const spec = specOf(pod);
  const isOurs = (spec.schedulerName ?? 'default-scheduler') === 'default-scheduler';
  return nodeOf(pod) === '' && isOurs && !isLeaving(pod) && !isTerminal(pod) && listOf(spec, 'schedulingGates').length === 0;
}

/** Pods that wait get nodes, the oldest first: of the nodes that have room, the one that is used least. */
export function schedule(pods: readonly AnyObject[], rooms: readonly Room[]): readonly Placing[] {
  let free = rooms;
  return pods
    .toSorted((a, b) => priorityOf(b) - priorityOf(a) || byAge(a, b))
    .map((pod): Placing => {
      const requests = requestsOf(specOf(pod));
      const refusals = new Map(free.map((room) => [room, refusal(pod, room, requests)]));
      const [best] = free
        .filter((room) => refusals.get(room) === undefined)
        .toSorted(
          (a, b) => busyness(a, requests) - busyness(b, requests) || compareText(a.node.metadata.name, b.node.metadata.name),
        );
      if (best === undefined)
        return { pod, fits: false, message: explained([...refusals.values()].filter((each) => each !== undefined)) };
      free = free.map((room) => (room === best ? taken(room, pod, requests) : room));
      return { pod, fits: true, node: best.node };
    });
}

const priorityOf = (pod: AnyObject): number => Number(specOf(pod).priority ?? 0) || 0;

/** What pods are counted as that ask for nothing: 100 millicores and 200 MB, as kube-scheduler scores them. */
const AT_LEAST = { cpu: 0.1, memory: 200 * 1024 * 1024 } as const;

/** How much of a node would be used with the pod on it, from 0 to 1, and a little more with each pod. */
function busyness({ allocatable, used, pods }: Room, requests: Amounts): number {
  const parts = (['cpu', 'memory'] as const).map((name) => {
    const wanted = Math.max(used[name] ?? 0, pods * AT_LEAST[name]) + (requests[name] ?? AT_LEAST[name]);
    return wanted / Math.max(allocatable[name] ?? 0, AT_LEAST[name]);
  });
  return parts.reduce((sum, each) => sum + each, 0) / parts.length + pods / 1000;
}

/** Why no node will do, in the words of kube-scheduler. */
function explained(refusals: readonly Refusal[]): string {
  if (refusals.length === 0) return 'no nodes available to schedule pods';
  const head = `0/${refusals.length} nodes are available:`;
  const hopeless = refusals.filter(({ isFinal }) => isFinal).length;
  const help = [
    ...refusals.slice(hopeless).map(() => 'No preemption victims found for incoming pod'),
    ...refusals.slice(refusals.length - hopeless).map(() => 'Preemption is not helpful for scheduling'),
  ];
  return `${head} ${histogram(refusals.flatMap(({ reasons }) => reasons))}. no new claims to deallocate, preemption: ${head} ${histogram(help)}.`;
}

function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted(compareText)
    .join(', ');
}

const TOPOLOGY = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];

/** The pod on its node, with the node's labels of place (KEP-4742). */
export function bound(pod: AnyObject, node: AnyObject, now: number): AnyObject {
  const places = TOPOLOGY.flatMap((name) => {
    const value = node.metadata.labels?.[name];
    return value === undefined ? [] : [[name, value]];
  });
  const labels = { ...pod.metadata.labels, ...Object.fromEntries(places) };
  const conditions = setCondition(conditionsOf(pod), { type: 'PodScheduled', status: 'True' }, timestamp(now));
  return {
    ...pod,
    metadata: { ...pod.metadata, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
    spec: { ...specOf(pod), nodeName: node.metadata.name },
    status: { ...statusOf(pod), conditions },
  };
}

/** The pod with the condition that says why it has no node; the very same pod where it says so already. */
export function unschedulable(pod: AnyObject, message: string, now: number): AnyObject {
  const old = findCondition(conditionsOf(pod), 'PodScheduled');
  if (old?.reason === 'Unschedulable' && old.message === message) return pod;
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
  const conditions = setCondition(conditionsOf(pod), condition, timestamp(now));
  return { ...pod, status: { ...statusOf(pod), conditions } };
}
