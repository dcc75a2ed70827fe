/**
 * Finds own properties alone, whatever names are asked for. Plain objects inherit functions, and something by `__proto__`: whatever else is
 * found is their own, without a second look-up for each name.
 */
export function ownLookup<T extends object>(record: Readonly<Record<string, T>>): (name: string) => T | undefined {
  const parent: unknown = Object.getPrototypeOf(record);
  const isPlain = parent === Object.prototype || parent === null;
  return (name) => {
    const found = record[name];
    if (found === undefined || (isPlain && typeof found === 'object' && name !== '__proto__')) return found;
    return Object.hasOwn(record, name) ? found : undefined;
  };
}
