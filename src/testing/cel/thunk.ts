import { CelFailure, type Value } from './values.ts';

/** What an evaluation may still cost. */
export class Meter {
  #left: number;
  readonly limit: number;
  constructor(limit: number) {
    this.#left = limit;
    this.limit = limit;
  }
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new CelFailure('operation cancelled: actual cost limit exceeded');
  }
  get spent(): number {
    return this.limit - this.#left;
  }
}

/** Names and what they stand for, the innermost first. */
export interface Scope {
  readonly name: string;
  readonly value: Value;
  readonly outer: Scope | undefined;
}

/** An expression that is ready to be evaluated. */
export type Thunk = (scope: Scope | undefined, meter: Meter) => Value;

/** The value of an expression, or why it has none. */
export function attempt(thunk: Thunk, scope: Scope | undefined, meter: Meter): Value | CelFailure {
  try {
    return thunk(scope, meter);
  } catch (error) {
    if (error instanceof CelFailure && !error.message.startsWith('operation cancelled')) return error;
    throw error;
  }
}
