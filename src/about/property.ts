import type { z } from 'zod';
import {
  formatFieldPath,
  type Issue,
  isRecord,
  type Pointer,
  shapeError,
  stableStringify,
  unsafeIntegers,
} from '../kube/index.ts';
import { CLUSTER_ID_PROPERTY, CLUSTERSET_PROPERTY, ClusterProperty, clusterProperty, valueOfProperty } from './api.ts';
import { checkPropertyName, checkPropertyValue, noValue } from './check.ts';
import { shortened } from './quote.ts';

/** How a value is written: as it is, as JSON, or as a decimal number. */
export type PropertyEncoding = 'text' | 'json' | 'number';

/** What {@link defineProperty} takes. The schema describes what is written: it changes nothing on the way. */
export interface PropertyDefinition<T> {
  /** Name of the ClusterProperty: a DNS subdomain, best under a domain of yours. */
  readonly name: string;
  readonly schema: z.ZodType<T, T>;
  /** Default `json`. */
  readonly encoding?: PropertyEncoding | undefined;
}

/** What was read: the value, or why there is none. */
export type PropertyReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly property: string; readonly issues: readonly Issue[] };

/** A property with a type. */
export interface DefinedProperty<T> {
  readonly name: string;
  /** What a ClusterProperty says. Never throws; issues hold no long values. */
  read(property: ClusterProperty): PropertyReading<T>;
  /**
   * The ClusterProperty that says it: equal values are written alike.
   *
   * @throws ClustersetError `Invalid` where the schema doesn't allow the value, or no text can hold it.
   */
  write(value: T): ClusterProperty;
}

const VALUE = 'spec.value';

/**
 * A property of your own, read and written through a schema (KEP-2149, additional properties: a fingerprint, a region, what a controller found out).
 *
 * @throws ClustersetError `Invalid` for a name that is reserved, or isn't a name, and for the two that say who the cluster is: `identityOf` reads
 * them, and `claimIdentity` decides what to write.
 */
export function defineProperty<T>({ name, schema, encoding = 'json' }: PropertyDefinition<T>): DefinedProperty<T> {
  const issues = nameIssues(name);
  if (issues.length > 0) throw shapeError(ClusterProperty.kind, { metadata: { name } }, issues);
  return {
    name,
    read: (property) => {
      const text = textOf(property, name);
      const found = text.ok ? decode(text.value, encoding) : text;
      const read = found.ok ? validate(schema, found.value) : found;
      return read.ok ? read : { ...read, property: name };
    },
    write: (value) => {
      const valid = validate(schema, value);
      const text = valid.ok ? encode(valid.value, encoding) : valid;
      const problems = text.ok ? checkPropertyValue(text.value) : text.issues;
      if (text.ok && problems.length === 0) return clusterProperty(name, text.value);
      throw shapeError(ClusterProperty.kind, { metadata: { name } }, problems);
    },
  };
}

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] };

const bad = (message: string, mend: string, field = VALUE): { readonly ok: false; readonly issues: readonly Issue[] } => ({
  ok: false,
  issues: [{ field, message, mend }],
});

const UNSAFE = 'holds an integer beyond 2^53, which a JavaScript number can not';
const AS_TEXT = 'write large integers as text';
const AS_JSON = 'use text, numbers, booleans, null, lists and plain objects';

function nameIssues(name: string): readonly Issue[] {
  if (name !== CLUSTER_ID_PROPERTY && name !== CLUSTERSET_PROPERTY) return checkPropertyName(name);
  const mend = 'use identityOf and claimIdentity';
  return [{ field: 'metadata.name', message: 'says who the cluster is, and has rules of its own', mend }];
}

function textOf(property: ClusterProperty, name: string): Result<string> {
  if (property.metadata.name !== name) return bad('is another property', `read ${name} with this one`, 'metadata.name');
  const value = valueOfProperty(property);
  return value === undefined ? { ok: false, issues: [noValue(name)] } : { ok: true, value };
}

/** As JSON has it: no blanks, no hexadecimal, no Infinity. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function decode(text: string, encoding: PropertyEncoding): Result<unknown> {
  if (encoding === 'text') return { ok: true, value: text };
  if (encoding === 'number') {
    const number = NUMBER.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(number)) return safe(number);
    return bad('is no decimal number', 'write it as in 1.5');
  }
  try {
    return safe(JSON.parse(text));
  } catch {
    return bad('is no JSON', 'write it as in {"region":"eu"}');
  }
}

/** Reading has rounded such integers already, and writing them back would change them. */
function safe(value: unknown): Result<unknown> {
  return shallowly(() => {
    const [unsafe] = unsafeIntegers(value);
    return unsafe === undefined ? { ok: true, value } : bad(UNSAFE, AS_TEXT, fieldOf(unsafe, value));
  });
}

/** The value itself comes back, unknown fields included. */
function validate<T>(schema: z.ZodType<T, T>, value: unknown): Result<T> {
  return shallowly(() => {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: value as T };
    const issues = result.error.issues.map(({ path, message }) => ({
      field: fieldOf(path.map(String), value),
      message: shortened(message.replace(/^Invalid input: /, ''), LONGEST_TEXT),
      mend: 'write what its schema allows',
    }));
    return { ok: false, issues };
  });
}

function encode(value: unknown, encoding: PropertyEncoding): Result<string> {
  switch (encoding) {
    case 'text':
      if (typeof value !== 'string') return bad('is no text', 'use another encoding: json, or number');
      // An API server would store another character in its place.
      return /\p{Cs}/u.test(value)
        ? bad('holds half a character (a lone surrogate)', 'cut text between characters')
        : { ok: true, value };
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value))
        return bad('is no decimal number', 'use another encoding: json, or text');
      if (!safe(value).ok) return bad(UNSAFE, AS_TEXT);
      return { ok: true, value: Object.is(value, -0) ? '-0' : String(value) };
    case 'json':
      return shallowly(() => {
        const [odd] = notJson(value, []);
        if (odd !== undefined) return bad('can not be written as JSON', AS_JSON, fieldOf(odd, value));
        const kept = safe(value);
        return kept.ok ? { ok: true, value: stableStringify(value) } : kept;
      });
    default:
      return encoding satisfies never;
  }
}

/** Where a value holds what JSON would lose: dates, maps, NaN, functions. Members that are `undefined` count as absent. */
function notJson(value: unknown, path: Pointer): readonly Pointer[] {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return [];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path];
  if (Array.isArray(value)) return Array.from(value, (item, index) => notJson(item, [...path, String(index)])).flat();
  if (!isRecord(value) || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return [path];
  return Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : notJson(member, [...path, name])));
}

/** JSON may be nested deeper than functions that call themselves can follow; so is what holds itself. */
function shallowly<R>(act: () => Result<R>): Result<R> {
  try {
    return act();
  } catch (error) {
    if (error instanceof RangeError) return bad('is nested too deeply', 'use lists and objects that are not as deep');
    throw error;
  }
}

const LONGEST_TEXT = 200;

/** A field within the value, as if the value were a part of the object. */
function fieldOf(path: Pointer, value: unknown): string {
  const within = formatFieldPath(path, value);
  const separator = within === '' || within.startsWith('[') ? '' : '.';
  return shortened(`${VALUE}${separator}${within}`, LONGEST_TEXT);
}
