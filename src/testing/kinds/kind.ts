import type { AnyObject } from '../../kube/index.ts';
import type { FieldProblem } from '../api/failures.ts';

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
  /** What is wrong with a name; a DNS subdomain where the kind says nothing. */
  readonly checkName?: (name: string) => readonly string[];
  /** The object with what the server fills in, on every write. */
  readonly defaults?: (object: AnyObject) => AnyObject;
  /** The object with what the server fills in when it is created. */
  readonly prepareCreate?: (object: AnyObject, context: KindContext) => AnyObject;
  /** The object with what it keeps from its former self. */
  readonly prepareUpdate?: (object: AnyObject, old: AnyObject, context: KindContext) => AnyObject;
  readonly validate?: (object: AnyObject, old: AnyObject | undefined) => readonly FieldProblem[];
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

/** Fields with others filled in where they are missing. */
export function filled(fields: Fields, defaults: Fields): Fields {
  const missing = Object.entries(defaults).filter(([name]) => fields[name] === undefined);
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(missing) };
}

/** The object with its spec changed. */
export function withSpec(object: AnyObject, change: (spec: Fields) => Fields): AnyObject {
  return { ...object, spec: change(part(object, 'spec')) };
}
