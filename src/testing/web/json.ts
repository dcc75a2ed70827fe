import { noteDuplicates } from './duplicates.ts';

/**
 * How many lists and objects may stand in one another in a body. A real server takes ten thousand levels, which are more than JavaScript's stack
 * holds for what comes afterwards.
 */
export const MOST_LEVELS = 500;

/** A text that is no JSON, in the words of Go's reader. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem';
  readonly isTooDeep: boolean;

  constructor(message: string, isTooDeep = false) {
    super(message);
    this.isTooDeep = isTooDeep;
  }
}

/** Go's reader keeps a mark at the beginning, and so finds no value there. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads JSON as Go's reader does.
 *
 * @throws JsonProblem
 */
export function readJson(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes);
  checkLevels(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonProblem(inGo((error as Error).message, text, bytes));
  }
  checkNumbers(value, text);
  noteDuplicates(value, text);
  return value;
}

/** @throws JsonProblem where more levels are open at once than there may be, whatever comes behind them. */
function checkLevels(text: string): void {
  if (text.length < MOST_LEVELS) return;
  let levels = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfText(text, at + 1);
    else if (character === '{' || character === '[') levels += 1;
    else if (character === '}' || character === ']') levels -= 1;
    if (levels > MOST_LEVELS) throw new JsonProblem(`invalid character '${character}' exceeded max depth`, true);
  }
}

function endOfText(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** Only these numbers can be too large for JavaScript. */
const LONG_NUMBER = /[0-9][eE]\+?[0-9]{3}|[0-9]{300}/;

/** @throws JsonProblem where a number is larger than any that can be kept. */
function checkNumbers(value: unknown, text: string): void {
  if (!LONG_NUMBER.test(text) || !hasInfinite(value)) return;
  const given = text.match(/-?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?/g)?.find((number) => !Number.isFinite(Number(number)));
  throw new JsonProblem(`json: cannot unmarshal number ${given ?? ''} into Go value of type float64`);
}

function hasInfinite(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'number' && !Number.isFinite(value);
  return Object.values(value).some(hasInfinite);
}

/** What is commonest is said in Go's words, the rest in those of the JavaScript engine. */
function inGo(message: string, text: string, bytes: Uint8Array): string {
  const [, at] = /at position (\d+)/.exec(message) ?? [];
  const position = at === undefined ? undefined : Number(at);
  if (message.startsWith('Unexpected end') || (position ?? -1) >= text.trimEnd().length) return 'unexpected end of JSON input';
  const where = PLACES.find(([start]) => message.startsWith(start))?.[1];
  if (where === undefined) return message;
  const [, token = ''] = /^Unexpected token '(.)'/su.exec(message) ?? [];
  const isFirst = position === undefined && text.replace(/^[ \t\r\n]+/, '').startsWith(token);
  const shown = isFirst ? goByte(bytes[bytes.findIndex((byte) => !BLANK.has(byte))]) : undefined;
  return `invalid character ${shown ?? goCharacter(position === undefined ? token : (text[position] ?? ''))} ${where}`;
}

const PLACES: readonly (readonly [start: string, where: string])[] = [
  ['Unexpected token', 'looking for beginning of value'],
  ['Unexpected non-whitespace character after JSON', 'after top-level value'],
  ['Bad control character in string literal', 'in string literal'],
];
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Go looks at single bytes, and takes them for Latin letters. */
const goByte = (byte: number | undefined): string | undefined =>
  byte === undefined ? undefined : goCharacter(String.fromCharCode(byte));

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  "'": "\\'",
};

function goCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const plain = isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  return `'${ESCAPES[character] ?? plain}'`;
}
