import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, type Issue } from '../../kube/index.ts';
import {
  DECISION_INDEX_LABEL,
  DECISION_KEY_LABEL,
  DECISION_REVISION_LABEL,
  PLACEMENT_KEY_LABEL,
  PlacementDecision,
} from './api.ts';
import { indexOfSlice } from './assemble.ts';

/**
 * Everything that is wrong with one slice of a decision, also what upstream's CRD admits: names that no ClusterProfile can have, a cluster that
 * is listed twice, labels that readers can't group or order slices by. Nothing for a good one; never throws.
 */
export function checkPlacementDecision(value: unknown): readonly Issue[] {
  const shape = PlacementDecision.shapeIssues(value);
  if (shape.length > 0) return shape;
  const slice = value as PlacementDecision;
  return [...metadataIssues(slice), ...labelIssues(slice), ...clusterIssues(slice)];
}

function metadataIssues({ metadata: { name, namespace } }: PlacementDecision): readonly Issue[] {
  const inNamespace =
    typeof namespace === 'string' && namespace !== ''
      ? checkDnsLabel(namespace)
      : ['is missing: clusters without a namespace of their own are in that of the decision'];
  return [
    ...checkDnsSubdomain(name).map((message) => ({ field: 'metadata.name', message })),
    ...inNamespace.map((message) => ({ field: 'metadata.namespace', message })),
  ];
}

function labelIssues(slice: PlacementDecision): readonly Issue[] {
  const labels = slice.metadata.labels ?? {};
  const field = (label: string): string => `metadata.labels[${label}]`;
  const values = [DECISION_KEY_LABEL, PLACEMENT_KEY_LABEL, DECISION_REVISION_LABEL].flatMap((label): Issue[] => {
    const value: unknown = labels[label];
    if (value === undefined) return [];
    if (typeof value !== 'string') return [{ field: field(label), message: 'must be text', mend: 'put it in quotes' }];
    return checkLabelValue(value).map((problem) => ({ field: field(label), message: problem }));
  });
  if (labels[DECISION_INDEX_LABEL] === undefined) return values;
  const index = indexOfSlice(slice);
  if (index === undefined) {
    const message = `${JSON.stringify(labels[DECISION_INDEX_LABEL])} is no place of a slice`;
    return [...values, { field: field(DECISION_INDEX_LABEL), message, mend: 'write "0" for the first slice, "1" for the next' }];
  }
  if (index === 0 || labels[DECISION_KEY_LABEL] !== undefined) return values;
  const message = 'is needed where there are several slices (KEP-5313)';
  return [...values, { field: field(DECISION_KEY_LABEL), message, mend: 'give all slices of the decision the same value' }];
}

function clusterIssues({ metadata, decisions }: PlacementDecision): readonly Issue[] {
  const first = new Map<string, number>();
  return decisions.flatMap(({ clusterProfileRef: { name, namespace = '' } }, index): Issue[] => {
    const field = `decisions[${index}].clusterProfileRef`;
    const key = `${namespace === '' ? (metadata.namespace ?? '') : namespace}/${name}`;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, index);
    return [
      ...checkDnsSubdomain(name).map((message) => ({ field: `${field}.name`, message })),
      ...(namespace === '' ? [] : checkDnsLabel(namespace)).map((message) => ({ field: `${field}.namespace`, message })),
      ...(earlier === undefined
        ? []
        : [{ field, message: `is also listed as decisions[${earlier}]`, mend: 'list a cluster once' }]),
    ];
  });
}
