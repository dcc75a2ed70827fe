import type { Clock } from '../clock.ts';
import { type LogFields, type Logger, silent } from './log.ts';

/** From the least important to the most. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** How important a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What {@link consoleLogger} takes. */
export interface ConsoleLoggerOptions {
  /** Takes one line, without its end: `(line) => process.stderr.write(line + '\n')`. Where it throws the line is lost, and nothing else. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** One JSON object for each line, or words for people. Default `text`. */
  readonly format?: 'json' | 'text';
  /** What is less important isn't written. Default `info`. */
  readonly level?: LogLevel;
}

/**
 * A logger that writes lines of text through whatever it is given. Whatever stands in a message or a field, a line stays one line, and valid
 * JSON or readable text: names come from objects that anybody may have written.
 *
 * As JSON a line has `time` (RFC 3339), `level` and `message`; a field of one of these names gets an underscore behind it.
 */
export function consoleLogger({ write, clock, format = 'text', level = 'info' }: ConsoleLoggerOptions): Logger {
  const least = LEVELS.indexOf(level);
  const formatted = format === 'json' ? jsonLine : textLine;
  const logger = (own: LogFields): Logger => ({
    log(severity, message, fields) {
      if (LEVELS.indexOf(severity) < least) return;
      try {
        write(formatted(new Date(clock.now()).toISOString(), severity, message, { ...own, ...fields }));
      } catch {
        // A full disk or a closed pipe must not end the work.
      }
    },
    with: (fields) => logger({ ...own, ...fields }),
  });
  return least < 0 ? silent : logger({});
}

const RESERVED: ReadonlySet<string> = new Set(['time', 'level', 'message']);

function jsonLine(time: string, level: string, message: string, fields: LogFields): string {
  const parts = [`"time":${quoted(time)}`, `"level":${quoted(level)}`, `"message":${quoted(message)}`];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${quoted(RESERVED.has(name) ? `${name}_` : name)}:${jsonValue(value)}`);
  }
  return `{${parts.join(',')}}`;
}

function jsonValue(value: string | number | boolean): string {
  // JSON has no word for what isn't finite.
  return typeof value === 'string' || Number.isNaN(value) || Math.abs(Number(value)) === Number.POSITIVE_INFINITY
    ? quoted(String(value))
    : String(value);
}

function textLine(time: string, level: string, message: string, fields: LogFields): string {
  const parts = [time, level.toUpperCase().padEnd(5), bare(message, SENTENCE)];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${bare(name, WORD)}=${bare(String(value), WORD)}`);
  }
  return parts.join(' ');
}

const SENTENCE = /^[^"\\\p{C}\u2028\u2029]*$/u;
const WORD = /^[^"\\=\s\p{C}]+$/u;

/** As it is where it can be mistaken for nothing else, in quotes otherwise. */
function bare(text: string, plain: RegExp): string {
  return plain.test(text) ? text : quoted(text);
}

/** What ends a line for some readers, moves the cursor of a terminal, turns the direction of the text, or is no character at all. */
const HOSTILE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function quoted(text: string): string {
  // Lone surrogates and all control characters of ASCII are escaped by JSON already (ECMA-262: well-formed JSON.stringify).
  return JSON.stringify(text).replace(HOSTILE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
