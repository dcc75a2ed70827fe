import { compareText, deepEqual, type Issue, type Json } from '../kube/index.ts';
import type { ClusterEntry } from './entry.ts';

const MOST_NAMES = 5;

/** What {@link combineEntries} takes beside the lists. */
export interface CombineOptions {
  /**
   * What two entries of one name become. `first` (the default): the one from the list that stands first, whole. `fill`: what it leaves open is
   * filled from the others: labels and properties by key, everything else by field, and the way to a cluster (`endpoints` and `auth`) only in
   * one piece, so that no credentials ever travel to an address from somewhere else.
   */
  readonly twins?: 'first' | 'fill';
}

/** One list of clusters, by name, and what was given up for it. */
export interface CombinedEntries {
  readonly entries: readonly ClusterEntry[];
  /** For each entry that another hides, and each that leads to the same server under another name. */
  readonly issues: readonly Issue[];
}

/**
 * Combines lists of clusters into one; of entries with the same name the list that stands first has precedence. It doesn't matter how lists
 * are put together: combining two and then a third gives the same as the other way round. Two names for one server stay two clusters,
 * because names are what placements speak of, but they are reported.
 */
export function combineEntries(
  lists: readonly (readonly ClusterEntry[])[],
  { twins = 'first' }: CombineOptions = {},
): CombinedEntries {
  const byName = new Map<string, ClusterEntry>();
  const issues: Issue[] = [];
  for (const list of lists) {
    for (const entry of list) {
      const before = byName.get(entry.name);
      if (before === undefined) {
        byName.set(entry.name, entry);
        continue;
      }
      if (!deepEqual(before as Json, entry as Json)) {
        issues.push({
          field: entry.name,
          message: `cluster "${entry.name}" is in more than one source: the first has precedence`,
        });
      }
      if (twins === 'fill') byName.set(entry.name, filled(before, entry));
    }
  }
  const entries = [...byName.values()].sort((a, b) => compareText(a.name, b.name));
  return { entries, issues: [...issues, ...sameServers(entries)] };
}

function filled(first: ClusterEntry, second: ClusterEntry): ClusterEntry {
  const hasWay = first.endpoints !== undefined || first.auth !== undefined;
  const { endpoints, auth, ...facts } = second;
  const way = { ...(endpoints === undefined ? {} : { endpoints }), ...(auth === undefined ? {} : { auth }) };
  return {
    ...facts,
    ...(hasWay ? {} : way),
    ...first,
    ...((first.labels ?? second.labels) ? { labels: { ...second.labels, ...first.labels } } : {}),
    ...((first.properties ?? second.properties) ? { properties: { ...second.properties, ...first.properties } } : {}),
  };
}

function sameServers(entries: readonly ClusterEntry[]): readonly Issue[] {
  const names = new Map<string, string[]>();
  for (const { name, endpoints } of entries) {
    for (const server of new Set((endpoints ?? []).map((each) => each.server))) {
      const known = names.get(server);
      if (known === undefined) names.set(server, [name]);
      else known.push(name);
    }
  }
  const twice = [...names].filter(([, list]) => list.length > 1).sort(([a], [b]) => compareText(a, b));
  return twice.map(([server, list]) => ({
    field: list[1] ?? '',
    message: `${listed(list)} have the same server ${server}`,
    mend: 'keep one of them, unless one server stands before several clusters',
  }));
}

/** Thousands of clusters may stand behind one proxy. */
function listed(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const more = names.length > MOST_NAMES ? [`${names.length - MOST_NAMES} more`] : [];
  return [...some, ...more].join(', ');
}
