import { ClustersetError } from './errors.ts';

/** A JSON Pointer, taken apart: the member names and list indices from the root down (RFC 6901). */
export type Pointer = readonly string[];

/**
 * Takes a JSON Pointer apart.
 *
 * @throws ClustersetError `Invalid` where it doesn't start with `/` (the empty pointer is the whole document) or holds a bad escape.
 */
export function parsePointer(text: string): Pointer {
  if (text === '') return [];
  if (!text.startsWith('/')) throw invalid(text, 'must start with "/"');
  if (/~(?![01])/.test(text)) throw invalid(text, 'has a "~" that is neither "~0" (for "~") nor "~1" (for "/")');
  return text.slice(1).split('/').map(unescapeToken);
}

/** Writes a pointer. */
export function formatPointer(pointer: Pointer): string {
  return pointer.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

const unescapeToken = (token: string): string =>
  token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token;

/** The value that a pointer leads to, through own members and real indices only; `undefined` where it leads nowhere. */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  let value = document;
  for (const token of pointer) {
    value = memberOf(value, token);
    if (value === undefined) return undefined;
  }
  return value;
}

/** A list's element by its index, or an object's own member; `undefined` where there is none. */
export function memberOf(container: unknown, token: string): unknown {
  if (typeof container !== 'object' || container === null) return undefined;
  if (Array.isArray(container)) return isIndex(token) ? container[Number(token)] : undefined;
  return Object.hasOwn(container, token) ? (container as Record<string, unknown>)[token] : undefined;
}

const ZERO = 48;
const NINE = 57;

/** Whether a token is an index as RFC 6901 writes it: digits without a leading zero. */
export function isIndex(token: string): boolean {
  const first = token.charCodeAt(0);
  if (token.length === 1) return first >= ZERO && first <= NINE;
  return first > ZERO && first <= NINE && /^[0-9]{2,15}$/.test(token);
}

/** Names that reach into JavaScript's own objects. No pointer of ours passes through them. */
export const FORBIDDEN_TOKENS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * A path as Kubernetes prints it: `spec.template.containers[0].image`, `metadata.labels[example.com/tier]`.
 * With the document at hand a number under a list is an index, and elsewhere a key.
 */
export function formatFieldPath(pointer: Pointer, document?: unknown): string {
  let container = document;
  let path = '';
  for (const token of pointer) {
    const isListIndex = document === undefined ? isIndex(token) : Array.isArray(container);
    path += fieldPathPart(token, isListIndex, path === '');
    container = memberOf(container, token);
  }
  return path;
}

function fieldPathPart(token: string, isListIndex: boolean, isFirst: boolean): string {
  if (isListIndex || !/^[A-Za-z_$][-A-Za-z0-9_]*$/.test(token)) return `[${token}]`;
  return isFirst ? token : `.${token}`;
}

function invalid(text: string, problem: string): ClustersetError {
  return new ClustersetError({
    code: 'Invalid',
    message: `${JSON.stringify(text)} is no JSON Pointer: it ${problem}`,
    mend: 'write it as in "/spec/replicas" (RFC 6901)',
  });
}
