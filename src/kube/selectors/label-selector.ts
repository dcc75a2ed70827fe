import { ClustersetError } from '../errors.ts';
import { checkLabelKey, checkLabelValue } from '../names.ts';
import { compareText } from '../object.ts';

/** How a requirement compares. The text grammar writes `=`, `==`, `!=`, `in`, `notin`, `>`, `<`, `key` and `!key`. */
export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

/** One condition on one label. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** All of the requirements must hold; an empty list holds for everything. */
export type LabelRequirements = readonly LabelRequirement[];

/** A label selector as objects carry it (API: meta/v1 LabelSelector). Its parts are joined by "and"; `{}` selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | null;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | null }[]
    | null;
}

/** Whether labels meet all requirements. A label that isn't there meets `NotIn` and `DoesNotExist` only. */
export function matchesLabels(requirements: LabelRequirements, labels: Readonly<Record<string, string>> | undefined): boolean {
  for (const requirement of requirements) {
    if (!meets(requirement, labels)) return false;
  }
  return true;
}

function meets({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>> = {}): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compares(value, values[0], (a, b) => a > b);
    case 'Lt':
      return compares(value, values[0], (a, b) => a < b);
    default:
      return operator satisfies never;
  }
}

function compares(value: string | undefined, bound: string | undefined, holds: (a: bigint, b: bigint) => boolean): boolean {
  return isInteger(value) && isInteger(bound) && holds(BigInt(value), BigInt(bound));
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^[+-]?[0-9]{1,18}$/.test(text);
}

/**
 * The requirements of a selector object, sorted by key.
 *
 * @throws ClustersetError `Invalid`, in Kubernetes' words, for an unknown operator, missing or surplus values, or a key or value that is
 * no label.
 */
export function requirementsOf(selector: LabelSelector): LabelRequirements {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    checked({ key, operator: 'In', values: [value] }),
  );
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) =>
    checked({ key, operator: operatorOf(operator), values: values ?? [] }),
  );
  return sorted([...labels, ...expressions]);
}

function operatorOf(operator: string): LabelOperator {
  if (operator === 'In' || operator === 'NotIn' || operator === 'Exists' || operator === 'DoesNotExist') return operator;
  throw invalid(`"${operator}" is not a valid label selector operator`, 'use In, NotIn, Exists or DoesNotExist');
}

/** Sorted by key; equal keys keep their order. */
export function sorted(requirements: readonly LabelRequirement[]): LabelRequirements {
  return requirements.toSorted((a, b) => compareText(a.key, b.key));
}

/** The requirement itself, where Kubernetes would take it. */
export function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  const problems = [
    ...checkLabelKey(key)
      .slice(0, 1)
      .map(() => `key: Invalid value: ${quote(key)}: ${checkLabelKey(key).join('; ')}`),
    ...checkCount(operator, values),
    ...values.flatMap((value, index) => checkValue(key, value, index)),
  ];
  if (problems.length === 0) return requirement;
  const unique = [...new Set(problems)];
  throw invalid(unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`);
}

function checkCount(operator: LabelOperator, values: readonly string[]): string[] {
  const shown = values.length === 0 ? 'null' : JSON.stringify(values);
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? [] : [`values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [`values: Invalid value: ${shown}: values set must be empty for exists and does not exist`];
    case 'Gt':
    case 'Lt':
      return checkBound(values, shown);
    default:
      return operator satisfies never;
  }
}

function checkBound(values: readonly string[], shown: string): string[] {
  const count =
    values.length === 1 ? [] : [`values: Invalid value: ${shown}: for 'Gt', 'Lt' operators, exactly one value is required`];
  const notIntegers = values.flatMap((value, index) =>
    isInteger(value)
      ? []
      : [`values[${index}]: Invalid value: ${quote(value)}: for 'Gt', 'Lt' operators, the value must be an integer`],
  );
  return [...count, ...notIntegers];
}

function checkValue(key: string, value: string, index: number): string[] {
  const problems = checkLabelValue(value);
  return problems.length === 0 ? [] : [`values[${index}][${key}]: Invalid value: ${quote(value)}: ${problems.join('; ')}`];
}

/** Text in double quotes, as Go's `%q` writes it. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** An error of a selector. */
export function invalid(message: string, mend?: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message, mend });
}
