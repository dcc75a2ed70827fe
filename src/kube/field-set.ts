import type { FieldsV1 } from './object.ts';
import { compareText, isRecord } from './object.ts';

/**
 * A set of fields of an object, as managed fields describe it. Keys are path elements in the notation of structured-merge-diff:
 * `f:name` for a field, `k:{"name":"web"}` for the element of a list with keys, `v:"x"` for an element of a set, `i:0` for an index.
 * A node that is a `member` stands for the field itself; its children are fields below it.
 */
export type FieldSet = ReadonlyMap<string, FieldNode>;

/** One field of a {@link FieldSet}. */
export interface FieldNode {
  readonly member: boolean;
  readonly children: FieldSet;
}

/** The set without fields. */
export const NO_FIELDS: FieldSet = new Map();

const LEAF: FieldNode = { member: true, children: NO_FIELDS };

/** Reads the `fieldsV1` of a managed fields entry. */
export function parseFieldsV1(fields: FieldsV1 | undefined): FieldSet {
  const set = new Map<string, FieldNode>();
  for (const [element, below] of Object.entries(fields ?? {})) {
    if (element === '.' || !isRecord(below)) continue;
    const children = parseFieldsV1(below as FieldsV1);
    set.set(canonicalElement(element), { member: children.size === 0 || Object.hasOwn(below, '.'), children });
  }
  return set;
}

/** Writes `fieldsV1`; equal sets give equal objects, with elements in order. */
export function toFieldsV1(set: FieldSet): FieldsV1 {
  const elements = [...set].toSorted(([a], [b]) => compareText(a, b));
  return Object.fromEntries(
    elements.map(([element, node]) => {
      const self: FieldsV1 = node.member && node.children.size > 0 ? { '.': {} } : {};
      return [element, { ...self, ...toFieldsV1(node.children) }];
    }),
  );
}

/** `k:{…}` with its keys sorted, so that equal elements are equal text. */
function canonicalElement(element: string): string {
  if (!element.startsWith('k:')) return element;
  try {
    return keyElement(JSON.parse(element.slice(2)) as Readonly<Record<string, unknown>>);
  } catch {
    return element;
  }
}

/** The path element of an element of a list with keys. */
export function keyElement(keys: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(keys).toSorted(([a], [b]) => compareText(a, b));
  return `k:${JSON.stringify(Object.fromEntries(sorted))}`;
}

/** The path element of a field. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** The path element of an element of a set. */
export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** All fields of both. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const result = new Map(a);
  for (const [element, node] of b) {
    const other = a.get(element);
    const merged =
      other === undefined ? node : { member: other.member || node.member, children: union(other.children, node.children) };
    result.set(element, merged);
  }
  return result;
}

/** The fields of `a` that aren't in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  return combine(a, (node, other) => ({
    member: node.member && !(other?.member ?? false),
    children: difference(node.children, other?.children ?? NO_FIELDS),
  }))(b);
}

/** The fields of `a` that are neither in `b` nor below a field of `b`. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  return combine(a, (node, other) =>
    other?.member
      ? { member: false, children: NO_FIELDS }
      : { member: node.member, children: differenceBelow(node.children, other?.children ?? NO_FIELDS) },
  )(b);
}

/** The fields that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, (node, other) => ({
    member: node.member && (other?.member ?? false),
    children: other === undefined ? NO_FIELDS : intersection(node.children, other.children),
  }))(b);
}

type Combine = (node: FieldNode, other: FieldNode | undefined) => FieldNode;

function combine(a: FieldSet, node: Combine): (b: FieldSet) => FieldSet {
  return (b) => {
    const result = new Map<string, FieldNode>();
    for (const [element, own] of a) {
      const combined = node(own, b.get(element));
      if (combined.member || combined.children.size > 0) result.set(element, combined);
    }
    return result;
  };
}

/** Whether two sets have the same fields. */
export function sameFields(a: FieldSet, b: FieldSet): boolean {
  if (a.size !== b.size) return false;
  for (const [element, node] of a) {
    const other = b.get(element);
    if (other === undefined || other.member !== node.member || !sameFields(node.children, other.children)) return false;
  }
  return true;
}

/** The set with one more field. */
export function withField(set: FieldSet, path: readonly string[]): FieldSet {
  const [element, ...rest] = path;
  if (element === undefined) return set;
  const node = set.get(element);
  const children = withField(node?.children ?? NO_FIELDS, rest);
  const next: FieldNode = rest.length === 0 ? { member: true, children } : { member: node?.member ?? false, children };
  return new Map(set).set(element, next.member && children.size === 0 ? LEAF : next);
}

/** Every field of a set, as a path of elements; a field comes before the fields below it. */
export function* fieldPaths(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  for (const [element, node] of set) {
    const path = [...above, element];
    if (node.member) yield path;
    yield* fieldPaths(node.children, path);
  }
}

/** A path of elements as Kubernetes prints it: `.spec.containers[name="web"].image`. */
export function formatElements(path: readonly string[]): string {
  return path.map(formatElement).join('');
}

function formatElement(element: string): string {
  const body = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${body}`;
    case 'k:':
      return `[${Object.entries(JSON.parse(body) as Record<string, unknown>)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    case 'v:':
      return `[=${body}]`;
    default:
      return `[${body}]`;
  }
}
