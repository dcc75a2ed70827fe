import { ParseError } from '@marcbachmann/cel-js';
import { callOf, children, isNode, type Node } from './syntax.ts';

/** What the library says of an expression. */
interface Complaint {
  readonly code: string;
  readonly summary: string;
  readonly node?: unknown;
  readonly range?: { readonly start: number };
}

const isComplaint = (error: unknown): error is Complaint =>
  error instanceof Error && 'code' in error && 'summary' in error && typeof error.summary === 'string';

/** What is wrong with an expression, in the words of cel-go where it has them. */
export function problemText(error: unknown, text: string, isKnown: (name: string) => boolean): string {
  if (!isComplaint(error)) return `compilation failed: ${error instanceof Error ? error.message : String(error)}`;
  const node = isNode(error.node) ? error.node : undefined;
  const at = positionOf(error, node, text);
  const words = error instanceof ParseError ? `Syntax error: ${syntaxProblem(error.summary)}` : typeProblem(error, node, isKnown);
  return `compilation failed: ERROR: ${placed(words, text, at)}`;
}

const OPERANDS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** What ends too early is said in cel-go's words; other mistakes in the library's. */
function syntaxProblem(summary: string): string {
  if (summary === 'Unexpected token: EOF') return `mismatched input '<EOF>' expecting ${OPERANDS}`;
  return summary === 'Expected RPAREN, got EOF' ? "missing ')' at '<EOF>'" : summary;
}

function typeProblem({ code, summary }: Complaint, node: Node | undefined, isKnown: (name: string) => boolean): string {
  const last = /: (.+)$/.exec(summary)?.[1] ?? '';
  switch (code) {
    case 'no_such_key':
      return `undefined field '${last}'`;
    case 'cannot_index_type':
      return `type '${typeText(/'(.+)'/.exec(summary)?.[1] ?? '')}' does not support field selection`;
    case 'unknown_variable':
      return `undeclared reference to '${last}' (in container '')`;
    case 'no_such_overload':
      return `found no matching overload for ${overload(last)}`;
    case 'no_matching_overload':
      return noFunction(summary, node, isKnown);
    case 'heterogeneous_list_element':
    case 'heterogeneous_map_key':
    case 'heterogeneous_map_value':
      return typeText(summary.replace(/^.*, expected/, 'expected'));
    case 'invalid_comprehension_range':
      return typeText(summary.replace(/^Expression/, 'expression').replace(/\.$/, ''));
    case 'incompatible_ternary_branches':
      return branches(summary);
    case 'invalid_logical_operand':
    case 'invalid_condition_type':
      return `expected type 'bool' but found '${typeText(/got '(.+)'$/.exec(summary)?.[1] ?? '')}'`;
    default:
      return typeText(summary);
  }
}

function branches(summary: string): string {
  const [, then = '', otherwise = ''] = /got '(.+)' and '(.+)'$/.exec(summary) ?? [];
  return `found no matching overload for '_?_:_' applied to '(bool, ${typeText(then)}, ${typeText(otherwise)})'`;
}

const typeText = (text: string): string => text.replaceAll('<', '(').replaceAll('>', ')');

/** `int == string` as cel-go writes it: `'_==_' applied to '(int, string)'`. */
function overload(text: string): string {
  const [, left = '', op = '', right = ''] = /^(.*?) ([-+*%/]|==|!=|<|<=|>|>=|in) (.*)$/.exec(text) ?? [];
  if (op === '') return `'${text.charAt(0)}_' applied to '(${typeText(text.slice(1))})'`;
  return `'${op === 'in' ? '@in' : `_${op}_`}' applied to '(${typeText(left)}, ${typeText(right)})'`;
}

function noFunction(summary: string, node: Node | undefined, isKnown: (name: string) => boolean): string {
  const found = node === undefined ? undefined : callOf(node);
  const [, receiver = '', args = ''] = /'(?:(.+)\.)?\w+\((.*)\)'$/.exec(summary) ?? [];
  if (found === undefined) return typeText(summary);
  if (!isKnown(found.name)) return `undeclared reference to '${found.name}' (in container '')`;
  const on = found.target === undefined ? '' : `${typeText(receiver)}.`;
  return `found no matching overload for '${found.name}' applied to '${on}(${typeText(args)})'`;
}

/** Where cel-go sees a problem: at the operator, the dot or the bracket. */
function positionOf({ range, code }: Complaint, node: Node | undefined, text: string): number {
  if (node === undefined) return range?.start ?? 0;
  return placeOf(code === 'invalid_logical_operand' ? (wrongOperand(node) ?? node) : node, text);
}

function wrongOperand(node: Node): Node | undefined {
  return children(node).find((child) => {
    const { checkedType } = child as Node & { readonly checkedType?: { isDynOrBool(): boolean } };
    return checkedType !== undefined && !checkedType.isDynOrBool();
  });
}

function placeOf(node: Node, text: string): number {
  if (node.op === '?:') return text.indexOf('?', operandEnd(node));
  if (node.op === '.' || node.op === '.?') return text.lastIndexOf('.', node.pos);
  if (node.op === 'rcall' || node.op === 'call') return text.indexOf('(', operandEnd(node));
  if (/^(?:[-+*%/]|==|!=|<|<=|>|>=|in)$/.test(node.op)) return text.indexOf(node.op, operandEnd(node));
  return node.pos;
}

function operandEnd({ args, start }: Node): number {
  const [first, second] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  if (isNode(first)) return first.end;
  return isNode(second) ? second.end : start;
}

/** A message about a place in an expression. */
export const problemAt = (words: string, text: string, node: Node): string =>
  `compilation failed: ERROR: ${placed(words, text, placeOf(node, text))}`;

/** A message with the line it is about and a mark below. */
function placed(words: string, text: string, at: number): string {
  const before = text.slice(0, Math.max(0, at)).split('\n');
  const column = (before.at(-1) ?? '').length;
  const line = text.split('\n')[before.length - 1] ?? '';
  return `<input>:${before.length}:${column + 1}: ${words}\n | ${line}\n | ${'.'.repeat(column)}^`;
}
