import { formatFieldPath, type Issue, isRecord, type Pointer } from '../../kube/index.ts';

/** Something that is wrong, and where: the way to it, from where the search began. */
export interface Finding {
  readonly at: Pointer;
  readonly message: string;
  readonly mend?: string;
}

/** Findings below some field. */
export function below(at: Pointer, findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) => ({ ...finding, at: [...at, ...finding.at] }));
}

/** Findings as issues; `document` tells places in lists from keys. */
export function issuesOf(findings: readonly Finding[], document: unknown): readonly Issue[] {
  return findings.map(({ at, message, mend }) => {
    const field = formatFieldPath(at, document);
    return mend === undefined ? { field, message } : { field, message, mend };
  });
}

/** One finding, or none. */
export function when(isWrong: boolean, at: Pointer, message: string, mend?: string): readonly Finding[] {
  if (!isWrong) return [];
  return [mend === undefined ? { at, message } : { at, message, mend }];
}

/** Members of lists that stand there a second time. */
export function repeated(values: readonly string[], at: Pointer): readonly Finding[] {
  const first = new Map<string, number>();
  return values.flatMap((value, index) => {
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, index);
    return when(earlier !== undefined, [...at, `${index}`], `"${value}" stands in [${earlier}] already`, 'name it once');
  });
}

/**
 * Fields that a structural schema doesn't know, and what they may have been meant to be. API servers leave such fields out without a word.
 */
export function unknownFields(value: unknown, schema: unknown): readonly Finding[] {
  if (!isRecord(schema)) return [];
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => below([`${index}`], unknownFields(each, schema.items)));
  }
  if (!isRecord(value)) return [];
  if (isRecord(schema.additionalProperties)) {
    const { additionalProperties } = schema;
    return Object.keys(value).flatMap((name) => below([name], unknownFields(value[name], additionalProperties)));
  }
  const { properties } = schema;
  if (!isRecord(properties)) return [];
  return Object.keys(value).flatMap((name) => {
    if (Object.hasOwn(properties, name)) return below([name], unknownFields(value[name], properties[name]));
    const meant = closest(name, Object.keys(properties));
    return when(true, [name], 'is no field', meant === undefined ? 'take it out: nobody reads it' : `did you mean ${meant}?`);
  });
}

/** As many letters may be wrong. */
const MOST_TYPOS = 2;

/** The known name that a text was probably meant to be. */
export function closest(text: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = MOST_TYPOS + 1;
  for (const name of known) {
    const typos = typosBetween(text.toLowerCase(), name.toLowerCase());
    // Of a short name, two wrong letters leave nothing.
    if (typos < fewest && typos * 3 <= name.length) [best, fewest] = [name, typos];
  }
  return best;
}

/** How many letters are missing, surplus or wrong (Levenshtein); more than enough where the lengths say so already. */
function typosBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_TYPOS) return MOST_TYPOS + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let at = 1; at <= a.length; at += 1) {
    const next = [at];
    for (let other = 1; other <= b.length; other += 1) {
      const wrong = (row[other - 1] ?? 0) + (a[at - 1] === b[other - 1] ? 0 : 1);
      next.push(Math.min(wrong, (row[other] ?? 0) + 1, (next[other - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
