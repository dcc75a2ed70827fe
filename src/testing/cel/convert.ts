import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import { escapeName } from './names.ts';
import { readDate, readSchemaDuration, readTimestamp } from './time.ts';
import { CelFailure, List, MapValue, Struct, type Value } from './values.ts';

const STRING: StructuralSchema = { type: 'string' };
const METADATA: StructuralSchema = { type: 'object', properties: { name: STRING, generateName: STRING } };

/** The properties of an object that rules see, by name. At the root of a resource they see its type and names, whatever its schema says. */
export function visibleProperties(schema: StructuralSchema, isRoot: boolean): ReadonlyMap<string, StructuralSchema> {
  const own = isRecord(schema.properties) ? schema.properties : {};
  const entries = Object.entries(own).filter((entry): entry is [string, StructuralSchema] => isRecord(entry[1]));
  const properties = new Map(entries);
  if (!isRoot) return properties;
  for (const [name, given] of [
    ['apiVersion', STRING],
    ['kind', STRING],
    ['metadata', METADATA],
  ] as const) {
    properties.set(name, given);
  }
  return properties;
}

export const isEmbedded = (schema: StructuralSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

interface Shape {
  readonly properties: ReadonlyMap<string, StructuralSchema>;
  /** Names as rules say them, to names as objects have them. */
  readonly names: ReadonlyMap<string, string>;
}

const shapes = new WeakMap<StructuralSchema, { plain?: Shape; root?: Shape }>();

function shapeOf(schema: StructuralSchema, isRoot: boolean): Shape {
  const known = shapes.get(schema) ?? {};
  shapes.set(schema, known);
  const found = isRoot ? known.root : known.plain;
  if (found !== undefined) return found;
  const properties = visibleProperties(schema, isRoot);
  const names = new Map<string, string>();
  for (const name of properties.keys()) {
    const escaped = escapeName(name);
    if (escaped !== undefined) names.set(escaped, name);
  }
  const shape = { properties, names };
  if (isRoot) known.root = shape;
  else known.plain = shape;
  return shape;
}

/** A value of JSON as its schema means it. */
export function fromJson(value: unknown, schema: StructuralSchema, isRoot = isEmbedded(schema)): Value {
  if (value === null || value === undefined) return null;
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'number' ? BigInt(value) : String(value);
  switch (schema.type) {
    case 'object':
      return objectValue(value, schema, isRoot);
    case 'array':
      return listValue(value, schema);
    case 'string':
      return stringValue(value, schema);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : invalid('int', value);
    case 'number':
      return typeof value === 'number' ? value : invalid('float', value);
    case 'boolean':
      return typeof value === 'boolean' ? value : invalid('bool', value);
    default:
      return new Struct([], () => undefined);
  }
}

function invalid(expected: string, value: unknown): never {
  throw new CelFailure(`invalid data, expected ${expected}, got ${typeof value}`);
}

function objectValue(value: unknown, schema: StructuralSchema, isRoot: boolean): Value {
  if (!isRecord(value)) return invalid('a map', value);
  const { additionalProperties } = schema;
  if (!isRoot && schema.properties === undefined && isRecord(additionalProperties)) {
    const members = additionalProperties as StructuralSchema;
    return new MapValue(Object.entries(value).map(([key, member]) => [key, fromJson(member, members)] as const));
  }
  const { properties, names } = shapeOf(schema, isRoot);
  return new Struct([...names.keys()], (escaped) => {
    const name = names.get(escaped);
    const property = name === undefined ? undefined : properties.get(name);
    if (name === undefined || property === undefined || !Object.hasOwn(value, name)) return undefined;
    // A field that is null is as good as absent.
    if (value[name] === null) return undefined;
    return fromJson(value[name], property);
  });
}

function listValue(value: unknown, schema: StructuralSchema): Value {
  if (!Array.isArray(value)) return invalid('an array', value);
  const items = isRecord(schema.items) ? (schema.items as StructuralSchema) : {};
  const values = value.map((item) => fromJson(item, items));
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return new List(values, 'set');
  if (type !== 'map') return new List(values);
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  return new List(
    values,
    'map',
    keys.map((key) => escapeName(key) ?? key),
  );
}

function stringValue(value: unknown, schema: StructuralSchema): Value {
  if (typeof value !== 'string') return invalid('string', value);
  switch (schema.format) {
    case 'duration':
      return readSchemaDuration(value) ?? failed(`Invalid duration ${value}`);
    case 'date':
      return readDate(value) ?? failed(`Invalid date formatted string ${value}`);
    case 'date-time':
      return readTimestamp(value) ?? failed(`Invalid date-time formatted string ${value}`);
    case 'byte':
      return readBase64(value);
    default:
      return value;
  }
}

function failed(message: string): never {
  throw new CelFailure(message);
}

function readBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return failed(`Invalid byte formatted string ${text}`);
  }
}
