import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyObject, isRecord } from '../kube/index.ts';
import { CommandFailure } from './failure.ts';
import { fileName, parseYaml, readStandardInput, readText, type YamlDocument } from './yaml-file.ts';

/** An object from a file, and where it stands there. */
export interface Manifest {
  readonly object: AnyObject;
  readonly file: string;
  /** `file:line` of a field, or of the nearest field above it that is there. */
  locate(field: string): string;
}

/**
 * Reads objects from YAML and JSON files and from folders of them; `-` is standard input. Files of a folder come in the order of their names.
 *
 * @throws CommandFailure naming every file that can't be read, with the line; or saying that there is no object in any.
 */
export async function readManifests(paths: readonly string[], signal: AbortSignal): Promise<readonly Manifest[]> {
  const problems: string[] = [];
  const manifests: Manifest[] = [];
  for (const file of new Set(paths.flatMap(filesOf))) {
    const content = file === '-' ? await readStandardInput(signal) : readText(file);
    const read = parseYaml(content, file);
    problems.push(...read.problems);
    manifests.push(...read.documents.flatMap((document) => readDocument(document, file, problems)));
  }
  if (problems.length > 0) throw new CommandFailure(problems);
  // A wrong path, or a program that has failed before a pipe, must not look like having nothing to do.
  if (manifests.length === 0) throw new CommandFailure([`${paths.map(fileName).join(', ')}: there are no objects in there`]);
  return manifests;
}

/** The files that a path means: itself, or those of a folder. @throws CommandFailure where there are none. */
export function filesOf(path: string): readonly string[] {
  if (path === '-') return ['-'];
  if (!existsSync(path)) throw new CommandFailure([`${path}: there is no such file or folder`]);
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { withFileTypes: true }).filter(
    (entry) => !entry.isDirectory() && /\.(?:ya?ml|json)$/.test(entry.name),
  );
  if (files.length === 0)
    throw new CommandFailure([`${path}: there are no files in this folder that end in .yaml, .yml or .json`]);
  return files.map(({ name }) => join(path, name)).sort();
}

function readDocument({ value, lineOf }: YamlDocument, file: string, problems: string[]): readonly Manifest[] {
  if (value === null || value === undefined) return [];
  const isList = isRecord(value) && value.kind === 'List' && Array.isArray(value.items);
  const items: readonly unknown[] = isList ? (value.items as readonly unknown[]) : [value];
  return items.flatMap((object, index) => {
    const inside = (field: string): string => (isList ? `items[${index}].${field}` : field);
    const locate = (field: string): string => `${fileName(file)}:${lineOf(inside(field))}`;
    const mistake = identityMistake(object);
    if (mistake === undefined) return [{ object: object as AnyObject, file, locate }];
    problems.push(`${locate('')}: is no Kubernetes object: ${mistake}`);
    return [];
  });
}

function identityMistake(object: unknown): string | undefined {
  if (!isRecord(object)) return 'it has no fields';
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const { name, namespace = 'default' } = metadata;
  const identity = Object.entries({ apiVersion: object.apiVersion, kind: object.kind, 'metadata.name': name });
  const missing = identity.find(([, value]) => typeof value !== 'string' || value === '');
  if (missing !== undefined) return `it has no ${missing[0]}`;
  // They would forge lines of what is printed.
  const unclean = [...identity, ['metadata.namespace', namespace] as const].find(
    ([, value]) => typeof value !== 'string' || /\p{Cc}/u.test(value),
  );
  return unclean === undefined ? undefined : `its ${unclean[0]} is no text, or has control characters`;
}
