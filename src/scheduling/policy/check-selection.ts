import { isClustersetError, type LabelSelector, type Pointer, parseQuantity, requirementsOf } from '../../kube/index.ts';
import type { ClusterSelection, PropertyRequirement } from './api.ts';
import { below, type Finding, repeated, when } from './check-finding.ts';

/** What is wrong with a selection of clusters. */
export function selectionFindings(selection: ClusterSelection): readonly Finding[] {
  const { clusterNames, exclude = [], labelSelector, fields = [], properties = [] } = selection;
  return [
    ...when(clusterNames?.length === 0, ['clusterNames'], 'names no cluster, so that none is left', 'name some, or take it out'),
    ...nameFindings(clusterNames ?? [], ['clusterNames']),
    ...nameFindings(exclude, ['exclude']),
    ...excludedNames(clusterNames ?? [], exclude, ['clusterNames']),
    ...(labelSelector === undefined ? [] : selectorFindings(labelSelector)),
    ...fields.flatMap((each, index) => below(['fields', `${index}`], valueFindings(each.operator, each.values ?? []))),
    ...properties.flatMap((each, index) => below(['properties', `${index}`], propertyFindings(each))),
  ];
}

/** Names of clusters in a list: that of a kubeconfig context will do, so that more is allowed than for a Kubernetes object. */
export function nameFindings(names: readonly string[], at: Pointer): readonly Finding[] {
  const bad = names.flatMap((name, index) =>
    when(
      !isClusterName(name),
      [...at, `${index}`],
      `${JSON.stringify(name)} is no name of a cluster`,
      'use no blanks, commas or control characters',
    ),
  );
  return [...bad, ...repeated(names, at)];
}

/** Whether a fleet can have a cluster of that name. */
export function isClusterName(name: string): boolean {
  return /^[^\s,\p{Cc}]{1,253}$/u.test(name);
}

/** Names that are excluded at the same time. */
export function excludedNames(names: readonly string[], exclude: readonly string[], at: Pointer): readonly Finding[] {
  const excluded = new Set(exclude);
  return names.flatMap((name, index) =>
    when(excluded.has(name), [...at, `${index}`], `"${name}" is excluded as well`, 'take it out of one of the two lists'),
  );
}

function selectorFindings(selector: LabelSelector): readonly Finding[] {
  try {
    requirementsOf(selector);
    return [];
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    return when(true, ['labelSelector'], error.detail, error.mend ?? 'write it as the labelSelector of a Kubernetes object');
  }
}

function valueFindings(operator: string, values: readonly string[]): readonly Finding[] {
  const wantsNone = operator === 'Exists' || operator === 'DoesNotExist';
  return [
    ...when(wantsNone && values.length > 0, ['values'], `${operator} takes no values`, 'take them out, or use In'),
    ...when(!wantsNone && values.length === 0, ['values'], `${operator} needs values`, 'give at least one'),
    ...repeated(values, ['values']),
  ];
}

function propertyFindings({ operator, values = [] }: PropertyRequirement): readonly Finding[] {
  if (operator === 'In' || operator === 'NotIn' || operator === 'Exists' || operator === 'DoesNotExist') {
    return valueFindings(operator, values);
  }
  const [bound] = values;
  if (bound === undefined || values.length > 1) {
    return when(true, ['values'], `${operator} compares with exactly one value, found ${values.length}`, 'give one');
  }
  return quantityFindings(bound);
}

function quantityFindings(text: string): readonly Finding[] {
  try {
    parseQuantity(text);
    return [];
  } catch (error) {
    if (!isClustersetError(error)) throw error;
    const message = `${JSON.stringify(text)} is no quantity`;
    return when(true, ['values', '0'], message, 'write a number as in 4, 500m or 16Gi; for texts use In and NotIn');
  }
}
