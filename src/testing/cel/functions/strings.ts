import { durationText, timestampText } from '../time.ts';
import { CelFailure, compare, Duration, List, MapValue, noOverload, Timestamp, typeName, Uint, type Value } from '../values.ts';
import { type CelFunction, define, known, text, whole } from './function.ts';
import { findAll, matcher } from './regex.ts';

const letters = (value: string): readonly string[] => [...value];
const strings = (items: readonly string[]): List => new List(items);

function checked(at: number, length: number): number {
  if (at < 0 || at > length) throw new CelFailure(`index out of range: ${at}`);
  return at;
}

/** Where letters stand among others, counted in code points; -1 if nowhere. */
function position(all: readonly string[], part: readonly string[], from: number, step: 1 | -1): bigint {
  for (let at = from; at >= 0 && at + part.length <= all.length; at += step) {
    if (part.every((letter, index) => all[at + index] === letter)) return BigInt(at);
  }
  return -1n;
}

function indexOf(value: Value | undefined, part: Value | undefined, from: Value | undefined): bigint {
  const [all, wanted] = [letters(text(value)), letters(text(part))];
  const start = from === undefined ? 0 : whole(from);
  if (wanted.length === 0) return BigInt(start);
  return position(all, wanted, checked(start, all.length), 1);
}

function lastIndexOf(value: Value | undefined, part: Value | undefined, from: Value | undefined): bigint {
  const [all, wanted] = [letters(text(value)), letters(text(part))];
  const start = from === undefined ? all.length : checked(whole(from), all.length);
  if (wanted.length === 0) return BigInt(start);
  return position(all, wanted, Math.min(start, all.length - wanted.length), -1);
}

const lower = (value: string): string => value.replace(/[A-Z]+/g, (found) => found.toLowerCase());
const upper = (value: string): string => value.replace(/[a-z]+/g, (found) => found.toUpperCase());

function replace(value: string, from: string, to: string, limit: number): string {
  if (limit === 0) return value;
  const parts = from === '' ? ['', ...letters(value), ''] : value.split(from);
  const count = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  return (
    parts.slice(0, count + 1).join(to) +
    parts
      .slice(count + 1)
      .map((part) => from + part)
      .join('')
  );
}

function split(value: string, by: string, limit: number): readonly string[] {
  if (limit === 0) return [];
  const parts = by === '' ? letters(value) : value.split(by);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(by)];
}

function substring(value: string, from: number, to: number | undefined): string {
  const all = letters(value);
  const end = to ?? all.length;
  if (to !== undefined && from > to) throw new CelFailure(`invalid substring range. start: ${from}, end: ${to}`);
  return all.slice(checked(from, all.length), checked(end, all.length)).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};
const quote = (value: string): string =>
  `"${letters(value)
    .map((letter) => ESCAPES[letter] ?? letter)
    .join('')}"`;

/** A value as `%s` shows it. */
function plain(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof List) return `[${value.items.map(plain).join(', ')}]`;
  if (value instanceof MapValue) {
    const entries = value.entries().toSorted(([a], [b]) => compare(a, b));
    return `{${entries.map(([key, member]) => `${plain(key)}: ${plain(member)}`).join(', ')}}`;
  }
  if (value === null || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new CelFailure(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeName(value)}`,
  );
}

/** A double as CEL writes it. */
export function doubleText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  const short = String(value);
  return short.includes('e') || Math.abs(value) >= 1e21 ? exponential(short) : short;
}

/** Go writes at least two digits behind the e. */
const exponential = (value: string): string => value.replace(/e([+-])(\d)$/, 'e$10$2');

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `1.5e+3` as cel-go writes it for people: `1.5×10⁰³`. */
function scientific(value: string): string {
  return value.replace(/e([+-])(\d+)$/, (_, sign: string, digits: string) => {
    const raised = [...digits.padStart(2, '0')].map((digit) => RAISED.charAt(Number(digit))).join('');
    return `×10${sign === '-' ? '⁻' : ''}${raised}`;
  });
}

/** Thousands stand apart: `1,234.5`. */
const grouped = (value: string): string => value.replace(/^-?\d+/, (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, ','));

type Clause = (value: Value, precision: number | undefined) => string;

/** What the letters behind a `%` mean. */
const CLAUSES: Readonly<Record<string, Clause>> = {
  s: plain,
  d: (value) => decimal(value) ?? misfit('decimal', 'integers', value),
  f: (value, precision) =>
    typeof value === 'number' ? grouped(value.toFixed(precision ?? 6)) : misfit('fixed-point', 'doubles', value),
  // The precision is read and makes no difference: in cel-go it became a width.
  e: (value) => (typeof value === 'number' ? scientific(value.toExponential(6)) : misfit('scientific', 'doubles', value)),
  b: (value) => (typeof value === 'boolean' ? String(Number(value)) : based(value, 2, 'binary')),
  o: (value) => based(value, 8, 'octal'),
  x: (value) => (typeof value === 'string' ? hex(value) : based(value, 16, 'hex')),
  X: (value) => (typeof value === 'string' ? hex(value) : based(value, 16, 'hex')).toUpperCase(),
};

const decimal = (value: Value): string | undefined => wholeOf(value)?.toString();

function wholeOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof Uint ? value.value : undefined;
}

function formatted(clause: string, precision: number | undefined, value: Value): string {
  const write = Object.hasOwn(CLAUSES, clause) ? CLAUSES[clause] : undefined;
  if (write !== undefined) return write(value, precision);
  throw new CelFailure(`could not parse formatting clause: unrecognized formatting clause "${clause}"`);
}

const hex = (value: string): string =>
  Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('');

function based(value: Value, base: number, clause: string): string {
  return wholeOf(value)?.toString(base) ?? misfit(clause, 'integers', value);
}

function misfit(clause: string, wanted: string, value: Value): never {
  throw new CelFailure(`error during formatting: ${clause} clause can only be used on ${wanted}, was given ${typeName(value)}`);
}

/** `%s`, `%d`, `%.2f` and their like, filled in. */
function format(template: string, args: List): string {
  let next = 0;
  return template.replace(
    /%(?:%|(?:\.(\d+))?([a-zA-Z]))/g,
    (found, precision: string | undefined, clause: string | undefined) => {
      if (clause === undefined) return '%';
      const value = args.items[next];
      if (value === undefined) throw new CelFailure(`index ${next} out of range`);
      next += 1;
      return formatted(clause, precision === undefined ? undefined : Number(precision), value) ?? found;
    },
  );
}

function joined(list: Value | undefined, by: string): string {
  if (!(list instanceof List)) throw noOverload();
  return list.items.map((item) => text(item)).join(by);
}

export const STRING_FUNCTIONS: readonly CelFunction[] = [
  known('startsWith', ([value, part]) => text(value).startsWith(text(part))),
  known('endsWith', ([value, part]) => text(value).endsWith(text(part))),
  known('contains', ([value, part]) => text(value).includes(text(part))),
  known('matches', ([value, pattern]) => matcher(text(pattern)).test(text(value))),
  known('lowerAscii', ([value]) => lower(text(value))),
  known('upperAscii', ([value]) => upper(text(value))),
  known('trim', ([value]) => text(value).trim()),
  known('substring', ([value, from, to]) => substring(text(value), whole(from), to === undefined ? undefined : whole(to))),
  known('split', ([value, by, limit]) => strings(split(text(value), text(by), limit === undefined ? -1 : whole(limit)))),
  known('join', ([list, by]) => joined(list, by === undefined ? '' : text(by))),
  define('charAt', ['string.charAt(int): string'], ([value, at]) => {
    const all = letters(text(value));
    return all[checked(whole(at), all.length)] ?? '';
  }),
  define(
    'replace',
    ['string.replace(string, string): string', 'string.replace(string, string, int): string'],
    ([value, from, to, limit]) => replace(text(value), text(from), text(to), limit === undefined ? -1 : whole(limit)),
  ),
  define('format', ['string.format(list<dyn>): string'], ([template, args]) => {
    if (!(args instanceof List)) throw noOverload();
    return format(text(template), args);
  }),
  define('strings.quote', ['StringsNamespace.quote(string): string'], ([value]) => quote(text(value))),
  define('find', ['string.find(string): string'], ([value, pattern]) => matcher(text(pattern)).exec(text(value))?.[0] ?? ''),
  define(
    'findAll',
    ['string.findAll(string): list<string>', 'string.findAll(string, int): list<string>'],
    ([value, pattern, limit]) => strings(findAll(text(value), text(pattern), limit === undefined ? -1 : whole(limit))),
  ),
];

export const textIndexOf = indexOf;
export const textLastIndexOf = lastIndexOf;
