import type { Meter } from './thunk.ts';
import {
  CelFailure,
  compare,
  Duration,
  equal,
  int,
  List,
  MapValue,
  noOverload,
  numeric,
  Struct,
  sameElement,
  Timestamp,
  Uint,
  uint,
  type Value,
} from './values.ts';

/** The field or entry of that name; `undefined` where there is none. */
export function select(value: Value, name: string, isOptional: boolean): Value | undefined {
  if (value instanceof Struct || value instanceof MapValue) return value.get(name);
  if (isOptional) return undefined;
  throw noOverload();
}

/** The element at an index or key; `undefined` where there is none. */
export function index(value: Value, key: Value, isOptional: boolean): Value | undefined {
  if (value instanceof List) {
    const at = numeric(key);
    if (at === undefined || !Number.isInteger(Number(at))) throw new CelFailure(`unsupported index type in list: ${String(key)}`);
    const item = value.items[Number(at)];
    if (item === undefined && !isOptional) throw new CelFailure(`index out of bounds: ${at}`);
    return item;
  }
  if (value instanceof MapValue) return value.get(key);
  if (value instanceof Struct && typeof key === 'string') return value.get(key);
  throw noOverload();
}

export function negate(value: Value): Value {
  if (typeof value === 'bigint') return int(-value);
  if (typeof value === 'number') return -value;
  throw noOverload();
}

type Operation = (a: Value, b: Value) => Value;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '==': (a, b) => equal(a, b),
  '!=': (a, b) => !equal(a, b),
  '<': (a, b) => compare(a, b) < 0,
  '<=': (a, b) => compare(a, b) <= 0,
  '>': (a, b) => compare(a, b) > 0,
  '>=': (a, b) => compare(a, b) >= 0,
  '+': add,
  '-': subtract,
  '*': (a, b) =>
    arithmetic(
      a,
      b,
      (x, y) => x * y,
      (x, y) => x * y,
    ),
  '/': (a, b) =>
    arithmetic(
      a,
      b,
      (x, y) => x / checkedDivisor(y, 'division by zero'),
      (x, y) => x / y,
    ),
  '%': (a, b) => arithmetic(a, b, (x, y) => x % checkedDivisor(y, 'modulus by zero')),
  in: (a, b) => contains(b, a),
};

/** An operator with two sides. */
export function binary(op: string, a: Value, b: Value, meter: Meter): Value {
  const operation = OPERATIONS[op];
  if (operation === undefined) throw new CelFailure(`unknown operator ${op}`);
  meter.spend(weight(a) + weight(b));
  return operation(a, b);
}

/** What it costs to look at a value, beside the look itself. */
export function weight(value: Value | undefined): number {
  if (typeof value === 'string') return value.length / 10;
  if (value instanceof List) return value.items.length;
  return value instanceof MapValue ? value.size : 0;
}

function checkedDivisor(value: bigint, message: string): bigint {
  if (value === 0n) throw new CelFailure(message);
  return value;
}

function arithmetic(a: Value, b: Value, whole: (a: bigint, b: bigint) => bigint, real?: (a: number, b: number) => number): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(whole(a, b));
  if (a instanceof Uint && b instanceof Uint) return uint(whole(a.value, b.value));
  if (typeof a === 'number' && typeof b === 'number' && real !== undefined) return real(a, b);
  throw noOverload();
}

function add(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (a instanceof List && b instanceof List) return join(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (a instanceof Duration && b instanceof Duration) return new Duration(int(a.ns + b.ns));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.ns + b.ns);
  return arithmetic(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  );
}

function subtract(a: Value, b: Value): Value {
  if (a instanceof Duration && b instanceof Duration) return new Duration(int(a.ns - b.ns));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(int(a.ns - b.ns));
  return arithmetic(
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
  );
}

/** Sets are united, lists with keys merged, other lists appended (Kubernetes' list types). */
function join(a: List, b: List): List {
  if (a.identity === 'atomic') return new List([...a.items, ...b.items]);
  const items = [...a.items];
  for (const item of b.items) {
    const at = items.findIndex((each) => sameElement(a, each, item));
    if (at < 0) items.push(item);
    else items[at] = item;
  }
  return new List(items, a.identity, a.keys);
}

function contains(container: Value, value: Value): boolean {
  if (container instanceof List) return container.items.some((item) => equal(item, value));
  if (container instanceof MapValue) return container.get(value) !== undefined;
  if (container instanceof Struct && typeof value === 'string') return container.get(value) !== undefined;
  throw noOverload();
}
