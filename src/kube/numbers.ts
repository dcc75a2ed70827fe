import { isRecord } from './object.ts';
import type { Pointer } from './pointer.ts';

/**
 * Where a document holds integers beyond 2^53. JSON has them, JavaScript numbers don't: reading has rounded them already, and writing such a
 * field back would change it.
 */
export function unsafeIntegers(value: unknown): readonly Pointer[] {
  const found: Pointer[] = [];
  collect(value, [], found);
  return found;
}

function collect(value: unknown, path: readonly string[], found: Pointer[]): void {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) found.push([...path]);
  } else if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) collect(element, [...path, String(index)], found);
  } else if (isRecord(value)) {
    for (const [name, member] of Object.entries(value)) collect(member, [...path, name], found);
  }
}
