import { deepEqual, isRecord } from '../../kube/index.ts';
import { badRequest } from '../api/failures.ts';
import { ANY, itemSchema, memberSchema, type Schema } from '../schema/schema.ts';

type Fields = Readonly<Record<string, unknown>>;

const DIRECTIVE = '$patch';
const RETAIN = '$retainKeys';
const ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch, as `kubectl apply` and `kubectl patch` send them for built-in kinds: like a merge patch, but lists with a
 * merge key merge by it, and directives say what to replace, delete, retain and reorder (API: strategic-merge-patch.md).
 */
export function applyStrategicPatch(document: unknown, patch: Fields, schema: Schema): unknown {
  return mergeObject(isRecord(document) ? document : {}, patch, schema);
}

function mergeObject(original: Fields, patch: Fields, schema: Schema): unknown {
  const directive = patch[DIRECTIVE];
  if (directive === 'delete') return {};
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`Unknown patch type ${JSON.stringify(directive)} in map`);
  const result: Record<string, unknown> = retained(original, patch);
  for (const [name, change] of Object.entries(patch)) {
    if (name === DIRECTIVE || name === RETAIN) continue;
    if (name.startsWith(ORDER) || name.startsWith(DELETE_FROM)) {
      reorderOrDelete(result, patch, name, change, schema);
    } else if (change === null) {
      delete result[name];
    } else {
      result[name] = mergeValue(result[name], change, memberSchema(schema, name), patch[`${ORDER}${name}`]);
    }
  }
  return result;
}

function retained(original: Fields, patch: Fields): Record<string, unknown> {
  const keys = patch[RETAIN];
  if (!Array.isArray(keys)) return { ...original };
  return Object.fromEntries(Object.entries(original).filter(([name]) => keys.includes(name)));
}

/** Directives for a list that the patch doesn't change otherwise; beside a change they are taken into account with it. */
function reorderOrDelete(
  result: Record<string, unknown>,
  patch: Fields,
  directive: string,
  value: unknown,
  schema: Schema,
): void {
  const name = directive.slice(directive.indexOf('/') + 1);
  const list = result[name];
  if (!Array.isArray(list) || !Array.isArray(value)) return;
  if (directive.startsWith(DELETE_FROM)) {
    result[name] = list.filter((item) => !value.some((gone) => deepEqual(gone, item)));
  } else if (patch[name] === undefined) {
    result[name] = ordered(list, value, memberSchema(schema, name).patch?.mergeKey);
  }
}

function mergeValue(original: unknown, change: unknown, schema: Schema, order: unknown): unknown {
  if (isRecord(change)) return mergeObject(isRecord(original) ? original : {}, change, schema);
  if (!Array.isArray(change) || !Array.isArray(original)) return withoutDirectives(change);
  if (!schema.patch?.merge) return withoutDirectives(change);
  const { mergeKey } = schema.patch;
  const merged =
    mergeKey === undefined ? mergeSets(original, change) : mergeByKey(original, change, mergeKey, itemSchema(schema));
  return Array.isArray(order) ? ordered(merged, order, mergeKey) : merged;
}

function mergeSets(original: readonly unknown[], change: readonly unknown[]): readonly unknown[] {
  return [...original, ...change.filter((item) => !original.some((other) => deepEqual(other, item)))];
}

function mergeByKey(original: readonly unknown[], change: readonly unknown[], key: string, items: Schema): readonly unknown[] {
  const replacesAll = change.some((item) => isRecord(item) && item[DIRECTIVE] === 'replace');
  if (replacesAll) return change.filter((item) => !isRecord(item) || item[DIRECTIVE] !== 'replace').map(withoutDirectives);
  let result = [...original];
  for (const item of change) {
    if (!isRecord(item) || item[key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const index = result.findIndex((other) => isRecord(other) && deepEqual(other[key], item[key]));
    if (item[DIRECTIVE] === 'delete') result = result.filter((_, at) => at !== index);
    else if (index < 0) result.push(withoutDirectives(item));
    else result = result.with(index, mergeObject(result[index] as Fields, item, items));
  }
  return result;
}

/** Elements in the given order; those that it doesn't name stay behind the neighbour that they had. */
function ordered(list: readonly unknown[], order: readonly unknown[], key: string | undefined): readonly unknown[] {
  const rank = (item: unknown): number =>
    order.findIndex((each) =>
      key === undefined ? deepEqual(each, item) : isRecord(each) && isRecord(item) && deepEqual(each[key], item[key]),
    );
  let last = -1;
  const ranked = list.map((item) => {
    const own = rank(item);
    last = own < 0 ? last : own;
    return { item, rank: last, isNamed: own >= 0 };
  });
  return ranked.toSorted((a, b) => a.rank - b.rank || Number(b.isNamed) - Number(a.isNamed)).map(({ item }) => item);
}

/** New parts without the directives that only an existing part could follow. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isRecord(item) || item[DIRECTIVE] !== 'delete').map(withoutDirectives);
  if (!isRecord(value)) return value;
  return mergeObject({}, Object.fromEntries(Object.entries(value).filter(([name]) => !name.startsWith('$'))), ANY);
}
