import { isRecord, type LabelOperator, type LabelRequirement, matchesLabels } from '../../kube/index.ts';
import { listOf, type Members, membersOf, textOf } from './json.ts';
import type { Report } from './problem.ts';

/** Nodes by labels and name; all of what is said must hold (API: core/v1 NodeSelectorTerm). One that says nothing is for no node. */
export interface NodeTerm {
  readonly matchExpressions?: readonly NodeRequirement[];
  /** Only `metadata.name`, with `In` or `NotIn` and one value. */
  readonly matchFields?: readonly NodeRequirement[];
}

/** A requirement on a label or a field of nodes (API: core/v1 NodeSelectorRequirement): In, NotIn, Exists, DoesNotExist, Gt or Lt. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** What is known of a node, or of nodes that are alike. */
export interface NodeIdentity {
  /** Of nodes that are alike none. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The labels that are known; without it all are. */
  readonly known?: ReadonlySet<string>;
}

/** Says whether a node is one of those that are looked for. */
export type NodeSelection = (node: NodeIdentity) => boolean;

interface Term {
  readonly labels: readonly LabelRequirement[];
  readonly names: readonly { readonly name: string; readonly is: boolean }[];
}

/** The required node affinity of a pod; nothing where it has none. */
export function nodeTermsOf(spec: unknown): readonly NodeTerm[] | undefined {
  const affinity = membersOf(membersOf(spec, 'affinity'), 'nodeAffinity');
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (!isRecord(required)) return undefined;
  return listOf(required, 'nodeSelectorTerms').map((term) => ({
    matchExpressions: listOf(term, 'matchExpressions').map(requirementOf),
    matchFields: listOf(term, 'matchFields').map(requirementOf),
  }));
}

function requirementOf(value: unknown): NodeRequirement {
  const values = listOf(value, 'values').filter((each): each is string => typeof each === 'string');
  return { key: textOf(value, 'key') ?? '', operator: textOf(value, 'operator') ?? '', values };
}

/**
 * The nodes that a node selector and a node affinity leave. Of the terms of the affinity one must hold; a term that says nothing, or makes no
 * sense, holds for no node. A label that isn't known of a node is never the right one, whatever is asked.
 */
export function nodeSelection(selector: Members, terms: readonly NodeTerm[] | undefined, report: Report): NodeSelection {
  const labels = Object.keys(selector).map((key): LabelRequirement => ({ key, operator: 'In', values: [String(selector[key])] }));
  const own: Term = { labels, names: [] };
  const any = terms?.flatMap((term, index) => compile(term, index, report));
  return (node) => holds(own, node) && (any === undefined || any.some((term) => holds(term, node)));
}

function holds({ labels, names }: Term, node: NodeIdentity): boolean {
  const { known } = node;
  if (known !== undefined && labels.some(({ key }) => !known.has(key))) return false;
  return (
    matchesLabels(labels, node.labels) && names.every(({ name, is }) => node.name !== undefined && (node.name === name) === is)
  );
}

function compile({ matchExpressions = [], matchFields = [] }: NodeTerm, index: number, report: Report): readonly Term[] {
  if (matchExpressions.length + matchFields.length === 0) return [];
  const at = `nodeAffinity[${index}]`;
  const labels = matchExpressions.map((each, place) => checked(each, `${at}.matchExpressions[${place}]`, report));
  const names = matchFields.map((each, place) => nameOf(each, `${at}.matchFields[${place}]`, report));
  const isSound = labels.every((each) => each !== undefined) && names.every((each) => each !== undefined);
  return isSound ? [{ labels, names }] : [];
}

const OPERATORS: readonly LabelOperator[] = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];

function checked(requirement: NodeRequirement, at: string, report: Report): LabelRequirement | undefined {
  const { key, values = [] } = requirement;
  const operator = OPERATORS.find((each) => each === requirement.operator);
  const problem =
    operator === undefined ? 'the operator is none of In, NotIn, Exists, DoesNotExist, Gt and Lt' : wrong(operator, values);
  if (operator !== undefined && problem === undefined) return { key, operator, values };
  report(at, problem ?? '');
  return undefined;
}

function wrong(operator: LabelOperator, values: readonly string[]): string | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? undefined : `${operator} needs values`;
    case 'Gt':
    case 'Lt':
      return values.length === 1 && /^[+-]?[0-9]{1,18}$/.test(values[0] ?? '') ? undefined : `${operator} needs one whole number`;
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? undefined : `${operator} takes no values`;
    default:
      return operator satisfies never;
  }
}

function nameOf({ key, operator, values = [] }: NodeRequirement, at: string, report: Report): Term['names'][number] | undefined {
  const [name] = values;
  const isSound = key === 'metadata.name' && (operator === 'In' || operator === 'NotIn') && values.length === 1;
  if (isSound && name !== undefined) return { name, is: operator === 'In' };
  report(at, 'must be metadata.name In or NotIn one value');
  return undefined;
}
