import { apiVersionOf, BUILT_IN, type ResourceType } from '../../kube/plain/index.ts';
import { UNFEDERATED } from '../kinds/unfederated.ts';
import structures from './built-in-structures.json' with { type: 'json' };
import { ANY, type Schema, type StructSchema } from './schema.ts';

type Definition = Readonly<Record<string, string>>;
const DEFINITIONS = structures.definitions as unknown as Readonly<Record<string, Definition>>;

/** What is recorded of a built-in kind beside its structure. */
export interface BuiltInKind {
  readonly type: ResourceType;
  readonly schema: StructSchema;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

interface RecordedKind {
  readonly definition: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

/** The Kubernetes version that the structures were recorded from. */
export const RECORDED_VERSION: string = structures.version;

/** The built-in kinds that offline clusters serve. */
export function builtInKinds(): readonly BuiltInKind[] {
  const kinds = structures.kinds as unknown as Readonly<Record<string, RecordedKind>>;
  return [...BUILT_IN, ...UNFEDERATED].map((type) => {
    const { definition, ...rest } = kinds[`${apiVersionOf(type)}/${type.kind}`] ?? missing(type);
    return { type, ...rest, schema: structOf(definition) };
  });
}

function missing(type: ResourceType): never {
  throw new Error(`the structure of ${apiVersionOf(type)} ${type.kind} was not recorded: run scripts/record-structures.ts`);
}

const known = new Map<string, StructSchema>();

/** Optional lists that the server's code writes all the same; OpenAPI doesn't tell. */
const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  'rbac.v1.Role': ['rules'],
  'rbac.v1.ClusterRole': ['rules'],
  'discovery.v1.EndpointSlice': ['endpoints', 'ports'],
};

/** Definitions refer to each other, also in circles, so their fields are read when they are asked for. */
function structOf(name: string): StructSchema {
  const cached = known.get(name);
  if (cached !== undefined) return cached;
  const definition = DEFINITIONS[name] ?? {};
  const names = Object.keys(definition).filter((field) => field !== '');
  const fields = new Map<string, Schema>();
  const schema: StructSchema = {
    type: 'struct',
    goName: name.split('.').slice(-2).join('.'),
    written: WRITTEN[name] ?? [],
    names,
    required: new Set(names.filter((field) => definition[field]?.startsWith('!'))),
    atomic: definition[''] === 'atomic',
    preserve: false,
    field(field) {
      const code = Object.hasOwn(definition, field) && field !== '' ? definition[field] : undefined;
      if (code === undefined) return undefined;
      const read = fields.get(field) ?? readField(code);
      fields.set(field, read);
      return read;
    },
  };
  known.set(name, schema);
  return schema;
}

/**
 * Reads the code of a field: `!` for required, a type, then attributes after semicolons.
 * Types: `s` string, `i` integer, `n` number, `b` boolean, `q` quantity, `x` int-or-string, `t` time, `B` bytes, `o` anything, `@name` a
 * definition, `{}T` a map, `[]T` an atomic list, `[=]T` a set, `[a,b]T` a list with keys.
 * Attributes: `zero`, `d=…` default, `m=key` merged by strategic patches, `r` retain keys, `e=a|b` enum, `atomic`.
 */
function readField(code: string): Schema {
  const [type = 'o', ...attributes] = code.replace(/^!/, '').split(';');
  const value = (prefix: string): string | undefined =>
    attributes.find((attribute) => attribute.startsWith(prefix))?.slice(prefix.length);
  const fallback = value('d=');
  const mergeKey = value('m=');
  const options = value('e=');
  const retainKeys = attributes.includes('r');
  const base = readType(type, attributes.includes('atomic'));
  return {
    ...base,
    ...(base.type === 'struct' ? { field: base.field, names: base.names } : {}),
    ...(attributes.includes('zero') ? { zero: true } : {}),
    ...(fallback === undefined ? {} : { default: JSON.parse(fallback) as unknown }),
    ...(mergeKey === undefined && !retainKeys
      ? {}
      : { patch: { merge: mergeKey !== undefined, retainKeys, ...(mergeKey ? { mergeKey } : {}) } }),
    ...(options === undefined ? {} : { enum: options.split('|') }),
  } as Schema;
}

const SCALARS = {
  s: 'string',
  i: 'integer',
  n: 'number',
  b: 'boolean',
  q: 'quantity',
  x: 'int-or-string',
  t: 'time',
  B: 'bytes',
} as const;

function readType(code: string, atomic: boolean): Schema {
  if (code.startsWith('@')) return structOf(code.slice(1));
  if (code.startsWith('{}')) return { type: 'map', values: readType(code.slice(2), false), atomic };
  const list = /^\[([^\]]*)\](.*)$/.exec(code);
  if (list !== null) {
    const [, keys = '', items = ''] = list;
    const element = readType(items, false);
    if (keys === '') return { type: 'list', list: 'atomic', keys: [], items: element };
    return keys === '='
      ? { type: 'list', list: 'set', keys: [], items: element }
      : { type: 'list', list: 'map', keys: keys.split(','), items: element };
  }
  const scalar = SCALARS[code as keyof typeof SCALARS];
  return scalar === undefined ? ANY : { type: 'scalar', scalar };
}
