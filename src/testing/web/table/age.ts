const STEPS: readonly (readonly [limit: number, unit: number, letter: string, next: number, nextLetter: string])[] = [
  [120, 1, 's', 0, ''],
  [600, 60, 'm', 1, 's'],
  [10_800, 60, 'm', 0, ''],
  [28_800, 3600, 'h', 60, 'm'],
  [172_800, 3600, 'h', 0, ''],
  [691_200, 86_400, 'd', 3600, 'h'],
  [63_072_000, 86_400, 'd', 0, ''],
  [252_288_000, 31_536_000, 'y', 86_400, 'd'],
];
const YEAR = 31_536_000;

/** A span of time, as kubectl writes it: `45s`, `5m3s`, `2h`, `3d4h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  for (const [limit, unit, letter, next, nextLetter] of STEPS) {
    if (seconds >= limit) continue;
    const whole = Math.floor(seconds / unit);
    const rest = next === 0 ? 0 : Math.floor((seconds % unit) / next);
    return rest === 0 ? `${whole}${letter}` : `${whole}${letter}${rest}${nextLetter}`;
  }
  return `${Math.floor(seconds / YEAR)}y`;
}

/** How long ago a time was. */
export function age(since: unknown, now: number): string {
  return typeof since === 'string' && since !== '' ? duration(now - Date.parse(since)) : '<unknown>';
}
