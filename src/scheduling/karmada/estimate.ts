import { addQuantities, compareQuantities, compareText, parseQuantity, type Quantity } from '../../kube/index.ts';

/** Amounts by resource, as Kubernetes writes them: `{ cpu: '1500m', memory: '2Gi', pods: '110' }`. */
export type ResourceAmounts = Readonly<Record<string, string>>;

/** What a cluster has (API: cluster.karmada.io ResourceSummary). */
export interface KarmadaResourceSummary {
  readonly allocatable?: ResourceAmounts;
  /** Of pods that have a node. */
  readonly allocated?: ResourceAmounts;
  /** Of pods that wait for a node. */
  readonly allocating?: ResourceAmounts;
  /** How many nodes there are of each grade. */
  readonly allocatableModelings?: readonly { readonly grade: number; readonly count: number }[];
}

/** A class of nodes by size (API: cluster.karmada.io ResourceModel). */
export interface KarmadaResourceModel {
  readonly grade: number;
  /** From `min` on, up to but without `max`; nothing here depends on `max`. */
  readonly ranges: readonly { readonly name: string; readonly min: string; readonly max?: string }[];
}

/** What one replica asks for (API: work.karmada.io ReplicaRequirements). */
export interface KarmadaRequirements {
  readonly resourceRequest?: ResourceAmounts;
}

/** How many more replicas fit, and what it is that no more fit for. */
export type KarmadaEstimate =
  | { /** The cluster hasn't said what it has. */ readonly replicas: 0; readonly reason: 'NoSummary' }
  | { /** No more pods may run there. */ readonly replicas: number; readonly reason: 'Pods' }
  | { /** Nodes that are as small as their grade allows hold no more. */ readonly replicas: number; readonly reason: 'Models' }
  | {
      /** There is no more of this resource. */ readonly replicas: number;
      readonly reason: 'Resource';
      readonly resource: string;
    };

const PODS_PER_NODE = 110;

/**
 * Estimates how many more replicas fit into a cluster, from what it says of itself, as Karmada's general estimator does.
 *
 * With `models` (the cluster's `spec.resourceModels`) and a count of nodes by grade, each node counts as one that has the least its grade allows and
 * room for 110 pods. Otherwise all free resources count as if they were one node: then what is left over on many nodes counts too, and
 * the estimate may be too high.
 *
 * CPU is counted in thousandths and everything else in whole units, both rounded up. A grade without a model counts as having nothing.
 *
 * @throws ClustersetError `Invalid` where an amount is no quantity.
 */
export function estimateKarmada(
  summary: KarmadaResourceSummary | undefined,
  requirements?: KarmadaRequirements,
  models: readonly KarmadaResourceModel[] = [],
): KarmadaEstimate {
  if (summary === undefined) return { replicas: 0, reason: 'NoSummary' };
  const { allocatable, allocated, allocating, allocatableModelings: nodes = [] } = summary;
  const pods = amountOf(allocatable, 'pods') - amountOf(allocated, 'pods') - amountOf(allocating, 'pods');
  if (pods <= 0n) return { replicas: 0, reason: 'Pods' };
  const byPods: KarmadaEstimate = { replicas: Number(pods), reason: 'Pods' };
  if (requirements === undefined) return byPods;
  const requests = requestsOf(requirements);
  if (nodes.length > 0 && models.length > 0) {
    const sum = nodes.reduce((total, { grade, count }) => total + count * perNode(grade, models, requests), 0);
    return sum < pods ? { replicas: sum, reason: 'Models' } : byPods;
  }
  const tightest = tightestOf(requests.map(([name, request]) => ({ name, fit: freeOf(summary, name) / request })));
  if (tightest === undefined || tightest.fit >= pods) return byPods;
  return { replicas: Number(tightest.fit), reason: 'Resource', resource: tightest.name };
}

interface Fit {
  readonly name: string;
  readonly fit: bigint;
}

/** Of equal ones the first by name. */
function tightestOf(fits: readonly Fit[]): Fit | undefined {
  return fits.toSorted((a, b) => Number(a.fit - b.fit) || compareText(a.name, b.name))[0];
}

/** What is asked for, without what isn't more than nothing. */
function requestsOf({ resourceRequest = {} }: KarmadaRequirements): readonly (readonly [string, bigint])[] {
  return Object.keys(resourceRequest)
    .map((name) => [name, amountOf(resourceRequest, name)] as const)
    .filter(([, amount]) => amount > 0n);
}

/** How many replicas the smallest node of a grade holds. */
function perNode(
  grade: number,
  models: readonly KarmadaResourceModel[],
  requests: readonly (readonly [string, bigint])[],
): number {
  const model = models.find((each) => each.grade === grade);
  if (model === undefined) return 0;
  const has = (name: string): bigint => {
    const range = model.ranges.find((each) => each.name === name);
    if (range === undefined) return name === 'pods' ? BigInt(PODS_PER_NODE) : 0n;
    return counted(name, parseQuantity(range.min));
  };
  return requests.reduce((least, [name, request]) => Math.min(least, Number(has(name) / request)), PODS_PER_NODE);
}

function freeOf({ allocatable, allocated, allocating }: KarmadaResourceSummary, name: string): bigint {
  const all = quantityOf(allocatable, name);
  if (all === undefined) return 0n;
  const free = [allocated, allocating].reduce((left, used) => {
    const amount = quantityOf(used, name);
    return amount === undefined ? left : addQuantities(left, { ...amount, mantissa: -amount.mantissa });
  }, all);
  return free.mantissa > 0n ? counted(name, free) : 0n;
}

/** The amount in the unit it is counted in; 0 where there is none. */
function amountOf(amounts: ResourceAmounts | undefined, name: string): bigint {
  const quantity = quantityOf(amounts, name);
  return quantity === undefined ? 0n : counted(name, quantity);
}

function quantityOf(amounts: ResourceAmounts | undefined, name: string): Quantity | undefined {
  const text = amounts !== undefined && Object.hasOwn(amounts, name) ? amounts[name] : undefined;
  return text === undefined ? undefined : parseQuantity(text);
}

/** CPU in thousandths, everything else in whole units; parts are rounded up. */
function counted(name: string, { mantissa, exponent }: Quantity): bigint {
  const shift = name === 'cpu' ? exponent + 3 : exponent;
  if (shift >= 0) return mantissa * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (mantissa + divisor - 1n) / divisor;
}

/**
 * The grade of a node by what it has: for each resource of the models the last grade that it has the least amount of, and of these grades the lowest. A
 * resource that the node doesn't have is 0, and so is the least amount where a model doesn't name the resource.
 *
 * @returns nothing where the node is too small for every grade, or there are none.
 * @throws ClustersetError `Invalid` where an amount is no quantity.
 */
export function gradeOf(
  node: ResourceAmounts,
  models: readonly KarmadaResourceModel[] = KARMADA_DEFAULT_MODELS,
): number | undefined {
  const ordered = models.toSorted((a, b) => a.grade - b.grade);
  const names = new Set(ordered.flatMap(({ ranges }) => ranges.map(({ name }) => name)));
  const places = [...names].map((name) => {
    const amount = quantityOf(node, name) ?? parseQuantity('0');
    return ordered.findLastIndex(({ ranges }) => {
      const least = ranges.find((range) => range.name === name)?.min ?? '0';
      return compareQuantities(parseQuantity(least), amount) <= 0;
    });
  });
  return ordered[Math.min(...places)]?.grade;
}

const CPUS = ['0', '1', '2', '4', '8', '16', '32', '64', '128'];
const MEMORIES = ['0', '4Gi', '16Gi', '32Gi', '64Gi', '128Gi', '256Gi', '512Gi', '1Ti'];
/** Karmada writes the largest 64-bit number for "without end". */
const ENDLESS = '9223372036854775807';

/** The models of a cluster that states none: grades 0 to 8, from less than one CPU and 4 GiB to 128 CPUs and 1 TiB or more. */
export const KARMADA_DEFAULT_MODELS: readonly KarmadaResourceModel[] = CPUS.map((cpu, grade) => ({
  grade,
  ranges: [
    { name: 'cpu', min: cpu, max: CPUS[grade + 1] ?? ENDLESS },
    { name: 'memory', min: MEMORIES[grade] ?? '0', max: MEMORIES[grade + 1] ?? ENDLESS },
  ],
}));
