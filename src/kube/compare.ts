import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from './bytes.ts';
import { compareText } from './object.ts';

/** Whether two JSON values are equal; members that are `undefined` count as absent, and the order of members doesn't matter. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b);
  return !Array.isArray(b) && equalMembers(a as Record<string, unknown>, b as Record<string, unknown>);
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => deepEqual(value, b[index]));
}

function equalMembers(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  for (const name of Object.keys(a)) {
    if (!deepEqual(a[name], Object.hasOwn(b, name) ? b[name] : undefined)) return false;
  }
  for (const name of Object.keys(b)) {
    if (b[name] !== undefined && !Object.hasOwn(a, name)) return false;
  }
  return true;
}

/** JSON with the members of every object sorted by code units: equal values give equal text. */
export function stableStringify(value: unknown): string {
  return JSON.stringify(value, sortedMembers) ?? 'null';
}

function sortedMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(members)
      .toSorted(compareText)
      .map((name) => [name, members[name]]),
  );
}

/** SHA-256 of {@link stableStringify}, in hexadecimal: the same for equal values on every machine. */
export function contentHash(value: unknown): string {
  return bytesToHex(sha256(utf8(stableStringify(value))));
}
