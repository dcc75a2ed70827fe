import { compareText } from '../../../kube/plain/index.ts';
import { at, count, type Fields, list, text, texts } from './fields.ts';

/** Labels as `kubectl` writes them: `a=1,b=2`. */
export function labelsText(labels: Fields): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return parts.length === 0 ? '<none>' : parts.toSorted(compareText).join(',');
}

const OPERATORS: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** A label selector in one line, its requirements in the order of their keys. */
export function selectorText(selector: unknown): string {
  const fields = at({ selector }, 'selector');
  const equal = Object.entries(at(fields, 'matchLabels')).map(([key, value]) => [key, `${key}=${String(value)}`] as const);
  const others = list(fields.matchExpressions).map((expression) => {
    const key = text(expression.key);
    const values = texts(expression.values).toSorted(compareText).join(',');
    return [key, OPERATORS[text(expression.operator)]?.(key, values) ?? ''] as const;
  });
  const all = [...equal, ...others].toSorted(([a], [b]) => compareText(a, b));
  return all.map(([, shown]) => shown).join(',');
}

/** The same, where an empty selector is named. */
export function selectorOrNone(selector: unknown): string {
  const fields = at({ selector }, 'selector');
  const isEmpty = count(fields.matchLabels) + list(fields.matchExpressions).length === 0;
  return isEmpty ? '<none>' : selectorText(selector);
}
