import { ClustersetError } from '../errors.ts';
import { compareText } from '../object.ts';

/** One condition on one field. */
export interface FieldRequirement {
  /** The field's path: `metadata.name`. */
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/**
 * Reads a field selector: `metadata.name=web,status.phase!=Running`; `\,`, `\=` and `\\` stand for themselves (API: apimachinery
 * fields.ParseSelector, whose errors these are).
 *
 * @throws ClustersetError `Invalid`.
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .toSorted(compareText)
    .map((term) => parseTerm(term, text));
}

function parseTerm(term: string, text: string): FieldRequirement {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw invalid(`invalid selector: '${text}'; can't understand '${term}'`);
  const [, field = '', operator, value = ''] = match;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
}

/** Whether a value for each field meets all requirements; a field that isn't there counts as empty. */
export function matchesFields(requirements: readonly FieldRequirement[], read: (field: string) => string | undefined): boolean {
  return requirements.every(({ field, operator, value }) => ((read(field) ?? '') === value) === (operator === '='));
}

/** Writes requirements as text that {@link parseFieldSelector} reads. */
export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements
    .filter(({ field, value }) => field !== '' || value !== '')
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`)
    .join(',');
}

/** At commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  const terms = [''];
  for (const [part] of text.matchAll(/\\.|[^\\,]+|,|\\$/gs)) {
    if (part === ',') terms.push('');
    else terms.push(`${terms.pop() ?? ''}${part}`);
  }
  return terms;
}

function unescapeValue(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (sequence: string, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw invalid(`invalid field selector: unescaped character in value: ${sequence.codePointAt(0)}`);
    }
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
      throw invalid(`invalid field selector: invalid escape sequence: ${sequence}`);
    }
    return escaped;
  });
}

function invalid(message: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message });
}
