import type { AnyObject } from '../../kube/plain/index.ts';
import type { FieldProblem } from '../api/failures.ts';
import type { CelEvaluator } from '../schema/cel.ts';

/** What a kind's rules may ask of their cluster. */
export interface KindContext {
  /** An address of the service network that nobody has. */
  allocateAddress(): string;
  /** A node port that nobody has. */
  allocatePort(): number;
  /** RFC 3339. */
  now(): string;
}

/** What is peculiar to a built-in kind. All functions are given objects that fit the kind's structure. */
export interface Kind {
  /** Fields that are written even where nobody has set them, and what they hold then; events of watches that tell of no object show them, too. */
  readonly unsaid?: Fields;
  /** What is wrong with a name; a DNS subdomain where the kind says nothing. */
  readonly checkName?: (name: string) => readonly string[];
  /** The object with what the server fills in, on every write. */
  readonly defaults?: (object: AnyObject) => AnyObject;
  /** The object with what the server fills in when it is created. */
  readonly prepareCreate?: (object: AnyObject, context: KindContext) => AnyObject;
  /** The object with what it keeps from its former self. */
  readonly prepareUpdate?: (object: AnyObject, old: AnyObject, context: KindContext) => AnyObject;
  /** The object with what its status keeps when only the status is written. */
  readonly prepareStatus?: (object: AnyObject, old: AnyObject) => AnyObject;
  readonly validate?: (object: AnyObject, old: AnyObject | undefined, cel?: CelEvaluator) => readonly FieldProblem[];
  /** In its place, for kinds that don't tell what is wrong with every object, such as its labels, before what is wrong with them. */
  readonly validateAll?: (
    object: AnyObject,
    old: AnyObject | undefined,
    general: readonly FieldProblem[],
  ) => readonly FieldProblem[];
}

export type Fields = Readonly<Record<string, unknown>>;

/** The object's field as fields, empty where it isn't there. */
export function part(object: Fields, name: string): Fields {
  const value = object[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The list in a field, empty where it isn't there. */
export function listOf(object: Fields, name: string): readonly Fields[] {
  const value = object[name];
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

/** The list of texts in a field, empty where it isn't there. */
export function textsOf(object: Fields, name: string): readonly string[] {
  return listOf(object, name) as readonly unknown[] as readonly string[];
}

/** The text in a field, empty where it isn't there. */
export function textOf(object: Fields, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

/** The number in a field, 0 where it isn't there. */
export function numberOf(object: Fields, name: string): number {
  const value = object[name];
  return typeof value === 'number' ? value : 0;
}

/** Fields with others filled in where they are missing. */
export function filled(fields: Fields, defaults: Fields): Fields {
  const missing = Object.entries(defaults).filter(([name]) => fields[name] === undefined);
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(missing) };
}

/** Fields without some of them. */
export function without(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

type Change = (fields: Fields) => Fields;

/** Fields with the structs of some names changed, where they are there. */
export function inside(fields: Fields, changes: Readonly<Record<string, Change>>): Fields {
  const changed = Object.entries(changes).filter(([name]) => fields[name] !== undefined);
  if (changed.length === 0) return fields;
  return { ...fields, ...Object.fromEntries(changed.map(([name, change]) => [name, change(part(fields, name))])) };
}

/** Fields with each item of the lists of some names changed, where they are there. */
export function each(fields: Fields, changes: Readonly<Record<string, Change>>): Fields {
  const changed = Object.entries(changes).filter(([name]) => fields[name] !== undefined);
  if (changed.length === 0) return fields;
  return { ...fields, ...Object.fromEntries(changed.map(([name, change]) => [name, listOf(fields, name).map(change)])) };
}

/** A change that fills in what is missing. */
export const filling =
  (defaults: Fields): Change =>
  (fields) =>
    filled(fields, defaults);

/** The object with its spec changed. */
export function withSpec(object: AnyObject, change: Change): AnyObject {
  return { ...object, spec: change(part(object, 'spec')) };
}

/** The object with its status changed. */
export function withStatus(object: AnyObject, change: Change): AnyObject {
  return { ...object, status: change(part(object, 'status')) };
}

/** Numbers and times that Kubernetes writes even where nobody has set them. */
export const NO_TIMES: Fields = { lastProbeTime: null, lastTransitionTime: null };
