import recorded from '../../schema/protobuf-messages.json' with { type: 'json' };

/** What a field holds. */
export type FieldType =
  /** A text, an integer, a truth, bytes, a floating number, and the types that are written to JSON in a way of their own. */
  | { readonly code: Scalar | Special }
  /** A message of this name. */
  | { readonly code: '@'; readonly name: string }
  /** A pointer, a list, a map with texts as keys, a list in a message of its own. */
  | { readonly code: '*' | '[]' | '{}' | 'w'; readonly of: FieldType };

/** Text, integer, boolean, bytes, floating number. */
type Scalar = 's' | 'i' | 'b' | 'y' | 'f';

/** Time, MicroTime, Quantity, IntOrString, raw JSON, and what stands for a schema or for several, a boolean, or names. */
export type Special = 't' | 'm' | 'q' | 'x' | 'r' | 'A' | 'B' | 'S';

/** A field of a message. */
export interface Field {
  readonly number: number;
  /** In JSON; `<` where the fields of the message stand among those of the one around it. */
  readonly name: string;
  /** What is left out of JSON: nothing, what is empty, or what is zero (Go: omitempty, omitzero). */
  readonly omits: '' | '?' | '!';
  readonly type: FieldType;
}

const CODES: Readonly<Record<string, string>> = recorded.messages;
const KINDS: Readonly<Record<string, string>> = recorded.kinds;
const known = new Map<string, readonly Field[]>();

/** The name of the message of a kind. Options for deletion are a kind of every group. */
export function messageOf(apiVersion: string, kind: string): string | undefined {
  const name = `${kind === 'DeleteOptions' ? 'v1' : apiVersion}/${kind}`;
  return Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}

/** The fields of a recorded message, in the order of JSON. */
export function fieldsOf(message: string): readonly Field[] {
  const cached = known.get(message);
  if (cached !== undefined) return cached;
  const code = CODES[message] ?? '';
  const fields = code === '' ? [] : code.split(' ').map(readField);
  known.set(message, fields);
  return fields;
}

function readField(code: string): Field {
  const [, number, omits, name, type] = /^(\d+)([?!]?)([^:]+):(.+)$/.exec(code) ?? [];
  return { number: Number(number), omits: (omits ?? '') as Field['omits'], name: name ?? '', type: readType(type ?? '') };
}

function readType(code: string): FieldType {
  if (code.startsWith('@')) return { code: '@', name: code.slice(1) };
  for (const wrapper of ['*', '[]', '{}', 'w'] as const) {
    if (code.startsWith(wrapper)) return { code: wrapper, of: readType(code.slice(wrapper.length)) };
  }
  return { code: code as Scalar | Special };
}
