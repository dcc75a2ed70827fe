import { deepEqual, isRecord, type StructuralSchema } from '../../kube/plain/index.ts';

interface Pair {
  readonly value: unknown;
  readonly old: unknown;
  readonly schema: StructuralSchema;
}

const subschema = (value: unknown): StructuralSchema | undefined => (isRecord(value) ? value : undefined);

/**
 * A value and what it was before, where that can be told; else the nearest value above it of which it can. Values that haven't changed pass
 * rules that they broke before (KEP-4008).
 */
export class Correlation {
  readonly #current: Pair | undefined;
  readonly #parent: Pair | undefined;

  private constructor(current: Pair | undefined, parent: Pair | undefined) {
    this.#current = current;
    this.#parent = parent;
  }

  static none(): Correlation {
    return new Correlation(undefined, undefined);
  }

  static of(value: unknown, old: unknown, schema: StructuralSchema): Correlation {
    return new Correlation({ value, old, schema }, undefined);
  }

  /** Whether the value is what it was. */
  get isUnchanged(): boolean {
    const pair = this.#current ?? this.#parent;
    return pair !== undefined && isSame(pair);
  }

  withoutCurrent(): Correlation {
    return new Correlation(undefined, this.#parent);
  }

  key(name: string): Correlation {
    if (this.#current === undefined) return this;
    if (this.#parent === undefined && (name === 'apiVersion' || name === 'kind')) return Correlation.none();
    return new Correlation(member(this.#current, name), this.#current);
  }

  index(at: number): Correlation {
    return this.#current === undefined ? this : new Correlation(item(this.#current, at), this.#current);
  }
}

function member({ value, old, schema }: Pair, name: string): Pair | undefined {
  if (!isRecord(value) || !isRecord(old) || !Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
  const properties = subschema(schema.properties) ?? {};
  const below = subschema(Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties);
  return below === undefined ? undefined : { value: value[name], old: old[name], schema: below };
}

function item({ value, old, schema }: Pair, at: number): Pair | undefined {
  const items = subschema(schema.items);
  const element = Array.isArray(value) ? (value as readonly unknown[])[at] : undefined;
  const before = correlatedItem(schema, old, element);
  return items === undefined || before === undefined ? undefined : { value: element, old: before, schema: items };
}

/** The old element of the same keys, in lists that have keys. */
export function correlatedItem(schema: StructuralSchema, old: unknown, element: unknown): unknown {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old) || !isRecord(element)) return undefined;
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  return old.find((each) => isRecord(each) && keys.every((key) => deepEqual(each[key], element[key])));
}

function isSame(pair: Pair): boolean {
  const { value, old, schema } = pair;
  if (Array.isArray(value) && Array.isArray(old)) {
    if (value.length !== old.length) return false;
    if (schema['x-kubernetes-list-type'] !== 'map') return deepEqual(value, old);
    return value.every((_, at) => sameChild(item(pair, at)));
  }
  if (!isRecord(value) || !isRecord(old)) return deepEqual(value, old);
  const names = Object.keys(value);
  return names.length === Object.keys(old).length && names.every((name) => sameChild(member(pair, name)));
}

const sameChild = (pair: Pair | undefined): boolean => pair !== undefined && isSame(pair);
