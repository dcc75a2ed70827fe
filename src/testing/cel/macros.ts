import { select } from './operators.ts';
import type { Call, Node } from './syntax.ts';
import { attempt, type Meter, type Scope, type Thunk } from './thunk.ts';
import { CelFailure, compare, List, MapValue, noOverload, Optional, type Value } from './values.ts';

type Compile = (node: Node) => Thunk;
type Step = (scope: Scope, meter: Meter, item: Value) => void;
type Body = (bodies: readonly Thunk[]) => (each: (step: Step) => void, meter: Meter) => Value;

/** The names and pairs that a macro goes through: one name sees items or keys, two see indices or keys, and values. */
interface Range {
  readonly pairs: readonly (readonly [key: Value, value: Value])[];
  readonly isMap: boolean;
}

function rangeOf(value: Value): Range {
  if (value instanceof List) return { pairs: value.items.map((item, at) => [BigInt(at), item] as const), isMap: false };
  if (value instanceof MapValue) return { pairs: value.entries(), isMap: true };
  throw noOverload();
}

class Found {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

/** `all` and `exists`: an element that decides makes errors of others unimportant. */
function quantifier(decides: boolean): Body {
  return ([predicate]) =>
    (each, meter) => {
      const failures: CelFailure[] = [];
      each((scope) => {
        const value = predicate === undefined ? decides : attempt(predicate, scope, meter);
        if (value === decides) throw new Found(decides);
        failures.push(...failureOf(value));
      });
      const [failure] = failures;
      if (failure !== undefined) throw failure;
      return !decides;
    };
}

function failureOf(value: Value | CelFailure): readonly CelFailure[] {
  if (value instanceof CelFailure) return [value];
  return typeof value === 'boolean' ? [] : [noOverload()];
}

const existsOne: Body =
  ([predicate]) =>
  (each, meter) => {
    let count = 0;
    each((scope) => {
      if (isTrue(predicate, scope, meter)) count += 1;
    });
    return count === 1;
  };

const isTrue = (predicate: Thunk | undefined, scope: Scope, meter: Meter): boolean => predicate?.(scope, meter) === true;

const transformList: Body = (bodies) => (each, meter) => {
  const [filter, transform] = bodies.length === 2 ? bodies : [undefined, bodies[0]];
  const items: Value[] = [];
  each((scope) => {
    if (filter === undefined || isTrue(filter, scope, meter)) items.push(transform?.(scope, meter) ?? null);
  });
  return new List(items);
};

const filter: Body =
  ([predicate]) =>
  (each, meter) => {
    const items: Value[] = [];
    each((scope, _, item) => {
      if (isTrue(predicate, scope, meter)) items.push(item);
    });
    return new List(items);
  };

const transformMap: Body = (bodies) => (each, meter) => {
  const [condition, transform] = bodies.length === 2 ? bodies : [undefined, bodies[0]];
  const entries: (readonly [Value, Value])[] = [];
  each((scope, _, key) => {
    if (condition === undefined || isTrue(condition, scope, meter)) entries.push([key, transform?.(scope, meter) ?? null]);
  });
  return new MapValue(entries);
};

const transformMapEntry: Body = (bodies) => (each, meter) => {
  const [condition, transform] = bodies.length === 2 ? bodies : [undefined, bodies[0]];
  const entries: (readonly [Value, Value])[] = [];
  each((scope) => {
    if (condition !== undefined && !isTrue(condition, scope, meter)) return;
    const made = transform?.(scope, meter);
    if (!(made instanceof MapValue)) throw noOverload();
    entries.push(...made.entries());
  });
  const map = new MapValue(entries);
  if (map.size < entries.length) throw new CelFailure('insert failed: key already exists');
  return map;
};

const sortBy: Body =
  ([key]) =>
  (each, meter) => {
    const keyed: { key: Value; item: Value }[] = [];
    each((scope, _, item) => void keyed.push({ key: key?.(scope, meter) ?? null, item }));
    return new List(keyed.toSorted((a, b) => compare(a.key, b.key)).map(({ item }) => item));
  };

interface Macro {
  readonly variables: 1 | 2;
  readonly bodies: readonly number[];
  readonly body: Body;
}

const one = (body: Body, ...bodies: number[]): Macro => ({ variables: 1, bodies, body });
const two = (body: Body, ...bodies: number[]): Macro => ({ variables: 2, bodies, body });

/** Macros over lists and maps, by name: those with one variable, and those with two. */
const MACROS: Readonly<Record<string, readonly Macro[]>> = {
  all: [one(quantifier(false), 1), two(quantifier(false), 1)],
  exists: [one(quantifier(true), 1), two(quantifier(true), 1)],
  exists_one: [one(existsOne, 1), two(existsOne, 1)],
  existsOne: [one(existsOne, 1), two(existsOne, 1)],
  map: [one(transformList, 1, 2)],
  filter: [one(filter, 1)],
  sortBy: [one(sortBy, 1)],
  transformList: [two(transformList, 1, 2)],
  transformMap: [two(transformMap, 1, 2)],
  transformMapEntry: [two(transformMapEntry, 1, 2)],
};

/** What a macro computes, or nothing for an ordinary call. */
export function compileMacro(call: Call, compile: Compile): Thunk | undefined {
  const { name, target, args } = call;
  if (target === undefined) return name === 'has' ? has(args, compile) : undefined;
  if (name === 'or' || name === 'orValue') return otherwise(call, target, compile);
  if (name === 'optMap' || name === 'optFlatMap') return optionalMap(call, target, compile);
  const macro = MACROS[name]?.find(({ variables, bodies }) => bodies.includes(args.length - variables));
  return macro === undefined ? undefined : overRange(macro, target, args, compile);
}

function overRange(macro: Macro, target: Node, args: readonly Node[], compile: Compile): Thunk {
  const bind = binder(args.slice(0, macro.variables).map((node) => String(node.args)));
  const range = compile(target);
  const body = macro.body(args.slice(macro.variables).map(compile));
  return (outer, meter) => {
    const { pairs, isMap } = rangeOf(range(outer, meter));
    const each = (step: Step): void => {
      for (const pair of pairs) {
        meter.spend(1);
        const { scope, item } = bind(pair, isMap, outer);
        step(scope, meter, item);
      }
    };
    try {
      return body(each, meter);
    } catch (found) {
      if (found instanceof Found) return found.value;
      throw found;
    }
  };
}

type Bind = (
  pair: readonly [key: Value, value: Value],
  isMap: boolean,
  outer: Scope | undefined,
) => { readonly scope: Scope; readonly item: Value };

/** Gives a step its variables: one of items or keys, or two of indices or keys, and values. */
function binder([first = '', second]: readonly string[]): Bind {
  if (second === undefined) {
    return ([key, value], isMap, outer) => {
      const item = isMap ? key : value;
      return { scope: { name: first, value: item, outer }, item };
    };
  }
  return ([key, value], _, outer) => ({
    scope: { name: second, value, outer: { name: first, value: key, outer } },
    item: key,
  });
}

/** `has(a.b)`: whether b is set. */
function has([arg]: readonly Node[], compile: Compile): Thunk | undefined {
  if (arg === undefined || (arg.op !== '.' && arg.op !== '.?')) return undefined;
  const [left, name] = arg.args as [Node, string];
  const target = compile(left);
  return (scope, meter) => {
    const value = target(scope, meter);
    if (!(value instanceof Optional)) return select(value, name, arg.op === '.?') !== undefined;
    return value.value !== undefined && select(value.value, name, true) !== undefined;
  };
}

function otherwise({ name, args }: Call, target: Node, compile: Compile): Thunk | undefined {
  const [arg] = args;
  if (arg === undefined) return undefined;
  const [optional, fallback] = [compile(target), compile(arg)];
  return (scope, meter) => {
    const value = optional(scope, meter);
    if (!(value instanceof Optional)) throw noOverload();
    if (value.value === undefined) return fallback(scope, meter);
    return name === 'or' ? value : value.value;
  };
}

function optionalMap({ name, args }: Call, target: Node, compile: Compile): Thunk | undefined {
  const [variable, body] = args;
  if (variable === undefined || body === undefined) return undefined;
  const [optional, transform] = [compile(target), compile(body)];
  return (outer, meter) => {
    const value = optional(outer, meter);
    if (!(value instanceof Optional)) throw noOverload();
    if (value.value === undefined) return value;
    const result = transform({ name: String(variable.args), value: value.value, outer }, meter);
    return name === 'optMap' ? new Optional(result) : result;
  };
}
