import type { ClusterEntry } from '../../registry/index.ts';
import type { ClusterSelection } from '../policy/api.ts';
import { propertyRules } from './property-rules.ts';
import { fieldRules, labelRules, nameRules, type SelectionRule } from './rules.ts';
import type { PolicyRejection } from './verdict.ts';

/** Says why a cluster isn't among those that are selected; nothing for one that is. */
export type ClusterMatcher = (cluster: ClusterEntry) => PolicyRejection | undefined;

/**
 * Reads a selection once, for any number of clusters: names, labels, fields and properties, of which all must hold (Karmada's
 * ClusterAffinity, and properties as KubeFleet has them). The first thing that doesn't hold is the reason, in that order.
 *
 * An empty selection takes every cluster. `clusterNames: []` takes none: a list that runs empty must not widen what is selected.
 *
 * @param field where the selection stands, for errors. Default `spec`.
 * @throws ClustersetError `Invalid`, with its field, for a label selector that Kubernetes would refuse, and for a comparison that hasn't
 * exactly one amount to compare with.
 */
export function compileSelection(selection: ClusterSelection, field = 'spec'): ClusterMatcher {
  const rules = selectionRules(selection, field);
  return (cluster) => {
    for (const rule of rules) {
      if (!rule.holds(cluster)) return rule.rejection(cluster);
    }
    return undefined;
  };
}

/** Whether a cluster is among those that are selected: {@link compileSelection} without the reason, which costs more than the answer. */
export function selectionTest(selection: ClusterSelection, field = 'spec'): (cluster: ClusterEntry) => boolean {
  const rules = selectionRules(selection, field);
  return (cluster) => {
    for (const rule of rules) {
      if (!rule.holds(cluster)) return false;
    }
    return true;
  };
}

/** What a selection asks, in the order in which it is asked. */
function selectionRules(selection: ClusterSelection, field: string): readonly SelectionRule[] {
  return [...nameRules(selection), ...labelRules(selection, field), ...fieldRules(selection), ...propertyRules(selection, field)];
}
