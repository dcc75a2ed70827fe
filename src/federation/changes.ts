import {
  type AnyObject,
  type Change,
  deepEqual,
  type FieldNode,
  type FieldSet,
  isRecord,
  NO_FIELDS,
  parseFieldsV1,
  sameQuantity,
} from '../kube/index.ts';

/** The fields that a manager owns by server-side apply; `undefined` where it never applied the object. */
export function appliedFields(object: AnyObject, fieldManager: string): FieldSet | undefined {
  const entry = object.metadata.managedFields?.find(
    (candidate) => candidate.manager === fieldManager && candidate.operation === 'Apply' && (candidate.subresource ?? '') === '',
  );
  return entry === undefined ? undefined : parseFieldsV1(entry.fieldsV1);
}

/**
 * What an apply of `desired` would change in `live`: fields that have another value or none, and fields that the manager owns and no longer
 * wants. Fields of others don't count. The managed fields say which lists have keys, so that no schema is needed.
 */
export function changesTo(live: AnyObject, desired: AnyObject, fieldManager: string): readonly Change[] {
  const owned: FieldNode = { member: false, children: appliedFields(live, fieldManager) ?? NO_FIELDS };
  const changes: Change[] = [];
  for (const name of Object.keys(desired)) {
    if (name === 'kind' || name === 'apiVersion') continue;
    compare(desired[name], live[name], owned.children.get(`f:${name}`), name, changes);
  }
  for (const [element] of owned.children) {
    const name = element.slice(2);
    if (!Object.hasOwn(desired, name) && live[name] !== undefined)
      changes.push({ path: name, before: live[name], after: undefined });
  }
  return changes;
}

type Collect = Change[];

function compare(desired: unknown, live: unknown, owned: FieldNode | undefined, path: string, changes: Collect): void {
  if (deepEqual(desired, live) || (desired === null && live === undefined)) return;
  if (isRecord(desired) && isRecord(live)) {
    compareFields(desired, live, owned, path, changes);
  } else if (Array.isArray(desired) && Array.isArray(live)) {
    compareLists(desired, live, owned, path, changes);
  } else if (!isSameAmount(desired, live, path)) {
    changes.push({ path, before: live, after: desired });
  }
}

type Fields = Readonly<Record<string, unknown>>;

function compareFields(desired: Fields, live: Fields, owned: FieldNode | undefined, path: string, changes: Collect): void {
  for (const [name, value] of Object.entries(desired)) {
    const below = Object.hasOwn(live, name) ? live[name] : undefined;
    compare(value, below, owned?.children.get(`f:${name}`), member(path, name), changes);
  }
  for (const element of owned?.children.keys() ?? []) {
    const name = element.slice(2);
    const isGone = element.startsWith('f:') && !Object.hasOwn(desired, name) && Object.hasOwn(live, name);
    if (isGone) changes.push({ path: member(path, name), before: live[name], after: undefined });
  }
}

function member(path: string, name: string): string {
  return /^[A-Za-z_$][-A-Za-z0-9_]*$/.test(name) ? `${path}.${name}` : `${path}[${name}]`;
}

function compareLists(
  desired: readonly unknown[],
  live: readonly unknown[],
  owned: FieldNode | undefined,
  path: string,
  changes: Collect,
): void {
  const elements = [...(owned?.children.keys() ?? [])];
  if (elements.some((element) => element.startsWith('v:'))) compareSets(desired, live, elements, path, changes);
  else if (elements.some((element) => element.startsWith('k:')))
    compareKeyed(desired, live, owned?.children ?? NO_FIELDS, path, changes);
  else compareWhole(desired, live, path, changes);
}

function compareSets(
  desired: readonly unknown[],
  live: readonly unknown[],
  elements: readonly string[],
  path: string,
  changes: Collect,
): void {
  const has = (list: readonly unknown[], value: unknown): boolean => list.some((other) => deepEqual(other, value));
  for (const value of desired) {
    if (!has(live, value)) changes.push({ path: `${path}[=${JSON.stringify(value)}]`, before: undefined, after: value });
  }
  for (const element of elements.filter((each) => each.startsWith('v:'))) {
    const value: unknown = JSON.parse(element.slice(2));
    if (!has(desired, value) && has(live, value))
      changes.push({ path: `${path}[=${JSON.stringify(value)}]`, before: value, after: undefined });
  }
}

/** Elements are found by their keys; where the template leaves a key out, the server has filled in its default. */
function compareKeyed(
  desired: readonly unknown[],
  live: readonly unknown[],
  owned: FieldSet,
  path: string,
  changes: Collect,
): void {
  const known = [...owned].filter(([element]) => element.startsWith('k:'));
  const keyNames = known.map(([element]) => keysOf(element))[0] ?? {};
  const liveByDesired = desired.map((element) => live.findIndex((other) => matches(element, other, Object.keys(keyNames))));
  desired.forEach((element, index) => {
    const other = live[liveByDesired[index] ?? -1];
    const node = known.find(([key]) => isElement(other ?? element, keysOf(key)))?.[1];
    compare(element, other, node, `${path}[${elementName(element, index)}]`, changes);
  });
  for (const [key] of known) {
    const keys = keysOf(key);
    const before = live.find((element) => isElement(element, keys));
    const isWanted = desired.some((element) => matches(element, keys, Object.keys(keys)));
    if (before !== undefined && !isWanted) {
      changes.push({ path: `${path}[${elementName(before, live.indexOf(before))}]`, before, after: undefined });
    }
  }
  const found = liveByDesired.filter((index) => index >= 0);
  if (found.some((index, at) => at > 0 && index < (found[at - 1] ?? 0))) {
    changes.push({ path, before: 'in another order', after: 'in this order' });
  }
}

const keysOf = (element: string): Fields => JSON.parse(element.slice(2)) as Fields;

/** Whether an element has all of these keys. */
function isElement(element: unknown, keys: Fields): boolean {
  return isRecord(element) && Object.entries(keys).every(([name, value]) => deepEqual(element[name], value));
}

/** Whether an element of the template means the other element: the keys that it has are equal. */
function matches(element: unknown, other: unknown, names: readonly string[]): boolean {
  if (!isRecord(element) || !isRecord(other)) return false;
  const given = names.filter((name) => element[name] !== undefined);
  return given.length > 0 && given.every((name) => deepEqual(element[name], other[name]));
}

function elementName(element: unknown, index: number): string {
  return isRecord(element) && typeof element.name === 'string' ? element.name : String(index);
}

/** A list without keys is set as a whole; the server may still have filled in defaults within its elements. */
function compareWhole(desired: readonly unknown[], live: readonly unknown[], path: string, changes: Collect): void {
  if (desired.length !== live.length) {
    changes.push({ path, before: live, after: desired });
    return;
  }
  desired.forEach((element, index) => {
    compare(element, live[index], undefined, `${path}[${elementName(element, index)}]`, changes);
  });
}

/** Where servers rewrite quantities: `1000m` comes back as `1`. */
const QUANTITIES = /\.(?:limits|requests|hard|capacity|sizeLimit)(?:\.[^.]*|\[[^\]]*\])?$/;

function isSameAmount(desired: unknown, live: unknown, path: string): boolean {
  return QUANTITIES.test(path) && sameQuantity(desired, live);
}
