/**
 * Which of two resource versions is the later one: below 0 for the first, above 0 for the second, 0 where they are the same. `NaN` where one of them
 * is no decimal number, as of some aggregated servers: those can be told apart, and not compared (KEP-5504).
 */
export function versionOrder(a: string, b: string): number {
  const difference = numberOf(a) - numberOf(b);
  if (Number.isNaN(difference) || (Math.abs(difference) > 0 && a.length <= 15 && b.length <= 15)) return difference;
  if (a === b) return 0;
  // Larger than what a number holds: the longer text is the larger one.
  return a.length - b.length || (a < b ? -1 : 1);
}

/** A digest may look like a number to JavaScript, as `12e4` does. */
function numberOf(version: string): number {
  for (let at = 0; at < version.length; at += 1) {
    const code = version.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
  }
  return version === '' ? Number.NaN : Number(version);
}

const ZERO = 48;
const NINE = 57;
