import { deepEqual } from './compare.ts';
import { isRecord } from './object.ts';

/**
 * Applies a JSON Merge Patch (RFC 7386): `null` removes a member, objects merge, everything else replaces. The old document is untouched
 * and shared where nothing changes.
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const target: Record<string, unknown> = isRecord(document) ? { ...document } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete target[name];
    else setOwn(target, name, applyMergePatch(Object.hasOwn(target, name) ? target[name] : undefined, value));
  }
  return target;
}

/** The merge patch that turns one document into another; lists are replaced whole. Nothing where they are equal. */
export function createMergePatch(from: unknown, to: unknown): unknown {
  if (!isRecord(from) || !isRecord(to)) return deepEqual(from, to) ? undefined : to;
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(from)) {
    if (!Object.hasOwn(to, name)) setOwn(patch, name, null);
  }
  for (const [name, value] of Object.entries(to)) {
    const change = Object.hasOwn(from, name) ? createMergePatch(from[name], value) : value;
    if (change !== undefined) setOwn(patch, name, change);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Sets an own member, also for a name such as `__proto__` that an assignment would take for the prototype. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
