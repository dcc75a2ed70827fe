import { Environment } from '@marcbachmann/cel-js';
import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import { isEmbedded, visibleProperties } from './convert.ts';
import { OPAQUE_TYPES, SIGNATURES } from './functions/index.ts';
import { registerMacros } from './macro-types.ts';
import { escapeName } from './names.ts';
import { NAMESPACES } from './syntax.ts';

const nothing = (): null => null;

let base: Environment | undefined;

/** What all rules know: Kubernetes' functions and types. Only types matter here, so the functions do nothing. */
function baseEnvironment(): Environment {
  if (base !== undefined) return base;
  const made = new Environment({ enableOptionalTypes: true });
  for (const type of OPAQUE_TYPES) {
    made.registerType(type, { ctor: class {}, fields: {} });
    made.registerOperator(`${type} == ${type}`, () => true);
  }
  for (const name of NAMESPACES) {
    if (name === 'optional') continue;
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Namespace`;
    const space = class {};
    made.registerType(type, space);
    made.registerConstant(name, type, new space());
  }
  made.registerOperator('bytes < bytes', () => true);
  made.registerOperator('bytes <= bytes', () => true);
  made.registerOperator('bytes > bytes', () => true);
  made.registerOperator('bytes >= bytes', () => true);
  for (const signature of SIGNATURES) registerIfNew(made, signature);
  registerMacros(made);
  base = made;
  return made;
}

/** What the library knows already, in this version or a later one, it needn't be told. */
function registerIfNew(environment: Environment, signature: string): void {
  try {
    environment.registerFunction(signature, nothing);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('overlaps'))) throw error;
  }
}

const environments = new WeakMap<StructuralSchema, Map<string, Environment>>();

/** An environment in which `self` and `oldSelf` have the type of a schema; nothing where the schema says too little for rules. */
export function environmentFor(schema: StructuralSchema, isRoot: boolean, optionalOldSelf: boolean): Environment | undefined {
  const known = environments.get(schema) ?? new Map<string, Environment>();
  environments.set(schema, known);
  const key = `${isRoot} ${optionalOldSelf}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = baseEnvironment().clone();
  const type = new Declarer(made).typeOf(schema, isRoot);
  if (type === undefined) return undefined;
  made.registerVariable('self', type);
  made.registerVariable('oldSelf', optionalOldSelf ? `optional<${type}>` : type);
  known.set(key, made);
  return made;
}

const STRING_FORMATS: Readonly<Record<string, string>> = {
  byte: 'bytes',
  duration: 'google.protobuf.Duration',
  date: 'google.protobuf.Timestamp',
  'date-time': 'google.protobuf.Timestamp',
};
const SIMPLE: Readonly<Record<string, string>> = { boolean: 'bool', number: 'double', integer: 'int' };

/** Tells an environment of the types of a schema. */
class Declarer {
  readonly #environment: Environment;
  #count = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The name of a schema's type; nothing for what rules can't see. */
  typeOf(schema: StructuralSchema, isRoot = isEmbedded(schema)): string | undefined {
    if (schema['x-kubernetes-int-or-string'] === true) return 'dyn';
    switch (isRoot ? 'object' : schema.type) {
      case 'object':
        return this.#object(schema, isRoot);
      case 'array': {
        const items = isRecord(schema.items) ? this.typeOf(schema.items) : undefined;
        return items === undefined ? undefined : `list<${items}>`;
      }
      case 'string':
        return STRING_FORMATS[String(schema.format ?? '')] ?? 'string';
      default:
        return SIMPLE[String(schema.type)];
    }
  }

  #object(schema: StructuralSchema, isRoot: boolean): string | undefined {
    if (!isRoot && isRecord(schema.additionalProperties)) {
      const values = this.typeOf(schema.additionalProperties);
      return values === undefined ? undefined : `map<string, ${values}>`;
    }
    this.#count += 1;
    const name = `object.T${this.#count}`;
    const fields: Record<string, string> = {};
    for (const [property, below] of visibleProperties(schema, isRoot)) {
      const escaped = escapeName(property);
      const type = this.typeOf(below);
      if (escaped !== undefined && type !== undefined) fields[escaped] = type;
    }
    this.#environment.registerType(name, { ctor: class {}, fields });
    this.#environment.registerOperator(`${name} == ${name}`, () => true);
    this.#environment.registerOperator(`${name} == null`, () => true);
    return name;
  }
}
