import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkLabelValue, compareText } from '../../kube/plain/index.ts';
import { type FieldProblem, forbiddenField, invalidValue, required } from '../api/failures.ts';
import { type Fields, listOf, part, textOf, textsOf } from './kind.ts';

export type Problems = readonly FieldProblem[];

export const NONE: Problems = [];
export const IMMUTABLE = 'field is immutable';

/** `when` a condition holds, these problems. */
export const when = (holds: boolean, ...problems: Problems): Problems => (holds ? problems : NONE);

/** The problems that messages tell of a value. */
export const invalidBy = (field: string, value: unknown, messages: readonly string[]): Problems =>
  messages.map((message) => invalidValue(field, value, message));

export const unsupported = (field: string, value: unknown, options: readonly string[]): FieldProblem => ({
  type: 'NotSupported',
  field,
  body: `Unsupported value: ${JSON.stringify(value ?? null)}: supported values: ${options.map((option) => JSON.stringify(option)).join(', ')}`,
});

export const duplicate = (field: string, value: unknown, detail = ''): FieldProblem => ({
  type: 'Duplicate',
  field,
  body: `Duplicate value: ${JSON.stringify(value)}${detail === '' ? '' : `: ${detail}`}`,
});

/** A value must be one of a few; it may be missing. */
export function oneOf(field: string, value: unknown, options: readonly string[]): Problems {
  return when(value !== undefined && !options.includes(String(value)), unsupported(field, value, options));
}

/** Numbers that must not be negative. Missing ones are fine. */
export function notNegative(path: string, fields: Fields, ...names: readonly string[]): Problems {
  return names.flatMap((name) => atLeast(`${path}.${name}`, fields[name], 0));
}

export function atLeast(field: string, value: unknown, least: number): Problems {
  const detail = `must be greater than or equal to ${least}`;
  return when(typeof value === 'number' && value < least, invalidValue(field, value, detail));
}

const HIGHEST_PORT = 65_535;

export function portNumber(field: string, value: unknown): Problems {
  const isPort = typeof value === 'number' && value >= 1 && value <= HIGHEST_PORT;
  return when(!isPort, invalidValue(field, value ?? 0, `must be between 1 and ${HIGHEST_PORT}, inclusive`));
}

const LONGEST_PORT_NAME = 15;

/** What is wrong with the name of a port (RFC 6335, as Kubernetes reads it). */
export function checkPortName(name: string): readonly string[] {
  const messages: readonly (readonly [wrong: boolean, message: string])[] = [
    [name.length > LONGEST_PORT_NAME, `must be no more than ${LONGEST_PORT_NAME} characters`],
    [!/^[-a-z0-9]+$/.test(name), 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'],
    [!/[a-z]/.test(name), 'must contain at least one letter (a-z)'],
    [name.includes('--'), 'must not contain consecutive hyphens'],
    [/^-|-$/.test(name), 'must not begin or end with a hyphen'],
  ];
  return messages.filter(([wrong]) => wrong).map(([, message]) => message);
}

/** A port as a number or a name. */
export function portOrName(field: string, value: unknown): Problems {
  return typeof value === 'string' ? invalidBy(field, value, checkPortName(value)) : portNumber(field, value);
}

export const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];

const PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A count, or a percentage. */
export function countOrPercent(field: string, value: unknown): Problems {
  if (typeof value === 'string') return when(!/^[0-9]+%$/.test(value), invalidValue(field, value, PERCENT));
  return atLeast(field, value, 0);
}

export function atMostAll(field: string, value: unknown): Problems {
  const isMore = typeof value === 'string' && /^[0-9]+%$/.test(value) && Number(value.slice(0, -1)) > 100;
  return when(isMore, invalidValue(field, value, 'must not be greater than 100%'));
}

export const dnsLabel = (field: string, value: string): Problems => invalidBy(field, value, checkDnsLabel(value));
export const dnsSubdomain = (field: string, value: string): Problems => invalidBy(field, value, checkDnsSubdomain(value));

/** Labels to select by. */
export function labels(field: string, values: Fields): Problems {
  return Object.entries(values)
    .toSorted(([a], [b]) => compareText(a, b))
    .flatMap(([key, value]) => [
      ...invalidBy(field, key, checkLabelKey(key)),
      ...invalidBy(field, value, checkLabelValue(String(value))),
    ]);
}

/** A label selector. */
export function labelSelector(path: string, selector: Fields): Problems {
  return [
    ...labels(`${path}.matchLabels`, part(selector, 'matchLabels')),
    ...listOf(selector, 'matchExpressions').flatMap((expression, index) =>
      requirement(`${path}.matchExpressions[${index}]`, expression),
    ),
  ];
}

function requirement(path: string, expression: Fields): Problems {
  const operator = textOf(expression, 'operator');
  const key = textOf(expression, 'key');
  return [
    ...operatorProblems(path, operator, textsOf(expression, 'values')),
    ...invalidBy(`${path}.key`, key, checkLabelKey(key)),
  ];
}

function operatorProblems(path: string, operator: string, values: readonly string[]): Problems {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return when(values.length === 0, required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    case 'Exists':
    case 'DoesNotExist': {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return when(values.length > 0, forbiddenField(`${path}.values`, detail));
    }
    default:
      return [invalidValue(`${path}.operator`, operator, 'not a valid selector operator')];
  }
}

const IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

export function isIPv4(text: string): boolean {
  return /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text) && text.split('.').every((byte) => Number(byte) < 256);
}

export function isIPv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':') || text.split('::').length > 2) return false;
  const groups = text.split(':').filter((group) => group !== '');
  const isMixed = groups.at(-1)?.includes('.') === true;
  const words = isMixed ? groups.slice(0, -1) : groups;
  const count = words.length + (isMixed ? 2 : 0);
  const isWhole = text.includes('::') ? count < 8 : count === 8;
  return isWhole && words.every((word) => /^[0-9a-f]{1,4}$/i.test(word)) && (!isMixed || isIPv4(groups.at(-1) ?? ''));
}

export function address(field: string, value: string): Problems {
  return when(!isIPv4(value) && !isIPv6(value), invalidValue(field, value, IP));
}

/** The items of a list that stand there for a second time, as problems of their field. */
export function duplicates(path: string, items: readonly Fields[], field: string): readonly Problems[] {
  const seen = new Set<unknown>();
  return items.map((item, index) => {
    const value = item[field] ?? '';
    const isKnown = seen.has(value);
    seen.add(value);
    return when(isKnown, duplicate(`${path}[${index}].${field}`, value));
  });
}
