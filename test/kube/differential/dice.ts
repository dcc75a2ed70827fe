import { type Random, seededRandom } from '../../../src/testing/random.ts';

/** Choices that are the same for the same seed. */
export class Dice {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(Math.imul(seed + 1, 0x9e3779b1));
  }

  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** True this often in a hundred times. */
  percent(often: number): boolean {
    return this.below(100) < often;
  }

  pick<T>(options: readonly [T, ...T[]] | readonly T[]): T {
    return options[this.below(options.length)] as T;
  }

  /** From `least` to `most` of the options, in any order, each once. */
  some<T>(options: readonly T[], least: number, most: number): readonly T[] {
    const left = [...options];
    const count = Math.min(left.length, least + this.below(most - least + 1));
    return Array.from({ length: count }, () => left.splice(this.below(left.length), 1)[0] as T);
  }

  /** One of several, by weight. */
  weighted<T>(options: readonly (readonly [weight: number, value: T])[]): T {
    let rest = this.below(options.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of options) {
      if (rest < weight) return value;
      rest -= weight;
    }
    throw new RangeError('there is nothing to choose from');
  }
}
