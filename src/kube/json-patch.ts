import jsonpatch from 'fast-json-patch';
import { ClustersetError } from './errors.ts';
import type { Json } from './object.ts';
import { FORBIDDEN_TOKENS, isIndex, memberOf, type Pointer, parsePointer } from './pointer.ts';

/** One operation of a JSON Patch (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/**
 * Applies a JSON Patch to a document and returns the new document. The old one is untouched, and the new one shares with it all that no
 * operation passes through. Stricter than most engines: pointers are checked by RFC 6901 (own members, indices without leading zeros), and
 * nothing reaches a prototype.
 *
 * @throws ClustersetError `Invalid` for the first operation that can't be carried out, with its place in `field`: `[1].path`.
 */
export function applyJsonPatch<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  let result: unknown = document;
  const owned = new Set<unknown>();
  operations.forEach((operation, index) => {
    try {
      result = applyOperation(result, operation, owned);
    } catch (error) {
      throw located(error, index);
    }
  });
  return result as T;
}

/** Why a step of a pointer can't be taken. */
export interface Unresolved {
  /** How many tokens could be followed. */
  readonly depth: number;
  readonly problem: string;
}

function applyOperation(document: unknown, operation: JsonPatchOperation, owned: Set<unknown>): unknown {
  const path = parsePointer(operation.path);
  const holder = { document };
  if (operation.op === 'move' || operation.op === 'copy') {
    const from = parsePointer(operation.from);
    ensureResolves(document, from, true);
    if (operation.op === 'move') own(holder, from, owned);
  }
  ensureResolves(document, path, operation.op !== 'add' && operation.op !== 'move' && operation.op !== 'copy');
  own(holder, path, owned);
  const outcome = jsonpatch.applyOperation(holder.document, operation as jsonpatch.Operation, true, true, true);
  return outcome.newDocument;
}

/**
 * Where a pointer stops resolving in a document, or nothing where it resolves. With `mustExist` the last token too must lead somewhere;
 * without, it may name a new member, an index up to the list's length, or `-`, the place behind the last.
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
  if (FORBIDDEN_TOKENS.has(token)) return `${JSON.stringify(token)} is not allowed in a pointer`;
  if (typeof container !== 'object' || container === null) return 'its parent is neither an object nor a list';
  if (!Array.isArray(container)) {
    return mayBeNew || Object.hasOwn(container, token) ? undefined : `there is no field ${JSON.stringify(token)}`;
  }
  if (mayBeNew && token === '-') return undefined;
  if (!isIndex(token)) return `${JSON.stringify(token)} is no index of a list`;
  const limit = mayBeNew ? container.length : container.length - 1;
  return Number(token) <= limit ? undefined : `index ${token} is out of range: the list has ${container.length} elements`;
}

function ensureResolves(document: unknown, pointer: Pointer, mustExist: boolean): void {
  const stop = unresolved(document, pointer, mustExist);
  if (stop === undefined) return;
  throw new ClustersetError({ code: 'Invalid', message: `the pointer does not resolve: ${stop.problem}` });
}

/** Puts a copy in place of each container along the pointer, unless this patch made it. */
function own(holder: { document: unknown }, pointer: Pointer, owned: Set<unknown>): void {
  holder.document = copyOnce(holder.document, owned);
  let container = holder.document;
  for (const token of pointer.slice(0, -1)) {
    const copy = copyOnce(memberOf(container, token), owned);
    (container as Record<string, unknown>)[token] = copy;
    container = copy;
  }
}

function copyOnce(container: unknown, owned: Set<unknown>): unknown {
  if (typeof container !== 'object' || container === null || owned.has(container)) return container;
  const copy: unknown = Array.isArray(container) ? [...container] : { ...container };
  owned.add(copy);
  return copy;
}

function located(error: unknown, index: number): ClustersetError {
  const field = `[${index}].path`;
  if (error instanceof ClustersetError) return error.with({ field });
  const name = error instanceof Error ? error.name : '';
  const message = name === 'TEST_OPERATION_FAILED' ? 'the test failed' : `the operation can't be applied (${name || 'unknown'})`;
  return new ClustersetError({ code: 'Invalid', message, field, cause: error });
}
