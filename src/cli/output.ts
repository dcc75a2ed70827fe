import { Option } from 'commander';
import { Document, visit } from 'yaml';
import { type Terminal, UNSEEN, visible } from './terminal.ts';

/** How a result is printed. */
export type Format = 'table' | 'json' | 'yaml';

/** `-o`, of every command that has a result. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(['table', 'json', 'yaml']).default('table');
}

/** Prints a result: as text for people, or as data for programs. */
export function show(terminal: Terminal, format: Format, data: unknown, text: () => string): void {
  if (format === 'json') terminal.print(toJson(data));
  else if (format === 'yaml') terminal.print(toYaml(data).trimEnd());
  else terminal.print(text());
}

/** JSON that holds no control characters, only their escapes: it says the same, and does nothing to a terminal. */
function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(UNSEEN, visible);
}

/**
 * YAML without references and folded lines, so that it can be read and searched line by line. Control characters are there as escapes, which
 * say the same only in double quotes.
 */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, scalar) => {
      if (typeof scalar.value === 'string' && scalar.value.search(UNSEEN) >= 0) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 }).replace(UNSEEN, visible);
}

/** Rows in columns. `paint` may colour a cell that has its final width. A text of several lines becomes one. */
export function table(
  texts: readonly (readonly string[])[],
  paint: (text: string, cell: string, row: number) => string = (text) => text,
): string {
  const rows = texts.map((row) => row.map((text) => text.replace(/\s*[\r\n]\s*/g, ' ')));
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((cells, row) => {
      const last = cells.length - 1;
      const painted = cells.map((cell, column) => paint(column === last ? cell : cell.padEnd(widths[column] ?? 0), cell, row));
      return painted.join('   ');
    })
    .join('\n');
}

/** `1 object`, `2 objects` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A word as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
