import type { StructuralSchema } from '../../kube/plain/index.ts';

/** One expression in CEL, and what it is about. */
export interface CelExpression {
  readonly text: string;
  /** The schema of what the expression calls `self`. */
  readonly schema: StructuralSchema;
  /** Whether that is a whole resource, whose type and names are seen whatever its schema says. */
  readonly isRoot: boolean;
  /** Whether `oldSelf` is an optional value, which also expressions about new objects can ask. */
  readonly optionalOldSelf: boolean;
  readonly result: 'bool' | 'string';
}

/** An expression that is ready to be evaluated. */
export interface CelProgram {
  readonly usesOldSelf: boolean;
  /** Evaluates the expression over JSON. It must end, at the latest when it has cost `limit`. */
  evaluate(values: CelValues, limit: number): CelAnswer;
}

/** What an expression is evaluated over. */
export interface CelValues {
  readonly self: unknown;
  /** `undefined` where there was nothing. */
  readonly oldSelf: unknown;
}

/** A value, or why there is none, in the words of Kubernetes; and what it cost to find out, in steps. */
export type CelAnswer =
  | { readonly ok: true; readonly value: unknown; readonly cost: number }
  | { readonly ok: false; readonly error: string; readonly cost: number };

/** A program, or what is wrong with the expression in the words of Kubernetes, or what this evaluator can't do though Kubernetes can. */
export type CelCompiled =
  | { readonly outcome: 'program'; readonly program: CelProgram }
  | { readonly outcome: 'problem'; readonly problem: string }
  | { readonly outcome: 'unsupported'; readonly feature: string };

/** Understands CEL, for the rules of CRDs. `clusterset/testing/cel` has one. */
export interface CelEvaluator {
  /** Reads an expression once. What is wrong with it is an answer, not an error. */
  compile(expression: CelExpression): CelCompiled;
}
