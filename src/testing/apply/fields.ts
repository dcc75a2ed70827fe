import {
  type FieldNode,
  type FieldSet,
  fieldElement,
  isRecord,
  keyElement,
  NO_FIELDS,
  valueElement,
} from '../../kube/plain/index.ts';
import { isDeclared, itemSchema, type ListSchema, memberSchema, type Schema } from '../schema/schema.ts';

/** Whether a value is owned as a whole: it has no parts, or its schema says so, or nothing is known of a list. */
export function isLeaf(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return schema.type !== 'list' || schema.list === 'atomic';
  if (!isRecord(value)) return true;
  return (schema.type === 'struct' || schema.type === 'map') && schema.atomic;
}

/** The fields that a value sets. Fields that a schema declares stand for themselves only where they have no parts. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  if (Array.isArray(value)) return schema.type === 'list' ? elementsOf(value, schema) : NO_FIELDS;
  if (!isRecord(value)) return NO_FIELDS;
  const fields = new Map<string, FieldNode>();
  for (const [name, member] of Object.entries(value)) {
    const node = nodeOf(member, memberSchema(schema, name), isDeclared(schema, name));
    if (node !== undefined) fields.set(fieldElement(name), node);
  }
  return fields;
}

function nodeOf(value: unknown, schema: Schema, declared: boolean): FieldNode | undefined {
  if (isLeaf(value, schema)) return { member: true, children: NO_FIELDS };
  const children = fieldsOf(value, schema);
  const isEmpty = !Array.isArray(value) && Object.keys(value as object).length === 0;
  const member = !declared || isEmpty;
  return member || children.size > 0 ? { member, children } : undefined;
}

function elementsOf(list: readonly unknown[], schema: ListSchema): FieldSet {
  const fields = new Map<string, FieldNode>();
  for (const item of list) {
    fields.set(elementOf(item, schema), {
      member: true,
      children: schema.list === 'map' && !isLeaf(item, schema.items) ? fieldsOf(item, schema.items) : NO_FIELDS,
    });
  }
  return fields;
}

/** How an element of a list with keys, or of a set, is named. Keys that are left out count with their default. */
export function elementOf(item: unknown, schema: ListSchema): string {
  if (schema.list === 'set') return valueElement(item);
  const fields = isRecord(item) ? item : {};
  return keyElement(
    Object.fromEntries(
      schema.keys.flatMap((key) => {
        const value = fields[key] ?? memberSchema(schema.items, key).default;
        return value === undefined ? [] : [[key, value]];
      }),
    ),
  );
}

/** The value without the fields of a set: members go with all that is below them. Of what nothing is left there is a null. */
export function withoutFields(value: unknown, schema: Schema, fields: FieldSet): unknown {
  if (fields.size === 0) return value;
  if (Array.isArray(value)) {
    if (schema.type !== 'list') return value;
    const items = value.flatMap((item) => {
      const node = fields.get(elementOf(item, schema));
      if (node?.member) return [];
      return [node === undefined ? item : withoutFields(item, itemSchema(schema), node.children)];
    });
    return items.length === 0 ? null : items;
  }
  if (!isRecord(value)) return value;
  const members = Object.entries(value).flatMap(([name, member]): readonly (readonly [string, unknown])[] => {
    const node = fields.get(fieldElement(name));
    if (node?.member) return [];
    return [[name, node === undefined ? member : withoutFields(member, memberSchema(schema, name), node.children)]];
  });
  return members.length === 0 ? null : Object.fromEntries(members);
}
