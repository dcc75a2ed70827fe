import type { AnyObject } from '../../kube/plain/index.ts';

/** Under which values an object is found. Must be pure: it is asked again when the object goes. */
export type IndexValues = (object: AnyObject) => readonly string[];

const NONE: ReadonlySet<string> = new Set();

/** Which keys are found under which value, kept as objects come and go. */
export class IndexOfObjects {
  readonly valuesOf: IndexValues;
  readonly #keys = new Map<string, Set<string>>();
  readonly #onError: (error: unknown) => void;

  constructor(valuesOf: IndexValues, objects: ReadonlyMap<string, AnyObject>, onError: (error: unknown) => void) {
    this.valuesOf = valuesOf;
    this.#onError = onError;
    for (const [key, object] of objects) this.change(key, undefined, object);
  }

  /** The keys of all objects that have the value. */
  keys(value: string): ReadonlySet<string> {
    return this.#keys.get(value) ?? NONE;
  }

  change(key: string, previous: AnyObject | undefined, object: AnyObject | undefined): void {
    const before = previous === undefined ? [] : this.#values(previous);
    const now = object === undefined ? [] : this.#values(object);
    if (before.length === now.length && before.every((value, at) => value === now[at])) return;
    for (const value of before) this.#drop(value, key);
    for (const value of now) {
      const keys = this.#keys.get(value);
      if (keys === undefined) this.#keys.set(value, new Set([key]));
      else keys.add(key);
    }
  }

  #drop(value: string, key: string): void {
    const keys = this.#keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(value);
  }

  /** An object that an index can't read is found nowhere in it, and everywhere else. */
  #values(object: AnyObject): readonly string[] {
    try {
      const values: unknown = this.valuesOf(object);
      if (Array.isArray(values)) return values;
      throw new TypeError(`an index must give a list of values, and gave ${values === null ? 'null' : typeof values}`);
    } catch (error) {
      this.#onError(error);
      return [];
    }
  }
}
