import type { Meter } from '../thunk.ts';
import { noOverload, type Value } from '../values.ts';

/** A function of CEL. What a method is called on is its first argument. */
export interface CelFunction {
  /** Its name, with its namespace: `sets.contains`. */
  readonly name: string;
  /** How the library's type checker is told of it; absent for those it knows. */
  readonly signatures?: readonly string[];
  readonly run: (args: readonly (Value | undefined)[], meter: Meter) => Value;
}

export const define = (name: string, signatures: readonly string[], run: CelFunction['run']): CelFunction => ({
  name,
  signatures,
  run,
});

/** A function that the library's type checker knows. */
export const known = (name: string, run: CelFunction['run']): CelFunction => ({ name, run });

export function text(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw noOverload();
}

export function whole(value: Value | undefined): number {
  if (typeof value === 'bigint') return Number(value);
  throw noOverload();
}
