import type { Environment } from '@marcbachmann/cel-js';
import { everyNode, type Node } from './syntax.ts';

/** What the library's type checker says of types, as far as macros need it. */
interface CheckedType {
  readonly kind: string;
  readonly name: string;
  readonly keyType: CheckedType;
  readonly valueType: CheckedType;
  isDynOrBool(): boolean;
}

interface Context {
  forkWithVariable(name: string, type: CheckedType): Context;
}

interface Checker {
  check(node: Node, context: Context): CheckedType;
  getType(name: string): CheckedType;
  createError(code: string, message: string, node: Node): Error;
  readonly registry: {
    getListType(type: CheckedType): CheckedType;
    getMapType(key: CheckedType, value: CheckedType): CheckedType;
    getOptionalType(type: CheckedType): CheckedType;
  };
}

interface Expansion {
  readonly receiver: Node;
  readonly args: readonly Node[];
}

interface Typed extends Expansion {
  typeCheck(checker: Checker, macro: Expansion, context: Context): CheckedType;
  evaluate(): never;
}

/** The type of a macro's result: from the types of what it goes through, its keys, and of its last argument. */
type Result = (types: { range: CheckedType; key: CheckedType; body: CheckedType }, checker: Checker, node: Node) => CheckedType;

const bool: Result = ({ body }, checker, node) => {
  if (body.isDynOrBool()) return checker.getType('bool');
  throw checker.createError('invalid_condition_type', `expected type 'bool' but found '${body.name}'`, node);
};
const list: Result = ({ body }, checker) => checker.registry.getListType(body);
const map: Result = ({ key, body }, checker) => checker.registry.getMapType(key, body);
const sameBody: Result = ({ body }) => body;
const sameRange: Result = ({ range }) => range;

/** Macros that the library doesn't know: with one or two variables, and how many arguments in all. */
const MACROS: readonly (readonly [name: string, variables: 1 | 2, counts: readonly number[], result: Result])[] = [
  ['existsOne', 1, [2], bool],
  ['sortBy', 1, [2], sameRange],
  ['all', 2, [3], bool],
  ['exists', 2, [3], bool],
  ['exists_one', 2, [3], bool],
  ['existsOne', 2, [3], bool],
  ['transformList', 2, [3, 4], list],
  ['transformMap', 2, [3, 4], map],
  ['transformMapEntry', 2, [3, 4], sameBody],
];

/** Tells the type checker of Kubernetes' macros. */
export function registerMacros(environment: Environment): void {
  for (const [name, variables, counts, result] of MACROS) {
    for (const count of counts)
      register(environment, 'list', name, count, (checker, expansion, context) =>
        overRange(variables, result, checker, expansion, context),
      );
  }
  register(environment, 'optional', 'optMap', 2, (checker, expansion, context) =>
    checker.registry.getOptionalType(overOptional(checker, expansion, context)),
  );
  register(environment, 'optional', 'optFlatMap', 2, overOptional);
}

function register(environment: Environment, receiver: string, name: string, count: number, typeCheck: Typed['typeCheck']): void {
  const expand = ({ receiver: node, args }: Expansion): Typed => ({
    receiver: node,
    args,
    typeCheck,
    evaluate() {
      throw new Error('the library only checks types here');
    },
  });
  const parameters = Array.from({ length: count }, () => 'ast').join(', ');
  environment.registerFunction(`${receiver}.${name}(${parameters}): dyn`, expand as unknown as () => unknown);
}

function overRange(
  variables: 1 | 2,
  result: Result,
  checker: Checker,
  { receiver, args }: Expansion,
  context: Context,
): CheckedType {
  const range = checker.check(receiver, context);
  const [key, value] = partsOf(range, checker, receiver);
  const names = args.slice(0, variables).map((node) => variableOf(node, checker));
  const types = variables === 2 ? [key, value] : [range.kind === 'map' ? key : value];
  const inner = names.reduce((outer, name, at) => outer.forkWithVariable(name, types[at] ?? value), context);
  const bodies = args.slice(variables);
  const checked = bodies.map((node) => checker.check(node, inner));
  if (bodies.length === 2) bool({ range, key, body: checked[0] ?? range }, checker, bodies[0] ?? receiver);
  return result({ range, key, body: checked.at(-1) ?? range }, checker, receiver);
}

function partsOf(range: CheckedType, checker: Checker, node: Node): readonly [CheckedType, CheckedType] {
  if (range.kind === 'list') return [checker.getType('int'), range.valueType];
  if (range.kind === 'map') return [range.keyType, range.valueType];
  if (range.kind === 'dyn') return [range, range];
  const why = `expression of type '${range.name}' cannot be range of a comprehension (must be list, map, or dynamic)`;
  throw checker.createError('invalid_comprehension_range', why, node);
}

function variableOf(node: Node, checker: Checker): string {
  if (node.op === 'id') return String(node.args);
  throw checker.createError('invalid_macro_argument', 'argument must be a simple name', node);
}

function overOptional(checker: Checker, { receiver, args }: Expansion, context: Context): CheckedType {
  const optional = checker.check(receiver, context);
  const [variable, body] = args;
  if (variable === undefined || body === undefined) return optional;
  const inner = optional.kind === 'optional' ? optional.valueType : optional;
  return checker.check(body, context.forkWithVariable(variableOf(variable, checker), inner));
}

/** A problem with the field itself is one of the call. */
function checkField(checker: Checker, field: Node, call: Node, context: Context): void {
  try {
    checker.check(field, context);
  } catch (error) {
    const { code, summary, node } = error as { code?: string; summary?: string; node?: unknown };
    throw node === field && code !== undefined && summary !== undefined ? checker.createError(code, summary, call) : error;
  }
}

interface WithMeta extends Node {
  readonly meta: { macro?: Expansion & Pick<Typed, 'typeCheck'> };
}

/** The library lets `has()` ask for any field of an object; Kubernetes only for those of its schema. */
export function checkFieldsOfHas(root: Node): void {
  for (const node of everyNode(root)) {
    const { macro } = (node as WithMeta).meta;
    if (node.op !== 'call' || macro === undefined || (node.args as readonly unknown[])[0] !== 'has') continue;
    const { typeCheck } = macro;
    macro.typeCheck = (checker, expansion, context) => {
      const type = typeCheck(checker, expansion, context);
      const [field] = expansion.args;
      if (field !== undefined) checkField(checker, field, node, context);
      return type;
    };
  }
}
