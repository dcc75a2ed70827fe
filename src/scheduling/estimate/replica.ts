import { ClustersetError, type LabelRequirements, type LabelSelector, requirementsOf } from '../../kube/index.ts';
import type { ResourceAmounts } from '../karmada/estimate.ts';
import { formatAmounts } from './amounts.ts';
import { type AntiAffinityTerm, antiAffinityOf, avoidancesOf, type Neighbour, ownTopologies } from './anti-affinity.ts';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { textsOf } from './json.ts';
import { type NodeSelection, type NodeTerm, nodeSelection, nodeTermsOf } from './node-selection.ts';
import { read, requestsOfPod } from './pod-requests.ts';
import { type Report, refuse } from './problem.ts';
import { type NodeToleration, tolerationsOf } from './taints.ts';

/** What one replica asks of a node. {@link podRequirements} reads it from a pod template; it can also be written by hand. */
export interface ReplicaRequirements {
  /** Quantities by resource. The pod itself need not be among them. */
  readonly requests?: ResourceAmounts;
  /** Labels that a node must have. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Terms of the required node affinity, of which one must hold; an empty list is for no node. */
  readonly nodeAffinity?: readonly NodeTerm[];
  readonly tolerations?: readonly NodeToleration[];
  readonly hostPorts?: readonly HostPort[];
  readonly antiAffinity?: readonly AntiAffinityTerm[];
  /** The labels that the replica itself will have: for anti-affinity, of its own and of others. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Where the replica will be. Without it every namespace may be its own. */
  readonly namespace?: string;
  /** The pods of the workload: those of them that wait take no room from those that are asked for. */
  readonly selector?: LabelSelector;
}

/** What {@link podRequirements} takes of a pod template beside its spec. */
export interface PodTemplateOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

/**
 * What a replica asks of a node, from the spec of its pod template (API: core/v1 PodSpec).
 *
 * Requests are what kube-scheduler counts: the sum of containers and sidecars, or the most that is needed while the init containers run
 * (KEP-753), or what the pod as a whole asks for (KEP-2837), and the overhead. A limit without a request is a request. Each is rounded up to
 * whole units, CPU to thousandths.
 *
 * Not looked at: topology spread constraints, affinity to other pods, volumes, resource claims, `nodeName`, and whatever is only preferred.
 *
 * @throws ClustersetError `Invalid` where an amount is no quantity or negative, with its field.
 */
export function podRequirements(spec: unknown, { labels, namespace }: PodTemplateOptions = {}): ReplicaRequirements {
  return { requests: formatAmounts(requestsOfPod(spec, refuse)), ...rulesOf(spec, { labels, namespace }) };
}

type Identity = { readonly [Name in keyof PodTemplateOptions]: PodTemplateOptions[Name] | undefined };

/** What a pod asks of a node beside its requests. */
function rulesOf(spec: unknown, { labels, namespace }: Identity): ReplicaRequirements {
  const nodeSelector = textsOf(spec, 'nodeSelector');
  const nodeAffinity = nodeTermsOf(spec);
  const [tolerations, hostPorts, antiAffinity] = [tolerationsOf(spec), hostPortsOf(spec), antiAffinityOf(spec, labels)];
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(nodeAffinity === undefined ? {} : { nodeAffinity }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(hostPorts.length === 0 ? {} : { hostPorts }),
    ...(antiAffinity.length === 0 ? {} : { antiAffinity }),
    ...(labels === undefined ? {} : { labels }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** A replica, ready to be compared with nodes. */
export interface Replica extends Neighbour {
  /** What counts against the pods of a node: 1, or more where more is asked for. */
  readonly pods: number;
  /** What else is more than nothing, by name. */
  readonly requests: readonly (readonly [string, number])[];
  readonly selects: NodeSelection;
  readonly tolerations: readonly NodeToleration[];
  readonly hostPorts: readonly HostPort[];
  /** Labels of nodes within whose values there can be one replica only. */
  readonly ownTopologies: readonly string[];
}

/** @throws ClustersetError `Invalid` for an amount that is no quantity or negative, or a term that makes no sense, with its field. */
export function compileReplica(requirements: ReplicaRequirements): Replica {
  return compile(requirements, read(requirements.requests ?? {}, 'requests', refuse), refuse);
}

/** A pod that waits, as a replica. */
export function replicaOfPod(spec: unknown, identity: Identity, requests: ReadonlyMap<string, number>, report: Report): Replica {
  return compile(rulesOf(spec, identity), requests, report);
}

function compile(requirements: ReplicaRequirements, requests: ReadonlyMap<string, number>, report: Report): Replica {
  const {
    nodeSelector = {},
    nodeAffinity,
    tolerations = [],
    hostPorts = [],
    antiAffinity = [],
    labels = {},
    namespace,
  } = requirements;
  const neighbour: Neighbour = { namespace, labels, avoids: avoidancesOf(antiAffinity, report) };
  const names = [...requests.keys()].toSorted();
  return {
    ...neighbour,
    pods: Math.max(1, requests.get('pods') ?? 1),
    requests: names
      .map((name) => [name, requests.get(name) ?? 0] as const)
      .filter(([name, amount]) => amount > 0 && name !== 'pods'),
    selects: nodeSelection(nodeSelector, nodeAffinity, report),
    tolerations,
    hostPorts,
    ownTopologies: ownTopologies(neighbour),
  };
}

/** The pods of the workload; nothing where it doesn't say. @throws ClustersetError `Invalid` for a selector that makes no sense. */
export function ownPods({ selector }: Pick<ReplicaRequirements, 'selector'>): LabelRequirements | undefined {
  if (selector === undefined) return undefined;
  try {
    return requirementsOf(selector);
  } catch (error) {
    throw new ClustersetError({ code: 'Invalid', field: 'selector', message: (error as Error).message, cause: error });
  }
}
