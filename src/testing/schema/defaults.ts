import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import { copy } from './conform.ts';

/**
 * Fills in the defaults of a CRD's schema, from the outside in: a default may hold objects that have defaults themselves. `keepsNulls` where a
 * null stays for which there is no default, though it mayn't be there.
 */
export function withDefaults(value: unknown, schema: StructuralSchema, keepsNulls = false): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isRecord(items) ? value.map((item) => withDefaults(item, items, keepsNulls)) : value;
  }
  if (!isRecord(value)) return value;
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const below = memberOf(schema, properties, name);
    // A null that may not be null is none, and makes place for a default.
    if (member === null && isNone(below, keepsNulls)) continue;
    result[name] = below === undefined ? member : withDefaults(member, below, keepsNulls);
  }
  for (const [name, property] of Object.entries(properties)) {
    if (isRecord(property) && property.default !== undefined && result[name] === undefined) {
      result[name] = withDefaults(copy(property.default), property, keepsNulls);
    }
  }
  return result;
}

const isNone = (schema: StructuralSchema | undefined, keepsNulls: boolean): boolean =>
  schema !== undefined && schema.nullable !== true && !(keepsNulls && schema.default === undefined);

function memberOf(
  schema: StructuralSchema,
  properties: Readonly<Record<string, unknown>>,
  name: string,
): StructuralSchema | undefined {
  const property = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
  return isRecord(property) ? property : undefined;
}
