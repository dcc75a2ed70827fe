/** Randomness as an argument: numbers from 0 up to, but not including, 1. */
export type Random = () => number;

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A UUID of version 4. */
export function randomUuid(random: Random): string {
  const digits = Array.from({ length: 32 }, (_, index) => {
    if (index === 12) return '4';
    const digit = Math.floor(random() * 16);
    return (index === 16 ? (digit & 3) | 8 : digit).toString(16);
  }).join('');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

/** Letters and digits that make no words and can't be mistaken for one another, as Kubernetes puts them behind `generateName`. */
const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789';

export function randomSuffix(random: Random, length: number): string {
  return Array.from({ length }, () => SUFFIX[Math.floor(random() * SUFFIX.length)] ?? '').join('');
}
