import { readFileSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Document, LineCounter, parseAllDocuments, visit, type YAMLError } from 'yaml';
import { CommandFailure, reasonOf } from './failure.ts';

/** One document of a YAML file. */
export interface YamlDocument {
  readonly value: unknown;
  /** The line of a field such as `spec.overrides[0].path`, or of the innermost part of it that is there. */
  lineOf(field: string): number;
}

/** What a YAML file holds, and its mistakes, each in one line with its place. */
export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly string[];
}

/** How messages call a file; `-` is standard input. */
export function fileName(file: string): string {
  return file === '-' ? '(standard input)' : file;
}

/** Reads a file. @throws CommandFailure where it can't be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure([`${fileName(file)}: can't be read: ${reasonOf(error)}`]);
  }
}

/** Reads standard input to its end: what writes there may take its time, and Ctrl-C doesn't wait for it. */
export async function readStandardInput(signal: AbortSignal): Promise<string> {
  return text(addAbortSignal(signal, process.stdin));
}

/** More aliases than this are an attack, not a manifest. */
const MOST_ALIASES = 100;
/** Deeper nesting is an attack too, or a document that holds itself. Schemas of CRDs, the deepest of manifests, stay far below. */
const DEEPEST = 300;

/** Reads YAML, of which JSON is a part. */
export function parseYaml(content: string, file: string): YamlFile {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(content, { lineCounter: lines, prettyErrors: false });
  const [documents, problems]: [YamlDocument[], string[]] = [[], []];
  for (const document of parsed as Iterable<Document>) {
    const mistakes = document.errors.map((error) => `${lines.linePos(error.pos[0]).line}: ${mistakeOf(error)}`);
    if (mistakes.length === 0) {
      const read = readValue(document);
      if (read.mistake === undefined) documents.push({ value: read.value, lineOf: (field) => lineOf(document, field, lines) });
      else mistakes.push(`${lines.linePos(read.at ?? rangeOf(document.contents) ?? 0).line}: ${read.mistake}`);
    }
    problems.push(...mistakes.map((mistake) => `${fileName(file)}:${mistake}`));
  }
  return { documents, problems };
}

/** What is wrong, in the parser's words where they quote nothing of the file: that may be a secret. */
function mistakeOf({ code, message }: YAMLError): string {
  switch (code) {
    case 'BAD_DQ_ESCAPE':
      return 'Invalid escape sequence in double quotes';
    case 'TAG_RESOLVE_FAILED':
      return 'A tag that is unknown, or not that of its value';
    case 'UNEXPECTED_TOKEN':
      return message.replace(/: .*$/s, '');
    default:
      return /stack/i.test(message) ? TOO_DEEP : message;
  }
}

const TOO_DEEP = 'Nested too deeply, or holding itself';

function readValue(document: Document): {
  readonly value?: unknown;
  readonly mistake?: string;
  readonly at?: number | undefined;
} {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch {
    // The parser's own message quotes the alias, and a password may begin with a star.
    const at = strayAlias(document);
    if (at === undefined) return { mistake: 'More aliases than any manifest needs' };
    return { mistake: 'An alias that leads nowhere: a text that begins with * has to be in quotes', at };
  }
  return isDeeper(value, DEEPEST) ? { mistake: TOO_DEEP } : { value };
}

/** Where the first alias stands that has no anchor before it. */
function strayAlias(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      found = rangeOf(alias);
      return visit.BREAK;
    },
  });
  return found;
}

function rangeOf(node: unknown): number | undefined {
  return (node as { readonly range?: readonly number[] | null } | null)?.range?.[0];
}

function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return most === 0 || Object.values(value).some((each) => isDeeper(each, most - 1));
}

function lineOf(document: Document, field: string, lines: LineCounter): number {
  const path = [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, name]) => {
    const part = index ?? name ?? '';
    return /^\d+$/.test(part) ? Number(part) : part;
  });
  for (let length = path.length; length >= 0; length -= 1) {
    const start = rangeOf(document.getIn(path.slice(0, length), true));
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}
