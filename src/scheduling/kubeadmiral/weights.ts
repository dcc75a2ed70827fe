import { compareText } from '../../kube/index.ts';

/** What is known of one cluster's resource, CPU or GPU, in whole units (KubeAdmiral rounds a quantity up: 5500m of CPU are 6). */
export interface KubeAdmiralResources {
  readonly cluster: string;
  /** What the nodes offer to pods in all. */
  readonly allocatable: number;
  /** What of it is free. Below 0 counts as 0. */
  readonly available: number;
}

/** What all weights add up to. */
const SUM = 1000;
/** A cluster gets at most this many times its part of what the nodes offer, however much is free there. */
const SUPPLY_LIMIT = 1.4;

/**
 * The weights that KubeAdmiral gives to clusters where a policy gives none (v1.0.0 and the commits after it), by name: in proportion to what
 * is free, at most 1.4 times the part of what the nodes offer, scaled to 1000 in all, with the remainder of rounding on the largest.
 *
 * Where nothing is free all count the same, `1000 / n` rounded, and the sum is only nearly 1000. The original gives the remainder to any of
 * several largest weights; here the first by name has it. Where every weight is rounded or limited to 0 the original divides by zero; here
 * all count the same then, and at least 1. Give the clusters of one decision, each once.
 */
export function kubeAdmiralDynamicWeights(clusters: readonly KubeAdmiralResources[]): ReadonlyMap<string, number> {
  const sorted = clusters.toSorted((a, b) => compareText(a.cluster, b.cluster));
  const offered = sumOf(sorted, ({ allocatable }) => allocatable);
  const free = sumOf(sorted, freeOf);
  const same = Math.round(SUM / sorted.length);
  const limited = sorted.map((each) => {
    const limit = offered === 0 ? same : Math.round((each.allocatable / offered) * SUM * SUPPLY_LIMIT);
    return free === 0 ? 0 : Math.min(Math.round((freeOf(each) / free) * SUM), limit);
  });
  const sum = sumOf(limited, (weight) => weight);
  if (free === 0 || sum === 0) {
    const weight = free === 0 ? same : Math.max(1, same);
    return new Map(sorted.map(({ cluster }) => [cluster, weight]));
  }
  const weights = new Map(sorted.map(({ cluster }, index) => [cluster, Math.round(((limited[index] ?? 0) / sum) * SUM)]));
  let largest: string | undefined;
  let most = 0;
  let rest = SUM;
  for (const [cluster, weight] of weights) {
    rest -= weight;
    if (weight <= most) continue;
    most = weight;
    largest = cluster;
  }
  return largest === undefined ? weights : weights.set(largest, most + rest);
}

function freeOf({ available }: KubeAdmiralResources): number {
  return Math.max(0, available);
}

function sumOf<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}
