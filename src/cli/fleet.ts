import { existsSync, readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { type ClusterEntry, fleetIssues, parseFleet } from '../registry/index.ts';
import { CommandFailure } from './failure.ts';

/**
 * Reads a fleet file: a YAML list of clusters.
 *
 * @throws CommandFailure naming every problem with its line.
 */
export function readFleet(file: string): readonly ClusterEntry[] {
  if (!existsSync(file)) throw new CommandFailure([`${file}: there is no such fleet file`]);
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map(({ message, pos }) => `${file}:${lines.linePos(pos[0]).line}: ${message}`);
  if (syntax.length > 0) throw new CommandFailure(syntax);
  const value: unknown = document.toJS();
  const problems = fleetIssues(value).map(({ field, message, mend }) => {
    const index = Number(/^\[(\d+)\]/.exec(field)?.[1] ?? Number.NaN);
    const node = Number.isNaN(index) ? undefined : (document.getIn([index], true) as { range?: readonly number[] } | undefined);
    const line = lines.linePos(node?.range?.[0] ?? 0).line;
    return `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}${mend === undefined ? '' : `; ${mend}`}`;
  });
  if (problems.length > 0) throw new CommandFailure(problems);
  return parseFleet(value);
}
