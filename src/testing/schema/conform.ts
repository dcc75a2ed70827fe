import { formatQuantity, isRecord, parseQuantity } from '../../kube/plain/index.ts';
import { ANY, itemSchema, type MapSchema, memberSchema, type ScalarSchema, type Schema, type StructSchema } from './schema.ts';

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
  /** The struct that is being filled. */
  #struct = '';

  constructor(builtIn: boolean, findings: Findings) {
    this.#builtIn = builtIn;
    this.#findings = findings;
  }

  struct(value: Readonly<Record<string, unknown>>, schema: StructSchema, path: string, builtIn = this.#builtIn): unknown {
    const result: Record<string, unknown> = {};
    const outer = this.#struct;
    this.#struct = schema.goName?.split('.').at(-1) ?? '';
    try {
      return this.#members(result, value, schema, path, builtIn);
    } finally {
      this.#struct = outer;
    }
  }

  #members(
    result: Record<string, unknown>,
    value: Readonly<Record<string, unknown>>,
    schema: StructSchema,
    path: string,
    builtIn: boolean,
  ): unknown {
    for (const [name, member] of Object.entries(value)) {
      const below = path === '' ? name : `${path}.${name}`;
      const field = schema.field(name);
      if (field === undefined && !schema.preserve) {
        this.#findings.unknown.push(below);
        continue;
      }
      // Metadata of custom resources is built in.
      const fitted = this.value(member, field ?? ANY, below, builtIn || below === 'metadata');
      const isKept =
        fitted !== undefined &&
        !(builtIn && isOmitted(fitted, field, schema.required.has(name) || schema.written?.includes(name) === true));
      if (isKept) define(result, name, fitted);
    }
    return builtIn ? withZeroStructs(result, schema) : result;
  }

  value(value: unknown, schema: Schema, path: string, builtIn = this.#builtIn): unknown {
    if (value === null || value === undefined) return builtIn ? undefined : value;
    if (schema.type === 'any') return copy(value);
    if (schema.type === 'scalar') return builtIn ? this.#scalar(value, schema, path) : copy(value);
    if (schema.type === 'list') return this.#list(value, schema, path, builtIn);
    if (!isRecord(value)) return this.#mismatch(value, goType(schema), path, builtIn);
    return schema.type === 'struct' ? this.struct(value, schema, path, builtIn) : this.#map(value, schema, path, builtIn);
  }

  #map(value: Readonly<Record<string, unknown>>, schema: MapSchema, path: string, builtIn: boolean): unknown {
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const fitted = this.value(member, memberSchema(schema, name), `${path}[${name}]`, builtIn);
      if (fitted !== undefined) define(result, name, fitted);
      // A text that is null counts as empty.
      else if (builtIn && isText(schema.values)) define(result, name, '');
    }
    return result;
  }

  #list(value: unknown, schema: Schema, path: string, builtIn: boolean): unknown {
    if (!Array.isArray(value)) return this.#mismatch(value, this.#listType(schema, path), path, builtIn);
    const items = itemSchema(schema);
    return value.map(
      (item, index) => this.value(item, items, `${path}[${index}]`, builtIn) ?? this.#emptyItem(items, path, builtIn),
    );
  }

  /** A built-in kind has an empty element where null is given. */
  #emptyItem(schema: Schema, path: string, builtIn: boolean): unknown {
    if (!builtIn) return null;
    if (schema.type === 'struct') return this.struct({}, schema, path, builtIn);
    return isText(schema) ? '' : null;
  }

  #scalar(value: unknown, { scalar }: ScalarSchema, path: string): unknown {
    switch (scalar) {
      case 'quantity':
        return this.#quantity(value, path);
      case 'int-or-string':
        return typeof value === 'string' || Number.isInteger(value) ? value : this.#mismatch(value, 'intstr.IntOrString', path);
      case 'integer':
        return Number.isInteger(value) && Math.abs(value as number) <= LARGEST
          ? value
          : this.#mismatch(value, integerType(path), path);
      case 'number':
        return typeof value === 'number' ? value : this.#mismatch(value, 'float64', path);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(value, 'bool', path);
      case 'time':
        return this.#time(value, path);
      case 'bytes':
        return isBase64(value) ? value : this.#mismatch(value, 'base64', path);
      default:
        return typeof value === 'string' ? value : this.#mismatch(value, this.#textType(path), path);
    }
  }

  #listType(schema: Schema, path: string): string {
    return LIST_TYPES[`${this.#struct}.${path.split('.').at(-1)}`] ?? goType(schema);
  }

  #textType(path: string): string {
    return TEXT_TYPES[`${this.#struct}.${path.split('.').at(-1)}`] ?? 'string';
  }

  #time(value: unknown, path: string): unknown {
    if (typeof value !== 'string') return this.#mismatch(value, 'string', path);
    const isMicro = MICRO_TIMES.test(path);
    const problem = timeProblem(value, isMicro);
    if (problem === undefined) return inUtc(value, isMicro);
    this.#findings.mismatches.push(problem);
    return value;
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
    this.#findings.mismatches.push(
      expected === 'base64' && typeof value === 'string'
        ? `illegal base64 data at input byte ${illegalByte(value)}`
        : `json: cannot unmarshal ${jsonName(value)} into Go struct field ${this.#struct}.${goPath(this.#builtIn ? path : path.replace(/^metadata\./, ''))} of type ${expected}`,
    );
    return undefined;
  }
}

/** The largest whole number of any field. */
const LARGEST = 2 ** 63;

/** Whether a built-in kind leaves a value out: optional lists and maps without anything in them. */
function isOmitted(value: unknown, schema: Schema | undefined, required: boolean): boolean {
  if (required) return false;
  if (Array.isArray(value)) return value.length === 0;
  return schema?.type === 'map' && isRecord(value) && Object.keys(value).length === 0;
}

function jsonName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  // A number that is none of its type is told, one in place of something else is not.
  return typeof value === 'number' && (!Number.isInteger(value) || Math.abs(value) > LARGEST) ? `number ${value}` : typeof value;
}

/** A path without the keys of maps and the places of lists, which the server's reader doesn't tell. */
const goPath = (path: string): string => path.replaceAll(/\[[^\]]*\]/g, '');

/** Fields that are wider than the others. */
const WIDE = /(?:Seconds|generation|observedGeneration|runAsUser|runAsGroup|fsGroup)$/;
const NARROW =
  /(?:minReadySeconds|leaseDurationSeconds|progressDeadlineSeconds|periodSeconds|timeoutSeconds|initialDelaySeconds)$/;
const integerType = (path: string): string => (WIDE.test(path) && !NARROW.test(path) ? 'int64' : 'int32');

const GO_SCALARS: Readonly<Record<ScalarSchema['scalar'], string>> = {
  string: 'string',
  integer: 'int32',
  number: 'float64',
  boolean: 'bool',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  time: 'v1.Time',
  bytes: '[]uint8',
};

/** The type of a value in the server's code. */
function goType(schema: Schema): string {
  if (schema.type === 'list') return `[]${goType(schema.items)}`;
  if (schema.type === 'map') return `map[string]${goType(schema.values)}`;
  if (schema.type === 'struct') return schema.goName ?? 'object';
  return schema.type === 'scalar' ? GO_SCALARS[schema.scalar] : 'interface {}';
}

/** Where a text stops being base64. */
function illegalByte(text: string): number {
  const index = text.search(/[^A-Za-z0-9+/]/);
  return index < 0 ? text.length - (text.length % 4) : index;
}

/** Times that are written to the microsecond. */
const MICRO_TIMES = /(?:^|\.)(?:acquireTime|renewTime|eventTime|lastObservedTime)$/;

const DATE = [/^\d{4}/, /^-/, /^\d\d/, /^-/, /^\d\d/, /^T/, /^\d\d/, /^:/, /^\d\d/, /^:/, /^\d\d/] as const;
const DATE_PARTS = ['2006', '-', '01', '-', '02', 'T', '15', ':', '04', ':', '05'];

/** What Go's reader of times says of a text, reading it from the left. */
function timeProblem(text: string, isMicro: boolean): string | undefined {
  const layout = `2006-01-02T15:04:05${isMicro ? '.000000' : ''}Z07:00`;
  const problem = (where: string, part: string): string =>
    `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(where)} as ${JSON.stringify(part)}`;
  let rest = text;
  for (const [index, part] of DATE.entries()) {
    if (!part.test(rest)) return problem(rest, DATE_PARTS[index] ?? '');
    rest = rest.replace(part, '');
  }
  const fraction = isMicro ? /^\.\d{6}(?!\d)/ : /^(?:\.\d+)?/;
  if (!fraction.test(rest)) return problem(rest, '.000000');
  rest = rest.replace(fraction, '');
  return /^(?:Z|[+-]\d\d:\d\d)$/.test(rest) ? undefined : problem(rest, 'Z07:00');
}

function inUtc(text: string, isMicro: boolean): string {
  const [, start = '', fraction = '', zone = ''] = /^([^.]+?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (zone === 'Z' && (isMicro || fraction === '')) return text;
  return new Date(`${start}${zone}`).toISOString().replace(/\.\d+Z$/, `${isMicro ? fraction : ''}Z`);
}

/** Lists of such texts. */
const LIST_TYPES: Readonly<Record<string, string>> = { 'NamespaceSpec.finalizers': '[]v1.FinalizerName' };

/** Texts that have a type of their own in the server's code, as far as messages about them are common. */
const TEXT_TYPES: Readonly<Record<string, string>> = {
  'Secret.type': 'v1.SecretType',
  'ServiceSpec.type': 'v1.ServiceType',
  'ServiceSpec.sessionAffinity': 'v1.ServiceAffinity',
  'ServicePort.protocol': 'v1.Protocol',
  'PodSpec.restartPolicy': 'v1.RestartPolicy',
  'DeploymentStrategy.type': 'v1.DeploymentStrategyType',
};

/** Sets an own member, also for a name such as `__proto__` that an assignment would take for the prototype. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

const isText = (schema: Schema): boolean => schema.type === 'scalar' && schema.scalar === 'string';

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
  for (const name of schema.written ?? []) value[name] ??= null;
  return value;
}

/** What a built-in object without any field looks like: structs that are always there, and lists and structs that must be given as null. */
export function emptyObject(schema: StructSchema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of schema.names) {
    const field = schema.field(name);
    if (field === undefined || name === 'apiVersion' || name === 'kind') continue;
    if (field.zero && field.type === 'struct') result[name] = emptyObject(field);
    else if ((schema.required.has(name) || schema.written?.includes(name)) && field.type !== 'scalar') result[name] = null;
  }
  return result;
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}
