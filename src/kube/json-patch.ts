import jsonpatch from 'fast-json-patch';
import { ClustersetError } from './errors.ts';
import type { Json } from './object.ts';
import { FORBIDDEN_TOKENS, isIndex, memberOf, type Pointer, parsePointer } from './pointer.ts';

/** One operation of a JSON Patch (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** A JSON Patch whose pointers are read: apply it to as many documents as you like. */
export interface CompiledPatch {
  readonly steps: readonly CompiledOperation[];
}

/** An operation with its pointers read. */
export interface CompiledOperation {
  readonly operation: JsonPatchOperation;
  readonly path: Pointer;
  readonly from: Pointer | undefined;
}

/**
 * Reads the pointers of a JSON Patch.
 *
 * @throws ClustersetError `Invalid` for the first that is none, with its place in `field`: `[1].path`.
 */
export function compileJsonPatch(operations: readonly JsonPatchOperation[]): CompiledPatch {
  const steps = operations.map((operation, index) => {
    try {
      const from = operation.op === 'move' || operation.op === 'copy' ? safePointer(operation.from) : undefined;
      return { operation, path: safePointer(operation.path), from };
    } catch (error) {
      throw located(error, index);
    }
  });
  return { steps };
}

/**
 * Reads a pointer that nobody can reach a prototype with.
 *
 * @throws ClustersetError `Invalid` for a pointer that is none, and for one through `__proto__`, `constructor` or `prototype`.
 */
export function safePointer(text: string): Pointer {
  const pointer = parsePointer(text);
  const forbidden = pointer.find((token) => FORBIDDEN_TOKENS.has(token));
  if (forbidden === undefined) return pointer;
  throw new ClustersetError({ code: 'Invalid', message: `${JSON.stringify(forbidden)} is not allowed in a pointer` });
}

/**
 * Applies a JSON Patch to a document and returns the new document. The old one is untouched, and the new one shares with it all that no
 * operation passes through. Stricter than most engines: pointers are checked by RFC 6901 (own members, indices without leading zeros), and
 * nothing reaches a prototype.
 *
 * @throws ClustersetError `Invalid` for the first operation that can't be carried out, with its place in `field`: `[1].path`.
 */
export function applyJsonPatch<T>(document: T, patch: CompiledPatch | readonly JsonPatchOperation[]): T {
  const { steps } = 'steps' in patch ? patch : compileJsonPatch(patch);
  const draft = new Draft(document);
  for (let index = 0; index < steps.length; index += 1) {
    const step = steps[index];
    if (step === undefined) continue;
    try {
      applyStep(draft, step);
    } catch (error) {
      throw located(error, index);
    }
  }
  return draft.root as T;
}

const FEW = 16;

/** A document that is written to: what is written to is copied before, and once. */
class Draft {
  root: unknown;
  /** The containers that are copies already: a list as long as they are few, which is quicker than a set. */
  readonly #owned: unknown[] = [];
  readonly #ownedToo = new Set<unknown>();

  constructor(document: unknown) {
    this.root = document;
  }

  /** What holds the place that a pointer leads to, copied as everything above it is. */
  parentOf(pointer: Pointer, mustExist: boolean): unknown {
    this.root = this.#own(this.root);
    const last = pointer.length - 1;
    let container = this.root;
    for (let depth = 0; depth < last; depth += 1) {
      const token = pointer[depth] ?? '';
      const problem = stepProblem(container, token, false);
      if (problem !== undefined) throw doesNotResolve(problem);
      const parent = container as Record<string, unknown>;
      const child = parent[token];
      container = this.#own(child);
      if (container !== child) parent[token] = container;
    }
    const problem = last < 0 ? undefined : stepProblem(container, pointer[last] ?? '', !mustExist);
    if (problem !== undefined) throw doesNotResolve(problem);
    return container;
  }

  #own(container: unknown): unknown {
    if (typeof container !== 'object' || container === null || this.#isOwned(container)) return container;
    const copy: unknown = Array.isArray(container) ? container.slice() : { ...container };
    if (this.#owned.length < FEW) this.#owned.push(copy);
    else this.#ownedToo.add(copy);
    return copy;
  }

  #isOwned(container: unknown): boolean {
    return this.#owned.includes(container) || (this.#ownedToo.size > 0 && this.#ownedToo.has(container));
  }
}

function applyStep(draft: Draft, { operation, path, from }: CompiledOperation): void {
  if (operation.op === 'move') draft.parentOf(from ?? [], true);
  else if (from !== undefined) mustResolve(draft.root, from);
  if (operation.op === 'test') {
    mustResolve(draft.root, path);
  } else {
    const parent = draft.parentOf(path, from === undefined && operation.op !== 'add');
    if (from === undefined && path.length > 0 && written(parent, path.at(-1) ?? '', operation)) return;
  }
  draft.root = evaluate(draft.root, operation);
}

/**
 * Writes to a place that was found and checked, without another walk from the root. Whatever isn't one plain write, or has no value where it
 * needs one, is left to the engine.
 */
function written(parent: unknown, token: string, operation: JsonPatchOperation): boolean {
  const { op } = operation;
  if (op === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(token), 1);
    else delete (parent as Record<string, unknown>)[token];
    return true;
  }
  if ((op !== 'add' && op !== 'replace') || operation.value === undefined) return false;
  if (!Array.isArray(parent)) (parent as Record<string, unknown>)[token] = operation.value;
  else if (op === 'replace') parent[Number(token)] = operation.value;
  else parent.splice(token === '-' ? parent.length : Number(token), 0, operation.value);
  return true;
}

function evaluate(document: unknown, operation: JsonPatchOperation): unknown {
  return jsonpatch.applyOperation(document, operation as jsonpatch.Operation, true, true, true).newDocument;
}

function mustResolve(document: unknown, pointer: Pointer): void {
  const stop = unresolved(document, pointer, true);
  if (stop !== undefined) throw doesNotResolve(stop.problem);
}

/** Why a step of a pointer can't be taken. */
export interface Unresolved {
  /** How many tokens could be followed. */
  readonly depth: number;
  readonly problem: string;
}

/**
 * Where a pointer stops resolving in a document, or nothing where it resolves. With `mustExist` the last token too must lead somewhere;
 * without, it may name a new member, an index up to the list's length, or `-`, the place behind the last. Inherited members don't count.
 */
export function unresolved(document: unknown, pointer: Pointer, mustExist: boolean): Unresolved | undefined {
  let container: unknown = document;
  for (let depth = 0; depth < pointer.length; depth += 1) {
    const token = pointer[depth] ?? '';
    const isLast = depth === pointer.length - 1;
    const problem = stepProblem(container, token, isLast && !mustExist);
    if (problem !== undefined) return { depth, problem };
    container = memberOf(container, token);
  }
  return undefined;
}

function stepProblem(container: unknown, token: string, mayBeNew: boolean): string | undefined {
  if (typeof container !== 'object' || container === null) return 'its parent is neither an object nor a list';
  if (!Array.isArray(container)) {
    return mayBeNew || Object.hasOwn(container, token) ? undefined : `there is no field ${JSON.stringify(token)}`;
  }
  if (mayBeNew && token === '-') return undefined;
  if (!isIndex(token)) return `${JSON.stringify(token)} is no index of a list`;
  const limit = mayBeNew ? container.length : container.length - 1;
  return Number(token) <= limit ? undefined : `index ${token} is out of range: the list has ${container.length} elements`;
}

function doesNotResolve(problem: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `the pointer does not resolve: ${problem}` });
}

function located(error: unknown, index: number): ClustersetError {
  const field = `[${index}].path`;
  if (error instanceof ClustersetError) return error.with({ field });
  const name = error instanceof Error ? error.name : '';
  const message = name === 'TEST_OPERATION_FAILED' ? 'the test failed' : `the operation can't be applied (${name || 'unknown'})`;
  return new ClustersetError({ code: 'Invalid', message, field, cause: error });
}
