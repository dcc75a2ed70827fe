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
  const owned: Owned = new Set();
  let result: unknown = document;
  for (let index = 0; index < steps.length; index += 1) {
    const step = steps[index];
    if (step === undefined) continue;
    try {
      result = applyStep(result, step, owned);
    } catch (error) {
      throw located(error, index);
    }
  }
  return result as T;
}

/** The containers that are copies already, so that they may be written to. */
type Owned = Set<unknown>;

function applyStep(document: unknown, { operation, path, from }: CompiledOperation, owned: Owned): unknown {
  let root = document;
  if (from !== undefined) root = operation.op === 'move' ? copied(root, from, true, owned) : checked(root, from);
  const mayBeNew = operation.op === 'add' || from !== undefined;
  root = operation.op === 'test' ? checked(root, path) : copied(root, path, !mayBeNew, owned);
  return jsonpatch.applyOperation(root, operation as jsonpatch.Operation, true, true, true).newDocument;
}

/** The document itself, where the pointer leads somewhere. */
function checked(document: unknown, pointer: Pointer): unknown {
  const stop = unresolved(document, pointer, true);
  if (stop !== undefined) throw doesNotResolve(stop.problem);
  return document;
}

/** The document with a copy in place of each container along the pointer, so that the last may be written to. */
function copied(document: unknown, pointer: Pointer, mustExist: boolean, owned: Owned): unknown {
  const root = ownedCopy(document, owned);
  const last = pointer.length - 1;
  let container = root;
  for (let depth = 0; depth <= last; depth += 1) {
    const token = pointer[depth] ?? '';
    const problem = stepProblem(container, token, depth === last && !mustExist);
    if (problem !== undefined) throw doesNotResolve(problem);
    if (depth === last) break;
    const parent = container as Record<string, unknown>;
    const child = parent[token];
    container = ownedCopy(child, owned);
    if (container !== child) parent[token] = container;
  }
  return root;
}

function ownedCopy(container: unknown, owned: Owned): unknown {
  if (typeof container !== 'object' || container === null || owned.has(container)) return container;
  const copy: unknown = Array.isArray(container) ? container.slice() : { ...container };
  owned.add(copy);
  return copy;
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
