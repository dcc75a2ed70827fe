import { type AnyObject, difference, type FieldSet, type FieldsV1, parseFieldsV1 } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { afterApply, afterUpdate, type Conflict, type Manager, readManagers, type Writer } from '../apply/managers.ts';
import type { Schema, StructSchema } from '../schema/schema.ts';
import type { Served } from './catalogue.ts';
import type { WriteContext } from './write.ts';

/** A change of the number of replicas through the scale. */
export interface ScaleChange {
  readonly object: AnyObject;
  readonly paths: { readonly spec: readonly string[] };
  /** Nothing where an apply doesn't say. */
  readonly replicas: number | undefined;
  readonly now: number;
}

const SCALE_VERSION = 'autoscaling/v1';
const COUNT: Schema = { type: 'scalar', scalar: 'integer' };
const SPEC = structOf({ replicas: COUNT });
/** All of a Scale that anybody can own. */
const SCALE = structOf({ spec: { ...SPEC, field: SPEC.field, names: SPEC.names, zero: true } });
const IN_SCALE = fieldAt(['spec', 'replicas']);

function structOf(fields: Readonly<Record<string, Schema>>): StructSchema {
  const names = Object.keys(fields);
  return { type: 'struct', names, required: new Set(), atomic: false, preserve: false, field: (name) => fields[name] };
}

/** The set of one field. */
function fieldAt(path: readonly string[]): FieldSet {
  return parseFieldsV1(path.reduceRight<FieldsV1>((below, name) => ({ [`f:${name}`]: below }), {}));
}

const has = (fields: FieldSet, field: FieldSet): boolean => difference(field, fields).size === 0;

/** A Scale as far as ownership goes: no replicas are none that anybody could own. */
const scaleWith = (replicas: number | undefined): unknown => ({
  spec: replicas === undefined || replicas === 0 ? {} : { replicas },
});

function writerOf(operation: Writer['operation'], { fieldManager }: WriteContext, now: number): Writer {
  return { manager: fieldManager, operation, apiVersion: SCALE_VERSION, subresource: 'scale', time: timestamp(now) };
}

/** Who owns what after an update or a patch of the scale. */
export function afterScaleUpdate(change: ScaleChange, served: Served, context: WriteContext): readonly Manager[] {
  const { object, paths, replicas, now } = change;
  const parent = managersOf(object);
  const field = fieldAt(paths.spec);
  const managers = inScale(parent, field, served);
  const writer = writerOf('Update', context, now);
  const before = scaleWith(countOf(object, paths.spec));
  // Where nobody is told apart, nobody will be.
  const after = managers.length === 0 ? [] : afterUpdate(before, scaleWith(replicas), SCALE, managers, writer);
  return inParent(parent, after, field, served);
}

/** What an apply of the scale comes to. */
export function afterScaleApply(
  { object, paths, replicas, now }: ScaleChange,
  served: Served,
  context: WriteContext,
): { readonly managers: readonly Manager[]; readonly conflicts: readonly Conflict[]; readonly replicas: number } {
  const parent = managersOf(object);
  const field = fieldAt(paths.spec);
  const live = scaleWith(countOf(object, paths.spec));
  const known = inScale(parent, field, served);
  const writer = writerOf('Apply', context, now);
  const unknown: Writer = { ...writer, manager: 'before-first-apply', operation: 'Update' };
  const managers = known.length > 0 ? known : afterUpdate({}, live, SCALE, [], unknown);
  const applied = afterApply(live, scaleWith(replicas), SCALE, managers, writer);
  const spec = (applied.object as { readonly spec?: { readonly replicas?: number } }).spec ?? {};
  const after = inParent(parent, applied.managers, field, served);
  return { managers: after, conflicts: applied.conflicts, replicas: spec.replicas ?? 0 };
}

function countOf(object: AnyObject, path: readonly string[]): number | undefined {
  const value = path.reduce<unknown>((below, name) => (below as Record<string, unknown> | undefined)?.[name], object);
  return typeof value === 'number' ? value : undefined;
}

/**
 * A write that changes nothing leaves whoever owned the replicas with two entries, of which the next reader sees the second: then nobody owns
 * them.
 */
const managersOf = ({ metadata }: AnyObject): readonly Manager[] => readManagers(metadata.managedFields);

const versionOf = ({ type }: Served): string => (type.group === '' ? type.version : `${type.group}/${type.version}`);

/** Whether replicas are where they are expected in a version: in all that a CRD defines. */
function isKnown(apiVersion: string, served: Served): boolean {
  return served.custom === undefined ? apiVersion === versionOf(served) : apiVersion.startsWith(`${served.type.group}/`);
}

/** Whoever owns the replicas of an object owns those of its scale. */
function inScale(parent: readonly Manager[], field: FieldSet, served: Served): readonly Manager[] {
  return parent
    .filter(({ apiVersion, fields }) => isKnown(apiVersion, served) && has(fields, field))
    .map((manager) => ({ ...manager, apiVersion: SCALE_VERSION, fields: IN_SCALE }));
}

/**
 * Who owns what of an object, once its scale was written. An apply is known again by its name. An update isn't, because its version is another:
 * its entry is made anew, and has no time.
 */
function inParent(parent: readonly Manager[], scale: readonly Manager[], field: FieldSet, served: Served): readonly Manager[] {
  const owning = scale.filter(({ fields }) => has(fields, IN_SCALE));
  const isSame = (a: Manager, b: Manager): boolean =>
    a.operation === 'Apply' && b.operation === 'Apply' && a.manager === b.manager && a.subresource === b.subresource;
  const kept = parent.flatMap((manager) => {
    if (!has(manager.fields, field) || owning.some((each) => isSame(each, manager))) return [manager];
    const fields = difference(manager.fields, field);
    return fields.size === 0 ? [] : [{ ...manager, fields }];
  });
  const fresh = owning
    .filter((each) => !parent.some((manager) => isSame(each, manager) && has(manager.fields, field)))
    .map((each) => ({ ...each, apiVersion: versionOf(served), time: '', fields: field }));
  return [...kept, ...fresh];
}
