/** Longest text that a message repeats, in characters: values of properties may be as long as they like. */
const LONGEST = 64;
/** Most values that a message repeats: lists of names may be long, and every cluster gets a message. */
const MOST = 5;

/** Text within a message: in quotes, control characters escaped, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`);
}

/** `"a", "b"`, or `"a", "b", "c", "d", "e" and 7 more`. */
export function listed(values: readonly string[]): string {
  const shown = values.slice(0, MOST).map(quoted).join(', ');
  return values.length <= MOST ? shown : `${shown} and ${values.length - MOST} more`;
}

/** `"a"` for one value, `one of "a", "b"` for several. */
export function oneOf(values: readonly string[]): string {
  if (values.length === 0) return 'one of an empty list';
  return values.length === 1 ? listed(values) : `one of ${listed(values)}`;
}

/** `other than "a"` for one value, `none of "a", "b"` for several. */
export function noneOf(values: readonly string[]): string {
  return values.length === 1 ? `other than ${listed(values)}` : `none of ${listed(values)}`;
}
