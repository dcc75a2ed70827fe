import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { type AnyObject, isRecord } from '../kube/index.ts';
import { CommandFailure } from './failure.ts';

/** An object from a file, and where it stands there. */
export interface Manifest {
  readonly object: AnyObject;
  readonly file: string;
  /** `file:line` of a field, or of the nearest field above it that is there. */
  locate(field: string): string;
}

/** Deeper aliases are an attack, not a manifest. */
const MOST_ALIASES = 100;

/**
 * Reads objects from YAML and JSON files and from folders of them; `-` is standard input. Files of a folder come in the order of their names.
 *
 * @throws CommandFailure naming every file that can't be read, with the line.
 */
export function readManifests(paths: readonly string[]): readonly Manifest[] {
  const problems: string[] = [];
  const manifests = paths.flatMap(filesOf).flatMap((file) => readFile(file, problems));
  if (problems.length > 0) throw new CommandFailure(problems);
  return manifests;
}

function filesOf(path: string): readonly string[] {
  if (path === '-') return ['-'];
  if (!existsSync(path)) throw new CommandFailure([`${path}: there is no such file or folder`]);
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

function readFile(file: string, problems: string[]): readonly Manifest[] {
  const name = file === '-' ? '(standard input)' : file;
  const lines = new LineCounter();
  const documents = parseAllDocuments(readFileSync(file === '-' ? 0 : file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  return [...(documents as Iterable<Document>)].flatMap((document) => {
    // The parser's longer message quotes the lines around the mistake, and they may hold a secret.
    const syntax = document.errors.map(({ message, pos }) => `${name}:${lines.linePos(pos[0]).line}: ${message}`);
    if (syntax.length > 0) {
      problems.push(...syntax);
      return [];
    }
    return readDocument(document, name, lines, problems);
  });
}

function readDocument(document: Document, file: string, lines: LineCounter, problems: string[]): readonly Manifest[] {
  const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
  if (value === null || value === undefined) return [];
  const locate = (field: string): string => `${file}:${lineOf(document, field, lines)}`;
  const items = isRecord(value) && value.kind === 'List' && Array.isArray(value.items) ? value.items : [value];
  return items.flatMap((object: unknown) => {
    const missing = missingIdentity(object);
    if (missing === undefined) return [{ object: object as AnyObject, file, locate }];
    problems.push(`${locate('')}: is no Kubernetes object: it has no ${missing}`);
    return [];
  });
}

function missingIdentity(object: unknown): string | undefined {
  if (!isRecord(object)) return 'fields';
  if (typeof object.apiVersion !== 'string') return 'apiVersion';
  if (typeof object.kind !== 'string') return 'kind';
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  return typeof metadata.name === 'string' && metadata.name !== '' ? undefined : 'metadata.name';
}

/** The line of `spec.overrides[0].path`, or of the innermost part of it that is there. */
function lineOf(document: Document, field: string, lines: LineCounter): number {
  const path = [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, name]) => {
    const part = index ?? name ?? '';
    return /^\d+$/.test(part) ? Number(part) : part;
  });
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { readonly range?: readonly number[] } | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}
