import type { Issue } from '../../kube/index.ts';
import type { PlannedWave } from './contract.ts';

/** Name of the last wave, of the clusters that no other has. */
export const REST_WAVE = 'rest';

/** Which clusters are in which wave. */
export interface Membership<Cluster> {
  /** The waves, with the one for the rest where there is one; its clusters by name. */
  readonly waves: readonly { readonly wave: PlannedWave<Cluster>; readonly clusters: readonly string[] }[];
  /** Clusters that are in none, or in several. */
  readonly outside: readonly string[];
  readonly issues: readonly Issue[];
}

/** Puts each cluster into its wave. `clusters` are sorted by name, each once. */
export function membershipOf<Cluster extends { readonly name: string }>(
  clusters: readonly Cluster[],
  given: readonly PlannedWave<Cluster>[],
  hasRest: boolean,
): Membership<Cluster> {
  const waves = hasRest ? [...given, { name: REST_WAVE, clusters: [] }] : given;
  const memberOf = memberships(given);
  const members = waves.map((): string[] => []);
  const outside: string[] = [];
  const issues = [...nameIssues(waves), ...unknownNames(clusters, given)];
  for (const cluster of clusters) {
    const [first = hasRest ? given.length : undefined, second] = memberOf(cluster);
    if (first !== undefined && second === undefined) {
      members[first]?.push(cluster.name);
      continue;
    }
    outside.push(cluster.name);
    issues.push(
      first === undefined || second === undefined ? inNone(cluster.name) : inSeveral(cluster.name, waves, first, second),
    );
  }
  return { waves: waves.map((wave, index) => ({ wave, clusters: members[index] ?? [] })), outside, issues };
}

const NONE: readonly number[] = [];

/** By cluster the waves that it is in, in their order. */
function memberships<Cluster extends { readonly name: string }>(
  waves: readonly PlannedWave<Cluster>[],
): (cluster: Cluster) => readonly number[] {
  const named = new Map<string, number[]>();
  const tests: { readonly index: number; readonly isMember: (cluster: Cluster) => boolean }[] = [];
  for (const [index, { clusters }] of waves.entries()) {
    if (typeof clusters === 'function') {
      tests.push({ index, isMember: clusters });
      continue;
    }
    for (const name of clusters) {
      const found = named.get(name);
      if (found === undefined) named.set(name, [index]);
      else if (found.at(-1) !== index) found.push(index);
    }
  }
  return (cluster) => {
    const byName = named.get(cluster.name) ?? NONE;
    if (tests.length === 0) return byName;
    const byTest = tests.filter(({ isMember }) => isMember(cluster)).map(({ index }) => index);
    return byName.length === 0 ? byTest : [...byName, ...byTest].sort((a, b) => a - b);
  };
}

function inNone(cluster: string): Issue {
  return {
    field: 'waves',
    message: `cluster ${cluster} is in no wave, and is left alone`,
    mend: 'add it to a wave, or let the rest be a wave',
  };
}

function inSeveral(cluster: string, waves: readonly { readonly name: string }[], first: number, second: number): Issue {
  return {
    field: `waves[${second}].clusters`,
    message: `cluster ${cluster} is also in wave ${waves[first]?.name}, and is left alone`,
    mend: 'exclude it from one of them',
  };
}

function nameIssues(waves: readonly { readonly name: string }[]): readonly Issue[] {
  const names = waves.map(({ name }) => name);
  return names.flatMap((name, index): Issue[] => {
    const earlier = names.indexOf(name);
    if (earlier === index) return [];
    const message = `"${name}" is also the name of waves[${earlier}]; an approval counts for both`;
    return [{ field: `waves[${index}].name`, message, mend: 'give each wave a name of its own' }];
  });
}

function unknownNames<Cluster extends { readonly name: string }>(
  clusters: readonly Cluster[],
  waves: readonly PlannedWave<Cluster>[],
): readonly Issue[] {
  const known = new Set(clusters.map(({ name }) => name));
  return waves.flatMap(({ clusters: listed }, index): Issue[] => {
    if (typeof listed === 'function') return [];
    const issues: Issue[] = [];
    for (const [at, name] of listed.entries()) {
      if (known.has(name)) continue;
      issues.push({ field: `waves[${index}].clusters[${at}]`, message: `there is no cluster ${name}`, mend: 'take it out' });
    }
    return issues;
  });
}
