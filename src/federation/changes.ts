import {
  type AnyObject,
  type Change,
  deepEqual,
  type FieldNode,
  type FieldSet,
  isRecord,
  type ManagedFieldsEntry,
  NO_FIELDS,
  parseFieldsV1,
  sameQuantity,
  union,
} from '../kube/index.ts';

/** The fields that a manager owns by server-side apply; `undefined` where it never applied the object. */
export function appliedFields(object: AnyObject, fieldManager: string): FieldSet | undefined {
  const applied = object.metadata.managedFields?.find((entry) => isApplied(entry, fieldManager));
  return applied === undefined ? undefined : parseFieldsV1(applied.fieldsV1);
}

function isApplied({ manager, operation, subresource = '' }: ManagedFieldsEntry, fieldManager: string): boolean {
  return manager === fieldManager && operation === 'Apply' && subresource === '';
}

/**
 * What an apply of `desired` would change in `live`: fields that have another value or none, and fields that the manager owns and no longer
 * wants. Fields of others don't count. The managed fields of all managers say which lists have keys and what is set as a whole, so that no
 * schema is needed.
 */
export function changesTo(live: AnyObject, desired: AnyObject, fieldManager: string): readonly Change[] {
  const entries = (live.metadata.managedFields ?? []).map((entry) => ({ entry, fields: parseFieldsV1(entry.fieldsV1) }));
  const known = entries.map(({ fields }) => fields).reduce(union, NO_FIELDS);
  const owned = entries.find(({ entry }) => isApplied(entry, fieldManager))?.fields ?? NO_FIELDS;
  const root: Place = { owned: { member: false, children: owned }, known: { member: false, children: known }, isWhole: false };
  const changes: Change[] = [];
  for (const name of Object.keys(desired)) {
    if (name === 'kind' || name === 'apiVersion') continue;
    compare(desired[name], live[name], below(root, `f:${name}`), name, changes);
  }
  for (const element of owned.keys()) {
    const name = element.slice(2);
    if (!Object.hasOwn(desired, name) && live[name] !== undefined)
      changes.push({ path: name, before: live[name], after: undefined });
  }
  return changes;
}

type Collect = Change[];

/** What managed fields say of one place. */
interface Place {
  /** What is ours there. */
  readonly owned: FieldNode | undefined;
  /** What anybody has there. */
  readonly known: FieldNode | undefined;
  /** Whether it is part of something that is set as a whole, such as a selector: what we leave out has no business there. */
  readonly isWhole: boolean;
}

function below(place: Place, element: string): Place {
  const known = place.known?.children.get(element);
  const isLeaf = known?.member === true && known.children.size === 0;
  return { owned: place.owned?.children.get(element), known, isWhole: place.isWhole || isLeaf };
}

function compare(desired: unknown, live: unknown, place: Place, path: string, changes: Collect): void {
  if (deepEqual(desired, live) || (desired === null && live === undefined)) return;
  if (isRecord(desired) && isRecord(live)) compareFields(desired, live, place, path, changes);
  else if (Array.isArray(desired) && Array.isArray(live)) compareLists(desired, live, place, path, changes);
  else if (!isSameAmount(desired, live, path)) changes.push({ path, before: live, after: desired });
}

type Fields = Readonly<Record<string, unknown>>;

function compareFields(desired: Fields, live: Fields, place: Place, path: string, changes: Collect): void {
  for (const [name, value] of Object.entries(desired)) {
    const other = Object.hasOwn(live, name) ? live[name] : undefined;
    compare(value, other, below(place, `f:${name}`), memberPath(path, name), changes);
  }
  for (const [name, before] of Object.entries(live)) {
    const isOurs = place.isWhole || (place.owned?.children.has(`f:${name}`) ?? false);
    if (isOurs && !Object.hasOwn(desired, name)) changes.push({ path: memberPath(path, name), before, after: undefined });
  }
}

function memberPath(path: string, name: string): string {
  return /^[A-Za-z_$][-A-Za-z0-9_]*$/.test(name) ? `${path}.${name}` : `${path}[${name}]`;
}

function compareLists(desired: readonly unknown[], live: readonly unknown[], place: Place, path: string, changes: Collect): void {
  const elements = [...(place.known?.children.keys() ?? [])];
  if (elements.some((element) => element.startsWith('v:'))) compareSets(desired, live, place, path, changes);
  else if (elements.some((element) => element.startsWith('k:'))) compareKeyed(desired, live, place, path, changes);
  else compareWhole(desired, live, place, path, changes);
}

function compareSets(desired: readonly unknown[], live: readonly unknown[], place: Place, path: string, changes: Collect): void {
  const has = (list: readonly unknown[], value: unknown): boolean => list.some((other) => deepEqual(other, value));
  const valuePath = (value: unknown): string => `${path}[=${JSON.stringify(value)}]`;
  for (const value of desired) if (!has(live, value)) changes.push({ path: valuePath(value), before: undefined, after: value });
  for (const element of place.owned?.children.keys() ?? []) {
    const value: unknown = JSON.parse(element.slice(2));
    if (!has(desired, value) && has(live, value)) changes.push({ path: valuePath(value), before: value, after: undefined });
  }
}

function compareKeyed(desired: readonly unknown[], live: readonly unknown[], place: Place, path: string, changes: Collect): void {
  const elements = [...(place.known?.children.keys() ?? [])].filter((element) => element.startsWith('k:'));
  const elementOf = (other: unknown): string => elements.find((element) => hasKeys(other, keysOf(element))) ?? '';
  const isOurs = (index: number, name: string): boolean =>
    place.owned?.children.get(elementOf(live[index]))?.children.has(`f:${name}`) ?? false;
  const places = placesOf(desired, live, Object.keys(keysOf(elements[0] ?? 'k:{}')), isOurs);
  desired.forEach((element, index) => {
    const other = live[places[index] ?? -1];
    compare(element, other, below(place, elementOf(other ?? element)), elementPath(path, element, index), changes);
  });
  live.forEach((before, index) => {
    const isLost = !places.includes(index) && (place.owned?.children.has(elementOf(before)) ?? false);
    if (isLost) changes.push({ path: elementPath(path, before, index), before, after: undefined });
  });
  const found = places.filter((index) => index >= 0);
  const isReordered = found.some((index, at) => at > 0 && index < (found[at - 1] ?? 0));
  if (isReordered) changes.push({ path, before: 'in another order', after: 'in this order' });
}

/**
 * Where each wanted element is in the live list, -1 for nowhere. Elements that say all their keys choose first; then those that leave keys to
 * defaults, and so mean an element whose keys we never set.
 */
function placesOf(
  desired: readonly unknown[],
  live: readonly unknown[],
  names: readonly string[],
  isOurs: (index: number, name: string) => boolean,
): readonly number[] {
  const left = desired.map((element) => names.filter((name) => !isRecord(element) || element[name] === undefined));
  const places: number[] = desired.map(() => -1);
  const choose = (at: number, accepts: (index: number) => boolean): void => {
    if (places[at] !== -1) return;
    places[at] = live.findIndex(
      (other, index) => !places.includes(index) && matches(desired[at], other, names) && accepts(index),
    );
  };
  for (const at of desired.keys()) if (left[at]?.length === 0) choose(at, () => true);
  for (const at of desired.keys()) choose(at, (index) => left[at]?.every((name) => !isOurs(index, name)) ?? true);
  for (const at of desired.keys()) choose(at, () => true);
  return places;
}

const keysOf = (element: string): Fields => JSON.parse(element.slice(2)) as Fields;

function hasKeys(element: unknown, keys: Fields): boolean {
  return isRecord(element) && Object.entries(keys).every(([name, value]) => deepEqual(element[name], value));
}

/** Whether an element of the template may mean the other: the keys that it has are equal. */
function matches(element: unknown, other: unknown, names: readonly string[]): boolean {
  if (!isRecord(element) || !isRecord(other)) return false;
  const given = names.filter((name) => element[name] !== undefined);
  return given.length > 0 && given.every((name) => deepEqual(element[name], other[name]));
}

function elementPath(path: string, element: unknown, index: number): string {
  return `${path}[${isRecord(element) && typeof element.name === 'string' ? element.name : index}]`;
}

/** A list without keys is set as a whole. */
function compareWhole(
  desired: readonly unknown[],
  live: readonly unknown[],
  { isWhole }: Place,
  path: string,
  changes: Collect,
): void {
  if (desired.length !== live.length) {
    changes.push({ path, before: live, after: desired });
    return;
  }
  desired.forEach((element, index) => {
    compare(element, live[index], { owned: undefined, known: undefined, isWhole }, elementPath(path, element, index), changes);
  });
}

/** Where servers rewrite quantities: `1000m` comes back as `1`. Labels of the same name are text. */
const QUANTITIES = /^spec\.(?!.*metadata\.).*\b(?:limits|requests|hard|capacity|sizeLimit)(?:\.[^.]*|\[[^\]]*\])?$/;

function isSameAmount(desired: unknown, live: unknown, path: string): boolean {
  return QUANTITIES.test(path) && sameQuantity(desired, live);
}
