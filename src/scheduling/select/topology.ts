import { compareText } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { Ranked } from './preference.ts';

/** The clusters, divided into groups by one topology key. */
export interface Partition {
  readonly topologyKey: string;
  /** Values, by the number of the group; that of the most preferred cluster first. */
  readonly groups: readonly string[];
  /** Number of the group by rank; −1 for clusters in none. */
  readonly groupOf: Int32Array;
  /** Number of the group by cell; −1 for none. */
  readonly groupOfCell: Int32Array;
}

/** Clusters of the same groups throughout, a cell, are worth the same to constraints: of them the preferred ones are taken. */
export interface Topology {
  readonly ranked: readonly Ranked[];
  /** All ranks. */
  readonly order: readonly number[];
  readonly partitions: readonly Partition[];
  /** Number of the cell by rank. */
  readonly cellOf: Int32Array;
  readonly cells: number;
}

/**
 * The group of a cluster: the provider, the region, all zones in one text, or the value of a label. Nothing for a cluster without it, and
 * where the value is empty.
 */
export function topologyValue(entry: ClusterEntry, topologyKey: string): string | undefined {
  return lookUp(entry, topologyKey) || undefined;
}

function lookUp(entry: ClusterEntry, topologyKey: string): string | undefined {
  switch (topologyKey) {
    case 'cluster':
      return entry.name;
    case 'provider':
      return entry.provider;
    case 'region':
      return entry.region;
    case 'zone':
      return zonesOf(entry.zones);
    default:
      return labelOf(entry.labels, topologyKey);
  }
}

/** A cluster may be in several zones. Clusters in the same ones are one group, in whichever order they are written down. */
function zonesOf(zones: readonly string[] | undefined): string | undefined {
  if (zones === undefined || zones.length <= 1) return zones?.[0];
  return zones.toSorted(compareText).join(',');
}

/** Only what the labels hold themselves: `constructor` is a label key like others. */
function labelOf(labels: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Divides the clusters by each of the keys. */
export function topologyOf(ranked: readonly Ranked[], keys: readonly string[]): Topology {
  const divided = keys.map((key) => divide(ranked, key));
  const cellOf = new Int32Array(ranked.length);
  const firsts = cellsOf(divided, cellOf);
  const partitions = divided.map((each) => ({ ...each, groupOfCell: Int32Array.from(firsts, (at) => each.groupOf[at] ?? -1) }));
  return { ranked, order: ranked.map((_, at) => at), partitions, cellOf, cells: firsts.length };
}

function divide(ranked: readonly Ranked[], topologyKey: string): Omit<Partition, 'groupOfCell'> {
  const numbers = new Map<string, number>();
  const groupOf = new Int32Array(ranked.length);
  const groupFor = (value: string): number => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  };
  let at = 0;
  for (const { entry } of ranked) {
    const value = topologyValue(entry, topologyKey);
    groupOf[at] = value === undefined ? -1 : groupFor(value);
    at += 1;
  }
  return { topologyKey, groups: [...numbers.keys()], groupOf };
}

/** Keys up to here are looked up in a list. */
const FEW = 4096;

/** A map of small numbers, which is faster as a list. */
class FewNumbers {
  readonly #values: (number | undefined)[] = [];

  get(key: number): number | undefined {
    return this.#values[key];
  }

  set(key: number, value: number): void {
    this.#values[key] = value;
  }
}

/** Numbers the cells in `cellOf`, refining them with one partition after the other. Returns the first rank of each cell. */
function cellsOf(partitions: readonly Pick<Partition, 'groups' | 'groupOf'>[], cellOf: Int32Array): readonly number[] {
  let firsts: number[] = cellOf.length === 0 ? [] : [0];
  for (const { groups, groupOf } of partitions) {
    const numbers = firsts.length * (groups.length + 1) <= FEW ? new FewNumbers() : new Map<number, number>();
    const next: number[] = [];
    for (let at = 0; at < cellOf.length; at += 1) {
      const key = (cellOf[at] ?? 0) * (groups.length + 1) + (groupOf[at] ?? -1) + 1;
      let cell = numbers.get(key);
      if (cell === undefined) {
        cell = next.length;
        numbers.set(key, cell);
        next.push(at);
      }
      cellOf[at] = cell;
    }
    firsts = next;
  }
  return firsts;
}
