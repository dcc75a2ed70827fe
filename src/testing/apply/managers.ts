import {
  compareText,
  deepEqual,
  difference,
  type FieldNode,
  type FieldSet,
  formatElements,
  intersection,
  type ManagedFieldsEntry,
  NO_FIELDS,
  parseFieldsV1,
  toFieldsV1,
  union,
} from '../../kube/plain/index.ts';
import { isDeclared, type Schema } from '../schema/schema.ts';
import { compareFields, partSchema } from './compare.ts';
import { fieldsOf, withoutFields } from './fields.ts';
import { mergeApplied } from './merge.ts';

/** Who owns which fields of an object. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** Who writes now. */
export type Writer = Omit<Manager, 'fields'>;

/** Reads `metadata.managedFields`. Of entries of the same manager the last counts. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): readonly Manager[] {
  const managers = (entries ?? []).flatMap((entry): readonly Manager[] => {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return [];
    const { manager = '', operation, apiVersion = '', subresource = '', time = '', fieldsV1 } = entry;
    return [{ manager, operation, apiVersion, subresource, time, fields: parseFieldsV1(fieldsV1) }];
  });
  return managers.filter((manager, index) => !managers.some((other, at) => at > index && isSame(other, manager)));
}

/** Writes `metadata.managedFields`: appliers first, then by time and name. Managers without fields are left out. */
export function writeManagers(managers: readonly Manager[]): readonly ManagedFieldsEntry[] {
  return managers
    .filter(({ fields }) => fields.size > 0)
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time, b.time) ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === '' ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource === '' ? {} : { subresource }),
    }));
}

/** `metadata.managedFields`, which isn't there where nobody manages anything. */
export function managedBy(managers: readonly Manager[]): { readonly managedFields?: readonly ManagedFieldsEntry[] } {
  const managedFields = writeManagers(managers);
  return managedFields.length === 0 ? {} : { managedFields };
}

/** Fields that the server owns, whoever writes them. */
const STRIPPED: FieldSet = parseFieldsV1({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    '.': {},
    'f:name': {},
    'f:namespace': {},
    'f:creationTimestamp': {},
    'f:selfLink': {},
    'f:uid': {},
    'f:generation': {},
    'f:managedFields': {},
    'f:resourceVersion': {},
  },
});

const strip = (fields: FieldSet): FieldSet => difference(fields, STRIPPED);

const isSame = (a: Writer, b: Writer): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion);

/** A field that another manager has. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

interface Ownership {
  readonly managers: readonly Manager[];
  readonly conflicts: readonly Conflict[];
  readonly changed: { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet };
}

/** What a change means for everyone but the writer: changed and removed fields are not theirs any more. */
function ownershipAfter(
  before: unknown,
  after: unknown,
  schema: Schema,
  managers: readonly Manager[],
  writer: Writer,
): Ownership {
  const compared = compareFields(before, after, schema);
  const changed = { added: strip(compared.added), modified: strip(compared.modified), removed: strip(compared.removed) };
  const taken = union(changed.added, changed.modified);
  const conflicts: Conflict[] = [];
  const rest = managers.map((manager) => {
    if (isSame(manager, writer)) return manager;
    const fields = intersection(manager.fields, taken);
    if (fields.size > 0) conflicts.push({ manager, fields });
    return { ...manager, fields: difference(difference(manager.fields, fields), changed.removed) };
  });
  return { managers: rest, conflicts, changed };
}

/** The most managers that updated an object; older ones are put together. */
const MOST_UPDATERS = 10;
const ANCIENT = 'ancient-changes';

/** Ownership after a plain write (create, update, patch): the writer owns what it changed. */
export function afterUpdate(
  before: unknown,
  after: unknown,
  schema: Schema,
  managers: readonly Manager[],
  writer: Writer,
): readonly Manager[] {
  // Fields of the writer's own that it changes now are taken from its entry and given back with the rest.
  const { managers: rest, changed } = ownershipAfter(before, after, schema, managers, { ...writer, manager: '\0current' });
  const own = union(changed.added, changed.modified);
  if (own.size === 0) return rest.filter(({ fields }) => fields.size > 0);
  const previous = rest.find((manager) => isSame(manager, writer));
  const mine = { ...writer, fields: union(previous?.fields ?? NO_FIELDS, own) };
  return capped([...rest.filter((manager) => manager !== previous && manager.fields.size > 0), mine]);
}

function capped(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter(({ operation }) => operation === 'Update').toSorted((a, b) => compareText(a.time, b.time));
  if (updaters.length <= MOST_UPDATERS) return managers;
  const old = updaters.slice(0, updaters.length - MOST_UPDATERS + 1);
  const [first] = old;
  if (first === undefined) return managers;
  const ancient: Manager = {
    ...first,
    manager: ANCIENT,
    subresource: '',
    time: old.at(-1)?.time ?? first.time,
    fields: old.map(({ fields }) => fields).reduce(union, NO_FIELDS),
  };
  return [...managers.filter((manager) => !old.includes(manager)), ancient];
}

/** What an apply comes to. */
export interface AppliedFields {
  readonly object: unknown;
  readonly managers: readonly Manager[];
  readonly conflicts: readonly Conflict[];
}

/**
 * Server-side apply: the configuration is laid over the live object, and what the manager applied before and left out now is removed, unless
 * somebody else has it too. Conflicts are reported; a caller that doesn't force must not go on with them.
 */
export function afterApply(
  live: unknown,
  config: unknown,
  schema: Schema,
  managers: readonly Manager[],
  { isTouched = false, ...writer }: Writer & { readonly isTouched?: boolean },
): AppliedFields {
  const given = fieldsOf(config, schema);
  const fields = strip(given);
  const previous = managers.find((manager) => isSame(manager, writer));
  const others = managers.filter((manager) => manager !== previous);
  const mine: Manager = { ...writer, fields };
  const merged = mergeApplied(live, config, schema);
  const owned = others.map((each) => each.fields).reduce(union, given);
  const dropped = previous === undefined ? NO_FIELDS : unowned(previous.fields, owned, schema);
  const object = withoutFields(merged, schema, dropped);
  const after = ownershipAfter(live, object, schema, others, writer);
  // An apply that changes nothing leaves no time, even if somebody comes to own something by it.
  const entry = !isTouched && deepEqual(live, object) ? { ...mine, time: previous?.time ?? '' } : mine;
  return { object, managers: [...after.managers.filter(({ fields: left }) => left.size > 0), entry], conflicts: after.conflicts };
}

/** The fields of a set that nobody owns, neither them nor anything below them. Declared ones go with all that is in them. */
function unowned(fields: FieldSet, owned: FieldSet, schema: Schema): FieldSet {
  return new Map(
    [...fields].flatMap(([element, node]): readonly (readonly [string, FieldNode])[] => {
      const other = owned.get(element);
      const isNamed = element.startsWith('f:') && isDeclared(schema, element.slice(2));
      if (other === undefined) return [[element, isNamed ? { ...node, member: true } : node]];
      // An element of a list is somebody's only if they named it, whatever they have below it.
      if (!isNamed && node.member && !other.member) return [[element, node]];
      const children = unowned(node.children, other.children, partSchema(schema, element));
      return children.size > 0 ? [[element, { member: false, children }]] : [];
    }),
  );
}

/** The paths of a set; at each level what is owned as a whole comes first. */
function pathsOf(fields: FieldSet, above: readonly string[] = []): readonly (readonly string[])[] {
  const entries = [...fields].toSorted(([a], [b]) => compareText(a, b));
  return [
    ...entries.filter(([, { member }]) => member).map(([element]) => [...above, element]),
    ...entries.flatMap(([element, { children }]) => pathsOf(children, [...above, element])),
  ];
}

/** How the server speaks of a manager. */
function describeManager({ manager, subresource, operation, apiVersion }: Writer): string {
  const part = subresource === '' ? '' : ` with subresource "${subresource}"`;
  return operation === 'Update' ? `"${manager}"${part} using ${apiVersion}` : `"${manager}"${part}`;
}

/** The fields in conflict, manager by manager, as the server words them. */
export function conflictsOf(conflicts: readonly Conflict[]): readonly { readonly manager: string; readonly field: string }[] {
  return conflicts
    .map(({ manager, fields }) => ({ manager: describeManager(manager), fields }))
    .toSorted((a, b) => compareText(a.manager, b.manager))
    .flatMap(({ manager, fields }) => pathsOf(fields).map((path) => ({ manager, field: formatElements(path) })));
}
