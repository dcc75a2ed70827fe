import {
  compareText,
  isClustersetError,
  type LabelRequirement,
  type LabelRequirements,
  matchesLabels,
  requirementsOf,
} from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import type { ClusterSelection } from '../policy/api.ts';
import { type FilterName, type PolicyRejection, type RejectionReason, remembering } from './verdict.ts';
import { listed, noneOf, oneOf, quoted } from './wording.ts';

/** One thing that is asked of a cluster. Asking costs little; only an answer that somebody reads is put into words. */
export interface SelectionRule {
  readonly filter: FilterName;
  holds(cluster: ClusterEntry): boolean;
  /** Why it doesn't hold. */
  rejection(cluster: ClusterEntry): PolicyRejection;
}

/** A rule on names: it always fails in the same way. */
function nameRule(reason: RejectionReason, message: string, holds: (cluster: ClusterEntry) => boolean): SelectionRule {
  const rejection: PolicyRejection = Object.freeze({ filter: 'Names', reason, message });
  return { filter: 'Names', holds, rejection: () => rejection };
}

/** Values without duplicates, in an order that isn't that of the list. */
export function settled(values: readonly string[] | undefined): readonly string[] {
  return [...new Set(values ?? [])].sort(compareText);
}

/** The names of a selection. A list that is there and empty names no cluster. */
export function nameRules({ clusterNames, exclude }: ClusterSelection): readonly SelectionRule[] {
  const excluded = settled(exclude);
  const out = new Set(excluded);
  return [
    ...(clusterNames === undefined ? [] : [listRule('NotListed', 'clusterNames', clusterNames)]),
    ...(out.size === 0
      ? []
      : [nameRule('Excluded', `the name is in exclude: ${listed(excluded)}`, ({ name }) => !out.has(name))]),
  ];
}

/** Only clusters of a list. */
export function listRule(reason: 'NotListed' | 'NotPicked', field: string, list: readonly string[]): SelectionRule {
  const wanted = settled(list);
  const names = new Set(wanted);
  const message = `the name isn't in ${field}, wanted ${oneOf(wanted)}`;
  return nameRule(reason, message, ({ name }) => names.has(name));
}

/**
 * The labels of a selection.
 *
 * @throws ClustersetError `Invalid` for a selector that Kubernetes would refuse, with its field.
 */
export function labelRules({ labelSelector }: ClusterSelection, field: string): readonly SelectionRule[] {
  if (labelSelector === undefined) return [];
  const requirements = requirementsAt(labelSelector, `${field}.labelSelector`);
  if (requirements.length === 0) return [];
  const single = requirements.map((requirement) => ({ requirements: [requirement], explain: labelExplanation(requirement) }));
  return [
    {
      filter: 'Labels',
      holds: ({ labels }) => matchesLabels(requirements, labels),
      rejection: ({ labels = {} }) => {
        for (const each of single) {
          if (!matchesLabels(each.requirements, labels)) return each.explain(labels);
        }
        throw new Error('a rule that holds has no rejection');
      },
    },
  ];
}

function labelExplanation({
  key,
  operator,
  values,
}: LabelRequirement): (labels: Readonly<Record<string, string>>) => PolicyRejection {
  const wanted = wantedAs(operator, settled(values));
  const rejectionOf = remembering((found) => ({
    filter: 'Labels',
    reason: 'LabelsDoNotMatch',
    message: `label ${quoted(key)} ${foundAs(found)}, wanted ${wanted}`,
  }));
  return (labels) => rejectionOf(Object.hasOwn(labels, key) ? labels[key] : undefined);
}

function requirementsAt(selector: NonNullable<ClusterSelection['labelSelector']>, field: string): LabelRequirements {
  try {
    // Equal keys keep the order that they have in the policy, which must not matter: they are sorted here to the end.
    return requirementsOf(selector).toSorted((a, b) => compareText(orderOf(a), orderOf(b)));
  } catch (error) {
    throw isClustersetError(error) ? error.with({ field }) : error;
  }
}

const orderOf = (requirement: LabelRequirement): string =>
  JSON.stringify([requirement.key, requirement.operator, settled(requirement.values)]);

/** How a message says what a cluster has. */
export function foundAs(value: string | undefined): string {
  return value === undefined ? 'is missing' : `is ${quoted(value)}`;
}

/** How a message says what a requirement on texts wants. */
export function wantedAs(operator: string, values: readonly string[]): string {
  switch (operator) {
    case 'In':
      return oneOf(values);
    case 'NotIn':
      return noneOf(values);
    case 'Exists':
      return 'any value';
    default:
      return 'no value';
  }
}

/** Provider, region and zone, as Karmada's field selectors compare them. */
export function fieldRules({ fields }: ClusterSelection): readonly SelectionRule[] {
  return inOrder((fields ?? []).map(fieldRule));
}

type Ordered = readonly [order: string, rule: SelectionRule];

/** The first rule that fails names the reason, so that their order must not depend on that of the list. */
export function inOrder(rules: readonly Ordered[]): readonly SelectionRule[] {
  return rules.toSorted(([a], [b]) => compareText(a, b)).map(([, rule]) => rule);
}

function fieldRule({ field, operator, values }: NonNullable<ClusterSelection['fields']>[number]): Ordered {
  const wanted = settled(values);
  const set = new Set(wanted);
  const isAmong = (value: string): boolean => set.has(value);
  const isKnown = (cluster: ClusterEntry): boolean => placesOf(cluster, field) !== undefined;
  const isIn = (cluster: ClusterEntry): boolean => {
    const places = placesOf(cluster, field);
    if (places === undefined) return false;
    return typeof places === 'string' ? set.has(places) : places.some(isAmong);
  };
  const tail = wantedAs(operator, wanted);
  const explain = remembering((found) => ({
    filter: 'Fields',
    reason: found === undefined ? 'FieldMissing' : 'FieldDoesNotMatch',
    message: `${field} ${foundPlaces(field, found)}, wanted ${tail}`,
  }));
  const rule: SelectionRule = {
    filter: 'Fields',
    holds: asked(operator, isKnown, isIn),
    rejection: (cluster) => {
      const places = placesOf(cluster, field);
      return explain(typeof places === 'object' ? JSON.stringify(places) : places);
    },
  };
  return [JSON.stringify([field, operator, wanted]), rule];
}

/** What isn't there is in no list, and so meets `NotIn` and `DoesNotExist` only: the rule of label selectors. */
export function asked(
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  isKnown: (cluster: ClusterEntry) => boolean,
  isIn: (cluster: ClusterEntry) => boolean,
): (cluster: ClusterEntry) => boolean {
  switch (operator) {
    case 'In':
      return isIn;
    case 'NotIn':
      return (cluster) => !isIn(cluster);
    case 'Exists':
      return isKnown;
    case 'DoesNotExist':
      return (cluster) => !isKnown(cluster);
    default:
      return operator satisfies never;
  }
}

function placesOf(cluster: ClusterEntry, field: 'provider' | 'region' | 'zone'): string | readonly string[] | undefined {
  if (field === 'zone') return cluster.zones === undefined || cluster.zones.length === 0 ? undefined : cluster.zones;
  const place = cluster[field];
  return place === '' ? undefined : place;
}

/** Zones are a list, which is remembered as JSON. */
function foundPlaces(field: 'provider' | 'region' | 'zone', found: string | undefined): string {
  if (found === undefined || field !== 'zone') return foundAs(found);
  return `is ${listed(settled(JSON.parse(found) as readonly string[]))}`;
}
