/**
 * The structure of objects, as far as writing to them needs it: which fields there are, and how lists and maps merge. Built-in kinds and
 * custom resources come to the same notation, so that field ownership, pruning and patches are written once.
 */
export type Schema = StructSchema | MapSchema | ListSchema | ScalarSchema | AnySchema;

interface SchemaBase {
  /** The value that a missing field gets. */
  readonly default?: unknown;
  readonly nullable?: boolean;
  /** A struct that is there even when nothing of it is set. */
  readonly zero?: boolean;
  /** How a strategic merge patch treats the field. */
  readonly patch?: { readonly merge: boolean; readonly mergeKey?: string; readonly retainKeys: boolean };
}

/** An object with known fields. */
export interface StructSchema extends SchemaBase {
  readonly type: 'struct';
  /** What the server's code calls it, with its package, for messages: `v1.ConfigMap`. */
  readonly goName?: string;
  field(name: string): Schema | undefined;
  readonly names: readonly string[];
  readonly required: ReadonlySet<string>;
  /** Lists that are written as null where there are none, though they needn't be given. */
  readonly written?: readonly string[];
  /** Whether it is owned and replaced as a whole. */
  readonly atomic: boolean;
  /** Whether fields that aren't known are kept. */
  readonly preserve: boolean;
}

/** An object with any keys. */
export interface MapSchema extends SchemaBase {
  readonly type: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
}

/** A list. */
export interface ListSchema extends SchemaBase {
  readonly type: 'list';
  readonly items: Schema;
  readonly list: 'atomic' | 'set' | 'map';
  /** The fields that name an element of a `map` list. */
  readonly keys: readonly string[];
}

/** A value without parts. */
export interface ScalarSchema extends SchemaBase {
  readonly type: 'scalar';
  readonly scalar: 'string' | 'integer' | 'number' | 'boolean' | 'quantity' | 'int-or-string' | 'time' | 'bytes';
  readonly enum?: readonly string[];
}

/** Anything: nothing is known of it. */
export interface AnySchema extends SchemaBase {
  readonly type: 'any';
}

/** Nothing is known. */
export const ANY: AnySchema = { type: 'any' };

/** The structure of a field of a struct or of a key of a map. */
export function memberSchema(schema: Schema | undefined, name: string): Schema {
  if (schema?.type === 'struct') return schema.field(name) ?? ANY;
  return schema?.type === 'map' ? schema.values : ANY;
}

/** The structure of the elements of a list. */
export function itemSchema(schema: Schema | undefined): Schema {
  return schema?.type === 'list' ? schema.items : ANY;
}

/** Whether a field is declared, in contrast to the key of a map. */
export function isDeclared(schema: Schema | undefined, name: string): boolean {
  return schema?.type === 'struct' && schema.field(name) !== undefined;
}
