import { formatQuantity, isRecord, parseQuantity } from '../../kube/index.ts';
import { ANY, itemSchema, memberSchema, type ScalarSchema, type Schema, type StructSchema } from './schema.ts';

/** What {@link conform} found on its way. */
export interface Findings {
  /** Paths of fields that no schema knows; they were left out. */
  readonly unknown: string[];
  /** Values of another type than the schema's, in the words of Kubernetes' decoder. Only for built-in kinds: others are validated later. */
  readonly mismatches: string[];
}

/**
 * A fresh copy of an object as its type can hold it, the way a server decodes it: unknown fields are left out, and for built-in kinds also
 * nulls and empty optional lists and maps, while structs that are always there are filled in and quantities written in their canonical form.
 */
export function conform(object: unknown, schema: StructSchema, builtIn: boolean, findings: Findings): unknown {
  return new Fitter(builtIn, findings).struct(object as Readonly<Record<string, unknown>>, schema, '');
}

class Fitter {
  readonly #builtIn: boolean;
  readonly #findings: Findings;

  constructor(builtIn: boolean, findings: Findings) {
    this.#builtIn = builtIn;
    this.#findings = findings;
  }

  struct(value: Readonly<Record<string, unknown>>, schema: StructSchema, path: string, builtIn = this.#builtIn): unknown {
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const below = path === '' ? name : `${path}.${name}`;
      const field = schema.field(name);
      if (field === undefined && !schema.preserve) {
        this.#findings.unknown.push(below);
        continue;
      }
      // Metadata of custom resources is built in.
      const fitted = this.value(member, field ?? ANY, below, builtIn || below === 'metadata');
      if (fitted !== undefined && !this.#isOmitted(fitted, schema.required.has(name), builtIn)) define(result, name, fitted);
    }
    return builtIn ? withZeroStructs(result, schema) : result;
  }

  value(value: unknown, schema: Schema, path: string, builtIn = this.#builtIn): unknown {
    if (value === null || value === undefined) return builtIn ? undefined : value;
    if (schema.type === 'any') return copy(value);
    if (schema.type === 'scalar') return builtIn ? this.#scalar(value, schema, path) : copy(value);
    if (schema.type === 'list') return this.#list(value, schema, path, builtIn);
    if (!isRecord(value)) return this.#mismatch(value, 'object', path, builtIn);
    if (schema.type === 'struct') return this.struct(value, schema, path, builtIn);
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const fitted = this.value(member, memberSchema(schema, name), `${path}.${name}`, builtIn);
      if (fitted !== undefined) define(result, name, fitted);
    }
    return result;
  }

  #list(value: unknown, schema: Schema, path: string, builtIn: boolean): unknown {
    if (!Array.isArray(value)) return this.#mismatch(value, 'array', path, builtIn);
    const items = itemSchema(schema);
    return value.map((item, index) => this.value(item, items, `${path}[${index}]`, builtIn) ?? null);
  }

  #isOmitted(value: unknown, required: boolean, builtIn: boolean): boolean {
    if (!builtIn || required) return false;
    return Array.isArray(value) && value.length === 0;
  }

  #scalar(value: unknown, { scalar }: ScalarSchema, path: string): unknown {
    switch (scalar) {
      case 'quantity':
        return this.#quantity(value, path);
      case 'int-or-string':
        return typeof value === 'string' || Number.isInteger(value) ? value : this.#mismatch(value, 'intstr.IntOrString', path);
      case 'integer':
        return Number.isInteger(value) ? value : this.#mismatch(value, 'integer', path);
      case 'number':
        return typeof value === 'number' ? value : this.#mismatch(value, 'number', path);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(value, 'bool', path);
      case 'bytes':
        return isBase64(value) ? value : this.#mismatch(value, 'base64', path);
      default:
        return typeof value === 'string' ? value : this.#mismatch(value, 'string', path);
    }
  }

  #quantity(value: unknown, path: string): unknown {
    if (typeof value !== 'string' && typeof value !== 'number') return this.#mismatch(value, 'quantity', path);
    try {
      return formatQuantity(parseQuantity(String(value)));
    } catch (error) {
      this.#findings.mismatches.push((error as Error).message);
      return value;
    }
  }

  #mismatch(value: unknown, expected: string, path: string, builtIn = true): unknown {
    if (!builtIn) return copy(value);
    const given = Array.isArray(value) ? 'array' : typeof value;
    const name = given === 'boolean' ? 'bool' : given;
    this.#findings.mismatches.push(
      expected === 'base64'
        ? `illegal base64 data in ${path}`
        : `json: cannot unmarshal ${name} into Go struct field .${path} of type ${expected}`,
    );
    return undefined;
  }
}

/** Sets an own member, also for a name such as `__proto__` that an assignment would take for the prototype. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A deep copy of JSON. */
export function copy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copy) as T;
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) define(result, name, copy(member));
  return result as T;
}

function withZeroStructs(value: Record<string, unknown>, schema: StructSchema): Record<string, unknown> {
  for (const name of schema.names) {
    const field = schema.field(name);
    if (field?.zero && field.type === 'struct' && value[name] === undefined) value[name] = withZeroStructs({}, field);
  }
  return value;
}

/** What a built-in object without any field looks like: structs that are always there, and lists and structs that must be given as null. */
export function emptyObject(schema: StructSchema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of schema.names) {
    const field = schema.field(name);
    if (field === undefined || name === 'apiVersion' || name === 'kind') continue;
    if (field.zero && field.type === 'struct') result[name] = emptyObject(field);
    else if (schema.required.has(name) && field.type !== 'scalar') result[name] = null;
  }
  return result;
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}
