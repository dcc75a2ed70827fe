import { base64Encode } from '../../../kube/plain/index.ts';
import { type Field, type FieldType, fieldsOf, messageOf, type Special } from './messages.ts';
import { ProtobufError, Reader, type Wire, type WireValue } from './reader.ts';
import { floatOf, joined, microTimeOf, quantityOf, rawJson, textOf, timeOf } from './values.ts';

/** Structs within structs, as deep as a schema in a CRD may come to be. */
const DEEPEST = 400;
/** A body of 3 MiB can hold more empty structs than anybody should have to build. */
const MOST_STRUCTS = 250_000;

/** How much more may be built of a body. */
interface Budget {
  structs: number;
}

type Fields = Readonly<Record<string, unknown>>;
type Values = readonly WireValue[] | undefined;

/** An object of which protobuf says what kind it is. */
export interface Enveloped {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

const MAGIC = [0x6b, 0x38, 0x73, 0];

/** Opens the envelope of Kubernetes' protobuf: `k8s`, a zero, and a runtime.Unknown. */
export function openEnvelope(bytes: Uint8Array): Enveloped {
  if (bytes.length === 0) throw new ProtobufError('empty data');
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new ProtobufError(`provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(' ')}]`);
  }
  if (bytes.length === MAGIC.length) throw new ProtobufError('empty body');
  const unknown = valuesOf(bytes.subarray(MAGIC.length));
  const type = valuesOf(joined(unknown.get(1)));
  return { apiVersion: textOf(type.get(1)), kind: textOf(type.get(2)), raw: joined(unknown.get(2)) };
}

/**
 * The object that a message of a kind stands for, with the fields that Go writes to JSON: also such as are empty, where they aren't left out.
 * `undefined` where the kind isn't known.
 */
export function decodeObject({ apiVersion, kind, raw }: Enveloped): Fields | undefined {
  const message = messageOf(apiVersion, kind);
  if (message === undefined) return undefined;
  return { apiVersion, kind, ...struct(message, raw, { structs: MOST_STRUCTS }, 0) };
}

/** The values of a message by field. */
function valuesOf(bytes: Uint8Array): ReadonlyMap<number, readonly WireValue[]> {
  const values = new Map<number, WireValue[]>();
  new Reader(bytes).eachField((field, value) => {
    const list = values.get(field);
    if (list === undefined) values.set(field, [value]);
    else list.push(value);
  });
  return values;
}

function struct(message: string, bytes: Uint8Array, budget: Budget, depth: number): Fields {
  budget.structs -= 1;
  if (budget.structs < 0) throw new ProtobufError(`proto: more than ${MOST_STRUCTS} messages in one body`);
  if (depth > DEEPEST) throw new ProtobufError('proto: exceeded max recursion depth');
  const values = valuesOf(bytes);
  const entries: (readonly [string, unknown])[] = [];
  for (const field of fieldsOf(message)) {
    const own = values.get(field.number);
    if (isOmitted(field, own)) continue;
    const value = new Decoder(budget, depth).value(field.type, own);
    if (field.name === '<') entries.push(...Object.entries(value as Fields));
    else entries.push([field.name, value]);
  }
  // A key may be called __proto__: it stays a key.
  return Object.fromEntries(entries);
}

function isOmitted({ omits, type }: Field, values: Values): boolean {
  if (omits === '') return false;
  if (omits === '!') return type.code === 't' ? timeOf(joined(values)) === null : values === undefined;
  switch (type.code) {
    case '*':
    case '[]':
    case '{}':
      return values === undefined;
    case 's':
    case 'y':
      return (values?.at(-1)?.bytes.length ?? 0) === 0;
    case 'i':
    case 'b':
      return (values?.at(-1)?.number ?? 0) === 0;
    case 'f':
      return floatOf(values) === 0;
    default:
      // Structs are never empty, whatever is in them.
      return false;
  }
}

const WIRES: Readonly<Record<string, Wire>> = { i: 0, b: 0, f: 1 };

/** Reads values of one struct. */
class Decoder {
  readonly #budget: Budget;
  readonly #depth: number;

  constructor(budget: Budget, depth: number) {
    this.#budget = budget;
    this.#depth = depth;
  }

  /** What JSON has for a field; for one that isn't there, what it has for the zero value. */
  value(type: FieldType, values: Values): unknown {
    switch (type.code) {
      case '@':
        return struct(type.name, joined(values), this.#budget, this.#depth + 1);
      case '*':
        return values === undefined ? null : this.value(type.of, values);
      case '[]':
        return values === undefined ? null : this.#list(type.of, values);
      case '{}':
        return values === undefined ? null : this.#map(type.of, values);
      case 'w':
        return this.value({ code: '[]', of: type.of }, valuesOf(joined(values)).get(1));
      default:
        checkWire(values, WIRES[type.code] ?? 2);
        return this.#single(type.code, values);
    }
  }

  #list(type: FieldType, values: readonly WireValue[]): unknown {
    if (type.code !== 'i') return values.map((value) => this.value(type, [value]));
    return values.flatMap(({ wire, number, bytes }) => {
      if (wire === 0) return [number];
      const numbers: number[] = [];
      new Reader(bytes).eachNumber((each) => numbers.push(each));
      return numbers;
    });
  }

  #map(type: FieldType, values: readonly WireValue[]): unknown {
    checkWire(values, 2);
    return Object.fromEntries(
      values.map(({ bytes }) => {
        const entry = valuesOf(bytes);
        // Bytes that are empty are there, in contrast to those of a field.
        const value = type.code === 'y' ? base64Encode(joined(entry.get(2))) : this.value(type, entry.get(2));
        return [textOf(entry.get(1)), value];
      }),
    );
  }

  #single(code: 's' | 'i' | 'b' | 'y' | 'f' | Special, values: Values): unknown {
    const last = values?.at(-1);
    switch (code) {
      case 's':
        return textOf(values);
      case 'i':
        return last?.number ?? 0;
      case 'b':
        return (last?.number ?? 0) !== 0;
      case 'f':
        return floatOf(values);
      case 'y':
        return last === undefined ? null : base64Encode(last.bytes);
      case 't':
        return timeOf(joined(values));
      case 'm':
        return microTimeOf(joined(values));
      default:
        return this.#special(code, joined(values));
    }
  }

  #special(code: Exclude<Special, 't' | 'm'>, bytes: Uint8Array): unknown {
    const fields = valuesOf(bytes);
    switch (code) {
      case 'q':
        return quantityOf(fields.get(1));
      case 'r':
        return rawJson(joined(fields.get(1)));
      case 'x':
        return (fields.get(1)?.at(-1)?.number ?? 0) === 0 ? (fields.get(2)?.at(-1)?.number ?? 0) : textOf(fields.get(3));
      case 'A':
        return fields.has(2) ? this.#list(SCHEMA, fields.get(2) ?? []) : this.#schema(fields.get(1));
      case 'B':
        return fields.has(2) ? this.#schema(fields.get(2)) : (fields.get(1)?.at(-1)?.number ?? 0) !== 0;
      default:
        return fields.has(2) ? this.#list({ code: 's' }, fields.get(2) ?? []) : this.#schema(fields.get(1));
    }
  }

  #schema(values: Values): unknown {
    return this.value({ code: '*', of: SCHEMA }, values);
  }
}

const SCHEMA: FieldType = { code: '@', name: 'apiextensions.v1.JSONSchemaProps' };

function checkWire(values: Values, wanted: Wire): void {
  const wrong = values?.find(({ wire }) => wire !== wanted);
  if (wrong !== undefined) throw new ProtobufError(`proto: wrong wireType = ${wrong.wire}`);
}
