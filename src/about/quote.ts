const LONGEST = 64;

/** Text within a message: in quotes, control characters escaped, and cut where it is long. Values of properties may fill a screen a thousand times. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, LONGEST));
}

/** The beginning of a text that is longer. */
export function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
