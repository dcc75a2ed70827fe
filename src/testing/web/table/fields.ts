import { isRecord } from '../../../kube/plain/index.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The fields below a path, empty where there are none. */
export function at(object: Fields, ...path: readonly string[]): Fields {
  let value: unknown = object;
  for (const name of path) value = isRecord(value) ? value[name] : undefined;
  return isRecord(value) ? value : {};
}

/** The structs of a list. */
export const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** The texts of a list. */
export const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

export const text = (value: unknown, otherwise = ''): string =>
  value === undefined || value === null || value === '' ? otherwise : String(value);
export const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const count = (value: unknown): number => (isRecord(value) ? Object.keys(value).length : 0);

/** Whether a condition of this type is true. */
export function isTrue(object: Fields, type: string): boolean {
  return list(at(object, 'status').conditions).some((condition) => condition.type === type && condition.status === 'True');
}
