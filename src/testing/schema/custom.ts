import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import { ANY, type Schema, type StructSchema } from './schema.ts';

/** The structure that a CRD's schema describes. Lists are atomic and maps granular where it says nothing else. */
export function customSchema(schema: StructuralSchema, metadata: Schema): StructSchema {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...properties } = (schema.properties ?? {}) as Properties;
  const root = struct({ ...schema, properties });
  return {
    ...root,
    names: ['apiVersion', 'kind', 'metadata', ...root.names],
    field: (name) => {
      if (name === 'metadata') return metadata;
      return name === 'apiVersion' || name === 'kind' ? { type: 'scalar', scalar: 'string' } : root.field(name);
    },
  };
}

type Properties = Readonly<Record<string, StructuralSchema>>;

function read(schema: StructuralSchema): Schema {
  const shared = {
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema.nullable === true ? { nullable: true } : {}),
  };
  if (schema['x-kubernetes-int-or-string'] === true) return { type: 'scalar', scalar: 'int-or-string', ...shared };
  switch (schema.type) {
    case 'object':
      return { ...object(schema), ...shared };
    case 'array':
      return { ...list(schema), ...shared };
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: 'scalar', scalar: schema.type, ...shared };
    default:
      return { ...ANY, ...shared };
  }
}

function object(schema: StructuralSchema): Schema {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  if (isRecord(schema.additionalProperties)) return { type: 'map', values: read(schema.additionalProperties), atomic };
  if (schema.additionalProperties === true) return { type: 'map', values: ANY, atomic };
  const isFree = schema.properties === undefined && schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isFree && !atomic ? ANY : struct(schema);
}

function struct(schema: StructuralSchema): StructSchema {
  const properties = (schema.properties ?? {}) as Properties;
  const read1 = new Map<string, Schema>();
  return {
    type: 'struct',
    names: Object.keys(properties),
    required: new Set(Array.isArray(schema.required) ? (schema.required as string[]) : []),
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    preserve: schema['x-kubernetes-preserve-unknown-fields'] === true,
    field(name) {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property === undefined) return undefined;
      const known = read1.get(name) ?? read(property);
      read1.set(name, known);
      return known;
    },
  };
}

function list(schema: StructuralSchema): Schema {
  const items = isRecord(schema.items) ? read(schema.items) : ANY;
  const keys = schema['x-kubernetes-list-map-keys'];
  switch (schema['x-kubernetes-list-type']) {
    case 'map':
      return { type: 'list', list: 'map', keys: Array.isArray(keys) ? (keys as string[]) : [], items };
    case 'set':
      return { type: 'list', list: 'set', keys: [], items };
    default:
      return { type: 'list', list: 'atomic', keys: [], items };
  }
}
