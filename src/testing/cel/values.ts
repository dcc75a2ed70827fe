/** What CEL computes with. Numbers of JavaScript are doubles, bigints are ints, as in the language's specification. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | List
  | MapValue
  | Struct
  | Duration
  | Timestamp
  | Optional
  | TypeValue
  | Opaque;

/** Why an expression has no value, in the words of cel-go. */
export class CelFailure extends Error {
  override readonly name = 'CelFailure';
}

export const noOverload = (): CelFailure => new CelFailure('no such overload');

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A list; those with an identity of their elements are equal in any order (Kubernetes' list types). */
export class List {
  readonly items: readonly Value[];
  readonly identity: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  constructor(items: readonly Value[], identity: List['identity'] = 'atomic', keys: readonly string[] = []) {
    this.items = items;
    this.identity = identity;
    this.keys = keys;
  }
}

export class MapValue {
  readonly #entries = new Map<string, readonly [key: Value, value: Value]>();
  constructor(entries: Iterable<readonly [Value, Value]>) {
    for (const entry of entries) this.#entries.set(keyText(entry[0]), entry);
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(keyText(key))?.[1];
  }
  entries(): readonly (readonly [key: Value, value: Value])[] {
    return [...this.#entries.values()];
  }
}

/** An object with a schema: its fields are known, those that aren't set can't be read. */
export class Struct {
  readonly #read: (name: string) => Value | undefined;
  readonly #names: readonly string[];
  readonly #known = new Map<string, Value | undefined>();
  constructor(names: readonly string[], read: (name: string) => Value | undefined) {
    this.#names = names;
    this.#read = read;
  }
  get(name: string): Value | undefined {
    if (!this.#known.has(name)) this.#known.set(name, this.#read(name));
    return this.#known.get(name);
  }
  /** Names of the fields that are set. */
  names(): readonly string[] {
    return this.#names.filter((name) => this.get(name) !== undefined);
  }
}

export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** Nanoseconds since 1970. */
export class Timestamp {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Optional {
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export class TypeValue {
  readonly type: string;
  constructor(type: string) {
    this.type = type;
  }
}

/** A value of one of Kubernetes' libraries. Two are the same if their texts are. */
export class Opaque {
  readonly type: string;
  readonly content: unknown;
  readonly text: string;
  constructor(type: string, content: unknown, text: string) {
    this.type = type;
    this.content = content;
    this.text = text;
  }
}

function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === 'number') return `n${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  throw new CelFailure(`unsupported key type: ${typeName(key)}`);
}

const CLASSES: readonly (readonly [new (...args: never) => object, string])[] = [
  [Uint8Array, 'bytes'],
  [Uint, 'uint'],
  [List, 'list'],
  [MapValue, 'map'],
  [Struct, 'object'],
  [Duration, 'google.protobuf.Duration'],
  [Timestamp, 'google.protobuf.Timestamp'],
  [Optional, 'optional_type'],
  [TypeValue, 'type'],
];

/** The name of a value's type, as `type()` says it. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    default:
      if (value === null) return 'null_type';
      return value instanceof Opaque ? value.type : (CLASSES.find(([type]) => value instanceof type)?.[1] ?? 'unknown');
  }
}

/** The number behind an int, a uint or a double. */
export function numeric(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Whether two values are equal: numbers by what they are worth, other values of different types never. */
export function equal(a: Value, b: Value): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a double by their worth.
  if (x !== undefined && y !== undefined) return x == y;
  if (a instanceof List) return b instanceof List && equalLists(a, b);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b);
  if (a instanceof Struct) return b instanceof Struct && equalStructs(a, b);
  return equalAtoms(a, b);
}

function equalAtoms(a: Value, b: Value): boolean {
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.type === b.type;
  if (a instanceof Opaque) return b instanceof Opaque && a.type === b.type && a.text === b.text;
  if (!(a instanceof Optional)) return a === b;
  if (!(b instanceof Optional)) return false;
  return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value);
}

function equalLists(a: List, b: List): boolean {
  if (a.items.length !== b.items.length) return false;
  const free = a.identity === 'atomic' ? b : a;
  if (free.identity === 'atomic') return a.items.every((item, index) => equal(item, b.items[index] ?? null));
  const other = free === a ? b : a;
  return other.items.every((item) => free.items.some((each) => sameElement(free, each, item) && equal(each, item)));
}

/** Whether two elements stand for the same thing in a list with an identity. */
export function sameElement(list: List, a: Value, b: Value): boolean {
  if (list.identity !== 'map') return equal(a, b);
  if (!(a instanceof Struct && b instanceof Struct)) return false;
  return list.keys.every((key) => equal(a.get(key) ?? null, b.get(key) ?? null));
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  return a.entries().every(([key, value]) => {
    const other = b.get(key);
    return other !== undefined && equal(value, other);
  });
}

function equalStructs(a: Struct, b: Struct): boolean {
  const names = a.names();
  if (names.length !== b.names().length) return false;
  return names.every((name) => {
    const [x, y] = [a.get(name), b.get(name)];
    return x !== undefined && y !== undefined && equal(x, y);
  });
}

/** Which of two values comes first: negative, 0 or positive; not a number if they have no order. */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return order(x, y);
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Duration && b instanceof Duration) return order(a.ns, b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return order(a.ns, b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  throw noOverload();
}

function order(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a double by their worth.
  return a == b ? 0 : Number.NaN;
}

/** By code points, which is the order of the bytes in UTF-8. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [[...a], [...b]];
  const length = Math.min(x.length, y.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (x[index]?.codePointAt(0) ?? 0) - (y[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

export function int(value: bigint): bigint {
  if (value < LOWEST || value > HIGHEST) throw new CelFailure('integer overflow');
  return value;
}

export function uint(value: bigint): Uint {
  if (value < 0n || value >= 2n ** 64n) throw new CelFailure('unsigned integer overflow');
  return new Uint(value);
}
