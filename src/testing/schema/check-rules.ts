import { isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import { type FieldProblem, invalidValue, notImplemented, required } from '../api/failures.ts';
import type { CelCompiled, CelEvaluator } from './cel.ts';
import { parseFieldPath } from './field-path.ts';
import { type Rule, rulesOf } from './rules.ts';

const REASONS: readonly string[] = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

const hasBreaks = (text: string): boolean => /[\n\r]/.test(text);

/** What is wrong with the rules of one level of a schema, without reading their CEL. */
export function ruleShapeProblems(schema: StructuralSchema, path: string): readonly FieldProblem[] {
  return rulesOf(schema).flatMap((rule, index) => [
    ...textProblems(rule, `${path}.x-kubernetes-validations[${index}]`),
    ...fieldPathProblems(rule, schema, `${path}.x-kubernetes-validations[${index}]`),
  ]);
}

function textProblems({ rule = '', message = '', messageExpression = '', reason }: Rule, at: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const text = message.trim();
  if (rule.trim() === '') problems.push(required(`${at}.rule`, 'rule is not specified'));
  else if (message !== '' && text === '') {
    problems.push(invalidValue(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (hasBreaks(text)) problems.push(invalidValue(`${at}.message`, message, 'must not contain line breaks'));
  else if (hasBreaks(rule.trim()) && text === '') {
    problems.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    problems.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    const options = REASONS.map((each) => JSON.stringify(each)).join(', ');
    const body = `Unsupported value: ${JSON.stringify(reason)}: supported values: ${options}`;
    problems.push({ type: 'NotSupported', field: `${at}.reason`, body });
  }
  return problems;
}

function fieldPathProblems({ fieldPath = '' }: Rule, schema: StructuralSchema, at: string): readonly FieldProblem[] {
  if (fieldPath === '') return [];
  const problem = (detail: string): FieldProblem => invalidValue(`${at}.fieldPath`, fieldPath, detail);
  return [
    ...(fieldPath.trim() === '' ? [problem('must be non-empty if specified')] : []),
    ...(hasBreaks(fieldPath) ? [problem('must not contain line breaks')] : []),
    ...(parseFieldPath(fieldPath, schema) === undefined ? [problem('must be a valid path')] : []),
  ];
}

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  /** The first list or map on the way here whose elements can't be told from their old selves. */
  readonly uncorrelatable: string | undefined;
}

/** What is wrong with the CEL in a schema. @throws StatusError 501 without an evaluator, or where the evaluator can't do what a rule asks. */
export function ruleTextProblems(
  schema: StructuralSchema,
  path: string,
  evaluator: CelEvaluator | undefined,
): readonly FieldProblem[] {
  return level(schema, { path, isRoot: true, uncorrelatable: undefined }, evaluator);
}

function level(schema: StructuralSchema, place: Place, evaluator: CelEvaluator | undefined): readonly FieldProblem[] {
  const own = rulesOf(schema);
  if (own.length > 0 && evaluator === undefined) {
    const mend = 'give the cluster celEvaluator() of clusterset/testing/cel as its option "cel"';
    throw notImplemented(`validation rules in CEL (x-kubernetes-validations) by themselves: ${mend}`);
  }
  const problems = own.flatMap((rule, index) => {
    const at = `${place.path}.x-kubernetes-validations[${index}]`;
    return evaluator === undefined ? [] : expressionProblems(rule, schema, { ...place, path: at }, evaluator);
  });
  return [...below(schema, place, evaluator), ...problems];
}

function below(schema: StructuralSchema, place: Place, evaluator: CelEvaluator | undefined): readonly FieldProblem[] {
  const { path, uncorrelatable } = place;
  const go = (child: unknown, name: string, blocked: boolean): readonly FieldProblem[] => {
    if (!isRecord(child)) return [];
    const isRoot = child['x-kubernetes-embedded-resource'] === true;
    return level(
      child,
      { path: `${path}.${name}`, isRoot, uncorrelatable: uncorrelatable ?? (blocked ? path : undefined) },
      evaluator,
    );
  };
  const properties = Object.entries(isRecord(schema.properties) ? schema.properties : {});
  return [
    ...go(schema.additionalProperties, 'additionalProperties', false),
    ...properties.flatMap(([name, child]) => go(child, `properties[${name}]`, false)),
    ...go(schema.items, 'items', schema['x-kubernetes-list-type'] !== 'map'),
  ];
}

function expressionProblems(
  rule: Rule,
  schema: StructuralSchema,
  place: Place,
  evaluator: CelEvaluator,
): readonly FieldProblem[] {
  const { path, isRoot, uncorrelatable } = place;
  const about = { schema, isRoot, optionalOldSelf: rule.optionalOldSelf === true };
  const compiled = supported(evaluator.compile({ ...about, text: rule.rule, result: 'bool' }));
  if (compiled.outcome === 'problem') return [invalidRule(`${path}.rule`, rule, compiled.problem)];
  const expression = rule.messageExpression ?? '';
  const message = expression === '' ? undefined : supported(evaluator.compile({ ...about, text: expression, result: 'string' }));
  const problems: FieldProblem[] = [];
  if (message?.outcome === 'problem') {
    problems.push(
      invalidRule(
        `${path}.messageExpression`,
        rule,
        message.problem.replace(/^compilation failed/, 'messageExpression compilation failed'),
      ),
    );
  }
  if (compiled.program.usesOldSelf && uncorrelatable !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    problems.push(invalidValue(`${path}.rule`, rule.rule, why));
  } else if (!compiled.program.usesOldSelf && rule.optionalOldSelf !== undefined) {
    problems.push(invalidValue(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  }
  return problems;
}

function supported(compiled: CelCompiled): Exclude<CelCompiled, { outcome: 'unsupported' }> {
  if (compiled.outcome === 'unsupported') throw notImplemented(compiled.feature);
  return compiled;
}

/** The server shows the whole rule, with the names of its fields in Go. */
function invalidRule(field: string, rule: Rule, detail: string): FieldProblem {
  const shown = {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
  return { type: 'Invalid', field, body: `Invalid value: ${goJson(shown)}: ${detail}` };
}

/** Go escapes what HTML would read as marks. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
}
