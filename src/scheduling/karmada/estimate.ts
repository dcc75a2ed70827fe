import { addQuantities, compareQuantities, compareText, parseQuantity, type Quantity } from '../../kube/index.ts';
import { exactAmount, wholeAmount } from '../estimate/amounts.ts';

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
  return karmadaEstimator(requirements)(summary, models);
}

/** {@link estimateKarmada} for one cluster after the other. */
export type KarmadaEstimator = (
  summary: KarmadaResourceSummary | undefined,
  models?: readonly KarmadaResourceModel[],
) => KarmadaEstimate;

/**
 * {@link estimateKarmada} for many clusters: what a replica asks for is read once, and so is each list of models.
 *
 * @throws ClustersetError `Invalid` where what is asked for is no quantity. What it returns throws it for the amounts of a cluster.
 */
export function karmadaEstimator(requirements?: KarmadaRequirements): KarmadaEstimator {
  const requests = requirements === undefined ? undefined : requestsOf(requirements);
  const known = new WeakMap<readonly KarmadaResourceModel[], Map<number, number>>();
  const byGrade = (models: readonly KarmadaResourceModel[], asked: readonly Request[]): ReadonlyMap<number, number> => {
    const counted = known.get(models) ?? perNode(models, asked);
    known.set(models, counted);
    return counted;
  };
  return (summary, models = []) => {
    if (summary === undefined) return { replicas: 0, reason: 'NoSummary' };
    const pods = freePods(summary);
    if (pods <= 0) return { replicas: 0, reason: 'Pods' };
    const nodes = summary.allocatableModelings;
    if (requests === undefined) return { replicas: pods, reason: 'Pods' };
    if (nodes === undefined || nodes.length === 0 || models.length === 0) return tightest(summary, requests, pods);
    const fits = byGrade(models, requests);
    const sum = nodes.reduce((total, { grade, count }) => total + count * (fits.get(grade) ?? 0), 0);
    return sum < pods ? { replicas: sum, reason: 'Models' } : { replicas: pods, reason: 'Pods' };
  };
}

/** What is asked for of one resource: exactly, and as a plain number, or NaN where that isn't the same. */
interface Request {
  readonly name: string;
  readonly exact: bigint;
  readonly whole: number;
}

/** What is asked for, by name, without what isn't more than nothing. */
function requestsOf({ resourceRequest = {} }: KarmadaRequirements): readonly Request[] {
  return Object.keys(resourceRequest)
    .toSorted(compareText)
    .map((name) => {
      const plain = wholeOf(textOf(resourceRequest, name), name);
      const exact = Number.isNaN(plain) ? exactOf(resourceRequest, name) : BigInt(plain);
      return { name, exact, whole: exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : Number.NaN };
    })
    .filter(({ exact }) => exact > 0n);
}

function freePods(summary: KarmadaResourceSummary): number {
  const pods = wholeFree(summary, 'pods');
  if (!Number.isNaN(pods)) return pods;
  const { allocatable, allocated, allocating } = summary;
  return Number(exactOf(allocatable, 'pods') - exactOf(allocated, 'pods') - exactOf(allocating, 'pods'));
}

/** Of equally scarce resources the first by name. */
function tightest(summary: KarmadaResourceSummary, requests: readonly Request[], pods: number): KarmadaEstimate {
  let replicas = pods;
  let resource: string | undefined;
  for (const request of requests) {
    const fit = fitOf(summary, request);
    if (fit >= replicas) continue;
    replicas = fit;
    resource = request.name;
  }
  return resource === undefined ? { replicas, reason: 'Pods' } : { replicas, reason: 'Resource', resource };
}

/** Big integers only where plain numbers would not be exact: they take ten times as long. */
function fitOf(summary: KarmadaResourceSummary, { name, exact, whole }: Request): number {
  const free = wholeFree(summary, name);
  if (Number.isNaN(free) || Number.isNaN(whole)) return Number(exactFree(summary, name) / exact);
  return free > 0 ? Math.floor(free / whole) : 0;
}

/** How many replicas the smallest node of each grade holds. */
function perNode(models: readonly KarmadaResourceModel[], requests: readonly Request[]): Map<number, number> {
  const fits = new Map<number, number>();
  for (const { grade, ranges } of models) {
    if (fits.has(grade)) continue;
    const inNode = ({ name, exact, whole }: Request): number => {
      const min = ranges.find((range) => range.name === name)?.min ?? (name === 'pods' ? String(PODS_PER_NODE) : '0');
      const has = wholeAmount(name, min);
      const isPlain = !Number.isNaN(has) && !Number.isNaN(whole);
      return isPlain ? Math.floor(has / whole) : Number(exactAmount(name, parseQuantity(min)) / exact);
    };
    fits.set(
      grade,
      requests.reduce((least, request) => Math.min(least, inNode(request)), PODS_PER_NODE),
    );
  }
  return fits;
}

/** What is free, as a plain number; NaN where it takes {@link exactFree} to tell. */
function wholeFree({ allocatable, allocated, allocating }: KarmadaResourceSummary, name: string): number {
  const all = textOf(allocatable, name);
  if (all === undefined && name !== 'pods') return 0;
  return wholeOf(all, name) - wholeOf(textOf(allocated, name), name) - wholeOf(textOf(allocating, name), name);
}

function wholeOf(text: string | undefined, name: string): number {
  return text === undefined ? 0 : wholeAmount(name, text);
}

function exactFree({ allocatable, allocated, allocating }: KarmadaResourceSummary, name: string): bigint {
  const all = quantityOf(allocatable, name);
  if (all === undefined) return 0n;
  const free = [allocated, allocating].reduce((left, used) => {
    const amount = quantityOf(used, name);
    return amount === undefined ? left : addQuantities(left, { ...amount, mantissa: -amount.mantissa });
  }, all);
  return free.mantissa > 0n ? exactAmount(name, free) : 0n;
}

/** The amount in the unit it is counted in; 0 where there is none. */
function exactOf(amounts: ResourceAmounts | undefined, name: string): bigint {
  const quantity = quantityOf(amounts, name);
  return quantity === undefined ? 0n : exactAmount(name, quantity);
}

function quantityOf(amounts: ResourceAmounts | undefined, name: string): Quantity | undefined {
  const text = textOf(amounts, name);
  return text === undefined ? undefined : parseQuantity(text);
}

function textOf(amounts: ResourceAmounts | undefined, name: string): string | undefined {
  // What every object inherits is no text, so this is as good as asking whether it is the object's own, and faster.
  const value: unknown = amounts?.[name];
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
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
  return graderOf(models)(node);
}

/** {@link gradeOf} for many nodes: the models are read once. */
export function graderOf(models: readonly KarmadaResourceModel[]): (node: ResourceAmounts) => number | undefined {
  const ordered = models.toSorted((a, b) => a.grade - b.grade);
  const names = new Set(ordered.flatMap(({ ranges }) => ranges.map(({ name }) => name)));
  const leasts = [...names].map((name) => ({
    name,
    mins: ordered.map(({ ranges }) => parseQuantity(ranges.find((range) => range.name === name)?.min ?? '0')),
  }));
  return (node) => {
    const places = leasts.map(({ name, mins }) => {
      const amount = quantityOf(node, name) ?? NOTHING;
      return mins.findLastIndex((min) => compareQuantities(min, amount) <= 0);
    });
    return ordered[Math.min(...places)]?.grade;
  };
}

const NOTHING = parseQuantity('0');
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
