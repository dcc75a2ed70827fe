import { isRecord } from '../../kube/index.ts';
import type { NodeObject, PodObject } from '../estimate/cluster-state.ts';
import { listOf, type Members, membersOf } from '../estimate/json.ts';

/**
 * A node with what scheduling reads of it, and nothing else: its name, labels and taints, whether it is cordoned, what is allocatable, and
 * whether it is ready.
 */
export function trimNode({ metadata, spec, status }: NodeObject): NodeObject {
  const conditions = listOf(status, 'conditions')
    .filter((each) => isRecord(each) && each.type === 'Ready')
    .map((each) => some(each, ['type', 'status']));
  return {
    metadata: some(metadata, ['name', 'labels']) as NodeObject['metadata'],
    ...part('spec', some(spec, ['unschedulable', 'taints'])),
    ...part('status', { ...some(status, ['allocatable']), ...lists({ conditions }) }),
  };
}

/**
 * A pod with what scheduling reads of it, and nothing else: what it asks for, where it is and where it may be, and what others mustn't be near to.
 * Images, commands, environment, volumes, annotations and names of containers aren't in it.
 */
export function trimPod({ metadata, spec, status }: PodObject): PodObject {
  const conditions = listOf(status, 'conditions')
    .filter((each) => isRecord(each) && each.type === 'PodScheduled')
    .map((each) => some(each, ['type', 'status', 'reason', 'lastTransitionTime']));
  return {
    metadata: some(metadata, ['name', 'namespace', 'labels', 'creationTimestamp', 'deletionTimestamp']) as PodObject['metadata'],
    ...part('spec', trimPodSpec(spec)),
    ...part('status', { ...some(status, ['phase']), ...lists({ conditions }) }),
  };
}

function trimPodSpec(spec: unknown): Members {
  const { nodeAffinity, podAntiAffinity } = membersOf(spec, 'affinity');
  const affinity = {
    ...part('nodeAffinity', some(nodeAffinity, [REQUIRED])),
    ...part('podAntiAffinity', some(podAntiAffinity, [REQUIRED])),
  };
  return {
    ...some(spec, ['nodeName', 'hostNetwork', 'priority', 'schedulingGates', 'nodeSelector', 'tolerations', 'overhead']),
    ...part('resources', trimResources(membersOf(spec, 'resources'))),
    ...part('affinity', affinity),
    ...lists({
      containers: listOf(spec, 'containers').map(trimContainer),
      initContainers: listOf(spec, 'initContainers').map(trimContainer),
    }),
  };
}

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

function trimContainer(container: unknown): Members {
  const ports = listOf(container, 'ports').map((port) => some(port, ['containerPort', 'hostPort', 'protocol', 'hostIP']));
  return {
    ...some(container, ['restartPolicy']),
    ...part('resources', trimResources(membersOf(container, 'resources'))),
    ...lists({ ports }),
  };
}

function trimResources(resources: Members): Members {
  return some(resources, ['requests', 'limits']);
}

/** The members of an object that have one of the names. */
function some(value: unknown, names: readonly string[]): Members {
  if (!isRecord(value)) return {};
  return Object.fromEntries(names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, value[name]]));
}

/** A member, unless it says nothing. */
function part(name: string, value: Members): Members {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

/** The lists that hold anything. */
function lists(given: Readonly<Record<string, readonly unknown[]>>): Members {
  return Object.fromEntries(Object.entries(given).filter(([, list]) => list.length > 0));
}
