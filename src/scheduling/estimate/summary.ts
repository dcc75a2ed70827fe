import { z } from 'zod';
import { graderOf, type KarmadaResourceModel, type ResourceAmounts } from '../karmada/estimate.ts';
import { formatAmount } from './amounts.ts';
import { classesOf, type NodeClassesOptions } from './classes.ts';
import { amountsSchema, nodeClassesSchema } from './classes-schema.ts';
import { type ClusterState, type NodeObject, type NodeState, type PodObject, readCluster } from './cluster-state.ts';

const count = z.int().min(0);

/** Schema of a {@link ClusterSummary}. A `resourceSummary` of a Karmada cluster fits, too: everything may be absent. */
export const clusterSummarySchema = z.object({
  allocatable: amountsSchema.exactOptional(),
  allocated: amountsSchema.exactOptional(),
  allocating: amountsSchema.exactOptional(),
  allocatableModelings: z.array(z.object({ grade: z.int(), count })).exactOptional(),
  nodes: count.exactOptional(),
  readyNodes: count.exactOptional(),
  nodeClasses: nodeClassesSchema.exactOptional(),
});

/**
 * What a cluster has to offer, in little: to be stored, and sent in the place of its nodes and pods. Karmada's `KarmadaResourceSummary` with more.
 *
 * - `allocatable`: of the nodes that are ready and not cordoned. `allocated`: what pods on these hold. `allocating`: what pods that wait ask for.
 * - `allocatableModelings`: how many of these nodes have what is free for which grade.
 * - `nodes`, `readyNodes`: how many there are, cordoned ones among them.
 * - `nodeClasses`: which nodes there are, in little.
 */
export type ClusterSummary = Readonly<z.infer<typeof clusterSummarySchema>>;

/** What {@link summarizeCluster} may be told. */
export interface SummaryOptions extends NodeClassesOptions {
  /** Counts nodes by these grades. Default: not at all. */
  readonly models?: readonly KarmadaResourceModel[];
  /** Whether there are node classes. Default true. */
  readonly classes?: boolean;
}

/**
 * Sums up the nodes and pods of a cluster.
 *
 * Unlike Karmada's own summary it leaves out what nobody can be placed on: nodes that aren't ready, or are cordoned, and what pods hold there. The
 * grade of a node is that of what is free there, as in Karmada; one with no room for another pod isn't counted (there, one such node ends the counting).
 */
export function summarizeCluster(
  nodes: readonly NodeObject[],
  pods: readonly PodObject[],
  options: SummaryOptions = {},
): ClusterSummary {
  const state = readCluster(nodes, pods);
  const open = state.nodes.filter(({ isReady, isCordoned }) => isReady && !isCordoned);
  return {
    ...sums(open, state),
    ...(options.models === undefined ? {} : { allocatableModelings: byGrade(open, options.models) }),
    nodes: state.nodes.length,
    readyNodes: state.nodes.filter(({ isReady }) => isReady).length,
    ...(options.classes === false ? {} : { nodeClasses: classesOf(state, options) }),
  };
}

function sums(
  open: readonly NodeState[],
  { waiting }: ClusterState,
): Pick<ClusterSummary, 'allocatable' | 'allocated' | 'allocating'> {
  const [allocatable, allocated, allocating] = [new Sums(), new Sums(), new Sums()];
  for (const { allocatable: all, free } of open) {
    for (const [name, amount] of all) {
      allocatable.add(name, amount);
      allocated.add(name, amount - (free.get(name) ?? 0));
    }
  }
  for (const { requests } of waiting) {
    allocating.add('pods', Math.max(1, requests.get('pods') ?? 1));
    for (const [name, amount] of requests) if (name !== 'pods') allocating.add(name, amount);
  }
  return { allocatable: allocatable.quantities(), allocated: allocated.quantities(), allocating: allocating.quantities() };
}

/** Sums of a whole cluster, which may be beyond 2^53. */
class Sums {
  readonly #sums = new Map<string, bigint>();

  add(name: string, amount: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0n) + BigInt(amount));
  }

  quantities(): Record<string, string> {
    return Object.fromEntries(
      [...this.#sums.keys()].toSorted().map((name) => [name, formatAmount(name, this.#sums.get(name) ?? 0n)]),
    );
  }
}

function byGrade(nodes: readonly NodeState[], models: readonly KarmadaResourceModel[]): { grade: number; count: number }[] {
  const grade = graderOf(models);
  const names = new Set(models.flatMap(({ ranges }) => ranges.map(({ name }) => name)));
  const counts = new Map(models.map((model) => [model.grade, 0]));
  for (const { free } of nodes) {
    const of = (free.get('pods') ?? 0) > 0 ? grade(amountsOf(free, names)) : undefined;
    if (of !== undefined) counts.set(of, (counts.get(of) ?? 0) + 1);
  }
  return [...counts].toSorted(([a], [b]) => a - b).map(([each, nodesOfIt]) => ({ grade: each, count: nodesOfIt }));
}

function amountsOf(free: ReadonlyMap<string, number>, names: ReadonlySet<string>): ResourceAmounts {
  return Object.fromEntries([...names].map((name) => [name, formatAmount(name, Math.max(0, free.get(name) ?? 0))]));
}
