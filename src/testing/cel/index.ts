import type { CelCompiled, CelEvaluator, CelExpression, CelProgram, CelValues } from '../schema/cel.ts';
import { compile } from './compile.ts';
import { fromJson } from './convert.ts';
import { environmentFor } from './declare.ts';
import { SIGNATURES } from './functions/index.ts';
import { EndlessPattern } from './functions/regex.ts';
import { literalProblem } from './literals.ts';
import { checkFieldsOfHas } from './macro-types.ts';
import { problemText } from './problems.ts';
import { everyNode, type Node } from './syntax.ts';
import { Meter, type Scope, type Thunk } from './thunk.ts';
import { CelFailure, Optional, type Value } from './values.ts';

export type { CelAnswer, CelCompiled, CelEvaluator, CelExpression, CelProgram, CelValues } from '../schema/cel.ts';

/**
 * Understands the validation rules of CRDs, as kube-apiserver v1.36 does. Parsing and type checking are those of `@marcbachmann/cel-js`, which
 * must be installed; values, functions and texts are Kubernetes'.
 *
 * ```ts
 * const cluster = new OfflineCluster({ name: 'eu-1', cel: celEvaluator() });
 * ```
 */
export function celEvaluator(): CelEvaluator {
  return { compile: compileExpression };
}

const OPTIONAL_LITERAL = /[[{,(]\s*\?/;
const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...SIGNATURES.map((signature) => /(\w+)\(/.exec(signature)?.[1] ?? ''),
  ...'size contains startsWith endsWith matches lowerAscii upperAscii trim substring split join indexOf lastIndexOf'.split(' '),
  ...'int uint double string bool bytes duration timestamp type dyn has getHours getMinutes getSeconds getMilliseconds'.split(
    ' ',
  ),
]);

function compileExpression({ text, schema, isRoot, optionalOldSelf, result }: CelExpression): CelCompiled {
  const environment = environmentFor(schema, isRoot, optionalOldSelf);
  if (environment === undefined) return problem('failed to convert to declType for CEL validation rules');
  try {
    const parsed = environment.parse(text);
    const ast = parsed.ast as unknown as Node;
    checkFieldsOfHas(ast);
    const checked = parsed.check();
    if (!checked.valid) return refused(checked.error, text);
    const literal = literalProblem(ast, text);
    if (literal !== undefined) return problem(literal);
    if (checked.type !== result) {
      return problem(
        result === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string',
      );
    }
    const usesOldSelf = everyNode(ast).some((node) => node.op === 'id' && node.args === 'oldSelf');
    return { outcome: 'program', program: programOf(compile(ast), { schema, isRoot, optionalOldSelf, usesOldSelf }) };
  } catch (error) {
    return refused(error, text);
  }
}

const problem = (text: string): CelCompiled => ({ outcome: 'problem', problem: text });

function refused(error: unknown, text: string): CelCompiled {
  if (error instanceof EndlessPattern) return { outcome: 'unsupported', feature: error.message };
  const words = problemText(error, text, (name) => FUNCTION_NAMES.has(name));
  if (words.includes('Unexpected token: QUESTION') && OPTIONAL_LITERAL.test(text)) {
    return { outcome: 'unsupported', feature: 'optional elements in literals of lists and maps, in rules in CEL' };
  }
  return problem(words);
}

interface About extends Pick<CelExpression, 'schema' | 'isRoot' | 'optionalOldSelf'> {
  readonly usesOldSelf: boolean;
}

function programOf(run: Thunk, about: About): CelProgram {
  return {
    usesOldSelf: about.usesOldSelf,
    evaluate(values, limit) {
      const meter = new Meter(limit);
      try {
        return { ok: true, value: plain(run(scopeOf(values, about), meter)), cost: meter.spent };
      } catch (error) {
        return { ok: false, error: reason(error), cost: meter.spent };
      }
    },
  };
}

function reason(error: unknown): string {
  if (error instanceof CelFailure || error instanceof EndlessPattern) return error.message;
  // Rules can nest deeper than the stack.
  if (error instanceof RangeError) return 'operation cancelled: actual cost limit exceeded';
  throw error;
}

function scopeOf({ self, oldSelf }: CelValues, { schema, isRoot, optionalOldSelf, usesOldSelf }: About): Scope {
  const own: Scope = { name: 'self', value: fromJson(self, schema, isRoot), outer: undefined };
  if (!usesOldSelf) return own;
  const old = oldSelf === undefined || oldSelf === null ? undefined : fromJson(oldSelf, schema, isRoot);
  return { name: 'oldSelf', value: optionalOldSelf ? new Optional(old) : (old ?? null), outer: own };
}

const plain = (value: Value): unknown => (typeof value === 'object' ? null : value);
