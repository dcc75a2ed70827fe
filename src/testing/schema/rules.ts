import { type AnyObject, isRecord, type StructuralSchema } from '../../kube/plain/index.ts';
import type { FieldProblem } from '../api/failures.ts';
import type { CelEvaluator, CelProgram } from './cel.ts';
import { Correlation, correlatedItem } from './correlation.ts';
import { parseFieldPath } from './field-path.ts';
import { ROOT, validate } from './validate.ts';

/** One rule of a schema (API: apiextensions ValidationRule). */
export interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** The rules that a schema states for its own level. */
export function rulesOf(schema: StructuralSchema): readonly Rule[] {
  const rules = schema['x-kubernetes-validations'];
  return Array.isArray(rules) ? (rules as readonly Rule[]) : [];
}

interface ReadyRule {
  readonly rule: Rule;
  readonly program: CelProgram;
  readonly message: CelProgram | undefined;
  /** Below the value that the rule is about. */
  readonly field: string;
}

/** A schema's rules, ready to be evaluated; levels without rules above or at them are left out. */
export interface RuleTree {
  readonly schema: StructuralSchema;
  readonly rules: readonly ReadyRule[];
  readonly allOf: readonly RuleTree[];
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly items: RuleTree | undefined;
  readonly additional: RuleTree | undefined;
}

const subschema = (value: unknown): StructuralSchema | undefined => (isRecord(value) ? value : undefined);
const isEmbedded = (schema: StructuralSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

/** Makes the rules of a CRD's schema ready. Rules that don't compile are left out: no CRD with such rules can be stored. */
export function compileRules(schema: StructuralSchema, evaluator: CelEvaluator): RuleTree | undefined {
  return treeOf(schema, schema, true, evaluator);
}

function treeOf(
  stated: StructuralSchema,
  schema: StructuralSchema,
  isRoot: boolean,
  evaluator: CelEvaluator,
): RuleTree | undefined {
  const below = (mine: unknown, its: unknown): RuleTree | undefined => {
    const [inner, node] = [subschema(mine), subschema(its)];
    return inner === undefined || node === undefined ? undefined : treeOf(inner, node, isEmbedded(node), evaluator);
  };
  const own = subschema(stated.properties) ?? {};
  const known = subschema(schema.properties) ?? {};
  const properties = Object.entries(own).flatMap(([name, property]) => {
    const tree = Object.hasOwn(known, name) ? below(property, known[name]) : undefined;
    return tree === undefined ? [] : [[name, tree] as const];
  });
  const allOf = (Array.isArray(stated.allOf) ? (stated.allOf as readonly unknown[]) : []).flatMap((each) => {
    const inner = subschema(each);
    const tree = inner === undefined ? undefined : treeOf(inner, schema, isRoot, evaluator);
    return tree === undefined ? [] : [tree];
  });
  const tree: RuleTree = {
    schema,
    rules: rulesOf(stated).flatMap((rule) => readyRule(rule, schema, isRoot, evaluator)),
    allOf,
    properties: new Map(properties),
    items: below(stated.items, schema.items),
    additional: below(stated.additionalProperties, schema.additionalProperties),
  };
  const isEmpty =
    tree.rules.length === 0 &&
    allOf.length === 0 &&
    properties.length === 0 &&
    tree.items === undefined &&
    tree.additional === undefined;
  return isEmpty ? undefined : tree;
}

function readyRule(rule: Rule, schema: StructuralSchema, isRoot: boolean, evaluator: CelEvaluator): readonly ReadyRule[] {
  const about = { schema, isRoot, optionalOldSelf: rule.optionalOldSelf === true };
  const program = (text: string, result: 'bool' | 'string'): CelProgram | undefined => {
    const compiled = evaluator.compile({ ...about, text, result });
    return compiled.outcome === 'program' ? compiled.program : undefined;
  };
  const made = program(rule.rule, 'bool');
  if (made === undefined) return [];
  const message = (rule.messageExpression ?? '') === '' ? undefined : program(rule.messageExpression ?? '', 'string');
  return [{ rule, program: made, message, field: parseFieldPath(rule.fieldPath ?? '', schema) ?? '' }];
}

/** What all rules of one object may cost together, and one rule alone, in steps (Kubernetes' runtime limits). */
const BUDGET = 10_000_000;
const CALL_LIMIT = 1_000_000;
const LONGEST_MESSAGE = 5 * 1024;

/** Problems that make it useless to ask the rules. */
const BLOCKING: ReadonlySet<FieldProblem['type']> = new Set(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid']);
const UNCHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/** What is wrong with a custom resource by its schema, and then by the rules of its schema. */
export function customProblems(
  object: AnyObject,
  old: AnyObject | undefined,
  { schema, rules }: { readonly schema: StructuralSchema; readonly rules: () => RuleTree | undefined },
  isStatus = false,
): readonly FieldProblem[] {
  const { metadata: _, ...body } = object;
  const problems = isStatus ? statusProblems(object.status, schema) : validate(body, schema);
  const tree = rules();
  if (tree === undefined) return problems;
  if (problems.some(({ type }) => BLOCKING.has(type))) return [...problems, { type: 'Invalid', field: '<nil>', body: UNCHECKED }];
  return [...problems, ...ruleProblems(tree, object, old)];
}

/** On its own way a status is looked at alone: messages name what is wrong from there on. */
function statusProblems(status: unknown, { properties }: StructuralSchema): readonly FieldProblem[] {
  const schema = subschema(subschema(properties)?.status);
  if (status === undefined || schema === undefined) return [];
  const below = (field: string): string =>
    field === '' || field === ROOT ? 'status' : `status${field.startsWith('[') ? '' : '.'}${field}`;
  return validate(status, schema).map((problem) => ({ ...problem, field: below(problem.field) }));
}

/** The rules that an object breaks. Rules about changes are asked where there is an old value; what was wrong before and hasn't changed passes. */
function ruleProblems(tree: RuleTree, value: unknown, old: unknown): readonly FieldProblem[] {
  const run = new Run();
  run.visit(tree, {
    path: '',
    value,
    old,
    correlation: old === undefined ? Correlation.none() : Correlation.of(value, old, tree.schema),
  });
  return run.problems;
}

interface Visit {
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
  readonly correlation: Correlation;
}

class Exhausted extends Error {}

class Run {
  readonly problems: FieldProblem[] = [];
  #budget = BUDGET;

  visit(tree: RuleTree, visit: Visit): void {
    try {
      this.#visit(tree, visit);
    } catch (error) {
      if (!(error instanceof Exhausted)) throw error;
    }
  }

  #visit(tree: RuleTree, visit: Visit): void {
    const { value, old, path, correlation } = visit;
    if (value === null || value === undefined) return;
    for (const rule of tree.rules) this.#rule(rule, tree, visit);
    for (const each of tree.allOf) this.#visit(each, { ...visit, correlation: correlation.withoutCurrent() });
    if (Array.isArray(value)) this.#items(tree, visit, value);
    else if (isRecord(value)) this.#members(tree, { ...visit, value }, isRecord(old) ? old : {}, path);
  }

  #items({ items, schema }: RuleTree, { path, old, correlation }: Visit, value: readonly unknown[]): void {
    if (items === undefined) return;
    value.forEach((item, index) => {
      const before = correlatedItem(schema, old, item);
      this.#visit(items, { path: `${path}[${index}]`, value: item, old: before, correlation: correlation.index(index) });
    });
  }

  #members(tree: RuleTree, { value, correlation }: Visit, old: Readonly<Record<string, unknown>>, path: string): void {
    for (const [name, member] of Object.entries(value as Readonly<Record<string, unknown>>)) {
      const property = tree.properties.get(name);
      const below = property ?? tree.additional;
      if (below === undefined) continue;
      const child = path === '' ? name : `${path}.${name}`;
      const at = property === undefined ? `${path}[${name}]` : child;
      const before = Object.hasOwn(old, name) ? old[name] : undefined;
      this.#visit(below, { path: at, value: member, old: before, correlation: correlation.key(name) });
    }
  }

  #rule(ready: ReadyRule, { schema }: RuleTree, { path, value, old, correlation }: Visit): void {
    const { rule, program } = ready;
    const hasOld = old !== undefined && old !== null;
    if (program.usesOldSelf && !hasOld && rule.optionalOldSelf !== true) return;
    const values = { self: value, oldSelf: hasOld ? old : undefined };
    const type = String(schema.type ?? '');
    const answer = program.evaluate(values, Math.min(CALL_LIMIT, this.#budget));
    this.#budget -= answer.cost;
    if (!answer.ok) this.#failed(answer.error, rule, path, type);
    if (!answer.ok || answer.value === true) return;
    // Rules about changes are asked again and again; others forgive what was there before.
    if (!program.usesOldSelf && correlation.isUnchanged) return;
    const at = ready.field === '' ? path : `${path === '' ? '' : `${path}.`}${ready.field}`;
    this.problems.push(broken(rule, at, type, value, this.#message(ready, values)));
  }

  #failed(error: string, rule: Rule, path: string, type: string): void {
    const named = ruleName(rule);
    if (error.startsWith('operation cancelled: actual cost limit exceeded')) {
      const text = `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${named}`;
      this.problems.push(invalidAt(path, type, text));
      throw new Exhausted();
    }
    const text = error.startsWith('no such overload')
      ? `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${named}`
      : `${error} evaluating rule: ${named}`;
    this.problems.push(invalidAt(path, type, text));
  }

  /** What the rule's own expression says, if it says something that fits in a line; else its message, or the rule itself. */
  #message({ rule, message }: ReadyRule, values: { readonly self: unknown; readonly oldSelf: unknown }): string {
    if (message !== undefined) {
      const answer = message.evaluate(values, Math.min(CALL_LIMIT, this.#budget));
      this.#budget -= answer.cost;
      const text = answer.ok && typeof answer.value === 'string' ? answer.value.trim() : '';
      if (text !== '' && !text.includes('\n') && text.length <= LONGEST_MESSAGE) return text;
    }
    return (rule.message ?? '') === '' ? `failed rule: ${ruleName(rule)}` : (rule.message ?? '').trim();
  }
}

const ruleName = ({ rule, message = '' }: Rule): string => (message === '' ? rule : message).trim();
const where = (path: string): string => (path === '' ? '<nil>' : path);

function invalidAt(path: string, shown: string, detail: string): FieldProblem {
  return { type: 'Invalid', field: where(path), body: `Invalid value: ${JSON.stringify(shown)}: ${detail}` };
}

/** The value is shown where it is short: not for objects and lists. */
function broken({ reason }: Rule, path: string, type: string, value: unknown, detail: string): FieldProblem {
  const field = where(path);
  const shown = type === 'object' || type === 'array' ? '' : `: ${JSON.stringify(value)}`;
  switch (reason) {
    case 'FieldValueForbidden':
      return { type: 'Forbidden', field, body: `Forbidden: ${detail}` };
    case 'FieldValueRequired':
      return { type: 'Required', field, body: `Required value: ${detail}` };
    case 'FieldValueDuplicate':
      return { type: 'Duplicate', field, body: `Duplicate value${shown}` };
    default:
      return { type: 'Invalid', field, body: `Invalid value${shown}: ${detail}` };
  }
}
