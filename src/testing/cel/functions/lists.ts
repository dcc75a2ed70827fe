import {
  CelFailure,
  compare,
  Duration,
  equal,
  int,
  List,
  MapValue,
  noOverload,
  Optional,
  Uint,
  uint,
  type Value,
} from '../values.ts';
import { type CelFunction, define, known, whole } from './function.ts';
import { textIndexOf, textLastIndexOf } from './strings.ts';

function items(value: Value | undefined): readonly Value[] {
  if (value instanceof List) return value.items;
  throw noOverload();
}

function sum(values: readonly Value[]): Value {
  const [first = 0n] = values;
  return values.slice(1).reduce<Value>((total, value) => {
    if (typeof total === 'bigint' && typeof value === 'bigint') return int(total + value);
    if (typeof total === 'number' && typeof value === 'number') return total + value;
    if (total instanceof Uint && value instanceof Uint) return uint(total.value + value.value);
    if (total instanceof Duration && value instanceof Duration) return new Duration(int(total.ns + value.ns));
    throw noOverload();
  }, first);
}

function extreme(values: readonly Value[], sign: 1 | -1, name: string): Value {
  const [first] = values;
  if (first === undefined) throw new CelFailure(`${name} called on empty list`);
  return values.reduce((best, value) => (compare(value, best) * sign > 0 ? value : best), first);
}

function flatten(values: readonly Value[], depth: number): readonly Value[] {
  if (depth === 0) return values;
  return values.flatMap((value) => (value instanceof List ? flatten(value.items, depth - 1) : [value]));
}

function slice(values: readonly Value[], from: number, to: number): List {
  if (from < 0 || to < 0) throw new CelFailure(`cannot slice(${from}, ${to}), negative indexes not supported`);
  if (from > to) throw new CelFailure(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`);
  if (to > values.length) throw new CelFailure(`cannot slice(${from}, ${to}), list is length ${values.length}`);
  return new List(values.slice(from, to));
}

function size(value: Value | undefined): bigint {
  if (typeof value === 'string') return BigInt([...value].length);
  if (value instanceof List) return BigInt(value.items.length);
  if (value instanceof MapValue) return BigInt(value.size);
  if (value instanceof Uint8Array) return BigInt(value.length);
  throw noOverload();
}

const isIn = (values: readonly Value[], value: Value): boolean => values.some((each) => equal(each, value));
const isZero = (value: Value): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  equal(value, 0n) ||
  (value instanceof List && value.items.length === 0) ||
  (value instanceof MapValue && value.size === 0);
const MOST = 1_000_000;

export const LIST_FUNCTIONS: readonly CelFunction[] = [
  known('size', ([value]) => size(value)),
  known('indexOf', ([value, part, from]) =>
    value instanceof List ? BigInt(value.items.findIndex((item) => equal(item, part ?? null))) : textIndexOf(value, part, from),
  ),
  known('lastIndexOf', ([value, part, from]) =>
    value instanceof List
      ? BigInt(value.items.findLastIndex((item) => equal(item, part ?? null)))
      : textLastIndexOf(value, part, from),
  ),
  define('indexOf', ['list<A>.indexOf(A): int'], () => null),
  define('lastIndexOf', ['list<A>.lastIndexOf(A): int'], () => null),
  define('isSorted', ['list<A>.isSorted(): bool'], ([list]) => {
    const all = items(list);
    return all.every((item, at) => at === 0 || compare(all[at - 1] ?? null, item) <= 0);
  }),
  define('sum', ['list<A>.sum(): A'], ([list]) => sum(items(list))),
  define('min', ['list<A>.min(): A'], ([list]) => extreme(items(list), -1, 'min')),
  define('max', ['list<A>.max(): A'], ([list]) => extreme(items(list), 1, 'max')),
  define('slice', ['list<A>.slice(int, int): list<A>'], ([list, from, to]) => slice(items(list), whole(from), whole(to))),
  define(
    'flatten',
    ['list<list<A>>.flatten(): list<A>', 'list<dyn>.flatten(int): list<dyn>'],
    ([list, depth]) => new List(flatten(items(list), depth === undefined ? 1 : whole(depth))),
  ),
  define('distinct', ['list<A>.distinct(): list<A>'], ([list], meter) => {
    const seen: Value[] = [];
    for (const item of items(list)) {
      meter.spend(seen.length);
      if (!isIn(seen, item)) seen.push(item);
    }
    return new List(seen);
  }),
  define('sort', ['list<A>.sort(): list<A>'], ([list]) => new List(items(list).toSorted(compare))),
  define('reverse', ['list<A>.reverse(): list<A>'], ([list]) => new List(items(list).toReversed())),
  define('first', ['list<A>.first(): optional<A>'], ([list]) => new Optional(items(list).at(0))),
  define('last', ['list<A>.last(): optional<A>'], ([list]) => new Optional(items(list).at(-1))),
  define('lists.range', ['ListsNamespace.range(int): list<int>'], ([count], meter) => {
    const length = Math.max(0, whole(count));
    meter.spend(Math.min(length, MOST));
    return new List(Array.from({ length: Math.min(length, MOST) }, (_, at) => BigInt(at)));
  }),
  define('sets.contains', ['SetsNamespace.contains(list<A>, list<A>): bool'], ([a, b], meter) => {
    meter.spend(items(a).length * items(b).length);
    return items(b).every((item) => isIn(items(a), item));
  }),
  define('sets.equivalent', ['SetsNamespace.equivalent(list<A>, list<A>): bool'], ([a, b], meter) => {
    meter.spend(items(a).length * items(b).length);
    return items(b).every((item) => isIn(items(a), item)) && items(a).every((item) => isIn(items(b), item));
  }),
  define('sets.intersects', ['SetsNamespace.intersects(list<A>, list<A>): bool'], ([a, b], meter) => {
    meter.spend(items(a).length * items(b).length);
    return items(b).some((item) => isIn(items(a), item));
  }),
  known('hasValue', ([value]) => optional(value).value !== undefined),
  known('value', ([value]) => {
    const inner = optional(value).value;
    if (inner === undefined) throw new CelFailure('optional.none() dereference');
    return inner;
  }),
  known('optional.none', () => new Optional(undefined)),
  known('optional.of', ([value]) => new Optional(value)),
  define(
    'optional.ofNonZeroValue',
    ['OptionalNamespace.ofNonZeroValue(A): optional<A>'],
    ([value]) => new Optional(value === undefined || isZero(value) ? undefined : value),
  ),
];

function optional(value: Value | undefined): Optional {
  if (value instanceof Optional) return value;
  throw noOverload();
}
