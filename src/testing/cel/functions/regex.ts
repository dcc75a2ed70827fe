import { CelFailure } from '../values.ts';

/** What RE2 writes in another way than JavaScript. */
const CLASSES: Readonly<Record<string, string>> = {
  '[:alnum:]': 'a-zA-Z0-9',
  '[:alpha:]': 'a-zA-Z',
  '[:ascii:]': '\\x00-\\x7f',
  '[:blank:]': '\\t ',
  '[:cntrl:]': '\\x00-\\x1f\\x7f',
  '[:digit:]': '0-9',
  '[:graph:]': '!-~',
  '[:lower:]': 'a-z',
  '[:print:]': ' -~',
  '[:punct:]': '!-\\/:-@\\[-`{-~',
  '[:space:]': '\\t\\n\\v\\f\\r ',
  '[:upper:]': 'A-Z',
  '[:word:]': '\\w',
  '[:xdigit:]': '0-9a-fA-F',
};

const compiled = new Map<string, RegExp>();
const MOST_KEPT = 1000;

/** A pattern of RE2 as JavaScript reads it. What RE2 refuses because it can't promise an answer in time is refused, too. */
export function matcher(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size > MOST_KEPT) compiled.clear();
  const made = translate(pattern);
  compiled.set(pattern, made);
  return made;
}

/** RE2 promises an answer in time; JavaScript's engine doesn't, and never ends with some patterns. */
export class EndlessPattern extends Error {
  constructor(pattern: string) {
    super(`the pattern ${JSON.stringify(pattern)}, with which JavaScript may never come to an end`);
  }
}

/** A group that ends in a repetition, and is repeated itself. */
const ENDLESS = /[^\\][+*]\)(?:[+*]|\{\d+,)/;

function translate(pattern: string): RegExp {
  if (ENDLESS.test(pattern)) throw new EndlessPattern(pattern);
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? [];
  if (/\(\?<?[=!]/.test(rest))
    throw new CelFailure(`error parsing regexp: invalid or unsupported Perl syntax: \`${/\(\?<?[=!]/.exec(rest)?.[0]}\``);
  const source = rest
    .replace(/\[:[a-z]+:\]/g, (found) => CLASSES[found] ?? found)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\\p([A-Z])/g, '\\p{$1}')
    .replace(/\\P([A-Z])/g, '\\P{$1}')
    .replace(/\\([-_@#%&'",:;<>=~`! ])/g, (found, letter: string) => (letter === '-' ? found : letter));
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    return loosely(source, flags, pattern);
  }
}

/** JavaScript's older syntax knows fewer classes and takes more escapes. */
function loosely(source: string, flags: string, pattern: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new CelFailure(`error parsing regexp: ${error instanceof Error ? error.message : 'invalid'}: \`${pattern}\``);
  }
}

export function findAll(value: string, pattern: string, limit: number): readonly string[] {
  const base = matcher(pattern);
  const found = Array.from(value.matchAll(new RegExp(base.source, `${base.flags}g`)), ([match]) => match);
  return limit < 0 ? found : found.slice(0, limit);
}
