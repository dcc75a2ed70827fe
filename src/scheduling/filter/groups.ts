import type { ClusterEntry } from '../../registry/index.ts';
import type { PlacementPolicySpec } from '../policy/api.ts';
import { type ClusterMatcher, compileSelection, selectionTest } from './selection.ts';

/** A group of a policy, ready to be asked. */
export interface CompiledGroup {
  readonly name: string;
  /** Its place among the groups of the policy: 0 for the preferred one. */
  readonly tier: number;
  /** Whether a cluster is in it. */
  matches(cluster: ClusterEntry): boolean;
  /** Why a cluster isn't in the group; nothing for one that is. */
  readonly why: ClusterMatcher;
}

/**
 * The groups of a policy in its order. A policy without groups has none, and then every cluster that passes the filters may be used.
 *
 * @throws ClustersetError `Invalid`, as {@link compileSelection} does.
 */
export function compileGroups({ groups }: Pick<PlacementPolicySpec, 'groups'>): readonly CompiledGroup[] {
  return (groups ?? []).map((group, tier) => {
    const field = `spec.groups[${tier}]`;
    return { name: group.name, tier, matches: selectionTest(group, field), why: compileSelection(group, field) };
  });
}

/** The tier of a cluster: that of the first group that it is in; nothing where it is in none. */
export function tierOf(groups: readonly CompiledGroup[], cluster: ClusterEntry): number | undefined {
  for (const group of groups) {
    if (group.matches(cluster)) return group.tier;
  }
  return undefined;
}
