import { Option } from 'commander';
import { stringify } from 'yaml';
import type { Terminal } from './terminal.ts';

/** How a result is printed. */
export type Format = 'table' | 'json' | 'yaml';

/** `-o`, of every command that has a result. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(['table', 'json', 'yaml']).default('table');
}

/** Prints a result: as text for people, or as data for programs. */
export function show(terminal: Terminal, format: Format, data: unknown, text: () => string): void {
  if (format === 'json') terminal.print(JSON.stringify(data, undefined, 2));
  else if (format === 'yaml') terminal.print(toYaml(data).trimEnd());
  else terminal.print(text());
}

/** YAML without references and folded lines, so that it can be read and searched line by line. */
export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Rows in columns. `paint` may colour a cell that has its final width. */
export function table(
  rows: readonly (readonly string[])[],
  paint: (text: string, cell: string, row: number) => string = (text) => text,
): string {
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

export function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
