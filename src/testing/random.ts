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
  const word = (): number => Math.floor(random() * 2 ** 32);
  const [a, b, c, d] = [word(), word(), word(), word()];
  const version = ((b & 0xffff_0fff) | 0x4000) >>> 0;
  const variant = ((c & 0x3fff_ffff) | 0x8000_0000) >>> 0;
  const [second, third] = [hex(version), hex(variant)];
  return `${hex(a)}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex(d)}`;
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');

/** Letters and digits that make no words and can't be mistaken for one another, as Kubernetes puts them behind `generateName`. */
const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789';

export function randomSuffix(random: Random, length: number): string {
  return Array.from({ length }, () => SUFFIX[Math.floor(random() * SUFFIX.length)] ?? '').join('');
}
