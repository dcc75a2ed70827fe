import { compile } from './compile.ts';
import { matcher } from './functions/regex.ts';
import { problemAt } from './problems.ts';
import { type Call, callOf, everyNode, type Node } from './syntax.ts';
import { Meter } from './thunk.ts';
import { readDuration, readTimestamp } from './time.ts';
import { CelFailure } from './values.ts';

const CONVERSIONS: ReadonlySet<string> = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'duration', 'timestamp']);

const textOf = (node: Node | undefined): string | undefined =>
  node?.op === 'value' && typeof node.args === 'string' ? node.args : undefined;

/** What Kubernetes finds wrong with an expression whose types are right: names that it doesn't know, and literals that mean nothing. */
export function literalProblem(root: Node, text: string): string | undefined {
  for (const node of everyNode(root)) {
    const call = callOf(node);
    const found =
      node.op === 'id' && node.args === 'cel'
        ? problemAt("undeclared reference to 'cel' (in container '')", text, node)
        : undefined;
    const problem = found ?? (call === undefined ? undefined : callProblem(call, node, text));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function callProblem(call: Call, node: Node, text: string): string | undefined {
  const { name, target, args } = call;
  const [first] = args;
  if (target !== undefined && /^(?:json|hex|base64|at)$/.test(name)) {
    return problemAt(`undeclared reference to '${name}' (in container '')`, text, node);
  }
  const literal = textOf(first);
  if (first !== undefined && literal !== undefined && !isUsable(name, literal))
    return problemAt(`invalid ${name} argument`, text, first);
  if (name === 'format' && target !== undefined) return formatProblem(target, first, node, text);
  return target === undefined && CONVERSIONS.has(name) && first?.op === 'value' ? conversionProblem(node) : undefined;
}

function isUsable(name: string, literal: string): boolean {
  if (name === 'duration') return readDuration(literal) !== undefined;
  if (name === 'timestamp') return readTimestamp(literal) !== undefined;
  return name !== 'matches' || isPattern(literal);
}

function isPattern(literal: string): boolean {
  try {
    matcher(literal);
    return true;
  } catch (error) {
    if (error instanceof CelFailure) return false;
    throw error;
  }
}

function formatProblem(template: Node, list: Node | undefined, node: Node, text: string): string | undefined {
  const literal = textOf(template);
  if (literal === undefined || list?.op !== 'list') return undefined;
  const wanted = [...literal.matchAll(/%(?:%|(?:\.\d+)?[a-zA-Z])/g)].filter(([clause]) => clause !== '%%').length;
  const given = (list.args as readonly Node[]).length;
  return wanted > given ? problemAt(`index ${given} out of range`, text, node) : undefined;
}

/** Conversions of literals are computed before anything else. */
function conversionProblem(node: Node): string | undefined {
  try {
    compile(node)(undefined, new Meter(1000));
    return undefined;
  } catch (error) {
    if (error instanceof CelFailure) return `program instantiation failed: ${error.message}`;
    throw error;
  }
}
