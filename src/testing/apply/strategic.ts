import { deepEqual, isRecord } from '../../kube/plain/index.ts';
import { badRequest, crude } from '../api/failures.ts';
import { itemSchema, memberSchema, type Schema } from '../schema/schema.ts';

type Fields = Readonly<Record<string, unknown>>;
type List = readonly unknown[];

const DIRECTIVE = '$patch';
const RETAIN = '$retainKeys';
const ORDER = '$setElementOrder';
const DELETE_FROM = '$deleteFromPrimitiveList';

/**
 * Applies a strategic merge patch, as `kubectl apply` and `kubectl patch` send them for built-in kinds: like a merge patch, but lists with a
 * merge key merge by it, and directives say what to replace, delete, retain and reorder (API: strategic-merge-patch.md).
 *
 * @throws StatusError 400 or 500 where the directives make no sense.
 */
export function applyStrategicPatch(document: unknown, patch: Fields, schema: Schema): unknown {
  return mergeObject(isRecord(document) ? document : {}, patch, schema);
}

function mergeObject(original: Fields, patch: Fields, schema: Schema): Fields {
  if (patch[DIRECTIVE] !== undefined) return directed(patch);
  const result: Record<string, unknown> = retained(original, patch);
  const left = new Map(Object.entries(patch));
  left.delete(RETAIN);
  for (const [name, order] of Object.entries(patch)) {
    if (name.startsWith(ORDER)) orderList(result, left, name, order, schema);
  }
  for (const [name, change] of left) mergeMember(result, name, change, schema);
  return result;
}

/** A map with a directive is the directive's alone. */
function directed(patch: Fields): Fields {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive === 'delete') return {};
  throw crude(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
}

function retained(original: Fields, patch: Fields): Record<string, unknown> {
  const keys = patch[RETAIN];
  if (keys === undefined) return { ...original };
  const isKept = (name: string): boolean => Array.isArray(keys) && keys.includes(name);
  const isStray = ([name, value]: [string, unknown]): boolean =>
    name !== RETAIN && value !== null && !name.startsWith(ORDER) && !name.startsWith(DELETE_FROM) && !isKept(name);
  if (!Array.isArray(keys) || Object.entries(patch).some(isStray)) throw badRequest('invalid patch format of retainKeys');
  return Object.fromEntries(Object.entries(original).filter(([name]) => isKept(name)));
}

/** Changes a list and puts its elements in order; the change of the list is done with it. */
function orderList(
  result: Record<string, unknown>,
  left: Map<string, unknown>,
  directive: string,
  order: unknown,
  schema: Schema,
): void {
  left.delete(directive);
  const name = listNamed(directive, ORDER, 'setElementOrder list');
  const [original, change] = [result[name], left.get(name)];
  if (!Array.isArray(order)) return;
  const field = memberSchema(schema, name);
  const mergeKey = field.patch?.mergeKey;
  if (Array.isArray(change)) checkOrder(change, order, mergeKey);
  if (!Array.isArray(original) && !Array.isArray(change)) return;
  const added = (): List => withoutDirectives(change) as List;
  const merged = Array.isArray(original) ? mergedList(original, change, field) : added();
  result[name] = inOrder(merged, order, Array.isArray(original) ? original : [], mergeKey);
  left.delete(name);
}

const mergedList = (original: List, change: unknown, field: Schema): List =>
  Array.isArray(change) ? mergeList(original, change, field, false) : original;

function listNamed(directive: string, prefix: string, what: string): string {
  const [first, ...rest] = directive.split('/');
  if (rest.length === 0 || first !== prefix) throw badRequest(`invalid patch format of ${what}`);
  return rest.join('/');
}

/** What a patch changes must stand in its order, and in that order. */
function checkOrder(change: List, order: List, mergeKey: string | undefined): void {
  const isPlain = (item: unknown): boolean => !isRecord(item) || item[DIRECTIVE] === undefined;
  const wanted = change.filter(isPlain);
  let at = 0;
  for (const item of order) if (at < wanted.length && isSameItem(wanted[at], item, mergeKey)) at += 1;
  if (at === wanted.length) return;
  const list = (items: List): string => goText(items);
  throw crude(`The order in patch list:\n${list(wanted)}\n doesn't match ${ORDER} list:\n${list(order)}\n`);
}

function mergeMember(result: Record<string, unknown>, name: string, change: unknown, schema: Schema): void {
  if (name.startsWith(DELETE_FROM)) {
    const list = listNamed(name, DELETE_FROM, 'primitive list');
    const original = result[list];
    if (Array.isArray(original) && Array.isArray(change))
      result[list] = mergeList(original, change, memberSchema(schema, list), true);
    return;
  }
  if (change === null) {
    delete result[name];
    return;
  }
  const original = result[name];
  const field = memberSchema(schema, name);
  if (isRecord(original) && isRecord(change)) {
    result[name] = mergeObject(original, change, field);
  } else if (Array.isArray(original) && Array.isArray(change)) {
    result[name] = field.patch?.merge ? mergeList(original, change, field, false) : change;
  } else {
    const value = withoutDirectives(withoutNulls(change));
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
}

/** Merges lists: those with a merge key by it, others as sets. */
function mergeList(original: List, change: List, field: Schema, isDeletion: boolean): List {
  if (original.length === 0 && change.length === 0) return original;
  if (!isRecord(change[0] ?? original[0])) {
    if (isDeletion) return original.filter((item) => !change.some((gone) => deepEqual(gone, item)));
    const both = [...original, ...change];
    const unique = both.filter((item, index) => both.findIndex((other) => deepEqual(other, item)) === index);
    return inOrder(unique, change, original, undefined);
  }
  const mergeKey = field.patch?.mergeKey;
  if (mergeKey === undefined) throw crude('cannot merge lists without merge key for ');
  const { kept, plain } = specialElements(original, change as readonly Fields[], mergeKey);
  const merged = [...kept];
  for (const item of plain as readonly Fields[]) {
    if (item[mergeKey] === undefined) throw noMergeKey(item, mergeKey);
    const index = merged.findIndex((other) => isSameItem(other, item, mergeKey));
    if (index < 0) merged.push(item);
    else merged[index] = mergeObject(merged[index] as Fields, item, itemSchema(field));
  }
  return inOrder(merged, plain, kept, mergeKey);
}

/** Elements of a patch that say what becomes of others. */
function specialElements(
  original: List,
  change: readonly Fields[],
  mergeKey: string,
): { readonly kept: List; readonly plain: List } {
  let kept = original;
  for (const item of change) {
    const directive = item[DIRECTIVE];
    if (directive === 'delete') {
      if (item[mergeKey] === undefined) throw noMergeKey(item, mergeKey);
      kept = kept.filter((other) => !isSameItem(other, item, mergeKey));
    } else if (directive === 'merge') {
      throw crude('merging lists cannot yet be specified in the patch');
    } else if (directive !== undefined && directive !== 'replace') {
      throw crude(`unknown patch type: ${goText(directive)} in map: ${goText(item)}`);
    }
  }
  const plain = change.filter((item) => item[DIRECTIVE] === undefined);
  return change.some((item) => item[DIRECTIVE] === 'replace') ? { kept: plain, plain: [] } : { kept, plain };
}

const noMergeKey = (item: Fields, key: string): Error =>
  crude(`map: ${goText(item)} does not contain declared merge key: ${key}`);

function isSameItem(a: unknown, b: unknown, mergeKey: string | undefined): boolean {
  if (mergeKey === undefined) return deepEqual(a, b);
  return isRecord(a) && isRecord(b) && a[mergeKey] !== undefined && deepEqual(a[mergeKey], b[mergeKey]);
}

/** Elements in the order that a patch gives; those that it doesn't name go where they stood in relation to those. */
function inOrder(list: List, order: List, before: List, mergeKey: string | undefined): List {
  const at = (items: List, item: unknown): number => items.findIndex((other) => isSameItem(other, item, mergeKey));
  const sorted = (items: List, by: List): unknown[] => items.toSorted((a, b) => at(by, a) - at(by, b));
  const named = sorted(
    list.filter((item) => at(order, item) >= 0),
    order,
  );
  const others = sorted(
    list.filter((item) => at(order, item) < 0),
    before,
  );
  const result: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const [left, right] = [at(before, others[0]), at(before, named[0])];
    result.push(left >= 0 && right >= 0 && left < right ? others.shift() : named.shift());
  }
  return [...result, ...named, ...others];
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}

/** A new part; whatever has a directive could only have followed it with something to follow it on. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isRecord(value)) return value;
  if (value[DIRECTIVE] !== undefined) return undefined;
  const members = Object.entries(value).map(([name, member]) => [name, withoutDirectives(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

/** A value as Go prints it. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isRecord(value)) return value === null ? '<nil>' : String(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${name}:${goText(value[name])}`);
  return `map[${members.join(' ')}]`;
}
