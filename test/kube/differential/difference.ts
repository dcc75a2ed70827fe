import { deepEqual } from '../../../src/kube/index.ts';

/** One place in which two values differ. */
export interface Difference {
  readonly path: string;
  readonly offline: unknown;
  readonly real: unknown;
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where two values differ, as deep as they have the same shape. */
export function differences(offline: unknown, real: unknown, path = ''): readonly Difference[] {
  if (deepEqual(offline, real)) return [];
  if (isFields(offline) && isFields(real)) {
    const names = [...new Set([...Object.keys(offline), ...Object.keys(real)])];
    return names.flatMap((name) => differences(offline[name], real[name], `${path}.${name}`));
  }
  if (Array.isArray(offline) && Array.isArray(real) && offline.length === real.length) {
    return offline.flatMap((item, index) => differences(item, real[index], `${path}[${index}]`));
  }
  return [{ path, offline, real }];
}
