/**
 * Names as Kubernetes checks them. Each function returns what is wrong, in Kubernetes' own words, and an empty list for a good name
 * (API: apimachinery validation).
 */
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const pattern = (source: string): RegExp => new RegExp(`^${source}$`);
const LABEL_PATTERN = pattern(LABEL);
const SUBDOMAIN_PATTERN = pattern(SUBDOMAIN);
const DNS_1035_LABEL_PATTERN = pattern(DNS_1035_LABEL);
const QUALIFIED_NAME_PATTERN = pattern(QUALIFIED_NAME);
const LABEL_VALUE_PATTERN = pattern(`(${QUALIFIED_NAME})?`);

const tooLong = (length: number, unit = 'characters'): string => `must be no more than ${length} ${unit}`;
const regexHint = (examples: readonly string[], source: string): string =>
  `(e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${source}')`;

/** A DNS-1123 label: at most 63 of `a-z`, `0-9` and `-`, with no `-` at either end. Names of namespaces and clusters. */
export function checkDnsLabel(name: string): string[] {
  const problems = name.length > 63 ? [tooLong(63)] : [];
  if (LABEL_PATTERN.test(name)) return problems;
  if (SUBDOMAIN_PATTERN.test(name)) return [...problems, 'must not contain dots'];
  return [
    ...problems,
    `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character ${regexHint(['my-name', '123-abc'], LABEL)}`,
  ];
}

/** A DNS-1123 subdomain: labels joined with dots, at most 253 bytes. Names of most objects. */
export function checkDnsSubdomain(name: string): string[] {
  const problems = name.length > 253 ? [tooLong(253)] : [];
  if (SUBDOMAIN_PATTERN.test(name)) return problems;
  return [
    ...problems,
    `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character ${regexHint(['example.com'], SUBDOMAIN)}`,
  ];
}

/** A DNS-1035 label: a DNS-1123 label that starts with a letter. Names of Services until Kubernetes 1.36. */
export function checkDns1035Label(name: string): string[] {
  const problems = name.length > 63 ? [tooLong(63)] : [];
  if (DNS_1035_LABEL_PATTERN.test(name)) return problems;
  return [
    ...problems,
    `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character ${regexHint(['my-name', 'abc-123'], DNS_1035_LABEL)}`,
  ];
}

const QUALIFIED_NAME_RULE = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character ${regexHint(['MyName', 'my.name', '123-abc'], QUALIFIED_NAME)}`;

/** The key of a label or an annotation: an optional DNS subdomain and `/`, then at most 63 characters. */
export function checkLabelKey(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [`a valid label key ${QUALIFIED_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  return [...(parts.length === 2 ? checkPrefix(parts[0] ?? '') : []), ...checkNamePart(name)];
}

function checkPrefix(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return checkDnsSubdomain(prefix).map((problem) => `prefix part ${problem.replace('253 characters', '253 bytes')}`);
}

function checkNamePart(name: string): string[] {
  const problems: string[] = [];
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${tooLong(63, 'bytes')}`);
  if (!QUALIFIED_NAME_PATTERN.test(name)) problems.push(`name part ${QUALIFIED_NAME_RULE}`);
  return problems;
}

/** The value of a label: empty, or at most 63 characters that start and end with a letter or digit. */
export function checkLabelValue(value: string): string[] {
  const problems = value.length > 63 ? [tooLong(63, 'bytes')] : [];
  if (LABEL_VALUE_PATTERN.test(value)) return problems;
  return [
    ...problems,
    `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character ${regexHint(['MyValue', 'my_value', '12345'], `(${QUALIFIED_NAME})?`)}`,
  ];
}
