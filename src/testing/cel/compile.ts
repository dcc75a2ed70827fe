import { call } from './functions/index.ts';
import { compileMacro } from './macros.ts';
import { binary, index, negate, select } from './operators.ts';
import { callOf, type Node } from './syntax.ts';
import { attempt, type Thunk } from './thunk.ts';
import { CelFailure, List, MapValue, noOverload, Optional, TypeValue, Uint, type Value } from './values.ts';

const TYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  bytes: 'bytes',
  double: 'double',
  int: 'int',
  list: 'list',
  map: 'map',
  null_type: 'null_type',
  string: 'string',
  type: 'type',
  uint: 'uint',
};

/** Makes functions of a syntax tree. */
export function compile(node: Node): Thunk {
  const run = compileNode(node);
  return (scope, meter) => {
    meter.spend(1);
    return run(scope, meter);
  };
}

function compileNode(node: Node): Thunk {
  switch (node.op) {
    case 'value':
      return constant(literal(node.args));
    case 'id':
      return identifier(String(node.args));
    case '.':
    case '.?':
      return access(node);
    case '[]':
    case '[?]':
      return indexed(node);
    case '&&':
    case '||':
      return logical(node);
    case '?:':
      return conditional(node);
    case 'list':
      return listOf(node.args as readonly Node[]);
    case 'map':
      return mapOf(node.args as readonly (readonly [Node, Node])[]);
    case '!_':
      return not(node.args as Node);
    case '-_':
      return minus(node.args as Node);
    case 'call':
    case 'rcall':
      return calls(node);
    default:
      return operator(node);
  }
}

const constant =
  (value: Value): Thunk =>
  () =>
    value;

/** The library has classes of its own for what JavaScript has no literal for. */
function literal(value: unknown): Value {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof value === 'object' && value !== null) return new Uint(BigInt(String(value)));
  return value as Value;
}

function identifier(name: string): Thunk {
  const type = TYPES[name];
  return (scope) => {
    for (let here = scope; here !== undefined; here = here.outer) if (here.name === name) return here.value;
    if (type !== undefined) return new TypeValue(type);
    throw new CelFailure(`no such attribute(s): ${name}`);
  };
}

/** `google.protobuf.Timestamp` and its like name types. */
const TYPE_NAMES = /^(?:google\.protobuf\.(?:Timestamp|Duration))$/;

function access(node: Node): Thunk {
  const [left, name] = node.args as [Node, string];
  const written = node.input.slice(node.start, node.end).replaceAll(/\s/g, '');
  if (TYPE_NAMES.test(written)) return constant(new TypeValue(written));
  const target = compile(left);
  if (node.op === '.?') return (scope, meter) => optionally(target(scope, meter), (value) => select(value, name, true));
  return (scope, meter) => {
    const value = target(scope, meter);
    return value instanceof Optional
      ? optionally(value, (inner) => select(inner, name, true))
      : required(select(value, name, false), name);
  };
}

function indexed(node: Node): Thunk {
  const [left, right] = node.args as [Node, Node];
  const [target, key] = [compile(left), compile(right)];
  return (scope, meter) => {
    const value = target(scope, meter);
    const at = key(scope, meter);
    if (node.op === '[?]' || value instanceof Optional) return optionally(value, (inner) => index(inner, at, true));
    return required(index(value, at, false), at);
  };
}

function required(value: Value | undefined, key: Value): Value {
  if (value === undefined) throw new CelFailure(`no such key: ${String(key)}`);
  return value;
}

function optionally(value: Value, read: (value: Value) => Value | undefined): Value {
  const inner = value instanceof Optional ? value.value : value;
  return new Optional(inner === undefined ? undefined : read(inner));
}

/** An error on one side doesn't matter where the other decides. */
function logical(node: Node): Thunk {
  const [left, right] = (node.args as [Node, Node]).map(compile) as [Thunk, Thunk];
  const decides = node.op === '||';
  return (scope, meter) => {
    const first = attempt(left, scope, meter);
    if (first === decides) return decides;
    const second = attempt(right, scope, meter);
    if (second === decides) return decides;
    if (first instanceof CelFailure) throw first;
    if (second instanceof CelFailure) throw second;
    if (typeof first !== 'boolean' || typeof second !== 'boolean') throw noOverload();
    return !decides;
  };
}

function conditional(node: Node): Thunk {
  const [condition, then, otherwise] = (node.args as [Node, Node, Node]).map(compile) as [Thunk, Thunk, Thunk];
  return (scope, meter) => {
    const value = condition(scope, meter);
    if (typeof value !== 'boolean') throw noOverload();
    return value ? then(scope, meter) : otherwise(scope, meter);
  };
}

function listOf(nodes: readonly Node[]): Thunk {
  const items = nodes.map(compile);
  return (scope, meter) => new List(items.map((item) => item(scope, meter)));
}

function mapOf(nodes: readonly (readonly [Node, Node])[]): Thunk {
  const entries = nodes.map(([key, value]) => [compile(key), compile(value)] as const);
  return (scope, meter) => {
    const pairs = entries.map(([key, value]) => [key(scope, meter), value(scope, meter)] as const);
    const map = new MapValue(pairs);
    if (map.size < pairs.length) throw new CelFailure('insert failed: key already exists');
    return map;
  };
}

function not(node: Node): Thunk {
  const inner = compile(node);
  return (scope, meter) => {
    const value = inner(scope, meter);
    if (typeof value !== 'boolean') throw noOverload();
    return !value;
  };
}

function minus(node: Node): Thunk {
  const inner = compile(node);
  return (scope, meter) => negate(inner(scope, meter));
}

function operator(node: Node): Thunk {
  const [left, right] = (node.args as [Node, Node]).map(compile) as [Thunk, Thunk];
  const { op } = node;
  return (scope, meter) => binary(op, left(scope, meter), right(scope, meter), meter);
}

function calls(node: Node): Thunk {
  const found = callOf(node);
  if (found === undefined) throw new CelFailure(`unknown operator ${node.op}`);
  const macro = compileMacro(found, compile);
  if (macro !== undefined) return macro;
  const target = found.target === undefined ? undefined : compile(found.target);
  const args = found.args.map(compile);
  return (scope, meter) => {
    const on = target?.(scope, meter);
    const given = args.map((arg) => arg(scope, meter));
    return call(found.name, on, given, meter);
  };
}
