import { GROUP } from './custom.ts';
import type { Answer, Fields } from './step.ts';

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names for what differs from run to run, by the order in which it appears. */
class Names {
  readonly #names = new Map<string, string>();
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(value: string): string {
    const known = this.#names.get(value) ?? `${this.#prefix}#${this.#names.size + 1}`;
    this.#names.set(value, known);
    return known;
  }

  known(value: string): string | undefined {
    return this.#names.get(value);
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Makes what one side says comparable with what the other says. One for each side of each run: it remembers. */
export class Normaliser {
  readonly #run: string;
  readonly #uids = new Names('UID');
  readonly #versions = new Names('VERSION');
  readonly #suffixes = new Names('SUFFIX');
  readonly #ports = new Names('PORT');
  #columns: readonly Fields[] = [];

  constructor(run: string) {
    this.#run = run;
  }

  answer({ status, type, warnings, body }: Answer): unknown {
    return { status, type, warnings: warnings.map((text) => this.#text(text)), body: this.body(body) };
  }

  /** An object, a list, a table, a status or an event. */
  body(body: unknown): unknown {
    if (!isFields(body)) return typeof body === 'string' ? this.#text(body) : body;
    if (isFields(body.object) && typeof body.type === 'string') return this.#event(body.type, body.object);
    if (body.kind === 'Table') return this.#value(this.#table(body), '');
    return this.#value(String(body.kind).endsWith('List') ? ofCollection(body) : body, '');
  }

  #event(type: string, object: Fields): unknown {
    if (type !== 'BOOKMARK') return { type, object: this.body(object) };
    // How far the cluster is depends on what the other sequences do.
    const [row] = (object.rows ?? []) as readonly { readonly object?: { readonly metadata?: Fields } }[];
    const metadata = row?.object?.metadata ?? (object.metadata as Fields);
    const text = JSON.stringify(object).replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":"NOW"');
    const bookmark = this.body(JSON.parse(text)) as Fields;
    // What the cells of a row say that stands for no object is nobody's business.
    const rows = ((bookmark.rows ?? []) as readonly Fields[]).map((each) => ({ ...each, cells: 'NONE' }));
    return { type, annotations: metadata.annotations, object: { ...bookmark, ...(rows.length === 0 ? {} : { rows }) } };
  }

  /** Ages differ by the second; offline clusters don't describe columns. */
  #table(body: Fields): Fields {
    const columns = (body.columnDefinitions ?? []) as readonly Fields[];
    if (columns.length > 0) this.#columns = columns;
    const rows = (body.rows ?? []) as readonly { readonly cells: readonly unknown[] }[];
    const cell = (value: unknown, index: number): unknown => (this.#columns[index]?.name === 'Age' ? 'AGE' : value);
    return {
      ...ofCollection(body),
      columnDefinitions: body.columnDefinitions === null ? null : columns.map((column) => ({ ...column, description: '' })),
      rows: rows.map((row) => ({ ...row, cells: row.cells.map(cell) })),
    };
  }

  #value(value: unknown, name: string): unknown {
    if (typeof value === 'string') return this.#named(value, name);
    if (typeof value === 'number' && /nodePort/i.test(name)) return this.#ports.of(String(value));
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#value(item, name));
      if (name === 'managedFields') return items.toSorted(byText);
      // A real server puts its own in a Namespace anywhere.
      if (name === 'finalizers' && items.includes('orphan')) return items.toSorted(byText);
      return name === 'causes' ? unordered(unique(items)) : items;
    }
    if (!isFields(value)) return value;
    if (isOfCustom(value)) return this.#value(withoutOrder(value), '');
    const entries = Object.entries(value).map(([key, member]) => [this.#text(key), this.#value(member, key)] as const);
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #named(value: string, name: string): string {
    if (name === 'resourceVersion' && /^\d+$/.test(value)) return this.#versions.of(value);
    const text = this.#text(inOrder(value));
    return /resource ?version/i.test(value) ? this.#versionsIn(text) : text;
  }

  #text(value: string): string {
    return value
      .replaceAll(`ns-${this.#run}`, 'NAMESPACE')
      .replaceAll(this.#run, 'RUN')
      .replaceAll(/Key: \/(?:real|registry)\//g, 'Key: /')
      .replaceAll(UUID, (uid) => (/^(.)\1{7}-1111/.test(uid) ? uid : this.#uids.of(uid)))
      .replaceAll(/\bgen-([bcdfghjklmnpqrstvwxz2456789]{5})\b/g, (_, suffix: string) => `gen-${this.#suffixes.of(suffix)}`)
      .replaceAll(/\b10\.(?:0|96)\.\d+\.\d+\b/g, 'ADDRESS')
      .replaceAll(
        /(patch: Invalid value: |^Invalid value: )"(?:[^"\\]|\\.)*"(: (?:json: |cannot restore|cannot convert|strict decoding|Object 'Kind'|unable|quantities|illegal|error decoding|no kind|failed|unrecognized|parsing))/g,
        '$1"OBJECT"$2',
      )
      .replaceAll(/the object provided is unrecognized \(must be of type (\w+)\): (.*) \(.*\)$/g, "$1 can't be read: $2")
      .replaceAll(/^(\w+) in version "\w+" cannot be handled as a \1: (Object 'Kind' is missing)/g, "$1 can't be read: $2")
      .replaceAll(/Unsupported value: \{.*\}: supported/g, 'Unsupported value: STRUCT: supported')
      .replaceAll(/\b202[6-9]-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME');
  }

  /** Versions that a message tells; those that nobody has seen yet belong to the cluster as a whole. */
  #versionsIn(text: string): string {
    return text
      .replace(/current: \d+/, 'current: NOW')
      .replace(/(too old resource version: \d+) \(\d+\)/, '$1 (OLDEST)')
      .replaceAll(/in record \((\d+)\)/g, (told, number: string) =>
        this.#versions.known(number) === undefined ? 'in record (UNSEEN)' : told,
      )
      .replaceAll(/\b\d+\b/g, (number) => this.#versions.known(number) ?? number);
  }
}

/** Of several things that keep a configuration from being applied those come first that a map in the server's code has first. */
const inOrder = (value: string): string =>
  value.replace(/(?<=: errors:\n).*$/s, (lines) => lines.split('\n').toSorted().join('\n'));

/** On updates a real server looks at metadata several times, and says each time what it finds. */
const unique = (items: readonly unknown[]): readonly unknown[] => {
  const texts = items.map((item) => JSON.stringify(item));
  return items.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
};

/** What is wrong with a custom resource is told in no order: the members of a schema have none in the server's code. */
function isOfCustom({ kind, reason, details }: Fields): boolean {
  if (kind !== 'Status' || reason !== 'Invalid' || !isFields(details) || details.group !== GROUP) return false;
  return Array.isArray(details.causes);
}

function withoutOrder({ message, details, ...rest }: Fields): Fields {
  const { causes, ...others } = details as { readonly causes: readonly unknown[] };
  const problems = unique(causes).toSorted(byText);
  return { ...rest, kind: 'Problems', start: String(message).replace(/ is invalid: .*$/s, ''), details: others, problems };
}

/** Conflicts with several managers are told in no order. */
const unordered = (causes: readonly unknown[]): readonly unknown[] =>
  causes.some((cause) => isFields(cause) && cause.reason === 'FieldManagerConflict') ? causes.toSorted(byText) : causes;

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** The version of a collection says how far the whole cluster is, where other sequences run, too. A token holds one. */
function ofCollection(body: Fields): Fields {
  const metadata = body.metadata as Fields;
  const { resourceVersion, continue: token } = metadata;
  return {
    ...body,
    metadata: {
      ...metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion: 'NOW' }),
      ...(token === undefined || token === '' ? {} : { continue: 'TOKEN' }),
    },
  };
}
