import {
  type AnyObject,
  applyJsonPatch,
  failure,
  isClustersetError,
  isRecord,
  type JsonPatchOperation,
  valueAt,
} from '../../kube/plain/index.ts';
import { badRequest, StatusError } from './failures.ts';

const MOST_OPERATIONS = 10_000;

/** A JSON patch, as the server's library reads it, which is more lenient than RFC 6902. `isStrict` where fields are validated. */
export function jsonPatched(target: AnyObject, given: unknown, isStrict: boolean): unknown {
  const operations = given ?? [];
  if (!Array.isArray(operations)) {
    const why = `json: cannot unmarshal ${isRecord(operations) ? 'object' : typeof operations} into Go value of type`;
    throw badRequest(isStrict ? `error decoding patch: ${why} []handlers.jsonPatchOp` : `${why} jsonpatch.Patch`);
  }
  if (operations.length > MOST_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${operations.length}`);
  }
  if (isStrict) for (const operation of operations) checkOperation(operation);
  const copied = { bytes: 0 };
  try {
    return operations.reduce<unknown>((object, operation) => step(object, rooted(operation), copied), target);
  } catch (error) {
    // Copies may come to be too large, or deeper than the stack.
    if (!isClustersetError(error) && !(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    // The server doesn't say which operation it was, nor why.
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    });
  }
}

function tooLarge(why: string): StatusError {
  const { details: _, ...status } = failure('RequestEntityTooLarge', `Request entity too large: ${why}`);
  return new StatusError(status);
}

/** @throws StatusError 400 for what can't be read as an operation. */
function checkOperation(operation: unknown): void {
  if (operation === null) return;
  if (!isRecord(operation)) throw undecoded(operation, 'value of type handlers.jsonPatchOp');
  for (const field of ['op', 'from', 'path']) {
    const value = operation[field] ?? '';
    if (typeof value !== 'string') throw undecoded(value, `struct field jsonPatchOp.${field} of type string`);
  }
}

function undecoded(value: unknown, what: string): StatusError {
  const type = typeof value === 'boolean' ? 'bool' : typeof value;
  return badRequest(`error decoding patch: json: cannot unmarshal ${Array.isArray(value) ? 'array' : type} into Go ${what}`);
}

/** A merge patch without the nulls that stand in lists: the server's library leaves them out there, too. */
export function withoutNulls(patch: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, pruned(value, false)]));
}

function pruned(value: unknown, isInList: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => pruned(item, true));
  if (!isRecord(value)) return value;
  const members = Object.entries(value).filter(([, member]) => !isInList || member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, pruned(member, isInList)]));
}

/** The most that copies of one patch may come to. */
const MOST_COPIED = 3 * 1024 * 1024;

/** @throws RangeError for copies of copies that would fill the memory. */
function countCopy(object: unknown, { op, from }: Readonly<Record<string, unknown>>, copied: { bytes: number }): void {
  if (op !== 'copy' || typeof from !== 'string' || !/^(?:\/|$)/.test(from)) return;
  const names = from.split('/').slice(1);
  const value = valueAt(
    object,
    names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
  copied.bytes += JSON.stringify(value)?.length ?? 0;
  if (copied.bytes > MOST_COPIED) throw new RangeError(`copies come to ${copied.bytes} bytes`);
}

/** A field that isn't there can be replaced, and copied as null. What is added without a value is null. */
function step(object: unknown, operation: unknown, copied: { bytes: number }): unknown {
  const apply = (changed: unknown): unknown => applyJsonPatch(object as never, [changed as JsonPatchOperation]);
  if (!isRecord(operation)) return apply(operation);
  countCopy(object, operation, copied);
  if (operation.op === 'add' && operation.value === undefined) return apply({ ...operation, value: null });
  if (operation.op === 'replace' && lacks(object, operation.path)) return apply({ ...operation, op: 'add' });
  if (operation.op !== 'copy' || !lacks(object, operation.from)) return apply(operation);
  return apply({ op: 'add', path: operation.path, value: null });
}

/** Whether an object is there that a pointer names a field of, but not the field. */
function lacks(object: unknown, pointer: unknown): boolean {
  if (typeof pointer !== 'string' || pointer === '') return false;
  const parts = pointer.split('/').slice(1);
  const names = parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop() ?? '';
  let here = object;
  for (const name of names) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return false;
    here = (here as Readonly<Record<string, unknown>>)[name];
  }
  return isRecord(here) && !Object.hasOwn(here, last);
}

const POINTERS: ReadonlySet<string> = new Set(['path', 'from']);

/** What stands before the first slash of a pointer is not looked at. */
function rooted(operation: unknown): unknown {
  if (!isRecord(operation)) return operation;
  const pointers = Object.entries(operation).filter(([name, value]) => POINTERS.has(name) && /^[^/]+\//.test(String(value)));
  return { ...operation, ...Object.fromEntries(pointers.map(([name, value]) => [name, String(value).replace(/^[^/]+/, '')])) };
}
