import { checkLabelKey, checkLabelValue, compareText, type Issue, isRecord, utf8 } from '../../kube/index.ts';
import type { Usable } from './ports.ts';

/** Keys that controllers keep on a ServiceImport themselves: they are never exported, and stay on the import when it is written anew. */
const RESERVED_PREFIXES = ['multicluster.kubernetes.io/', 'clusterset.dev/'] as const;

/** Bytes of keys and values that the annotations of an object may have (API: apimachinery validation, 256 KiB), less 8 KiB for reserved ones. */
const MOST_ANNOTATION_BYTES = 248 * 1024;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** Whether a label or annotation of a ServiceImport belongs to the controllers: `multicluster.kubernetes.io/…` and `clusterset.dev/…`. */
export function isReservedKey(key: string): boolean {
  return RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/** The exported labels that can be used; entries that no object can have, or that are reserved, are left out one by one. */
export function readExportedLabels(value: unknown, field: string): Usable<Readonly<Record<string, string>>> {
  return readEntries(value, field, (key, text) => [...checkLabelKey(key), ...checkLabelValue(text)]);
}

/**
 * The exported annotations that can be used; entries that no object can have, or that are reserved, are left out one by one. Where they are
 * too large together for one object, none is used.
 */
export function readExportedAnnotations(value: unknown, field: string): Usable<Readonly<Record<string, string>>> {
  // API servers check keys of annotations in lower case.
  const read = readEntries(value, field, (key) => checkLabelKey(key.toLowerCase()));
  const bytes = Object.entries(read.value).reduce((sum, [key, text]) => sum + utf8(key).length + utf8(text).length, 0);
  if (bytes <= MOST_ANNOTATION_BYTES) return read;
  const tooLarge = { field, message: `${bytes} bytes are too much for the annotations of one object`, mend: 'export less' };
  return { value: NONE, issues: [...read.issues, tooLarge] };
}

function readEntries(
  value: unknown,
  field: string,
  check: (key: string, text: string) => readonly string[],
): Usable<Readonly<Record<string, string>>> {
  if (value === undefined || value === null) return { value: NONE, issues: [] };
  if (!isRecord(value)) return { value: NONE, issues: [{ field, message: 'is no map' }] };
  const issues: Issue[] = [];
  const entries: [string, string][] = [];
  for (const key of Object.keys(value).toSorted(compareText)) {
    const text = value[key];
    const messages = typeof text === 'string' ? problemsOf(key, text, check) : ['is no text'];
    if (typeof text === 'string' && messages.length === 0) entries.push([key, text]);
    issues.push(...messages.map((message) => ({ field: `${field}[${key}]`, message })));
  }
  return { value: entries.length === 0 ? NONE : Object.fromEntries(entries), issues };
}

function problemsOf(key: string, text: string, check: (key: string, text: string) => readonly string[]): readonly string[] {
  return isReservedKey(key) ? ['is kept by controllers and cannot be exported'] : check(key, text);
}
