import type { Issue } from '../../kube/index.ts';
import { parseAddress } from '../address.ts';
import type { Usable } from './ports.ts';

/** The two IP protocols, as Services name them (API: core/v1 IPFamily). */
export const IP_FAMILIES = ['IPv4', 'IPv6'] as const;
/** One of {@link IP_FAMILIES}. */
export type IPFamily = (typeof IP_FAMILIES)[number];

/** The family of an address in its usual notation; nothing for what is no address. */
export function familyOf(address: string): IPFamily | undefined {
  return parseAddress(address)?.family;
}

/** The families that can be used: unknown ones and repetitions are left out. */
export function readFamilies(value: unknown, field: string): Usable<readonly IPFamily[]> {
  if (value === undefined || value === null) return { value: [], issues: [] };
  if (!Array.isArray(value)) return { value: [], issues: [{ field, message: 'is no list' }] };
  const issues: Issue[] = [];
  const families: IPFamily[] = [];
  for (const [index, item] of value.entries()) {
    const family = IP_FAMILIES.find((each) => each === item);
    if (family === undefined) issues.push({ field: `${field}[${index}]`, message: 'must be IPv4 or IPv6' });
    else if (families.includes(family)) issues.push({ field: `${field}[${index}]`, message: `repeats ${family}` });
    else families.push(family);
  }
  return { value: families, issues };
}

/** Families of one exporting cluster. */
export interface ClusterFamilies {
  readonly cluster: string;
  readonly ipFamilies?: readonly IPFamily[] | undefined;
}

/** What {@link mergeFamilies} found. */
export interface MergedFamilies {
  /** In the order of the oldest export that names any. Empty where none does. */
  readonly families: readonly IPFamily[];
  /** The cluster of that export. */
  readonly cluster: string | undefined;
  /** Clusters that have none of the families: clients of the service can't reach them. */
  readonly disagreeing: readonly string[];
}

/**
 * The families through which all endpoints can be reached: those that all exports have in common, oldest first. Exports that name none say
 * nothing. An export that would leave no family is passed over and disagrees (KEP-1645 asks for a conflict where a protocol reaches only a
 * part of the endpoints, and leaves the rule open; this is Cilium's).
 */
export function mergeFamilies(oldestFirst: readonly ClusterFamilies[]): MergedFamilies {
  let families: readonly IPFamily[] = [];
  let winner: string | undefined;
  const disagreeing: string[] = [];
  for (const { cluster, ipFamilies = [] } of oldestFirst) {
    if (ipFamilies.length === 0) continue;
    if (winner === undefined) {
      winner = cluster;
      families = ipFamilies;
      continue;
    }
    const common = families.filter((family) => ipFamilies.includes(family));
    if (common.length === 0) disagreeing.push(cluster);
    else families = common;
  }
  return { families, cluster: winner, disagreeing };
}

/**
 * Those of the present addresses that are still good, one for each family and in the order of the families; where no family is known, the
 * first of each family. None is invented: a missing one is for whoever allocates addresses.
 */
export function keptAddresses(present: readonly string[], families: readonly IPFamily[]): readonly string[] {
  const byFamily = new Map<IPFamily, string>();
  for (const address of present) {
    const family = familyOf(address);
    if (family !== undefined && !byFamily.has(family)) byFamily.set(family, address);
  }
  const order = families.length === 0 ? [...byFamily.keys()] : families;
  return order.flatMap((family) => byFamily.get(family) ?? []);
}
