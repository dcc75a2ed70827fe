import { deepEqual, type FieldNode, type FieldSet, fieldElement, isRecord, NO_FIELDS } from '../../kube/plain/index.ts';
import { ANY, itemSchema, memberSchema, type Schema } from '../schema/schema.ts';
import { elementOf, isLeaf } from './fields.ts';

/** How an object differs from an older one, field by field (structured-merge-diff's Compare). */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Compares two versions of an object. Containers count as added and removed beside the fields in them. */
export function compareFields(before: unknown, after: unknown, schema: Schema): Comparison {
  const side = compare(before, after, schema);
  return {
    added: side.added?.children ?? NO_FIELDS,
    modified: side.modified?.children ?? NO_FIELDS,
    removed: side.removed?.children ?? NO_FIELDS,
  };
}

interface Sides {
  added?: FieldNode;
  modified?: FieldNode;
  removed?: FieldNode;
}

const LEAF: FieldNode = { member: true, children: NO_FIELDS };

/** `undefined` stands for a field that isn't there. */
function compare(before: unknown, after: unknown, schema: Schema): Sides {
  if (before === undefined && after === undefined) return {};
  const shape = after === undefined || after === null ? before : after;
  if (isLeaf(shape, schema) || (isEmpty(before) && isEmpty(after))) return compareLeaf(before, after);
  const sameShape =
    Array.isArray(before) === Array.isArray(after) ||
    before === undefined ||
    after === undefined ||
    before === null ||
    after === null;
  if (!sameShape || isScalar(before) || isScalar(after)) return compareLeaf(before, after);
  const children = childrenOf(before, after, schema);
  return {
    ...sideOf('added', children, before === undefined),
    ...sideOf('modified', children, false),
    ...sideOf('removed', children, after === undefined),
  };
}

function compareLeaf(before: unknown, after: unknown): Sides {
  if (before === undefined) return { added: LEAF };
  if (after === undefined) return { removed: LEAF };
  return deepEqual(before, after) ? {} : { modified: LEAF };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0);
const isScalar = (value: unknown): boolean => value !== undefined && value !== null && typeof value !== 'object';

function childrenOf(before: unknown, after: unknown, schema: Schema): ReadonlyMap<string, Sides> {
  const [old, next] = [partsOf(before, schema), partsOf(after, schema)];
  const children = new Map<string, Sides>();
  for (const element of new Set([...old.keys(), ...next.keys()])) {
    children.set(element, compare(old.get(element), next.get(element), partSchema(schema, element)));
  }
  return children;
}

function partsOf(value: unknown, schema: Schema): ReadonlyMap<string, unknown> {
  if (Array.isArray(value)) {
    return schema.type === 'list' ? new Map(value.map((item) => [elementOf(item, schema), item])) : new Map();
  }
  return isRecord(value) ? new Map(Object.entries(value).map(([name, member]) => [fieldElement(name), member])) : new Map();
}

/** The structure of an element of a value. */
export function partSchema(schema: Schema, element: string): Schema {
  if (element.startsWith('f:')) return memberSchema(schema, element.slice(2));
  return schema.type === 'list' && schema.list === 'map' ? itemSchema(schema) : ANY;
}

function sideOf(side: keyof Sides, children: ReadonlyMap<string, Sides>, member: boolean): Sides {
  const fields = new Map<string, FieldNode>();
  for (const [element, sides] of children) {
    const node = sides[side];
    if (node !== undefined) fields.set(element, node);
  }
  return member || fields.size > 0 ? { [side]: { member, children: fields } } : {};
}
