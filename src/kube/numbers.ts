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

/** `path` is where `value` stands; it is the same list all the way down, so that nothing is copied where nothing is found. */
function collect(value: unknown, path: string[], found: Pointer[]): void {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) found.push([...path]);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) collectBelow(String(index), value[index], path, found);
  } else if (isRecord(value)) {
    for (const name of Object.keys(value)) collectBelow(name, value[name], path, found);
  }
}

function collectBelow(token: string, value: unknown, path: string[], found: Pointer[]): void {
  if (typeof value !== 'number' && (typeof value !== 'object' || value === null)) return;
  path.push(token);
  collect(value, path, found);
  path.pop();
}
