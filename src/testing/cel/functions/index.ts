import { weight } from '../operators.ts';
import type { Meter } from '../thunk.ts';
import { CelFailure, type Value } from '../values.ts';
import { CONVERSIONS } from './conversions.ts';
import type { CelFunction } from './function.ts';
import { KUBERNETES_FUNCTIONS } from './kubernetes.ts';
import { LIST_FUNCTIONS } from './lists.ts';
import { STRING_FUNCTIONS } from './strings.ts';

export { OPAQUE_TYPES } from './kubernetes.ts';

const FUNCTIONS: readonly CelFunction[] = [...STRING_FUNCTIONS, ...LIST_FUNCTIONS, ...CONVERSIONS, ...KUBERNETES_FUNCTIONS];

/** What the type checker has to be told of, as signatures. */
export const SIGNATURES: readonly string[] = FUNCTIONS.flatMap(({ signatures = [] }) => signatures);

/** Names that stand in several tables are run as the first says; later entries only add signatures. */
const BY_NAME: ReadonlyMap<string, CelFunction> = new Map(FUNCTIONS.toReversed().map((each) => [each.name, each]));

/** Calls a function, or a method of `target`. */
export function call(name: string, target: Value | undefined, args: readonly Value[], meter: Meter): Value {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new CelFailure(`unknown function: ${name}`);
  const all = target === undefined ? args : [target, ...args];
  meter.spend(1 + all.reduce((cost: number, value) => cost + weight(value), 0));
  return found.run(all, meter);
}
