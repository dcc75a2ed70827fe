/**
 * Which of two resource versions is the later one: below 0 for the first, above 0 for the second, 0 where they are the same. `NaN` where one of them
 * is no decimal number, as of some aggregated servers: those can be told apart, and not compared (KEP-5504).
 */
export function versionOrder(a: string, b: string): number {
  const difference = Number(a || 'NaN') - Number(b || 'NaN');
  if (Number.isNaN(difference) || (Math.abs(difference) > 0 && a.length <= 15 && b.length <= 15)) return difference;
  if (a === b) return 0;
  // Larger than what a number holds: the longer text is the larger one.
  return a.length - b.length || (a < b ? -1 : 1);
}
