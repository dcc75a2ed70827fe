import { isRecord, type StructuralSchema } from '../../kube/index.ts';
import { copy } from './conform.ts';

/** Fills in the defaults of a CRD's schema, from the outside in: a default may hold objects that have defaults themselves. */
export function withDefaults(value: unknown, schema: StructuralSchema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isRecord(items) ? value.map((item) => withDefaults(item, items)) : value;
  }
  if (!isRecord(value)) return value;
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const below = memberOf(schema, properties, name);
    // A null that may not be null is none, and makes place for a default.
    if (member === null && below !== undefined && below.nullable !== true) continue;
    result[name] = below === undefined ? member : withDefaults(member, below);
  }
  for (const [name, property] of Object.entries(properties)) {
    if (isRecord(property) && property.default !== undefined && result[name] === undefined) {
      result[name] = withDefaults(copy(property.default), property);
    }
  }
  return result;
}

function memberOf(
  schema: StructuralSchema,
  properties: Readonly<Record<string, unknown>>,
  name: string,
): StructuralSchema | undefined {
  const property = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
  return isRecord(property) ? property : undefined;
}
