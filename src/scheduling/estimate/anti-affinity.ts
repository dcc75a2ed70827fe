import { isRecord, type LabelRequirements, type LabelSelector, matchesLabels, requirementsOf } from '../../kube/index.ts';
import { listOf, type Members, membersOf, textOf } from './json.ts';
import type { Report } from './problem.ts';

/** Pods that a pod must not be near to (API: core/v1 PodAffinityTerm under requiredDuringSchedulingIgnoredDuringExecution). */
export interface AntiAffinityTerm {
  /** Near is where nodes have the same value of this label. */
  readonly topologyKey: string;
  /** Without it no pod is meant. */
  readonly labelSelector?: LabelSelector;
  /** Default: the namespace of the pod. */
  readonly namespaces?: readonly string[] | 'All';
}

/** A pod, as far as others may not be near to it. */
export interface Neighbour {
  /** Where it isn't known, it may be any. */
  readonly namespace?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly avoids: readonly Avoidance[];
}

/** A term, ready to be asked. */
export interface Avoidance {
  readonly topologyKey: string;
  readonly requirements: LabelRequirements;
  readonly namespaces: readonly string[] | 'All' | undefined;
}

/** Values of labels by label: nodes with one of them are taken. */
export type TakenTopologies = Map<string, Set<string>>;

/**
 * The required pod anti-affinity of a pod with these labels. Which namespaces a selector of namespaces means isn't known, so it counts as all.
 * `matchLabelKeys` and `mismatchLabelKeys` (KEP-3633) become part of the selector, as API servers make them when a pod is created.
 */
export function antiAffinityOf(spec: unknown, labels: Readonly<Record<string, string>> = {}): readonly AntiAffinityTerm[] {
  const affinity = membersOf(membersOf(spec, 'affinity'), 'podAntiAffinity');
  return listOf(affinity, 'requiredDuringSchedulingIgnoredDuringExecution').flatMap((term): AntiAffinityTerm[] => {
    const topologyKey = textOf(term, 'topologyKey');
    if (!isRecord(term) || topologyKey === undefined) return [];
    const names = listOf(term, 'namespaces').filter((each): each is string => typeof each === 'string');
    const namespaces = isRecord(term.namespaceSelector) ? ('All' as const) : names;
    return [
      {
        topologyKey,
        ...(isRecord(term.labelSelector) ? { labelSelector: selectorOf(term.labelSelector, ownValues(term, labels)) } : {}),
        ...(namespaces.length === 0 ? {} : { namespaces }),
      },
    ];
  });
}

type Expressions = NonNullable<LabelSelector['matchExpressions']>;

/** What keys without values stand for: the pod's own values. A label that it doesn't have doesn't count. */
function ownValues(term: Members, labels: Readonly<Record<string, string>>): Expressions {
  const lists = { In: listOf(term, 'matchLabelKeys'), NotIn: listOf(term, 'mismatchLabelKeys') };
  return Object.entries(lists).flatMap(([operator, keys]) =>
    keys.flatMap((key) =>
      typeof key === 'string' && Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key] ?? ''] }] : [],
    ),
  );
}

/** What isn't as it should be in a selector stays, for `requirementsOf` to complain about. */
function selectorOf(value: Members, more: Expressions): LabelSelector {
  const expressions = listOf(value, 'matchExpressions').map((each) => ({
    key: textOf(each, 'key') ?? '',
    operator: textOf(each, 'operator') ?? '',
    values: listOf(each, 'values').map(String),
  }));
  const labels = Object.entries(membersOf(value, 'matchLabels')).map(([key, label]) => [key, String(label)] as const);
  return { matchLabels: Object.fromEntries(labels), matchExpressions: [...expressions, ...more] };
}

/** Terms that are ready to be asked; one with a selector that makes no sense is reported and left out. */
export function avoidancesOf(terms: readonly AntiAffinityTerm[], report: Report): readonly Avoidance[] {
  return terms.flatMap(({ topologyKey, labelSelector, namespaces }, index): Avoidance[] => {
    if (labelSelector === undefined) return [];
    try {
      return [{ topologyKey, requirements: requirementsOf(labelSelector), namespaces }];
    } catch (error) {
      report(`antiAffinity[${index}].labelSelector`, (error as Error).message);
      return [];
    }
  });
}

/** The terms of one pod that mean the other. */
function against(one: Neighbour, other: Neighbour): readonly Avoidance[] {
  return one.avoids.filter(
    ({ requirements, namespaces }) =>
      isIn(other.namespace, namespaces, one.namespace) && matchesLabels(requirements, other.labels),
  );
}

function isIn(namespace: string | undefined, namespaces: Avoidance['namespaces'], own: string | undefined): boolean {
  if (namespace === undefined || namespaces === 'All') return true;
  return namespaces === undefined ? own === undefined || own === namespace : namespaces.includes(namespace);
}

/** Takes the topologies that a pod on a node keeps another pod away from: what one of the two doesn't want, neither gets. */
export function take(taken: TakenTopologies, pod: Neighbour, on: Readonly<Record<string, string>>, other: Neighbour): void {
  if (pod.avoids.length === 0 && other.avoids.length === 0) return;
  for (const { topologyKey } of [...against(other, pod), ...against(pod, other)]) {
    // A node without the label is near to nothing (kube-scheduler, InterPodAffinity).
    const value = Object.hasOwn(on, topologyKey) ? on[topologyKey] : undefined;
    if (value === undefined) continue;
    const values = taken.get(topologyKey) ?? new Set<string>();
    taken.set(topologyKey, values.add(value));
  }
}

/** Whether a node is in a topology that is taken. */
export function isTaken(taken: TakenTopologies, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, values] of taken) {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value !== undefined && values.has(value)) return true;
  }
  return false;
}

/** The labels of nodes within whose values there can be one pod of this kind only. */
export function ownTopologies(pod: Neighbour): readonly string[] {
  return [...new Set(against(pod, pod).map(({ topologyKey }) => topologyKey))];
}
