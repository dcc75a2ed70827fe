/** Fields that stand twice in one object of a body, and where everything stands in it. */
interface Scanned {
  readonly duplicates: readonly Place[];
  /** Where the field at a path stands first. */
  readonly places: ReadonlyMap<string, number>;
}

/** A field that is there for the second time. */
interface Place {
  readonly path: string;
  readonly name: string;
  readonly at: number;
}

/** Bodies with such fields, which are rare. */
const scanned = new WeakMap<object, Scanned & { readonly text: string }>();

/** Looks for fields that stand twice in what was read from a text of JSON, and remembers them. */
export function noteDuplicates(value: unknown, text: string): void {
  if (typeof value !== 'object' || value === null || membersIn(text) === countMembers(value)) return;
  scanned.set(value, { ...new Scanner(text).scan(), text });
}

/** Only the names of members have a colon behind them. */
function membersIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfText(text, at);
    while (isBlank(text.charCodeAt(at))) at += 1;
    if (text[at] === ':') count += 1;
  }
  return count;
}

/** The place behind the text that begins at a place. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  let count = Array.isArray(value) ? 0 : members.length;
  for (const member of members) count += countMembers(member);
  return count;
}

/** Reads JSON that is known to be right once more, for the names in it. */
class Scanner {
  readonly #text: string;
  readonly #duplicates: Place[] = [];
  readonly #places = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): Scanned {
    this.#value('');
    return { duplicates: this.#duplicates, places: this.#places };
  }

  #value(path: string): void {
    const start = this.#next();
    if (start === '{') this.#object(path);
    else if (start === '[') this.#list(path);
    else if (start === '"') this.#at = endOfText(this.#text, this.#at);
    else while (this.#at < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #object(path: string): void {
    const seen = new Set<string>();
    this.#at += 1;
    while (this.#next() !== '}') {
      const at = this.#at;
      this.#at = endOfText(this.#text, at);
      const name = JSON.parse(this.#text.slice(at, this.#at)) as string;
      const below = path === '' ? name : `${path}.${name}`;
      if (seen.has(name)) this.#duplicates.push({ path: below, name, at });
      else if (!this.#places.has(below)) this.#places.set(below, at);
      seen.add(name);
      this.#skip(':');
      this.#value(below);
      this.#skip(',');
    }
    this.#at += 1;
  }

  #list(path: string): void {
    this.#at += 1;
    for (let index = 0; this.#next() !== ']'; index += 1) {
      this.#value(`${path}[${index}]`);
      this.#skip(',');
    }
    this.#at += 1;
  }

  #next(): string | undefined {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
    return this.#text[this.#at];
  }

  #skip(character: string): void {
    if (this.#next() === character) this.#at += 1;
  }
}

/** How a body is read, which decides on what a strict reader says of it. */
export type Reader = 'built-in' | 'custom' | 'patch' | 'json-patch' | 'apply';

const unknownText = (path: string): string => `unknown field "${path}"`;
const duplicateText = ({ path }: Place): string => `duplicate field "${path}"`;
const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/** What a strict reader says of a body; nothing where it has nothing to say but of unknown fields. */
export function strictReader(body: unknown, reader: Reader): ((unknown: readonly string[]) => readonly string[]) | undefined {
  const found = typeof body === 'object' && body !== null ? scanned.get(body) : undefined;
  if (reader === 'json-patch') return ofJsonPatch(body, found);
  if (found === undefined) return undefined;
  const { duplicates, places, text } = found;
  if (reader === 'apply') {
    const line = (at: number): number => text.slice(0, at).split('\n').length;
    return () => duplicates.map(({ name, at }) => `line ${line(at)}: key ${JSON.stringify(name)} already set in map`);
  }
  if (reader !== 'built-in') return (unknown) => unique([...duplicates.map(duplicateText), ...unknown.map(unknownText)]);
  return (unknown) => {
    // Nobody looks into what isn't known.
    const isSeen = ({ path }: Place): boolean =>
      !unknown.some((each) => path.startsWith(`${each}.`) || path.startsWith(`${each}[`));
    const all = [
      ...unknown.map((path) => ({ text: unknownText(path), at: places.get(path) ?? 0 })),
      ...duplicates.filter(isSeen).map((each) => ({ text: duplicateText(each), at: each.at })),
    ];
    return unique(all.toSorted((a, b) => a.at - b.at).map((each) => each.text));
  };
}

const KNOWN: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);

/** A JSON patch is read strictly itself, before what it makes of the object. */
function ofJsonPatch(body: unknown, found: Scanned | undefined): ((unknown: readonly string[]) => readonly string[]) | undefined {
  const operations: readonly unknown[] = Array.isArray(body) ? body : [];
  const strange = operations.flatMap((operation, index) =>
    typeof operation === 'object' && operation !== null
      ? Object.keys(operation).flatMap((name) => (KNOWN.has(name) ? [] : [`[${index}].${name}`]))
      : [],
  );
  if (found === undefined && strange.length === 0) return undefined;
  const all = [
    ...strange.map((path) => ({ text: unknownText(path), at: found?.places.get(path) ?? 0 })),
    ...(found?.duplicates ?? []).map((each) => ({ text: duplicateText(each), at: each.at })),
  ];
  const own = unique(all.toSorted((a, b) => a.at - b.at).map(({ text }) => `json patch ${text}`));
  return (unknown) => [...own, ...unknown.map(unknownText)];
}
