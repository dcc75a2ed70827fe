const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface CronField {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const FIELDS: readonly CronField[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
];

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const ZONE = /^(?:CRON_)?TZ=(\S+)\s+/;

/** What is wrong with the schedule of a CronJob, in the words of the parser that Kubernetes uses; nothing for a good one. */
export function cronProblem(schedule: string): string | undefined {
  const text = schedule.replace(ZONE, '').trim();
  if (text.startsWith('@')) return descriptorProblem(text);
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== FIELDS.length) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [index, field] of FIELDS.entries()) {
    for (const range of (fields[index] ?? '').split(',').filter((part) => part !== '')) {
      const problem = rangeProblem(range, field);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function descriptorProblem(text: string): string | undefined {
  if (DESCRIPTORS.includes(text) || /^@every (?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`;
  return `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(text.slice('@every '.length))}`;
}

/** `*`, `3`, `1-5`, `mon-fri`, each perhaps with `/2` behind it. */
function rangeProblem(range: string, field: CronField): string | undefined {
  const [span = '', stepText, ...more] = range.split('/');
  const [low = '', high, ...rest] = span.split('-');
  const isAll = low === '*' || low === '?';
  if (!isAll && rest.length > 0) return `too many hyphens: ${range}`;
  if (more.length > 0) return `too many slashes: ${range}`;
  const numbers = isAll ? [] : [low, high].filter((part) => part !== undefined).map((part) => numberIn(part, field));
  const step = stepText === undefined ? 1 : numberIn(stepText, { ...field, names: [] });
  const unread = [...numbers, step].find((part) => typeof part === 'string');
  if (typeof unread === 'string') return unread;
  const [start = field.least, end = stepText === undefined && !isAll ? start : field.most] = numbers as readonly number[];
  return boundsProblem({ range, start, end, step: Number(step) }, field);
}

function boundsProblem(
  { range, start, end, step }: { readonly range: string; readonly start: number; readonly end: number; readonly step: number },
  { least, most }: CronField,
): string | undefined {
  if (start < least) return `beginning of range (${start}) below minimum (${least}): ${range}`;
  if (end > most) return `end of range (${end}) above maximum (${most}): ${range}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  return step === 0 ? `step of range should be a positive number: ${range}` : undefined;
}

/** A number, or the message that it is none. */
function numberIn(text: string, { least, names }: CronField): number | string {
  const name = names.indexOf(text.toLowerCase());
  if (name >= 0) return name + least;
  if (/^[+-]?\d+$/.test(text)) {
    const value = Number(text);
    return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
  }
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}
